#include "v1.h"

#include <errno.h>

#include "api/http/problem.h"
#include "page.h"
#include "pluvio/base/log.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* In the order of enum usage_step, of the bits of enum usage_group, of enum consolidation and of enum resource_kind. */
static const char *const steps[] = {"hour", "day", "month", "total", NULL};
static const char *const groups[] = {"project", "resource", "meter", "flavor", "state", "user", "entity", NULL};
static const char *const consolidations[] = {"average", "min", "max", NULL};
static const char *const kinds[] = {"instance", "disk", "interface", "host", "other", NULL};

#define WORD(parameter)                                                                                                \
    {                                                                                                                  \
        .name = parameter, .type = PARAMETER_TEXT                                                                      \
    }
#define TIME(parameter)                                                                                                \
    {                                                                                                                  \
        .name = parameter, .type = PARAMETER_TIME                                                                      \
    }
#define LIMIT                                                                                                          \
    {                                                                                                                  \
        .name = "limit", .type = PARAMETER_INTEGER, .low = 1, .high = PAGE_MAX_LIMIT                                   \
    }
#define FORMAT                                                                                                         \
    {                                                                                                                  \
        .name = "format", .type = PARAMETER_CHOICE, .choices = page_formats                                            \
    }

static const struct parameter usage_parameters[] = {
    TIME("from"),
    TIME("to"),
    {.name = "by", .type = PARAMETER_CHOICE, .choices = steps},
    {.name = "group", .type = PARAMETER_SET, .choices = groups},
    WORD("project"),
    WORD("resource"),
    WORD("entity"),
    WORD("meter"),
    WORD("flavor"),
    WORD("state"),
    WORD("user"),
    LIMIT,
    WORD("after"),
    FORMAT,
};

static const struct parameter resource_parameters[] = {
    WORD("project"), {.name = "kind", .type = PARAMETER_CHOICE, .choices = kinds}, WORD("entity"), LIMIT, WORD("after"),
    FORMAT,
};

static const struct parameter host_parameters[] = {LIMIT, WORD("after"), FORMAT};

static const struct parameter series_parameters[] = {
    TIME("from"),
    TIME("to"),
    {.name = "step", .type = PARAMETER_DURATION},
    {.name = "consolidation", .type = PARAMETER_CHOICE, .choices = consolidations},
    FORMAT,
};

static const struct parameter dead_letter_parameters[] = {
    LIMIT,
    {.name = "after", .type = PARAMETER_INTEGER, .high = INT64_MAX},
};

static const struct route routes[] = {
    {.method = "GET", .path = "/healthz", .need = NEED_NONE, .quick = true, .handle = get_healthz},
    {.method = "GET", .path = "/metrics", .need = NEED_NONE, .quick = true, .handle = get_metrics},
    {.method = "GET", .path = "/v1/openapi.yaml", .need = NEED_NONE, .quick = true, .handle = get_openapi},
    {.method = "GET", .path = "/v1/meters", .need = NEED_READ, .quick = true, .handle = get_meters},
    {.method = "GET",
     .path = "/v1/resources",
     .need = NEED_READ,
     .handle = get_resources,
     .parameters = resource_parameters,
     .parameter_count = COUNT(resource_parameters)},
    {.method = "GET", .path = "/v1/resources/{id}", .need = NEED_READ, .handle = get_resource},
    {.method = "GET",
     .path = "/v1/hosts",
     .need = NEED_READ,
     .handle = get_hosts,
     .parameters = host_parameters,
     .parameter_count = COUNT(host_parameters)},
    {.method = "GET",
     .path = "/v1/usage",
     .need = NEED_READ,
     .handle = get_usage,
     .parameters = usage_parameters,
     .parameter_count = COUNT(usage_parameters)},
    {.method = "GET",
     .path = "/v1/series/{resource}/{meter}",
     .need = NEED_READ,
     .handle = get_series,
     .parameters = series_parameters,
     .parameter_count = COUNT(series_parameters)},
    {.method = "GET", .path = "/v1/audit", .need = NEED_READ, .slow = true, .handle = get_audit},
    {.method = "GET",
     .path = "/v1/dead-letters",
     .need = NEED_READ,
     .handle = get_dead_letters,
     .parameters = dead_letter_parameters,
     .parameter_count = COUNT(dead_letter_parameters)},
};

const struct router v1_router = {routes, COUNT(routes)};

void v1_problem(struct reply *reply, const struct error *error)
{
    switch (-error->code) {
    case ENOENT:
        problem(reply, PROBLEM_NOT_FOUND, "%s", error->text);
        return;
    case EINVAL:
        problem(reply, PROBLEM_BAD_PARAMETER, "%s", error->text);
        return;
    case E2BIG:
        problem(reply, PROBLEM_TOO_MUCH, "%s", error->text);
        return;
    case EBUSY:
    case EAGAIN:
    case ETIMEDOUT:
        problem(reply, PROBLEM_BUSY, "%s", error->text);
        return;
    default: /* an errno, not an enum */
        log_error("api: %s", error->text);
        problem(reply, PROBLEM_INTERNAL, "%s", error->text);
    }
}
