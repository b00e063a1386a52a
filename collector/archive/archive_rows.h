/* Archive rows as bytes, as they wait for their commit and stand in the journal. Pure.
 *
 * Little endian: kind (1 byte), columns (1), lengths of resource and meter (2, 2), a bit for each known column (4), the
 * step's end (8); then resource, meter, and 8 bytes for each known value.
 */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_ROWS_H
#define COLLECTOR_ARCHIVE_ARCHIVE_ROWS_H

#include "archive.h"

#define ARCHIVE_MAX_NAME 1024 /* bytes of a resource's or a meter's name */

/* Append @row. 0; -EINVAL: a name that is empty or too long; -ENOMEM. */
int archive_row_pack(const struct archive_row *row, struct buf *out);

enum archive_row_result {
    ARCHIVE_ROW_GOOD,
    ARCHIVE_ROW_OTHER_LAYOUT, /* another version's columns: skip it */
    ARCHIVE_ROW_END,
    ARCHIVE_ROW_DAMAGED
};
/* Take the next row off @rows. Its texts point into @rows, its values are @values (ARCHIVE_MAX_COLUMNS of them). */
enum archive_row_result archive_row_unpack(struct text *rows, struct archive_row *ret, double *values);

#endif
