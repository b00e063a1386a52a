/* The port with its thread and its readers, and the fake that stands in for it. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "collector/archive/archive_files.h"
#include "support/fake_archive/fake_archive.h"
#include "support/folder.h"
#include "support/run.h"

#define T0 1700000040LL

static char folder[FOLDER_SIZE];
static struct archive *archive;
static struct archive_reader *reader;
static struct archive_settings settings;

static void open_archive(uint64_t ledger_commit)
{
    struct error error = {0};
    settings.folder = folder;
    settings.ledger_commit = ledger_commit;
    ck_assert_int_eq(archive_policy("low", 60, &settings.policy), 0);
    ck_assert_msg(archive_open(&archive, &settings, &error) == 0, "%s", error.text);
    ck_assert_int_eq(archive_reader_open(&reader, archive), 0);
}

static void close_archive(void)
{
    archive_reader_close(reader);
    archive->destroy(archive);
    archive = NULL;
}

static void set_up(void)
{
    folder_make(folder);
    settings = (struct archive_settings){0};
    open_archive(0);
}

static void tear_down(void)
{
    if (archive)
        close_archive();
    folder_remove(folder);
}

/* A VM's row: @cpu in ns a second, two vcpus. */
static void add_to(struct archive *a, const char *resource, int64_t step, double cpu)
{
    double values[ARCHIVE_MAX_COLUMNS];
    for (int i = 0; i < ARCHIVE_MAX_COLUMNS; i++)
        values[i] = NAN;
    values[archive_column(meter_at(METER_CPU))] = cpu;
    values[archive_column(meter_at(METER_VCPUS))] = 2;
    struct archive_row row = {
        .resource = text_of(resource), .kind = RESOURCE_INSTANCE, .step_end_s = T0 + 60 * step, .values = values};
    ck_assert_int_eq(a->add(a, &row), 0);
}

static void add_other(const char *resource, const char *meter, int64_t step, double value)
{
    struct archive_row row = {.resource = text_of(resource),
                              .meter = text_of(meter),
                              .kind = RESOURCE_OTHER,
                              .step_end_s = T0 + 60 * step,
                              .values = &value};
    ck_assert_int_eq(archive->add(archive, &row), 0);
}

static void seal(uint64_t commit)
{
    struct error error = {0};
    ck_assert_msg(archive->seal(archive, commit, &error) == 0, "%s", error.text);
}

static void commit_rows(uint64_t commit)
{
    seal(commit);
    archive->confirm(archive, commit);
}

static int ask(const char *resource, const char *meter, struct archived_series *ret, struct error *error)
{
    struct series_query q = {
        .resource = text_of(resource), .meter = text_of(meter), .from_s = T0, .to_s = T0 + 600, .step_s = 60};
    return archive_series(reader, &q, ret, error);
}

/* The value of the step that ends @step steps after T0. */
static double value(const char *resource, const char *meter, size_t step)
{
    struct archived_series s;
    struct error error = {0};
    ck_assert_msg(ask(resource, meter, &s, &error) == 0, "%s", error.text);
    double v = step <= s.count ? s.points[step - 1].value : NAN;
    archived_series_free(&s);
    return v;
}

static int refusal(const char *resource, const char *meter)
{
    struct archived_series s;
    struct error error = {0};
    int r = ask(resource, meter, &s, &error);
    ck_assert_int_eq(error.code, r);
    ck_assert(r == 0 || error.text[0]);
    archived_series_free(&s);
    return r;
}

START_TEST(a_reader_sees_what_was_confirmed_before_it_asked)
{
    for (int i = 1; i <= 10; i++) {
        add_to(archive, "vm", i, i * 1e8);
        commit_rows((uint64_t)i);
        ck_assert_double_eq(value("vm", "cpu.rate", (size_t)i), i * 1e8);
    }
    ck_assert_double_eq(value("vm", "cpu", 5), 5e8 * 60);
    ck_assert_double_eq(value("vm", "cpu_util", 5), 25);
    ck_assert_double_eq(value("vm", "vcpus", 5), 2);
    ck_assert_double_nan(value("vm", "memory", 5));
}
END_TEST

/* The newest row, asked for at once and many times: a question must not overtake the rows on their way to the thread.
 */
START_TEST(a_question_never_overtakes_rows)
{
    for (int i = 1; i <= 1500; i++) {
        struct archived_series s;
        struct error error = {0};
        struct series_query q = {.resource = TEXT("vm"),
                                 .meter = TEXT("load"),
                                 .from_s = T0 + 60 * (i - 1),
                                 .to_s = T0 + 60 * i,
                                 .step_s = 60};
        add_other("vm", "load", i, i);
        commit_rows((uint64_t)i);
        ck_assert_msg(archive_series(reader, &q, &s, &error) == 0, "%s", error.text);
        ck_assert_msg(s.count == 1, "row %d is not there yet", i);
        ck_assert_double_eq(s.points[0].value, i);
        archived_series_free(&s);
    }
}
END_TEST

START_TEST(rows_of_a_commit_that_was_rolled_back_never_happened)
{
    add_to(archive, "vm", 1, 1e8);
    commit_rows(1);
    add_to(archive, "vm", 2, 9e9);
    seal(2);
    archive->forget(archive);
    add_to(archive, "vm", 2, 8e9);
    archive->forget(archive);
    add_to(archive, "vm", 2, 2e8);
    commit_rows(2);
    ck_assert_double_eq(value("vm", "cpu.rate", 2), 2e8);
    close_archive();
    open_archive(2);
    ck_assert_double_eq(value("vm", "cpu.rate", 2), 2e8);
}
END_TEST

START_TEST(nothing_is_shown_before_the_ledger_has_it)
{
    add_to(archive, "vm", 1, 1e8);
    seal(1);
    ck_assert_int_eq(refusal("vm", "cpu"), -ENOENT);
    archive->confirm(archive, 1);
    ck_assert_int_eq(refusal("vm", "cpu"), 0);
}
END_TEST

START_TEST(a_meter_that_the_resource_has_not_is_told_so_and_never_anothers_column)
{
    add_to(archive, "vm", 1, 1e8);
    commit_rows(1);
    ck_assert_int_eq(refusal("vm", "disk.device.read.bytes"), -ENOENT);
    ck_assert_int_eq(refusal("vm", "host.vcpus"), -ENOENT);
    ck_assert_int_eq(refusal("vm", "no.such.meter"), -ENOENT);
    ck_assert_int_eq(refusal("vm", "memory.rate"), -ENOENT);
    ck_assert_int_eq(refusal("nobody", "cpu"), -ENOENT);
}
END_TEST

START_TEST(another_producers_meter_is_read_by_its_name_or_as_a_rate)
{
    add_other("vm", "load", 1, 0.5);
    add_other("vm", "heart.rate", 1, 70);
    commit_rows(1);
    ck_assert_double_eq(value("vm", "load", 1), 0.5);
    ck_assert_double_eq(value("vm", "load.rate", 1), 0.5);
    ck_assert_double_eq(value("vm", "heart.rate", 1), 70);
}
END_TEST

START_TEST(questions_that_make_no_sense_are_refused)
{
    static const struct {
        int64_t from_s, to_s, step_s;
        int expected;
    } rows[] = {{10, 10, 60, -EINVAL}, {10, 5, 60, -EINVAL},       {-5, 5, 60, -EINVAL},
                {0, 5, -1, -EINVAL},   {0, INT64_MAX, 60, -E2BIG}, {0, 60LL * 100001, 60, -E2BIG}};
    struct archived_series s;
    struct error error;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct series_query q = {.resource = TEXT("vm"),
                                 .meter = TEXT("cpu"),
                                 .from_s = rows[i].from_s,
                                 .to_s = rows[i].to_s,
                                 .step_s = rows[i].step_s};
        ck_assert_int_eq(archive_series(reader, &q, &s, &error), rows[i].expected);
    }
}
END_TEST

START_TEST(a_range_without_end_and_a_file_in_the_far_future_harm_nobody)
{
    struct archived_series s;
    struct error error = {0};
    struct series_query q = {.resource = TEXT("vm"), .meter = TEXT("cpu"), .to_s = INT64_MAX};
    add_to(archive, "vm", 1, 1e8);
    add_to(archive, "vm", 1000000, 1e8);
    commit_rows(1);
    ck_assert_msg(archive_series(reader, &q, &s, &error) == 0, "%s", error.text);
    ck_assert_int_eq(s.step_s, 86400);
    archived_series_free(&s);
}
END_TEST

START_TEST(a_folder_belongs_to_one_archive)
{
    struct archive *second = NULL;
    struct error error = {0};
    ck_assert_int_eq(archive_open(&second, &settings, &error), -EBUSY);
    ck_assert_ptr_null(second);
    ck_assert_ptr_nonnull(strstr(error.text, folder));
}
END_TEST

START_TEST(a_name_that_no_file_can_have_does_not_hold_up_the_ledger)
{
    static const char name[2000] = {'x'};
    double one = 1;
    struct archive_row row = {.resource = {name, sizeof name},
                              .meter = TEXT("load"),
                              .kind = RESOURCE_OTHER,
                              .step_end_s = T0,
                              .values = &one};
    struct archive_figures figures;
    ck_assert_int_eq(archive->add(archive, &row), 0);
    commit_rows(1);
    archive_figures(archive, &figures);
    ck_assert_int_eq(figures.refused, 1);
}
END_TEST

START_TEST(what_waited_is_in_the_files_after_closing)
{
    struct archive_figures figures;
    add_to(archive, "vm", 1, 1e8);
    commit_rows(1);
    close_archive();
    open_archive(1);
    ck_assert_double_eq(value("vm", "cpu.rate", 1), 1e8);
    archive_figures(archive, &figures);
    ck_assert_int_eq(figures.rows, 0);
    ck_assert_int_eq(figures.skipped, 1); /* the journal's newest segment brought it again */
}
END_TEST

#define READERS 4
#define COMMITS 200

static void *read_often(void *argument)
{
    struct error error;
    struct archived_series s;
    double least = 0;
    for (int i = 0; i < 100; i++) {
        if (ask("vm", "cpu.rate", &s, &error) == 0) {
            ck_assert_uint_le(s.count, 10);
            least = fmax(least, (double)s.count);
        }
        archived_series_free(&s);
    }
    *(double *)argument = least;
    return NULL;
}

START_TEST(readers_and_ingest_do_not_disturb_each_other)
{
    pthread_t threads[READERS];
    double seen[READERS];
    add_to(archive, "vm", 1, 1e8);
    commit_rows(1);
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_often, &seen[i]), 0);
    for (int i = 2; i <= COMMITS; i++) {
        add_to(archive, "vm", i, 1e8);
        commit_rows((uint64_t)i);
    }
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_double_ge(seen[i], 1);
    }
    ck_assert_double_eq(value("vm", "cpu.rate", 10), 1e8);
}
END_TEST

START_TEST(the_fake_keeps_confirmed_rows_for_a_test_to_see)
{
    struct fake_archive *fake = fake_archive_make();
    struct archive *a = &fake->port;
    struct error error;
    add_to(a, "vm", 1, 5);
    ck_assert_int_eq(a->seal(a, 1, &error), 0);
    ck_assert_double_nan(fake_archive_value(fake, "vm", METER_CPU, T0 + 60));
    a->confirm(a, 1);
    add_to(a, "vm", 2, 6);
    a->forget(a);
    fake->fail_seal = -ENOSPC;
    ck_assert_int_eq(a->seal(a, 2, &error), -ENOSPC);
    ck_assert_uint_eq(fake->confirmed, 1);
    ck_assert_double_eq(fake_archive_value(fake, "vm", METER_CPU, T0 + 60), 5);
    ck_assert_double_nan(fake_archive_value(fake, "vm", METER_CPU, T0 + 120));
    ck_assert_double_nan(fake_archive_value(fake, "vm", METER_MEMORY, T0 + 60));
    a->destroy(a);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("archive_files");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_reader_sees_what_was_confirmed_before_it_asked);
    tcase_add_test(t, a_question_never_overtakes_rows);
    tcase_add_test(t, rows_of_a_commit_that_was_rolled_back_never_happened);
    tcase_add_test(t, nothing_is_shown_before_the_ledger_has_it);
    tcase_add_test(t, a_meter_that_the_resource_has_not_is_told_so_and_never_anothers_column);
    tcase_add_test(t, another_producers_meter_is_read_by_its_name_or_as_a_rate);
    tcase_add_test(t, questions_that_make_no_sense_are_refused);
    tcase_add_test(t, a_range_without_end_and_a_file_in_the_far_future_harm_nobody);
    tcase_add_test(t, a_folder_belongs_to_one_archive);
    tcase_add_test(t, a_name_that_no_file_can_have_does_not_hold_up_the_ledger);
    tcase_add_test(t, what_waited_is_in_the_files_after_closing);
    tcase_add_test(t, readers_and_ingest_do_not_disturb_each_other);
    tcase_add_test(t, the_fake_keeps_confirmed_rows_for_a_test_to_see);
    suite_add_tcase(s, t);
    return test_run(s);
}
