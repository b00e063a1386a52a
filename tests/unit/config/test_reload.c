/* SIGHUP: what may change does, the rest is noted, and a wrong file changes nothing. */
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

static int reload(const char *content)
{
    rig_write(&rig, content);
    return schema_reload(&test_schema, rig.path, sizeof rig.settings, &rig.settings, &rig.mistakes, &rig.notes);
}

/* A line of the notes for @option? */
static bool noted(const char *option)
{
    char line[FOLDER_SIZE + 128];
    snprintf(line, sizeof line, "%s: changed in %s, takes effect at the next start\n", option, rig.path);
    return strstr(buf_terminate(&rig.notes), line) != NULL;
}

START_TEST(reloadable_options_are_applied_without_a_note)
{
    ck_assert_int_eq(reload("name: new\nloud: true\npoll: {interval: 20s}\nhosts: [a, b]\nlabels: {x: 1}\n"
                            "mappings: [{match: m}]\n"),
                     0);
    ck_assert_str_eq(rig.settings.name, "new");
    ck_assert(rig.settings.loud);
    ck_assert_int_eq(rig.settings.interval_ms, 20000);
    ck_assert_uint_eq(rig.settings.hosts.count, 2);
    ck_assert_str_eq(rig.settings.labels.pairs[0].key, "x");
    ck_assert_str_eq(rig.settings.mappings.rows[0].pairs[0].value, "m");
    ck_assert_uint_eq(rig.notes.len, 0);
}
END_TEST

START_TEST(the_others_are_noted_and_stay)
{
    ck_assert_int_eq(reload("count: 6\nnote: n\ncolor: red\nlisten: a:1\nkafka: b:1\npoll: {deep: {size: 2MiB}}\n"), 0);
    ck_assert_int_eq(rig.settings.count, 5);
    ck_assert_ptr_null(rig.settings.note);
    ck_assert_int_eq(rig.settings.color, GREEN);
    ck_assert_str_eq(rig.settings.listen, "127.0.0.1:80");
    ck_assert_uint_eq(rig.settings.kafka.count, 0);
    ck_assert_int_eq(rig.settings.size, 1 << 20);
    ck_assert(noted("count") && noted("note") && noted("color") && noted("listen") && noted("kafka") &&
              noted("poll.deep.size"));
}
END_TEST

START_TEST(what_left_the_file_is_its_default_again)
{
    ck_assert_int_eq(reload("name: new\nhosts: []\nlabels: {x: 1}\n"), 0);
    ck_assert_int_eq(reload(""), 0);
    ck_assert_str_eq(rig.settings.name, "pluvio");
    ck_assert_uint_eq(rig.settings.hosts.count, 1);
    ck_assert_uint_eq(rig.settings.labels.count, 0);
    ck_assert_uint_eq(rig.notes.len, 0);
}
END_TEST

START_TEST(the_same_file_again_changes_and_notes_nothing)
{
    const char *content = "name: new\nlabels: {x: 1}\nmappings: [{match: m}]\nhosts: [a]\n";
    ck_assert_int_eq(reload(content), 0);
    const char *name = rig.settings.name;
    const struct option_pair *pairs = rig.settings.labels.pairs;
    const struct option_map *mappings = rig.settings.mappings.rows;
    ck_assert_int_eq(reload(content), 0);
    ck_assert_ptr_eq(rig.settings.name, name);
    ck_assert_ptr_eq(rig.settings.labels.pairs, pairs);
    ck_assert_ptr_eq(rig.settings.mappings.rows, mappings);
    ck_assert_uint_eq(rig.notes.len, 0);
}
END_TEST

static const struct {
    const char *sentence, *content;
} changes[] = {
    {"another value", "labels: {a: 1, b: 3}\n"},
    {"another key", "labels: {a: 1, c: 2}\n"},
    {"a pair less", "labels: {a: 1}\n"},
    {"another order", "labels: {b: 2, a: 1}\n"},
    {"another host", "hosts: [y]\n"},
    {"a row more", "mappings: [{match: m}, {match: n}]\n"},
    {"a column more", "mappings: [{match: m, user: u}]\n"},
};

START_TEST(a_change_inside_a_list_a_map_or_rows_is_seen)
{
    ck_assert_int_eq(reload("labels: {a: 1, b: 2}\nhosts: [x]\nmappings: [{match: m}]\n"), 0);
    const void *labels = rig.settings.labels.pairs, *hosts = rig.settings.hosts.items;
    const void *mappings = rig.settings.mappings.rows;
    ck_assert_int_eq(reload(changes[_i].content), 0);
    ck_assert_msg(rig.settings.labels.pairs != labels || rig.settings.hosts.items != hosts ||
                      rig.settings.mappings.rows != mappings,
                  "%s went unseen", changes[_i].sentence);
}
END_TEST

START_TEST(a_wrong_file_changes_nothing)
{
    ck_assert_int_lt(reload("name: new\ncount: 6\npoll: {interval: soon}\n"), 0);
    ck_assert_str_eq(rig.settings.name, "pluvio");
    ck_assert_int_eq(rig.settings.interval_ms, 10000);
    ck_assert_uint_eq(rig.notes.len, 0);
    rig_expect(&rig, "it is told why", "3: poll.interval: 'soon' is not a duration such as 10s, 5min, 2h, 7d\n");
}
END_TEST

START_TEST(a_file_that_is_gone_changes_nothing)
{
    int r = schema_reload(&test_schema, rig.path, sizeof rig.settings, &rig.settings, &rig.mistakes, &rig.notes);
    ck_assert_int_lt(r, 0);
    ck_assert_str_eq(rig.settings.name, "pluvio");
    ck_assert_ptr_nonnull(strstr(buf_terminate(&rig.mistakes), "No such file"));
}
END_TEST

START_TEST(the_command_line_still_wins_after_a_reload)
{
    char *argv[] = {"tester", "--name", "mine", "--count=7", "--hosts=a", "--once", "--config", rig.path};
    rig.settings.count = 7; /* as the start had left it */
    rig_write(&rig, "name: theirs\ncount: 3\nhosts: [b]\nloud: true\n");
    ck_assert_int_eq(schema_reload_line(&test_schema, &test_switches, 8, argv, rig.path, sizeof rig.settings,
                                        &rig.settings, &rig.mistakes, &rig.notes),
                     0);
    ck_assert_str_eq(rig.settings.name, "mine");
    ck_assert_str_eq(rig.settings.hosts.items[0], "a");
    ck_assert(rig.settings.loud);
    ck_assert_uint_eq(rig.notes.len, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reload");
    TCase *t = tcase_create("reload");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, reloadable_options_are_applied_without_a_note);
    tcase_add_test(t, the_others_are_noted_and_stay);
    tcase_add_test(t, what_left_the_file_is_its_default_again);
    tcase_add_test(t, the_same_file_again_changes_and_notes_nothing);
    tcase_add_loop_test(t, a_change_inside_a_list_a_map_or_rows_is_seen, 0, (int)(sizeof changes / sizeof changes[0]));
    tcase_add_test(t, a_wrong_file_changes_nothing);
    tcase_add_test(t, a_file_that_is_gone_changes_nothing);
    tcase_add_test(t, the_command_line_still_wins_after_a_reload);
    suite_add_tcase(s, t);
    return test_run(s);
}
