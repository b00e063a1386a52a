#include "pluvio/wire/otlp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "protobuf.h"

#define YEAR_2200_NS 7258118400000000000LL

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

/* A request that is being read. */
struct decode {
    struct otlp_decoder *out;
    struct record *record;
    size_t points; /* of the whole request */
    struct text service;
};

static bool ascii(struct text t)
{
    size_t i = 0;
    for (; i + 8 <= t.len; i += 8) {
        uint64_t word;
        memcpy(&word, t.data + i, sizeof word);
        /* Neither a high bit nor a zero byte (the classic test for a zero byte in a word). */
        if ((word | (word - 0x0101010101010101ULL)) & 0x8080808080808080ULL)
            return false;
    }
    for (; i < t.len; i++)
        if (t.data[i] <= 0)
            return false;
    return true;
}

/* How long the UTF-8 sequence at @s is; 0 if it is none (RFC 3629: no overlong forms, no surrogates). */
static size_t sequence(const uint8_t *s, size_t left)
{
    if (s[0] == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : 0;
    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

static enum otlp_refusal check_text(struct text t)
{
    if (t.len > OTLP_MAX_TEXT)
        return OTLP_TEXT_TOO_LONG;
    if (ascii(t))
        return OTLP_FINE;
    for (size_t i = 0; i < t.len;) {
        size_t n = sequence((const uint8_t *)t.data + i, t.len - i);
        if (n == 0)
            return OTLP_BAD_TEXT;
        i += n;
    }
    return OTLP_FINE;
}

/* What an AnyValue is to us. Texts point into the message; others leave their number. */
struct any {
    enum { ANY_NONE, ANY_TEXT, ANY_BOOL, ANY_INT, ANY_DOUBLE, ANY_NESTED } kind;
    struct text text;
    uint64_t number;
};

/* Lists and maps are only walked, to refuse what is broken or nested too deep. */
static enum otlp_refusal check_value(struct text bytes, int depth);

/* The values of an ArrayValue, or the values of the pairs of a KeyValueList. */
static enum otlp_refusal check_values(struct text bytes, int depth, bool pairs)
{
    struct walker w = walk(bytes);
    struct field f;
    while (walk_next(&w, &f)) {
        enum otlp_refusal r = OTLP_FINE;
        if (f.number == (pairs ? 2U : 1U) && f.type == WIRE_BYTES)
            r = check_value(f.bytes, depth);
        if (r)
            return r;
    }
    return w.refusal;
}

static enum otlp_refusal check_map(struct text bytes, int depth)
{
    struct walker w = walk(bytes);
    struct field f;
    while (walk_next(&w, &f)) {
        enum otlp_refusal r = f.number == 1 && f.type == WIRE_BYTES ? check_values(f.bytes, depth, true) : OTLP_FINE;
        if (r)
            return r;
    }
    return w.refusal;
}

static enum otlp_refusal check_nested(const struct field *f, int depth)
{
    if (depth > OTLP_MAX_NESTING)
        return OTLP_TOO_NESTED;
    return f->number == 5 ? check_values(f->bytes, depth + 1, false) : check_map(f->bytes, depth + 1);
}

static enum otlp_refusal check_value(struct text bytes, int depth)
{
    struct walker w = walk(bytes);
    struct field f;
    while (walk_next(&w, &f)) {
        if (f.number != 5 && f.number != 6)
            continue;
        enum otlp_refusal r = f.type == WIRE_BYTES ? check_nested(&f, depth) : OTLP_WRONG_WIRE_TYPE;
        if (r)
            return r;
    }
    return w.refusal;
}

static enum otlp_refusal read_any(struct text bytes, struct any *ret)
{
    struct walker w = walk(bytes);
    struct field f;
    *ret = (struct any){0};
    while (walk_next(&w, &f)) {
        static const enum wire_type types[] = {0,          WIRE_BYTES, WIRE_VARINT, WIRE_VARINT, WIRE_FIXED64,
                                               WIRE_BYTES, WIRE_BYTES, WIRE_BYTES};
        if (f.number < 1 || f.number > 7)
            continue;
        if (f.type != types[f.number])
            return OTLP_WRONG_WIRE_TYPE;
        ret->number = f.value;
        ret->kind = f.number == 1   ? ANY_TEXT
                    : f.number == 2 ? ANY_BOOL
                    : f.number == 3 ? ANY_INT
                    : f.number == 4 ? ANY_DOUBLE
                                    : ANY_NESTED;
        enum otlp_refusal r = OTLP_FINE;
        if (ret->kind == ANY_TEXT)
            r = check_text(ret->text = f.bytes);
        else if (f.number == 5 || f.number == 6)
            r = check_nested(&f, 1);
        if (r)
            return r;
    }
    return w.refusal;
}

static enum otlp_refusal read_pair(struct text bytes, struct text *key, struct any *value)
{
    struct walker w = walk(bytes);
    struct field f;
    *key = (struct text){0};
    *value = (struct any){0};
    while (walk_next(&w, &f)) {
        enum otlp_refusal r = OTLP_FINE;
        if (f.number > 2)
            continue;
        if (f.type != WIRE_BYTES)
            return OTLP_WRONG_WIRE_TYPE;
        if (f.number == 1)
            r = check_text(*key = f.bytes);
        else
            r = read_any(f.bytes, value);
        if (r)
            return r;
    }
    return w.refusal;
}

/* As text; numbers are printed into @room. */
static struct text any_text(const struct any *a, char *room, size_t size)
{
    double real;
    switch (a->kind) {
    case ANY_TEXT:
        return a->text;
    case ANY_BOOL:
        return a->number ? TEXT("true") : TEXT("false");
    case ANY_INT:
        snprintf(room, size, "%lld", (long long)a->number);
        return text_of(room);
    case ANY_DOUBLE:
        memcpy(&real, &a->number, sizeof real);
        snprintf(room, size, "%.17g", real);
        return text_of(room);
    case ANY_NONE:
    case ANY_NESTED:
        break;
    }
    return (struct text){0};
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

static enum otlp_refusal resource_attribute(struct decode *d, struct text bytes)
{
    struct text key;
    struct any value;
    enum otlp_refusal refusal = read_pair(bytes, &key, &value);
    if (refusal)
        return refusal;
    if (d->record->attribute_count == OTLP_MAX_ATTRIBUTES)
        return OTLP_TOO_MANY_ATTRIBUTES;
    struct attribute *a = record_add_attribute(d->record);
    if (!a)
        return OTLP_NO_MEMORY;
    a->key = key;
    a->value = any_text(&value, a->number, sizeof a->number);
    if (a->number[0])
        a->value.data = NULL; /* the array may move: settled by read_resource */
    struct text *own = own_field(d->record, key);
    if (own && value.kind == ANY_TEXT)
        *own = value.text;
    else if (text_equal(key, TEXT(ATTR_KIND)))
        d->record->is_host = text_equal(a->value, TEXT("host"));
    else if (text_equal(key, TEXT(ATTR_EVENT_TIME)))
        d->record->event_time_ns = (int64_t)value.number;
    else if (text_equal(key, TEXT(ATTR_SERVICE)))
        d->service = value.text;
    return OTLP_FINE;
}

static enum otlp_refusal read_resource(struct decode *d, struct text bytes)
{
    struct walker w = walk(bytes);
    struct field f;
    while (walk_next(&w, &f)) {
        if (f.number != 1)
            continue;
        if (f.type != WIRE_BYTES)
            return OTLP_WRONG_WIRE_TYPE;
        enum otlp_refusal r = resource_attribute(d, f.bytes);
        if (r)
            return r;
    }
    for (size_t i = 0; i < d->record->attribute_count; i++)
        if (d->record->attributes[i].number[0])
            d->record->attributes[i].value.data = d->record->attributes[i].number;
    return w.refusal;
}

static enum otlp_refusal point_attribute(struct point *p, struct text bytes)
{
    struct text key;
    struct any value;
    enum otlp_refusal refusal = read_pair(bytes, &key, &value);
    if (refusal)
        return refusal;
    if (text_equal(key, TEXT(ATTR_STREAM)) && value.kind == ANY_INT) {
        p->stream = value.number;
    } else if (text_equal(key, TEXT(ATTR_MAC))) {
        p->device = value.text;
        p->kind = RESOURCE_INTERFACE;
    } else if (text_equal(key, TEXT(ATTR_DISK))) {
        p->device = value.text;
        p->kind = RESOURCE_DISK;
    } else if (text_equal(key, TEXT(ATTR_INTERFACE))) {
        p->device_name = value.text;
    } else if (text_equal(key, TEXT(ATTR_END))) {
        p->ended = value.kind == ANY_BOOL && value.number;
    }
    return OTLP_FINE;
}

static bool is_wire(const struct field *f, uint32_t number, enum wire_type type, enum otlp_refusal *refusal)
{
    if (f->number != number)
        return false;
    if (f->type != type)
        *refusal = OTLP_WRONG_WIRE_TYPE;
    return true;
}

#define POINT_FLAGS_NO_VALUE 1

static enum otlp_refusal read_fields(struct point *p, struct text bytes, uint64_t *flags, bool *has_value)
{
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (is_wire(&f, 7, WIRE_BYTES, &r)) {
            r = r ? r : point_attribute(p, f.bytes);
        } else if (is_wire(&f, 6, WIRE_FIXED64, &r)) {
            p->value = (int64_t)f.value;
            p->is_double = false;
            *has_value = true;
        } else if (is_wire(&f, 2, WIRE_FIXED64, &r)) {
            p->start_ns = (int64_t)f.value;
        } else if (is_wire(&f, 3, WIRE_FIXED64, &r)) {
            p->time_ns = (int64_t)f.value;
        } else if (is_wire(&f, 4, WIRE_FIXED64, &r)) {
            memcpy(&p->real, &f.value, sizeof p->real);
            p->is_double = true;
            *has_value = true;
        } else if (is_wire(&f, 8, WIRE_VARINT, &r)) {
            *flags = f.value;
        }
    }
    return r ? r : w.refusal;
}

static enum otlp_refusal check_point(const struct point *p)
{
    if (p->time_ns <= 0 || p->time_ns > YEAR_2200_NS || p->start_ns < 0 || p->start_ns > p->time_ns)
        return OTLP_BAD_TIME;
    if (p->type != METER_GAUGE && (p->is_double ? !(p->real >= 0) : p->value < 0))
        return OTLP_NEGATIVE_COUNTER;
    return OTLP_FINE;
}

static enum otlp_refusal read_point(struct decode *d, const struct point *like, struct text bytes)
{
    uint64_t flags = 0;
    bool has_value = false;
    if (d->points++ == OTLP_MAX_POINTS)
        return OTLP_TOO_MANY_POINTS;
    struct point *p = record_add_point(d->record);
    if (!p)
        return OTLP_NO_MEMORY;
    *p = *like;
    enum otlp_refusal r = read_fields(p, bytes, &flags, &has_value);
    if (r == OTLP_FINE && (!has_value || flags & POINT_FLAGS_NO_VALUE)) {
        d->record->point_count--;
        d->out->skipped_points++;
        return OTLP_FINE;
    }
    if (p->device.len == 0 && p->device_name.len) {
        p->device = p->device_name;
        p->kind = RESOURCE_INTERFACE;
    }
    if (p->meter)
        p->kind = p->meter->kind;
    return r ? r : check_point(p);
}

/* A Gauge or a Sum. A sum that may fall is a gauge to us. */
static enum otlp_refusal read_data(struct decode *d, struct point *like, struct text bytes, bool is_sum)
{
    struct walker w = walk(bytes);
    struct field f;
    uint64_t temporality = 0, monotonic = 0;
    enum otlp_refusal r = OTLP_FINE;
    while (is_sum && r == OTLP_FINE && walk_next(&w, &f)) {
        if (is_wire(&f, 2, WIRE_VARINT, &r))
            temporality = f.value;
        else if (is_wire(&f, 3, WIRE_VARINT, &r))
            monotonic = f.value;
    }
    like->type = !is_sum || !monotonic ? METER_GAUGE : temporality == 1 ? METER_DELTA : METER_CUMULATIVE;
    r = r ? r : w.refusal;
    w = walk(bytes);
    while (r == OTLP_FINE && walk_next(&w, &f))
        if (is_wire(&f, 1, WIRE_BYTES, &r))
            r = r ? r : read_point(d, like, f.bytes);
    return r ? r : w.refusal;
}

static enum otlp_refusal read_metric(struct decode *d, struct text bytes)
{
    struct walker w = walk(bytes);
    struct field f;
    struct point like = {.kind = RESOURCE_OTHER};
    struct text data = {0};
    uint32_t kind = 0;
    while (walk_next(&w, &f)) {
        if (f.number > 12 || f.number == 4 || f.number == 6 || f.number == 8)
            continue;
        if (f.type != WIRE_BYTES)
            return OTLP_WRONG_WIRE_TYPE;
        enum otlp_refusal r = f.number == 1 || f.number == 3 ? check_text(f.bytes) : OTLP_FINE;
        if (r)
            return r;
        if (f.number == 1)
            like.name = f.bytes;
        else if (f.number == 3)
            like.unit = f.bytes;
        else if (f.number >= 5) {
            kind = f.number;
            data = f.bytes;
        }
    }
    if (w.refusal)
        return w.refusal;
    if (kind != 5 && kind != 7) {
        d->out->skipped_metrics++;
        return OTLP_FINE;
    }
    like.meter = meter_find(like.name);
    return read_data(d, &like, data, kind == 7);
}

static enum otlp_refusal read_scope(struct decode *d, struct text bytes)
{
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (is_wire(&f, 2, WIRE_BYTES, &r))
            r = r ? r : read_metric(d, f.bytes);
        else
            d->out->skipped_fields += f.number != 1 && f.number != 3;
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

static enum otlp_refusal read_resource_metrics(struct decode *d, struct text bytes)
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
        if (is_wire(&f, 1, WIRE_BYTES, &r))
            r = r ? r : read_resource(d, f.bytes);
        else if (is_wire(&f, 2, WIRE_BYTES, &r))
            r = r ? r : read_scope(d, f.bytes);
        else
            d->out->skipped_fields += f.number != 3;
    }
    r = r ? r : w.refusal;
    if (d->record->entity.len == 0)
        d->record->entity = d->service;
    if (r == OTLP_FINE && d->record->entity.len == 0)
        return OTLP_NO_ENTITY;
    return r;
}

enum otlp_refusal otlp_decode(struct otlp_decoder *out, struct text bytes)
{
    struct decode d = {.out = out};
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    out->count = 0;
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (is_wire(&f, 1, WIRE_BYTES, &r))
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
