/* What the archive's thread does, as steps: confirmed rows in, files written many rows at once, files read.
 *
 * No thread and no clock of its own: all calls come from one thread at a time, and time is an argument. A fault of one
 * file leaves the others alone: its rows wait and are tried again; a file that is no archive is set aside.
 */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_WRITER_H
#define COLLECTOR_ARCHIVE_ARCHIVE_WRITER_H

#include <stdatomic.h>

#include "archive_journal.h"
#include "archive_pending.h"
#include "archive_policy.h"
#include "archive_undo.h"
#include "pluvio/base/log.h"
#include "rrd_append.h"
#include "rrd_file.h"

/* Written by the thread, read by any. */
struct archive_counts {
    _Atomic int64_t rows, updates, files, failures, skipped, refused, dropped, set_aside, waiting_rows, waiting_bytes;
};

struct archive_writer {
    int folder_fd; /* borrowed: for syncing */
    const char *folder;
    const struct archive_policy *policy;
    struct journal *journal; /* NULL while it is replayed */
    struct undo *undo;       /* borrowed */
    int64_t flush_age_ns;
    size_t max_bytes;          /* of rows that wait */
    int64_t max_journal_bytes; /* beyond, the oldest rows are written, due or not */
    struct pending pending;
    struct archive_counts *counts;
    uint64_t taken; /* newest commit whose rows came */
    int64_t synced_ns;
    struct rrd_appender appender;
    struct buf path, lines;
    const char **list; /* of lines */
    size_t list_cap;
    struct log_limit limit;
};

void archive_writer_finish(struct archive_writer *w);

/* Confirmed rows of @commit (archive_rows.h). Rows at or before their file's last are skipped: they are in it. */
void archive_writer_take(struct archive_writer *w, struct text rows, uint64_t commit, int64_t now_ns);
/* Write what is due, a bounded part of it. True: call again soon, there is more. */
bool archive_writer_step(struct archive_writer *w, int64_t now_ns);
/* Write everything that can be written, and sync. */
void archive_writer_flush(struct archive_writer *w, int64_t now_ns);

struct archive_read {
    struct text resource, meter; /* meter: of a file that holds one of another producer's */
    enum resource_kind kind;
    enum consolidation function;
    int64_t from_s, to_s, step_s; /* step_s 0: the finest that covers from_s */
};
/* Write what waits for that file, then read it. -ENOENT: no such archive. The caller frees ret->values. */
int archive_writer_read(struct archive_writer *w, const struct archive_read *what, int64_t now_ns, struct rrd_rows *ret,
                        struct error *error) __attribute__((warn_unused_result));

#endif
