#include "pluvio/base/table.h"

#include <assert.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

void table_column(struct table *t, const char *head, bool right)
{
    assert(t->columns < TABLE_MAX_COLUMNS && t->count == 0);
    t->heads[t->columns] = head;
    t->right[t->columns++] = right;
}

void table_cell(struct table *t, struct text value)
{
    buf_add_sized(&t->cells, value);
    t->count++;
}

static size_t width_of(struct text t)
{
    size_t n = 0;
    for (size_t i = 0; i < t.len; i++)
        n += (t.data[i] & 0xc0) != 0x80;
    return n;
}

static void print_cell(struct text t, size_t width, bool right, bool last, FILE *out)
{
    int pad = (int)(width - width_of(t));
    if (right)
        fprintf(out, "%*s", pad, "");
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.data[i];
        bool command = c < 0x20 || c == 0x7f || (c == 0xc2 && i + 1 < t.len && (t.data[i + 1] & 0xe0) == 0x80);
        fputc(command && c != 0xc2 ? '?' : c, out);
        if (command && c == 0xc2) { /* U+0080 to U+009F are commands too: an NBSP in their stead */
            fputc(0xa0, out);
            i++;
        }
    }
    if (last)
        fputc('\n', out);
    else
        fprintf(out, "%*s", right ? 2 : pad + 2, "");
}

int table_print(const struct table *t, FILE *out)
{
    size_t widths[TABLE_MAX_COLUMNS];
    assert(t->columns > 0);
    struct unpack u = unpack_text(buf_text(&t->cells));
    if (t->cells.failed)
        return -ENOMEM;
    for (size_t c = 0; c < t->columns; c++)
        widths[c] = strlen(t->heads[c]);
    for (size_t i = 0; i < t->count; i++) {
        size_t width = width_of(unpack_sized(&u));
        if (width > widths[i % t->columns])
            widths[i % t->columns] = width;
    }
    for (size_t c = 0; c < t->columns; c++)
        print_cell(text_of(t->heads[c]), widths[c], t->right[c], c + 1 == t->columns, out);
    u = unpack_text(buf_text(&t->cells));
    for (size_t i = 0; i < t->count; i++) {
        size_t c = i % t->columns;
        print_cell(unpack_sized(&u), widths[c], t->right[c], c + 1 == t->columns, out);
    }
    return 0;
}

static void print_field(struct text t, bool last, FILE *out)
{
    bool quote = false;
    for (size_t i = 0; i < t.len; i++)
        quote |= strchr("\",\r\n", t.data[i]) != NULL;
    if (quote)
        fputc('"', out);
    for (size_t i = 0; i < t.len; i++) {
        if (t.data[i] == '"')
            fputc('"', out);
        fputc(t.data[i], out);
    }
    if (quote)
        fputc('"', out);
    fputs(last ? "\r\n" : ",", out);
}

int table_print_csv(const struct table *t, FILE *out)
{
    assert(t->columns > 0);
    struct unpack u = unpack_text(buf_text(&t->cells));
    if (t->cells.failed)
        return -ENOMEM;
    for (size_t c = 0; c < t->columns; c++)
        print_field(text_of(t->heads[c]), c + 1 == t->columns, out);
    for (size_t i = 0; i < t->count; i++)
        print_field(unpack_sized(&u), i % t->columns + 1 == t->columns, out);
    return 0;
}

void table_free(struct table *t)
{
    buf_free(&t->cells);
    *t = (struct table){0};
}
