/* Finished steps of the series as rows of the archives. */
#ifndef COLLECTOR_INGEST_STEPS_H
#define COLLECTOR_INGEST_STEPS_H

#include "collector/archive/archive.h"
#include "collector/series/series.h"

struct archive_steps {
    struct series_steps port; /* first: pass &steps->port to the accountant */
    struct archive *archive;
    int64_t step_ms;
    bool failed; /* a row could not be kept: the transaction must be given up */
};
struct archive_steps archive_steps(struct archive *archive, int64_t step_ms);

#endif
