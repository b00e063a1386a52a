/* The HTTP server: the only module that includes libmicrohttpd.
 *
 * One thread (epoll) reads requests and sends answers; workers make the answers, each with a state of its own, such as
 * a read-only connection to the ledger. One worker more than asked for answers only quick routes, so that /healthz and
 * /metrics come while all others are busy. Everything is bounded: connections, waiting requests, a request's head and
 * body, and the time from a connection's first byte to its answer's last.
 */
#ifndef API_HTTP_SERVER_H
#define API_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/clock.h"
#include "pluvio/base/error.h"
#include "router.h"
#include "workers.h"

struct server_settings {
    const char *listen;       /* "127.0.0.1:8777"; port 0: any; loopback only */
    int workers;              /* 1 .. WORKERS_MAX, and the one that is kept free */
    unsigned max_connections; /* 0: 512; beyond these connections wait in the kernel */
    size_t max_body;          /* bytes; 0: 1 MiB */
    int64_t deadline_ms;      /* of a request; 0: 30 s */
    int64_t slow_deadline_ms; /* of one to a slow route; 0: 10 min */
    struct router router;     /* its table outlives the server */
    /* A worker's state, made in the thread that opens the server and used by one worker. */
    int (*state_open)(void *context, void **ret, struct error *error);
    void (*state_close)(void *state);
    void *context;
    struct clock *clock;
};

struct server;

/* Answers from its return on. @settings is copied; the texts it points to are not needed afterwards. */
int server_open(struct server **ret, const struct server_settings *settings, struct error *error)
    __attribute__((warn_unused_result));
int server_port(const struct server *s);
/* Take no more connections, answer what is under way (waiting at most two seconds), and end all threads. Takes NULL. */
void server_close(struct server *s);

#endif
