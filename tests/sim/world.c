#include "sim/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define WORK_NS (1500 * NS_PER_MS)

void world_say(struct world *w, const char *format, ...)
{
    va_list args;
    buf_addf(&w->trace, "%9.3f  ", (double)(w->now_ns - w->begin_ns) / (double)NS_PER_S);
    va_start(args, format);
    buf_vaddf(&w->trace, format, args);
    va_end(args);
    buf_add_char(&w->trace, '\n');
}

void world_fail(struct world *w, const char *format, ...)
{
    va_list args;
    if (w->failure[0])
        return;
    va_start(args, format);
    vsnprintf(w->failure, sizeof w->failure, format, args);
    va_end(args);
    world_say(w, "FAILED: %s", w->failure);
}

/* ---- coming and going ---- */

static void make_hosts(struct world *w)
{
    for (int i = 0; i < SIM_VMS; i++)
        w->vms[i] = (struct vm){.owner = i % OWNER_NONE, .vcpus = 1 + (uint64_t)i};
    for (int i = 0; i < SIM_HOSTS; i++) {
        host_init(&w->hosts[i], i, &w->now_ns, &w->random.port, &w->oracle, w->vms, &w->serial);
        w->pollers[i] =
            (struct poller_node){.host = &w->hosts[i],
                                 .log = &w->log,
                                 .random = &w->random.port,
                                 .vfs = w->settings.faulty == DISK_OF_OUTBOXES ? FAULT_VFS : SIM_VFS,
                                 .max_bytes = w->settings.outbox_bytes ? w->settings.outbox_bytes : 1LL << 40};
        snprintf(w->pollers[i].path, sizeof w->pollers[i].path, "%s/outbox-%d.db", w->folder, i);
    }
}

static void make_collectors(struct world *w)
{
    for (int i = 0; i < SIM_COLLECTORS; i++)
        w->collectors[i] = (struct collector_node){.clock = fake_clock(&w->now_ns, w->now_ns - 7200 * NS_PER_S),
                                                   .log = &w->log,
                                                   .random = &w->random.port,
                                                   .shelf = &w->shelf,
                                                   .path = w->ledger,
                                                   .vfs = w->settings.faulty == DISK_OF_LEDGER ? FAULT_VFS : SIM_VFS,
                                                   .number = i};
}

void world_init(struct world *w, const struct world_settings *settings)
{
    *w = (struct world){.settings = *settings};
    random_seed(&w->random, settings->seed);
    w->begin_ns = w->now_ns = w->work_ns = SIM_START_S * NS_PER_S;
    disk_register();
    folder_make(w->folder);
    folder_path(w->folder, "ledger.db", w->ledger, sizeof w->ledger);
    folder_path(w->folder, "backup.db", w->backup, sizeof w->backup);
    fake_log_init(&w->log, &w->now_ns, &w->random.port, settings->partitions);
    oracle_init(&w->oracle);
    make_hosts(w);
    make_collectors(w);
}

void world_finish(struct world *w)
{
    for (int i = 0; i < SIM_HOSTS; i++)
        poller_node_crash(&w->pollers[i]);
    for (int i = 0; i < SIM_COLLECTORS; i++)
        collector_node_crash(&w->collectors[i]);
    for (int i = 0; i < SIM_HOSTS; i++)
        host_finish(&w->hosts[i]);
    fault_vfs_heal();
    archive_shelf_free(&w->shelf);
    fake_log_finish(&w->log);
    oracle_finish(&w->oracle);
    folder_remove(w->folder);
    buf_free(&w->trace);
}

/* ---- steps ---- */

enum actor {
    ACTOR_LOG,
    ACTOR_WORK,
    ACTOR_POLLERS,
    ACTOR_COLLECTORS = ACTOR_POLLERS + SIM_HOSTS,
    ACTORS = ACTOR_COLLECTORS + SIM_COLLECTORS
};

static void step_work(struct world *w)
{
    for (int i = 0; i < SIM_HOSTS; i++)
        host_work(&w->hosts[i]);
    w->work_ns = w->now_ns + WORK_NS;
}

static void step_poller(struct world *w, int i)
{
    struct error error = {0};
    host_step(&w->hosts[i]);
    if (w->pollers[i].poller && poller_node_step(&w->pollers[i], &error))
        world_fail(w, "poller %d: %s", i, error.text);
}

/* A process that holds the ledger's lock and stands still is killed by the one that comes after it. */
static void start_collector(struct world *w, int i)
{
    struct error error = {0};
    if (disk_is_locked(w->ledger)) {
        struct collector_node *other = &w->collectors[1 - i];
        if (other->ingest && other->paused) {
            world_say(w, "collector %d kills the one that stands on the ledger's lock", i);
            collector_node_crash(other);
        }
        return;
    }
    if (collector_node_start(&w->collectors[i], &error)) {
        world_say(w, "collector %d does not start: %s", i, error.text);
        return;
    }
    w->wanted[i] = false;
}

static void step_collector(struct world *w, int i)
{
    struct collector_node *c = &w->collectors[i];
    struct error error = {0};
    uint64_t undone = c->undone;
    if (w->wanted[i])
        start_collector(w, i);
    else if (collector_node_step(c, &error) == -ESTALE)
        world_say(w, "collector %d ends: %s", i, error.text);
    else if (c->undone != undone)
        world_say(w, "collector %d: %s", i, error.text);
    if (!c->ingest)
        c->wake_ns = w->now_ns + 200 * NS_PER_MS;
}

static int64_t actor_wake(struct world *w, int actor)
{
    if (actor == ACTOR_LOG)
        return fake_log_step(&w->log);
    if (actor == ACTOR_WORK)
        return w->work_ns;
    if (actor < ACTOR_COLLECTORS) {
        const struct poller_node *p = &w->pollers[actor - ACTOR_POLLERS];
        int64_t wake = host_wake_ns(p->host);
        return !p->poller ? INT64_MAX : wake < p->wake_ns ? wake : p->wake_ns;
    }
    const struct collector_node *c = &w->collectors[actor - ACTOR_COLLECTORS];
    return (c->ingest && !c->paused) || w->wanted[actor - ACTOR_COLLECTORS] ? c->wake_ns : INT64_MAX;
}

static void step_actor(struct world *w, int actor)
{
    if (actor == ACTOR_LOG)
        fake_log_step(&w->log);
    else if (actor == ACTOR_WORK)
        step_work(w);
    else if (actor < ACTOR_COLLECTORS)
        step_poller(w, actor - ACTOR_POLLERS);
    else
        step_collector(w, actor - ACTOR_COLLECTORS);
}

static void shuffle(struct world *w, int *actors, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t k = (size_t)random_below(&w->random.port, i);
        int other = actors[k];
        actors[k] = actors[i - 1];
        actors[i - 1] = other;
    }
}

static void step_due(struct world *w)
{
    int due[ACTORS];
    size_t count = 0;
    for (int a = 0; a < ACTORS; a++)
        if (actor_wake(w, a) <= w->now_ns)
            due[count++] = a;
    shuffle(w, due, count);
    for (size_t i = 0; i < count; i++)
        if (actor_wake(w, due[i]) <= w->now_ns) /* an earlier one may have ended it */
            step_actor(w, due[i]);
}

void world_run(struct world *w, int64_t until_ns)
{
    while (!w->failure[0] && w->now_ns < until_ns) {
        int64_t next = until_ns;
        for (int a = 0; a < ACTORS; a++) {
            int64_t wake = actor_wake(w, a);
            next = wake < next ? wake : next;
        }
        w->now_ns = next > w->now_ns ? next : w->now_ns + NS_PER_MS;
        if (w->now_ns < until_ns)
            step_due(w);
    }
}

bool world_is_quiet(struct world *w)
{
    for (int i = 0; i < SIM_HOSTS; i++)
        if (!poller_node_is_drained(&w->pollers[i]))
            return false;
    return true;
}
