/* Routes as a table: which function answers what, who may ask, and which parameters it takes. Pure.
 *
 * Paths are exact; "{name}" stands for one segment. HEAD goes where GET goes; the server leaves the body out.
 */
#ifndef API_HTTP_ROUTER_H
#define API_HTTP_ROUTER_H

#include "request.h"

enum need { NEED_NONE, NEED_READ, NEED_INGEST, NEED_ADMIN };

struct route {
    const char *method, *path;
    enum need need;
    bool quick; /* answered by the worker that is kept free: never waits for disk or others */
    bool slow;  /* may take minutes: has the long deadline */
    /* @state is the worker's own (server_settings.state_open). */
    void (*handle)(void *state, const struct request *request, struct reply *reply);
    const struct parameter *parameters;
    size_t parameter_count;
};

struct router {
    const struct route *routes;
    size_t count;
};

/* Find the route, ask the gate, read the parameters: true, and request->route->handle may be called; or false, and
 * @reply is the answer. The request has its method, target and now_ms. */
bool router_prepare(const struct router *router, struct request *request, struct reply *reply);

#endif
