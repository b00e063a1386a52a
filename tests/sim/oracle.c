#include "sim/oracle.h"

#include <stdlib.h>
#include <string.h>

struct oracle_word {
    struct oracle_word *next;
    bool is_list;
    union {
        struct seen_list list;
        struct seen_event event;
    } as;
};

void oracle_init(struct oracle *o)
{
    *o = (struct oracle){0};
    for (int h = 0; h < SIM_HOSTS; h++)
        o->hosts[h].tail = &o->hosts[h].words;
}

void oracle_finish(struct oracle *o)
{
    for (int h = 0; h < SIM_HOSTS; h++)
        oracle_lost(o, h);
    for (int e = 0; e < SIM_ENTITIES; e++)
        free(o->spans[e]);
}

/* ---- waiting for the disk ---- */

static struct oracle_word *say(struct oracle_host *h, bool is_list)
{
    struct oracle_word *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    w->is_list = is_list;
    *h->tail = w;
    h->tail = &w->next;
    return w;
}

void oracle_list(struct oracle *o, const struct seen_list *list)
{
    say(&o->hosts[list->host], true)->as.list = *list;
}

void oracle_event(struct oracle *o, const struct seen_event *event)
{
    say(&o->hosts[event->host], false)->as.event = *event;
}

bool oracle_waits(const struct oracle *o, int host)
{
    return o->hosts[host].words != NULL;
}

static void drop_word(struct oracle_host *h)
{
    struct oracle_word *w = h->words;
    h->words = w->next;
    if (!h->words)
        h->tail = &h->words;
    free(w);
}

void oracle_lost(struct oracle *o, int host)
{
    while (o->hosts[host].words)
        drop_word(&o->hosts[host]);
}

/* ---- usage ---- */

static void add_span(struct oracle *o, int entity, int64_t from_ns, int64_t to_ns, int owner)
{
    if (o->span_count[entity] == o->span_cap[entity]) {
        o->span_cap[entity] = o->span_cap[entity] ? 2 * o->span_cap[entity] : 64;
        o->spans[entity] = realloc(o->spans[entity], o->span_cap[entity] * sizeof *o->spans[entity]);
        if (!o->spans[entity])
            abort();
    }
    o->spans[entity][o->span_count[entity]++] = (struct oracle_span){from_ns, to_ns, owner};
}

static bool fell(const struct oracle_plug *p, const struct seen_plug *s)
{
    for (size_t n = 0; n < SIM_COUNTERS; n++)
        if (s->counters[n].has && p->counters[n].has && s->counters[n].value < p->counters[n].last)
            return true;
    return false;
}

/* Is what is plugged there something else than before, and can anybody know? */
static bool is_another(struct oracle *o, const struct oracle_view *v, const struct oracle_plug *p,
                       const struct seen_plug *s, int device)
{
    if (p->plug == s->plug)
        return false;
    bool told = p->shown && (v->disk_event_ns || fell(p, s));
    if (p->plug == 0 || device == DEVICE_NIC || device == DEVICE_SELF || told)
        return true;
    o->ambiguous++;
    return false;
}

static void read_counter(struct oracle *o, const struct seen_vm *s, int device, size_t n, struct oracle_plug *p,
                         int owner)
{
    const struct seen_counter *c = &s->plugs[device].counters[n];
    struct oracle_counter *known = &p->counters[n];
    if (!c->has)
        return;
    uint64_t base = known->has ? known->last : p->zero ? 0 : c->value;
    if (c->value < base)
        base = 0;
    if (owner < 0 && (p->zero || known->has))
        return; /* nobody's yet: it is told when there is somebody */
    if (owner >= 0)
        o->used[s->entity][device][n][owner] += (int64_t)(c->value - base);
    *known = (struct oracle_counter){true, c->value};
}

/* @owner -1: nobody knows whose the VM is. */
static void read_plugs(struct oracle *o, const struct oracle_host *h, struct oracle_view *v, const struct seen_vm *s,
                       int owner)
{
    for (int device = 0; device < SIM_DEVICES; device++) {
        const struct seen_plug *seen = &s->plugs[device];
        struct oracle_plug *p = &v->plugs[device];
        bool hides_taps = device == DEVICE_NIC && !s->described;
        if (seen->plug == 0 || hides_taps) {
            if (seen->plug == 0 && s->described && s->answers)
                p->plug = 0;
            continue;
        }
        if (is_another(o, v, p, seen, device))
            *p = (struct oracle_plug){.zero = v->zero || seen->plugged_ns > h->first_list_ns};
        p->plug = seen->plug;
        p->shown |= s->described && s->answers;
        for (size_t n = 0; n < SIM_COUNTERS; n++)
            read_counter(o, s, device, n, p, owner);
    }
}

/* ---- lists ---- */

static void begin_process(const struct oracle_host *h, struct oracle_view *v, const struct seen_vm *s, bool has_come)
{
    v->zero = has_come || s->started_ns > h->first_list_ns;
    memset(v->plugs, 0, sizeof v->plugs);
    v->process = s->process;
    v->disk_event_ns = 0;
}

/* One list's word on one entity, and what it is taken for. */
struct sight {
    const struct seen_vm *seen;
    int64_t at_ns;
    bool is_new;   /* another process than before */
    bool is_told;  /* an event said that something would run from then on */
    bool has_come; /* by a migration */
    int payer;     /* of what was used since the last one; -1: nobody is known */
};

/* When a new process began to be billed for, where that is known; 0: it is not. One that came with a migration did not
 * begin to run when it began. */
static int64_t birth_ns(const struct oracle_view *v, const struct sight *s)
{
    if (!s->seen->dated && !s->is_told)
        return 0;
    int64_t birth = s->seen->dated && !s->has_come ? s->seen->started_ns : 0;
    birth = v->ended_ns > birth ? v->ended_ns : birth;
    return v->since_ns > birth ? v->since_ns : birth;
}

/* That it was there is vouched for between two readings of one process, and from a process's beginning. */
static void hold(struct oracle *o, const struct oracle_host *h, struct oracle_view *v, const struct sight *s)
{
    const struct seen_vm *seen = s->seen;
    bool is_same = seen->process && !s->is_new && v->held_ns;
    if (is_same && (seen->dated || s->at_ns - v->held_ns <= ORACLE_GAP_NS))
        add_span(o, seen->entity, v->held_ns, s->at_ns, s->payer);
    int64_t birth = birth_ns(v, s);
    if (s->is_new && birth > v->seen_ns && birth < s->at_ns && seen->started_ns > h->first_list_ns)
        add_span(o, seen->entity, birth, s->at_ns, s->payer);
    v->held_ns = seen->process ? s->at_ns : 0;
}

static bool is_stale(const struct oracle_view *v, int64_t at_ns)
{
    return at_ns < v->seen_ns || at_ns < v->ended_ns || at_ns < v->since_ns;
}

static void forget_disk_event(struct oracle_view *v, const struct seen_vm *s, int64_t at_ns)
{
    bool shown = s->described && s->answers && at_ns > v->disk_event_ns;
    if (shown || at_ns - v->disk_event_ns > ORACLE_GAP_NS)
        v->disk_event_ns = 0;
}

static void note_arrival(struct oracle_view *v, const struct seen_vm *s, int64_t at_ns)
{
    v->arriving = s->process;
    v->process = 0;
    v->held_ns = 0;
    v->seen_ns = at_ns;
}

static void note_owner(struct oracle_view *v, const struct seen_vm *s, int owner, int64_t at_ns)
{
    v->owner = owner;
    v->state = s->state;
    v->owned = true;
    v->seen_ns = at_ns;
}

static void see(struct oracle *o, struct oracle_host *h, const struct seen_vm *s, int64_t at_ns)
{
    struct oracle_view *v = &h->views[s->entity];
    v->known = true;
    if (is_stale(v, at_ns))
        return;
    if (s->arriving && v->process != s->process) {
        note_arrival(v, s, at_ns);
        return;
    }
    int owner = s->described ? s->owner : v->owned ? v->owner : -1;
    struct sight sight = {.seen = s,
                          .at_ns = at_ns,
                          .is_new = s->process && s->process != v->process,
                          .is_told = v->arriving || (v->process == 0 && v->state == STATE_RUNNING),
                          .has_come = s->process && v->arriving == s->process};
    sight.payer = sight.is_new || !v->owned ? owner : v->owner;
    if (sight.is_new)
        begin_process(h, v, s, sight.has_come);
    if (s->process)
        read_plugs(o, h, v, s, sight.payer);
    forget_disk_event(v, s, at_ns);
    v->process = s->process;
    v->arriving = 0;
    if (owner < 0)
        return;
    hold(o, h, v, &sight);
    note_owner(v, s, owner, at_ns);
    o->readings++;
}

static void take_list(struct oracle *o, struct oracle_host *h, const struct seen_list *list)
{
    if (h->first_list_ns == 0 && !list->complete)
        return;
    if (h->first_list_ns == 0)
        h->first_list_ns = list->at_ns;
    for (size_t i = 0; i < list->count; i++)
        see(o, h, &list->vms[i], list->at_ns);
}

/* ---- events ---- */

static void take_state(struct oracle *o, struct oracle_view *v, const struct seen_event *e, enum seen_state state)
{
    if (!v->owned || v->state == state)
        return;
    if (v->held_ns && e->at_ns - v->held_ns <= ORACLE_GAP_NS)
        add_span(o, e->entity, v->held_ns, e->at_ns, v->owner);
    if (v->held_ns)
        v->held_ns = e->at_ns;
    v->state = state;
    v->since_ns = e->at_ns;
}

static void end(struct oracle_view *v, const struct seen_event *e)
{
    v->held_ns = 0;
    v->process = 0;
    v->ended_ns = e->at_ns;
}

static void take_stop(struct oracle *o, struct oracle_view *v, const struct seen_event *e)
{
    struct oracle_counter *cpu = &v->plugs[DEVICE_SELF].counters[0];
    v->since_ns = v->arriving ? e->at_ns : v->since_ns;
    v->arriving = 0;
    if (v->process != e->process || !e->process)
        return;
    if (e->cpu.has && cpu->has && v->owned && e->cpu.value >= cpu->last) {
        o->used[e->entity][DEVICE_SELF][0][v->owner] += (int64_t)(e->cpu.value - cpu->last);
        cpu->last = e->cpu.value;
    }
    take_state(o, v, e, STATE_OFF);
    end(v, e);
}

static void take_start(struct oracle *o, struct oracle_view *v, const struct seen_event *e)
{
    v->since_ns = v->arriving ? e->at_ns : v->since_ns;
    if (v->arriving || (v->process && v->process == e->process))
        return;
    if (v->process)
        end(v, e); /* which was not told: nobody knows when it was */
    take_state(o, v, e, STATE_RUNNING);
}

static void take_event(struct oracle *o, struct oracle_host *h, const struct seen_event *e)
{
    struct oracle_view *v = &h->views[e->entity];
    if (!v->known || e->at_ns <= v->seen_ns)
        return;
    switch (e->kind) {
    case SEEN_STARTED:
        take_start(o, v, e);
        break;
    case SEEN_STOPPED:
        take_stop(o, v, e);
        break;
    case SEEN_PAUSED:
    case SEEN_RESUMED:
        v->since_ns = v->arriving ? e->at_ns : v->since_ns;
        if (v->process && v->process == e->process)
            take_state(o, v, e, e->kind == SEEN_PAUSED ? STATE_PAUSED : STATE_RUNNING);
        break;
    case SEEN_DISK:
        v->disk_event_ns = e->at_ns;
        break;
    case SEEN_OTHER:
        break;
    }
}

void oracle_stored(struct oracle *o, int host)
{
    struct oracle_host *h = &o->hosts[host];
    for (; h->words; drop_word(h)) {
        if (h->words->is_list)
            take_list(o, h, &h->words->as.list);
        else
            take_event(o, h, &h->words->as.event);
    }
}

void oracle_booted(struct oracle *o, int host)
{
    memset(o->hosts[host].views, 0, sizeof o->hosts[host].views);
}

/* ---- sums ---- */

static int by_start(const void *a, const void *b)
{
    const struct oracle_span *x = a, *y = b;
    return (x->from_ns > y->from_ns) - (x->from_ns < y->from_ns);
}

int64_t oracle_held_ns(struct oracle *o, int entity, int owner)
{
    int64_t held = 0, until = 0;
    if (o->span_count[entity])
        qsort(o->spans[entity], o->span_count[entity], sizeof *o->spans[entity], by_start);
    for (size_t i = 0; i < o->span_count[entity]; i++) {
        const struct oracle_span *s = &o->spans[entity][i];
        int64_t from = s->from_ns > until ? s->from_ns : until;
        if (owner >= 0 && s->owner != owner)
            continue;
        held += s->to_ns > from ? s->to_ns - from : 0;
        until = s->to_ns > until ? s->to_ns : until;
    }
    return held;
}
