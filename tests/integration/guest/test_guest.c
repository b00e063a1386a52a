/* The rig itself: what a guest is ordered to do is what libvirt counts, to the byte, through all that befalls guests
 * and hosts.
 */
#include "support/host/host.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/run.h"

#define UUID(n)     "0e1d5b1c-0000-4000-8000-0000000000" n
#define PATIENCE_S  60
#define NS_PER_MS   UINT64_C(1000000)
#define LEAST_BURNT (50 * NS_PER_MS) /* of 500 ms, on a machine that others keep busy */

static struct host a, b;

static void set_up(void)
{
    ck_assert_int_eq(host_guest(&a, "one", UUID("01"), ""), 0);
}

static void tear_down(void)
{
    int r = host_virsh(&a, "'destroy one; undefine one; destroy two; undefine two' 2>/dev/null");
    r |= host_virsh(&b, "'destroy one; undefine one' 2>/dev/null");
    (void)r; /* whatever the test has left of them */
}

static void obeys(const struct host *h, const char *name, const char *order)
{
    ck_assert_msg(host_order(h, name, order) == 0, "%s: %s", name, order);
}

static uint64_t figure(const struct host *h, const char *name, const char *key)
{
    uint64_t value = 0;
    ck_assert_msg(host_stat(h, name, key, &value), "%s has no %s", name, key);
    return value;
}

static void await_figure(const struct host *h, const char *name, const char *key, uint64_t least)
{
    time_t until = time(NULL) + PATIENCE_S;
    while (figure(h, name, key) < least) {
        ck_assert_msg(time(NULL) < until, "%s: %s does not reach %llu", name, key, (unsigned long long)least);
        poll(NULL, 0, 20);
    }
}

#define STATE_SHUTOFF 5
static void await_shutoff(const char *name)
{
    await_figure(&a, name, "state.state", STATE_SHUTOFF);
}

static void ck_disk(const struct host *h, const char *name, uint64_t reads, uint64_t writes, uint64_t size)
{
    ck_assert_uint_eq(figure(h, name, "block.0.rd.reqs"), reads);
    ck_assert_uint_eq(figure(h, name, "block.0.rd.bytes"), reads * size);
    ck_assert_uint_eq(figure(h, name, "block.0.wr.reqs"), writes);
    ck_assert_uint_eq(figure(h, name, "block.0.wr.bytes"), writes * size);
}

static bool runs(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    return pid > 0 && access(path, F_OK) == 0;
}

static const struct {
    const char *order;
    uint64_t reads, writes, size;
} transfers[] = {
    {"read 1", 1, 0, 512},
    {"write 1", 0, 1, 512},
    {"read 1000", 1000, 0, 512},
    {"write 1000", 0, 1000, 512},
    {"read 3 4096", 3, 0, 4096},
    {"write 5 65536", 0, 5, 65536},
    {"write 300 65536", 0, 300, 65536}, /* more than the disk has: from its first block again */
};

START_TEST(ordered_blocks_are_exactly_what_is_counted)
{
    obeys(&a, "one", transfers[_i].order);
    ck_disk(&a, "one", transfers[_i].reads, transfers[_i].writes, transfers[_i].size);
}
END_TEST

static const struct {
    const char *order;
    uint64_t frames, size;
} sends[] = {{"send 1 14", 1, 14}, {"send 7 1514", 7, 1514}, {"send 2000 100", 2000, 100}};

START_TEST(ordered_frames_are_exactly_what_is_counted)
{
    obeys(&a, "one", sends[_i].order);
    ck_assert_uint_eq(figure(&a, "one", "net.0.tx.pkts"), sends[_i].frames);
    ck_assert_uint_eq(figure(&a, "one", "net.0.tx.bytes"), sends[_i].frames * sends[_i].size);
    ck_assert_uint_eq(figure(&a, "one", "net.0.rx.bytes"), 0);
}
END_TEST

START_TEST(what_one_guest_sends_another_receives_by_its_own_count_and_libvirts)
{
    char answer[64];
    ck_assert_int_eq(host_guest(&a, "two", UUID("02"), "--no-tap"), 0);
    obeys(&a, "two", "ping");
    obeys(&a, "one", "send 70 200");
    await_figure(&a, "two", "net.0.rx.bytes", UINT64_C(70) * 200);
    ck_assert_int_eq(host_ask(&a, "two", "received", answer, sizeof(answer)), 0);
    ck_assert_str_eq(answer, "70 14000");
    ck_assert_uint_eq(figure(&a, "two", "net.0.rx.bytes"), 14000);
    ck_assert_uint_eq(figure(&a, "two", "net.0.rx.pkts"), 70);
    ck_assert_uint_eq(figure(&a, "two", "net.0.tx.bytes"), 0);
}
END_TEST

START_TEST(a_processor_that_is_kept_busy_is_counted)
{
    obeys(&a, "one", "ping");
    uint64_t before = figure(&a, "one", "vcpu.0.time");
    obeys(&a, "one", "burn 500");
    ck_assert_uint_ge(figure(&a, "one", "vcpu.0.time"), before + LEAST_BURNT);
}
END_TEST

static const char *const refused[] = {
    "dance",         "read",      "read 1 2 3 4", "write x",      "write 1 100",   "write 1 131072",
    "write 1 512 1", "send 1 13", "send 1 1515",  "send 1 100 1", "work 1 1 1001",
};

START_TEST(an_order_that_cannot_be_done_is_refused_and_nothing_is_counted)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        ck_assert_msg(host_order(&a, "one", refused[i]) == 1, "%s is not refused", refused[i]);
    ck_disk(&a, "one", 0, 0, 512);
    ck_assert_uint_eq(figure(&a, "one", "net.0.tx.bytes"), 0);
}
END_TEST

static int by_virsh_reset(void)
{
    return host_virsh(&a, "reset one");
}

static int by_itself(void)
{
    return host_order(&a, "one", "reboot");
}

static int (*const resets[])(void) = {by_virsh_reset, by_itself};

START_TEST(a_guest_that_is_reset_takes_orders_again_and_its_counters_go_on)
{
    obeys(&a, "one", "write 10");
    pid_t pid = host_pid(&a, "one");
    ck_assert_int_eq(resets[_i](), 0);
    obeys(&a, "one", "write 4");
    obeys(&a, "one", "send 3 100");
    ck_disk(&a, "one", 0, 14, 512);
    ck_assert_uint_eq(figure(&a, "one", "net.0.tx.bytes"), 300);
    ck_assert_int_eq(host_pid(&a, "one"), pid);
}
END_TEST

static int by_destroy_and_start(void)
{
    return host_virsh(&a, "'destroy one; start one'");
}

static int by_save_and_restore(void)
{
    return host_virsh(&a, "'save one %s/saved; restore %s/saved'", a.folder, a.folder);
}

static int by_migration(void)
{
    int r = host_migrate(&a, "one", &b);
    return r == 0 ? host_migrate(&b, "one", &a) : r;
}

static int (*const anew[])(void) = {by_destroy_and_start, by_save_and_restore, by_migration};

START_TEST(a_guest_in_a_new_process_takes_orders_and_counts_from_zero)
{
    obeys(&a, "one", "write 10");
    pid_t pid = host_pid(&a, "one");
    ck_assert_int_eq(anew[_i](), 0);
    obeys(&a, "one", "write 3");
    ck_disk(&a, "one", 0, 3, 512);
    ck_assert_int_ne(host_pid(&a, "one"), pid);
    ck_assert(!runs(pid));
}
END_TEST

START_TEST(a_disk_is_unplugged_at_once_and_another_in_its_place_counts_from_zero)
{
    uint64_t unused;
    obeys(&a, "one", "write 10");
    ck_assert_int_eq(host_virsh(&a, "detach-disk one vda --live"), 0);
    ck_assert(!host_stat(&a, "one", "block.0.wr.bytes", &unused));
    ck_assert_int_eq(host_order(&a, "one", "write 1"), 1);
    ck_assert_int_eq(host_virsh(&a, "attach-disk one %s/one.img vda --live --targetbus virtio", a.folder), 0);
    obeys(&a, "one", "write 2");
    obeys(&a, "one", "read 2");
    ck_disk(&a, "one", 2, 2, 512);
}
END_TEST

START_TEST(a_second_disk_has_counters_of_its_own)
{
    char command[FOLDER_SIZE + 64];
    snprintf(command, sizeof(command), "truncate -s 1M %s/more.img", a.folder);
    ck_assert_int_eq(system(command), 0);
    obeys(&a, "one", "ping");
    ck_assert_int_eq(host_virsh(&a, "attach-disk one %s/more.img vdb --live --targetbus virtio", a.folder), 0);
    obeys(&a, "one", "write 6 1024 1");
    ck_disk(&a, "one", 0, 0, 512);
    ck_assert_uint_eq(figure(&a, "one", "block.1.wr.bytes"), 6144);
    ck_assert_uint_eq(figure(&a, "one", "block.1.wr.reqs"), 6);
}
END_TEST

START_TEST(an_interface_is_unplugged_at_once_and_another_in_its_place_counts_from_zero)
{
    obeys(&a, "one", "send 10 100");
    ck_assert_int_eq(host_virsh(&a, "detach-interface one bridge --live"), 0);
    ck_assert_int_eq(host_order(&a, "one", "send 1 100"), 1);
    ck_assert_int_eq(host_virsh(&a, "attach-interface one bridge br0 --target tap-one --model virtio --live"), 0);
    obeys(&a, "one", "send 2 100");
    ck_assert_uint_eq(figure(&a, "one", "net.0.tx.bytes"), 200);
    ck_assert_uint_eq(figure(&a, "one", "net.0.tx.pkts"), 2);
}
END_TEST

static int by_its_order(void)
{
    return host_order(&a, "one", "poweroff");
}

static int by_the_power_button(void)
{
    obeys(&a, "one", "ping");
    return host_virsh(&a, "shutdown one");
}

static int (*const poweroffs[])(void) = {by_its_order, by_the_power_button};

START_TEST(a_guest_powers_itself_off)
{
    ck_assert_int_eq(poweroffs[_i](), 0);
    await_shutoff("one");
}
END_TEST

START_TEST(a_guest_at_work_does_a_bit_of_all_until_the_next_order)
{
    ck_assert_int_eq(host_guest(&a, "two", UUID("02"), "--order 'work 5 7 1'"), 0);
    await_figure(&a, "two", "block.0.rd.reqs", 10);
    await_figure(&a, "two", "net.0.tx.pkts", 14);
    obeys(&a, "two", "write 0");
    uint64_t reads = figure(&a, "two", "block.0.rd.reqs"), frames = figure(&a, "two", "net.0.tx.pkts");
    ck_assert_uint_eq(reads % 5, 0);
    ck_assert_uint_eq(frames % 7, 0);
    obeys(&a, "two", "burn 1500");
    ck_assert_uint_eq(figure(&a, "two", "block.0.rd.reqs"), reads);
    ck_assert_uint_eq(figure(&a, "two", "net.0.tx.pkts"), frames);
}
END_TEST

START_TEST(what_a_guest_says_of_its_memory_is_what_libvirt_has_until_it_is_silent)
{
    ck_assert_int_eq(host_virsh(&a, "dommemstat one --period 1 --live"), 0);
    obeys(&a, "one", "memory 7000 3000");
    await_figure(&a, "one", "balloon.available", 7000);
    ck_assert_uint_eq(figure(&a, "one", "balloon.usable"), 3000);
    uint64_t told = figure(&a, "one", "balloon.last-update");
    await_figure(&a, "one", "balloon.last-update", told + 2);
    obeys(&a, "one", "memory");
    obeys(&a, "one", "burn 1500");
    told = figure(&a, "one", "balloon.last-update");
    obeys(&a, "one", "burn 2500");
    ck_assert_uint_eq(figure(&a, "one", "balloon.last-update"), told);
    ck_assert_uint_eq(figure(&a, "one", "balloon.usable"), 3000);
    ck_assert_int_eq(host_virsh(&a, "setmem one 6M --live"), 0);
    obeys(&a, "one", "burn 1");
    ck_assert_uint_eq(figure(&a, "one", "balloon.current"), 6144);
}
END_TEST

START_TEST(guests_go_on_while_libvirtd_is_killed_or_stopped)
{
    obeys(&a, "one", "write 1");
    pid_t pid = host_pid(&a, "one");
    ck_assert_int_eq(host_restart(&a), 0);
    obeys(&a, "one", "write 2");
    ck_disk(&a, "one", 0, 3, 512);
    ck_assert_int_eq(host_stop_daemon(&a), 0);
    ck_assert_int_ne(host_virsh(&a, "list 2>/dev/null"), 0);
    obeys(&a, "one", "write 4");
    ck_assert_int_eq(host_start_daemon(&a), 0);
    ck_disk(&a, "one", 0, 7, 512);
    ck_assert_int_eq(host_pid(&a, "one"), pid);
}
END_TEST

START_TEST(guests_of_one_name_on_two_hosts_are_two)
{
    ck_assert_int_eq(host_guest(&b, "one", UUID("01"), ""), 0);
    obeys(&a, "one", "write 1");
    obeys(&b, "one", "write 2");
    obeys(&a, "one", "send 5 100");
    ck_disk(&a, "one", 0, 1, 512);
    ck_disk(&b, "one", 0, 2, 512);
    ck_assert_uint_eq(figure(&b, "one", "net.0.rx.bytes"), 0);
}
END_TEST

START_TEST(a_live_guest_moves_to_the_other_host)
{
    uint64_t unused;
    obeys(&a, "one", "write 10");
    ck_assert_int_eq(host_migrate(&a, "one", &b), 0);
    obeys(&b, "one", "write 3");
    ck_disk(&b, "one", 0, 3, 512);
    ck_assert(!host_stat(&a, "one", "state.state", &unused));
}
END_TEST

/* The one that reaps them, from the file that the script keeps. */
static pid_t keeper_of(const struct host *h)
{
    char path[FOLDER_SIZE + 16];
    int pid = 0;
    FILE *f = fopen(folder_path(h->folder, "keeper.pid", path, sizeof(path)), "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%d", &pid), 1);
    fclose(f);
    return pid;
}

START_TEST(down_ends_everything_even_what_a_crash_has_left)
{
    struct host c;
    host_up(&c, "");
    ck_assert_int_eq(host_guest(&c, "one", UUID("03"), ""), 0);
    pid_t guest = host_pid(&c, "one"), keeper = keeper_of(&c);
    ck_assert_int_eq(kill(guest, SIGSTOP), 0);
    ck_assert_int_eq(kill(keeper, SIGKILL), 0);
    host_down(&c);
    ck_assert(!runs(guest));
    ck_assert(!runs(keeper));
    ck_assert_int_ne(access(c.folder, F_OK), 0);
    ck_assert_int_eq(host_virsh(&a, "list"), 0);
}
END_TEST

#define add_rows(tests, test, table) tcase_add_loop_test(tests, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

static Suite *suite(void)
{
    Suite *s = suite_create("guest");
    TCase *c = tcase_create("rig");
    tcase_set_timeout(c, 120);
    tcase_add_checked_fixture(c, set_up, tear_down);
    add_rows(c, ordered_blocks_are_exactly_what_is_counted, transfers);
    add_rows(c, ordered_frames_are_exactly_what_is_counted, sends);
    tcase_add_test(c, what_one_guest_sends_another_receives_by_its_own_count_and_libvirts);
    tcase_add_test(c, a_processor_that_is_kept_busy_is_counted);
    tcase_add_test(c, an_order_that_cannot_be_done_is_refused_and_nothing_is_counted);
    add_rows(c, a_guest_that_is_reset_takes_orders_again_and_its_counters_go_on, resets);
    add_rows(c, a_guest_in_a_new_process_takes_orders_and_counts_from_zero, anew);
    tcase_add_test(c, a_disk_is_unplugged_at_once_and_another_in_its_place_counts_from_zero);
    tcase_add_test(c, a_second_disk_has_counters_of_its_own);
    tcase_add_test(c, an_interface_is_unplugged_at_once_and_another_in_its_place_counts_from_zero);
    add_rows(c, a_guest_powers_itself_off, poweroffs);
    tcase_add_test(c, a_guest_at_work_does_a_bit_of_all_until_the_next_order);
    tcase_add_test(c, what_a_guest_says_of_its_memory_is_what_libvirt_has_until_it_is_silent);
    tcase_add_test(c, guests_go_on_while_libvirtd_is_killed_or_stopped);
    tcase_add_test(c, guests_of_one_name_on_two_hosts_are_two);
    tcase_add_test(c, a_live_guest_moves_to_the_other_host);
    tcase_add_test(c, down_ends_everything_even_what_a_crash_has_left);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    host_up(&a, "");
    host_up(&b, "--hostname other");
    int r = test_run(suite());
    host_down(&a);
    host_down(&b);
    return r;
}
