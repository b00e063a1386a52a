#include "pluvio/base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t wall(struct clock *self)
{
    (void)self;
    return read_clock(CLOCK_REALTIME);
}

static int64_t boot(struct clock *self)
{
    (void)self;
    return read_clock(CLOCK_BOOTTIME);
}

struct clock *clock_system(void)
{
    static struct clock c = {wall, boot};
    return &c;
}

int64_t clock_cpu_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
