/* What must hold once a world is quiet. Each finding is a line of the world's trace and its failure. */
#ifndef TESTS_SIM_VERDICT_H
#define TESTS_SIM_VERDICT_H

#include "sim/world.h"

struct expectation {
    bool allocated_exactly; /* no VM was out of sight: time vouched for is all that was billed, and no more */
    bool archives;          /* nothing came late: rows add up to the ledger's finished periods */
};

/* The ledger's own audit; all usage to the unit, by project and flavor; allocated time at most once and all that was
 * vouched for. */
void verdict(struct world *w, const struct expectation *expected);

#endif
