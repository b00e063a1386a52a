#include "support/fault_vfs/fault_vfs.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a write or a truncation replaced. */
struct undo {
    struct undo *next;
    sqlite3_int64 offset, size_before; /* of the file */
    int length;                        /* of bytes */
    unsigned char bytes[];
};

struct fault_file {
    sqlite3_file base; /* first */
    struct fault_file *next;
    struct undo *undo; /* newest first; since the last sync */
    sqlite3_file *real;
};

static struct {
    sqlite3_vfs vfs, *real;
    struct fault_file *files; /* open ones */
    bool dead;
    int always[FAULT_KINDS], once[FAULT_KINDS];
    uint64_t count[FAULT_KINDS], nth[FAULT_KINDS];
} disk;

static void insist(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "fault_vfs: %s\n", what);
    abort();
}

static int fault(enum fault_kind kind)
{
    disk.count[kind]++;
    if (disk.always[kind])
        return disk.always[kind];
    return disk.nth[kind] && disk.count[kind] == disk.nth[kind] ? disk.once[kind] : SQLITE_OK;
}

/* ---- what a power cut takes back ---- */

static void forget_undo(struct fault_file *f)
{
    while (f->undo) {
        struct undo *u = f->undo;
        f->undo = u->next;
        free(u);
    }
}

static void remember(struct fault_file *f, sqlite3_int64 offset, sqlite3_int64 length)
{
    sqlite3_int64 size = 0;
    insist(f->real->pMethods->xFileSize(f->real, &size) == SQLITE_OK, "cannot tell a file's size");
    if (offset + length > size)
        length = offset < size ? size - offset : 0;
    struct undo *u = malloc(sizeof *u + (size_t)length);
    insist(u != NULL, "out of memory");
    *u = (struct undo){.next = f->undo, .offset = offset, .size_before = size, .length = (int)length};
    if (length)
        insist(f->real->pMethods->xRead(f->real, u->bytes, u->length, offset) == SQLITE_OK, "cannot read back");
    f->undo = u;
}

static void take_back(struct fault_file *f)
{
    const sqlite3_io_methods *m = f->real->pMethods;
    for (const struct undo *u = f->undo; u; u = u->next) {
        if (u->length)
            insist(m->xWrite(f->real, u->bytes, u->length, u->offset) == SQLITE_OK, "cannot take back");
        insist(m->xTruncate(f->real, u->size_before) == SQLITE_OK, "cannot take back");
    }
    forget_undo(f);
}

void fault_vfs_power_cut(void)
{
    for (struct fault_file *f = disk.files; f; f = f->next)
        take_back(f);
    disk.dead = true;
}

/* ---- a file ---- */

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct fault_file *)file)->real;
}

static int file_close(sqlite3_file *file)
{
    struct fault_file *f = (struct fault_file *)file;
    struct fault_file **at = &disk.files;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    forget_undo(f);
    return f->real->pMethods->xClose(f->real);
}

static int file_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), out, amount, offset);
}

static int file_write(sqlite3_file *file, const void *data, int amount, sqlite3_int64 offset)
{
    int r = fault(FAULT_WRITE);
    if (r || disk.dead)
        return r;
    remember((struct fault_file *)file, offset, amount);
    return real_of(file)->pMethods->xWrite(real_of(file), data, amount, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_int64 before = 0;
    if (disk.dead)
        return SQLITE_OK;
    insist(real_of(file)->pMethods->xFileSize(real_of(file), &before) == SQLITE_OK, "cannot tell a file's size");
    if (size < before)
        remember((struct fault_file *)file, size, before - size);
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    int r = fault(FAULT_SYNC);
    if (r || disk.dead)
        return r;
    r = real_of(file)->pMethods->xSync(real_of(file), flags);
    if (r == SQLITE_OK)
        forget_undo((struct fault_file *)file);
    return r;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int file_unlock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int file_reserved(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int file_control(sqlite3_file *file, int op, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}

static int file_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

/* Version 2: no memory-mapped pages, so that every write comes through here. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* ---- the disk ---- */

static int disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags)
{
    struct fault_file *f = (struct fault_file *)file;
    (void)vfs;
    *f = (struct fault_file){.real = (sqlite3_file *)(f + 1)};
    int r = disk.real->xOpen(disk.real, path, f->real, flags, out_flags);
    if (r != SQLITE_OK)
        return r;
    f->base.pMethods = &methods;
    f->next = disk.files;
    disk.files = f;
    return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    (void)vfs;
    return disk.dead ? SQLITE_OK : disk.real->xDelete(disk.real, path, sync_folder);
}

void fault_vfs_register(void)
{
    fault_vfs_heal();
    if (disk.real)
        return;
    disk.real = sqlite3_vfs_find(NULL);
    insist(disk.real != NULL, "no VFS");
    disk.vfs = *disk.real; /* what is not ours is the system's, which does not look at its own pointer */
    disk.vfs.pNext = NULL;
    disk.vfs.zName = FAULT_VFS;
    disk.vfs.szOsFile = (int)sizeof(struct fault_file) + disk.real->szOsFile;
    disk.vfs.xOpen = disk_open;
    disk.vfs.xDelete = disk_delete;
    insist(sqlite3_vfs_register(&disk.vfs, 0) == SQLITE_OK, "cannot register");
}

void fault_vfs_fail(enum fault_kind kind, uint64_t nth, int sqlite_error)
{
    disk.nth[kind] = disk.count[kind] + nth;
    disk.once[kind] = sqlite_error;
}

void fault_vfs_fail_all(enum fault_kind kind, int sqlite_error)
{
    disk.always[kind] = sqlite_error;
}

void fault_vfs_heal(void)
{
    memset(disk.always, 0, sizeof disk.always);
    memset(disk.nth, 0, sizeof disk.nth);
    memset(disk.count, 0, sizeof disk.count);
    disk.dead = false;
}

uint64_t fault_vfs_count(enum fault_kind kind)
{
    return disk.count[kind];
}
