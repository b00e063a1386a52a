#include "inspector_single.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>

#include "inspector_connection.h"

static struct reading counted(long long value)
{
    return (struct reading){value >= 0, (uint64_t)(value >= 0 ? value : 0)};
}

static int single_disk(virDomainPtr domain, const char *target, struct disk_stats *d)
{
    virDomainBlockStatsStruct s;
    virDomainBlockInfo info;
    d->name = strdup(target);
    if (!d->name)
        return -ENOMEM;
    if (virDomainBlockStats(domain, target, &s, sizeof(s)) == 0) {
        d->field[DISK_RD_BYTES] = counted(s.rd_bytes);
        d->field[DISK_RD_REQS] = counted(s.rd_req);
        d->field[DISK_WR_BYTES] = counted(s.wr_bytes);
        d->field[DISK_WR_REQS] = counted(s.wr_req);
    }
    if (virDomainGetBlockInfo(domain, target, &info, 0) == 0) {
        d->field[DISK_CAPACITY] = (struct reading){true, info.capacity};
        d->field[DISK_ALLOCATION] = (struct reading){true, info.allocation};
        d->field[DISK_PHYSICAL] = (struct reading){true, info.physical};
    }
    return 0;
}

static int single_nic(virDomainPtr domain, const char *device, struct net_stats *n)
{
    virDomainInterfaceStatsStruct s;
    n->name = strdup(device);
    if (!n->name)
        return -ENOMEM;
    if (virDomainInterfaceStats(domain, device, &s, sizeof(s)) < 0)
        return 0;
    const long long values[NET_FIELDS] = {
        [NET_RX_BYTES] = s.rx_bytes, [NET_RX_PKTS] = s.rx_packets, [NET_RX_DROP] = s.rx_drop, [NET_RX_ERRS] = s.rx_errs,
        [NET_TX_BYTES] = s.tx_bytes, [NET_TX_PKTS] = s.tx_packets, [NET_TX_DROP] = s.tx_drop, [NET_TX_ERRS] = s.tx_errs,
    };
    for (int i = 0; i < NET_FIELDS; i++)
        n->field[i] = counted(values[i]);
    return 0;
}

static int single_devices(virDomainPtr domain, struct single_domain *d)
{
    int r = 0;
    d->stats.disks = calloc(d->disk_count + 1, sizeof(*d->stats.disks));
    d->stats.nets = calloc(d->nic_count + 1, sizeof(*d->stats.nets));
    if (!d->stats.disks || !d->stats.nets)
        return -ENOMEM;
    for (size_t i = 0; i < d->disk_count && r == 0; i++)
        r = single_disk(domain, d->disks[i], &d->stats.disks[d->stats.disk_count++]);
    for (size_t i = 0; i < d->nic_count && r == 0; i++)
        r = single_nic(domain, d->nics[i], &d->stats.nets[d->stats.net_count++]);
    return r;
}

/* A container's memory is what it uses, as far as libvirt is concerned; its size is the most that it may. */
static void single_info(virDomainPtr domain, const virDomainInfo *info, struct reading *fields)
{
    const char *type = virConnectGetType(virDomainGetConnect(domain));
    bool off = info->state == VIR_DOMAIN_SHUTOFF, container = type && strcmp(type, "LXC") == 0;
    fields[DOMAIN_CPU_TIME] = (struct reading){!off, info->cpuTime};
    fields[DOMAIN_VCPU_CURRENT] = (struct reading){true, info->nrVirtCpu};
    fields[DOMAIN_BALLOON_CURRENT] = (struct reading){true, container ? info->maxMem : info->memory};
    fields[DOMAIN_BALLOON_RSS] = (struct reading){container && !off, info->memory};
}

static int single_read(virDomainPtr domain, struct single_domain *d)
{
    virDomainInfo info;
    if (virDomainGetInfo(domain, &info) == 0)
        single_info(domain, &info, d->stats.field);
    return single_devices(domain, d);
}

static int single_run(struct ask *ask, struct connection *connection, struct error *error)
{
    struct single_ask *a = (struct single_ask *)ask;
    int r = 0;
    for (size_t i = 0; i < a->count && r == 0; i++) {
        domain_stats_finish(&a->domains[i].stats);
        a->domains[i].stats = (struct domain_stats){0};
        virDomainPtr domain = virDomainLookupByUUIDString(connection_handle(connection), a->domains[i].uuid);
        if (!domain && !connection_alive(connection))
            return connection_error(error, -EIO, "a domain's statistics");
        if (!domain)
            continue;
        r = single_read(domain, &a->domains[i]);
        virDomainFree(domain);
    }
    return r < 0 ? error_set(error, r, "out of memory") : 0;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++)
        free(names[i]);
    free(names);
}

static void single_free(struct ask *ask)
{
    struct single_ask *a = (struct single_ask *)ask;
    for (size_t i = 0; a->domains && i < a->count; i++) {
        free_names(a->domains[i].disks, a->domains[i].disk_count);
        free_names(a->domains[i].nics, a->domains[i].nic_count);
        domain_stats_finish(&a->domains[i].stats);
    }
    free(a->domains);
    free(a);
}

struct single_ask *single_ask_new(size_t count)
{
    struct single_ask *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->ask = (struct ask){.run = single_run, .free = single_free};
    a->count = count;
    a->domains = calloc(count, sizeof(*a->domains));
    if (a->domains)
        return a;
    free(a);
    return NULL;
}
