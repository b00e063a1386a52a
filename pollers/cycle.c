#include "cycle.h"

#include "pluvio/base/clock.h"

#define PATIENCE_LEAST_NS (300 * NS_PER_MS) /* a hung VM delays the others by this, once; two at once by two of it */
#define PATIENCE_PER_VM   (10 * NS_PER_MS) /* the bulk call takes 4 ms of it under software emulation */

int64_t cycle_offset_ns(struct text host_uuid, int64_t interval_ns)
{
    return (int64_t)(text_hash(host_uuid) % (uint64_t)interval_ns);
}

int64_t cycle_next_boot_ns(int64_t now_boot_ns, int64_t now_wall_ns, int64_t interval_ns, int64_t offset_ns)
{
    int64_t past = (now_wall_ns - offset_ns) % interval_ns;
    if (past < 0)
        past += interval_ns;
    return now_boot_ns + interval_ns - past;
}

int64_t cycle_patience_ns(int64_t interval_ns, uint64_t vms)
{
    int64_t patience = PATIENCE_LEAST_NS + (int64_t)vms * PATIENCE_PER_VM;
    return patience < interval_ns / 2 ? patience : interval_ns / 2;
}
