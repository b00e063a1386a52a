#include "pluvio/config/suggest.h"
#include "support/run.h"

static const char *const names[] = {"interval", "listen", "archive.step", "archive.keep", "log-level", "a"};

static const struct {
    const char *sentence, *wrong, *nearest;
} rows[] = {
    {"the name itself", "interval", "interval"},
    {"a letter too few", "interva", "interval"},
    {"a letter too many", "intervall", "interval"},
    {"another letter", "intervel", "interval"},
    {"two neighbours swapped, which is one step", "itnerval", "interval"},
    {"two swaps", "itnervla", "interval"},
    {"two letters off a short name", "lisp", NULL},
    {"the nearer of two", "archive.stop", "archive.step"},
    {"a third of the letters off a long name", "arhcive.sept", "archive.step"},
    {"more than a third off", "xrxhxvx.stxp", NULL},
    {"capitals", "LISTEN", NULL},
    {"nothing", "", NULL},
    {"one letter, which any other name of one could be", "b", NULL},
    {"something else", "quite-another-thing", NULL},
};

START_TEST(the_nearest_name_is_found_or_none)
{
    const char *nearest = suggest(rows[_i].wrong, names, sizeof names / sizeof names[0]);
    if (rows[_i].nearest)
        ck_assert_msg(nearest && strcmp(nearest, rows[_i].nearest) == 0, "%s: %s", rows[_i].sentence,
                      nearest ? nearest : "none");
    else
        ck_assert_msg(!nearest, "%s: %s", rows[_i].sentence, nearest);
}
END_TEST

START_TEST(of_names_as_near_the_first_is_taken)
{
    static const char *const near[] = {"stop", "step"};
    ck_assert_str_eq(suggest("stap", near, 2), "stop");
}
END_TEST

START_TEST(very_long_names_have_no_nearest)
{
    static char wrong[300], right[300];
    memset(wrong, 'a', sizeof wrong - 1);
    memset(right, 'a', sizeof right - 1);
    const char *const one[] = {right};
    ck_assert_ptr_null(suggest(wrong, one, 1));
    ck_assert_ptr_null(suggest("aaaa", one, 1));
    ck_assert_ptr_null(suggest("aaaa", NULL, 0));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("suggest");
    TCase *t = tcase_create("suggest");
    tcase_add_loop_test(t, the_nearest_name_is_found_or_none, 0, (int)(sizeof rows / sizeof rows[0]));
    tcase_add_test(t, of_names_as_near_the_first_is_taken);
    tcase_add_test(t, very_long_names_have_no_nearest);
    suite_add_tcase(s, t);
    return test_run(s);
}
