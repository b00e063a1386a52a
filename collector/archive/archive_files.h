/* The archive on disk: a journal, .rrd files, and the one thread that owns the files.
 *
 * Ingest's calls (the port) only append to memory and to the journal; rows of confirmed commits go to the thread, which
 * keeps them per file and writes many at once. Readers ask the thread too: librrd is used by it alone. A folder belongs
 * to one process: it is locked while open.
 *
 * Everything has a limit: rows that wait in memory, rows on their way to the thread, the journal, entries of files.
 * What is refused or dropped is counted; the ledger is never affected by it.
 */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_FILES_H
#define COLLECTOR_ARCHIVE_ARCHIVE_FILES_H

#include "archive.h"
#include "archive_policy.h"
#include "pluvio/archive/archive_query.h"
#include "pluvio/base/clock.h"

struct archive_settings {
    const char *folder; /* made if missing */
    struct archive_policy policy;
    uint64_t ledger_commit;    /* newest commit of the ledger: rows of later ones never happened */
    int flush_rows;            /* rows of one file that are written at once; 0: 30 */
    int64_t flush_age_s;       /* or when the oldest waits so long; 0: 1800 */
    int64_t max_waiting_bytes; /* of rows in memory; 0: 128 MiB */
    int64_t max_journal_bytes; /* 0: 2 GiB */
    struct clock *clock;       /* for ages and retries; NULL: the system's */
};

/* Brings back what the journal holds before it returns. -EBUSY: another process has the folder. */
int archive_open(struct archive **ret, const struct archive_settings *settings, struct error *error)
    __attribute__((warn_unused_result));

struct archive_figures {
    int64_t rows;    /* in files */
    int64_t updates; /* calls that wrote them */
    int64_t files;   /* made */
    int64_t failures;
    int64_t skipped;      /* rows that their file had already, or was past */
    int64_t refused;      /* rows of another layout or step, or of too many files */
    int64_t dropped;      /* rows beyond a limit */
    int64_t set_aside;    /* files that were no archives */
    int64_t waiting_rows; /* in memory, for their files */
    int64_t waiting_bytes;
    int64_t journal_bytes;
};
/* Any thread. */
void archive_figures(struct archive *a, struct archive_figures *ret);

/* Of an archive from archive_open, and not to be used after its destroy. Any thread may ask, several at once. */
int archive_reader_open(struct archive_reader **ret, struct archive *a) __attribute__((warn_unused_result));
void archive_reader_close(struct archive_reader *reader); /* takes NULL */

#endif
