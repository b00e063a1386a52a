/* Protobuf's wire format, as little of it as OTLP needs: walk the fields of a message, write fields into a buf.
 *
 * Source: the encoding page of Protocol Buffers. The walker takes bytes from strangers: it never reads past the end,
 * and its refusal is sticky. Groups and field number 0 are refused.
 */
#ifndef COMMON_WIRE_PROTOBUF_H
#define COMMON_WIRE_PROTOBUF_H

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
    uint64_t value;    /* varint, fixed64, fixed32 */
    struct text bytes; /* WIRE_BYTES */
};

static inline struct walker walk(struct text t)
{
    return (struct walker){(const uint8_t *)t.data, (const uint8_t *)t.data + t.len, OTLP_FINE};
}

/* The next field; false at the end or on a refusal (w->refusal). */
bool walk_next(struct walker *w, struct field *ret);

void write_tag(struct buf *out, uint32_t number, enum wire_type type);
void write_bytes(struct buf *out, uint32_t number, struct text bytes);
void write_uint(struct buf *out, uint32_t number, uint64_t value);
void write_fixed64(struct buf *out, uint32_t number, uint64_t value);

/* A message inside a message: its length is not known yet. Five bytes are kept for it (a varint padded to five is a
 * valid one, but the decoder here refuses overlong ones), so write_close moves the content to close the gap. */
size_t write_open(struct buf *out, uint32_t number);
void write_close(struct buf *out, size_t opened);

#endif
