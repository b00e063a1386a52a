#include "inspector_queue.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    struct lifecycle_event event;
    bool waits; /* for the tail of this uuid and id */
};

enum tail_state { TAIL_FREE, TAIL_ASKED, TAIL_READING, TAIL_READ };
struct tail {
    enum tail_state state;
    struct lifecycle_event event; /* the SHUTDOWN */
    struct reading cpu;
};

struct event_queue {
    struct slot slots[EVENTS_MAX];
    size_t first, count;
    uint64_t dropped;
    struct tail tails[TAILS_MAX];
    char stale[STALE_MAX][UUID_SIZE];
    size_t stale_count;
    bool all_stale;
};

struct event_queue *event_queue_create(void)
{
    return calloc(1, sizeof(struct event_queue));
}

static void event_finish(const struct lifecycle_event *e)
{
    if (e->paused)
        domain_stats_free(e->paused, 1);
}

static struct slot *slot_at(struct event_queue *q, size_t i)
{
    return &q->slots[(q->first + i) % EVENTS_MAX];
}

void event_queue_destroy(struct event_queue *q)
{
    for (size_t i = 0; q && i < q->count; i++)
        event_finish(&slot_at(q, i)->event);
    free(q);
}

static struct tail *tail_of(struct event_queue *q, const char *uuid)
{
    for (size_t i = 0; i < TAILS_MAX; i++)
        if (q->tails[i].state != TAIL_FREE && strcmp(q->tails[i].event.uuid, uuid) == 0)
            return &q->tails[i];
    return NULL;
}

static struct tail *free_tail(struct event_queue *q, int64_t now_boot_ns)
{
    for (size_t i = 0; i < TAILS_MAX; i++) {
        struct tail *t = &q->tails[i];
        if (t->state == TAIL_FREE || (t->state == TAIL_READ && now_boot_ns - t->event.boot_ns > TAIL_LIFE_NS))
            return t;
    }
    return NULL;
}

void event_queue_tail_begin(struct event_queue *q, const struct lifecycle_event *e)
{
    struct tail *t = tail_of(q, e->uuid);
    if (!t)
        t = free_tail(q, e->boot_ns);
    if (t && e->id >= 0)
        *t = (struct tail){.state = TAIL_ASKED, .event = *e};
}

bool event_queue_tail_next(struct event_queue *q, struct lifecycle_event *ret)
{
    for (size_t i = 0; i < TAILS_MAX; i++) {
        if (q->tails[i].state == TAIL_ASKED) {
            q->tails[i].state = TAIL_READING;
            *ret = q->tails[i].event;
            return true;
        }
    }
    return false;
}

/* The STOPPED that waits for the tail of @e, if it has come already. */
static struct slot *waiting_for(struct event_queue *q, const struct lifecycle_event *e)
{
    for (size_t i = 0; i < q->count; i++) {
        struct slot *s = slot_at(q, i);
        if (s->waits && s->event.id == e->id && strcmp(s->event.uuid, e->uuid) == 0)
            return s;
    }
    return NULL;
}

void event_queue_tail_end(struct event_queue *q, const struct lifecycle_event *e, struct reading cpu)
{
    struct slot *s = waiting_for(q, e);
    if (s) {
        s->event.cpu_time = cpu;
        s->waits = false;
    }
    struct tail *t = tail_of(q, e->uuid);
    if (t && t->state == TAIL_READING && t->event.boot_ns == e->boot_ns) {
        t->state = s ? TAIL_FREE : TAIL_READ;
        t->cpu = cpu;
    }
}

/* A STOPPED takes what was read at the SHUTDOWN before it; anything else means that the guest did not go down. */
static void settle_tail(struct event_queue *q, struct slot *s)
{
    struct tail *t = tail_of(q, s->event.uuid);
    if (!t)
        return;
    if (s->event.kind != LIFECYCLE_STOPPED || s->event.boot_ns - t->event.boot_ns > TAIL_LIFE_NS) {
        t->state = TAIL_FREE;
        return;
    }
    s->event.id = t->event.id;
    s->event.cpu_time = t->cpu;
    s->waits = t->state != TAIL_READ;
    if (!s->waits)
        t->state = TAIL_FREE;
}

void event_queue_add(struct event_queue *q, const struct lifecycle_event *e)
{
    if (q->count == EVENTS_MAX) {
        q->dropped++;
        event_finish(e);
        event_queue_mark_stale(q, "");
        return;
    }
    if (q->count == 0)
        q->first = 0; /* what was touched once is used again */
    struct slot *s = slot_at(q, q->count++);
    *s = (struct slot){.event = *e};
    if (!e->paused)
        settle_tail(q, s);
}

bool event_queue_ready(const struct event_queue *q, int64_t now_boot_ns)
{
    const struct slot *s = &q->slots[q->first];
    return q->count && (!s->waits || now_boot_ns - s->event.boot_ns >= TAIL_PATIENCE_NS);
}

int event_queue_take(struct event_queue *q, int64_t now_boot_ns, struct lifecycle_event *ret)
{
    if (!event_queue_ready(q, now_boot_ns))
        return 0;
    *ret = q->slots[q->first].event;
    q->first = (q->first + 1) % EVENTS_MAX;
    q->count--;
    return 1;
}

uint64_t event_queue_dropped(const struct event_queue *q)
{
    return q->dropped;
}

static bool known_stale(const struct event_queue *q, const char *uuid)
{
    for (size_t i = 0; i < q->stale_count; i++)
        if (strcmp(q->stale[i], uuid) == 0)
            return true;
    return false;
}

void event_queue_mark_stale(struct event_queue *q, const char *uuid)
{
    if (q->all_stale || known_stale(q, uuid))
        return;
    if (!uuid[0] || q->stale_count == STALE_MAX) {
        q->all_stale = true;
        q->stale_count = 0;
        return;
    }
    text_copy(text_of(uuid), q->stale[q->stale_count++], UUID_SIZE);
}

int event_queue_take_stale(struct event_queue *q, char uuid[UUID_SIZE])
{
    uuid[0] = '\0';
    if (q->all_stale) {
        q->all_stale = false;
        return 1;
    }
    if (q->stale_count == 0)
        return 0;
    memcpy(uuid, q->stale[--q->stale_count], UUID_SIZE);
    return 1;
}
