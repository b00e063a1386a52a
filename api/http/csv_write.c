#include "csv_write.h"

static bool must_quote(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.data[i] == '"' || t.data[i] == ',' || t.data[i] == '\n' || t.data[i] == '\r')
            return true;
    return t.len && (t.data[0] == ' ' || t.data[t.len - 1] == ' ');
}

void csv_text(struct csv *c, struct text field)
{
    if (c->filled)
        buf_add_char(c->out, ',');
    c->filled = true;
    if (!must_quote(field)) {
        buf_add_text(c->out, field);
        return;
    }
    buf_add_char(c->out, '"');
    for (size_t i = 0; i < field.len; i++) {
        if (field.data[i] == '"')
            buf_add_char(c->out, '"');
        buf_add_char(c->out, field.data[i]);
    }
    buf_add_char(c->out, '"');
}

void csv_string(struct csv *c, const char *field)
{
    csv_text(c, text_of(field));
}

void csv_end_row(struct csv *c)
{
    buf_add_string(c->out, "\r\n");
    c->filled = false;
}
