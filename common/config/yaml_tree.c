#include "pluvio/config/yaml_tree.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#define MAX_DEPTH 32
#define MAX_NODES 100000
#define MAX_BYTES (16 << 20)
#define MAX_KEYS  4096 /* of one map: each is compared with all before it */

struct reading {
    yaml_parser_t parser;
    const char *name;
    struct text content;
    struct buf *mistakes;
    size_t nodes;
    bool failed;  /* the text cannot be parsed on */
    bool mistake; /* something was noted */
};

static void note(struct reading *r, size_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void note(struct reading *r, size_t line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_addf(r->mistakes, "%s:%zu: ", r->name, line + 1);
    buf_vaddf(r->mistakes, format, args);
    buf_add_char(r->mistakes, '\n');
    va_end(args);
    r->mistake = true;
}

static void free_content(struct yaml_node *n)
{
    for (size_t i = 0; i < n->count; i++)
        free_content(&n->children[i]);
    free(n->children);
    free(n->key);
    free(n->value);
}

void yaml_free(struct yaml_node *node)
{
    if (!node)
        return;
    free_content(node);
    free(node);
}

/* Line from 0 and, in @ret_at, place of what the parser complains of. Its reader knows an offset only. */
static size_t problem_line(const struct reading *r, size_t *ret_at)
{
    const yaml_parser_t *p = &r->parser;
    size_t line = 0;
    *ret_at = p->problem_mark.index;
    if (p->error != YAML_READER_ERROR)
        return p->problem_mark.line;
    *ret_at = p->problem_offset;
    for (size_t i = 0; i < p->problem_offset && i < r->content.len; i++)
        line += r->content.data[i] == '\n';
    return line;
}

static void note_problem(struct reading *r)
{
    const yaml_parser_t *p = &r->parser;
    size_t at, line = problem_line(r, &at);
    /* The index counts characters: where there are others than ASCII before it, the tab is not found, and nothing lost.
     */
    if (p->error == YAML_SCANNER_ERROR && at < r->content.len && r->content.data[at] == '\t')
        note(r, line, "a tab: indent with spaces");
    else
        note(r, line, "%s%s%s", p->context ? p->context : "", p->context ? ": " : "",
             p->problem ? p->problem : "cannot be read");
}

static bool next(struct reading *r, yaml_event_t *event)
{
    if (r->failed)
        return false;
    if (yaml_parser_parse(&r->parser, event))
        return true;
    note_problem(r);
    r->failed = true;
    return false;
}

static struct yaml_node *add_child(struct reading *r, struct yaml_node *parent, size_t line)
{
    /* The room doubles whenever it is a power of two and full. */
    size_t room = (parent->count & (parent->count - 1)) == 0 ? 2 * parent->count + (parent->count == 0) : 0;
    struct yaml_node *wider = room ? realloc(parent->children, room * sizeof *wider) : parent->children;
    if (!wider || ++r->nodes > MAX_NODES) {
        if (wider)
            parent->children = wider;
        note(r, line, "too large");
        r->failed = true;
        return NULL;
    }
    parent->children = wider;
    struct yaml_node *n = &wider[parent->count++];
    *n = (struct yaml_node){.kind = YAML_NULL};
    return n;
}

static bool plain(const char *value, yaml_scalar_style_t style, const char *word)
{
    return style == YAML_PLAIN_SCALAR_STYLE && strcmp(value, word) == 0;
}

static void read_node(struct reading *r, const yaml_event_t *event, struct yaml_node *ret, int depth);

static void check_dressing(struct reading *r, const yaml_event_t *event, const yaml_char_t *anchor,
                           const yaml_char_t *tag)
{
    if (anchor)
        note(r, event->start_mark.line, "anchor &%s: anchors are not taken; write the value out", (const char *)anchor);
    if (tag)
        note(r, event->start_mark.line, "tag %s: tags are not taken", (const char *)tag);
}

static void read_scalar(struct reading *r, const yaml_event_t *event, struct yaml_node *ret)
{
    const char *value = (const char *)event->data.scalar.value;
    yaml_scalar_style_t style = event->data.scalar.style;
    check_dressing(r, event, event->data.scalar.anchor, event->data.scalar.tag);
    bool null = plain(value, style, "") || plain(value, style, "~") || plain(value, style, "null");
    if (strlen(value) != event->data.scalar.length)
        note(r, event->start_mark.line, "a NUL inside a text");
    if (!null && (ret->value = strdup(value)))
        ret->kind = YAML_SCALAR;
    r->failed |= !null && !ret->value;
}

static void read_list(struct reading *r, struct yaml_node *ret, int depth)
{
    yaml_event_t event;
    ret->kind = YAML_LIST;
    while (next(r, &event)) {
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        struct yaml_node *child = end ? NULL : add_child(r, ret, event.start_mark.line);
        if (child)
            read_node(r, &event, child, depth + 1);
        yaml_event_delete(&event);
        if (end)
            return;
    }
}

static void check_duplicate(struct reading *r, const struct yaml_node *map)
{
    const struct yaml_node *last = &map->children[map->count - 1];
    for (size_t i = 0; i + 1 < map->count; i++)
        if (strcmp(map->children[i].key, last->key) == 0)
            note(r, (size_t)last->key_line - 1, "%s: stands twice; first in line %d", last->key,
                 map->children[i].key_line);
}

/* A new child of @map for the key that @event says; NULL: it cannot go on. */
static struct yaml_node *read_key(struct reading *r, const yaml_event_t *event, struct yaml_node *map)
{
    const char *key = event->type == YAML_SCALAR_EVENT ? (const char *)event->data.scalar.value : NULL;
    if (!key)
        note(r, event->start_mark.line, "a key must be a plain text");
    else if (map->count == MAX_KEYS)
        note(r, event->start_mark.line, "more than %d keys in one map", MAX_KEYS);
    struct yaml_node *child = key && map->count < MAX_KEYS ? add_child(r, map, event->start_mark.line) : NULL;
    if (child && !(child->key = strdup(key))) {
        map->count--;
        child = NULL;
    }
    r->failed |= !child;
    if (!child)
        return NULL;
    check_dressing(r, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (strlen(key) != event->data.scalar.length)
        note(r, event->start_mark.line, "a NUL inside a key");
    child->key_line = (int)event->start_mark.line + 1;
    check_duplicate(r, map);
    return child;
}

static void read_map(struct reading *r, struct yaml_node *ret, int depth)
{
    yaml_event_t key, value;
    ret->kind = YAML_MAP;
    while (next(r, &key)) {
        if (key.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&key);
            return;
        }
        struct yaml_node *child = read_key(r, &key, ret);
        yaml_event_delete(&key);
        if (!child || !next(r, &value))
            return;
        read_node(r, &value, child, depth + 1);
        yaml_event_delete(&value);
    }
}

static void read_node(struct reading *r, const yaml_event_t *event, struct yaml_node *ret, int depth)
{
    ret->line = (int)event->start_mark.line + 1;
    ret->kind = YAML_NULL;
    if (depth > MAX_DEPTH) {
        note(r, event->start_mark.line, "nested deeper than %d", MAX_DEPTH);
        r->failed = true;
        return;
    }
    if (event->type == YAML_SCALAR_EVENT) {
        read_scalar(r, event, ret);
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        check_dressing(r, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
        read_list(r, ret, depth);
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        check_dressing(r, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
        read_map(r, ret, depth);
    } else {
        note(r, event->start_mark.line, "aliases are not taken; write the value out");
    }
}

static void read_document(struct reading *r, struct yaml_node **ret)
{
    yaml_event_t event;
    int documents = 0;
    for (bool end = false; !end && next(r, &event);) {
        end = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT && ++documents == 2)
            note(r, event.start_mark.line, "a second document: one file holds one");
        bool content = event.type == YAML_SCALAR_EVENT || event.type == YAML_SEQUENCE_START_EVENT ||
                       event.type == YAML_MAPPING_START_EVENT || event.type == YAML_ALIAS_EVENT;
        if (content && documents == 1 && !*ret && (*ret = calloc(1, sizeof **ret)))
            read_node(r, &event, *ret, 0);
        else if (content)
            r->failed = true;
        yaml_event_delete(&event);
    }
}

int yaml_read_text(const char *name, struct text content, struct yaml_node **ret, struct buf *mistakes)
{
    struct reading r = {.name = name, .content = content, .mistakes = mistakes};
    *ret = NULL;
    if (!yaml_parser_initialize(&r.parser))
        return -ENOMEM;
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(content.data ? content.data : ""), content.len);
    read_document(&r, ret);
    yaml_parser_delete(&r.parser);
    return r.failed || r.mistake ? -EINVAL : 0;
}

int yaml_read_file(const char *path, struct yaml_node **ret, struct buf *mistakes)
{
    *ret = NULL;
    FILE *f = fopen(path, "re");
    struct buf content = {0};
    if (!f) {
        buf_addf(mistakes, "%s: %s\n", path, strerror(errno));
        return -EINVAL;
    }
    for (size_t n = 1; n && content.len <= MAX_BYTES;) {
        char *to = buf_reserve(&content, 4096);
        n = to ? fread(to, 1, 4096, f) : 0;
        content.len += n;
    }
    int r = -EINVAL;
    if (ferror(f) || content.failed)
        buf_addf(mistakes, "%s: cannot be read\n", path);
    else if (content.len > MAX_BYTES)
        buf_addf(mistakes, "%s: larger than %d MiB\n", path, MAX_BYTES >> 20);
    else
        r = yaml_read_text(path, buf_text(&content), ret, mistakes);
    fclose(f);
    buf_free(&content);
    return r ? -EINVAL : 0;
}

const struct yaml_node *yaml_child(const struct yaml_node *map, const char *key)
{
    for (size_t i = 0; map && i < map->count; i++)
        if (map->children[i].key && strcmp(map->children[i].key, key) == 0)
            return &map->children[i];
    return NULL;
}
