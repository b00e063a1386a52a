#include "protobuf.h"

static uint64_t slow_varint(struct walker *w)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (w->at == w->end) {
            w->refusal = OTLP_TRUNCATED;
            return 0;
        }
        uint8_t byte = *w->at++;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        if (byte == 0 && shift)
            break; /* padded with zeros: no writer does that */
        return value;
    }
    w->refusal = OTLP_VARINT_OVERLONG;
    return 0;
}

static inline uint64_t varint(struct walker *w)
{
    if (w->at < w->end && *w->at < 0x80)
        return *w->at++;
    return slow_varint(w);
}

static uint64_t fixed(struct walker *w, size_t size)
{
    uint64_t value = 0;
    if ((size_t)(w->end - w->at) < size) {
        w->refusal = OTLP_TRUNCATED;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)w->at[i] << (8 * i);
    w->at += size;
    return value;
}

static struct text bytes(struct walker *w)
{
    uint64_t len = varint(w);
    if (w->refusal)
        return (struct text){0};
    if (len > (uint64_t)(w->end - w->at)) {
        w->refusal = OTLP_TRUNCATED;
        return (struct text){0};
    }
    struct text t = {(const char *)w->at, (size_t)len};
    w->at += len;
    return t;
}

bool walk_any(struct walker *w, struct field *ret)
{
    if (w->refusal || w->at == w->end)
        return false;
    uint64_t tag = varint(w);
    if (w->refusal)
        return false;
    ret->number = (uint32_t)(tag >> 3);
    ret->type = (enum wire_type)(tag & 7);
    if (ret->number == 0 || tag >> 3 > 0x1fffffff) {
        w->refusal = OTLP_BAD_FIELD;
        return false;
    }
    ret->value = 0;
    ret->bytes = (struct text){0};
    switch (tag & 7) {
    case WIRE_VARINT:
        ret->value = varint(w);
        break;
    case WIRE_FIXED64:
        ret->value = fixed(w, 8);
        break;
    case WIRE_BYTES:
        ret->bytes = bytes(w);
        break;
    case WIRE_FIXED32:
        ret->value = fixed(w, 4);
        break;
    default:
        w->refusal = OTLP_BAD_FIELD; /* groups were given up before proto3; 6 and 7 never meant anything */
    }
    return w->refusal == OTLP_FINE;
}

void write_tag(struct buf *out, uint32_t number, enum wire_type type)
{
    buf_add_varint(out, (uint64_t)number << 3 | type);
}

void write_bytes(struct buf *out, uint32_t number, struct text t)
{
    write_tag(out, number, WIRE_BYTES);
    buf_add_sized(out, t);
}

void write_uint(struct buf *out, uint32_t number, uint64_t value)
{
    write_tag(out, number, WIRE_VARINT);
    buf_add_varint(out, value);
}

void write_fixed64(struct buf *out, uint32_t number, uint64_t value)
{
    uint8_t raw[8];
    for (int i = 0; i < 8; i++)
        raw[i] = (uint8_t)(value >> (8 * i));
    write_tag(out, number, WIRE_FIXED64);
    buf_add(out, raw, sizeof raw);
}

#define LENGTH_ROOM 5

size_t write_open(struct buf *out, uint32_t number)
{
    write_tag(out, number, WIRE_BYTES);
    if (buf_reserve(out, LENGTH_ROOM))
        out->len += LENGTH_ROOM;
    return out->len;
}

void write_close(struct buf *out, size_t opened)
{
    if (out->failed)
        return;
    size_t len = out->len - opened;
    out->len = opened - LENGTH_ROOM;
    buf_add_varint(out, len);
    memmove(out->data + out->len, out->data + opened, len);
    out->len += len;
}
