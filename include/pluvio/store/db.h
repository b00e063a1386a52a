/* SQLite, opened the way a ledger needs it, with a transaction whose error is sticky.
 *
 * WAL, synchronous=FULL, foreign keys off, a VFS by name (tests inject write failures through one). Statements are
 * prepared once per db and SQL text and kept. One thread uses a db.
 *
 * A failed step marks the db: later steps do nothing and return false, and db_commit rolls back and tells the first
 * error.
 *
 *     db_begin(db);
 *     struct db_row *q = db_query(db, "INSERT INTO mark VALUES(?1,?2)");
 *     db_bind_text(q, 1, outbox); db_bind_i64(q, 2, mark);
 *     db_run(q);
 *     return db_commit(db, error);
 */
#ifndef PLUVIO_STORE_DB_H
#define PLUVIO_STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"

struct db;
struct db_row;

enum db_mode { DB_READ_WRITE, DB_READ_ONLY };

/* Schema changes in order: migrations[i] brings user_version i to i+1. A file from a newer program is refused. */
struct db_schema {
    const char *name;   /* "ledger", for messages */
    int application_id; /* PRAGMA application_id: another kind of file is refused */
    const char *const *migrations;
    int count;
};

/* @vfs NULL: the system's. Errors name the path and what to do. -EUCLEAN: the file is damaged or of another kind. */
int db_open(struct db **ret, const char *path, enum db_mode mode, const char *vfs, const struct db_schema *schema,
            struct error *error) __attribute__((warn_unused_result));
void db_close(struct db *db); /* takes NULL */
const char *db_path(const struct db *db);

void db_begin(struct db *db); /* BEGIN IMMEDIATE; waits up to 5 s for another process */
bool db_failed(const struct db *db);
/* Mark the transaction as failed with the caller's own reason; the first one stays. */
void db_fail(struct db *db, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Commit, or roll back if anything failed since db_begin: 0, or the first error. The mark is cleared. */
int db_commit(struct db *db, struct error *error) __attribute__((warn_unused_result));
void db_rollback(struct db *db); /* clears the mark */

/* Prepared and reset; the same text gives the same statement, so one use at a time. Never NULL: a failed prepare
 * marks the db and gives a row whose calls do nothing. */
struct db_row *db_query(struct db *db, const char *sql);
void db_bind_i64(struct db_row *q, int index, int64_t value);
void db_bind_double(struct db_row *q, int index, double value);
void db_bind_text(struct db_row *q, int index,
                  struct text value); /* borrowed until the next step, run or reset; NULL data: NULL */
void db_bind_blob(struct db_row *q, int index, struct text value);
void db_bind_null(struct db_row *q, int index);
bool db_step(struct db_row *q);  /* true: a row is there; false: end, or failed */
void db_reset(struct db_row *q); /* ends a read: an open statement keeps the WAL from being checkpointed */
void db_run(struct db_row *q);   /* a statement without rows: step and reset */
int64_t db_i64(struct db_row *q, int column);
double db_double(struct db_row *q, int column);
struct text db_text(struct db_row *q, int column); /* valid until the next call on this row */
struct text db_blob(struct db_row *q, int column);
bool db_is_null(struct db_row *q, int column);

int64_t db_last_id(struct db *db);
int64_t db_changes(struct db *db);
/* Outside a transaction: statements without results, several in one text. */
int db_exec(struct db *db, const char *sql, struct error *error) __attribute__((warn_unused_result));
/* The first error of reads made outside a transaction, and clear it. 0 if none. */
int db_check(struct db *db, struct error *error) __attribute__((warn_unused_result));

#endif
