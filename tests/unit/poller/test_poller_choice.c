/* Which meters and devices are told of, how often, and from when on. */
#include "poller_rig.h"
#include "support/run.h"

START_TEST(a_meter_with_its_own_interval_is_asked_for_then_only)
{
    int64_t every[METERS] = {0};
    unsigned with_disks = 0;
    for (size_t m = METER_DISK_READ_BYTES; m <= METER_DISK_USAGE; m++)
        every[m] = 600 * NS_PER_S;
    rig.settings.every_ns = every;
    poller_configure(rig.poller, &rig.settings);
    for (int i = 0; i < 20; i++) {
        rig_advance(&rig, i ? 60 : 0);
        with_disks += (rig.inspector.groups & GROUP_BLOCK) != 0;
        ck_assert(rig.inspector.groups & GROUP_CPU);
    }
    ck_assert_uint_eq(rig.inspector.begun, 20);
    ck_assert_uint_eq(with_disks, 2);
}
END_TEST

START_TEST(libvirt_is_asked_only_for_what_the_chosen_meters_need)
{
    bool wanted[METERS] = {[METER_CPU] = true};
    rig.settings.wanted = wanted;
    poller_configure(rig.poller, &rig.settings);
    rig_advance(&rig, 0);
    ck_assert_uint_eq(rig.inspector.groups, GROUP_STATE | GROUP_XML | GROUP_CPU);
}
END_TEST

START_TEST(a_device_that_is_left_out_is_not_told_of)
{
    const char *const patterns[] = {"!vda"};
    rig.settings.devices = (struct selection){patterns, 1};
    poller_configure(rig.poller, &rig.settings);
    rig_advance(&rig, 0);
    rig.inspector.written = 900;
    rig.inspector.cpu_ns = 40;
    rig_advance(&rig, 60);
    ck_assert_int_eq(said().written, 0);
    ck_assert_int_eq(said().cpu, 40);
}
END_TEST

/* A VM that came after the first list, so that all that is chosen of it counts from zero. */
static void begin_vm(void)
{
    rig.inspector.has_vm = false;
    rig_advance(&rig, 0);
    rig.inspector.has_vm = true;
    rig.inspector.process_start = rig.clock.boot_ns / TICK_NS + 100;
    rig.inspector.cpu_ns = 40;
    rig.inspector.written = 900;
    rig_advance(&rig, 60);
}

static void go_on(uint64_t written)
{
    rig.inspector.written += written;
    rig_advance(&rig, 60);
}

static const struct {
    bool is_device, restarts;
} later_rows[] = {{false, false}, {false, true}, {true, false}, {true, true}};

START_TEST(what_is_chosen_later_counts_from_its_next_reading)
{
    static const char *const patterns[] = {"!vda"};
    static bool wanted[METERS] = {[METER_CPU] = true};
    struct poller_settings whole = rig.settings, part = rig.settings;
    if (later_rows[_i].is_device)
        part.devices = (struct selection){patterns, 1};
    else
        part.wanted = wanted;
    rig.settings = part;
    poller_configure(rig.poller, &part);
    begin_vm();
    go_on(100);
    ck_assert_int_eq(said().written, 0);
    ck_assert_int_eq(said().cpu, 40);
    rig.settings = whole;
    if (later_rows[_i].restarts)
        rig_restart(&rig);
    else
        poller_configure(rig.poller, &whole);
    go_on(1000);
    go_on(3);
    ck_assert_int_eq(said().written, 3);
    rig.settings = part;
    poller_configure(rig.poller, &part);
    go_on(500);
    rig.settings = whole;
    poller_configure(rig.poller, &whole);
    go_on(50);
    go_on(4);
    ck_assert_int_eq(said().written, 4); /* of the newest stream */
    ck_assert_int_eq(said().cpu, 40);
}
END_TEST

START_TEST(a_restart_with_the_same_choice_goes_on)
{
    begin_vm();
    rig_restart(&rig);
    go_on(100);
    ck_assert_int_eq(said().written, 1000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("poller choice");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, rig_set_up, rig_tear_down);
    tcase_add_test(t, a_meter_with_its_own_interval_is_asked_for_then_only);
    tcase_add_test(t, libvirt_is_asked_only_for_what_the_chosen_meters_need);
    tcase_add_test(t, a_device_that_is_left_out_is_not_told_of);
    tcase_add_loop_test(t, what_is_chosen_later_counts_from_its_next_reading, 0,
                        sizeof later_rows / sizeof later_rows[0]);
    tcase_add_test(t, a_restart_with_the_same_choice_goes_on);
    suite_add_tcase(s, t);
    return test_run(s);
}
