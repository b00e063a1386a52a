/* The archive's pure parts: names, policies, rows as bytes and as text, derived series. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "collector/archive/archive_name.h"
#include "collector/archive/archive_policy.h"
#include "collector/archive/archive_rows.h"
#include "collector/archive/derive.h"
#include "collector/archive/rrd_text.h"
#include "support/run.h"

#define DAY 86400

START_TEST(every_meter_has_a_column_of_its_own_in_its_kinds_file)
{
    for (int i = 0; i < METERS; i++) {
        const struct meter *m = meter_at((enum meter_id)i);
        int column = archive_column(m);
        ck_assert_int_ge(column, 0);
        ck_assert_ptr_eq(archive_layout(m->kind)->columns[column], m);
    }
    ck_assert_uint_eq(archive_layout(RESOURCE_OTHER)->count, 1);
    ck_assert_ptr_null(archive_layout(RESOURCE_OTHER)->columns[0]);
}
END_TEST

static const char *name_of(const char *resource, const char *meter, struct buf *out)
{
    buf_clear(out);
    archive_name(text_of(resource), text_of(meter), out);
    return buf_terminate(out);
}

START_TEST(a_name_is_one_file_in_one_shard_whatever_a_producer_sends)
{
    static const char *const nasty[] = {"..",  "../../etc/passwd", "a/b", ".hidden", "a:b", "a%2Fb", "\n",
                                        "a@b", "\xff\xfe"};
    struct buf name = {0};
    for (size_t i = 0; i < sizeof nasty / sizeof nasty[0]; i++) {
        const char *s = name_of(nasty[i], NULL, &name);
        ck_assert_ptr_eq(strchr(s, '/'), s + 2);
        ck_assert_ptr_eq(strrchr(s, '/'), s + 2);
        ck_assert_int_ne(s[3], '.');
        ck_assert_ptr_null(strpbrk(s, ":\n"));
        ck_assert_str_eq(s + strlen(s) - 4, ".rrd");
    }
    buf_free(&name);
}
END_TEST

START_TEST(different_resources_never_share_a_file)
{
    static const char *const pairs[][4] = {{"a%b", "", "a%25b", ""},
                                           {"a@b", "", "a", "b"},
                                           {"a/b", "", "a%2Fb", ""},
                                           {"A", "", "a", ""},
                                           {"a", "b.rate", "a", "b"}};
    struct buf one = {0}, other = {0};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        ck_assert_str_ne(name_of(pairs[i][0], pairs[i][1], &one) + 3, name_of(pairs[i][2], pairs[i][3], &other) + 3);
    char x[601], y[601];
    memset(x, 'x', 600);
    x[600] = 0;
    memcpy(y, x, sizeof y);
    y[599] = 'y';
    ck_assert_str_ne(name_of(x, NULL, &one) + 3, name_of(y, NULL, &other) + 3);
    ck_assert_uint_le(strlen(one.data + 3), 255 - strlen(".damaged-") - 20);
    buf_free(&one);
    buf_free(&other);
}
END_TEST

START_TEST(the_default_policy_is_sixty_seconds_for_a_day_and_scales_with_the_step)
{
    struct archive_policy p;
    ck_assert_int_eq(archive_policy("default", 60, &p), 0);
    ck_assert_int_eq(p.lines[0].step_s, 60);
    ck_assert_int_eq(p.lines[0].keep_s, DAY);
    ck_assert_int_eq(p.lines[1].keep_s, 5 * DAY);
    ck_assert_int_eq(archive_policy("default", 10, &p), 0);
    ck_assert_int_eq(p.lines[0].step_s, 10);
    ck_assert_int_eq(p.lines[0].keep_s, DAY);
    ck_assert_int_eq(p.lines[1].step_s, 300);
    ck_assert_int_eq(archive_policy("default", 300, &p), 0);
    ck_assert_uint_eq(p.count, 3);
    ck_assert_int_eq(p.lines[0].keep_s, 5 * DAY);
}
END_TEST

START_TEST(a_policy_or_step_that_does_not_exist_is_refused)
{
    static const int64_t steps[] = {0, -60, 7, 301, 3600};
    struct archive_policy p;
    ck_assert_int_eq(archive_policy("huge", 60, &p), -EINVAL);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        ck_assert_int_eq(archive_policy("low", steps[i], &p), -EINVAL);
}
END_TEST

START_TEST(a_question_gets_the_finest_line_that_covers_it_and_never_a_finer_step_than_asked)
{
    struct archive_policy p;
    int64_t last = 1000 * DAY + 60 * 17;
    ck_assert_int_eq(archive_policy("default", 60, &p), 0);
    struct {
        int64_t age_s, step_s;
        bool average;
        int64_t expected_s;
    } rows[] = {
        {3600, 0, true, 60},        {DAY, 0, true, 60},         {DAY + 1, 0, true, 300},     {3600, 0, false, 300},
        {3600, 100, true, 300},     {3600, 300, true, 300},     {3600, 301, true, 3600},     {30 * DAY, 0, true, 3600},
        {300 * DAY, 60, true, DAY}, {3000 * DAY, 0, true, DAY}, {3600, 99999999, true, DAY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_int_eq(archive_policy_line(&p, last - rows[i].age_s, last, rows[i].step_s, rows[i].average)->step_s,
                         rows[i].expected_s);
}
END_TEST

static double text_value(double v)
{
    struct buf out = {0};
    rrd_text_row(&out, 60, &v, 1);
    ck_assert_int_eq(out.data[out.len - 1], 0);
    double back = strtod(strchr(out.data, ':') + 1, NULL);
    buf_free(&out);
    return back;
}

START_TEST(whole_numbers_below_2_to_the_53_are_exact_as_text)
{
    static const double whole[] = {0, 1, -1, 10, 999, 1e15, 123456789012345, 9007199254740991, -9007199254740991};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        ck_assert_double_eq(text_value(whole[i]), whole[i]);
}
END_TEST

START_TEST(other_numbers_keep_fifteen_digits_as_text)
{
    static const double numbers[] = {0.1,  1.0 / 3,  -1.0 / 3, 2.0 / 3 * 1e6, 0.999999999999999, 1e14 + 0.5, 1e-6,
                                     1e-7, 3.3e-300, 1.7e308,  9.99e15,       1e16 + 2,          12345.678};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        ck_assert_double_le(fabs(text_value(numbers[i]) / numbers[i] - 1), 6e-15);
}
END_TEST

START_TEST(what_is_no_number_is_unknown_as_text)
{
    double values[] = {NAN, INFINITY, -INFINITY, 5};
    struct buf out = {0};
    rrd_text_row(&out, 600, values, 4);
    ck_assert_str_eq(out.data, "600:U:U:U:5");
    buf_clear(&out);
    rrd_text_row(&out, 600, NULL, 2);
    ck_assert_str_eq(out.data, "600:U:U");
    buf_free(&out);
}
END_TEST

static void pack_two(struct buf *out)
{
    double disk[ARCHIVE_MAX_COLUMNS], one = 0.25;
    for (int i = 0; i < ARCHIVE_MAX_COLUMNS; i++)
        disk[i] = i % 3 ? i * 1.5 : NAN;
    struct archive_row first = {.resource = TEXT("vm-vda"), .kind = RESOURCE_DISK, .step_end_s = 120, .values = disk};
    struct archive_row second = {
        .resource = TEXT("x"), .meter = TEXT("load"), .kind = RESOURCE_OTHER, .step_end_s = 180, .values = &one};
    ck_assert_int_eq(archive_row_pack(&first, out), 0);
    ck_assert_int_eq(archive_row_pack(&second, out), 0);
}

START_TEST(rows_come_back_as_they_were_packed)
{
    struct buf bytes = {0};
    struct archive_row row;
    double values[ARCHIVE_MAX_COLUMNS];
    pack_two(&bytes);
    struct text rest = buf_text(&bytes);
    ck_assert_int_eq(archive_row_unpack(&rest, &row, values), ARCHIVE_ROW_GOOD);
    ck_assert(text_equal(row.resource, TEXT("vm-vda")) && row.kind == RESOURCE_DISK && row.step_end_s == 120);
    for (size_t i = 0; i < archive_layout(RESOURCE_DISK)->count; i++)
        ck_assert(i % 3 ? row.values[i] == (double)i * 1.5 : isnan(row.values[i]));
    ck_assert_int_eq(archive_row_unpack(&rest, &row, values), ARCHIVE_ROW_GOOD);
    ck_assert(text_equal(row.meter, TEXT("load")) && row.values[0] == 0.25 && row.step_end_s == 180);
    ck_assert_int_eq(archive_row_unpack(&rest, &row, values), ARCHIVE_ROW_END);
    buf_free(&bytes);
}
END_TEST

START_TEST(rows_that_are_cut_anywhere_are_damaged_and_never_read_past_their_end)
{
    struct buf bytes = {0};
    struct archive_row row;
    double values[ARCHIVE_MAX_COLUMNS];
    pack_two(&bytes);
    for (size_t len = 1; len < bytes.len; len++) {
        char *copy = malloc(len); /* of exactly that size, for the sanitizer */
        memcpy(copy, bytes.data, len);
        struct text rest = {copy, len};
        enum archive_row_result r;
        while ((r = archive_row_unpack(&rest, &row, values)) == ARCHIVE_ROW_GOOD)
            continue;
        bool between = r == ARCHIVE_ROW_END;
        ck_assert(r == ARCHIVE_ROW_DAMAGED || between);
        free(copy);
    }
    buf_free(&bytes);
}
END_TEST

START_TEST(a_row_of_another_versions_layout_is_told_and_stepped_over)
{
    struct buf bytes = {0};
    struct archive_row row;
    double values[ARCHIVE_MAX_COLUMNS];
    pack_two(&bytes);
    bytes.data[1]++; /* a column more than the layout has */
    struct text rest = buf_text(&bytes);
    ck_assert_int_eq(archive_row_unpack(&rest, &row, values), ARCHIVE_ROW_OTHER_LAYOUT);
    ck_assert_int_eq(archive_row_unpack(&rest, &row, values), ARCHIVE_ROW_GOOD);
    buf_free(&bytes);
}
END_TEST

START_TEST(a_name_that_is_empty_or_too_long_is_refused)
{
    static const char long_name[ARCHIVE_MAX_NAME + 1] = {'x'};
    struct buf bytes = {0};
    double one = 1;
    struct archive_row row = {.resource = {long_name, sizeof long_name}, .kind = RESOURCE_OTHER, .values = &one};
    ck_assert_int_eq(archive_row_pack(&row, &bytes), -EINVAL);
    row.resource = (struct text){0};
    ck_assert_int_eq(archive_row_pack(&row, &bytes), -EINVAL);
    ck_assert_uint_eq(bytes.len, 0);
    buf_free(&bytes);
}
END_TEST

static double derived(const char *name, int64_t step_s)
{
    double row[ARCHIVE_MAX_COLUMNS];
    struct derivation d;
    for (int i = 0; i < ARCHIVE_MAX_COLUMNS; i++)
        row[i] = NAN;
    row[archive_column(meter_at(METER_CPU))] = 5e8;
    row[archive_column(meter_at(METER_VCPUS))] = 2;
    ck_assert(derive(text_of(name), &d));
    return derive_value(&d, row, step_s);
}

START_TEST(usage_rate_and_utilisation_follow_from_the_stored_rate)
{
    ck_assert_double_eq(derived("cpu", 300), 1.5e11);
    ck_assert_double_eq(derived("cpu.rate", 300), 5e8);
    ck_assert_double_eq(derived("cpu_util", 300), 25);
    ck_assert_double_eq(derived("vcpus", 300), 2);
    ck_assert_double_nan(derived("vcpu.wait", 300));
}
END_TEST

START_TEST(utilisation_is_unknown_where_the_vcpus_are)
{
    struct derivation d;
    double row[ARCHIVE_MAX_COLUMNS] = {0};
    ck_assert(derive(TEXT("cpu_util"), &d));
    row[archive_column(meter_at(METER_CPU))] = 5e8;
    ck_assert_double_nan(derive_value(&d, row, 60));
}
END_TEST

START_TEST(only_counters_have_a_rate)
{
    struct derivation d;
    ck_assert(derive(TEXT("disk.device.read.bytes.rate"), &d));
    ck_assert_str_eq(d.unit, "B/s");
    ck_assert(!derive(TEXT("memory.rate"), &d));
    ck_assert(!derive(TEXT("cpu.rate.rate"), &d));
    ck_assert(!derive(TEXT(".rate"), &d));
    ck_assert(!derive(TEXT("nothing"), &d));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("archive_pure");
    TCase *t = tcase_create("all");
    tcase_add_test(t, every_meter_has_a_column_of_its_own_in_its_kinds_file);
    tcase_add_test(t, a_name_is_one_file_in_one_shard_whatever_a_producer_sends);
    tcase_add_test(t, different_resources_never_share_a_file);
    tcase_add_test(t, the_default_policy_is_sixty_seconds_for_a_day_and_scales_with_the_step);
    tcase_add_test(t, a_policy_or_step_that_does_not_exist_is_refused);
    tcase_add_test(t, a_question_gets_the_finest_line_that_covers_it_and_never_a_finer_step_than_asked);
    tcase_add_test(t, whole_numbers_below_2_to_the_53_are_exact_as_text);
    tcase_add_test(t, other_numbers_keep_fifteen_digits_as_text);
    tcase_add_test(t, what_is_no_number_is_unknown_as_text);
    tcase_add_test(t, rows_come_back_as_they_were_packed);
    tcase_add_test(t, rows_that_are_cut_anywhere_are_damaged_and_never_read_past_their_end);
    tcase_add_test(t, a_row_of_another_versions_layout_is_told_and_stepped_over);
    tcase_add_test(t, a_name_that_is_empty_or_too_long_is_refused);
    tcase_add_test(t, usage_rate_and_utilisation_follow_from_the_stored_rate);
    tcase_add_test(t, utilisation_is_unknown_where_the_vcpus_are);
    tcase_add_test(t, only_counters_have_a_rate);
    suite_add_tcase(s, t);
    return test_run(s);
}
