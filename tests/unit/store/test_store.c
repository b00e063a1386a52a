#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pluvio/store/db.h"
#include "support/folder.h"
#include "support/run.h"

static const char *const migrations[] = {"CREATE TABLE thing(id INTEGER PRIMARY KEY, name TEXT UNIQUE)",
                                         "ALTER TABLE thing ADD COLUMN size INTEGER"};
static const struct db_schema schema = {"test", 0x706c7674, migrations, 2};
static const struct db_schema older = {"test", 0x706c7674, migrations, 1};
static const struct db_schema other = {"other", 0x11111111, migrations, 2};

static char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
static struct db *db;

static void set_up(void)
{
    folder_make(folder);
    folder_path(folder, "t.db", path, sizeof path);
    struct error e;
    ck_assert_msg(db_open(&db, path, DB_READ_WRITE, NULL, &schema, &e) == 0, "%s", e.text);
}

static void tear_down(void)
{
    db_close(db);
    folder_remove(folder);
}

static void insert(const char *name, int64_t size)
{
    struct db_row *q = db_query(db, "INSERT INTO thing(name,size) VALUES(?1,?2)");
    db_bind_text(q, 1, text_of(name));
    db_bind_i64(q, 2, size);
    db_run(q);
}

static int64_t count(void)
{
    struct db_row *q = db_query(db, "SELECT count(*) FROM thing");
    int64_t n = db_step(q) ? db_i64(q, 0) : -1;
    db_reset(q);
    return n;
}

START_TEST(a_commit_is_there_after_opening_again)
{
    struct error e;
    db_begin(db);
    insert("a", 1);
    ck_assert_int_eq(db_commit(db, &e), 0);
    db_close(db);
    ck_assert_int_eq(db_open(&db, path, DB_READ_WRITE, NULL, &schema, &e), 0);
    ck_assert_int_eq(count(), 1);
}
END_TEST

START_TEST(one_failed_step_undoes_the_whole_transaction)
{
    struct error e = {0};
    db_begin(db);
    insert("a", 1);
    insert("a", 2);
    insert("b", 3);
    ck_assert(db_failed(db));
    ck_assert_int_eq(db_commit(db, &e), -EEXIST);
    ck_assert_ptr_nonnull(strstr(e.text, "UNIQUE"));
    ck_assert_int_eq(count(), 0);
    db_begin(db);
    insert("b", 3);
    ck_assert_int_eq(db_commit(db, &e), 0);
    ck_assert_int_eq(count(), 1);
}
END_TEST

START_TEST(the_callers_own_reason_rolls_back_too)
{
    struct error e = {0};
    db_begin(db);
    insert("a", 1);
    db_fail(db, -ESTALE, "lease lost");
    ck_assert_int_eq(db_commit(db, &e), -ESTALE);
    ck_assert_str_eq(e.text, "lease lost");
    ck_assert_int_eq(count(), 0);
}
END_TEST

START_TEST(an_older_file_is_brought_up_to_date)
{
    struct error e;
    char old[FOLDER_SIZE + 16];
    struct db *o;
    folder_path(folder, "old.db", old, sizeof old);
    ck_assert_int_eq(db_open(&o, old, DB_READ_WRITE, NULL, &older, &e), 0);
    db_close(o);
    ck_assert_int_eq(db_open(&o, old, DB_READ_WRITE, NULL, &schema, &e), 0);
    ck_assert_int_eq(db_exec(o, "INSERT INTO thing(name,size) VALUES('x',5)", &e), 0);
    db_close(o);
    ck_assert_int_eq(db_open(&o, old, DB_READ_WRITE, NULL, &older, &e), -EPROTO);
    ck_assert_ptr_nonnull(strstr(e.text, "newer"));
}
END_TEST

START_TEST(a_file_of_another_kind_is_refused)
{
    struct error e;
    struct db *o;
    ck_assert_int_eq(db_open(&o, path, DB_READ_WRITE, NULL, &other, &e), -EUCLEAN);
    ck_assert_ptr_nonnull(strstr(e.text, path));
}
END_TEST

START_TEST(bytes_that_are_no_database_are_refused)
{
    struct error e;
    struct db *o;
    char bad[FOLDER_SIZE + 16];
    FILE *f = fopen(folder_path(folder, "bad.db", bad, sizeof bad), "w");
    for (int i = 0; i < 2000; i++)
        fputs("not a database ", f);
    fclose(f);
    ck_assert_int_eq(db_open(&o, bad, DB_READ_WRITE, NULL, &schema, &e), -EUCLEAN);
}
END_TEST

START_TEST(a_reader_sees_commits_and_cannot_write)
{
    struct error e = {0};
    struct db *reader;
    db_begin(db);
    insert("a", 1);
    ck_assert_int_eq(db_commit(db, &e), 0);
    ck_assert_int_eq(db_open(&reader, path, DB_READ_ONLY, NULL, &schema, &e), 0);
    struct db_row *q = db_query(reader, "SELECT name FROM thing");
    ck_assert(db_step(q));
    ck_assert(text_equal(db_text(q, 0), TEXT("a")));
    db_reset(q);
    ck_assert_int_eq(db_exec(reader, "DELETE FROM thing", &e), -EROFS);
    db_close(reader);
}
END_TEST

START_TEST(a_missing_file_is_named_to_a_reader)
{
    struct error e = {0};
    struct db *reader;
    ck_assert_int_eq(db_open(&reader, "/nonexistent/ledger.db", DB_READ_ONLY, NULL, &schema, &e), -ENOENT);
    ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/ledger.db"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("store");
    TCase *t = tcase_create("store");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_commit_is_there_after_opening_again);
    tcase_add_test(t, one_failed_step_undoes_the_whole_transaction);
    tcase_add_test(t, the_callers_own_reason_rolls_back_too);
    tcase_add_test(t, an_older_file_is_brought_up_to_date);
    tcase_add_test(t, a_file_of_another_kind_is_refused);
    tcase_add_test(t, bytes_that_are_no_database_are_refused);
    tcase_add_test(t, a_reader_sees_commits_and_cannot_write);
    tcase_add_test(t, a_missing_file_is_named_to_a_reader);
    suite_add_tcase(s, t);
    return test_run(s);
}
