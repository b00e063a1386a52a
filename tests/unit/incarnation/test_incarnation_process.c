/* Rules S1 to S3: what a process's counters are counted from, and which process is which. */
#include "guest_rig.h"
#include "support/run.h"

static struct rig rig;
static struct guest vm;

static void set_up(void)
{
    rig_start(&rig);
}

static void tear_down(void)
{
    rig_stop(&rig);
}

static void see_cpu(int64_t at_s, uint64_t cpu)
{
    guest_cpu(&vm, cpu);
    rig_see(&rig, at_s, &vm);
}

/* ---- S1 ---- */

static const struct base_row {
    int64_t started_s; /* 0: not known */
    bool on_first_list;
    int64_t expected; /* of 40, then 100 */
} base_rows[] = {
    {500, true, 60},    /* it ran before Pluvio came */
    {1030, false, 100}, /* after an empty first list */
    {500, false, 60},   /* older than the list that left it out: libvirtd was still finding it */
    {1000, false, 100}, /* in the tick of the list */
    {0, true, 60},      /* nobody knows when, but it was there */
    {0, false, 100},    /* and it was not */
};

START_TEST(work_done_before_the_first_list_is_nobodys_and_all_later_work_is_billed)
{
    const struct base_row *row = &base_rows[_i];
    guest_init(&vm, 1, 1, row->started_s);
    guest_cpu(&vm, 40);
    rig_see(&rig, 1000, row->on_first_list ? &vm : NULL);
    see_cpu(1060, 40);
    see_cpu(1120, 100);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), row->expected);
}
END_TEST

START_TEST(a_base_is_the_first_successful_reading_whenever_that_comes)
{
    guest_init(&vm, 1, 1, 500);
    vm.stats.field[DOMAIN_CPU_TIME].has = false;
    rig_see(&rig, 1000, &vm);
    rig_see(&rig, 1060, &vm);
    see_cpu(1120, 70);
    see_cpu(1180, 75);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 5);
}
END_TEST

START_TEST(a_vm_that_began_while_the_poller_was_down_is_billed_from_zero)
{
    rig_see(&rig, 1000, NULL);
    rig_restart(&rig);
    guest_init(&vm, 1, 1, 2000);
    see_cpu(3000, 70);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 70);
    ck_assert_int_eq(newest_of(&rig, &vm, "", METER_CPU)->start_ns, 2000 * SEC + rig.offset_ns);
    ck_assert_int_eq(held(&rig, &vm, "", METER_VCPUS, DOMAIN_RUNNING), 1000);
}
END_TEST

START_TEST(a_list_that_is_not_complete_cannot_be_the_first)
{
    rig.list.listed = false;
    ck_assert_int_eq(incarnations_list(&rig.set, &rig.list), LIST_INCOMPLETE);
    ck_assert_int_eq(rig.set.first_list_wall_ns, 0);
    rig.list.listed = true;
    rig_list(&rig, 1000);
    rig.list.listed = false;
    rig_list(&rig, 1060);
}
END_TEST

START_TEST(another_hosts_memory_is_refused)
{
    rig_list(&rig, 1000);
    rig.list.host_uuid[0] = 'f';
    ck_assert_int_eq(incarnations_list(&rig.set, &rig.list), LIST_OTHER_HOST);
}
END_TEST

/* ---- migration ---- */

static void arrive(int64_t at_s, uint64_t cpu)
{
    vm.stats.state = DOMAIN_PAUSED;
    vm.stats.reason = 2;
    see_cpu(at_s, cpu);
    ck_assert_int_eq(rig.verdict, INCARNATION_SILENT);
}

static void arrived(int64_t at_s, uint64_t cpu)
{
    vm.stats.state = DOMAIN_RUNNING;
    vm.stats.reason = 1;
    see_cpu(at_s, cpu);
}

START_TEST(an_incoming_migration_counts_from_zero_or_from_the_first_list)
{
    guest_init(&vm, 1, 1, 990);
    if (_i)
        rig_see(&rig, 900, NULL);
    arrive(1000, 5);
    ck_assert_uint_eq(rig.count, 0);
    arrive(1030, 7);
    arrived(1060, 40);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), _i ? 40 : 40 - 5);
}
END_TEST

START_TEST(what_cannot_be_read_of_an_incoming_migration_counts_from_zero_on_the_first_list_too)
{
    guest_init(&vm, 1, 1, 990);
    arrive(1000, 5);
    set_reading(&vm.stats.field[DOMAIN_VCPU_WAIT], 33);
    arrived(1060, 40);
    ck_assert_int_eq(used(&rig, &vm, "", METER_VCPU_WAIT, NULL), 33);
}
END_TEST

START_TEST(the_past_of_a_vm_that_was_to_leave_at_the_first_list_and_stays_is_nobodys)
{
    guest_init(&vm, 1, 1, 10);
    arrive(1000, 1000000);
    rig_event(&rig, 1001, &vm, LIFECYCLE_RESUMED);
    arrived(1060, 1000001);
    arrived(1120, 1000003);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 3);
}
END_TEST

START_TEST(an_arrived_vm_is_held_from_the_moment_it_resumed)
{
    rig_see(&rig, 900, NULL);
    guest_init(&vm, 1, 1, 990);
    arrive(1000, 5);
    rig_event(&rig, 1045, &vm, LIFECYCLE_RESUMED);
    arrived(1060, 40);
    ck_assert_int_eq(held(&rig, &vm, "", METER_INSTANCE, DOMAIN_RUNNING), 15);
}
END_TEST

START_TEST(a_vm_that_pauses_to_leave_is_still_counted_here)
{
    guest_init(&vm, 1, 1, 500);
    see_cpu(1000, 10);
    vm.stats.state = DOMAIN_PAUSED;
    vm.stats.reason = 2;
    see_cpu(1060, 30);
    ck_assert_int_eq(rig.verdict, INCARNATION_TOLD);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 20);
}
END_TEST

START_TEST(a_vm_that_comes_back_was_not_here_meanwhile)
{
    guest_init(&vm, 1, 1, 500);
    see_cpu(1000, 10);
    see_cpu(1060, 30);
    guest_start(&vm, 2, 1090); /* it left and comes back, nobody saw it go */
    vm.stats.state = DOMAIN_PAUSED;
    vm.stats.reason = 2;
    see_cpu(1120, 5);
    ck_assert(newest_of(&rig, &vm, "", METER_INSTANCE)->ended);
    arrived(1180, 45);
    arrived(1240, 50);
    ck_assert_int_eq(held(&rig, &vm, "", METER_INSTANCE, DOMAIN_STATES), 60 + 60);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 20 + 50);
}
END_TEST

START_TEST(a_vm_that_left_and_was_told_to_has_ended)
{
    guest_init(&vm, 1, 1, 500);
    see_cpu(1000, 10);
    see_cpu(1060, 30);
    rig_event(&rig, 1090, &vm, LIFECYCLE_MIGRATED);
    ck_assert(newest_of(&rig, &vm, "", METER_CPU)->ended);
    ck_assert(newest_of(&rig, &vm, "", METER_INSTANCE)->ended);
    ck_assert_int_eq(held(&rig, &vm, "", METER_INSTANCE, DOMAIN_STATES), 90);
}
END_TEST

/* ---- S2 ---- */

START_TEST(absence_from_a_list_neither_ends_nor_makes_anything)
{
    rig_see(&rig, 900, NULL);
    guest_init(&vm, 1, 1, 950);
    see_cpu(1000, 10);
    for (int64_t at = 1060; at < 1600; at += 60)
        rig_see(&rig, at, NULL);
    see_cpu(1600, 90);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 90);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_CPU), 1);
    ck_assert_int_eq(held(&rig, &vm, "", METER_VCPUS, DOMAIN_RUNNING), 650); /* one process, all the time */
}
END_TEST

START_TEST(a_restarted_poller_goes_on_where_it_was)
{
    guest_init(&vm, 1, 1, 500);
    see_cpu(1000, 10);
    see_cpu(1060, 30);
    rig_restart(&rig);
    see_cpu(5000, 90);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 80);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_CPU), 1);
    ck_assert_int_eq(held(&rig, &vm, "", METER_VCPUS, DOMAIN_RUNNING), 4000);
}
END_TEST

static const struct process_row {
    int id;
    int64_t started_s;
    uint64_t cpu;
    int64_t expected; /* beside the 20 of the first process */
    int64_t held_s;   /* beside its 60 s */
} process_rows[] = {
    {2, 1090, 25, 25, 30},   /* another id */
    {1, 1090, 500, 500, 30}, /* libvirtd counts ids anew after its restart */
    {2, 0, 500, 500, 0},     /* when it began is not known */
    {1, 0, 500, 470, 60},    /* nor is anything else: then it is the same, under-billed at most */
};

START_TEST(another_process_is_another_incarnation)
{
    const struct process_row *row = &process_rows[_i];
    guest_init(&vm, 1, 1, 500);
    see_cpu(1000, 10);
    see_cpu(1060, 30);
    guest_start(&vm, row->id, row->started_s);
    see_cpu(1120, row->cpu);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 20 + row->expected);
    ck_assert_int_eq(held(&rig, &vm, "", METER_INSTANCE, DOMAIN_STATES), 60 + row->held_s);
}
END_TEST

START_TEST(a_start_that_becomes_known_later_changes_nothing)
{
    guest_init(&vm, 1, 1, 0);
    see_cpu(1000, 10);
    vm.stats.process_start = 500 * 100;
    see_cpu(1060, 30);
    vm.stats.process_start = 0;
    see_cpu(1120, 50);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 40);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_CPU), 1);
}
END_TEST

START_TEST(a_process_that_cannot_be_recognised_is_not_vouched_for_over_a_gap)
{
    guest_init(&vm, 1, 1, 500);
    see_cpu(1000, 10);
    see_cpu(1060, 30);
    vm.stats.process_start = 0;
    see_cpu(1060 + 3600, 50);
    ck_assert_int_eq(held(&rig, &vm, "", METER_VCPUS, DOMAIN_STATES), 60);
}
END_TEST

START_TEST(after_the_host_booted_anew_all_counts_from_zero)
{
    struct guest other;
    guest_init(&vm, 1, 1, 500);
    guest_init(&other, 2, 1, 1);
    see_cpu(1000, 10);
    see_cpu(1060, 30);
    incarnations_saved(&rig.set);
    text_copy(text_of(GUEST_OTHER_BOOT), rig.list.boot_id, sizeof rig.list.boot_id);
    guest_start(&vm, 1, 20);
    guest_cpu(&vm, 50);
    guest_cpu(&other, 7);
    struct guest *both[] = {&vm, &other};
    rig.offset_ns += 10000 * SEC;
    rig_list(&rig, 60);
    ck_assert(rig.set.forget_all);
    rig_cycle(&rig, 60, both, 2);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 20 + 50);
    ck_assert_int_eq(used(&rig, &other, "", METER_CPU, NULL), 7);
}
END_TEST

/* ---- S3 ---- */

START_TEST(seeing_it_stopped_ends_it_and_the_next_process_counts_from_zero)
{
    guest_init(&vm, 1, 1, 500);
    see_cpu(1000, 10);
    see_cpu(1060, 30);
    guest_shut_off(&vm);
    rig_see(&rig, 1120, &vm);
    ck_assert(rig.sighting.stopped);
    rig_see(&rig, 1180, &vm);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 20);
    guest_start(&vm, 2, 1200);
    see_cpu(1240, 100);
    ck_assert(rig.sighting.new_process);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 120);
    ck_assert_int_eq(held(&rig, &vm, "", METER_INSTANCE, DOMAIN_SHUTOFF), 80);
    ck_assert_int_eq(held(&rig, &vm, "", METER_INSTANCE, DOMAIN_RUNNING), 120 + 40);
}
END_TEST

START_TEST(a_counter_that_falls_begins_a_stream_at_zero)
{
    guest_init(&vm, 1, 1, 500);
    vm.stats.process_start = 0;
    static const uint64_t readings[] = {100, 130, 20, 25, 0, 3};
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++)
        see_cpu(1000 + 60 * (int64_t)i, readings[i]);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 30 + 25 + 3);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_CPU), 3);
    ck_assert_uint_eq(rig.set.counts.falls, 2);
}
END_TEST

START_TEST(cpu_time_that_falls_in_one_process_is_not_believed)
{
    guest_init(&vm, 1, 1, 500);
    static const uint64_t readings[] = {100, 130, 20, 129, 135};
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++)
        see_cpu(1000 + 60 * (int64_t)i, readings[i]);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 35);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_CPU), 1);
    ck_assert_uint_eq(rig.set.counts.falls, 0);
    ck_assert_uint_eq(rig.set.counts.doubted, 2);
    guest_start(&vm, 2, 1290);
    see_cpu(1300, 20);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 35 + 20);
    ck_assert_uint_eq(rig.set.counts.doubted, 2);
}
END_TEST

START_TEST(a_sum_over_processors_that_falls_goes_on_from_what_is_left)
{
    guest_init(&vm, 1, 1, 500);
    static const uint64_t readings[] = {100, 130, 70, 75};
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
        set_reading(&vm.stats.field[DOMAIN_VCPU_WAIT], readings[i]);
        see_cpu(1000 + 60 * (int64_t)i, 10 * (i + 1));
    }
    ck_assert_int_eq(used(&rig, &vm, "", METER_VCPU_WAIT, NULL), 30 + 5);
    ck_assert_uint_eq(rig.set.counts.falls, 0);
    guest_start(&vm, 2, 1190);
    set_reading(&vm.stats.field[DOMAIN_VCPU_WAIT], 4);
    see_cpu(1240, 10);
    ck_assert_int_eq(used(&rig, &vm, "", METER_VCPU_WAIT, NULL), 35 + 4);
}
END_TEST

/* Migrated, restored or reverted, the guest's kernel goes on with its own count. */
START_TEST(what_the_guests_kernel_counts_is_no_processs)
{
    static const struct {
        int64_t start_s;
        uint64_t swapped;
    } rows[] = {{500, 100}, {500, 130}, {1130, 140}, {1130, 145}, {1130, 60}, {1130, 61}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (i == 0)
            guest_init(&vm, 1, 1, rows[i].start_s);
        else if (rows[i].start_s != rows[i - 1].start_s)
            guest_start(&vm, 2, rows[i].start_s);
        set_reading(&vm.stats.field[DOMAIN_BALLOON_SWAP_IN], rows[i].swapped);
        see_cpu(1000 + 60 * (int64_t)i, 10 * (i + 1));
    }
    ck_assert_int_eq(used(&rig, &vm, "", METER_MEMORY_SWAP_IN, NULL), 30 + 5 + 1);
    ck_assert_uint_eq(rig.set.counts.falls, 0);
}
END_TEST

START_TEST(a_stop_told_late_does_not_bill_the_running_process_twice)
{
    guest_init(&vm, 1, 1, 500);
    see_cpu(1000, 10);
    guest_start(&vm, 2, _i ? 0 : 1030);
    see_cpu(1060, 50);
    rig_event(&rig, 1061, &vm, LIFECYCLE_STOPPED); /* of its predecessor, without its id */
    see_cpu(1120, 70);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 70);
}
END_TEST

START_TEST(a_sighting_older_than_what_is_known_is_left_out)
{
    guest_init(&vm, 1, 1, 500);
    see_cpu(1000, 10);
    see_cpu(1060, 30);
    rig_event(&rig, 1090, &vm, LIFECYCLE_STOPPED);
    guest_cpu(&vm, 40);
    rig_look(&rig, 1080, &vm); /* it was read before the event came */
    ck_assert_int_eq(rig.verdict, INCARNATION_SILENT);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 20);
}
END_TEST

/* ---- the host ---- */

static int64_t host_used(enum meter_id meter)
{
    struct guest host = {0};
    text_copy(text_of(rig.list.host_uuid), host.stats.uuid, sizeof host.stats.uuid);
    return used(&rig, &host, "", meter, NULL);
}

static void see_host(int64_t at_s, uint64_t user)
{
    struct guest host = {0};
    rig_list(&rig, at_s);
    set_reading(&rig.list.host[HOST_CPU_USER], user);
    set_reading(&rig.list.host[HOST_MEMORY_TOTAL], 4096);
    text_copy(text_of(rig.list.host_uuid), host.stats.uuid, sizeof host.stats.uuid);
    rig.verdict = incarnation_see_host(&rig.set, &rig.list, &rig.sighting);
    ck_assert_int_eq(rig.verdict, INCARNATION_TOLD);
    const struct told_list *told = &rig.sighting.current;
    for (size_t i = 0; i < told->count; i++)
        if (told->items[i].meter == METER_HOST_MEMORY_TOTAL)
            ck_assert_int_eq(told->items[i].value, 4);
    incarnations_listed(&rig.set, rig.now_ns);
    rig_tell_sighting(&rig);
}

START_TEST(the_host_counts_from_its_first_list_and_after_a_boot_from_zero)
{
    see_host(1000, 500);
    see_host(1060, 520);
    ck_assert_int_eq(host_used(METER_HOST_CPU_USER), 20);
    see_host(1120, 510); /* a processor was taken out */
    see_host(1180, 513);
    ck_assert_int_eq(host_used(METER_HOST_CPU_USER), 23);
    text_copy(text_of(GUEST_OTHER_BOOT), rig.list.boot_id, sizeof rig.list.boot_id);
    see_host(30, 9);
    ck_assert_int_eq(host_used(METER_HOST_CPU_USER), 32);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("incarnation process");
    TCase *t = tcase_create("incarnation process");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, work_done_before_the_first_list_is_nobodys_and_all_later_work_is_billed, 0,
                        sizeof base_rows / sizeof base_rows[0]);
    tcase_add_test(t, a_base_is_the_first_successful_reading_whenever_that_comes);
    tcase_add_test(t, a_vm_that_began_while_the_poller_was_down_is_billed_from_zero);
    tcase_add_test(t, a_list_that_is_not_complete_cannot_be_the_first);
    tcase_add_test(t, another_hosts_memory_is_refused);
    tcase_add_loop_test(t, an_incoming_migration_counts_from_zero_or_from_the_first_list, 0, 2);
    tcase_add_test(t, what_cannot_be_read_of_an_incoming_migration_counts_from_zero_on_the_first_list_too);
    tcase_add_test(t, the_past_of_a_vm_that_was_to_leave_at_the_first_list_and_stays_is_nobodys);
    tcase_add_test(t, an_arrived_vm_is_held_from_the_moment_it_resumed);
    tcase_add_test(t, a_vm_that_pauses_to_leave_is_still_counted_here);
    tcase_add_test(t, a_vm_that_comes_back_was_not_here_meanwhile);
    tcase_add_test(t, a_vm_that_left_and_was_told_to_has_ended);
    tcase_add_test(t, absence_from_a_list_neither_ends_nor_makes_anything);
    tcase_add_test(t, a_restarted_poller_goes_on_where_it_was);
    tcase_add_loop_test(t, another_process_is_another_incarnation, 0, sizeof process_rows / sizeof process_rows[0]);
    tcase_add_test(t, a_start_that_becomes_known_later_changes_nothing);
    tcase_add_test(t, a_process_that_cannot_be_recognised_is_not_vouched_for_over_a_gap);
    tcase_add_test(t, after_the_host_booted_anew_all_counts_from_zero);
    tcase_add_test(t, seeing_it_stopped_ends_it_and_the_next_process_counts_from_zero);
    tcase_add_test(t, a_counter_that_falls_begins_a_stream_at_zero);
    tcase_add_test(t, cpu_time_that_falls_in_one_process_is_not_believed);
    tcase_add_test(t, a_sum_over_processors_that_falls_goes_on_from_what_is_left);
    tcase_add_test(t, what_the_guests_kernel_counts_is_no_processs);
    tcase_add_loop_test(t, a_stop_told_late_does_not_bill_the_running_process_twice, 0, 2);
    tcase_add_test(t, a_sighting_older_than_what_is_known_is_left_out);
    tcase_add_test(t, the_host_counts_from_its_first_list_and_after_a_boot_from_zero);
    suite_add_tcase(s, t);
    return test_run(s);
}
