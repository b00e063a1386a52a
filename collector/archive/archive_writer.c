#include "archive_writer.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_name.h"
#include "archive_rows.h"
#include "pluvio/base/clock.h"
#include "rrd_text.h"

#define RETRY_NS     (10 * NS_PER_S)
#define SYNC_NS      (60 * NS_PER_S) /* between two syncs of the file system */
#define LOG_NS       (60 * NS_PER_S)
#define IDLE_NS      (86400 * NS_PER_S) /* an entry without rows is forgotten */
#define FILES_A_STEP 64                 /* written before others get their turn */

static void count(_Atomic int64_t *counter, int64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void archive_writer_finish(struct archive_writer *w)
{
    pending_finish(&w->pending);
    rrd_appender_finish(&w->appender);
    buf_free(&w->path);
    buf_free(&w->lines);
    free(w->list);
    w->list = NULL;
}

static void show_waiting(struct archive_writer *w)
{
    atomic_store_explicit(&w->counts->waiting_rows, (int64_t)w->pending.rows, memory_order_relaxed);
    atomic_store_explicit(&w->counts->waiting_bytes, (int64_t)w->pending.bytes, memory_order_relaxed);
}

/* Valid until the next call. Empty when out of memory. */
static const char *path_of(struct archive_writer *w, struct text resource, struct text meter)
{
    buf_clear(&w->path);
    buf_add_string(&w->path, w->folder);
    buf_add_char(&w->path, '/');
    archive_name(resource, meter, &w->path);
    return buf_terminate(&w->path);
}

/* ---- faults ---- */

/* A file that is no archive of ours blocks its resource for ever; under another name it harms nobody. */
static int set_aside(struct archive_writer *w, const char *path, int64_t now_ns, const struct error *why,
                     struct error *error)
{
    char aside[4096 + 64];
    snprintf(aside, sizeof aside, "%s.damaged-%lld", path, (long long)(now_ns / NS_PER_S));
    if (rename(path, aside))
        return error_set(error, -errno, "%s: cannot be set aside: %s", path, strerror(errno));
    count(&w->counts->set_aside, 1);
    log_warning("archive: %s: set aside as %s; a new archive begins", why->text, aside);
    return 0;
}

/* Learn what the file holds. After 0, f->exists and f->written_s are true to it. */
static int look(struct archive_writer *w, struct pending_file *f, const char *path, int64_t now_ns, struct error *error)
{
    struct error why = {0};
    int64_t last = 0;
    int r = rrd_file_look(path, f->kind, w->policy, &last, &why);
    if (r == -EBADMSG)
        r = set_aside(w, path, now_ns, &why, error) ? error->code : -ENOENT;
    else if (r && r != -ENOENT)
        *error = why;
    if (r && r != -ENOENT)
        return r;
    f->exists = r == 0;
    f->written_s = last;
    return 0;
}

static void fault(struct archive_writer *w, struct pending_file *f, const struct error *error, int64_t now_ns)
{
    f->retry_ns = now_ns + RETRY_NS;
    count(&w->counts->failures, 1);
    log_limited(&w->limit, now_ns, LOG_NS, LOG_LEVEL_ERROR,
                "archive: %s: check the disk's space and the folder's owner; %zu rows of this file wait and are tried "
                "again every %lld s",
                error->text, f->count, RETRY_NS / NS_PER_S);
}

/* ---- taking rows ---- */

static struct pending_file *file_for(struct archive_writer *w, const struct archive_row *row, int64_t now_ns)
{
    struct pending_file *f = pending_find(&w->pending, row->resource, row->meter);
    if (f)
        return f->kind == row->kind ? f : NULL;
    f = pending_make(&w->pending, row->resource, row->meter, row->kind, now_ns);
    if (!f)
        return NULL;
    struct error error = {0};
    if (look(w, f, path_of(w, row->resource, row->meter), now_ns, &error))
        fault(w, f, &error, now_ns); /* looked at again when it is written */
    f->newest_s = f->written_s;
    return f;
}

static void take_row(struct archive_writer *w, const struct archive_row *row, uint64_t commit, int64_t now_ns)
{
    struct pending_file *f = file_for(w, row, now_ns);
    if (!f || row->step_end_s <= 0 || row->step_end_s % w->policy->lines[0].step_s)
        count(&w->counts->refused, 1);
    else if (row->step_end_s <= f->newest_s)
        count(&w->counts->skipped, 1);
    else if (pending_add(&w->pending, f, row->step_end_s, row->values, commit, now_ns))
        count(&w->counts->dropped, 1);
}

void archive_writer_take(struct archive_writer *w, struct text rows, uint64_t commit, int64_t now_ns)
{
    struct archive_row row;
    double values[ARCHIVE_MAX_COLUMNS];
    for (;;) {
        enum archive_row_result r = archive_row_unpack(&rows, &row, values);
        if (r == ARCHIVE_ROW_GOOD)
            take_row(w, &row, commit, now_ns);
        else
            count(&w->counts->refused, r != ARCHIVE_ROW_END);
        if (r == ARCHIVE_ROW_END || r == ARCHIVE_ROW_DAMAGED)
            break;
    }
    w->taken = commit;
    show_waiting(w);
}

/* ---- writing ---- */

static int make_shard(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    if (!text_copy((struct text){path, slash ? (size_t)(slash - path) : 0}, folder, sizeof folder))
        return -ENAMETOOLONG;
    return mkdir(folder, 0750) && errno != EEXIST ? -errno : 0;
}

static int create(struct archive_writer *w, struct pending_file *f, const char *path, struct error *error)
{
    int r = make_shard(path);
    int64_t start_s = pending_end_s(f, 0) - w->policy->lines[0].step_s;
    if (r)
        return error_set(error, r, "%s: %s", path, strerror(-r));
    r = rrd_file_create(path, f->kind, w->policy, start_s, error);
    if (r)
        return r;
    count(&w->counts->files, 1);
    f->exists = true;
    f->written_s = start_s;
    return 0;
}

/* After a gap a row of unknowns ends where the next row's step begins: librrd would take the gap and that step for one
 * interval longer than the heartbeat, and forget them both. Returns the number of lines, 0 when out of memory. */
static int format_rows(struct archive_writer *w, const struct pending_file *f)
{
    int64_t step = w->policy->lines[0].step_s, last = f->written_s;
    size_t lines = 0, at = 0;
    buf_clear(&w->lines);
    for (size_t i = 0; i < f->count; i++) {
        int64_t end = pending_end_s(f, i);
        if (end > last + step) {
            rrd_text_row(&w->lines, end - step, NULL, f->columns);
            lines++;
        }
        rrd_text_row(&w->lines, end, pending_values(f, i), f->columns);
        lines++;
        last = end;
    }
    if (lines > w->list_cap) {
        const char **list = realloc(w->list, lines * sizeof *list);
        w->list_cap = list ? lines : w->list_cap;
        w->list = list ? list : w->list;
    }
    if (w->lines.failed || lines > w->list_cap)
        return 0;
    for (size_t i = 0; i < lines; i++) {
        w->list[i] = w->lines.data + at;
        at += strlen(w->list[i]) + 1;
    }
    return (int)lines;
}

static int update_by_librrd(struct archive_writer *w, const struct pending_file *f, const char *path,
                            struct error *error)
{
    int lines = format_rows(w, f);
    if (lines == 0)
        return error_set(error, -ENOMEM, "%s: out of memory", path);
    int r = undo_begin(w->undo, path + strlen(w->folder) + 1, rrd_file_head_bytes(f->kind, w->policy), error);
    if (r == 0) {
        r = rrd_file_update(path, w->list, lines, error);
        undo_end(w->undo);
    }
    return r;
}

static int append(struct archive_writer *w, const char *path, struct error *error)
{
    int r = undo_keep(w->undo, path + strlen(w->folder) + 1, rrd_append_head(&w->appender), error);
    if (r) {
        rrd_append_close(&w->appender);
        return r;
    }
    r = rrd_append_write(&w->appender);
    undo_end(w->undo);
    return r ? error_set(error, r, "%s: %s", path, strerror(-r)) : 0;
}

static int try_write(struct archive_writer *w, struct pending_file *f, const char *path, struct error *error)
{
    int r = f->exists ? 0 : create(w, f, path, error);
    if (r)
        return r;
    r = rrd_append_open(&w->appender, path, f->kind, w->policy, f->rows, f->count, error);
    if (r == 0)
        r = append(w, path, error);
    else if (r == -ENOTSUP)
        r = update_by_librrd(w, f, path, error);
    if (r == 0)
        f->written_s = f->newest_s;
    return r;
}

/* A file that was half written (a crash, a full disk) has some of the rows: they are done. */
static void drop_written(struct archive_writer *w, struct pending_file *f, int64_t now_ns)
{
    size_t written = 0;
    while (written < f->count && pending_end_s(f, written) <= f->written_s)
        written++;
    count(&w->counts->rows, (int64_t)written);
    pending_done(&w->pending, f, written, now_ns);
}

/* What the file says decides, not what was thought of it: a second try where it was gone, replaced or half written. */
static int write_file(struct archive_writer *w, struct pending_file *f, int64_t now_ns)
{
    struct error error = {0};
    const char *path = path_of(w, f->resource, f->meter);
    int r = try_write(w, f, path, &error);
    if (r && look(w, f, path, now_ns, &error) == 0) {
        drop_written(w, f, now_ns);
        r = f->count ? try_write(w, f, path, &error) : 0;
    }
    count(&w->counts->updates, 1);
    if (r)
        fault(w, f, &error, now_ns);
    else
        drop_written(w, f, now_ns);
    return r;
}

static bool over_limit(const struct archive_writer *w)
{
    return w->pending.bytes > w->max_bytes || (w->journal && journal_bytes(w->journal) > w->max_journal_bytes &&
                                               !journal_can_forget(w->journal, pending_oldest_commit(&w->pending) - 1));
}

static void give_up(struct archive_writer *w, struct pending_file *f, int64_t now_ns)
{
    count(&w->counts->dropped, (int64_t)f->count);
    pending_done(&w->pending, f, f->count, now_ns);
}

/* Memory and journal are bounded: the oldest rows go to their files, and where those cannot be written, they go. */
static bool relieve(struct archive_writer *w, int64_t now_ns)
{
    for (int i = 0; i < FILES_A_STEP; i++) {
        struct pending_file *f = w->pending.waiting.first;
        if (!f || !over_limit(w))
            return false;
        if (f->retry_ns > now_ns || write_file(w, f, now_ns))
            give_up(w, f, now_ns);
    }
    return true;
}

static bool write_due(struct archive_writer *w, int64_t now_ns)
{
    for (int i = 0; i < FILES_A_STEP; i++) {
        struct pending_file *f = pending_take_due(&w->pending);
        if (!f)
            return false;
        if (f->count && f->retry_ns <= now_ns)
            write_file(w, f, now_ns);
    }
    return true;
}

static bool write_old(struct archive_writer *w, int64_t age_ns, int64_t now_ns)
{
    int written = 0;
    struct pending_file *next;
    for (struct pending_file *f = w->pending.waiting.first; f && now_ns - f->since_ns >= age_ns; f = next) {
        next = f->next;
        if (f->retry_ns > now_ns)
            continue;
        if (written++ == FILES_A_STEP)
            return true;
        write_file(w, f, now_ns);
    }
    return false;
}

/* ---- the journal ---- */

/* Rows are safe once they are in the files and the files on the disk: then their journal is of no more use. */
static void checkpoint(struct archive_writer *w, int64_t now_ns)
{
    uint64_t oldest = pending_oldest_commit(&w->pending), done = oldest ? oldest - 1 : w->taken;
    w->synced_ns = now_ns;
    if (!w->journal || !journal_can_forget(w->journal, done))
        return;
    if (syncfs(w->folder_fd) == 0)
        journal_forget(w->journal, done);
    else
        log_limited(&w->limit, now_ns, LOG_NS, LOG_LEVEL_ERROR,
                    "archive: %s: cannot be synced: %s: check its disk; the journal is kept", w->folder,
                    strerror(errno));
}

bool archive_writer_step(struct archive_writer *w, int64_t now_ns)
{
    bool more = write_due(w, now_ns);
    more |= write_old(w, w->flush_age_ns, now_ns);
    more |= relieve(w, now_ns);
    if (now_ns - w->synced_ns >= SYNC_NS)
        checkpoint(w, now_ns);
    pending_forget_idle(&w->pending, now_ns - IDLE_NS);
    show_waiting(w);
    return more;
}

void archive_writer_flush(struct archive_writer *w, int64_t now_ns)
{
    while (write_old(w, 0, now_ns))
        continue;
    checkpoint(w, now_ns);
    show_waiting(w);
}

/* ---- reading ---- */

int archive_writer_read(struct archive_writer *w, const struct archive_read *what, int64_t now_ns, struct rrd_rows *ret,
                        struct error *error)
{
    struct pending_file *f = pending_find(&w->pending, what->resource, what->meter);
    if (f && f->count && f->retry_ns <= now_ns)
        write_file(w, f, now_ns);
    show_waiting(w);
    const char *path = path_of(w, what->resource, what->meter);
    int64_t last;
    int r = rrd_file_look(path, what->kind, w->policy, &last, error);
    if (r == -ENOENT)
        return error_set(error, r, "no archive of resource %.*s", TEXT_ARG(what->resource));
    if (r == -EBADMSG)
        return error_set(error, -ENOENT, "resource %.*s is no %s: it has no such meter", TEXT_ARG(what->resource),
                         resource_kind_name(what->kind));
    if (r)
        return r;
    const struct archive_policy_line *line =
        archive_policy_line(w->policy, what->from_s, last, what->step_s, what->function == CONSOLIDATION_AVERAGE);
    return rrd_file_fetch(path, what->function, line, what->from_s, what->to_s, last, ret, error);
}
