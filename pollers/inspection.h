/* One inspection of the host after the other: which questions are put, to which worker, and what is done about those
 * that are not answered. Runs in the inspector's own thread; waits, but never beyond some seconds after the deadline.
 *
 * The first overrun costs the deadline: the worker is left where it is, a second one finds who hangs and asks the
 * others. From then on who hangs is looked at before, so that later cycles lose no time. At most `stuck_max` calls hang
 * at a time: beyond, nobody's monitor is asked.
 */
#ifndef POLLERS_INSPECTION_H
#define POLLERS_INSPECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "inspect_worker.h"
#include "inspector.h"
#include "inspector_cache.h"
#include "inspector_feed.h"
#include "inspector_libvirt.h"
#include "pluvio/base/log.h"

#define INSPECTION_WORKERS (INSPECTOR_STUCK_MAX + 1)

struct inspection {
    struct inspect_worker *workers[INSPECTION_WORKERS];
    unsigned stuck_max; /* one worker more than that is there */
    struct feed *feed;
    struct domain_cache cache;
    struct clock *clock;
    bool identified;
    char host_uuid[UUID_SIZE], boot_id[UUID_SIZE];
    char *host_name;
    bool qemu;
    struct log_limit xml_limit;
    _Atomic uint64_t overruns, refused;
};

/* 0: *ret is the caller's to free, its metadata stays valid until the next call. */
int inspection_run(struct inspection *in, unsigned groups, int64_t deadline_boot_ns, struct snapshot **ret,
                   struct error *error) __attribute__((warn_unused_result));
/* Workers with a call that hangs now. Any thread. */
unsigned inspection_stuck(struct inspection *in);

#endif
