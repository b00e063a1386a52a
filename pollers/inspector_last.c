#include "inspector_last.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect_worker.h"
#include "inspector_connection.h"
#include "inspector_stats.h"

struct guest {
    char uuid[UUID_SIZE];
    int id;
    int64_t paused_boot_ns;
    struct domain_stats *stats; /* what it said; NULL: nothing yet */
    bool over;                  /* it runs again, or is gone */
};

struct last_ask {
    struct ask ask; /* first */
    struct clock *clock;
    struct guest guests[LAST_MAX];
    size_t count;
};

struct last_reader {
    struct inspect_worker *worker;
    struct clock *clock;
    struct guest guests[LAST_MAX]; /* to be asked */
    size_t count;
    struct last_ask *asked; /* with the worker, or answered, or left with it, until that is taken */
    bool answered, left;    /* the asking thread's */
    int64_t asked_boot_ns;
};

static void drop_answers(struct last_ask *a)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->guests[i].stats)
            domain_stats_free(a->guests[i].stats, 1);
        a->guests[i].stats = NULL;
    }
}

static void last_free(struct ask *ask)
{
    drop_answers((struct last_ask *)ask);
    free(ask);
}

static int last_run(struct ask *ask, struct connection *connection, struct error *error)
{
    struct last_ask *a = (struct last_ask *)ask;
    drop_answers(a);
    for (size_t i = 0; i < a->count; i++) {
        struct guest *g = &a->guests[i];
        int r = stats_read_paused(connection, g->uuid, g->id, a->clock, &g->stats);
        if (!connection_alive(connection))
            return connection_error(error, -EIO, "a paused domain");
        g->over = r == -ENOENT;
    }
    return 0;
}

int last_reader_create(struct last_reader **ret, const char *uri, struct clock *clock)
{
    struct last_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->clock = clock;
    int code = inspect_worker_create(&r->worker, uri, clock);
    if (code < 0)
        free(r);
    else
        *ret = r;
    return code;
}

void last_reader_destroy(struct last_reader *r)
{
    if (!r)
        return;
    if (r->answered)
        r->asked->ask.free(&r->asked->ask);
    inspect_worker_destroy(r->worker);
    free(r);
}

static void put_back(struct last_reader *r, const struct guest *g)
{
    if (!g->over && clock_boot_ns(r->clock) - g->paused_boot_ns < LAST_PATIENCE_NS && r->count < LAST_MAX)
        r->guests[r->count++] = *g;
}

void last_reader_add(struct last_reader *r, const struct lifecycle_event *e)
{
    struct guest g = {.id = e->id, .paused_boot_ns = e->boot_ns, .over = e->id < 0};
    memcpy(g.uuid, e->uuid, UUID_SIZE);
    if (!r->count && !r->asked)
        r->asked_boot_ns = 0; /* the first is asked at once */
    put_back(r, &g);
}

int64_t last_reader_due_ns(const struct last_reader *r)
{
    if (r->asked)
        return 0;
    int64_t left_ns = r->asked_boot_ns + LAST_RETRY_NS - clock_boot_ns(r->clock);
    return r->count == 0 ? INT64_MAX : left_ns > 0 ? left_ns : 0;
}

/* What cannot be asked now is lost, as all was that nobody asked for. */
void last_reader_ask(struct last_reader *r)
{
    struct error ignored;
    if (r->asked || r->count == 0)
        return;
    struct last_ask *a = inspect_worker_idle(r->worker) ? calloc(1, sizeof(*a)) : NULL;
    size_t count = r->count;
    r->count = 0;
    if (!a)
        return;
    a->ask = (struct ask){.run = last_run, .free = last_free};
    a->clock = r->clock;
    a->count = count;
    memcpy(a->guests, r->guests, count * sizeof(a->guests[0]));
    r->asked_boot_ns = clock_boot_ns(r->clock);
    if (inspect_worker_put(r->worker, &a->ask, &ignored) == 0)
        r->asked = a;
}

bool last_reader_await(struct last_reader *r)
{
    struct error ignored;
    int result = 0;
    if (!r->asked || r->answered)
        return r->answered;
    int64_t now_ns = clock_boot_ns(r->clock);
    if (inspect_worker_wait(r->worker, now_ns + LAST_RETRY_NS, &result, &ignored) == 0) {
        r->answered = true;
        r->asked->count = result < 0 ? 0 : r->asked->count;
    } else if (now_ns - r->asked_boot_ns > LAST_PATIENCE_NS) {
        inspect_worker_leave(r->worker);
        r->left = true;
    }
    return r->answered || r->left;
}

struct domain_stats *last_reader_take(struct last_reader *r)
{
    struct last_ask *a = r->answered ? r->asked : NULL;
    while (a && a->count) {
        struct guest *g = &a->guests[--a->count];
        if (g->stats)
            return g->stats;
        put_back(r, g);
    }
    if (a)
        a->ask.free(&a->ask);
    r->asked = r->answered || r->left ? NULL : r->asked;
    r->answered = r->left = false;
    return NULL;
}
