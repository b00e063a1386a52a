#include "sim/collector_node.h"

#include <errno.h>
#include <stdlib.h>

#define BURST    60 /* events at most before others have their turn */
#define IDLE_NS  (50 * NS_PER_MS)
#define PAUSE_NS (500 * NS_PER_MS) /* after a failure, as the thread does */

static int open_reader(void *context, struct reader **ret, struct error *error)
{
    (void)error;
    return fake_log_open_group(((struct collector_node *)context)->log, ret);
}

static int open_writer(void *context, struct writer **ret, struct error *error)
{
    (void)error;
    return fake_log_open_writer(((struct collector_node *)context)->log, ret);
}

static int open_ledger(struct collector_node *n, struct error *error)
{
    struct ledger_settings settings = {.path = n->path,
                                       .vfs = n->vfs,
                                       .holder = n->number ? "second" : "first",
                                       .period_ms = SIM_PERIOD_MS,
                                       .now_ms = clock_wall_ns(&n->clock.port) / NS_PER_MS};
    return ledger_open(&n->ledger, &settings, error);
}

static int open_ingest(struct collector_node *n, struct error *error)
{
    struct ingest_settings settings = {.topic = FAKE_TOPIC,
                                       .ack_topic = FAKE_ACKS,
                                       .rules = {.period_ms = SIM_PERIOD_MS,
                                                 .step_ms = SIM_STEP_MS,
                                                 .late_ms = 30 * 86400000LL,
                                                 .future_ms = 7200000,
                                                 .grace_ms = 180000}};
    struct ingest_ports ports = {.ledger = n->ledger,
                                 .archive = &n->archive->port,
                                 .clock = &n->clock.port,
                                 .open_reader = open_reader,
                                 .open_writer = open_writer,
                                 .context = n};
    return ingest_create(&n->ingest, &settings, &ports, error);
}

int collector_node_start(struct collector_node *n, struct error *error)
{
    if (n->ingest || n->shelf->count == SIM_ARCHIVES)
        return 0;
    int r = open_ledger(n, error);
    if (r)
        return r;
    n->archive = n->shelf->archives[n->shelf->count++] = fake_archive_make();
    n->archive->last_commit = ledger_commit_number(n->ledger);
    r = open_ingest(n, error);
    if (r) {
        ledger_close(n->ledger);
        n->ledger = NULL;
        return r;
    }
    n->paused = false;
    n->wake_ns = *n->clock.now_ns;
    return 0;
}

int collector_node_step(struct collector_node *n, struct error *error)
{
    uint64_t served, burst = 1 + random_below(n->random, BURST);
    int r;
    do {
        served = n->log->served;
        r = ingest_step(n->ingest, 0, error);
    } while (r == 0 && n->log->served > served && --burst);
    n->wake_ns = *n->clock.now_ns + (r ? PAUSE_NS : burst ? IDLE_NS : NS_PER_MS);
    n->undone += r != 0;
    if (r != -ESTALE)
        return 0;
    n->stale++;
    collector_node_crash(n);
    return r;
}

void collector_node_crash(struct collector_node *n)
{
    ingest_destroy(n->ingest);
    ledger_close(n->ledger);
    n->ingest = NULL;
    n->ledger = NULL;
    n->paused = false;
}

void collector_node_stop(struct collector_node *n)
{
    struct error ignored;
    if (n->ingest && ingest_finish(n->ingest, &ignored))
        n->undone++;
    collector_node_crash(n);
}

void archive_shelf_free(struct archive_shelf *s)
{
    for (size_t i = 0; i < s->count; i++)
        s->archives[i]->port.destroy(&s->archives[i]->port);
    s->count = 0;
}
