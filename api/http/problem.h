/* Refusals as application/problem+json (RFC 9457). The kinds are few and stable: programs go by `type`, people read
 * `detail`, which names the thing and what to do.
 */
#ifndef API_HTTP_PROBLEM_H
#define API_HTTP_PROBLEM_H

#include "reply.h"

enum problem_kind {
    PROBLEM_MALFORMED,          /* 400: not a request that can be read */
    PROBLEM_UNKNOWN_PARAMETER,  /* 400: with `parameter`, and `nearest` if one is */
    PROBLEM_BAD_PARAMETER,      /* 400: with `parameter` */
    PROBLEM_TOO_MUCH,           /* 400: the answer would be larger than the limit */
    PROBLEM_FORBIDDEN,          /* 403 */
    PROBLEM_NOT_FOUND,          /* 404 */
    PROBLEM_METHOD_NOT_ALLOWED, /* 405: with the header Allow */
    PROBLEM_BODY_TOO_LARGE,     /* 413 */
    PROBLEM_INTERNAL,           /* 500 */
    PROBLEM_BUSY,               /* 503: with Retry-After: the same request will do later */
    PROBLEM_UNAVAILABLE,        /* 503: this collector does not have it */
    PROBLEM_KINDS
};

/* "urn:pluvio:problem:unknown-parameter" */
const char *problem_type(enum problem_kind kind);
int problem_status(enum problem_kind kind);

/* Make @r that problem; what was in its body is dropped. */
void problem(struct reply *r, enum problem_kind kind, const char *detail, ...) __attribute__((format(printf, 3, 4)));
/* The same about one parameter. @nearest may be NULL. */
void problem_parameter(struct reply *r, enum problem_kind kind, struct text parameter, const char *nearest,
                       const char *detail, ...) __attribute__((format(printf, 5, 6)));

#endif
