#include "pluvio/wire/otlp.h"

#include <assert.h>
#include <stdlib.h>

#include "otlp_metric.h"
#include "otlp_value.h"
#include "protobuf.h"

const char *otlp_refusal_name(enum otlp_refusal refusal)
{
    static const char *const names[] = {
        "fine",
        "varint overlong",
        "length past the end",
        "wrong wire type",
        "bad field",
        "nested too deep",
        "too many points",
        "too many attributes",
        "too many resources",
        "text too long",
        "text is not UTF-8",
        "no host.id and no service.instance.id",
        "bad time",
        "negative counter",
        "out of memory",
    };
    static_assert(sizeof names / sizeof names[0] == OTLP_REFUSALS, "a name for each refusal");
    return names[refusal];
}

static struct text *own_field(struct record *r, struct text key)
{
    static const struct {
        struct text key;
        size_t offset;
    } fields[] = {
        {TEXT_INIT(ATTR_ENTITY), offsetof(struct record, entity)},
        {TEXT_INIT(ATTR_NAME), offsetof(struct record, name)},
        {TEXT_INIT(ATTR_FLAVOR), offsetof(struct record, flavor)},
        {TEXT_INIT(ATTR_PROJECT), offsetof(struct record, project)},
        {TEXT_INIT(ATTR_USER), offsetof(struct record, user)},
        {TEXT_INIT(ATTR_STATE), offsetof(struct record, state)},
        {TEXT_INIT(ATTR_DOMAIN), offsetof(struct record, domain)},
        {TEXT_INIT(ATTR_HOST), offsetof(struct record, host)},
        {TEXT_INIT(ATTR_HOST_ID), offsetof(struct record, host_id)},
        {TEXT_INIT(ATTR_EVENT), offsetof(struct record, event)},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (text_equal(fields[i].key, key))
            return (struct text *)((char *)r + fields[i].offset);
    return NULL;
}

static void take_own(struct otlp_reading *d, struct text key, const struct any *value)
{
    struct text *own = own_field(d->record, key);
    if (own)
        *own = value->text;
    else if (text_equal(key, TEXT(ATTR_KIND)))
        d->record->is_host = text_equal(value->text, TEXT("host"));
    else if (text_equal(key, TEXT(ATTR_EVENT_TIME)))
        d->record->event_time_ns = value->kind == ANY_INT ? (int64_t)value->number : 0;
    else if (text_equal(key, TEXT(ATTR_SERVICE)))
        d->service = value->text;
}

static enum otlp_refusal resource_attribute(struct otlp_reading *d, struct text bytes)
{
    struct text key;
    struct any value;
    enum otlp_refusal refusal = otlp_read_pair(bytes, &key, &value, &d->out->skipped_fields);
    if (refusal)
        return refusal;
    if (d->record->attribute_count == OTLP_MAX_ATTRIBUTES)
        return OTLP_TOO_MANY_ATTRIBUTES;
    struct attribute *a = record_add_attribute(d->record);
    if (!a)
        return OTLP_NO_MEMORY;
    a->key = key;
    a->value = otlp_any_text(&value, a->number, sizeof a->number);
    if (a->number[0])
        a->value.data = NULL; /* the array may move: settled by read_resource */
    take_own(d, key, &value);
    return OTLP_FINE;
}

static enum otlp_refusal read_resource(struct otlp_reading *d, struct text bytes)
{
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (otlp_is_field(&f, 1, WIRE_BYTES, &r))
            r = r ? r : resource_attribute(d, f.bytes);
        else
            d->out->skipped_fields += f.number > 3; /* 2 counts dropped attributes, 3 refers to entities */
    }
    for (size_t i = 0; i < d->record->attribute_count; i++)
        if (d->record->attributes[i].number[0])
            d->record->attributes[i].value.data = d->record->attributes[i].number;
    return r ? r : w.refusal;
}

static enum otlp_refusal read_scope(struct otlp_reading *d, struct text bytes)
{
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (otlp_is_field(&f, 2, WIRE_BYTES, &r))
            r = r ? r : otlp_read_metric(d, f.bytes);
        else
            d->out->skipped_fields += f.number > 3; /* 1 is the scope, 3 a schema's URL */
    }
    return r ? r : w.refusal;
}

static struct record *next_record(struct otlp_decoder *out)
{
    if (out->count == out->cap) {
        size_t cap = out->cap ? 2 * out->cap : 4;
        struct record *wider = realloc(out->records, cap * sizeof *wider);
        if (!wider)
            return NULL;
        memset(wider + out->cap, 0, (cap - out->cap) * sizeof *wider);
        out->records = wider;
        out->cap = cap;
    }
    struct record *r = &out->records[out->count++];
    record_clear(r);
    return r;
}

/* What only the whole record shows. */
static enum otlp_refusal settle(struct otlp_reading *d)
{
    struct record *r = d->record;
    if (r->entity.len == 0)
        r->entity = d->service;
    if (r->entity.len == 0)
        return OTLP_NO_ENTITY;
    if (r->event.len && (r->event_time_ns < 0 || r->event_time_ns > OTLP_YEAR_2200_NS))
        return OTLP_BAD_TIME;
    return OTLP_FINE;
}

static enum otlp_refusal read_resource_metrics(struct otlp_reading *d, struct text bytes)
{
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    if (d->out->count == OTLP_MAX_RESOURCES)
        return OTLP_TOO_MANY_RESOURCES;
    d->record = next_record(d->out);
    d->service = (struct text){0};
    if (!d->record)
        return OTLP_NO_MEMORY;
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (otlp_is_field(&f, 1, WIRE_BYTES, &r))
            r = r ? r : read_resource(d, f.bytes);
        else if (otlp_is_field(&f, 2, WIRE_BYTES, &r))
            r = r ? r : read_scope(d, f.bytes);
        else
            d->out->skipped_fields += f.number > 3; /* 3 is a schema's URL */
    }
    r = r ? r : w.refusal;
    return r ? r : settle(d);
}

enum otlp_refusal otlp_decode(struct otlp_decoder *out, struct text bytes)
{
    struct otlp_reading d = {.out = out};
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    out->count = 0;
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (otlp_is_field(&f, 1, WIRE_BYTES, &r))
            r = r ? r : read_resource_metrics(&d, f.bytes);
        else
            out->skipped_fields++;
    }
    r = r ? r : w.refusal;
    if (r)
        out->count = 0;
    return r;
}

void otlp_decoder_free(struct otlp_decoder *d)
{
    for (size_t i = 0; i < d->cap; i++)
        record_free(&d->records[i]);
    free(d->records);
    *d = (struct otlp_decoder){0};
}
