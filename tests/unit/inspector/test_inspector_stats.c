/* libvirt's parameters, as the bulk call gives them, against our fields. */
#include "pollers/inspector_stats.h"

#include <string.h>

#include <libvirt/libvirt.h>

#include "pluvio/model/meter.h"
#include "support/run.h"

#define U(name, value)                                                                                                 \
    {                                                                                                                  \
        name, VIR_TYPED_PARAM_ULLONG,                                                                                  \
        {                                                                                                              \
            .ul = value                                                                                                \
        }                                                                                                              \
    }
#define I(name, value)                                                                                                 \
    {                                                                                                                  \
        name, VIR_TYPED_PARAM_INT,                                                                                     \
        {                                                                                                              \
            .i = value                                                                                                 \
        }                                                                                                              \
    }
#define S(name, value)                                                                                                 \
    {                                                                                                                  \
        name, VIR_TYPED_PARAM_STRING,                                                                                  \
        {                                                                                                              \
            .s = value                                                                                                 \
        }                                                                                                              \
    }

static char vda[] = "vda", vdb[] = "vdb", path[] = "/d/vda", tap[] = "vnet0";

static struct domain_stats read_all(const virTypedParameter *p, size_t count)
{
    struct domain_stats d = {.id = 1, .answers = true};
    ck_assert_int_eq(stats_read(p, (int)count, &d), 0);
    return d;
}
#define READ(p) read_all(p, sizeof(p) / sizeof((p)[0]))

static void ck_reading(struct reading r, uint64_t value)
{
    ck_assert(r.has);
    ck_assert_uint_eq(r.value, value);
}

START_TEST(fields_land_where_they_belong)
{
    const virTypedParameter p[] = {I("state.state", 1),
                                   I("state.reason", 5),
                                   U("cpu.time", 77),
                                   U("balloon.current", 1024),
                                   U("balloon.rss", 33),
                                   U("balloon.last-update", 9),
                                   U("block.count", 2),
                                   S("block.0.name", vda),
                                   S("block.0.path", path),
                                   U("block.0.rd.bytes", 1),
                                   U("block.0.wr.times", 2),
                                   U("block.0.capacity", 3),
                                   {"block.0.backingIndex", VIR_TYPED_PARAM_UINT, {.ui = 4}},
                                   S("block.1.name", vdb),
                                   U("net.count", 1),
                                   S("net.0.name", tap),
                                   U("net.0.rx.bytes", 5),
                                   U("net.0.tx.drop", 6),
                                   U("perf.cpu_cycles", 8)};
    struct domain_stats d = READ(p);
    ck_assert_int_eq(d.state, DOMAIN_RUNNING);
    ck_assert_int_eq(d.reason, 5);
    ck_reading(d.field[DOMAIN_CPU_TIME], 77);
    ck_reading(d.field[DOMAIN_BALLOON_CURRENT], 1024);
    ck_reading(d.field[DOMAIN_BALLOON_RSS], 33);
    ck_reading(d.field[DOMAIN_BALLOON_LAST_UPDATE], 9);
    ck_reading(d.field[DOMAIN_PERF_CYCLES], 8);
    ck_assert_uint_eq(d.disk_count, 2);
    ck_assert_str_eq(d.disks[0].name, "vda");
    ck_assert_str_eq(d.disks[0].source, "/d/vda");
    ck_reading(d.disks[0].field[DISK_RD_BYTES], 1);
    ck_reading(d.disks[0].field[DISK_WR_TIMES], 2);
    ck_reading(d.disks[0].field[DISK_CAPACITY], 3);
    ck_reading(d.disks[0].backing_index, 4);
    ck_assert(!d.disks[1].field[DISK_RD_BYTES].has);
    ck_assert_uint_eq(d.net_count, 1);
    ck_reading(d.nets[0].field[NET_RX_BYTES], 5);
    ck_reading(d.nets[0].field[NET_TX_DROP], 6);
    ck_assert(!d.nets[0].field[NET_TX_BYTES].has);
    domain_stats_finish(&d);
}
END_TEST

START_TEST(what_is_not_said_stays_absent)
{
    const virTypedParameter p[] = {I("state.state", 1)};
    struct domain_stats d = READ(p);
    for (int i = 0; i < DOMAIN_FIELDS; i++)
        ck_assert(!d.field[i].has);
    ck_assert_uint_eq(d.disk_count + d.net_count, 0);
    domain_stats_finish(&d);
}
END_TEST

START_TEST(a_domain_that_is_off_has_no_cpu_time)
{
    const virTypedParameter p[] = {I("state.state", 5), U("cpu.time", 77), U("vcpu.current", 1), U("vcpu.0.wait", 5),
                                   U("balloon.current", 1024)};
    struct domain_stats d = READ(p);
    ck_assert(!d.field[DOMAIN_CPU_TIME].has);
    ck_assert(!d.field[DOMAIN_VCPU_WAIT].has);
    ck_reading(d.field[DOMAIN_BALLOON_CURRENT], 1024);
    domain_stats_finish(&d);
}
END_TEST

START_TEST(a_process_that_has_just_ended_has_no_cpu_time)
{
    const virTypedParameter p[] = {I("state.state", 1), U("cpu.time", 0)};
    struct domain_stats d = READ(p);
    ck_assert(!d.field[DOMAIN_CPU_TIME].has);
    domain_stats_finish(&d);
}
END_TEST

START_TEST(waiting_is_summed_over_vcpus_only_when_each_was_read)
{
    const virTypedParameter all[] = {I("state.state", 1), U("vcpu.current", 2), U("vcpu.0.wait", 5),
                                     U("vcpu.1.wait", 6), U("vcpu.0.delay", 7)};
    struct domain_stats d = READ(all);
    ck_reading(d.field[DOMAIN_VCPU_WAIT], 11);
    ck_assert(!d.field[DOMAIN_VCPU_DELAY].has);
    domain_stats_finish(&d);
}
END_TEST

START_TEST(a_negative_number_is_absent)
{
    const virTypedParameter p[] = {{"cpu.time", VIR_TYPED_PARAM_LLONG, {.l = -1}}};
    struct domain_stats d = READ(p);
    ck_assert(!d.field[DOMAIN_CPU_TIME].has);
    domain_stats_finish(&d);
}
END_TEST

START_TEST(a_device_without_a_name_is_dropped)
{
    const virTypedParameter p[] = {S("block.1.name", vdb), U("block.0.rd.bytes", 1), U("block.1.rd.bytes", 2),
                                   U("net.0.rx.bytes", 3)};
    struct domain_stats d = READ(p);
    ck_assert_uint_eq(d.disk_count, 1);
    ck_assert_str_eq(d.disks[0].name, "vdb");
    ck_reading(d.disks[0].field[DISK_RD_BYTES], 2);
    ck_assert_uint_eq(d.net_count, 0);
    domain_stats_finish(&d);
}
END_TEST

START_TEST(an_index_beyond_the_limit_is_left_out)
{
    const virTypedParameter p[] = {S("block.512.name", vda), S("block.99999999999.name", vda), S("block.x.name", vda)};
    struct domain_stats d = READ(p);
    ck_assert_uint_eq(d.disk_count, 0);
    domain_stats_finish(&d);
}
END_TEST

START_TEST(a_disk_that_nobody_counts_does_not_make_a_domain_partial)
{
    const virTypedParameter beside[] = {I("state.state", 1), U("cpu.time", 1), S("block.0.name", vda),
                                        S("block.1.name", vdb), U("block.1.rd.bytes", 2)};
    const virTypedParameter alone[] = {I("state.state", 1), U("cpu.time", 1), S("block.0.name", vda),
                                       U("balloon.rss", 3)};
    struct domain_stats d = READ(beside);
    ck_assert(!stats_partial(&d, GROUP_CPU | GROUP_BLOCK));
    domain_stats_finish(&d);
    d = READ(alone);
    ck_assert(!stats_partial(&d, GROUP_CPU | GROUP_BALLOON | GROUP_BLOCK));
    domain_stats_finish(&d);
}
END_TEST

START_TEST(a_running_domain_with_no_disk_read_is_partial)
{
    const virTypedParameter p[] = {I("state.state", 1), U("cpu.time", 1), S("block.0.name", vda)};
    struct domain_stats d = READ(p);
    ck_assert(stats_partial(&d, GROUP_CPU | GROUP_BLOCK));
    ck_assert(!stats_partial(&d, GROUP_CPU));
    d.state = DOMAIN_SHUTOFF;
    ck_assert(!stats_partial(&d, GROUP_CPU | GROUP_BLOCK));
    domain_stats_finish(&d);
}
END_TEST

START_TEST(what_a_hung_monitor_would_block_is_not_asked_of_it)
{
    unsigned all = GROUP_STATE | GROUP_CPU | GROUP_VCPU | GROUP_BALLOON | GROUP_BLOCK | GROUP_INTERFACE | GROUP_PERF;
    ck_assert_uint_eq(stats_mask_monitorless(all),
                      VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_PERF);
    ck_assert_uint_eq(stats_mask(0), VIR_DOMAIN_STATS_STATE);
    ck_assert_uint_eq(stats_mask(GROUP_CPU | GROUP_BLOCK),
                      VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BLOCK);
}
END_TEST

START_TEST(every_state_and_event_has_a_name_of_its_own)
{
    for (int i = 0; i < DOMAIN_STATES; i++)
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(domain_state_name((enum domain_state)i), domain_state_name((enum domain_state)j));
    for (int i = 0; i < LIFECYCLE_KINDS; i++)
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(lifecycle_name((enum lifecycle_kind)i), lifecycle_name((enum lifecycle_kind)j));
    ck_assert_int_eq(DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inspector_stats");
    TCase *c = tcase_create("inspector_stats");
    tcase_add_test(c, fields_land_where_they_belong);
    tcase_add_test(c, what_is_not_said_stays_absent);
    tcase_add_test(c, a_domain_that_is_off_has_no_cpu_time);
    tcase_add_test(c, a_process_that_has_just_ended_has_no_cpu_time);
    tcase_add_test(c, waiting_is_summed_over_vcpus_only_when_each_was_read);
    tcase_add_test(c, a_negative_number_is_absent);
    tcase_add_test(c, a_device_without_a_name_is_dropped);
    tcase_add_test(c, an_index_beyond_the_limit_is_left_out);
    tcase_add_test(c, a_disk_that_nobody_counts_does_not_make_a_domain_partial);
    tcase_add_test(c, a_running_domain_with_no_disk_read_is_partial);
    tcase_add_test(c, what_a_hung_monitor_would_block_is_not_asked_of_it);
    tcase_add_test(c, every_state_and_event_has_a_name_of_its_own);
    suite_add_tcase(s, c);
    return test_run(s);
}
