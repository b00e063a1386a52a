#include "archive_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "archive_reader.h"
#include "archive_rows.h"
#include "archive_undo.h"

#define FLUSH_ROWS        30
#define FLUSH_AGE_S       1800
#define MAX_WAITING_BYTES (128 << 20)
#define MAX_JOURNAL_BYTES (2LL << 30)
#define MAX_QUEUED_BYTES  (64 << 20) /* confirmed rows on their way to the thread */

/* A commit's rows, from seal to the thread. Made at the seal, so that confirming cannot fail. */
struct batch {
    struct batch *next;
    uint64_t commit;
    size_t rows;
    struct buf bytes;
};

/* A reader's question. The reader may go before the answer comes: the last one frees it. */
struct question {
    struct question *next;
    struct archive_read what; /* its texts point into names */
    char *names;
    struct rrd_rows rows;
    struct error error;
    int result;
    bool answered, abandoned;
};

struct archive_files {
    struct archive port; /* first */
    char *folder;
    int folder_fd; /* locked */
    struct archive_policy policy;
    struct clock *clock;
    struct journal *journal;
    struct archive_counts counts;
    /* Ingest's side. */
    struct buf added; /* since the last seal */
    size_t added_rows;
    struct batch *sealed; /* of the commit that is under way */
    /* Handed over. */
    pthread_mutex_t lock;
    pthread_cond_t wake, answered;
    struct batch *batches, *last_batch;
    size_t queued_bytes;
    struct buf spare; /* an emptied batch's memory */
    struct question *questions, *last_question;
    size_t question_count;
    bool stop;
    /* The thread's own. */
    pthread_t thread;
    bool started;
    struct archive_writer writer;
};

static struct archive_files *files_of(struct archive *a)
{
    return (struct archive_files *)a;
}

static void batch_free(struct batch *b)
{
    if (b)
        buf_free(&b->bytes);
    free(b);
}

/* ---- the port: ingest's thread ---- */

/* A name that no file can have is refused and counted; it must not hold up the ledger. */
static int files_add(struct archive *self, const struct archive_row *row)
{
    struct archive_files *a = files_of(self);
    int r = archive_row_pack(row, &a->added);
    if (r == -EINVAL) {
        atomic_fetch_add(&a->counts.refused, 1);
        return 0;
    }
    a->added_rows += r == 0;
    return r;
}

static int files_seal(struct archive *self, uint64_t commit, struct error *error)
{
    struct archive_files *a = files_of(self);
    assert(!a->sealed);
    if (a->added.failed)
        return error_set(error, -ENOMEM, "out of memory for archive rows");
    if (a->added.len == 0)
        return 0;
    struct batch *b = calloc(1, sizeof *b);
    if (!b)
        return error_set(error, -ENOMEM, "out of memory for archive rows");
    int r = journal_append(a->journal, commit, buf_text(&a->added), error);
    if (r) {
        free(b);
        return r;
    }
    *b = (struct batch){.commit = commit, .rows = a->added_rows, .bytes = a->added};
    a->sealed = b;
    a->added = (struct buf){0};
    a->added_rows = 0;
    return 0;
}

static void push_batch(struct archive_files *a, struct batch *b)
{
    *(a->last_batch ? &a->last_batch->next : &a->batches) = b;
    a->last_batch = b;
    a->queued_bytes += b->bytes.len;
    pthread_cond_signal(&a->wake);
}

static void files_confirm(struct archive *self, uint64_t commit)
{
    struct archive_files *a = files_of(self);
    struct batch *b = a->sealed;
    if (!b)
        return;
    assert(b->commit == commit);
    (void)commit;
    a->sealed = NULL;
    pthread_mutex_lock(&a->lock);
    if (a->queued_bytes > MAX_QUEUED_BYTES) {
        atomic_fetch_add(&a->counts.dropped, (int64_t)b->rows);
        buf_free(&b->bytes);
    }
    push_batch(a, b); /* an empty one too: it carries the commit's number */
    if (!a->added.data) {
        a->added = a->spare;
        a->spare = (struct buf){0};
    }
    pthread_mutex_unlock(&a->lock);
}

static void files_forget(struct archive *self)
{
    struct archive_files *a = files_of(self);
    if (a->sealed)
        journal_take_back(a->journal);
    batch_free(a->sealed);
    a->sealed = NULL;
    buf_clear(&a->added);
    a->added_rows = 0;
}

/* ---- the thread ---- */

static int64_t now_of(const struct archive_files *a)
{
    return clock_boot_ns(a->clock);
}

static void question_free(struct question *q)
{
    free(q->rows.values);
    free(q->names);
    free(q);
}

static void answer(struct archive_files *a, struct question *q)
{
    int r = archive_writer_read(&a->writer, &q->what, now_of(a), &q->rows, &q->error);
    pthread_mutex_lock(&a->lock);
    bool abandoned = q->abandoned;
    q->result = r;
    q->answered = true;
    pthread_cond_broadcast(&a->answered);
    pthread_mutex_unlock(&a->lock);
    if (abandoned)
        question_free(q);
}

static struct batch *pop_batch(struct archive_files *a)
{
    struct batch *b = a->batches;
    if (b) {
        a->batches = b->next;
        a->last_batch = a->batches ? a->last_batch : NULL;
        a->queued_bytes -= b->bytes.len;
    }
    return b;
}

static struct question *pop_question(struct archive_files *a)
{
    for (struct question *q; (q = a->questions);) {
        a->questions = q->next;
        a->last_question = a->questions ? a->last_question : NULL;
        a->question_count--;
        if (!q->abandoned)
            return q;
        question_free(q);
    }
    return NULL;
}

/* A question is taken only while no rows wait, in one look: a reader sees all that was confirmed before it asked. */
static void take_work(struct archive_files *a, struct batch **ret_batch, struct question **ret_question)
{
    pthread_mutex_lock(&a->lock);
    *ret_batch = pop_batch(a);
    *ret_question = *ret_batch ? NULL : pop_question(a);
    pthread_mutex_unlock(&a->lock);
}

static void use_batch(struct archive_files *a, struct batch *b)
{
    archive_writer_take(&a->writer, buf_text(&b->bytes), b->commit, now_of(a));
    buf_clear(&b->bytes);
    pthread_mutex_lock(&a->lock);
    if (!a->spare.data) {
        a->spare = b->bytes;
        b->bytes = (struct buf){0};
    }
    pthread_mutex_unlock(&a->lock);
    batch_free(b);
}

/* True: no need to wait. */
static bool work(struct archive_files *a)
{
    struct batch *b;
    struct question *q;
    take_work(a, &b, &q);
    if (b)
        use_batch(a, b);
    else if (q)
        answer(a, q);
    else
        return archive_writer_step(&a->writer, now_of(a));
    return true;
}

static void deadline_after(int64_t ns, struct timespec *ret)
{
    clock_gettime(CLOCK_MONOTONIC, ret);
    int64_t sum = ret->tv_nsec + ns;
    ret->tv_sec += (time_t)(sum / NS_PER_S);
    ret->tv_nsec = (long)(sum % NS_PER_S);
}

static bool wait_for_work(struct archive_files *a)
{
    struct timespec until;
    deadline_after(NS_PER_S, &until);
    pthread_mutex_lock(&a->lock);
    if (!a->batches && !a->questions && !a->stop)
        pthread_cond_timedwait(&a->wake, &a->lock, &until);
    bool stop = a->stop;
    pthread_mutex_unlock(&a->lock);
    return !stop;
}

static void *run(void *argument)
{
    struct archive_files *a = argument;
    do
        while (work(a))
            continue;
    while (wait_for_work(a));
    while (work(a))
        continue;
    archive_writer_flush(&a->writer, now_of(a));
    return NULL;
}

/* ---- life ---- */

static void stop_thread(struct archive_files *a)
{
    if (!a->started)
        return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
}

static void files_destroy(struct archive *self)
{
    struct archive_files *a = files_of(self);
    if (!a)
        return;
    stop_thread(a);
    archive_writer_finish(&a->writer);
    undo_close(a->writer.undo);
    journal_close(a->journal);
    batch_free(a->sealed);
    buf_free(&a->added);
    buf_free(&a->spare);
    for (struct batch *b; (b = a->batches);) {
        a->batches = b->next;
        batch_free(b);
    }
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->wake);
    pthread_cond_destroy(&a->answered);
    if (a->folder_fd >= 0)
        close(a->folder_fd);
    free(a->folder);
    free(a);
}

static void init_waiting(struct archive_files *a)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->wake, &monotonic);
    pthread_cond_init(&a->answered, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static struct archive_files *files_make(const struct archive_settings *s)
{
    struct archive_files *a = calloc(1, sizeof *a);
    if (!a || !(a->folder = text_dup(text_of(s->folder)))) {
        free(a);
        return NULL;
    }
    a->port = (struct archive){files_add, files_seal, files_confirm, files_forget, files_destroy};
    a->folder_fd = -1;
    a->policy = s->policy;
    a->clock = s->clock ? s->clock : clock_system();
    init_waiting(a);
    a->writer = (struct archive_writer){
        .folder = a->folder,
        .policy = &a->policy,
        .flush_age_ns = (s->flush_age_s ? s->flush_age_s : FLUSH_AGE_S) * NS_PER_S,
        .max_bytes = s->max_waiting_bytes ? (size_t)s->max_waiting_bytes : MAX_WAITING_BYTES,
        .max_journal_bytes = s->max_journal_bytes ? s->max_journal_bytes : MAX_JOURNAL_BYTES,
        .counts = &a->counts,
        .taken = s->ledger_commit,
        .synced_ns = now_of(a),
    };
    pending_init(&a->writer.pending, s->flush_rows > 0 ? (size_t)s->flush_rows : FLUSH_ROWS);
    return a;
}

static int lock_folder(struct archive_files *a, struct error *error)
{
    if (mkdir(a->folder, 0750) && errno != EEXIST)
        return error_set(error, -errno, "%s: cannot make the folder: %s", a->folder, strerror(errno));
    a->folder_fd = open(a->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (a->folder_fd < 0)
        return error_set(error, -errno, "%s: %s", a->folder, strerror(errno));
    if (flock(a->folder_fd, LOCK_EX | LOCK_NB))
        return error_set(error, errno == EWOULDBLOCK ? -EBUSY : -errno,
                         "%s: another process has these archives open: give each collector a folder of its own",
                         a->folder);
    a->writer.folder_fd = a->folder_fd;
    return 0;
}

static void replay(void *context, uint64_t commit, struct text content)
{
    struct archive_files *a = context;
    archive_writer_take(&a->writer, content, commit, now_of(a));
    while (archive_writer_step(&a->writer, now_of(a)))
        continue;
}

int archive_open(struct archive **ret, const struct archive_settings *s, struct error *error)
{
    struct archive_files *a = files_make(s);
    if (!a)
        return error_set(error, -ENOMEM, "out of memory");
    struct journal_settings settings = {.folder = s->folder, .ledger_commit = s->ledger_commit};
    int restored, r = lock_folder(a, error);
    if (r == 0)
        r = undo_open(&a->writer.undo, a->folder, &restored, error);
    if (r == 0)
        r = journal_open(&a->journal, &settings, replay, a, error);
    a->writer.journal = a->journal;
    a->writer.taken = s->ledger_commit;
    if (r == 0 && (r = -pthread_create(&a->thread, NULL, run, a)))
        error_set(error, r, "cannot start the archive's thread: %s", strerror(-r));
    if (r) {
        files_destroy(&a->port);
        return r;
    }
    a->started = true;
    *ret = &a->port;
    return 0;
}

void archive_figures(struct archive *self, struct archive_figures *ret)
{
    const struct archive_files *a = files_of(self);
    const struct archive_counts *c = &a->counts;
    *ret = (struct archive_figures){.rows = c->rows,
                                    .updates = c->updates,
                                    .files = c->files,
                                    .failures = c->failures,
                                    .skipped = c->skipped,
                                    .refused = c->refused,
                                    .dropped = c->dropped,
                                    .set_aside = c->set_aside,
                                    .waiting_rows = c->waiting_rows,
                                    .waiting_bytes = c->waiting_bytes,
                                    .journal_bytes = journal_bytes(a->journal)};
}

/* ---- readers: any thread ---- */

int archive_reader_open(struct archive_reader **ret, struct archive *a)
{
    struct archive_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return -ENOMEM;
    reader->archive = a;
    *ret = reader;
    return 0;
}

void archive_reader_close(struct archive_reader *reader)
{
    free(reader);
}

static struct question *question_make(const struct archive_read *what)
{
    struct question *q = calloc(1, sizeof *q);
    size_t resource = what->resource.len, meter = what->meter.len;
    if (!q || !(q->names = malloc(resource + meter + 1))) {
        free(q);
        return NULL;
    }
    if (resource)
        memcpy(q->names, what->resource.data, resource);
    if (meter)
        memcpy(q->names + resource, what->meter.data, meter);
    q->what = *what;
    q->what.resource = (struct text){q->names, resource};
    q->what.meter = (struct text){q->names + resource, meter};
    return q;
}

/* Under the lock. True: answered; false: the question is the thread's to free. */
static bool wait_for_answer(struct archive_files *a, struct question *q)
{
    struct timespec until;
    deadline_after(ARCHIVE_ASK_NS, &until);
    *(a->last_question ? &a->last_question->next : &a->questions) = q;
    a->last_question = q;
    a->question_count++;
    pthread_cond_signal(&a->wake);
    while (!q->answered && pthread_cond_timedwait(&a->answered, &a->lock, &until) != ETIMEDOUT)
        continue;
    q->abandoned = !q->answered;
    return q->answered;
}

int archive_ask(struct archive *self, const struct archive_read *what, struct rrd_rows *ret, struct error *error)
{
    struct archive_files *a = files_of(self);
    struct question *q = question_make(what);
    if (!q)
        return error_set(error, -ENOMEM, "out of memory");
    pthread_mutex_lock(&a->lock);
    bool full = a->question_count >= ARCHIVE_MAX_WAITING;
    bool answered = !full && wait_for_answer(a, q);
    pthread_mutex_unlock(&a->lock);
    if (full)
        question_free(q);
    if (!answered)
        return full ? error_set(error, -EBUSY, "too many readers of the archives: ask again later")
                    : error_set(error, -ETIMEDOUT, "the archives did not answer within %lld s: their disk is busy",
                                ARCHIVE_ASK_NS / NS_PER_S);
    int r = q->result;
    if (r == 0) {
        *ret = q->rows;
        q->rows.values = NULL;
    } else if (error) {
        *error = q->error;
    }
    question_free(q);
    return r;
}
