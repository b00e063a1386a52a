/* What statistics become: which field is which meter, what is left out, and what a stopped or hung VM still says. */
#include <string.h>

#include "guest_rig.h"
#include "support/run.h"

static struct rig rig;
static struct guest vm;
static char vda[] = "vda", mac[] = "52:54:00:00:00:01", vnet0[] = "vnet0";

static void set_up(void)
{
    rig_start(&rig);
    guest_init(&vm, 1, 1, 500);
    guest_disk(&vm, vda, 1);
    guest_nic(&vm, mac, vnet0, 7);
}

static void tear_down(void)
{
    rig_stop(&rig);
}

static void see(int64_t at_s)
{
    rig_see(&rig, at_s, &vm);
}

static const struct told *told(enum meter_id meter)
{
    for (size_t i = 0; i < rig.sighting.current.count; i++)
        if (rig.sighting.current.items[i].meter == meter)
            return &rig.sighting.current.items[i];
    return NULL;
}

/* ---- the tables ---- */

enum place { VM, DISK, NIC };

static const struct field_row {
    enum place place;
    int field;
    enum meter_id meter;
} counter_rows[] = {
    {VM, DOMAIN_CPU_TIME, METER_CPU},
    {VM, DOMAIN_VCPU_WAIT, METER_VCPU_WAIT},
    {VM, DOMAIN_VCPU_DELAY, METER_VCPU_DELAY},
    {VM, DOMAIN_BALLOON_SWAP_IN, METER_MEMORY_SWAP_IN},
    {VM, DOMAIN_BALLOON_SWAP_OUT, METER_MEMORY_SWAP_OUT},
    {VM, DOMAIN_PERF_CYCLES, METER_PERF_CYCLES},
    {VM, DOMAIN_PERF_INSTRUCTIONS, METER_PERF_INSTRUCTIONS},
    {VM, DOMAIN_PERF_CACHE_REFERENCES, METER_PERF_CACHE_REFERENCES},
    {VM, DOMAIN_PERF_CACHE_MISSES, METER_PERF_CACHE_MISSES},
    {DISK, DISK_RD_BYTES, METER_DISK_READ_BYTES},
    {DISK, DISK_RD_REQS, METER_DISK_READ_REQUESTS},
    {DISK, DISK_RD_TIMES, METER_DISK_READ_LATENCY},
    {DISK, DISK_WR_BYTES, METER_DISK_WRITE_BYTES},
    {DISK, DISK_WR_REQS, METER_DISK_WRITE_REQUESTS},
    {DISK, DISK_WR_TIMES, METER_DISK_WRITE_LATENCY},
    {NIC, NET_RX_BYTES, METER_NET_IN_BYTES},
    {NIC, NET_RX_PKTS, METER_NET_IN_PACKETS},
    {NIC, NET_RX_DROP, METER_NET_IN_DROP},
    {NIC, NET_RX_ERRS, METER_NET_IN_ERROR},
    {NIC, NET_TX_BYTES, METER_NET_OUT_BYTES},
    {NIC, NET_TX_PKTS, METER_NET_OUT_PACKETS},
    {NIC, NET_TX_DROP, METER_NET_OUT_DROP},
    {NIC, NET_TX_ERRS, METER_NET_OUT_ERROR},
};

static struct reading *field_at(const struct field_row *row)
{
    switch (row->place) {
    case VM:
        return &vm.stats.field[row->field];
    case DISK:
        return &vm.disks[0].field[row->field];
    case NIC:
        return &vm.nets[0].field[row->field];
    }
    return NULL;
}

static const char *device_at(const struct field_row *row)
{
    return row->place == VM ? "" : row->place == DISK ? vda : mac;
}

START_TEST(each_counter_becomes_its_meter_and_a_gap_is_a_gap)
{
    const struct field_row *row = &counter_rows[_i];
    set_reading(field_at(row), 1000);
    see(1000);
    field_at(row)->has = false;
    see(1060);
    ck_assert_ptr_null(told(row->meter));   /* absent is not zero */
    set_reading(field_at(row), UINT64_MAX); /* a driver's way to say that it does not know */
    see(1120);
    ck_assert_ptr_null(told(row->meter));
    set_reading(field_at(row), 1007);
    see(1180);
    ck_assert_int_eq(used(&rig, &vm, device_at(row), row->meter, NULL), 7);
    ck_assert_uint_eq(streams_of(&rig, &vm, device_at(row), row->meter), 1);
}
END_TEST

START_TEST(a_meter_that_nobody_wants_is_not_told)
{
    const struct field_row *row = &counter_rows[_i];
    rig.set.wanted[row->meter] = false;
    set_reading(field_at(row), 1000);
    see(1000);
    ck_assert_ptr_null(told(row->meter));
}
END_TEST

static const struct gauge_row {
    int field;
    enum meter_id meter;
    uint64_t value;
    int64_t expected;
} gauge_rows[] = {
    {DOMAIN_BALLOON_RSS, METER_MEMORY_RESIDENT, 3 * 1024, 3},
    {DOMAIN_BALLOON_AVAILABLE, METER_MEMORY_AVAILABLE, 9 * 1024 + 1023, 9},
};

START_TEST(each_gauge_is_told_in_its_unit_without_a_stream)
{
    const struct gauge_row *row = &gauge_rows[_i];
    set_reading(&vm.stats.field[row->field], row->value);
    see(1000);
    ck_assert_ptr_nonnull(told(row->meter));
    ck_assert_int_eq(told(row->meter)->value, row->expected);
    ck_assert_uint_eq(told(row->meter)->stream, 0);
    ck_assert_int_eq(told(row->meter)->time_ns, 1000 * SEC + rig.offset_ns);
    ck_assert_int_eq(told(METER_POWER_STATE)->value, DOMAIN_RUNNING);
}
END_TEST

static const struct size_row {
    enum meter_id meter;
    const char *device;
    int64_t expected;
} size_rows[] = {
    {METER_INSTANCE, "", 1},
    {METER_VCPUS, "", 1},
    {METER_MEMORY, "", 512},
    {METER_DEVICE_GPU, "", 2},
    {METER_DEVICE_VGPU, "", 3},
    {METER_DEVICE_PCI, "", 4},
    {METER_DISK_ROOT_SIZE, "", 20},
    {METER_DISK_EPHEMERAL_SIZE, "", 5},
    {METER_DISK_CAPACITY, "vda", 1000},
};

START_TEST(each_size_is_held_from_reading_to_reading)
{
    const struct size_row *row = &size_rows[_i];
    vm.meta.gpu = 2;
    vm.meta.vgpu = 3;
    vm.meta.pci = 4;
    vm.meta.has_nova = true;
    vm.meta.flavor_disk_gib = 20;
    vm.meta.flavor_ephemeral_gib = 5;
    see(1000);
    see(1060);
    ck_assert_int_eq(held(&rig, &vm, row->device, row->meter, DOMAIN_RUNNING), row->expected * 60);
}
END_TEST

/* ---- the guest's memory ---- */

static void balloon(uint64_t update, uint64_t available, uint64_t usable)
{
    set_reading(&vm.stats.field[DOMAIN_BALLOON_LAST_UPDATE], update);
    set_reading(&vm.stats.field[DOMAIN_BALLOON_AVAILABLE], available);
    set_reading(&vm.stats.field[DOMAIN_BALLOON_UNUSED], 1024);
    vm.stats.field[DOMAIN_BALLOON_USABLE] = (struct reading){usable > 0, usable};
}

START_TEST(figures_of_the_balloon_are_told_only_while_it_updates_them)
{
    balloon(50, 8 * 1024, 5 * 1024);
    see(1000);
    ck_assert_ptr_null(told(METER_MEMORY_USAGE)); /* they may be of any age */
    balloon(60, 8 * 1024, 5 * 1024);
    see(1060);
    ck_assert_int_eq(told(METER_MEMORY_USAGE)->value, 3);
    ck_assert_int_eq(told(METER_MEMORY_AVAILABLE)->value, 8);
    see(1120);
    ck_assert_ptr_null(told(METER_MEMORY_USAGE));
    ck_assert_ptr_null(told(METER_MEMORY_AVAILABLE));
    balloon(70, 8 * 1024, 0); /* an old driver knows only what is unused */
    see(1180);
    ck_assert_int_eq(told(METER_MEMORY_USAGE)->value, 7);
    balloon(80, 8 * 1024, 9 * 1024);
    see(1240);
    ck_assert_ptr_null(told(METER_MEMORY_USAGE)); /* more usable than there is */
}
END_TEST

/* ---- who says little ---- */

START_TEST(a_hung_vm_tells_cpu_net_and_state_and_catches_up_later)
{
    set_reading(&vm.disks[0].field[DISK_RD_BYTES], 10);
    see(1000);
    struct domain_stats whole = vm.stats;
    memset(vm.stats.field, 0, sizeof vm.stats.field);
    vm.stats.answers = false;
    vm.stats.disk_count = 0;
    guest_cpu(&vm, 9);
    set_reading(&vm.nets[0].field[NET_RX_BYTES], 5);
    for (int64_t at = 1060; at <= 3000; at += 60)
        see(at);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 9);
    ck_assert_int_eq(used(&rig, &vm, mac, METER_NET_IN_BYTES, NULL), 5);
    ck_assert_int_eq(held(&rig, &vm, "", METER_INSTANCE, DOMAIN_RUNNING), 1980);
    ck_assert_int_eq(held(&rig, &vm, "", METER_MEMORY, DOMAIN_RUNNING), 0);
    vm.stats = whole;
    set_reading(&vm.disks[0].field[DISK_RD_BYTES], 70);
    guest_cpu(&vm, 10);
    see(3060);
    ck_assert_int_eq(used(&rig, &vm, "vda", METER_DISK_READ_BYTES, NULL), 60);
    ck_assert_int_eq(held(&rig, &vm, "", METER_MEMORY, DOMAIN_RUNNING), 2060 * 512); /* one process: it had it */
}
END_TEST

START_TEST(a_hung_vm_that_is_stopped_had_its_sizes_to_the_end)
{
    see(1000);
    memset(vm.stats.field, 0, sizeof vm.stats.field);
    vm.stats.answers = false;
    vm.stats.disk_count = 0;
    for (int64_t at = 1060; at <= 3000; at += 60)
        see(at);
    rig_event(&rig, 3030, &vm, LIFECYCLE_STOPPED);
    ck_assert_int_eq(held(&rig, &vm, "", METER_MEMORY, DOMAIN_RUNNING), 2030 * 512);
}
END_TEST

START_TEST(a_stopped_vm_is_held_with_the_sizes_it_will_start_with)
{
    vm.meta.vcpus = 2;
    vm.meta.max_memory_kib = 1024 * 1024;
    guest_shut_off(&vm);
    see(1000);
    see(1060);
    ck_assert_int_eq(held(&rig, &vm, "", METER_VCPUS, DOMAIN_SHUTOFF), 2 * 60);
    ck_assert_int_eq(held(&rig, &vm, "", METER_MEMORY, DOMAIN_SHUTOFF), 1024 * 60);
    ck_assert_int_eq(held(&rig, &vm, "vda", METER_DISK_CAPACITY, DOMAIN_SHUTOFF), 1000 * 60);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_CPU), 0); /* that would be libvirtd's own */
    ck_assert_int_eq(told(METER_POWER_STATE)->value, DOMAIN_SHUTOFF);
}
END_TEST

START_TEST(a_vm_without_xml_is_told_by_its_statistics)
{
    vm.stats.meta = NULL;
    set_reading(&vm.disks[0].field[DISK_RD_BYTES], 10);
    see(1000);
    set_reading(&vm.disks[0].field[DISK_RD_BYTES], 15);
    see(1060);
    ck_assert_int_eq(used(&rig, &vm, "vda", METER_DISK_READ_BYTES, NULL), 5);
    ck_assert_uint_eq(streams_of(&rig, &vm, mac, METER_NET_IN_BYTES), 0); /* whose tap that is, the XML says */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("incarnation values");
    TCase *t = tcase_create("incarnation values");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, each_counter_becomes_its_meter_and_a_gap_is_a_gap, 0,
                        sizeof counter_rows / sizeof counter_rows[0]);
    tcase_add_loop_test(t, a_meter_that_nobody_wants_is_not_told, 0, sizeof counter_rows / sizeof counter_rows[0]);
    tcase_add_loop_test(t, each_gauge_is_told_in_its_unit_without_a_stream, 0,
                        sizeof gauge_rows / sizeof gauge_rows[0]);
    tcase_add_loop_test(t, each_size_is_held_from_reading_to_reading, 0, sizeof size_rows / sizeof size_rows[0]);
    tcase_add_test(t, figures_of_the_balloon_are_told_only_while_it_updates_them);
    tcase_add_test(t, a_hung_vm_tells_cpu_net_and_state_and_catches_up_later);
    tcase_add_test(t, a_hung_vm_that_is_stopped_had_its_sizes_to_the_end);
    tcase_add_test(t, a_stopped_vm_is_held_with_the_sizes_it_will_start_with);
    tcase_add_test(t, a_vm_without_xml_is_told_by_its_statistics);
    suite_add_tcase(s, t);
    return test_run(s);
}
