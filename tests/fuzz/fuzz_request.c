/* A request: a method, a target, an origin, a line each. What is taken is within what the route says, and what is
 * refused is a problem document. */
#include <jansson.h>

#include "api/http/router.h"
#include "fuzz.h"

static void nothing(void *state, const struct request *q, struct reply *r)
{
    (void)state, (void)q, (void)r;
}

static const char *const colors[] = {"red", "green", "blue", NULL};
static const struct parameter parameters[] = {
    {.name = "name", .type = PARAMETER_TEXT},
    {.name = "from", .type = PARAMETER_TIME},
    {.name = "step", .type = PARAMETER_DURATION},
    {.name = "limit", .type = PARAMETER_INTEGER, .low = 1, .high = 10},
    {.name = "color", .type = PARAMETER_CHOICE, .choices = colors},
    {.name = "colors", .type = PARAMETER_SET, .choices = colors},
};
static const struct route routes[] = {
    {.method = "GET", .path = "/", .handle = nothing},
    {.method = "GET", .path = "/things", .handle = nothing, .parameters = parameters, .parameter_count = 6},
    {.method = "POST", .path = "/things", .need = NEED_INGEST, .handle = nothing},
    {.method = "GET", .path = "/things/{thing}/of/{owner}", .handle = nothing},
};
static const struct router router = {routes, sizeof routes / sizeof routes[0]};

static void check_texts(const struct text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        must(texts[i].len == 0 || !memchr(texts[i].data, 0, texts[i].len));
}

static void check_taken(const struct request *q)
{
    check_texts(q->segments, q->segment_count);
    check_texts(q->given, q->given_count);
    if (q->route->parameter_count) {
        int64_t limit = request_number(q, "limit", 1), color = request_number(q, "color", 0);
        must(limit >= 1 && limit <= 10 && color >= 0 && color <= 2);
        must(request_number(q, "step", 0) >= 0);
        must(request_number(q, "colors", 1) > 0 && request_number(q, "colors", 1) < 8);
    }
    if (q->segment_count == 4)
        must(request_segment(q, "owner").len == q->segments[3].len);
}

static void check_refused(struct reply *r)
{
    must(r->status >= 400 && r->status < 600);
    json_t *json = json_loadb(r->body.data, r->body.len, JSON_REJECT_DUPLICATES, NULL);
    must(json && json_is_object(json));
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = fuzz_text(data, size);
    struct request q = {.now_ms = 1764000000000};
    struct reply r = {0};
    q.method = fuzz_line(&rest);
    q.target = fuzz_line(&rest);
    q.origin = rest;
    if (router_prepare(&router, &q, &r))
        check_taken(&q);
    else
        check_refused(&r);
    request_free(&q);
    reply_free(&r);
    return 0;
}
