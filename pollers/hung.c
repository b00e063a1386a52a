#include "hung.h"

#include <string.h>

static struct hung_vm *find(struct hung *h, const char *uuid)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->vms[i].uuid, uuid) == 0)
            return &h->vms[i];
    return NULL;
}

enum hung_change hung_see(struct hung *h, const char *uuid, bool answers)
{
    struct hung_vm *vm = find(h, uuid);
    if (vm) {
        vm->seen = !answers;
        return answers ? HUNG_ENDED : HUNG_SAME;
    }
    if (answers || h->count == HUNG_NAMED_MAX)
        return HUNG_SAME;
    vm = &h->vms[h->count++];
    *vm = (struct hung_vm){.seen = true};
    text_copy(text_of(uuid), vm->uuid, sizeof vm->uuid);
    return HUNG_BEGAN;
}

void hung_listed(struct hung *h)
{
    size_t kept = 0;
    for (size_t i = 0; i < h->count; i++) {
        if (!h->vms[i].seen)
            continue;
        h->vms[kept] = h->vms[i];
        h->vms[kept++].seen = false;
    }
    h->count = kept;
}
