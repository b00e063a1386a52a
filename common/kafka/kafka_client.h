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
/* Ask for the cluster's id, at most @timeout_ms, once it is known never again. @id is owned by the caller. */
const char *client_cluster_id(struct rd_kafka_s *handle, char **id, int timeout_ms);

#endif
