#include "support/record_json/record_json.h"

#include "pluvio/wire/wire_print.h"

static void member(struct buf *out, const char *name, struct text value)
{
    buf_addf(out, "\"%s\":", name);
    json_add_string(out, value);
    buf_add_char(out, ',');
}

static bool has_field(struct text key)
{
    static const struct text keys[] = {
        TEXT_INIT(ATTR_ENTITY), TEXT_INIT(ATTR_NAME),  TEXT_INIT(ATTR_FLAVOR),  TEXT_INIT(ATTR_PROJECT),
        TEXT_INIT(ATTR_USER),   TEXT_INIT(ATTR_STATE), TEXT_INIT(ATTR_DOMAIN),  TEXT_INIT(ATTR_HOST),
        TEXT_INIT(ATTR_EVENT),  TEXT_INIT(ATTR_KIND),  TEXT_INIT(ATTR_HOST_ID), TEXT_INIT(ATTR_EVENT_TIME),
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (text_equal(keys[i], key))
            return true;
    return false;
}

static void add_attributes(struct buf *out, const struct record *r, enum record_json_attributes which)
{
    const char *comma = "";
    buf_add_string(out, "\"attributes\":[");
    for (size_t i = 0; i < r->attribute_count; i++) {
        if (which == RECORD_JSON_OTHERS && has_field(r->attributes[i].key))
            continue;
        buf_addf(out, "%s[", comma);
        json_add_string(out, r->attributes[i].key);
        buf_add_char(out, ',');
        json_add_string(out, r->attributes[i].value);
        buf_add_char(out, ']');
        comma = ",";
    }
    buf_add_string(out, "],");
}

static void add_point(struct buf *out, const struct point *p)
{
    uint64_t bits = 0;
    if (p->is_double)
        memcpy(&bits, &p->real, sizeof bits);
    buf_add_char(out, '{');
    member(out, "name", p->name);
    member(out, "unit", p->unit);
    member(out, "type", text_of(meter_type_name(p->type)));
    member(out, "kind", text_of(resource_kind_name(p->kind)));
    member(out, "device", p->device);
    member(out, "device_name", p->device_name);
    buf_addf(out, "\"known\":%s,\"ended\":%s,\"is_double\":%s,", p->meter ? "true" : "false",
             p->ended ? "true" : "false", p->is_double ? "true" : "false");
    buf_addf(out, "\"value\":%lld,\"bits\":%llu,\"start_ns\":%lld,\"time_ns\":%lld,\"stream\":%llu}",
             p->is_double ? 0LL : (long long)p->value, (unsigned long long)bits, (long long)p->start_ns,
             (long long)p->time_ns, (unsigned long long)p->stream);
}

void record_json(struct buf *out, const struct record *r, enum record_json_attributes attributes)
{
    buf_add_char(out, '{');
    member(out, "entity", r->entity);
    member(out, "name", r->name);
    member(out, "flavor", r->flavor);
    member(out, "project", r->project);
    member(out, "user", r->user);
    member(out, "state", r->state);
    member(out, "domain", r->domain);
    member(out, "host", r->host);
    member(out, "host_id", r->host_id);
    member(out, "event", r->event);
    buf_addf(out, "\"event_time_ns\":%lld,\"is_host\":%s,", r->event.len ? (long long)r->event_time_ns : 0LL,
             r->is_host ? "true" : "false");
    add_attributes(out, r, attributes);
    buf_add_string(out, "\"points\":[");
    for (size_t i = 0; i < r->point_count; i++) {
        buf_add_string(out, i ? "," : "");
        add_point(out, &r->points[i]);
    }
    buf_add_string(out, "]}\n");
}

bool record_same(const struct record *a, const struct record *b)
{
    struct buf x = {0}, y = {0};
    record_json(&x, a, RECORD_JSON_OTHERS);
    record_json(&y, b, RECORD_JSON_OTHERS);
    bool same = !x.failed && !y.failed && text_equal(buf_text(&x), buf_text(&y));
    buf_free(&x);
    buf_free(&y);
    return same;
}
