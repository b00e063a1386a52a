#include "pluvio/config/schema.h"

#include <errno.h>
#include <stdlib.h>

#include "pluvio/config/suggest.h"
#include "pluvio/config/yaml_tree.h"
#include "schema_value.h"

#define MAX_NAMES 256

int schema_defaults(const struct schema *s, void *settings, struct error *error)
{
    struct buf why = {0};
    int r = 0;
    for (size_t i = 0; i < s->count && r == 0; i++) {
        const struct option *o = &s->options[i];
        if (o->fallback && !option_take(o, settings, o->fallback, &why))
            r = error_set(error, -EINVAL, "default of %s: %s", o->name, buf_terminate(&why));
    }
    buf_free(&why);
    return r;
}

void schema_free(const struct schema *s, void *settings)
{
    for (size_t i = 0; i < s->count; i++)
        option_clear(&s->options[i], settings);
}

struct reading {
    const struct schema *schema;
    const char *path;
    void *settings;
    struct buf *mistakes;
    bool failed;
    struct {
        int line; /* 0: not yet */
        const struct yaml_node *map;
    } places[MAX_NAMES]; /* where each option stands */
};

static void mistake(struct reading *r, int line, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void mistake(struct reading *r, int line, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_addf(r->mistakes, "%s:%d: %s: ", r->path, line, key);
    buf_vaddf(r->mistakes, format, args);
    buf_add_char(r->mistakes, '\n');
    va_end(args);
    r->failed = true;
}

static const struct option *find(const struct schema *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->options[i].name, name) == 0)
            return &s->options[i];
    return NULL;
}

static bool is_level(const struct schema *s, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < s->count; i++)
        if (strncmp(s->options[i].name, name, n) == 0 && s->options[i].name[n] == '.')
            return true;
    return false;
}

/* "archive" or "archive.step" of "archive.step": what could stand where a name of so many levels stands. */
static const char *first_levels(const char *name, size_t levels, char *out, size_t size)
{
    size_t n = 0;
    for (; name[n] && levels; n++)
        levels -= name[n] == '.';
    text_copy((struct text){name, levels ? n : n - 1}, out, size);
    return out;
}

static void unknown(struct reading *r, const struct yaml_node *n, const char *name)
{
    const char *names[MAX_NAMES];
    char cut[MAX_NAMES][64];
    size_t count = 0, levels = 1;
    for (const char *c = name; *c; c++)
        levels += *c == '.';
    for (; count < r->schema->count && count < MAX_NAMES; count++)
        names[count] = first_levels(r->schema->options[count].name, levels, cut[count], sizeof cut[count]);
    const char *near = suggest(name, names, count);
    if (near)
        mistake(r, n->key_line, name, "no such option; did you mean %s?", near);
    else
        mistake(r, n->key_line, name, "no such option; --help lists them");
}

static void read_list(struct reading *r, const struct option *o, const struct yaml_node *n)
{
    if (n->kind != YAML_LIST) {
        mistake(r, n->line, o->name, "must be a list");
        return;
    }
    option_clear(o, r->settings);
    for (size_t i = 0; i < n->count; i++) {
        if (n->children[i].kind != YAML_SCALAR)
            mistake(r, n->children[i].line, o->name, "its items must be plain texts");
        else if (!option_list_add(option_at(o, r->settings), n->children[i].value))
            mistake(r, n->line, o->name, "out of memory");
    }
}

static void read_map(struct reading *r, const char *name, const struct yaml_node *n, struct option_map *map,
                     const char *const *columns)
{
    size_t count = 0;
    while (columns && columns[count])
        count++;
    for (size_t i = 0; i < n->count; i++) {
        const struct yaml_node *c = &n->children[i];
        bool known = !columns;
        for (size_t k = 0; k < count; k++)
            known |= strcmp(columns[k], c->key) == 0;
        const char *near = known ? NULL : suggest(c->key, columns, count);
        if (!known)
            mistake(r, c->key_line, name, "unknown key %s%s%s%s", c->key, near ? "; did you mean " : "",
                    near ? near : "", near ? "?" : "");
        else if (c->kind != YAML_SCALAR)
            mistake(r, c->line, name, "%s must be a plain text", c->key);
        else if (!option_map_add(map, c->key, c->value, c->key_line))
            mistake(r, c->line, name, "out of memory");
    }
}

static void read_rows(struct reading *r, const struct option *o, const struct yaml_node *n)
{
    struct option_rows *rows = option_at(o, r->settings);
    if (n->kind != YAML_LIST) {
        mistake(r, n->line, o->name, "must be a list of maps");
        return;
    }
    option_clear(o, r->settings);
    rows->rows = calloc(n->count + 1, sizeof *rows->rows);
    for (size_t i = 0; rows->rows && i < n->count; i++) {
        if (n->children[i].kind == YAML_MAP)
            read_map(r, o->name, &n->children[i], &rows->rows[rows->count++], o->choices);
        else
            mistake(r, n->children[i].line, o->name, "its items must be maps");
    }
}

static void read_option(struct reading *r, const struct option *o, const struct yaml_node *n)
{
    struct buf why = {0};
    if (o->type == OPTION_LIST) {
        read_list(r, o, n);
    } else if (o->type == OPTION_ROWS) {
        read_rows(r, o, n);
    } else if (o->type == OPTION_MAP && n->kind == YAML_MAP) {
        option_clear(o, r->settings);
        read_map(r, o->name, n, option_at(o, r->settings), NULL);
    } else if (o->type == OPTION_MAP && !(o->choices && n->kind == YAML_SCALAR)) {
        mistake(r, n->line, o->name, "must be a map");
    } else if (n->kind != YAML_SCALAR) {
        mistake(r, n->key_line, o->name, "must be one plain value (%s)", option_type_name(o->type));
    } else if (!option_take(o, r->settings, n->value, &why)) {
        mistake(r, n->line, o->name, "%s", buf_terminate(&why));
    }
    buf_free(&why);
}

/* A key that stands twice in one map was told with the tree; "a.b" and "a: {b: }" are one option, too. */
static void check_once(struct reading *r, const struct option *o, const struct yaml_node *map, int line)
{
    size_t i = (size_t)(o - r->schema->options);
    if (i >= MAX_NAMES)
        return;
    if (r->places[i].line && r->places[i].map != map)
        mistake(r, line, o->name, "stands twice; first in line %d", r->places[i].line);
    r->places[i].line = line;
    r->places[i].map = map;
}

static void read_level(struct reading *r, const char *prefix, const struct yaml_node *map);

static void read_below(struct reading *r, const char *name, const struct yaml_node *n)
{
    if (n->kind == YAML_MAP)
        read_level(r, name, n);
    else if (n->kind != YAML_NULL)
        mistake(r, n->key_line, name, "must be a map of options");
}

static void read_level(struct reading *r, const char *prefix, const struct yaml_node *map)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *n = &map->children[i];
        char name[256];
        snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", n->key ? n->key : "");
        const struct option *o = find(r->schema, name);
        if (o)
            check_once(r, o, map, n->key_line);
        if (o && n->kind != YAML_NULL)
            read_option(r, o, n);
        else if (!o && is_level(r->schema, name))
            read_below(r, name, n);
        else if (!o)
            unknown(r, n, name);
    }
}

int schema_read_file(const struct schema *s, const char *path, void *settings, struct buf *mistakes)
{
    struct reading r = {.schema = s, .path = path, .settings = settings, .mistakes = mistakes};
    struct yaml_node *tree;
    int result = yaml_read_file(path, &tree, mistakes);
    if (tree && tree->kind == YAML_MAP)
        read_level(&r, "", tree);
    else if (tree && tree->kind != YAML_NULL)
        mistake(&r, tree->line, "file", "must be a map of options");
    yaml_free(tree);
    return result || r.failed ? -EINVAL : 0;
}
