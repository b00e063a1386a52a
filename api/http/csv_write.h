/* CSV out, RFC 4180: fields are quoted where they must be, lines end in CR LF. */
#ifndef API_HTTP_CSV_WRITE_H
#define API_HTTP_CSV_WRITE_H

#include <stdbool.h>

#include "pluvio/base/buf.h"

struct csv {
    struct buf *out;
    bool filled; /* the line has a field */
};

void csv_text(struct csv *c, struct text field);
void csv_string(struct csv *c, const char *field);
void csv_end_row(struct csv *c);

#endif
