#include "pluvio/model/record.h"

#include <stdlib.h>

void record_clear(struct record *r)
{
    struct record empty = {
        .attributes = r->attributes, .attribute_cap = r->attribute_cap, .points = r->points, .point_cap = r->point_cap};
    *r = empty;
}

void record_free(struct record *r)
{
    free(r->attributes);
    free(r->points);
    *r = (struct record){0};
}

/* Copied: for structures of this size gcc clears with a string instruction, which takes ten times as long. */
static const struct attribute no_attribute;
static const struct point no_point;

struct attribute *record_add_attribute(struct record *r)
{
    if (r->attribute_count == r->attribute_cap) {
        size_t cap = r->attribute_cap ? r->attribute_cap * 2 : 16;
        struct attribute *wider = realloc(r->attributes, cap * sizeof *wider);
        if (!wider)
            return NULL;
        r->attributes = wider;
        r->attribute_cap = cap;
    }
    struct attribute *a = &r->attributes[r->attribute_count++];
    *a = no_attribute;
    return a;
}

struct point *record_add_point(struct record *r)
{
    if (r->point_count == r->point_cap) {
        size_t cap = r->point_cap ? r->point_cap * 2 : 32;
        struct point *wider = realloc(r->points, cap * sizeof *wider);
        if (!wider)
            return NULL;
        r->points = wider;
        r->point_cap = cap;
    }
    struct point *p = &r->points[r->point_count++];
    *p = no_point;
    return p;
}

static size_t put(char *out, size_t size, size_t at, struct text t)
{
    size_t n = t.len < size - at ? t.len : size - at;
    if (n)
        memcpy(out + at, t.data, n);
    return at + n;
}

struct text record_resource_id(const struct record *r, const struct point *p, char *out, size_t size)
{
    size_t n = put(out, size, 0, r->entity);
    if (p->device.len) {
        n = put(out, size, n, TEXT("-"));
        n = put(out, size, n, p->device);
    }
    return (struct text){out, n};
}

unsigned record_lane(struct text entity)
{
    return (unsigned)(text_hash(entity) % RECORD_LANES);
}
