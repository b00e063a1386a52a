#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pluvio/base/clock.h"
#include "stages.h"

#define CHUNK 256

struct memory_reader {
    struct reader port; /* first */
    struct source *source;
    bool assigned;
    struct buf bytes;
    struct fleet_message made[CHUNK];
    size_t at[CHUNK + 1]; /* where each one's value begins */
    size_t count, next, vm;
    int64_t offsets[FLEET_PARTITIONS];
};

int64_t source_total(const struct source *s)
{
    return (s->last_cycle - s->cycle) * (int64_t)s->fleet->count;
}

/* ---- memory ---- */

static void make_chunk(struct memory_reader *r)
{
    struct source *s = r->source;
    int64_t begun = thread_cpu_ns();
    buf_clear(&r->bytes);
    r->count = r->next = 0;
    for (; r->count < CHUNK && s->cycle < s->last_cycle; r->count++) {
        r->at[r->count] = r->bytes.len;
        fleet_make(s->fleet, s->cycle, r->vm, &r->made[r->count], &r->bytes);
        if (++r->vm == s->fleet->count) {
            r->vm = 0;
            s->cycle++;
        }
    }
    r->at[r->count] = r->bytes.len;
    s->made_ns += thread_cpu_ns() - begun;
}

static int memory_next(struct reader *self, int timeout_ms, struct reader_event *ret)
{
    static const int32_t partitions[FLEET_PARTITIONS] = {0, 1, 2, 3};
    struct memory_reader *r = (struct memory_reader *)self;
    (void)timeout_ms;
    *ret = (struct reader_event){0};
    if (!r->assigned) {
        r->assigned = true;
        *ret = (struct reader_event){
            .kind = READER_ASSIGNED, .partitions = partitions, .partition_count = FLEET_PARTITIONS};
        return 1;
    }
    if (r->next == r->count)
        make_chunk(r);
    if (r->next == r->count)
        return 0;
    size_t i = r->next++;
    const struct fleet_message *m = &r->made[i];
    ret->kind = READER_MESSAGE;
    ret->message = (struct message){.partition = m->partition,
                                    .offset = r->offsets[m->partition]++,
                                    .key = m->key,
                                    .value = {r->bytes.data + r->at[i], r->at[i + 1] - r->at[i]},
                                    .wire = TEXT(WIRE_VERSION),
                                    .record = text_of(m->header)};
    r->source->given++;
    r->source->bytes += (int64_t)ret->message.value.len;
    return 1;
}

static int memory_start(struct reader *self, const struct position *positions, size_t count, struct error *error)
{
    struct memory_reader *r = (struct memory_reader *)self;
    (void)error;
    for (size_t i = 0; i < count; i++)
        r->offsets[positions[i].partition] = positions[i].offset < 0 ? 0 : positions[i].offset;
    return 0;
}

static int memory_release(struct reader *self)
{
    (void)self;
    return 0;
}

static const char *memory_cluster_id(struct reader *self)
{
    (void)self;
    return "memory";
}

static void memory_commit(struct reader *self, const struct position *positions, size_t count)
{
    (void)self;
    (void)positions;
    (void)count;
}

static void memory_destroy(struct reader *self)
{
    struct memory_reader *r = (struct memory_reader *)self;
    buf_free(&r->bytes);
    free(r);
}

static int open_memory(struct source *s, struct reader **ret)
{
    struct memory_reader *r = calloc(1, sizeof *r);
    if (!r)
        return -1;
    r->port = (struct reader){.next = memory_next,
                              .start = memory_start,
                              .release = memory_release,
                              .cluster_id = memory_cluster_id,
                              .commit = memory_commit,
                              .destroy = memory_destroy};
    r->source = s;
    *ret = &r->port;
    return 0;
}

static int sink_produce(struct writer *self, const struct outgoing *m)
{
    (void)self;
    (void)m;
    return 0;
}

static int sink_poll(struct writer *self, int timeout_ms, struct delivery *ret)
{
    (void)self;
    (void)timeout_ms;
    (void)ret;
    return 0;
}

static int sink_flush(struct writer *self, int timeout_ms)
{
    (void)self;
    (void)timeout_ms;
    return 0;
}

static void sink_destroy(struct writer *self)
{
    (void)self;
}

static struct writer sink = {.produce = sink_produce, .poll = sink_poll, .flush = sink_flush, .destroy = sink_destroy};

/* ---- a broker ---- */

struct counting_reader {
    struct reader port; /* first: the inner's, but for next and destroy */
    struct reader *inner;
    struct source *source;
};

static struct reader *inner_of(struct reader *self)
{
    return ((struct counting_reader *)self)->inner;
}

static int counting_next(struct reader *self, int timeout_ms, struct reader_event *ret)
{
    struct source *s = ((struct counting_reader *)self)->source;
    int64_t begun = stage_begin();
    int r = inner_of(self)->next(inner_of(self), timeout_ms, ret);
    stage_end(STAGE_FETCH, begun);
    if (r == 1 && ret->kind == READER_MESSAGE) {
        s->given++;
        s->bytes += (int64_t)ret->message.value.len;
    }
    return r;
}

static int counting_start(struct reader *self, const struct position *positions, size_t count, struct error *error)
{
    return inner_of(self)->start(inner_of(self), positions, count, error);
}

static int counting_release(struct reader *self)
{
    return inner_of(self)->release(inner_of(self));
}

static const char *counting_cluster_id(struct reader *self)
{
    return inner_of(self)->cluster_id(inner_of(self));
}

static void counting_commit(struct reader *self, const struct position *positions, size_t count)
{
    inner_of(self)->commit(inner_of(self), positions, count);
}

static void counting_destroy(struct reader *self)
{
    inner_of(self)->destroy(inner_of(self));
    free(self);
}

int source_open_reader(void *context, struct reader **ret, struct error *error)
{
    struct source *s = context;
    struct kafka_settings settings = {.bootstrap = s->bootstrap, .client_id = "bench"};
    if (!s->bootstrap)
        return open_memory(s, ret);
    struct counting_reader *r = calloc(1, sizeof *r);
    if (!r || reader_open_group(&r->inner, &settings, s->topic, s->topic, error)) {
        free(r);
        return -1;
    }
    r->source = s;
    r->port = (struct reader){.next = counting_next,
                              .start = counting_start,
                              .release = counting_release,
                              .cluster_id = counting_cluster_id,
                              .commit = counting_commit,
                              .destroy = counting_destroy};
    *ret = &r->port;
    return 0;
}

int source_open_writer(void *context, struct writer **ret, struct error *error)
{
    struct source *s = context;
    struct kafka_settings settings = {.bootstrap = s->bootstrap, .client_id = "bench"};
    if (s->bootstrap)
        return writer_open(ret, &settings, error);
    *ret = &sink;
    return 0;
}

/* ---- filling a broker ---- */

static void die(const char *why)
{
    fprintf(stderr, "the broker cannot be filled: %s\n", why);
    exit(2);
}

static void send(struct writer *w, const struct outgoing *m, int64_t *delivered)
{
    struct delivery d;
    int r;
    while ((r = w->produce(w, m)) == -EAGAIN)
        *delivered += w->poll(w, 100, &d) == 1 && d.result == 0;
    if (r)
        die("a record is refused");
    while (w->poll(w, 0, &d) == 1)
        *delivered += d.result == 0;
}

static void fill(const struct source *s)
{
    struct kafka_settings settings = {.bootstrap = s->bootstrap, .client_id = "bench"};
    struct writer *w;
    struct error error;
    struct buf value = {0};
    struct fleet_message made;
    struct delivery d;
    int64_t delivered = 0;
    if (topic_ensure(&settings, s->topic, FLEET_PARTITIONS, false, 30000, &error) || writer_open(&w, &settings, &error))
        die(error.text);
    for (int64_t cycle = s->cycle; cycle < s->last_cycle; cycle++) {
        for (size_t vm = 0; vm < s->fleet->count; vm++) {
            buf_clear(&value);
            fleet_make(s->fleet, cycle, vm, &made, &value);
            struct outgoing m = {.topic = s->topic,
                                 .partition = made.partition,
                                 .key = made.key,
                                 .value = buf_text(&value),
                                 .record = text_of(made.header)};
            send(w, &m, &delivered);
        }
    }
    for (int64_t end = clock_boot_ns(clock_system()) + 60 * NS_PER_S;
         delivered < source_total(s) && clock_boot_ns(clock_system()) < end;)
        delivered += w->poll(w, 100, &d) == 1 && d.result == 0;
    if (delivered < source_total(s))
        die("not all records were delivered");
    w->destroy(w);
    buf_free(&value);
}

void source_fill_broker(const struct source *s)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        fill(s);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status)
        exit(2);
}
