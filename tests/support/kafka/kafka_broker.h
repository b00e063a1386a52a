/* A broker for tests, of either kind: librdkafka's own inside the process, or Apache Kafka (the script `broker`).
 *
 * A test program runs its suite on one kind, named by its argument, so that the same tests make two ctests and the real
 * one can be skipped by name. The real broker is started once a program; each test has topics of its own on it.
 *
 *     int main(int argc, char **argv) { return kafka_broker_main(argc, argv, make_suite); }
 *
 * Everything here fails the test, with the reason, where it cannot do as told.
 */
#ifndef TESTS_SUPPORT_KAFKA_KAFKA_BROKER_H
#define TESTS_SUPPORT_KAFKA_KAFKA_BROKER_H

#include <check.h>
#include <stdbool.h>

#include "pluvio/kafka/log_rdkafka.h"

enum broker_kind { BROKER_EMBEDDED, BROKER_REAL };

/* argv[1]: "embedded" or "real". Leaves as skipped where the real one cannot be had. */
int kafka_broker_main(int argc, char **argv, Suite *(*make_suite)(enum broker_kind kind));

struct kafka_broker {
    enum broker_kind kind;
    int partitions;
    char topic[64], acks[64]; /* this test's own; acks is compacted and has one partition */
    char bootstrap[64];
    unsigned starts;                  /* grows with each start: handles opened before are on a broker that is gone */
    struct embedded_broker *embedded; /* NULL: down */
};

/* Running, with empty topics. */
void kafka_broker_open(struct kafka_broker *b, int partitions);
void kafka_broker_close(struct kafka_broker *b);
/* Points into @b; a group's members are missed quickly. */
struct kafka_settings kafka_broker_settings(const struct kafka_broker *b);

void kafka_broker_kill(struct kafka_broker *b);  /* SIGKILL; the embedded one stops */
void kafka_broker_stop(struct kafka_broker *b);  /* in good order */
void kafka_broker_start(struct kafka_broker *b); /* real: same address, same data; embedded: neither */
/* Down, all data gone, up: another cluster, at the same address where it is real. */
void kafka_broker_wipe(struct kafka_broker *b);

/* Only the real one: */
/* As wipe, but the topics are missing until kafka_broker_start. */
void kafka_broker_forget(struct kafka_broker *b);
/* So that @topic has @count in all. */
void kafka_broker_add_partitions(struct kafka_broker *b, const char *topic, int count);
void kafka_broker_pause(struct kafka_broker *b);
void kafka_broker_resume(struct kafka_broker *b);
/* While it is down: bytes of a partition's newest segment, and cut so many off its end. */
long kafka_broker_bytes(struct kafka_broker *b, const char *topic, int partition);
void kafka_broker_lose_tail(struct kafka_broker *b, const char *topic, int partition, long bytes);

#endif
