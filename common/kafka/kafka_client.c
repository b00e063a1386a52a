#include "kafka_client.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>

#include "pluvio/base/log.h"

#define METADATA_WAIT_MS 300

/* The library repeats itself at each attempt; what an operator must know we say once, elsewhere. */
static void log_line(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    log_debug("librdkafka %s: %s", facility, text);
}

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *error)
{
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return true;
    error_set(error, -EINVAL, "kafka: %s: %s", name, why);
    return false;
}

struct rd_kafka_conf_s *client_conf(const struct kafka_settings *settings, const struct client_default *defaults,
                                    struct error *error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, log_line);
    bool fine = set(conf, "bootstrap.servers", settings->bootstrap, error) &&
                set(conf, "client.id", settings->client_id ? settings->client_id : "pluvio", error) &&
                set(conf, "broker.address.family", "v4", error) &&
                set(conf, "reconnect.backoff.max.ms", "2000", error) &&
                set(conf, "topic.metadata.refresh.interval.ms", "30000", error);
    for (; fine && defaults->name; defaults++)
        fine = set(conf, defaults->name, defaults->value, error);
    for (size_t i = 0; fine && i < settings->property_count; i++)
        fine = set(conf, settings->properties[i].name, settings->properties[i].value, error);
    if (fine)
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}

struct rd_kafka_s *client_new(struct rd_kafka_conf_s *conf, bool is_writer, struct error *error)
{
    char why[256];
    rd_kafka_t *handle = rd_kafka_new(is_writer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!handle) {
        rd_kafka_conf_destroy(conf);
        error_set(error, -EINVAL, "kafka: %s", why);
    }
    return handle;
}

const char *client_cluster_id(struct rd_kafka_s *handle, char **id, int timeout_ms)
{
    char *asked = rd_kafka_clusterid(handle, *id ? 0 : timeout_ms);
    char *other = asked && (!*id || strcmp(*id, asked) != 0) ? text_dup(text_of(asked)) : NULL;
    if (other) {
        free(*id);
        *id = other;
    }
    if (asked)
        rd_kafka_mem_free(handle, asked);
    return *id;
}

int client_partitions(struct rd_kafka_s *handle, const char *topic)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *asked = rd_kafka_topic_new(handle, topic, NULL);
    int count = 0;
    if (asked && !rd_kafka_metadata(handle, 0, asked, &metadata, METADATA_WAIT_MS)) {
        count = metadata->topic_cnt ? metadata->topics[0].partition_cnt : 0;
        rd_kafka_metadata_destroy(metadata);
    }
    if (asked)
        rd_kafka_topic_destroy(asked);
    return count;
}
