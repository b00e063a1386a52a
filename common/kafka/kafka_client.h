/* What readers and writers share: a librdkafka handle made from our settings. */
#ifndef COMMON_KAFKA_KAFKA_CLIENT_H
#define COMMON_KAFKA_KAFKA_CLIENT_H

#include "pluvio/kafka/log_rdkafka.h"

struct rd_kafka_s;
struct rd_kafka_conf_s;

struct client_default {
    const char *name, *value;
};

/* Our defaults for the role, then the caller's properties, which win. NULL: @error names the property. */
struct rd_kafka_conf_s *client_conf(const struct kafka_settings *settings, const struct client_default *defaults,
                                    struct error *error);
/* Takes @conf over. */
struct rd_kafka_s *client_new(struct rd_kafka_conf_s *conf, bool is_writer, struct error *error);
/* End a reader's handle. librdkafka 2.0.2 may wait for ever to end a consumer whose topic went away (fixed in 2.1.0):
 * after some seconds it is left behind, with its threads, and a warning is logged. */
void client_end_reader(struct rd_kafka_s *handle);
/* The id of the cluster that answered last; while none has, ask, at most @timeout_ms. It changes where a broker comes
 * back at the same address with another cluster's data. @id is owned by the caller. */
const char *client_cluster_id(struct rd_kafka_s *handle, char **id, int timeout_ms);
/* What is known of a topic's partitions, and when the brokers are asked again. Zeroed at first. */
struct known_partitions {
    int count;
    int wait_ms; /* for the next answer; 0: not asked yet */
    int64_t again_ns;
    int64_t missed_ns; /* since when brokers answer that they do not have the topic; 0: they do not say so */
};
/* How many partitions @topic has, as heard last; 0 while nobody says. When it is time to ask it waits for the answer,
 * which takes a round trip whatever a caller's patience: 5 s at most, and a fifth of all time. */
int client_partitions(struct rd_kafka_s *handle, const char *topic, struct known_partitions *known);
/* True, with a sentence in @out, where brokers have said for long enough that there is no such topic for this user. One
 * that is just being made is not missed. */
bool client_misses(const struct known_partitions *known, const char *topic, char *out, size_t size);

#endif
