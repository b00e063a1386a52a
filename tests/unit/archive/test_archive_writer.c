/* The archive's thread as steps: what is in the files after rows, gaps and faults. Time is an argument here. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/archive/archive_name.h"
#include "collector/archive/archive_rows.h"
#include "collector/archive/archive_writer.h"
#include "pluvio/base/clock.h"
#include "support/folder.h"
#include "support/run.h"

#define T0  1700000040LL /* a multiple of 60 */
#define S   NS_PER_S
#define ALL 1000

static char folder[FOLDER_SIZE];
static struct archive_policy policy;
static struct archive_counts counts;
static struct archive_writer w;
static int64_t now_ns;
static uint64_t commit;

static void begin(int flush_rows)
{
    int restored;
    struct error error = {0};
    memset(&counts, 0, sizeof counts);
    w = (struct archive_writer){.folder = folder,
                                .folder_fd = open(folder, O_RDONLY | O_DIRECTORY),
                                .policy = &policy,
                                .flush_age_ns = 1800 * S,
                                .max_bytes = 1 << 20,
                                .max_journal_bytes = 1 << 30,
                                .counts = &counts,
                                .synced_ns = now_ns};
    pending_init(&w.pending, (size_t)flush_rows);
    ck_assert_msg(undo_open(&w.undo, folder, &restored, &error) == 0, "%s", error.text);
}

static void end(void)
{
    archive_writer_finish(&w);
    undo_close(w.undo);
    close(w.folder_fd);
}

static void set_up(void)
{
    folder_make(folder);
    ck_assert_int_eq(archive_policy("low", 60, &policy), 0);
    now_ns = 5000 * S;
    begin(ALL);
}

static void tear_down(void)
{
    end();
    folder_remove(folder);
}

/* One value of another producer's meter "load", for the step that ends @step steps after T0. */
static void take(const char *resource, int64_t step, double value)
{
    struct buf bytes = {0};
    struct archive_row row = {.resource = text_of(resource),
                              .meter = TEXT("load"),
                              .kind = RESOURCE_OTHER,
                              .step_end_s = T0 + 60 * step,
                              .values = &value};
    ck_assert_int_eq(archive_row_pack(&row, &bytes), 0);
    archive_writer_take(&w, buf_text(&bytes), ++commit, now_ns);
    buf_free(&bytes);
}

static int read_range(const char *resource, int64_t from, int64_t to, struct rrd_rows *ret, struct error *error)
{
    struct archive_read what = {.resource = text_of(resource),
                                .meter = TEXT("load"),
                                .kind = RESOURCE_OTHER,
                                .from_s = T0 + 60 * from,
                                .to_s = T0 + 60 * to,
                                .step_s = 60};
    return archive_writer_read(&w, &what, now_ns, ret, error);
}

/* The value of the step that ends @step steps after T0, as the file says it; NAN if it says nothing. */
static double stored(const char *resource, int64_t step)
{
    struct rrd_rows rows = {0};
    struct error error = {0};
    ck_assert_msg(read_range(resource, step - 1, step, &rows, &error) == 0, "%s", error.text);
    double value = rows.rows ? rows.values[0] : NAN;
    ck_assert_uint_le(rows.rows, 1);
    free(rows.values);
    return value;
}

static const char *path_of(const char *resource, char *out)
{
    struct buf name = {0};
    archive_name(text_of(resource), TEXT("load"), &name);
    snprintf(out, FOLDER_SIZE * 2, "%s/%s", folder, buf_terminate(&name));
    buf_free(&name);
    return out;
}

static int damaged_files;
static int count_damaged(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)walk;
    damaged_files += type == FTW_F && strstr(path, ".damaged-");
    return 0;
}

static int files_set_aside(void)
{
    damaged_files = 0;
    nftw(folder, count_damaged, 8, FTW_PHYS);
    return damaged_files;
}

START_TEST(rows_are_stored_as_they_are_given)
{
    take("vm", 1, 5);
    take("vm", 2, 0.125);
    ck_assert_double_eq(stored("vm", 1), 5);
    ck_assert_double_eq(stored("vm", 2), 0.125);
}
END_TEST

START_TEST(a_gap_is_unknown_and_takes_nothing_from_the_rows_around_it)
{
    take("vm", 1, 5);
    take("vm", 4, 7);
    ck_assert_double_eq(stored("vm", 1), 5);
    ck_assert_double_nan(stored("vm", 2));
    ck_assert_double_nan(stored("vm", 3));
    ck_assert_double_eq(stored("vm", 4), 7);
}
END_TEST

START_TEST(a_gap_between_two_writes_is_unknown_too)
{
    take("vm", 1, 5);
    archive_writer_flush(&w, now_ns);
    take("vm", 3, 7);
    ck_assert_double_nan(stored("vm", 2));
    ck_assert_double_eq(stored("vm", 3), 7);
}
END_TEST

START_TEST(a_row_that_the_file_has_is_skipped_and_changes_nothing)
{
    take("vm", 1, 5);
    take("vm", 2, 6);
    archive_writer_flush(&w, now_ns);
    end();
    begin(ALL);
    take("vm", 1, 99);
    take("vm", 2, 99);
    take("vm", 3, 7);
    take("vm", 3, 99);
    ck_assert_int_eq(counts.skipped, 3);
    ck_assert_double_eq(stored("vm", 1), 5);
    ck_assert_double_eq(stored("vm", 2), 6);
    ck_assert_double_eq(stored("vm", 3), 7);
}
END_TEST

START_TEST(a_row_off_the_step_or_of_another_kind_is_refused)
{
    struct buf bytes = {0};
    double values[ARCHIVE_MAX_COLUMNS] = {0};
    struct archive_row row = {.resource = TEXT("vm"), .kind = RESOURCE_DISK, .step_end_s = T0 + 30, .values = values};
    ck_assert_int_eq(archive_row_pack(&row, &bytes), 0);
    row.step_end_s = T0;
    row.kind = RESOURCE_INSTANCE;
    ck_assert_int_eq(archive_row_pack(&row, &bytes), 0);
    archive_writer_take(&w, buf_text(&bytes), 1, now_ns);
    ck_assert_int_eq(counts.refused, 2);
    ck_assert_int_eq(counts.waiting_rows, 0);
    buf_free(&bytes);
}
END_TEST

START_TEST(rows_wait_until_they_are_many)
{
    end();
    begin(2);
    take("vm", 1, 1);
    take("vm", 2, 1);
    take("vm", 3, 1);
    archive_writer_step(&w, now_ns);
    int64_t first = counts.updates;
    ck_assert_int_eq(first, 1);
    ck_assert_int_eq(counts.rows, 3);
    take("vm", 4, 1);
    archive_writer_step(&w, now_ns);
    ck_assert_int_eq(counts.updates, first);
    take("vm", 5, 1);
    archive_writer_step(&w, now_ns);
    ck_assert_int_eq(counts.updates, first + 1);
    ck_assert_int_eq(counts.waiting_rows, 0);
}
END_TEST

START_TEST(rows_are_written_when_they_have_waited_long)
{
    take("vm", 1, 1);
    now_ns += 1799 * S;
    archive_writer_step(&w, now_ns);
    ck_assert_int_eq(counts.rows, 0);
    now_ns += S;
    archive_writer_step(&w, now_ns);
    ck_assert_int_eq(counts.rows, 1);
}
END_TEST

START_TEST(beyond_the_limit_of_memory_the_oldest_rows_are_written)
{
    w.max_bytes = 10 * 8 * 2 * sizeof(double); /* ten files' first rows */
    char name[16];
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "vm%d", i);
        take(name, 1, i);
    }
    archive_writer_step(&w, now_ns);
    ck_assert_int_eq(counts.rows, 2);
    ck_assert_int_eq(counts.dropped, 0);
    ck_assert_uint_le(w.pending.bytes, w.max_bytes);
    char path[FOLDER_SIZE * 2];
    ck_assert_int_eq(access(path_of("vm0", path), F_OK), 0);
    ck_assert_int_ne(access(path_of("vm11", path), F_OK), 0);
}
END_TEST

/* Make the shard of @resource a file, so that nothing can be made in it. */
static void block(const char *resource, char *shard)
{
    path_of(resource, shard);
    *strrchr(shard, '/') = 0;
    fclose(fopen(shard, "w"));
}

START_TEST(a_file_that_cannot_be_written_keeps_its_rows_and_is_tried_again)
{
    char shard[FOLDER_SIZE * 2];
    block("vm", shard);
    take("vm", 1, 5);
    take("other", 1, 6);
    archive_writer_flush(&w, now_ns);
    ck_assert_int_ge(counts.failures, 1);
    ck_assert_int_eq(counts.waiting_rows, 1);
    ck_assert_double_eq(stored("other", 1), 6);
    unlink(shard);
    archive_writer_flush(&w, now_ns);
    ck_assert_int_eq(counts.waiting_rows, 1); /* not before the pause is over */
    now_ns += 11 * S;
    archive_writer_flush(&w, now_ns);
    ck_assert_int_eq(counts.waiting_rows, 0);
    ck_assert_double_eq(stored("vm", 1), 5);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_given_up_only_for_memorys_sake)
{
    char shard[FOLDER_SIZE * 2];
    block("vm", shard);
    for (int i = 1; i <= 8; i++)
        take("vm", i, 5);
    archive_writer_flush(&w, now_ns);
    archive_writer_step(&w, now_ns);
    ck_assert_int_eq(counts.dropped, 0);
    w.max_bytes = 100;
    archive_writer_step(&w, now_ns);
    ck_assert_int_eq(counts.dropped, 8);
    ck_assert_uint_eq(w.pending.bytes, 0);
}
END_TEST

START_TEST(a_file_that_is_no_archive_is_set_aside_and_blocks_nothing)
{
    static const long lengths[] = {0, 5, 3000};
    char path[FOLDER_SIZE * 2];
    for (int i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "vm%d", i);
        take(name, 1, 5);
        archive_writer_flush(&w, now_ns);
        ck_assert_int_eq(truncate(path_of(name, path), lengths[i]), 0);
        take(name, 2, 6);
        archive_writer_flush(&w, now_ns);
        ck_assert_int_eq(counts.waiting_rows, 0);
        ck_assert_double_eq(stored(name, 2), 6);
        ck_assert_int_eq(files_set_aside(), i + 1);
    }
    ck_assert_int_eq(counts.failures, 0);
}
END_TEST

START_TEST(a_file_of_another_step_is_set_aside_when_the_next_row_comes)
{
    take("vm", 1, 5);
    archive_writer_flush(&w, now_ns);
    end();
    ck_assert_int_eq(archive_policy("low", 20, &policy), 0);
    begin(ALL);
    take("vm", 2, 6);
    archive_writer_flush(&w, now_ns);
    ck_assert_int_eq(files_set_aside(), 1);
    ck_assert_int_eq(counts.rows, 1);
}
END_TEST

START_TEST(a_file_that_somebody_removed_begins_anew)
{
    char path[FOLDER_SIZE * 2];
    take("vm", 1, 5);
    archive_writer_flush(&w, now_ns);
    ck_assert_int_eq(unlink(path_of("vm", path)), 0);
    take("vm", 2, 6);
    ck_assert_double_eq(stored("vm", 2), 6);
    ck_assert_double_nan(stored("vm", 1));
    ck_assert_int_eq(counts.failures, 0);
}
END_TEST

START_TEST(a_range_is_cut_to_what_the_file_can_have)
{
    struct rrd_rows rows = {0};
    struct error error = {0};
    take("vm", 1, 5);
    take("vm", 2, 6);
    ck_assert_int_eq(read_range("vm", 0, 100000, &rows, &error), 0);
    ck_assert_uint_eq(rows.rows, 2);
    ck_assert_int_eq(rows.start_s, T0);
    ck_assert_double_eq(rows.values[1], 6);
    free(rows.values);
    rows = (struct rrd_rows){0};
    ck_assert_int_eq(read_range("vm", 50, 60, &rows, &error), 0);
    ck_assert_uint_eq(rows.rows, 0);
    free(rows.values);
}
END_TEST

START_TEST(coarser_steps_hold_mean_least_and_most)
{
    static const struct {
        enum consolidation function;
        double expected;
    } rows_of[] = {{CONSOLIDATION_AVERAGE, 3}, {CONSOLIDATION_MIN, 1}, {CONSOLIDATION_MAX, 5}};
    int64_t start = (300 - T0 % 300) % 300 / 60; /* steps to the next multiple of 300 s */
    for (int i = 1; i <= 5; i++)
        take("vm", start + i, i);
    for (size_t i = 0; i < 3; i++) {
        struct rrd_rows rows = {0};
        struct error error = {0};
        struct archive_read what = {.resource = TEXT("vm"),
                                    .meter = TEXT("load"),
                                    .kind = RESOURCE_OTHER,
                                    .function = rows_of[i].function,
                                    .from_s = T0 + 60 * start,
                                    .to_s = T0 + 60 * start + 300,
                                    .step_s = 61};
        ck_assert_int_eq(archive_writer_read(&w, &what, now_ns, &rows, &error), 0);
        ck_assert_uint_eq(rows.rows, 1);
        ck_assert_int_eq(rows.step_s, 300);
        ck_assert_double_eq(rows.values[0], rows_of[i].expected);
        free(rows.values);
    }
}
END_TEST

START_TEST(a_resource_without_archive_is_told_so)
{
    struct rrd_rows rows = {0};
    struct error error = {0};
    ck_assert_int_eq(read_range("nobody", 0, 5, &rows, &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "nobody"));
}
END_TEST

START_TEST(the_journal_is_kept_while_a_row_of_it_is_in_no_file)
{
    struct journal_settings settings = {folder, 0, 1};
    struct error error = {0};
    ck_assert_int_eq(journal_open(&w.journal, &settings, NULL, NULL, &error), 0);
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(journal_append(w.journal, commit + 1, TEXT("row"), &error), 0);
        take(i == 2 ? "late" : "vm", i, 1);
    }
    struct pending_file *f = pending_find(&w.pending, TEXT("late"), TEXT("load"));
    f->retry_ns = now_ns + 1000 * S; /* as after a fault */
    archive_writer_flush(&w, now_ns);
    ck_assert_int_eq(journal_bytes(w.journal), 2 * (16 + 3)); /* the first commit's rows are written */
    now_ns += 1000 * S;
    archive_writer_flush(&w, now_ns);
    ck_assert_int_eq(journal_bytes(w.journal), 16 + 3); /* the newest segment stays */
    journal_close(w.journal);
}
END_TEST

START_TEST(entries_of_silent_files_are_forgotten_and_their_files_are_not)
{
    take("vm", 1, 5);
    archive_writer_flush(&w, now_ns);
    now_ns += 2 * 86400 * S;
    archive_writer_step(&w, now_ns);
    ck_assert_uint_eq(w.pending.files.count, 0);
    take("vm", 2, 6);
    ck_assert_double_eq(stored("vm", 1), 5);
    ck_assert_double_eq(stored("vm", 2), 6);
}
END_TEST

START_TEST(too_many_files_at_once_are_refused_and_counted)
{
    w.pending.limit = 2;
    take("a", 1, 1);
    take("b", 1, 1);
    take("c", 1, 1);
    ck_assert_int_eq(counts.refused, 1);
    archive_writer_flush(&w, now_ns);
    take("c", 2, 1); /* now an idle entry goes for it */
    ck_assert_int_eq(counts.refused, 1);
    ck_assert_uint_eq(w.pending.files.count, 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("archive_writer");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, rows_are_stored_as_they_are_given);
    tcase_add_test(t, a_gap_is_unknown_and_takes_nothing_from_the_rows_around_it);
    tcase_add_test(t, a_gap_between_two_writes_is_unknown_too);
    tcase_add_test(t, a_row_that_the_file_has_is_skipped_and_changes_nothing);
    tcase_add_test(t, a_row_off_the_step_or_of_another_kind_is_refused);
    tcase_add_test(t, rows_wait_until_they_are_many);
    tcase_add_test(t, rows_are_written_when_they_have_waited_long);
    tcase_add_test(t, beyond_the_limit_of_memory_the_oldest_rows_are_written);
    tcase_add_test(t, a_file_that_cannot_be_written_keeps_its_rows_and_is_tried_again);
    tcase_add_test(t, a_file_that_cannot_be_written_is_given_up_only_for_memorys_sake);
    tcase_add_test(t, a_file_that_is_no_archive_is_set_aside_and_blocks_nothing);
    tcase_add_test(t, a_file_of_another_step_is_set_aside_when_the_next_row_comes);
    tcase_add_test(t, a_file_that_somebody_removed_begins_anew);
    tcase_add_test(t, a_range_is_cut_to_what_the_file_can_have);
    tcase_add_test(t, coarser_steps_hold_mean_least_and_most);
    tcase_add_test(t, a_resource_without_archive_is_told_so);
    tcase_add_test(t, the_journal_is_kept_while_a_row_of_it_is_in_no_file);
    tcase_add_test(t, entries_of_silent_files_are_forgotten_and_their_files_are_not);
    tcase_add_test(t, too_many_files_at_once_are_refused_and_counted);
    suite_add_tcase(s, t);
    return test_run(s);
}
