/* Is it well, how much did it do, and what is there to ask. */
#include "v1.h"

#include "api/http/json_write.h"
#include "openapi.h"
#include "pluvio/base/figures.h"

/* The ledger can be read, and the collector says that it is well. */
static bool is_well(struct v1_worker *w, uint64_t *ret_commit, int64_t *ret_time_ms, struct buf *why)
{
    struct error e = {0};
    bool well = true;
    if (ledger_position(w->ledger, ret_commit, ret_time_ms, &e)) {
        buf_addf(why, "ledger: %s", e.text);
        well = false;
    }
    if (w->v1->healthy) {
        struct buf more = {0};
        if (!w->v1->healthy(w->v1->context, &more)) {
            buf_addf(why, "%s%.*s", why->len ? "; " : "", TEXT_ARG(buf_text(&more)));
            well = false;
        }
        buf_free(&more);
    }
    return well;
}

void get_healthz(void *worker, const struct request *request, struct reply *reply)
{
    uint64_t commit = 0;
    int64_t time_ms = 0;
    struct buf why = {0};
    struct json j = {.out = &reply->body};
    (void)request;
    bool well = is_well(worker, &commit, &time_ms, &why);
    reply->status = well ? 200 : 503;
    json_begin_object(&j, NULL);
    json_string(&j, "status", well ? "ok" : "failing");
    if (!well)
        json_text(&j, "why", buf_text(&why));
    json_string(&j, "version", PLUVIO_VERSION);
    json_integer(&j, "commit", (int64_t)commit);
    if (commit)
        json_time(&j, "commit_time", time_ms);
    else
        json_raw(&j, "commit_time", TEXT("null"));
    json_end_object(&j);
    buf_add_char(&reply->body, '\n');
    buf_free(&why);
}

void get_metrics(void *worker, const struct request *request, struct reply *reply)
{
    (void)worker, (void)request;
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    figures_print(&reply->body);
}

void get_openapi(void *worker, const struct request *request, struct reply *reply)
{
    (void)worker, (void)request;
    reply->content_type = "application/yaml";
    buf_add_text(&reply->body, openapi);
}
