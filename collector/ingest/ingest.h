/* Ingest: one batch of Kafka records becomes one transaction of the ledger with its archive rows; then the outboxes
 * hear of it. A step, not a thread (consumer.h is the thread).
 *
 * Rules L1, L2, R5 and R7 meet here. Whatever fails undoes the batch: the ledger's cache is dropped and reading goes on
 * from the ledger's offsets.
 */
#ifndef COLLECTOR_INGEST_INGEST_H
#define COLLECTOR_INGEST_INGEST_H

#include "collector/archive/archive.h"
#include "collector/ledger/ledger.h"
#include "pluvio/base/clock.h"
#include "pluvio/kafka/kafka_log.h"

#define INGEST_LIVE_MS     250     /* a commit comes at most this long after a batch's first record */
#define INGEST_BACKLOG_MS  2000    /* or this, while records keep coming */
#define INGEST_BATCH_BYTES 2097152 /* or after so much: an embedded broker forgets beyond some 5 MB a partition */
#define INGEST_SWEEP_MS    10000   /* how often silent entities are looked through */

struct ingest_settings {
    const char *topic, *ack_topic;
    struct series_rules rules;
    int64_t takeover_ms; /* silence of a host's outbox after which another one of that host is admitted */
};

struct ingest_ports {
    struct ledger *ledger;   /* not owned */
    struct archive *archive; /* not owned */
    struct clock *clock;
    /* Open handles on the broker. */
    int (*open_reader)(void *context, struct reader **ret, struct error *error);
    int (*open_writer)(void *context, struct writer **ret, struct error *error);
    void *context;
};

struct ingest;
int ingest_create(struct ingest **ret, const struct ingest_settings *settings, const struct ingest_ports *ports,
                  struct error *error) __attribute__((warn_unused_result));
/* Commits nothing more. Takes NULL. */
void ingest_destroy(struct ingest *in);

/* Read and commit for at most @wait_ms when there is nothing to do. 0; or a negative errno with @error after a batch
 * was undone: -ESTALE means that another collector has the ledger, all others may be tried again after a pause. */
int ingest_step(struct ingest *in, int wait_ms, struct error *error) __attribute__((warn_unused_result));
/* Commit what was read (for SIGTERM). */
int ingest_finish(struct ingest *in, struct error *error) __attribute__((warn_unused_result));

#endif
