/* Random worlds for the ledger's properties, and a ledger to deliver them to.
 *
 * A world is what pollers on two hosts said of some VMs: readings of counters whose streams begin at zero, and segments
 * of sizes that overlap while a VM migrates; with it comes what a plain count says of it.
 */
#ifndef TESTS_PROPERTY_LEDGER_LEDGER_WORLD_H
#define TESTS_PROPERTY_LEDGER_LEDGER_WORLD_H

#include "collector/ledger/ledger.h"
#include "pluvio/base/random.h"
#include "pluvio/base/wide.h"
#include "support/folder.h"

#define SECONDS  10800
#define PERIOD   300
#define START_S  1764000000LL /* a multiple of an hour */
#define VMS      3
#define STREAMS  24 /* at most */
#define RECORDS  900
#define PROJECTS 2

struct told {
    int vm, stream; /* stream < STREAMS */
    bool allocated, ended;
    int from_s, time_s; /* since START_S */
    int64_t value;
    int project;
    bool running;
};

struct world {
    struct told told[RECORDS];
    size_t count;
    /* Expected. */
    wide consumed[PROJECTS];
    wide allocated[PROJECTS];
};

struct rig {
    struct ledger *ledger;
    struct accountant accountant;
    char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
    struct record record;
    int64_t now_ms;
    const char *vfs; /* NULL: the system's */
};

/* All times are multiples of @grain_s: with that of a period, boundaries are hit and streams without length are made.
 */
void make_world(struct world *w, struct random *r, int streams, int grain_s);

void rig_start(struct rig *rig); /* and opens the ledger */
void rig_stop(struct rig *rig);
int try_open(struct rig *rig, struct error *error);
void open_ledger(struct rig *rig);
void deliver(struct rig *rig, const struct told *t);
void commit(struct rig *rig);
/* All of @w with a quarter repeated, into @order of 2 * RECORDS; returns how many. */
size_t make_order(const struct world *w, struct random *r, bool in_order, size_t *order);
void sweep_all(struct rig *rig);
/* The audit agrees and the sums are those of the plain count. @swept: nothing is open. */
void check(struct rig *rig, const struct world *w, bool swept);

#endif
