/* The inspector port of a simulated host. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/host.h"

static struct host *host_of(struct inspector *self)
{
    return (struct host *)self;
}

static char *copy(const char *s)
{
    char *c = text_dup(text_of(s));
    if (!c)
        abort();
    return c;
}

static void *zeroed(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p)
        abort();
    return p;
}

/* ---- describing ---- */

static char vda[] = "vda", vdb[] = "vdb", bridge[] = "br0", hvm[] = "hvm";

static void describe_disk(struct domain_meta *m, char *target, const struct plug *p)
{
    if (!p->serial)
        return;
    struct domain_disk *d = &m->disks[m->disk_count++];
    *d = (struct domain_disk){.target = target, .chain_count = p->chain_count};
    memcpy(d->chain, p->chain, p->chain_count * sizeof p->chain[0]);
}

static const struct domain_meta *describe(struct host *h, int vm)
{
    const struct domain *d = &h->domains[vm];
    const struct sim_owner *owner = &sim_owners[d->known_owner];
    struct host_meta *m = &h->metas[vm];
    *m = (struct host_meta){.meta = {.has_nova = false,
                                     .flavor = (char *)(uintptr_t)owner->flavor,
                                     .project = (char *)(uintptr_t)owner->project,
                                     .flavor_vcpus = -1,
                                     .flavor_ram_mib = -1,
                                     .flavor_disk_gib = -1,
                                     .flavor_ephemeral_gib = -1,
                                     .flavor_swap_mib = -1,
                                     .os_type = hvm,
                                     .max_memory_kib = 524288,
                                     .vcpus = h->vms[vm].vcpus,
                                     .version = d->version}};
    m->meta.disks = m->disks;
    describe_disk(&m->meta, vda, &d->plugs[DEVICE_VDA]);
    describe_disk(&m->meta, vdb, &d->plugs[DEVICE_VDB]);
    if (d->plugs[DEVICE_NIC].serial) {
        snprintf(m->tap, sizeof m->tap, "vnet%u", (unsigned)d->plugs[DEVICE_NIC].ifindex);
        m->nic = (struct domain_nic){.mac = (char *)(uintptr_t)sim_device_name(DEVICE_NIC, vm),
                                     .target = d->process ? m->tap : NULL,
                                     .source = bridge,
                                     .countable = true};
        m->meta.nics = &m->nic;
        m->meta.nic_count = 1;
    }
    return &m->meta;
}

/* ---- reading ---- */

static void read_disk(struct domain_stats *s, const struct plug *p, const char *target, bool runs)
{
    static const enum disk_field fields[SIM_COUNTERS] = {DISK_RD_BYTES, DISK_RD_REQS, DISK_WR_BYTES, DISK_WR_REQS};
    if (!p->serial)
        return;
    struct disk_stats *d = &s->disks[s->disk_count++];
    *d = (struct disk_stats){.name = copy(target)};
    if (runs)
        d->backing_index = (struct reading){true, (uint64_t)p->chain[0]};
    d->field[DISK_CAPACITY] = (struct reading){true, 1 << 30};
    for (int i = 0; runs && i < SIM_COUNTERS; i++)
        d->field[fields[i]] = (struct reading){true, p->counters[i]};
}

static void read_nic(struct domain_stats *s, const struct plug *p)
{
    static const enum net_field fields[SIM_COUNTERS] = {NET_RX_BYTES, NET_RX_PKTS, NET_TX_BYTES, NET_TX_PKTS};
    char tap[16];
    if (!p->serial)
        return;
    snprintf(tap, sizeof tap, "vnet%u", (unsigned)p->ifindex);
    struct net_stats *n = &s->nets[s->net_count++];
    *n = (struct net_stats){.name = copy(tap), .ifindex = {true, p->ifindex}};
    for (int i = 0; i < SIM_COUNTERS; i++)
        n->field[fields[i]] = (struct reading){true, p->counters[i]};
}

static void read_domain(struct host *h, int vm, struct domain_stats *s)
{
    const struct domain *d = &h->domains[vm];
    char name[16];
    snprintf(name, sizeof name, "vm-%d", vm);
    snprintf(s->uuid, sizeof s->uuid, "%s", sim_uuid(vm));
    s->name = copy(name);
    s->id = d->id;
    s->state = d->state;
    s->reason = d->reason;
    s->read_wall_ns = clock_wall_ns(&h->clock.port);
    s->read_boot_ns = clock_boot_ns(&h->clock.port);
    s->answers = !d->hung;
    s->meta = d->blind ? NULL : describe(h, vm);
    s->disks = zeroed(2, sizeof *s->disks);
    s->nets = zeroed(1, sizeof *s->nets);
    if (d->process && h->sees_processes)
        s->process_start = (d->started_ns - h->clock.booted_ns) / (10 * NS_PER_MS);
    /* A stopped domain's is libvirtd's own. */
    s->field[DOMAIN_CPU_TIME] = (struct reading){true, d->process ? d->plugs[DEVICE_SELF].counters[0] : 123456789};
    if (d->process)
        read_nic(s, &d->plugs[DEVICE_NIC]);
    if (d->hung)
        return;
    s->field[DOMAIN_VCPU_CURRENT] = (struct reading){d->process != 0, h->vms[vm].vcpus};
    s->field[DOMAIN_BALLOON_CURRENT] = (struct reading){d->process != 0, 524288};
    read_disk(s, &d->plugs[DEVICE_VDA], vda, d->process != 0);
    read_disk(s, &d->plugs[DEVICE_VDB], vdb, d->process != 0);
}

/* The same, as it is in truth. */
static void see_domain(const struct host *h, int vm, struct seen_vm *s)
{
    const struct domain *d = &h->domains[vm];
    *s = (struct seen_vm){.entity = vm,
                          .process = d->process,
                          .started_ns = d->started_ns,
                          .state = !d->process                 ? STATE_OFF
                                   : d->state == DOMAIN_PAUSED ? STATE_PAUSED
                                                               : STATE_RUNNING,
                          .arriving = d->reason == 2 && d->state == DOMAIN_PAUSED,
                          .dated = h->sees_processes,
                          .described = !d->blind,
                          .answers = !d->hung,
                          .owner = d->known_owner};
    for (int i = 0; d->process && i < SIM_DEVICES; i++) {
        const struct plug *p = &d->plugs[i];
        bool hidden = (i == DEVICE_NIC && d->blind) || (d->hung && (i == DEVICE_VDA || i == DEVICE_VDB));
        s->plugs[i] = (struct seen_plug){.plug = p->serial, .plugged_ns = p->at_ns};
        for (size_t n = 0; n < SIM_COUNTERS && p->serial && !hidden; n++)
            s->plugs[i].counters[n] =
                (struct seen_counter){sim_meter(false, (enum sim_device)i, n) != METERS, p->counters[n]};
    }
}

static void see_host(const struct host *h, struct seen_vm *s)
{
    *s = (struct seen_vm){.entity = SIM_VMS + h->number,
                          .process = h->boot_serial,
                          .started_ns = h->clock.booted_ns,
                          .state = STATE_RUNNING,
                          .dated = true,
                          .described = true,
                          .answers = true,
                          .owner = OWNER_NONE};
    s->plugs[DEVICE_SELF] =
        (struct seen_plug){h->boot_serial, h->clock.booted_ns, {{.has = true, .value = h->cpu_user}}};
}

static void sample(struct host *h)
{
    struct snapshot *s = zeroed(1, sizeof *s);
    char name[16];
    snprintf(name, sizeof name, "host-%d", h->number);
    snprintf(s->host_uuid, sizeof s->host_uuid, "%s", sim_uuid(SIM_VMS + h->number));
    snprintf(s->boot_id, sizeof s->boot_id, "%s", h->boot_id);
    s->host_name = copy(name);
    s->listed = !h->incomplete;
    s->list_wall_ns = clock_wall_ns(&h->clock.port);
    s->list_boot_ns = clock_boot_ns(&h->clock.port);
    s->host[HOST_CPU_USER] = (struct reading){true, h->cpu_user};
    s->host[HOST_VCPUS] = (struct reading){true, 64};
    s->domains = zeroed(SIM_VMS, sizeof *s->domains);
    h->seen = (struct seen_list){.host = h->number, .at_ns = *h->now_ns, .complete = s->listed};
    for (int i = 0; i < SIM_VMS; i++) {
        struct domain *d = &h->domains[i];
        if (d->defined && !d->omitted) {
            see_domain(h, i, &h->seen.vms[h->seen.count++]);
            read_domain(h, i, &s->domains[s->count++]);
            s->hung += d->hung;
            d->blind -= d->blind > 0;
        }
        d->omitted = false;
    }
    see_host(h, &h->seen.vms[h->seen.count++]);
    h->incomplete = false;
    h->snapshot = s;
}

void host_step(struct host *h)
{
    if (h->up && h->asked && !h->snapshot && *h->now_ns >= h->sample_ns && *h->now_ns >= h->away_until_ns)
        sample(h);
}

/* ---- the port ---- */

static bool any_hung(const struct host *h)
{
    for (int i = 0; i < SIM_VMS; i++)
        if (h->domains[i].hung)
            return true;
    return false;
}

static int begin(struct inspector *self, unsigned groups, int64_t deadline_boot_ns)
{
    struct host *h = host_of(self);
    (void)groups;
    if (h->asked)
        return -EBUSY;
    int64_t now = *h->now_ns, deadline = fake_clock_true_ns(&h->clock, deadline_boot_ns);
    h->asked = true;
    h->sample_ns = now + (1 + (int64_t)random_below(h->random, 40)) * NS_PER_MS;
    h->ready_ns = any_hung(h) ? deadline : h->sample_ns + (int64_t)random_below(h->random, 300) * NS_PER_MS;
    return 0;
}

static int result(struct inspector *self, struct snapshot **ret, struct error *error)
{
    struct host *h = host_of(self);
    if (!h->asked || *h->now_ns < h->ready_ns)
        return 0;
    h->asked = false;
    if (!h->snapshot)
        return error_set(error, -EIO, "libvirtd of host %d does not answer", h->number);
    *ret = h->snapshot;
    h->snapshot = NULL;
    oracle_list(h->oracle, &h->seen);
    return 1;
}

static int event(struct inspector *self, struct lifecycle_event *ret)
{
    struct host *h = host_of(self);
    struct coming_event *e = &h->events[h->first];
    if (h->count == 0 || *h->now_ns < e->seen.at_ns)
        return 0;
    *ret = e->event;
    ret->boot_ns = e->seen.at_ns - h->clock.booted_ns;
    ret->wall_ns = e->seen.at_ns + h->clock.wrong_ns;
    oracle_event(h->oracle, &e->seen);
    h->first = (h->first + 1) % HOST_EVENTS;
    h->count--;
    return 1;
}

static void no_figures(struct inspector *self, struct inspector_figures *ret)
{
    (void)self;
    *ret = (struct inspector_figures){0};
}

static int wake_fd(struct inspector *self)
{
    (void)self;
    return -1;
}

static void destroy(struct inspector *self)
{
    (void)self;
}

int64_t host_wake_ns(const struct host *h)
{
    int64_t wake = INT64_MAX;
    if (h->asked)
        wake = h->snapshot || *h->now_ns < h->away_until_ns ? h->ready_ns : h->sample_ns;
    if (h->count && h->events[h->first].seen.at_ns < wake)
        wake = h->events[h->first].seen.at_ns;
    return wake;
}

void host_reset_inspector(struct host *h)
{
    snapshot_free(h->snapshot);
    h->snapshot = NULL;
    h->asked = false;
    h->first = h->count = 0;
    for (int i = 0; i < SIM_VMS; i++) { /* who connects anew reads all XML anew */
        h->domains[i].known_owner = h->vms[i].owner;
        h->domains[i].version++;
    }
}

void host_init(struct host *h, int number, const int64_t *now_ns, struct random *random, struct oracle *oracle,
               struct vm *vms, uint64_t *serial)
{
    *h = (struct host){.port = {begin, result, event, wake_fd, no_figures, destroy},
                       .number = number,
                       .now_ns = now_ns,
                       .random = random,
                       .oracle = oracle,
                       .vms = vms,
                       .serial = serial,
                       .clock = fake_clock(now_ns, *now_ns),
                       .sees_processes = true};
    host_boot(h);
    h->clock.booted_ns = *now_ns - 3600 * NS_PER_S;
}

void host_finish(struct host *h)
{
    host_reset_inspector(h);
}
