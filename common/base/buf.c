#include "pluvio/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int text_compare(struct text a, struct text b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.data, b.data, n) : 0;
    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

char *text_dup(struct text t)
{
    char *copy = malloc(t.len + 1);
    if (!copy)
        return NULL;
    if (t.len)
        memcpy(copy, t.data, t.len);
    copy[t.len] = 0;
    return copy;
}

bool text_copy(struct text t, char *out, size_t size)
{
    size_t n = t.len < size - 1 ? t.len : size - 1;
    if (n)
        memcpy(out, t.data, n);
    out[n] = 0;
    return n == t.len;
}

bool text_to_u64(struct text t, uint64_t *ret)
{
    uint64_t value = 0;
    if (t.len == 0)
        return false;
    for (size_t i = 0; i < t.len; i++) {
        if (t.data[i] < '0' || t.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(t.data[i] - '0'), &value))
            return false;
    }
    *ret = value;
    return true;
}

bool text_to_i64(struct text t, int64_t *ret)
{
    bool negative = t.len && t.data[0] == '-';
    uint64_t size;
    if (!text_to_u64(negative ? (struct text){t.data + 1, t.len - 1} : t, &size))
        return false;
    if (size > (uint64_t)INT64_MAX + negative)
        return false;
    *ret = negative ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

uint64_t text_hash(struct text t)
{
    uint64_t h = 0xcbf29ce484222325ULL;
    for (size_t i = 0; i < t.len; i++)
        h = (h ^ (uint8_t)t.data[i]) * 0x100000001b3ULL;
    h ^= h >> 33; /* the finaliser of MurmurHash3: low bits alone must be usable */
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53ULL;
    return h ^ h >> 33;
}

uint64_t text_hash_quick(struct text t)
{
    uint64_t h = t.len, word;
    size_t at = 0;
    for (; at + 8 <= t.len; at += 8) {
        memcpy(&word, t.data + at, 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
        h ^= h >> 29;
    }
    for (word = 0; at < t.len; at++)
        word = word << 8 | (uint8_t)t.data[at];
    h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
    h ^= h >> 29;
    h *= 0xff51afd7ed558ccdULL;
    return h ^ h >> 32;
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

char *buf_grow(struct buf *b, size_t more)
{
    if (b->failed)
        return NULL;
    size_t cap = b->cap ? b->cap : 64;
    while (cap - b->len < more && cap < SIZE_MAX / 2)
        cap *= 2;
    char *data = cap - b->len < more ? NULL : realloc(b->data, cap);
    if (!data) {
        b->failed = true;
        return NULL;
    }
    b->data = data;
    b->cap = cap;
    return data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    char *to = buf_reserve(b, len);
    if (!to || len == 0)
        return;
    memcpy(to, data, len);
    b->len += len;
}

void buf_add_text(struct buf *b, struct text t)
{
    buf_add(b, t.data, t.len);
}

void buf_add_string(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_vaddf(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *to = n < 0 ? NULL : buf_reserve(b, (size_t)n + 1);
    if (to) {
        vsnprintf(to, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    } else {
        b->failed = true;
    }
    va_end(again);
}

void buf_addf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vaddf(b, format, args);
    va_end(args);
}

const char *buf_terminate(struct buf *b)
{
    char *end = buf_reserve(b, 1);
    if (!end)
        return "";
    *end = 0;
    return b->data;
}
