/* The log's contract while brokers go and come. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "log_rig.h"
#include "test_kafka_log.h"

/* READER_DOWN events within @ms. */
static int count_down(struct reader *r, int64_t ms)
{
    int count = 0;
    for (int64_t end = now_ms() + ms; now_ms() < end;) {
        struct reader_event event;
        int got = r->next(r, 50, &event);
        ck_assert_int_ge(got, 0);
        count += got && event.kind == READER_DOWN;
        if (got && event.kind == READER_DOWN)
            ck_assert(event.reason && *event.reason);
    }
    return count;
}

START_TEST(a_group_is_told_once_that_the_brokers_are_away)
{
    struct reader *r = open_group("outage");
    struct reader_event event;
    fill(0, "word", 0, 1);
    start_all(r, OFFSET_EARLIEST);
    wait_event(r, READER_MESSAGE, &event);
    kafka_broker_kill(&broker);
    wait_event(r, READER_DOWN, &event);
    ck_assert_int_eq(count_down(r, 3000), 0);
    r->destroy(r);
    kafka_broker_start(&broker);
}
END_TEST

START_TEST(a_reader_that_never_found_a_broker_says_so_once)
{
    kafka_broker_kill(&broker);
    struct reader *r = open_group("nobody");
    ck_assert_int_eq(count_down(r, 4000), 1);
    r->destroy(r);
    kafka_broker_start(&broker);
}
END_TEST

static const char *const round_trips[] = {"40", "700"}; /* ms */

/* As brokers elsewhere do; the caller has no time to wait for them. */
START_TEST(a_broker_that_answers_late_is_used_all_the_same)
{
    const struct kafka_property far[] = {{"test.mock.num.brokers", "1"}, {"test.mock.broker.rtt", round_trips[_i]}};
    struct kafka_settings s = {.bootstrap = "127.0.0.1:1", .client_id = "test", .properties = far, .property_count = 2};
    struct reader *r;
    struct writer *w;
    struct reader_event event = {0};
    struct error e;
    int64_t end = now_ms() + PATIENCE_MS;
    ck_assert_msg(reader_open_all(&r, &s, "far", &e) == 0, "%s", e.text);
    ck_assert_msg(writer_open(&w, &s, &e) == 0, "%s", e.text);
    while (event.kind != READER_ASSIGNED) {
        ck_assert_int_ge(r->next(r, 0, &event), 0);
        ck_assert_int_lt(now_ms(), end);
    }
    ck_assert_uint_gt(event.partition_count, 0);
    while (w->partitions(w, "far") == 0)
        ck_assert_int_lt(now_ms(), end);
    w->destroy(w);
    r->destroy(r);
}
END_TEST

START_TEST(asking_for_partitions_where_no_broker_is_takes_little_of_the_time)
{
    int64_t asked_ms = 0, begin = now_ms();
    kafka_broker_kill(&broker);
    struct writer *w = open_writer();
    struct delivery d;
    while (now_ms() < begin + 6000) {
        int64_t before = now_ms();
        ck_assert_int_eq(w->partitions(w, broker.topic), 0);
        asked_ms += now_ms() - before;
        w->poll(w, 10, &d);
    }
    ck_assert_int_lt(asked_ms, 2000);
    w->destroy(w);
    kafka_broker_start(&broker);
}
END_TEST

/* Real: the same handles go on over a crash. */
START_TEST(nothing_is_lost_when_a_broker_is_killed_and_started_again)
{
    struct writer *w = open_writer();
    struct reader *r = open_group("crash");
    start_all(r, OFFSET_EARLIEST);
    produce(w, 0, "word", 0, 50);
    wait_delivered(w, 50);
    kafka_broker_kill(&broker);
    produce(w, 0, "word", 50, 100);
    ck_assert_int_eq(w->flush(w, 100), -ETIMEDOUT);
    kafka_broker_start(&broker);
    wait_delivered(w, 50);
    struct reader *all = open_all(broker.topic);
    ck_assert_int_eq(read_words(all, "word", 0, 100), 0);
    all->destroy(all);
    r->destroy(r);
    w->destroy(w);
}
END_TEST

START_TEST(a_group_reads_on_after_a_broker_came_back)
{
    struct reader *r = open_group("back");
    struct reader_event event;
    fill(0, "before", 0, 10);
    start_all(r, OFFSET_EARLIEST);
    ck_assert_int_eq(read_words(r, "before", 0, 10), 0);
    kafka_broker_kill(&broker);
    wait_event(r, READER_DOWN, &event);
    kafka_broker_start(&broker);
    fill(0, "after", 0, 10);
    int64_t end = now_ms() + PATIENCE_MS;
    bool read = false;
    while (!read) { /* it may be assigned anew first */
        struct position p[PARTITIONS] = {{0, 10}, {1, 0}, {2, 0}};
        struct error e;
        ck_assert_int_lt(now_ms(), end);
        int got = r->next(r, 50, &event);
        ck_assert_int_ge(got, 0);
        if (got && event.kind == READER_ASSIGNED)
            ck_assert_int_eq(r->start(r, p, PARTITIONS, &e), 0);
        else if (got && event.kind == READER_REVOKED)
            ck_assert_int_eq(r->release(r), 0);
        read = got && event.kind == READER_MESSAGE;
    }
    ck_assert(text_equal(event.message.value, TEXT("after-0")));
    r->destroy(r);
}
END_TEST

/* Real: a broker that stands still is waited for without blocking. */
START_TEST(a_paused_broker_delays_and_loses_nothing)
{
    struct writer *w = open_writer();
    produce(w, 0, "word", 0, 10);
    wait_delivered(w, 10);
    kafka_broker_pause(&broker);
    int64_t before = now_ms();
    produce(w, 0, "word", 10, 20);
    ck_assert_int_lt(now_ms() - before, 1000);
    ck_assert_int_eq(w->flush(w, 200), -ETIMEDOUT);
    kafka_broker_resume(&broker);
    wait_delivered(w, 10);
    w->destroy(w);
}
END_TEST

/* Real: what was reported as in the log is there, or the handle is dead, or it was in the part that was lost. */
START_TEST(after_a_lost_tail_no_report_lies)
{
    struct writer *w = open_writer();
    struct delivery d;
    for (int i = 0; i < 10; i++) { /* batches of ten */
        produce(w, 0, "word", 10 * i, 10 * i + 10);
        wait_delivered(w, 10);
    }
    kafka_broker_stop(&broker);
    kafka_broker_lose_tail(&broker, broker.topic, 0, kafka_broker_bytes(&broker, broker.topic, 0) / 2);
    kafka_broker_start(&broker);
    struct reader *all = open_all(broker.topic);
    int64_t low, high, end = now_ms() + PATIENCE_MS;
    while (all->watermarks(all, 0, 1000, &low, &high) != 0) /* it has just started */
        ck_assert_int_lt(now_ms(), end);
    ck_assert_int_gt(high, 0);
    ck_assert_int_lt(high, 100);
    produce(w, 0, "later", 0, 1);
    int r;
    while ((r = w->poll(w, 50, &d)) == 0)
        ck_assert_int_lt(now_ms(), end);
    if (r > 0 && d.result == 0)
        read_words(all, "later", 0, 1);
    else
        ck_assert(r == -ENOTCONN || d.result < 0);
    all->destroy(all);
    w->destroy(w);
}
END_TEST

/* Real: the address is the same and the handles live on, but nothing there is what it was. */
START_TEST(another_cluster_at_the_same_address_is_noticed)
{
    struct writer *w = open_writer();
    struct reader *r = open_all(broker.topic);
    struct reader_event event;
    struct delivery d;
    char old[128];
    int64_t end = now_ms() + PATIENCE_MS;
    while (!w->cluster_id(w) || !r->cluster_id(r))
        ck_assert_int_lt(now_ms(), end);
    snprintf(old, sizeof old, "%s", w->cluster_id(w));
    kafka_broker_wipe(&broker);
    end = now_ms() + PATIENCE_MS;
    while (strcmp(w->cluster_id(w), old) == 0 || strcmp(r->cluster_id(r), old) == 0) {
        ck_assert_msg(now_ms() < end, "the writer says %s, the reader %s, both were %s", w->cluster_id(w),
                      r->cluster_id(r), old);
        r->next(r, 20, &event);
        w->poll(w, 20, &d);
    }
    ck_assert_str_eq(w->cluster_id(w), r->cluster_id(r));
    r->destroy(r);
    w->destroy(w);
}
END_TEST

/* Serve the group, beginning at @offset of partition 0 at each assignment, until the position is found to be outside.
 */
static void wait_reset(struct reader *r, int64_t offset, struct reader_event *event)
{
    for (int64_t end = now_ms() + PATIENCE_MS; now_ms() < end;) {
        struct position p[PARTITIONS] = {{0, offset}, {1, OFFSET_EARLIEST}, {2, OFFSET_EARLIEST}};
        struct error e;
        int got = r->next(r, 50, event);
        ck_assert_int_ge(got, 0);
        if (got && event->kind == READER_ASSIGNED)
            ck_assert_int_eq(r->start(r, p, PARTITIONS, &e), 0);
        else if (got && event->kind == READER_REVOKED)
            ck_assert_int_eq(r->release(r), 0);
        else if (got && event->kind == READER_RESET)
            return;
    }
    ck_abort_msg("no reset was told");
}

START_TEST(after_the_data_was_thrown_away_reading_begins_anew)
{
    struct reader *r = open_group("wiped");
    struct reader_event event;
    fill(0, "before", 0, 10);
    start_all(r, OFFSET_EARLIEST);
    ck_assert_int_eq(read_words(r, "before", 0, 10), 0);
    kafka_broker_wipe(&broker);
    if (broker.kind == BROKER_EMBEDDED) {
        r->destroy(r);
        r = open_group("wiped");
    }
    fill(0, "after", 0, 3);
    wait_reset(r, 10, &event);
    ck_assert_int_eq(event.partition, 0);
    ck_assert_int_eq(event.offset, 0);
    ck_assert_int_eq(read_words(r, "after", 0, 3), 0);
    r->destroy(r);
}
END_TEST

/* Real: librdkafka 2.0.2 waits for ever to end a consumer whose topic went away while it held unread messages of it. */
START_TEST(a_reader_whose_topic_went_away_still_ends)
{
    struct reader *r = open_group("orphan");
    struct reader_event event;
    for (int p = 0; p < PARTITIONS; p++)
        fill(p, "word", 0, 900);
    start_all(r, OFFSET_EARLIEST);
    wait_event(r, READER_MESSAGE, &event);
    kafka_broker_forget(&broker);
    for (int64_t end = now_ms() + 8000; now_ms() < end;) {
        int got = r->next(r, 100, &event);
        if (got == 1 && event.kind == READER_REVOKED)
            ck_assert_int_eq(r->release(r), 0);
    }
    int64_t before = now_ms();
    r->destroy(r);
    ck_assert_int_lt(now_ms() - before, 15000);
    kafka_broker_start(&broker);
}
END_TEST

TCase *outage_tests(enum broker_kind kind)
{
    TCase *t = tcase_create("kafka outage");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, log_rig_set_up, log_rig_tear_down);
    tcase_add_test(t, a_group_is_told_once_that_the_brokers_are_away);
    tcase_add_test(t, a_reader_that_never_found_a_broker_says_so_once);
    tcase_add_loop_test(t, a_broker_that_answers_late_is_used_all_the_same, 0,
                        sizeof round_trips / sizeof round_trips[0]);
    tcase_add_test(t, asking_for_partitions_where_no_broker_is_takes_little_of_the_time);
    tcase_add_test(t, after_the_data_was_thrown_away_reading_begins_anew);
    if (kind == BROKER_EMBEDDED)
        return t;
    tcase_add_test(t, nothing_is_lost_when_a_broker_is_killed_and_started_again);
    tcase_add_test(t, a_group_reads_on_after_a_broker_came_back);
    tcase_add_test(t, a_paused_broker_delays_and_loses_nothing);
    tcase_add_test(t, after_a_lost_tail_no_report_lies);
    tcase_add_test(t, a_reader_whose_topic_went_away_still_ends);
    tcase_add_test(t, another_cluster_at_the_same_address_is_noticed);
    return t;
}
