/* Statements: prepared once, bound, stepped. */
#include "pluvio/store/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "db_private.h"

static struct db_row *row_create(struct db *db, const char *sql)
{
    struct db_row *q = calloc(1, sizeof *q);
    if (!q || !(q->sql = strdup(sql)) || map_put(&db->rows, text_of(q->sql), q)) {
        if (q)
            free(q->sql);
        free(q);
        db_fail(db, -ENOMEM, "%s: out of memory for a statement", db->path);
        return &db->broken;
    }
    q->db = db;
    return q;
}

struct db_row *db_query(struct db *db, const char *sql)
{
    struct db_row *q = map_get(&db->rows, text_of(sql));
    if (!q)
        q = row_create(db, sql);
    if (q == &db->broken)
        return q;
    if (!q->statement && sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &q->statement, NULL))
        db_fail_sqlite(db, sql);
    if (q->statement)
        sqlite3_reset(q->statement);
    return q;
}

static void bound(struct db_row *q, int result)
{
    if (result != SQLITE_OK)
        db_fail_sqlite(q->db, q->sql);
}

void db_bind_i64(struct db_row *q, int index, int64_t value)
{
    if (q->statement)
        bound(q, sqlite3_bind_int64(q->statement, index, value));
}

void db_bind_double(struct db_row *q, int index, double value)
{
    if (q->statement)
        bound(q, sqlite3_bind_double(q->statement, index, value));
}

void db_bind_text(struct db_row *q, int index, struct text value)
{
    if (q->statement)
        bound(q, sqlite3_bind_text64(q->statement, index, value.data, value.len, SQLITE_STATIC, SQLITE_UTF8));
}

void db_bind_blob(struct db_row *q, int index, struct text value)
{
    if (q->statement)
        bound(q, sqlite3_bind_blob64(q->statement, index, value.data, value.len, SQLITE_STATIC));
}

void db_bind_null(struct db_row *q, int index)
{
    if (q->statement)
        bound(q, sqlite3_bind_null(q->statement, index));
}

bool db_step(struct db_row *q)
{
    if (!q->statement || db_failed(q->db))
        return false;
    int result = sqlite3_step(q->statement);
    if (result == SQLITE_ROW)
        return true;
    if (result != SQLITE_DONE)
        db_fail_sqlite(q->db, q->sql);
    return false;
}

void db_reset(struct db_row *q)
{
    if (q->statement)
        sqlite3_reset(q->statement);
}

void db_run(struct db_row *q)
{
    db_step(q);
    db_reset(q);
}

int64_t db_i64(struct db_row *q, int column)
{
    return q->statement ? sqlite3_column_int64(q->statement, column) : 0;
}

double db_double(struct db_row *q, int column)
{
    return q->statement ? sqlite3_column_double(q->statement, column) : 0;
}

struct text db_text(struct db_row *q, int column)
{
    if (!q->statement)
        return (struct text){0};
    const char *data = (const char *)sqlite3_column_text(q->statement, column);
    return (struct text){data, (size_t)sqlite3_column_bytes(q->statement, column)};
}

struct text db_blob(struct db_row *q, int column)
{
    if (!q->statement)
        return (struct text){0};
    const char *data = sqlite3_column_blob(q->statement, column);
    return (struct text){data, (size_t)sqlite3_column_bytes(q->statement, column)};
}

bool db_is_null(struct db_row *q, int column)
{
    return !q->statement || sqlite3_column_type(q->statement, column) == SQLITE_NULL;
}
