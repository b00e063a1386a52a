/* Conservation, idempotence and order independence of the ledger, over random worlds: delivered shuffled, repeated, cut
 * into commits of which some fail and come again, with the ledger closed and opened in between; with times anywhere, or
 * on period boundaries only. Whatever happened, the ledger must say what a plain count says, and its own audit must
 * agree.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ledger_world.h"
#include "pluvio/ledger/ledger_query.h"
#include "support/run.h"

/* One batch; if @fails it is undone first and delivered again. */
static void batch(struct rig *rig, const struct world *w, const size_t *order, size_t count, bool fails)
{
    for (int attempt = fails ? 0 : 1; attempt < 2; attempt++) {
        ledger_begin(rig->ledger, rig->now_ms);
        for (size_t i = 0; i < count; i++)
            deliver(rig, &w->told[order[i]]);
        if (attempt == 1) {
            commit(rig);
            return;
        }
        ledger_write_out(rig->ledger);
        ledger_rollback(rig->ledger);
    }
}

static void deliver_all(struct rig *rig, const struct world *w, struct random *r, bool in_order)
{
    static size_t order[2 * RECORDS];
    size_t n = make_order(w, r, in_order, order);
    for (size_t at = 0; at < n;) {
        size_t count = 1 + random_below(r, 40);
        count = count < n - at ? count : n - at;
        batch(rig, w, order + at, count, random_below(r, 5) == 0);
        at += count;
        if (random_below(r, 10) == 0) {
            ledger_close(rig->ledger);
            open_ledger(rig);
        }
    }
}

START_TEST(whatever_the_order_the_ledger_says_what_was_done)
{
    struct random_seeded r;
    struct world w;
    struct rig rig = {0};
    random_seed(&r, (uint64_t)_i + 1);
    make_world(&w, &r.port, STREAMS, _i % 3 == 0 ? PERIOD / 2 : _i % 3 == 1 ? PERIOD : 1);
    rig_start(&rig);
    deliver_all(&rig, &w, &r.port, _i % 4 == 0);
    check(&rig, &w, false);
    sweep_all(&rig);
    check(&rig, &w, true);
    deliver_all(&rig, &w, &r.port, false); /* all of it again */
    check(&rig, &w, false);
    rig_stop(&rig);
}
END_TEST

START_TEST(a_damaged_sum_is_found_by_the_audit)
{
    struct random_seeded r;
    struct world w;
    struct rig rig = {0};
    static const char *const damage[] = {
        "UPDATE usage SET amount=amount+1 WHERE stream=(SELECT min(stream) FROM usage)",
        "DELETE FROM usage WHERE period_ms=(SELECT max(period_ms) FROM usage)",
        "UPDATE day_sum SET low=low-1",
        "UPDATE stream SET value=value+1 WHERE value IS NOT NULL",
        "DELETE FROM entity WHERE id=1",
    };
    random_seed(&r, 99);
    make_world(&w, &r.port, STREAMS, 1);
    rig_start(&rig);
    deliver_all(&rig, &w, &r.port, true);
    ledger_close(rig.ledger);
    rig.ledger = NULL;
    char command[1024];
    snprintf(command, sizeof command, "sqlite3 %s \"%s\"", rig.path, damage[_i]);
    ck_assert_int_eq(system(command), 0);
    struct ledger_reader *l;
    struct audit_result audit;
    struct error e;
    ck_assert_int_eq(ledger_reader_open(&l, rig.path, &e), 0);
    ck_assert_int_eq(ledger_audit(l, &audit, &e), 0);
    ck_assert_uint_gt(audit.mismatch_count, 0);
    audit_result_free(&audit);
    ledger_reader_close(l);
    rig_stop(&rig);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ledger properties");
    TCase *t = tcase_create("ledger properties");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, whatever_the_order_the_ledger_says_what_was_done, 0, 24);
    tcase_add_loop_test(t, a_damaged_sum_is_found_by_the_audit, 0, 5);
    suite_add_tcase(s, t);
    return test_run(s);
}
