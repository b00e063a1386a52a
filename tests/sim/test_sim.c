/* The real poller and the real collector in one process, under a fake clock, a fake hypervisor and a fake log: whatever
 * breaks in between, every unit is billed once.
 *
 * PLUVIO_SIM_SEEDS=N draws so many schedules (100), from seed PLUVIO_SIM_SEED (1) on; a failure prints its seed and
 * what happened, PLUVIO_SIM_TRACE=1 the latter for every run; PLUVIO_SIM_LEDGER=PATH keeps the ledger of the last
 * failure.
 */
#include <stdlib.h>
#include <unistd.h>

#include "pluvio/base/log.h"
#include "sim/scenario.h"
#include "sim/schedule.h"
#include "support/run.h"

#define RUNS 3 /* of a scenario, each with its own delays and order of steps */

START_TEST(money_is_exact)
{
    const struct scenario *s = &scenarios[_i];
    uint64_t stale = 0, undone = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct world_settings settings = {
            .seed = seed, .partitions = s->partitions ? s->partitions : 2, .faulty = s->faulty};
        struct simulation_result result;
        simulate(&settings, s->acts, &s->expected, &result);
        ck_assert_msg(!result.failure[0], "%s: %s", s->name, result.failure);
        ck_assert_uint_gt(result.readings, 20);
        stale += result.stale;
        undone += result.undone;
    }
    ck_assert_msg(!s->is_taken_over || stale, "%s: nobody saw it", s->name);
    ck_assert_msg(!s->is_undone || undone, "%s: no commit failed", s->name);
}
END_TEST

static uint64_t number(const char *name, uint64_t fallback)
{
    uint64_t value;
    return text_to_u64(text_of(getenv(name)), &value) ? value : fallback;
}

START_TEST(money_is_exact_whatever_happens)
{
    uint64_t first = number("PLUVIO_SIM_SEED", 1), count = number("PLUVIO_SIM_SEEDS", 100), failures = 0;
    for (uint64_t seed = first; seed < first + count && failures < 3; seed++) {
        static const struct expectation expected;
        struct schedule s;
        struct simulation_result result;
        schedule_draw(&s, seed);
        simulate(&s.world, s.acts, &expected, &result);
        ck_assert_uint_gt(result.readings, 0);
        failures += result.failure[0] != 0;
    }
    ck_assert_uint_eq(failures, 0);
}
END_TEST

int main(void)
{
    log_setup("sim", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0); /* what is synced there costs nothing */
    Suite *suite = suite_create("sim");
    TCase *written = tcase_create("scenarios"), *drawn = tcase_create("seeds");
    tcase_set_timeout(written, 60);
    tcase_set_timeout(drawn, 0);
    tcase_add_loop_test(written, money_is_exact, 0, (int)scenario_count);
    tcase_add_test(drawn, money_is_exact_whatever_happens);
    suite_add_tcase(suite, written);
    suite_add_tcase(suite, drawn);
    return test_run(suite);
}
