/* Splitting usage over windows, and who pays for a moment. */
#include "collector/series/allocation.h"
#include "collector/series/split.h"
#include "pluvio/base/random.h"
#include "support/run.h"

static const struct split_row {
    int64_t amount, from, to, low, high, expected;
} split_rows[] = {
    {10, 0, 100, 0, 100, 10},
    {10, 0, 100, 0, 50, 5},
    {10, 0, 100, 50, 100, 5},
    {10, 0, 100, 100, 200, 0},
    {10, 0, 100, -50, 0, 0},
    {10, 0, 3, 0, 1, 3}, /* floor, and the rest is not lost */
    {10, 0, 3, 1, 2, 3},
    {10, 0, 3, 2, 3, 4},
    {10, 50, 50, 0, 100, 10}, /* without length: at its moment */
    {10, 50, 50, 50, 100, 10},
    {10, 50, 50, 0, 50, 0},
    {INT64_MAX, 0, 3600000, 0, 1800000, INT64_MAX / 2},
    {INT64_MAX, 0, 3600000, 1800000, 3600000, INT64_MAX / 2 + 1},
};

START_TEST(a_window_gets_its_share)
{
    const struct split_row *row = &split_rows[_i];
    ck_assert_int_eq(split_within(row->amount, row->from, row->to, row->low, row->high), row->expected);
}
END_TEST

START_TEST(windows_that_adjoin_lose_nothing_whatever_they_are)
{
    struct random_seeded r;
    random_seed(&r, (uint64_t)_i + 1);
    for (int k = 0; k < 200; k++) {
        int64_t from = (int64_t)random_below(&r.port, 1000), to = from + (int64_t)random_below(&r.port, 1000000);
        int64_t amount = (int64_t)(random_u64(&r.port) >> (1 + random_below(&r.port, 63))), sum = 0;
        for (int64_t at = 0, next; at <= to; at = next) {
            next = at + 1 + (int64_t)random_below(&r.port, 100000);
            int64_t share = split_within(amount, from, to, at, next);
            ck_assert_int_ge(share, 0);
            sum += share;
        }
        ck_assert_int_eq(sum, amount);
    }
}
END_TEST

/* ---- rule L4 ---- */

static const struct pay_row {
    const char *why;
    struct segment segments[3];
    size_t count;
    int64_t won[3];
} pay_rows[] = {
    {"one alone", {{.from_ms = 10, .to_ms = 70, .uid = 1}}, 1, {60}},
    {"apart", {{.from_ms = 0, .to_ms = 10, .uid = 1}, {.from_ms = 20, .to_ms = 30, .uid = 2}}, 2, {10, 10}},
    {"a running one before a stopped one that began later",
     {{.from_ms = 0, .to_ms = 50, .uid = 1, .running = true}, {.from_ms = 20, .to_ms = 80, .uid = 2}},
     2,
     {50, 30}},
    {"the later start among running ones",
     {{.from_ms = 0, .to_ms = 50, .uid = 9, .running = true}, {.from_ms = 20, .to_ms = 40, .uid = 2, .running = true}},
     2,
     {30, 20}},
    {"the larger id among equals",
     {{.from_ms = 0, .to_ms = 50, .uid = 1}, {.from_ms = 0, .to_ms = 50, .uid = 2}},
     2,
     {0, 50}},
    {"each moment once",
     {{.from_ms = 0, .to_ms = 90, .uid = 1},
      {.from_ms = 10, .to_ms = 40, .uid = 2, .running = true},
      {.from_ms = 30, .to_ms = 60, .uid = 3, .running = true}},
     3,
     {40, 20, 30}},
    {"outside of the window nothing",
     {{.from_ms = -50, .to_ms = 30, .uid = 1}, {.from_ms = 90, .to_ms = 150, .uid = 2}},
     2,
     {30, 10}},
};

START_TEST(each_moment_goes_to_one_segment_whatever_their_order)
{
    static const size_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const struct pay_row *row = &pay_rows[_i];
    for (size_t k = 0; k < 6; k++) {
        struct segment s[3];
        size_t n = 0, at[3];
        for (size_t i = 0; i < 3; i++) {
            if (orders[k][i] >= row->count)
                continue;
            at[n] = orders[k][i];
            s[n++] = row->segments[orders[k][i]];
        }
        ck_assert_int_eq(allocation_divide(s, n, 0, 100), 0);
        for (size_t i = 0; i < n; i++)
            ck_assert_msg(s[i].won_ms == row->won[at[i]], "%s: segment %zu", row->why, at[i]);
    }
}
END_TEST

START_TEST(a_division_of_parts_is_the_division_of_the_whole)
{
    struct random_seeded r;
    struct segment whole[6], part[6];
    random_seed(&r, (uint64_t)_i + 1);
    for (int k = 0; k < 100; k++) {
        for (size_t i = 0; i < 6; i++) {
            int64_t from = (int64_t)random_below(&r.port, 90);
            whole[i] = (struct segment){.from_ms = from,
                                        .to_ms = from + (int64_t)random_below(&r.port, 40),
                                        .uid = i,
                                        .running = random_below(&r.port, 2) > 0};
        }
        int64_t won[6] = {0}, cut = (int64_t)random_below(&r.port, 120);
        for (int half = 0; half < 2; half++) {
            for (size_t i = 0; i < 6; i++)
                part[i] = whole[i];
            ck_assert_int_eq(allocation_divide(part, 6, half ? cut : 0, half ? 200 : cut), 0);
            for (size_t i = 0; i < 6; i++)
                won[i] += part[i].won_ms;
        }
        ck_assert_int_eq(allocation_divide(whole, 6, 0, 200), 0);
        for (size_t i = 0; i < 6; i++)
            ck_assert_int_eq(won[i], whole[i].won_ms);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("series, pure");
    TCase *t = tcase_create("series, pure");
    tcase_add_loop_test(t, a_window_gets_its_share, 0, sizeof split_rows / sizeof split_rows[0]);
    tcase_add_loop_test(t, windows_that_adjoin_lose_nothing_whatever_they_are, 0, 10);
    tcase_add_loop_test(t, each_moment_goes_to_one_segment_whatever_their_order, 0,
                        sizeof pay_rows / sizeof pay_rows[0]);
    tcase_add_loop_test(t, a_division_of_parts_is_the_division_of_the_whole, 0, 10);
    suite_add_tcase(s, t);
    return test_run(s);
}
