#include "otlp_metric.h"

#include "otlp_value.h"

#define POINT_FLAGS_NO_VALUE 1

/* What a point's fields say, beside what goes straight into struct point. */
struct said {
    uint64_t flags;
    bool has_value;
};

static void take_device(struct point *p, struct text name, enum resource_kind kind)
{
    if (name.len == 0)
        return;
    p->device = name;
    p->kind = kind;
}

static enum otlp_refusal point_attribute(struct otlp_reading *d, struct point *p, struct text bytes)
{
    struct text key;
    struct any value;
    enum otlp_refusal refusal = otlp_read_pair(bytes, &key, &value, &d->out->skipped_fields);
    if (refusal)
        return refusal;
    if (text_equal(key, TEXT(ATTR_STREAM)))
        p->stream = value.kind == ANY_INT ? value.number : 0;
    else if (text_equal(key, TEXT(ATTR_MAC)))
        take_device(p, value.text, RESOURCE_INTERFACE);
    else if (text_equal(key, TEXT(ATTR_DISK)))
        take_device(p, value.text, RESOURCE_DISK);
    else if (text_equal(key, TEXT(ATTR_INTERFACE)))
        p->device_name = value.text;
    else if (text_equal(key, TEXT(ATTR_END)))
        p->ended = value.kind == ANY_BOOL && value.number;
    return OTLP_FINE;
}

static void take_int(struct point *p, struct said *said, uint64_t value)
{
    p->value = (int64_t)value;
    p->is_double = false;
    said->has_value = true;
}

static void take_double(struct point *p, struct said *said, uint64_t bits)
{
    memcpy(&p->real, &bits, sizeof p->real);
    p->is_double = true;
    said->has_value = true;
}

static enum otlp_refusal read_fields(struct otlp_reading *d, struct point *p, struct text bytes, struct said *said)
{
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (otlp_is_field(&f, 7, WIRE_BYTES, &r))
            r = r ? r : point_attribute(d, p, f.bytes);
        else if (otlp_is_field(&f, 6, WIRE_FIXED64, &r))
            take_int(p, said, f.value);
        else if (otlp_is_field(&f, 2, WIRE_FIXED64, &r))
            p->start_ns = (int64_t)f.value;
        else if (otlp_is_field(&f, 3, WIRE_FIXED64, &r))
            p->time_ns = (int64_t)f.value;
        else if (otlp_is_field(&f, 4, WIRE_FIXED64, &r))
            take_double(p, said, f.value);
        else if (otlp_is_field(&f, 8, WIRE_VARINT, &r))
            said->flags = f.value;
        else
            d->out->skipped_fields += f.number != 5; /* exemplars */
    }
    return r ? r : w.refusal;
}

static enum otlp_refusal check_point(const struct point *p)
{
    if (p->time_ns <= 0 || p->time_ns > OTLP_YEAR_2200_NS || p->start_ns < 0 || p->start_ns > p->time_ns)
        return OTLP_BAD_TIME;
    if (p->type != METER_GAUGE && (p->is_double ? !(p->real >= 0) : p->value < 0))
        return OTLP_NEGATIVE_COUNTER;
    return OTLP_FINE;
}

static enum otlp_refusal read_point(struct otlp_reading *d, const struct point *like, struct text bytes)
{
    struct said said = {0};
    if (d->points++ == OTLP_MAX_POINTS)
        return OTLP_TOO_MANY_POINTS;
    struct point *p = record_add_point(d->record);
    if (!p)
        return OTLP_NO_MEMORY;
    *p = *like;
    enum otlp_refusal r = read_fields(d, p, bytes, &said);
    if (r == OTLP_FINE && (!said.has_value || said.flags & POINT_FLAGS_NO_VALUE)) {
        d->record->point_count--;
        d->out->skipped_points++;
        return OTLP_FINE;
    }
    if (p->device.len == 0)
        take_device(p, p->device_name, RESOURCE_INTERFACE);
    if (p->meter)
        p->kind = p->meter->kind;
    return r ? r : check_point(p);
}

/* A sum that may fall is a gauge to us. */
static enum otlp_refusal read_type(struct text bytes, enum meter_type *ret)
{
    struct walker w = walk(bytes);
    struct field f;
    uint64_t temporality = 0, monotonic = 0;
    enum otlp_refusal r = OTLP_FINE;
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (otlp_is_field(&f, 2, WIRE_VARINT, &r))
            temporality = f.value;
        else if (otlp_is_field(&f, 3, WIRE_VARINT, &r))
            monotonic = f.value;
    }
    *ret = !monotonic ? METER_GAUGE : temporality == 1 ? METER_DELTA : METER_CUMULATIVE;
    return r ? r : w.refusal;
}

/* A Gauge or a Sum. */
static enum otlp_refusal read_data(struct otlp_reading *d, struct point *like, struct text bytes, bool is_sum)
{
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = is_sum ? read_type(bytes, &like->type) : OTLP_FINE;
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (otlp_is_field(&f, 1, WIRE_BYTES, &r))
            r = r ? r : read_point(d, like, f.bytes);
        else
            d->out->skipped_fields += !is_sum || f.number > 3;
    }
    return r ? r : w.refusal;
}

enum {
    METRIC_NAME = 1,
    METRIC_DESCRIPTION,
    METRIC_UNIT,
    METRIC_GAUGE = 5,
    METRIC_SUM = 7,
    METRIC_HISTOGRAM = 9,
    METRIC_EXPONENTIAL_HISTOGRAM,
    METRIC_SUMMARY,
    METRIC_METADATA
};

static bool is_data(uint32_t number)
{
    return number == METRIC_GAUGE || number == METRIC_SUM || (number >= METRIC_HISTOGRAM && number <= METRIC_SUMMARY);
}

static bool is_known(uint32_t number)
{
    return number <= METRIC_UNIT || is_data(number) || number == METRIC_METADATA;
}

/* What a metric is before its points are read: they stand behind its name, or before it. */
struct metric {
    struct point like;
    struct text data;
    uint32_t data_kind;
};

static enum otlp_refusal take_field(struct metric *m, const struct field *f)
{
    if (f->type != WIRE_BYTES)
        return OTLP_WRONG_WIRE_TYPE;
    if (is_data(f->number)) {
        m->data_kind = f->number;
        m->data = f->bytes;
    }
    if (f->number == METRIC_NAME)
        return otlp_check_text(m->like.name = f->bytes);
    return f->number == METRIC_UNIT ? otlp_check_text(m->like.unit = f->bytes) : OTLP_FINE;
}

static const struct metric no_metric = {.like = {.kind = RESOURCE_OTHER}};

enum otlp_refusal otlp_read_metric(struct otlp_reading *d, struct text bytes)
{
    struct walker w = walk(bytes);
    struct field f;
    struct metric m = no_metric;
    enum otlp_refusal r = OTLP_FINE;
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (is_known(f.number))
            r = take_field(&m, &f);
        else
            d->out->skipped_fields++;
    }
    r = r ? r : w.refusal;
    if (r)
        return r;
    if (m.data_kind != METRIC_GAUGE && m.data_kind != METRIC_SUM) {
        d->out->skipped_metrics++;
        return OTLP_FINE;
    }
    m.like.meter = meter_find(m.like.name);
    return read_data(d, &m.like, m.data, m.data_kind == METRIC_SUM);
}
