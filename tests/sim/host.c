#include "sim/host.h"

#include <stdio.h>
#include <stdlib.h>

#define PAUSED_MIGRATION 2

static uint64_t new_serial(struct host *h)
{
    return ++*h->serial;
}

/* ---- events ---- */

static enum seen_kind seen_kind(enum lifecycle_kind kind, bool is_nic)
{
    switch (kind) {
    case LIFECYCLE_STARTED:
        return SEEN_STARTED;
    case LIFECYCLE_STOPPED:
    case LIFECYCLE_CRASHED:
    case LIFECYCLE_MIGRATED:
        return SEEN_STOPPED;
    case LIFECYCLE_DEVICE_ADDED:
    case LIFECYCLE_DEVICE_REMOVED:
        return is_nic ? SEEN_OTHER : SEEN_DISK;
    case LIFECYCLE_PAUSED:
        return SEEN_PAUSED;
    case LIFECYCLE_RESUMED:
        return SEEN_RESUMED;
    case LIFECYCLE_PMSUSPENDED:
    case LIFECYCLE_REBOOTED:
    case LIFECYCLE_DEFINED:
    case LIFECYCLE_UNDEFINED:
    case LIFECYCLE_METADATA:
    case LIFECYCLE_RESIZED:
    case LIFECYCLE_KINDS:
        break;
    }
    return SEEN_OTHER;
}

static bool is_deaf(const struct host *h)
{
    return *h->now_ns < h->deaf_until_ns || *h->now_ns < h->away_until_ns;
}

/* False: nobody will ever hear of it. */
static bool tell(struct host *h, int vm, enum lifecycle_kind kind, enum sim_device device, struct seen_counter cpu)
{
    if (is_deaf(h) || h->count == HOST_EVENTS)
        return false;
    const struct domain *d = &h->domains[vm];
    size_t last = (h->first + h->count - 1) % HOST_EVENTS;
    int64_t at = *h->now_ns + (int64_t)random_below(h->random, 300) * NS_PER_MS;
    if (h->count && h->events[last].seen.at_ns > at)
        at = h->events[last].seen.at_ns; /* in their order */
    struct coming_event e = {.event = {.kind = kind, .id = d->id, .cpu_time = {cpu.has, cpu.value}},
                             .seen = {h->number, vm, seen_kind(kind, device == DEVICE_NIC), d->process, at, cpu}};
    snprintf(e.event.uuid, sizeof e.event.uuid, "%s", sim_uuid(vm));
    if (device != DEVICE_SELF)
        snprintf(e.event.device, sizeof e.event.device, device == DEVICE_NIC ? "net0" : "virtio-disk%d", device - 1);
    h->events[(h->first + h->count++) % HOST_EVENTS] = e;
    return true;
}

static const struct seen_counter no_cpu;

static void tell_plain(struct host *h, int vm, enum lifecycle_kind kind)
{
    tell(h, vm, kind, DEVICE_SELF, no_cpu);
}

/* The XML is fetched again where an event says so. */
static void refetch(struct host *h, int vm)
{
    h->domains[vm].known_owner = h->vms[vm].owner;
    h->domains[vm].version++;
}

/* ---- devices ---- */

static void plug_in(struct host *h, struct domain *d, enum sim_device device)
{
    struct plug *p = &d->plugs[device];
    *p = (struct plug){.serial = new_serial(h), .at_ns = *h->now_ns};
    if (device == DEVICE_NIC)
        p->ifindex = (uint64_t)++h->next_index;
    else
        p->chain[p->chain_count++] = ++h->next_index;
    d->version++;
}

bool host_plug(struct host *h, int vm, enum sim_device device)
{
    struct domain *d = &h->domains[vm];
    if (!d->process || d->plugs[device].serial || d->hung || d->blind || d->reason == PAUSED_MIGRATION)
        return false;
    plug_in(h, d, device);
    if (tell(h, vm, LIFECYCLE_DEVICE_ADDED, device, no_cpu))
        refetch(h, vm);
    return true;
}

bool host_unplug(struct host *h, int vm, enum sim_device device)
{
    struct domain *d = &h->domains[vm];
    if (!d->process || !d->plugs[device].serial || d->hung || d->blind || d->reason == PAUSED_MIGRATION)
        return false;
    d->plugs[device] = (struct plug){0};
    d->version++;
    if (tell(h, vm, LIFECYCLE_DEVICE_REMOVED, device, no_cpu))
        refetch(h, vm);
    return true;
}

bool host_replug(struct host *h, int vm, enum sim_device device)
{
    return host_unplug(h, vm, device) && host_plug(h, vm, device);
}

bool host_snapshot_disk(struct host *h, int vm, enum sim_device device)
{
    struct plug *p = &h->domains[vm].plugs[device];
    if (!h->domains[vm].process || !p->serial || p->chain_count == HOST_CHAIN || h->domains[vm].hung)
        return false;
    memmove(p->chain + 1, p->chain, p->chain_count * sizeof p->chain[0]);
    p->chain[0] = ++h->next_index;
    p->chain_count++;
    h->domains[vm].version++;
    return true;
}

/* ---- processes ---- */

static void begin_process(struct host *h, int vm)
{
    struct domain *d = &h->domains[vm];
    d->process = new_serial(h);
    d->started_ns = *h->now_ns;
    d->id = h->next_id++;
    d->hung = false;
    d->blind = random_below(h->random, 8) ? 0 : 1 + (int)random_below(h->random, 2);
    for (int i = 0; i < SIM_DEVICES; i++)
        if (i == DEVICE_SELF || d->plugs[i].serial)
            plug_in(h, d, (enum sim_device)i);
    refetch(h, vm);
}

bool host_define(struct host *h, int vm)
{
    struct domain *d = &h->domains[vm];
    if (!h->up || d->defined)
        return false;
    *d = (struct domain){.defined = true, .id = -1, .state = DOMAIN_SHUTOFF, .version = d->version};
    d->plugs[DEVICE_VDA].serial = d->plugs[DEVICE_NIC].serial = new_serial(h);
    refetch(h, vm);
    tell_plain(h, vm, LIFECYCLE_DEFINED);
    return true;
}

bool host_start(struct host *h, int vm)
{
    struct domain *d = &h->domains[vm];
    if (!h->up || !d->defined || d->process)
        return false;
    begin_process(h, vm);
    d->state = DOMAIN_RUNNING;
    d->reason = 1;
    tell_plain(h, vm, LIFECYCLE_RESUMED);
    tell_plain(h, vm, LIFECYCLE_STARTED);
    return true;
}

static void end_process(struct domain *d)
{
    d->process = 0;
    d->id = -1;
    d->state = DOMAIN_SHUTOFF;
    d->reason = 0;
    d->hung = false;
}

bool host_stop(struct host *h, int vm, enum lifecycle_kind how, bool with_cpu)
{
    struct domain *d = &h->domains[vm];
    if (!h->up || !d->process || d->reason == PAUSED_MIGRATION)
        return false;
    struct seen_counter cpu = {with_cpu, with_cpu ? d->plugs[DEVICE_SELF].counters[0] : 0};
    tell(h, vm, how, DEVICE_SELF, cpu);
    end_process(d);
    return true;
}

bool host_undefine(struct host *h, int vm)
{
    struct domain *d = &h->domains[vm];
    if (!h->up || !d->defined || d->process)
        return false;
    d->defined = false;
    tell_plain(h, vm, LIFECYCLE_UNDEFINED);
    return true;
}

bool host_reboot_vm(struct host *h, int vm)
{
    if (!h->up || h->domains[vm].state != DOMAIN_RUNNING)
        return false;
    tell_plain(h, vm, LIFECYCLE_REBOOTED);
    tell_plain(h, vm, LIFECYCLE_REBOOTED);
    return true;
}

bool host_pause(struct host *h, int vm, bool paused)
{
    struct domain *d = &h->domains[vm];
    if (!h->up || !d->process || d->reason == PAUSED_MIGRATION || d->state != (paused ? DOMAIN_RUNNING : DOMAIN_PAUSED))
        return false;
    d->state = paused ? DOMAIN_PAUSED : DOMAIN_RUNNING;
    d->reason = 1;
    tell_plain(h, vm, paused ? LIFECYCLE_PAUSED : LIFECYCLE_RESUMED);
    return true;
}

bool host_hang(struct host *h, int vm, bool hung)
{
    struct domain *d = &h->domains[vm];
    if (!h->up || !d->process || d->hung == hung || d->reason == PAUSED_MIGRATION)
        return false;
    d->hung = hung;
    return true;
}

void host_tell_owner(struct host *h, int vm)
{
    if (h->up && h->domains[vm].defined && tell(h, vm, LIFECYCLE_METADATA, DEVICE_SELF, no_cpu))
        refetch(h, vm);
}

/* ---- migration ---- */

bool host_arrive(struct host *h, int vm)
{
    struct domain *d = &h->domains[vm];
    if (!h->up || d->defined)
        return false;
    *d = (struct domain){.defined = true, .version = d->version};
    d->plugs[DEVICE_VDA].serial = d->plugs[DEVICE_NIC].serial = new_serial(h);
    begin_process(h, vm);
    d->state = DOMAIN_PAUSED;
    d->reason = PAUSED_MIGRATION;
    tell_plain(h, vm, LIFECYCLE_STARTED);
    return true;
}

bool host_arrived(struct host *h, int vm)
{
    struct domain *d = &h->domains[vm];
    if (!h->up || d->reason != PAUSED_MIGRATION)
        return false;
    d->state = DOMAIN_RUNNING;
    d->reason = 5;
    tell_plain(h, vm, LIFECYCLE_RESUMED);
    return true;
}

bool host_gone(struct host *h, int vm)
{
    return host_stop(h, vm, LIFECYCLE_MIGRATED, false) && host_undefine(h, vm);
}

bool host_abort_arrival(struct host *h, int vm)
{
    struct domain *d = &h->domains[vm];
    if (!h->up || d->reason != PAUSED_MIGRATION)
        return false;
    tell_plain(h, vm, LIFECYCLE_STOPPED);
    end_process(d);
    return host_undefine(h, vm);
}

/* ---- the machine ---- */

/* libvirtd numbers domains from the highest that runs when it starts. */
void host_restart_libvirtd(struct host *h, int64_t for_ns)
{
    h->away_until_ns = *h->now_ns + for_ns;
    h->next_id = 1;
    for (int i = 0; i < SIM_VMS; i++)
        if (h->domains[i].process && h->domains[i].id >= h->next_id)
            h->next_id = h->domains[i].id + 1;
    host_reset_inspector(h);
}

void host_down(struct host *h)
{
    for (int i = 0; i < SIM_VMS; i++) {
        if (h->domains[i].reason == PAUSED_MIGRATION)
            h->domains[i].defined = false;
        end_process(&h->domains[i]);
    }
    h->up = false;
    host_reset_inspector(h);
}

void host_boot(struct host *h)
{
    h->up = true;
    h->boots++;
    h->boot_serial = new_serial(h);
    h->cpu_user = 0;
    h->clock.booted_ns = *h->now_ns - 5 * NS_PER_S;
    h->next_id = 1;
    h->away_until_ns = 0;
    snprintf(h->boot_id, sizeof h->boot_id, "cccccccc-%04d-4000-8000-%012u", h->number, h->boots);
}

static void work(struct host *h, struct plug *p)
{
    if (!p->serial)
        return;
    for (int i = 0; i < SIM_COUNTERS; i++)
        p->counters[i] += random_below(h->random, 3) ? random_below(h->random, i % 2 ? 100 : 1000003) : 0;
}

void host_work(struct host *h)
{
    if (h->up)
        h->cpu_user += random_below(h->random, 1000000007);
    for (int i = 0; i < SIM_VMS; i++)
        for (int d = 0; h->domains[i].state == DOMAIN_RUNNING && !h->domains[i].hung && d < SIM_DEVICES; d++)
            work(h, &h->domains[i].plugs[d]);
}
