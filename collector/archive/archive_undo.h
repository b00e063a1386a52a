/* A file that a kill caught in the middle of being written is as it was before.
 *
 * librrd writes through a map, here and there: its rings' positions in the file's head before the time that says which
 * row is the newest. A process that is killed between leaves a file whose rows have all moved by one, and nothing
 * tells. So the head is copied before each update, and put back at the next start if the update did not end; the rows
 * behind it are in the journal and are written again over the same places.
 *
 * The copy stands in the page cache, unsynced, as the file does: it serves against the death of the process, not of the
 * machine, and is not used after a boot. One thread.
 */
#ifndef COLLECTOR_ARCHIVE_ARCHIVE_UNDO_H
#define COLLECTOR_ARCHIVE_ARCHIVE_UNDO_H

#include <stddef.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"

#define UNDO_HEAD_BYTES (64 << 10) /* the longest head that can be kept */

struct undo;

/* Puts back what an unfinished update left in @folder. *ret_restored: 1 if there was something, else 0. */
int undo_open(struct undo **ret, const char *folder, int *ret_restored, struct error *error)
    __attribute__((warn_unused_result));
void undo_close(struct undo *u); /* takes NULL; between begin and end it leaves the copy, as a kill would */

/* Keep the first @bytes of the file @name below the folder, or as many as it has. */
int undo_begin(struct undo *u, const char *name, size_t bytes, struct error *error) __attribute__((warn_unused_result));
/* The same with @head, which the caller has read from there. */
int undo_keep(struct undo *u, const char *name, struct text head, struct error *error)
    __attribute__((warn_unused_result));
/* The update came back: the file is whole. */
void undo_end(struct undo *u);

#endif
