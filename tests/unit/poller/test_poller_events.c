/* What the poller makes of events: which are told and stored as what, and which ask for a reading. */
#include "poller_rig.h"
#include "support/run.h"

START_TEST(an_event_is_a_record_of_its_own_and_may_ask_for_a_look)
{
    rig_advance(&rig, 0);
    rig.clock.wall_ns += 5 * NS_PER_S;
    rig.clock.boot_ns += 5 * NS_PER_S;
    rig_event(&rig, LIFECYCLE_PAUSED);
    rig_advance(&rig, 0);
    struct said s = said();
    ck_assert_uint_eq(s.events, 1);
    ck_assert_str_eq(s.event, "paused");
    ck_assert_uint_eq(rig.inspector.begun, 1);
    rig_event(&rig, LIFECYCLE_DEVICE_ADDED);
    rig_advance(&rig, 1);
    ck_assert_uint_eq(rig.inspector.begun, 2);
}
END_TEST

static int64_t stored(enum outbox_kind kind)
{
    struct db_row *q = db_query(outbox_db(rig.outbox), "SELECT count(*) FROM record WHERE kind=?1");
    db_bind_i64(q, 1, kind);
    ck_assert(db_step(q));
    int64_t count = db_i64(q, 0);
    db_reset(q);
    return count;
}

START_TEST(only_an_event_that_ends_streams_is_kept_as_their_last_word)
{
    rig_advance(&rig, 0);
    rig_advance(&rig, 5);
    int64_t before = stored(OUTBOX_EDGE);
    rig_event(&rig, LIFECYCLE_REBOOTED);
    rig_advance(&rig, 1);
    ck_assert_int_eq(stored(OUTBOX_EDGE), before);
    ck_assert_int_eq(stored(OUTBOX_EVENT), 1);
    rig_event(&rig, LIFECYCLE_PAUSED);
    rig_advance(&rig, 1);
    ck_assert_int_eq(stored(OUTBOX_EDGE), before + 1);
    ck_assert_int_eq(stored(OUTBOX_EVENT), 1);
}
END_TEST

START_TEST(a_guest_that_reboots_without_end_is_told_of_once_an_interval)
{
    rig_advance(&rig, 0);
    for (int i = 0; i < 150; i++) {
        rig_event(&rig, i % 2 ? LIFECYCLE_REBOOTED : LIFECYCLE_METADATA);
        rig_advance(&rig, 1);
    }
    ck_assert_int_eq(stored(OUTBOX_EVENT), 6); /* 3 of each */
}
END_TEST

START_TEST(what_ends_streams_is_told_however_often_it_comes)
{
    rig_advance(&rig, 0);
    for (int i = 0; i < 10; i++) {
        rig_advance(&rig, 1);
        rig_event(&rig, i % 2 ? LIFECYCLE_RESUMED : LIFECYCLE_PAUSED);
    }
    rig_advance(&rig, 1);
    ck_assert_uint_eq(said().events, 10);
}
END_TEST

START_TEST(sizes_that_change_without_end_are_looked_at_each_5_s)
{
    rig_advance(&rig, 0);
    rig_advance(&rig, 60);
    for (int i = 0; i < 20; i++) {
        unsigned before = rig.inspector.begun;
        rig_event(&rig, LIFECYCLE_RESIZED);
        rig_advance(&rig, 1);
        ck_assert_uint_eq(rig.inspector.begun - before, i % 5 == 0);
    }
    rig_event(&rig, LIFECYCLE_DEVICE_ADDED); /* others need not wait for that */
    unsigned before = rig.inspector.begun;
    rig_advance(&rig, 1);
    ck_assert_uint_eq(rig.inspector.begun - before, 1);
}
END_TEST

START_TEST(what_was_read_between_pause_and_end_is_the_last_word_of_a_process)
{
    rig_advance(&rig, 0);
    rig_advance(&rig, 1);
    rig.inspector.written += 700;
    rig_event(&rig, LIFECYCLE_PAUSED);
    rig_advance(&rig, 1);
    rig_paused(&rig);
    rig_advance(&rig, 1);
    ck_assert_int_eq(said().written, 0);
    rig.inspector.has_vm = false;
    rig_event(&rig, LIFECYCLE_STOPPED);
    rig_advance(&rig, 1);
    struct said s = said();
    ck_assert_str_eq(s.event, "stopped");
    ck_assert_int_eq(s.written, 700);
}
END_TEST

START_TEST(what_was_read_in_a_pause_that_ends_is_billed_once)
{
    rig_advance(&rig, 0);
    rig_advance(&rig, 1);
    rig.inspector.written += 700;
    rig_event(&rig, LIFECYCLE_PAUSED);
    rig_paused(&rig);
    rig_advance(&rig, 1);
    rig_event(&rig, LIFECYCLE_RESUMED);
    rig_advance(&rig, 60);
    ck_assert_int_eq(said().most_written, 700);
}
END_TEST

/* Of disks, which are not due in it: it was read at 0 s. */
static void begin_a_reading_without_disks(void)
{
    static int64_t every[METERS];
    for (size_t m = METER_DISK_READ_BYTES; m <= METER_DISK_USAGE; m++)
        every[m] = 600 * NS_PER_S;
    rig.settings.every_ns = every;
    poller_configure(rig.poller, &rig.settings);
    rig_advance(&rig, 0);
    rig.inspector.silent = true;
    while (rig.inspector.begun < 2)
        rig_advance(&rig, 1);
    ck_assert(!(rig.inspector.groups & GROUP_BLOCK));
}

START_TEST(the_last_word_of_a_process_is_told_with_all_meters_whatever_is_being_read)
{
    begin_a_reading_without_disks();
    rig.inspector.written += 700;
    rig_event(&rig, LIFECYCLE_PAUSED);
    rig_paused(&rig);
    rig.clock.boot_ns += NS_PER_S;
    rig.clock.wall_ns += NS_PER_S;
    rig_event(&rig, LIFECYCLE_STOPPED);
    rig_advance(&rig, 0);
    ck_assert_int_eq(said().written, 700);
}
END_TEST

START_TEST(what_a_reading_under_way_may_undo_is_read_again_at_once)
{
    begin_a_reading_without_disks();
    rig_event(&rig, LIFECYCLE_PAUSED);
    rig_advance(&rig, 0);
    rig.inspector.silent = false;
    rig_advance(&rig, 1);
    ck_assert_uint_eq(rig.inspector.begun, 3);
}
END_TEST

START_TEST(what_is_told_before_the_first_list_of_another_boot_is_not_of_a_process_that_was_known)
{
    rig_advance(&rig, 0);
    rig.inspector.cpu_ns = 500;
    rig_advance(&rig, 60);
    size_t before = rig_records(&rig, NULL, NULL);
    rig.inspector.boot_id = "b0000000-0000-4000-8000-000000000002";
    rig_restart(&rig);
    rig.inspector.silent = true;
    rig.inspector.cpu_ns = 400;
    rig_paused(&rig);
    rig_event(&rig, LIFECYCLE_RESUMED);
    rig_advance(&rig, 1);
    ck_assert_uint_eq(rig_records(&rig, NULL, NULL), before);
    rig.inspector.silent = false;
    rig_advance(&rig, 1);
    ck_assert_int_eq(said().cpu, 400);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("poller events");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, rig_set_up, rig_tear_down);
    tcase_add_test(t, an_event_is_a_record_of_its_own_and_may_ask_for_a_look);
    tcase_add_test(t, only_an_event_that_ends_streams_is_kept_as_their_last_word);
    tcase_add_test(t, a_guest_that_reboots_without_end_is_told_of_once_an_interval);
    tcase_add_test(t, what_ends_streams_is_told_however_often_it_comes);
    tcase_add_test(t, sizes_that_change_without_end_are_looked_at_each_5_s);
    tcase_add_test(t, what_was_read_between_pause_and_end_is_the_last_word_of_a_process);
    tcase_add_test(t, what_was_read_in_a_pause_that_ends_is_billed_once);
    tcase_add_test(t, the_last_word_of_a_process_is_told_with_all_meters_whatever_is_being_read);
    tcase_add_test(t, what_a_reading_under_way_may_undo_is_read_again_at_once);
    tcase_add_test(t, what_is_told_before_the_first_list_of_another_boot_is_not_of_a_process_that_was_known);
    suite_add_tcase(s, t);
    return test_run(s);
}
