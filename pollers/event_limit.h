/* How often events that a guest can make by itself, and without end, are followed: reboots, and sizes that its balloon
 * tells. Pure.
 */
#ifndef POLLERS_EVENT_LIMIT_H
#define POLLERS_EVENT_LIMIT_H

#include <stdbool.h>

#include "inspector.h"
#include "pluvio/base/map.h"

#define RESIZED_LOOK_NS 5000000000LL

struct event_limit { /* zero it first */
    int64_t since_boot_ns;
    struct map vms;          /* what was told since then: uuid -> struct told_kinds * */
    int64_t resized_boot_ns; /* the newest moment that a size was given */
};
void event_limit_finish(struct event_limit *l);

/* May an event that changes nothing be told? Each kind once a VM and interval. Out of memory it may. */
bool event_limit_passes(struct event_limit *l, const char *uuid, enum lifecycle_kind kind, int64_t now_boot_ns,
                        int64_t interval_ns);

/* From when on a reading may come that an event asks for: now, but for sizes at least RESIZED_LOOK_NS after the moment
 * that they were given last. */
int64_t event_limit_look_ns(struct event_limit *l, enum lifecycle_kind kind, int64_t now_boot_ns);

#endif
