#include "incarnation_private.h"

#include <stdlib.h>

#define KIB_PER_MIB 1024

/* Where counters and sizes stand in the statistics. */
static const struct {
    enum domain_field field;
    enum meter_id meter;
} domain_counters[] = {
    {DOMAIN_CPU_TIME, METER_CPU},
    {DOMAIN_VCPU_WAIT, METER_VCPU_WAIT},
    {DOMAIN_VCPU_DELAY, METER_VCPU_DELAY},
    {DOMAIN_BALLOON_SWAP_IN, METER_MEMORY_SWAP_IN},
    {DOMAIN_BALLOON_SWAP_OUT, METER_MEMORY_SWAP_OUT},
    {DOMAIN_PERF_CYCLES, METER_PERF_CYCLES},
    {DOMAIN_PERF_INSTRUCTIONS, METER_PERF_INSTRUCTIONS},
    {DOMAIN_PERF_CACHE_REFERENCES, METER_PERF_CACHE_REFERENCES},
    {DOMAIN_PERF_CACHE_MISSES, METER_PERF_CACHE_MISSES},
};

static const struct {
    enum disk_field field;
    enum meter_id meter;
    bool stopped; /* holds for a stopped VM too */
} disk_rows[] = {
    {DISK_RD_BYTES, METER_DISK_READ_BYTES, false},    {DISK_RD_REQS, METER_DISK_READ_REQUESTS, false},
    {DISK_RD_TIMES, METER_DISK_READ_LATENCY, false},  {DISK_WR_BYTES, METER_DISK_WRITE_BYTES, false},
    {DISK_WR_REQS, METER_DISK_WRITE_REQUESTS, false}, {DISK_WR_TIMES, METER_DISK_WRITE_LATENCY, false},
    {DISK_CAPACITY, METER_DISK_CAPACITY, true},       {DISK_ALLOCATION, METER_DISK_ALLOCATION, true},
    {DISK_PHYSICAL, METER_DISK_USAGE, true},
};

static const struct {
    enum net_field field;
    enum meter_id meter;
} net_rows[] = {
    {NET_RX_BYTES, METER_NET_IN_BYTES}, {NET_RX_PKTS, METER_NET_IN_PACKETS}, {NET_RX_DROP, METER_NET_IN_DROP},
    {NET_RX_ERRS, METER_NET_IN_ERROR},  {NET_TX_BYTES, METER_NET_OUT_BYTES}, {NET_TX_PKTS, METER_NET_OUT_PACKETS},
    {NET_TX_DROP, METER_NET_OUT_DROP},  {NET_TX_ERRS, METER_NET_OUT_ERROR},
};

static const struct {
    enum host_field field;
    enum meter_id meter;
    uint64_t divisor;
} host_rows[] = {
    {HOST_CPU_USER, METER_HOST_CPU_USER, 1},
    {HOST_CPU_KERNEL, METER_HOST_CPU_KERNEL, 1},
    {HOST_CPU_IDLE, METER_HOST_CPU_IDLE, 1},
    {HOST_CPU_IOWAIT, METER_HOST_CPU_IOWAIT, 1},
    {HOST_MEMORY_TOTAL, METER_HOST_MEMORY_TOTAL, KIB_PER_MIB},
    {HOST_MEMORY_FREE, METER_HOST_MEMORY_FREE, KIB_PER_MIB},
    {HOST_VCPUS, METER_HOST_VCPUS, 1},
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* Where values go: the set's choice of meters, the moment, the device at hand. */
struct taker {
    struct incarnations *set;
    struct incarnation *vm;
    struct device *device;
    struct sighting *out;
    int64_t time_ns; /* of gauges: under the offset that holds from this reading on */
    bool no_memory;
};

static void gauge(struct taker *t, enum meter_id meter, uint64_t value)
{
    if (!told_reserve(t->out, 1)) {
        t->no_memory = true;
        return;
    }
    struct told_list *list = &t->out->current;
    list->items[list->count++] =
        (struct told){.meter = meter, .device = t->device, .value = (int64_t)value, .time_ns = t->time_ns};
}

/* A number that no 63 bits hold is a driver's way to say that it does not know. */
static void take(struct taker *t, enum meter_id meter, struct reading r)
{
    if (!r.has || r.value > INT64_MAX || !t->set->wanted[meter])
        return;
    if (meter_at(meter)->basis == BASIS_OBSERVED) {
        gauge(t, meter, r.value);
        return;
    }
    struct slot *s = device_slot(t->device, meter);
    if (!s) {
        t->no_memory = true;
        return;
    }
    s->has_raw = true;
    s->raw = r.value;
}

static void take_number(struct taker *t, enum meter_id meter, int64_t value)
{
    if (value >= 0)
        take(t, meter, (struct reading){true, (uint64_t)value});
}

static void take_mib(struct taker *t, enum meter_id meter, struct reading kib)
{
    kib.value /= KIB_PER_MIB;
    take(t, meter, kib);
}

/* Figures of the balloon driver: without a statistics period they are those of the last look at them, for ever. */
static void take_guest_memory(struct taker *t, const struct domain_stats *d)
{
    const struct reading *f = d->field;
    struct reading update = f[DOMAIN_BALLOON_LAST_UPDATE], before = t->vm->balloon;
    bool frozen = update.has && (!before.has || before.value == update.value);
    if (update.has && (!before.has || before.value != update.value)) {
        t->vm->balloon = update;
        t->vm->dirty = true;
    }
    struct reading available = f[DOMAIN_BALLOON_AVAILABLE];
    if (frozen || !available.has)
        return;
    take_mib(t, METER_MEMORY_AVAILABLE, available);
    struct reading free = f[DOMAIN_BALLOON_USABLE].has ? f[DOMAIN_BALLOON_USABLE] : f[DOMAIN_BALLOON_UNUSED];
    if (free.has && free.value <= available.value)
        take_mib(t, METER_MEMORY_USAGE, (struct reading){true, available.value - free.value});
}

static void take_sizes(struct taker *t, const struct domain_stats *d)
{
    struct reading vcpus = d->field[DOMAIN_VCPU_CURRENT], memory = d->field[DOMAIN_BALLOON_CURRENT];
    const struct domain_meta *m = d->meta;
    if (!t->vm->running && m) { /* what it will start with */
        vcpus = vcpus.has ? vcpus : (struct reading){m->vcpus > 0, m->vcpus};
        memory = memory.has ? memory : (struct reading){m->max_memory_kib > 0, m->max_memory_kib};
    }
    take_number(t, METER_INSTANCE, 1);
    take(t, METER_VCPUS, vcpus);
    take_mib(t, METER_MEMORY, memory);
    if (!m)
        return;
    take_number(t, METER_DEVICE_GPU, m->gpu);
    take_number(t, METER_DEVICE_VGPU, m->vgpu);
    take_number(t, METER_DEVICE_PCI, m->pci);
    if (m->has_nova) {
        take_number(t, METER_DISK_ROOT_SIZE, m->flavor_disk_gib);
        take_number(t, METER_DISK_EPHEMERAL_SIZE, m->flavor_ephemeral_gib);
    }
}

bool device_is_chosen(const struct incarnations *set, const struct device *d)
{
    const char *names[] = {d->name, d->tap[0] ? d->tap : NULL};
    bool is_part = d->kind == RESOURCE_DISK || d->kind == RESOURCE_INTERFACE;
    return !is_part || selection_wants(&set->devices, names, 2, true);
}

/* @d, or NULL if it is not to be told of. */
static struct device *wanted_device(const struct taker *t, struct device *d)
{
    return d && device_is_chosen(t->set, d) ? d : NULL;
}

static void take_disks(struct taker *t, const struct domain_stats *d)
{
    for (size_t i = 0; i < d->disk_count; i++) {
        struct device *disk = d->disks[i].name ? device_find(t->vm, RESOURCE_DISK, d->disks[i].name) : NULL;
        t->device = wanted_device(t, disk);
        for (size_t n = 0; t->device && n < ROWS(disk_rows); n++)
            if (t->vm->running || disk_rows[n].stopped)
                take(t, disk_rows[n].meter, d->disks[i].field[disk_rows[n].field]);
    }
}

static void take_nets(struct taker *t, const struct domain_stats *d)
{
    for (size_t i = 0; t->vm->running && i < d->net_count; i++) {
        t->device = wanted_device(t, d->nets[i].name ? device_of_net(t->vm, d, &d->nets[i]) : NULL);
        for (size_t n = 0; t->device && n < ROWS(net_rows); n++)
            take(t, net_rows[n].meter, d->nets[i].field[net_rows[n].field]);
    }
}

/* The CPU time of one process only grows. Less of it was counted by somebody else (its cgroup, where libvirt has lost
 * or found that), and to take that for a restart would bill all of it again. */
static void doubt_cpu(struct taker *t, const struct domain_stats *d)
{
    struct slot *s = t->set->wanted[METER_CPU] ? device_slot(t->vm->devices[0], METER_CPU) : NULL;
    if (!s || !d->process_start || !s->has_raw || !s->has_last || s->raw >= s->last)
        return;
    s->has_raw = false;
    t->set->counts.doubted++;
}

bool values_take(struct incarnations *set, struct incarnation *vm, const struct domain_stats *d, struct sighting *out)
{
    struct taker t = {
        .set = set, .vm = vm, .device = vm->devices[0], .out = out, .time_ns = d->read_boot_ns + set->offset_ns};
    take_number(&t, METER_POWER_STATE, (int64_t)d->state);
    for (size_t n = 0; vm->running && n < ROWS(domain_counters); n++)
        take(&t, domain_counters[n].meter, d->field[domain_counters[n].field]);
    take_sizes(&t, d);
    if (vm->running) {
        doubt_cpu(&t, d);
        take_guest_memory(&t, d);
        take_mib(&t, METER_MEMORY_RESIDENT, d->field[DOMAIN_BALLOON_RSS]);
    }
    take_disks(&t, d);
    take_nets(&t, d);
    return !t.no_memory;
}

bool values_take_host(struct incarnations *set, struct incarnation *vm, const struct snapshot *s, struct sighting *out)
{
    struct taker t = {
        .set = set, .vm = vm, .device = vm->devices[0], .out = out, .time_ns = s->list_boot_ns + set->offset_ns};
    for (size_t n = 0; n < ROWS(host_rows); n++) {
        struct reading r = s->host[host_rows[n].field];
        r.value /= host_rows[n].divisor;
        take(&t, host_rows[n].meter, r);
    }
    return !t.no_memory;
}
