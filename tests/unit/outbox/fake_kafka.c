#include "fake_kafka.h"

#include <errno.h>
#include <stdio.h>

#include "support/run.h"

struct fake_kafka kafka;

/* ---- writing ---- */

static int fake_produce(struct writer *self, const struct outgoing *m)
{
    struct text host = {0};
    (void)self;
    ck_assert(kafka.writer_open);
    if (kafka.writer_dead)
        return -ENOTCONN;
    if (kafka.queue_full)
        return -EAGAIN;
    if (kafka.too_large && m->value.len >= kafka.too_large)
        return -EMSGSIZE;
    ck_assert_uint_lt(kafka.sent_count, FAKE_MAX);
    struct fake_sent *s = &kafka.sent[kafka.sent_count++];
    *s = (struct fake_sent){.partition = m->partition, .tag = m->tag, .is_hello = m->hello.len > 0};
    text_copy(m->key, s->key, sizeof s->key);
    text_copy(m->value, s->value, sizeof s->value);
    ck_assert(s->is_hello ? hello_parse(m->hello, &s->envelope, &host) : envelope_parse(m->record, &s->envelope));
    text_copy(host, s->host, sizeof s->host);
    return 0;
}

static int fake_poll(struct writer *self, int timeout_ms, struct delivery *ret)
{
    (void)self, (void)timeout_ms;
    if (kafka.reports_at < kafka.reports_count) {
        *ret = kafka.reports[kafka.reports_at++];
        return 1;
    }
    return kafka.writer_dead ? -ENOTCONN : 0;
}

static int fake_partitions(struct writer *self, const char *topic)
{
    (void)self;
    ck_assert_str_eq(topic, "metrics");
    return kafka.partitions;
}

static const char *fake_writer_cluster(struct writer *self)
{
    (void)self;
    return kafka.cluster;
}

static const char *fake_reason(struct writer *self)
{
    (void)self;
    return kafka.writer_reason;
}

static int fake_flush(struct writer *self, int timeout_ms)
{
    (void)self, (void)timeout_ms;
    return 0;
}

static void fake_writer_destroy(struct writer *self)
{
    (void)self;
    ck_assert(kafka.writer_open);
    kafka.writer_open = false;
    kafka.destroyed++;
    kafka.reports_at = kafka.reports_count = 0;
}

/* ---- hearing ---- */

static int fake_next(struct reader *self, int timeout_ms, struct reader_event *ret)
{
    static const int32_t partitions[] = {0};
    (void)self, (void)timeout_ms;
    if (kafka.reader_dead) {
        ret->reason = kafka.reader_down;
        return -ENOTCONN;
    }
    if (kafka.reader_down) {
        *ret = (struct reader_event){.kind = READER_DOWN, .reason = kafka.reader_down};
        kafka.reader_down = NULL;
        kafka.reader_silent = true;
        return 1;
    }
    if (kafka.reader_silent)
        return 0;
    if (!kafka.assigned) {
        kafka.assigned = true;
        *ret = (struct reader_event){.kind = READER_ASSIGNED, .partitions = partitions, .partition_count = 1};
        return 1;
    }
    if (!kafka.assigned || kafka.acks_at == kafka.acks_count)
        return 0;
    const struct fake_ack *a = &kafka.acks[kafka.acks_at];
    *ret = (struct reader_event){
        .kind = READER_MESSAGE,
        .message = {.offset = (int64_t)kafka.acks_at++, .key = text_of(a->key), .value = text_of(a->value)}};
    return 1;
}

static int fake_watermarks(struct reader *self, int32_t partition, int timeout_ms, int64_t *low, int64_t *high)
{
    (void)self, (void)partition, (void)timeout_ms;
    *low = 0;
    *high = (int64_t)(kafka.acks_end ? kafka.acks_end : kafka.acks_count);
    return 0;
}

static void fake_reader_destroy(struct reader *self)
{
    (void)self;
    ck_assert(kafka.reader_open);
    kafka.reader_open = false;
}

/* ---- the ports ---- */

static int open_fake_writer(void *context, struct writer **ret, struct error *error)
{
    (void)context;
    ck_assert(!kafka.writer_open);
    if (kafka.open_result)
        return error_set(error, kafka.open_result, "no broker today");
    kafka.writer = (struct writer){fake_produce, fake_poll,  fake_partitions,    fake_writer_cluster,
                                   fake_reason,  fake_flush, fake_writer_destroy};
    kafka.writer_dead = kafka.always_dead;
    kafka.writer_open = true;
    kafka.opened++;
    *ret = &kafka.writer;
    return 0;
}

static int open_fake_reader(void *context, struct reader **ret, struct error *error)
{
    (void)context, (void)error;
    ck_assert(!kafka.reader_open);
    kafka.reader = (struct reader){.next = fake_next, .watermarks = fake_watermarks, .destroy = fake_reader_destroy};
    kafka.reader_dead = kafka.reader_silent = kafka.assigned = false;
    kafka.acks_at = 0;
    kafka.reader_open = true;
    *ret = &kafka.reader;
    return 0;
}

static bool fake_moved(void *context)
{
    (void)context;
    bool moved = kafka.moved;
    kafka.moved = false;
    return moved;
}

void fake_kafka_reset(void)
{
    memset(&kafka, 0, sizeof kafka);
    kafka.partitions = 4;
    kafka.cluster = "here";
}

struct publisher_ports fake_kafka_ports(void)
{
    return (struct publisher_ports){open_fake_writer, open_fake_reader, fake_moved, NULL};
}

/* ---- scripts ---- */

void fake_report(size_t i, int result, int64_t offset)
{
    kafka.reports[kafka.reports_count++] = (struct delivery){
        .tag = kafka.sent[i].tag, .result = result, .partition = kafka.sent[i].partition, .offset = offset};
}

void fake_ack_raw(const char *key, const char *value)
{
    struct fake_ack *a = &kafka.acks[kafka.acks_count++];
    snprintf(a->key, sizeof a->key, "%s", key);
    snprintf(a->value, sizeof a->value, "%s", value);
}

static void add_ack(const struct ack *ack)
{
    struct buf key = {0}, value = {0};
    ack_format(ack, &key, &value);
    fake_ack_raw(buf_terminate(&key), buf_terminate(&value));
    buf_free(&key);
    buf_free(&value);
}

void fake_ack_mark(const char *outbox, unsigned lane, uint64_t mark)
{
    struct ack ack = {.kind = ACK_MARK, .lane = lane, .mark = mark};
    snprintf(ack.outbox, sizeof ack.outbox, "%s", outbox);
    add_ack(&ack);
}

void fake_ack_offset(const char *cluster, const char *topic, int32_t partition, int64_t offset)
{
    struct ack ack = {.kind = ACK_OFFSET, .partition = partition, .offset = offset};
    snprintf(ack.cluster, sizeof ack.cluster, "%s", cluster);
    snprintf(ack.topic, sizeof ack.topic, "%s", topic);
    add_ack(&ack);
}
