#include "problem.h"

#include <assert.h>

#include "json_write.h"

#define RETRY_AFTER_S "1"

static const struct kind {
    int status;
    const char *type, *title;
} kinds[] = {
    [PROBLEM_MALFORMED] = {400, "urn:pluvio:problem:malformed", "The request cannot be read"},
    [PROBLEM_UNKNOWN_PARAMETER] = {400, "urn:pluvio:problem:unknown-parameter", "Unknown parameter"},
    [PROBLEM_BAD_PARAMETER] = {400, "urn:pluvio:problem:bad-parameter", "A parameter's value is not valid"},
    [PROBLEM_TOO_MUCH] = {400, "urn:pluvio:problem:too-much", "The answer would be too large"},
    [PROBLEM_FORBIDDEN] = {403, "urn:pluvio:problem:forbidden", "Not allowed"},
    [PROBLEM_NOT_FOUND] = {404, "urn:pluvio:problem:not-found", "Not found"},
    [PROBLEM_METHOD_NOT_ALLOWED] = {405, "urn:pluvio:problem:method-not-allowed", "Method not allowed"},
    [PROBLEM_BODY_TOO_LARGE] = {413, "urn:pluvio:problem:body-too-large", "The body is too large"},
    [PROBLEM_INTERNAL] = {500, "urn:pluvio:problem:internal", "The collector failed"},
    [PROBLEM_BUSY] = {503, "urn:pluvio:problem:busy", "Busy, ask again later"},
    [PROBLEM_UNAVAILABLE] = {503, "urn:pluvio:problem:unavailable", "Not available here"},
};
static_assert(sizeof kinds / sizeof kinds[0] == PROBLEM_KINDS, "a row for each kind of problem");

const char *problem_type(enum problem_kind kind)
{
    return kinds[kind].type;
}

int problem_status(enum problem_kind kind)
{
    return kinds[kind].status;
}

static void write_problem(struct reply *r, enum problem_kind kind, struct text parameter, const char *nearest,
                          const char *format, va_list args) __attribute__((format(printf, 5, 0)));
static void write_problem(struct reply *r, enum problem_kind kind, struct text parameter, const char *nearest,
                          const char *format, va_list args)
{
    struct buf detail = {0};
    struct json j = {.out = &r->body};
    buf_vaddf(&detail, format, args);
    buf_clear(&r->body);
    r->status = kinds[kind].status;
    r->content_type = "application/problem+json";
    json_begin_object(&j, NULL);
    json_string(&j, "type", kinds[kind].type);
    json_string(&j, "title", kinds[kind].title);
    json_integer(&j, "status", kinds[kind].status);
    json_text(&j, "detail", buf_text(&detail));
    if (parameter.len)
        json_text(&j, "parameter", parameter);
    if (nearest)
        json_string(&j, "nearest", nearest);
    json_end_object(&j);
    buf_add_char(&r->body, '\n');
    if (kind == PROBLEM_BUSY)
        reply_header(r, "Retry-After", TEXT(RETRY_AFTER_S));
    buf_free(&detail);
}

void problem(struct reply *r, enum problem_kind kind, const char *detail, ...)
{
    va_list args;
    va_start(args, detail);
    write_problem(r, kind, TEXT(""), NULL, detail, args);
    va_end(args);
}

void problem_parameter(struct reply *r, enum problem_kind kind, struct text parameter, const char *nearest,
                       const char *detail, ...)
{
    va_list args;
    va_start(args, detail);
    write_problem(r, kind, parameter, nearest, detail, args);
    va_end(args);
}
