/* YAML, alone and against an option table with each type. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/config/schema_value.h"
#include "fuzz.h"
#include "pluvio/config/yaml_tree.h"

struct settings {
    char *text, *address;
    int64_t number, duration, size;
    bool truth;
    int choice;
    struct option_list list;
    struct option_map map;
    struct option_rows rows;
};

#define AT(field) offsetof(struct settings, field)

static const char *const choices[] = {"red", "green", "blue", NULL};
static const char *const columns[] = {"match", "project", NULL};
static const struct option options[] = {
    {.name = "text", .type = OPTION_TEXT, .offset = AT(text), .fallback = "x"},
    {.name = "address", .type = OPTION_ADDRESS, .offset = AT(address), .fallback = "a:1"},
    {.name = "level.number", .type = OPTION_INTEGER, .offset = AT(number), .low = -5, .high = 5},
    {.name = "level.deep.duration", .type = OPTION_DURATION, .offset = AT(duration), .low = 1000, .high = 60000},
    {.name = "level.deep.size", .type = OPTION_SIZE, .offset = AT(size)},
    {.name = "truth", .type = OPTION_BOOLEAN, .offset = AT(truth)},
    {.name = "choice", .type = OPTION_CHOICE, .offset = AT(choice), .choices = choices},
    {.name = "list", .type = OPTION_LIST, .offset = AT(list)},
    {.name = "map", .type = OPTION_MAP, .offset = AT(map), .choices = choices},
    {.name = "rows", .type = OPTION_ROWS, .offset = AT(rows), .choices = columns},
};
static const struct schema schema = {.options = options, .count = sizeof options / sizeof options[0]};

/* Each line says where: "NAME:LINE: ...". A text may bring newlines of its own into a mistake. */
static void check_mistakes(const struct buf *mistakes, const char *name)
{
    size_t n = strlen(name);
    must(mistakes->len > n + 2 && memcmp(mistakes->data, name, n) == 0 && mistakes->data[n] == ':');
    must(mistakes->data[mistakes->len - 1] == '\n');
    must(mistakes->data[n + 1] >= '1' && mistakes->data[n + 1] <= '9');
}

static void check_tree(const struct yaml_node *node)
{
    must(node->line > 0);
    must((node->kind == YAML_SCALAR) == (node->value != NULL));
    must(node->count == 0 || node->kind == YAML_LIST || node->kind == YAML_MAP);
    for (size_t i = 0; i < node->count; i++) {
        must((node->kind == YAML_MAP) == (node->children[i].key != NULL));
        check_tree(&node->children[i]);
    }
}

static int try_tree(struct text content)
{
    struct yaml_node *tree;
    struct buf mistakes = {0};
    int r = yaml_read_text("f", content, &tree, &mistakes);
    must((r == 0) == (mistakes.len == 0));
    if (r)
        check_mistakes(&mistakes, "f");
    else if (tree)
        check_tree(tree);
    yaml_free(tree);
    buf_free(&mistakes);
    return r;
}

static int read_schema(const char *path, struct settings *settings)
{
    struct buf mistakes = {0};
    struct error error;
    *settings = (struct settings){0};
    must(schema_defaults(&schema, settings, &error) == 0);
    int r = schema_read_file(&schema, path, settings, &mistakes);
    must((r == 0) == (mistakes.len == 0));
    if (r)
        check_mistakes(&mistakes, path);
    buf_free(&mistakes);
    return r;
}

static void try_schema(struct text content, int tree_result)
{
    static int fd = -1;
    char path[64];
    struct settings first, second;
    if (fd < 0)
        fd = memfd_create("yaml", 0);
    must(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, content.data, content.len, 0) == (ssize_t)content.len);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int r = read_schema(path, &first);
    must(r == read_schema(path, &second));
    must(r || tree_result == 0);
    for (size_t i = 0; i < schema.count; i++)
        must(option_equal(&options[i], &first, &second));
    must(first.number >= -5 && first.number <= 5 && first.size >= 0 && first.duration <= 60000);
    schema_free(&schema, &first);
    schema_free(&schema, &second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int r = try_tree(fuzz_text(data, size));
    try_schema(fuzz_text(data, size), r);
    return 0;
}
