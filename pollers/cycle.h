/* When to poll: every interval, aligned to the clock, each host at its own moment of it. Pure. */
#ifndef POLLERS_CYCLE_H
#define POLLERS_CYCLE_H

#include <stdint.h>

#include "pluvio/base/buf.h"

/* A host's moment within the interval, so that a fleet does not poll in one breath; the same at each start. */
int64_t cycle_offset_ns(struct text host_uuid, int64_t interval_ns);

/* Boot time of the first moment of the grid after now: wall times that are @offset_ns past a multiple of the interval.
 * A step of the wall clock moves the grid, never by more than one interval. Who comes up to a hundredth of the interval
 * early (two clocks are not read at once) comes for that moment, and gets the one after it. */
int64_t cycle_next_boot_ns(int64_t now_boot_ns, int64_t now_wall_ns, int64_t interval_ns, int64_t offset_ns);

/* How long a reading of @vms VMs may take before those that hang are left out. @usual_ns: what it takes where nobody
 * hangs, 0: not known yet. Each that begins to hang delays the others by this once, so a large host is not given more
 * than it needs. */
int64_t cycle_patience_ns(int64_t interval_ns, uint64_t vms, int64_t usual_ns);

#endif
