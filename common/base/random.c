#include "pluvio/base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static uint64_t system_next(struct random *self)
{
    (void)self;
    uint64_t value;
    if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) {
        fputs("the kernel gives no random numbers: cannot make safe identities\n", stderr);
        abort();
    }
    return value;
}

struct random *random_system(void)
{
    static struct random r = {system_next};
    return &r;
}

uint64_t random_below(struct random *r, uint64_t bound)
{
    uint64_t fair = UINT64_MAX - UINT64_MAX % bound;
    uint64_t value;
    do
        value = random_u64(r);
    while (value >= fair);
    return value % bound;
}

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static uint64_t seeded_next(struct random *self)
{
    uint64_t *s = ((struct random_seeded *)self)->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

void random_seed(struct random_seeded *ret, uint64_t seed)
{
    ret->port.next = seeded_next;
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        ret->state[i] = z ^ (z >> 31);
    }
}
