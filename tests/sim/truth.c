#include "sim/truth.h"

#include <assert.h>

const struct sim_owner sim_owners[SIM_OWNERS] = {
    {"red", "small"}, {"blue", "small"}, {"red", "large"}, {"green", "large"}, {"", ""}};

enum meter_id sim_meter(bool is_host, enum sim_device device, size_t n)
{
    static const enum meter_id disk[SIM_COUNTERS] = {METER_DISK_READ_BYTES, METER_DISK_READ_REQUESTS,
                                                     METER_DISK_WRITE_BYTES, METER_DISK_WRITE_REQUESTS};
    static const enum meter_id nic[SIM_COUNTERS] = {METER_NET_IN_BYTES, METER_NET_IN_PACKETS, METER_NET_OUT_BYTES,
                                                    METER_NET_OUT_PACKETS};
    switch (device) {
    case DEVICE_SELF:
        return n ? METERS : is_host ? METER_HOST_CPU_USER : METER_CPU;
    case DEVICE_VDA:
    case DEVICE_VDB:
        return disk[n];
    case DEVICE_NIC:
        return nic[n];
    case SIM_DEVICES:
        break;
    }
    return METERS;
}

const char *sim_device_name(enum sim_device device, int vm)
{
    static const char *const macs[SIM_VMS] = {"52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03",
                                              "52:54:00:00:00:04", "52:54:00:00:00:05"};
    static const char *const names[SIM_DEVICES] = {"", "vda", "vdb", NULL};
    return device == DEVICE_NIC ? macs[vm] : names[device];
}

const char *sim_uuid(int entity)
{
    static const char *const uuids[] = {"11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002",
                                        "33333333-0000-4000-8000-000000000003", "44444444-0000-4000-8000-000000000004",
                                        "55555555-0000-4000-8000-000000000005", "aaaaaaaa-0000-4000-8000-00000000000a",
                                        "bbbbbbbb-0000-4000-8000-00000000000b"};
    static_assert(sizeof uuids / sizeof uuids[0] == SIM_ENTITIES, "a name for each");
    return uuids[entity];
}
