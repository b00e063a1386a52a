#include "event_limit.h"

#include <stdlib.h>

#include "pluvio/base/clock.h"

struct told_kinds {
    char uuid[UUID_SIZE];
    unsigned bits;
};

static void forget(struct event_limit *l)
{
    size_t cursor = 0;
    struct told_kinds *vm;
    while ((vm = map_next(&l->vms, &cursor)))
        free(vm);
    map_free(&l->vms);
}

void event_limit_finish(struct event_limit *l)
{
    forget(l);
}

static struct told_kinds *kinds_of(struct event_limit *l, const char *uuid)
{
    struct told_kinds *vm = map_get(&l->vms, text_of(uuid));
    if (vm)
        return vm;
    vm = calloc(1, sizeof *vm);
    if (vm && (!text_copy(text_of(uuid), vm->uuid, sizeof vm->uuid) || map_put(&l->vms, text_of(vm->uuid), vm))) {
        free(vm);
        return NULL;
    }
    return vm;
}

bool event_limit_passes(struct event_limit *l, const char *uuid, enum lifecycle_kind kind, int64_t now_boot_ns,
                        int64_t interval_ns)
{
    if (now_boot_ns - l->since_boot_ns >= interval_ns) {
        forget(l);
        l->since_boot_ns = now_boot_ns;
    }
    struct told_kinds *vm = kinds_of(l, uuid);
    if (!vm)
        return true;
    bool told = vm->bits & 1u << kind;
    vm->bits |= 1u << kind;
    return !told;
}

int64_t event_limit_look_ns(struct event_limit *l, enum lifecycle_kind kind, int64_t now_boot_ns)
{
    if (kind != LIFECYCLE_RESIZED)
        return now_boot_ns;
    if (l->resized_boot_ns <= now_boot_ns) /* else it is still to come */
        l->resized_boot_ns = ns_max(l->resized_boot_ns + RESIZED_LOOK_NS, now_boot_ns);
    return l->resized_boot_ns;
}
