#include "pluvio/wire/wire_print.h"

#include <math.h>

#include "pluvio/base/clock.h"
#include "pluvio/base/timestamp.h"
#include "utf8.h"

static void add_escaped(struct buf *out, uint8_t c)
{
    if (c == '"' || c == '\\')
        buf_addf(out, "\\%c", c);
    else if (c == '\n')
        buf_add_string(out, "\\n");
    else if (c == '\t')
        buf_add_string(out, "\\t");
    else if (c < 0x20 || c == 0x7f)
        buf_addf(out, "\\u%04x", c);
    else
        buf_add_char(out, (char)c);
}

void json_add_string(struct buf *out, struct text t)
{
    const uint8_t *s = (const uint8_t *)t.data;
    buf_add_char(out, '"');
    for (size_t i = 0; i < t.len;) {
        size_t n = utf8_sequence(s + i, t.len - i);
        if (n == 1)
            add_escaped(out, s[i]);
        else if (n)
            buf_add(out, s + i, n);
        else
            buf_add_string(out, "\xef\xbf\xbd");
        i += n ? n : 1;
    }
    buf_add_char(out, '"');
}

static void add_member(struct buf *out, const char *name, struct text value)
{
    if (value.len == 0)
        return;
    buf_addf(out, ",\"%s\":", name);
    json_add_string(out, value);
}

/* RFC 3339 with nanoseconds where there are any. */
static void add_time(struct buf *out, const char *name, int64_t ns)
{
    char text[TIMESTAMP_SIZE];
    int64_t rest = (ns % NS_PER_S + NS_PER_S) % NS_PER_S, second = ns / NS_PER_S - (ns % NS_PER_S < 0);
    timestamp_format(second * 1000, text);
    size_t n = strlen(text) - 1; /* without its Z */
    buf_addf(out, ",\"%s\":\"%.*s", name, (int)n, text);
    if (rest)
        buf_addf(out, ".%09lld", (long long)rest);
    buf_add_string(out, "Z\"");
}

static void add_point(struct buf *out, const struct point *p)
{
    buf_add_string(out, "{\"meter\":");
    json_add_string(out, p->name);
    buf_add_string(out, ",\"unit\":");
    json_add_string(out, p->unit);
    buf_addf(out, ",\"type\":\"%s\"", meter_type_name(p->type));
    add_member(out, "device", p->device);
    if (p->stream)
        buf_addf(out, ",\"stream\":%llu", (unsigned long long)p->stream);
    if (p->start_ns)
        add_time(out, "start", p->start_ns);
    add_time(out, "time", p->time_ns);
    if (!p->is_double)
        buf_addf(out, ",\"value\":%lld", (long long)p->value);
    else if (isfinite(p->real))
        buf_addf(out, ",\"value\":%.17g", p->real);
    else
        buf_add_string(out, ",\"value\":null");
    buf_add_string(out, p->ended ? ",\"ended\":true}" : "}");
}

void wire_print_record(struct buf *out, const struct record *r)
{
    buf_add_string(out, "{\"entity\":");
    json_add_string(out, r->entity);
    buf_add_string(out, ",\"attributes\":{");
    for (size_t i = 0; i < r->attribute_count; i++) {
        buf_add_string(out, i ? "," : "");
        json_add_string(out, r->attributes[i].key);
        buf_add_char(out, ':');
        json_add_string(out, r->attributes[i].value);
    }
    buf_add_char(out, '}');
    add_member(out, "event", r->event);
    if (r->event.len)
        add_time(out, "event_time", r->event_time_ns);
    buf_add_string(out, ",\"points\":[");
    for (size_t i = 0; i < r->point_count; i++) {
        buf_add_string(out, i ? "," : "");
        add_point(out, &r->points[i]);
    }
    buf_add_string(out, "]}\n");
}
