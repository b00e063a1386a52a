/* Archive rows as bytes, as they wait for their commit and stand in the journal. Pure. */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_ROWS_H
#define COLLECTOR_ARCHIVE_ARCHIVE_ROWS_H

#include <stdbool.h>

#include "archive.h"

void archive_row_pack(const struct archive_row *row, struct buf *out);
/* The next row; its values go to @values (ARCHIVE_MAX_COLUMNS of them). False at the end, or if damaged (u->failed). */
bool archive_row_unpack(struct unpack *u, struct archive_row *ret, double *values);

#endif
