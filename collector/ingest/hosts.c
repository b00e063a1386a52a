#include "hosts.h"

#include <errno.h>
#include <stdlib.h>

#include "ingest_figures.h"
#include "pluvio/base/log.h"
#include "pluvio/base/map.h"

struct outbox_state {
    struct ledger_outbox row;
    struct host *host;
};

struct host {
    char uuid[LEDGER_HOST_SIZE];
    struct outbox_state *current;
    int64_t heard_ns; /* of the current one */
};

struct hosts {
    struct ledger *ledger;
    int64_t takeover_ns;
    struct map outboxes; /* id -> struct outbox_state */
    struct map hosts;    /* UUID -> struct host */
    bool loaded;
    int64_t waiting; /* outboxes that are not their host's current one */
};

static void forget(struct hosts *h)
{
    size_t cursor = 0;
    for (struct outbox_state *o; (o = map_next(&h->outboxes, &cursor));)
        free(o);
    cursor = 0;
    for (struct host *host; (host = map_next(&h->hosts, &cursor));)
        free(host);
    map_free(&h->outboxes);
    map_free(&h->hosts);
    h->waiting = 0;
}

struct hosts *hosts_create(struct ledger *ledger, int64_t takeover_ns)
{
    struct hosts *h = calloc(1, sizeof *h);
    if (h) {
        h->ledger = ledger;
        h->takeover_ns = takeover_ns;
    }
    return h;
}

void hosts_destroy(struct hosts *h)
{
    if (!h)
        return;
    forget(h);
    free(h);
}

static struct host *host_of(struct hosts *h, const char *uuid)
{
    struct host *host = map_get(&h->hosts, text_of(uuid));
    if (host || !(host = calloc(1, sizeof *host)))
        return host;
    text_copy(text_of(uuid), host->uuid, sizeof host->uuid);
    if (map_put(&h->hosts, text_of(host->uuid), host) == 0)
        return host;
    free(host);
    return NULL;
}

static struct outbox_state *add(struct hosts *h, const struct ledger_outbox *row, int64_t now_ns)
{
    struct outbox_state *o = calloc(1, sizeof *o);
    struct host *host = o ? host_of(h, row->host) : NULL;
    if (!host) {
        free(o);
        return NULL;
    }
    *o = (struct outbox_state){*row, host};
    if (map_put(&h->outboxes, text_of(o->row.id), o)) {
        free(o);
        return NULL;
    }
    if (row->current) {
        host->current = o;
        host->heard_ns = now_ns;
    } else {
        h->waiting++;
    }
    return o;
}

struct loading {
    struct hosts *hosts;
    int64_t now_ns;
    bool failed;
};

static void load_one(void *context, const struct ledger_outbox *row)
{
    struct loading *l = context;
    l->failed |= !add(l->hosts, row, l->now_ns);
}

int hosts_load(struct hosts *h, int64_t now_ns, struct error *error)
{
    struct loading l = {h, now_ns, false};
    forget(h);
    int r = ledger_each_outbox(h->ledger, load_one, &l, error);
    if (r == 0 && l.failed)
        r = error_set(error, -ENOMEM, "out of memory for outboxes");
    h->loaded = r == 0;
    figure_set(&figure_waiting_outboxes, h->waiting);
    return r;
}

static struct outbox_state *meet(struct hosts *h, const char *outbox, struct text uuid, int64_t now_ns)
{
    struct ledger_outbox row = {0};
    text_copy(text_of(outbox), row.id, sizeof row.id);
    text_copy(uuid, row.host, sizeof row.host);
    const struct host *host = map_get(&h->hosts, text_of(row.host));
    row.current = !host || !host->current;
    struct outbox_state *o = add(h, &row, now_ns);
    if (!o) {
        ledger_fail(h->ledger, -ENOMEM, "out of memory for an outbox");
        return NULL;
    }
    ledger_put_outbox(h->ledger, &o->row);
    figure_set(&figure_waiting_outboxes, h->waiting);
    if (!row.current)
        log_warning(
            "host %s has a second outbox, %s, beside %s: its records wait until that one is silent; pluvio host "
            "shows them",
            o->host->uuid, outbox, o->host->current->row.id);
    return o;
}

static void take_over(struct hosts *h, struct outbox_state *o)
{
    struct outbox_state *old = o->host->current;
    old->row.current = false;
    o->row.current = true;
    o->row.since_ms = ledger_newest_of(h->ledger, old->row.id);
    o->host->current = o;
    ledger_put_outbox(h->ledger, &old->row);
    ledger_put_outbox(h->ledger, &o->row);
    log_warning("host %s: outbox %s takes over from %s, which is silent", o->host->uuid, o->row.id, old->row.id);
}

bool hosts_admit(struct hosts *h, const char *outbox, struct text uuid, int64_t now_ns, int64_t *ret_since_ms)
{
    struct outbox_state *o = map_get(&h->outboxes, text_of(outbox));
    *ret_since_ms = 0;
    if (!h->loaded) {
        ledger_fail(h->ledger, -EAGAIN, "the ledger's outboxes could not be read");
        return false;
    }
    if (!o && (uuid.len == 0 || uuid.len >= LEDGER_HOST_SIZE))
        return true;
    if (!o)
        o = meet(h, outbox, uuid, now_ns);
    if (!o)
        return false;
    if (!o->row.current && now_ns - o->host->heard_ns > h->takeover_ns)
        take_over(h, o);
    if (!o->row.current)
        return false;
    o->host->heard_ns = now_ns;
    *ret_since_ms = o->row.since_ms;
    return true;
}
