#include "sim/simulation.h"

#include <stdio.h>
#include <stdlib.h>

#define SETTLE_NS (200 * NS_PER_S) /* hellos, sessions and timeouts have had their turn by then */
#define LOOK_NS   (1 * NS_PER_S)
#define LIMIT_NS  (2 * 3600 * NS_PER_S) /* promise (d): in the end every outbox drains */

static void settle(struct world *w)
{
    int64_t limit = w->now_ns + LIMIT_NS;
    act_heal(w);
    world_run(w, w->now_ns + SETTLE_NS);
    while (!w->failure[0] && !world_is_quiet(w)) {
        if (w->now_ns >= limit)
            world_fail(w, "an outbox did not drain");
        world_run(w, w->now_ns + LOOK_NS);
    }
    world_say(w, "quiet");
}

static void print(const struct world *w)
{
    fprintf(stderr, "seed %llu, %d partitions: %s\n%.*s", (unsigned long long)w->settings.seed, w->settings.partitions,
            w->failure, (int)w->trace.len, w->trace.data ? w->trace.data : "");
}

void simulate(const struct world_settings *settings, const struct act *acts, const struct expectation *expected,
              struct simulation_result *ret)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    world_init(w, settings);
    for (const struct act *a = acts; a->kind != ACT_END && !w->failure[0]; a++) {
        world_run(w, w->begin_ns + a->at_ms * NS_PER_MS);
        act_do(w, a);
    }
    settle(w);
    if (!w->failure[0])
        verdict(w, expected);
    *ret = (struct simulation_result){.readings = w->oracle.readings, .ambiguous = w->oracle.ambiguous};
    for (int i = 0; i < SIM_COLLECTORS; i++) {
        ret->stale += w->collectors[i].stale;
        ret->undone += w->collectors[i].undone;
    }
    snprintf(ret->failure, sizeof ret->failure, "%s", w->failure);
    if (w->failure[0] || getenv("PLUVIO_SIM_TRACE"))
        print(w);
    if (w->failure[0] && getenv("PLUVIO_SIM_LEDGER"))
        disk_copy(w->ledger, getenv("PLUVIO_SIM_LEDGER"));
    world_finish(w);
    free(w);
}
