/* The audit finds damage of each kind, and says where. */
#include <stdlib.h>
#include <string.h>

#include "book_rig.h"
#include "support/run.h"

static struct book_rig rig;

/* vm: a counter that ended (parked) and one that goes on, a size that two hosts claim, a disk; all with finished and
 * open periods. */
static void set_up(void)
{
    book_start(&rig);
    begin(&rig);
    put(&rig, "vm", "", "red", METER_CPU, 1, 0, 2 * HOUR, 100);
    put(&rig, "vm", "", "red", METER_VCPUS, 2, 0, 2 * HOUR, 4);
    put(&rig, "vm", "", "blue", METER_VCPUS, 3, HOUR, 3 * HOUR, 4);
    put(&rig, "vm", "vda", "red", METER_DISK_READ_BYTES, 4, 0, 2 * HOUR, 1000);
    must_commit(&rig);
    begin(&rig);
    put(&rig, "vm", "", "blue", METER_CPU, 5, 2 * HOUR, 30 * HOUR + 60, 50);
    put(&rig, "vm", "", "blue", METER_VCPUS, 3, HOUR, 30 * HOUR + 60, 4);
    must_commit(&rig);
}

static void tear_down(void)
{
    book_stop(&rig);
}

START_TEST(a_whole_ledger_is_sound_and_says_what_it_holds)
{
    struct audit_result audit;
    ck_assert_int_eq(ledger_audit(reader_of(&rig), &audit, &rig.error), 0);
    ck_assert_uint_eq(audit.mismatch_count, 0);
    ck_assert_uint_eq(audit.streams, 5);
    ck_assert_uint_eq(audit.entities, 1);
    ck_assert_uint_eq(audit.commit, 2);
    ck_assert_ptr_nonnull(strstr(buf_terminate(&audit.units), "\"cpu\":\"150\""));
    ck_assert_ptr_nonnull(strstr(buf_terminate(&audit.units), "\"disk.device.read.bytes\":\"1000\""));
    ck_assert_ptr_nonnull(strstr(buf_terminate(&audit.units), "\"vcpus\":\"432240000\"")); /* 4 * (30 h + 60 s) */
    audit_result_free(&audit);
}
END_TEST

#define ROWS_OF(uid) "stream=(SELECT id FROM stream WHERE uid=" #uid ")"

static const struct damage_row {
    const char *sql, *what, *resource, *meter;
    uint64_t stream;
} damage[] = {
    {"UPDATE usage SET amount=amount+1 WHERE " ROWS_OF(1) " AND period_ms=(SELECT min(period_ms) FROM usage)", "stream",
     "vm", "cpu", 1},
    {"DELETE FROM usage WHERE " ROWS_OF(5), "stream", "vm", "cpu", 5},
    {"UPDATE usage SET amount=amount-1 WHERE " ROWS_OF(4) " AND period_ms=(SELECT min(period_ms) FROM usage)", "stream",
     "vm-vda", "disk.device.read.bytes", 4},
    {"UPDATE usage SET amount=amount-1 WHERE " ROWS_OF(2) " AND period_ms=(SELECT min(period_ms) FROM usage)", "union",
     "vm", "vcpus", 2},
    {"DELETE FROM usage WHERE " ROWS_OF(3), "union", "vm", "vcpus", 3},
    {"UPDATE usage SET covered_ms=covered_ms+1 WHERE " ROWS_OF(1), "day sum", "", "cpu", 0},
    {"UPDATE day_sum SET low=low+1 WHERE meter=(SELECT id FROM meter WHERE name='vcpus')", "day sum", "", "vcpus", 0},
    {"DELETE FROM day_sum WHERE meter=(SELECT id FROM meter WHERE name='cpu')", "day sum", "", "cpu", 0},
    {"UPDATE day_sum SET high=high+1 WHERE meter=(SELECT id FROM meter WHERE name='cpu')", "day sum", "", "cpu", 0},
    {"UPDATE stream SET owner=3-owner WHERE uid=1", "day sum", "", "cpu", 0},
    {"UPDATE stream SET size=size+1 WHERE uid=2", "day sum", "", "vcpus", 0},
    {"INSERT INTO usage VALUES(1764028800000, 999, 1, 5, 5)", "state", "", "", 999},
    {"DELETE FROM stream WHERE uid=1", "day sum", "", "cpu", 0},
    {"DELETE FROM entity", "state", "vm", "cpu", 5},
};

static bool names(const struct audit_result *audit, const struct damage_row *row)
{
    for (size_t i = 0; i < audit->kept; i++) {
        const struct audit_mismatch *m = &audit->mismatches[i];
        if (strcmp(m->what, row->what) == 0 && text_equal(m->resource, text_of(row->resource)) &&
            text_equal(m->meter, text_of(row->meter)) && m->stream == row->stream)
            return true;
    }
    return false;
}

START_TEST(damage_is_found_and_named)
{
    const struct damage_row *row = &damage[_i];
    struct audit_result audit;
    sql(&rig, row->sql);
    ck_assert_int_eq(ledger_audit(reader_of(&rig), &audit, &rig.error), 0);
    ck_assert_uint_gt(audit.mismatch_count, 0);
    ck_assert_msg(names(&audit, row), "%s: %s of %.*s", row->sql, audit.mismatches[0].what,
                  TEXT_ARG(audit.mismatches[0].resource));
    audit_result_free(&audit);
}
END_TEST

START_TEST(a_parked_stream_whose_word_is_changed_is_found)
{
    struct audit_result audit;
    begin(&rig);
    put(&rig, "vm", "", "red", METER_CPU, 6, 31 * HOUR, 32 * HOUR, 5);
    put(&rig, "vm", "", "red", METER_CPU, 7, 40 * HOUR, 41 * HOUR, 5);
    must_commit(&rig);
    sql(&rig, "UPDATE stream SET value=value+1 WHERE uid=1 AND value IS NOT NULL");
    ck_assert_int_eq(ledger_audit(reader_of(&rig), &audit, &rig.error), 0);
    ck_assert_uint_eq(audit.mismatch_count, 1);
    ck_assert_uint_eq(audit.mismatches[0].stream, 1);
    ck_assert_int_eq((int64_t)audit.mismatches[0].booked, 100);
    ck_assert_int_eq((int64_t)audit.mismatches[0].expected, 101);
    audit_result_free(&audit);
}
END_TEST

START_TEST(a_packed_row_that_cannot_be_read_stops_the_audit_with_its_name)
{
    struct audit_result audit;
    sql(&rig, "UPDATE entity SET packed=substr(packed, 1, 20)");
    ck_assert_int_lt(ledger_audit(reader_of(&rig), &audit, &rig.error), 0);
    ck_assert_ptr_nonnull(strstr(rig.error.text, "vm"));
}
END_TEST

START_TEST(more_mismatches_than_are_kept_are_counted)
{
    struct audit_result audit;
    sql(&rig, "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i+1 FROM n WHERE i<2500) "
              "INSERT INTO usage SELECT 1764028800000, i, 1, 5, 0 FROM n");
    ck_assert_int_eq(ledger_audit(reader_of(&rig), &audit, &rig.error), 0);
    ck_assert_uint_ge(audit.mismatch_count, 1501);
    ck_assert_uint_eq(audit.kept, 1000);
    audit_result_free(&audit);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ledger, audit");
    TCase *t = tcase_create("ledger, audit");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_whole_ledger_is_sound_and_says_what_it_holds);
    tcase_add_loop_test(t, damage_is_found_and_named, 0, sizeof damage / sizeof damage[0]);
    tcase_add_test(t, a_parked_stream_whose_word_is_changed_is_found);
    tcase_add_test(t, a_packed_row_that_cannot_be_read_stops_the_audit_with_its_name);
    tcase_add_test(t, more_mismatches_than_are_kept_are_counted);
    suite_add_tcase(s, t);
    return test_run(s);
}
