/* The journal: what was appended comes back, what did not happen does not. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/archive/archive_journal.h"
#include "support/folder.h"
#include "support/run.h"

static char folder[FOLDER_SIZE];
static struct buf seen; /* "commit:content " of each frame that was replayed */

static void set_up(void)
{
    folder_make(folder);
}

static void tear_down(void)
{
    folder_remove(folder);
    buf_free(&seen);
}

static void see(void *context, uint64_t commit, struct text content)
{
    (void)context;
    buf_addf(&seen, "%llu:%.*s ", (unsigned long long)commit, TEXT_ARG(content));
}

static struct journal *open_at(uint64_t ledger_commit, int64_t segment_bytes)
{
    struct journal *j = NULL;
    struct error error = {0};
    struct journal_settings settings = {folder, ledger_commit, segment_bytes};
    buf_clear(&seen);
    ck_assert_msg(journal_open(&j, &settings, see, NULL, &error) == 0, "%s", error.text);
    return j;
}

static void append(struct journal *j, uint64_t commit, const char *content)
{
    struct error error = {0};
    ck_assert_msg(journal_append(j, commit, text_of(content), &error) == 0, "%s", error.text);
}

static const char *replayed(uint64_t ledger_commit)
{
    journal_close(open_at(ledger_commit, 0));
    return buf_terminate(&seen);
}

static const char *segment(int number, char *out)
{
    char name[32];
    snprintf(name, sizeof name, "journal-%08d", number);
    return folder_path(folder, name, out, FOLDER_SIZE * 2);
}

START_TEST(frames_come_back_in_order_over_segments)
{
    struct journal *j = open_at(0, 20);
    append(j, 1, "one");
    append(j, 2, "two");
    append(j, 5, "five");
    journal_close(j);
    ck_assert_str_eq(replayed(5), "1:one 2:two 5:five ");
    ck_assert_str_eq(replayed(5), "1:one 2:two 5:five ");
}
END_TEST

START_TEST(frames_of_commits_that_the_ledger_never_made_are_gone_for_good)
{
    struct journal *j = open_at(0, 0);
    append(j, 1, "one");
    append(j, 2, "never");
    journal_close(j);
    j = open_at(1, 0);
    ck_assert_str_eq(buf_terminate(&seen), "1:one ");
    append(j, 2, "two");
    journal_close(j);
    ck_assert_str_eq(replayed(9), "1:one 2:two ");
}
END_TEST

START_TEST(a_frame_that_was_taken_back_is_gone_and_its_number_free)
{
    struct journal *j = open_at(0, 20);
    append(j, 1, "one");
    append(j, 2, "never");
    journal_take_back(j);
    ck_assert_int_eq(journal_bytes(j), 16 + 3);
    append(j, 2, "two");
    append(j, 3, "never");
    journal_take_back(j);
    journal_take_back(j);
    journal_close(j);
    ck_assert_str_eq(replayed(9), "1:one 2:two ");
}
END_TEST

START_TEST(only_closed_segments_whose_rows_are_all_in_files_are_deleted)
{
    char path[FOLDER_SIZE * 2];
    struct journal *j = open_at(0, 1);
    append(j, 1, "one");
    append(j, 2, "two");
    append(j, 3, "three");
    ck_assert(!journal_can_forget(j, 0));
    ck_assert(journal_can_forget(j, 2));
    journal_forget(j, 2);
    ck_assert_int_eq(journal_bytes(j), 16 + 5);
    ck_assert_int_ne(access(segment(1, path), F_OK), 0);
    ck_assert_int_ne(access(segment(2, path), F_OK), 0);
    ck_assert_int_eq(access(segment(3, path), F_OK), 0);
    ck_assert(!journal_can_forget(j, 3));
    journal_close(j);
    ck_assert_str_eq(replayed(9), "3:three ");
}
END_TEST

static void flip(const char *path, long at)
{
    FILE *f = fopen(path, "r+");
    ck_assert_ptr_nonnull(f);
    fseek(f, at, SEEK_SET);
    int c = fgetc(f);
    fseek(f, at, SEEK_SET);
    fputc(c ^ 4, f);
    fclose(f);
}

START_TEST(a_flipped_bit_ends_its_segment_there_and_invents_nothing)
{
    char path[FOLDER_SIZE * 2];
    for (long at = 16 + 3; at < 2 * (16 + 3); at++) {
        struct journal *j = open_at(0, 0);
        append(j, 1, "one");
        append(j, 2, "two");
        append(j, 3, "three");
        journal_close(j);
        flip(segment(1, path), at);
        ck_assert_str_eq(replayed(9), "1:one ");
        ck_assert_str_eq(replayed(9), "1:one ");
        folder_remove(folder);
        folder_make(folder);
    }
}
END_TEST

START_TEST(a_segment_that_cannot_be_read_is_an_error_and_is_kept)
{
    char path[FOLDER_SIZE * 2];
    struct journal *j = NULL;
    struct error error = {0};
    struct journal_settings settings = {folder, 9, 0};
    ck_assert_int_eq(mkdir(segment(7, path), 0700), 0); /* a folder of that name cannot be read as a file */
    ck_assert_int_eq(journal_open(&j, &settings, see, NULL, &error), -EISDIR);
    ck_assert_ptr_nonnull(strstr(error.text, "journal-00000007"));
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(files_of_other_names_are_let_alone)
{
    char path[FOLDER_SIZE * 2];
    fclose(fopen(folder_path(folder, "journal-1.save", path, sizeof path), "w"));
    fclose(fopen(folder_path(folder, "journal-", path, sizeof path), "w"));
    ck_assert_str_eq(replayed(9), "");
    ck_assert_int_eq(access(folder_path(folder, "journal-1.save", path, sizeof path), F_OK), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("archive_journal");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, frames_come_back_in_order_over_segments);
    tcase_add_test(t, frames_of_commits_that_the_ledger_never_made_are_gone_for_good);
    tcase_add_test(t, a_frame_that_was_taken_back_is_gone_and_its_number_free);
    tcase_add_test(t, only_closed_segments_whose_rows_are_all_in_files_are_deleted);
    tcase_add_test(t, a_flipped_bit_ends_its_segment_there_and_invents_nothing);
    tcase_add_test(t, a_segment_that_cannot_be_read_is_an_error_and_is_kept);
    tcase_add_test(t, files_of_other_names_are_let_alone);
    suite_add_tcase(s, t);
    return test_run(s);
}
