/* One .rrd file: made, written, read. The only module that includes librrd; all calls come from one thread. */
#ifndef COLLECTOR_ARCHIVE_RRD_FILE_H
#define COLLECTOR_ARCHIVE_RRD_FILE_H

#include "archive_policy.h"
#include "pluvio/archive/archive_layout.h"
#include "pluvio/archive/archive_query.h"
#include "pluvio/base/error.h"

/* Data sources are those of @kind; all GAUGE with the step as heartbeat. The first row may end after @start_s. */
int rrd_file_create(const char *path, enum resource_kind kind, const struct archive_policy *policy, int64_t start_s,
                    struct error *error) __attribute__((warn_unused_result));
/* End of the newest row; -ENOENT: no such file. */
int rrd_file_last(const char *path, int64_t *ret_last_s, struct error *error) __attribute__((warn_unused_result));
/* Rows in librrd's text form, "time:value:value...", oldest first, each behind the file's last. */
int rrd_file_update(const char *path, const char **rows, int count, struct error *error)
    __attribute__((warn_unused_result));

struct rrd_rows {
    int64_t start_s, step_s; /* row i says [start + i * step, + step) */
    size_t rows, columns;
    double *values; /* rows * columns; the caller frees */
};
/* @step_s 0: the finest that covers @from_s. */
int rrd_file_fetch(const char *path, enum consolidation function, int64_t from_s, int64_t to_s, int64_t step_s,
                   struct rrd_rows *ret, struct error *error) __attribute__((warn_unused_result));

#endif
