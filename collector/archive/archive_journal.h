/* The archive's journal: rows on the disk before the ledger commits, so that a crash loses none of the picture.
 *
 * Segments journal-N in the archive's folder hold frames: length, CRC-32 of commit and content, commit, content. On
 * opening, a torn tail is cut, and so are frames of commits that the ledger never made: their numbers come again.
 * Ingest's thread appends, the archive's forgets; both may do so at once.
 */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_JOURNAL_H
#define COLLECTOR_ARCHIVE_ARCHIVE_JOURNAL_H

#include <stdint.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"

#define JOURNAL_SEGMENT_BYTES (16LL << 20) /* a segment that has grown beyond is closed */
#define JOURNAL_SEGMENTS      4096         /* more are refused */
#define JOURNAL_FRAME_BYTES   (256 << 20)  /* a longer frame is refused */

struct journal;

struct journal_settings {
    const char *folder;     /* there, and locked by the caller */
    uint64_t ledger_commit; /* frames of later commits are cut */
    int64_t segment_bytes;  /* 0: JOURNAL_SEGMENT_BYTES */
};
/* Calls @each for the frames of commits up to the ledger's, oldest first, then begins a new segment. A failure leaves
 * the segments as they are, so that opening again can succeed once its cause is gone. */
int journal_open(struct journal **ret, const struct journal_settings *settings,
                 void (*each)(void *context, uint64_t commit, struct text content), void *context, struct error *error)
    __attribute__((warn_unused_result));
void journal_close(struct journal *j); /* takes NULL */

/* Append a frame and sync it. On failure nothing of it stays, or the journal refuses all until it could be cut. */
int journal_append(struct journal *j, uint64_t commit, struct text content, struct error *error)
    __attribute__((warn_unused_result));
/* Take back the newest frame, durably: its commit did not happen and its number will be used again. */
void journal_take_back(struct journal *j);

/* Would journal_forget(@commit) delete something? Syncing the archives first is worth it only then. */
bool journal_can_forget(struct journal *j, uint64_t commit);
/* Everything up to @commit is in the files, synced: delete the closed segments that end there. */
void journal_forget(struct journal *j, uint64_t commit);
int64_t journal_bytes(const struct journal *j);

#endif
