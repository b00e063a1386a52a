#include "gate.h"

#include "problem.h"

/* Whether a request came from a program on this machine or through a browser's page is known by its Origin header. */
bool gate_allows(enum need need, const struct request *request, struct reply *reply)
{
    switch (need) {
    case NEED_NONE:
    case NEED_READ:
        return true;
    case NEED_INGEST:
    case NEED_ADMIN:
        break;
    }
    if (request->origin.len == 0)
        return true;
    problem(reply, PROBLEM_FORBIDDEN, "a web page (%.*s) may not change anything here", TEXT_ARG(request->origin));
    return false;
}
