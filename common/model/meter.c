#include "pluvio/model/meter.h"

#include <assert.h>
#include <pthread.h>

#define G    METER_GAUGE
#define C    METER_CUMULATIVE
#define USED BASIS_CONSUMED
#define SIZE BASIS_ALLOCATED
#define SEEN BASIS_OBSERVED
#define VM   RESOURCE_INSTANCE
#define DISK RESOURCE_DISK
#define NIC  RESOURCE_INTERFACE
#define HOST RESOURCE_HOST

static const struct meter meters[] = {
    {METER_POWER_STATE, "power.state", G, SEEN, "", VM, GROUP_STATE, "power_state"},
    {METER_CPU, "cpu", C, USED, "ns", VM, GROUP_CPU, "cpu"},
    {METER_INSTANCE, "instance", G, SIZE, "instance", VM, GROUP_STATE, "instance"},
    {METER_VCPUS, "vcpus", G, SIZE, "vcpu", VM, GROUP_VCPU, "vcpus"},
    {METER_VCPU_WAIT, "vcpu.wait", C, USED, "ns", VM, GROUP_VCPU, "vcpu_wait"},
    {METER_VCPU_DELAY, "vcpu.delay", C, USED, "ns", VM, GROUP_VCPU, "vcpu_delay"},
    {METER_MEMORY, "memory", G, SIZE, "MiB", VM, GROUP_BALLOON, "memory"},
    {METER_MEMORY_AVAILABLE, "memory.available", G, SEEN, "MiB", VM, GROUP_BALLOON, "memory_available"},
    {METER_MEMORY_USAGE, "memory.usage", G, SEEN, "MiB", VM, GROUP_BALLOON, "memory_usage"},
    {METER_MEMORY_RESIDENT, "memory.resident", G, SEEN, "MiB", VM, GROUP_BALLOON, "memory_resident"},
    {METER_MEMORY_SWAP_IN, "memory.swap.in", C, USED, "KiB", VM, GROUP_BALLOON, "memory_swap_in"},
    {METER_MEMORY_SWAP_OUT, "memory.swap.out", C, USED, "KiB", VM, GROUP_BALLOON, "memory_swap_out"},
    {METER_DISK_READ_BYTES, "disk.device.read.bytes", C, USED, "B", DISK, GROUP_BLOCK, "read_bytes"},
    {METER_DISK_READ_REQUESTS, "disk.device.read.requests", C, USED, "request", DISK, GROUP_BLOCK, "read_requests"},
    {METER_DISK_READ_LATENCY, "disk.device.read.latency", C, USED, "ns", DISK, GROUP_BLOCK, "read_latency"},
    {METER_DISK_WRITE_BYTES, "disk.device.write.bytes", C, USED, "B", DISK, GROUP_BLOCK, "write_bytes"},
    {METER_DISK_WRITE_REQUESTS, "disk.device.write.requests", C, USED, "request", DISK, GROUP_BLOCK, "write_requests"},
    {METER_DISK_WRITE_LATENCY, "disk.device.write.latency", C, USED, "ns", DISK, GROUP_BLOCK, "write_latency"},
    {METER_DISK_CAPACITY, "disk.device.capacity", G, SIZE, "B", DISK, GROUP_BLOCK, "capacity"},
    {METER_DISK_ALLOCATION, "disk.device.allocation", G, SEEN, "B", DISK, GROUP_BLOCK, "allocation"},
    {METER_DISK_USAGE, "disk.device.usage", G, SEEN, "B", DISK, GROUP_BLOCK, "usage"},
    {METER_NET_IN_BYTES, "network.incoming.bytes", C, USED, "B", NIC, GROUP_INTERFACE, "in_bytes"},
    {METER_NET_IN_PACKETS, "network.incoming.packets", C, USED, "packet", NIC, GROUP_INTERFACE, "in_packets"},
    {METER_NET_IN_DROP, "network.incoming.packets.drop", C, USED, "packet", NIC, GROUP_INTERFACE, "in_drop"},
    {METER_NET_IN_ERROR, "network.incoming.packets.error", C, USED, "packet", NIC, GROUP_INTERFACE, "in_error"},
    {METER_NET_OUT_BYTES, "network.outgoing.bytes", C, USED, "B", NIC, GROUP_INTERFACE, "out_bytes"},
    {METER_NET_OUT_PACKETS, "network.outgoing.packets", C, USED, "packet", NIC, GROUP_INTERFACE, "out_packets"},
    {METER_NET_OUT_DROP, "network.outgoing.packets.drop", C, USED, "packet", NIC, GROUP_INTERFACE, "out_drop"},
    {METER_NET_OUT_ERROR, "network.outgoing.packets.error", C, USED, "packet", NIC, GROUP_INTERFACE, "out_error"},
    {METER_DEVICE_GPU, "device.gpu", G, SIZE, "device", VM, GROUP_XML, "device_gpu"},
    {METER_DEVICE_VGPU, "device.vgpu", G, SIZE, "device", VM, GROUP_XML, "device_vgpu"},
    {METER_DEVICE_PCI, "device.pci", G, SIZE, "device", VM, GROUP_XML, "device_pci"},
    {METER_PERF_CYCLES, "perf.cpu.cycles", C, USED, "", VM, GROUP_PERF, "perf_cycles"},
    {METER_PERF_INSTRUCTIONS, "perf.instructions", C, USED, "", VM, GROUP_PERF, "perf_instructions"},
    {METER_PERF_CACHE_REFERENCES, "perf.cache.references", C, USED, "", VM, GROUP_PERF, "perf_cache_refs"},
    {METER_PERF_CACHE_MISSES, "perf.cache.misses", C, USED, "", VM, GROUP_PERF, "perf_cache_misses"},
    {METER_DISK_ROOT_SIZE, "disk.root.size", G, SIZE, "GiB", VM, GROUP_XML, "disk_root_size"},
    {METER_DISK_EPHEMERAL_SIZE, "disk.ephemeral.size", G, SIZE, "GiB", VM, GROUP_XML, "disk_ephemeral_size"},
    {METER_HOST_CPU_USER, "host.cpu.user.time", C, USED, "ns", HOST, GROUP_HOST, "cpu_user"},
    {METER_HOST_CPU_KERNEL, "host.cpu.kernel.time", C, USED, "ns", HOST, GROUP_HOST, "cpu_kernel"},
    {METER_HOST_CPU_IDLE, "host.cpu.idle.time", C, USED, "ns", HOST, GROUP_HOST, "cpu_idle"},
    {METER_HOST_CPU_IOWAIT, "host.cpu.iowait.time", C, USED, "ns", HOST, GROUP_HOST, "cpu_iowait"},
    {METER_HOST_MEMORY_TOTAL, "host.memory.total", G, SIZE, "MiB", HOST, GROUP_HOST, "memory_total"},
    {METER_HOST_MEMORY_FREE, "host.memory.free", G, SEEN, "MiB", HOST, GROUP_HOST, "memory_free"},
    {METER_HOST_VCPUS, "host.vcpus", G, SIZE, "vcpu", HOST, GROUP_HOST, "vcpus"},
};
static_assert(sizeof meters / sizeof meters[0] == METERS, "a row for each meter, in the order of enum meter_id");

const struct meter *meter_at(enum meter_id id)
{
    return &meters[id];
}

/* Found by hash: 256 slots for some 45 names, filled once. */
#define SLOTS 256
static const struct meter *slots[SLOTS];
static pthread_once_t filled = PTHREAD_ONCE_INIT;

static void fill(void)
{
    for (size_t m = 0; m < METERS; m++) {
        size_t i = text_hash_quick(text_of(meters[m].name)) % SLOTS;
        while (slots[i])
            i = (i + 1) % SLOTS;
        slots[i] = &meters[m];
    }
}

const struct meter *meter_find(struct text name)
{
    pthread_once(&filled, fill);
    size_t i = text_hash_quick(name) % SLOTS;
    while (slots[i] && !text_equal(text_of(slots[i]->name), name))
        i = (i + 1) % SLOTS;
    return slots[i];
}

const char *meter_type_name(enum meter_type type)
{
    static const char *const names[] = {"gauge", "cumulative", "delta"};
    return names[type];
}

const char *meter_basis_name(enum meter_basis basis)
{
    static const char *const names[] = {"consumed", "allocated", "observed"};
    return names[basis];
}

static const char *const kind_names[RESOURCE_KINDS] = {"instance", "disk", "interface", "host", "other"};

const char *resource_kind_name(enum resource_kind kind)
{
    return kind_names[kind];
}

bool resource_kind_parse(struct text t, enum resource_kind *ret)
{
    for (int k = 0; k < RESOURCE_KINDS; k++) {
        if (text_equal(t, text_of(kind_names[k]))) {
            *ret = (enum resource_kind)k;
            return true;
        }
    }
    return false;
}
