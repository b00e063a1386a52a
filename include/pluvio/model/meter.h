/* The meters: one table that poller, collector, archives and API walk. Names, types and units are Ceilometer's.
 *
 * A meter's basis says what the ledger makes of it:
 *   CONSUMED   what was done (ns, bytes, requests): a counter, summed
 *   ALLOCATED  how big a thing was and how long: size times milliseconds, over segments of constant size
 *   OBSERVED   a reading to look at and to alarm on: archives only, never billed
 */
#ifndef PLUVIO_MODEL_METER_H
#define PLUVIO_MODEL_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/buf.h"

enum meter_type { METER_GAUGE, METER_CUMULATIVE, METER_DELTA };
enum meter_basis { BASIS_CONSUMED, BASIS_ALLOCATED, BASIS_OBSERVED };
enum resource_kind { RESOURCE_INSTANCE, RESOURCE_DISK, RESOURCE_INTERFACE, RESOURCE_HOST, RESOURCE_OTHER };
#define RESOURCE_KINDS 5

/* What the poller must ask libvirt for to have a meter: bits, so that a selection of meters is a set of groups. */
enum meter_group {
    GROUP_STATE = 1,
    GROUP_CPU = 2,
    GROUP_VCPU = 4,
    GROUP_BALLOON = 8,
    GROUP_BLOCK = 16,
    GROUP_INTERFACE = 32,
    GROUP_PERF = 64,
    GROUP_XML = 128, /* from the domain's XML or nova's metadata */
    GROUP_HOST = 256
};

enum meter_id {
    METER_POWER_STATE,
    METER_CPU,
    METER_INSTANCE,
    METER_VCPUS,
    METER_VCPU_WAIT,
    METER_VCPU_DELAY,
    METER_MEMORY,
    METER_MEMORY_AVAILABLE,
    METER_MEMORY_USAGE,
    METER_MEMORY_RESIDENT,
    METER_MEMORY_SWAP_IN,
    METER_MEMORY_SWAP_OUT,
    METER_DISK_READ_BYTES,
    METER_DISK_READ_REQUESTS,
    METER_DISK_READ_LATENCY,
    METER_DISK_WRITE_BYTES,
    METER_DISK_WRITE_REQUESTS,
    METER_DISK_WRITE_LATENCY,
    METER_DISK_CAPACITY,
    METER_DISK_ALLOCATION,
    METER_DISK_USAGE,
    METER_NET_IN_BYTES,
    METER_NET_IN_PACKETS,
    METER_NET_IN_DROP,
    METER_NET_IN_ERROR,
    METER_NET_OUT_BYTES,
    METER_NET_OUT_PACKETS,
    METER_NET_OUT_DROP,
    METER_NET_OUT_ERROR,
    METER_DEVICE_GPU,
    METER_DEVICE_VGPU,
    METER_DEVICE_PCI,
    METER_PERF_CYCLES,
    METER_PERF_INSTRUCTIONS,
    METER_PERF_CACHE_REFERENCES,
    METER_PERF_CACHE_MISSES,
    METER_DISK_ROOT_SIZE,
    METER_DISK_EPHEMERAL_SIZE,
    METER_HOST_CPU_USER,
    METER_HOST_CPU_KERNEL,
    METER_HOST_CPU_IDLE,
    METER_HOST_CPU_IOWAIT,
    METER_HOST_MEMORY_TOTAL,
    METER_HOST_MEMORY_FREE,
    METER_HOST_VCPUS,
    METERS
};

struct meter {
    enum meter_id id;
    const char *name; /* "disk.device.read.bytes" */
    enum meter_type type;
    enum meter_basis basis;
    const char *unit; /* as shown: "B", "ns", "request", "MiB" */
    enum resource_kind kind;
    unsigned group;          /* enum meter_group */
    const char *data_source; /* its name in an .rrd file: at most 19 of [a-zA-Z0-9_] */
};

/* @id < METERS; static storage. Rows stand in the order of enum meter_id. */
const struct meter *meter_at(enum meter_id id);
/* NULL for a name that is not in the table. Constant time. */
const struct meter *meter_find(struct text name);

const char *meter_type_name(enum meter_type type);       /* "gauge", "cumulative", "delta" */
const char *meter_basis_name(enum meter_basis basis);    /* "consumed", "allocated", "observed" */
const char *resource_kind_name(enum resource_kind kind); /* "instance", "disk", "interface", "host", "other" */
bool resource_kind_parse(struct text t, enum resource_kind *ret);

#endif
