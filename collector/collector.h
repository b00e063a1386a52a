/* The collector put together: ledger, archives, broker (if it has one of its own), ingest, API; opened in this order
 * and closed the other way round. The one place where the rooms meet.
 */
#ifndef COLLECTOR_COLLECTOR_H
#define COLLECTOR_COLLECTOR_H

#include "collector/archive/archive_files.h"
#include "collector/series/series.h"
#include "pluvio/kafka/log_rdkafka.h"

struct collector_settings {
    const char *state, *listen, *topic, *ack_topic, *group; /* borrowed, as all texts here */
    struct kafka_settings kafka; /* bootstrap NULL: an embedded broker, its address in STATE/kafka */
    int partitions, workers;
    struct series_rules rules;
    int64_t takeover_ms;             /* see ingest/hosts.h */
    struct archive_settings archive; /* folder, ledger_commit and clock are the collector's to set */
};

struct collector;
/* All threads run on return. @fatal is called in one of them when there is no going on. */
int collector_open(struct collector **ret, const struct collector_settings *settings, void (*fatal)(void *context),
                   void *context, struct error *error) __attribute__((warn_unused_result));
/* Commits what was read, writes the archives out, and ends all threads. Takes NULL. */
void collector_close(struct collector *c);

int collector_port(const struct collector *c);           /* of the API */
const char *collector_broker(const struct collector *c); /* bootstrap servers */
/* Bring figures up to date that no thread counts by itself. Now and then. */
void collector_tick(struct collector *c);

#endif
