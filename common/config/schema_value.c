#include "schema_value.h"

#include <errno.h>
#include <stdlib.h>

#include "pluvio/base/timestamp.h"
#include "pluvio/config/suggest.h"

const char *option_type_name(enum option_type type)
{
    static const char *const names[] = {"text",   "number",    "true or false", "duration", "size",
                                        "choice", "ADDR:PORT", "list",          "map",      "list of maps"};
    return names[type];
}

size_t option_size(enum option_type type)
{
    static const size_t sizes[] = {sizeof(char *),
                                   sizeof(int64_t),
                                   sizeof(bool),
                                   sizeof(int64_t),
                                   sizeof(int64_t),
                                   sizeof(int),
                                   sizeof(char *),
                                   sizeof(struct option_list),
                                   sizeof(struct option_map),
                                   sizeof(struct option_rows)};
    return sizes[type];
}

static bool refuse(struct buf *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(struct buf *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vaddf(why, format, args);
    va_end(args);
    return false;
}

static bool take_text(char **at, const char *value)
{
    char *copy = strdup(value);
    if (!copy)
        return false;
    free(*at);
    *at = copy;
    return true;
}

/* 64KiB, 2MiB, 1GiB, or bytes. */
static bool parse_size(const char *value, int64_t *ret)
{
    static const struct {
        const char *suffix;
        int shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}, {"B", 0}, {"", 0}};
    size_t digits = strspn(value, "0123456789");
    for (size_t i = 0; digits && i < sizeof units / sizeof units[0]; i++)
        if (strcmp(value + digits, units[i].suffix) == 0)
            return text_to_i64((struct text){value, digits}, ret) && *ret <= INT64_MAX >> units[i].shift &&
                   (*ret <<= units[i].shift, true);
    return false;
}

static bool in_range(const struct option *o, int64_t value, struct buf *why)
{
    int64_t low = o->low, high = o->high || o->low ? o->high : INT64_MAX;
    if (value >= low && value <= high)
        return true;
    char a[TIMESTAMP_SIZE], b[TIMESTAMP_SIZE];
    if (o->type == OPTION_DURATION)
        return refuse(why, "must be %s to %s", duration_format(low, a), duration_format(high, b));
    return refuse(why, "must be %lld to %lld", (long long)low, (long long)high);
}

static bool take_number(const struct option *o, int64_t *at, const char *value, struct buf *why)
{
    int64_t number;
    if (o->type == OPTION_INTEGER && !text_to_i64(text_of(value), &number))
        return refuse(why, "'%s' is not a whole number", value);
    if (o->type == OPTION_DURATION && duration_parse(text_of(value), &number))
        return refuse(why, "'%s' is not a duration such as 10s, 5min, 2h, 7d", value);
    if (o->type == OPTION_SIZE && !parse_size(value, &number))
        return refuse(why, "'%s' is not a size such as 64KiB, 2MiB, 1GiB", value);
    if (!in_range(o, number, why))
        return false;
    *at = number;
    return true;
}

static bool take_boolean(bool *at, const char *value, struct buf *why)
{
    bool yes = strcmp(value, "true") == 0 || strcmp(value, "yes") == 0 || strcmp(value, "on") == 0;
    if (!yes && strcmp(value, "false") != 0 && strcmp(value, "no") != 0 && strcmp(value, "off") != 0)
        return refuse(why, "'%s' is neither true nor false", value);
    *at = yes;
    return true;
}

static bool take_choice(const struct option *o, int *at, const char *value, struct buf *why)
{
    size_t count = 0;
    for (; o->choices[count]; count++) {
        if (strcmp(o->choices[count], value) == 0) {
            *at = (int)count;
            return true;
        }
    }
    const char *near = suggest(value, o->choices, count);
    refuse(why, "'%s' is none of", value);
    for (size_t i = 0; i < count; i++)
        buf_addf(why, "%s %s", i ? "," : "", o->choices[i]);
    return near ? refuse(why, "; did you mean %s?", near) : false;
}

static bool take_address(char **at, const char *value, struct buf *why)
{
    const char *colon = strrchr(value, ':');
    int64_t port;
    if (!colon || colon == value || !text_to_i64(text_of(colon + 1), &port) || port < 0 || port > 65535)
        return refuse(why, "'%s' is not ADDR:PORT", value);
    return take_text(at, value);
}

/* KEY=VALUE adds a pair; a plain value is that of the key which the row names for it. */
static bool take_map(const struct option *o, struct option_map *at, const char *value, struct buf *why)
{
    const char *equals = o->choices ? NULL : strchr(value, '=');
    if (o->choices)
        return option_map_set(at, o->choices[0], value) ? true : refuse(why, "out of memory");
    char *key = equals ? strndup(value, (size_t)(equals - value)) : NULL;
    bool taken = key && option_map_set(at, key, equals + 1);
    free(key);
    return taken ? true : refuse(why, "'%s' is not KEY=VALUE", value);
}

bool option_take(const struct option *o, void *settings, const char *value, struct buf *why)
{
    void *at = option_at(o, settings);
    switch (o->type) {
    case OPTION_TEXT:
        return take_text(at, value);
    case OPTION_INTEGER:
    case OPTION_DURATION:
    case OPTION_SIZE:
        return take_number(o, at, value, why);
    case OPTION_BOOLEAN:
        return take_boolean(at, value, why);
    case OPTION_CHOICE:
        return take_choice(o, at, value, why);
    case OPTION_ADDRESS:
        return take_address(at, value, why);
    case OPTION_LIST:
        return option_list_add(at, value);
    case OPTION_MAP:
        return take_map(o, at, value, why);
    case OPTION_ROWS:
        break;
    }
    return refuse(why, "belongs into the configuration file");
}

bool option_list_add(struct option_list *list, const char *item)
{
    char **wider = realloc(list->items, (list->count + 1) * sizeof(char *));
    if (!wider)
        return false;
    list->items = wider;
    if (!(wider[list->count] = strdup(item)))
        return false;
    list->count++;
    return true;
}

bool option_map_add(struct option_map *map, const char *key, const char *value, int line)
{
    struct option_pair *wider = realloc(map->pairs, (map->count + 1) * sizeof *wider);
    if (!wider)
        return false;
    map->pairs = wider;
    struct option_pair p = {strdup(key), strdup(value), line};
    if (!p.key || !p.value) {
        free(p.key);
        free(p.value);
        return false;
    }
    wider[map->count++] = p;
    return true;
}

bool option_map_set(struct option_map *map, const char *key, const char *value)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->pairs[i].key, key) == 0)
            return take_text(&map->pairs[i].value, value);
    return option_map_add(map, key, value, 0);
}

void option_map_free(struct option_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        free(map->pairs[i].key);
        free(map->pairs[i].value);
    }
    free(map->pairs);
    *map = (struct option_map){0};
}

static void clear_list(struct option_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

static void clear_rows(struct option_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        option_map_free(&rows->rows[i]);
    free(rows->rows);
}

void option_clear(const struct option *o, void *settings)
{
    void *at = option_at(o, settings);
    if (o->type == OPTION_TEXT || o->type == OPTION_ADDRESS)
        free(*(char **)at);
    else if (o->type == OPTION_LIST)
        clear_list(at);
    else if (o->type == OPTION_MAP)
        option_map_free(at);
    else if (o->type == OPTION_ROWS)
        clear_rows(at);
    memset(at, 0, option_size(o->type));
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_map(const struct option_map *a, const struct option_map *b)
{
    for (size_t i = 0; a->count == b->count && i < a->count; i++)
        if (strcmp(a->pairs[i].key, b->pairs[i].key) != 0 || strcmp(a->pairs[i].value, b->pairs[i].value) != 0)
            return false;
    return a->count == b->count;
}

static bool same_list(const struct option_list *a, const struct option_list *b)
{
    for (size_t i = 0; a->count == b->count && i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return a->count == b->count;
}

static bool same_rows(const struct option_rows *a, const struct option_rows *b)
{
    for (size_t i = 0; a->count == b->count && i < a->count; i++)
        if (!same_map(&a->rows[i], &b->rows[i]))
            return false;
    return a->count == b->count;
}

bool option_equal(const struct option *o, const void *a, const void *b)
{
    const void *x = (const char *)a + o->offset, *y = (const char *)b + o->offset;
    switch (o->type) {
    case OPTION_TEXT:
    case OPTION_ADDRESS:
        return same_text(*(char *const *)x, *(char *const *)y);
    case OPTION_LIST:
        return same_list(x, y);
    case OPTION_MAP:
        return same_map(x, y);
    case OPTION_ROWS:
        return same_rows(x, y);
    case OPTION_INTEGER:
    case OPTION_BOOLEAN:
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_CHOICE:
        break;
    }
    return memcmp(x, y, option_size(o->type)) == 0;
}
