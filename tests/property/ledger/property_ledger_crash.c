/* The disk fails at each write and each sync in turn, with or without the power going too: the collector reads on from
 * where its ledger is, and in the end the ledger says what a plain count says.
 */
#include <sqlite3.h>
#include <stdio.h>

#include "ledger_world.h"
#include "support/fault_vfs/fault_vfs.h"
#include "support/run.h"

#define BATCH        40
#define SOME_STREAMS 4
#define MAX_FAULTS   2000 /* no run has so many writes */

static struct rig rig;
static struct world world;
static size_t order[2 * RECORDS], count;
static bool power_goes;
static unsigned faults;

static int take_partition(int64_t *ret_offset, struct error *error)
{
    int64_t offset = -2;
    ledger_release(rig.ledger, 0);
    ledger_begin(rig.ledger, rig.now_ms);
    ledger_take(rig.ledger, "t", 0, "c", &offset);
    ledger_write_out(rig.ledger);
    int r = ledger_commit(rig.ledger, error);
    *ret_offset = offset < 0 ? 0 : offset;
    return r;
}

static int one_batch(int64_t offset, struct error *error)
{
    size_t end = (size_t)offset + BATCH < count ? (size_t)offset + BATCH : count;
    ledger_begin(rig.ledger, rig.now_ms);
    for (size_t i = (size_t)offset; i < end && !ledger_failed(rig.ledger); i++)
        deliver(&rig, &world.told[order[i]]);
    ledger_advance(rig.ledger, 0, (int64_t)end);
    ledger_write_out(rig.ledger);
    return ledger_commit(rig.ledger, error);
}

/* What a machine does to a collector: with the power everything goes that was not synced. */
static void strike(void)
{
    faults++;
    if (!power_goes)
        return;
    fault_vfs_power_cut();
    ledger_close(rig.ledger);
    rig.ledger = NULL;
    fault_vfs_heal();
}

static bool carry_on(struct error *error)
{
    int64_t offset = 0;
    int r = rig.ledger ? 0 : try_open(&rig, error);
    if (r == 0)
        r = take_partition(&offset, error);
    while (r == 0 && offset < (int64_t)count) {
        r = one_batch(offset, error);
        offset = ledger_position_of(rig.ledger, 0);
    }
    return r == 0;
}

/* One run in which the @nth operation fails; false: there were not so many. */
static bool run(enum fault_kind kind, uint64_t nth, int code)
{
    struct error error = {0};
    fault_vfs_heal();
    faults = 0;
    rig.vfs = FAULT_VFS;
    rig_start(&rig);
    fault_vfs_fail(kind, nth, code);
    for (int tries = 0; !carry_on(&error); tries++) {
        ck_assert_msg(tries < 4, "%d %llu: %s", (int)kind, (unsigned long long)nth, error.text);
        strike();
    }
    bool all = fault_vfs_count(kind) < nth && faults == 0;
    check(&rig, &world, false);
    rig_stop(&rig);
    return !all;
}

static const struct fault_row {
    enum fault_kind kind;
    int code;
    bool power_goes;
} rows[] = {
    {FAULT_WRITE, SQLITE_FULL, false},
    {FAULT_WRITE, SQLITE_IOERR_WRITE, true},
    {FAULT_SYNC, SQLITE_IOERR_FSYNC, false},
    {FAULT_SYNC, SQLITE_IOERR_FSYNC, true},
};

START_TEST(wherever_the_disk_fails_the_ledger_ends_the_same)
{
    const struct fault_row *row = &rows[_i];
    struct random_seeded r;
    unsigned struck = 0;
    uint64_t nth = 1;
    random_seed(&r, 5);
    fault_vfs_register();
    make_world(&world, &r.port, SOME_STREAMS, 1);
    count = make_order(&world, &r.port, false, order);
    power_goes = row->power_goes;
    for (; run(row->kind, nth, row->code); nth++) {
        struck += faults > 0;
        ck_assert_uint_lt(nth, MAX_FAULTS);
    }
    ck_assert_uint_gt(struck, row->kind == FAULT_SYNC ? 2 : 20);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ledger, crashes");
    TCase *t = tcase_create("ledger, crashes");
    tcase_set_timeout(t, 240);
    tcase_add_loop_test(t, wherever_the_disk_fails_the_ledger_ends_the_same, 0, sizeof rows / sizeof rows[0]);
    suite_add_tcase(s, t);
    return test_run(s);
}
