#include "inspector_stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "inspector_connection.h"
#include "pluvio/model/meter.h"

struct name_row {
    const char *name;
    unsigned field;
};

static const struct name_row domain_names[] = {
    {"cpu.time", DOMAIN_CPU_TIME},
    {"vcpu.current", DOMAIN_VCPU_CURRENT},
    {"balloon.current", DOMAIN_BALLOON_CURRENT},
    {"balloon.available", DOMAIN_BALLOON_AVAILABLE},
    {"balloon.unused", DOMAIN_BALLOON_UNUSED},
    {"balloon.usable", DOMAIN_BALLOON_USABLE},
    {"balloon.rss", DOMAIN_BALLOON_RSS},
    {"balloon.swap_in", DOMAIN_BALLOON_SWAP_IN},
    {"balloon.swap_out", DOMAIN_BALLOON_SWAP_OUT},
    {"balloon.last-update", DOMAIN_BALLOON_LAST_UPDATE},
    {"perf.cpu_cycles", DOMAIN_PERF_CYCLES},
    {"perf.instructions", DOMAIN_PERF_INSTRUCTIONS},
    {"perf.cache_references", DOMAIN_PERF_CACHE_REFERENCES},
    {"perf.cache_misses", DOMAIN_PERF_CACHE_MISSES},
};

static const struct name_row disk_names[] = {
    {"rd.bytes", DISK_RD_BYTES}, {"rd.reqs", DISK_RD_REQS},       {"rd.times", DISK_RD_TIMES},
    {"wr.bytes", DISK_WR_BYTES}, {"wr.reqs", DISK_WR_REQS},       {"wr.times", DISK_WR_TIMES},
    {"capacity", DISK_CAPACITY}, {"allocation", DISK_ALLOCATION}, {"physical", DISK_PHYSICAL},
};

static const struct name_row net_names[] = {
    {"rx.bytes", NET_RX_BYTES}, {"rx.pkts", NET_RX_PKTS}, {"rx.drop", NET_RX_DROP}, {"rx.errs", NET_RX_ERRS},
    {"tx.bytes", NET_TX_BYTES}, {"tx.pkts", NET_TX_PKTS}, {"tx.drop", NET_TX_DROP}, {"tx.errs", NET_TX_ERRS},
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

unsigned stats_mask_monitorless(unsigned groups)
{
    unsigned mask = VIR_DOMAIN_STATS_STATE;
    if (groups & GROUP_INTERFACE)
        mask |= VIR_DOMAIN_STATS_INTERFACE;
    if (groups & GROUP_PERF)
        mask |= VIR_DOMAIN_STATS_PERF;
    return mask;
}

unsigned stats_mask(unsigned groups)
{
    unsigned mask = stats_mask_monitorless(groups);
    if (groups & GROUP_CPU)
        mask |= VIR_DOMAIN_STATS_CPU_TOTAL;
    if (groups & GROUP_VCPU)
        mask |= VIR_DOMAIN_STATS_VCPU;
    if (groups & GROUP_BALLOON)
        mask |= VIR_DOMAIN_STATS_BALLOON;
    if (groups & GROUP_BLOCK)
        mask |= VIR_DOMAIN_STATS_BLOCK;
    return mask;
}

/* Negative numbers mean "not known" to libvirt, so absent to us. */
static struct reading number_of(const virTypedParameter *p)
{
    switch (p->type) {
    case VIR_TYPED_PARAM_INT:
        return (struct reading){p->value.i >= 0, (uint64_t)(p->value.i >= 0 ? p->value.i : 0)};
    case VIR_TYPED_PARAM_UINT:
        return (struct reading){true, p->value.ui};
    case VIR_TYPED_PARAM_LLONG:
        return (struct reading){p->value.l >= 0, (uint64_t)(p->value.l >= 0 ? p->value.l : 0)};
    case VIR_TYPED_PARAM_ULLONG:
        return (struct reading){true, p->value.ul};
    default: /* doubles, texts and types of a later libvirt: none of our fields */
        return (struct reading){0};
    }
}

static void set_field(const struct name_row *rows, size_t count, const char *name, const virTypedParameter *p,
                      struct reading *fields)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            fields[rows[i].field] = number_of(p);
            return;
        }
    }
}

/* "block.12.rd.bytes" with @prefix "block.": the index, and *ret_rest "rd.bytes"; -1: none. */
static int64_t indexed(const char *field, const char *prefix, const char **ret_rest)
{
    size_t skip = strlen(prefix);
    if (strncmp(field, prefix, skip) != 0 || field[skip] < '0' || field[skip] > '9')
        return -1;
    int64_t index = 0;
    const char *at = field + skip;
    for (; *at >= '0' && *at <= '9' && index < STATS_DEVICES_MAX; at++)
        index = index * 10 + (*at - '0');
    if (*at != '.' || index >= STATS_DEVICES_MAX)
        return -1;
    *ret_rest = at + 1;
    return index;
}

static int set_text(char **slot, const virTypedParameter *p)
{
    if (p->type != VIR_TYPED_PARAM_STRING || *slot)
        return 0;
    *slot = strdup(p->value.s);
    return *slot ? 0 : -ENOMEM;
}

static int read_disk(const char *rest, const virTypedParameter *p, struct disk_stats *d)
{
    if (strcmp(rest, "name") == 0)
        return set_text(&d->name, p);
    if (strcmp(rest, "path") == 0)
        return set_text(&d->source, p);
    if (strcmp(rest, "backingIndex") == 0)
        d->backing_index = number_of(p);
    else
        set_field(disk_names, ROWS(disk_names), rest, p, d->field);
    return 0;
}

static int read_net(const char *rest, const virTypedParameter *p, struct net_stats *n)
{
    if (strcmp(rest, "name") == 0)
        return set_text(&n->name, p);
    set_field(net_names, ROWS(net_names), rest, p, n->field);
    return 0;
}

/* Sums over the VM's vcpus, only of use when each of them was read. */
struct vcpu_sum {
    uint64_t wait, delay;
    unsigned waits, delays;
};

static void read_vcpu(const char *rest, const virTypedParameter *p, struct vcpu_sum *sum)
{
    struct reading r = number_of(p);
    if (!r.has)
        return;
    if (strcmp(rest, "wait") == 0) {
        sum->wait += r.value;
        sum->waits++;
    } else if (strcmp(rest, "delay") == 0) {
        sum->delay += r.value;
        sum->delays++;
    }
}

static void read_plain(const virTypedParameter *p, struct domain_stats *ret)
{
    if (strcmp(p->field, "state.state") == 0)
        ret->state = p->type == VIR_TYPED_PARAM_INT && p->value.i >= 0 && p->value.i < DOMAIN_STATES
                         ? (enum domain_state)p->value.i
                         : DOMAIN_NOSTATE;
    else if (strcmp(p->field, "state.reason") == 0 && p->type == VIR_TYPED_PARAM_INT)
        ret->reason = p->value.i;
    else
        set_field(domain_names, ROWS(domain_names), p->field, p, ret->field);
}

static int read_parameter(const virTypedParameter *p, struct domain_stats *ret, struct vcpu_sum *sum)
{
    const char *rest = NULL;
    int64_t index = indexed(p->field, "block.", &rest);
    if (index >= 0)
        return (size_t)index < ret->disk_count ? read_disk(rest, p, &ret->disks[index]) : 0;
    index = indexed(p->field, "net.", &rest);
    if (index >= 0)
        return (size_t)index < ret->net_count ? read_net(rest, p, &ret->nets[index]) : 0;
    if (indexed(p->field, "vcpu.", &rest) >= 0)
        read_vcpu(rest, p, sum);
    else
        read_plain(p, ret);
    return 0;
}

/* How many devices the record speaks of: one more than the largest index. */
static void count_devices(const virTypedParameter *parameters, int count, size_t *ret_disks, size_t *ret_nets)
{
    const char *rest = NULL;
    *ret_disks = *ret_nets = 0;
    for (int i = 0; i < count; i++) {
        int64_t disk = indexed(parameters[i].field, "block.", &rest);
        int64_t net = disk < 0 ? indexed(parameters[i].field, "net.", &rest) : -1;
        if (disk >= (int64_t)*ret_disks)
            *ret_disks = (size_t)disk + 1;
        if (net >= (int64_t)*ret_nets)
            *ret_nets = (size_t)net + 1;
    }
}

/* An index without a name cannot be told from another after an unplug: such rows are dropped. */
static void drop_nameless(struct domain_stats *d)
{
    size_t disks = 0, nets = 0;
    for (size_t i = 0; i < d->disk_count; i++) {
        if (d->disks[i].name)
            d->disks[disks++] = d->disks[i];
        else
            free(d->disks[i].source);
    }
    for (size_t i = 0; i < d->net_count; i++)
        if (d->nets[i].name)
            d->nets[nets++] = d->nets[i];
    d->disk_count = disks;
    d->net_count = nets;
}

/* Of a domain that is off libvirt reports its own daemon's CPU time. */
static void drop_foreign_cpu(struct domain_stats *d)
{
    if (d->field[DOMAIN_CPU_TIME].value == 0) /* what libvirt says of a process that has just ended */
        d->field[DOMAIN_CPU_TIME].has = false;
    if (d->state == DOMAIN_SHUTOFF)
        d->field[DOMAIN_CPU_TIME] = d->field[DOMAIN_VCPU_WAIT] = d->field[DOMAIN_VCPU_DELAY] = (struct reading){0};
}

static void set_sums(const struct vcpu_sum *sum, struct domain_stats *ret)
{
    struct reading current = ret->field[DOMAIN_VCPU_CURRENT];
    if (sum->waits && current.has && sum->waits == current.value)
        ret->field[DOMAIN_VCPU_WAIT] = (struct reading){true, sum->wait};
    if (sum->delays && current.has && sum->delays == current.value)
        ret->field[DOMAIN_VCPU_DELAY] = (struct reading){true, sum->delay};
}

int stats_read(const struct _virTypedParameter *parameters, int count, struct domain_stats *ret)
{
    size_t disks, nets;
    struct vcpu_sum sum = {0};
    count_devices(parameters, count, &disks, &nets);
    ret->disks = calloc(disks ? disks : 1, sizeof(*ret->disks));
    ret->nets = calloc(nets ? nets : 1, sizeof(*ret->nets));
    if (!ret->disks || !ret->nets)
        return -ENOMEM;
    ret->disk_count = disks;
    ret->net_count = nets;
    int r = 0;
    for (int i = 0; i < count && r == 0; i++)
        r = read_parameter(&parameters[i], ret, &sum);
    set_sums(&sum, ret);
    drop_foreign_cpu(ret);
    drop_nameless(ret);
    return r;
}

int stats_identify(virDomainPtr domain, struct domain_stats *ret)
{
    ret->id = (int)virDomainGetID(domain);
    ret->answers = true;
    const char *name = virDomainGetName(domain);
    ret->name = strdup(name ? name : "");
    return ret->name && virDomainGetUUIDString(domain, ret->uuid) == 0 ? 0 : -ENOMEM;
}

int stats_read_record(const virDomainStatsRecord *record, struct domain_stats *ret)
{
    int r = stats_identify(record->dom, ret);
    return r < 0 ? r : stats_read(record->params, record->nparams, ret);
}

static bool active(const struct domain_stats *d)
{
    return d->id >= 0 && d->state != DOMAIN_SHUTOFF;
}

/* A monitor that is taken gives nothing of any disk, and no resident memory. A single disk without figures is one that
 * QEMU does not count for (vhost-user). */
static bool monitor_answered(const struct domain_stats *d)
{
    for (size_t i = 0; i < d->disk_count; i++)
        if (d->disks[i].field[DISK_RD_BYTES].has)
            return true;
    return d->disk_count == 0 || d->field[DOMAIN_BALLOON_RSS].has;
}

bool stats_partial(const struct domain_stats *d, unsigned groups)
{
    return active(d) && (((groups & GROUP_BLOCK) && !monitor_answered(d)) ||
                         ((groups & GROUP_CPU) && !d->field[DOMAIN_CPU_TIME].has));
}

struct reading stats_cpu(virDomainPtr domain, unsigned *calls)
{
    virTypedParameter total = {0};
    virDomainInfo info;
    ++*calls;
    if (virDomainGetCPUStats(domain, &total, 1, -1, 1, 0) == 1)
        return number_of(&total);
    int code = virGetLastErrorCode();
    if (code != VIR_ERR_OPERATION_INVALID && code != VIR_ERR_NO_SUPPORT) /* else there is no cgroup */
        return (struct reading){0};
    ++*calls;
    if (virDomainGetInfo(domain, &info) < 0 || info.state == VIR_DOMAIN_SHUTOFF)
        return (struct reading){0};
    return (struct reading){info.cpuTime > 0, info.cpuTime};
}

/* ---- what is said at the end ---- */

#define COUNTERS (GROUP_STATE | GROUP_CPU | GROUP_VCPU | GROUP_BALLOON | GROUP_BLOCK | GROUP_INTERFACE)

static int id_of(virConnectPtr handle, const char *uuid)
{
    virDomainPtr domain = virDomainLookupByUUIDString(handle, uuid);
    int id = domain ? (int)virDomainGetID(domain) : -1;
    if (domain)
        virDomainFree(domain);
    return id;
}

struct reading stats_last_cpu(struct connection *connection, const char *uuid, int id)
{
    unsigned calls = 0;
    struct reading cpu = {0};
    virConnectPtr handle = connection_handle(connection);
    virDomainPtr domain = virDomainLookupByUUIDString(handle, uuid);
    if (domain && (int)virDomainGetID(domain) == id)
        cpu = stats_cpu(domain, &calls);
    if (domain)
        virDomainFree(domain);
    int after = cpu.has ? id_of(handle, uuid) : -1;
    return after == id || after == -1 ? cpu : (struct reading){0};
}

static int read_paused(virDomainStatsRecordPtr record, struct domain_stats *d)
{
    if (stats_read_record(record, d) < 0)
        return -EAGAIN;
    return d->state != DOMAIN_PAUSED ? -ENOENT : stats_partial(d, COUNTERS) ? -EAGAIN : 0;
}

static int read_one(virDomainPtr domain, struct domain_stats *d)
{
    virDomainPtr one[] = {domain, NULL};
    virDomainStatsRecordPtr *records = NULL;
    int count = virDomainListGetStats(one, stats_mask(COUNTERS), &records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
    int r = count == 1 ? read_paused(records[0], d) : -EAGAIN;
    virDomainStatsRecordListFree(records);
    return r;
}

int stats_read_paused(struct connection *connection, const char *uuid, int id, struct clock *clock,
                      struct domain_stats **ret)
{
    virDomainPtr domain = virDomainLookupByUUIDString(connection_handle(connection), uuid);
    struct domain_stats *d = domain ? calloc(1, sizeof(*d)) : NULL;
    int r = !domain || (int)virDomainGetID(domain) != id ? -ENOENT : d ? read_one(domain, d) : -EAGAIN;
    if (domain)
        virDomainFree(domain);
    if (r < 0) {
        domain_stats_free(d, d ? 1 : 0);
        return r;
    }
    d->read_wall_ns = clock_wall_ns(clock);
    d->read_boot_ns = clock_boot_ns(clock);
    *ret = d;
    return 0;
}
