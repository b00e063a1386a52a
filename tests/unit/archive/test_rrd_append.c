/* Rows appended without librrd make the file that librrd makes of them. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/archive/archive_policy.h"
#include "collector/archive/rrd_append.h"
#include "collector/archive/rrd_file.h"
#include "collector/archive/rrd_text.h"
#include "support/folder.h"
#include "support/run.h"

#define T0       1700006400LL /* on a day's boundary */
#define MAX_LUMP 60

static struct twins {
    char folder[FOLDER_SIZE], ours[FOLDER_SIZE + 16], theirs[FOLDER_SIZE + 16];
    enum resource_kind kind;
    size_t columns;
    struct archive_policy policy;
    struct rrd_appender appender;
    int64_t last_s;
    struct error error;
} t;

static void begin(enum resource_kind kind, const char *policy, int64_t step_s)
{
    t.kind = kind;
    t.columns = archive_layout(kind)->count;
    t.last_s = T0 - 7 * step_s;
    ck_assert_int_eq(archive_policy(policy, step_s, &t.policy), 0);
    ck_assert_int_eq(rrd_file_create(t.ours, kind, &t.policy, t.last_s, &t.error), 0);
    ck_assert_int_eq(rrd_file_create(t.theirs, kind, &t.policy, t.last_s, &t.error), 0);
}

static void set_up(void)
{
    memset(&t, 0, sizeof t);
    folder_make(t.folder);
    folder_path(t.folder, "ours.rrd", t.ours, sizeof t.ours);
    folder_path(t.folder, "theirs.rrd", t.theirs, sizeof t.theirs);
}

static void tear_down(void)
{
    rrd_appender_finish(&t.appender);
    folder_remove(t.folder);
}

/* Numbers that are the same as text; some unknown, and some columns unknown for long. */
static double any_value(uint64_t *seed, size_t column, int64_t end_s)
{
    uint64_t r = (*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL) >> 33;
    if (r % 7 == 0 || (column % 5 == 4 && end_s / 20000 % 2))
        return NAN;
    return (double)((int64_t)(r % 2000001) - 1000000) / 4.0;
}

static void make_rows(double *rows, size_t count, uint64_t *seed)
{
    for (size_t i = 0; i < count; i++) {
        double *row = rows + i * (t.columns + 1);
        row[0] = (double)(t.last_s += t.policy.lines[0].step_s);
        for (size_t c = 0; c < t.columns; c++)
            row[1 + c] = any_value(seed, c, t.last_s);
    }
}

static void give_theirs(const double *rows, size_t count)
{
    struct buf text = {0};
    const char *list[MAX_LUMP];
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        rrd_text_row(&text, (int64_t)rows[i * (t.columns + 1)], rows + i * (t.columns + 1) + 1, t.columns);
    for (size_t i = 0; i < count; i++, at += strlen(text.data + at) + 1)
        list[i] = text.data + at;
    ck_assert_msg(rrd_file_update(t.theirs, list, (int)count, &t.error) == 0, "%s", t.error.text);
    buf_free(&text);
}

static int give_ours(const double *rows, size_t count)
{
    int r = rrd_append_open(&t.appender, t.ours, t.kind, &t.policy, rows, count, &t.error);
    return r ? r : rrd_append_write(&t.appender);
}

static struct buf whole(const char *path)
{
    struct buf b = {0};
    struct stat st;
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fstat(fileno(f), &st), 0);
    ck_assert_ptr_nonnull(buf_reserve(&b, (size_t)st.st_size));
    b.len = fread(b.data, 1, (size_t)st.st_size, f);
    fclose(f);
    return b;
}

/* librrd puts a file's rings in a place by chance; a not-a-number has many forms. Eight bytes at a time: all in the
 * format stands at multiples of eight but for texts. */
static void assert_same_files(void)
{
    struct buf ours = whole(t.ours), theirs = whole(t.theirs);
    ck_assert_uint_eq(ours.len, theirs.len);
    for (size_t at = 0; at + 8 <= ours.len; at += 8) {
        double a, b;
        memcpy(&a, ours.data + at, 8);
        memcpy(&b, theirs.data + at, 8);
        ck_assert_msg((isnan(a) && isnan(b)) || memcmp(ours.data + at, theirs.data + at, 8) == 0,
                      "byte %zu: %.17g here, %.17g there", at, a, b);
    }
    buf_free(&ours);
    buf_free(&theirs);
}

/* Both begin as one file, so that the rings begin at one place. */
static void make_equal(void)
{
    struct buf b = whole(t.theirs);
    FILE *f = fopen(t.ours, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(b.data, 1, b.len, f), b.len);
    fclose(f);
    buf_free(&b);
}

static const struct {
    enum resource_kind kind;
    const char *policy;
    int64_t step_s;
    int lumps;
} files[] = {
    {RESOURCE_INSTANCE, "medium", 60, 60}, {RESOURCE_DISK, "low", 60, 60},       {RESOURCE_INTERFACE, "high", 15, 200},
    {RESOURCE_HOST, "low", 300, 60},       {RESOURCE_OTHER, "medium", 100, 200}, {RESOURCE_DISK, "low", 1, 700},
};

START_TEST(what_is_appended_is_what_librrd_makes_of_it)
{
    double *rows = calloc(MAX_LUMP * (ARCHIVE_MAX_COLUMNS + 1), sizeof *rows);
    uint64_t seed = (uint64_t)_i + 1;
    begin(files[_i].kind, files[_i].policy, files[_i].step_s);
    make_equal();

    for (int lump = 0; lump < files[_i].lumps; lump++) {
        size_t count = 1 + (size_t)(seed >> 40) % MAX_LUMP;
        make_rows(rows, count, &seed);
        give_theirs(rows, count);
        ck_assert_msg(give_ours(rows, count) == 0, "%s", t.error.text);
    }

    assert_same_files();
    free(rows);
}
END_TEST

START_TEST(after_librrd_wrote_a_gap_rows_are_appended_again)
{
    double rows[3 * (ARCHIVE_MAX_COLUMNS + 1)];
    uint64_t seed = 9;
    begin(RESOURCE_DISK, "medium", 60);
    t.last_s += 6000;
    make_rows(rows, 3, &seed);
    give_theirs(rows, 3);
    make_equal();

    make_rows(rows, 3, &seed);
    give_theirs(rows, 3);
    ck_assert_int_eq(give_ours(rows, 3), 0);

    assert_same_files();
}
END_TEST

START_TEST(rows_after_a_gap_are_left_to_librrd)
{
    double rows[2 * (ARCHIVE_MAX_COLUMNS + 1)];
    uint64_t seed = 3;
    begin(RESOURCE_DISK, "medium", 60);
    make_equal();
    t.last_s += 60;
    make_rows(rows, 2, &seed);

    ck_assert_int_eq(give_ours(rows, 2), -ENOTSUP);

    assert_same_files();
}
END_TEST

/* Sources with bounds, a part of a step that waits, a ring of another function, a byte too few. */
static const struct {
    long at; /* from the file's begin; negative: cut so much off its end */
    const char *bytes;
    size_t len;
} oddities[] = {
    {0, "XRD", 3},
    {4, "0001", 4},
    {16, "\0\0\0\0\0\0\0\0", 8},
    {24, "\5", 1},
    {40, "\73", 1},
    {128 + 20, "COUNTER", 8},
    {128 + 40, "\1\0", 2},
    {128 + 48, "\0\0\0\0\0\0\360\77", 8},
    {128 + 9 * 120, "LAST\0\0\0", 8},
    {-8, "", 0},
};

START_TEST(a_file_that_looks_otherwise_is_left_to_librrd)
{
    double rows[ARCHIVE_MAX_COLUMNS + 1];
    uint64_t seed = 3;
    struct stat st;
    begin(RESOURCE_DISK, "medium", 60);
    ck_assert_int_eq(stat(t.ours, &st), 0);
    FILE *f = fopen(t.ours, "r+b");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, oddities[_i].at < 0 ? 0 : oddities[_i].at, SEEK_SET), 0);
    ck_assert_uint_eq(fwrite(oddities[_i].bytes, 1, oddities[_i].len, f), oddities[_i].len);
    if (oddities[_i].at < 0)
        ck_assert_int_eq(ftruncate(fileno(f), st.st_size + oddities[_i].at), 0);
    fclose(f);
    make_rows(rows, 1, &seed);

    ck_assert_int_eq(give_ours(rows, 1), -ENOTSUP);
}
END_TEST

START_TEST(a_missing_file_is_an_error)
{
    double rows[ARCHIVE_MAX_COLUMNS + 1] = {(double)T0};
    ck_assert_int_eq(archive_policy("medium", 60, &t.policy), 0);
    t.kind = RESOURCE_DISK;

    ck_assert_int_eq(give_ours(rows, 1), -ENOENT);
    ck_assert_ptr_nonnull(strstr(t.error.text, "ours.rrd"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rrd_append");
    TCase *c = tcase_create("rrd_append");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_loop_test(c, what_is_appended_is_what_librrd_makes_of_it, 0, sizeof files / sizeof files[0]);
    tcase_add_test(c, after_librrd_wrote_a_gap_rows_are_appended_again);
    tcase_add_test(c, rows_after_a_gap_are_left_to_librrd);
    tcase_add_loop_test(c, a_file_that_looks_otherwise_is_left_to_librrd, 0, sizeof oddities / sizeof oddities[0]);
    tcase_add_test(c, a_missing_file_is_an_error);
    suite_add_tcase(s, c);
    return test_run(s);
}
