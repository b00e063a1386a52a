/* What db.c and db_row.c share: the handle. Nobody else includes it. */
#ifndef COMMON_STORE_DB_PRIVATE_H
#define COMMON_STORE_DB_PRIVATE_H

#include "pluvio/base/map.h"
#include "pluvio/store/db.h"

struct sqlite3;
struct sqlite3_stmt;

struct db_row {
    struct db *db;
    struct sqlite3_stmt *statement; /* NULL: could not be prepared */
    char *sql;                      /* key in the map */
};

struct db {
    struct sqlite3 *handle;
    char *path;
    struct map rows;      /* SQL text -> struct db_row */
    struct db_row broken; /* given out where memory for a row is missing */
    struct error failure; /* first one since begin; code 0: none */
    bool in_transaction;
    bool read_only;
};

/* Mark @db with what SQLite says just now. */
void db_fail_sqlite(struct db *db, const char *doing);

#endif
