/* Protobuf's wire format, as little of it as OTLP needs: walk the fields of a message, write fields into a buf.
 *
 * Source: the encoding page of Protocol Buffers. The walker takes bytes from strangers: it never reads past the end,
 * and its refusal is sticky. Groups and field number 0 are refused.
 */
#ifndef COMMON_WIRE_PROTOBUF_H
#define COMMON_WIRE_PROTOBUF_H

#include <endian.h>

#include "pluvio/base/buf.h"
#include "pluvio/wire/otlp.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct walker {
    const uint8_t *at, *end;
    enum otlp_refusal refusal;
};

struct field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;    /* varint, fixed64, fixed32; else 0 */
    struct text bytes; /* WIRE_BYTES; else empty */
};

static inline struct walker walk(struct text t)
{
    return (struct walker){(const uint8_t *)t.data, (const uint8_t *)t.data + t.len, OTLP_FINE};
}

bool walk_any(struct walker *w, struct field *ret); /* walk_next for every field there is */

/* The next field; false at the end or on a refusal (w->refusal). In line is what nearly all are: a tag of one byte, and
 * eight fixed bytes, or a length or number of one byte. */
static inline bool walk_next(struct walker *w, struct field *ret)
{
    const uint8_t *at = w->at;
    size_t left = (size_t)(w->end - at);
    if (left < 2 || at[0] < 8 || at[0] >= 0x80 || w->refusal)
        return walk_any(w, ret);
    *ret = (struct field){.number = at[0] >> 3, .type = (enum wire_type)(at[0] & 7)};
    if (ret->type == WIRE_FIXED64 && left >= 9) {
        memcpy(&ret->value, at + 1, 8);
        ret->value = le64toh(ret->value);
        w->at = at + 9;
    } else if (ret->type == WIRE_BYTES && at[1] < 0x80 && at[1] <= left - 2) {
        ret->bytes = (struct text){(const char *)at + 2, at[1]};
        w->at = at + 2 + at[1];
    } else if (ret->type == WIRE_VARINT && at[1] < 0x80) {
        ret->value = at[1];
        w->at = at + 2;
    } else {
        return walk_any(w, ret);
    }
    return true;
}

void write_tag(struct buf *out, uint32_t number, enum wire_type type);
void write_bytes(struct buf *out, uint32_t number, struct text bytes);
void write_uint(struct buf *out, uint32_t number, uint64_t value);
void write_fixed64(struct buf *out, uint32_t number, uint64_t value);

/* A message inside a message: its length is not known yet. Five bytes are kept for it (a varint padded to five is a
 * valid one, but the decoder here refuses overlong ones), so write_close moves the content to close the gap. */
size_t write_open(struct buf *out, uint32_t number);
void write_close(struct buf *out, size_t opened);

#endif
