#include "pluvio/api/api.h"

#include <errno.h>
#include <stdlib.h>

#include "api/http/server.h"
#include "v1.h"

struct api {
    struct v1 v1;
    char *ledger_path;
    struct server *server;
};

static int worker_open(void *context, void **ret, struct error *error)
{
    struct api *a = context;
    struct v1_worker *w = calloc(1, sizeof *w);
    if (!w)
        return error_set(error, -ENOMEM, "out of memory");
    w->v1 = &a->v1;
    int r = ledger_reader_open(&w->ledger, a->ledger_path, error);
    if (r) {
        free(w);
        return r;
    }
    *ret = w;
    return 0;
}

static void worker_close(void *state)
{
    struct v1_worker *w = state;
    ledger_reader_close(w->ledger);
    free(w);
}

int api_open(struct api **ret, const struct api_settings *settings, struct error *error)
{
    struct api *a = calloc(1, sizeof *a);
    if (!a || !(a->ledger_path = text_dup(text_of(settings->ledger_path)))) {
        free(a);
        return error_set(error, -ENOMEM, "out of memory");
    }
    a->v1.archive = settings->archive;
    a->v1.healthy = settings->healthy;
    a->v1.context = settings->context;
    atomic_flag_clear(&a->v1.auditing);
    struct server_settings server = {.listen = settings->listen,
                                     .workers = settings->workers,
                                     .router = v1_router,
                                     .state_open = worker_open,
                                     .state_close = worker_close,
                                     .context = a,
                                     .clock = settings->clock};
    int r = server_open(&a->server, &server, error);
    if (r) {
        api_close(a);
        return r;
    }
    *ret = a;
    return 0;
}

int api_port(const struct api *a)
{
    return server_port(a->server);
}

void api_close(struct api *a)
{
    if (!a)
        return;
    server_close(a->server);
    free(a->ledger_path);
    free(a);
}
