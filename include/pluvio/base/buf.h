/* Bytes: `struct text` is a borrowed view, `struct buf` a growable owner.
 *
 * A buf's failure is sticky: once an allocation failed nothing more is added and `failed` stays set, so that writers
 * run in a straight line and test once at the end.
 */
#ifndef PLUVIO_BASE_BUF_H
#define PLUVIO_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed run of bytes, not NUL-terminated; data may be NULL when len is 0. */
struct text {
    const char *data;
    size_t len;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})
#define TEXT_INIT(literal)                                                                                             \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1                                                                                 \
    }                                                      /* for static initializers */
#define TEXT_ARG(t) (int)(t).len, (t).data ? (t).data : "" /* for "%.*s" */

/* @s may be NULL, which is the empty text. */
static inline struct text text_of(const char *s)
{
    return (struct text){s, s ? strlen(s) : 0};
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Order by bytes, a prefix first: <0, 0, >0. */
int text_compare(struct text a, struct text b);

/* A heap copy with a NUL behind it; NULL when out of memory. The caller frees it. */
char *text_dup(struct text t) __attribute__((warn_unused_result));

/* Copy to @out of @size bytes, cut to fit, always terminated. False if it was cut. */
bool text_copy(struct text t, char *out, size_t size);

/* A decimal that is the whole text and fits. */
bool text_to_i64(struct text t, int64_t *ret);
bool text_to_u64(struct text t, uint64_t *ret);

/* 64-bit FNV-1a with a final mix: stable over releases (lanes and shards depend on it), not secret. */
uint64_t text_hash(struct text t);
/* For tables in memory, eight bytes at a time; the next release may have another. */
uint64_t text_hash_quick(struct text t);

struct buf {
    char *data; /* owned; not NUL-terminated unless buf_terminate was called */
    size_t len;
    size_t cap;
    bool failed;
};

void buf_free(struct buf *b);               /* frees the bytes and zeroes *b */
void buf_clear(struct buf *b);              /* keeps the memory, forgets content and failure */
char *buf_grow(struct buf *b, size_t more); /* buf_reserve where there is no room yet */
/* Room for @more bytes behind len, or NULL (and failed). The caller raises len by what it wrote. */
static inline char *buf_reserve(struct buf *b, size_t more)
{
    return b->data && !b->failed && b->cap - b->len >= more ? b->data + b->len : buf_grow(b, more);
}
void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_text(struct buf *b, struct text t);
void buf_add_string(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* A NUL behind the content (len unchanged); "" when empty or failed. */
const char *buf_terminate(struct buf *b);

static inline struct text buf_text(const struct buf *b)
{
    return (struct text){b->data, b->len};
}

/* Packed rows: LEB128 varints, zig-zag for signed, texts with their length before them. */
void buf_add_long_varint(struct buf *b, uint64_t value);
static inline void buf_add_varint(struct buf *b, uint64_t value)
{
    if (value < 0x80 && b->len < b->cap && !b->failed)
        b->data[b->len++] = (char)value;
    else
        buf_add_long_varint(b, value);
}
void buf_add_signed(struct buf *b, int64_t value);
void buf_add_double(struct buf *b, double value); /* 8 bytes, little endian */
void buf_add_sized(struct buf *b, struct text t);

/* Reads what the buf_add_* above wrote. Sticky: past the end or overlong sets `failed`, and all reads give 0. */
struct unpack {
    const uint8_t *at, *end;
    bool failed;
};
struct unpack unpack_text(struct text t);
uint64_t unpack_varint(struct unpack *u);
int64_t unpack_signed(struct unpack *u);
double unpack_double(struct unpack *u);
struct text unpack_sized(struct unpack *u);

#endif
