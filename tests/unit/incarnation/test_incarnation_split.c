/* Rules S5 and S6: who is billed for what when owner, flavor, state, size or the wall clock change; and what events do.
 */
#include <string.h>

#include "guest_rig.h"
#include "support/run.h"

static struct rig rig;
static struct guest vm;
static char vda[] = "vda";

/* A VM that ran before Pluvio came: 20 ns billed at 1060 s. */
static void set_up(void)
{
    rig_start(&rig);
    guest_init(&vm, 1, 1, 500);
    guest_disk(&vm, vda, 1);
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

static void begin(void)
{
    see_cpu(1000, 10);
    see_cpu(1060, 30);
}

static int64_t cpu_of(const char *project)
{
    return used(&rig, &vm, "", METER_CPU, project);
}

static int64_t instance_s(enum domain_state state)
{
    return held(&rig, &vm, "", METER_INSTANCE, state);
}

static void set_project(const char *name)
{
    text_copy(text_of(name), vm.owner.project, sizeof vm.owner.project);
}

/* ---- owner, flavor, state, size ---- */

static void change_project(void)
{
    set_project("blue");
}

static void change_user(void)
{
    text_copy(TEXT("v"), vm.owner.user, sizeof vm.owner.user);
}

static void change_flavor(void)
{
    text_copy(TEXT("large"), vm.owner.flavor, sizeof vm.owner.flavor);
}

static void change_state(void)
{
    vm.stats.state = DOMAIN_PAUSED;
}

static void change_nothing(void)
{
    vm.stats.state = DOMAIN_BLOCKED; /* running, without work */
}

static const struct split_row {
    void (*change)(void);
    size_t streams;
} split_rows[] = {{change_project, 3}, {change_user, 3}, {change_flavor, 3}, {change_state, 3}, {change_nothing, 1}};

START_TEST(a_change_closes_the_stream_with_a_reading_and_opens_another)
{
    const struct split_row *row = &split_rows[_i];
    begin();
    const struct owner before = newest_of(&rig, &vm, "", METER_CPU)->owner;
    row->change();
    see_cpu(1120, 50);
    see_cpu(1180, 57);
    ck_assert_int_eq(cpu_of(NULL), 47);
    ck_assert_int_eq(instance_s(DOMAIN_STATES), 180);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_CPU), row->streams == 1 ? 1 : 2);
    for (size_t i = 0; i < rig.count; i++)
        if (rig.streams[i].meter == METER_CPU && owner_equal(&rig.streams[i].owner, &before))
            ck_assert_int_eq(rig.streams[i].value, row->streams == 1 ? 47 : 40);
}
END_TEST

START_TEST(usage_of_a_gap_goes_to_the_new_owner_once)
{
    begin();
    set_project("blue");
    vm.stats.field[DOMAIN_CPU_TIME].has = false;
    rig_see(&rig, 1120, &vm); /* the change is seen without a reading */
    see_cpu(1180, 57);
    ck_assert_int_eq(cpu_of("red"), 20);
    ck_assert_int_eq(cpu_of("blue"), 27);
    ck_assert_int_eq(newest_of(&rig, &vm, "", METER_CPU)->start_ns, 1120 * SEC + rig.offset_ns);
}
END_TEST

START_TEST(a_change_before_the_first_reading_bills_nobody_for_what_was_before)
{
    vm.stats.field[DOMAIN_CPU_TIME].has = false;
    rig_see(&rig, 1000, &vm);
    set_project("blue");
    see_cpu(1060, 1000);
    see_cpu(1120, 1005);
    ck_assert_int_eq(cpu_of("red"), 0);
    ck_assert_int_eq(cpu_of("blue"), 5);
}
END_TEST

START_TEST(a_change_nobody_saw_is_the_old_owners_until_it_is_seen)
{
    begin();
    rig_restart(&rig);
    set_project("blue");
    see_cpu(9000, 1030);
    see_cpu(9060, 1035);
    ck_assert_int_eq(cpu_of("red"), 1020);
    ck_assert_int_eq(cpu_of("blue"), 5);
    ck_assert_int_eq(instance_s(DOMAIN_STATES), 8060); /* one process: it was there all the time */
}
END_TEST

START_TEST(a_size_that_changed_ends_where_it_was_read)
{
    begin();
    set_reading(&vm.stats.field[DOMAIN_VCPU_CURRENT], 4);
    see_cpu(1120, 50);
    see_cpu(1180, 50);
    ck_assert_int_eq(held(&rig, &vm, "", METER_VCPUS, DOMAIN_RUNNING), 120 * 1 + 60 * 4);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_CPU), 1);
}
END_TEST

START_TEST(a_size_of_nothing_is_not_told)
{
    vm.meta.gpu = 2;
    begin();
    vm.meta.gpu = 0;
    see_cpu(1120, 50);
    see_cpu(1180, 50);
    vm.meta.gpu = 1;
    see_cpu(1240, 50);
    see_cpu(1300, 50);
    ck_assert_int_eq(held(&rig, &vm, "", METER_DEVICE_GPU, DOMAIN_STATES), 120 * 2 + 60);
}
END_TEST

/* A stopped VM has no process that could be recognised: only lists vouch for it. */
START_TEST(a_stopped_vm_is_held_while_lists_show_it_and_not_over_a_gap)
{
    guest_shut_off(&vm);
    static const int64_t seen[] = {1000, 1060, 1120, 1900, 1960};
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
        rig_see(&rig, seen[i], &vm);
    ck_assert_int_eq(instance_s(DOMAIN_SHUTOFF), 120 + 60);
}
END_TEST

START_TEST(while_nobody_knows_who_pays_nothing_is_told_and_nothing_is_lost)
{
    vm.owner_unknown = true;
    begin();
    ck_assert_uint_eq(rig.count, 0);
    vm.owner_unknown = false;
    see_cpu(1120, 50);
    ck_assert_int_eq(cpu_of("red"), 40);
    ck_assert_int_eq(instance_s(DOMAIN_RUNNING), 120);
    vm.owner_unknown = true; /* for a moment: it is still whose it was */
    see_cpu(1180, 57);
    ck_assert_int_eq(cpu_of("red"), 47);
}
END_TEST

START_TEST(what_stopped_before_its_owner_was_known_is_held_as_stopped_from_then)
{
    rig_see(&rig, 900, NULL);
    guest_init(&vm, 1, 1, 950);
    vm.owner_unknown = true;
    see_cpu(1000, 10);
    guest_shut_off(&vm);
    rig_see(&rig, 1060, &vm);
    vm.owner_unknown = false;
    rig_see(&rig, 1120, &vm);
    ck_assert_int_eq(instance_s(DOMAIN_SHUTOFF), 60);
    ck_assert_int_eq(instance_s(DOMAIN_RUNNING), 0);
}
END_TEST

/* ---- the clock ---- */

static const struct clock_row {
    int64_t step_ns;
    size_t streams;
} clock_rows[] = {{3600 * SEC, 2}, {-3600 * SEC, 2}, {2 * SEC, 2}, {SEC / 2, 1}, {-SEC / 2, 1}};

START_TEST(a_wall_clock_step_closes_all_streams_and_loses_nothing)
{
    const struct clock_row *row = &clock_rows[_i];
    begin();
    rig.offset_ns += row->step_ns;
    see_cpu(1120, 50);
    see_cpu(1180, 57);
    ck_assert_int_eq(cpu_of(NULL), 47);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_CPU), row->streams);
    ck_assert_int_eq(instance_s(DOMAIN_RUNNING), 180); /* of elapsed time */
    ck_assert_uint_eq(rig.set.counts.clock_steps, row->streams - 1);
    const struct told_stream *s = newest_of(&rig, &vm, "", METER_CPU);
    ck_assert_int_eq(s->time_ns, 1180 * SEC + 1700000000 * SEC + (row->streams == 2 ? row->step_ns : 0));
}
END_TEST

START_TEST(a_clock_set_while_the_poller_was_down_splits_too)
{
    begin();
    rig_restart(&rig);
    rig.offset_ns -= 3600 * SEC;
    see_cpu(1120, 50);
    ck_assert_int_eq(cpu_of(NULL), 40);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_CPU), 2);
}
END_TEST

/* ---- events ---- */

START_TEST(a_pause_between_two_lists_is_held_as_paused)
{
    begin();
    rig_event(&rig, 1070, &vm, LIFECYCLE_PAUSED);
    rig_event(&rig, 1100, &vm, LIFECYCLE_RESUMED);
    see_cpu(1120, 50);
    ck_assert_int_eq(instance_s(DOMAIN_PAUSED), 30);
    ck_assert_int_eq(instance_s(DOMAIN_RUNNING), 70 + 20);
    ck_assert_int_eq(held(&rig, &vm, "", METER_MEMORY, DOMAIN_PAUSED), 30 * 512);
    ck_assert_int_eq(held(&rig, &vm, "vda", METER_DISK_CAPACITY, DOMAIN_PAUSED), 30 * 1000);
    ck_assert_int_eq(cpu_of(NULL), 40);
}
END_TEST

START_TEST(a_list_that_an_event_overtook_does_not_undo_it)
{
    begin();
    rig_event(&rig, 1100, &vm, LIFECYCLE_PAUSED);
    rig_look(&rig, 1090, &vm); /* still running then */
    vm.stats.state = DOMAIN_PAUSED;
    see_cpu(1160, 50);
    ck_assert_int_eq(instance_s(DOMAIN_PAUSED), 60);
    ck_assert_int_eq(instance_s(DOMAIN_RUNNING), 100);
    ck_assert_int_eq(cpu_of(NULL), 40);
}
END_TEST

static const struct stop_row {
    enum lifecycle_kind kind;
    bool has_cpu;
    uint64_t cpu;
    int64_t used;
    enum domain_state after;
} stop_rows[] = {
    {LIFECYCLE_STOPPED, true, 45, 35, DOMAIN_SHUTOFF},         {LIFECYCLE_STOPPED, false, 0, 20, DOMAIN_SHUTOFF},
    {LIFECYCLE_STOPPED, true, 7, 20, DOMAIN_SHUTOFF}, /* not of this process */
    {LIFECYCLE_STOPPED, true, UINT64_MAX, 20, DOMAIN_SHUTOFF}, {LIFECYCLE_CRASHED, true, 45, 35, DOMAIN_CRASHED},
    {LIFECYCLE_MIGRATED, false, 0, 20, DOMAIN_SHUTOFF},
};

START_TEST(a_stop_is_the_last_word_of_all_streams_with_the_cpu_time_that_could_still_be_read)
{
    const struct stop_row *row = &stop_rows[_i];
    struct lifecycle_event e = {.kind = row->kind, .id = -1, .boot_ns = 1090 * SEC};
    text_copy(text_of(vm.stats.uuid), e.uuid, sizeof e.uuid);
    e.cpu_time = (struct reading){row->has_cpu, row->cpu};
    begin();
    rig_tell(&rig, &e);
    ck_assert_int_eq(cpu_of(NULL), row->used);
    ck_assert_int_eq(instance_s(DOMAIN_RUNNING), 90);
    for (size_t i = 0; i < rig.count; i++)
        ck_assert(rig.streams[i].ended);
    ck_assert_int_eq(rig.sighting.vm->owner.state, row->after);
    ck_assert_int_eq(rig.sighting.vm->look,
                     row->kind != LIFECYCLE_MIGRATED); /* what is left of it is held from now on */
    rig_tell(&rig, &e);                                /* twice is once */
    ck_assert_int_eq(cpu_of(NULL), row->used);
}
END_TEST

START_TEST(a_vm_whose_cpu_was_never_read_is_billed_what_its_end_says)
{
    rig_see(&rig, 900, NULL);
    guest_init(&vm, 1, 1, 950);
    vm.stats.field[DOMAIN_CPU_TIME].has = false;
    rig_see(&rig, 960, &vm);
    struct lifecycle_event e = {.kind = LIFECYCLE_STOPPED, .id = 1, .boot_ns = 990 * SEC, .cpu_time = {true, 77}};
    text_copy(text_of(vm.stats.uuid), e.uuid, sizeof e.uuid);
    rig_tell(&rig, &e);
    ck_assert_int_eq(cpu_of(NULL), 77);
}
END_TEST

START_TEST(a_stop_of_another_process_is_not_ours)
{
    begin();
    struct lifecycle_event e = {.kind = LIFECYCLE_STOPPED, .id = 9, .boot_ns = 1090 * SEC};
    text_copy(text_of(vm.stats.uuid), e.uuid, sizeof e.uuid);
    rig_tell(&rig, &e);
    see_cpu(1120, 50);
    ck_assert_int_eq(cpu_of(NULL), 40);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_INSTANCE), 1);
}
END_TEST

START_TEST(a_stop_long_after_the_last_list_vouches_for_nothing)
{
    begin();
    rig_restart(&rig);
    rig_event(&rig, 90000, &vm, LIFECYCLE_STOPPED);
    ck_assert_int_eq(instance_s(DOMAIN_RUNNING), 60);
}
END_TEST

START_TEST(a_start_that_shows_another_process_vouches_for_nothing_in_between)
{
    begin();
    struct lifecycle_event e = {.kind = LIFECYCLE_STARTED, .id = 2, .boot_ns = 1110 * SEC};
    text_copy(text_of(vm.stats.uuid), e.uuid, sizeof e.uuid);
    rig_tell(&rig, &e);
    guest_start(&vm, 2, 1110);
    see_cpu(1120, 5);
    ck_assert_int_eq(cpu_of(NULL), 25);
    ck_assert_int_eq(instance_s(DOMAIN_RUNNING), 60 + 10);
}
END_TEST

START_TEST(a_stop_and_start_between_two_lists_are_two_processes)
{
    begin();
    rig_event(&rig, 1070, &vm, LIFECYCLE_STOPPED);
    rig_event(&rig, 1100, &vm, LIFECYCLE_RESUMED); /* as libvirt tells it: before STARTED */
    rig_event(&rig, 1100, &vm, LIFECYCLE_STARTED);
    guest_start(&vm, 2, 1100);
    see_cpu(1120, 5);
    ck_assert_int_eq(cpu_of(NULL), 25);
    ck_assert_int_eq(instance_s(DOMAIN_RUNNING), 70 + 20);
}
END_TEST

START_TEST(a_stop_does_not_say_when_the_next_process_began)
{
    begin();
    rig_event(&rig, 1070, &vm, LIFECYCLE_STOPPED);
    guest_start(&vm, 2, 0); /* nobody told, and its start cannot be read */
    see_cpu(1120, 5);
    see_cpu(1180, 5);
    ck_assert_int_eq(instance_s(DOMAIN_RUNNING), 70 + 60);
}
END_TEST

START_TEST(a_definition_that_is_gone_ends_its_sizes)
{
    guest_shut_off(&vm);
    rig_see(&rig, 1000, &vm);
    rig_see(&rig, 1060, &vm);
    rig_event(&rig, 1090, &vm, LIFECYCLE_UNDEFINED);
    ck_assert_int_eq(instance_s(DOMAIN_SHUTOFF), 90);
    ck_assert(newest_of(&rig, &vm, "", METER_INSTANCE)->ended);
    rig_see(&rig, 1120, NULL);
    ck_assert_int_eq(instance_s(DOMAIN_SHUTOFF), 90);
}
END_TEST

START_TEST(an_undefined_vm_that_runs_goes_on)
{
    begin();
    rig_event(&rig, 1090, &vm, LIFECYCLE_UNDEFINED);
    see_cpu(1120, 50);
    ck_assert_int_eq(instance_s(DOMAIN_RUNNING), 120);
    ck_assert_int_eq(cpu_of(NULL), 40);
}
END_TEST

static const enum lifecycle_kind idle_kinds[] = {LIFECYCLE_REBOOTED, LIFECYCLE_DEFINED, LIFECYCLE_METADATA,
                                                 LIFECYCLE_RESIZED};

START_TEST(events_that_change_no_stream_change_none)
{
    begin();
    rig_event(&rig, 1090, &vm, idle_kinds[_i]);
    ck_assert_uint_eq(rig.sighting.closing.count + rig.sighting.current.count, 0);
    ck_assert_int_eq(rig.sighting.vm->look, lifecycle_meaning(idle_kinds[_i])->look);
    see_cpu(1120, 50);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_CPU), 1);
}
END_TEST

START_TEST(an_event_older_than_the_newest_list_changes_nothing)
{
    begin();
    rig_event(&rig, 1050, &vm, LIFECYCLE_STOPPED);
    see_cpu(1120, 50);
    ck_assert_uint_eq(streams_of(&rig, &vm, "", METER_CPU), 1);
    ck_assert_int_eq(instance_s(DOMAIN_RUNNING), 120);
}
END_TEST

START_TEST(events_of_vms_that_no_list_showed_are_silent)
{
    rig_list(&rig, 1000);
    rig_event(&rig, 1050, &vm, LIFECYCLE_STOPPED);
    ck_assert_int_eq(rig.verdict, INCARNATION_SILENT);
}
END_TEST

static TCase *changes(void)
{
    TCase *t = tcase_create("changes");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, a_change_closes_the_stream_with_a_reading_and_opens_another, 0,
                        sizeof split_rows / sizeof split_rows[0]);
    tcase_add_test(t, usage_of_a_gap_goes_to_the_new_owner_once);
    tcase_add_test(t, a_change_before_the_first_reading_bills_nobody_for_what_was_before);
    tcase_add_test(t, a_change_nobody_saw_is_the_old_owners_until_it_is_seen);
    tcase_add_test(t, a_size_that_changed_ends_where_it_was_read);
    tcase_add_test(t, a_size_of_nothing_is_not_told);
    tcase_add_test(t, a_stopped_vm_is_held_while_lists_show_it_and_not_over_a_gap);
    tcase_add_test(t, while_nobody_knows_who_pays_nothing_is_told_and_nothing_is_lost);
    tcase_add_test(t, what_stopped_before_its_owner_was_known_is_held_as_stopped_from_then);
    tcase_add_loop_test(t, a_wall_clock_step_closes_all_streams_and_loses_nothing, 0,
                        sizeof clock_rows / sizeof clock_rows[0]);
    tcase_add_test(t, a_clock_set_while_the_poller_was_down_splits_too);
    return t;
}

static TCase *events(void)
{
    TCase *t = tcase_create("events");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_pause_between_two_lists_is_held_as_paused);
    tcase_add_test(t, a_list_that_an_event_overtook_does_not_undo_it);
    tcase_add_loop_test(t, a_stop_is_the_last_word_of_all_streams_with_the_cpu_time_that_could_still_be_read, 0,
                        sizeof stop_rows / sizeof stop_rows[0]);
    tcase_add_test(t, a_vm_whose_cpu_was_never_read_is_billed_what_its_end_says);
    tcase_add_test(t, a_stop_of_another_process_is_not_ours);
    tcase_add_test(t, a_stop_long_after_the_last_list_vouches_for_nothing);
    tcase_add_test(t, a_start_that_shows_another_process_vouches_for_nothing_in_between);
    tcase_add_test(t, a_stop_and_start_between_two_lists_are_two_processes);
    tcase_add_test(t, a_stop_does_not_say_when_the_next_process_began);
    tcase_add_test(t, a_definition_that_is_gone_ends_its_sizes);
    tcase_add_test(t, an_undefined_vm_that_runs_goes_on);
    tcase_add_loop_test(t, events_that_change_no_stream_change_none, 0, sizeof idle_kinds / sizeof idle_kinds[0]);
    tcase_add_test(t, an_event_older_than_the_newest_list_changes_nothing);
    tcase_add_test(t, events_of_vms_that_no_list_showed_are_silent);
    return t;
}

int main(void)
{
    Suite *s = suite_create("incarnation split");
    suite_add_tcase(s, changes());
    suite_add_tcase(s, events());
    return test_run(s);
}
