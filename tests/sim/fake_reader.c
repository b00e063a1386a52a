/* Reading the fake log: as a member of the group, or all of the acknowledgements. */
#include <errno.h>
#include <stdlib.h>

#include "pluvio/base/clock.h"
#include "sim/fake_log.h"

#define SESSION_NS (10 * NS_PER_S) /* a member that is silent for so long loses its partitions */

struct fake_reader {
    struct reader port; /* first */
    struct fake_log *log;
    struct fake_reader *next;
    bool group, dead, told_down;
    unsigned address;
    char cluster[32];
    /* The group. */
    uint64_t member; /* order of joining */
    uint64_t epoch;  /* that it has heard of */
    bool out;        /* the group went on without it, and it does not know */
    unsigned stale;  /* messages that it has fetched already and reads before it learns */
    bool holds;      /* it has partitions, or an empty share */
    int64_t polled_ns;
    int32_t share[FAKE_PARTITIONS];
    size_t share_count;
    /* What is read. */
    struct position positions[FAKE_PARTITIONS];
    size_t position_count, turn;
};

static bool reaches(const struct fake_reader *r)
{
    return !r->log->away && r->address == r->log->address;
}

/* ---- the group ---- */

void fake_group_rebalance(struct fake_log *log)
{
    log->epoch++;
}

/* Who was silent for too long is out. */
static void expire(struct fake_log *log)
{
    for (struct fake_reader *r = log->readers; r; r = r->next) {
        if (!r->group || r->out || *log->now_ns - r->polled_ns <= SESSION_NS)
            continue;
        r->out = true;
        r->stale = (unsigned)random_below(log->random, 6);
        fake_group_rebalance(log);
    }
}

static bool takes_part(const struct fake_reader *self, const struct fake_reader *r)
{
    return r->group && !r->out && r->address == self->address;
}

/* Nobody else still holds what an earlier epoch gave. */
static bool others_released(const struct fake_reader *self)
{
    if (*self->log->now_ns < self->log->ghost_until_ns)
        return false;
    for (const struct fake_reader *r = self->log->readers; r; r = r->next)
        if (r != self && takes_part(self, r) && r->holds && r->epoch != self->log->epoch)
            return false;
    return true;
}

static void share(struct fake_reader *self)
{
    size_t members = 0, before = 0;
    for (const struct fake_reader *r = self->log->readers; r; r = r->next) {
        members += takes_part(self, r);
        before += takes_part(self, r) && r->member < self->member;
    }
    self->share_count = 0;
    for (int32_t p = 0; p < self->log->partitions; p++)
        if ((size_t)p % members == before)
            self->share[self->share_count++] = p;
}

static int tell_share(struct fake_reader *r, enum reader_event_kind kind, struct reader_event *ret)
{
    *ret = (struct reader_event){.kind = kind, .partitions = r->share, .partition_count = r->share_count};
    return 1;
}

/* 1: an event of the group's; 0: none; -EAGAIN: it has no share, nothing is to be read. */
static int group_event(struct fake_reader *r, struct reader_event *ret)
{
    expire(r->log);
    if (r->out && r->holds && r->stale) {
        r->stale--;
        return 0;
    }
    if (r->holds && (r->out || r->epoch != r->log->epoch)) {
        r->holds = false;
        r->position_count = 0;
        return tell_share(r, READER_REVOKED, ret);
    }
    if (r->out) {
        r->out = false;
        fake_group_rebalance(r->log);
    }
    r->polled_ns = *r->log->now_ns;
    if (r->holds)
        return 0;
    if (!others_released(r))
        return -EAGAIN;
    r->epoch = r->log->epoch;
    r->holds = true;
    share(r);
    return tell_share(r, READER_ASSIGNED, ret);
}

/* ---- messages ---- */

static int all_event(struct fake_reader *r, struct reader_event *ret)
{
    if (r->holds)
        return 0;
    r->holds = true;
    r->share[0] = 0;
    r->share_count = r->position_count = 1;
    r->positions[0] = (struct position){0, OFFSET_EARLIEST};
    return tell_share(r, READER_ASSIGNED, ret);
}

static struct log_partition *partition_of(struct fake_reader *r, int32_t partition)
{
    return fake_log_partition(r->log, r->group ? partition : -1);
}

/* True if the position lay outside the log, and is its beginning now. */
static bool was_outside(const struct log_partition *log, struct position *at)
{
    bool outside = at->offset != OFFSET_EARLIEST && (at->offset < log->low || at->offset > log->next);
    if (outside || at->offset == OFFSET_EARLIEST)
        at->offset = log->low;
    return outside;
}

static int give(struct fake_reader *r, struct position *at, struct reader_event *ret)
{
    const struct log_partition *log = partition_of(r, at->partition);
    if (was_outside(log, at) && r->group) {
        *ret = (struct reader_event){.kind = READER_RESET, .partition = at->partition, .offset = at->offset};
        return 1;
    }
    size_t index = log_partition_find(log, at->offset);
    if (index == log->count)
        return 0;
    const struct log_message *m = &log->items[index];
    at->offset = m->offset + 1;
    *ret = (struct reader_event){.kind = READER_MESSAGE,
                                 .message = {.partition = at->partition,
                                             .offset = m->offset,
                                             .timestamp_ms = *r->log->now_ns / NS_PER_MS,
                                             .key = m->key,
                                             .value = m->value,
                                             .record = m->record,
                                             .hello = m->hello}};
    if (m->record.len || m->hello.len)
        ret->message.wire = TEXT("1");
    return 1;
}

static int messages(struct fake_reader *r, struct reader_event *ret)
{
    if (random_below(r->log->random, 4) == 0)
        r->turn++; /* runs of one partition, then of another */
    for (size_t i = 0; i < r->position_count; i++) {
        struct position *at = &r->positions[(r->turn + i) % r->position_count];
        if (give(r, at, ret))
            return 1;
    }
    return 0;
}

static int reader_next(struct reader *self, int timeout_ms, struct reader_event *ret)
{
    struct fake_reader *r = (struct fake_reader *)self;
    (void)timeout_ms;
    *ret = (struct reader_event){0};
    if (r->dead)
        return -ENOTCONN;
    if (!reaches(r)) {
        bool told = r->told_down;
        r->told_down = true;
        *ret = (struct reader_event){.kind = READER_DOWN, .reason = "the simulation took it away"};
        return !told;
    }
    r->told_down = false;
    int event = r->group ? group_event(r, ret) : all_event(r, ret);
    if (event == 0)
        event = messages(r, ret);
    r->log->served += event == 1;
    return event == 1;
}

static int reader_start(struct reader *self, const struct position *positions, size_t count, struct error *error)
{
    struct fake_reader *r = (struct fake_reader *)self;
    if (count > FAKE_PARTITIONS)
        return error_set(error, -EINVAL, "more partitions than there are");
    memcpy(r->positions, positions, count * sizeof *positions);
    r->position_count = count;
    return 0;
}

static int reader_release(struct reader *self)
{
    ((struct fake_reader *)self)->position_count = 0;
    return 0;
}

static int reader_watermarks(struct reader *self, int32_t partition, int timeout_ms, int64_t *low, int64_t *high)
{
    struct fake_reader *r = (struct fake_reader *)self;
    (void)timeout_ms;
    if (!reaches(r))
        return -EIO;
    *low = partition_of(r, partition)->low;
    *high = partition_of(r, partition)->next;
    return 0;
}

static const char *reader_cluster_id(struct reader *self)
{
    struct fake_reader *r = (struct fake_reader *)self;
    if (!r->cluster[0] && reaches(r))
        text_copy(text_of(r->log->cluster), r->cluster, sizeof r->cluster);
    return r->cluster[0] ? r->cluster : NULL;
}

static void reader_commit(struct reader *self, const struct position *positions, size_t count)
{
    (void)self;
    (void)positions;
    (void)count;
}

static void reader_destroy(struct reader *self)
{
    struct fake_reader *r = (struct fake_reader *)self;
    struct fake_reader **at = &r->log->readers;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (r->group && r->holds && !r->out) { /* it says no goodbye */
        int64_t until = r->polled_ns + SESSION_NS;
        r->log->ghost_until_ns = until > r->log->ghost_until_ns ? until : r->log->ghost_until_ns;
        fake_group_rebalance(r->log);
    }
    free(r);
}

static struct fake_reader *open_reader(struct fake_log *log, bool group)
{
    struct fake_reader *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->port = (struct reader){.next = reader_next,
                              .start = reader_start,
                              .release = reader_release,
                              .watermarks = reader_watermarks,
                              .cluster_id = reader_cluster_id,
                              .commit = reader_commit,
                              .destroy = reader_destroy};
    r->log = log;
    r->group = group;
    r->address = log->address;
    r->next = log->readers;
    log->readers = r;
    return r;
}

int fake_log_open_group(struct fake_log *log, struct reader **ret)
{
    struct fake_reader *r = open_reader(log, true);
    if (!r)
        return -ENOMEM;
    r->member = ++log->members;
    r->polled_ns = *log->now_ns;
    fake_group_rebalance(log);
    *ret = &r->port;
    return 0;
}

int fake_log_open_acks(struct fake_log *log, struct reader **ret)
{
    struct fake_reader *r = open_reader(log, false);
    *ret = r ? &r->port : NULL;
    return r ? 0 : -ENOMEM;
}

void fake_readers_kill(struct fake_log *log)
{
    for (struct fake_reader *r = log->readers; r; r = r->next)
        r->dead = true;
}
