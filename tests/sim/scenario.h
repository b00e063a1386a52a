/* Schedules written by hand: each a sentence, and what happens. */
#ifndef TESTS_SIM_SCENARIO_H
#define TESTS_SIM_SCENARIO_H

#include "sim/simulation.h"

struct scenario {
    const char *name;
    struct expectation expected;
    enum faulty_disk faulty;
    int partitions;      /* 0: two */
    bool is_taken_over;  /* some collector must see that the ledger is another's */
    bool is_undone;      /* some commit must fail */
    struct act acts[40]; /* ends with ACT_END */
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

#endif
