/* The outbox: every record stands here, synced, before it is produced, until the ledger's word releases it, and some
 * days longer (rules R1, R2, R3, R5, R11). One SQLite file; the incarnations share its transaction.
 *
 * A store that fails (full or read-only disk) keeps the records waiting in memory, bounded and counted; they are
 * stored, in order, with the first commit that succeeds. Nothing that is not stored can be read back for sending.
 */
#ifndef POLLERS_OUTBOX_H
#define POLLERS_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/clock.h"
#include "pluvio/base/error.h"
#include "pluvio/base/random.h"
#include "pluvio/store/db.h"
#include "pluvio/wire/envelope.h"

enum outbox_kind {
    OUTBOX_READING, /* a later reading of the same entity makes it redundant */
    OUTBOX_EDGE,    /* a stream's first or last reading, or a change of what it is billed by: never thinned */
    OUTBOX_EVENT    /* without a reading: makes none redundant, and may go before any */
};

struct outbox_settings {
    const char *path;
    const char *vfs;           /* NULL: the system's */
    int64_t max_bytes;         /* of payloads on disk, released ones too */
    int64_t keep_ms;           /* how long released records stay */
    int64_t waiting_max_bytes; /* in memory while the disk refuses */
    struct random *random;
};

struct outbox;
struct outbox_record {
    unsigned lane;
    uint64_t sequence, previous; /* previous: held before it in its lane, 0: none */
    struct text key, payload;    /* valid until the next call on the outbox */
    int64_t time_ms;
};

/* A file that is seen to be damaged is set aside as PATH.damaged-N, named in @ret_notice (may stay empty), and a new
 * one begun. Not all of it is read: damage elsewhere shows at work. */
int outbox_open(struct outbox **ret, const struct outbox_settings *settings, struct buf *ret_notice,
                struct error *error) __attribute__((warn_unused_result));
void outbox_close(struct outbox *o); /* takes NULL */
/* -EUCLEAN and the first damage that any call has met; 0: none. Nothing more can be done then but outbox_set_aside. */
int outbox_damage(const struct outbox *o, struct error *error);
/* Close, and rename the file as outbox_open does; @ret_notice: @why, and what was done. */
void outbox_set_aside(struct outbox *o, const char *why, struct buf *ret_notice);
const char *outbox_id(const struct outbox *o); /* 32 hex digits, made with the file */
/* For tables that commit together with the records: they write between outbox_begin and outbox_commit. */
struct db *outbox_db(struct outbox *o);

/* Queue a record for the next commit; copied. At the memory bound whatever waits and is no edge, the oldest first,
 * makes room for one, each counted as dropped. -ENOBUFS: there is no room, it was dropped and counted. */
int outbox_add(struct outbox *o, struct text key, struct text payload, enum outbox_kind kind, int64_t time_ms);
/* Half of the memory bound is taken: commit before more is added, also in the middle of a large host's reading. */
bool outbox_crowded(const struct outbox *o);
void outbox_begin(struct outbox *o);
/* Store what was queued together with what others wrote since outbox_begin. On failure all of it stays queued (others
 * must keep theirs dirty too) and @error says why. */
int outbox_commit(struct outbox *o, int64_t now_ms, struct error *error) __attribute__((warn_unused_result));

/* The first stored record of @lane after @sequence: 1, 0 at the end, or a negative errno. */
int outbox_after(struct outbox *o, unsigned lane, uint64_t sequence, struct outbox_record *ret, struct error *error);
/* A record that no broker takes (too large): gone, counted. */
void outbox_drop(struct outbox *o, unsigned lane, uint64_t sequence);
uint64_t outbox_last(const struct outbox *o, unsigned lane); /* newest stored sequence ever, 0: none */
uint64_t outbox_held(const struct outbox *o, unsigned lane); /* newest that still stands here, 0: none */
uint64_t outbox_mark(const struct outbox *o, unsigned lane); /* the ledger's word, as stored */

/* The ledger's word for a lane; may be lower than before (R6). Clamped to what was ever made. Stored lazily with the
 * next commit or outbox_tidy: losing it only means sending again. */
void outbox_set_mark(struct outbox *o, unsigned lane, uint64_t mark);
/* Delete what may go: released beyond keep_ms; over the size bound first the released, then events and redundant
 * readings, thinned evenly (every second of the oldest), each counted. Cheap when there is nothing to do. */
int outbox_tidy(struct outbox *o, int64_t now_ms, struct error *error) __attribute__((warn_unused_result));

struct outbox_figures {
    uint64_t stored, unreleased, released;                             /* records */
    uint64_t bytes;                                                    /* payloads on disk */
    uint64_t waiting, waiting_bytes;                                   /* in memory, for the disk */
    uint64_t dropped_waiting, dropped_sent, thinned, dropped_released; /* ever, since start */
};
void outbox_figures(struct outbox *o, struct outbox_figures *ret);

#endif
