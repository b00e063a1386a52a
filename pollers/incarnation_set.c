#include "incarnation_private.h"

#include <stdlib.h>
#include <string.h>

void incarnations_init(struct incarnations *set, struct random *random, int64_t gap_ns)
{
    *set = (struct incarnations){.random = random, .gap_ns = gap_ns};
    for (size_t m = 0; m < METERS; m++)
        set->wanted[m] = true;
}

static uint64_t choice_of(const bool chosen[METERS], const struct selection *devices)
{
    uint64_t choice = 1;
    for (size_t m = 0; m < METERS; m++)
        if (chosen[m])
            choice += text_hash(text_of(meter_at((enum meter_id)m)->name));
    for (size_t i = 0; i < devices->count; i++) /* the last one that fits decides: their order matters */
        choice = choice * 31 + text_hash(text_of(devices->patterns[i]));
    return choice ? choice : 1;
}

static void choose_again(struct incarnations *set, struct incarnation *vm, const bool chosen[METERS])
{
    vm->from_zero = false; /* its devices may not be known yet */
    for (size_t i = 0; i < vm->count; i++) {
        struct device *d = vm->devices[i];
        bool is_out = !device_is_chosen(set, d);
        d->from_zero = false;
        for (size_t n = 0; n < d->count; n++)
            if (is_counter(&d->slots[n]) && (is_out || !chosen[d->slots[n].meter]))
                d->slots[n] = (struct slot){.meter = d->slots[n].meter};
    }
    vm->dirty = true;
}

void incarnations_choose(struct incarnations *set, const bool chosen[METERS], const struct selection *devices)
{
    uint64_t before = set->choice;
    size_t cursor = 0;
    struct incarnation *vm;
    set->devices = *devices;
    set->choice = choice_of(chosen, devices);
    if (set->choice == before)
        return;
    set->dirty = true;
    while (before && (vm = map_next(&set->vms, &cursor)))
        choose_again(set, vm, chosen);
}

static void free_all(struct incarnations *set)
{
    size_t cursor = 0;
    struct incarnation *vm;
    while ((vm = map_next(&set->vms, &cursor)))
        incarnation_free(vm);
    map_free(&set->vms);
}

void incarnations_finish(struct incarnations *set)
{
    free_all(set);
}

struct incarnation *incarnations_find(const struct incarnations *set, const char *uuid)
{
    struct incarnation *vm = map_get(&set->vms, text_of(uuid));
    return vm && !vm->forget ? vm : NULL;
}

/* The host beside them is no VM. */
static bool has_all_vms(const struct incarnations *set)
{
    size_t hosts = map_get(&set->vms, text_of(set->host_uuid)) != NULL;
    return set->vms.count - hosts >= INCARNATION_MAX_VMS;
}

struct incarnation *incarnations_make(struct incarnations *set, const char *uuid, bool is_host)
{
    bool no_memory = false;
    struct incarnation *vm = map_get(&set->vms, text_of(uuid));
    if (vm) {
        vm->forget = false;
        return vm;
    }
    if (!is_host && has_all_vms(set)) {
        set->counts.refused++;
        return NULL;
    }
    vm = calloc(1, sizeof *vm);
    if (!vm)
        return NULL;
    text_copy(text_of(uuid), vm->uuid, sizeof vm->uuid);
    vm->is_host = is_host;
    vm->id = -1;
    vm->dirty = true;
    if (!device_make(set, vm, is_host ? RESOURCE_HOST : RESOURCE_INSTANCE, "", &no_memory) ||
        map_put(&set->vms, text_of(vm->uuid), vm)) {
        incarnation_free(vm);
        return NULL;
    }
    return vm;
}

struct incarnation *incarnations_amnesia(struct incarnations *set, const char *uuid, bool is_host)
{
    char name[UUID_SIZE];
    text_copy(text_of(uuid), name, sizeof name); /* @uuid may be the entry's own */
    incarnation_free(map_take(&set->vms, text_of(name)));
    struct incarnation *vm = incarnations_make(set, name, is_host);
    if (vm)
        vm->amnesia = true;
    return vm;
}

void incarnations_boot(struct incarnations *set, const char *boot_id)
{
    if (strcmp(set->boot_id, boot_id) == 0)
        return;
    if (set->vms.count)
        free_all(set);
    set->forget_all = true;
    set->has_offset = false;
    text_copy(text_of(boot_id), set->boot_id, sizeof set->boot_id);
}

static void take_clock(struct incarnations *set, const struct snapshot *s)
{
    int64_t offset = s->list_wall_ns - s->list_boot_ns, step = offset - set->offset_ns;
    if (set->has_offset && step <= CLOCK_STEP_NS && step >= -CLOCK_STEP_NS)
        return;
    set->counts.clock_steps += set->has_offset;
    set->offset_ns = offset;
    set->has_offset = true;
}

enum list_verdict incarnations_list(struct incarnations *set, const struct snapshot *s)
{
    if (set->host_uuid[0] && strcmp(set->host_uuid, s->host_uuid) != 0)
        return LIST_OTHER_HOST;
    if (set->first_list_wall_ns == 0 && !s->listed)
        return LIST_INCOMPLETE;
    text_copy(text_of(s->host_uuid), set->host_uuid, sizeof set->host_uuid);
    incarnations_boot(set, s->boot_id);
    take_clock(set, s);
    set->in_first_list = set->first_list_wall_ns == 0;
    if (set->in_first_list) {
        set->first_list_wall_ns = s->list_wall_ns;
        set->first_list_boot_ns = s->list_boot_ns;
        text_copy(text_of(s->boot_id), set->first_boot_id, sizeof set->first_boot_id);
    }
    set->dirty = true;
    return LIST_TAKEN;
}

void incarnations_listed(struct incarnations *set, int64_t now_boot_ns)
{
    size_t cursor = 0;
    struct incarnation *vm;
    set->in_first_list = false;
    while ((vm = map_next(&set->vms, &cursor))) {
        if (vm->running || vm->forget || vm->is_host)
            continue;
        int64_t newest = vm->seen_boot_ns > vm->ended_boot_ns ? vm->seen_boot_ns : vm->ended_boot_ns;
        if (now_boot_ns - newest > INCARNATION_FORGET_NS)
            vm->forget = vm->dirty = true;
    }
}

void incarnations_saved(struct incarnations *set)
{
    struct incarnation *gone[64], *vm;
    size_t count;
    do {
        size_t cursor = 0;
        count = 0;
        while (count < sizeof gone / sizeof gone[0] && (vm = map_next(&set->vms, &cursor))) {
            vm->dirty = false;
            if (vm->forget)
                gone[count++] = vm;
        }
        for (size_t i = 0; i < count; i++) {
            map_take(&set->vms, text_of(gone[i]->uuid));
            incarnation_free(gone[i]);
        }
    } while (count);
    set->dirty &= set->in_first_list;
    set->forget_all = false;
}
