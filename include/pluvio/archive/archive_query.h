/* Reading the archives: one series at a step and a consolidation, newest rows included. Any thread.
 *
 * Rows that still wait in memory for their file are written first (the archive's thread does it, within a deadline).
 */
#ifndef PLUVIO_ARCHIVE_ARCHIVE_QUERY_H
#define PLUVIO_ARCHIVE_ARCHIVE_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"

enum consolidation { CONSOLIDATION_AVERAGE, CONSOLIDATION_MIN, CONSOLIDATION_MAX };

struct archive_reader; /* from archive_reader_open, collector/archive/archive_files.h */

struct series_query {
    struct text resource; /* resource id */
    struct text meter;    /* a meter, "<meter>.rate" of a cumulative one, or a derived one: "cpu_util" (%) */
    int64_t from_s, to_s; /* [from, to) */
    int64_t step_s;       /* wanted; 0: the finest that covers @from */
    enum consolidation consolidation;
};
struct series_point {
    int64_t time_s; /* start of the step */
    /* NAN: not observed. A cumulative meter: usage in the step; its .rate: per second; a gauge: as is. A step coarser
     * than the archive's own is the mean of what was observed in it: usage over one with gaps is an estimate, exact is
     * the ledger's. Another producer's meter: what is stored, a counter's rate per second. */
    double value;
};
struct archived_series {
    int64_t step_s; /* given: at least the one asked for */
    const char *unit;
    struct series_point *points; /* the caller frees with archived_series_free */
    size_t count;
};

/* Points are whole steps that begin in the range or hold its start, up to the newest finished one. -ENOENT: no such
 * archive or meter (the error says which); -EINVAL: a range or step that makes no sense; -E2BIG: more than 100,000
 * points; -ETIMEDOUT, -EBUSY: the archives' disk does not keep up, ask again later. */
int archive_series(struct archive_reader *reader, const struct series_query *query, struct archived_series *ret,
                   struct error *error) __attribute__((warn_unused_result));
void archived_series_free(struct archived_series *s);

#endif
