/* Rule R11: what goes when the outbox is too large. A picture row is one record a letter, one a second, oldest first:
 * the letter is the entity, a capital an edge, a digit an event (1 of a, 2 of b); below it what stays (-) and what goes
 * (x) in a sweep of that gap. */
#include "pollers/thinning.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"

#define SECOND_MS 1000

static struct thinning *thinning;

static void set_up(void)
{
    thinning = thinning_create();
}

static void tear_down(void)
{
    thinning_destroy(thinning);
}

static const struct {
    const char *records;
    int64_t gap_ms;
    const char *fate;
    int64_t next_ms;
} pictures[] = {
    {"aaaaaaaa", 0, "--------", 2500}, /* nothing goes, but the next gap is known */
    {"aaaaaaaa", 1999, "--------", 3998},
    {"aaaaaaaa", 2500, "-x-x-x--", 5000},  /* every second */
    {"aaaaaaaa", 5000, "-xxxx-x-", 10000}, /* as many as the gap spans */
    {"aaaaaaaa", 100000, "-xxxxxx-", 0},   /* the oldest stays, and the newest */
    {"AaaAaaA", 100000, "-x--x--", 0},     /* edges stay, and what stands before them, of which they may say less */
    {"Aa-A", 100000, "-- -", 0},
    {"AAAAAA", 100000, "------", 0},
    {"abababab", 4000, "--xx----", 8000}, /* each entity by itself */
    {"ab", 100000, "--", 0},              /* each is its entity's newest */
    {"aaaaab", 100000, "-xxx--", 0},
    {"aa-----aaa", 3000, "--     -x-", 8750}, /* what stands about a gap stays */
    {"aa1", 100000, "--x", 0},                /* an event says nothing of what the reading said */
    {"1a1a1aA1", 100000, "x-xxx--x", 0},
    {"12", 0, "xx", 0},
    {"", 1000, "", 0},
};

START_TEST(readings_are_thinned_evenly)
{
    const char *text = pictures[_i].records;
    char fate[17] = {0};
    thinning_begin(thinning, pictures[_i].gap_ms);
    for (size_t i = 0; text[i]; i++) {
        struct thinning_record gone;
        bool event = isdigit(text[i]) != 0;
        struct thinning_record r = {.key = (uint64_t)(event ? text[i] - '1' + 'a' : tolower(text[i])),
                                    .event = event,
                                    .id = (int64_t)i,
                                    .time_ms = (int64_t)i * SECOND_MS,
                                    .edge = isupper(text[i]) != 0};
        fate[i] = text[i] == '-' ? ' ' : '-';
        if (fate[i] == '-' && thinning_next(thinning, &r, &gone))
            fate[gone.id] = 'x';
    }
    ck_assert_str_eq(fate, pictures[_i].fate);
    ck_assert_int_eq(thinning_next_gap_ms(thinning), pictures[_i].next_ms);
}
END_TEST

START_TEST(a_sweep_that_goes_on_is_followed_by_a_wider_one)
{
    thinning_resume(thinning, 2500);
    ck_assert_int_eq(thinning_next_gap_ms(thinning), 5000);
    thinning_resume(thinning, 0); /* none had begun */
    ck_assert_int_eq(thinning_next_gap_ms(thinning), 0);
}
END_TEST

/* A clock that is set back makes no reading redundant. */
START_TEST(what_came_before_a_clock_was_set_back_stays)
{
    static const int64_t times_ms[] = {5000, 6000, 7000, 1000, 2000, 3000};
    const char *fate[] = {"stays", "goes", "stays", "stays", "goes", "stays"};
    bool gone[6] = {false};
    thinning_begin(thinning, 2500);
    for (int i = 0; i < 6; i++) {
        struct thinning_record r = {.key = 1, .id = i, .time_ms = times_ms[i]}, out;
        if (thinning_next(thinning, &r, &out))
            gone[out.id] = true;
    }
    for (int i = 0; i < 6; i++)
        ck_assert_msg(gone[i] == (strcmp(fate[i], "goes") == 0), "record %d %s", i, gone[i] ? "goes" : "stays");
}
END_TEST

/* More entities than are told apart: none loses its newest to another, and what is known is still thinned. */
START_TEST(entities_beyond_the_limit_keep_all)
{
    enum { ENTITIES = 4 * THINNING_ENTITIES, ROUNDS = 4 };
    size_t gone = 0;
    thinning_begin(thinning, 10 * SECOND_MS);
    for (int64_t i = 0; i < ROUNDS * ENTITIES; i++) {
        struct thinning_record out,
            r = {.key = (uint64_t)(i % ENTITIES) * 0x9e3779b97f4a7c15u, .id = i, .time_ms = i / ENTITIES * SECOND_MS};
        if (!thinning_next(thinning, &r, &out))
            continue;
        gone++;
        ck_assert_int_eq(out.id % ENTITIES, i % ENTITIES);
        ck_assert_int_lt(out.id, i);
    }
    ck_assert_uint_ge(gone, THINNING_ENTITIES);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("thinning");
    TCase *t = tcase_create("thinning");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, readings_are_thinned_evenly, 0, sizeof pictures / sizeof pictures[0]);
    tcase_add_test(t, a_sweep_that_goes_on_is_followed_by_a_wider_one);
    tcase_add_test(t, what_came_before_a_clock_was_set_back_stays);
    tcase_add_test(t, entities_beyond_the_limit_keep_all);
    suite_add_tcase(s, t);
    return test_run(s);
}
