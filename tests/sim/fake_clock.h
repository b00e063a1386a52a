/* A machine's clock in the simulation: the world's one true time, seen from a boot and through a wall clock that may be
 * set wrong.
 */
#ifndef TESTS_SIM_FAKE_CLOCK_H
#define TESTS_SIM_FAKE_CLOCK_H

#include "pluvio/base/clock.h"

struct fake_clock {
    struct clock port;     /* first: pass &fake->port */
    const int64_t *now_ns; /* true time */
    int64_t booted_ns;     /* true time of the machine's boot */
    int64_t wrong_ns;      /* the wall clock shows so much more than is true */
};

struct fake_clock fake_clock(const int64_t *now_ns, int64_t booted_ns);

/* The true time at which this machine's boot clock shows @boot_ns. */
static inline int64_t fake_clock_true_ns(const struct fake_clock *c, int64_t boot_ns)
{
    return c->booted_ns + boot_ns;
}

#endif
