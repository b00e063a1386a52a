#include "incarnation_private.h"

#include <stdlib.h>

#include "pluvio/base/clock.h"

static uint64_t new_stream(struct incarnations *set)
{
    uint64_t id;
    do {
        id = random_u64(set->random) >> 1;
    } while (id == 0);
    return id;
}

bool is_counter(const struct slot *s)
{
    return meter_at(s->meter)->basis == BASIS_CONSUMED;
}

static bool list_reserve(struct told_list *list, size_t more)
{
    if (list->count + more <= list->cap)
        return true;
    size_t cap = list->cap ? list->cap : 64;
    while (cap < list->count + more)
        cap *= 2;
    struct told *wider = realloc(list->items, cap * sizeof *wider);
    if (!wider)
        return false;
    list->items = wider;
    list->cap = cap;
    return true;
}

bool told_reserve(struct sighting *out, size_t count)
{
    return list_reserve(&out->closing, count) && list_reserve(&out->current, count);
}

void sighting_finish(struct sighting *s)
{
    free(s->closing.items);
    free(s->current.items);
    *s = (struct sighting){0};
}

/* Callers reserved the room. */
void tell(struct told_list *list, const struct incarnation *vm, const struct device *d, struct slot *s,
          int64_t time_boot_ns, bool ended)
{
    list->items[list->count++] = (struct told){
        .meter = s->meter,
        .device = d,
        .stream = s->stream,
        .value = (int64_t)(is_counter(s) ? s->last - s->base : s->last),
        .start_ns = s->start_boot_ns + vm->offset_ns,
        .time_ns = ns_max(time_boot_ns, s->start_boot_ns) + vm->offset_ns,
        .ended = ended,
    };
}

static void told_is_first(struct told_list *list)
{
    list->items[list->count - 1].first = true;
}

void slot_close(struct told_list *list, const struct incarnation *vm, const struct device *d, struct slot *s,
                int64_t time_boot_ns)
{
    if (!s->stream)
        return;
    tell(list, vm, d, s, time_boot_ns, true);
    s->stream = 0;
}

void counters_end(struct incarnation *vm, struct told_list *list)
{
    for (size_t i = 0; i < vm->count; i++) {
        struct device *d = vm->devices[i];
        for (size_t n = 0; n < d->count; n++)
            if (is_counter(&d->slots[n]))
                slot_close(list, vm, d, &d->slots[n], d->slots[n].last_boot_ns);
    }
}

void plug_end(struct incarnation *vm, struct device *d, struct told_list *list)
{
    for (size_t n = 0; n < d->count; n++) {
        slot_close(list, vm, d, &d->slots[n], d->slots[n].last_boot_ns);
        d->slots[n].has_last = false;
        d->slots[n].last_boot_ns = ns_max(d->slots[n].last_boot_ns, vm->seen_boot_ns);
    }
    d->from_zero = true;
}

/* The guest's kernel counts its swapping, over restores and migrations too: a new process of the VM begins with what
 * others had, and a snapshot goes back to what it was then. */
static bool is_guests_own(enum meter_id meter)
{
    return meter == METER_MEMORY_SWAP_IN || meter == METER_MEMORY_SWAP_OUT;
}

bool begins_at_zero(const struct device *d, const struct slot *s)
{
    return d->from_zero && !is_guests_own(s->meter);
}

/* Begin a stream that raw is read from. */
static void counter_open(struct incarnations *set, struct incarnation *vm, const struct device *d, struct slot *s,
                         int64_t now_boot_ns)
{
    bool counts = s->has_last || begins_at_zero(d, s);
    s->stream = new_stream(set);
    s->base = s->has_last ? s->last : counts ? 0 : s->raw;
    s->start_boot_ns = counts ? ns_max(vm->since_boot_ns, s->last_boot_ns) : now_boot_ns;
    if (s->start_boot_ns > now_boot_ns)
        s->start_boot_ns = now_boot_ns;
    vm->dirty = true;
}

/* A processor that is taken out takes what it counted out of the sum, and the others go on. */
static bool sums_processors(enum meter_id meter)
{
    return meter == METER_VCPU_WAIT || meter == METER_VCPU_DELAY || meter_at(meter)->kind == RESOURCE_HOST;
}

void counters_fall(struct incarnations *set, struct incarnation *vm, struct told_list *list, bool verified)
{
    for (size_t i = 0; i < vm->count; i++) {
        struct device *d = vm->devices[i];
        for (size_t n = 0; n < d->count; n++) {
            struct slot *s = &d->slots[n];
            if (!is_counter(s) || !s->has_raw || !s->has_last || s->raw >= s->last)
                continue;
            slot_close(list, vm, d, s, s->last_boot_ns);
            bool goes_on = is_guests_own(s->meter) || (verified && sums_processors(s->meter));
            s->last = goes_on ? s->raw : 0; /* the base of the next, and what it is compared with */
            set->counts.falls += !goes_on;
        }
    }
}

void counter_read(struct incarnations *set, struct incarnation *vm, struct device *d, struct slot *s,
                  struct told_list *list, int64_t now_boot_ns, bool ended)
{
    bool first = !s->stream;
    if (first)
        counter_open(set, vm, d, s, now_boot_ns);
    s->last = s->raw;
    s->has_last = true;
    s->last_boot_ns = ns_max(now_boot_ns, s->start_boot_ns);
    tell(list, vm, d, s, s->last_boot_ns, ended);
    if (first)
        told_is_first(list);
    if (ended)
        s->stream = 0;
}

#define SELDOM 3 /* readings of a meter that may be missed */

int64_t slot_gap_ns(const struct incarnations *set, const struct slot *s)
{
    return ns_max(set->gap_ns, SELDOM * set->every_ns[s->meter]);
}

/* The size of @s was vouched for until @last; may it be until @now? */
static bool vouches(const struct incarnations *set, const struct slot *s, int64_t last_boot_ns, int64_t now_boot_ns,
                    bool verified)
{
    return verified || now_boot_ns - last_boot_ns <= slot_gap_ns(set, s);
}

/* An event changed the state and another one does so before any reading: the process was there in between. */
static bool open_between(struct incarnations *set, const struct incarnation *vm, struct slot *s, int64_t at_boot_ns,
                         bool verified)
{
    bool ran = vm->owner.state != DOMAIN_SHUTOFF && vm->owner.state != DOMAIN_CRASHED;
    if (!ran || !s->has_last || s->last_boot_ns != vm->since_boot_ns || at_boot_ns <= s->last_boot_ns ||
        !vouches(set, s, s->last_boot_ns, at_boot_ns, verified))
        return false;
    s->stream = new_stream(set);
    s->start_boot_ns = s->last_boot_ns;
    return true;
}

static void size_split(struct incarnations *set, struct incarnation *vm, struct device *d, struct slot *s,
                       struct told_list *list, int64_t at_boot_ns, bool verified)
{
    bool first = !s->stream && open_between(set, vm, s, at_boot_ns, verified);
    if (!s->stream)
        return;
    int64_t end = s->last_boot_ns;
    if (at_boot_ns > end && vouches(set, s, end, at_boot_ns, verified))
        end = at_boot_ns;
    slot_close(list, vm, d, s, end);
    if (first)
        told_is_first(list);
    s->last_boot_ns = end;
}

static void counter_split(struct incarnations *set, struct incarnation *vm, struct device *d, struct slot *s,
                          struct told_list *list, int64_t now_boot_ns)
{
    /* What may have been done before Pluvio came is nobody's: its first reading is the next owner's base. */
    bool readable = now_boot_ns && s->has_raw && (s->has_last || begins_at_zero(d, s));
    if (readable)
        counter_read(set, vm, d, s, list, now_boot_ns, true);
    else
        slot_close(list, vm, d, s, s->last_boot_ns);
}

void streams_split(struct incarnations *set, struct incarnation *vm, struct told_list *list, int64_t now_boot_ns,
                   int64_t at_boot_ns, bool verified)
{
    for (size_t i = 0; i < vm->count; i++) {
        struct device *d = vm->devices[i];
        for (size_t n = 0; n < d->count; n++) {
            if (is_counter(&d->slots[n]))
                counter_split(set, vm, d, &d->slots[n], list, now_boot_ns);
            else
                size_split(set, vm, d, &d->slots[n], list, at_boot_ns, verified);
        }
    }
}

/* A size begins where the owner or process began if it was there all the time since, else now. */
static int64_t size_start(const struct incarnations *set, const struct incarnation *vm, const struct slot *s,
                          int64_t now_boot_ns, bool verified)
{
    int64_t since = vm->since_boot_ns;
    bool fresh = since > vm->seen_boot_ns || (s->has_last && s->last_boot_ns == since && s->last == s->raw);
    if (!fresh || since > now_boot_ns || !vouches(set, s, since, now_boot_ns, verified))
        return now_boot_ns;
    return ns_max(since, s->last_boot_ns);
}

static void size_read(struct incarnations *set, struct incarnation *vm, struct device *d, struct slot *s,
                      struct told_list *list, int64_t now_boot_ns, bool verified)
{
    if (s->stream && !vouches(set, s, s->last_boot_ns, now_boot_ns, verified))
        slot_close(list, vm, d, s, s->last_boot_ns);
    if (s->stream && s->raw != s->last) {
        slot_close(list, vm, d, s, now_boot_ns);
        s->last_boot_ns = now_boot_ns;
    }
    bool first = !s->stream;
    if (s->raw == 0) { /* nothing is there to be paid for */
        s->has_last = false;
        return;
    }
    if (first) {
        s->start_boot_ns = size_start(set, vm, s, now_boot_ns, verified);
        s->stream = new_stream(set);
    }
    s->last = s->raw;
    s->has_last = true;
    s->last_boot_ns = ns_max(now_boot_ns, s->start_boot_ns);
    tell(list, vm, d, s, s->last_boot_ns, false);
    if (first)
        told_is_first(list);
}

void streams_read(struct incarnations *set, struct incarnation *vm, struct told_list *list, int64_t now_boot_ns,
                  bool verified)
{
    for (size_t i = 0; i < vm->count; i++) {
        struct device *d = vm->devices[i];
        for (size_t n = 0; n < d->count; n++) {
            struct slot *s = &d->slots[n];
            if (!s->has_raw)
                continue;
            if (is_counter(s))
                counter_read(set, vm, d, s, list, now_boot_ns, false);
            else
                size_read(set, vm, d, s, list, now_boot_ns, verified);
        }
    }
}
