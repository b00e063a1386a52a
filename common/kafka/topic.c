/* Topics of a real cluster, made where they are missing. */
#include <errno.h>
#include <librdkafka/rdkafka.h>

#include "kafka_client.h"

/* The first topic's result: 0 also if it was there. */
static int result_of(rd_kafka_event_t *event, const char *topic, struct error *error)
{
    const rd_kafka_CreateTopics_result_t *result = event ? rd_kafka_event_CreateTopics_result(event) : NULL;
    if (!event || rd_kafka_event_error(event) || !result)
        return error_set(error, -EHOSTUNREACH, "kafka: cannot make topic %s: %s", topic,
                         event ? rd_kafka_event_error_string(event) : "no answer");
    size_t count;
    const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &count);
    rd_kafka_resp_err_t e = count ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
    if (e == RD_KAFKA_RESP_ERR_NO_ERROR || e == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return 0;
    return error_set(error, -EIO, "kafka: cannot make topic %s: %s", topic, rd_kafka_err2str(e));
}

static int create(rd_kafka_t *handle, rd_kafka_NewTopic_t *new_topic, const char *topic, int timeout_ms,
                  struct error *error)
{
    char why[128];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof why);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_CreateTopics(handle, &new_topic, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + 500);
    int r = result_of(event, topic, error);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    return r;
}

int topic_ensure(const struct kafka_settings *settings, const char *topic, int partitions, bool compacted,
                 int timeout_ms, struct error *error)
{
    static const struct client_default defaults[] = {{NULL, NULL}};
    char why[256];
    rd_kafka_conf_t *conf = client_conf(settings, defaults, error);
    rd_kafka_t *handle = conf ? client_new(conf, true, error) : NULL;
    if (!handle)
        return -EINVAL;
    rd_kafka_NewTopic_t *new_topic = rd_kafka_NewTopic_new(topic, partitions, -1, why, sizeof why);
    int r = 0;
    if (!new_topic) {
        r = error_set(error, -EINVAL, "kafka: topic %s: %s", topic, why);
    } else {
        if (compacted)
            rd_kafka_NewTopic_set_config(new_topic, "cleanup.policy", "compact");
        r = create(handle, new_topic, topic, timeout_ms, error);
        rd_kafka_NewTopic_destroy(new_topic);
    }
    rd_kafka_destroy(handle);
    return r;
}
