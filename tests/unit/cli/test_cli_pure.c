/* Human units, tables, and the grammar. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cli/command.h"
#include "api/cli/human.h"
#include "api/cli/nouns.h"
#include "pluvio/base/table.h"
#include "support/run.h"

static const struct {
    const char *quantity, *unit, *says;
} quantities[] = {
    {"0", "B", "0.00 B"},
    {"1023", "B", "1023 B"},
    {"1536", "B", "1.50 KiB"},
    {"1048575", "B", "1.00 MiB"},
    {"3435973837", "B", "3.20 GiB"},
    {"-1536", "B", "-1.50 KiB"},
    {"9223372036854775807000", "B", "8000 EiB"},
    {"5400000000000", "ns", "1.50 h"},
    {"90000000000", "ns", "1.50 min"},
    {"999", "ns", "999 ns"},
    {"14400000", "vcpu*ms", "4.00 vcpu h"},
    {"3600000", "instance*ms", "1.00 instance h"},
    {"7372800000", "MiB*ms", "2.00 GiB h"},
    {"12345678", "request", "12.3 M"},
    {"9999", "request", ""},
};

START_TEST(quantity_is_told_in_a_unit_that_can_be_imagined)
{
    char out[HUMAN_SIZE];
    wide q;
    ck_assert(wide_parse(text_of(quantities[_i].quantity), &q));
    ck_assert_str_eq(human_quantity(q, text_of(quantities[_i].unit), out), quantities[_i].says);
}
END_TEST

static char *printed(const struct table *t, int (*print)(const struct table *, FILE *))
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(print(t, out), 0);
    fclose(out);
    return text;
}

START_TEST(table_is_aligned_by_characters)
{
    struct table t = {0};
    table_column(&t, "name", false);
    table_column(&t, "n", true);
    table_column(&t, "unit", false);
    table_cell(&t, TEXT("z\xc3\xbcrich"));
    table_cell(&t, TEXT("7"));
    table_cell(&t, TEXT("B"));
    table_cell(&t, TEXT("ab"));
    table_cell(&t, TEXT("1234"));
    table_cell(&t, TEXT("ns"));
    char *text = printed(&t, table_print);
    ck_assert_str_eq(text, "name       n  unit\n"
                           "z\xc3\xbcrich     7  B\n"
                           "ab      1234  ns\n");
    free(text);
    table_free(&t);
}
END_TEST

/* A VM's name is its owner's to choose, and the terminal is the operator's. */
START_TEST(table_prints_no_terminal_commands)
{
    struct table t = {0};
    table_column(&t, "name", false);
    table_cell(&t, TEXT("a\x1b[2Jb\r\nc\xc2\x9b"
                        "d\x7f"));
    char *text = printed(&t, table_print);
    for (const char *c = strchr(text, '\n') + 1; *c && c[1]; c++)
        ck_assert_msg((unsigned char)*c >= 0x20 && *c != 0x7f && (unsigned char)*c != 0x9b, "%s", text);
    free(text);
    table_free(&t);
}
END_TEST

START_TEST(csv_keeps_what_the_table_hides)
{
    struct table t = {0};
    table_column(&t, "name", false);
    table_column(&t, "b", false);
    table_cell(&t, TEXT("a,\"b\"\n"));
    table_cell(&t, TEXT(""));
    char *text = printed(&t, table_print_csv);
    ck_assert_str_eq(text, "name,b\r\n\"a,\"\"b\"\"\n\",\r\n");
    free(text);
    table_free(&t);
}
END_TEST

static struct command c;
static struct buf why;

static bool parse(int argc, const char *const *words)
{
    static const struct cli cli = {.api = ""};
    buf_clear(&why);
    bool ok = command_parse(&c, &cli, argc, (char **)words, &why);
    buf_terminate(&why);
    return ok;
}
#define PARSE(...)                                                                                                     \
    parse((int)(sizeof((const char *[]){"pluvio", __VA_ARGS__}) / sizeof(char *)),                                     \
          (const char *[]){"pluvio", __VA_ARGS__})

START_TEST(list_is_the_default_verb)
{
    ck_assert(PARSE("resource"));
    ck_assert(c.verb->run == resource_list);
    ck_assert(PARSE("resource", "show", "x"));
    ck_assert(c.verb->run == resource_show);
    ck_assert_str_eq(c.words[0], "x");
    ck_assert(PARSE("series", "vm", "show"));
    ck_assert_msg(c.word_count == 2, "a verb's name is only a verb behind the noun");
    ck_assert(PARSE("series", "show", "vm", "cpu"));
    ck_assert_uint_eq(c.word_count, 2);
}
END_TEST

START_TEST(options_stand_anywhere_and_take_both_forms)
{
    ck_assert(PARSE("--api", "http://x", "usage", "--by=day", "--csv", "--project", "p"));
    ck_assert_str_eq(c.api, "http://x");
    ck_assert_str_eq(command_value(&c, "by"), "day");
    ck_assert_str_eq(command_value(&c, "project"), "p");
    ck_assert_int_eq(c.format, FORMAT_CSV);
    ck_assert(PARSE("decode", "--", "--odd", "-"));
    ck_assert_str_eq(c.words[0], "--odd");
    ck_assert(PARSE("usage"));
    ck_assert_str_eq(c.api, CLI_DEFAULT_API);
}
END_TEST

START_TEST(query_is_made_of_the_options_that_are_parameters)
{
    struct buf q = {0};
    ck_assert(PARSE("usage", "--since", "2h", "--project", "a b&c", "--json"));
    command_query(&c, &q);
    ck_assert_str_eq(buf_terminate(&q), "?from=-2h&project=a%20b%26c");
    buf_clear(&q);
    ck_assert(PARSE("usage", "--since", "2026-11-01"));
    command_query(&c, &q);
    ck_assert_str_eq(buf_terminate(&q), "?from=2026-11-01");
    buf_free(&q);
}
END_TEST

static const struct {
    const char *words[4];
    const char *says;
} wrong[] = {
    {{"resources"}, "did you mean \"pluvio resource\"?"},
    {{"usge"}, "did you mean \"pluvio usage\"?"},
    {{"quite-another"}, "see \"pluvio --help\""},
    {{"resource", "shwo", "x"}, "did you mean \"pluvio resource show\"?"},
    {{"resource", "show"}, "takes ID"},
    {{"resource", "show", "a", "b"}, "not \"b\""},
    {{"usage", "now"}, "no words behind it"},
    {{"series", "vm"}, "takes RESOURCE METER"},
    {{"usage", "--projekt", "p"}, "did you mean --project?"},
    {{"resource", "--by", "day"}, "no such option of \"pluvio resource list\""},
    {{"usage", "--by"}, "--by STEP"},
    {{"usage", "--json=yes"}, "takes no value"},
    {{"usage", "-j"}, "two dashes"},
    {{"--by", "day", "usage"}, "no such option"},
};

START_TEST(mistake_is_told_with_what_was_meant)
{
    const char *argv[5] = {"pluvio"};
    int argc = 1;
    for (size_t i = 0; i < 4 && wrong[_i].words[i]; i++)
        argv[argc++] = wrong[_i].words[i];
    ck_assert(!parse(argc, argv));
    ck_assert_msg(strstr(why.data, wrong[_i].says) != NULL, "%s", why.data);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cli_pure");
    TCase *t = tcase_create("pure");
    tcase_add_loop_test(t, quantity_is_told_in_a_unit_that_can_be_imagined, 0,
                        (int)(sizeof quantities / sizeof quantities[0]));
    tcase_add_test(t, table_is_aligned_by_characters);
    tcase_add_test(t, table_prints_no_terminal_commands);
    tcase_add_test(t, csv_keeps_what_the_table_hides);
    tcase_add_test(t, list_is_the_default_verb);
    tcase_add_test(t, options_stand_anywhere_and_take_both_forms);
    tcase_add_test(t, query_is_made_of_the_options_that_are_parameters);
    tcase_add_loop_test(t, mistake_is_told_with_what_was_meant, 0, (int)(sizeof wrong / sizeof wrong[0]));
    suite_add_tcase(s, t);
    return test_run(s);
}
