/* The ingest thread: steps ingest until it is told to stop. */
#ifndef COLLECTOR_INGEST_CONSUMER_H
#define COLLECTOR_INGEST_CONSUMER_H

#include "ingest.h"

struct consumer;
/* Takes @in over. @fatal is called in the thread when there is no going on (the ledger was taken over). */
int consumer_start(struct consumer **ret, struct ingest *in, void (*fatal)(void *context), void *context,
                   struct error *error) __attribute__((warn_unused_result));
/* Does it take records in? If not, the reason is appended to @why. Any thread. */
bool consumer_healthy(struct consumer *c, struct buf *why);
/* Commits what was read, joins the thread and destroys the ingest. Takes NULL. */
void consumer_stop(struct consumer *c);

#endif
