#include "archive_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pluvio/base/log.h"

#define HEAD      16 /* length 4, crc 4, commit 8 */
#define PATH_SIZE 4096

struct segment {
    int64_t number;
    uint64_t last_commit; /* 0: holds nothing */
    int64_t bytes;
};

struct journal {
    char *folder;
    int fd; /* of the newest segment */
    int64_t segment_bytes;
    bool uncut;               /* the newest segment has bytes behind its end that could not be cut */
    struct segment before;    /* the newest segment as it was before the newest frame */
    _Atomic int64_t bytes;    /* of all segments */
    pthread_mutex_t lock;     /* over segments: the archive's thread forgets, ingest appends */
    struct segment *segments; /* JOURNAL_SEGMENTS of them */
    size_t count;
};

/* crc_table[k][b]: what byte b does to the sum when k more bytes come behind it, so that eight are taken at once. */
static uint32_t crc_table[8][256];
static pthread_once_t crc_filled = PTHREAD_ONCE_INIT;

static void crc_fill(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xedb88320U ^ c >> 1 : c >> 1; /* the reflected polynomial of IEEE 802.3 */
        crc_table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++)
            crc_table[k][i] = crc_table[0][crc_table[k - 1][i] & 0xff] ^ crc_table[k - 1][i] >> 8;
}

static uint32_t crc_eight(uint32_t crc, const uint8_t *p)
{
    uint32_t sum = 0;
    for (int i = 0; i < 8; i++)
        sum ^= crc_table[7 - i][p[i] ^ (i < 4 ? crc >> (8 * i) & 0xff : 0)];
    return sum;
}

static uint32_t crc32(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;
    pthread_once(&crc_filled, crc_fill);
    crc = ~crc;
    for (; len >= 8; len -= 8, p += 8)
        crc = crc_eight(crc, p);
    while (len--)
        crc = crc_table[0][(crc ^ *p++) & 0xff] ^ crc >> 8;
    return ~crc;
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

static int segment_path(const struct journal *j, int64_t number, char *out)
{
    int n = snprintf(out, PATH_SIZE, "%s/journal-%08lld", j->folder, (long long)number);
    return n < PATH_SIZE ? 0 : -ENAMETOOLONG;
}

/* ---- opening ---- */

static int by_number(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static int list_segments(struct journal *j, struct error *error)
{
    DIR *dir = opendir(j->folder);
    int r = 0;
    if (!dir)
        return error_set(error, -errno, "%s: %s", j->folder, strerror(errno));
    for (const struct dirent *d; (d = readdir(dir));) {
        struct text name = text_of(d->d_name), prefix = TEXT("journal-");
        int64_t number;
        if (name.len <= prefix.len || memcmp(name.data, prefix.data, prefix.len) != 0 ||
            !text_to_i64((struct text){name.data + prefix.len, name.len - prefix.len}, &number))
            continue;
        if (j->count == JOURNAL_SEGMENTS - 1) {
            r = error_set(error, -E2BIG, "%s: more than %d journal segments: move the oldest away", j->folder,
                          JOURNAL_SEGMENTS);
            break;
        }
        j->segments[j->count++].number = number;
    }
    closedir(dir);
    qsort(j->segments, j->count, sizeof j->segments[0], by_number);
    return r;
}

static int read_fully(int fd, struct buf *out)
{
    for (;;) {
        char *to = buf_reserve(out, 1 << 16);
        if (!to)
            return -ENOMEM;
        ssize_t n = read(fd, to, 1 << 16);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        out->len += (size_t)n;
    }
}

/* The frame at @at, or false where the good part of the segment ends. */
static bool frame_at(struct text bytes, size_t at, uint64_t *commit, struct text *content)
{
    const uint8_t *head = (const uint8_t *)bytes.data + at;
    if (bytes.len - at < HEAD)
        return false;
    uint64_t len = get_number(head, 4);
    *commit = get_number(head + 8, 8);
    *content = (struct text){bytes.data + at + HEAD, (size_t)len};
    return len <= bytes.len - at - HEAD && crc32(0, head + 8, 8 + len) == get_number(head + 4, 4);
}

struct replay {
    uint64_t ledger_commit;
    void (*each)(void *context, uint64_t commit, struct text content);
    void *context;
};

/* The length of what is good and happened. */
static size_t replay_frames(struct segment *s, struct text bytes, const struct replay *replay)
{
    size_t at = 0;
    uint64_t commit;
    struct text content;
    while (frame_at(bytes, at, &commit, &content) && commit <= replay->ledger_commit) {
        replay->each(replay->context, commit, content);
        s->last_commit = commit;
        at += HEAD + content.len;
    }
    return at;
}

/* A whole frame that is not good is no torn tail. */
static void tell_damage(const char *path, struct text bytes, size_t good, uint64_t ledger_commit)
{
    uint64_t commit;
    struct text content;
    if (frame_at(bytes, good, &commit, &content) && commit > ledger_commit)
        return;
    log_warning("%s: the last %zu bytes are torn or damaged: those archive rows are dropped (the ledger has them)",
                path, bytes.len - good);
}

static int replay_segment(struct journal *j, struct segment *s, const struct replay *replay, struct error *error)
{
    char path[PATH_SIZE];
    struct buf bytes = {0};
    int r = segment_path(j, s->number, path);
    int fd = r ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (r == 0)
        r = fd < 0 ? -errno : read_fully(fd, &bytes);
    if (r == 0) {
        size_t good = replay_frames(s, buf_text(&bytes), replay);
        s->bytes = (int64_t)good;
        if (good < bytes.len)
            tell_damage(path, buf_text(&bytes), good, replay->ledger_commit);
        if (good < bytes.len && (ftruncate(fd, (off_t)good) || fdatasync(fd)))
            r = -errno;
    }
    if (r)
        error_set(error, r,
                  "%s: cannot replay the archive journal: %s: mend it, or move the file away and lose its rows", path,
                  strerror(-r));
    if (fd >= 0)
        close(fd);
    buf_free(&bytes);
    atomic_fetch_add(&j->bytes, s->bytes);
    return r;
}

static int sync_folder(const struct journal *j)
{
    int fd = open(j->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 || fsync(fd) ? -errno : 0;
    if (fd >= 0)
        close(fd);
    return r;
}

static int new_segment(struct journal *j, struct error *error)
{
    char path[PATH_SIZE];
    if (j->count == JOURNAL_SEGMENTS)
        return error_set(error, -ENOSPC, "%s: %d journal segments wait: the archive files cannot be written", j->folder,
                         JOURNAL_SEGMENTS);
    int64_t number = j->count ? j->segments[j->count - 1].number + 1 : 1;
    int r = segment_path(j, number, path);
    if (r)
        return error_set(error, r, "%s: the folder's name is too long", j->folder);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0 || sync_folder(j)) {
        r = error_set(error, -errno, "%s: %s: check the folder's owner, mode and space", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return r;
    }
    if (j->fd >= 0)
        close(j->fd);
    j->fd = fd;
    j->segments[j->count++] = j->before = (struct segment){.number = number};
    return 0;
}

static struct journal *journal_make(const struct journal_settings *settings)
{
    struct journal *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->fd = -1;
    j->segment_bytes = settings->segment_bytes ? settings->segment_bytes : JOURNAL_SEGMENT_BYTES;
    pthread_mutex_init(&j->lock, NULL);
    j->folder = text_dup(text_of(settings->folder));
    j->segments = calloc(JOURNAL_SEGMENTS, sizeof j->segments[0]);
    if (j->folder && j->segments)
        return j;
    journal_close(j);
    return NULL;
}

int journal_open(struct journal **ret, const struct journal_settings *settings,
                 void (*each)(void *context, uint64_t commit, struct text content), void *context, struct error *error)
{
    struct journal *j = journal_make(settings);
    if (!j)
        return error_set(error, -ENOMEM, "out of memory");
    struct replay replay = {settings->ledger_commit, each, context};
    int r = list_segments(j, error);
    for (size_t i = 0; r == 0 && i < j->count; i++)
        r = replay_segment(j, &j->segments[i], &replay, error);
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
    free(j->segments);
    free(j->folder);
    free(j);
}

/* ---- writing ---- */

static struct segment *newest(const struct journal *j)
{
    return &j->segments[j->count - 1];
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

/* Back to the segment's good length, on the disk too: a frame that stayed would be replayed for another commit. */
static int cut(struct journal *j)
{
    j->uncut = ftruncate(j->fd, (off_t)newest(j)->bytes) != 0 || fdatasync(j->fd) != 0;
    return j->uncut ? -errno : 0;
}

static int append(struct journal *j, uint64_t commit, struct text content, struct error *error)
{
    uint8_t head[HEAD];
    struct segment *s = newest(j);
    put_number(head, content.len, 4);
    put_number(head + 8, commit, 8);
    put_number(head + 4, crc32(crc32(0, head + 8, 8), content.data, content.len), 4);
    j->before = *s;
    errno = EIO;
    if (write_all(j->fd, head, HEAD) && write_all(j->fd, content.data, content.len) && fdatasync(j->fd) == 0) {
        int64_t size = (int64_t)(HEAD + content.len);
        s->bytes += size;
        s->last_commit = commit;
        atomic_fetch_add(&j->bytes, size);
        return 0;
    }
    int code = -errno;
    cut(j);
    return error_set(error, code, "%s: cannot write the archive journal: %s: free some space on its disk", j->folder,
                     strerror(-code));
}

int journal_append(struct journal *j, uint64_t commit, struct text content, struct error *error)
{
    if (content.len > JOURNAL_FRAME_BYTES)
        return error_set(error, -E2BIG, "%s: a commit's archive rows are larger than %d bytes", j->folder,
                         JOURNAL_FRAME_BYTES);
    pthread_mutex_lock(&j->lock);
    int r = j->uncut ? cut(j) : 0;
    if (r)
        error_set(error, r, "%s: the archive journal cannot be cut: %s", j->folder, strerror(-r));
    else if (newest(j)->bytes >= j->segment_bytes)
        r = new_segment(j, error);
    if (r == 0)
        r = append(j, commit, content, error);
    pthread_mutex_unlock(&j->lock);
    return r;
}

void journal_take_back(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    atomic_fetch_sub(&j->bytes, newest(j)->bytes - j->before.bytes);
    *newest(j) = j->before;
    cut(j);
    pthread_mutex_unlock(&j->lock);
}

/* ---- forgetting ---- */

static bool is_done(const struct journal *j, size_t segment, uint64_t commit)
{
    return segment + 1 < j->count && j->segments[segment].last_commit <= commit;
}

bool journal_can_forget(struct journal *j, uint64_t commit)
{
    pthread_mutex_lock(&j->lock);
    bool can = is_done(j, 0, commit);
    pthread_mutex_unlock(&j->lock);
    return can;
}

void journal_forget(struct journal *j, uint64_t commit)
{
    char path[PATH_SIZE];
    size_t gone = 0;
    pthread_mutex_lock(&j->lock);
    for (; is_done(j, gone, commit); gone++) {
        if (segment_path(j, j->segments[gone].number, path) == 0)
            unlink(path); /* one that stays is replayed at the next start and changes nothing */
        atomic_fetch_sub(&j->bytes, j->segments[gone].bytes);
    }
    memmove(j->segments, j->segments + gone, (j->count - gone) * sizeof j->segments[0]);
    j->count -= gone;
    pthread_mutex_unlock(&j->lock);
}

int64_t journal_bytes(const struct journal *j)
{
    return atomic_load(&j->bytes);
}
