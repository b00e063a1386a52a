/* Pluvio's own API, version 1: translators from requests to the read sides and back. One table of routes; openapi.yaml
 * says the same for people and programs, and a test compares the two.
 */
#ifndef API_V1_V1_H
#define API_V1_V1_H

#include <stdatomic.h>

#include "api/http/router.h"
#include "pluvio/api/api.h"
#include "pluvio/ledger/ledger_query.h"

extern const struct router v1_router;

/* What all workers share. */
struct v1 {
    struct archive_reader *archive; /* NULL: none */
    bool (*healthy)(void *context, struct buf *why);
    void *context;
    atomic_flag auditing; /* one audit at a time: it reads the whole ledger */
};

/* A worker's state, and what handlers get. */
struct v1_worker {
    struct v1 *v1;
    struct ledger_reader *ledger;
};

/* A read side's refusal as a problem, by its code; failures of ours are logged, too. */
void v1_problem(struct reply *reply, const struct error *error);

void get_healthz(void *worker, const struct request *request, struct reply *reply);
void get_metrics(void *worker, const struct request *request, struct reply *reply);
void get_openapi(void *worker, const struct request *request, struct reply *reply);
void get_meters(void *worker, const struct request *request, struct reply *reply);
void get_resources(void *worker, const struct request *request, struct reply *reply);
void get_resource(void *worker, const struct request *request, struct reply *reply);
void get_hosts(void *worker, const struct request *request, struct reply *reply);
void get_usage(void *worker, const struct request *request, struct reply *reply);
void get_series(void *worker, const struct request *request, struct reply *reply);
void get_audit(void *worker, const struct request *request, struct reply *reply);
void get_dead_letters(void *worker, const struct request *request, struct reply *reply);

#endif
