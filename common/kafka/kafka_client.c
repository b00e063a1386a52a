#include "kafka_client.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

#include "pluvio/base/clock.h"
#include "pluvio/base/log.h"

#define WAIT_FIRST_MS 300
#define WAIT_MAX_MS   5000
#define PAUSES        4 /* the caller is kept waiting for a fifth of its time at most */
#define COUNT_AGE_NS  (60 * NS_PER_S)
#define MAKING_NS     (10 * NS_PER_S)

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

static rd_kafka_resp_err_t ask_partitions(rd_kafka_t *handle, const char *topic, int wait_ms, int *ret_count)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *asked = rd_kafka_topic_new(handle, topic, NULL);
    rd_kafka_resp_err_t e =
        asked ? rd_kafka_metadata(handle, 0, asked, &metadata, wait_ms) : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (!e) {
        *ret_count = metadata->topic_cnt ? metadata->topics[0].partition_cnt : 0;
        rd_kafka_metadata_destroy(metadata);
    }
    if (asked)
        rd_kafka_topic_destroy(asked);
    return e;
}

/* The client throws an answer away that comes too late, so each vain wait is followed by a longer one. But only where a
 * broker was asked: while none is connected (__TRANSPORT) no answer can come, and patience would be for nothing. */
int client_partitions(struct rd_kafka_s *handle, const char *topic, struct known_partitions *known)
{
    if (clock_boot_ns(clock_system()) < known->again_ns)
        return known->count;
    int wait_ms = known->wait_ms ? known->wait_ms : WAIT_FIRST_MS, count = 0;
    rd_kafka_resp_err_t e = ask_partitions(handle, topic, wait_ms, &count);
    bool late = e == RD_KAFKA_RESP_ERR__TIMED_OUT, missed = !e && !count && !known->count;
    int longer_ms = 2 * wait_ms < WAIT_MAX_MS ? 2 * wait_ms : WAIT_MAX_MS;
    known->wait_ms = late ? longer_ms : WAIT_FIRST_MS;
    known->count = count ? count : known->count;
    known->again_ns =
        clock_boot_ns(clock_system()) + (known->count && !late ? COUNT_AGE_NS : PAUSES * wait_ms * NS_PER_MS);
    if (!missed)
        known->missed_ns = 0;
    else if (!known->missed_ns)
        known->missed_ns = clock_boot_ns(clock_system());
    return known->count;
}

bool client_misses(const struct known_partitions *known, const char *topic, char *out, size_t size)
{
    if (!known->missed_ns || clock_boot_ns(clock_system()) - known->missed_ns < MAKING_NS)
        return false;
    snprintf(out, size,
             "topic %s is not known to the brokers, or this user may not describe it: start the collector, which makes "
             "it, or give the right",
             topic);
    return true;
}
