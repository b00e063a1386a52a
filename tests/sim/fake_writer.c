/* Writing to the fake log: messages fly for a while, land in order (or not), and are reported on. */
#include <errno.h>
#include <stdlib.h>

#include "pluvio/base/clock.h"
#include "sim/fake_log.h"

#define REPORTS   4096
#define FLIGHT_MS 60 /* at most, where nothing is amiss */

struct in_flight_message {
    struct in_flight_message *next;
    struct fake_writer *writer; /* NULL: it is gone */
    struct log_message message;
    unsigned address;
    int partition;
    uint64_t tag;
    int64_t due_ns;
    bool silent; /* a repetition, which nobody waits for */
};

struct fake_writer {
    struct writer port; /* first */
    struct fake_log *log;
    struct fake_writer *next;
    unsigned address;
    char cluster[32];
    bool dead, saw_topics;
    int64_t last_due_ns;
    struct delivery reports[REPORTS];
    size_t first, count;
};

struct log_message log_message_copy(struct text key, struct text value, struct text record, struct text hello)
{
    struct text in[] = {key, value, record, hello};
    struct log_message m = {.bytes = malloc(key.len + value.len + record.len + hello.len + 1)};
    struct text *out[] = {&m.key, &m.value, &m.record, &m.hello};
    size_t at = 0;
    for (int i = 0; m.bytes && i < 4; i++) {
        if (in[i].len)
            memcpy(m.bytes + at, in[i].data, in[i].len);
        *out[i] = (struct text){in[i].data ? m.bytes + at : NULL, in[i].len};
        at += in[i].len;
    }
    return m;
}

static bool chance(struct fake_log *log, unsigned in_hundred)
{
    return in_hundred && random_below(log->random, 100) < in_hundred;
}

static void launch(struct fake_log *log, struct in_flight_message m)
{
    struct in_flight_message *f = malloc(sizeof *f);
    if (!f)
        abort();
    *f = m;
    f->next = NULL;
    *log->flying_tail = f;
    log->flying_tail = &f->next;
}

static bool reaches(const struct fake_log *log, unsigned address)
{
    return !log->away && address == log->address;
}

/* ---- landing ---- */

static int64_t append(struct log_partition *p, const struct log_message *m)
{
    if (p->count == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 64;
        p->items = realloc(p->items, p->cap * sizeof *p->items);
        if (!p->items)
            abort();
    }
    p->items[p->count] = log_message_copy(m->key, m->value, m->record, m->hello);
    p->items[p->count++].offset = p->next;
    return p->next++;
}

static void report(struct in_flight_message *f, int64_t offset)
{
    struct fake_writer *w = f->writer;
    if (!w || f->silent || w->count == REPORTS)
        return;
    bool lies = chance(w->log, w->log->lie);
    bool unknown = chance(w->log, w->log->repeat); /* "you had sent that already" */
    w->reports[(w->first + w->count++) % REPORTS] = (struct delivery){
        .tag = f->tag, .result = lies ? -EIO : 0, .partition = f->partition, .offset = lies || unknown ? -1 : offset};
}

static void land(struct fake_log *log, struct in_flight_message *f)
{
    struct log_partition *p = fake_log_partition(log, f->partition);
    report(f, append(p, &f->message));
    if (chance(log, log->repeat)) {
        struct in_flight_message again = *f;
        const struct log_message *m = &f->message;
        again.message = log_message_copy(m->key, m->value, m->record, m->hello);
        again.silent = true;
        again.writer = NULL;
        again.due_ns = *log->now_ns + (int64_t)random_below(log->random, 20000) * NS_PER_MS;
        launch(log, again);
    }
}

int64_t fake_log_step(struct fake_log *log)
{
    int64_t wake = INT64_MAX;
    for (struct in_flight_message **at = &log->flying; *at;) {
        struct in_flight_message *f = *at;
        if (f->due_ns > *log->now_ns || !reaches(log, f->address)) {
            if (reaches(log, f->address) && f->due_ns < wake)
                wake = f->due_ns;
            at = &f->next;
            continue;
        }
        land(log, f); /* may add one at the end */
        *at = f->next;
        if (!*at)
            log->flying_tail = at;
        free(f->message.bytes);
        free(f);
    }
    return wake;
}

void fake_log_repeat_old(struct fake_log *log, int partition)
{
    struct log_partition *p = fake_log_partition(log, partition);
    if (p->count == 0)
        return;
    size_t back = (size_t)random_below(log->random, p->count < 40 ? p->count : 40);
    const struct log_message m = p->items[p->count - 1 - back];
    append(p, &m);
}

/* ---- the port ---- */

static int writer_produce(struct writer *self, const struct outgoing *m)
{
    struct fake_writer *w = (struct fake_writer *)self;
    if (w->dead)
        return -ENOTCONN;
    int64_t delay = (1 + (int64_t)random_below(w->log->random, FLIGHT_MS)) * NS_PER_MS, due = *w->log->now_ns + delay;
    due = due > w->last_due_ns ? due : w->last_due_ns;
    w->last_due_ns = due;
    if (chance(w->log, w->log->reorder))
        due += (int64_t)random_below(w->log->random, 5000) * NS_PER_MS;
    int partition = strcmp(m->topic, FAKE_ACKS) == 0 ? -1 : m->partition;
    launch(w->log, (struct in_flight_message){.writer = w,
                                              .message = log_message_copy(m->key, m->value, m->record, m->hello),
                                              .address = w->address,
                                              .partition = partition,
                                              .tag = m->tag,
                                              .due_ns = due});
    return 0;
}

static int writer_poll(struct writer *self, int timeout_ms, struct delivery *ret)
{
    struct fake_writer *w = (struct fake_writer *)self;
    (void)timeout_ms;
    if (w->count) {
        *ret = w->reports[w->first];
        w->first = (w->first + 1) % REPORTS;
        w->count--;
        return 1;
    }
    return w->dead ? -ENOTCONN : 0;
}

static int writer_partitions(struct writer *self, const char *topic)
{
    struct fake_writer *w = (struct fake_writer *)self;
    w->saw_topics |= reaches(w->log, w->address);
    if (!w->saw_topics)
        return 0;
    return strcmp(topic, FAKE_ACKS) == 0 ? 1 : w->log->partitions;
}

static const char *writer_cluster_id(struct writer *self)
{
    struct fake_writer *w = (struct fake_writer *)self;
    if (!w->cluster[0] && reaches(w->log, w->address))
        text_copy(text_of(w->log->cluster), w->cluster, sizeof w->cluster);
    return w->cluster[0] ? w->cluster : NULL;
}

static int writer_flush(struct writer *self, int timeout_ms)
{
    struct fake_writer *w = (struct fake_writer *)self;
    (void)timeout_ms;
    if (!reaches(w->log, w->address))
        return -ETIMEDOUT;
    for (struct in_flight_message *f = w->log->flying; f; f = f->next)
        if (f->writer == w)
            f->due_ns = *w->log->now_ns;
    fake_log_step(w->log);
    return 0;
}

/* What is on the wire may still arrive, or not. */
static void writer_destroy(struct writer *self)
{
    struct fake_writer *w = (struct fake_writer *)self;
    bool lost = false;
    for (struct in_flight_message *f = w->log->flying; f; f = f->next) {
        if (f->writer != w)
            continue;
        lost |= chance(w->log, 30);
        f->writer = NULL;
        if (lost)
            f->address = UINT32_MAX; /* to nobody */
    }
    struct fake_writer **at = &w->log->writers;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    free(w);
}

static const char *writer_reason(struct writer *self)
{
    (void)self;
    return NULL;
}

int fake_log_open_writer(struct fake_log *log, struct writer **ret)
{
    struct fake_writer *w = calloc(1, sizeof *w);
    if (!w)
        return -ENOMEM;
    w->port = (struct writer){.produce = writer_produce,
                              .poll = writer_poll,
                              .partitions = writer_partitions,
                              .cluster_id = writer_cluster_id,
                              .reason = writer_reason,
                              .flush = writer_flush,
                              .destroy = writer_destroy};
    w->log = log;
    w->address = log->address;
    w->next = log->writers;
    log->writers = w;
    *ret = &w->port;
    return 0;
}

void fake_writers_kill(struct fake_log *log)
{
    for (struct fake_writer *w = log->writers; w; w = w->next)
        w->dead = true;
}

void fake_log_finish(struct fake_log *log)
{
    while (log->flying) {
        struct in_flight_message *f = log->flying;
        log->flying = f->next;
        free(f->message.bytes);
        free(f);
    }
    for (int i = -1; i < log->partitions; i++)
        log_partition_empty(fake_log_partition(log, i));
}
