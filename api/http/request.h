/* A request, taken apart and checked. Pure: the server fills in what came over the wire.
 *
 * Path segments and query parameters are percent-decoded; a NUL, a bad escape, a parameter named twice or one that the
 * route does not have is refused by name. A parameter's value is read once, by its type; handlers then ask for it by
 * name. An empty text counts as not given.
 */
#ifndef API_HTTP_REQUEST_H
#define API_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reply.h"

#define REQUEST_MAX_PARAMETERS 32 /* given with one request, and of one route */
#define REQUEST_MAX_SEGMENTS   8  /* of a path */
#define REQUEST_MAX_TARGET     8192

enum parameter_type {
    PARAMETER_TEXT,
    PARAMETER_TIME,     /* ms since the epoch; RFC 3339, a date, seconds, "now", "-2h" */
    PARAMETER_DURATION, /* ms; "5min", or whole seconds */
    PARAMETER_INTEGER,  /* low .. high */
    PARAMETER_CHOICE,   /* index into choices */
    PARAMETER_SET       /* bits, one a choice; written with commas */
};

struct parameter {
    const char *name;
    enum parameter_type type;
    int64_t low, high;          /* PARAMETER_INTEGER */
    const char *const *choices; /* NULL-terminated */
};

struct request_value {
    const struct parameter *parameter; /* NULL: not given */
    struct text text;
    int64_t number;
};

struct route;

struct request {
    struct text method;
    struct text target; /* as it came: "/v1/usage?by=day" */
    struct text accept; /* the header, or empty */
    struct text origin; /* the header, or empty: a browser says whose page asks */
    struct text body;
    int64_t now_ms; /* wall clock, when it came */
    const struct route *route;
    /* By request_split; texts point into `memory`. */
    struct text segments[REQUEST_MAX_SEGMENTS];
    size_t segment_count;
    struct text names[REQUEST_MAX_PARAMETERS], given[REQUEST_MAX_PARAMETERS];
    size_t given_count;
    struct request_value values[REQUEST_MAX_PARAMETERS]; /* by the route's parameters */
    char *memory;
};

/* Take target apart. False: @reply says why not. */
bool request_split(struct request *q, struct reply *reply);
/* Read what was given against @parameters. False: @reply names the first mistake. */
bool request_read(struct request *q, const struct parameter *parameters, size_t count, struct reply *reply);
void request_free(struct request *q);

/* For handlers; @name must be a parameter of the route (asserted). */
bool request_given(const struct request *q, const char *name);
struct text request_text(const struct request *q, const char *name); /* empty if not given */
int64_t request_number(const struct request *q, const char *name, int64_t otherwise);
/* The segment that stands for "{name}" in the route's path. */
struct text request_segment(const struct request *q, const char *name);

#endif
