/* The archive's journal: rows on the disk before the ledger commits, so that a crash loses none of the picture.
 *
 * Segments journal-N in the archive's folder hold frames: length, CRC-32 of commit and content, commit, content. A torn
 * tail is cut. Frames of a commit that the ledger never made are cut too.
 */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_JOURNAL_H
#define COLLECTOR_ARCHIVE_ARCHIVE_JOURNAL_H

#include <stdint.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"

#define JOURNAL_SEGMENT_BYTES (8LL << 20) /* a segment that has grown beyond is closed */

struct journal;

/* Calls @each for the frames of commits up to @ledger_commit, in order, then begins a new segment. */
int journal_open(struct journal **ret, const char *folder, uint64_t ledger_commit,
                 void (*each)(void *context, uint64_t commit, struct text content), void *context, struct error *error)
    __attribute__((warn_unused_result));
void journal_close(struct journal *j); /* takes NULL */

/* Append a frame and sync it. On failure nothing of it stays. */
int journal_append(struct journal *j, uint64_t commit, struct text content, struct error *error)
    __attribute__((warn_unused_result));
/* Take back the newest frame: its commit did not happen. */
void journal_take_back(struct journal *j);
/* Are there segments besides the one that is written? Their rows should go to the files. */
bool journal_is_long(const struct journal *j);
/* Everything up to @commit is in the files, synced: delete the closed segments that end there. */
void journal_forget(struct journal *j, uint64_t commit);
int64_t journal_bytes(const struct journal *j);

#endif
