#include "sim/act.h"

#include <assert.h>
#include <stdio.h>

/* The host that runs, or else holds, the VM; NULL: none. */
static struct host *home(struct world *w, int vm)
{
    struct host *found = NULL;
    for (int i = 0; i < SIM_HOSTS; i++) {
        const struct domain *d = &w->hosts[i].domains[vm];
        if (d->defined && d->reason != 2 && (!found || d->process))
            found = &w->hosts[i];
    }
    return found;
}

static struct host *guest_house(struct world *w, int vm) /* where it is arriving */
{
    for (int i = 0; i < SIM_HOSTS; i++)
        if (w->hosts[i].domains[vm].reason == 2)
            return &w->hosts[i];
    return NULL;
}

/* ---- VMs ---- */

static bool define(struct world *w, int a, int b)
{
    return !home(w, a) && !guest_house(w, a) && host_define(&w->hosts[b], a);
}

static bool start(struct world *w, int a, int b)
{
    (void)b;
    return home(w, a) && !guest_house(w, a) && host_start(home(w, a), a);
}

static bool stop_how(struct world *w, int a, enum lifecycle_kind how, bool with_cpu)
{
    return home(w, a) && !guest_house(w, a) && host_stop(home(w, a), a, how, with_cpu);
}

static bool stop(struct world *w, int a, int b)
{
    return stop_how(w, a, LIFECYCLE_STOPPED, b != 0);
}

static bool kill_vm(struct world *w, int a, int b)
{
    (void)b;
    return stop_how(w, a, LIFECYCLE_CRASHED, false);
}

static bool delete (struct world *w, int a, int b)
{
    struct host *h = home(w, a);
    if (!h || guest_house(w, a))
        return false;
    stop(w, a, b);
    return host_undefine(h, a);
}

static bool reboot(struct world *w, int a, int b)
{
    (void)b;
    return home(w, a) && host_reboot_vm(home(w, a), a);
}

static bool pause_vm(struct world *w, int a, int b)
{
    (void)b;
    return home(w, a) && host_pause(home(w, a), a, true);
}

static bool resume(struct world *w, int a, int b)
{
    (void)b;
    return home(w, a) && host_pause(home(w, a), a, false);
}

static bool hang(struct world *w, int a, int b)
{
    (void)b;
    return home(w, a) && host_hang(home(w, a), a, true);
}

static bool answer(struct world *w, int a, int b)
{
    (void)b;
    return home(w, a) && host_hang(home(w, a), a, false);
}

static bool omit(struct world *w, int a, int b)
{
    (void)b;
    return home(w, a) && (home(w, a)->domains[a].omitted = true);
}

static bool owner(struct world *w, int a, int b)
{
    w->vms[a].owner = b;
    for (int i = 0; i < SIM_HOSTS; i++)
        host_tell_owner(&w->hosts[i], a);
    return true;
}

static bool replug(struct world *w, int a, int b)
{
    return home(w, a) && host_replug(home(w, a), a, (enum sim_device)b);
}

static bool plug(struct world *w, int a, int b)
{
    return home(w, a) && host_plug(home(w, a), a, (enum sim_device)b);
}

static bool unplug(struct world *w, int a, int b)
{
    return home(w, a) && host_unplug(home(w, a), a, (enum sim_device)b);
}

static bool snapshot_disk(struct world *w, int a, int b)
{
    return home(w, a) && host_snapshot_disk(home(w, a), a, (enum sim_device)b);
}

static bool migrate(struct world *w, int a, int b)
{
    const struct host *from = home(w, a);
    (void)b;
    if (!from || guest_house(w, a) || from->domains[a].state != DOMAIN_RUNNING || from->domains[a].hung)
        return false;
    return host_arrive(&w->hosts[1 - from->number], a);
}

static bool migrated(struct world *w, int a, int b)
{
    struct host *from = home(w, a), *to = guest_house(w, a);
    (void)b;
    if (!from || !to || from->domains[a].state != DOMAIN_RUNNING || !from->up)
        return false;
    int64_t apart_ms = (from->clock.wrong_ns - to->clock.wrong_ns) / NS_PER_MS;
    w->skew_ms += apart_ms < 0 ? -apart_ms : apart_ms;
    return host_arrived(to, a) && host_gone(from, a);
}

static bool abort_migration(struct world *w, int a, int b)
{
    (void)b;
    return guest_house(w, a) && host_abort_arrival(guest_house(w, a), a);
}

/* ---- hosts ---- */

static bool deaf(struct world *w, int a, int b)
{
    w->hosts[a].deaf_until_ns = w->now_ns + b * NS_PER_S;
    return true;
}

static bool libvirtd(struct world *w, int a, int b)
{
    if (!w->hosts[a].up)
        return false;
    host_restart_libvirtd(&w->hosts[a], b * NS_PER_S);
    return true;
}

static bool incomplete(struct world *w, int a, int b)
{
    (void)b;
    return w->hosts[a].incomplete = true;
}

static bool set_clock(struct world *w, int a, int b)
{
    w->hosts[a].clock.wrong_ns += b * NS_PER_S;
    w->skew_ms += (b < 0 ? -b : b) * MS_PER_S;
    return true;
}

static bool host_goes_down(struct world *w, int a, int b)
{
    (void)b;
    if (!w->hosts[a].up)
        return false;
    poller_node_crash(&w->pollers[a]);
    host_down(&w->hosts[a]);
    return true;
}

static bool host_comes_up(struct world *w, int a, int b)
{
    (void)b;
    if (w->hosts[a].up)
        return false;
    host_boot(&w->hosts[a]);
    oracle_booted(&w->oracle, a);
    return true;
}

static bool blind_proc(struct world *w, int a, int b)
{
    (void)b;
    w->hosts[a].sees_processes = false;
    return true;
}

/* ---- pollers ---- */

static bool poller_start(struct world *w, int a, int b)
{
    struct error error = {0};
    (void)b;
    if (w->pollers[a].poller || !w->hosts[a].up)
        return false;
    if (poller_node_start(&w->pollers[a], &error))
        world_say(w, "poller %d does not start: %s", a, error.text);
    return true;
}

static bool poller_crash(struct world *w, int a, int b)
{
    (void)b;
    bool was_up = w->pollers[a].poller != NULL;
    poller_node_crash(&w->pollers[a]);
    return was_up;
}

static bool poller_stop(struct world *w, int a, int b)
{
    (void)b;
    bool was_up = w->pollers[a].poller != NULL;
    poller_node_stop(&w->pollers[a]);
    return was_up;
}

/* ---- collectors ---- */

static bool collector_start(struct world *w, int a, int b)
{
    (void)b;
    if (w->collectors[a].ingest)
        return false;
    w->collectors[a].wake_ns = w->now_ns;
    return w->wanted[a] = true;
}

static bool collector_crash(struct world *w, int a, int b)
{
    (void)b;
    bool was_up = w->collectors[a].ingest != NULL;
    w->wanted[a] = false;
    collector_node_crash(&w->collectors[a]);
    return was_up;
}

static bool collector_stop(struct world *w, int a, int b)
{
    (void)b;
    bool was_up = w->collectors[a].ingest != NULL && !w->collectors[a].paused;
    if (was_up)
        collector_node_stop(&w->collectors[a]);
    return was_up;
}

static bool collector_pause(struct world *w, int a, int b)
{
    (void)b;
    return w->collectors[a].ingest && (w->collectors[a].paused = true);
}

static bool collector_wake(struct world *w, int a, int b)
{
    (void)b;
    bool slept = w->collectors[a].paused;
    w->collectors[a].paused = false;
    w->collectors[a].wake_ns = w->now_ns;
    return slept;
}

static bool backup(struct world *w, int a, int b)
{
    (void)a;
    (void)b;
    if (!w->collectors[0].ingest && !w->collectors[1].ingest)
        return false;
    disk_copy(w->ledger, w->backup);
    return w->has_backup = true;
}

static bool restore(struct world *w, int a, int b)
{
    (void)b;
    if (!w->has_backup)
        return false;
    for (int i = 0; i < SIM_COLLECTORS; i++)
        collector_crash(w, i, 0);
    disk_replace(w->backup, w->ledger);
    return collector_start(w, a, 0);
}

static bool archive_fails(struct world *w, int a, int b)
{
    (void)b;
    return w->collectors[a].ingest && (w->collectors[a].archive->fail_seal = -28); /* ENOSPC */
}

/* ---- the faulty disk ---- */

static bool write_fails(struct world *w, int a, int b)
{
    (void)b;
    fault_vfs_fail(FAULT_WRITE, (uint64_t)a, 10 | (3 << 8)); /* SQLITE_IOERR_WRITE */
    return w->settings.faulty != DISK_SOUND;
}

static bool sync_fails(struct world *w, int a, int b)
{
    (void)b;
    fault_vfs_fail(FAULT_SYNC, (uint64_t)a, 10 | (4 << 8)); /* SQLITE_IOERR_FSYNC */
    return w->settings.faulty != DISK_SOUND;
}

static bool disk_full(struct world *w, int a, int b)
{
    (void)a;
    (void)b;
    fault_vfs_fail_all(FAULT_WRITE, 13); /* SQLITE_FULL */
    for (int i = 0; i < SIM_HOSTS; i++)
        w->pollers[i].disk_refuses = w->settings.faulty == DISK_OF_OUTBOXES;
    return w->settings.faulty != DISK_SOUND;
}

static bool disk_heals(struct world *w, int a, int b)
{
    (void)a;
    (void)b;
    fault_vfs_heal();
    for (int i = 0; i < SIM_HOSTS; i++)
        w->pollers[i].disk_refuses = false;
    return w->settings.faulty != DISK_SOUND;
}

static bool power_cut(struct world *w, int a, int b)
{
    (void)a;
    (void)b;
    if (w->settings.faulty == DISK_SOUND)
        return false;
    fault_vfs_power_cut();
    for (int i = 0; i < SIM_HOSTS && w->settings.faulty == DISK_OF_OUTBOXES; i++)
        host_goes_down(w, i, 0);
    for (int i = 0; i < SIM_COLLECTORS && w->settings.faulty == DISK_OF_LEDGER; i++)
        w->wanted[i] |= collector_crash(w, i, 0) && i == 0;
    disk_heals(w, 0, 0);
    for (int i = 0; i < SIM_HOSTS && w->settings.faulty == DISK_OF_OUTBOXES; i++)
        if (host_comes_up(w, i, 0))
            poller_start(w, i, 0);
    return true;
}

/* ---- the log ---- */

static bool broker_away(struct world *w, int a, int b)
{
    (void)a;
    (void)b;
    return w->log.away = true;
}

static bool broker_back(struct world *w, int a, int b)
{
    (void)a;
    (void)b;
    w->log.away = false;
    return true;
}

static int partition(const struct world *w, int a)
{
    return a < 0 ? -1 : a % w->log.partitions;
}

static bool lose_tail(struct world *w, int a, int b)
{
    fake_log_lose_tail(&w->log, partition(w, a), b);
    return true;
}

static bool forget_head(struct world *w, int a, int b)
{
    fake_log_forget_head(&w->log, partition(w, a), b);
    return true;
}

static bool compact(struct world *w, int a, int b)
{
    (void)a;
    (void)b;
    fake_log_compact(&w->log);
    return true;
}

static bool new_cluster(struct world *w, int a, int b)
{
    (void)b;
    for (int i = 0; i < SIM_COLLECTORS; i++)
        collector_crash(w, i, 0);
    fake_log_wipe(&w->log, true);
    return collector_start(w, a, 0);
}

static bool wipe(struct world *w, int a, int b)
{
    (void)a;
    (void)b;
    fake_log_wipe(&w->log, false);
    return true;
}

static bool kill_handles(struct world *w, int a, int b)
{
    (void)a;
    (void)b;
    fake_log_kill_handles(&w->log);
    return true;
}

static bool repeat_old(struct world *w, int a, int b)
{
    for (int i = 0; i < b; i++)
        fake_log_repeat_old(&w->log, partition(w, a));
    return true;
}

static bool chances(struct world *w, int a, int b)
{
    w->log.repeat = w->log.lie = (unsigned)a;
    w->log.reorder = (unsigned)b;
    return true;
}

/* ---- the table ---- */

static const struct {
    const char *name;
    bool (*act)(struct world *w, int a, int b); /* false: it cannot happen now */
} rows[] = {
    [ACT_END] = {"the end", NULL},
    [ACT_DEFINE] = {"VM %d is defined on host %d", define},
    [ACT_START] = {"VM %d starts", start},
    [ACT_STOP] = {"VM %d stops (last CPU time told: %d)", stop},
    [ACT_KILL] = {"VM %d's QEMU dies", kill_vm},
    [ACT_DELETE] = {"VM %d is deleted", delete},
    [ACT_REBOOT] = {"VM %d reboots", reboot},
    [ACT_PAUSE] = {"VM %d pauses", pause_vm},
    [ACT_RESUME] = {"VM %d goes on", resume},
    [ACT_HANG] = {"VM %d hangs", hang},
    [ACT_ANSWER] = {"VM %d answers again", answer},
    [ACT_OMIT] = {"VM %d is omitted from the next list", omit},
    [ACT_OWNER] = {"VM %d gets owner %d", owner},
    [ACT_REPLUG] = {"VM %d: device %d is plugged anew", replug},
    [ACT_PLUG] = {"VM %d: device %d is plugged", plug},
    [ACT_UNPLUG] = {"VM %d: device %d is unplugged", unplug},
    [ACT_SNAPSHOT] = {"VM %d: snapshot of disk %d", snapshot_disk},
    [ACT_MIGRATE] = {"VM %d begins to migrate", migrate},
    [ACT_MIGRATED] = {"VM %d has migrated", migrated},
    [ACT_ABORT_MIGRATION] = {"VM %d stays", abort_migration},
    [ACT_DEAF] = {"host %d: events are lost for %d s", deaf},
    [ACT_LIBVIRTD] = {"host %d: libvirtd starts anew, in %d s", libvirtd},
    [ACT_INCOMPLETE] = {"host %d: the next list is not whole", incomplete},
    [ACT_CLOCK] = {"host %d: the clock is set by %d s", set_clock},
    [ACT_HOST_DOWN] = {"host %d goes down", host_goes_down},
    [ACT_HOST_UP] = {"host %d boots", host_comes_up},
    [ACT_BLIND_PROC] = {"host %d: /proc tells nothing", blind_proc},
    [ACT_POLLER_START] = {"poller %d starts", poller_start},
    [ACT_POLLER_CRASH] = {"poller %d is killed", poller_crash},
    [ACT_POLLER_STOP] = {"poller %d stops", poller_stop},
    [ACT_COLLECTOR_START] = {"collector %d starts", collector_start},
    [ACT_COLLECTOR_CRASH] = {"collector %d is killed", collector_crash},
    [ACT_COLLECTOR_STOP] = {"collector %d stops", collector_stop},
    [ACT_COLLECTOR_PAUSE] = {"collector %d stands still", collector_pause},
    [ACT_COLLECTOR_WAKE] = {"collector %d wakes", collector_wake},
    [ACT_BACKUP] = {"the ledger is backed up", backup},
    [ACT_RESTORE] = {"the ledger is restored from its backup, for collector %d", restore},
    [ACT_ARCHIVE_FAILS] = {"collector %d's journal will fail", archive_fails},
    [ACT_WRITE_FAILS] = {"the faulty disk's write %d from now will fail", write_fails},
    [ACT_SYNC_FAILS] = {"the faulty disk's sync %d from now will fail", sync_fails},
    [ACT_DISK_FULL] = {"the faulty disk is full", disk_full},
    [ACT_DISK_HEALS] = {"the faulty disk heals", disk_heals},
    [ACT_POWER_CUT] = {"the power is cut", power_cut},
    [ACT_BROKER_AWAY] = {"the broker is away", broker_away},
    [ACT_BROKER_BACK] = {"the broker is back", broker_back},
    [ACT_LOSE_TAIL] = {"partition %d loses its last %d messages", lose_tail},
    [ACT_FORGET_HEAD] = {"partition %d forgets its first %d messages", forget_head},
    [ACT_COMPACT] = {"the acknowledgements are compacted", compact},
    [ACT_NEW_CLUSTER] = {"collector %d starts with another broker", new_cluster},
    [ACT_WIPE] = {"the cluster is another one", wipe},
    [ACT_KILL_HANDLES] = {"all handles on the broker die", kill_handles},
    [ACT_REPEAT_OLD] = {"partition %d: %d old messages come again", repeat_old},
    [ACT_CHANCES] = {"of 100 messages %d come twice, %d late", chances},
};
static_assert(sizeof rows / sizeof rows[0] == ACT_KINDS, "a row for each kind");

void act_do(struct world *w, const struct act *act)
{
    bool happens = rows[act->kind].act(w, act->a, act->b);
    char text[160];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, rows[act->kind].name, act->a, act->b);
#pragma GCC diagnostic pop
    world_say(w, "%s%s", text, happens ? "" : " (cannot)");
}

void act_heal(struct world *w)
{
    world_say(w, "all faults end");
    broker_back(w, 0, 0);
    disk_heals(w, 0, 0);
    chances(w, 0, 0);
    for (int i = 0; i < SIM_HOSTS; i++) {
        w->hosts[i].deaf_until_ns = w->hosts[i].away_until_ns = 0;
        host_comes_up(w, i, 0);
        poller_start(w, i, 0);
    }
    for (int i = 0; i < SIM_COLLECTORS; i++)
        collector_wake(w, i, 0);
    if (!w->collectors[0].ingest && !w->collectors[1].ingest && !w->wanted[1])
        collector_start(w, 0, 0);
}
