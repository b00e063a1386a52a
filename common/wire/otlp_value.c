#include "otlp_value.h"

#include <stdio.h>

#include "protobuf.h"
#include "utf8.h"

/* Field numbers of AnyValue. */
enum { VALUE_TEXT = 1, VALUE_BOOL, VALUE_INT, VALUE_DOUBLE, VALUE_LIST, VALUE_MAP, VALUE_BYTES, VALUE_FIELDS };

enum otlp_refusal otlp_check_text(struct text t)
{
    if (t.len > OTLP_MAX_TEXT)
        return OTLP_TEXT_TOO_LONG;
    return utf8_valid(t) ? OTLP_FINE : OTLP_BAD_TEXT;
}

static enum otlp_refusal check_value(struct text bytes, int depth);

/* The values of an ArrayValue, or the values of the pairs of a KeyValueList. */
static enum otlp_refusal check_values(struct text bytes, int depth, bool pairs)
{
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    while (r == OTLP_FINE && walk_next(&w, &f))
        if (f.number == (pairs ? 2U : 1U) && f.type == WIRE_BYTES)
            r = check_value(f.bytes, depth);
    return r ? r : w.refusal;
}

static enum otlp_refusal check_map(struct text bytes, int depth)
{
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    while (r == OTLP_FINE && walk_next(&w, &f))
        if (f.number == 1 && f.type == WIRE_BYTES)
            r = check_values(f.bytes, depth, true);
    return r ? r : w.refusal;
}

/* @f is a list or a map at @depth, 1 for an attribute's own value. */
static enum otlp_refusal check_nested(const struct field *f, int depth)
{
    if (depth > OTLP_MAX_NESTING)
        return OTLP_TOO_NESTED;
    return f->number == VALUE_LIST ? check_values(f->bytes, depth + 1, false) : check_map(f->bytes, depth + 1);
}

static enum otlp_refusal check_value(struct text bytes, int depth)
{
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    while (r == OTLP_FINE && walk_next(&w, &f))
        if (f.number == VALUE_LIST || f.number == VALUE_MAP)
            r = f.type == WIRE_BYTES ? check_nested(&f, depth) : OTLP_WRONG_WIRE_TYPE;
    return r ? r : w.refusal;
}

static const struct {
    enum wire_type wire;
    enum any_kind kind;
} values[VALUE_FIELDS] = {
    [VALUE_TEXT] = {WIRE_BYTES, ANY_TEXT},    [VALUE_BOOL] = {WIRE_VARINT, ANY_BOOL},
    [VALUE_INT] = {WIRE_VARINT, ANY_INT},     [VALUE_DOUBLE] = {WIRE_FIXED64, ANY_DOUBLE},
    [VALUE_LIST] = {WIRE_BYTES, ANY_NESTED},  [VALUE_MAP] = {WIRE_BYTES, ANY_NESTED},
    [VALUE_BYTES] = {WIRE_BYTES, ANY_NESTED},
};

static enum otlp_refusal take_value(const struct field *f, struct any *ret)
{
    if (f->type != values[f->number].wire)
        return OTLP_WRONG_WIRE_TYPE;
    *ret = (struct any){.kind = values[f->number].kind};
    if (f->type != WIRE_BYTES)
        ret->number = f->value;
    if (f->number == VALUE_TEXT)
        return otlp_check_text(ret->text = f->bytes);
    return f->number == VALUE_LIST || f->number == VALUE_MAP ? check_nested(f, 1) : OTLP_FINE;
}

static enum otlp_refusal read_any(struct text bytes, struct any *ret, uint64_t *skipped)
{
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    *ret = (struct any){0};
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (f.number < VALUE_FIELDS)
            r = take_value(&f, ret);
        else
            (*skipped)++;
    }
    return r ? r : w.refusal;
}

enum otlp_refusal otlp_read_pair(struct text bytes, struct text *ret_key, struct any *ret_value, uint64_t *skipped)
{
    struct walker w = walk(bytes);
    struct field f;
    enum otlp_refusal r = OTLP_FINE;
    *ret_key = (struct text){0};
    *ret_value = (struct any){0};
    while (r == OTLP_FINE && walk_next(&w, &f)) {
        if (f.number > 2)
            (*skipped)++;
        else if (f.type != WIRE_BYTES)
            r = OTLP_WRONG_WIRE_TYPE;
        else
            r = f.number == 1 ? otlp_check_text(*ret_key = f.bytes) : read_any(f.bytes, ret_value, skipped);
    }
    return r ? r : w.refusal;
}

struct text otlp_any_text(const struct any *a, char *room, size_t size)
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
