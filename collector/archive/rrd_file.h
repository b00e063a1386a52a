/* One .rrd file: made, looked at, written, read. The only module that calls librrd; all calls come from one thread.
 *
 * librrd maps files and never syncs: what is written is on the disk when the caller syncs the file system. A read or
 * write that the disk refuses under the map is a SIGBUS, which ends the process: nothing that must survive may depend
 * on these files. A file that is shorter than its head says is refused before it is touched.
 */
#ifndef COLLECTOR_ARCHIVE_RRD_FILE_H
#define COLLECTOR_ARCHIVE_RRD_FILE_H

#include "archive_policy.h"
#include "pluvio/archive/archive_layout.h"
#include "pluvio/archive/archive_query.h"
#include "pluvio/base/error.h"

/* Data sources are those of @kind; all GAUGE with the step as heartbeat, so that a missing row is unknown and nothing
 * is interpolated. The first row may end after @start_s. A file that stands there is kept: -EIO. */
int rrd_file_create(const char *path, enum resource_kind kind, const struct archive_policy *policy, int64_t start_s,
                    struct error *error) __attribute__((warn_unused_result));

/* End of the newest row. -ENOENT: no such file; -EBADMSG: it can be read, but is no archive of @kind with the policy's
 * own step; -EIO, -EACCES ...: it cannot be read now. */
int rrd_file_look(const char *path, enum resource_kind kind, const struct archive_policy *policy, int64_t *ret_last_s,
                  struct error *error) __attribute__((warn_unused_result));

/* No less than the bytes before the first ring's first row: all that an update changes but the rows themselves. */
size_t rrd_file_head_bytes(enum resource_kind kind, const struct archive_policy *policy);

/* Rows in librrd's text form, oldest first, each behind the file's last and at most a step behind the one before it
 * unless that is unknown throughout. On failure some of the first may have been taken. A process that is killed here
 * leaves a file with its rows moved (see archive_undo.h). */
int rrd_file_update(const char *path, const char **rows, int count, struct error *error)
    __attribute__((warn_unused_result));

#define RRD_NAME_SIZE 20
struct rrd_rows {
    int64_t start_s, step_s; /* row i says [start + i * step, + step) */
    size_t rows, columns;
    char names[ARCHIVE_MAX_COLUMNS][RRD_NAME_SIZE]; /* data sources, one a column */
    double *values;                                 /* rows * columns; the caller frees */
};
/* What the file has of [@from_s, @to_s), widened to whole steps. @line: of the file's policy. Past the newest row
 * (@last_s) and before the oldest there is nothing: fewer rows, maybe none. */
int rrd_file_fetch(const char *path, enum consolidation function, const struct archive_policy_line *line,
                   int64_t from_s, int64_t to_s, int64_t last_s, struct rrd_rows *ret, struct error *error)
    __attribute__((warn_unused_result));

#endif
