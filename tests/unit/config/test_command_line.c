/* The start of a daemon: file, command line, and what it answers by itself. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "settings.h"
#include "support/run.h"

#define MAX_ARGUMENTS 16

static struct rig rig;
static enum command_line_action action;
static int status;
static const char *config;
static char *argv[MAX_ARGUMENTS];
static char out_path[FOLDER_SIZE + 16], err_path[FOLDER_SIZE + 16];

static void forget_words(void)
{
    for (int i = 0; i < MAX_ARGUMENTS; i++) {
        free(argv[i]);
        argv[i] = NULL;
    }
}

static void setup(void)
{
    rig_open(&rig);
    schema_free(&test_schema, &rig.settings); /* schema_command_line wants it zeroed */
    folder_path(rig.folder, "out", out_path, sizeof out_path);
    folder_path(rig.folder, "err", err_path, sizeof err_path);
}

static void teardown(void)
{
    rig_close(&rig);
    forget_words();
}

static void redirect(FILE *f, int fd)
{
    fflush(f);
    ck_assert_int_ge(dup2(fd, fileno(f)), 0);
    close(fd);
}

/* Run with the words of @line; stdout and stderr go to files. Words are heap blocks of their own, so that a sanitizer
 * sees one byte too far. @line's "FILE" stands for the rig's file, "-" for an empty word. */
static void start_with(const char *line, const char *default_path)
{
    char *words = strdup(line), *rest = words, *word;
    int argc = 1;
    forget_words();
    argv[0] = strdup("tester");
    while ((word = strsep(&rest, " ")) && *word)
        argv[argc++] = strdup(strcmp(word, "FILE") == 0 ? rig.path : strcmp(word, "-") == 0 ? "" : word);
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    redirect(stdout, open(out_path, O_CREAT | O_WRONLY | O_TRUNC, 0600));
    redirect(stderr, open(err_path, O_CREAT | O_WRONLY | O_TRUNC, 0600));
    status = -1;
    action =
        schema_command_line(&test_schema, &test_switches, argc, argv, default_path, &rig.settings, &config, &status);
    redirect(stdout, out);
    redirect(stderr, err);
    free(words);
}

static void start(const char *line)
{
    start_with(line, NULL);
}

static const char *said(const char *path)
{
    static char text[8192];
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

static void starts(const char *line)
{
    start(line);
    ck_assert_msg(action == COMMAND_LINE_RUN, "%s: %s", line, said(err_path));
    ck_assert_int_eq(status, 0);
    ck_assert_str_eq(said(err_path), "");
}

/* ---- which value counts ---- */

START_TEST(without_file_and_options_defaults_count)
{
    starts("");
    ck_assert_str_eq(rig.settings.name, "pluvio");
    ck_assert_int_eq(rig.settings.interval_ms, 10000);
    ck_assert_ptr_null(config);
}
END_TEST

START_TEST(the_command_line_wins_over_the_file_wherever_it_stands)
{
    static const char *const lines[] = {"--count 7 --config FILE", "--config FILE --count=7"};
    rig_write(&rig, "count: 3\nname: file\n");
    for (int i = 0; i < 2; i++) {
        schema_free(&test_schema, &rig.settings);
        starts(lines[i]);
        ck_assert_int_eq(rig.settings.count, 7);
        ck_assert_str_eq(rig.settings.name, "file");
        ck_assert_str_eq(config, rig.path);
    }
}
END_TEST

START_TEST(of_an_option_given_twice_the_last_counts)
{
    starts("--count 7 --count 8");
    ck_assert_int_eq(rig.settings.count, 8);
}
END_TEST

START_TEST(a_boolean_is_a_switch_or_says_its_value)
{
    starts("--loud --once");
    ck_assert(rig.settings.loud && rig.settings.once);
    rig_write(&rig, "loud: true\n");
    starts("--config FILE --loud=false --once=no --color blue");
    ck_assert(!rig.settings.loud && !rig.settings.once);
    ck_assert_int_eq(rig.settings.color, BLUE);
}
END_TEST

START_TEST(a_list_on_the_command_line_stands_in_for_the_files)
{
    rig_write(&rig, "hosts: [a, b]\n");
    starts("--config FILE --hosts c --hosts=d");
    ck_assert_uint_eq(rig.settings.hosts.count, 2);
    ck_assert_str_eq(rig.settings.hosts.items[0], "c");
    ck_assert_str_eq(rig.settings.hosts.items[1], "d");
}
END_TEST

START_TEST(a_key_on_the_command_line_wins_over_the_files_and_others_stay)
{
    rig_write(&rig, "labels: {a: 1, b: 2}\nkafka: old:1\n");
    starts("--config FILE --labels b=3 --labels c=x=y --kafka new:1");
    ck_assert_uint_eq(rig.settings.labels.count, 3);
    ck_assert_str_eq(rig.settings.labels.pairs[1].value, "3");
    ck_assert_str_eq(rig.settings.labels.pairs[2].value, "x=y");
    ck_assert_uint_eq(rig.settings.kafka.count, 1);
    ck_assert_str_eq(rig.settings.kafka.pairs[0].value, "new:1");
}
END_TEST

START_TEST(the_default_file_is_read_if_it_is_there)
{
    start_with("", rig.path);
    ck_assert_int_eq(action, COMMAND_LINE_RUN);
    ck_assert_ptr_null(config);
    rig_write(&rig, "count: 3\n");
    schema_free(&test_schema, &rig.settings);
    start_with("", rig.path);
    ck_assert_int_eq(rig.settings.count, 3);
    ck_assert_str_eq(config, rig.path);
}
END_TEST

/* ---- mistakes ---- */

static const struct {
    const char *sentence, *line, *says;
} rows[] = {
    {"an unknown option near one", "--cuont 5",
     "--cuont: no such option; did you mean --count?\n5: no such option; --help lists them\n"},
    {"an unknown option with a value", "--cuont=5", "--cuont=5: no such option; did you mean --count?\n"},
    {"an unknown option near a switch", "--onse", "--onse: no such option; did you mean --once?\n"},
    {"an unknown option near none", "--quite-another", "--quite-another: no such option; --help lists them\n"},
    {"an option of the file only", "--note=x", "--note=x: no such option; did you mean --name?\n"},
    {"a word", "count", "count: no such option; --help lists them\n"},
    {"one dash", "-count", "-count: no such option; --help lists them\n"},
    {"two dashes alone", "--", "--: no such option; --help lists them\n"},
    {"an empty word", "-", ": no such option; --help lists them\n"},
    {"no value", "--count", "--count: needs a value\n"},
    {"an empty value", "--count=", "--count: '' is not a whole number\n"},
    {"no file", "--config", "--config: needs a file\n"},
    {"a number out of range", "--count=11", "--count: must be 1 to 10\n"},
    {"a duration that is none", "--poll.interval soon",
     "--poll.interval: 'soon' is not a duration such as 10s, 5min, 2h, 7d\n"},
    {"a switch that is neither", "--once=maybe", "--once: 'maybe' is neither true nor false\n"},
    {"a map without a key", "--labels x", "--labels: 'x' is not KEY=VALUE\n"},
    {"several at once", "--cuont=1 --count=0 --color pink",
     "--cuont=1: no such option; did you mean --count?\n--count: must be 1 to 10\n"
     "--color: 'pink' is none of red, green, blue\n"},
};

START_TEST(a_mistake_on_the_command_line_ends_it_with_2)
{
    start(rows[_i].line);
    ck_assert_msg(action == COMMAND_LINE_EXIT, "%s was taken", rows[_i].sentence);
    ck_assert_int_eq(status, 2);
    ck_assert_str_eq(said(err_path), rows[_i].says);
}
END_TEST

START_TEST(mistakes_of_file_and_command_line_are_told_in_one_run)
{
    rig_write(&rig, "cuont: 1\ncolor: pink\n");
    start("--config FILE --once=maybe --nme x");
    ck_assert_int_eq(status, 2);
    const char *text = said(err_path);
    ck_assert_ptr_nonnull(strstr(text, "t.yaml:1: cuont: no such option; did you mean count?\n"));
    ck_assert_ptr_nonnull(strstr(text, "t.yaml:2: color: 'pink' is none of"));
    ck_assert_ptr_nonnull(strstr(text, "--once: 'maybe' is neither"));
    ck_assert_ptr_nonnull(strstr(text, "--nme: no such option; did you mean --name?\n"));
}
END_TEST

START_TEST(a_file_that_is_not_there_is_a_mistake)
{
    start("--config FILE");
    ck_assert_int_eq(action, COMMAND_LINE_EXIT);
    ck_assert_int_eq(status, 2);
    ck_assert_ptr_nonnull(strstr(said(err_path), "t.yaml: No such file"));
}
END_TEST

/* ---- what it answers ---- */

START_TEST(check_config_says_fine_and_does_not_run)
{
    rig_write(&rig, "count: 3\n");
    start("--check-config --config FILE");
    ck_assert_int_eq(action, COMMAND_LINE_CHECK);
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_nonnull(strstr(said(out_path), "t.yaml: fine\n"));
    ck_assert_str_eq(said(err_path), "");
}
END_TEST

START_TEST(check_config_of_a_wrong_file_ends_with_2)
{
    rig_write(&rig, "count: 30\n");
    start("--check-config --config FILE");
    ck_assert_int_eq(action, COMMAND_LINE_EXIT);
    ck_assert_int_eq(status, 2);
    ck_assert_str_eq(said(out_path), "");
    ck_assert_ptr_nonnull(strstr(said(err_path), "t.yaml:1: count: must be 1 to 10\n"));
}
END_TEST

static const struct {
    const char *line, *says;
} answers[] = {
    {"--help", "Usage: tester "},
    {"-h", "Usage: tester "},
    {"--version", "tester " PLUVIO_VERSION "\n"},
    {"--print-reference", "## tester\n"},
    {"--quite-wrong --help", "Usage: tester "},
    {"--config /none/such --version", "tester " PLUVIO_VERSION "\n"},
};

START_TEST(help_version_and_reference_are_answered_whatever_else_stands_there)
{
    start(answers[_i].line);
    ck_assert_int_eq(action, COMMAND_LINE_EXIT);
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_eq(strstr(said(out_path), answers[_i].says), said(out_path));
    ck_assert_str_eq(said(err_path), "");
    ck_assert_ptr_null(config);
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof table[0])

int main(void)
{
    Suite *s = suite_create("command line");
    TCase *t = tcase_create("command line");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, without_file_and_options_defaults_count);
    tcase_add_test(t, the_command_line_wins_over_the_file_wherever_it_stands);
    tcase_add_test(t, of_an_option_given_twice_the_last_counts);
    tcase_add_test(t, a_boolean_is_a_switch_or_says_its_value);
    tcase_add_test(t, a_list_on_the_command_line_stands_in_for_the_files);
    tcase_add_test(t, a_key_on_the_command_line_wins_over_the_files_and_others_stay);
    tcase_add_test(t, the_default_file_is_read_if_it_is_there);
    tcase_add_loop_test(t, a_mistake_on_the_command_line_ends_it_with_2, 0, COUNT(rows));
    tcase_add_test(t, mistakes_of_file_and_command_line_are_told_in_one_run);
    tcase_add_test(t, a_file_that_is_not_there_is_a_mistake);
    tcase_add_test(t, check_config_says_fine_and_does_not_run);
    tcase_add_test(t, check_config_of_a_wrong_file_ends_with_2);
    tcase_add_loop_test(t, help_version_and_reference_are_answered_whatever_else_stands_there, 0, COUNT(answers));
    suite_add_tcase(s, t);
    return test_run(s);
}
