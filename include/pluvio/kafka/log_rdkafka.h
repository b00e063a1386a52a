/* The Kafka port on librdkafka, and the embedded broker (librdkafka's own, on loopback).
 *
 * librdkafka's thread callbacks only enqueue; everything else happens in the caller's thread.
 */
#ifndef PLUVIO_KAFKA_LOG_RDKAFKA_H
#define PLUVIO_KAFKA_LOG_RDKAFKA_H

#include "pluvio/kafka/kafka_log.h"

struct kafka_property {
    const char *name, *value; /* any librdkafka property */
};

struct kafka_settings {
    const char *bootstrap; /* host:port,... */
    const char *client_id;
    const struct kafka_property *properties; /* set last, so that they win; a wrong one is named in the error */
    size_t property_count;
};

/* A member of @group on @topic. Offsets come from the caller (reader->start), never from the broker. @group NULL: who
 * reads alone, as from the embedded broker, has every partition at once, without the seconds that joining takes. */
int reader_open_group(struct reader **ret, const struct kafka_settings *settings, const char *topic, const char *group,
                      struct error *error) __attribute__((warn_unused_result));
/* Every partition of @topic from its beginning, without a group: for acknowledgements and for `pluvio decode`.
 * READER_ASSIGNED is reported and answered inside; it comes again, with all of them, within a minute or so after
 * partitions were added, and reading goes on where it was. */
int reader_open_all(struct reader **ret, const struct kafka_settings *settings, const char *topic, struct error *error)
    __attribute__((warn_unused_result));
int writer_open(struct writer **ret, const struct kafka_settings *settings, struct error *error)
    __attribute__((warn_unused_result));

/* Make the topic if it is missing: @partitions, and compacted where @compacted. 0 also if it was there; an existing
 * topic is left as it is. Waits at most @timeout_ms. */
int topic_ensure(const struct kafka_settings *settings, const char *topic, int partitions, bool compacted,
                 int timeout_ms, struct error *error) __attribute__((warn_unused_result));

/* The embedded broker: a wire, not a store. It forgets all but some 5 MB a partition, silently, and everything at
 * exit; another port and cluster id at each start; any local user can write to it. */
struct embedded_broker;
int embedded_broker_start(struct embedded_broker **ret, const char *topic, int partitions, const char *ack_topic,
                          struct error *error) __attribute__((warn_unused_result));
const char *embedded_broker_bootstrap(const struct embedded_broker *b); /* "127.0.0.1:40123" */
void embedded_broker_stop(struct embedded_broker *b);                   /* takes NULL */

/* Follow a broker's address through a file: write it atomically (and synced); read it, -ENOENT while there is none. */
int broker_address_write(const char *path, const char *bootstrap, struct error *error)
    __attribute__((warn_unused_result));
int broker_address_read(const char *path, char *out, size_t size, struct error *error)
    __attribute__((warn_unused_result));

#endif
