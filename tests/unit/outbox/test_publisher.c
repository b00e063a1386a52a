/* The publisher between a real outbox and a scripted broker (rules R2, R4-R6, R8-R10). Times in seconds of boot time.
 */
#include <errno.h>
#include <stdio.h>

#include "pluvio/model/record.h"
#include "publisher_rig.h"

START_TEST(records_are_sent_in_order_with_their_envelope)
{
    put(KEY_A, "one");
    put(KEY_A, "two");
    step(0);
    ck_assert_str_eq(sent(0), "one@1<0 two@2<1");
    ck_assert_str_eq(kafka.sent[0].key, KEY_A);
    ck_assert_str_eq(kafka.sent[0].envelope.outbox, outbox_id(outbox));
    ck_assert_uint_eq(kafka.sent[0].envelope.lane, lane_of(KEY_A));
}
END_TEST

/* R4 */
START_TEST(a_lane_goes_to_one_partition_whatever_their_number_is)
{
    for (int n = 1; n <= 3; n++) {
        put(KEY_A, "x");
        put(key_c(), "x");
        kafka.partitions = n;
        size_t before = kafka.sent_count;
        step(n);
        ck_assert_uint_eq(kafka.sent_count, before + 2);
        for (size_t i = before; i < kafka.sent_count; i++)
            ck_assert_int_eq(kafka.sent[i].partition, (int)kafka.sent[i].envelope.lane % n);
    }
}
END_TEST

START_TEST(nothing_is_sent_while_the_partitions_are_unknown)
{
    put(KEY_A, "one");
    kafka.partitions = 0;
    step(0);
    ck_assert_uint_eq(kafka.sent_count, 0);
    ck_assert(!published().connected);
    kafka.partitions = 4;
    step(1);
    ck_assert_str_eq(sent(0), "one@1<0");
    ck_assert(published().connected);
}
END_TEST

/* What stood in the acknowledgements' log is history until its end is read. */
START_TEST(only_the_newest_word_of_the_log_counts)
{
    for (int i = 0; i < 4; i++)
        put(KEY_A, "x");
    acked(1);
    acked(4);
    acked(2);
    step(0);
    ck_assert_uint_eq(outbox_mark(outbox, lane_of(KEY_A)), 2);
    ck_assert_str_eq(sent(0), "x@3<2 x@4<3");
}
END_TEST

START_TEST(nothing_is_sent_before_the_log_was_read_to_its_end)
{
    put(KEY_A, "one");
    acked(0);
    kafka.acks_end = 2; /* one more is there */
    step(0);
    step(5);
    ck_assert_uint_eq(kafka.sent_count, 0);
    acked(1);
    step(6);
    ck_assert_str_eq(sent(0), "hello@1");
}
END_TEST

START_TEST(an_end_that_cannot_be_read_is_waited_for_only_so_long)
{
    put(KEY_A, "one");
    kafka.acks_end = 2;
    step(1);
    step(10);
    ck_assert_uint_eq(kafka.sent_count, 0);
    step(12);
    ck_assert_str_eq(sent(0), "one@1<0");
}
END_TEST

START_TEST(an_acknowledgement_releases)
{
    put(KEY_A, "one");
    put(KEY_A, "two");
    step(0);
    acked(1);
    step(1);
    ck_assert_uint_eq(outbox_mark(outbox, lane_of(KEY_A)), 1);
    ck_assert_uint_eq(published().acks, 1);
    ck_assert_uint_eq(published().in_flight_bytes, 3);
    ck_assert_int_eq(published().last_ack_boot_ns, 1 * S);
}
END_TEST

START_TEST(what_was_heard_already_is_not_waited_for_when_partitions_are_added)
{
    put(KEY_A, "one");
    step(0);
    acked(1);
    step(1);
    put(KEY_A, "two");
    kafka.assigned = false; /* all are told again */
    size_t before = kafka.sent_count;
    step(2);
    ck_assert_str_eq(sent(before), "two@2<1");
}
END_TEST

/* R6 */
START_TEST(a_mark_that_falls_brings_released_records_back)
{
    for (int i = 0; i < 3; i++)
        put(KEY_A, "x");
    step(0);
    acked(3);
    step(1);
    size_t before = kafka.sent_count;
    acked(1);
    step(2);
    ck_assert_uint_eq(outbox_mark(outbox, lane_of(KEY_A)), 1);
    ck_assert_str_eq(sent(before), "x@2<1 x@3<2");
}
END_TEST

static const struct {
    const char *outbox; /* NULL: ours */
    bool has_lane;
    const char *tail, *value;
} noise[] = {
    {"00000000000000000000000000000000", true, "", "{\"mark\":2}"},
    {NULL, false, "/99", "{\"mark\":2}"},
    {NULL, false, "", "{\"mark\":2}"},
    {NULL, true, "", "{\"mark\":-2}"},
    {NULL, true, "", "{\"mark\":two}"},
    {NULL, true, "", ""},
    {"", false, "", ""},
};

START_TEST(words_that_are_not_for_us_or_no_words_change_nothing)
{
    char key[128];
    put(KEY_A, "one");
    put(KEY_A, "two");
    step(0);
    int n = snprintf(key, sizeof key, "%s", noise[_i].outbox ? noise[_i].outbox : outbox_id(outbox));
    if (noise[_i].has_lane)
        snprintf(key + n, sizeof key - (size_t)n, "/%u", lane_of(KEY_A));
    else
        snprintf(key + n, sizeof key - (size_t)n, "%s", noise[_i].tail);
    fake_ack_raw(key, noise[_i].value);
    step(1);
    ck_assert_uint_eq(outbox_mark(outbox, lane_of(KEY_A)), 0);
    ck_assert_uint_eq(published().acks, 0);
}
END_TEST

/* R8 */
START_TEST(an_idle_lane_says_hello_with_its_last_sequence)
{
    put(KEY_A, "one");
    step(0);
    acked(1);
    step(1);
    ck_assert_str_eq(sent(1), "hello@1");
    ck_assert_str_eq(kafka.sent[1].host, "host-1");
    ck_assert_str_eq(kafka.sent[1].value, "");
    ck_assert_int_eq(kafka.sent[1].partition, (int)lane_of(KEY_A) % kafka.partitions);
    step(60);
    ck_assert_uint_eq(kafka.sent_count, 2);
    step(61);
    ck_assert_uint_eq(kafka.sent_count, 3);
    ck_assert_uint_eq(published().hellos, 2);
}
END_TEST

/* R9 */
START_TEST(a_record_that_is_not_acknowledged_is_sent_again_with_those_behind_it)
{
    put(KEY_A, "one");
    put(KEY_A, "two");
    put(KEY_A, "three");
    step(0);
    for (size_t i = 0; i < 3; i++)
        fake_report(i, 0, (int64_t)i);
    acked(1);
    step(1);
    put(KEY_A, "four");
    size_t before = kafka.sent_count;
    step(7);
    ck_assert_str_eq(sent(before), "two@2<1 three@3<2 four@4<3");
    ck_assert_uint_eq(published().resends, 1);
}
END_TEST

/* R10 */
static const struct {
    const char *cluster, *topic;
    int64_t offset;
    bool again; /* after six seconds */
} heard[] = {
    {"here", "metrics", 10, false}, /* the record at 20 is still to be read */
    {"here", "metrics", 20, false},     {"here", "metrics", 21, true},
    {"elsewhere", "metrics", 10, true}, /* says nothing of our log */
    {"here", "others", 10, true},
};

START_TEST(what_the_ledger_has_not_read_yet_is_not_sent_again_soon)
{
    put(KEY_A, "one");
    step(0);
    fake_report(0, 0, 20);
    fake_ack_offset(heard[_i].cluster, heard[_i].topic, kafka.sent[0].partition, heard[_i].offset);
    step(1);
    step(6);
    ck_assert_uint_eq(kafka.sent_count, heard[_i].again ? 2 : 1);
    if (heard[_i].again)
        fake_report(1, 0, -1);
    step(7);
    step(601);
    ck_assert_uint_eq(kafka.sent_count, heard[_i].again ? 3 : 2);
}
END_TEST

START_TEST(what_the_client_still_holds_is_not_sent_again)
{
    put(KEY_A, "one");
    put(KEY_A, "two");
    for (int s = 0; s < 3000; s += 100) /* the brokers are away */
        step(s);
    ck_assert_uint_eq(kafka.sent_count, 2);
    fake_report(0, 0, 20);
    fake_report(1, 0, 21);
    step(3000);
    step(3004);
    ck_assert_uint_eq(kafka.sent_count, 2); /* the ledger has its time, from now on */
    step(3005);
    ck_assert_uint_eq(kafka.sent_count, 4);
}
END_TEST

START_TEST(a_client_that_has_forgotten_is_not_waited_for)
{
    put(KEY_A, "one");
    for (int s = 0; s < 3600; s += 100)
        step(s);
    ck_assert_uint_eq(kafka.sent_count, 1);
    step(3606);
    ck_assert_uint_eq(kafka.sent_count, 2);
}
END_TEST

START_TEST(a_failed_delivery_is_sent_again_at_once)
{
    put(KEY_A, "one");
    put(KEY_A, "two");
    step(0);
    fake_report(0, -EIO, -1);
    step(1);
    ck_assert_str_eq(sent(2), "one@1<0 two@2<1");
    ck_assert_uint_eq(published().failed, 1);
}
END_TEST

/* ---- handles ---- */

static const struct {
    bool *what;
    const char *why;
} deaths[] = {
    {&kafka.writer_dead, "the writer died"},
    {&kafka.reader_dead, "the reader died"},
    {&kafka.moved, "the broker moved"},
};

START_TEST(new_handles_mean_that_all_unreleased_is_sent_again)
{
    put(KEY_A, "one");
    put(KEY_A, "two");
    step(0);
    acked(1);
    step(1);
    size_t before = kafka.sent_count;
    *deaths[_i].what = true;
    step(2);
    step(3);
    ck_assert_int_eq(kafka.opened, 2);
    ck_assert_int_eq(kafka.destroyed, 1);
    ck_assert_msg(strcmp(sent(before), "two@2<1") == 0, "%s: %s", deaths[_i].why, sent(before));
    ck_assert_uint_eq(published().in_flight_bytes, 3);
}
END_TEST

START_TEST(another_cluster_under_the_same_address_gets_all_that_is_unreleased)
{
    put(KEY_A, "one");
    step(0);
    fake_report(0, 0, 1000);
    step(1);
    kafka.cluster = "another";
    kafka.acks_count = 0;
    step(2);
    step(3);
    ck_assert_str_eq(sent(0), "one@1<0 one@1<0");
    fake_report(1, 0, -1);
    step(4);
    fake_ack_offset("another", "metrics", kafka.sent[0].partition, 1);
    acked(0);
    step(9); /* and the old log's offset says nothing about patience */
    ck_assert_str_eq(sent(2), "one@1<0");
}
END_TEST

START_TEST(an_address_that_is_not_there_yet_is_tried_with_growing_pauses)
{
    static const int64_t tries[] = {0, 1, 3, 7, 15, 25, 35};
    put(KEY_A, "one");
    kafka.open_result = -ENOENT;
    for (size_t i = 0; i + 1 < sizeof tries / sizeof tries[0]; i++) {
        ck_assert_int_eq(step(tries[i]), tries[i + 1] * S);
        ck_assert_int_eq(kafka.opened, 0);
    }
    kafka.open_result = 0;
    step(34);
    ck_assert_int_eq(kafka.opened, 0);
    step(35);
    ck_assert_str_eq(sent(0), "one@1<0");
}
END_TEST

START_TEST(a_restart_begins_behind_the_stored_mark)
{
    put(KEY_A, "one");
    put(KEY_A, "two");
    step(0);
    acked(1);
    step(1);
    commit(); /* stores the mark */
    publisher_destroy(publisher);
    outbox_reopen();
    publisher_rig_create();
    size_t before = kafka.sent_count;
    kafka.acks_count = 0; /* the word is gone */
    step(2);
    ck_assert_str_eq(sent(before), "two@2<1");
}
END_TEST

static void add_sending_tests(TCase *t)
{
    tcase_add_test(t, records_are_sent_in_order_with_their_envelope);
    tcase_add_test(t, a_lane_goes_to_one_partition_whatever_their_number_is);
    tcase_add_test(t, nothing_is_sent_while_the_partitions_are_unknown);
    tcase_add_test(t, an_idle_lane_says_hello_with_its_last_sequence);
    tcase_add_test(t, a_record_that_is_not_acknowledged_is_sent_again_with_those_behind_it);
    tcase_add_loop_test(t, what_the_ledger_has_not_read_yet_is_not_sent_again_soon, 0, sizeof heard / sizeof heard[0]);
    tcase_add_test(t, what_the_client_still_holds_is_not_sent_again);
    tcase_add_test(t, a_client_that_has_forgotten_is_not_waited_for);
    tcase_add_test(t, a_failed_delivery_is_sent_again_at_once);
}

static void add_hearing_tests(TCase *t)
{
    tcase_add_test(t, only_the_newest_word_of_the_log_counts);
    tcase_add_test(t, nothing_is_sent_before_the_log_was_read_to_its_end);
    tcase_add_test(t, an_end_that_cannot_be_read_is_waited_for_only_so_long);
    tcase_add_test(t, an_acknowledgement_releases);
    tcase_add_test(t, what_was_heard_already_is_not_waited_for_when_partitions_are_added);
    tcase_add_test(t, a_mark_that_falls_brings_released_records_back);
    tcase_add_loop_test(t, words_that_are_not_for_us_or_no_words_change_nothing, 0, sizeof noise / sizeof noise[0]);
}

int main(void)
{
    Suite *s = suite_create("publisher");
    TCase *t = tcase_create("publisher");
    tcase_add_checked_fixture(t, publisher_rig_set_up, publisher_rig_tear_down);
    add_sending_tests(t);
    add_hearing_tests(t);
    tcase_add_loop_test(t, new_handles_mean_that_all_unreleased_is_sent_again, 0, sizeof deaths / sizeof deaths[0]);
    tcase_add_test(t, another_cluster_under_the_same_address_gets_all_that_is_unreleased);
    tcase_add_test(t, an_address_that_is_not_there_yet_is_tried_with_growing_pauses);
    tcase_add_test(t, a_restart_begins_behind_the_stored_mark);
    suite_add_tcase(s, t);
    return test_run(s);
}
