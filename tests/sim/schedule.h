/* Schedules drawn by lot: which kinds of faults a seed knows, and when what happens. */
#ifndef TESTS_SIM_SCHEDULE_H
#define TESTS_SIM_SCHEDULE_H

#include "sim/act.h"

#define SCHEDULE_MAX 1000

struct schedule {
    struct world_settings world;
    struct act acts[SCHEDULE_MAX]; /* ends with ACT_END */
};

void schedule_draw(struct schedule *s, uint64_t seed);

#endif
