#include "entity.h"

#include <stdlib.h>

struct entity *entity_create(struct text key)
{
    struct entity *e = calloc(1, sizeof *e);
    if (e && !(e->key = text_dup(key))) {
        free(e);
        return NULL;
    }
    return e;
}

static void series_free(struct series *s)
{
    while (s->streams) {
        struct stream *next = s->streams->next;
        free(s->streams);
        s->streams = next;
    }
    free(s);
}

static void resource_free(struct resource *r)
{
    for (size_t i = 0; i < r->count; i++)
        series_free(r->series[i]);
    free(r->series);
    free(r->device);
    free(r);
}

void entity_free(struct entity *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->count; i++)
        resource_free(e->resources[i]);
    free(e->resources);
    free(e->hints);
    free(e->key);
    free(e);
}

static bool is_device(const struct resource *r, struct text device)
{
    return text_equal((struct text){r->device, r->device_len}, device);
}

struct resource *entity_resource(const struct entity *e, struct text device)
{
    for (size_t i = 0; i < e->count; i++)
        if (is_device(e->resources[i], device))
            return e->resources[i];
    return NULL;
}

struct resource *entity_add_resource(struct entity *e, int64_t id, enum resource_kind kind, struct text device)
{
    if (e->count == ENTITY_MAX_RESOURCES)
        return NULL;
    if (e->count == e->cap) {
        size_t cap = e->cap ? 2 * e->cap : 4;
        struct resource **wider = realloc(e->resources, cap * sizeof(struct resource *));
        if (!wider)
            return NULL;
        e->resources = wider;
        e->cap = cap;
    }
    struct resource *r = calloc(1, sizeof *r);
    if (!r || !(r->device = text_dup(device))) {
        free(r);
        return NULL;
    }
    r->id = id;
    r->kind = kind;
    r->device_len = device.len;
    return e->resources[e->count++] = r;
}

static bool is_meter(const struct ledger_meter *m, const struct point *p)
{
    return p->meter ? m->known == p->meter : !m->known && text_equal(text_of(m->name), p->name);
}

bool series_holds(const struct series *s, const struct point *p)
{
    return is_meter(s->meter, p) && is_device(s->resource, p->device);
}

struct series *resource_series(const struct resource *r, const struct point *p)
{
    for (size_t i = 0; i < r->count; i++)
        if (is_meter(r->series[i]->meter, p))
            return r->series[i];
    return NULL;
}

struct series *resource_add_series(struct resource *r, const struct ledger_meter *meter)
{
    if (r->count == ENTITY_MAX_SERIES)
        return NULL;
    if (r->count == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 8;
        struct series **wider = realloc(r->series, cap * sizeof(struct series *));
        if (!wider)
            return NULL;
        r->series = wider;
        r->cap = cap;
    }
    struct series *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->resource = r;
    s->meter = meter;
    return r->series[r->count++] = s;
}

struct stream *series_stream(const struct series *s, uint64_t uid)
{
    struct stream *t = s->streams;
    while (t && t->uid != uid)
        t = t->next;
    return t;
}

struct stream *series_add_stream(struct series *s)
{
    struct stream *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->next = s->streams;
    return s->streams = t;
}
