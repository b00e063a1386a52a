#include "list.h"

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "pluvio/base/table.h"

void list_add_value(const json_t *value, struct buf *out)
{
    if (json_is_string(value)) {
        buf_add(out, json_string_value(value), json_string_length(value));
    } else if (json_is_real(value)) {
        buf_addf(out, "%.15g", json_real_value(value));
    } else if (value && !json_is_null(value)) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        if (text)
            buf_add_string(out, text);
        else
            out->failed = true;
        free(text);
    }
}

int list_print_json(struct command *c, const json_t *document)
{
    if (json_dumpf(document, c->cli->out, JSON_INDENT(2) | JSON_REAL_PRECISION(17)))
        return command_fail(c, CLI_FAILED, "the answer cannot be written");
    fputc('\n', c->cli->out);
    return CLI_DONE;
}

static bool is_shown(const struct command *c, const struct list_column *column, const json_t *first)
{
    if (column->show)
        return c->format == FORMAT_TABLE;
    return !first || json_object_get(first, column->key);
}

static void fill(struct command *c, const struct list *l, const json_t *rows, struct table *t)
{
    const json_t *first = json_array_get(rows, 0);
    size_t index;
    json_t *row;
    struct buf cell = {0};
    for (size_t i = 0; i < l->column_count; i++) {
        const struct list_column *column = &l->columns[i];
        bool csv = c->format == FORMAT_CSV;
        if (is_shown(c, column, first))
            table_column(t, column->head && !csv ? column->head : column->key, column->right);
    }
    json_array_foreach(rows, index, row)
    {
        for (size_t i = 0; i < l->column_count; i++) {
            const struct list_column *column = &l->columns[i];
            if (!is_shown(c, column, first))
                continue;
            buf_clear(&cell);
            if (column->show)
                column->show(row, &cell);
            else
                list_add_value(json_object_get(row, column->key), &cell);
            table_cell(t, buf_text(&cell));
            t->cells.failed |= cell.failed;
        }
    }
    buf_free(&cell);
}

int list_print(struct command *c, const struct list *l, const json_t *document)
{
    const json_t *rows = json_object_get(document, l->array);
    struct table t = {0};
    if (!json_is_array(rows))
        return command_fail(c, CLI_FAILED, "%s: the answer has no \"%s\"", c->api, l->array);
    if (c->format == FORMAT_JSON)
        return list_print_json(c, document);
    if (c->format == FORMAT_TABLE && json_array_size(rows) == 0) {
        fprintf(c->cli->err, "%s\n", l->nothing);
        return CLI_DONE;
    }
    fill(c, l, rows, &t);
    int r = c->format == FORMAT_CSV ? table_print_csv(&t, c->cli->out) : table_print(&t, c->cli->out);
    table_free(&t);
    return r ? command_fail(c, CLI_FAILED, "out of memory") : CLI_DONE;
}

/* The page behind @next, or the first. */
static json_t *fetch(struct command *c, const struct list *l, const char *next, int *ret_status)
{
    struct buf path = {0};
    buf_add_string(&path, l->path);
    command_query(c, &path);
    if (next) {
        buf_addf(&path, "%cafter=", memchr(path.data, '?', path.len) ? '&' : '?');
        command_escape(next, &path);
    }
    json_t *page = client_get(c, buf_terminate(&path), ret_status);
    buf_free(&path);
    return page;
}

/* Append the rows of all pages behind @document's to it. */
static int fetch_rest(struct command *c, const struct list *l, json_t *document)
{
    int status = CLI_DONE;
    const char *next;
    while (status == CLI_DONE && (next = json_string_value(json_object_get(document, "next")))) {
        json_t *page = fetch(c, l, next, &status);
        if (!page)
            break;
        json_t *end = json_object_get(page, "next");
        if (json_array_extend(json_object_get(document, l->array), json_object_get(page, l->array)) ||
            json_object_set(document, "next", end ? end : json_null()))
            status = command_fail(c, CLI_FAILED, "the answer's pages do not fit together");
        json_decref(page);
    }
    return status;
}

/* --after names where the first page begins, and must not be said of the others. */
static void forget_after(struct command *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->value_count; i++)
        if (strcmp(c->values[i].option->name, "after") != 0)
            c->values[kept++] = c->values[i];
    c->value_count = kept;
}

int list_run(struct command *c, const struct list *l)
{
    int status;
    json_t *document = fetch(c, l, NULL, &status);
    if (!document)
        return status;
    forget_after(c);
    if (!command_value(c, "limit"))
        status = fetch_rest(c, l, document);
    if (status == CLI_DONE)
        status = list_print(c, l, document);
    json_decref(document);
    return status;
}
