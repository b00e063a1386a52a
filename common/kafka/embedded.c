/* librdkafka's in-process broker. */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

#include "kafka_client.h"

struct embedded_broker {
    rd_kafka_t *handle; /* whose threads the broker lives in */
    rd_kafka_mock_cluster_t *cluster;
};

int embedded_broker_start(struct embedded_broker **ret, const char *topic, int partitions, const char *ack_topic,
                          struct error *error)
{
    static const struct client_default defaults[] = {{NULL, NULL}};
    static const struct kafka_settings settings = {.bootstrap = "127.0.0.1:1", .client_id = "pluvio-embedded"};
    struct embedded_broker *b = calloc(1, sizeof *b);
    rd_kafka_conf_t *conf = b ? client_conf(&settings, defaults, error) : NULL;
    b = conf ? b : (free(b), NULL);
    if (!b)
        return error_set(error, -ENOMEM, "out of memory");
    b->handle = client_new(conf, true, error);
    b->cluster = b->handle ? rd_kafka_mock_cluster_new(b->handle, 1) : NULL;
    if (!b->cluster || rd_kafka_mock_topic_create(b->cluster, topic, partitions, 1) ||
        rd_kafka_mock_topic_create(b->cluster, ack_topic, 1, 1)) {
        embedded_broker_stop(b);
        return error_set(error, -EIO, "the embedded broker could not be started");
    }
    *ret = b;
    return 0;
}

const char *embedded_broker_bootstrap(const struct embedded_broker *b)
{
    return rd_kafka_mock_cluster_bootstraps(b->cluster);
}

void embedded_broker_stop(struct embedded_broker *b)
{
    if (!b)
        return;
    if (b->cluster)
        rd_kafka_mock_cluster_destroy(b->cluster);
    if (b->handle)
        rd_kafka_destroy(b->handle);
    free(b);
}
