/* YAML as plain data: what is taken, and each thing that is not, with its line. */
#include <stdio.h>
#include <stdlib.h>

#include "pluvio/config/yaml_tree.h"
#include "support/folder.h"
#include "support/run.h"

static struct yaml_node *tree;
static struct buf mistakes;

static void setup(void)
{
    tree = NULL;
    mistakes = (struct buf){0};
}

static void teardown(void)
{
    yaml_free(tree);
    buf_free(&mistakes);
}

static void read_good(const char *text)
{
    int r = yaml_read_text("f", text_of(text), &tree, &mistakes);
    ck_assert_msg(r == 0, "%s", buf_terminate(&mistakes));
    ck_assert_uint_eq(mistakes.len, 0);
}

/* ---- what is taken ---- */

START_TEST(maps_lists_and_texts_are_a_tree_with_lines)
{
    read_good("a: 1\nb:\n  - x\n  - 'y: z'\nc:\n  d: {e: f}\n");
    ck_assert_int_eq(tree->kind, YAML_MAP);
    ck_assert_uint_eq(tree->count, 3);
    ck_assert_str_eq(yaml_child(tree, "a")->value, "1");
    const struct yaml_node *b = yaml_child(tree, "b");
    ck_assert_int_eq(b->kind, YAML_LIST);
    ck_assert_int_eq(b->key_line, 2);
    ck_assert_str_eq(b->children[0].value, "x");
    ck_assert_str_eq(b->children[1].value, "y: z");
    ck_assert_int_eq(b->children[1].line, 4);
    ck_assert_ptr_null(b->children[1].key);
    const struct yaml_node *d = yaml_child(yaml_child(tree, "c"), "d");
    ck_assert_str_eq(yaml_child(d, "e")->value, "f");
    ck_assert_int_eq(d->key_line, 6);
    ck_assert_ptr_null(yaml_child(d, "none"));
    ck_assert_ptr_null(yaml_child(NULL, "none"));
}
END_TEST

START_TEST(what_says_nothing_is_null_and_quoted_it_is_a_text)
{
    read_good("a:\nb: ~\nc: null\nd: ''\ne: \"null\"\nf: '~'\n");
    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(tree->children[i].kind, i < 3 ? YAML_NULL : YAML_SCALAR);
    ck_assert_str_eq(yaml_child(tree, "d")->value, "");
    ck_assert_str_eq(yaml_child(tree, "e")->value, "null");
}
END_TEST

START_TEST(an_empty_file_has_no_tree)
{
    read_good("");
    ck_assert_ptr_null(tree);
    read_good("# nothing but a comment\n");
    ck_assert_ptr_null(tree);
}
END_TEST

START_TEST(what_looks_like_yaml_inside_quotes_is_text)
{
    read_good("a: '*x'\nb: '&y'\nc: '!z'\nd: \"\\t\"\n");
    ck_assert_str_eq(yaml_child(tree, "a")->value, "*x");
    ck_assert_str_eq(yaml_child(tree, "d")->value, "\t");
}
END_TEST

START_TEST(thirty_two_levels_are_taken)
{
    struct buf text = {0};
    buf_add_string(&text, "a: ");
    for (int i = 0; i < 31; i++)
        buf_add_char(&text, '[');
    buf_add_char(&text, 'x');
    for (int i = 0; i < 31; i++)
        buf_add_char(&text, ']');
    read_good(buf_terminate(&text));
    buf_free(&text);
}
END_TEST

/* ---- what is not ---- */

static const struct {
    const char *sentence, *text, *says;
} rows[] = {
    {"an alias", "a: 1\nb: *a\n", "f:2: aliases are not taken; write the value out\n"},
    {"an alias in a list", "a:\n  - *b\n", "f:2: aliases are not taken; write the value out\n"},
    {"an alias for all", "*a\n", "f:1: aliases are not taken; write the value out\n"},
    {"an anchor at a text", "a: &x 1\n", "f:1: anchor &x: anchors are not taken; write the value out\n"},
    {"an anchor at a list", "a: &x [1]\n", "f:1: anchor &x: anchors are not taken; write the value out\n"},
    {"an anchor at a map", "a: &x {b: 1}\n", "f:1: anchor &x: anchors are not taken; write the value out\n"},
    {"an anchor at a key", "a: 1\n&x b: 1\n", "f:2: anchor &x: anchors are not taken; write the value out\n"},
    {"a tag at a text", "a: !!int 1\n", "f:1: tag tag:yaml.org,2002:int: tags are not taken\n"},
    {"a tag at a list", "a: !x [1]\n", "f:1: tag !x: tags are not taken\n"},
    {"a tag at a map", "a: !!omap {b: 1}\n", "f:1: tag tag:yaml.org,2002:omap: tags are not taken\n"},
    {"a tag at a key", "!x a: 1\n", "f:1: tag !x: tags are not taken\n"},
    {"a key twice", "a: 1\nb: 2\na: 3\n", "f:3: a: stands twice; first in line 1\n"},
    {"a key twice, once in quotes", "a: 1\n'a': 3\n", "f:2: a: stands twice; first in line 1\n"},
    {"a key twice, far down", "a:\n  b:\n    c: 1\n    c: 2\n", "f:4: c: stands twice; first in line 3\n"},
    {"a key three times", "a: 1\na: 2\na: 3\n",
     "f:2: a: stands twice; first in line 1\nf:3: a: stands twice; first in line 1\n"
     "f:3: a: stands twice; first in line 2\n"},
    {"a list as a key", "a: 1\n[b]: 2\n", "f:2: a key must be a plain text\n"},
    {"a map as a key", "{a: 1}: 2\n", "f:1: a key must be a plain text\n"},
    {"an alias as a key", "a: 1\n*b : 2\n", "f:2: a key must be a plain text\n"},
    {"a tab as indentation", "a:\n\tb: 1\n", "f:2: a tab: indent with spaces\n"},
    {"a tab behind spaces", "a:\n  b: 1\n  \tc: 1\n", "f:3: a tab: indent with spaces\n"},
    {"two documents", "a: 1\n---\nb: 2\n", "f:2: a second document: one file holds one\n"},
    {"a NUL in a text", "a: \"b\\0c\"\n", "f:1: a NUL inside a text\n"},
    {"a NUL in a key", "a: 1\n\"b\\0c\": 1\n", "f:2: a NUL inside a key\n"},
    {"Latin-1", "a: 1\nb: 2\nc: \xe4 bc\n", "f:3: invalid trailing UTF-8 octet\n"},
    {"a control character", "a: 1\nb: \x01\n", "f:2: control characters are not allowed\n"},
};

START_TEST(what_is_not_plain_data_is_a_mistake_with_its_line)
{
    int r = yaml_read_text("f", text_of(rows[_i].text), &tree, &mistakes);
    ck_assert_msg(r < 0, "%s was taken", rows[_i].sentence);
    ck_assert_msg(strcmp(buf_terminate(&mistakes), rows[_i].says) == 0, "%s: %s", rows[_i].sentence, mistakes.data);
}
END_TEST

static const struct {
    const char *sentence, *text;
    int line;
} broken[] = {
    {"a list that does not end", "a: 1\nb: [1, 2\n", 3}, {"a quote that does not end", "a: 1\nb: 'x\n", 3},
    {"a map where a text goes on", "a: b: c\n", 1},      {"an item less indented", "a:\n    b: 1\n  c: 2\n", 3},
    {"an escape that is none", "a: 1\nb: \"\\q\"\n", 2}, {"a directive that is none", "%YAML 9.9\n---\na: 1\n", 1},
};

START_TEST(what_is_no_yaml_is_one_mistake_with_its_line)
{
    char head[32];
    int r = yaml_read_text("f", text_of(broken[_i].text), &tree, &mistakes);
    snprintf(head, sizeof head, "f:%d: ", broken[_i].line);
    ck_assert_msg(r < 0, "%s was taken", broken[_i].sentence);
    ck_assert_msg(strncmp(buf_terminate(&mistakes), head, strlen(head)) == 0, "%s: %s", broken[_i].sentence,
                  mistakes.data);
    ck_assert_ptr_eq(strchr(mistakes.data, '\n'), mistakes.data + mistakes.len - 1);
}
END_TEST

START_TEST(all_mistakes_of_a_file_are_told_in_one_run)
{
    int r = yaml_read_text("f", TEXT("a: &x 1\nb: !t 2\na: 3\nc: *x\nd: [*x, &y z]\n"), &tree, &mistakes);
    ck_assert_int_lt(r, 0);
    ck_assert_str_eq(buf_terminate(&mistakes), "f:1: anchor &x: anchors are not taken; write the value out\n"
                                               "f:2: tag !t: tags are not taken\n"
                                               "f:3: a: stands twice; first in line 1\n"
                                               "f:4: aliases are not taken; write the value out\n"
                                               "f:5: aliases are not taken; write the value out\n"
                                               "f:5: anchor &y: anchors are not taken; write the value out\n");
}
END_TEST

static void refused(const struct buf *text, const char *says)
{
    ck_assert_int_lt(yaml_read_text("f", buf_text(text), &tree, &mistakes), 0);
    ck_assert_msg(strstr(buf_terminate(&mistakes), says) != NULL, "%s", mistakes.data);
}

START_TEST(thirty_three_levels_are_too_deep)
{
    struct buf text = {0};
    buf_add_string(&text, "a: ");
    for (int i = 0; i < 5000; i++)
        buf_add_char(&text, '[');
    refused(&text, "f:1: nested deeper than 32\n");
    buf_free(&text);
}
END_TEST

START_TEST(a_map_of_too_many_keys_is_refused)
{
    struct buf text = {0};
    for (int i = 0; i < 4096; i++)
        buf_addf(&text, "k%d: 1\n", i);
    ck_assert_int_eq(yaml_read_text("f", buf_text(&text), &tree, &mistakes), 0);
    yaml_free(tree);
    buf_addf(&text, "k: 1\n");
    refused(&text, "f:4097: more than 4096 keys in one map\n");
    buf_free(&text);
}
END_TEST

START_TEST(a_list_of_too_many_items_is_refused)
{
    struct buf text = {0};
    for (int i = 0; i < 100001; i++)
        buf_add_string(&text, "- a\n");
    refused(&text, "f:100001: too large\n");
    buf_free(&text);
}
END_TEST

/* ---- files ---- */

START_TEST(a_file_is_read_and_named_in_its_mistakes)
{
    char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16], says[FOLDER_SIZE + 64];
    folder_path(folder_make(folder), "x.yaml", path, sizeof path);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("a: 1\na: 2\n", f);
    fclose(f);
    snprintf(says, sizeof says, "%s:2: a: stands twice; first in line 1\n", path);
    ck_assert_int_lt(yaml_read_file(path, &tree, &mistakes), 0);
    ck_assert_str_eq(buf_terminate(&mistakes), says);
    ck_assert_ptr_nonnull(tree);
    folder_remove(folder);
}
END_TEST

START_TEST(a_file_that_is_not_there_or_is_a_folder_is_a_mistake)
{
    char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
    folder_path(folder_make(folder), "none.yaml", path, sizeof path);
    ck_assert_int_lt(yaml_read_file(path, &tree, &mistakes), 0);
    ck_assert_ptr_null(tree);
    ck_assert_ptr_nonnull(strstr(buf_terminate(&mistakes), "none.yaml: No such file"));
    buf_clear(&mistakes);
    ck_assert_int_lt(yaml_read_file(folder, &tree, &mistakes), 0);
    ck_assert_ptr_null(tree);
    ck_assert_ptr_nonnull(strstr(buf_terminate(&mistakes), ": cannot be read"));
    folder_remove(folder);
}
END_TEST

START_TEST(a_file_over_the_limit_is_refused_and_not_cut)
{
    char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
    folder_path(folder_make(folder), "x.yaml", path, sizeof path);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < (16 << 20) / 64 + 64; i++)
        fprintf(f, "# %-61s\n", "a comment of 64 bytes");
    fputs("a: 1\n", f);
    fclose(f);
    ck_assert_int_lt(yaml_read_file(path, &tree, &mistakes), 0);
    ck_assert_ptr_nonnull(strstr(buf_terminate(&mistakes), "x.yaml: larger than 16 MiB"));
    folder_remove(folder);
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof table[0])

int main(void)
{
    Suite *s = suite_create("yaml tree");
    TCase *t = tcase_create("yaml tree");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, maps_lists_and_texts_are_a_tree_with_lines);
    tcase_add_test(t, what_says_nothing_is_null_and_quoted_it_is_a_text);
    tcase_add_test(t, an_empty_file_has_no_tree);
    tcase_add_test(t, what_looks_like_yaml_inside_quotes_is_text);
    tcase_add_test(t, thirty_two_levels_are_taken);
    tcase_add_loop_test(t, what_is_not_plain_data_is_a_mistake_with_its_line, 0, COUNT(rows));
    tcase_add_loop_test(t, what_is_no_yaml_is_one_mistake_with_its_line, 0, COUNT(broken));
    tcase_add_test(t, all_mistakes_of_a_file_are_told_in_one_run);
    tcase_add_test(t, thirty_three_levels_are_too_deep);
    tcase_add_test(t, a_map_of_too_many_keys_is_refused);
    tcase_add_test(t, a_list_of_too_many_items_is_refused);
    tcase_add_test(t, a_file_is_read_and_named_in_its_mistakes);
    tcase_add_test(t, a_file_that_is_not_there_or_is_a_folder_is_a_mistake);
    tcase_add_test(t, a_file_over_the_limit_is_refused_and_not_cut);
    suite_add_tcase(s, t);
    return test_run(s);
}
