#include "oracle.h"

#include <string.h>

bool oracle_list(struct oracle *o, const struct host_model *m)
{
    if (!o->has_first || o->boot == m->boots)
        o->boot = m->boots;
    if (o->boot != m->boots) {
        memset(o->vms, 0, sizeof o->vms);
        o->boot = m->boots;
    }
    if (o->has_first)
        return false;
    o->has_first = true;
    o->first_boot = m->boots;
    o->first_ns = m->now_ns;
    return true;
}

static void interval(struct oracle *o, int vm, int64_t from_ns, int64_t to_ns, bool held)
{
    if (to_ns > from_ns && o->interval_count < MAX_INTERVALS)
        o->intervals[o->interval_count++] = (struct interval){vm, from_ns, to_ns, held};
}

static void restart(struct oracle_vm *v, enum counter c)
{
    v->from_zero[c] = true;
    v->has_last[c] = false;
}

static void take_process(struct oracle *o, struct oracle_vm *v, const struct shown *s, bool first)
{
    bool from_zero = v->arriving || (!first && (o->boot != o->first_boot || s->started_ns >= o->first_ns));
    for (int c = 0; c < COUNTERS; c++) {
        v->from_zero[c] = from_zero;
        v->has_last[c] = false;
    }
    v->process = s->process;
    v->chain_count = 0;
    v->plug_event_ns = 0;
    v->ifindex = 0;
    v->version = 0;
    v->arriving = v->start_known = false;
}

/* ---- what was read ---- */

static bool has_fallen(const struct oracle_vm *v, const struct shown *s)
{
    const struct reading *rd = &s->disk.field[DISK_RD_BYTES], *wr = &s->disk.field[DISK_WR_BYTES];
    return (rd->has && v->has_last[DISK_RD] && rd->value < v->last[DISK_RD]) ||
           (wr->has && v->has_last[DISK_WR] && wr->value < v->last[DISK_WR]);
}

static void know_chain(struct oracle_vm *v, const int64_t *chain, size_t count)
{
    memcpy(v->chain, chain, count * sizeof chain[0]);
    v->chain_count = count;
}

static bool disjoint(const struct oracle_vm *v, const struct domain_disk *x)
{
    for (size_t i = 0; i < x->chain_count; i++)
        if (chain_has(v->chain, v->chain_count, x->chain[i]))
            return false;
    return true;
}

/* True: the disk's counters can be told now. */
static bool settle_disk(struct oracle_vm *v, const struct shown *s)
{
    int64_t top = (int64_t)s->disk.backing_index.value;
    bool synced = s->stats.meta && chain_has(s->xml_disk.chain, s->xml_disk.chain_count, top), readable = true;
    bool known = v->chain_count > 0;
    if (!synced && known && !chain_has(v->chain, v->chain_count, top)) {
        readable = has_fallen(v, s);
        if (readable) {
            restart(v, DISK_RD);
            restart(v, DISK_WR);
            know_chain(v, &top, 1);
        }
    } else if (synced) {
        if (known && disjoint(v, &s->xml_disk) && (v->plug_event_ns || has_fallen(v, s))) {
            restart(v, DISK_RD);
            restart(v, DISK_WR);
        }
        know_chain(v, s->xml_disk.chain, s->xml_disk.chain_count);
        if (s->stats.answers && s->at_ns > v->plug_event_ns)
            v->plug_event_ns = 0;
    }
    return readable;
}

static bool settle_nic(struct oracle_vm *v, const struct shown *s)
{
    if (!s->stats.meta && !v->ifindex)
        return false; /* nobody knows whose tap it is */
    if (v->ifindex && v->ifindex != s->net.ifindex.value)
        restart(v, NET_RX);
    v->ifindex = s->net.ifindex.value;
    return true;
}

static void take(struct oracle *o, const struct shown *s, enum counter c, struct reading r, int payer)
{
    struct oracle_vm *v = &o->vms[s->vm];
    bool counts = v->has_last[c] || v->from_zero[c];
    uint64_t last = v->has_last[c] && r.value >= v->last[c] ? v->last[c] : 0;
    if (!r.has)
        return;
    if (payer < 0) { /* nobody's: only what was before is remembered */
        if (!counts)
            v->last[c] = r.value;
        else if (v->has_last[c])
            v->last[c] = last;
        v->has_last[c] |= !counts;
        return;
    }
    if (counts)
        o->used[s->vm][c][payer] += r.value - last;
    v->last[c] = r.value;
    v->has_last[c] = true;
}

static void take_all(struct oracle *o, const struct shown *s, int payer)
{
    struct oracle_vm *v = &o->vms[s->vm];
    take(o, s, CPU, s->stats.field[DOMAIN_CPU_TIME], payer);
    if (s->stats.disk_count && settle_disk(v, s)) {
        take(o, s, DISK_RD, s->disk.field[DISK_RD_BYTES], payer);
        take(o, s, DISK_WR, s->disk.field[DISK_WR_BYTES], payer);
    }
    if (v->plug_event_ns && s->at_ns - v->plug_event_ns > GAP_NS)
        v->plug_event_ns = 0;
    if (s->stats.net_count && settle_nic(v, s))
        take(o, s, NET_RX, s->net.field[NET_RX_BYTES], payer);
}

/* ---- when it was held ---- */

static void note_seen(struct oracle *o, const struct shown *s, bool alive, bool new_process)
{
    struct oracle_vm *v = &o->vms[s->vm];
    enum seen_as now = alive ? SEEN_ALIVE : SEEN_STOPPED;
    if (now == v->seen && !new_process && (alive ? s->stats.process_start != 0 : s->at_ns - v->seen_ns <= GAP_NS))
        interval(o, s->vm, v->seen_ns, s->at_ns, true);
    else if (v->mark_ns && alive && new_process && s->started_ns - v->mark_ns > GAP_NS)
        interval(o, s->vm, v->mark_ns, s->started_ns, false);
    else if (v->mark_ns && !alive && s->at_ns - v->mark_ns > GAP_NS)
        interval(o, s->vm, v->mark_ns, s->at_ns, false);
    v->seen = now;
    v->seen_ns = v->mark_ns = s->at_ns;
}

void oracle_see(struct oracle *o, const struct shown *s, bool first)
{
    struct oracle_vm *v = &o->vms[s->vm];
    bool alive = s->stats.id >= 0, same = v->known && v->process == s->process && !v->arriving;
    if (alive && s->stats.reason == 2 && !(v->running && same)) {
        *v = (struct oracle_vm){.known = true,
                                .arriving = true,
                                .process = s->process,
                                .id = s->stats.id,
                                .owned = v->owned,
                                .project = v->project,
                                .mark_ns = v->mark_ns};
        return;
    }
    if (alive && !same)
        take_process(o, v, s, first);
    v->known = true;
    v->running = alive;
    v->id = alive ? s->stats.id : -1;
    v->start_known |= alive && s->stats.process_start != 0;
    int now = s->owner_unknown ? (v->owned ? v->project : -1) : s->project;
    int payer = v->owned && same ? v->project : now;
    if (alive)
        take_all(o, s, payer);
    v->owned |= now >= 0;
    v->project = now;
    if (v->owned)
        note_seen(o, s, alive, alive && !same);
}

/* ---- events ---- */

static void stopped(struct oracle *o, struct oracle_vm *v, const struct model_event *e)
{
    struct reading cpu = e->event.cpu_time;
    if (v->arriving && v->mark_ns)
        v->mark_ns = e->at_ns;
    v->arriving = false;
    if (!v->running)
        return;
    if (v->owned && cpu.has && (v->has_last[CPU] ? cpu.value >= v->last[CPU] : v->from_zero[CPU])) {
        o->used[e->vm][CPU][v->project] += cpu.value - (v->has_last[CPU] ? v->last[CPU] : 0);
        v->last[CPU] = cpu.value;
        v->has_last[CPU] = true;
    }
    if (v->owned && v->seen == SEEN_ALIVE && v->process == e->process && v->start_known &&
        e->at_ns - v->seen_ns <= GAP_NS)
        interval(o, e->vm, v->seen_ns, e->at_ns, true);
    v->running = false;
    v->seen = SEEN_NOT;
    v->mark_ns = e->at_ns;
}

/* Long after the last list an event does not say of which process it is. */
static void changed_state(struct oracle_vm *v, const struct model_event *e)
{
    if (!v->running)
        return;
    if (!v->start_known || e->at_ns - v->seen_ns > GAP_NS)
        v->seen = SEEN_NOT;
    v->mark_ns = v->mark_ns ? e->at_ns : 0;
}

void oracle_event(struct oracle *o, const struct model_event *e)
{
    struct oracle_vm *v = &o->vms[e->vm];
    if (!v->known)
        return;
    switch (e->event.kind) {
    case LIFECYCLE_STOPPED:
    case LIFECYCLE_CRASHED:
    case LIFECYCLE_MIGRATED:
        stopped(o, v, e);
        break;
    case LIFECYCLE_STARTED:
        if (v->running && v->id == e->event.id)
            break;
        v->running = v->running && v->arriving;
        v->seen = SEEN_NOT;
        v->mark_ns = v->mark_ns ? e->at_ns : 0;
        break;
    case LIFECYCLE_PAUSED:
    case LIFECYCLE_RESUMED:
        changed_state(v, e);
        break;
    case LIFECYCLE_DEVICE_ADDED:
        if (strcmp(e->event.device, "net0") != 0)
            v->plug_event_ns = e->at_ns;
        break;
    default:
        break;
    }
}
