/* The poller's step: what it asks for and when, what it stores, and what it does when libvirt or the disk refuses. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "poller_rig.h"
#include "support/fault_vfs/fault_vfs.h"
#include "support/run.h"

START_TEST(the_first_look_is_at_once_and_its_counters_are_the_bases)
{
    rig.inspector.written = 5000;
    rig_advance(&rig, 0);
    struct said s = said();
    ck_assert_uint_eq(s.readings, 1);
    ck_assert_uint_eq(s.hosts, 1);
    ck_assert_int_eq(s.written, 0);
    ck_assert_str_eq(s.project, "meadow");
    rig.inspector.written = 5700;
    rig_advance(&rig, 60);
    ck_assert_int_eq(said().written, 700);
}
END_TEST

START_TEST(a_cycle_comes_once_an_interval)
{
    for (int i = 0; i < 120; i++) /* where in the interval the host's moment is, the first list tells */
        rig_advance(&rig, 1);
    unsigned before = rig.inspector.begun;
    for (int i = 0; i < 600; i++)
        rig_advance(&rig, 1);
    ck_assert_uint_eq(rig.inspector.begun - before, 10);
}
END_TEST

START_TEST(a_step_that_takes_long_brings_no_cycle_too_many)
{
    for (int i = 0; i < 120; i++)
        rig_advance(&rig, 1);
    unsigned before = rig.inspector.begun;
    int64_t end_ns = rig.clock.boot_ns + 10 * 60 * NS_PER_S;
    while (rig.clock.boot_ns < end_ns) {
        rig.clock.boot_ns += 50 * NS_PER_MS;
        rig.clock.wall_ns += 50 * NS_PER_MS;
        rig.clock.busy_ns = rig.clock.boot_ns / (60 * NS_PER_S) % 2 ? 400 * NS_PER_MS : 0;
        rig_advance(&rig, 0);
    }
    ck_assert_uint_eq(rig.inspector.begun - before, 10);
}
END_TEST

START_TEST(what_is_told_after_a_restart_goes_on_where_it_was)
{
    rig_advance(&rig, 0);
    rig.inspector.written = 700;
    rig_advance(&rig, 60);
    rig_restart(&rig);
    rig.inspector.written = 1000;
    rig_advance(&rig, 0);
    ck_assert_int_eq(said().written, 1000);
}
END_TEST

START_TEST(while_libvirt_is_away_it_is_asked_again_and_nothing_ends)
{
    rig_advance(&rig, 0);
    size_t before = rig_records(&rig, NULL, NULL);
    rig.inspector.fails = true;
    for (int i = 0; i < 120; i++)
        rig_advance(&rig, 1);
    ck_assert_uint_eq(rig_records(&rig, NULL, NULL), before);
    rig.inspector.fails = false;
    rig.inspector.written = 300;
    rig_advance(&rig, 2);
    ck_assert_int_eq(said().written, 300);
}
END_TEST

START_TEST(nothing_is_asked_while_an_answer_is_awaited)
{
    rig.inspector.silent = true;
    rig_advance(&rig, 0);
    rig_advance(&rig, 300);
    ck_assert_uint_eq(rig.inspector.begun, 1);
    ck_assert_int_eq(rig.inspector.deadline_ns, 1000 * NS_PER_S + 300 * NS_PER_MS);
}
END_TEST

START_TEST(a_disk_that_refuses_keeps_records_waiting_until_it_heals)
{
    rig_advance(&rig, 0);
    size_t before = rig_records(&rig, NULL, NULL);
    fault_vfs_fail_all(FAULT_WRITE, SQLITE_FULL);
    for (int i = 0; i < 3; i++) {
        rig.inspector.written += 100;
        rig_advance(&rig, 60);
    }
    struct outbox_figures figures;
    outbox_figures(rig.outbox, &figures);
    ck_assert_uint_eq(figures.waiting, 6);
    ck_assert_uint_eq(rig_records(&rig, NULL, NULL), before);
    fault_vfs_heal();
    rig_advance(&rig, 2);
    ck_assert_uint_eq(rig_records(&rig, NULL, NULL), before + 6);
    ck_assert_int_eq(said().written, 300);
}
END_TEST

START_TEST(a_vm_that_ends_while_memory_is_full_is_billed_to_its_last_reading)
{
    struct outbox_figures figures;
    rig.inspector.others = 3000;
    rig_advance(&rig, 0);
    fault_vfs_fail_all(FAULT_WRITE, SQLITE_FULL);
    for (int i = 1; i <= 5; i++) {
        rig.inspector.written += 1000;
        rig_advance(&rig, 60);
    }
    outbox_figures(rig.outbox, &figures);
    ck_assert_uint_gt(figures.dropped_waiting, 0);
    rig_advance(&rig, 1);
    rig_event(&rig, LIFECYCLE_STOPPED);
    rig.inspector.has_vm = false;
    rig_advance(&rig, 1);
    fault_vfs_heal();
    rig_advance(&rig, 60);
    ck_assert_int_eq(said().most_written, 5000);
}
END_TEST

START_TEST(damage_of_the_outbox_ends_the_poller_with_its_name)
{
    struct error error = {0};
    rig_advance(&rig, 0);
    fault_vfs_fail_all(FAULT_WRITE, SQLITE_CORRUPT);
    rig.clock.boot_ns += 60 * NS_PER_S;
    ck_assert_int_eq(rig_step(&rig, &error), -EUCLEAN);
    ck_assert_ptr_nonnull(strstr(error.text, rig.path));
}
END_TEST

START_TEST(a_reading_of_more_than_fits_in_memory_is_stored_in_parts)
{
    struct outbox_figures figures;
    rig.inspector.others = 3000;
    rig_advance(&rig, 0);
    outbox_figures(rig.outbox, &figures);
    ck_assert_uint_eq(figures.dropped_waiting, 0);
    ck_assert_uint_eq(rig_records(&rig, NULL, NULL), 1 + 3000 + 1); /* the host's too */
    ck_assert_uint_gt(figures.bytes, 1 << 20);                      /* the rig's bound */
}
END_TEST

START_TEST(a_first_list_that_was_stored_in_part_is_not_the_first_after_a_crash)
{
    rig.inspector.others = 3000;
    rig.inspector.process_start = 0; /* unknown: the first list alone tells who was there before */
    rig.inspector.written = 5000;
    fault_vfs_fail(FAULT_SYNC, 3, SQLITE_IOERR_FSYNC);
    rig_advance(&rig, 0);
    size_t part = rig_records(&rig, NULL, NULL);
    ck_assert(part > 0 && part < 3000);
    fault_vfs_heal();
    rig_restart(&rig);
    rig.inspector.written = 9000;
    rig_advance(&rig, 0);
    ck_assert_int_eq(said().most_written, 0); /* nobody's process is taken for one that began since */
}
END_TEST

START_TEST(what_was_not_stored_is_read_anew_after_a_crash_and_billed_once)
{
    rig_advance(&rig, 0);
    fault_vfs_fail_all(FAULT_WRITE, SQLITE_FULL);
    rig.inspector.written = 100;
    rig_advance(&rig, 60);
    fault_vfs_heal();
    rig_restart(&rig); /* what waited in memory is gone */
    rig.inspector.written = 250;
    rig_advance(&rig, 0);
    ck_assert_int_eq(said().written, 250);
}
END_TEST

START_TEST(a_folder_of_another_host_ends_the_poller_with_its_name)
{
    struct error error = {0};
    rig_advance(&rig, 0);
    rig.inspector.host_uuid = "f0000000-0000-4000-8000-00000000000f";
    rig.clock.boot_ns += 60 * NS_PER_S;
    rig.clock.wall_ns += 60 * NS_PER_S;
    ck_assert_int_eq(rig_step(&rig, &error), -EXDEV);
    ck_assert_ptr_nonnull(strstr(error.text, RIG_HOST));
    ck_assert_ptr_nonnull(strstr(error.text, rig.inspector.host_uuid));
}
END_TEST

START_TEST(a_host_that_another_poller_holds_is_not_read)
{
    struct error error = {0};
    rig.claim_result = -EBUSY;
    ck_assert_int_eq(rig_step(&rig, &error), -EBUSY);
    ck_assert_uint_eq(rig_records(&rig, NULL, NULL), 0);
}
END_TEST

START_TEST(the_host_is_claimed_once)
{
    rig_advance(&rig, 0);
    rig_advance(&rig, 60);
    ck_assert_int_eq(rig.claims, 1);
}
END_TEST

static const char *textfile(void)
{
    static char text[8192];
    FILE *f = fopen(rig.textfile, "r");
    ck_assert_ptr_nonnull(f);
    size_t size = fread(text, 1, sizeof text - 1, f);
    text[size] = 0;
    fclose(f);
    return text;
}

START_TEST(its_own_figures_stand_in_the_textfile)
{
    rig_advance(&rig, 0);
    rig.inspector.figures = (struct inspector_figures){.overruns = 3, .stuck = 1, .events_dropped = 4, .refused = 5};
    rig_advance(&rig, 60);
    const char *text = textfile();
    ck_assert_ptr_nonnull(strstr(text, "pluvio_poller_cycles 2\n"));
    ck_assert_ptr_nonnull(strstr(text, "pluvio_poller_vms 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "pluvio_poller_connected 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "pluvio_poller_overruns 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "pluvio_poller_stuck_calls 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "pluvio_poller_dropped_events 4\n"));
    ck_assert_ptr_nonnull(strstr(text, "pluvio_poller_refused_xml 5\n"));
}
END_TEST

START_TEST(who_was_not_asked_is_counted_until_monitors_are_asked_again)
{
    rig.inspector.others = 3;
    rig.inspector.monitors = MONITORS_SLOW;
    rig_advance(&rig, 0);
    ck_assert_ptr_nonnull(strstr(textfile(), "pluvio_poller_unasked_vms 4\n"));
    rig.inspector.monitors = MONITORS_ASKED;
    rig_advance(&rig, 60);
    ck_assert_ptr_nonnull(strstr(textfile(), "pluvio_poller_unasked_vms 0\n"));
}
END_TEST

START_TEST(records_are_told_to_wait_only_for_a_disk_that_refuses)
{
    rig_advance(&rig, 0);
    ck_assert_ptr_nonnull(strstr(textfile(), "pluvio_poller_outbox_waiting 0\n"));
    fault_vfs_fail_all(FAULT_WRITE, SQLITE_FULL);
    rig_advance(&rig, 60);
    rig_advance(&rig, 60);
    ck_assert_ptr_null(strstr(textfile(), "pluvio_poller_outbox_waiting 0\n"));
    fault_vfs_heal();
    rig_advance(&rig, 60);
    rig_advance(&rig, 60);
    ck_assert_ptr_nonnull(strstr(textfile(), "pluvio_poller_outbox_waiting 0\n"));
}
END_TEST

START_TEST(a_clock_that_is_set_back_neither_stops_nor_hurries_the_cycles)
{
    rig_advance(&rig, 0);
    rig_advance(&rig, 60);
    rig.clock.wall_ns -= 3600 * NS_PER_S;
    for (int i = 0; i < 10; i++) {
        rig.inspector.written += 10;
        rig_advance(&rig, 60);
    }
    ck_assert_uint_eq(rig.inspector.begun, 12);
    rig.clock.wall_ns += 7200 * NS_PER_S;
    for (int i = 0; i < 10; i++)
        rig_advance(&rig, 60);
    ck_assert_uint_eq(rig.inspector.begun, 22);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("poller");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, rig_set_up, rig_tear_down);
    tcase_add_test(t, the_first_look_is_at_once_and_its_counters_are_the_bases);
    tcase_add_test(t, a_cycle_comes_once_an_interval);
    tcase_add_test(t, a_step_that_takes_long_brings_no_cycle_too_many);
    tcase_add_test(t, what_is_told_after_a_restart_goes_on_where_it_was);
    tcase_add_test(t, while_libvirt_is_away_it_is_asked_again_and_nothing_ends);
    tcase_add_test(t, nothing_is_asked_while_an_answer_is_awaited);
    tcase_add_test(t, a_disk_that_refuses_keeps_records_waiting_until_it_heals);
    tcase_add_test(t, a_vm_that_ends_while_memory_is_full_is_billed_to_its_last_reading);
    tcase_add_test(t, damage_of_the_outbox_ends_the_poller_with_its_name);
    tcase_add_test(t, a_reading_of_more_than_fits_in_memory_is_stored_in_parts);
    tcase_add_test(t, a_first_list_that_was_stored_in_part_is_not_the_first_after_a_crash);
    tcase_add_test(t, what_was_not_stored_is_read_anew_after_a_crash_and_billed_once);
    tcase_add_test(t, a_folder_of_another_host_ends_the_poller_with_its_name);
    tcase_add_test(t, a_host_that_another_poller_holds_is_not_read);
    tcase_add_test(t, the_host_is_claimed_once);
    tcase_add_test(t, its_own_figures_stand_in_the_textfile);
    tcase_add_test(t, who_was_not_asked_is_counted_until_monitors_are_asked_again);
    tcase_add_test(t, records_are_told_to_wait_only_for_a_disk_that_refuses);
    tcase_add_test(t, a_clock_that_is_set_back_neither_stops_nor_hurries_the_cycles);
    suite_add_tcase(s, t);
    return test_run(s);
}
