#include <errno.h>
#include <stdio.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"
#include "pluvio/base/map.h"
#include "pluvio/base/random.h"
#include "pluvio/base/timestamp.h"
#include "pluvio/base/wide.h"
#include "support/run.h"

static const struct {
    const char *text;
    int result;
    int64_t ms;
} moments[] = {
    {"1970-01-01T00:00:00Z", 0, 0},
    {"2000-02-29", 0, 951782400000},
    {"2026-11-24T10:23:00.250Z", 0, 1795515780250},
    {"2026-11-24 10:23:00", 0, 1795515780000},
    {"2026-11-24T12:23:00+02:00", 0, 1795515780000},
    {"1764000000", 0, 1764000000000},
    {"now", 0, 5000000},
    {"-1h", 0, 1400000},
    {"2026-02-29", -EINVAL, 0},
    {"2026-13-01", -EINVAL, 0},
    {"2026-11-24T25:00:00Z", -EINVAL, 0},
    {"2026-11-24T10:23:00Zx", -EINVAL, 0},
    {"yesterday", -EINVAL, 0},
    {"", -EINVAL, 0},
};

START_TEST(a_moment_is_read_or_refused)
{
    int64_t ms = 0;
    ck_assert_int_eq(timestamp_parse(text_of(moments[_i].text), 5000000, &ms), moments[_i].result);
    ck_assert_int_eq(ms, moments[_i].ms);
}
END_TEST

START_TEST(a_moment_survives_print_and_read)
{
    struct random_seeded r;
    random_seed(&r, 7);
    for (int i = 0; i < 2000; i++) {
        char out[TIMESTAMP_SIZE];
        int64_t ms = (int64_t)random_below(&r.port, 7000000000000ULL), back;
        ck_assert_int_eq(timestamp_parse(text_of(timestamp_format(ms, out)), 0, &back), 0);
        ck_assert_int_eq(back, ms);
        ck_assert(month_start_ms(ms) <= ms && ms < month_next_ms(ms));
    }
}
END_TEST

START_TEST(durations_have_units)
{
    char out[TIMESTAMP_SIZE];
    int64_t ms;
    ck_assert_int_eq(duration_parse(TEXT("5min"), &ms), 0);
    ck_assert_int_eq(ms, 300000);
    ck_assert_str_eq(duration_format(ms, out), "5min");
    ck_assert_int_eq(duration_parse(TEXT("10"), &ms), -EINVAL);
    ck_assert_int_eq(duration_parse(TEXT("1y"), &ms), -EINVAL);
    ck_assert_int_eq(duration_parse(TEXT("9999999999999999999d"), &ms), -ERANGE);
}
END_TEST

START_TEST(packed_numbers_come_back)
{
    struct random_seeded r;
    random_seed(&r, 3);
    struct buf b = {0};
    int64_t values[500];
    for (int i = 0; i < 500; i++) {
        values[i] = (int64_t)(random_u64(&r.port) >> random_below(&r.port, 64)) * (i % 2 ? 1 : -1);
        buf_add_signed(&b, values[i]);
        buf_add_varint(&b, (uint64_t)values[i]);
        buf_add_sized(&b, TEXT("abc"));
    }
    struct unpack u = unpack_text(buf_text(&b));
    for (int i = 0; i < 500; i++) {
        ck_assert_int_eq(unpack_signed(&u), values[i]);
        ck_assert_uint_eq(unpack_varint(&u), (uint64_t)values[i]);
        ck_assert(text_equal(unpack_sized(&u), TEXT("abc")));
    }
    ck_assert(!u.failed);
    unpack_varint(&u);
    ck_assert(u.failed);
    buf_free(&b);
}
END_TEST

START_TEST(a_length_past_the_end_is_refused)
{
    struct unpack u = unpack_text(TEXT("\x05"
                                       "abc"));
    ck_assert_uint_eq(unpack_sized(&u).len, 0);
    ck_assert(u.failed);
}
END_TEST

START_TEST(a_map_keeps_what_was_put_through_removals)
{
    static char keys[1000][8];
    struct map m = {0};
    for (int i = 0; i < 1000; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        ck_assert_int_eq(map_put(&m, text_of(keys[i]), keys[i]), 0);
    }
    for (int i = 0; i < 1000; i += 3)
        ck_assert_ptr_eq(map_take(&m, text_of(keys[i])), keys[i]);
    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_eq(map_get(&m, text_of(keys[i])), i % 3 ? keys[i] : NULL);
    size_t cursor = 0, seen = 0;
    while (map_next(&m, &cursor))
        seen++;
    ck_assert_uint_eq(seen, m.count);
    map_free(&m);
}
END_TEST

START_TEST(wide_numbers_print_and_read)
{
    char out[WIDE_SIZE];
    wide big = (wide)INT64_MAX * 1000000, back;
    ck_assert_str_eq(wide_format(big, out), "9223372036854775807000000");
    ck_assert(wide_parse(text_of(out), &back) && back == big);
    ck_assert_str_eq(wide_format(-big, out), "-9223372036854775807000000");
    ck_assert(wide_parse(text_of(out), &back) && back == -big);
    ck_assert(!wide_parse(TEXT("1x"), &back));
}
END_TEST

START_TEST(numbers_that_do_not_fit_are_refused)
{
    int64_t i;
    uint64_t u;
    ck_assert(text_to_i64(TEXT("-9223372036854775808"), &i) && i == INT64_MIN);
    ck_assert(!text_to_i64(TEXT("9223372036854775808"), &i));
    ck_assert(!text_to_u64(TEXT("18446744073709551616"), &u));
    ck_assert(!text_to_u64(TEXT(""), &u));
}
END_TEST

START_TEST(an_error_can_be_prefixed)
{
    struct error e = {0};
    ck_assert_int_eq(error_set(&e, -EIO, "disk %d", 3), -EIO);
    error_prefix(&e, "ledger");
    ck_assert_str_eq(e.text, "ledger: disk 3");
    ck_assert_int_eq(e.code, -EIO);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("base");
    TCase *t = tcase_create("base");
    tcase_add_loop_test(t, a_moment_is_read_or_refused, 0, sizeof moments / sizeof moments[0]);
    tcase_add_test(t, a_moment_survives_print_and_read);
    tcase_add_test(t, durations_have_units);
    tcase_add_test(t, packed_numbers_come_back);
    tcase_add_test(t, a_length_past_the_end_is_refused);
    tcase_add_test(t, a_map_keeps_what_was_put_through_removals);
    tcase_add_test(t, wide_numbers_print_and_read);
    tcase_add_test(t, numbers_that_do_not_fit_are_refused);
    tcase_add_test(t, an_error_can_be_prefixed);
    suite_add_tcase(s, t);
    return test_run(s);
}
