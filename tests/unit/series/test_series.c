/* Rules L3 to L6: what readings do to an entity and to the book. */
#include <stdio.h>
#include <string.h>

#include "collector/series/entity_pack.h"
#include "fake_book.h"
#include "support/run.h"

static struct series_rig rig;

static void set_up(void)
{
    series_start(&rig);
}

static void tear_down(void)
{
    series_stop(&rig);
}

static int64_t all_of(uint64_t uid)
{
    return booked(&rig, uid) + open_amount(&rig, uid);
}

/* ---- L3: consumed ---- */

START_TEST(a_larger_reading_adds_the_difference_and_no_other_adds_anything)
{
    static const struct {
        int64_t time_s, value, total;
    } rows[] = {{60, 10, 10}, {120, 25, 25}, {120, 25, 25}, {60, 10, 25}, {90, 20, 25}, {180, 25, 25}, {240, 26, 26}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(tell_counter(&rig, 1, 0, rows[i].time_s, rows[i].value), SERIES_FINE);
        ck_assert_int_eq(all_of(1), rows[i].total);
    }
}
END_TEST

START_TEST(a_reading_is_spread_over_the_periods_since_the_last)
{
    ck_assert_int_eq(tell_counter(&rig, 1, 0, HOUR / 2, 100), SERIES_FINE);
    ck_assert_int_eq(tell_counter(&rig, 1, 0, 3 * HOUR, 1100), SERIES_FINE); /* 1000 over 2.5 hours */
    ck_assert_int_eq(booked_in(&rig, 0, 1), 100 + 200);
    ck_assert_int_eq(booked_in(&rig, 1, 1), 400);
    ck_assert_int_eq(booked_in(&rig, 2, 1), 400);
    ck_assert_int_eq(open_amount(&rig, 1), 0);
}
END_TEST

START_TEST(a_jump_over_periods_leaves_no_rows_where_nothing_was_done)
{
    ck_assert_int_eq(tell_counter(&rig, 1, 0, 60, 100), SERIES_FINE);
    ck_assert_int_eq(tell_counter(&rig, 2, 100 * HOUR, 100 * HOUR + 60, 5), SERIES_FINE);
    ck_assert_uint_eq(rig.book.row_count, 1);
    ck_assert_int_eq(open_amount(&rig, 2), 5);
}
END_TEST

START_TEST(late_usage_of_finished_periods_adds_rows_and_changes_none)
{
    tell_counter(&rig, 1, 0, 600, 100);
    tell_counter(&rig, 2, 5 * HOUR, 5 * HOUR + 60, 7);
    size_t before = rig.book.row_count;
    struct fake_row first = rig.book.rows[0];
    tell_counter(&rig, 1, 0, 2 * HOUR, 300);
    ck_assert_uint_gt(rig.book.row_count, before);
    ck_assert_int_eq(memcmp(&first, &rig.book.rows[0], sizeof first), 0);
    ck_assert_int_eq(booked(&rig, 1), 300);
    ck_assert_int_eq(open_amount(&rig, 2), 7);
    ck_assert_uint_gt(rig.accountant.counts.late, 0);
}
END_TEST

/* At the very end of a period, and of its stream. */
START_TEST(usage_of_a_moment_on_the_boundary_is_not_lost)
{
    tell_counter(&rig, 1, 0, 60, 5);
    record_begin(&rig, "running");
    add_reading(&rig, METER_CPU, 2, HOUR, HOUR, 9)->ended = true;
    ck_assert_int_eq(apply(&rig), SERIES_FINE);
    ck_assert_int_eq(all_of(2), 9);
    sweep_until_quiet(&rig, 9 * DAY);
    ck_assert_int_eq(booked_in(&rig, 1, 2), 9);
}
END_TEST

START_TEST(a_parked_stream_goes_on_where_it_was)
{
    record_begin(&rig, "running");
    add_reading(&rig, METER_CPU, 1, 0, 60, 10)->ended = true;
    ck_assert_int_eq(apply(&rig), SERIES_FINE);
    tell_counter(&rig, 2, 2 * HOUR, 2 * HOUR + 60, 1);
    ck_assert(rig.book.streams[0].parked);
    tell_counter(&rig, 1, 0, 60, 10);
    ck_assert_int_eq(all_of(1), 10);
    tell_counter(&rig, 1, 0, 90, 14);
    ck_assert_int_eq(all_of(1), 14);
}
END_TEST

START_TEST(a_stray_start_writes_no_rows_without_end)
{
    ck_assert_int_eq(tell_counter(&rig, 1, -30LL * 365 * DAY, 60, 1000000), SERIES_FINE);
    ck_assert_int_eq(all_of(1), 1000000);
    ck_assert_uint_le(rig.book.row_count, 401 * 24);
    ck_assert_int_eq(tell_size(&rig, "running", 2, -30LL * 365 * DAY, 60, 1), SERIES_FINE);
    sweep_until_quiet(&rig, 9 * DAY);
    ck_assert_int_eq(booked(&rig, 2), 400 * DAY * 1000);
}
END_TEST

/* Of two counters of one thing one is billed until another outbox's last word, the other one from then on. */
START_TEST(what_another_outbox_has_said_is_not_billed_again)
{
    static const struct {
        int64_t time_s, value, total;
    } rows[] = {{60, 10, 0}, {90, 15, 0}, {110, 20, 0}, {120, 26, 6}, {110, 20, 6}, {130, 27, 7}};
    rig.accountant.since_ms = (T0 + 100) * 1000;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(tell_counter(&rig, 1, 0, rows[i].time_s, rows[i].value), SERIES_FINE);
        ck_assert_int_eq(all_of(1), rows[i].total);
    }
    tell_counter(&rig, 2, 100, 130, 9); /* it began after that */
    ck_assert_int_eq(all_of(2), 9);
}
END_TEST

/* It had its turn before. */
START_TEST(a_counter_that_comes_back_goes_on_without_what_the_other_one_billed)
{
    tell_counter(&rig, 1, 0, 60, 10);
    rig.accountant.since_ms = (T0 + 600) * 1000;
    tell_counter(&rig, 1, 0, 660, 200);
    ck_assert_int_eq(all_of(1), 10);
    tell_counter(&rig, 1, 0, 720, 203);
    ck_assert_int_eq(all_of(1), 13);
}
END_TEST

/* ---- L4, L5: allocated ---- */

START_TEST(a_size_vouches_from_its_start_to_its_reading_and_only_grows)
{
    tell_size(&rig, "running", 1, 600, 1200, 4);
    tell_size(&rig, "running", 1, 600, 1200, 4);
    tell_size(&rig, "running", 1, 600, 900, 4);
    tell_size(&rig, "running", 1, 600, HOUR + 300, 4);
    ck_assert_int_eq(booked_in(&rig, 0, 1), 3000 * 1000);
    sweep_until_quiet(&rig, 9 * DAY);
    ck_assert_int_eq(booked_in(&rig, 1, 1), 300 * 1000);
}
END_TEST

START_TEST(one_stream_has_one_size)
{
    tell_size(&rig, "running", 1, 0, 600, 4);
    tell_size(&rig, "running", 1, 0, 1200, 5);
    sweep_until_quiet(&rig, 9 * DAY);
    ck_assert_int_eq(booked(&rig, 1), 600 * 1000);
    ck_assert_uint_eq(rig.accountant.counts.ignored, 1);
}
END_TEST

/* The source says until 2 h, the destination from 1 h on; whoever is heard last. */
START_TEST(a_migration_is_billed_once_and_the_late_word_corrects)
{
    for (int k = 0; k < 2; k++) {
        bool source = (k == 0) == (_i == 0);
        tell_size(&rig, "running", source ? 1 : 2, source ? 0 : HOUR, source ? 2 * HOUR : 3 * HOUR, 2);
    }
    sweep_until_quiet(&rig, 9 * DAY);
    ck_assert_int_eq(booked(&rig, 1), HOUR * 1000);
    ck_assert_int_eq(booked(&rig, 2), 2 * HOUR * 1000);
    ck_assert_int_eq(booked_in(&rig, 1, 1), 0);
    ck_assert_int_eq(booked_in(&rig, 1, 2), HOUR * 1000);
    bool corrected = false;
    for (size_t i = 0; i < rig.book.row_count; i++)
        corrected |= rig.book.rows[i].amount < 0;
    ck_assert(corrected == (_i == 0));
}
END_TEST

START_TEST(a_stopped_definition_loses_against_the_vm_that_runs_elsewhere)
{
    static const char *const stopped[] = {"shutoff", "crashed", "nostate"};
    tell_size(&rig, "paused", 1, 0, HOUR, 1);
    tell_size(&rig, stopped[_i], 2, 600, HOUR, 1);
    sweep_until_quiet(&rig, 9 * DAY);
    ck_assert_int_eq(booked(&rig, 1), HOUR * 1000);
    ck_assert_int_eq(booked(&rig, 2), 0);
}
END_TEST

/* ---- refusals ---- */

static void packed_of(struct buf *out)
{
    entity_pack(rig.entity, out);
}

START_TEST(a_refused_record_changes_nothing)
{
    struct buf before = {0}, after = {0};
    tell_counter(&rig, 1, 0, 60, 5);
    packed_of(&before);
    record_begin(&rig, "running");
    add_reading(&rig, METER_CPU, 1, 0, 120, 10);
    add_reading(&rig, METER_VCPUS, 2, 0, 11 * DAY + HOUR, 1); /* beyond now */
    ck_assert_int_eq(apply(&rig), SERIES_FROM_THE_FUTURE);
    packed_of(&after);
    ck_assert(text_equal(buf_text(&before), buf_text(&after)));
    buf_free(&before);
    buf_free(&after);
}
END_TEST

static const struct late_row {
    enum meter_id meter;
    bool known;
    enum series_refusal expected;
} late_rows[] = {
    {METER_CPU, false, SERIES_TOO_OLD}, {METER_VCPUS, false, SERIES_TOO_OLD}, /* a size is billed too */
    {METER_CPU, true, SERIES_FINE}, /* parked long ago: a record that came again */
    {METER_VCPUS, true, SERIES_FINE},   {METER_POWER_STATE, false, SERIES_FINE}, /* nobody bills it */
};

START_TEST(old_readings_are_taken_of_streams_that_are_known_and_of_no_other)
{
    const struct late_row *row = &late_rows[_i];
    uint64_t uid = row->meter == METER_POWER_STATE ? 0 : 1;
    for (int k = 0; k < 2; k++) {
        record_begin(&rig, "running");
        add_reading(&rig, row->meter, k ? uid : row->known ? uid : 77, 0, 60, 1)->ended = true;
        if (k == 0)
            ck_assert_int_eq(apply(&rig), SERIES_FINE);
        tell_counter(&rig, 2, 2 * HOUR, 2 * HOUR + 60, 1);
        rig.now_ms = (T0 + 50 * DAY) * 1000;
        if (k == 0)
            tell_counter(&rig, 3, 49 * DAY, 49 * DAY + 60, 1);
    }
    record_begin(&rig, "running");
    add_reading(&rig, row->meter, uid, 0, 60, 1);
    ck_assert_int_eq(apply(&rig), row->expected);
    sweep_until_quiet(&rig, 60 * DAY);
    if (row->expected == SERIES_FINE && uid)
        ck_assert_int_eq(booked(&rig, 1), row->meter == METER_CPU ? 1 : 60000);
}
END_TEST

static char names[ENTITY_MAX_SERIES + 1][16];

static void name_all(void)
{
    for (size_t i = 0; i <= ENTITY_MAX_SERIES; i++)
        snprintf(names[i], sizeof names[i], "x%zu", i);
}

static const struct device_row {
    size_t devices;
    enum series_refusal expected;
} device_rows[] = {{1, SERIES_FINE}, {ENTITY_MAX_RESOURCES, SERIES_FINE}, {ENTITY_MAX_RESOURCES + 1, SERIES_TOO_MANY}};

/* Some 4000 points; how many devices they are of is what counts. */
START_TEST(more_devices_than_fit_are_refused)
{
    name_all();
    record_begin(&rig, "running");
    for (size_t i = 0; i < ENTITY_MAX_SERIES; i++)
        add_metric(&rig, "one", METER_GAUGE, 0, 60, 1)->device = text_of(names[i % device_rows[_i].devices]);
    ck_assert_int_eq(apply(&rig), device_rows[_i].expected);
    ck_assert_uint_eq(rig.entity->count, device_rows[_i].expected ? 0 : device_rows[_i].devices);
}
END_TEST

START_TEST(meters_that_do_not_fit_are_ignored_and_counted)
{
    name_all();
    record_begin(&rig, "running");
    for (size_t i = 0; i < 9; i++) /* the fake book has room for 8 names */
        add_metric(&rig, names[i], METER_GAUGE, 0, 60, 1);
    ck_assert_int_eq(apply(&rig), SERIES_FINE);
    ck_assert_uint_eq(rig.accountant.counts.ignored, 1);
    ck_assert_uint_eq(rig.entity->resources[0]->count, 8);
}
END_TEST

/* ---- other producers ---- */

static int64_t other_total(void)
{
    return booked(&rig, 0) + open_amount(&rig, 0);
}

static void tell_metric(enum meter_type type, int64_t start_s, int64_t time_s, int64_t value)
{
    record_begin(&rig, "");
    add_metric(&rig, "requests", type, start_s, time_s, value);
    ck_assert_int_eq(apply(&rig), SERIES_FINE);
}

START_TEST(another_producers_counter_counts_from_zero_only_if_it_began_after_we_heard_of_it)
{
    tell_metric(METER_CUMULATIVE, -500, 60, 1000); /* the first point is a baseline */
    ck_assert_int_eq(other_total(), 0);
    tell_metric(METER_CUMULATIVE, -500, 120, 1010);
    ck_assert_int_eq(other_total(), 10);
    tell_metric(METER_CUMULATIVE, 130, 180, 7); /* restarted since */
    ck_assert_int_eq(other_total(), 17);
    tell_metric(METER_CUMULATIVE, 50, 200, 500); /* another, that began before: a baseline again */
    ck_assert_int_eq(other_total(), 17);
    tell_metric(METER_CUMULATIVE, 50, 260, 503);
    ck_assert_int_eq(other_total(), 20);
}
END_TEST

START_TEST(deltas_are_added_once_each)
{
    static const struct {
        int64_t start_s, time_s, value, total;
    } rows[] = {{0, 60, 5, 5},    {0, 60, 5, 5},      {60, 120, 7, 12},
                {30, 120, 9, 12}, {120, 180, -1, 12}, {300, 360, 1, 13}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tell_metric(METER_DELTA, rows[i].start_s, rows[i].time_s, rows[i].value);
        ck_assert_int_eq(other_total(), rows[i].total);
    }
}
END_TEST

START_TEST(a_counter_does_not_become_a_gauge)
{
    tell_metric(METER_CUMULATIVE, -500, 60, 1000);
    tell_metric(METER_GAUGE, 0, 120, 5000);
    tell_metric(METER_CUMULATIVE, -500, 180, 1001);
    ck_assert_int_eq(other_total(), 1);
    ck_assert_uint_eq(rig.accountant.counts.ignored, 1);
}
END_TEST

START_TEST(numbers_that_no_counter_has_are_left_out)
{
    static const double reals[] = {-1.0, 1e300};
    tell_metric(METER_CUMULATIVE, -500, 60, 1000);
    record_begin(&rig, "");
    struct point *p = add_metric(&rig, "requests", METER_CUMULATIVE, -500, 120, 0);
    p->is_double = true;
    p->real = reals[_i];
    ck_assert_int_eq(apply(&rig), SERIES_FINE);
    tell_metric(METER_CUMULATIVE, -500, 180, 1001);
    ck_assert_int_eq(other_total(), 1);
}
END_TEST

/* ---- silence ---- */

START_TEST(a_silent_entity_is_finished_after_the_grace)
{
    tell_counter(&rig, 1, 0, 60, 5);
    int64_t over = (T0 + HOUR + 600) * 1000;
    series_sweep(&rig.accountant, rig.entity, over - 1);
    ck_assert_int_eq(booked(&rig, 1), 0);
    ck_assert(series_due(&rig.accountant, rig.entity, over));
    series_sweep(&rig.accountant, rig.entity, over);
    ck_assert_int_eq(booked(&rig, 1), 5);
    ck_assert_int_eq(open_amount(&rig, 1), 0);
    tell_counter(&rig, 1, 0, 90, 8); /* it was not over */
    ck_assert_int_eq(booked_in(&rig, 0, 1), 8);
}
END_TEST

static const struct ledger_meter *meter_of(void *context, int64_t id)
{
    struct fake_book *b = context;
    return id >= 1 && id <= METERS && b->meters[id - 1].id == id ? &b->meters[id - 1] : NULL;
}

/* ---- the packed row ---- */

static void fill_entity(void)
{
    record_begin(&rig, "running");
    add_reading(&rig, METER_CPU, UINT64_MAX, 0, 60, INT64_MAX - 1);
    add_reading(&rig, METER_VCPUS, 2, 0, 61, 4);
    add_reading(&rig, METER_POWER_STATE, 0, 0, 62, 1);
    add_reading(&rig, METER_DISK_READ_BYTES, 3, 10, 30, 5)->device = TEXT("vda");
    add_reading(&rig, METER_DISK_READ_BYTES, 4, 30, 62, 5)->device = TEXT("vda");
    ck_assert_int_eq(apply(&rig), SERIES_FINE);
    rig.entity->attributes = 0x123456789abcdef0;
    rig.entity->attributes_ms = T0 * 1000;
}

START_TEST(an_entity_comes_back_from_its_row_the_same)
{
    struct buf packed = {0}, again = {0};
    fill_entity();
    packed_of(&packed);
    struct entity *e = entity_unpack(TEXT("vm"), buf_text(&packed), meter_of, &rig.book);
    ck_assert_ptr_nonnull(e);
    entity_pack(e, &again);
    ck_assert(text_equal(buf_text(&packed), buf_text(&again)));
    entity_free(rig.entity);
    rig.entity = e;
    record_begin(&rig, "running");
    add_reading(&rig, METER_CPU, UINT64_MAX, 0, 120, INT64_MAX);
    ck_assert_int_eq(apply(&rig), SERIES_FINE);
    ck_assert_int_eq(open_amount(&rig, UINT64_MAX), INT64_MAX);
    buf_free(&packed);
    buf_free(&again);
}
END_TEST

START_TEST(a_row_that_is_cut_is_refused_and_a_damaged_one_harms_nobody)
{
    struct buf packed = {0};
    fill_entity();
    packed_of(&packed);
    for (size_t len = 0; len < packed.len; len++)
        ck_assert_ptr_null(entity_unpack(TEXT("vm"), (struct text){packed.data, len}, meter_of, &rig.book));
    for (size_t bit = 0; bit < 8 * packed.len; bit++) {
        packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ 1 << bit % 8);
        entity_free(entity_unpack(TEXT("vm"), buf_text(&packed), meter_of, &rig.book));
        packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ 1 << bit % 8);
    }
    buf_free(&packed);
}
END_TEST

static TCase *readings(void)
{
    TCase *t = tcase_create("readings");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_larger_reading_adds_the_difference_and_no_other_adds_anything);
    tcase_add_test(t, a_reading_is_spread_over_the_periods_since_the_last);
    tcase_add_test(t, a_jump_over_periods_leaves_no_rows_where_nothing_was_done);
    tcase_add_test(t, late_usage_of_finished_periods_adds_rows_and_changes_none);
    tcase_add_test(t, usage_of_a_moment_on_the_boundary_is_not_lost);
    tcase_add_test(t, a_parked_stream_goes_on_where_it_was);
    tcase_add_test(t, a_stray_start_writes_no_rows_without_end);
    tcase_add_test(t, what_another_outbox_has_said_is_not_billed_again);
    tcase_add_test(t, a_counter_that_comes_back_goes_on_without_what_the_other_one_billed);
    tcase_add_test(t, a_size_vouches_from_its_start_to_its_reading_and_only_grows);
    tcase_add_test(t, one_stream_has_one_size);
    tcase_add_loop_test(t, a_migration_is_billed_once_and_the_late_word_corrects, 0, 2);
    tcase_add_loop_test(t, a_stopped_definition_loses_against_the_vm_that_runs_elsewhere, 0, 3);
    tcase_add_test(t, a_silent_entity_is_finished_after_the_grace);
    return t;
}

static TCase *refusals(void)
{
    TCase *t = tcase_create("refusals, other producers, rows");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_refused_record_changes_nothing);
    tcase_add_loop_test(t, old_readings_are_taken_of_streams_that_are_known_and_of_no_other, 0,
                        sizeof late_rows / sizeof late_rows[0]);
    tcase_add_loop_test(t, more_devices_than_fit_are_refused, 0, sizeof device_rows / sizeof device_rows[0]);
    tcase_add_test(t, meters_that_do_not_fit_are_ignored_and_counted);
    tcase_add_test(t, another_producers_counter_counts_from_zero_only_if_it_began_after_we_heard_of_it);
    tcase_add_test(t, deltas_are_added_once_each);
    tcase_add_test(t, a_counter_does_not_become_a_gauge);
    tcase_add_loop_test(t, numbers_that_no_counter_has_are_left_out, 0, 2);
    tcase_add_test(t, an_entity_comes_back_from_its_row_the_same);
    tcase_add_test(t, a_row_that_is_cut_is_refused_and_a_damaged_one_harms_nobody);
    return t;
}

int main(void)
{
    Suite *s = suite_create("series");
    suite_add_tcase(s, readings());
    suite_add_tcase(s, refusals());
    return test_run(s);
}
