/* The HTTP API as one part of the collector: opens, answers in threads of its own, closes. It only reads: the ledger
 * through connections of its own, the archives through their reader.
 */
#ifndef PLUVIO_API_API_H
#define PLUVIO_API_API_H

#include <stdbool.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/clock.h"
#include "pluvio/base/error.h"

struct archive_reader; /* pluvio/archive/archive_query.h */

struct api_settings {
    const char *listen;             /* "127.0.0.1:8777"; port 0: any free one. Loopback only */
    int workers;                    /* threads that answer; one more is kept free for /healthz and /metrics */
    const char *ledger_path;        /* of a ledger that exists */
    struct archive_reader *archive; /* not owned; NULL: no archives, series are answered with 503 */
    struct clock *clock;
    /* Is all well with the collector? If not, the reasons are appended to @why. NULL: yes. Called from any thread. */
    bool (*healthy)(void *context, struct buf *why);
    void *context;
};

struct api;

/* Answers from its return on. Errors name the address or the file and what to do. */
int api_open(struct api **ret, const struct api_settings *settings, struct error *error)
    __attribute__((warn_unused_result));
int api_port(const struct api *a);
/* Answers what is under way (at most two seconds) and ends all threads. Takes NULL. */
void api_close(struct api *a);

#endif
