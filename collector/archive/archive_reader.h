/* Between archive_query and the thread that owns the files. */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_READER_H
#define COLLECTOR_ARCHIVE_ARCHIVE_READER_H

#include "archive.h"
#include "archive_writer.h"

#define ARCHIVE_ASK_NS      (5LL * 1000 * 1000 * 1000) /* an answer comes within, or -ETIMEDOUT */
#define ARCHIVE_MAX_WAITING 1000                       /* questions in the queue; beyond: -EBUSY */

struct archive_reader {
    struct archive *archive;
};

/* Write what waits for that file, then read it, in the archive's thread. The caller frees ret->values. */
int archive_ask(struct archive *self, const struct archive_read *what, struct rrd_rows *ret, struct error *error)
    __attribute__((warn_unused_result));

#endif
