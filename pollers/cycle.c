#include "cycle.h"

#include "pluvio/base/clock.h"

#define PATIENCE_LEAST_NS (300 * NS_PER_MS) /* a hung VM delays the others by this, once; two at once by two of it */
#define PATIENCE_PER_VM   (10 * NS_PER_MS)  /* the bulk call takes 4 ms of it under software emulation */
#define EARLY_PART        100               /* of the interval */
#define PATIENCE_TIMES    4                 /* as long as usual */

int64_t cycle_offset_ns(struct text host_uuid, int64_t interval_ns)
{
    return (int64_t)(text_hash(host_uuid) % (uint64_t)interval_ns);
}

int64_t cycle_next_boot_ns(int64_t now_boot_ns, int64_t now_wall_ns, int64_t interval_ns, int64_t offset_ns)
{
    int64_t past = (now_wall_ns - offset_ns) % interval_ns;
    if (past < 0)
        past += interval_ns;
    int64_t left = interval_ns - past;
    return now_boot_ns + (left <= interval_ns / EARLY_PART ? left + interval_ns : left);
}

int64_t cycle_patience_ns(int64_t interval_ns, uint64_t vms, int64_t usual_ns)
{
    int64_t enough_ns = ns_max((int64_t)vms * PATIENCE_PER_VM, usual_ns);
    if (usual_ns > 0)
        enough_ns = ns_min(enough_ns, usual_ns * PATIENCE_TIMES);
    return ns_min(PATIENCE_LEAST_NS + enough_ns, interval_ns / 2);
}

void pace_note(struct pace *p, const struct pace_reading *r)
{
    bool whole = r->monitors_asked && r->hung == 0, hangs_anew = r->hung > p->hung;
    bool fewer = p->groups & ~r->groups;
    p->hung = r->hung;
    if (whole)
        p->usual_ns = ns_max(r->took_ns, fewer ? p->usual_ns : (p->usual_ns + r->took_ns) / 2);
    else if (r->took_ns >= r->patience_ns && !hangs_anew)
        p->usual_ns = ns_max(p->usual_ns, 2 * r->patience_ns);
    else
        return;
    p->groups |= r->groups;
}

int64_t pace_usual_ns(const struct pace *p, unsigned groups)
{
    return groups & ~p->groups ? 0 : p->usual_ns;
}
