#include "guest_rig.h"

#include <stdio.h>
#include <string.h>

#include "support/run.h"

#define HOST "a0000000-0000-4000-8000-000000000001"
#define BOOT "b0000000-0000-4000-8000-000000000001"
#define GAP  (300 * SEC)

void rig_start(struct rig *r)
{
    memset(r, 0, sizeof *r);
    random_seed(&r->random, 7);
    incarnations_init(&r->set, &r->random.port, GAP);
    r->offset_ns = 1700000000 * SEC;
    text_copy(text_of(HOST), r->list.host_uuid, sizeof r->list.host_uuid);
    text_copy(text_of(BOOT), r->list.boot_id, sizeof r->list.boot_id);
    r->list.listed = true;
}

void rig_stop(struct rig *r)
{
    sighting_finish(&r->sighting);
    incarnations_finish(&r->set);
}

/* ---- guests ---- */

void set_reading(struct reading *r, uint64_t value)
{
    *r = (struct reading){true, value};
}

void guest_init(struct guest *g, int number, int id, int64_t started_s)
{
    static char name[] = "guest";
    *g = (struct guest){.owner = {.project = "red", .user = "u", .flavor = "small"}};
    snprintf(g->stats.uuid, sizeof g->stats.uuid, "c0000000-0000-4000-8000-%012d", number);
    g->stats.name = name;
    g->stats.meta = &g->meta;
    g->stats.disks = g->disks;
    g->stats.nets = g->nets;
    g->meta = (struct domain_meta){.disks = g->xml_disks, .nics = g->nics, .version = 1};
    guest_start(g, id, started_s);
}

void guest_start(struct guest *g, int id, int64_t started_s)
{
    g->stats.id = id;
    g->stats.state = DOMAIN_RUNNING;
    g->stats.answers = true;
    g->stats.process_start = started_s * 100;
    g->meta.version++;
    set_reading(&g->stats.field[DOMAIN_CPU_TIME], 0);
    set_reading(&g->stats.field[DOMAIN_VCPU_CURRENT], 1);
    set_reading(&g->stats.field[DOMAIN_BALLOON_CURRENT], 512 * 1024);
    for (size_t i = 0; i < g->stats.disk_count; i++)
        for (size_t f = 0; f < DISK_CAPACITY; f++)
            g->disks[i].field[f].value = 0;
    for (size_t i = 0; i < g->stats.net_count; i++)
        for (size_t f = 0; f < NET_FIELDS; f++)
            g->nets[i].field[f].value = 0;
}

void guest_shut_off(struct guest *g)
{
    g->stats.id = -1;
    g->stats.state = DOMAIN_SHUTOFF;
    g->stats.process_start = 0;
    g->stats.net_count = 0;
    memset(g->stats.field, 0, sizeof g->stats.field);
    set_reading(&g->stats.field[DOMAIN_CPU_TIME], 123456789); /* libvirtd's own */
    for (size_t i = 0; i < g->stats.disk_count; i++)
        for (size_t f = 0; f < DISK_CAPACITY; f++)
            g->disks[i].field[f].has = false;
}

void guest_cpu(struct guest *g, uint64_t value)
{
    set_reading(&g->stats.field[DOMAIN_CPU_TIME], value);
}

void guest_chain(struct guest *g, size_t disk, size_t count, const int64_t *chain)
{
    memcpy(g->xml_disks[disk].chain, chain, count * sizeof chain[0]);
    g->xml_disks[disk].chain_count = count;
    set_reading(&g->disks[disk].backing_index, (uint64_t)chain[0]);
    g->meta.version++;
}

struct disk_stats *guest_disk(struct guest *g, char *target, int64_t index)
{
    size_t n = g->stats.disk_count++;
    g->meta.disk_count = g->stats.disk_count;
    g->disks[n] = (struct disk_stats){.name = target};
    g->xml_disks[n] = (struct domain_disk){.target = target};
    set_reading(&g->disks[n].field[DISK_RD_BYTES], 0);
    set_reading(&g->disks[n].field[DISK_WR_BYTES], 0);
    set_reading(&g->disks[n].field[DISK_CAPACITY], 1000);
    guest_chain(g, n, 1, &index);
    return &g->disks[n];
}

struct net_stats *guest_nic(struct guest *g, char *mac, char *tap, uint64_t ifindex)
{
    size_t n = g->stats.net_count++;
    g->meta.nic_count = g->stats.net_count;
    g->nets[n] = (struct net_stats){.name = tap, .ifindex = {ifindex != 0, ifindex}};
    g->nics[n] = (struct domain_nic){.mac = mac, .target = tap, .countable = true};
    set_reading(&g->nets[n].field[NET_RX_BYTES], 0);
    g->meta.version++;
    return &g->nets[n];
}

void guest_meta_is_new(struct guest *g)
{
    g->meta.version++;
}

/* ---- what was told ---- */

static struct told_stream *stream_of(struct rig *r, uint64_t id)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->streams[i].id == id)
            return &r->streams[i];
    return NULL;
}

static void check_growth(const struct told_stream *s, const struct told *t, const struct owner *owner, const char *uuid)
{
    ck_assert_msg(!s->ended, "stream told after its end");
    ck_assert_str_eq(s->uuid, uuid);
    ck_assert_str_eq(s->device, t->device->name);
    ck_assert_int_eq(s->meter, t->meter);
    ck_assert_msg(owner_equal(&s->owner, owner), "stream of %s is told of %s", s->owner.project, owner->project);
    ck_assert_int_eq(s->start_ns, t->start_ns);
    ck_assert_int_ge(t->time_ns, s->time_ns);
    ck_assert_int_ge(t->value, s->value);
}

static void book_reading(struct rig *r, const struct told *t, const struct owner *owner, const char *uuid)
{
    ck_assert_int_ge(t->value, 0);
    ck_assert_int_le(t->start_ns, t->time_ns);
    struct told_stream *s = stream_of(r, t->stream);
    ck_assert_int_eq(t->first, s == NULL);
    if (s) {
        check_growth(s, t, owner, uuid);
    } else {
        ck_assert_uint_lt(r->count, RIG_MAX_STREAMS);
        s = &r->streams[r->count++];
        *s = (struct told_stream){.id = t->stream, .meter = t->meter, .owner = *owner, .start_ns = t->start_ns};
        text_copy(text_of(uuid), s->uuid, sizeof s->uuid);
        text_copy(text_of(t->device->name), s->device, sizeof s->device);
    }
    s->time_ns = t->time_ns;
    s->value = t->value;
    s->ended = t->ended;
}

static void book_list(struct rig *r, const struct told_list *list, const struct owner *owner, const char *uuid)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct told *t = &list->items[i];
        if (t->stream) {
            book_reading(r, t, owner, uuid);
            continue;
        }
        ck_assert_int_eq(meter_at(t->meter)->basis, BASIS_OBSERVED);
        r->gauges[t->meter]++;
        r->gauge[t->meter] = t->value;
    }
}

void rig_tell_sighting(struct rig *r)
{
    const struct sighting *s = &r->sighting;
    if (r->verdict != INCARNATION_TOLD)
        return;
    book_list(r, &s->closing, &s->before, s->vm->uuid);
    book_list(r, &s->current, &s->vm->owner, s->vm->uuid);
}

/* ---- cycles ---- */

void rig_list(struct rig *r, int64_t at_s)
{
    r->now_ns = at_s * SEC;
    r->list.list_boot_ns = r->now_ns;
    r->list.list_wall_ns = r->now_ns + r->offset_ns;
    ck_assert_int_eq(incarnations_list(&r->set, &r->list), LIST_TAKEN);
}

void rig_look(struct rig *r, int64_t at_s, struct guest *g)
{
    g->stats.read_boot_ns = at_s * SEC;
    g->stats.read_wall_ns = at_s * SEC + r->offset_ns;
    r->verdict = incarnation_see(&r->set, &g->stats, g->owner_unknown ? NULL : &g->owner, &r->sighting);
    rig_tell_sighting(r);
}

void rig_cycle(struct rig *r, int64_t at_s, struct guest *const *guests, size_t count)
{
    rig_list(r, at_s);
    for (size_t i = 0; i < count; i++)
        rig_look(r, at_s, guests[i]);
    incarnations_listed(&r->set, r->now_ns);
}

void rig_see(struct rig *r, int64_t at_s, struct guest *g)
{
    rig_cycle(r, at_s, &g, g ? 1 : 0);
}

void rig_tell(struct rig *r, const struct lifecycle_event *event)
{
    r->verdict = incarnation_event(&r->set, event, &r->sighting);
    rig_tell_sighting(r);
}

void rig_event(struct rig *r, int64_t at_s, const struct guest *g, enum lifecycle_kind kind)
{
    struct lifecycle_event event = {
        .kind = kind, .id = -1, .boot_ns = at_s * SEC, .wall_ns = at_s * SEC + r->offset_ns};
    text_copy(text_of(g->stats.uuid), event.uuid, sizeof event.uuid);
    rig_tell(r, &event);
}

static void carry_over(struct incarnations *to, const struct incarnations *from)
{
    size_t cursor = 0;
    struct buf packed = {0};
    for (struct incarnation *vm; (vm = map_next(&from->vms, &cursor));) {
        buf_clear(&packed);
        incarnation_pack(&packed, vm);
        struct incarnation *again = incarnations_make(to, vm->uuid, vm->is_host);
        ck_assert_ptr_nonnull(again);
        ck_assert_int_eq(incarnation_unpack(again, buf_text(&packed)), 0);
    }
    buf_free(&packed);
}

void rig_restart(struct rig *r)
{
    struct incarnations old = r->set;
    incarnations_saved(&old);
    incarnations_init(&r->set, &r->random.port, GAP);
    memcpy(r->set.host_uuid, old.host_uuid, sizeof old.host_uuid);
    memcpy(r->set.boot_id, old.boot_id, sizeof old.boot_id);
    memcpy(r->set.first_boot_id, old.first_boot_id, sizeof old.first_boot_id);
    r->set.first_list_wall_ns = old.first_list_wall_ns;
    r->set.first_list_boot_ns = old.first_list_boot_ns;
    r->set.offset_ns = old.offset_ns;
    r->set.has_offset = true;
    carry_over(&r->set, &old);
    incarnations_finish(&old);
}

/* ---- sums ---- */

static bool is_of(const struct told_stream *s, const struct guest *g, const char *device, enum meter_id meter)
{
    return s->meter == meter && strcmp(s->uuid, g->stats.uuid) == 0 && strcmp(s->device, device) == 0;
}

int64_t used(const struct rig *r, const struct guest *g, const char *device, enum meter_id meter, const char *project)
{
    int64_t sum = 0;
    for (size_t i = 0; i < r->count; i++)
        if (is_of(&r->streams[i], g, device, meter) && (!project || strcmp(r->streams[i].owner.project, project) == 0))
            sum += r->streams[i].value;
    return sum;
}

int64_t held(const struct rig *r, const struct guest *g, const char *device, enum meter_id meter,
             enum domain_state state)
{
    int64_t sum = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct told_stream *s = &r->streams[i];
        if (is_of(s, g, device, meter) && (state == DOMAIN_STATES || s->owner.state == state))
            sum += s->value * ((s->time_ns - s->start_ns) / SEC);
    }
    return sum;
}

size_t streams_of(const struct rig *r, const struct guest *g, const char *device, enum meter_id meter)
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++)
        count += is_of(&r->streams[i], g, device, meter);
    return count;
}

const struct told_stream *newest_of(const struct rig *r, const struct guest *g, const char *device, enum meter_id meter)
{
    for (size_t i = r->count; i > 0; i--)
        if (is_of(&r->streams[i - 1], g, device, meter))
            return &r->streams[i - 1];
    return NULL;
}
