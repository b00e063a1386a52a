#include "incarnation_private.h"

#include <string.h>

#include "lifecycle.h"

#define PAUSED_MIGRATION 2 /* libvirt's VIR_DOMAIN_PAUSED_MIGRATION */

bool owner_equal(const struct owner *a, const struct owner *b)
{
    return a->state == b->state && strcmp(a->project, b->project) == 0 && strcmp(a->user, b->user) == 0 &&
           strcmp(a->flavor, b->flavor) == 0;
}

enum process_change {
    PROCESS_NONE, /* stopped, as before */
    PROCESS_SAME,
    PROCESS_NEW,
    PROCESS_ENDED,
    PROCESS_REVIVED /* what was taken for ended goes on */
};

static int64_t start_boot_ns(const struct domain_stats *d)
{
    return d->process_start * TICK_NS;
}

static bool is_alive(const struct domain_stats *d)
{
    return d->id >= 0 && d->state != DOMAIN_SHUTOFF;
}

static bool same_process(const struct incarnation *vm, const struct domain_stats *d)
{
    if (d->id != vm->id)
        return false;
    if (d->process_start && vm->process_start)
        return d->process_start == vm->process_start;
    /* One of the two is unknown: the same id, unless it began after we last saw its predecessor. */
    return !d->process_start || vm->seen_boot_ns == 0 || start_boot_ns(d) <= vm->seen_boot_ns + TICK_NS;
}

static enum process_change process_change(const struct incarnation *vm, const struct domain_stats *d)
{
    if (!is_alive(d))
        return vm->running ? PROCESS_ENDED : PROCESS_NONE;
    if (vm->running)
        return same_process(vm, d) ? PROCESS_SAME : PROCESS_NEW;
    return !vm->arriving && same_process(vm, d) ? PROCESS_REVIVED : PROCESS_NEW;
}

/* Rule S1. */
static bool counts_from_zero(const struct incarnations *set, const struct incarnation *vm, const struct domain_stats *d)
{
    if (vm->arriving)
        return true;
    if (vm->amnesia || set->in_first_list)
        return false;
    if (strcmp(set->first_boot_id, set->boot_id) != 0)
        return true;
    /* A start is cut to its tick. One that is unknown was not in the first list, which was complete. */
    return !d->process_start || start_boot_ns(d) + TICK_NS > set->first_list_boot_ns;
}

/* Where the new process began, as far as it is known; never before what was seen before it. */
static int64_t birth_boot_ns(const struct incarnations *set, const struct incarnation *vm, const struct domain_stats *d)
{
    bool started = vm->arriving || (!vm->running && vm->owner.state == DOMAIN_RUNNING);
    bool told = started && vm->since_boot_ns > vm->seen_boot_ns; /* by an event */
    if (!vm->from_zero || (!d->process_start && !told))
        return d->read_boot_ns;
    int64_t birth = d->process_start ? start_boot_ns(d) : 0;
    const int64_t floors[] = {vm->seen_boot_ns, vm->since_boot_ns, vm->ended_boot_ns,
                              strcmp(set->first_boot_id, set->boot_id) == 0 ? set->first_list_boot_ns : 0};
    for (size_t i = 0; i < sizeof floors / sizeof floors[0]; i++)
        birth = floors[i] > birth ? floors[i] : birth;
    return birth < d->read_boot_ns ? birth : d->read_boot_ns;
}

/* Of another process; @known: bases of it were taken already. */
static void reset_devices(struct incarnation *vm, bool known)
{
    for (size_t i = 0; i < vm->count; i++) {
        struct device *d = vm->devices[i];
        d->from_zero = vm->from_zero;
        d->plug_boot_ns = 0;
        d->chain_count = 0;
        d->serial = 0;
        d->ifindex = 0;
        d->tap[0] = '\0';
        for (size_t n = 0; n < d->count; n++)
            if (is_counter(&d->slots[n]) && !known)
                d->slots[n] = (struct slot){.meter = d->slots[n].meter};
    }
}

static void sizes_end(struct incarnations *set, struct incarnation *vm, struct told_list *list, int64_t at_boot_ns)
{
    for (size_t i = 0; i < vm->count; i++) {
        struct device *d = vm->devices[i];
        for (size_t n = 0; n < d->count; n++) {
            struct slot *s = &d->slots[n];
            if (is_counter(s) || !s->stream)
                continue;
            if (at_boot_ns > s->last_boot_ns && at_boot_ns - s->last_boot_ns <= slot_gap_ns(set, s))
                s->last_boot_ns = at_boot_ns;
            slot_close(list, vm, d, s, s->last_boot_ns);
        }
    }
}

static void begin_process(struct incarnations *set, struct incarnation *vm, const struct domain_stats *d,
                          struct sighting *out)
{
    bool ran = vm->running, known = vm->arriving && same_process(vm, d);
    counters_end(vm, &out->closing);
    vm->from_zero = counts_from_zero(set, vm, d);
    int64_t birth = birth_boot_ns(set, vm, d);
    sizes_end(set, vm, &out->closing, ran ? 0 : birth);
    vm->since_boot_ns = birth;
    vm->running = true;
    vm->id = d->id;
    vm->process_start = d->process_start;
    vm->arriving = vm->amnesia = false;
    vm->balloon = (struct reading){0};
    vm->devices_known = false;
    vm->disk_event_ns = 0;
    vm->meta_version = 0;
    vm->offset_ns = set->offset_ns;
    reset_devices(vm, known);
    set->counts.processes++;
    out->new_process = true;
}

static void end_process(struct incarnation *vm, int64_t at_boot_ns, struct sighting *out)
{
    counters_end(vm, &out->closing);
    vm->running = false;
    vm->ended_boot_ns = at_boot_ns;
    if (!vm->owned) /* what ran was nobody's */
        vm->since_boot_ns = at_boot_ns;
    vm->dirty = true;
    out->stopped = true;
}

static size_t slots_of(const struct incarnation *vm)
{
    size_t count = 0;
    for (size_t i = 0; i < vm->count; i++)
        count += vm->devices[i]->count;
    return count;
}

/* A slot closes at most twice and is read once in one go: at its process's or plug's end, and at a split. */
static bool reserve(const struct incarnation *vm, struct sighting *out)
{
    return told_reserve(out, 4 * slots_of(vm) + 4);
}

static void sighting_begin(struct sighting *s, struct incarnation *vm)
{
    s->vm = vm;
    s->before = vm->owner;
    s->closing.count = s->current.count = 0;
    s->split = s->new_process = s->stopped = false;
}

/* While nobody knows who pays, nothing is told; but what was done before the first reading is still nobody's. */
static void take_bases(struct incarnation *vm, int64_t now_boot_ns)
{
    for (size_t i = 0; i < vm->count; i++) {
        struct device *d = vm->devices[i];
        for (size_t n = 0; n < d->count; n++) {
            struct slot *s = &d->slots[n];
            if (!is_counter(s) || !s->has_raw || s->has_last || begins_at_zero(d, s))
                continue;
            s->last = s->raw;
            s->has_last = true;
            s->last_boot_ns = now_boot_ns;
        }
    }
}

static void change_owner(struct incarnations *set, struct incarnation *vm, const struct owner *owner,
                         int64_t now_boot_ns, int64_t at_boot_ns, bool verified, struct sighting *out)
{
    streams_split(set, vm, &out->closing, now_boot_ns, at_boot_ns, verified);
    vm->owner = *owner;
    vm->offset_ns = set->offset_ns;
    vm->since_boot_ns = at_boot_ns;
    vm->dirty = true;
    out->split = true;
    set->counts.splits++;
}

static void settle_process(struct incarnations *set, struct incarnation *vm, const struct domain_stats *d,
                           enum process_change change, struct sighting *out)
{
    switch (change) {
    case PROCESS_NONE:
        break;
    case PROCESS_SAME:
        if (!vm->process_start)
            vm->process_start = d->process_start;
        break;
    case PROCESS_NEW:
        begin_process(set, vm, d, out);
        break;
    case PROCESS_ENDED:
        end_process(vm, d->read_boot_ns, out);
        vm->id = -1; /* a list is sure of it: it will not be revived */
        break;
    case PROCESS_REVIVED:
        vm->running = true;
        break;
    }
}

/* The whole of a sighting, once its VM is there and counts. */
static enum incarnation_verdict see(struct incarnations *set, struct incarnation *vm, const struct domain_stats *d,
                                    const struct owner *owner, struct sighting *out)
{
    if (!reserve(vm, out))
        return INCARNATION_NO_MEMORY;
    enum process_change change = process_change(vm, d);
    settle_process(set, vm, d, change, out);
    if (!devices_list(set, vm, d) || !values_take(set, vm, d, out) || !reserve(vm, out))
        return INCARNATION_NO_MEMORY;
    bool verified = change == PROCESS_SAME && d->process_start != 0;
    devices_settle(set, vm, d, out);
    counters_fall(set, vm, &out->closing, verified);
    vm->dirty = true;
    if (!owner && !vm->owned) {
        take_bases(vm, d->read_boot_ns);
        return INCARNATION_SILENT;
    }
    struct owner now = owner ? *owner : vm->owner;
    now.state = lifecycle_state(d->state);
    out->split = vm->owned && !owner_equal(&now, &vm->owner);
    if (vm->owned && change != PROCESS_NEW && (out->split || vm->offset_ns != set->offset_ns))
        change_owner(set, vm, &now, d->read_boot_ns, d->read_boot_ns, verified, out);
    if (!vm->owned)
        vm->offset_ns = set->offset_ns;
    vm->owner = now;
    vm->owned = true;
    streams_read(set, vm, &out->current, d->read_boot_ns, verified || change == PROCESS_NEW);
    vm->seen_boot_ns = d->read_boot_ns;
    return INCARNATION_TOLD;
}

static bool is_arriving(const struct incarnation *vm, const struct domain_stats *d)
{
    return d->state == DOMAIN_PAUSED && d->reason == PAUSED_MIGRATION && !(vm->running && same_process(vm, d));
}

/* One that is met first may as well be paused to leave, and stay if that fails: what it has counted is nobody's. Of one
 * that comes that is nothing, or cannot be read. */
static enum incarnation_verdict take_stranger(struct incarnations *set, struct incarnation *vm,
                                              const struct domain_stats *d, struct sighting *out)
{
    vm->running = true; /* for its counters to be taken */
    bool fits = devices_list(set, vm, d) && values_take(set, vm, d, out);
    vm->running = false;
    take_bases(vm, d->read_boot_ns);
    return fits ? INCARNATION_SILENT : INCARNATION_NO_MEMORY;
}

/* A process that ran here before it left unseen; it is not known when. */
static enum incarnation_verdict note_arriving(struct incarnations *set, struct incarnation *vm,
                                              const struct domain_stats *d, struct sighting *out)
{
    bool ran = vm->running;
    if (!reserve(vm, out))
        return INCARNATION_NO_MEMORY;
    if (ran) {
        end_process(vm, d->read_boot_ns, out);
        sizes_end(set, vm, &out->closing, 0);
    }
    if (!vm->arriving || !same_process(vm, d))
        reset_devices(vm, false);
    bool is_stranger = set->in_first_list || vm->amnesia;
    vm->arriving = true;
    vm->running = false;
    vm->id = d->id;
    vm->process_start = d->process_start;
    vm->seen_boot_ns = d->read_boot_ns;
    vm->dirty = true;
    if (is_stranger)
        return take_stranger(set, vm, d, out);
    return ran && vm->owned ? INCARNATION_TOLD : INCARNATION_SILENT;
}

/* Read before what is known: by a newer list, or by an event that overtook this one. */
static bool is_stale(const struct incarnation *vm, const struct domain_stats *d)
{
    return d->read_boot_ns < vm->seen_boot_ns || d->read_boot_ns < vm->ended_boot_ns ||
           d->read_boot_ns < vm->since_boot_ns;
}

enum incarnation_verdict incarnation_see(struct incarnations *set, const struct domain_stats *d,
                                         const struct owner *owner, struct sighting *ret)
{
    size_t refused = set->counts.refused;
    struct incarnation *vm = incarnations_make(set, d->uuid, false);
    if (!vm)
        return set->counts.refused > refused ? INCARNATION_REFUSED : INCARNATION_NO_MEMORY;
    devices_sweep(vm);
    sighting_begin(ret, vm);
    vm->look = false;
    if (is_stale(vm, d))
        return INCARNATION_SILENT;
    if (is_arriving(vm, d))
        return note_arriving(set, vm, d, ret);
    return see(set, vm, d, owner, ret);
}

static void begin_host(struct incarnations *set, struct incarnation *vm, int64_t now_boot_ns)
{
    if (vm->running)
        return;
    vm->from_zero = !vm->amnesia && strcmp(set->first_boot_id, set->boot_id) != 0;
    vm->since_boot_ns = vm->from_zero ? 1 : now_boot_ns;
    vm->running = vm->owned = true;
    vm->owner.state = DOMAIN_RUNNING;
    vm->offset_ns = set->offset_ns;
    vm->devices[0]->from_zero = vm->from_zero;
}

enum incarnation_verdict incarnation_see_host(struct incarnations *set, const struct snapshot *s, struct sighting *ret)
{
    struct incarnation *vm = incarnations_make(set, set->host_uuid, true);
    if (!vm)
        return INCARNATION_NO_MEMORY;
    devices_sweep(vm);
    begin_host(set, vm, s->list_boot_ns);
    sighting_begin(ret, vm);
    if (!values_take_host(set, vm, s, ret) || !reserve(vm, ret))
        return INCARNATION_NO_MEMORY;
    counters_fall(set, vm, &ret->closing, true);
    if (vm->offset_ns != set->offset_ns)
        change_owner(set, vm, &ret->before, s->list_boot_ns, s->list_boot_ns, true, ret);
    streams_read(set, vm, &ret->current, s->list_boot_ns, true);
    vm->seen_boot_ns = s->list_boot_ns;
    vm->dirty = true;
    return INCARNATION_TOLD;
}

/* ---- events ---- */

static void change_state(struct incarnations *set, struct incarnation *vm, enum domain_state state, int64_t at_boot_ns,
                         bool verified, struct sighting *out)
{
    struct owner now = vm->owner;
    now.state = state;
    if (vm->owned && !owner_equal(&now, &vm->owner))
        change_owner(set, vm, &now, 0, at_boot_ns, verified, out);
}

/* CPU time could still be read at the end: the last word of its stream. */
static void final_cpu(struct incarnations *set, struct incarnation *vm, const struct lifecycle_event *event,
                      struct sighting *out)
{
    struct reading cpu = event->cpu_time;
    struct device *d = vm->devices[0];
    if (!vm->owned || !set->wanted[METER_CPU] || !cpu.has || cpu.value > INT64_MAX)
        return;
    struct slot *s = device_slot(d, METER_CPU);
    if (!s || !(s->has_last || d->from_zero) || (s->has_last && cpu.value < s->last))
        return;
    s->raw = cpu.value;
    counter_read(set, vm, d, s, &out->closing, event->boot_ns, true);
}

/* Lists saw the process until a moment ago: it is the one that the event is about. */
static bool seen_lately(const struct incarnations *set, const struct incarnation *vm, int64_t at_boot_ns)
{
    return vm->process_start != 0 && at_boot_ns - vm->seen_boot_ns <= set->gap_ns;
}

static void take_stop(struct incarnations *set, struct incarnation *vm, const struct lifecycle_event *event,
                      enum domain_state state, struct sighting *out)
{
    if (vm->arriving) /* it ended before any list showed it here */
        vm->since_boot_ns = event->boot_ns;
    vm->arriving = false;
    if (!vm->running || (event->id >= 0 && event->id != vm->id))
        return;
    bool verified = seen_lately(set, vm, event->boot_ns);
    final_cpu(set, vm, event, out);
    end_process(vm, event->boot_ns, out);
    change_state(set, vm, state, event->boot_ns, verified, out);
}

static void take_start(struct incarnations *set, struct incarnation *vm, const struct lifecycle_event *event,
                       struct sighting *out)
{
    if (vm->arriving)
        vm->since_boot_ns = event->boot_ns;
    if (vm->arriving || (vm->running && (event->id < 0 || event->id == vm->id)))
        return;
    if (vm->running) { /* another one, so that this has ended, nobody knows when */
        end_process(vm, event->boot_ns, out);
        sizes_end(set, vm, &out->closing, 0);
    }
    change_state(set, vm, DOMAIN_RUNNING, event->boot_ns, false, out);
}

static void take_state(struct incarnations *set, struct incarnation *vm, const struct lifecycle_event *event,
                       enum domain_state state, struct sighting *out)
{
    if (vm->arriving)
        vm->since_boot_ns = event->boot_ns;
    else if (vm->running && (event->id < 0 || event->id == vm->id))
        change_state(set, vm, state, event->boot_ns, seen_lately(set, vm, event->boot_ns), out);
}

static void take_event(struct incarnations *set, struct incarnation *vm, const struct lifecycle_event *event,
                       struct sighting *out)
{
    const struct lifecycle_meaning *meaning = lifecycle_meaning(event->kind);
    switch (meaning->effect) {
    case EFFECT_NONE:
        break;
    case EFFECT_STATE:
        take_state(set, vm, event, meaning->state, out);
        break;
    case EFFECT_START:
        take_start(set, vm, event, out);
        break;
    case EFFECT_STOP:
        take_stop(set, vm, event, meaning->state, out);
        break;
    case EFFECT_DEVICES:
        if (strncmp(event->device, "net", 3) != 0)
            disk_event_take(vm, event);
        break;
    case EFFECT_GONE:
        if (!vm->running)
            sizes_end(set, vm, &out->closing, event->boot_ns);
        break;
    }
}

enum incarnation_verdict incarnation_event(struct incarnations *set, const struct lifecycle_event *event,
                                           struct sighting *ret)
{
    struct incarnation *vm = incarnations_find(set, event->uuid);
    if (!vm || vm->is_host)
        return INCARNATION_SILENT;
    devices_sweep(vm);
    sighting_begin(ret, vm);
    if (!reserve(vm, ret))
        return INCARNATION_NO_MEMORY;
    const struct lifecycle_meaning *meaning = lifecycle_meaning(event->kind);
    bool overtaken = event->boot_ns <= vm->seen_boot_ns; /* by a list, which may have read it just before */
    vm->look |= meaning->look || (overtaken && meaning->effect != EFFECT_NONE);
    vm->dirty = true;
    if (!overtaken)
        take_event(set, vm, event, ret);
    return vm->owned ? INCARNATION_TOLD : INCARNATION_SILENT;
}
