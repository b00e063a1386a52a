/* The clock, as a port: programs use clock_system(), the simulation its own. Only clock.c asks the system.
 *
 * Wall time is nanoseconds since the epoch (UTC) and may jump; boot time (CLOCK_BOOTTIME) never goes back and goes on
 * while the machine sleeps. Intervals and timeouts use boot time.
 */
#ifndef PLUVIO_BASE_CLOCK_H
#define PLUVIO_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL
#define MS_PER_S  1000LL

struct clock {
    int64_t (*wall_ns)(struct clock *self);
    int64_t (*boot_ns)(struct clock *self);
};

/* The system's clock; static storage, any thread. */
struct clock *clock_system(void);

static inline int64_t clock_wall_ns(struct clock *c)
{
    return c->wall_ns(c);
}

static inline int64_t clock_boot_ns(struct clock *c)
{
    return c->boot_ns(c);
}

/* Of two moments, or two durations. */
static inline int64_t ns_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t ns_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* CPU time of this process, for figures about ourselves. */
int64_t clock_cpu_ns(void);

#endif
