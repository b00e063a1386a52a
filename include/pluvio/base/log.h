/* The daemons' log: one line an event to stderr, as text or as JSON. Thread-safe; a line is one write(2).
 *
 * Boundary modules log what they alone can explain, everyone else returns errors. Faults that repeat go through
 * log_limited, which lets one line a period through and says how many it swallowed.
 */
#ifndef PLUVIO_BASE_LOG_H
#define PLUVIO_BASE_LOG_H

#include <stdint.h>

#include "pluvio/base/buf.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* @program stands before each line (static storage). Call before threads start; later calls only change the choice. */
void log_setup(const char *program, enum log_level level, enum log_format format);

void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Each line of @lines as one of the log's; frees them. */
void log_lines(enum log_level level, struct buf *lines);

/* For faults that repeat: at most one line each @period_ns of @now_ns. Static or owned storage, zeroed at first. */
struct log_limit {
    int64_t last_ns;
    uint64_t swallowed;
};
void log_limited(struct log_limit *limit, int64_t now_ns, int64_t period_ns, enum log_level level, const char *format,
                 ...) __attribute__((format(printf, 5, 6)));

#endif
