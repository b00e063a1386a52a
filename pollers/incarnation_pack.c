#include "incarnation_private.h"

#include <errno.h>

#define PACK_VERSION 2

enum {
    FLAG_HOST = 1,
    FLAG_RUNNING = 2,
    FLAG_FROM_ZERO = 4,
    FLAG_ARRIVING = 8,
    FLAG_AMNESIA = 16,
    FLAG_OWNED = 32,
    FLAG_DEVICES_KNOWN = 64,
    FLAG_BALLOON = 128
};

static void pack_slot(struct buf *out, const struct slot *s)
{
    /* By name: numbers of meters change when the table grows. */
    buf_add_sized(out, text_of(meter_at(s->meter)->name));
    buf_add_varint(out, s->stream);
    buf_add_varint(out, s->base);
    buf_add_varint(out, s->last);
    buf_add_varint(out, s->has_last);
    buf_add_signed(out, s->start_boot_ns);
    buf_add_signed(out, s->last_boot_ns);
}

static void pack_device(struct buf *out, const struct device *d)
{
    buf_add_varint(out, (uint64_t)d->kind);
    buf_add_sized(out, text_of(d->name));
    buf_add_sized(out, text_of(d->tap));
    buf_add_varint(out, d->from_zero);
    buf_add_signed(out, d->plug_boot_ns);
    buf_add_varint(out, d->ifindex);
    buf_add_varint(out, d->serial);
    buf_add_varint(out, d->chain_count);
    for (size_t i = 0; i < d->chain_count; i++)
        buf_add_signed(out, d->chain[i]);
    buf_add_varint(out, d->count);
    for (size_t i = 0; i < d->count; i++)
        pack_slot(out, &d->slots[i]);
}

static unsigned flags_of(const struct incarnation *vm)
{
    return (vm->is_host ? FLAG_HOST : 0u) | (vm->running ? FLAG_RUNNING : 0u) | (vm->from_zero ? FLAG_FROM_ZERO : 0u) |
           (vm->arriving ? FLAG_ARRIVING : 0u) | (vm->amnesia ? FLAG_AMNESIA : 0u) | (vm->owned ? FLAG_OWNED : 0u) |
           (vm->devices_known ? FLAG_DEVICES_KNOWN : 0u) | (vm->balloon.has ? FLAG_BALLOON : 0u);
}

static void set_flags(struct incarnation *vm, uint64_t flags)
{
    vm->is_host = flags & FLAG_HOST;
    vm->running = flags & FLAG_RUNNING;
    vm->from_zero = flags & FLAG_FROM_ZERO;
    vm->arriving = flags & FLAG_ARRIVING;
    vm->amnesia = flags & FLAG_AMNESIA;
    vm->owned = flags & FLAG_OWNED;
    vm->devices_known = flags & FLAG_DEVICES_KNOWN;
    vm->balloon.has = flags & FLAG_BALLOON;
}

/* What is read back is billed from: a damaged bit must not be. */
static void add_checksum(struct buf *out, size_t start)
{
    if (out->failed)
        return;
    uint64_t sum = text_hash((struct text){out->data + start, out->len - start});
    buf_add(out, &sum, sizeof sum);
}

static bool take_checksum(struct text *packed)
{
    uint64_t sum;
    if (packed->len < sizeof sum)
        return false;
    packed->len -= sizeof sum;
    memcpy(&sum, packed->data + packed->len, sizeof sum);
    return sum == text_hash(*packed);
}

void incarnation_pack(struct buf *out, const struct incarnation *vm)
{
    size_t kept = 0, start = out->len;
    buf_add_varint(out, PACK_VERSION);
    buf_add_varint(out, flags_of(vm));
    buf_add_signed(out, vm->id);
    const int64_t times[] = {vm->process_start, vm->ended_boot_ns, vm->offset_ns,
                             vm->since_boot_ns, vm->seen_boot_ns,  vm->disk_event_ns};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        buf_add_signed(out, times[i]);
    buf_add_varint(out, vm->balloon.value);
    buf_add_sized(out, text_of(vm->owner.project));
    buf_add_sized(out, text_of(vm->owner.user));
    buf_add_sized(out, text_of(vm->owner.flavor));
    buf_add_varint(out, (uint64_t)vm->owner.state);
    for (size_t i = 0; i < vm->count; i++)
        kept += !vm->devices[i]->gone;
    buf_add_varint(out, kept);
    for (size_t i = 0; i < vm->count; i++)
        if (!vm->devices[i]->gone)
            pack_device(out, vm->devices[i]);
    add_checksum(out, start);
}

static bool unpack_name(struct unpack *u, char *out, size_t size)
{
    return text_copy(unpack_sized(u), out, size) && !u->failed;
}

static bool unpack_slot(struct unpack *u, struct device *d)
{
    const struct meter *meter = meter_find(unpack_sized(u));
    struct slot s = {.stream = unpack_varint(u), .base = unpack_varint(u), .last = unpack_varint(u)};
    s.has_last = unpack_varint(u) != 0;
    s.start_boot_ns = unpack_signed(u);
    s.last_boot_ns = unpack_signed(u);
    if (u->failed)
        return false;
    if (!meter) /* of a newer release: nobody asks for it here */
        return true;
    struct slot *slot = device_slot(d, meter->id);
    if (!slot)
        return false;
    s.meter = meter->id;
    *slot = s;
    return true;
}

/* The entity's own device is there already. */
static struct device *unpack_place(struct incarnation *vm, uint64_t kind, const char *name)
{
    struct incarnations limits = {0};
    bool no_memory = false;
    struct device *d = device_find(vm, (enum resource_kind)kind, name);
    return d ? d : device_make(&limits, vm, (enum resource_kind)kind, name, &no_memory);
}

static bool unpack_device(struct unpack *u, struct incarnation *vm)
{
    char name[DEVICE_NAME_SIZE];
    uint64_t kind = unpack_varint(u);
    if (kind >= RESOURCE_KINDS || !unpack_name(u, name, sizeof name))
        return false;
    struct device *d = unpack_place(vm, kind, name);
    if (!d || !unpack_name(u, d->tap, sizeof d->tap))
        return false;
    d->from_zero = unpack_varint(u) != 0;
    d->plug_boot_ns = unpack_signed(u);
    d->ifindex = unpack_varint(u);
    d->serial = unpack_varint(u);
    d->chain_count = unpack_varint(u);
    if (u->failed || d->chain_count > INCARNATION_CHAIN) {
        d->chain_count = 0;
        return false;
    }
    for (size_t i = 0; i < d->chain_count; i++)
        d->chain[i] = unpack_signed(u);
    uint64_t count = unpack_varint(u);
    for (uint64_t i = 0; i < count && !u->failed; i++)
        if (!unpack_slot(u, d))
            return false;
    return !u->failed;
}

static bool unpack_owner(struct unpack *u, struct owner *o)
{
    bool fits = unpack_name(u, o->project, sizeof o->project) && unpack_name(u, o->user, sizeof o->user) &&
                unpack_name(u, o->flavor, sizeof o->flavor);
    uint64_t state = unpack_varint(u);
    if (!fits || state >= DOMAIN_STATES)
        return false;
    o->state = (enum domain_state)state;
    return true;
}

int incarnation_unpack(struct incarnation *vm, struct text packed)
{
    bool is_host = vm->is_host;
    if (!take_checksum(&packed))
        return -EBADMSG;
    struct unpack u = unpack_text(packed);
    if (unpack_varint(&u) != PACK_VERSION)
        return -EBADMSG;
    set_flags(vm, unpack_varint(&u));
    if (vm->is_host != is_host)
        return -EBADMSG;
    vm->id = (int)unpack_signed(&u);
    int64_t *times[] = {&vm->process_start, &vm->ended_boot_ns, &vm->offset_ns,
                        &vm->since_boot_ns, &vm->seen_boot_ns,  &vm->disk_event_ns};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        *times[i] = unpack_signed(&u);
    vm->balloon.value = unpack_varint(&u);
    bool known = vm->devices_known;
    bool whole = unpack_owner(&u, &vm->owner);
    uint64_t count = unpack_varint(&u);
    for (uint64_t i = 0; whole && i < count; i++)
        whole = unpack_device(&u, vm);
    vm->devices_known = known;
    vm->dirty = false;
    return whole && !u.failed && u.at == u.end ? 0 : -EBADMSG;
}
