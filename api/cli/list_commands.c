/* The commands that are lists of rows. */
#include <string.h>

#include "client.h"
#include "human.h"
#include "list.h"
#include "nouns.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct text text_at(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    return (struct text){json_string_value(value), json_string_length(value)};
}

/* ---- usage ---- */

static void show_about(const json_t *row, struct buf *out)
{
    char text[HUMAN_SIZE];
    wide quantity;
    if (wide_parse(text_at(row, "quantity"), &quantity))
        buf_add_string(out, human_quantity(quantity, text_at(row, "unit"), text));
}

static void show_open(const json_t *row, struct buf *out)
{
    if (json_is_true(json_object_get(row, "open")))
        buf_add_string(out, "open");
}

static const struct list_column usage_columns[] = {
    {.key = "from"},
    {.key = "to"},
    {.key = "project"},
    {.key = "user"},
    {.key = "entity"},
    {.key = "resource"},
    {.key = "meter"},
    {.key = "flavor"},
    {.key = "state"},
    {.key = "quantity", .right = true},
    {.key = "unit"},
    {.key = "about", .right = true, .show = show_about},
    {.key = "", .show = show_open},
};

int usage_list(struct command *c)
{
    static const struct list_column csv[] = {
        {.key = "from"},     {.key = "to"},       {.key = "project"},    {.key = "user"},  {.key = "entity"},
        {.key = "resource"}, {.key = "meter"},    {.key = "flavor"},     {.key = "state"}, {.key = "basis"},
        {.key = "unit"},     {.key = "quantity"}, {.key = "covered_ms"}, {.key = "open"},
    };
    struct list l = {"/v1/usage", "usage", usage_columns, COUNT(usage_columns), "nothing was used in that time"};
    if (c->format == FORMAT_CSV) {
        l.columns = csv;
        l.column_count = COUNT(csv);
    }
    return list_run(c, &l);
}

/* ---- resource ---- */

static const struct list_column resource_columns[] = {
    {.key = "id"},    {.key = "kind"}, {.key = "name"},  {.key = "project"}, {.key = "flavor"},
    {.key = "state"}, {.key = "host"}, {.key = "first"}, {.key = "last"},
};

int resource_list(struct command *c)
{
    static const struct list_column csv[] = {
        {.key = "id"},     {.key = "kind"},  {.key = "entity"}, {.key = "name"},  {.key = "project"}, {.key = "user"},
        {.key = "flavor"}, {.key = "state"}, {.key = "host"},   {.key = "first"}, {.key = "last"},
    };
    struct list l = {"/v1/resources", "resources", resource_columns, COUNT(resource_columns), "no resource is known"};
    if (c->format == FORMAT_CSV) {
        l.columns = csv;
        l.column_count = COUNT(csv);
    }
    return list_run(c, &l);
}

/* Name and value, one a line; then the meters as a table. */
static int print_resource(struct command *c, json_t *row)
{
    static const struct list_column meters[] = {
        {.key = "meter"}, {.key = "type"}, {.key = "unit"}, {.key = "first"}, {.key = "last"}};
    static const struct list l = {"", "meters", meters, COUNT(meters), "no meters"};
    const char *key;
    json_t *value;
    if (c->format != FORMAT_TABLE)
        return c->format == FORMAT_JSON ? list_print_json(c, row) : list_print(c, &l, row);
    json_object_foreach(row, key, value)
    {
        struct buf text = {0};
        if (strcmp(key, "meters") == 0)
            continue;
        list_add_value(value, &text);
        for (size_t i = 0; i < text.len; i++)
            text.data[i] = (unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f ? '?' : text.data[i];
        fprintf(c->cli->out, "%-9s %s\n", key, buf_terminate(&text));
        buf_free(&text);
    }
    fputc('\n', c->cli->out);
    return list_print(c, &l, row);
}

int resource_show(struct command *c)
{
    struct buf path = {0};
    int status;
    buf_add_string(&path, "/v1/resources/");
    command_escape(c->words[0], &path);
    json_t *row = client_get(c, buf_terminate(&path), &status);
    buf_free(&path);
    if (row)
        status = print_resource(c, row);
    json_decref(row);
    return status;
}

/* ---- meter ---- */

int meter_list(struct command *c)
{
    static const struct list_column columns[] = {{.key = "meter"}, {.key = "type"},
                                                 {.key = "unit"},  {.key = "kind"},
                                                 {.key = "basis"}, {.key = "quantity_unit", .head = "unit of usage"}};
    static const struct list l = {"/v1/meters", "meters", columns, COUNT(columns), "no meters"};
    return list_run(c, &l);
}

/* ---- host ---- */

int host_list(struct command *c)
{
    static const struct list_column columns[] = {{.key = "host"},   {.key = "outbox"}, {.key = "state"},
                                                 {.key = "newest"}, {.key = "seen"},   {.key = "since"}};
    static const struct list l = {"/v1/hosts", "hosts", columns, COUNT(columns), "no hosts: no poller was heard yet"};
    return list_run(c, &l);
}

/* ---- dead-letter ---- */

int dead_letter_list(struct command *c)
{
    static const struct list_column columns[] = {{.key = "id", .right = true},
                                                 {.key = "time"},
                                                 {.key = "partition", .right = true},
                                                 {.key = "offset", .right = true},
                                                 {.key = "reason"},
                                                 {.key = "key"},
                                                 {.key = "value_size", .head = "bytes", .right = true}};
    static const struct list l = {"/v1/dead-letters", "dead_letters", columns, COUNT(columns),
                                  "no dead letters: every record was taken in"};
    return list_run(c, &l);
}
