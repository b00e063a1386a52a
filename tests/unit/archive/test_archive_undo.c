/* A file that a kill caught while it was written: what is kept of it, when it is put back and when not. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/archive/archive_undo.h"
#include "collector/archive/rrd_file.h"
#include "support/folder.h"
#include "support/run.h"

#define T0 1700000040LL /* a multiple of 60 */

static char folder[FOLDER_SIZE];
static struct archive_policy policy;
static struct undo *undo;

static void set_up(void)
{
    int restored;
    struct error error = {0};
    folder_make(folder);
    ck_assert_int_eq(archive_policy("low", 60, &policy), 0);
    ck_assert_msg(undo_open(&undo, folder, &restored, &error) == 0, "%s", error.text);
}

static void tear_down(void)
{
    undo_close(undo);
    folder_remove(folder);
}

/* The length of a new file less its rings, from what librrd really made. */
static size_t head_of(enum resource_kind kind)
{
    char path[FOLDER_SIZE * 2];
    struct error error = {0};
    struct stat st;
    size_t rows = 0;
    folder_path(folder, resource_kind_name(kind), path, sizeof path);
    ck_assert_msg(rrd_file_create(path, kind, &policy, T0, &error) == 0, "%s", error.text);
    ck_assert_int_eq(stat(path, &st), 0);
    for (size_t i = 0; i < policy.count; i++)
        rows += (size_t)(policy.lines[i].keep_s / policy.lines[i].step_s) * (i ? 3 : 1);
    return (size_t)st.st_size - rows * archive_layout(kind)->count * sizeof(double);
}

START_TEST(what_is_kept_for_undoing_holds_the_whole_head_of_every_kind)
{
    for (int kind = 0; kind < RESOURCE_KINDS; kind++) {
        size_t kept = rrd_file_head_bytes((enum resource_kind)kind, &policy);
        ck_assert_uint_ge(kept, head_of((enum resource_kind)kind));
        ck_assert_uint_le(kept, UNDO_HEAD_BYTES);
    }
}
END_TEST

static void reopen_undo(int expected)
{
    int restored;
    struct error error = {0};
    undo_close(undo);
    ck_assert_msg(undo_open(&undo, folder, &restored, &error) == 0, "%s", error.text);
    ck_assert_int_eq(restored, expected);
}

START_TEST(an_update_that_did_not_end_is_undone_once)
{
    char path[FOLDER_SIZE * 2], text[16] = {0};
    struct error error = {0};
    FILE *f = fopen(folder_path(folder, "file", path, sizeof path), "w");
    fputs("before", f);
    fclose(f);
    ck_assert_int_eq(undo_begin(undo, "file", 100, &error), 0);
    f = fopen(path, "r+");
    fputs("AFTERWARDS", f);
    fclose(f);
    reopen_undo(1);
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(fgets(text, sizeof text, f));
    fclose(f);
    ck_assert_str_eq(text, "beforeARDS");
    reopen_undo(0);
}
END_TEST

START_TEST(an_update_that_ended_or_whose_file_is_gone_is_not_undone)
{
    char path[FOLDER_SIZE * 2];
    struct error error = {0};
    fclose(fopen(folder_path(folder, "file", path, sizeof path), "w"));
    ck_assert_int_eq(undo_begin(undo, "file", 100, &error), 0);
    undo_end(undo);
    reopen_undo(0);
    ck_assert_int_eq(undo_begin(undo, "file", 100, &error), 0);
    unlink(path);
    reopen_undo(0);
    ck_assert_int_eq(undo_begin(undo, "file", 100, &error), -ENOENT);
}
END_TEST

START_TEST(a_copy_from_before_a_boot_is_not_used)
{
    char path[FOLDER_SIZE * 2], record[FOLDER_SIZE * 2];
    struct error error = {0};
    fclose(fopen(folder_path(folder, "file", path, sizeof path), "w"));
    ck_assert_int_eq(undo_begin(undo, "file", 100, &error), 0);
    int fd = open(folder_path(folder, "undo", record, sizeof record), O_RDWR);
    ck_assert_int_eq(pwrite(fd, "another boot", 12, 8), 12); /* the boot's id stands behind two numbers */
    close(fd);
    reopen_undo(0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("archive_undo");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, what_is_kept_for_undoing_holds_the_whole_head_of_every_kind);
    tcase_add_test(t, an_update_that_did_not_end_is_undone_once);
    tcase_add_test(t, an_update_that_ended_or_whose_file_is_gone_is_not_undone);
    tcase_add_test(t, a_copy_from_before_a_boot_is_not_used);
    suite_add_tcase(s, t);
    return test_run(s);
}
