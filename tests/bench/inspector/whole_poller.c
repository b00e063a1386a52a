#include "whole_poller.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pluvio/model/meter.h"
#include "pollers/outbox.h"
#include "pollers/poller.h"
#include "support/folder.h"

#define INTERVAL_NS (50 * NS_PER_MS) /* a cycle begins as soon as the one before it is over */

struct whole_poller {
    struct inspector port; /* first: the inner's, with its answers counted */
    struct inspector *inner;
    struct outbox *outbox;
    struct poller *poller;
    size_t answers, domains;
    bool wanted[METERS];
    char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
};

static void die(const char *why)
{
    fprintf(stderr, "bench_inspector: %s\n", why);
    exit(1);
}

/* ---- the inspector's port ---- */

static struct whole_poller *whole(struct inspector *self)
{
    return (struct whole_poller *)self;
}

/* The poller's patience goes by its interval, which is a minute where it is not hurried. */
static int begin(struct inspector *self, unsigned groups, int64_t deadline_ns)
{
    (void)deadline_ns;
    return whole(self)->inner->begin(whole(self)->inner, groups, clock_boot_ns(clock_system()) + 30 * NS_PER_S);
}

static int result(struct inspector *self, struct snapshot **ret, struct error *error)
{
    struct whole_poller *w = whole(self);
    int r = w->inner->result(w->inner, ret, error);
    if (r == 1) {
        w->answers++;
        w->domains = (*ret)->count;
    }
    return r;
}

static int event(struct inspector *self, struct lifecycle_event *ret)
{
    return whole(self)->inner->event(whole(self)->inner, ret);
}

static void figures(struct inspector *self, struct inspector_figures *ret)
{
    whole(self)->inner->figures(whole(self)->inner, ret);
}

static int wake_fd(struct inspector *self)
{
    return whole(self)->inner->wake_fd(whole(self)->inner);
}

/* ---- no broker ---- */

static int no_writer(void *context, struct writer **ret, struct error *error)
{
    (void)context;
    (void)ret;
    return error_set(error, -ENOENT, "no broker");
}

static int no_acks(void *context, struct reader **ret, struct error *error)
{
    (void)context;
    (void)ret;
    return error_set(error, -ENOENT, "no broker");
}

static bool not_moved(void *context)
{
    (void)context;
    return false;
}

/* ---- life ---- */

static void open_outbox(struct whole_poller *w)
{
    struct buf notice = {0};
    struct error error;
    folder_path(folder_make(w->folder), "outbox.db", w->path, sizeof w->path);
    struct outbox_settings settings = {.path = w->path,
                                       .max_bytes = 1LL << 30,
                                       .keep_ms = 7 * 86400000LL,
                                       .waiting_max_bytes = 32 << 20,
                                       .random = random_system()};
    if (outbox_open(&w->outbox, &settings, &notice, &error))
        die(error.text);
    buf_free(&notice);
}

struct whole_poller *whole_poller_open(struct inspector *inner)
{
    struct whole_poller *w = calloc(1, sizeof *w);
    struct error error;
    if (!w)
        die("out of memory");
    w->port =
        (struct inspector){.begin = begin, .result = result, .event = event, .wake_fd = wake_fd, .figures = figures};
    w->inner = inner;
    open_outbox(w);
    for (size_t i = 0; i < METERS; i++)
        w->wanted[i] = meter_at((enum meter_id)i)->group != GROUP_PERF;
    struct poller_settings settings = {
        .interval_ns = INTERVAL_NS, .wanted = w->wanted, .topic = "bench", .in_flight_bytes = 1 << 20};
    struct poller_ports ports = {.clock = clock_system(),
                                 .random = random_system(),
                                 .inspector = &w->port,
                                 .outbox = w->outbox,
                                 .publisher = {no_writer, no_acks, not_moved, NULL}};
    if (poller_create(&w->poller, &settings, &ports, &error))
        die(error.text);
    return w;
}

void whole_poller_close(struct whole_poller *w)
{
    poller_destroy(w->poller);
    w->inner->destroy(w->inner);
    outbox_close(w->outbox);
    folder_remove(w->folder);
    free(w);
}

size_t whole_poller_cycle(struct whole_poller *w)
{
    struct error error;
    int64_t wake;
    for (size_t before = w->answers; w->answers == before;) {
        if (poller_step(w->poller, &wake, &error))
            die(error.text);
        int64_t wait_ms = (wake - clock_boot_ns(clock_system())) / NS_PER_MS + 1;
        struct pollfd p = {.fd = w->port.wake_fd(&w->port), .events = POLLIN};
        if (w->answers == before)
            (void)poll(&p, 1, wait_ms < 0 ? 0 : wait_ms > 1000 ? 1000 : (int)wait_ms);
    }
    return w->domains;
}
