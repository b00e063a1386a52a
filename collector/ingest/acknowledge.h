/* The ledger's word back to the outboxes: marks and read positions, published after a commit (rules R6, R7, R10).
 *
 * What cannot be queued at once waits for the next call. A word that is lost is asked for again by the poller.
 */
#ifndef COLLECTOR_INGEST_ACKNOWLEDGE_H
#define COLLECTOR_INGEST_ACKNOWLEDGE_H

#include "collector/ledger/ledger.h"
#include "pluvio/kafka/kafka_log.h"

#define ACKNOWLEDGE_MAX_WAITING 65536 /* lanes with a word to come; beyond, they ask again */

struct acknowledger;
struct acknowledger *acknowledger_create(const char *ack_topic); /* NULL: out of memory */
void acknowledger_destroy(struct acknowledger *a);               /* takes NULL */

/* This lane wants to hear its mark after the commit. */
void acknowledge_mark(struct acknowledger *a, const char *outbox, unsigned lane);
/* All lanes that the ledger knows. */
void acknowledge_all(struct acknowledger *a, struct ledger *l);
void acknowledge_offset(struct acknowledger *a, const char *cluster, const char *topic, int32_t partition,
                        int64_t offset);
/* Hand to @writer what waits; the marks are the ledger's committed ones. Returns -ENOTCONN if the writer is dead. */
int acknowledge_publish(struct acknowledger *a, struct ledger *l, struct writer *writer);

#endif
