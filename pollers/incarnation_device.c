#include "incarnation_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct device *device_find(const struct incarnation *vm, enum resource_kind kind, const char *name)
{
    for (size_t i = 0; i < vm->count; i++) {
        struct device *d = vm->devices[i];
        if (d->kind == kind && !d->gone && strcmp(d->name, name) == 0)
            return d;
    }
    return NULL;
}

static bool devices_grow(struct incarnation *vm)
{
    if (vm->count < vm->cap)
        return true;
    size_t cap = vm->cap ? vm->cap * 2 : 4;
    struct device **wider = realloc(vm->devices, cap * sizeof(struct device *));
    if (!wider)
        return false;
    vm->devices = wider;
    vm->cap = cap;
    return true;
}

struct device *device_make(struct incarnations *set, struct incarnation *vm, enum resource_kind kind, const char *name,
                           bool *ret_no_memory)
{
    if (vm->count >= INCARNATION_MAX_DEVICES || strlen(name) >= DEVICE_NAME_SIZE) {
        set->counts.refused++;
        return NULL;
    }
    struct device *d = devices_grow(vm) ? calloc(1, sizeof *d) : NULL;
    if (!d) {
        *ret_no_memory = true;
        return NULL;
    }
    d->kind = kind;
    text_copy(text_of(name), d->name, sizeof d->name);
    d->from_zero = vm->from_zero || vm->devices_known;
    d->plug_boot_ns = vm->devices_known ? vm->seen_boot_ns : 0;
    vm->devices[vm->count++] = d;
    vm->dirty = true;
    return d;
}

void device_free(struct device *d)
{
    if (d)
        free(d->slots);
    free(d);
}

void incarnation_free(struct incarnation *vm)
{
    if (!vm)
        return;
    for (size_t i = 0; i < vm->count; i++)
        device_free(vm->devices[i]);
    free(vm->devices);
    free(vm);
}

struct slot *device_slot(struct device *d, enum meter_id meter)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->slots[i].meter == meter)
            return &d->slots[i];
    if (d->count == d->cap) {
        size_t cap = d->cap ? d->cap * 2 : 8;
        struct slot *wider = realloc(d->slots, cap * sizeof *wider);
        if (!wider)
            return NULL;
        d->slots = wider;
        d->cap = cap;
    }
    struct slot *s = &d->slots[d->count++];
    *s = (struct slot){.meter = meter, .last_boot_ns = d->plug_boot_ns};
    return s;
}

void devices_sweep(struct incarnation *vm)
{
    size_t kept = 0;
    for (size_t i = 0; i < vm->count; i++) {
        struct device *d = vm->devices[i];
        if (d->gone) {
            device_free(d);
            continue;
        }
        d->listed = false;
        for (size_t n = 0; n < d->count; n++)
            d->slots[n].has_raw = false;
        vm->devices[kept++] = d;
    }
    vm->count = kept;
}

/* False only when out of memory; a device over a limit is left out. */
static bool show(struct incarnations *set, struct incarnation *vm, enum resource_kind kind, const char *name,
                 struct device **ret)
{
    bool no_memory = false;
    *ret = device_find(vm, kind, name);
    if (!*ret)
        *ret = device_make(set, vm, kind, name, &no_memory);
    if (*ret)
        (*ret)->listed = true;
    return !no_memory;
}

static bool list_disks(struct incarnations *set, struct incarnation *vm, const struct domain_stats *d)
{
    struct device *ignored;
    for (size_t i = 0; i < d->disk_count; i++)
        if (d->disks[i].name && !show(set, vm, RESOURCE_DISK, d->disks[i].name, &ignored))
            return false;
    for (size_t i = 0; d->meta && i < d->meta->disk_count; i++)
        if (d->meta->disks[i].target && !show(set, vm, RESOURCE_DISK, d->meta->disks[i].target, &ignored))
            return false;
    return true;
}

static bool list_nics(struct incarnations *set, struct incarnation *vm, const struct domain_stats *d)
{
    for (size_t i = 0; d->meta && i < d->meta->nic_count; i++) {
        const struct domain_nic *nic = &d->meta->nics[i];
        struct device *shown = nic->mac ? device_find(vm, RESOURCE_INTERFACE, nic->mac) : NULL;
        if (!nic->mac || !nic->countable)
            continue;
        if (shown && shown->listed) { /* two of one MAC cannot be told apart */
            set->counts.refused++;
            continue;
        }
        if (!show(set, vm, RESOURCE_INTERFACE, nic->mac, &shown))
            return false;
    }
    return true;
}

bool devices_list(struct incarnations *set, struct incarnation *vm, const struct domain_stats *d)
{
    return list_disks(set, vm, d) && list_nics(set, vm, d);
}

/* ---- plugs ---- */

static bool has_fallen(const struct device *d)
{
    for (size_t n = 0; n < d->count; n++) {
        const struct slot *s = &d->slots[n];
        if (is_counter(s) && s->has_raw && s->has_last && s->raw < s->last)
            return true;
    }
    return false;
}

static bool has_index(const int64_t *chain, size_t count, uint64_t index)
{
    for (size_t i = 0; i < count; i++)
        if ((uint64_t)chain[i] == index)
            return true;
    return false;
}

static bool share_an_index(const struct device *d, const struct domain_disk *disk)
{
    for (size_t i = 0; i < disk->chain_count; i++)
        if (has_index(d->chain, d->chain_count, (uint64_t)disk->chain[i]))
            return true;
    return false;
}

static void take_chain(struct incarnation *vm, struct device *d, const struct domain_disk *disk)
{
    size_t count = disk->chain_count < INCARNATION_CHAIN ? disk->chain_count : INCARNATION_CHAIN;
    if (count == d->chain_count && memcmp(d->chain, disk->chain, count * sizeof d->chain[0]) == 0)
        return;
    memcpy(d->chain, disk->chain, count * sizeof d->chain[0]);
    d->chain_count = count;
    vm->dirty = true;
}

static void another_plug(struct incarnations *set, struct incarnation *vm, struct device *d, struct sighting *out)
{
    plug_end(vm, d, &out->closing);
    set->counts.plugs++;
    vm->dirty = true;
}

/* The statistics are of a top that no XML has shown yet. Only a fall tells at once; else the counters wait for the XML,
 * since taken for the old plug's they could not be counted for the new one any more. */
static void unknown_top(struct incarnations *set, struct incarnation *vm, struct device *d, uint64_t top,
                        struct sighting *out)
{
    if (has_fallen(d)) {
        another_plug(set, vm, d, out);
        d->chain[0] = (int64_t)top;
        d->chain_count = 1;
        return;
    }
    for (size_t n = 0; n < d->count; n++)
        if (is_counter(&d->slots[n]))
            d->slots[n].has_raw = false;
}

/* Statistics and XML are read one after the other and each may be late: the index on top says whether they are of one
 * plug. */
static bool agree(const struct disk_stats *stats, const struct domain_disk *disk)
{
    return !stats->backing_index.has || has_index(disk->chain, disk->chain_count, stats->backing_index.value);
}

static uint64_t serial_of(const struct domain_disk *disk)
{
    return text_hash(text_of(disk->serial)) | 1;
}

void disk_event_take(struct incarnation *vm, const struct lifecycle_event *event)
{
    if (vm->disk_event_ns == 0)
        vm->disk_event_count = 0;
    vm->disk_event_ns = event->boot_ns;
    if (vm->disk_event_count < INCARNATION_DISK_EVENTS)
        vm->disk_events[vm->disk_event_count] = text_hash(text_of(event->device));
    vm->disk_event_count++;
}

/* Of another device than this disk an event says nothing. */
static bool is_told(const struct incarnation *vm, const struct domain_disk *disk)
{
    size_t count = vm->disk_event_count;
    if (vm->disk_event_ns == 0 || !disk->alias || count == 0 || count > INCARNATION_DISK_EVENTS)
        return vm->disk_event_ns != 0;
    for (size_t i = 0; i < count; i++)
        if (vm->disk_events[i] == text_hash(text_of(disk->alias)))
            return true;
    return false;
}

/* Rule S4: disjoint chains are another plug if an event, a fall or the serial says so too, since a copy's pivot looks
 * the same.
 * @disk NULL: the XML is not there or does not show it. */
static void settle_disk(struct incarnations *set, struct incarnation *vm, struct device *d,
                        const struct disk_stats *stats, const struct domain_disk *disk, struct sighting *out)
{
    struct reading top = stats->backing_index;
    if (!disk || disk->chain_count == 0 || !agree(stats, disk)) {
        if (top.has && d->chain_count && !has_index(d->chain, d->chain_count, top.value))
            unknown_top(set, vm, d, top.value, out);
        return;
    }
    if (d->chain_count && !share_an_index(d, disk)) {
        bool other_serial = d->serial && d->serial != serial_of(disk);
        if (is_told(vm, disk) || other_serial || has_fallen(d))
            another_plug(set, vm, d, out);
        else
            set->counts.ambiguous++;
    }
    take_chain(vm, d, disk);
    d->serial = serial_of(disk);
}

/* Another tap is another plug: within one process taps are not renamed. */
static void settle_nic(struct incarnations *set, struct incarnation *vm, const struct net_stats *net, struct device *d,
                       struct sighting *out)
{
    uint64_t ifindex = net->ifindex.has ? net->ifindex.value : 0;
    bool other_tap = d->tap[0] && strcmp(d->tap, net->name) != 0;
    bool other_index = d->ifindex && ifindex && d->ifindex != ifindex;
    if (other_tap || other_index) {
        another_plug(set, vm, d, out);
        d->ifindex = 0;
    }
    text_copy(text_of(net->name), d->tap, sizeof d->tap);
    if (ifindex && ifindex != d->ifindex) {
        d->ifindex = ifindex;
        vm->dirty = true;
    }
}

/* The n-th in the XML is not the first of its MAC: which of them counters belong to could not be told. */
static bool has_double(const struct domain_meta *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (m->nics[i].mac && m->nics[i].countable && strcmp(m->nics[i].mac, m->nics[n].mac) == 0)
            return true;
    return false;
}

struct device *device_of_net(const struct incarnation *vm, const struct domain_stats *d, const struct net_stats *net)
{
    for (size_t i = 0; d->meta && i < d->meta->nic_count; i++) {
        const struct domain_nic *nic = &d->meta->nics[i];
        bool this_one =
            (nic->target && strcmp(nic->target, net->name) == 0) || (nic->mac && strcasecmp(nic->mac, net->name) == 0);
        if (this_one && nic->mac && nic->countable)
            return has_double(d->meta, i) ? NULL : device_find(vm, RESOURCE_INTERFACE, nic->mac);
    }
    for (size_t i = 0; !d->meta && i < vm->count; i++)
        if (vm->devices[i]->tap[0] && !vm->devices[i]->gone && strcmp(vm->devices[i]->tap, net->name) == 0)
            return vm->devices[i];
    return NULL;
}

static void take_out(struct incarnation *vm, struct sighting *out)
{
    for (size_t i = 1; i < vm->count; i++) {
        struct device *d = vm->devices[i];
        if (d->listed)
            continue;
        for (size_t n = 0; n < d->count; n++)
            slot_close(&out->closing, vm, d, &d->slots[n], d->slots[n].last_boot_ns);
        d->gone = true;
        vm->dirty = true;
    }
}

static const struct domain_disk *disk_in_xml(const struct domain_stats *d, const char *target)
{
    for (size_t i = 0; d->meta && i < d->meta->disk_count; i++)
        if (d->meta->disks[i].target && strcmp(d->meta->disks[i].target, target) == 0)
            return &d->meta->disks[i];
    return NULL;
}

static const struct disk_stats *disk_in_stats(const struct domain_stats *d, const char *target)
{
    for (size_t i = 0; target && i < d->disk_count; i++)
        if (d->disks[i].name && strcmp(d->disks[i].name, target) == 0)
            return &d->disks[i];
    return NULL;
}

/* Do statistics and XML, both newer than the event, show every disk, and as one plug? */
static bool event_is_settled(const struct incarnation *vm, const struct domain_stats *d)
{
    bool fresh = d->meta && d->meta->version != vm->meta_version;
    if (!d->meta || !d->answers || d->read_boot_ns <= vm->disk_event_ns)
        return false;
    for (size_t i = 0; i < d->meta->disk_count; i++) {
        const struct domain_disk *disk = &d->meta->disks[i];
        const struct disk_stats *stats = disk_in_stats(d, disk->target);
        if (disk->chain_count && (!stats || !agree(stats, disk) || (!stats->backing_index.has && !fresh)))
            return false;
    }
    return true;
}

void devices_settle(struct incarnations *set, struct incarnation *vm, const struct domain_stats *d,
                    struct sighting *out)
{
    for (size_t i = 0; vm->running && i < d->disk_count; i++) {
        const struct disk_stats *stats = &d->disks[i];
        struct device *device = stats->name ? device_find(vm, RESOURCE_DISK, stats->name) : NULL;
        if (device)
            settle_disk(set, vm, device, stats, disk_in_xml(d, stats->name), out);
    }
    /* An event that nothing shows must not make a plug of some later pivot. */
    if (vm->disk_event_ns && (event_is_settled(vm, d) || d->read_boot_ns - vm->disk_event_ns > set->gap_ns))
        vm->disk_event_ns = 0;
    for (size_t i = 0; vm->running && i < d->net_count; i++) {
        struct device *device = d->nets[i].name ? device_of_net(vm, d, &d->nets[i]) : NULL;
        if (device)
            settle_nic(set, vm, &d->nets[i], device, out);
    }
    if (!d->meta || (vm->running && !d->answers))
        return;
    if (d->meta->version != vm->meta_version)
        take_out(vm, out);
    vm->meta_version = d->meta->version;
    vm->devices_known |= vm->running;
}
