/* How much the publisher sends, and how fast: what is in flight, the rate, a full queue, records that are too large. */
#include <errno.h>
#include <stdio.h>

#include "pluvio/model/record.h"
#include "publisher_rig.h"

/* An embedded broker forgets what is too much for it. */
START_TEST(what_is_in_flight_is_bounded_by_partition)
{
    settings.in_flight_bytes = 10;
    publisher_destroy(publisher);
    publisher_rig_create();
    for (int i = 0; i < 6; i++)
        put(i % 2 ? key_b() : KEY_A, "four");
    put(key_c(), "four");
    kafka.partitions = 16;
    step(0);
    ck_assert_uint_eq(kafka.sent_count, 4); /* three of twelve bytes, and the other lane's */
    for (size_t i = 0; i < 3; i++)
        fake_report(i, 0, (int64_t)i); /* that a broker has them does not count */
    step(1);
    ck_assert_uint_eq(kafka.sent_count, 4);
    acked(2);
    step(2);
    ck_assert_uint_eq(kafka.sent_count, 6);
}
END_TEST

START_TEST(the_drain_rate_is_bounded)
{
    settings.bytes_per_second = 40;
    publisher_destroy(publisher);
    publisher_rig_create();
    for (int i = 0; i < 40; i++)
        put(KEY_A, "four");
    step(100);
    ck_assert_uint_eq(kafka.sent_count, 10);
    step(101);
    ck_assert_uint_eq(kafka.sent_count, 20);
    step(104); /* no more than a second's worth at once */
    ck_assert_uint_eq(kafka.sent_count, 30);
}
END_TEST

START_TEST(lanes_take_turns_where_the_rate_is_too_low_for_all)
{
    unsigned counts[RECORD_LANES] = {0};
    settings.bytes_per_second = 40;
    publisher_destroy(publisher);
    publisher_rig_create();
    for (int i = 0; i < 100; i++) {
        put(KEY_A, "four");
        put(key_c(), "four");
    }
    for (int s = 100; s < 106; s++)
        step(s);
    for (size_t i = 0; i < kafka.sent_count; i++)
        counts[kafka.sent[i].envelope.lane]++;
    ck_assert_uint_eq(counts[lane_of(KEY_A)], 30);
    ck_assert_uint_eq(counts[lane_of(key_c())], 30);
}
END_TEST

START_TEST(a_full_queue_is_tried_again)
{
    put(KEY_A, "one");
    kafka.queue_full = true;
    step(0);
    ck_assert_uint_eq(published().produced, 0);
    kafka.queue_full = false;
    step(1);
    ck_assert_str_eq(sent(0), "one@1<0");
}
END_TEST

START_TEST(a_record_too_large_for_any_broker_does_not_stop_the_lane)
{
    kafka.too_large = 10;
    put(KEY_A, "one");
    put(KEY_A, "much too large");
    put(KEY_A, "three");
    step(0);
    ck_assert_str_eq(sent(0), "one@1<0 three@3<1");
    ck_assert_uint_eq(figures().dropped_sent, 1);
}
END_TEST

START_TEST(a_lane_whose_newest_record_was_too_large_drains_and_says_hello)
{
    kafka.too_large = 10;
    put(KEY_A, "one");
    put(KEY_A, "much too large");
    step(0);
    acked(1);
    step(1);
    ck_assert_uint_eq(figures().unreleased, 0);
    ck_assert_str_eq(sent(0), "one@1<0 hello@2");
    outbox_reopen();
    ck_assert_uint_eq(outbox_last(outbox, lane_of(KEY_A)), 2); /* never to be used again */
    ck_assert_uint_eq(outbox_held(outbox, lane_of(KEY_A)), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("publisher pace");
    TCase *t = tcase_create("publisher pace");
    tcase_add_checked_fixture(t, publisher_rig_set_up, publisher_rig_tear_down);
    tcase_add_test(t, what_is_in_flight_is_bounded_by_partition);
    tcase_add_test(t, the_drain_rate_is_bounded);
    tcase_add_test(t, lanes_take_turns_where_the_rate_is_too_low_for_all);
    tcase_add_test(t, a_full_queue_is_tried_again);
    tcase_add_test(t, a_record_too_large_for_any_broker_does_not_stop_the_lane);
    tcase_add_test(t, a_lane_whose_newest_record_was_too_large_drains_and_says_hello);
    suite_add_tcase(s, t);
    return test_run(s);
}
