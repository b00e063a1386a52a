#include "host_model.h"

#include <stdio.h>
#include <string.h>

#define TICK_NS 10000000LL

static const char *const uuids[VMS] = {"c0000000-0000-4000-8000-000000000001", "c0000000-0000-4000-8000-000000000002",
                                       "c0000000-0000-4000-8000-000000000003"};
static char vda[] = "vda", mac[] = "52:54:00:00:00:01", tap[] = "tap0";

const char *model_uuid(int vm)
{
    return uuids[vm];
}

const char *model_mac(void)
{
    return mac;
}

static int below(struct host_model *m, int bound)
{
    return (int)random_below(m->random, (uint64_t)bound);
}

static bool one_in(struct host_model *m, int n)
{
    return below(m, n) == 0;
}

static struct lifecycle_event *happens(struct host_model *m, int vm, enum lifecycle_kind kind)
{
    static struct model_event spare;
    struct model_event *e = m->event_count < MAX_EVENTS ? &m->events[m->event_count++] : &spare;
    *e = (struct model_event){.vm = vm, .at_ns = m->now_ns, .process = m->vms[vm].process};
    e->event = (struct lifecycle_event){.kind = kind, .id = -1, .boot_ns = m->now_ns - m->boot_ns};
    text_copy(text_of(uuids[vm]), e->event.uuid, sizeof e->event.uuid);
    return &e->event;
}

static void wait(struct host_model *m, int64_t max_s)
{
    m->now_ns += SECOND + below(m, (int)max_s) * SECOND + below(m, 1000) * 1000003LL;
}

/* ---- processes ---- */

static void plug_disk(struct vm_truth *v)
{
    v->chain[0] = v->next_index++;
    v->chain_count = 1;
    v->value[DISK_RD] = v->value[DISK_WR] = 0;
}

static void new_process(struct host_model *m, struct vm_truth *v)
{
    v->running = true;
    v->paused = v->arriving = v->hung = false;
    v->id = m->next_id++;
    v->process = ++m->next_process;
    v->started_ns = m->now_ns;
    v->next_index = 1;
    v->ifindex = ++m->next_ifindex;
    v->value[CPU] = v->value[NET_RX] = 0;
    plug_disk(v);
    v->xml_chain_count = 0;
    v->version++;
}

static void start(struct host_model *m, int vm)
{
    struct vm_truth *v = &m->vms[vm];
    if (v->running)
        return;
    new_process(m, v);
    happens(m, vm, LIFECYCLE_RESUMED);
    happens(m, vm, LIFECYCLE_STARTED)->id = v->id;
}

static void end(struct host_model *m, int vm, enum lifecycle_kind kind)
{
    struct vm_truth *v = &m->vms[vm];
    if (!v->running)
        return;
    struct lifecycle_event *e = happens(m, vm, kind);
    if (kind == LIFECYCLE_STOPPED && one_in(m, 2))
        e->cpu_time = (struct reading){true, v->value[CPU]};
    v->running = v->arriving = v->hung = v->paused = false;
    v->version++;
}

static void arrive(struct host_model *m, int vm)
{
    if (m->vms[vm].running)
        return;
    new_process(m, &m->vms[vm]);
    m->vms[vm].arriving = true;
}

static void pause(struct host_model *m, int vm)
{
    struct vm_truth *v = &m->vms[vm];
    if (!v->running)
        return;
    v->paused = !v->arriving && !v->paused;
    v->arriving = false; /* an arrival resumes */
    happens(m, vm, v->paused ? LIFECYCLE_PAUSED : LIFECYCLE_RESUMED);
}

/* ---- plugs and chains ---- */

static void replug_disk(struct host_model *m, int vm)
{
    if (!m->vms[vm].running)
        return;
    plug_disk(&m->vms[vm]);
    text_copy(TEXT("virtio-disk0"), happens(m, vm, LIFECYCLE_DEVICE_ADDED)->device, 64);
}

static void replug_nic(struct host_model *m, int vm)
{
    if (!m->vms[vm].running)
        return;
    m->vms[vm].ifindex = ++m->next_ifindex;
    m->vms[vm].value[NET_RX] = 0;
    text_copy(TEXT("net0"), happens(m, vm, LIFECYCLE_DEVICE_ADDED)->device, 64);
}

/* A snapshot puts one on top, a pull leaves the top alone, a commit the rest, a copy's pivot something else. */
static void change_chain(struct host_model *m, int vm)
{
    struct vm_truth *v = &m->vms[vm];
    switch (below(m, 4)) {
    case 0:
        if (v->chain_count == MAX_CHAIN)
            return;
        memmove(v->chain + 1, v->chain, v->chain_count++ * sizeof v->chain[0]);
        v->chain[0] = v->next_index++;
        break;
    case 1:
        v->chain_count = 1;
        break;
    case 2:
        if (v->chain_count > 1)
            memmove(v->chain, v->chain + 1, --v->chain_count * sizeof v->chain[0]);
        break;
    default:
        v->chain[0] = v->next_index++;
        v->chain_count = 1;
        break;
    }
}

/* ---- the host ---- */

static void restart_libvirtd(struct host_model *m, int vm)
{
    int highest = 0;
    (void)vm;
    for (int i = 0; i < VMS; i++)
        if (m->vms[i].running && m->vms[i].id > highest)
            highest = m->vms[i].id;
    m->next_id = highest + 1;
    m->ids_repeat = true;
    m->event_count = 0; /* nobody was told */
}

static void reboot(struct host_model *m, int vm)
{
    (void)vm;
    if (!one_in(m, 4))
        return;
    for (int i = 0; i < VMS; i++)
        m->vms[i].running = m->vms[i].arriving = m->vms[i].hung = false;
    m->now_ns += 30 * SECOND;
    m->boot_ns = m->now_ns;
    m->now_ns += 5 * SECOND;
    m->boots++;
    m->next_id = 1;
    m->event_count = 0;
}

static void end_somehow(struct host_model *m, int vm)
{
    static const enum lifecycle_kind ends[] = {LIFECYCLE_STOPPED, LIFECYCLE_CRASHED, LIFECYCLE_MIGRATED};
    end(m, vm, ends[below(m, 3)]);
}

static void stop_and_start(struct host_model *m, int vm)
{
    end(m, vm, LIFECYCLE_STOPPED);
    wait(m, 30);
    start(m, vm);
}

static void change_owner(struct host_model *m, int vm)
{
    m->vms[vm].project = below(m, PROJECTS);
    m->vms[vm].version++;
}

static void resize(struct host_model *m, int vm)
{
    m->vms[vm].vcpus = 1 + random_below(m->random, 4);
}

static void hang(struct host_model *m, int vm)
{
    m->vms[vm].hung = m->vms[vm].running && !m->vms[vm].hung;
}

static void reboot_guest(struct host_model *m, int vm)
{
    happens(m, vm, LIFECYCLE_REBOOTED);
}

static void set_clock(struct host_model *m, int vm)
{
    (void)vm;
    m->wall_offset_ns += (below(m, 9) - 4) * 900 * SECOND;
}

static void nothing(struct host_model *m, int vm)
{
    (void)m;
    (void)vm;
}

static void one_thing(struct host_model *m, int vm)
{
    static void (*const things[])(struct host_model * m, int vm) = {
        start,        start,        start,        end_somehow, end_somehow, stop_and_start, arrive,
        pause,        pause,        replug_disk,  replug_disk, replug_nic,  replug_nic,     change_chain,
        change_chain, change_owner, change_owner, resize,      hang,        set_clock,      restart_libvirtd,
        reboot_guest, reboot,       nothing,      nothing,
    };
    things[below(m, (int)(sizeof things / sizeof things[0]))](m, vm);
}

static void work(struct host_model *m)
{
    for (int i = 0; i < VMS; i++) {
        struct vm_truth *v = &m->vms[i];
        for (int c = 0; v->running && !v->arriving && !v->paused && c < COUNTERS; c++)
            if (!one_in(m, 3))
                v->value[c] += random_below(m->random, 1000);
    }
}

void model_start(struct host_model *m, struct random *random)
{
    *m = (struct host_model){.random = random, .now_ns = 500000 * SECOND, .wall_offset_ns = 1700000000 * SECOND};
    m->next_id = 1;
    for (int i = 0; i < VMS; i++) {
        m->vms[i].vcpus = 1;
        m->vms[i].project = below(m, PROJECTS);
        if (one_in(m, 2))
            start(m, i);
    }
    m->event_count = 0;
}

void model_step(struct host_model *m)
{
    for (int i = 1 + below(m, 3); i > 0; i--) {
        wait(m, 40);
        work(m);
        one_thing(m, below(m, VMS));
        work(m);
    }
    wait(m, one_in(m, 20) ? 2000 : 30);
}

/* ---- what is shown ---- */

static void show_counters(struct host_model *m, const struct vm_truth *v, bool most, struct shown *s)
{
    struct reading *const fields[COUNTERS] = {&s->stats.field[DOMAIN_CPU_TIME], &s->disk.field[DISK_RD_BYTES],
                                              &s->disk.field[DISK_WR_BYTES], &s->net.field[NET_RX_BYTES]};
    for (int c = 0; c < COUNTERS; c++)
        *fields[c] = (struct reading){most || !one_in(m, 5), v->value[c]};
}

/* The XML is of this moment, of an earlier one, or not there. */
static void show_xml(struct host_model *m, struct vm_truth *v, struct shown *s)
{
    if (v->xml_chain_count == 0 || !one_in(m, 4)) {
        memcpy(v->xml_chain, v->chain, sizeof v->chain);
        v->xml_chain_count = v->chain_count;
        v->version++;
    }
    s->xml_disk = (struct domain_disk){.target = vda, .chain_count = v->xml_chain_count};
    memcpy(s->xml_disk.chain, v->xml_chain, v->xml_chain_count * sizeof v->chain[0]);
    s->nic = (struct domain_nic){.mac = mac, .target = tap, .countable = true};
    s->meta = (struct domain_meta){
        .disks = &s->xml_disk, .disk_count = 1, .nics = &s->nic, .nic_count = 1, .version = v->version};
    s->stats.meta = one_in(m, 8) ? NULL : &s->meta;
}

static void show_running(struct host_model *m, struct vm_truth *v, struct shown *s)
{
    struct domain_stats *d = &s->stats;
    bool start_hidden = !m->ids_repeat && one_in(m, 10);
    d->id = v->id;
    d->state = v->arriving || v->paused ? DOMAIN_PAUSED : one_in(m, 3) ? DOMAIN_BLOCKED : DOMAIN_RUNNING;
    d->reason = v->arriving ? 2 : 1;
    d->process_start = start_hidden ? 0 : (v->started_ns - m->boot_ns) / TICK_NS;
    d->answers = !v->hung;
    d->field[DOMAIN_VCPU_CURRENT] = (struct reading){!v->hung, v->vcpus};
    show_counters(m, v, one_in(m, 2), s);
    s->disk.name = vda;
    s->disk.backing_index = (struct reading){true, (uint64_t)v->chain[0]};
    s->net.name = tap;
    s->net.ifindex = (struct reading){true, v->ifindex};
    d->disk_count = !v->hung && !one_in(m, 8);
    d->net_count = !one_in(m, 8);
}

bool model_show(struct host_model *m, int vm, bool first, struct shown *s)
{
    struct vm_truth *v = &m->vms[vm];
    if (!first && one_in(m, 6))
        return false;
    *s = (struct shown){.vm = vm, .project = v->project, .process = v->process, .started_ns = v->started_ns};
    s->at_ns = m->now_ns;
    s->owner_unknown = one_in(m, 10);
    text_copy(text_of(uuids[vm]), s->stats.uuid, sizeof s->stats.uuid);
    s->stats.name = vda;
    s->stats.id = -1;
    s->stats.state = DOMAIN_SHUTOFF;
    s->stats.read_boot_ns = m->now_ns - m->boot_ns;
    s->stats.disks = &s->disk;
    s->stats.nets = &s->net;
    s->stats.field[DOMAIN_CPU_TIME] = (struct reading){true, 999999999}; /* stopped: libvirtd's own */
    if (v->running) {
        show_running(m, v, s);
        show_xml(m, v, s);
    }
    return true;
}

void model_replug_within(struct host_model *m, struct shown *s)
{
    struct vm_truth *v = &m->vms[s->vm];
    if (!s->stats.meta || v->hung)
        return;
    m->now_ns += SECOND;
    replug_disk(m, s->vm);
    memcpy(s->xml_disk.chain, v->chain, sizeof v->chain);
    s->xml_disk.chain_count = v->chain_count;
    s->meta.version = ++v->version;
}

void model_snapshot(const struct host_model *m, struct snapshot *ret)
{
    *ret = (struct snapshot){.listed = true, .list_boot_ns = m->now_ns - m->boot_ns};
    ret->list_wall_ns = m->now_ns + m->wall_offset_ns;
    text_copy(TEXT("a0000000-0000-4000-8000-000000000001"), ret->host_uuid, sizeof ret->host_uuid);
    snprintf(ret->boot_id, sizeof ret->boot_id, "boot-%d", m->boots);
}
