/* The poller's pure parts: when to poll, what to read, whose a VM is. */
#include <stdio.h>

#include "pluvio/base/clock.h"
#include "pollers/cycle.h"
#include "pollers/discovery.h"
#include "pollers/hung.h"
#include "pollers/lifecycle.h"
#include "support/run.h"

/* ---- cycle ---- */

START_TEST(the_next_cycle_lies_on_the_hosts_grid)
{
    static const struct {
        int64_t wall_s, interval_s, offset_s, wait_s;
    } rows[] = {
        {1000, 60, 0, 20},                                           /* 1000 = 16 * 60 + 40 */
        {1020, 60, 0, 60},                                           /* on the grid: the next one, not now again */
        {1000, 60, 50, 10},                                          /* the host's own moment */
        {1000, 60, 41, 1},  {1000, 60, 40, 60}, {1000, 100, 1, 101}, /* a hundredth early is in time */
        {1000, 100, 2, 2},  {5, 60, 50, 45},                         /* before the first moment of the grid */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t next = cycle_next_boot_ns(7 * NS_PER_S, rows[i].wall_s * NS_PER_S, rows[i].interval_s * NS_PER_S,
                                          rows[i].offset_s * NS_PER_S);
        ck_assert_int_eq(next, (7 + rows[i].wait_s) * NS_PER_S);
    }
}
END_TEST

START_TEST(a_fleet_spreads_over_the_interval)
{
    unsigned tenths[10] = {0};
    for (int i = 0; i < 1000; i++) {
        char uuid[37];
        snprintf(uuid, sizeof uuid, "0a1d0000-0000-4000-8000-%012d", i);
        int64_t offset = cycle_offset_ns(text_of(uuid), 60 * NS_PER_S);
        ck_assert(offset >= 0 && offset < 60 * NS_PER_S);
        ck_assert_int_eq(offset, cycle_offset_ns(text_of(uuid), 60 * NS_PER_S));
        tenths[offset / (6 * NS_PER_S)]++;
    }
    for (int i = 0; i < 10; i++)
        ck_assert_msg(tenths[i] > 60 && tenths[i] < 140, "%u of 1000 in tenth %d", tenths[i], i);
}
END_TEST

START_TEST(patience_grows_with_the_vms_until_it_is_measured_and_leaves_half_the_interval)
{
    static const struct {
        int64_t interval_s;
        uint64_t vms;
        int64_t usual_ms, patience_ms;
    } rows[] = {
        {60, 0, 0, 300},        {60, 200, 0, 2300}, {60, 10000, 0, 30000},   {1, 100, 0, 500},
        {10, 10000, 300, 1500}, {10, 10, 40, 400},  {10, 10000, 2000, 5000}, {60, 20, 2000, 2300}, /* slow storage */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_int_eq(cycle_patience_ns(rows[i].interval_s * NS_PER_S, rows[i].vms, rows[i].usual_ms * NS_PER_MS),
                         rows[i].patience_ms * NS_PER_MS);
}
END_TEST

START_TEST(what_is_usual_follows_whole_readings_and_grows_where_patience_ended)
{
    enum { NET = 1, DISK = 2 };
    static const struct {
        const char *what;
        unsigned groups;
        int64_t patience_ms, took_ms;
        unsigned hung;
        bool unasked;
        int64_t net_ms, both_ms; /* afterwards */
    } rows[] = {
        {"the first is measured", NET, 300, 100, 0, false, 100, 0},
        {"with disks no monitor was asked", NET | DISK, 500, 1500, 0, true, 1000, 1000},
        {"nor with twice that time", NET | DISK, 1300, 2600, 0, true, 2600, 2600},
        {"now it sufficed", NET | DISK, 2900, 2000, 0, false, 2300, 2300},
        {"without disks it is fast", NET, 2600, 10, 0, false, 2300, 2300},
        {"one begins to hang", NET | DISK, 2600, 2700, 1, false, 2300, 2300},
        {"it is set aside", NET | DISK, 2600, 1000, 1, false, 2300, 2300},
        {"with it others are too slow", NET | DISK, 2600, 2700, 1, false, 5200, 5200},
        {"all are fast", NET | DISK, 5500, 100, 0, false, 2650, 2650},
        {"and stay so", NET | DISK, 2950, 100, 0, false, 1375, 1375},
        {"five hang at once", NET | DISK, 1675, 8000, 5, true, 1375, 1375},
        {"no monitor is asked, in time", NET | DISK, 1675, 20, 5, true, 1375, 1375},
    };
    struct pace p = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pace_reading r = {.groups = rows[i].groups,
                                 .patience_ns = rows[i].patience_ms * NS_PER_MS,
                                 .took_ns = rows[i].took_ms * NS_PER_MS,
                                 .hung = rows[i].hung,
                                 .monitors_asked = !rows[i].unasked};
        pace_note(&p, &r);
        ck_assert_msg(pace_usual_ns(&p, NET) == rows[i].net_ms * NS_PER_MS, "%s: %lld", rows[i].what,
                      (long long)pace_usual_ns(&p, NET));
        ck_assert_msg(pace_usual_ns(&p, NET | DISK) == rows[i].both_ms * NS_PER_MS, "%s: %lld", rows[i].what,
                      (long long)pace_usual_ns(&p, NET | DISK));
    }
}
END_TEST

/* ---- who hangs ---- */

START_TEST(each_vm_that_hangs_is_told_once_when_it_begins_and_once_when_it_ends)
{
    static const struct {
        const char *what;
        bool first_answers, second_answers, second_listed;
        enum hung_change first, second;
        size_t count;
    } rows[] = {
        {"nobody", true, true, true, HUNG_SAME, HUNG_SAME, 0},
        {"one begins", false, true, true, HUNG_BEGAN, HUNG_SAME, 1},
        {"and the other", false, false, true, HUNG_SAME, HUNG_BEGAN, 2},
        {"both go on so", false, false, true, HUNG_SAME, HUNG_SAME, 2},
        {"one ends", true, false, true, HUNG_ENDED, HUNG_SAME, 1},
        {"the other is not listed any more", true, false, false, HUNG_SAME, HUNG_SAME, 0},
    };
    struct hung h = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(hung_see(&h, "first", rows[i].first_answers) == rows[i].first, "%s", rows[i].what);
        if (rows[i].second_listed)
            ck_assert_msg(hung_see(&h, "second", rows[i].second_answers) == rows[i].second, "%s", rows[i].what);
        hung_listed(&h);
        ck_assert_msg(h.count == rows[i].count, "%s", rows[i].what);
    }
}
END_TEST

START_TEST(more_hung_vms_than_are_named_change_nothing)
{
    struct hung h = {0};
    char uuid[UUID_SIZE];
    for (int i = 0; i < 2 * HUNG_NAMED_MAX; i++) {
        snprintf(uuid, sizeof uuid, "vm-%d", i);
        ck_assert_int_eq(hung_see(&h, uuid, false), i < HUNG_NAMED_MAX ? HUNG_BEGAN : HUNG_SAME);
    }
    ck_assert_uint_eq(h.count, HUNG_NAMED_MAX);
}
END_TEST

/* ---- selection ---- */

START_TEST(the_last_pattern_that_fits_decides)
{
    static const struct {
        const char *patterns[3];
        const char *name;
        bool otherwise, wanted;
    } rows[] = {
        {{NULL}, "cpu", true, true}, /* no pattern: the caller's word */
        {{NULL}, "perf.cpu.cycles", false, false},
        {{"cpu"}, "cpu", false, true},
        {{"cpu"}, "memory", true, false}, /* what is named is all that is wanted */
        {{"!cpu"}, "cpu", true, false},
        {{"!cpu"}, "memory", true, true}, /* what is left out is all that is left out */
        {{"!cpu"}, "perf.cpu.cycles", false, false},
        {{"disk.*", "!disk.device.*.latency"}, "disk.device.read.latency", true, false},
        {{"disk.*", "!disk.device.*.latency"}, "disk.device.read.bytes", true, true},
        {{"!disk.*", "disk.device.read.bytes"}, "disk.device.read.bytes", true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t count = 0;
        while (count < 3 && rows[i].patterns[count])
            count++;
        struct selection s = {rows[i].patterns, count};
        ck_assert_msg(selection_wants(&s, &rows[i].name, 1, rows[i].otherwise) == rows[i].wanted, "row %zu", i);
    }
}
END_TEST

START_TEST(a_device_is_fitted_by_any_of_its_names)
{
    const char *const patterns[] = {"!tap*", "52:54:00:00:00:07"};
    const char *const left_out[] = {"52:54:00:00:00:01", "tap1"}, *const kept[] = {"52:54:00:00:00:07", "tap7"};
    const char *const unnamed[] = {"52:54:00:00:00:01", NULL};
    struct selection s = {patterns, 2};
    ck_assert(!selection_wants(&s, left_out, 2, true));
    ck_assert(selection_wants(&s, kept, 2, true));
    ck_assert(selection_wants(&s, unnamed, 2, true));
}
END_TEST

/* ---- discovery ---- */

START_TEST(a_project_is_novas_else_mapped_else_unassigned)
{
    static const struct discovery_rule rules[] = {{"web-*", "shop"}, {"web-1*", "never"}, {"db", "store"}};
    static const struct {
        const char *nova, *mapped, *name, *by_default, *project;
    } rows[] = {
        {"p1", "m1", "web-1", "d", "p1"},
        {NULL, "m1", "web-1", "d", "m1"},
        {NULL, NULL, "web-1", "d", "shop"}, /* the first rule that fits */
        {NULL, NULL, "db", NULL, "store"},
        {NULL, NULL, "mail", "d", "d"},
        {"", "", "mail", "d", "d"},
        {NULL, NULL, "mail", NULL, "unassigned"},
        {NULL, NULL, NULL, NULL, "unassigned"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct discovery discovery = {rules, 3, rows[i].by_default};
        struct domain_meta meta = {.project = (char *)(uintptr_t)rows[i].nova,
                                   .mapped_project = (char *)(uintptr_t)rows[i].mapped};
        struct domain_stats d = {.name = (char *)(uintptr_t)rows[i].name, .meta = &meta, .state = DOMAIN_BLOCKED};
        struct owner owner;
        discovery_owner(&discovery, &d, &owner);
        ck_assert_str_eq(owner.project, rows[i].project);
        ck_assert_int_eq(owner.state, DOMAIN_RUNNING);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("poller, pure");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_next_cycle_lies_on_the_hosts_grid);
    tcase_add_test(t, a_fleet_spreads_over_the_interval);
    tcase_add_test(t, patience_grows_with_the_vms_until_it_is_measured_and_leaves_half_the_interval);
    tcase_add_test(t, what_is_usual_follows_whole_readings_and_grows_where_patience_ended);
    tcase_add_test(t, each_vm_that_hangs_is_told_once_when_it_begins_and_once_when_it_ends);
    tcase_add_test(t, more_hung_vms_than_are_named_change_nothing);
    tcase_add_test(t, the_last_pattern_that_fits_decides);
    tcase_add_test(t, a_device_is_fitted_by_any_of_its_names);
    tcase_add_test(t, a_project_is_novas_else_mapped_else_unassigned);
    suite_add_tcase(s, t);
    return test_run(s);
}
