#include "log_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "pluvio/base/clock.h"

#define MAX_WORDS 1000

struct kafka_broker broker;

void log_rig_set_up(void)
{
    kafka_broker_open(&broker, PARTITIONS);
}

void log_rig_tear_down(void)
{
    kafka_broker_close(&broker);
}

int64_t now_ms(void)
{
    return clock_boot_ns(clock_system()) / NS_PER_MS;
}

struct writer *open_writer(void)
{
    struct kafka_settings s = kafka_broker_settings(&broker);
    struct writer *w;
    struct error e;
    ck_assert_msg(writer_open(&w, &s, &e) == 0, "%s", e.text);
    return w;
}

struct reader *open_all(const char *topic)
{
    struct kafka_settings s = kafka_broker_settings(&broker);
    struct reader *r;
    struct error e;
    ck_assert_msg(reader_open_all(&r, &s, topic, &e) == 0, "%s", e.text);
    return r;
}

struct reader *open_group(const char *group)
{
    struct kafka_settings s = kafka_broker_settings(&broker);
    struct reader *r;
    struct error e;
    ck_assert_msg(reader_open_group(&r, &s, broker.topic, group, &e) == 0, "%s", e.text);
    return r;
}

void produce(struct writer *w, int32_t partition, const char *word, int from, int to)
{
    char text[64];
    int64_t end = now_ms() + PATIENCE_MS;
    struct delivery unused;
    for (int i = from; i < to; i++) {
        snprintf(text, sizeof text, "%s-%d", word, i);
        struct outgoing m = {.topic = broker.topic,
                             .partition = partition,
                             .key = text_of(text),
                             .value = text_of(text),
                             .tag = (uint64_t)i};
        int r;
        while ((r = w->produce(w, &m)) == -EAGAIN && now_ms() < end) {
            int got = w->poll(w, 20, &unused);
            ck_assert_msg(got == 0, "a report came while the queue was full: take it first");
        }
        ck_assert_int_eq(r, 0);
    }
}

void wait_delivered(struct writer *w, int count)
{
    int64_t end = now_ms() + PATIENCE_MS;
    struct delivery d;
    while (count > 0) {
        ck_assert_msg(now_ms() < end, "%d reports did not come", count);
        int r = w->poll(w, 50, &d);
        ck_assert_int_ge(r, 0);
        if (r == 0)
            continue;
        ck_assert_int_eq(d.result, 0);
        count--;
    }
}

void fill(int32_t partition, const char *word, int from, int to)
{
    struct writer *w = open_writer();
    produce(w, partition, word, from, to);
    wait_delivered(w, to - from);
    w->destroy(w);
}

void wait_event(struct reader *r, enum reader_event_kind kind, struct reader_event *ret)
{
    int64_t end = now_ms() + PATIENCE_MS;
    for (;;) {
        ck_assert_msg(now_ms() < end, "event %d did not come", (int)kind);
        int got = r->next(r, 50, ret);
        ck_assert_int_ge(got, 0);
        if (got && ret->kind == kind)
            return;
        ck_assert_msg(!got || ret->kind == READER_MESSAGE || ret->kind == READER_DOWN, "event %d in place of %d",
                      (int)ret->kind, (int)kind);
    }
}

void start_all(struct reader *r, int64_t offset)
{
    struct reader_event event;
    struct position positions[KAFKA_MAX_PARTITIONS];
    struct error e;
    wait_event(r, READER_ASSIGNED, &event);
    for (size_t i = 0; i < event.partition_count; i++)
        positions[i] = (struct position){event.partitions[i], offset};
    ck_assert_msg(r->start(r, positions, event.partition_count, &e) == 0, "%s", e.text);
}

int read_words(struct reader *r, const char *word, int from, int to)
{
    bool seen[MAX_WORDS] = {false};
    char head[32], value[64];
    int n = snprintf(head, sizeof head, "%s-", word), missing = to - from, others = 0;
    int64_t end = now_ms() + PATIENCE_MS;
    while (missing > 0) {
        struct reader_event event;
        ck_assert_msg(now_ms() < end, "%d of %s were not read", missing, word);
        int got = r->next(r, 50, &event);
        ck_assert_int_ge(got, 0);
        if (!got || event.kind != READER_MESSAGE)
            continue;
        text_copy(event.message.value, value, sizeof value);
        int i = strncmp(value, head, (size_t)n) == 0 ? atoi(value + n) : -1;
        bool wanted = i >= from && i < to && !seen[i];
        others += !wanted;
        missing -= wanted;
        if (wanted)
            seen[i] = true;
    }
    return others;
}
