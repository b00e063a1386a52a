#include "pluvio/store/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "db_private.h"

#define BUSY_MS 5000

static int errno_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EUCLEAN;
    case SQLITE_CANTOPEN:
        return -ENOENT;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    default:
        return -EIO;
    }
}

static const char *advice(int code)
{
    switch (code) {
    case -ENOSPC:
        return ": free some space on its disk";
    case -EROFS:
        return ": the file or its folder cannot be written; check owner, mode and mount";
    case -EBUSY:
        return ": another process holds it";
    case -EUCLEAN:
        return ": the file is damaged; restore it or move it away";
    case -ENOENT:
        return ": check that the folder exists and may be entered";
    default:
        return "";
    }
}

/* What SQLite says just now. It calls a disk that turned read-only an I/O error; the system's errno knows better. */
static int explain(sqlite3 *handle, struct error *ret)
{
    int code = errno_of(sqlite3_extended_errcode(handle)), system = code == -EIO ? sqlite3_system_errno(handle) : 0;
    if (system == EROFS || system == ENOSPC)
        code = -system;
    if (system == EDQUOT)
        code = -ENOSPC;
    return error_set(ret, code ? code : -EIO, "%s%s%s%s%s", sqlite3_errmsg(handle), system ? " (" : "",
                     system ? strerror(system) : "", system ? ")" : "", advice(code));
}

void db_fail_sqlite(struct db *db, const char *doing)
{
    struct error why;
    explain(db->handle, &why);
    db_fail(db, why.code, "%s: %s: %s", db->path, doing, why.text);
}

static int failure(const struct db *db, struct error *error)
{
    struct error why;
    explain(db->handle, &why);
    return error_set(error, why.code, "%s: %s", db->path, why.text);
}

void db_fail(struct db *db, int code, const char *format, ...)
{
    if (db->failure.code)
        return;
    va_list args;
    va_start(args, format);
    db->failure.code = code;
    vsnprintf(db->failure.text, sizeof db->failure.text, format, args);
    va_end(args);
}

bool db_failed(const struct db *db)
{
    return db->failure.code != 0;
}

const char *db_path(const struct db *db)
{
    return db->path;
}

int db_check(struct db *db, struct error *error)
{
    int code = db->failure.code;
    if (code && error)
        *error = db->failure;
    db->failure.code = 0;
    return code;
}

int db_exec(struct db *db, const char *sql, struct error *error)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return failure(db, error);
}

static int64_t pragma(struct db *db, const char *sql)
{
    sqlite3_stmt *statement;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return -1;
    if (sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

/* One transaction a step, so that a crash between two leaves a file that the next start carries on. */
static int migrate_one(struct db *db, const struct db_schema *schema, int64_t from, struct error *error)
{
    char tail[160];
    snprintf(tail, sizeof tail, "PRAGMA user_version=%lld;PRAGMA application_id=%d;", (long long)from + 1,
             schema->application_id);
    int r = db_exec(db, "BEGIN IMMEDIATE", error);
    if (r == 0 && pragma(db, "PRAGMA user_version") == from) {
        r = db_exec(db, schema->migrations[from], error);
        if (r == 0)
            r = db_exec(db, tail, error);
    }
    if (r == 0)
        r = db_exec(db, "COMMIT", error);
    if (r)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

static int check_schema(struct db *db, const struct db_schema *schema, struct error *error)
{
    int64_t version = pragma(db, "PRAGMA user_version"), id = pragma(db, "PRAGMA application_id");
    if (version < 0 || id < 0)
        return failure(db, error);
    if ((version > 0 || id > 0) && id != schema->application_id)
        return error_set(error, -EUCLEAN, "%s: is not a %s of pluvio (application id %lld): name another file",
                         db->path, schema->name, (long long)id);
    if (version > schema->count)
        return error_set(error, -EPROTO, "%s: %s version %lld is newer than this program's %d: upgrade pluvio",
                         db->path, schema->name, (long long)version, schema->count);
    if (db->read_only && version < schema->count)
        return error_set(error, -EPROTO, "%s: %s version %lld is older than this program's %d: start its daemon once",
                         db->path, schema->name, (long long)version, schema->count);
    for (int64_t v = version; v < schema->count; v++) {
        int r = migrate_one(db, schema, v, error);
        if (r)
            return r;
    }
    return 0;
}

static int set_up(struct db *db, const struct db_schema *schema, struct error *error)
{
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    sqlite3_extended_result_codes(db->handle, 1);
    if (db->read_only)
        return check_schema(db, schema, error);
    int r = db_exec(db,
                    "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA journal_size_limit=16777216;PRAGMA "
                    "wal_autocheckpoint=4000;",
                    error);
    return r ? r : check_schema(db, schema, error);
}

int db_open(struct db **ret, const char *path, enum db_mode mode, const char *vfs, const struct db_schema *schema,
            struct error *error)
{
    struct db *db = calloc(1, sizeof *db);
    if (!db || !(db->path = strdup(path))) {
        free(db);
        return error_set(error, -ENOMEM, "%s: out of memory", path);
    }
    db->read_only = mode == DB_READ_ONLY;
    db->broken.db = db;
    struct stat st;
    if (db->read_only && stat(path, &st) != 0) {
        int code = -errno;
        error_set(error, code, "%s: %s: nothing has been written there yet, or it is another folder", path,
                  strerror(-code));
        db_close(db);
        return code;
    }
    int flags =
        SQLITE_OPEN_NOMUTEX | (db->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    int result = sqlite3_open_v2(path, &db->handle, flags, vfs);
    int r = 0;
    if (!db->handle)
        r = error_set(error, -ENOMEM, "%s: out of memory", path);
    else
        r = result == SQLITE_OK ? set_up(db, schema, error) : failure(db, error);
    if (r) {
        db_close(db);
        return r;
    }
    *ret = db;
    return 0;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    size_t cursor = 0;
    for (struct db_row *q; (q = map_next(&db->rows, &cursor));) {
        sqlite3_finalize(q->statement);
        free(q->sql);
        free(q);
    }
    map_free(&db->rows);
    sqlite3_close(db->handle);
    free(db->path);
    free(db);
}

void db_begin(struct db *db)
{
    db->failure.code = 0;
    db->in_transaction = true;
    if (sqlite3_exec(db->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        db_fail_sqlite(db, "cannot begin to write");
}

void db_rollback(struct db *db)
{
    size_t cursor = 0;
    for (struct db_row *q; (q = map_next(&db->rows, &cursor));)
        sqlite3_reset(q->statement);
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    db->in_transaction = false;
    db->failure.code = 0;
}

int db_commit(struct db *db, struct error *error)
{
    if (!db_failed(db) && sqlite3_exec(db->handle, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        db_fail_sqlite(db, "cannot commit");
    if (!db_failed(db)) {
        db->in_transaction = false;
        return 0;
    }
    int code = db->failure.code;
    if (error)
        *error = db->failure;
    db_rollback(db);
    return code;
}

int64_t db_last_id(struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->handle);
}
