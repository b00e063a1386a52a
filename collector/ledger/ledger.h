/* The ledger's write side: one transaction at a time, whose error is sticky. One thread.
 *
 *     ledger_begin(l, now_ms);
 *     struct entity *e = ledger_entity(l, key);
 *     series_apply(accountant over ledger_book(l), e, record, now_ms);
 *     ledger_advance(l, partition, offset + 1);
 *     if (ledger_commit(l, &error)) ...  everything since begin is undone, the cache too
 *
 * A transaction states the lease it writes under when it begins and, when it is written out, each partition's
 * generation and the offset it reads on from; where the file says otherwise somebody else has taken over, and the
 * commit fails with -ESTALE (rules L1, L2).
 */
#ifndef COLLECTOR_LEDGER_LEDGER_H
#define COLLECTOR_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/series/series.h"
#include "pluvio/base/error.h"
#include "pluvio/wire/envelope.h"

#define LEDGER_MAX_DEAD_LETTERS      1000
#define LEDGER_DEAD_LETTER_MAX_VALUE 65536 /* bytes kept of one */

struct ledger;

struct ledger_settings {
    const char *path;
    const char *vfs;    /* NULL: the system's */
    const char *holder; /* who takes the lease, for people */
    int64_t period_ms;  /* of a new file; a file keeps its own, and another one here is an error */
    int64_t now_ms;
};

/* Opens, or makes, the file and takes the lease. */
int ledger_open(struct ledger **ret, const struct ledger_settings *settings, struct error *error)
    __attribute__((warn_unused_result));
void ledger_close(struct ledger *l); /* takes NULL; a transaction under way is undone */

void ledger_begin(struct ledger *l, int64_t now_ms);
bool ledger_failed(const struct ledger *l);
/* Give the transaction a reason to fail. */
void ledger_fail(struct ledger *l, int code, const char *why);
/* Write what the transaction left to write (packed rows, marks, day sums). Between this and ledger_commit nothing may
 * change.
 */
void ledger_write_out(struct ledger *l);
/* 0, or why everything since begin was undone; the cache is empty then. */
int ledger_commit(struct ledger *l, struct error *error) __attribute__((warn_unused_result));
void ledger_rollback(struct ledger *l);
/* Number of the transaction under way, or of the newest one. */
uint64_t ledger_commit_number(const struct ledger *l);

/* ---- entities ---- */

struct series_book *ledger_book(struct ledger *l);
/* From the cache or the file, else a new one; the ledger's own, until commit fails. NULL: failed. */
struct entity *ledger_entity(struct ledger *l, struct text key);
/* Into the cache: all entities with something open. */
int ledger_load_live(struct ledger *l, struct error *error) __attribute__((warn_unused_result));
/* Walk the cache; *cursor starts at 0. */
struct entity *ledger_next_entity(struct ledger *l, size_t *cursor);
/* Forget entities with nothing open, if many are cached. Call between transactions. */
void ledger_trim(struct ledger *l);
/* Note who owns @e and what @r says of it; cheap where nothing changed. */
void ledger_describe(struct ledger *l, struct entity *e, const struct record *r);
/* Id of a resource as the API shows it, into @out of @size bytes. */
struct text resource_key(const struct entity *e, const struct resource *r, char *out, size_t size);

/* ---- where reading stands ---- */

/* Take a partition: its generation grows, and reading goes on at *ret_offset: OFFSET_EARLIEST where the cluster is
 * another one than last time. Where its transaction fails the partition must be released and taken again. */
void ledger_take(struct ledger *l, const char *topic, int32_t partition, const char *cluster, int64_t *ret_offset);
/* Everything before @next_offset is in this transaction. @next_offset may go back after a reset. */
void ledger_advance(struct ledger *l, int32_t partition, int64_t next_offset);
/* No longer ours. */
void ledger_release(struct ledger *l, int32_t partition);
int64_t ledger_position_of(const struct ledger *l, int32_t partition); /* committed; -1: not ours */

/* Rule R5: the mark of (outbox, lane); 0: unknown. */
uint64_t ledger_mark(struct ledger *l, const char *outbox, unsigned lane);
/* @newest_ms: newest reading of the record at hand, whether it moves the mark or not. */
void ledger_set_mark(struct ledger *l, const char *outbox, unsigned lane, uint64_t mark, int64_t newest_ms);
/* All of them, for a takeover (rule R7). Outside a transaction. */
void ledger_each_mark(struct ledger *l, void (*each)(void *context, const char *outbox, unsigned lane, uint64_t mark),
                      void *context);

/* ---- whose word on a host counts (ingest/hosts.h decides it) ---- */

#define LEDGER_HOST_SIZE 65

struct ledger_outbox {
    char id[OUTBOX_ID_SIZE], host[LEDGER_HOST_SIZE];
    bool current;
    int64_t since_ms;
};
/* Write one, new or changed. */
void ledger_put_outbox(struct ledger *l, const struct ledger_outbox *o);
/* All of them. Outside a transaction. */
int ledger_each_outbox(struct ledger *l, void (*each)(void *context, const struct ledger_outbox *o), void *context,
                       struct error *error) __attribute__((warn_unused_result));
/* Newest reading that came in from @outbox; 0: none. */
int64_t ledger_newest_of(struct ledger *l, const char *outbox);

void ledger_dead_letter(struct ledger *l, const char *topic, int32_t partition, int64_t offset, const char *reason,
                        struct text key, struct text value);

#endif
