#include "router.h"

#include <stdio.h>

#include "gate.h"
#include "pluvio/config/suggest.h"
#include "problem.h"

#define MAX_PATHS 128 /* of a table, for the nearest of them */

static struct text next_segment(const char **at)
{
    const char *start = *at;
    while (**at && **at != '/')
        (*at)++;
    struct text segment = {start, (size_t)(*at - start)};
    if (**at)
        (*at)++;
    return segment;
}

static bool path_matches(const char *path, const struct request *q)
{
    const char *at = path + 1;
    for (size_t i = 0; i < q->segment_count; i++) {
        if (!*at)
            return false;
        struct text segment = next_segment(&at);
        bool any = segment.data[0] == '{' && q->segments[i].len > 0;
        if (!any && !text_equal(segment, q->segments[i]))
            return false;
    }
    return !*at;
}

static bool method_matches(const char *method, struct text given)
{
    return text_equal(text_of(method), given) || (text_equal(given, TEXT("HEAD")) && strcmp(method, "GET") == 0);
}

static struct text path_of(struct text target)
{
    const char *query = memchr(target.data, '?', target.len);
    return (struct text){target.data, query ? (size_t)(query - target.data) : target.len};
}

static void no_path(const struct router *router, const struct request *q, struct reply *reply)
{
    const char *paths[MAX_PATHS];
    char given[256];
    size_t n = 0;
    for (; n < router->count && n < MAX_PATHS; n++)
        paths[n] = router->routes[n].path;
    struct text path = path_of(q->target);
    text_copy(path, given, sizeof given);
    const char *nearest = suggest(given, paths, n);
    problem(reply, PROBLEM_NOT_FOUND, nearest ? "there is nothing at %s: did you mean %s?" : "there is nothing at %s%s",
            given, nearest ? nearest : "; /v1/openapi.yaml describes what there is");
}

static void no_method(const struct router *router, const struct request *q, struct reply *reply)
{
    struct buf allow = {0};
    for (size_t i = 0; i < router->count; i++) {
        const struct route *r = &router->routes[i];
        if (!path_matches(r->path, q))
            continue;
        buf_addf(&allow, "%s%s%s", allow.len ? ", " : "", r->method, strcmp(r->method, "GET") == 0 ? ", HEAD" : "");
    }
    problem(reply, PROBLEM_METHOD_NOT_ALLOWED, "%.*s is not for this path: it takes %.*s", TEXT_ARG(q->method),
            TEXT_ARG(buf_text(&allow)));
    reply_header(reply, "Allow", buf_text(&allow));
    buf_free(&allow);
}

static const struct route *find(const struct router *router, const struct request *q, bool *ret_path)
{
    for (size_t i = 0; i < router->count; i++) {
        const struct route *r = &router->routes[i];
        if (!path_matches(r->path, q))
            continue;
        *ret_path = true;
        if (method_matches(r->method, q->method))
            return r;
    }
    return NULL;
}

bool router_prepare(const struct router *router, struct request *q, struct reply *reply)
{
    bool path = false;
    if (!request_split(q, reply))
        return false;
    q->route = find(router, q, &path);
    if (!q->route) {
        if (path)
            no_method(router, q, reply);
        else
            no_path(router, q, reply);
        return false;
    }
    return gate_allows(q->route->need, q, reply) &&
           request_read(q, q->route->parameters, q->route->parameter_count, reply);
}
