#include "reply.h"

#include <stdlib.h>

void reply_header(struct reply *r, const char *name, struct text value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.data[i] < ' ' || value.data[i] == 0x7f)
            return; /* a line break would let the value write headers of its own */
    char *copy = r->header_count < REPLY_MAX_HEADERS ? text_dup(value) : NULL;
    if (copy)
        r->headers[r->header_count++] = (struct reply_header){name, copy};
}

void reply_free(struct reply *r)
{
    for (size_t i = 0; i < r->header_count; i++)
        free(r->headers[i].value);
    buf_free(&r->body);
    *r = (struct reply){0};
}
