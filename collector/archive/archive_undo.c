#include "archive_undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pluvio/base/log.h"

#define NAME_SIZE    512
#define BOOT_ID_SIZE 40
#define VERSION      1

/* The file "undo" in the folder, mapped. */
struct record {
    _Atomic uint32_t active; /* VERSION while an update is under way: set last, cleared first */
    uint32_t length;
    char boot_id[BOOT_ID_SIZE];
    char name[NAME_SIZE];
    char head[UNDO_HEAD_BYTES];
};

struct undo {
    int folder_fd;
    struct record *record;
    char boot_id[BOOT_ID_SIZE];
};

static int read_boot_id(char *out, struct error *error)
{
    static const char path[] = "/proc/sys/kernel/random/boot_id";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, BOOT_ID_SIZE - 1);
    int r = n > 0 ? 0 : error_set(error, -EIO, "%s: %s", path, strerror(errno));
    out[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
    return r;
}

/* All of its blocks are taken now: a full disk must be an error here and not a SIGBUS later. */
static int map_record(struct undo *u, const char *folder, struct error *error)
{
    int fd = openat(u->folder_fd, "undo", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    int r = fd < 0 ? errno : posix_fallocate(fd, 0, sizeof(struct record));
    void *map = r ? MAP_FAILED : mmap(NULL, sizeof(struct record), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (r == 0 && map == MAP_FAILED)
        r = errno;
    if (fd >= 0)
        close(fd);
    if (r)
        return error_set(error, -r, "%s/undo: %s: check the folder's owner, mode and space", folder, strerror(r));
    u->record = map;
    return 0;
}

static bool is_ours(const struct undo *u)
{
    const struct record *r = u->record;
    return atomic_load_explicit(&r->active, memory_order_acquire) == VERSION && r->length <= UNDO_HEAD_BYTES &&
           memchr(r->name, 0, NAME_SIZE) && !strstr(r->name, "..") && r->name[0] != '/' &&
           memcmp(r->boot_id, u->boot_id, BOOT_ID_SIZE) == 0;
}

/* A file that is gone needs nothing. */
static int restore(struct undo *u, const char *folder, int *ret_restored, struct error *error)
{
    const struct record *r = u->record;
    int fd = openat(u->folder_fd, r->name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return 0;
    errno = EIO;
    bool done = fd >= 0 && pwrite(fd, r->head, r->length, 0) == (ssize_t)r->length;
    int code = done ? 0 : -errno;
    if (fd >= 0)
        close(fd);
    if (!done)
        return error_set(error, code, "%s/%s: an update that was cut short cannot be undone: %s", folder, r->name,
                         strerror(-code));
    log_info("archive: %s/%s: an update that was cut short is undone and made again", folder, r->name);
    *ret_restored = 1;
    return 0;
}

int undo_open(struct undo **ret, const char *folder, int *ret_restored, struct error *error)
{
    struct undo *u = calloc(1, sizeof *u);
    *ret_restored = 0;
    if (!u)
        return error_set(error, -ENOMEM, "out of memory");
    u->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = u->folder_fd < 0 ? error_set(error, -errno, "%s: %s", folder, strerror(errno)) : 0;
    if (r == 0)
        r = read_boot_id(u->boot_id, error);
    if (r == 0)
        r = map_record(u, folder, error);
    if (r == 0 && is_ours(u))
        r = restore(u, folder, ret_restored, error);
    if (r) {
        undo_close(u);
        return r;
    }
    undo_end(u);
    *ret = u;
    return 0;
}

void undo_close(struct undo *u)
{
    if (!u)
        return;
    if (u->record)
        munmap(u->record, sizeof *u->record);
    if (u->folder_fd >= 0)
        close(u->folder_fd);
    free(u);
}

static int check_room(const char *name, size_t bytes, struct error *error)
{
    if (bytes > UNDO_HEAD_BYTES || strlen(name) >= NAME_SIZE)
        return error_set(error, -EINVAL, "%s: a head of %zu bytes cannot be kept", name, bytes);
    return 0;
}

static void activate(struct undo *u, const char *name, size_t length)
{
    struct record *r = u->record;
    r->length = (uint32_t)length;
    memcpy(r->boot_id, u->boot_id, BOOT_ID_SIZE);
    memcpy(r->name, name, strlen(name) + 1);
    atomic_store_explicit(&r->active, VERSION, memory_order_release);
}

int undo_begin(struct undo *u, const char *name, size_t bytes, struct error *error)
{
    if (check_room(name, bytes, error))
        return -EINVAL;
    int fd = openat(u->folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : pread(fd, u->record->head, bytes, 0);
    int code = n < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    if (code)
        return error_set(error, code, "%s: %s", name, strerror(-code));
    activate(u, name, (size_t)n);
    return 0;
}

int undo_keep(struct undo *u, const char *name, struct text head, struct error *error)
{
    if (check_room(name, head.len, error))
        return -EINVAL;
    memcpy(u->record->head, head.data, head.len);
    activate(u, name, head.len);
    return 0;
}

void undo_end(struct undo *u)
{
    atomic_store_explicit(&u->record->active, 0, memory_order_release);
}
