#include "sim/schedule.h"

#include <stdlib.h>

/* Families of faults: a seed has about half of them. */
enum family {
    ALWAYS,
    DEVICES,
    MIGRATION,
    HANGS,
    EVENTS,
    CLOCKS,
    BOOTS,
    POLLERS,
    COLLECTORS,
    PAUSES,
    RESTORES,
    DISKS,
    BROKER,
    LOSSES,
    CLUSTERS,
    HANDLES,
    PROC,
    FAMILIES
};

/* What may be drawn: how often, and where a and b come from. @then: what follows, within @within_s. */
static const struct chance {
    enum family family;
    unsigned weight;
    enum act_kind kind;
    int a, b, b_low; /* a below this, b from b_low up to and with b */
    enum act_kind then;
    int within_s;
} chances[] = {
    {ALWAYS, 8, ACT_START, SIM_VMS, 0, 0, ACT_END, 0},
    {ALWAYS, 5, ACT_STOP, SIM_VMS, 1, 0, ACT_START, 60},
    {ALWAYS, 3, ACT_STOP, SIM_VMS, 1, 0, ACT_START, 5},
    {ALWAYS, 3, ACT_KILL, SIM_VMS, 0, 0, ACT_START, 20},
    {ALWAYS, 4, ACT_DEFINE, SIM_VMS, 1, 0, ACT_START, 15},
    {ALWAYS, 2, ACT_DELETE, SIM_VMS, 1, 0, ACT_DEFINE, 60},
    {ALWAYS, 6, ACT_OWNER, SIM_VMS, OWNER_NONE - 1, 0, ACT_END, 0},
    {ALWAYS, 2, ACT_REBOOT, SIM_VMS, 0, 0, ACT_END, 0},
    {ALWAYS, 3, ACT_PAUSE, SIM_VMS, 0, 0, ACT_RESUME, 40},
    {DEVICES, 6, ACT_REPLUG, SIM_VMS, DEVICE_NIC, DEVICE_VDA, ACT_END, 0},
    {DEVICES, 4, ACT_PLUG, SIM_VMS, DEVICE_VDB, DEVICE_VDB, ACT_UNPLUG, 60},
    {DEVICES, 3, ACT_UNPLUG, SIM_VMS, DEVICE_NIC, DEVICE_VDA, ACT_PLUG, 30},
    {DEVICES, 3, ACT_SNAPSHOT, SIM_VMS, DEVICE_VDB, DEVICE_VDA, ACT_END, 0},
    {MIGRATION, 8, ACT_MIGRATE, SIM_VMS, 0, 0, ACT_MIGRATED, 40},
    {MIGRATION, 2, ACT_MIGRATE, SIM_VMS, 0, 0, ACT_ABORT_MIGRATION, 30},
    {HANGS, 6, ACT_HANG, SIM_VMS, 0, 0, ACT_ANSWER, 60},
    {HANGS, 4, ACT_OMIT, SIM_VMS, 0, 0, ACT_END, 0},
    {EVENTS, 4, ACT_DEAF, SIM_HOSTS, 60, 1, ACT_END, 0},
    {EVENTS, 2, ACT_LIBVIRTD, SIM_HOSTS, 20, 0, ACT_END, 0},
    {EVENTS, 1, ACT_INCOMPLETE, SIM_HOSTS, 0, 0, ACT_END, 0},
    {CLOCKS, 3, ACT_CLOCK, SIM_HOSTS, 400, -400, ACT_END, 0},
    {CLOCKS, 2, ACT_CLOCK, SIM_HOSTS, 3, -3, ACT_END, 0},
    {BOOTS, 2, ACT_HOST_DOWN, SIM_HOSTS, 0, 0, ACT_HOST_UP, 60},
    {POLLERS, 6, ACT_POLLER_CRASH, SIM_HOSTS, 0, 0, ACT_POLLER_START, 60},
    {POLLERS, 3, ACT_POLLER_CRASH, SIM_HOSTS, 0, 0, ACT_POLLER_START, 2},
    {POLLERS, 2, ACT_POLLER_STOP, SIM_HOSTS, 0, 0, ACT_POLLER_START, 60},
    {COLLECTORS, 6, ACT_COLLECTOR_CRASH, SIM_COLLECTORS, 0, 0, ACT_COLLECTOR_START, 40},
    {COLLECTORS, 3, ACT_COLLECTOR_CRASH, SIM_COLLECTORS, 0, 0, ACT_COLLECTOR_START, 1},
    {COLLECTORS, 2, ACT_COLLECTOR_STOP, SIM_COLLECTORS, 0, 0, ACT_COLLECTOR_START, 30},
    {COLLECTORS, 2, ACT_COLLECTOR_START, SIM_COLLECTORS, 0, 0, ACT_END, 0},
    {COLLECTORS, 2, ACT_ARCHIVE_FAILS, SIM_COLLECTORS, 0, 0, ACT_END, 0},
    {PAUSES, 6, ACT_COLLECTOR_PAUSE, SIM_COLLECTORS, 0, 0, ACT_COLLECTOR_WAKE, 60},
    {PAUSES, 6, ACT_COLLECTOR_START, SIM_COLLECTORS, 0, 0, ACT_END, 0},
    {RESTORES, 4, ACT_BACKUP, 0, 0, 0, ACT_END, 0},
    {RESTORES, 3, ACT_RESTORE, SIM_COLLECTORS, 0, 0, ACT_END, 0},
    {DISKS, 3, ACT_WRITE_FAILS, 12, 0, 0, ACT_END, 0},
    {DISKS, 3, ACT_SYNC_FAILS, 4, 0, 0, ACT_END, 0},
    {DISKS, 2, ACT_DISK_FULL, 1, 0, 0, ACT_DISK_HEALS, 60},
    {DISKS, 2, ACT_POWER_CUT, 1, 0, 0, ACT_END, 0},
    {BROKER, 5, ACT_BROKER_AWAY, 1, 0, 0, ACT_BROKER_BACK, 60},
    {BROKER, 3, ACT_CHANCES, 30, 30, 0, ACT_END, 0},
    {BROKER, 3, ACT_REPEAT_OLD, FAKE_PARTITIONS, 10, 1, ACT_END, 0},
    {LOSSES, 5, ACT_LOSE_TAIL, FAKE_PARTITIONS, 30, 1, ACT_END, 0},
    {LOSSES, 2, ACT_LOSE_TAIL, 0, 30, 1, ACT_END, 0},
    {LOSSES, 3, ACT_FORGET_HEAD, FAKE_PARTITIONS, 200, 1, ACT_END, 0},
    {LOSSES, 2, ACT_COMPACT, 1, 0, 0, ACT_END, 0},
    {CLUSTERS, 2, ACT_NEW_CLUSTER, SIM_COLLECTORS, 0, 0, ACT_END, 0},
    {CLUSTERS, 2, ACT_WIPE, 1, 0, 0, ACT_END, 0},
    {HANDLES, 3, ACT_KILL_HANDLES, 1, 0, 0, ACT_END, 0},
    {PROC, 1, ACT_BLIND_PROC, SIM_HOSTS, 0, 0, ACT_END, 0},
};
#define CHANCES (sizeof chances / sizeof chances[0])

struct drawing {
    struct schedule *schedule;
    struct random_seeded random;
    size_t count;
    bool families[FAMILIES];
};

static int below(struct drawing *d, int bound)
{
    return bound > 0 ? (int)random_below(&d->random.port, (uint64_t)bound) : 0;
}

static void add(struct drawing *d, int64_t at_ms, enum act_kind kind, int a, int b)
{
    if (d->count + 1 < SCHEDULE_MAX)
        d->schedule->acts[d->count++] = (struct act){at_ms / 10 * 10, kind, a, b};
}

static const struct chance *draw_chance(struct drawing *d)
{
    for (;;) {
        const struct chance *c = &chances[below(d, CHANCES)];
        if (d->families[c->family] && below(d, 8) < (int)c->weight)
            return c;
    }
}

static void draw_one(struct drawing *d, int64_t at_ms)
{
    const struct chance *c = draw_chance(d);
    int a = c->a ? below(d, c->a) : -1, b = c->b_low + below(d, c->b - c->b_low + 1);
    add(d, at_ms, c->kind, a, b);
    if (c->then != ACT_END)
        add(d, at_ms + 10 + below(d, c->within_s * 1000), c->then, a, b);
}

/* VMs that ran before Pluvio came, and when its parts do. */
static void draw_beginning(struct drawing *d)
{
    for (int vm = 0; vm < 3; vm++) {
        add(d, 10, ACT_DEFINE, vm, vm % SIM_HOSTS);
        add(d, 20 + 10 * below(d, 100), ACT_START, vm, 0);
    }
    for (int h = 0; h < SIM_HOSTS; h++)
        add(d, 5000 + below(d, 30000), ACT_POLLER_START, h, 0);
    add(d, 1000 + below(d, 60000), ACT_COLLECTOR_START, 0, 0);
    if (d->families[BROKER])
        add(d, 2000, ACT_CHANCES, below(d, 15), below(d, 15));
}

static int by_time(const void *a, const void *b)
{
    const struct act *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return x->kind < y->kind ? -1 : x->kind > y->kind;
}

void schedule_draw(struct schedule *s, uint64_t seed)
{
    struct drawing d = {.schedule = s};
    random_seed(&d.random, seed ^ 0x7363686564756c65ULL);
    for (int f = 0; f < FAMILIES; f++)
        d.families[f] = f == ALWAYS || below(&d, 2);
    d.families[PROC] &= below(&d, 4) == 0;
    s->world = (struct world_settings){.seed = seed,
                                       .partitions = 1 + below(&d, FAKE_PARTITIONS),
                                       .faulty = d.families[DISKS] ? 1 + (enum faulty_disk)below(&d, 2) : DISK_SOUND};
    if (!d.families[RESTORES] && below(&d, 3) == 0) /* else a backup may want what had no room */
        s->world.outbox_bytes = 50000 + below(&d, 100000);
    draw_beginning(&d);
    int64_t end_ms = 180000 + below(&d, 360000);
    for (int64_t at = 8000; at < end_ms; at += 100 + below(&d, 8000))
        draw_one(&d, at);
    qsort(s->acts, d.count, sizeof s->acts[0], by_time);
    s->acts[d.count] = (struct act){0};
}
