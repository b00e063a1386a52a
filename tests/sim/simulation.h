/* One run: a schedule's acts, the end of all faults, quiet, and the verdict. */
#ifndef TESTS_SIM_SIMULATION_H
#define TESTS_SIM_SIMULATION_H

#include "sim/act.h"
#include "sim/verdict.h"

/* What a test looks at, after the world is gone. */
struct simulation_result {
    char failure[512]; /* empty: all is well */
    uint64_t readings, ambiguous, stale, undone;
};

/* @acts end with ACT_END. On a failure the trace is printed. */
void simulate(const struct world_settings *settings, const struct act *acts, const struct expectation *expected,
              struct simulation_result *ret);

#endif
