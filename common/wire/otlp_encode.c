#include "pluvio/wire/otlp.h"

#include "protobuf.h"

/* Field numbers of opentelemetry-proto. */
enum {
    REQUEST_RESOURCE_METRICS = 1,
    RESOURCE_METRICS_RESOURCE = 1,
    RESOURCE_METRICS_SCOPE = 2,
    RESOURCE_ATTRIBUTES = 1,
    SCOPE_SCOPE = 1,
    SCOPE_METRICS = 2,
    INSTRUMENTATION_NAME = 1,
    METRIC_NAME = 1,
    METRIC_UNIT = 3,
    METRIC_GAUGE = 5,
    METRIC_SUM = 7,
    DATA_POINTS = 1,
    SUM_TEMPORALITY = 2,
    SUM_MONOTONIC = 3,
    POINT_START = 2,
    POINT_TIME = 3,
    POINT_DOUBLE = 4,
    POINT_INT = 6,
    POINT_ATTRIBUTES = 7,
    KEY = 1,
    VALUE = 2,
    ANY_STRING = 1,
    ANY_BOOL = 2,
    ANY_INT = 3,
};

static void text_attribute(struct buf *out, uint32_t number, struct text key, struct text value)
{
    size_t pair = write_open(out, number);
    write_bytes(out, KEY, key);
    size_t any = write_open(out, VALUE);
    write_bytes(out, ANY_STRING, value);
    write_close(out, any);
    write_close(out, pair);
}

static void number_attribute(struct buf *out, uint32_t number, struct text key, uint32_t kind, uint64_t value)
{
    size_t pair = write_open(out, number);
    write_bytes(out, KEY, key);
    size_t any = write_open(out, VALUE);
    write_uint(out, kind, value);
    write_close(out, any);
    write_close(out, pair);
}

/* The attributes that struct record has fields for. */
struct own {
    struct text key, value;
};
#define OWN 11

static void own_attributes(const struct record *r, struct own *out)
{
    const struct own rows[OWN] = {
        {TEXT(ATTR_ENTITY), r->entity},
        {TEXT(ATTR_NAME), r->name},
        {TEXT(ATTR_FLAVOR), r->flavor},
        {TEXT(ATTR_PROJECT), r->project},
        {TEXT(ATTR_USER), r->user},
        {TEXT(ATTR_STATE), r->state},
        {TEXT(ATTR_DOMAIN), r->domain},
        {TEXT(ATTR_HOST), r->host},
        {TEXT(ATTR_HOST_ID), r->host_id},
        {TEXT(ATTR_EVENT), r->event},
        {TEXT(ATTR_KIND), r->is_host ? TEXT("host") : (struct text){0}},
    };
    memcpy(out, rows, sizeof rows);
}

static bool is_own(const struct own *own, struct text key)
{
    for (int i = 0; i < OWN; i++)
        if (text_equal(own[i].key, key))
            return true;
    return text_equal(key, TEXT(ATTR_EVENT_TIME));
}

static void encode_resource(struct buf *out, const struct record *r)
{
    struct own own[OWN];
    own_attributes(r, own);
    size_t resource = write_open(out, RESOURCE_METRICS_RESOURCE);
    for (int i = 0; i < OWN; i++)
        if (own[i].value.len)
            text_attribute(out, RESOURCE_ATTRIBUTES, own[i].key, own[i].value);
    if (r->event.len)
        number_attribute(out, RESOURCE_ATTRIBUTES, TEXT(ATTR_EVENT_TIME), ANY_INT, (uint64_t)r->event_time_ns);
    for (size_t i = 0; i < r->attribute_count; i++)
        if (!is_own(own, r->attributes[i].key))
            text_attribute(out, RESOURCE_ATTRIBUTES, r->attributes[i].key, r->attributes[i].value);
    write_close(out, resource);
}

static void encode_point(struct buf *out, const struct point *p)
{
    size_t point = write_open(out, DATA_POINTS);
    if (p->start_ns)
        write_fixed64(out, POINT_START, (uint64_t)p->start_ns);
    write_fixed64(out, POINT_TIME, (uint64_t)p->time_ns);
    if (p->is_double) {
        uint64_t bits;
        memcpy(&bits, &p->real, sizeof bits);
        write_fixed64(out, POINT_DOUBLE, bits);
    } else {
        write_fixed64(out, POINT_INT, (uint64_t)p->value);
    }
    if (p->kind == RESOURCE_INTERFACE && p->device.len)
        text_attribute(out, POINT_ATTRIBUTES, TEXT(ATTR_MAC), p->device);
    else if (p->device.len)
        text_attribute(out, POINT_ATTRIBUTES, TEXT(ATTR_DISK), p->device);
    if (p->device_name.len)
        text_attribute(out, POINT_ATTRIBUTES, TEXT(ATTR_INTERFACE), p->device_name);
    if (p->stream)
        number_attribute(out, POINT_ATTRIBUTES, TEXT(ATTR_STREAM), ANY_INT, p->stream);
    if (p->ended)
        number_attribute(out, POINT_ATTRIBUTES, TEXT(ATTR_END), ANY_BOOL, 1);
    write_close(out, point);
}

static bool same_metric(const struct point *a, const struct point *b)
{
    return a->type == b->type && text_equal(a->name, b->name) && text_equal(a->unit, b->unit);
}

/* The points from @first that are of one meter; returns where the next meter begins. */
static size_t encode_metric(struct buf *out, const struct record *r, size_t first)
{
    const struct point *head = &r->points[first];
    size_t i = first, metric = write_open(out, SCOPE_METRICS);
    write_bytes(out, METRIC_NAME, head->name);
    if (head->unit.len)
        write_bytes(out, METRIC_UNIT, head->unit);
    size_t data = write_open(out, head->type == METER_GAUGE ? METRIC_GAUGE : METRIC_SUM);
    for (; i < r->point_count && same_metric(head, &r->points[i]); i++)
        encode_point(out, &r->points[i]);
    if (head->type != METER_GAUGE) {
        write_uint(out, SUM_TEMPORALITY, head->type == METER_DELTA ? 1 : 2);
        write_uint(out, SUM_MONOTONIC, 1);
    }
    write_close(out, data);
    write_close(out, metric);
    return i;
}

void otlp_encode(struct buf *out, const struct record *r)
{
    size_t request = write_open(out, REQUEST_RESOURCE_METRICS);
    encode_resource(out, r);
    size_t scope = write_open(out, RESOURCE_METRICS_SCOPE);
    size_t instrumentation = write_open(out, SCOPE_SCOPE);
    write_bytes(out, INSTRUMENTATION_NAME, TEXT("pluvio"));
    write_close(out, instrumentation);
    for (size_t i = 0; i < r->point_count;)
        i = encode_metric(out, r, i);
    write_close(out, scope);
    write_close(out, request);
}
