/* Packed rows: what buf.h says of varints. */
#include "pluvio/base/buf.h"

void buf_add_long_varint(struct buf *b, uint64_t value)
{
    char *to = buf_reserve(b, 10);
    if (!to)
        return;
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        to[n++] = (char)(value | 0x80);
    to[n++] = (char)value;
    b->len += n;
}

void buf_add_signed(struct buf *b, int64_t value)
{
    buf_add_varint(b, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

void buf_add_double(struct buf *b, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(bits >> (8 * i));
    buf_add(b, bytes, sizeof bytes);
}

void buf_add_sized(struct buf *b, struct text t)
{
    buf_add_varint(b, t.len);
    buf_add_text(b, t);
}

struct unpack unpack_text(struct text t)
{
    return (struct unpack){(const uint8_t *)t.data, (const uint8_t *)t.data + t.len, false};
}

uint64_t unpack_varint(struct unpack *u)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && u->at < u->end && !u->failed; shift += 7) {
        uint8_t byte = *u->at++;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    u->failed = true;
    return 0;
}

int64_t unpack_signed(struct unpack *u)
{
    uint64_t raw = unpack_varint(u);
    return (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
}

double unpack_double(struct unpack *u)
{
    if (u->failed || u->end - u->at < 8) {
        u->failed = true;
        return 0;
    }
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++)
        bits |= (uint64_t)u->at[i] << (8 * i);
    u->at += 8;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct text unpack_sized(struct unpack *u)
{
    uint64_t len = unpack_varint(u);
    if (u->failed || len > (uint64_t)(u->end - u->at)) {
        u->failed = true;
        return (struct text){0};
    }
    struct text t = {(const char *)u->at, (size_t)len};
    u->at += len;
    return t;
}
