#include "entity_pack.h"

#define VERSION 1

enum { STREAM_ENDED = 1, STREAM_RUNNING = 2, STREAM_BASED = 4, STREAM_OPEN = 8 };

static void pack_stream(const struct stream *t, int64_t now, struct buf *out)
{
    bool open = t->open_amount || t->open_covered_ms;
    buf_add_varint(out, (t->ended ? STREAM_ENDED : 0) | (t->running ? STREAM_RUNNING : 0) |
                            (t->base ? STREAM_BASED : 0) | (open ? STREAM_OPEN : 0));
    buf_add_varint(out, (uint64_t)t->id);
    buf_add(out, &t->uid, sizeof t->uid);
    buf_add_signed(out, now - t->start_ms);
    buf_add_signed(out, now - t->last_ms);
    buf_add_signed(out, t->value);
    buf_add_varint(out, (uint64_t)t->owner);
    if (t->base)
        buf_add_signed(out, t->base);
    if (open) {
        buf_add_varint(out, (uint64_t)t->open_amount);
        buf_add_varint(out, (uint64_t)t->open_covered_ms);
    }
}

static void pack_series(const struct series *s, int64_t now, struct buf *out)
{
    buf_add_varint(out, (uint64_t)s->meter->id);
    buf_add_signed(out, now - s->first_ms);
    buf_add_signed(out, now - s->last_ms);
    buf_add_varint(out, (uint64_t)s->step_known_ms);
    if (s->meter->basis == BASIS_CONSUMED) {
        buf_add_varint(out, (uint64_t)s->step_amount);
    } else {
        if (s->step_known_ms)
            buf_add_double(out, s->step_area);
        buf_add_double(out, s->newest);
    }
    uint64_t count = 0;
    for (const struct stream *t = s->streams; t; t = t->next)
        count++;
    buf_add_varint(out, count);
    for (const struct stream *t = s->streams; t; t = t->next)
        pack_stream(t, now, out);
}

void entity_pack(const struct entity *e, struct buf *out)
{
    buf_add_varint(out, VERSION);
    buf_add_varint(out, e->is_host);
    buf_add_varint(out, (uint64_t)e->last_ms);
    buf_add_varint(out, (uint64_t)e->open_ms);
    buf_add_varint(out, (uint64_t)e->step_ms);
    buf_add(out, &e->attributes, sizeof e->attributes);
    buf_add_varint(out, (uint64_t)e->attributes_ms);
    buf_add_varint(out, (uint64_t)e->owner);
    buf_add_varint(out, e->count);
    for (size_t i = 0; i < e->count; i++) {
        const struct resource *r = e->resources[i];
        buf_add_varint(out, (uint64_t)r->id);
        buf_add_varint(out, r->kind);
        buf_add_sized(out, text_of(r->device));
        buf_add_varint(out, r->count);
        for (size_t k = 0; k < r->count; k++)
            pack_series(r->series[k], e->last_ms, out);
    }
}

static uint64_t unpack_fixed(struct unpack *u)
{
    uint64_t value = 0;
    if (u->failed || u->end - u->at < 8) {
        u->failed = true;
        return 0;
    }
    memcpy(&value, u->at, sizeof value);
    u->at += sizeof value;
    return value;
}

/* What was written as now - time. */
static int64_t unpack_before(struct unpack *u, int64_t now)
{
    int64_t time;
    u->failed |= __builtin_sub_overflow(now, unpack_signed(u), &time);
    return time;
}

static bool unpack_stream(struct unpack *u, struct stream *t, int64_t now)
{
    uint64_t flags = unpack_varint(u);
    t->ended = flags & STREAM_ENDED;
    t->running = flags & STREAM_RUNNING;
    t->id = (int64_t)unpack_varint(u);
    t->uid = unpack_fixed(u);
    t->start_ms = unpack_before(u, now);
    t->last_ms = unpack_before(u, now);
    t->value = unpack_signed(u);
    t->owner = (int64_t)unpack_varint(u);
    t->base = flags & STREAM_BASED ? unpack_signed(u) : 0;
    t->open_amount = flags & STREAM_OPEN ? (int64_t)unpack_varint(u) : 0;
    t->open_covered_ms = flags & STREAM_OPEN ? (int64_t)unpack_varint(u) : 0;
    return !u->failed;
}

/* Streams stand newest first and are put back in that order. */
static bool unpack_streams(struct unpack *u, struct series *s, int64_t now)
{
    uint64_t count = unpack_varint(u);
    struct stream **tail = &s->streams;
    for (uint64_t i = 0; i < count && !u->failed; i++) {
        struct series one = {0};
        struct stream *t = series_add_stream(&one);
        if (!t)
            return false;
        *tail = t;
        tail = &t->next;
        if (!unpack_stream(u, t, now))
            return false;
    }
    return !u->failed;
}

static bool unpack_series(struct unpack *u, struct resource *r, int64_t now, meter_lookup meters, void *context)
{
    const struct ledger_meter *meter = meters(context, (int64_t)unpack_varint(u));
    struct series *s = meter ? resource_add_series(r, meter) : NULL;
    if (!s)
        return false;
    s->first_ms = unpack_before(u, now);
    s->last_ms = unpack_before(u, now);
    s->step_known_ms = (int64_t)unpack_varint(u);
    if (meter->basis == BASIS_CONSUMED) {
        s->step_amount = (int64_t)unpack_varint(u);
    } else {
        s->step_area = s->step_known_ms ? unpack_double(u) : 0;
        s->newest = unpack_double(u);
    }
    return unpack_streams(u, s, now);
}

static bool unpack_resource(struct unpack *u, struct entity *e, meter_lookup meters, void *context)
{
    int64_t id = (int64_t)unpack_varint(u);
    uint64_t kind = unpack_varint(u);
    struct text device = unpack_sized(u);
    uint64_t count = unpack_varint(u);
    if (u->failed || kind >= RESOURCE_KINDS)
        return false;
    struct resource *r = entity_add_resource(e, id, (enum resource_kind)kind, device);
    if (!r)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!unpack_series(u, r, e->last_ms, meters, context))
            return false;
    return true;
}

struct entity *entity_unpack(struct text key, struct text packed, meter_lookup meters, void *context)
{
    struct unpack u = unpack_text(packed);
    struct entity *e = entity_create(key);
    if (!e || unpack_varint(&u) != VERSION) {
        entity_free(e);
        return NULL;
    }
    e->is_host = unpack_varint(&u) != 0;
    e->last_ms = (int64_t)unpack_varint(&u);
    e->open_ms = (int64_t)unpack_varint(&u);
    e->step_ms = (int64_t)unpack_varint(&u);
    e->attributes = unpack_fixed(&u);
    e->attributes_ms = (int64_t)unpack_varint(&u);
    e->owner = (int64_t)unpack_varint(&u);
    uint64_t count = unpack_varint(&u);
    for (uint64_t i = 0; i < count && !u.failed; i++)
        u.failed |= !unpack_resource(&u, e, meters, context);
    if (u.failed || u.at != u.end) {
        entity_free(e);
        return NULL;
    }
    return e;
}
