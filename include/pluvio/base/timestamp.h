/* Moments as people write them, RFC 3339 in UTC, and durations ("10s", "5min", "1h", "2d"). Pure. */
#ifndef PLUVIO_BASE_TIMESTAMP_H
#define PLUVIO_BASE_TIMESTAMP_H

#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/buf.h"

#define TIMESTAMP_SIZE 32

/* "2026-11-24T10:23:00Z", or with milliseconds where @ms is not a whole second. @out holds TIMESTAMP_SIZE bytes. */
const char *timestamp_format(int64_t ms, char *out);

/* RFC 3339 with zone, or naive (read as UTC), or a date alone (its midnight UTC), or whole seconds since the epoch
 * ("1764000000"), or "now" and "-2h" against @now_ms. Returns -EINVAL for anything else. */
int timestamp_parse(struct text t, int64_t now_ms, int64_t *ret_ms) __attribute__((warn_unused_result));

/* "250ms", "10s", "5min" or "5m", "2h", "7d": whole numbers only; -EINVAL else, -ERANGE past 64 bits. */
int duration_parse(struct text t, int64_t *ret_ms) __attribute__((warn_unused_result));
/* The largest unit that says it without a rest. @out holds TIMESTAMP_SIZE bytes. */
const char *duration_format(int64_t ms, char *out);

/* Start of the UTC calendar day or month that holds @ms, and of the next one. */
int64_t day_start_ms(int64_t ms);
int64_t month_start_ms(int64_t ms);
int64_t month_next_ms(int64_t ms);

#endif
