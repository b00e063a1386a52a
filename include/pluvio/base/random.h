/* Randomness, as a port: programs use random_system() (getrandom), tests and the simulation a seeded one. */
#ifndef PLUVIO_BASE_RANDOM_H
#define PLUVIO_BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t (*next)(struct random *self);
};

/* The system's source; static storage, any thread. Aborts if the kernel has none: nothing safe can be made then. */
struct random *random_system(void);

static inline uint64_t random_u64(struct random *r)
{
    return r->next(r);
}

/* Even over 0 .. bound-1; bound > 0. */
uint64_t random_below(struct random *r, uint64_t bound);

/* xoshiro256**, seeded through splitmix64 (Blackman and Vigna, 2018): repeatable, for tests and simulation. */
struct random_seeded {
    struct random port; /* first: pass &seeded->port */
    uint64_t state[4];
};
void random_seed(struct random_seeded *ret, uint64_t seed);

#endif
