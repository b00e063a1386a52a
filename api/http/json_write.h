/* JSON out, value by value, straight into a buffer: no tree is built. Commas are the writer's business; that begins and
 * ends match is the caller's (asserted). A failed buffer stays failed: test it once, at the end.
 *
 * Numbers that must stay exact (quantities, 128 bits) are written as strings of digits; counts and times as they are.
 */
#ifndef API_HTTP_JSON_WRITE_H
#define API_HTTP_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/wide.h"

#define JSON_MAX_DEPTH 32

struct json {
    struct buf *out;
    uint32_t filled; /* bit d: the object or array at depth d has something in it */
    unsigned depth;
};

/* In all of these @key is the member's name, NULL in an array and at the top. */
void json_begin_object(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_begin_array(struct json *j, const char *key);
void json_end_array(struct json *j);
void json_text(struct json *j, const char *key, struct text value);
void json_string(struct json *j, const char *key, const char *value); /* NULL: null */
void json_integer(struct json *j, const char *key, int64_t value);
void json_wide(struct json *j, const char *key, wide value);   /* a string of digits */
void json_real(struct json *j, const char *key, double value); /* not finite: null */
void json_bool(struct json *j, const char *key, bool value);
void json_time(struct json *j, const char *key, int64_t ms); /* RFC 3339 in UTC */
/* @value is JSON already; empty: null. */
void json_raw(struct json *j, const char *key, struct text value);

#endif
