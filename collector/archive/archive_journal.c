#include "archive_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SEGMENTS 4096
#define HEAD         16 /* length 4, crc 4, commit 8 */
#define MAX_FRAME    (256 << 20)

struct segment_file {
    int64_t number;
    uint64_t last_commit;
    int64_t bytes;
};

struct journal {
    char *folder;
    int fd;         /* of the newest segment */
    int64_t before; /* its length before the newest frame */
    uint64_t before_commit;
    pthread_mutex_t lock; /* over segments: the archive's thread forgets, ingest appends */
    struct segment_file segments[MAX_SEGMENTS];
    size_t count;
};

static uint32_t crc_table[256];
static pthread_once_t crc_filled = PTHREAD_ONCE_INIT;

static void crc_fill(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xedb88320U ^ c >> 1 : c >> 1; /* the reflected polynomial of IEEE 802.3 */
        crc_table[i] = c;
    }
}

static uint32_t crc32(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;
    pthread_once(&crc_filled, crc_fill);
    crc = ~crc;
    while (len--)
        crc = crc_table[(crc ^ *p++) & 0xff] ^ crc >> 8;
    return ~crc;
}

static void segment_path(const struct journal *j, int64_t number, char *out, size_t size)
{
    snprintf(out, size, "%s/journal-%08lld", j->folder, (long long)number);
}

static void put_number(uint8_t *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_number(const uint8_t *in, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)in[i] << (8 * i);
    return value;
}

static int by_number(const void *a, const void *b)
{
    const struct segment_file *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static int list_segments(struct journal *j, struct error *error)
{
    DIR *dir = opendir(j->folder);
    if (!dir)
        return error_set(error, -errno, "%s: %s", j->folder, strerror(errno));
    for (const struct dirent *d; (d = readdir(dir)) && j->count < MAX_SEGMENTS;) {
        long long number;
        if (sscanf(d->d_name, "journal-%lld", &number) == 1)
            j->segments[j->count++].number = number;
    }
    closedir(dir);
    qsort(j->segments, j->count, sizeof j->segments[0], by_number);
    return 0;
}

static char *read_whole(const char *path, size_t *ret_size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes = NULL;
    if (fd >= 0 && fstat(fd, &st) == 0 && (bytes = malloc((size_t)st.st_size + 1))) {
        ssize_t n = read(fd, bytes, (size_t)st.st_size);
        *ret_size = n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        close(fd);
    return bytes;
}

/* The frame at @at, or false where the good part of the segment ends. */
static bool frame_at(const char *bytes, size_t size, size_t at, uint64_t *commit, struct text *content)
{
    const uint8_t *head = (const uint8_t *)bytes + at;
    if (size - at < HEAD)
        return false;
    uint64_t len = get_number(head, 4);
    *commit = get_number(head + 8, 8);
    *content = (struct text){bytes + at + HEAD, (size_t)len};
    return len <= size - at - HEAD && crc32(0, head + 8, 8 + len) == get_number(head + 4, 4);
}

static void replay_segment(struct journal *j, struct segment_file *s, uint64_t ledger_commit,
                           void (*each)(void *context, uint64_t commit, struct text content), void *context)
{
    char path[4096];
    size_t size = 0, at = 0;
    uint64_t commit;
    struct text content;
    segment_path(j, s->number, path, sizeof path);
    char *bytes = read_whole(path, &size);
    while (bytes && frame_at(bytes, size, at, &commit, &content) && commit <= ledger_commit) {
        each(context, commit, content);
        s->last_commit = commit;
        at += HEAD + content.len;
    }
    if (bytes && at < size && truncate(path, (off_t)at) != 0)
        unlink(path); /* what is good in it has been read; better gone than replayed under a reused number */
    s->bytes = (int64_t)at;
    free(bytes);
}

static int new_segment(struct journal *j, struct error *error)
{
    char path[4096];
    if (j->count == MAX_SEGMENTS)
        return error_set(error, -ENOSPC, "%s: %d journal segments wait: the archive files cannot be written", j->folder,
                         MAX_SEGMENTS);
    int64_t number = j->count ? j->segments[j->count - 1].number + 1 : 1;
    segment_path(j, number, path, sizeof path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        return error_set(error, -errno, "%s: %s: check the folder's owner, mode and space", path, strerror(errno));
    if (j->fd >= 0)
        close(j->fd);
    j->fd = fd;
    j->before = 0;
    j->segments[j->count++] = (struct segment_file){.number = number};
    return 0;
}

int journal_open(struct journal **ret, const char *folder, uint64_t ledger_commit,
                 void (*each)(void *context, uint64_t commit, struct text content), void *context, struct error *error)
{
    struct journal *j = calloc(1, sizeof *j);
    if (!j || !(j->folder = text_dup(text_of(folder)))) {
        free(j);
        return error_set(error, -ENOMEM, "out of memory");
    }
    j->fd = -1;
    pthread_mutex_init(&j->lock, NULL);
    int r = list_segments(j, error);
    for (size_t i = 0; r == 0 && i < j->count; i++)
        replay_segment(j, &j->segments[i], ledger_commit, each, context);
    if (r == 0)
        r = new_segment(j, error);
    if (r) {
        journal_close(j);
        return r;
    }
    *ret = j;
    return 0;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd);
    pthread_mutex_destroy(&j->lock);
    free(j->folder);
    free(j);
}

static bool write_all(int fd, const void *data, size_t len)
{
    for (const char *at = data; len;) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static int append(struct journal *j, struct segment_file *s, uint64_t commit, struct text content, struct error *error)
{
    uint8_t head[HEAD];
    if (content.len > MAX_FRAME)
        return error_set(error, -E2BIG, "%s: a commit's archive rows are larger than %d bytes", j->folder, MAX_FRAME);
    put_number(head, content.len, 4);
    put_number(head + 8, commit, 8);
    put_number(head + 4, crc32(crc32(0, head + 8, 8), content.data, content.len), 4);
    j->before = s->bytes;
    j->before_commit = s->last_commit;
    errno = 0;
    if (write_all(j->fd, head, HEAD) && write_all(j->fd, content.data, content.len) && fdatasync(j->fd) == 0) {
        s->bytes += (int64_t)(HEAD + content.len);
        s->last_commit = commit;
        return 0;
    }
    int code = errno ? -errno : -EIO;
    if (ftruncate(j->fd, (off_t)j->before) != 0)
        return error_set(error, -EIO, "%s: the journal can neither be written nor cut: %s", j->folder, strerror(errno));
    return error_set(error, code, "%s: cannot write the archive journal: %s: free some space on its disk", j->folder,
                     strerror(-code));
}

int journal_append(struct journal *j, uint64_t commit, struct text content, struct error *error)
{
    pthread_mutex_lock(&j->lock);
    int r = 0;
    if (j->segments[j->count - 1].bytes > JOURNAL_SEGMENT_BYTES)
        r = new_segment(j, error);
    if (r == 0)
        r = append(j, &j->segments[j->count - 1], commit, content, error);
    pthread_mutex_unlock(&j->lock);
    return r;
}

void journal_take_back(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    struct segment_file *s = &j->segments[j->count - 1];
    if (ftruncate(j->fd, (off_t)j->before) == 0) {
        s->bytes = j->before;
        s->last_commit = j->before_commit;
    }
    pthread_mutex_unlock(&j->lock);
}

bool journal_is_long(const struct journal *j)
{
    return j->count > 1;
}

void journal_forget(struct journal *j, uint64_t commit)
{
    char path[4096];
    size_t gone = 0;
    pthread_mutex_lock(&j->lock);
    for (; gone + 1 < j->count && j->segments[gone].last_commit <= commit; gone++) {
        segment_path(j, j->segments[gone].number, path, sizeof path);
        unlink(path);
    }
    memmove(j->segments, j->segments + gone, (j->count - gone) * sizeof j->segments[0]);
    j->count -= gone;
    pthread_mutex_unlock(&j->lock);
}

int64_t journal_bytes(const struct journal *j)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < j->count; i++)
        bytes += j->segments[i].bytes;
    return bytes;
}
