/* The archive on disk: a journal, .rrd files, and the one thread that owns the files.
 *
 * Ingest's calls (the port) only append to memory and to the journal; rows of confirmed commits go to the thread, which
 * keeps them per file and writes many at once. Readers ask the thread too: librrd is used by it alone.
 */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_FILES_H
#define COLLECTOR_ARCHIVE_ARCHIVE_FILES_H

#include "archive.h"
#include "archive_policy.h"
#include "pluvio/archive/archive_query.h"

struct archive_settings {
    const char *folder; /* made if missing */
    struct archive_policy policy;
    uint64_t ledger_commit; /* newest commit of the ledger: rows of later ones never happened */
    int flush_rows;         /* rows of one file that are written at once; 0: 30 */
    int64_t flush_age_s;    /* or when the oldest waits so long; 0: 1800 */
};

int archive_open(struct archive **ret, const struct archive_settings *settings, struct error *error)
    __attribute__((warn_unused_result));

struct archive_figures {
    int64_t files, rows, updates, failures, waiting_rows, journal_bytes;
};
void archive_figures(struct archive *a, struct archive_figures *ret);

/* Of an archive from archive_open; lives as long as it. */
struct archive_reader *archive_reader_of(struct archive *a);

#endif
