#include "json_write.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pluvio/base/timestamp.h"
#include "pluvio/wire/wire_print.h"

static void lead(struct json *j, const char *key)
{
    if (j->filled & (1u << j->depth))
        buf_add_char(j->out, ',');
    j->filled |= 1u << j->depth;
    if (key) {
        json_add_string(j->out, text_of(key));
        buf_add_char(j->out, ':');
    }
}

static void begin(struct json *j, const char *key, char bracket)
{
    lead(j, key);
    buf_add_char(j->out, bracket);
    assert(j->depth + 1 < JSON_MAX_DEPTH);
    j->depth++;
    j->filled &= ~(1u << j->depth);
}

static void end(struct json *j, char bracket)
{
    assert(j->depth > 0);
    j->depth--;
    buf_add_char(j->out, bracket);
}

void json_begin_object(struct json *j, const char *key)
{
    begin(j, key, '{');
}

void json_end_object(struct json *j)
{
    end(j, '}');
}

void json_begin_array(struct json *j, const char *key)
{
    begin(j, key, '[');
}

void json_end_array(struct json *j)
{
    end(j, ']');
}

void json_text(struct json *j, const char *key, struct text value)
{
    lead(j, key);
    json_add_string(j->out, value);
}

void json_string(struct json *j, const char *key, const char *value)
{
    if (value)
        json_text(j, key, text_of(value));
    else
        json_raw(j, key, TEXT("null"));
}

void json_integer(struct json *j, const char *key, int64_t value)
{
    lead(j, key);
    buf_addf(j->out, "%lld", (long long)value);
}

void json_wide(struct json *j, const char *key, wide value)
{
    char digits[WIDE_SIZE];
    lead(j, key);
    buf_addf(j->out, "\"%s\"", wide_format(value, digits));
}

/* The shortest of 15 or 17 digits that reads back as the same number. */
void json_real(struct json *j, const char *key, double value)
{
    char digits[40];
    if (!isfinite(value)) {
        json_raw(j, key, TEXT("null"));
        return;
    }
    lead(j, key);
    snprintf(digits, sizeof digits, "%.15g", value);
    if (strtod(digits, NULL) != value)
        snprintf(digits, sizeof digits, "%.17g", value);
    buf_add_string(j->out, digits);
}

void json_bool(struct json *j, const char *key, bool value)
{
    json_raw(j, key, value ? TEXT("true") : TEXT("false"));
}

void json_time(struct json *j, const char *key, int64_t ms)
{
    char time[TIMESTAMP_SIZE];
    json_string(j, key, timestamp_format(ms, time));
}

void json_raw(struct json *j, const char *key, struct text value)
{
    lead(j, key);
    buf_add_text(j->out, value.len ? value : TEXT("null"));
}
