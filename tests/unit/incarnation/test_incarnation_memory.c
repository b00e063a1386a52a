/* What is remembered of a VM, as bytes and for how long; the limits; and the table of lifecycle events. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guest_rig.h"
#include "pollers/incarnation_store.h"
#include "support/folder.h"
#include "support/run.h"

static struct rig rig;
static struct guest vm;
static char vda[] = "vda", mac[] = "52:54:00:00:00:01", vnet0[] = "vnet0";
static struct buf packed;

static void set_up(void)
{
    rig_start(&rig);
    guest_init(&vm, 1, 1, 500);
    guest_disk(&vm, vda, 1);
    guest_nic(&vm, mac, vnet0, 7);
    set_reading(&vm.stats.field[DOMAIN_BALLOON_LAST_UPDATE], 50);
    packed = (struct buf){0};
}

static void tear_down(void)
{
    buf_free(&packed);
    rig_stop(&rig);
}

static struct incarnation *seen_vm(void)
{
    rig_see(&rig, 1000, &vm);
    guest_cpu(&vm, 50);
    rig_see(&rig, 1060, &vm);
    struct lifecycle_event e = {.kind = LIFECYCLE_DEVICE_ADDED, .id = 1, .boot_ns = 1070 * SEC};
    text_copy(text_of(vm.stats.uuid), e.uuid, sizeof e.uuid);
    text_copy(TEXT("virtio-disk0"), e.device, sizeof e.device);
    rig_tell(&rig, &e);
    return incarnations_find(&rig.set, vm.stats.uuid);
}

/* Unpack into a VM of its own; 0 or the error. *again gets what it packs to. */
static int unpack(struct text bytes, struct buf *again)
{
    struct incarnations set;
    incarnations_init(&set, &rig.random.port, 300 * SEC);
    struct incarnation *copy = incarnations_make(&set, vm.stats.uuid, false);
    ck_assert_ptr_nonnull(copy);
    int r = incarnation_unpack(copy, bytes);
    if (r == 0 && again)
        incarnation_pack(again, copy);
    incarnations_finish(&set);
    return r;
}

START_TEST(what_is_remembered_comes_back_the_same)
{
    struct buf again = {0};
    incarnation_pack(&packed, seen_vm());
    ck_assert_int_eq(unpack(buf_text(&packed), &again), 0);
    ck_assert(text_equal(buf_text(&packed), buf_text(&again)));
    buf_free(&again);
}
END_TEST

START_TEST(bytes_that_are_cut_are_refused)
{
    incarnation_pack(&packed, seen_vm());
    for (size_t len = 0; len < packed.len; len++)
        ck_assert_int_eq(unpack((struct text){packed.data, len}, NULL), -EBADMSG);
    buf_add_char(&packed, 0);
    ck_assert_int_eq(unpack(buf_text(&packed), NULL), -EBADMSG);
}
END_TEST

/* A base or a last value that is off by a bit would be billed. */
START_TEST(no_damaged_bit_goes_unnoticed)
{
    incarnation_pack(&packed, seen_vm());
    for (size_t bit = 0; bit < 8 * packed.len; bit++) {
        packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ 1 << bit % 8);
        ck_assert_msg(unpack(buf_text(&packed), NULL) == -EBADMSG, "bit %zu", bit);
        packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ 1 << bit % 8);
    }
    ck_assert_int_eq(unpack(buf_text(&packed), NULL), 0);
}
END_TEST

START_TEST(a_hosts_memory_is_not_a_vms)
{
    struct incarnation *host = incarnations_make(&rig.set, "a0000000-0000-4000-8000-000000000001", true);
    incarnation_pack(&packed, host);
    ck_assert_int_eq(unpack(buf_text(&packed), NULL), -EBADMSG);
}
END_TEST

START_TEST(what_could_not_be_read_bills_nothing_twice)
{
    rig_see(&rig, 900, NULL);
    vm.stats.process_start = 950 * 100;
    guest_cpu(&vm, 40);
    rig_see(&rig, 1000, &vm);
    ck_assert_ptr_nonnull(incarnations_amnesia(&rig.set, vm.stats.uuid, false));
    guest_cpu(&vm, 70);
    rig_see(&rig, 1060, &vm);
    guest_cpu(&vm, 75);
    rig_see(&rig, 1120, &vm);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 40 + 5);
    guest_start(&vm, 2, 1130);
    guest_cpu(&vm, 9);
    rig_see(&rig, 1180, &vm);
    ck_assert_int_eq(used(&rig, &vm, "", METER_CPU, NULL), 40 + 5 + 9);
}
END_TEST

/* ---- forgetting ---- */

static const struct forget_row {
    bool running, arriving;
    int64_t after_s;
    bool forgotten;
} forget_rows[] = {
    {false, false, 86400 + 60, true},
    {false, false, 86400 - 60, false},
    {true, false, 10 * 86400, false},
    {false, true, 86400 + 60, true},
};

START_TEST(a_vm_that_stopped_is_forgotten_a_day_after_it_was_last_seen)
{
    const struct forget_row *row = &forget_rows[_i];
    if (row->arriving) {
        vm.stats.state = DOMAIN_PAUSED;
        vm.stats.reason = 2;
    } else if (!row->running) {
        guest_shut_off(&vm);
    }
    rig_see(&rig, 1000, &vm);
    incarnations_saved(&rig.set);
    rig_see(&rig, 1000 + row->after_s, NULL);
    ck_assert_int_eq(incarnations_find(&rig.set, vm.stats.uuid) == NULL, row->forgotten);
    const struct incarnation *entry = map_get(&rig.set.vms, text_of(vm.stats.uuid));
    ck_assert_ptr_nonnull(entry); /* until the store knows */
    ck_assert(entry->dirty == row->forgotten);
    incarnations_saved(&rig.set);
    ck_assert_uint_eq(rig.set.vms.count, row->forgotten ? 0 : 1);
}
END_TEST

START_TEST(a_vm_that_comes_back_before_the_store_knew_is_kept)
{
    guest_shut_off(&vm);
    rig_see(&rig, 1000, &vm);
    rig_see(&rig, 1000 + 90000, NULL);
    ck_assert_ptr_null(incarnations_find(&rig.set, vm.stats.uuid));
    rig_see(&rig, 1000 + 90060, &vm);
    incarnations_saved(&rig.set);
    ck_assert_ptr_nonnull(incarnations_find(&rig.set, vm.stats.uuid));
}
END_TEST

START_TEST(many_are_forgotten_at_once)
{
    rig_list(&rig, 1000);
    for (int i = 0; i < 200; i++) {
        guest_init(&vm, i, 1, 500);
        guest_shut_off(&vm);
        rig_look(&rig, 1000, &vm);
    }
    incarnations_listed(&rig.set, rig.now_ns);
    rig_see(&rig, 1000 + 90000, NULL);
    incarnations_saved(&rig.set);
    ck_assert_uint_eq(rig.set.vms.count, 0);
}
END_TEST

static void fill_up(void)
{
    char uuid[UUID_SIZE];
    rig_list(&rig, 900);
    for (int i = 0; i < INCARNATION_MAX_VMS; i++) {
        snprintf(uuid, sizeof uuid, "d0000000-0000-4000-8000-%012d", i);
        ck_assert_ptr_nonnull(incarnations_make(&rig.set, uuid, false));
    }
}

START_TEST(one_vm_too_many_is_refused_and_counted)
{
    fill_up();
    rig_see(&rig, 1000, &vm);
    ck_assert_int_eq(rig.verdict, INCARNATION_REFUSED);
    ck_assert_uint_eq(rig.set.counts.refused, 1);
    ck_assert_ptr_nonnull(incarnations_make(&rig.set, rig.set.host_uuid, true));
}
END_TEST

START_TEST(the_host_takes_no_vms_place)
{
    rig_list(&rig, 900);
    ck_assert_ptr_nonnull(incarnations_make(&rig.set, rig.set.host_uuid, true));
    fill_up();
    ck_assert_uint_eq(rig.set.vms.count, INCARNATION_MAX_VMS + 1);
    rig_see(&rig, 1000, &vm);
    ck_assert_int_eq(rig.verdict, INCARNATION_REFUSED);
}
END_TEST

/* ---- the disk ---- */

static struct db *open_memory(const char *path)
{
    static const char *const migrations[] = {"CREATE TABLE empty(id INTEGER)"};
    static const struct db_schema schema = {"memory", 1, migrations, 1};
    struct db *db = NULL;
    struct error e;
    ck_assert_msg(db_open(&db, path, DB_READ_WRITE, NULL, &schema, &e) == 0, "%s", e.text);
    return db;
}

static struct incarnations load(struct db *db)
{
    struct incarnations set;
    struct error e;
    unsigned damaged;
    incarnations_init(&set, &rig.random.port, 300 * SEC);
    ck_assert_msg(incarnation_store_load(db, &set, &damaged, &e) == 0, "%s", e.text);
    ck_assert_uint_eq(damaged, 0);
    return set;
}

static const char *const one_more = "INSERT INTO incarnation SELECT 'e0000000-0000-4000-8000-000000000001', 0, packed "
                                    "FROM incarnation WHERE is_host=0 LIMIT 1";

START_TEST(as_many_vms_as_a_host_may_have_are_loaded_again_and_no_more)
{
    char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
    struct error e;
    folder_path(folder_make(folder), "memory.db", path, sizeof path);
    struct db *db = open_memory(path);
    struct incarnations set = load(db); /* nothing, but its tables are there */
    fill_up();
    ck_assert_ptr_nonnull(incarnations_make(&rig.set, rig.set.host_uuid, true));
    incarnations_listed(&rig.set, rig.now_ns);
    db_begin(db);
    incarnation_store_write(db, &rig.set);
    ck_assert_msg(db_commit(db, &e) == 0, "%s", e.text);
    for (unsigned more = 0; more < 2; more++) {
        ck_assert_int_eq(more ? db_exec(db, one_more, &e) : 0, 0);
        set = load(db);
        ck_assert_uint_eq(set.vms.count, INCARNATION_MAX_VMS + 1);
        ck_assert_uint_eq(set.counts.refused, more);
        incarnations_finish(&set);
    }
    db_close(db);
    folder_remove(folder);
}
END_TEST

/* ---- lifecycle ---- */

static const struct between_row {
    enum domain_state before, now;
    bool new_process;
    int expected; /* -1: nothing that has a name */
} between_rows[] = {
    {DOMAIN_RUNNING, DOMAIN_RUNNING, false, -1},
    {DOMAIN_RUNNING, DOMAIN_RUNNING, true, LIFECYCLE_STARTED},
    {DOMAIN_SHUTOFF, DOMAIN_RUNNING, true, LIFECYCLE_STARTED},
    {DOMAIN_RUNNING, DOMAIN_BLOCKED, false, -1},
    {DOMAIN_RUNNING, DOMAIN_SHUTOFF, false, LIFECYCLE_STOPPED},
    {DOMAIN_PAUSED, DOMAIN_SHUTOFF, false, LIFECYCLE_STOPPED},
    {DOMAIN_CRASHED, DOMAIN_SHUTOFF, false, -1},
    {DOMAIN_RUNNING, DOMAIN_CRASHED, false, LIFECYCLE_CRASHED},
    {DOMAIN_RUNNING, DOMAIN_PAUSED, false, LIFECYCLE_PAUSED},
    {DOMAIN_RUNNING, DOMAIN_PMSUSPENDED, false, LIFECYCLE_PMSUSPENDED},
    {DOMAIN_PAUSED, DOMAIN_RUNNING, false, LIFECYCLE_RESUMED},
    {DOMAIN_PMSUSPENDED, DOMAIN_BLOCKED, false, LIFECYCLE_RESUMED},
    {DOMAIN_RUNNING, DOMAIN_SHUTDOWN, false, -1},
    {DOMAIN_RUNNING, DOMAIN_NOSTATE, false, -1},
};

START_TEST(a_list_betrays_what_nobody_told)
{
    const struct between_row *row = &between_rows[_i];
    enum lifecycle_kind kind = LIFECYCLE_KINDS;
    bool named = lifecycle_between(row->before, row->now, row->new_process, &kind);
    ck_assert_int_eq(named, row->expected >= 0);
    if (named)
        ck_assert_int_eq(kind, row->expected);
}
END_TEST

START_TEST(a_vm_without_work_is_billed_as_running)
{
    for (int state = 0; state < DOMAIN_STATES; state++)
        ck_assert_int_eq(lifecycle_state((enum domain_state)state),
                         state == DOMAIN_BLOCKED ? DOMAIN_RUNNING : (enum domain_state)state);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("incarnation memory");
    TCase *t = tcase_create("incarnation memory");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_remembered_comes_back_the_same);
    tcase_add_test(t, bytes_that_are_cut_are_refused);
    tcase_add_test(t, no_damaged_bit_goes_unnoticed);
    tcase_add_test(t, a_hosts_memory_is_not_a_vms);
    tcase_add_test(t, what_could_not_be_read_bills_nothing_twice);
    tcase_add_loop_test(t, a_vm_that_stopped_is_forgotten_a_day_after_it_was_last_seen, 0,
                        sizeof forget_rows / sizeof forget_rows[0]);
    tcase_add_test(t, a_vm_that_comes_back_before_the_store_knew_is_kept);
    tcase_add_test(t, many_are_forgotten_at_once);
    tcase_add_test(t, one_vm_too_many_is_refused_and_counted);
    tcase_add_test(t, the_host_takes_no_vms_place);
    tcase_add_test(t, as_many_vms_as_a_host_may_have_are_loaded_again_and_no_more);
    tcase_add_loop_test(t, a_list_betrays_what_nobody_told, 0, sizeof between_rows / sizeof between_rows[0]);
    tcase_add_test(t, a_vm_without_work_is_billed_as_running);
    suite_add_tcase(s, t);
    return test_run(s);
}
