/* Rule S4: which plug a disk's or an interface's counters belong to. */
#include <stdio.h>
#include <string.h>

#include "guest_rig.h"
#include "support/run.h"

#define MAC   "52:54:00:00:00:01"
#define OTHER "52:54:00:00:00:02"

static struct rig rig;
static struct guest vm;
static char vda[] = "vda", vdb[] = "vdb", mac[] = MAC, other_mac[] = OTHER, vnet0[] = "vnet0", vnet1[] = "vnet1";

/* A VM that ran before Pluvio came, with vda (index 1) and one interface; read at 1000 s (10, 10) and 1060 s (30, 100).
 */
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

static void see_disk(int64_t at_s, uint64_t rd, uint64_t wr)
{
    set_reading(&vm.disks[0].field[DISK_RD_BYTES], rd);
    set_reading(&vm.disks[0].field[DISK_WR_BYTES], wr);
    rig_see(&rig, at_s, &vm);
}

static void see_net(int64_t at_s, uint64_t rx)
{
    set_reading(&vm.nets[0].field[NET_RX_BYTES], rx);
    rig_see(&rig, at_s, &vm);
}

static void begin_with_disk(void)
{
    see_disk(1000, 10, 10);
    see_disk(1060, 30, 100);
}

static int64_t disk_read(void)
{
    return used(&rig, &vm, "vda", METER_DISK_READ_BYTES, NULL);
}

static int64_t disk_written(void)
{
    return used(&rig, &vm, "vda", METER_DISK_WRITE_BYTES, NULL);
}

static int64_t net_in(void)
{
    return used(&rig, &vm, MAC, METER_NET_IN_BYTES, NULL);
}

static void plugged(int64_t at_s, const char *alias)
{
    struct lifecycle_event e = {.kind = LIFECYCLE_DEVICE_ADDED, .id = 1, .boot_ns = at_s * SEC};
    text_copy(text_of(vm.stats.uuid), e.uuid, sizeof e.uuid);
    text_copy(text_of(alias), e.device, sizeof e.device);
    rig_tell(&rig, &e);
}

static void chain_is(int64_t top)
{
    guest_chain(&vm, 0, 1, &top);
}

/* ---- disks ---- */

START_TEST(a_replug_told_by_an_event_counts_from_zero_even_if_its_counters_have_passed_the_old)
{
    begin_with_disk();
    plugged(1090, "virtio-disk0");
    chain_is(2);
    see_disk(1120, 500, 600);
    ck_assert_int_eq(disk_read(), 20 + 500);
    ck_assert_int_eq(disk_written(), 90 + 600);
    ck_assert_uint_eq(rig.set.counts.plugs, 1);
}
END_TEST

START_TEST(a_replug_that_one_fallen_counter_betrays_restarts_all_of_the_disk)
{
    begin_with_disk();
    rig_restart(&rig); /* the event was missed */
    chain_is(2);
    see_disk(1120, 500, 4);
    ck_assert_int_eq(disk_read(), 20 + 500);
    ck_assert_int_eq(disk_written(), 90 + 4);
}
END_TEST

START_TEST(disjoint_chains_without_event_or_fall_are_one_stream_and_counted_as_ambiguous)
{
    begin_with_disk();
    chain_is(2);
    see_disk(1120, 50, 120);
    ck_assert_int_eq(disk_read(), 40);
    ck_assert_int_eq(disk_written(), 110);
    ck_assert_uint_eq(streams_of(&rig, &vm, "vda", METER_DISK_READ_BYTES), 1);
    ck_assert_uint_eq(rig.set.counts.ambiguous, 1);
    see_disk(1180, 60, 130);
    ck_assert_uint_eq(rig.set.counts.ambiguous, 1);
}
END_TEST

START_TEST(disjoint_chains_with_another_serial_are_another_plug)
{
    vm.xml_disks[0].serial = (char *)(uintptr_t) "volume-1";
    begin_with_disk();
    vm.xml_disks[0].serial = (char *)(uintptr_t) "volume-2";
    chain_is(2);
    rig_restart(&rig);
    see_disk(1120, 50, 120);
    ck_assert_int_eq(disk_read(), 20 + 50);
    ck_assert_uint_eq(rig.set.counts.ambiguous, 0);
}
END_TEST

START_TEST(a_pivot_with_an_interfaces_event_is_no_plug)
{
    begin_with_disk();
    plugged(1090, "net1");
    chain_is(2);
    see_disk(1120, 50, 120);
    ck_assert_int_eq(disk_read(), 40);
}
END_TEST

/* What libvirt 9 shows: the top changes, the chain overlaps. */
static const struct chain_row {
    const char *what;
    size_t count;
    int64_t chain[3];
} chains[] = {
    {"a snapshot", 2, {4, 1}},
    {"another one", 3, {5, 4, 1}},
    {"a commit", 2, {4, 1}},
    {"a pull", 1, {4}},
};

START_TEST(counters_go_on_over_snapshot_commit_and_pull)
{
    begin_with_disk();
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        plugged(1090 + 60 * (int64_t)i, "virtio-disk0");
        guest_chain(&vm, 0, chains[i].count, chains[i].chain);
        see_disk(1120 + 60 * (int64_t)i, 40 + 10 * i, 100);
        ck_assert_msg(streams_of(&rig, &vm, "vda", METER_DISK_READ_BYTES) == 1, "after %s", chains[i].what);
    }
    ck_assert_int_eq(disk_read(), 60);
    ck_assert_uint_eq(rig.set.counts.plugs + rig.set.counts.ambiguous, 0);
}
END_TEST

START_TEST(a_fall_without_a_known_chain_begins_a_stream)
{
    vm.meta.disk_count = 0;
    begin_with_disk();
    see_disk(1120, 7, 120);
    ck_assert_int_eq(disk_read(), 20 + 7);
}
END_TEST

/* Statistics and XML are read one after the other: what is plugged between them shows in the XML alone. */
START_TEST(statistics_older_than_the_replug_belong_to_the_old_plug)
{
    begin_with_disk();
    plugged(1125, "virtio-disk0");
    chain_is(2);
    set_reading(&vm.disks[0].backing_index, 1);
    set_reading(&vm.disks[0].field[DISK_RD_BYTES], 50);
    rig_look(&rig, 1120, &vm);
    set_reading(&vm.disks[0].backing_index, 2);
    see_disk(1180, 90, 3);
    ck_assert_int_eq(disk_read(), 40 + 90);
    ck_assert_int_eq(disk_written(), 90 + 3);
}
END_TEST

/* And where the XML could not be had in time it is that of an earlier cycle. */
START_TEST(statistics_newer_than_the_xml_are_billed_once)
{
    begin_with_disk();
    plugged(1090, "virtio-disk0");
    set_reading(&vm.disks[0].backing_index, 2);
    see_disk(1120, _i ? 5 : 50, _i ? 120 : 150); /* the XML still says 1 */
    chain_is(2);
    see_disk(1180, 90, 200);
    ck_assert_int_eq(disk_read(), 20 + 90);
    ck_assert_int_eq(disk_written(), 90 + 200);
}
END_TEST

START_TEST(the_event_of_a_plug_is_remembered_until_statistics_and_xml_show_it)
{
    begin_with_disk();
    plugged(1090, "virtio-disk0");
    see_disk(1120, 40, 100); /* not yet */
    rig_restart(&rig);
    set_reading(&vm.disks[0].field[DISK_RD_BYTES], 45);
    plugged(1175, "virtio-disk0");
    rig_look(&rig, 1170, &vm); /* a list that the event overtook */
    chain_is(2);
    see_disk(1180, 500, 600);
    ck_assert_int_eq(disk_read(), 35 + 500);
    ck_assert_int_eq(disk_written(), 90 + 600);
}
END_TEST

static const struct {
    const char *disk_alias, *events[5];
    bool is_plug;
} alias_rows[] = {
    {"virtio-disk0", {"virtio-disk0"}, true},
    {"virtio-disk0", {"virtio-disk1"}, false},
    {"virtio-disk0", {"hostdev0", "virtio-disk1"}, false},
    {"virtio-disk0", {"hostdev0", "virtio-disk0", "rng0"}, true},
    {"virtio-disk0", {"scsi0-0-0-1", "scsi0-0-0-2", "scsi0-0-0-3", "scsi0-0-0-4", "scsi0-0-0-5"}, true}, /* too many */
    {NULL, {"virtio-disk1"}, true}, /* cannot be told */
};

START_TEST(a_pivot_is_a_plug_only_if_the_event_is_of_that_disk)
{
    static char alias[32];
    const char *name = alias_rows[_i].disk_alias;
    if (name)
        vm.xml_disks[0].alias = strcpy(alias, name);
    begin_with_disk();
    for (size_t e = 0; e < 5 && alias_rows[_i].events[e]; e++)
        plugged(1090 + (int64_t)e, alias_rows[_i].events[e]);
    chain_is(2);
    see_disk(1120, 50, 120);
    ck_assert_int_eq(disk_read(), alias_rows[_i].is_plug ? 20 + 50 : 40);
    ck_assert_uint_eq(rig.set.counts.ambiguous, !alias_rows[_i].is_plug);
}
END_TEST

START_TEST(an_old_event_makes_no_plug_of_a_later_pivot)
{
    begin_with_disk();
    plugged(1090, "virtio-disk1"); /* of another disk, that shows nowhere */
    for (int64_t at = 1120; at < 1700; at += 60)
        see_disk(at, 40, 100);
    chain_is(2);
    see_disk(1740, 50, 100);
    ck_assert_int_eq(disk_read(), 40);
}
END_TEST

START_TEST(a_disk_plugged_since_the_first_list_counts_from_zero_and_those_before_it_do_not)
{
    begin_with_disk();
    guest_disk(&vm, vdb, 2);
    set_reading(&vm.disks[1].field[DISK_RD_BYTES], 70);
    see_disk(1120, 40, 100);
    ck_assert_int_eq(used(&rig, &vm, "vdb", METER_DISK_READ_BYTES, NULL), 70);
    ck_assert_int_eq(newest_of(&rig, &vm, "vdb", METER_DISK_READ_BYTES)->start_ns, 1060 * SEC + rig.offset_ns);
    ck_assert_int_eq(disk_read(), 30);
}
END_TEST

START_TEST(a_disk_whose_counters_were_omitted_at_first_counts_from_its_first_reading)
{
    vm.disks[0].field[DISK_RD_BYTES].has = false;
    rig_see(&rig, 1000, &vm);
    see_disk(1060, 70, 0);
    see_disk(1120, 75, 0);
    ck_assert_int_eq(disk_read(), 5);
}
END_TEST

START_TEST(a_disk_that_was_out_in_between_counts_from_zero)
{
    begin_with_disk();
    vm.stats.disk_count = vm.meta.disk_count = 0;
    guest_meta_is_new(&vm);
    rig_see(&rig, 1120, &vm);
    ck_assert(newest_of(&rig, &vm, "vda", METER_DISK_READ_BYTES)->ended);
    vm.stats.disk_count = vm.meta.disk_count = 1;
    chain_is(3);
    see_disk(1180, 500, 0);
    ck_assert_int_eq(disk_read(), 20 + 500);
}
END_TEST

START_TEST(a_disk_that_a_hung_or_partial_answer_leaves_out_is_still_there)
{
    begin_with_disk();
    vm.stats.disk_count = 0;
    vm.stats.answers = _i;
    if (!_i) {
        vm.stats.meta = NULL;
    }
    rig_see(&rig, 1120, &vm);
    vm.stats.disk_count = 1;
    vm.stats.answers = true;
    vm.stats.meta = &vm.meta;
    see_disk(1180, 50, 110);
    ck_assert_int_eq(disk_read(), 40);
    ck_assert_uint_eq(streams_of(&rig, &vm, "vda", METER_DISK_READ_BYTES), 1);
}
END_TEST

START_TEST(a_plug_that_changes_together_with_the_owner_is_settled_under_the_old_owner)
{
    begin_with_disk();
    plugged(1090, "virtio-disk0");
    chain_is(2);
    text_copy(TEXT("blue"), vm.owner.project, sizeof vm.owner.project);
    see_disk(1120, 500, 100);
    see_disk(1180, 501, 100);
    ck_assert_int_eq(used(&rig, &vm, "vda", METER_DISK_READ_BYTES, "red"), 20 + 500);
    ck_assert_int_eq(used(&rig, &vm, "vda", METER_DISK_READ_BYTES, "blue"), 1);
}
END_TEST

/* ---- interfaces ---- */

static const struct nic_row {
    char *tap;
    uint64_t ifindex; /* 0: the poller cannot see it */
    uint64_t rx;      /* after 30, of which 20 are billed */
    int64_t expected;
} nic_rows[] = {
    {vnet1, 8, 500, 20 + 500}, /* another tap, as plain libvirt names them */
    {vnet0, 9, 500, 20 + 500}, /* the same name, as nova's: its index tells */
    {vnet0, 7, 500, 490},      /* nothing happened */
    {vnet0, 0, 500, 490},      /* nothing is known: never twice */
    {vnet0, 0, 5, 20 + 5},     /* but a fall is */
};

START_TEST(another_tap_is_another_plug)
{
    const struct nic_row *row = &nic_rows[_i];
    see_net(1000, 10);
    see_net(1060, 30);
    vm.nets[0].name = vm.nics[0].target = row->tap;
    vm.nets[0].ifindex = (struct reading){row->ifindex != 0, row->ifindex};
    guest_meta_is_new(&vm);
    see_net(1120, row->rx);
    ck_assert_int_eq(net_in(), row->expected);
}
END_TEST

START_TEST(a_plug_is_known_again_after_a_restart_of_the_poller)
{
    see_net(1000, 10);
    see_net(1060, 30);
    rig_restart(&rig);
    set_reading(&vm.nets[0].ifindex, 9);
    see_net(1120, 500);
    ck_assert_int_eq(net_in(), 520);
}
END_TEST

START_TEST(without_xml_an_interface_is_known_by_its_tap)
{
    see_net(1000, 10);
    see_net(1060, 30);
    vm.stats.meta = NULL;
    see_net(1120, 50);
    vm.nets[0].name = vnet1; /* nobody knows whose that is */
    see_net(1180, 900);
    ck_assert_int_eq(net_in(), 40);
}
END_TEST

START_TEST(the_first_of_two_interfaces_with_one_mac_is_counted_and_none_is_billed_twice)
{
    guest_nic(&vm, mac, vnet1, 8);
    for (uint64_t i = 0; i < 5; i++) {
        set_reading(&vm.nets[1].field[NET_RX_BYTES], 5000 + i);
        see_net(1000 + 60 * (int64_t)i, 10 + i);
    }
    ck_assert_int_eq(net_in(), 4);
    ck_assert_uint_gt(rig.set.counts.refused, 0);
    ck_assert_uint_eq(rig.set.counts.plugs, 0);
}
END_TEST

START_TEST(two_interfaces_are_two_resources_and_one_that_cannot_be_counted_is_none)
{
    guest_nic(&vm, other_mac, vnet1, 8);
    vm.nics[1].countable = _i;
    for (uint64_t i = 0; i < 3; i++) {
        set_reading(&vm.nets[1].field[NET_RX_BYTES], 5000 + 100 * i);
        see_net(1000 + 60 * (int64_t)i, 10 + i);
    }
    ck_assert_int_eq(net_in(), 2);
    ck_assert_int_eq(used(&rig, &vm, OTHER, METER_NET_IN_BYTES, NULL), _i ? 200 : 0);
}
END_TEST

/* ---- limits ---- */

START_TEST(more_devices_than_fit_are_counted_and_the_others_go_on)
{
    static char names[INCARNATION_MAX_DEVICES + 1][8];
    static struct disk_stats many[INCARNATION_MAX_DEVICES + 1];
    for (size_t i = 0; i <= INCARNATION_MAX_DEVICES; i++) {
        snprintf(names[i], sizeof names[i], "d%zu", i);
        many[i] = (struct disk_stats){.name = names[i]};
    }
    vm.stats.disks = many;
    vm.stats.disk_count = INCARNATION_MAX_DEVICES + 1;
    guest_cpu(&vm, 1);
    rig_see(&rig, 1000, &vm);
    guest_cpu(&vm, 5);
    rig_see(&rig, 1060, &vm);
    ck_assert_uint_gt(rig.set.counts.refused, 0);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 4);
}
END_TEST

START_TEST(a_device_whose_name_does_not_fit_is_refused)
{
    static char long_name[DEVICE_NAME_SIZE + 1];
    memset(long_name, 'x', DEVICE_NAME_SIZE);
    vm.disks[0].name = vm.xml_disks[0].target = long_name;
    begin_with_disk();
    ck_assert_uint_gt(rig.set.counts.refused, 0);
    ck_assert_uint_eq(streams_of(&rig, &vm, long_name, METER_DISK_READ_BYTES), 0);
}
END_TEST

static TCase *disks(void)
{
    TCase *t = tcase_create("disks");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_replug_told_by_an_event_counts_from_zero_even_if_its_counters_have_passed_the_old);
    tcase_add_test(t, a_replug_that_one_fallen_counter_betrays_restarts_all_of_the_disk);
    tcase_add_test(t, disjoint_chains_without_event_or_fall_are_one_stream_and_counted_as_ambiguous);
    tcase_add_test(t, disjoint_chains_with_another_serial_are_another_plug);
    tcase_add_test(t, a_pivot_with_an_interfaces_event_is_no_plug);
    tcase_add_test(t, counters_go_on_over_snapshot_commit_and_pull);
    tcase_add_test(t, a_fall_without_a_known_chain_begins_a_stream);
    tcase_add_test(t, statistics_older_than_the_replug_belong_to_the_old_plug);
    tcase_add_loop_test(t, statistics_newer_than_the_xml_are_billed_once, 0, 2);
    tcase_add_test(t, the_event_of_a_plug_is_remembered_until_statistics_and_xml_show_it);
    tcase_add_loop_test(t, a_pivot_is_a_plug_only_if_the_event_is_of_that_disk, 0,
                        sizeof alias_rows / sizeof alias_rows[0]);
    tcase_add_test(t, an_old_event_makes_no_plug_of_a_later_pivot);
    tcase_add_test(t, a_disk_plugged_since_the_first_list_counts_from_zero_and_those_before_it_do_not);
    tcase_add_test(t, a_disk_whose_counters_were_omitted_at_first_counts_from_its_first_reading);
    tcase_add_test(t, a_disk_that_was_out_in_between_counts_from_zero);
    tcase_add_loop_test(t, a_disk_that_a_hung_or_partial_answer_leaves_out_is_still_there, 0, 2);
    tcase_add_test(t, a_plug_that_changes_together_with_the_owner_is_settled_under_the_old_owner);
    return t;
}

static TCase *interfaces(void)
{
    TCase *t = tcase_create("interfaces and limits");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, another_tap_is_another_plug, 0, sizeof nic_rows / sizeof nic_rows[0]);
    tcase_add_test(t, a_plug_is_known_again_after_a_restart_of_the_poller);
    tcase_add_test(t, without_xml_an_interface_is_known_by_its_tap);
    tcase_add_test(t, the_first_of_two_interfaces_with_one_mac_is_counted_and_none_is_billed_twice);
    tcase_add_loop_test(t, two_interfaces_are_two_resources_and_one_that_cannot_be_counted_is_none, 0, 2);
    tcase_add_test(t, more_devices_than_fit_are_counted_and_the_others_go_on);
    tcase_add_test(t, a_device_whose_name_does_not_fit_is_refused);
    return t;
}

int main(void)
{
    Suite *s = suite_create("incarnation device");
    suite_add_tcase(s, disks());
    suite_add_tcase(s, interfaces());
    return test_run(s);
}
