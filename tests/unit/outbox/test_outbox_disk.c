/* The outbox on a disk that refuses, breaks or loses its power (rules R1, R2). */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "outbox_rig.h"
#include "support/fault_vfs/fault_vfs.h"

static int try_commit(struct error *e)
{
    outbox_begin(outbox);
    return outbox_commit(outbox, 0, e);
}

static const struct {
    enum fault_kind kind;
    int sqlite, code;
    const char *said;
} refusals[] = {
    {FAULT_WRITE, SQLITE_FULL, -ENOSPC, "free some space"},
    {FAULT_WRITE, SQLITE_READONLY, -EROFS, "mount"},
    {FAULT_WRITE, SQLITE_IOERR_WRITE, -EIO, "disk I/O error"},
    {FAULT_SYNC, SQLITE_IOERR_FSYNC, -EIO, "disk I/O error"},
};

START_TEST(records_wait_while_the_disk_refuses_and_are_stored_when_it_heals)
{
    struct error e = {0};
    put(KEY_A, "one");
    fault_vfs_fail_all(refusals[_i].kind, refusals[_i].sqlite);
    for (int i = 0; i < 3; i++) {
        add(KEY_A, i == 0 ? "two" : i == 1 ? "three" : "four", OUTBOX_READING);
        ck_assert_int_eq(try_commit(&e), refusals[_i].code);
        ck_assert_msg(strstr(e.text, refusals[_i].said) && strstr(e.text, outbox_path), "%s", e.text);
        ck_assert_str_eq(held(lane_of(KEY_A)), "one@1<0");
        ck_assert_uint_eq(figures().waiting, (uint64_t)i + 1);
    }
    fault_vfs_heal();
    commit();
    ck_assert_str_eq(held(lane_of(KEY_A)), "one@1<0 two@2<1 three@3<2 four@4<3");
    outbox_reopen();
    ck_assert_str_eq(held(lane_of(KEY_A)), "one@1<0 two@2<1 three@3<2 four@4<3");
}
END_TEST

START_TEST(a_mark_that_could_not_be_stored_is_stored_later)
{
    struct error e;
    put(KEY_A, "one");
    outbox_set_mark(outbox, lane_of(KEY_A), 1);
    fault_vfs_fail_all(FAULT_WRITE, SQLITE_FULL);
    ck_assert_int_eq(outbox_tidy(outbox, 0, &e), -ENOSPC);
    ck_assert_uint_eq(outbox_mark(outbox, lane_of(KEY_A)), 1);
    fault_vfs_heal();
    ck_assert_int_eq(outbox_tidy(outbox, 0, &e), 0);
    outbox_reopen();
    ck_assert_uint_eq(outbox_mark(outbox, lane_of(KEY_A)), 1);
}
END_TEST

START_TEST(tidying_that_fails_changes_nothing)
{
    struct error e;
    outbox_settings.max_bytes = 8;
    outbox_reopen();
    for (int i = 0; i < 4; i++)
        add(KEY_A, "read", OUTBOX_READING);
    commit();
    struct outbox_figures before = figures();
    fault_vfs_fail_all(FAULT_WRITE, SQLITE_FULL);
    ck_assert_int_eq(outbox_tidy(outbox, 0, &e), -ENOSPC);
    ck_assert_uint_eq(figures().stored, before.stored);
    ck_assert_uint_eq(figures().bytes, before.bytes);
    ck_assert_uint_eq(figures().thinned, 0);
    fault_vfs_heal();
    ck_assert_str_eq(held(lane_of(KEY_A)), "read@1<0 read@2<1 read@3<2 read@4<3");
}
END_TEST

/* What was made so far, as held() lists it. */
static void expect_first(struct buf *out, int count)
{
    buf_clear(out);
    for (int i = 1; i <= count; i++)
        buf_addf(out, "%sr%d@%d<%d", i > 1 ? " " : "", i, i, i - 1);
    buf_terminate(out);
}

static void add_numbered(int i)
{
    char payload[16];
    snprintf(payload, sizeof payload, "r%d", i);
    add(KEY_A, payload, OUTBOX_READING);
}

/* The n-th write, or sync, of ten commits fails, once; the tenth is long after. Whatever it was, nothing is lost,
 * doubled or out of order. */
#define FAULTS 25

START_TEST(a_single_failure_anywhere_loses_nothing)
{
    struct error e;
    struct buf expected = {0};
    int failures = 0;
    fault_vfs_fail(_i < FAULTS ? FAULT_WRITE : FAULT_SYNC, (uint64_t)(_i % FAULTS) + 1,
                   _i < FAULTS ? SQLITE_FULL : SQLITE_IOERR_FSYNC);
    for (int i = 1; i <= 10; i++) {
        add_numbered(i);
        failures += try_commit(&e) != 0;
    }
    ck_assert_int_le(failures, 1);
    fault_vfs_heal();
    commit();
    outbox_reopen();
    expect_first(&expected, 10);
    ck_assert_str_eq(held(lane_of(KEY_A)), expected.data);
    buf_free(&expected);
}
END_TEST

START_TEST(each_commit_is_on_the_disk_when_it_returns)
{
    struct buf expected = {0};
    for (int i = 1; i <= _i; i++) {
        add_numbered(i);
        commit();
    }
    add_numbered(_i + 1); /* waits in memory */
    fault_vfs_power_cut();
    outbox_close(outbox);
    outbox = NULL;
    fault_vfs_heal();
    outbox_reopen();
    expect_first(&expected, _i);
    ck_assert_str_eq(held(lane_of(KEY_A)), expected.len ? expected.data : "");
    ck_assert_uint_eq(outbox_last(outbox, lane_of(KEY_A)), (uint64_t)_i);
    buf_free(&expected);
}
END_TEST

/* The power fails in a commit whose sync failed: the record may have come through or not, but its number never means
 * two things. */
START_TEST(a_power_cut_after_a_failed_commit_never_reuses_a_number)
{
    struct error e;
    for (int i = 1; i <= 3; i++) {
        add_numbered(i);
        commit();
    }
    fault_vfs_fail_all(_i ? FAULT_SYNC : FAULT_WRITE, _i ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE);
    add_numbered(4);
    ck_assert_int_lt(try_commit(&e), 0);
    fault_vfs_power_cut();
    outbox_close(outbox);
    outbox = NULL;
    fault_vfs_heal();
    outbox_reopen();
    uint64_t last = outbox_last(outbox, lane_of(KEY_A));
    ck_assert(last == 3 || last == 4);
    put(KEY_A, "new");
    ck_assert_str_eq(held(lane_of(KEY_A)),
                     last == 3 ? "r1@1<0 r2@2<1 r3@3<2 new@4<3" : "r1@1<0 r2@2<1 r3@3<2 r4@4<3 new@5<4");
}
END_TEST

/* ---- a damaged file ---- */

static void damage(void)
{
    outbox_close(outbox);
    outbox = NULL;
    FILE *f = fopen(outbox_path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("not a database ", f);
    fclose(f);
}

START_TEST(a_damaged_file_is_set_aside_and_named)
{
    char aside[FOLDER_SIZE + 40], id[OUTBOX_ID_SIZE];
    put(KEY_A, "one");
    snprintf(id, sizeof id, "%s", outbox_id(outbox));
    for (int n = 1; n <= 2; n++) {
        damage();
        outbox_reopen();
        snprintf(aside, sizeof aside, "%s.damaged-%d", outbox_path, n);
        ck_assert_ptr_nonnull(strstr(buf_terminate(&outbox_notice), aside));
        ck_assert_int_eq(access(aside, F_OK), 0);
        ck_assert_str_eq(held(lane_of(KEY_A)), "");
        ck_assert_str_ne(outbox_id(outbox), id);
        put(KEY_A, "new");
        ck_assert_str_eq(held(lane_of(KEY_A)), "new@1<0");
    }
}
END_TEST

#define PAGE  4096
#define LARGE (PAGE / 2)

static char payload[LARGE];

static void fill_pages(void)
{
    struct error e;
    memset(payload, 'p', sizeof payload - 1);
    outbox_begin(outbox);
    db_run(db_query(outbox_db(outbox), "CREATE TABLE memory(id INTEGER PRIMARY KEY, bytes BLOB)"));
    db_run(db_query(outbox_db(outbox),
                    "INSERT INTO memory WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                    "WHERE i < 20) SELECT i, randomblob(3000) FROM n"));
    for (int i = 0; i < 20; i++)
        add(KEY_A, payload, OUTBOX_READING);
    ck_assert_msg(outbox_commit(outbox, 0, &e) == 0, "%s", e.text);
}

static long file_size(void)
{
    FILE *f = fopen(outbox_path, "r");
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    fclose(f);
    return size;
}

static void damage_page(long page)
{
    outbox_close(outbox);
    outbox = NULL;
    FILE *f = fopen(outbox_path, "r+");
    fseek(f, page * PAGE, SEEK_SET);
    for (int i = 0; i < PAGE; i++)
        fputc(0xa5, f);
    fclose(f);
}

/* All that others keep in the file, as the poller reads it when it starts. */
static int read_memory(struct error *e)
{
    struct db_row *q = db_query(outbox_db(outbox), "SELECT bytes FROM memory");
    while (db_step(q))
        db_blob(q, 0);
    db_reset(q);
    return db_check(outbox_db(outbox), e);
}

/* All that a poller does with it until nothing is left; the records that could be read must be the ones that were made.
 */
static int use_up(struct error *e)
{
    struct outbox_record read = {0};
    unsigned lane = lane_of(KEY_A);
    int r;
    while ((r = outbox_after(outbox, lane, read.sequence, &read, e)) == 1)
        ck_assert(text_equal(read.payload, text_of(payload)));
    if (r == 0) {
        ck_assert_uint_eq(read.sequence, 20);
        add(KEY_A, "new", OUTBOX_READING);
        r = try_commit(e);
    }
    if (r == 0) {
        outbox_set_mark(outbox, lane, outbox_last(outbox, lane));
        r = outbox_tidy(outbox, outbox_settings.keep_ms + 1, e);
    }
    if (r == 0)
        ck_assert_uint_eq(figures().stored, 0);
    return r;
}

static void begin_filled(void)
{
    outbox_close(outbox);
    outbox = NULL;
    unlink(outbox_path);
    outbox_reopen();
    fill_pages();
    outbox_reopen(); /* all of it is in the file now, not in its log */
}

static void meet_damage(long page)
{
    struct error e;
    if (read_memory(&e) == 0) {
        ck_assert_msg(use_up(&e) == -EUCLEAN, "page %ld", page);
        ck_assert_int_eq(outbox_damage(outbox, &e), -EUCLEAN);
    }
    outbox_set_aside(outbox, e.text, &outbox_notice);
    outbox = NULL;
    ck_assert_ptr_nonnull(strstr(buf_terminate(&outbox_notice), ".damaged-"));
    outbox_reopen();
    ck_assert_uint_eq(outbox_notice.len, 0);
}

/* Whichever page it is, also one that only others' tables use: it is said when the file is opened or when the page is
 * met, nothing wrong is read before, and a new file is begun. */
START_TEST(damage_in_any_page_is_said_where_it_is_met)
{
    struct error e;
    int at_work = 0;
    begin_filled();
    long pages = file_size() / PAGE;
    ck_assert_int_gt(pages, 30);
    for (long page = 0; page < pages; page++) {
        begin_filled();
        damage_page(page);
        outbox_reopen();
        if (outbox_notice.len == 0) {
            meet_damage(page);
            at_work++;
        }
        ck_assert_int_eq(outbox_damage(outbox, &e), 0);
        fill_pages();
        ck_assert_msg(use_up(&e) == 0, "page %ld: %s", page, e.text);
    }
    ck_assert_int_gt(at_work, 20);
}
END_TEST

START_TEST(its_sums_are_known_again_after_a_start)
{
    struct error e;
    for (int i = 1; i <= 9; i++)
        put(i % 2 ? KEY_A : key_c(), "sum");
    outbox_set_mark(outbox, lane_of(KEY_A), 2);
    outbox_drop(outbox, lane_of(KEY_A), 5);
    ck_assert_int_eq(outbox_tidy(outbox, outbox_settings.keep_ms + 1, &e), 0);
    struct outbox_figures before = figures();
    ck_assert_uint_eq(before.stored, 6);
    ck_assert_uint_eq(before.bytes, 18);
    for (int i = 0; i < 2; i++) {
        outbox_reopen();
        ck_assert_uint_eq(figures().stored, before.stored);
        ck_assert_uint_eq(figures().bytes, before.bytes);
        ck_assert_int_eq(db_exec(outbox_db(outbox),
                                 "ALTER TABLE outbox DROP COLUMN records;ALTER TABLE outbox DROP COLUMN bytes;"
                                 "PRAGMA user_version=2",
                                 &e),
                         0); /* as a file of before they were kept */
    }
}
END_TEST

START_TEST(a_sound_file_is_opened_without_a_word)
{
    put(KEY_A, "one");
    outbox_reopen();
    ck_assert_uint_eq(outbox_notice.len, 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_is_not_set_aside)
{
    struct error e = {0};
    struct outbox *o;
    outbox_settings.path = "/nonexistent/outbox.db";
    ck_assert_int_lt(outbox_open(&o, &outbox_settings, &outbox_notice, &e), 0);
    ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/outbox.db"));
    ck_assert_uint_eq(outbox_notice.len, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("outbox disk");
    TCase *t = tcase_create("outbox disk");
    tcase_add_checked_fixture(t, outbox_rig_set_up, outbox_rig_tear_down);
    tcase_add_loop_test(t, records_wait_while_the_disk_refuses_and_are_stored_when_it_heals, 0,
                        sizeof refusals / sizeof refusals[0]);
    tcase_add_test(t, a_mark_that_could_not_be_stored_is_stored_later);
    tcase_add_test(t, tidying_that_fails_changes_nothing);
    tcase_add_loop_test(t, a_single_failure_anywhere_loses_nothing, 0, 2 * FAULTS);
    tcase_add_loop_test(t, each_commit_is_on_the_disk_when_it_returns, 0, 6);
    tcase_add_loop_test(t, a_power_cut_after_a_failed_commit_never_reuses_a_number, 0, 2);
    tcase_add_test(t, a_damaged_file_is_set_aside_and_named);
    tcase_add_test(t, damage_in_any_page_is_said_where_it_is_met);
    tcase_add_test(t, its_sums_are_known_again_after_a_start);
    tcase_add_test(t, a_sound_file_is_opened_without_a_word);
    tcase_add_test(t, a_file_that_cannot_be_opened_is_not_set_aside);
    suite_add_tcase(s, t);
    return test_run(s);
}
