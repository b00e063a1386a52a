/* Guests in cgroups, as on any host that systemd runs: libvirt's bulk call counts the cgroup's CPU time then, other
 * calls the process's, and one counter must not be read from both. */
#include <signal.h>
#include <stdlib.h>

#include <libvirt/libvirt.h>

#include "inspector_rig.h"

static uint64_t cpu_of(const struct snapshot *s)
{
    return domain_of(s, UUID("01"))->field[DOMAIN_CPU_TIME].value;
}

static bool it_hangs(const struct snapshot *s)
{
    return s->hung == 1;
}

static bool it_answers(const struct snapshot *s)
{
    return s->count == 1 && s->hung == 0 && domain_of(s, UUID("01"))->field[DOMAIN_CPU_TIME].has;
}

/* What libvirt counts of a guest that stands still, by its cgroup and by its process. */
static void read_both(uint64_t *ret_cgroup, uint64_t *ret_process)
{
    virTypedParameter total = {0};
    virDomainInfo info;
    virConnectPtr connection = virConnectOpenReadOnly(host.uri);
    virDomainPtr domain = connection ? virDomainLookupByName(connection, "one") : NULL;
    ck_assert_ptr_nonnull(domain);
    ck_assert_int_eq(virDomainGetCPUStats(domain, &total, 1, -1, 1, 0), 1);
    ck_assert_int_eq(virDomainGetInfo(domain, &info), 0);
    *ret_cgroup = total.value.ul;
    *ret_process = info.cpuTime;
    virDomainFree(domain);
    virConnectClose(connection);
}

START_TEST(a_hung_guests_cpu_time_is_the_same_counter)
{
    uint64_t cgroup, process;
    struct snapshot *before = until(it_answers);
    int pid = pid_of("one");
    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    struct snapshot *hung = until(it_hangs);
    read_both(&cgroup, &process);
    ck_assert_int_eq(kill(pid, SIGCONT), 0);
    struct snapshot *after = until(it_answers);
    ck_assert_uint_ne(cgroup, process);
    ck_assert_uint_eq(cpu_of(hung), cgroup);
    ck_assert_uint_le(cpu_of(before), cpu_of(hung));
    ck_assert_uint_le(cpu_of(hung), cpu_of(after));
    snapshot_free(before);
    snapshot_free(hung);
    snapshot_free(after);
}
END_TEST

START_TEST(a_guest_that_powers_off_leaves_no_less_than_was_read)
{
    struct snapshot *s = until(it_answers);
    ck_assert_int_eq(host_order(&host, "one", "poweroff"), 0);
    struct lifecycle_event e = await_event(LIFECYCLE_STOPPED, UUID("01"));
    if (e.cpu_time.has) /* its cgroup may be gone by then */
        ck_assert_uint_ge(e.cpu_time.value, cpu_of(s));
    snapshot_free(s);
}
END_TEST

int main(void)
{
    host_up(&host, "--cgroup");
    if (host_guest(&host, "one", UUID("01"), "") != 0) {
        host_down(&host);
        return EXIT_FAILURE;
    }
    Suite *s = suite_create("inspector_cgroup");
    TCase *c = tcase_create("qemu");
    tcase_set_timeout(c, 120);
    tcase_add_checked_fixture(c, rig_set_up, rig_tear_down);
    tcase_add_test(c, a_hung_guests_cpu_time_is_the_same_counter);
    tcase_add_test(c, a_guest_that_powers_off_leaves_no_less_than_was_read);
    suite_add_tcase(s, c);
    int r = test_run(s);
    host_down(&host);
    return r;
}
