#include "pluvio/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pluvio/base/clock.h"
#include "pluvio/base/timestamp.h"

#define LINE_SIZE 2048 /* longer messages are cut */

static const char *program = "pluvio";
static _Atomic int chosen_level = LOG_LEVEL_INFO;
static _Atomic int chosen_format = LOG_FORMAT_TEXT;

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_setup(const char *name, enum log_level level, enum log_format format)
{
    program = name;
    atomic_store(&chosen_level, (int)level);
    atomic_store(&chosen_format, (int)format);
}

/* Append @text as the inside of a JSON string; what does not fit is left out whole. */
static size_t escape(char *out, size_t size, const char *text)
{
    size_t n = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c && n + 7 < size; c++) {
        if (*c == '"' || *c == '\\')
            n += (size_t)snprintf(out + n, size - n, "\\%c", *c);
        else if (*c < 0x20)
            n += (size_t)snprintf(out + n, size - n, "\\u%04x", *c);
        else
            out[n++] = (char)*c;
    }
    out[n] = 0;
    return n;
}

static void write_line(enum log_level level, const char *message)
{
    char line[2 * LINE_SIZE], when[TIMESTAMP_SIZE], escaped[LINE_SIZE + LINE_SIZE / 2];
    timestamp_format(clock_wall_ns(clock_system()) / NS_PER_MS, when);
    int n;
    if (atomic_load(&chosen_format) == LOG_FORMAT_JSON) {
        escape(escaped, sizeof escaped, message);
        n = snprintf(line, sizeof line, "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"message\":\"%s\"}\n",
                     when, level_names[level], program, escaped);
    } else {
        n = snprintf(line, sizeof line, "%s %s %s: %s\n", when, program, level_names[level], message);
    }
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1) < 0)
        return; /* nobody is left to tell */
}

static void log_v(enum log_level level, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void log_v(enum log_level level, const char *format, va_list args)
{
    char message[LINE_SIZE];
    vsnprintf(message, sizeof message, format, args);
    for (char *c = message; *c; c++)
        if (*c == '\n')
            *c = ' ';
    write_line(level, message);
}

void log_at(enum log_level level, const char *format, ...)
{
    if ((int)level > atomic_load(&chosen_level))
        return;
    va_list args;
    va_start(args, format);
    log_v(level, format, args);
    va_end(args);
}

void log_lines(enum log_level level, struct buf *lines)
{
    buf_terminate(lines);
    char *rest = lines->data, *line;
    while ((line = strsep(&rest, "\n")))
        if (*line)
            log_at(level, "%s", line);
    buf_free(lines);
}

void log_limited(struct log_limit *limit, int64_t now_ns, int64_t period_ns, enum log_level level, const char *format,
                 ...)
{
    if (limit->last_ns && now_ns - limit->last_ns < period_ns) {
        limit->swallowed++;
        return;
    }
    if ((int)level > atomic_load(&chosen_level))
        return;
    char message[LINE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (limit->swallowed)
        log_at(level, "%s (and %llu times before)", message, (unsigned long long)limit->swallowed);
    else
        log_at(level, "%s", message);
    limit->last_ns = now_ns;
    limit->swallowed = 0;
}
