/* Reading: as a group's member, or every partition of a topic. */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

#include "kafka_client.h"
#include "pluvio/wire/envelope.h"

#define BATCH           512
#define CLUSTER_WAIT_MS 5000
#define NOT_OURS        (-3)

struct rdkafka_reader {
    struct reader port; /* first */
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;
    char *topic;
    bool group;
    struct known_partitions known; /* without a group */
    rd_kafka_message_t *batch[BATCH];
    size_t count, at;          /* of the batch: got, and given out */
    rd_kafka_message_t *given; /* the one the caller looks at */
    /* Set by callbacks, told by next(). */
    bool rebalanced, revoke, down, down_told;
    char down_reason[512];
    int32_t partitions[KAFKA_MAX_PARTITIONS];
    size_t partition_count;
    int64_t next[KAFKA_MAX_PARTITIONS]; /* the offset to give next; NOT_OURS */
    char *cluster_id;
};

static void rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct rdkafka_reader *r = opaque;
    (void)handle;
    r->rebalanced = true;
    r->revoke = what != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    r->partition_count = 0;
    for (int i = 0; i < list->cnt && i < KAFKA_MAX_PARTITIONS; i++)
        r->partitions[r->partition_count++] = list->elems[i].partition;
}

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    struct rdkafka_reader *r = opaque;
    (void)handle;
    bool all = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    r->down |= all;
    if (!all || !*r->down_reason) /* each has said why before */
        text_copy(text_of(reason), r->down_reason, sizeof r->down_reason);
}

static void drop_batch(struct rdkafka_reader *r)
{
    while (r->at < r->count)
        rd_kafka_message_destroy(r->batch[r->at++]);
    r->at = r->count = 0;
}

static void drop_given(struct rdkafka_reader *r)
{
    if (r->given)
        rd_kafka_message_destroy(r->given);
    r->given = NULL;
}

static rd_kafka_topic_partition_list_t *positions_list(const struct rdkafka_reader *r, const struct position *positions,
                                                       size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, r->topic, positions[i].partition)->offset =
            positions[i].offset == OFFSET_EARLIEST ? RD_KAFKA_OFFSET_BEGINNING : positions[i].offset;
    return list;
}

/* Read each partition from what is to be given next. */
static rd_kafka_resp_err_t assign_next(struct rdkafka_reader *r)
{
    struct position positions[KAFKA_MAX_PARTITIONS];
    size_t count = 0;
    for (int32_t i = 0; i < KAFKA_MAX_PARTITIONS; i++)
        if (r->next[i] != NOT_OURS)
            positions[count++] = (struct position){i, r->next[i]};
    rd_kafka_topic_partition_list_t *list = positions_list(r, positions, count);
    drop_given(r);
    drop_batch(r);
    /* Assigning nothing first makes the client forget what it had fetched. */
    rd_kafka_resp_err_t e = rd_kafka_assign(r->handle, NULL);
    if (!e)
        e = rd_kafka_assign(r->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    return e;
}

static void forget_positions(struct rdkafka_reader *r)
{
    for (int i = 0; i < KAFKA_MAX_PARTITIONS; i++)
        r->next[i] = NOT_OURS;
}

static bool is_ours(const struct rdkafka_reader *r, int32_t partition)
{
    return partition >= 0 && partition < KAFKA_MAX_PARTITIONS && r->next[partition] != NOT_OURS;
}

static int reader_start(struct reader *self, const struct position *positions, size_t count, struct error *error)
{
    struct rdkafka_reader *r = (struct rdkafka_reader *)self;
    forget_positions(r);
    for (size_t i = 0; i < count; i++)
        if (positions[i].partition >= 0 && positions[i].partition < KAFKA_MAX_PARTITIONS)
            r->next[positions[i].partition] = positions[i].offset;
    rd_kafka_resp_err_t e = assign_next(r);
    return e ? error_set(error, -EIO, "kafka: cannot read %s: %s", r->topic, rd_kafka_err2str(e)) : 0;
}

static int reader_release(struct reader *self)
{
    struct rdkafka_reader *r = (struct rdkafka_reader *)self;
    forget_positions(r);
    drop_given(r);
    drop_batch(r);
    return rd_kafka_assign(r->handle, NULL) ? -EIO : 0;
}

static int reader_watermarks(struct reader *self, int32_t partition, int timeout_ms, int64_t *low, int64_t *high)
{
    struct rdkafka_reader *r = (struct rdkafka_reader *)self;
    return rd_kafka_query_watermark_offsets(r->handle, r->topic, partition, low, high, timeout_ms) ? -EIO : 0;
}

static const char *reader_cluster_id(struct reader *self)
{
    struct rdkafka_reader *r = (struct rdkafka_reader *)self;
    return client_cluster_id(r->handle, &r->cluster_id, CLUSTER_WAIT_MS);
}

static void reader_commit(struct reader *self, const struct position *positions, size_t count)
{
    struct rdkafka_reader *r = (struct rdkafka_reader *)self;
    rd_kafka_topic_partition_list_t *list = positions_list(r, positions, count);
    if (r->group)
        rd_kafka_commit(r->handle, list, 1);
    rd_kafka_topic_partition_list_destroy(list);
}

static void reader_destroy(struct reader *self)
{
    struct rdkafka_reader *r = (struct rdkafka_reader *)self;
    drop_given(r);
    drop_batch(r);
    if (r->queue)
        rd_kafka_queue_destroy(r->queue);
    if (r->handle)
        client_end_reader(r->handle);
    free(r->cluster_id);
    free(r->topic);
    free(r);
}

/* Our headers out of a message's; those of others are passed over. */
static void read_headers(const rd_kafka_message_t *m, struct message *out)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t size;
    if (rd_kafka_message_headers(m, &headers))
        return;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        struct text t = {value, size};
        if (strcmp(name, HEADER_RECORD) == 0)
            out->record = t;
        else if (strcmp(name, HEADER_WIRE) == 0)
            out->wire = t;
        else if (strcmp(name, HEADER_HELLO) == 0)
            out->hello = t;
    }
}

static int give_message(struct rdkafka_reader *r, rd_kafka_message_t *m, struct reader_event *ret)
{
    r->given = m;
    if (is_ours(r, m->partition))
        r->next[m->partition] = m->offset + 1;
    r->down_told = r->down = false;
    r->down_reason[0] = 0;
    ret->kind = READER_MESSAGE;
    ret->message = (struct message){.partition = m->partition,
                                    .offset = m->offset,
                                    .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
                                    .key = {m->key, m->key_len},
                                    .value = {m->payload, m->len}};
    read_headers(m, &ret->message);
    return 1;
}

static bool is_refusal(rd_kafka_resp_err_t e)
{
    return e == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || e == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           e == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

/* What cannot be mended here: -ENOTCONN if it is the handle's end. */
static int take_trouble(struct rdkafka_reader *r, rd_kafka_message_t *m, struct reader_event *ret)
{
    bool fatal = m->err == RD_KAFKA_RESP_ERR__FATAL;
    if (fatal || is_refusal(m->err)) {
        r->down = true;
        snprintf(r->down_reason, sizeof r->down_reason, "%s: %s", r->topic, rd_kafka_message_errstr(m));
    }
    rd_kafka_message_destroy(m);
    ret->reason = fatal ? r->down_reason : NULL;
    return fatal ? -ENOTCONN : 0;
}

/* The broker has nothing at our position: begin at the earliest, and say so. The client has given the partition up, and
 * a seek does not bring it back: all are assigned anew, each from where it stands. */
static int give_reset(struct rdkafka_reader *r, rd_kafka_message_t *m, struct reader_event *ret)
{
    int64_t low = 0, high = 0;
    int32_t partition = m->partition;
    rd_kafka_message_destroy(m);
    if (rd_kafka_query_watermark_offsets(r->handle, r->topic, partition, &low, &high, CLUSTER_WAIT_MS))
        low = 0;
    r->next[partition] = low;
    if (assign_next(r))
        return -ENOTCONN;
    ret->kind = READER_RESET;
    ret->partition = partition;
    ret->offset = low;
    return 1;
}

static int give_rebalance(struct rdkafka_reader *r, struct reader_event *ret)
{
    r->rebalanced = false;
    ret->kind = r->revoke ? READER_REVOKED : READER_ASSIGNED;
    ret->partitions = r->partitions;
    ret->partition_count = r->partition_count;
    return 1;
}

/* How many there are; who answers is not away, though he may not know the topic. */
static int hear_partitions(struct rdkafka_reader *r)
{
    int64_t before_ns = r->known.again_ns;
    int count = client_partitions(r->handle, r->topic, &r->known);
    if (r->known.again_ns != before_ns && r->partition_count == 0 && (count || r->known.missed_ns))
        r->down = false;
    r->down |= client_misses(&r->known, r->topic, r->down_reason, sizeof r->down_reason);
    r->down_told &= r->down;
    return count;
}

/* Without a group: read all partitions, and those that are added, from their beginning. True if there are more. */
static bool assign_all(struct rdkafka_reader *r)
{
    int heard = hear_partitions(r), count = heard < KAFKA_MAX_PARTITIONS ? heard : KAFKA_MAX_PARTITIONS;
    size_t before = r->partition_count;
    if ((size_t)count <= before)
        return false;
    for (int32_t i = (int32_t)before; i < count; i++) {
        r->partitions[r->partition_count++] = i;
        r->next[i] = OFFSET_EARLIEST;
    }
    if (assign_next(r) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    r->partition_count = before;
    return false;
}

/* One message with patience, and what else is there without. */
static void fill(struct rdkafka_reader *r, int timeout_ms)
{
    rd_kafka_message_t *first = rd_kafka_consumer_poll(r->handle, timeout_ms);
    r->at = r->count = 0;
    if (!first)
        return;
    r->batch[0] = first;
    r->count = 1;
    if (first->err)
        return;
    ssize_t more = rd_kafka_consume_batch_queue(r->queue, 0, r->batch + 1, BATCH - 1);
    r->count += more > 0 ? (size_t)more : 0;
}

static int give_next(struct rdkafka_reader *r, struct reader_event *ret)
{
    while (r->at < r->count) {
        rd_kafka_message_t *m = r->batch[r->at++];
        if (!m->err)
            return give_message(r, m, ret);
        if ((m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || m->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) &&
            is_ours(r, m->partition))
            return give_reset(r, m, ret);
        if (take_trouble(r, m, ret))
            return -ENOTCONN;
    }
    return 0;
}

static int reader_next(struct reader *self, int timeout_ms, struct reader_event *ret)
{
    struct rdkafka_reader *r = (struct rdkafka_reader *)self;
    *ret = (struct reader_event){0};
    drop_given(r);
    if (!r->group && assign_all(r)) {
        r->rebalanced = true;
        r->revoke = false;
    }
    if (r->at == r->count && !r->rebalanced)
        fill(r, timeout_ms);
    if (r->rebalanced) {
        drop_batch(r);
        return give_rebalance(r, ret);
    }
    int given = give_next(r, ret);
    if (given || !r->down || r->down_told)
        return given;
    r->down_told = true;
    ret->kind = READER_DOWN;
    ret->reason = r->down_reason;
    return 1;
}

static int open_reader(struct reader **ret, const struct kafka_settings *settings, const char *topic, const char *group,
                       const struct client_default *defaults, struct error *error)
{
    struct rdkafka_reader *r = calloc(1, sizeof *r);
    rd_kafka_conf_t *conf = r ? client_conf(settings, defaults, error) : NULL;
    if (!conf) {
        free(r);
        return r ? error->code : error_set(error, -ENOMEM, "out of memory");
    }
    r->port = (struct reader){.next = reader_next,
                              .start = reader_start,
                              .release = reader_release,
                              .watermarks = reader_watermarks,
                              .cluster_id = reader_cluster_id,
                              .commit = reader_commit,
                              .destroy = reader_destroy};
    r->group = group != NULL;
    forget_positions(r);
    r->topic = text_dup(text_of(topic));
    char why[128];
    rd_kafka_conf_set(conf, "group.id", group ? group : "pluvio-reader", why, sizeof why);
    rd_kafka_conf_set_opaque(conf, r);
    rd_kafka_conf_set_error_cb(conf, on_error);
    if (group)
        rd_kafka_conf_set_rebalance_cb(conf, rebalance);
    r->handle = r->topic ? client_new(conf, false, error) : NULL;
    if (!r->handle) {
        free(r->topic);
        free(r);
        return -EINVAL;
    }
    rd_kafka_poll_set_consumer(r->handle);
    r->queue = rd_kafka_queue_get_consumer(r->handle);
    *ret = &r->port;
    return 0;
}

int reader_open_group(struct reader **ret, const struct kafka_settings *settings, const char *topic, const char *group,
                      struct error *error)
{
    static const struct client_default defaults[] = {{"enable.auto.commit", "false"},
                                                     {"enable.auto.offset.store", "false"},
                                                     {"auto.offset.reset", "error"},
                                                     {"fetch.wait.max.ms", "100"},
                                                     {"queued.max.messages.kbytes", "8192"},
                                                     {"fetch.message.max.bytes", "2097152"},
                                                     {"session.timeout.ms", "10000"},
                                                     {"heartbeat.interval.ms", "2000"},
                                                     {"partition.assignment.strategy", "range"},
                                                     {NULL, NULL}};
    int r = open_reader(ret, settings, topic, group, defaults, error);
    if (r || !group)
        return r;
    struct rdkafka_reader *reader = (struct rdkafka_reader *)*ret;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t e = rd_kafka_subscribe(reader->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (!e)
        return 0;
    (*ret)->destroy(*ret);
    return error_set(error, -EINVAL, "kafka: cannot subscribe to %s: %s", topic, rd_kafka_err2str(e));
}

int reader_open_all(struct reader **ret, const struct kafka_settings *settings, const char *topic, struct error *error)
{
    static const struct client_default defaults[] = {{"enable.auto.commit", "false"},
                                                     {"enable.auto.offset.store", "false"},
                                                     {"auto.offset.reset", "earliest"},
                                                     {"fetch.wait.max.ms", "100"},
                                                     {"queued.max.messages.kbytes", "2048"},
                                                     {"fetch.message.max.bytes", "1048576"},
                                                     {NULL, NULL}};
    return open_reader(ret, settings, topic, NULL, defaults, error);
}
