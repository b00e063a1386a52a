/* Files against an option table: values of each type, and each mistake with its line. */
#include <stddef.h>
#include <stdlib.h>

#include "settings.h"
#include "support/run.h"

static struct rig rig;

static void setup(void)
{
    rig_open(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

static int read(const char *content)
{
    rig_write(&rig, content);
    return schema_read_file(&test_schema, rig.path, &rig.settings, &rig.mistakes);
}

static const struct settings *read_good(const char *content)
{
    int r = read(content);
    ck_assert_msg(r == 0 && rig.mistakes.len == 0, "%s", buf_terminate(&rig.mistakes));
    return &rig.settings;
}

/* ---- values ---- */

START_TEST(what_a_file_does_not_say_stays_as_it_was)
{
    const struct settings *s = read_good("# nothing\n");
    ck_assert_str_eq(s->name, "pluvio");
    ck_assert_ptr_null(s->note);
    ck_assert_int_eq(s->count, 5);
    ck_assert_int_eq(s->interval_ms, 10000);
    ck_assert_int_eq(s->size, 1 << 20);
    ck_assert_int_eq(s->color, GREEN);
    ck_assert_uint_eq(s->hosts.count, 1);
    ck_assert_uint_eq(s->labels.count, 0);
    s = read_good("name:\ncount: ~\npoll:\nhosts: null\n");
    ck_assert_str_eq(s->name, "pluvio");
    ck_assert_int_eq(s->count, 5);
    ck_assert_uint_eq(s->hosts.count, 1);
}
END_TEST

START_TEST(each_type_is_read)
{
    const struct settings *s = read_good("name: a b\nnote: ''\ncount: 10\nany_count: 9223372036854775807\nloud: yes\n"
                                         "poll:\n  interval: 5min\n  deep:\n    size: 64KiB\ncolor: blue\n"
                                         "listen: '[::1]:65535'\nhosts: [a, b, a]\nlabels: {x: 1, 'y z': ''}\n"
                                         "kafka: b1:9092,b2:9092\n"
                                         "mappings:\n  - {match: m, project: p}\n  - user: u\n  - {}\n");
    ck_assert_str_eq(s->name, "a b");
    ck_assert_str_eq(s->note, "");
    ck_assert_int_eq(s->count, 10);
    ck_assert_int_eq(s->any_count, INT64_MAX);
    ck_assert(s->loud);
    ck_assert_int_eq(s->interval_ms, 300000);
    ck_assert_int_eq(s->size, 65536);
    ck_assert_int_eq(s->color, BLUE);
    ck_assert_str_eq(s->listen, "[::1]:65535");
    ck_assert_uint_eq(s->hosts.count, 3);
    ck_assert_str_eq(s->hosts.items[1], "b");
    ck_assert_uint_eq(s->labels.count, 2);
    ck_assert_str_eq(s->labels.pairs[1].key, "y z");
    ck_assert_str_eq(s->labels.pairs[1].value, "");
    ck_assert_int_eq(s->labels.pairs[1].line, 13);
    ck_assert_str_eq(s->kafka.pairs[0].key, "bootstrap.servers");
    ck_assert_uint_eq(s->mappings.count, 3);
    ck_assert_str_eq(s->mappings.rows[0].pairs[1].value, "p");
    ck_assert_str_eq(s->mappings.rows[1].pairs[0].key, "user");
    ck_assert_uint_eq(s->mappings.rows[2].count, 0);
}
END_TEST

START_TEST(a_list_a_map_and_rows_stand_in_for_what_was_there)
{
    read_good("hosts: [a, b]\nlabels: {x: 1}\nmappings: [{match: m}]\n");
    const struct settings *s = read_good("hosts: [c]\nlabels: {y: 2}\nmappings: []\n");
    ck_assert_uint_eq(s->hosts.count, 1);
    ck_assert_str_eq(s->hosts.items[0], "c");
    ck_assert_uint_eq(s->labels.count, 1);
    ck_assert_str_eq(s->labels.pairs[0].key, "y");
    ck_assert_uint_eq(s->mappings.count, 0);
    s = read_good("hosts: []\nlabels: {}\n");
    ck_assert_uint_eq(s->hosts.count + s->labels.count, 0);
}
END_TEST

/* One option's text, and the number that comes of it; -1: refused. */
static const struct {
    const char *name, *text;
    int64_t number;
} numbers[] = {
    {"count", "1", 1},
    {"count", "10", 10},
    {"count", "0", -1},
    {"count", "11", -1},
    {"count", "-1", -1},
    {"count", "1.0", -1},
    {"count", "1e3", -1},
    {"count", "0x5", -1},
    {"count", "+5", -1},
    {"count", "'5 '", -1},
    {"count", "''", -1},
    {"count", "five", -1},
    {"any_count", "0", 0},
    {"any_count", "-1", -1},
    {"any_count", "9223372036854775808", -1},

    {"poll", "{interval: 1s}", 1000},
    {"poll", "{interval: 1h}", 3600000},
    {"poll", "{interval: 999ms}", -1},
    {"poll", "{interval: 60min}", 3600000},
    {"poll", "{interval: 61m}", -1},
    {"poll", "{interval: 5}", -1},
    {"poll", "{interval: 1.5s}", -1},
    {"poll", "{interval: -5s}", -1},
    {"poll", "{interval: 5 s}", -1},
    {"poll", "{interval: 5S}", -1},
    {"poll", "{interval: s}", -1},
    {"poll", "{interval: 1h30min}", -1},
    {"poll", "{interval: 9223372036854775807d}", -1},

    {"poll", "{deep: {size: 1KiB}}", 1024},
    {"poll", "{deep: {size: 1024}}", 1024},
    {"poll", "{deep: {size: 1024B}}", 1024},
    {"poll", "{deep: {size: 3MiB}}", 3 << 20},
    {"poll", "{deep: {size: 1GiB}}", 1 << 30},
    {"poll", "{deep: {size: 1023}}", -1},
    {"poll", "{deep: {size: 1025MiB}}", -1},
    {"poll", "{deep: {size: 1TiB}}", -1},
    {"poll", "{deep: {size: 1kB}}", -1},
    {"poll", "{deep: {size: 1MB}}", -1},
    {"poll", "{deep: {size: 1.5MiB}}", -1},
    {"poll", "{deep: {size: MiB}}", -1},
    {"poll", "{deep: {size: -1MiB}}", -1},
    {"poll", "{deep: {size: 16777216TiB}}", -1},
    {"poll", "{deep: {size: 9223372036854775808}}", -1},

    {"color", "red", RED},
    {"color", "blue", BLUE},
    {"color", "Red", -1},
    {"color", "''", -1},
    {"loud", "true", 1},
    {"loud", "yes", 1},
    {"loud", "on", 1},
    {"loud", "false", 0},
    {"loud", "no", 0},
    {"loud", "off", 0},
    {"loud", "True", -1},
    {"loud", "1", -1},
    {"listen", "a:0", 0},
    {"listen", "a:65535", 0},
    {"listen", "a:65536", -1},
    {"listen", "a:-1", -1},
    {"listen", "a", -1},
    {"listen", "':80'", -1},
    {"listen", "'a:'", -1},
    {"listen", "a:http", -1},
};

static int64_t value_of(const char *name, const char *text)
{
    const struct settings *s = &rig.settings;
    switch (*name) {
    case 'a':
        return s->any_count;
    case 'p':
        return strstr(text, "size") ? s->size : s->interval_ms;
    case 'l':
        return name[1] == 'o' ? s->loud : 0;
    default:
        return strcmp(name, "color") == 0 ? s->color : s->count;
    }
}

START_TEST(numbers_are_taken_within_their_range_and_written_as_they_should)
{
    char content[128];
    const char *name = numbers[_i].name, *text = numbers[_i].text;
    snprintf(content, sizeof content, "%s: %s\n", name, text);
    int64_t before = value_of(name, text);
    int r = read(content);
    ck_assert_msg((r == 0) == (numbers[_i].number >= 0), "%s: %d %s", content, r, buf_terminate(&rig.mistakes));
    ck_assert_msg(r == 0 || rig.mistakes.len, "%s: refused without a word", content);
    ck_assert_int_eq(value_of(name, text), r ? before : numbers[_i].number);
}
END_TEST

/* ---- mistakes ---- */

static const struct {
    const char *sentence, *content, *says;
} rows[] = {
    {"an unknown option near a known one", "cuont: 1\n", "1: cuont: no such option; did you mean count?\n"},
    {"an unknown option near none", "quite_another: 1\n", "1: quite_another: no such option; --help lists them\n"},
    {"an unknown option below a level", "poll:\n  intervall: 1s\n",
     "2: poll.intervall: no such option; did you mean poll.interval?\n"},
    {"an unknown option two levels down", "poll:\n  deep:\n    sise: 1KiB\n",
     "3: poll.deep.sise: no such option; did you mean poll.deep.size?\n"},
    {"an unknown level", "pol:\n  interval: 1s\n", "1: pol: no such option; did you mean poll?\n"},
    {"an unknown level below a level", "poll:\n  depe:\n    size: 1KiB\n",
     "2: poll.depe: no such option; did you mean poll.deep?\n"},
    {"an option written with a dot", "poll.interval: nonsense\n",
     "1: poll.interval: 'nonsense' is not a duration such as 10s, 5min, 2h, 7d\n"},
    {"a level that is a text", "name: x\npoll: 5s\n", "2: poll: must be a map of options\n"},
    {"a level that is a list", "poll: [5s]\n", "1: poll: must be a map of options\n"},
    {"a switch of the command line", "once: true\n", "1: once: no such option; did you mean note?\n"},
    {"a number out of range", "count: 11\n", "1: count: must be 1 to 10\n"},
    {"a number that is none", "count: ten\n", "1: count: 'ten' is not a whole number\n"},
    {"a negative number where any may be", "any_count: -1\n", "1: any_count: must be 0 to 9223372036854775807\n"},
    {"a duration out of range", "poll: {interval: 2h}\n", "1: poll.interval: must be 1s to 1h\n"},
    {"a size that is none", "poll:\n  deep:\n    size: 5 MB\n",
     "3: poll.deep.size: '5 MB' is not a size such as 64KiB, 2MiB, 1GiB\n"},
    {"a choice near one", "color: gren\n", "1: color: 'gren' is none of red, green, blue; did you mean green?\n"},
    {"a choice near none", "color: ultraviolet\n", "1: color: 'ultraviolet' is none of red, green, blue\n"},
    {"neither true nor false", "loud: maybe\n", "1: loud: 'maybe' is neither true nor false\n"},
    {"an address without a port", "listen: localhost\n", "1: listen: 'localhost' is not ADDR:PORT\n"},
    {"a list where a text should be", "name:\n  - x\n", "1: name: must be one plain value (text)\n"},
    {"a map where a number should be", "\ncount: {a: 1}\n", "2: count: must be one plain value (number)\n"},
    {"a text where a list should be", "hosts: a\n", "1: hosts: must be a list\n"},
    {"a list in a list", "hosts:\n  - a\n  - [b]\n", "3: hosts: its items must be plain texts\n"},
    {"nothing in a list", "hosts:\n  - a\n  -\n", "3: hosts: its items must be plain texts\n"},
    {"a text where a map should be", "labels: a\n", "1: labels: must be a map\n"},
    {"a list where a map should be", "kafka: [a]\n", "1: kafka: must be a map\n"},
    {"a list in a map", "labels:\n  a: 1\n  b: [2]\n", "3: labels: b must be a plain text\n"},
    {"a map where rows should be", "mappings: {match: m}\n", "1: mappings: must be a list of maps\n"},
    {"a text among rows", "mappings:\n  - match: m\n  - n\n", "3: mappings: its items must be maps\n"},
    {"an unknown column near one", "mappings:\n  - match: m\n    projet: p\n",
     "3: mappings: unknown key projet; did you mean project?\n"},
    {"an unknown column near none", "mappings: [{wholly_else: p}]\n", "1: mappings: unknown key wholly_else\n"},
    {"a column that is a map", "mappings:\n  - match: {a: b}\n", "2: mappings: match must be a plain text\n"},
    {"a list for all", "- a\n", "1: file: must be a map of options\n"},
    {"a text for all", "just words\n", "1: file: must be a map of options\n"},
    {"an alias as a value", "name: *x\n", "1: aliases are not taken; write the value out\n"},
    {"an alias as a map's value", "labels: {a: *x}\n",
     "1: aliases are not taken; write the value out\n1: labels: a must be a plain text\n"},
    {"an alias as a number", "count: *x\n", "1: aliases are not taken; write the value out\n"},
    {"a list as a map's key", "labels: {[a]: b}\n", "1: a key must be a plain text\n"},
    {"a list as an option", "[a]: b\n", "1: a key must be a plain text\n"},
    {"an option twice", "count: 1\ncount: 2\n", "2: count: stands twice; first in line 1\n"},
    {"a map's key twice", "labels:\n  a: 1\n  a: 2\n", "3: a: stands twice; first in line 2\n"},
    {"an option written in both ways", "poll:\n  interval: 1s\npoll.interval: 2s\n",
     "3: poll.interval: stands twice; first in line 2\n"},
};

START_TEST(a_mistake_is_told_with_file_line_key_and_what_would_be_right)
{
    int r = read(rows[_i].content);
    ck_assert_msg(r < 0, "%s was taken", rows[_i].sentence);
    rig_expect(&rig, rows[_i].sentence, rows[_i].says);
}
END_TEST

START_TEST(all_mistakes_of_a_file_are_told_in_one_run)
{
    int r = read("nme: x\n"
                 "count: 11\n"
                 "count: 12\n"
                 "poll:\n"
                 "  interval: soon\n"
                 "  deep: {size: &a big}\n"
                 "color: gren\n"
                 "hosts: a\n"
                 "mappings:\n"
                 "  - {macht: m, user: [u]}\n");
    ck_assert_int_lt(r, 0);
    rig_expect(&rig, "all of them",
               "3: count: stands twice; first in line 2\n"
               "6: anchor &a: anchors are not taken; write the value out\n"
               "1: nme: no such option; did you mean name?\n"
               "2: count: must be 1 to 10\n"
               "3: count: must be 1 to 10\n"
               "5: poll.interval: 'soon' is not a duration such as 10s, 5min, 2h, 7d\n"
               "6: poll.deep.size: 'big' is not a size such as 64KiB, 2MiB, 1GiB\n"
               "7: color: 'gren' is none of red, green, blue; did you mean green?\n"
               "8: hosts: must be a list\n"
               "10: mappings: unknown key macht; did you mean match?\n"
               "10: mappings: user must be a plain text\n");
}
END_TEST

START_TEST(what_breaks_off_is_read_as_far_as_it_goes)
{
    int r = read("nme: x\nlabels: {a: b, [c]: d}\ncount: 11\n");
    ck_assert_int_lt(r, 0);
    rig_expect(&rig, "up to the list", "2: a key must be a plain text\n1: nme: no such option; did you mean name?\n");
}
END_TEST

START_TEST(a_default_that_its_own_row_refuses_is_an_error_with_its_name)
{
    static const struct option bad[] = {{.name = "x", .type = OPTION_INTEGER, .fallback = "11", .high = 10}};
    const struct schema s = {.options = bad, .count = 1};
    struct error error;
    int64_t value = 0;
    ck_assert_int_lt(schema_defaults(&s, &value, &error), 0);
    ck_assert_str_eq(error.text, "default of x: must be 0 to 10");
}
END_TEST

START_TEST(freed_settings_are_zero_and_may_be_freed_again)
{
    const struct settings zero = {0};
    read_good("note: n\nhosts: [a]\nlabels: {a: b}\nmappings: [{match: m}]\n");
    schema_free(&test_schema, &rig.settings);
    ck_assert_ptr_null(rig.settings.name);
    ck_assert_uint_eq(rig.settings.hosts.count, zero.hosts.count);
    schema_free(&test_schema, &rig.settings);
}
END_TEST

/* ---- what is printed of the table ---- */

/* Not inlined: the compiler then takes the memory behind the stream's pointer for the pointer. */
__attribute__((noinline)) static char *printed(void (*print)(FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(f);
    print(f);
    fclose(f);
    return text;
}

static void help(FILE *f)
{
    schema_print_help(&test_schema, &test_switches, f);
}

static void reference(FILE *f)
{
    schema_print_reference(&test_schema, f);
}

START_TEST(help_names_the_options_of_the_command_line_with_their_defaults)
{
    char *text = printed(help);
    ck_assert_ptr_nonnull(strstr(text, "Usage: tester [OPTION]...\nTests.\n"));
    ck_assert_ptr_nonnull(strstr(text, "  --name NAME                 What it is called. [pluvio]\n"));
    ck_assert_ptr_nonnull(strstr(text, "  --poll.interval VALUE       How often. [10s]\n"));
    ck_assert_ptr_nonnull(strstr(text, "  --loud                      Speak up.\n"));
    ck_assert_ptr_nonnull(strstr(text, "  --once                      Stop soon.\n"));
    ck_assert_ptr_nonnull(strstr(text, "--check-config"));
    ck_assert_ptr_nonnull(strstr(text, "\nExamples:\n  tester --once\n"));
    ck_assert_ptr_null(strstr(text, "--note"));
    free(text);
}
END_TEST

START_TEST(the_reference_has_a_row_of_six_cells_for_each_option)
{
    char *text = printed(reference);
    char head[64];
    size_t lines = 0;
    for (size_t i = 0; i < test_schema.count; i++) {
        snprintf(head, sizeof head, "\n| `%s` | ", test_schema.options[i].name);
        const char *row = strstr(text, head);
        ck_assert_msg(row != NULL, "no row for %s", test_schema.options[i].name);
        size_t bars = 0;
        for (const char *c = row + 1; *c != '\n'; c++)
            bars += *c == '|';
        ck_assert_uint_eq(bars, 7);
    }
    for (const char *c = text; *c; c++)
        lines += *c == '\n' && c[1] == '|';
    ck_assert_uint_eq(lines, test_schema.count + 2);
    ck_assert_ptr_nonnull(strstr(text, "| `color` | choice | `red`, `green`, `blue` | `green` |  | Which color. |\n"));
    ck_assert_ptr_nonnull(strstr(text, "| `poll.interval` | duration | 1s to 1h | `10s` | yes | How often. |\n"));
    ck_assert_ptr_nonnull(strstr(text, "| `note` | text |  |  |  | Anything. |\n"));
    free(text);
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof table[0])

int main(void)
{
    Suite *s = suite_create("schema");
    TCase *t = tcase_create("schema");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_a_file_does_not_say_stays_as_it_was);
    tcase_add_test(t, each_type_is_read);
    tcase_add_test(t, a_list_a_map_and_rows_stand_in_for_what_was_there);
    tcase_add_loop_test(t, numbers_are_taken_within_their_range_and_written_as_they_should, 0, COUNT(numbers));
    tcase_add_loop_test(t, a_mistake_is_told_with_file_line_key_and_what_would_be_right, 0, COUNT(rows));
    tcase_add_test(t, all_mistakes_of_a_file_are_told_in_one_run);
    tcase_add_test(t, what_breaks_off_is_read_as_far_as_it_goes);
    tcase_add_test(t, a_default_that_its_own_row_refuses_is_an_error_with_its_name);
    tcase_add_test(t, freed_settings_are_zero_and_may_be_freed_again);
    tcase_add_test(t, help_names_the_options_of_the_command_line_with_their_defaults);
    tcase_add_test(t, the_reference_has_a_row_of_six_cells_for_each_option);
    suite_add_tcase(s, t);
    return test_run(s);
}
