/* What include/pluvio/kafka/kafka_log.h promises, on a running broker. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "log_rig.h"
#include "pluvio/base/random.h"
#include "pluvio/wire/envelope.h"
#include "test_kafka_log.h"

START_TEST(a_report_says_where_a_message_lies)
{
    struct writer *w = open_writer();
    struct delivery d = {0};
    fill(2, "before", 0, 5);
    produce(w, 2, "word", 7, 8);
    int64_t end = now_ms() + PATIENCE_MS;
    while (w->poll(w, 50, &d) == 0)
        ck_assert_int_lt(now_ms(), end);
    ck_assert_uint_eq(d.tag, 7);
    ck_assert_int_eq(d.result, 0);
    ck_assert_int_eq(d.partition, 2);
    ck_assert_int_eq(d.offset, 5);
    w->destroy(w);
}
END_TEST

static const struct {
    struct text key, value, record, hello, wire;
} messages[] = {
    {TEXT_INIT("vm"), TEXT_INIT("bytes"), TEXT_INIT("a/1/2/0"), {NULL, 0}, TEXT_INIT("1")},
    {TEXT_INIT("outbox"), TEXT_INIT(""), {NULL, 0}, TEXT_INIT("a/1/2/host"), TEXT_INIT("1")},
    {TEXT_INIT("foreign"), TEXT_INIT("bytes"), {NULL, 0}, {NULL, 0}, {NULL, 0}},
    {TEXT_INIT("grave"), {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}},
    {TEXT_INIT(""), TEXT_INIT("\0\xff\n"), TEXT_INIT("a/1/3/2"), {NULL, 0}, TEXT_INIT("1")},
};

START_TEST(a_message_arrives_with_key_value_and_headers)
{
    struct writer *w = open_writer();
    struct reader *r = open_all(broker.topic);
    struct reader_event event;
    struct outgoing out = {.topic = broker.topic,
                           .partition = 1,
                           .key = messages[_i].key,
                           .value = messages[_i].value,
                           .record = messages[_i].record,
                           .hello = messages[_i].hello};
    int64_t end = now_ms() + PATIENCE_MS;
    while (w->produce(w, &out) == -EAGAIN)
        ck_assert_int_lt(now_ms(), end);
    wait_delivered(w, 1);
    wait_event(r, READER_ASSIGNED, &event);
    wait_event(r, READER_MESSAGE, &event);
    ck_assert_int_eq(event.message.partition, 1);
    ck_assert_int_eq(event.message.offset, 0);
    ck_assert_int_gt(event.message.timestamp_ms, 1700000000000LL);
    ck_assert(text_equal(event.message.key, messages[_i].key));
    ck_assert(text_equal(event.message.value, messages[_i].value));
    ck_assert(text_equal(event.message.record, messages[_i].record));
    ck_assert(text_equal(event.message.hello, messages[_i].hello));
    ck_assert(text_equal(event.message.wire, messages[_i].wire));
    r->destroy(r);
    w->destroy(w);
}
END_TEST

START_TEST(a_group_begins_exactly_where_it_is_told)
{
    fill(0, "word", 0, 10);
    struct reader *r = open_group("exact");
    struct reader_event event;
    struct error e;
    wait_event(r, READER_ASSIGNED, &event);
    ck_assert_uint_eq(event.partition_count, PARTITIONS);
    struct position p[] = {{0, 4}, {1, OFFSET_EARLIEST}, {2, OFFSET_EARLIEST}};
    ck_assert_int_eq(r->start(r, p, 3, &e), 0);
    wait_event(r, READER_MESSAGE, &event);
    ck_assert_int_eq(event.message.offset, 4);
    ck_assert(text_equal(event.message.value, TEXT("word-4")));
    r->destroy(r);
}
END_TEST

START_TEST(nothing_is_read_before_start_is_called)
{
    fill(0, "word", 0, 10);
    struct reader *r = open_group("patient");
    struct reader_event event;
    wait_event(r, READER_ASSIGNED, &event);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(r->next(r, 50, &event), 0);
    r->destroy(r);
}
END_TEST

START_TEST(start_again_seeks_and_forgets_what_was_buffered)
{
    fill(0, "word", 0, 50);
    struct reader *r = open_group("seeker");
    struct reader_event event;
    struct error e;
    start_all(r, OFFSET_EARLIEST);
    for (int i = 0; i < 3; i++)
        wait_event(r, READER_MESSAGE, &event);
    ck_assert_int_eq(event.message.offset, 2);
    struct position p[] = {{0, 1}, {1, OFFSET_EARLIEST}, {2, OFFSET_EARLIEST}};
    ck_assert_int_eq(r->start(r, p, 3, &e), 0);
    for (int i = 1; i < 50; i++) {
        wait_event(r, READER_MESSAGE, &event);
        ck_assert_int_eq(event.message.offset, i);
    }
    r->destroy(r);
}
END_TEST

START_TEST(a_position_outside_the_log_goes_to_the_earliest_and_says_so)
{
    fill(0, "word", 0, 5);
    struct reader *r = open_group("lost");
    struct reader_event event;
    struct error e;
    wait_event(r, READER_ASSIGNED, &event);
    struct position p[] = {{0, 1000}, {1, OFFSET_EARLIEST}, {2, OFFSET_EARLIEST}};
    ck_assert_int_eq(r->start(r, p, 3, &e), 0);
    wait_event(r, READER_RESET, &event);
    ck_assert_int_eq(event.partition, 0);
    ck_assert_int_eq(event.offset, 0);
    wait_event(r, READER_MESSAGE, &event);
    ck_assert_int_eq(event.message.offset, 0);
    ck_assert_int_eq(read_words(r, "word", 1, 5), 0);
    r->destroy(r);
}
END_TEST

START_TEST(a_position_at_the_end_of_the_log_is_no_reset)
{
    fill(0, "word", 0, 5);
    struct reader *r = open_group("end");
    struct reader_event event;
    struct error e;
    wait_event(r, READER_ASSIGNED, &event);
    struct position p[] = {{0, 5}, {1, 0}, {2, 0}};
    ck_assert_int_eq(r->start(r, p, 3, &e), 0);
    fill(0, "more", 0, 1);
    wait_event(r, READER_MESSAGE, &event);
    ck_assert_int_eq(event.message.offset, 5);
    r->destroy(r);
}
END_TEST

START_TEST(every_partition_is_read_without_a_group)
{
    struct reader *r = open_all(broker.topic);
    struct reader_event event;
    wait_event(r, READER_ASSIGNED, &event);
    ck_assert_uint_eq(event.partition_count, PARTITIONS);
    for (int p = 0; p < PARTITIONS; p++)
        fill(p, "word", 10 * p, 10 * p + 10);
    ck_assert_int_eq(read_words(r, "word", 0, 10 * PARTITIONS), 0);
    r->destroy(r);
}
END_TEST

/* Real. The count is asked for once a minute. */
START_TEST(partitions_that_are_added_are_read_from_their_beginning_and_the_others_go_on)
{
    struct reader *r = open_all(broker.topic);
    struct reader_event event = {0};
    fill(0, "old", 0, 10);
    ck_assert_int_eq(read_words(r, "old", 0, 10), 0);
    kafka_broker_add_partitions(&broker, broker.topic, PARTITIONS + 2);
    fill(PARTITIONS + 1, "added", 0, 10);
    for (int64_t end = now_ms() + 90000; event.kind != READER_ASSIGNED;) {
        ck_assert_int_lt(now_ms(), end);
        ck_assert_int_ge(r->next(r, 50, &event), 0);
    }
    ck_assert_uint_eq(event.partition_count, PARTITIONS + 2);
    ck_assert_int_eq(read_words(r, "added", 0, 10), 0); /* and nothing twice */
    fill(0, "new", 0, 10);
    ck_assert_int_eq(read_words(r, "new", 0, 10), 0);
    r->destroy(r);
}
END_TEST

/* What the members hold: bit per partition; grows and shrinks with the events. */
static unsigned serve(struct reader *r, unsigned held)
{
    struct reader_event event;
    struct position positions[PARTITIONS];
    struct error e;
    int got = r->next(r, 20, &event);
    ck_assert_int_ge(got, 0);
    if (got && event.kind == READER_REVOKED) {
        ck_assert_int_eq(r->release(r), 0);
        return 0;
    }
    if (!got || event.kind != READER_ASSIGNED)
        return held;
    held = 0;
    for (size_t i = 0; i < event.partition_count; i++) {
        positions[i] = (struct position){event.partitions[i], OFFSET_EARLIEST};
        held |= 1u << event.partitions[i];
    }
    ck_assert_int_eq(r->start(r, positions, event.partition_count, &e), 0);
    return held;
}

START_TEST(two_members_of_a_group_share_the_partitions)
{
    const unsigned all = (1u << PARTITIONS) - 1;
    struct reader *first = open_group("shared"), *second = NULL;
    unsigned a = 0, b = 0;
    int64_t end = now_ms() + PATIENCE_MS;
    while (!b || !a || (a | b) != all || (a & b)) {
        ck_assert_msg(now_ms() < end, "held: %x and %x", a, b);
        a = serve(first, a);
        if (!second && a == all)
            second = open_group("shared");
        b = second ? serve(second, b) : 0;
    }
    second->destroy(second); /* as if killed: it does not say good-bye */
    for (end = now_ms() + PATIENCE_MS; a != all; a = serve(first, a))
        ck_assert_int_lt(now_ms(), end);
    first->destroy(first);
}
END_TEST

START_TEST(reader_and_writer_name_the_same_cluster)
{
    struct writer *w = open_writer();
    struct reader *r = open_all(broker.topic);
    int64_t end = now_ms() + PATIENCE_MS;
    while (!w->cluster_id(w) || !r->cluster_id(r))
        ck_assert_int_lt(now_ms(), end);
    ck_assert_str_eq(w->cluster_id(w), r->cluster_id(r));
    r->destroy(r);
    w->destroy(w);
}
END_TEST

START_TEST(partitions_are_counted_and_watermarks_are_the_logs)
{
    struct writer *w = open_writer();
    struct reader *r = open_all(broker.topic);
    int64_t low = -1, high = -1, end = now_ms() + PATIENCE_MS;
    while (w->partitions(w, broker.topic) == 0)
        ck_assert_int_lt(now_ms(), end);
    ck_assert_int_eq(w->partitions(w, broker.topic), PARTITIONS);
    fill(1, "word", 0, 4);
    ck_assert_int_eq(r->watermarks(r, 1, PATIENCE_MS, &low, &high), 0);
    ck_assert_int_eq(low, 0);
    ck_assert_int_eq(high, 4);
    r->destroy(r);
    w->destroy(w);
}
END_TEST

START_TEST(a_message_that_is_too_large_is_refused_for_good)
{
    struct writer *w = open_writer();
    static char large[2000000];
    struct outgoing m = {.topic = broker.topic, .partition = 0, .key = TEXT("k"), .value = {large, sizeof large}};
    ck_assert_int_eq(w->produce(w, &m), -EMSGSIZE);
    w->destroy(w);
}
END_TEST

/* Real: the client would send it, the topic does not take it. */
START_TEST(what_the_topic_does_not_take_is_reported_with_the_reason)
{
    const struct kafka_property large = {"message.max.bytes", "3000000"};
    struct kafka_settings s = {
        .bootstrap = broker.bootstrap, .client_id = "test", .properties = &large, .property_count = 1};
    static char value[2000000];
    struct random_seeded random;
    struct writer *w;
    struct error e;
    struct delivery d = {0};
    ck_assert_int_eq(writer_open(&w, &s, &e), 0);
    random_seed(&random, 1);
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (char)random_below(&random.port, 256); /* does not get smaller on the way */
    struct outgoing m = {.topic = broker.topic, .partition = 0, .key = TEXT("k"), .value = {value, sizeof value}};
    ck_assert_int_eq(w->produce(w, &m), 0);
    for (int64_t end = now_ms() + PATIENCE_MS; w->poll(w, 100, &d) != 1;)
        ck_assert_int_lt(now_ms(), end);
    ck_assert_int_eq(d.result, -EMSGSIZE);
    w->destroy(w);
}
END_TEST

START_TEST(without_a_broker_the_queue_fills_and_says_so)
{
    struct kafka_property small = {"queue.buffering.max.messages", "10"};
    struct kafka_settings s = {.bootstrap = broker.bootstrap, .properties = &small, .property_count = 1};
    struct writer *w;
    struct error e;
    struct outgoing m = {.topic = broker.topic, .partition = -1, .key = TEXT("k"), .value = TEXT("v")};
    kafka_broker_kill(&broker);
    ck_assert_int_eq(writer_open(&w, &s, &e), 0);
    int queued = 0;
    while (queued < 100 && w->produce(w, &m) == 0)
        queued++;
    ck_assert_int_eq(queued, 10);
    ck_assert_int_eq(w->produce(w, &m), -EAGAIN);
    ck_assert_int_eq(w->flush(w, 100), -ETIMEDOUT);
    w->destroy(w);
    kafka_broker_start(&broker);
}
END_TEST

/* The embedded broker cannot make topics: it has those it was started with. */
START_TEST(a_missing_topic_is_made_and_an_existing_one_kept)
{
    struct kafka_settings s = kafka_broker_settings(&broker);
    struct writer *w = open_writer();
    struct error e;
    char name[96];
    snprintf(name, sizeof name, "%s-new", broker.topic);
    ck_assert_int_eq(w->partitions(w, name), 0);
    ck_assert_msg(topic_ensure(&s, name, 5, false, PATIENCE_MS, &e) == 0, "%s", e.text);
    ck_assert_msg(topic_ensure(&s, name, 7, false, PATIENCE_MS, &e) == 0, "%s", e.text);
    int64_t end = now_ms() + PATIENCE_MS;
    while (w->partitions(w, name) == 0) /* asked at most once a second */
        ck_assert_int_lt(now_ms(), end);
    ck_assert_int_eq(w->partitions(w, name), 5);
    w->destroy(w);
}
END_TEST

/* A compacted topic takes no message without a key. */
START_TEST(the_acknowledgements_topic_is_compacted)
{
    struct writer *w = open_writer();
    struct delivery d;
    struct outgoing m = {.topic = broker.acks, .partition = 0, .value = TEXT("v")};
    int64_t end = now_ms() + PATIENCE_MS;
    while (w->produce(w, &m) == -EAGAIN)
        ck_assert_int_lt(now_ms(), end);
    while (w->poll(w, 50, &d) == 0)
        ck_assert_int_lt(now_ms(), end);
    ck_assert_int_lt(d.result, 0);
    w->destroy(w);
}
END_TEST

TCase *log_tests(enum broker_kind kind)
{
    TCase *t = tcase_create("kafka log");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, log_rig_set_up, log_rig_tear_down);
    tcase_add_test(t, a_report_says_where_a_message_lies);
    tcase_add_loop_test(t, a_message_arrives_with_key_value_and_headers, 0, sizeof messages / sizeof messages[0]);
    tcase_add_test(t, a_group_begins_exactly_where_it_is_told);
    tcase_add_test(t, nothing_is_read_before_start_is_called);
    tcase_add_test(t, start_again_seeks_and_forgets_what_was_buffered);
    tcase_add_test(t, a_position_outside_the_log_goes_to_the_earliest_and_says_so);
    tcase_add_test(t, a_position_at_the_end_of_the_log_is_no_reset);
    tcase_add_test(t, every_partition_is_read_without_a_group);
    tcase_add_test(t, two_members_of_a_group_share_the_partitions);
    tcase_add_test(t, reader_and_writer_name_the_same_cluster);
    tcase_add_test(t, partitions_are_counted_and_watermarks_are_the_logs);
    tcase_add_test(t, a_message_that_is_too_large_is_refused_for_good);
    tcase_add_test(t, without_a_broker_the_queue_fills_and_says_so);
    if (kind == BROKER_REAL) {
        tcase_add_test(t, a_missing_topic_is_made_and_an_existing_one_kept);
        tcase_add_test(t, partitions_that_are_added_are_read_from_their_beginning_and_the_others_go_on);
        tcase_add_test(t, the_acknowledgements_topic_is_compacted);
        tcase_add_test(t, what_the_topic_does_not_take_is_reported_with_the_reason);
    }
    return t;
}
