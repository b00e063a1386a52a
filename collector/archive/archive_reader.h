/* Between archive_query and the thread that owns the files. */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_READER_H
#define COLLECTOR_ARCHIVE_ARCHIVE_READER_H

#include "archive.h"
#include "rrd_file.h"

struct archive_reader {
    struct archive *archive;
};

static inline int archive_reader_init(struct archive_reader *r, struct archive *archive)
{
    r->archive = archive;
    return 0;
}

struct archive_request {
    struct text resource, meter; /* meter: of a file that holds one of another producer's */
    enum consolidation function;
    int64_t from_s, to_s, step_s;
    struct rrd_rows *ret;
};
/* Write what waits for that file, then read it, in the archive's thread. */
int archive_ask(struct archive *self, const struct archive_request *what, struct error *error)
    __attribute__((warn_unused_result));

#endif
