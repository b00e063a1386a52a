/* Kafka in memory, behind the ports of kafka_log.h: a data topic in partitions that one group shares, and a compacted
 * topic of acknowledgements. It does what a broker and a client may do to us: delays, repeats, another order, reports
 * that lie, a lost tail that fills up again, a forgotten head, another cluster, absence, dead handles.
 *
 * One thread; the world's time. Everything random comes from the world's seed.
 */
#ifndef TESTS_SIM_FAKE_LOG_H
#define TESTS_SIM_FAKE_LOG_H

#include "pluvio/base/random.h"
#include "pluvio/kafka/kafka_log.h"

#define FAKE_PARTITIONS 8 /* at most */
#define FAKE_TOPIC      "otlp_metrics"
#define FAKE_ACKS       "pluvio.acks"

struct log_message {
    char *bytes; /* owned: what the texts point into */
    struct text key, value, record, hello;
    int64_t offset;
};

/* Messages in order of offset; compaction leaves holes. */
struct log_partition {
    struct log_message *items;
    size_t count, cap;
    int64_t low, next; /* watermarks */
};

struct in_flight_message;
struct fake_writer;
struct fake_reader;

struct fake_log {
    const int64_t *now_ns;
    struct random *random;
    int partitions;
    struct log_partition data[FAKE_PARTITIONS];
    struct log_partition acks;
    char cluster[32];
    unsigned clusters; /* that there ever were */
    unsigned address;  /* another one after a move: old handles reach nobody */
    bool away;
    /* Chances in a hundred, of each message. */
    unsigned repeat, reorder, lie; /* lie: reported as failed, though it is in the log */
    struct in_flight_message *flying, **flying_tail;
    struct fake_writer *writers;
    struct fake_reader *readers;
    uint64_t epoch, members; /* of the group: rebalances, and members ever */
    int64_t ghost_until_ns;  /* until then a member that vanished keeps what it had */
    uint64_t served;         /* events handed out, so that a caller sees whether there was one */
};

void fake_log_init(struct fake_log *log, const int64_t *now_ns, struct random *random, int partitions);
void fake_log_finish(struct fake_log *log); /* every handle must be gone */
/* Deliver what is due; returns when there is more, INT64_MAX: nothing is on its way. */
int64_t fake_log_step(struct fake_log *log);

int fake_log_open_writer(struct fake_log *log, struct writer **ret);
int fake_log_open_group(struct fake_log *log, struct reader **ret);
int fake_log_open_acks(struct fake_log *log, struct reader **ret);

/* ---- faults ---- */

void fake_log_lose_tail(struct fake_log *log, int partition, int64_t messages); /* partition -1: the acknowledgements */
void fake_log_forget_head(struct fake_log *log, int partition, int64_t messages);
void fake_log_compact(struct fake_log *log);
/* Every message is gone and the cluster's id is another. @moved: at another address too, else handles do not notice. */
void fake_log_wipe(struct fake_log *log, bool moved);
void fake_log_kill_handles(struct fake_log *log); /* the next call of each says so */
/* Send one of the last messages of a partition again. */
void fake_log_repeat_old(struct fake_log *log, int partition);

/* ---- what its files share ---- */

struct log_message log_message_copy(struct text key, struct text value, struct text record, struct text hello);
/* The first message at or behind @offset; count: none. */
size_t log_partition_find(const struct log_partition *p, int64_t offset);
void log_partition_empty(struct log_partition *p);
struct log_partition *fake_log_partition(struct fake_log *log, int partition);
/* Another assignment: all members revoke and get their share. */
void fake_group_rebalance(struct fake_log *log);
void fake_readers_kill(struct fake_log *log);
void fake_writers_kill(struct fake_log *log);

#endif
