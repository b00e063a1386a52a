/* Archives as a port, write side: finished rows in, pictures out. Lossy, rebuildable, never billed from.
 *
 * A row says one step of one archive file, complete: usage is already split at step boundaries, so that nothing is left
 * to interpolate. Rows travel with the ledger's commits: add ... seal(n), the ledger commits n, confirm(n). The journal
 * is on the disk when seal returns; after a crash the rows of commits that the ledger has are brought back from it and
 * those that it has not are dropped. The files are written by the archive's own thread, many rows a call.
 */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_H
#define COLLECTOR_ARCHIVE_ARCHIVE_H

#include <stdint.h>

#include "pluvio/archive/archive_layout.h"
#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"

struct archive_row {
    struct text resource; /* resource id: "<uuid>", "<uuid>-vda" ... */
    struct text meter;    /* RESOURCE_OTHER only: its file holds one meter; else empty */
    enum resource_kind kind;
    int64_t step_end_s;   /* multiple of the step */
    const double *values; /* archive_layout(kind)->count of them; NAN: not observed. Rates (per second) for counters */
};

struct archive {
    int (*add)(struct archive *self, const struct archive_row *row); /* 0, or -ENOMEM */
    /* Sync what was added since the last seal, tagged with the ledger's commit number. */
    int (*seal)(struct archive *self, uint64_t commit, struct error *error);
    void (*confirm)(struct archive *self, uint64_t commit); /* the ledger has it: the rows may go to the files */
    void (*forget)(struct archive *self);                   /* the ledger rolled back: drop what was added or sealed */
    void (*destroy)(struct archive *self);                  /* writes what is confirmed, then frees */
};

#endif
