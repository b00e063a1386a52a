#include "request.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "pluvio/base/timestamp.h"
#include "pluvio/config/suggest.h"
#include "problem.h"
#include "router.h"

#define MAX_CHOICES 64

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode @t to *at, which moves on. A NUL is as bad as half an escape. */
static bool decode(struct text t, bool plus_is_space, char **at, struct text *ret)
{
    char *out = *at;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.data[i];
        if (c == '%') {
            int high = i + 2 < t.len ? hex(t.data[i + 1]) : -1;
            int low = i + 2 < t.len ? hex(t.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (!c)
            return false;
        *out++ = c;
    }
    *ret = (struct text){*at, (size_t)(out - *at)};
    *at = out;
    return true;
}

/* The part before @separator; *rest is what follows it. */
static struct text cut(struct text *rest, char separator)
{
    const char *end = rest->len ? memchr(rest->data, separator, rest->len) : NULL;
    struct text part = {rest->data, end ? (size_t)(end - rest->data) : rest->len};
    size_t used = part.len + (end ? 1 : 0);
    *rest = (struct text){rest->data + used, rest->len - used};
    return part;
}

static bool split_path(struct request *q, struct text path, char **at, struct reply *reply)
{
    struct text rest = {path.data + 1, path.len - 1};
    while (rest.len) {
        if (q->segment_count == REQUEST_MAX_SEGMENTS) {
            problem(reply, PROBLEM_NOT_FOUND, "no path here has more than %d segments", REQUEST_MAX_SEGMENTS);
            return false;
        }
        if (!decode(cut(&rest, '/'), false, at, &q->segments[q->segment_count++])) {
            problem(reply, PROBLEM_MALFORMED, "the path holds a bad percent escape");
            return false;
        }
    }
    return true;
}

static bool split_query(struct request *q, struct text rest, char **at, struct reply *reply)
{
    while (rest.len) {
        struct text pair = cut(&rest, '&');
        if (pair.len == 0)
            continue;
        if (q->given_count == REQUEST_MAX_PARAMETERS) {
            problem(reply, PROBLEM_MALFORMED, "more than %d parameters", REQUEST_MAX_PARAMETERS);
            return false;
        }
        size_t i = q->given_count++;
        struct text name = cut(&pair, '=');
        if (!decode(name, true, at, &q->names[i]) || !decode(pair, true, at, &q->given[i])) {
            problem(reply, PROBLEM_MALFORMED, "the query holds a bad percent escape");
            return false;
        }
    }
    return true;
}

bool request_split(struct request *q, struct reply *reply)
{
    if (q->target.len == 0 || q->target.data[0] != '/' || q->target.len > REQUEST_MAX_TARGET) {
        problem(reply, PROBLEM_MALFORMED, "the target must begin with / and have at most %d bytes", REQUEST_MAX_TARGET);
        return false;
    }
    struct text rest = q->target, path = cut(&rest, '?');
    char *at = q->memory = malloc(q->target.len);
    if (!at) {
        problem(reply, PROBLEM_INTERNAL, "out of memory");
        return false;
    }
    return split_path(q, path, &at, reply) && split_query(q, rest, &at, reply);
}

void request_free(struct request *q)
{
    free(q->memory);
    q->memory = NULL;
}

/* ---- values ---- */

static bool read_time(struct text t, int64_t now_ms, int64_t *ret)
{
    char zone[64];
    if (timestamp_parse(t, now_ms, ret) == 0)
        return true;
    /* The + of "+01:00", sent without escaping, has become a space. */
    char *space = text_copy(t, zone, sizeof zone) ? strrchr(zone, ' ') : NULL;
    if (!space)
        return false;
    *space = '+';
    return timestamp_parse(text_of(zone), now_ms, ret) == 0;
}

static bool read_duration(struct text t, int64_t *ret)
{
    int64_t seconds;
    if (text_to_i64(t, &seconds))
        return seconds >= 0 && !__builtin_mul_overflow(seconds, 1000, ret);
    return duration_parse(t, ret) == 0;
}

static bool read_choice(const struct parameter *p, struct text t, int64_t *ret)
{
    for (int i = 0; p->choices[i]; i++) {
        if (text_equal(t, text_of(p->choices[i]))) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool read_set(const struct parameter *p, struct text t, int64_t *ret)
{
    int64_t index;
    if (t.len == 0)
        return false;
    for (*ret = 0; t.len;) {
        struct text word = cut(&t, ',');
        if (!read_choice(p, word, &index))
            return false;
        *ret |= 1LL << index;
    }
    return true;
}

static bool read_value(const struct parameter *p, struct text t, int64_t now_ms, int64_t *ret)
{
    switch (p->type) {
    case PARAMETER_TEXT:
        return true;
    case PARAMETER_TIME:
        return read_time(t, now_ms, ret);
    case PARAMETER_DURATION:
        return read_duration(t, ret);
    case PARAMETER_INTEGER:
        return text_to_i64(t, ret) && *ret >= p->low && *ret <= p->high;
    case PARAMETER_CHOICE:
        return read_choice(p, t, ret);
    case PARAMETER_SET:
        return read_set(p, t, ret);
    }
    abort();
}

static void add_expected(struct buf *out, const struct parameter *p)
{
    switch (p->type) {
    case PARAMETER_TEXT:
        break;
    case PARAMETER_TIME:
        buf_add_string(out, "a time: 2026-11-24T10:23:00Z, a date, seconds since the epoch, now, or -2h");
        break;
    case PARAMETER_DURATION:
        buf_add_string(out, "a duration: 30s, 5min, 1h, 2d, or whole seconds");
        break;
    case PARAMETER_INTEGER:
        buf_addf(out, "a whole number from %lld to %lld", (long long)p->low, (long long)p->high);
        break;
    case PARAMETER_CHOICE:
    case PARAMETER_SET:
        buf_add_string(out, p->type == PARAMETER_SET ? "a comma-separated list of " : "one of ");
        for (int i = 0; p->choices[i]; i++)
            buf_addf(out, "%s%s", i ? ", " : "", p->choices[i]);
        break;
    }
}

static const char *nearest_choice(const struct parameter *p, struct text t)
{
    char wrong[64];
    size_t count = 0;
    if (!p->choices)
        return NULL;
    while (count < MAX_CHOICES && p->choices[count])
        count++;
    return text_copy(t, wrong, sizeof wrong) ? suggest(wrong, p->choices, count) : NULL;
}

static void bad_value(struct reply *reply, const struct parameter *p, struct text t)
{
    struct buf expected = {0};
    add_expected(&expected, p);
    problem_parameter(reply, PROBLEM_BAD_PARAMETER, text_of(p->name), nearest_choice(p, t), "%s=%.*s: must be %.*s",
                      p->name, TEXT_ARG(t), TEXT_ARG(buf_text(&expected)));
    buf_free(&expected);
}

static void unknown(struct reply *reply, const struct parameter *parameters, size_t count, struct text name)
{
    const char *names[REQUEST_MAX_PARAMETERS];
    char wrong[64];
    struct buf all = {0};
    for (size_t i = 0; i < count; i++) {
        names[i] = parameters[i].name;
        buf_addf(&all, "%s%s", i ? ", " : "", names[i]);
    }
    text_copy(name, wrong, sizeof wrong);
    const char *nearest = count ? suggest(wrong, names, count) : NULL;
    if (nearest)
        problem_parameter(reply, PROBLEM_UNKNOWN_PARAMETER, name, nearest, "%s: no such parameter: did you mean %s?",
                          wrong, nearest);
    else
        problem_parameter(reply, PROBLEM_UNKNOWN_PARAMETER, name, NULL, "%s: no such parameter: there is %s", wrong,
                          count ? buf_terminate(&all) : "none here");
    buf_free(&all);
}

static bool read_one(struct request *q, const struct parameter *parameters, size_t count, size_t given,
                     struct reply *reply)
{
    size_t i = 0;
    while (i < count && !text_equal(q->names[given], text_of(parameters[i].name)))
        i++;
    if (i == count) {
        unknown(reply, parameters, count, q->names[given]);
        return false;
    }
    struct request_value *v = &q->values[i];
    if (v->parameter) {
        problem_parameter(reply, PROBLEM_BAD_PARAMETER, q->names[given], NULL, "%s is given twice", parameters[i].name);
        return false;
    }
    if (q->given[given].len == 0 && parameters[i].type == PARAMETER_TEXT)
        return true;
    *v = (struct request_value){&parameters[i], q->given[given], 0};
    if (read_value(v->parameter, v->text, q->now_ms, &v->number))
        return true;
    bad_value(reply, v->parameter, v->text);
    return false;
}

bool request_read(struct request *q, const struct parameter *parameters, size_t count, struct reply *reply)
{
    assert(count <= REQUEST_MAX_PARAMETERS);
    for (size_t i = 0; i < q->given_count; i++)
        if (!read_one(q, parameters, count, i, reply))
            return false;
    return true;
}

static const struct request_value *value_of(const struct request *q, const char *name)
{
    size_t i = 0;
    while (i < q->route->parameter_count && strcmp(q->route->parameters[i].name, name) != 0)
        i++;
    assert(i < q->route->parameter_count);
    return &q->values[i];
}

bool request_given(const struct request *q, const char *name)
{
    return value_of(q, name)->parameter != NULL;
}

struct text request_text(const struct request *q, const char *name)
{
    return value_of(q, name)->text;
}

int64_t request_number(const struct request *q, const char *name, int64_t otherwise)
{
    const struct request_value *v = value_of(q, name);
    return v->parameter ? v->number : otherwise;
}

struct text request_segment(const struct request *q, const char *name)
{
    struct text rest = text_of(q->route->path + 1);
    for (size_t i = 0; rest.len; i++) {
        struct text segment = cut(&rest, '/');
        if (segment.len > 2 && segment.data[0] == '{' &&
            text_equal((struct text){segment.data + 1, segment.len - 2}, text_of(name)))
            return q->segments[i];
    }
    assert(false && "no such segment in the route's path");
    return TEXT("");
}
