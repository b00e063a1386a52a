#include "sim/fake_clock.h"

static int64_t wall(struct clock *self)
{
    const struct fake_clock *c = (const struct fake_clock *)self;
    return *c->now_ns + c->wrong_ns;
}

static int64_t boot(struct clock *self)
{
    const struct fake_clock *c = (const struct fake_clock *)self;
    return *c->now_ns - c->booted_ns;
}

struct fake_clock fake_clock(const int64_t *now_ns, int64_t booted_ns)
{
    return (struct fake_clock){.port = {wall, boot}, .now_ns = now_ns, .booted_ns = booted_ns};
}
