/* Rules L1, L2: one transaction, stated lease, generation and offset; and the write side's limits. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book_rig.h"
#include "support/run.h"

static struct book_rig rig;

static void set_up(void)
{
    book_start(&rig);
}

static void tear_down(void)
{
    book_stop(&rig);
}

static int64_t take(int32_t partition, const char *cluster)
{
    int64_t offset = -99;
    ledger_take(rig.ledger, TOPIC, partition, cluster, &offset);
    return offset;
}

/* A committed transaction with usage of a finished period, reading up to offset 10. */
static void first_commit(void)
{
    begin(&rig);
    ck_assert_int_eq(take(0, CLUSTER), -2);
    put(&rig, "vm", "", "red", METER_CPU, 1, 0, 2 * HOUR, 100);
    ledger_advance(rig.ledger, 0, 10);
    must_commit(&rig);
}

/* ---- L2 ---- */

START_TEST(who_lost_the_lease_writes_nothing_more)
{
    struct ledger *other;
    first_commit();
    int64_t rows = sql_number(&rig, "SELECT count(*) FROM usage");
    begin(&rig);
    put(&rig, "vm", "", "red", METER_CPU, 1, 0, 5 * HOUR, 900);
    ledger_advance(rig.ledger, 0, 20);
    ledger_rollback(rig.ledger); /* the other one must get its lock */
    ck_assert_int_eq(book_open(&rig, &other), 0);
    begin(&rig);
    ck_assert(ledger_failed(rig.ledger)); /* found out at once, not with the lock held for a batch */
    ck_assert_ptr_null(ledger_entity(rig.ledger, TEXT("another")));
    ledger_advance(rig.ledger, 0, 20);
    ledger_set_mark(rig.ledger, "00000000000000000000000000000001", 3, 7, 1000);
    ledger_dead_letter(rig.ledger, TOPIC, 0, 11, "why", TEXT("k"), TEXT("v"));
    ck_assert_int_eq(commit(&rig), -ESTALE);
    ck_assert_int_eq(sql_number(&rig, "SELECT count(*) FROM usage"), rows);
    ck_assert_int_eq(sql_number(&rig, "SELECT next_offset FROM partition"), 10);
    ck_assert_int_eq(sql_number(&rig, "SELECT count(*) FROM mark"), 0);
    ck_assert_int_eq(sql_number(&rig, "SELECT count(*) FROM dead_letter"), 0);
    book_use(&rig, other);
    must_be_sound(&rig);
}
END_TEST

static const char *const foreign[] = {"UPDATE partition SET generation=generation+1",
                                      "UPDATE partition SET next_offset=12", "DELETE FROM partition",
                                      "UPDATE lease SET number=number+1"};

START_TEST(a_partition_or_lease_that_is_not_as_expected_undoes_the_batch)
{
    first_commit();
    sql(&rig, foreign[_i]);
    begin(&rig);
    put(&rig, "vm", "", "red", METER_CPU, 1, 0, 5 * HOUR, 900);
    ledger_advance(rig.ledger, 0, 20);
    ck_assert_int_eq(commit(&rig), -ESTALE);
    ck_assert_int_eq(sql_number(&rig, "SELECT sum(amount) FROM usage"), 100);
    must_be_sound(&rig);
}
END_TEST

START_TEST(reading_goes_on_where_the_ledger_is_and_another_cluster_is_read_from_its_beginning)
{
    first_commit();
    begin(&rig);
    ck_assert_int_eq(take(0, CLUSTER), 10);
    ck_assert_int_eq(take(1, CLUSTER), -2);
    ck_assert_int_eq(take(0, "another"), -2);
    must_commit(&rig);
    ck_assert_int_eq(sql_number(&rig, "SELECT generation FROM partition WHERE partition=0"), 3);
    ledger_release(rig.ledger, 0);
    ck_assert_int_eq(ledger_position_of(rig.ledger, 0), -1);
    ck_assert_int_eq(ledger_position_of(rig.ledger, 1), -2);
}
END_TEST

START_TEST(an_offset_of_a_partition_that_is_not_ours_fails_the_batch)
{
    begin(&rig);
    ledger_advance(rig.ledger, 5, 20);
    ck_assert_int_eq(commit(&rig), -EAGAIN);
}
END_TEST

/* As after a full disk: the file does not have the generation that memory has. */
START_TEST(an_assignment_that_was_undone_writes_nothing_until_it_is_made_again)
{
    first_commit();
    begin(&rig);
    ck_assert_int_eq(take(0, CLUSTER), 10);
    ledger_fail(rig.ledger, -ENOSPC, "the disk is full");
    ck_assert_int_eq(commit(&rig), -ENOSPC);
    begin(&rig);
    ledger_advance(rig.ledger, 0, 20);
    ck_assert_int_eq(commit(&rig), -ESTALE);
    ledger_release(rig.ledger, 0);
    begin(&rig);
    ck_assert_int_eq(take(0, CLUSTER), 10);
    ledger_advance(rig.ledger, 0, 20);
    must_commit(&rig);
    ck_assert_int_eq(sql_number(&rig, "SELECT next_offset FROM partition"), 20);
}
END_TEST

/* ---- L1 ---- */

START_TEST(what_is_undone_leaves_nothing_in_the_cache)
{
    first_commit();
    begin(&rig);
    put(&rig, "vm", "", "green", METER_NET_IN_BYTES, 1, 0, 3 * HOUR, 900);
    put(&rig, "new", "", "red", METER_CPU, 1, 0, 3 * HOUR, 900);
    put_metric(&rig, "new", "thing", 60, 1);
    ledger_set_mark(rig.ledger, "00000000000000000000000000000001", 3, 7, 1000);
    ledger_rollback(rig.ledger);
    begin(&rig);
    ck_assert_uint_eq(ledger_mark(rig.ledger, "00000000000000000000000000000001", 3), 0);
    put(&rig, "new", "", "red", METER_CPU, 1, 0, 3 * HOUR, 50);
    put(&rig, "vm", "", "green", METER_NET_IN_BYTES, 1, 0, 3 * HOUR, 9);
    must_commit(&rig);
    sweep_all(&rig, 9 * DAY);
    ck_assert_int_eq(sql_number(&rig, "SELECT sum(amount) FROM usage"), 100 + 50 + 9);
    must_be_sound(&rig);
}
END_TEST

START_TEST(marks_are_kept_with_the_batch)
{
    begin(&rig);
    ledger_set_mark(rig.ledger, "00000000000000000000000000000001", 3, 7, 1000);
    ledger_set_mark(rig.ledger, "00000000000000000000000000000001", 3, 9, 1000);
    must_commit(&rig);
    ck_assert_uint_eq(ledger_mark(rig.ledger, "00000000000000000000000000000001", 3), 9);
    ck_assert_uint_eq(ledger_mark(rig.ledger, "00000000000000000000000000000001", 4), 0);
    ck_assert_int_eq(sql_number(&rig, "SELECT count(*) FROM mark WHERE mark=9"), 1);
}
END_TEST

static const struct open_row {
    int64_t period_ms;
    const char *says;
} open_rows[] = {{1800000, "keeps its period"}, {7000, "does not divide a day"}, {0, "does not divide a day"}};

START_TEST(a_ledger_keeps_its_period)
{
    struct ledger *other;
    struct ledger_settings s = {.path = rig.path, .holder = "test", .period_ms = open_rows[_i].period_ms};
    ck_assert_int_eq(ledger_open(&other, &s, &rig.error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(rig.error.text, open_rows[_i].says));
    first_commit(); /* and the one who asked has not taken the lease */
}
END_TEST

START_TEST(what_keeps_a_ledger_from_opening_is_said)
{
    struct ledger *other;
    sql(&rig, "DROP TABLE lease");
    ck_assert_int_lt(book_open(&rig, &other), 0);
    ck_assert_msg(strstr(rig.error.text, "lease"), "%s", rig.error.text);
}
END_TEST

/* ---- limits ---- */

START_TEST(dead_letters_are_bounded_and_all_of_them_counted)
{
    static char value[LEDGER_DEAD_LETTER_MAX_VALUE + 100], key[2000];
    struct dead_letter_page page;
    begin(&rig);
    for (int i = 0; i < LEDGER_MAX_DEAD_LETTERS + 5; i++)
        ledger_dead_letter(rig.ledger, TOPIC, 1, i, "why", (struct text){key, sizeof key},
                           (struct text){value, i ? 10 : sizeof value});
    ledger_dead_letter(rig.ledger, TOPIC, 1, 5000, "why", (struct text){key, sizeof key},
                       (struct text){value, sizeof value});
    must_commit(&rig);
    ck_assert_int_eq(sql_number(&rig, "SELECT count(*) FROM dead_letter"), LEDGER_MAX_DEAD_LETTERS);
    ck_assert_int_eq(sql_number(&rig, "SELECT max(length(value)) FROM dead_letter"), LEDGER_DEAD_LETTER_MAX_VALUE);
    ck_assert_int_eq(sql_number(&rig, "SELECT max(size) FROM dead_letter"), (int64_t)sizeof value);
    ck_assert_int_eq(sql_number(&rig, "SELECT max(length(key)) FROM dead_letter"), 1024);
    int64_t after = 0, seen = 0;
    do {
        ck_assert_int_eq(ledger_dead_letters(reader_of(&rig), after, 300, &page, &rig.error), 0);
        ck_assert_int_eq(page.total, LEDGER_MAX_DEAD_LETTERS + 6);
        for (size_t i = 0; i < page.count; i++, seen++)
            ck_assert_int_gt(page.rows[i].id, i ? page.rows[i - 1].id : after);
        after = page.next;
        dead_letter_page_free(&page);
    } while (after);
    ck_assert_int_eq(seen, LEDGER_MAX_DEAD_LETTERS);
}
END_TEST

/* One producer with endless names must not stop everybody's usage. */
START_TEST(more_names_of_meters_than_fit_are_ignored_and_the_batch_is_kept)
{
    char name[32], entity[32];
    begin(&rig);
    for (int i = 0; i < 20010; i++) {
        snprintf(name, sizeof name, "x%d", i);
        snprintf(entity, sizeof entity, "other-%d", i / 1000);
        ck_assert_int_eq(put_metric(&rig, entity, name, 60, 1), SERIES_FINE);
    }
    put(&rig, "vm", "", "red", METER_CPU, 1, 0, 60, 100);
    must_commit(&rig);
    ck_assert_uint_eq(rig.accountant.counts.ignored, 10);
    struct ledger *again;
    ck_assert_int_eq(book_open(&rig, &again), 0);
    book_use(&rig, again);
    begin(&rig);
    put(&rig, "vm", "", "red", METER_NET_IN_BYTES, 1, 0, 60, 100);
    must_commit(&rig);
    must_be_sound(&rig);
}
END_TEST

static void resource_says(const char *name, const char *project)
{
    struct resource_page page;
    ck_assert_int_eq(
        ledger_resources(reader_of(&rig), TEXT(""), TEXT(""), TEXT(""), TEXT("vm"), TEXT(""), 10, &page, &rig.error),
        0);
    ck_assert_uint_eq(page.count, 1);
    ck_assert_msg(text_equal(page.rows[0].name, text_of(name)), "%.*s", TEXT_ARG(page.rows[0].name));
    ck_assert_msg(text_equal(page.rows[0].project, text_of(project)), "%.*s", TEXT_ARG(page.rows[0].project));
    resource_page_free(&page);
}

START_TEST(a_record_from_the_future_does_not_freeze_what_is_known)
{
    begin(&rig);
    put(&rig, "vm", "", "red", METER_CPU, 1, 0, 60, 100);
    ck_assert_int_eq(put(&rig, "vm", "", "mars", METER_CPU, 2, 0, 900 * DAY, 100), SERIES_FROM_THE_FUTURE);
    must_commit(&rig);
    rig.now_ms += 60000;
    begin(&rig);
    put(&rig, "vm", "", "blue", METER_CPU, 3, 60, 10 * DAY + 60, 100);
    must_commit(&rig);
    resource_says("blue", "blue");
}
END_TEST

START_TEST(an_older_record_does_not_change_what_is_known)
{
    begin(&rig);
    put(&rig, "vm", "", "red", METER_CPU, 1, 0, 600, 100);
    put(&rig, "vm", "", "blue", METER_CPU, 2, 0, 60, 100);
    put(&rig, "vm", "", "red", METER_CPU, 1, 0, 660, 110);
    must_commit(&rig);
    resource_says("red", "red");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ledger, writing");
    TCase *t = tcase_create("ledger, writing");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, who_lost_the_lease_writes_nothing_more);
    tcase_add_loop_test(t, a_partition_or_lease_that_is_not_as_expected_undoes_the_batch, 0,
                        sizeof foreign / sizeof foreign[0]);
    tcase_add_test(t, reading_goes_on_where_the_ledger_is_and_another_cluster_is_read_from_its_beginning);
    tcase_add_test(t, an_offset_of_a_partition_that_is_not_ours_fails_the_batch);
    tcase_add_test(t, an_assignment_that_was_undone_writes_nothing_until_it_is_made_again);
    tcase_add_test(t, what_is_undone_leaves_nothing_in_the_cache);
    tcase_add_test(t, marks_are_kept_with_the_batch);
    tcase_add_loop_test(t, a_ledger_keeps_its_period, 0, sizeof open_rows / sizeof open_rows[0]);
    tcase_add_test(t, what_keeps_a_ledger_from_opening_is_said);
    tcase_add_test(t, dead_letters_are_bounded_and_all_of_them_counted);
    tcase_add_test(t, more_names_of_meters_than_fit_are_ignored_and_the_batch_is_kept);
    tcase_add_test(t, a_record_from_the_future_does_not_freeze_what_is_known);
    tcase_add_test(t, an_older_record_does_not_change_what_is_known);
    suite_add_tcase(s, t);
    return test_run(s);
}
