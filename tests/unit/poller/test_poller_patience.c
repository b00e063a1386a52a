/* How long a poller waits for a host that is large, or whose storage is slow. */
#include "poller_rig.h"
#include "support/run.h"

#define CYCLES_MAX 8

START_TEST(a_large_host_is_given_the_time_that_its_readings_usually_take)
{
    static const struct {
        const char *what;
        bool fails;
        unsigned meters_more;
        int64_t patience_ms;
    } rows[] = {
        {"as before", false, 0, 300 + 4 * 1000},
        {"other meters than before", false, 1, 300 + 1002 * 10},
        {"after one that failed", true, 0, 300 + 1002 * 10},
    };
    bool wanted[METERS] = {[METER_CPU] = true};
    rig.inspector.others = 1000;
    rig.settings.wanted = wanted;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wanted[METER_DISK_WRITE_BYTES] = false;
        poller_configure(rig.poller, &rig.settings);
        rig.inspector.silent = true;
        rig_advance(&rig, 60);
        rig.inspector.silent = false;
        rig.inspector.fails = rows[i].fails;
        rig_advance(&rig, 1);
        rig.inspector.fails = false;
        wanted[METER_DISK_WRITE_BYTES] = rows[i].meters_more;
        unsigned begun = rig.inspector.begun;
        while (rig.inspector.begun == begun)
            rig_advance(&rig, 1);
        ck_assert_msg(rig.inspector.deadline_ns - rig.clock.boot_ns == rows[i].patience_ms * NS_PER_MS, "%s: %lld",
                      rows[i].what, (long long)(rig.inspector.deadline_ns - rig.clock.boot_ns));
    }
}
END_TEST

/* One reading of a host whose monitors together take that long. As libvirt's inspector does: what does not come by the
 * deadline is given as long again, then no monitor is asked. Returns the patience it was asked with. */
static int64_t read_once(int64_t takes_ns)
{
    struct error error = {0};
    rig.inspector.silent = true;
    rig_advance(&rig, 60);
    int64_t patience_ns = rig.inspector.deadline_ns - rig.clock.boot_ns;
    bool slow = takes_ns > 2 * patience_ns;
    rig.clock.boot_ns += slow ? 2 * patience_ns : takes_ns;
    rig.inspector.monitors = slow ? MONITORS_SLOW : MONITORS_ASKED;
    rig.inspector.silent = false;
    ck_assert_int_eq(rig_step(&rig, &error), 0);
    return patience_ns;
}

static unsigned readings_until_asked(int64_t takes_ns)
{
    unsigned count = 0;
    do {
        ck_assert_uint_lt(count++, CYCLES_MAX);
        read_once(takes_ns);
    } while (rig.inspector.monitors != MONITORS_ASKED);
    return count;
}

START_TEST(a_host_with_slow_storage_is_given_the_time_that_it_needs)
{
    static const int64_t takes_ms[] = {2000, 10000, 25000};
    rig.inspector.others = 19;
    ck_assert_uint_gt(readings_until_asked(takes_ms[_i] * NS_PER_MS), 1);
    for (int i = 0; i < 5; i++) {
        read_once(takes_ms[_i] * NS_PER_MS);
        ck_assert_int_eq(rig.inspector.monitors, MONITORS_ASKED);
    }
}
END_TEST

START_TEST(a_host_that_is_fast_again_is_given_little_time_again)
{
    rig.inspector.others = 19;
    readings_until_asked(10 * NS_PER_S);
    for (int i = 0; i < 10; i++)
        read_once(20 * NS_PER_MS);
    ck_assert_int_lt(read_once(20 * NS_PER_MS), 500 * NS_PER_MS);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("poller_patience");
    TCase *t = tcase_create("patience");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, rig_set_up, rig_tear_down);
    tcase_add_test(t, a_large_host_is_given_the_time_that_its_readings_usually_take);
    tcase_add_loop_test(t, a_host_with_slow_storage_is_given_the_time_that_it_needs, 0, 3);
    tcase_add_test(t, a_host_that_is_fast_again_is_given_little_time_again);
    suite_add_tcase(s, t);
    return test_run(s);
}
