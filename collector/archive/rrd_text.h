/* Rows in the only form that librrd takes: text, cheaply made (printf's %.17g costs more than librrd itself). Pure. */
#ifndef COLLECTOR_ARCHIVE_RRD_TEXT_H
#define COLLECTOR_ARCHIVE_RRD_TEXT_H

#include "pluvio/base/buf.h"

/* Append "end:value:value..." and a NUL; "U" for NAN and infinities, and for every value if @values is NULL. Whole
 * numbers below 2^53 are exact, all others right to 15 digits at least. */
void rrd_text_row(struct buf *out, int64_t end_s, const double *values, size_t count);
/* One value of it with its NUL; cut to @size. */
void rrd_text_value(double v, char *out, size_t size);

#endif
