#include "archive_files.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_journal.h"
#include "archive_reader.h"
#include "archive_rows.h"
#include "pluvio/base/clock.h"
#include "pluvio/base/log.h"
#include "pluvio/base/map.h"
#include "rrd_file.h"

#define FLUSH_ROWS  30
#define FLUSH_AGE_S 1800
#define MAX_WAITING (64 << 20) /* bytes of rows in memory; beyond, everything is written */
#define RETRY_S     10

/* The rows of one file that are not in it yet. */
struct file {
    char *path;
    enum resource_kind kind;
    int64_t last_s;    /* end of the newest row in the file or waiting; 0: not looked yet */
    int64_t oldest_ns; /* since when the first one waits */
    struct buf rows;   /* librrd's text, each with a NUL */
    int count;
    char first[32];
};

struct request {
    struct request *next;
    const struct archive_request *what;
    int result;
    struct error *error;
    bool done;
};

struct archive_files {
    struct archive port; /* first */
    struct archive_reader reader;
    char *folder;
    struct archive_policy policy;
    int flush_rows;
    int64_t flush_age_ns;
    struct journal *journal;
    /* Ingest's side. */
    struct buf added;  /* since the last seal */
    struct buf sealed; /* of the commit that is under way */
    /* Handed over. */
    pthread_mutex_t lock;
    pthread_cond_t wake, answered;
    struct buf confirmed;
    uint64_t confirmed_commit;
    struct request *requests;
    bool stop;
    struct archive_figures figures;
    /* The thread's own. */
    pthread_t thread;
    struct map files; /* resource + meter -> struct file, the key is path */
    uint64_t taken_commit;
    int64_t retry_ns;
    struct log_limit limit;
};

static struct archive_files *files_of(struct archive *a)
{
    return (struct archive_files *)a;
}

/* ---- the port: ingest's thread ---- */

static int files_add(struct archive *self, const struct archive_row *row)
{
    struct archive_files *a = files_of(self);
    archive_row_pack(row, &a->added);
    return a->added.failed ? -ENOMEM : 0;
}

static int files_seal(struct archive *self, uint64_t commit, struct error *error)
{
    struct archive_files *a = files_of(self);
    if (a->added.len == 0)
        return 0;
    int r = journal_append(a->journal, commit, buf_text(&a->added), error);
    if (r)
        return r;
    struct buf empty = a->sealed;
    a->sealed = a->added;
    a->added = empty;
    buf_clear(&a->added);
    return 0;
}

static void files_confirm(struct archive *self, uint64_t commit)
{
    struct archive_files *a = files_of(self);
    if (a->sealed.len == 0)
        return;
    pthread_mutex_lock(&a->lock);
    buf_add_text(&a->confirmed, buf_text(&a->sealed));
    a->confirmed_commit = commit;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
    buf_clear(&a->sealed);
}

static void files_forget(struct archive *self)
{
    struct archive_files *a = files_of(self);
    if (a->sealed.len)
        journal_take_back(a->journal);
    buf_clear(&a->sealed);
    buf_clear(&a->added);
}

/* ---- files ---- */

static void add_name(struct buf *out, struct text name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     (c == '.' && i > 0);
        buf_addf(out, plain ? "%c" : "%%%02x", plain ? c : (unsigned char)c);
    }
}

/* Sharded into 256 folders, so that none grows beyond what tools like. */
static void add_path(const struct archive_files *a, struct text resource, struct text meter, struct buf *out)
{
    buf_addf(out, "%s/%02x/", a->folder, (unsigned)(text_hash(resource) & 0xff));
    add_name(out, resource);
    if (meter.len) {
        buf_add_char(out, '@');
        add_name(out, meter);
    }
    buf_add_string(out, ".rrd");
}

static struct file *file_make(struct archive_files *a, struct text path, enum resource_kind kind)
{
    struct file *f = calloc(1, sizeof *f);
    if (!f || !(f->path = text_dup(path)) || map_put(&a->files, text_of(f->path), f)) {
        if (f)
            free(f->path);
        free(f);
        return NULL;
    }
    f->kind = kind;
    struct error ignored;
    if (rrd_file_last(f->path, &f->last_s, &ignored))
        f->last_s = 0;
    return f;
}

static void add_value(struct buf *out, double value)
{
    if (isnan(value))
        buf_add_string(out, ":U");
    else if (value == floor(value) && fabs(value) < 1e15)
        buf_addf(out, ":%lld", (long long)value);
    else
        buf_addf(out, ":%.17g", value);
}

static void add_line(struct file *f, int64_t end_s, const double *values, size_t count)
{
    buf_addf(&f->rows, "%lld", (long long)end_s);
    for (size_t i = 0; i < count; i++)
        add_value(&f->rows, values ? values[i] : NAN);
    buf_add_char(&f->rows, 0);
    f->count++;
    f->last_s = end_s;
}

/* After a gap a row of unknowns ends where the new row's step begins: else librrd would take the whole gap and this
 * step for one interval longer than the heartbeat, and forget them both. */
static void file_add(struct archive_files *a, struct file *f, const struct archive_row *row, int64_t now_ns)
{
    int64_t step = a->policy.lines[0].step_s;
    size_t count = archive_layout(row->kind)->count;
    if (f->last_s && row->step_end_s <= f->last_s)
        return; /* there already: the journal brings rows back that were written before a crash */
    if (f->count == 0)
        f->oldest_ns = now_ns;
    if (f->last_s && row->step_end_s > f->last_s + step)
        add_line(f, row->step_end_s - step, NULL, count);
    if (f->last_s == 0)
        snprintf(f->first, sizeof f->first, "%lld", (long long)(row->step_end_s - step));
    add_line(f, row->step_end_s, row->values, count);
    a->figures.waiting_rows++;
}

static void take_rows(struct archive_files *a, struct text rows, int64_t now_ns)
{
    struct unpack u = unpack_text(rows);
    struct archive_row row;
    struct buf path = {0};
    double values[ARCHIVE_MAX_COLUMNS];
    while (archive_row_unpack(&u, &row, values)) {
        buf_clear(&path);
        add_path(a, row.resource, row.meter, &path);
        struct file *f = map_get(&a->files, buf_text(&path));
        if (!f)
            f = file_make(a, buf_text(&path), row.kind);
        if (f)
            file_add(a, f, &row, now_ns);
    }
    buf_free(&path);
}

static int make_shard(const char *path)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    return mkdir(folder, 0750) && errno != EEXIST ? -errno : 0;
}

static int file_create(struct archive_files *a, const struct file *f, struct error *error)
{
    int r = make_shard(f->path);
    if (r)
        return error_set(error, r, "%s: %s", f->path, strerror(-r));
    a->figures.files++;
    return rrd_file_create(f->path, f->kind, &a->policy, strtoll(f->first, NULL, 10), error);
}

static int file_write(struct archive_files *a, struct file *f, struct error *error)
{
    const char **lines = malloc((size_t)f->count * sizeof(char *));
    if (!lines || f->rows.failed) {
        free(lines);
        return error_set(error, -ENOMEM, "out of memory");
    }
    const char *at = f->rows.data;
    for (int i = 0; i < f->count; i++) {
        lines[i] = at;
        at += strlen(at) + 1;
    }
    int r = access(f->path, F_OK) ? file_create(a, f, error) : 0;
    if (r == 0)
        r = rrd_file_update(f->path, lines, f->count, error);
    free(lines);
    if (r)
        return r;
    a->figures.updates++;
    a->figures.rows += f->count;
    a->figures.waiting_rows -= f->count;
    f->count = 0;
    buf_free(&f->rows);
    return 0;
}

/* A file that was half written (a crash, a full disk) may have taken some of its rows: drop those. */
static void skip_written(struct file *f)
{
    struct error ignored;
    int64_t last;
    if (rrd_file_last(f->path, &last, &ignored) || f->count == 0)
        return;
    const char *at = f->rows.data;
    size_t left = f->rows.len;
    int count = f->count;
    while (count && strtoll(at, NULL, 10) <= last) {
        size_t n = strlen(at) + 1;
        at += n;
        left -= n;
        count--;
    }
    memmove(f->rows.data, at, left);
    f->rows.len = left;
    f->count = count;
}

/* @all: every file; else those that are full or waited long. 0 only if none failed. */
static int flush(struct archive_files *a, bool all, int64_t now_ns)
{
    size_t cursor = 0;
    int failed = 0;
    for (struct file *f; (f = map_next(&a->files, &cursor));) {
        struct error error = {0};
        if (f->count == 0 || (!all && f->count < a->flush_rows && now_ns - f->oldest_ns < a->flush_age_ns))
            continue;
        if (file_write(a, f, &error) == 0)
            continue;
        failed = -EIO;
        a->figures.failures++;
        a->retry_ns = now_ns + RETRY_S * NS_PER_S;
        log_limited(&a->limit, now_ns, 60 * NS_PER_S, LOG_LEVEL_ERROR,
                    "archive: %s: its rows wait in memory and journal and are tried again", error.text);
        skip_written(f);
    }
    return failed;
}

/* Everything to the files and the files to the disk: then the old journal is of no more use. */
static void checkpoint(struct archive_files *a, int64_t now_ns)
{
    if (flush(a, true, now_ns))
        return;
    int fd = open(a->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (syncfs(fd) == 0)
        journal_forget(a->journal, a->taken_commit);
    close(fd);
}

/* ---- the thread ---- */

static void flush_one(struct archive_files *a, const char *path)
{
    struct file *f = map_get(&a->files, text_of(path));
    struct error error;
    if (f && f->count && file_write(a, f, &error))
        skip_written(f);
}

static void serve(struct archive_files *a, struct request *r)
{
    struct buf path = {0};
    add_path(a, r->what->resource, r->what->meter, &path);
    flush_one(a, buf_terminate(&path));
    if (access(buf_terminate(&path), F_OK))
        r->result = error_set(r->error, -ENOENT, "no archive of resource %.*s", TEXT_ARG(r->what->resource));
    else
        r->result = rrd_file_fetch(buf_terminate(&path), r->what->function, r->what->from_s, r->what->to_s,
                                   r->what->step_s, r->what->ret, r->error);
    buf_free(&path);
}

static void serve_all(struct archive_files *a)
{
    pthread_mutex_lock(&a->lock);
    while (a->requests) {
        struct request *r = a->requests;
        a->requests = r->next;
        pthread_mutex_unlock(&a->lock);
        serve(a, r);
        pthread_mutex_lock(&a->lock);
        r->done = true;
        pthread_cond_broadcast(&a->answered);
    }
    pthread_mutex_unlock(&a->lock);
}

static size_t waiting_bytes(const struct archive_files *a)
{
    return (size_t)a->figures.waiting_rows * 128;
}

static void work(struct archive_files *a, struct buf *rows)
{
    int64_t now = clock_boot_ns(clock_system());
    take_rows(a, buf_text(rows), now);
    buf_clear(rows);
    serve_all(a);
    if (now < a->retry_ns)
        return;
    if (journal_is_long(a->journal) || waiting_bytes(a) > MAX_WAITING)
        checkpoint(a, now);
    else
        flush(a, false, now);
}

static void wait_for_work(struct archive_files *a, struct buf *rows, bool *stop)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    pthread_mutex_lock(&a->lock);
    if (!a->confirmed.len && !a->requests && !a->stop)
        pthread_cond_timedwait(&a->wake, &a->lock, &until);
    struct buf taken = a->confirmed;
    a->confirmed = *rows;
    *rows = taken;
    a->taken_commit = a->confirmed_commit;
    *stop = a->stop;
    pthread_mutex_unlock(&a->lock);
}

static void *run(void *argument)
{
    struct archive_files *a = argument;
    struct buf rows = {0};
    for (bool stop = false; !stop;) {
        wait_for_work(a, &rows, &stop);
        work(a, &rows);
    }
    checkpoint(a, clock_boot_ns(clock_system()));
    buf_free(&rows);
    return NULL;
}

/* ---- life ---- */

static void files_destroy(struct archive *self)
{
    struct archive_files *a = files_of(self);
    if (a->thread) {
        pthread_mutex_lock(&a->lock);
        a->stop = true;
        pthread_cond_signal(&a->wake);
        pthread_mutex_unlock(&a->lock);
        pthread_join(a->thread, NULL);
    }
    size_t cursor = 0;
    for (struct file *f; (f = map_next(&a->files, &cursor));) {
        buf_free(&f->rows);
        free(f->path);
        free(f);
    }
    map_free(&a->files);
    journal_close(a->journal);
    buf_free(&a->added);
    buf_free(&a->sealed);
    buf_free(&a->confirmed);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->wake);
    pthread_cond_destroy(&a->answered);
    free(a->folder);
    free(a);
}

static void replay(void *context, uint64_t commit, struct text content)
{
    struct archive_files *a = context;
    buf_add_text(&a->confirmed, content);
    a->confirmed_commit = commit;
}

int archive_open(struct archive **ret, const struct archive_settings *s, struct error *error)
{
    struct archive_files *a = calloc(1, sizeof *a);
    if (!a || !(a->folder = text_dup(text_of(s->folder)))) {
        free(a);
        return error_set(error, -ENOMEM, "out of memory");
    }
    a->port = (struct archive){files_add, files_seal, files_confirm, files_forget, files_destroy};
    a->policy = s->policy;
    a->flush_rows = s->flush_rows ? s->flush_rows : FLUSH_ROWS;
    a->flush_age_ns = (s->flush_age_s ? s->flush_age_s : FLUSH_AGE_S) * NS_PER_S;
    a->confirmed_commit = s->ledger_commit;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->wake, NULL);
    pthread_cond_init(&a->answered, NULL);
    int r = mkdir(a->folder, 0750) && errno != EEXIST
                ? error_set(error, -errno, "%s: cannot make the folder: %s", a->folder, strerror(errno))
                : journal_open(&a->journal, a->folder, s->ledger_commit, replay, a, error);
    if (r == 0)
        r = archive_reader_init(&a->reader, &a->port);
    if (r == 0 && (r = pthread_create(&a->thread, NULL, run, a)))
        r = error_set(error, -r, "cannot start the archive's thread");
    if (r) {
        files_destroy(&a->port);
        return r;
    }
    *ret = &a->port;
    return 0;
}

void archive_figures(struct archive *self, struct archive_figures *ret)
{
    struct archive_files *a = files_of(self);
    *ret = a->figures; /* the thread's numbers, read without its lock: each is one word */
    ret->journal_bytes = journal_bytes(a->journal);
}

struct archive_reader *archive_reader_of(struct archive *self)
{
    return &files_of(self)->reader;
}

int archive_ask(struct archive *self, const struct archive_request *what, struct error *error)
{
    struct archive_files *a = files_of(self);
    struct request r = {.what = what, .error = error};
    pthread_mutex_lock(&a->lock);
    struct request **last = &a->requests;
    while (*last)
        last = &(*last)->next;
    *last = &r;
    pthread_cond_signal(&a->wake);
    while (!r.done)
        pthread_cond_wait(&a->answered, &a->lock);
    pthread_mutex_unlock(&a->lock);
    return r.result;
}
