/* Where the records of a run come from: memory, or a Kafka broker that another process filled; both behind the kafka
 * port, with the number of records counted.
 */
#ifndef TESTS_BENCH_INGEST_SOURCE_H
#define TESTS_BENCH_INGEST_SOURCE_H

#include "fleet.h"
#include "pluvio/kafka/log_rdkafka.h"

struct source {
    struct fleet *fleet;
    int64_t cycle, last_cycle; /* the next to give, and the end */
    const char *bootstrap;     /* NULL: from memory */
    const char *topic;
    int64_t given, bytes; /* records and their bytes, so far */
    int64_t made_ns;      /* CPU time of making records, which is none of ingest's */
};

int64_t source_total(const struct source *s); /* records in all */
/* As ingest's ports want them; context is the source. */
int source_open_reader(void *context, struct reader **ret, struct error *error);
int source_open_writer(void *context, struct writer **ret, struct error *error);

/* Put the records of @s on its topic, in a process of its own. Ends the program on failure. */
void source_fill_broker(const struct source *s);

#endif
