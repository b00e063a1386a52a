/* Rule R11: what goes when the outbox is too large. A picture row is one record a letter, oldest first: the letter is
 * the entity, a capital an edge; below it what stays (-) and what goes (x). Each is 10 bytes. */
#include "pollers/thinning.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"

#define BYTES 10
#define MANY  20000

static const struct {
    const char *records;
    int64_t needed, freed;
    const char *fate;
} pictures[] = {
    {"aaaaaaaa", 0, 0, "--------"},     /* nothing is needed */
    {"aaaaaaaa", 30, 30, "-x-x-x--"},   /* every second, oldest first */
    {"aaaaaaaa", 11, 20, "-x-x----"},   /* no more than needed */
    {"aaaaaaaa", 40, 40, "-xxx-x--"},   /* again over what is left */
    {"aaaaaaaa", 1000, 60, "-xxxxxx-"}, /* the newest stays, and one as old as can be */
    {"AaaAaaA", 1000, 30, "--x-xx-"},   /* edges stay */
    {"AAAAAA", 1000, 0, "------"},      /* nothing but edges */
    {"abababab", 20, 20, "--xx----"},   /* each entity by itself */
    {"ab", 1000, 0, "--"},              /* each is its entity's newest */
    {"aaaaaab", 20, 20, "-x-x---"},
    {"", 1000, 0, ""},
};

START_TEST(readings_are_thinned_evenly)
{
    struct thinning_record records[16] = {0};
    const char *text = pictures[_i].records;
    size_t count = strlen(text);
    char fate[17] = {0};
    for (size_t i = 0; i < count; i++)
        records[i] =
            (struct thinning_record){.key = (uint64_t)tolower(text[i]), .bytes = BYTES, .edge = isupper(text[i]) != 0};
    ck_assert_int_eq(thinning_choose(records, count, pictures[_i].needed), pictures[_i].freed);
    for (size_t i = 0; i < count; i++)
        fate[i] = records[i].drop ? 'x' : '-';
    ck_assert_str_eq(fate, pictures[_i].fate);
}
END_TEST

/* Many entities at once: none loses an edge or its newest, and none is left with a longer hole than its neighbours. */
START_TEST(many_entities_lose_alike)
{
    enum { ENTITIES = 100 };
    struct thinning_record *records = calloc(MANY, sizeof *records);
    size_t left[ENTITIES] = {0};
    for (size_t i = 0; i < MANY; i++)
        records[i] = (struct thinning_record){.key = i % ENTITIES, .bytes = BYTES, .edge = i < ENTITIES};
    ck_assert_int_ge(thinning_choose(records, MANY, MANY * BYTES / 2), MANY * BYTES / 2);
    for (size_t i = 0; i < MANY; i++) {
        left[i % ENTITIES] += !records[i].drop;
        ck_assert(!records[i].drop || (i >= ENTITIES && i < MANY - ENTITIES));
    }
    for (size_t i = 1; i < ENTITIES; i++)
        ck_assert_int_le(labs((long)left[i] - (long)left[0]), 1);
    free(records);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("thinning");
    TCase *t = tcase_create("thinning");
    tcase_add_loop_test(t, readings_are_thinned_evenly, 0, sizeof pictures / sizeof pictures[0]);
    tcase_add_test(t, many_entities_lose_alike);
    suite_add_tcase(s, t);
    return test_run(s);
}
