#include "sim/disk.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int no_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

void disk_register(void)
{
    static sqlite3_vfs own;
    fault_vfs_register();
    sqlite3_vfs_find(FAULT_VFS)->xSleep = no_sleep;
    if (own.zName)
        return;
    own = *sqlite3_vfs_find(NULL);
    own.pNext = NULL;
    own.zName = SIM_VFS;
    own.xSleep = no_sleep;
    if (sqlite3_vfs_register(&own, 0) != SQLITE_OK)
        abort();
}

static sqlite3 *open_file(const char *path)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, SIM_VFS) != SQLITE_OK)
        abort();
    return db;
}

bool disk_is_locked(const char *path)
{
    if (access(path, F_OK) != 0)
        return false;
    sqlite3 *db = open_file(path);
    bool locked = sqlite3_exec(db, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL, NULL) != SQLITE_OK;
    sqlite3_close(db);
    return locked;
}

void disk_copy(const char *from, const char *to)
{
    char sql[600];
    sqlite3 *db = open_file(from);
    unlink(to);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", to);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        abort();
    sqlite3_close(db);
}

void disk_replace(const char *from, const char *to)
{
    char name[600];
    static const char *const parts[] = {"-wal", "-shm"};
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s%s", to, parts[i]);
        unlink(name);
    }
    char command[1300];
    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    if (system(command) != 0)
        abort();
}
