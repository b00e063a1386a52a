/* Who pays for a moment that several segments claim (a VM during its migration is on two hosts). Pure.
 *
 * Each millisecond goes to one segment: a running one before a stopped one, then the later start, then the larger
 * stream id. The rule looks at nothing but the segments, so the order of their arrival cannot matter.
 */
#ifndef COLLECTOR_SERIES_ALLOCATION_H
#define COLLECTOR_SERIES_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct segment {
    int64_t from_ms, to_ms; /* whole, not cut to a window: its start decides */
    uint64_t uid;           /* the poller's stream id */
    bool running;
    int64_t stream; /* the ledger's stream id, for the caller */
    int64_t won_ms; /* out */
};

/* Fill each won_ms with what the segment gets of [low_ms, high_ms). 0 or -ENOMEM. */
int allocation_divide(struct segment *segments, size_t count, int64_t low_ms, int64_t high_ms)
    __attribute__((warn_unused_result));

#endif
