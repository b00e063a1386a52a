/* Rows appended to an .rrd file without librrd: what its update does, for the rows that come here.
 *
 * librrd takes rows as text, one reading at a time, and each might end anywhere in a step. Ours are complete and end on
 * step boundaries, one after the other, so that only the consolidation is left to do: a tenth of the work. The file is
 * librrd's own format (rrd_format.h, versions 0003 to 0005) to the bit, which the tests prove against librrd. Whatever
 * looks otherwise, in the file or in the rows, is left to librrd.
 */
#ifndef COLLECTOR_ARCHIVE_RRD_APPEND_H
#define COLLECTOR_ARCHIVE_RRD_APPEND_H

#include "archive_policy.h"
#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"
#include "pluvio/model/meter.h"

/* A file's head, as it stands in the file and in memory. */
struct rrd_head {
    size_t sources, rings, size;
    size_t live_at; /* where the part begins that changes */
    const struct stat_head_t *fixed;
    const struct ds_def_t *source;
    const struct rra_def_t *ring;
    struct live_head_t *live;
    struct pdp_prep_t *pdp;
    struct cdp_prep_t *cdp; /* of ring r and source s: r * sources + s */
    struct rra_ptr_t *newest;
};

/* One file at a time; its memory is used again from file to file. Zero it first, finish it last. */
struct rrd_appender {
    struct buf bytes, steps, ring;
    struct rrd_head head;
    int fd;
    const double *rows;
    size_t count;
};
void rrd_appender_finish(struct rrd_appender *a);

/* @count rows, each its end in seconds and then the values of @kind's columns (NAN: unknown), a step apart and the
 * first one step behind the file's last, are to be appended; they stay the caller's until rrd_append_write. 0: write or
 * close is to follow; -ENOTSUP: this is librrd's to do; or another errno with @error. Nothing has been written. */
int rrd_append_open(struct rrd_appender *a, const char *path, enum resource_kind kind,
                    const struct archive_policy *policy, const double *rows, size_t count, struct error *error)
    __attribute__((warn_unused_result));
/* The file's head, all that an append changes but the rows themselves; valid until write. */
struct text rrd_append_head(const struct rrd_appender *a);
/* Write the rows, then the head, and close. On failure the head may be half written. 0 or a negative errno. */
int rrd_append_write(struct rrd_appender *a) __attribute__((warn_unused_result));
void rrd_append_close(struct rrd_appender *a);

#endif
