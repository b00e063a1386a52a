/* When to poll: every interval, aligned to the clock, each host at its own moment of it. Pure. */
#ifndef POLLERS_CYCLE_H
#define POLLERS_CYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "pluvio/base/buf.h"

/* A host's moment within the interval, so that a fleet does not poll in one breath; the same at each start. */
int64_t cycle_offset_ns(struct text host_uuid, int64_t interval_ns);

/* Boot time of the first moment of the grid after now: wall times that are @offset_ns past a multiple of the interval.
 * A step of the wall clock moves the grid, never by more than one interval. Who comes up to a hundredth of the interval
 * early (two clocks are not read at once) comes for that moment, and gets the one after it. */
int64_t cycle_next_boot_ns(int64_t now_boot_ns, int64_t now_wall_ns, int64_t interval_ns, int64_t offset_ns);

/* How long a reading of @vms VMs may take before those that hang are left out. @usual_ns: what it takes where nobody
 * hangs, 0: not known yet. Each that begins to hang delays the others by this once, so a host is not given more than it
 * needs: some time a VM, less where it is fast, and what a reading takes where that is longer (slow storage). */
int64_t cycle_patience_ns(int64_t interval_ns, uint64_t vms, int64_t usual_ns);

/* What readings of this host take where nobody hangs, learned from each. Zeroed: nothing is known. */
struct pace {
    int64_t usual_ns;
    unsigned groups; /* of libvirt, all that were asked for */
    unsigned hung;   /* VMs in the newest reading */
};
struct pace_reading {
    unsigned groups;
    int64_t patience_ns, took_ns;
    unsigned hung;
    bool monitors_asked;
};
/* One that is whole is measured: a longer one at once, a shorter one by half, unless it had fewer groups. One whose
 * patience ended though no further VM began to hang had too little: twice that the next time. */
void pace_note(struct pace *p, const struct pace_reading *r);
/* For a reading of @groups; 0: not known. */
int64_t pace_usual_ns(const struct pace *p, unsigned groups);

#endif
