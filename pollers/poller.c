#include "poller.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "cycle.h"
#include "event_limit.h"
#include "incarnation_store.h"
#include "lifecycle.h"
#include "notices.h"
#include "pluvio/base/log.h"
#include "poller_figures.h"

#define TIDY_NS       (10 * NS_PER_S)
#define RETRY_NS      (2 * NS_PER_S)    /* after a reading that failed, a disk that refused */
#define LOOK_NS       (500 * NS_PER_MS) /* readings that events ask for are at least so far apart */
#define LOG_PERIOD_NS (60 * NS_PER_S)
#define GAP_INTERVALS 3 /* unseen for so many intervals: a size is vouched for only where the process says so */

struct poller {
    struct poller_settings settings;
    struct poller_ports ports;
    struct incarnations set;
    struct pollster pollster;
    struct publisher *publisher;
    struct sighting sighting;
    struct poller_counts counts;
    struct notices notices;
    struct event_limit limit;
    char host_name[256];
    int64_t due_ns[METERS]; /* boot time from which a meter is to be read again */
    int64_t offset_ns;
    bool claimed, asking, dirty; /* dirty: something waits to be stored */
    bool refused;                /* by the disk, when it was to be stored last */
    struct pace pace;
    struct pace_reading asked; /* the reading under way */
    int64_t asked_ns, next_ns, store_ns, tidy_ns;
    int64_t look_ns; /* an event asks for a reading then; INT64_MAX: none does */
    struct log_limit inspect_limit, store_limit, list_limit, file_limit, room_limit;
};

/* ---- coming and going ---- */

static bool is_chosen(const struct poller *p, size_t meter)
{
    return !p->settings.wanted || p->settings.wanted[meter];
}

/* Between readings events may tell of any meter that was chosen. */
static void want_all(struct poller *p)
{
    for (size_t m = 0; m < METERS; m++)
        p->set.wanted[m] = is_chosen(p, m);
}

/* The next reading is to bring what is due; returns what libvirt must be asked for. */
static unsigned want_due(struct poller *p, int64_t now_ns)
{
    unsigned groups = GROUP_STATE | GROUP_XML;
    for (size_t m = 0; m < METERS; m++) {
        bool due = p->look_ns < INT64_MAX || now_ns >= p->due_ns[m];
        p->set.wanted[m] = due && is_chosen(p, m);
        groups |= p->set.wanted[m] ? meter_at((enum meter_id)m)->group : 0;
        if (due) /* the grid moves a little: half an interval early is in time */
            p->due_ns[m] = now_ns + p->set.every_ns[m] - p->settings.interval_ns / 2;
    }
    return groups;
}

/* A reading did not come: all is due. */
static void due_again(struct poller *p)
{
    memset(p->due_ns, 0, sizeof p->due_ns);
    want_all(p);
}

void poller_configure(struct poller *p, const struct poller_settings *settings)
{
    p->settings = *settings;
    p->pollster.labels = settings->labels;
    p->pollster.label_count = settings->label_count;
    p->set.gap_ns = GAP_INTERVALS * settings->interval_ns;
    for (size_t m = 0; m < METERS; m++)
        p->set.every_ns[m] = settings->every_ns ? settings->every_ns[m] : 0;
    due_again(p);
    incarnations_choose(&p->set, p->set.wanted, &settings->devices);
    p->pace = (struct pace){0};
    p->offset_ns = cycle_offset_ns(text_of(p->set.host_uuid), settings->interval_ns);
    p->next_ns = clock_boot_ns(p->ports.clock);
}

static int load(struct poller *p, struct error *error)
{
    unsigned damaged;
    int r = incarnation_store_load(outbox_db(p->ports.outbox), &p->set, &damaged, error);
    if (r == 0 && damaged)
        log_warning("what was remembered of %u VMs cannot be read: they are billed from their next reading", damaged);
    if (r == 0 && p->ports.boot_id)
        incarnations_boot(&p->set, p->ports.boot_id);
    return r;
}

int poller_create(struct poller **ret, const struct poller_settings *settings, const struct poller_ports *ports,
                  struct error *error)
{
    struct poller *p = calloc(1, sizeof *p);
    if (!p)
        return error_set(error, -ENOMEM, "out of memory");
    p->ports = *ports;
    p->look_ns = INT64_MAX;
    incarnations_init(&p->set, ports->random, 0);
    p->pollster = (struct pollster){.host_name = p->host_name, .host_uuid = p->set.host_uuid};
    int r = load(p, error);
    poller_configure(p, settings);
    struct publisher_settings publisher = {.topic = settings->topic,
                                           .host_uuid = p->set.host_uuid,
                                           .in_flight_bytes = settings->in_flight_bytes,
                                           .bytes_per_second = settings->bytes_per_second};
    if (r == 0 && publisher_create(&p->publisher, &publisher, &ports->publisher, ports->outbox))
        r = error_set(error, -ENOMEM, "out of memory");
    if (r) {
        poller_destroy(p);
        return r;
    }
    *ret = p;
    return 0;
}

void poller_destroy(struct poller *p)
{
    if (!p)
        return;
    publisher_destroy(p->publisher);
    event_limit_finish(&p->limit);
    sighting_finish(&p->sighting);
    pollster_finish(&p->pollster);
    incarnations_finish(&p->set);
    free(p);
}

/* ---- telling ---- */

static enum outbox_kind kind_of(const struct told_list *current)
{
    return told_is_edge(current) ? OUTBOX_EDGE : OUTBOX_READING;
}

static void keep(struct poller *p, const struct incarnation *vm, struct text bytes, enum outbox_kind kind,
                 int64_t time_ns)
{
    static const char *const losses[] = {
        [OUTBOX_READING] = "a later reading of the same streams says all that it said",
        [OUTBOX_EDGE] = "no reading waits that could go instead, and what ended with it is not billed",
        [OUTBOX_EVENT] = "it told of an event and of no usage",
    };
    p->dirty = true;
    if (bytes.len && outbox_add(p->ports.outbox, text_of(vm->uuid), bytes, kind, time_ns / NS_PER_MS) == 0)
        return;
    p->counts.lost_records++;
    log_limited(&p->room_limit, clock_boot_ns(p->ports.clock), LOG_PERIOD_NS, LOG_LEVEL_ERROR,
                "no memory left for records that wait for the disk: the record of VM %s is dropped; %s", vm->uuid,
                losses[kind]);
}

/* What ended, under the owner that it belongs to; @event says why. */
static void tell_closing(struct poller *p, const struct sighting *s, const struct domain_stats *d, const char *event,
                         int64_t time_ns)
{
    struct telling t = {
        .list = &s->closing, .vm = s->vm, .owner = &s->before, .domain = d, .event = event, .event_time_ns = time_ns};
    keep(p, s->vm, pollster_record(&p->pollster, &t), s->closing.count ? OUTBOX_EDGE : OUTBOX_EVENT, time_ns);
}

static const char *what_happened(const struct sighting *s)
{
    enum lifecycle_kind kind;
    if (lifecycle_between(s->before.state, s->vm->owner.state, s->new_process, &kind))
        return lifecycle_name(kind);
    return "changed";
}

static void tell_sighting(struct poller *p, const struct sighting *s, const struct domain_stats *d)
{
    int64_t time_ns = d->read_boot_ns + s->vm->offset_ns;
    if (s->closing.count)
        tell_closing(p, s, d, what_happened(s), time_ns);
    if (s->current.count == 0)
        return;
    struct telling t = {.list = &s->current, .vm = s->vm, .owner = &s->vm->owner, .domain = d};
    keep(p, s->vm, pollster_record(&p->pollster, &t), kind_of(&s->current), time_ns);
}

static void tell_event(struct poller *p, const struct sighting *s, const struct lifecycle_event *e)
{
    tell_closing(p, s, NULL, lifecycle_name(e->kind), e->boot_ns + s->vm->offset_ns);
}

/* What the poller says of itself, written to the textfile too; @numbers has room for POLLER_FIGURES. */
static struct poller_word own_word(struct poller *p, struct poller_number *numbers, int64_t now_ns)
{
    struct outbox_figures outbox;
    struct publisher_figures publisher;
    struct inspector_figures inspector;
    struct error error;
    p->ports.inspector->figures(p->ports.inspector, &inspector);
    outbox_figures(p->ports.outbox, &outbox);
    if (!p->refused) /* what was made in this step waits for its end, not for the disk */
        outbox.waiting = 0;
    publisher_figures(p->publisher, &publisher);
    size_t count = poller_figures(&p->counts, &inspector, &p->set.counts, &outbox, &publisher, numbers);
    struct poller_word word = {.numbers = numbers, .count = count, .hung = &p->notices.hung};
    if (p->settings.textfile && poller_figures_write(p->settings.textfile, &word, &error))
        log_limited(&p->file_limit, now_ns, LOG_PERIOD_NS, LOG_LEVEL_WARNING, "%s", error.text);
    return word;
}

static void tell_host(struct poller *p, const struct snapshot *s)
{
    struct poller_number numbers[POLLER_FIGURES];
    struct poller_word word = own_word(p, numbers, s->list_boot_ns);
    if (incarnation_see_host(&p->set, s, &p->sighting) != INCARNATION_TOLD)
        return;
    const struct sighting *host = &p->sighting;
    int64_t time_ns = word.time_ns = s->list_boot_ns + host->vm->offset_ns;
    if (host->closing.count)
        keep(p, host->vm, pollster_host_record(&p->pollster, &host->closing, host->vm, NULL), OUTBOX_EDGE, time_ns);
    keep(p, host->vm, pollster_host_record(&p->pollster, &host->current, host->vm, &word), kind_of(&host->current),
         time_ns);
}

/* ---- the disk ---- */

static void store(struct poller *p, int64_t now_ns)
{
    struct error error;
    if (!p->dirty || now_ns < p->store_ns)
        return;
    outbox_begin(p->ports.outbox);
    incarnation_store_write(outbox_db(p->ports.outbox), &p->set);
    if (outbox_commit(p->ports.outbox, clock_wall_ns(p->ports.clock) / NS_PER_MS, &error)) {
        p->store_ns = now_ns + RETRY_NS;
        p->refused = true;
        log_limited(&p->store_limit, now_ns, LOG_PERIOD_NS, LOG_LEVEL_ERROR,
                    "%s; records wait in memory and nothing is sent that is not stored", error.text);
        return;
    }
    incarnations_saved(&p->set);
    p->dirty = p->refused = false;
}

/* ---- readings ---- */

static void take_domain(struct poller *p, const struct domain_stats *d)
{
    struct owner owner;
    if (d->meta) {
        discovery_owner(&p->settings.discovery, d, &owner);
        p->counts.unassigned += strcmp(owner.project, PROJECT_UNASSIGNED) == 0;
    }
    switch (incarnation_see(&p->set, d, d->meta ? &owner : NULL, &p->sighting)) {
    case INCARNATION_TOLD:
        tell_sighting(p, &p->sighting, d);
        break;
    case INCARNATION_SILENT:
        p->dirty = true;
        break;
    case INCARNATION_REFUSED:
    case INCARNATION_NO_MEMORY:
        log_limited(&p->room_limit, d->read_boot_ns, LOG_PERIOD_NS, LOG_LEVEL_ERROR,
                    "VM %s is not metered: this host has more than %d VMs, or memory is short", d->uuid,
                    INCARNATION_MAX_VMS);
        break;
    }
    notices_see(&p->notices, d);
}

static void note_duration(struct poller *p, const struct snapshot *s)
{
    p->asked.took_ns = p->counts.poll_ns;
    p->asked.hung = s->hung;
    p->asked.monitors_asked = s->monitors == MONITORS_ASKED;
    pace_note(&p->pace, &p->asked);
}

static void take_snapshot(struct poller *p, const struct snapshot *s)
{
    p->counts.vms = (int64_t)s->count;
    p->counts.hung = s->hung;
    p->counts.unasked = s->monitors == MONITORS_ASKED ? 0 : (int64_t)s->count - s->hung;
    p->counts.calls = s->calls;
    p->counts.poll_ns = clock_boot_ns(p->ports.clock) - p->asked_ns;
    note_duration(p, s);
    p->counts.unassigned = 0;
    p->counts.cycles++;
    text_copy(text_of(s->host_name), p->host_name, sizeof p->host_name);
    for (size_t i = 0; i < s->count; i++) {
        take_domain(p, &s->domains[i]);
        if (outbox_crowded(p->ports.outbox))
            store(p, clock_boot_ns(p->ports.clock));
    }
    notices_listed(&p->notices, s);
    tell_host(p, s);
    incarnations_listed(&p->set, s->list_boot_ns);
    p->dirty |= p->set.dirty;
}

static int claim(struct poller *p, const struct snapshot *s, struct error *error)
{
    int r = p->claimed || !p->ports.claim ? 0 : p->ports.claim(p->ports.context, s->host_uuid, error);
    p->claimed |= r == 0;
    return r;
}

static int take_list(struct poller *p, const struct snapshot *s, struct error *error)
{
    int r = claim(p, s, error);
    if (r)
        return r;
    switch (incarnations_list(&p->set, s)) {
    case LIST_TAKEN:
        p->offset_ns = cycle_offset_ns(text_of(p->set.host_uuid), p->settings.interval_ns);
        take_snapshot(p, s);
        return 0;
    case LIST_INCOMPLETE:
        log_limited(&p->list_limit, s->list_boot_ns, LOG_PERIOD_NS, LOG_LEVEL_WARNING,
                    "libvirt did not list all VMs, and nothing is counted before it did once");
        return 0;
    case LIST_OTHER_HOST:
        return error_set(
            error, -EXDEV,
            "this state folder belongs to the host with UUID %s, libvirt here says %s: give each host a "
            "folder of its own (a cloned machine needs a new host_uuid in libvirtd.conf, or an empty folder)",
            p->set.host_uuid, s->host_uuid);
    }
    return 0;
}

static int hear(struct poller *p, int64_t now_ns, struct error *error)
{
    struct snapshot *s = NULL;
    struct error why = {0};
    int r = p->asking ? p->ports.inspector->result(p->ports.inspector, &s, &why) : 0;
    if (r == 0)
        return 0;
    p->asking = false;
    if (r > 0) {
        r = take_list(p, s, error);
        snapshot_free(s);
        want_all(p);
        return r;
    }
    due_again(p);
    p->counts.failed_cycles++;
    p->pace = (struct pace){0};
    own_word(p, (struct poller_number[POLLER_FIGURES]){{0}}, now_ns);
    p->next_ns = p->next_ns < now_ns + RETRY_NS ? p->next_ns : now_ns + RETRY_NS;
    log_limited(&p->inspect_limit, now_ns, LOG_PERIOD_NS, LOG_LEVEL_ERROR, "%s; trying on", why.text);
    return 0;
}

/* INT64_MAX: no event asks for a reading. */
static int64_t look_at_ns(const struct poller *p)
{
    return ns_max(p->look_ns, p->asked_ns + LOOK_NS);
}

static void ask(struct poller *p)
{
    int64_t now_ns = clock_boot_ns(p->ports.clock); /* what was heard may have taken long */
    if (p->asking || (now_ns < p->next_ns && now_ns < look_at_ns(p)))
        return;
    unsigned groups = want_due(p, now_ns);
    int64_t patience_ns = cycle_patience_ns(p->settings.interval_ns, p->set.vms.count, pace_usual_ns(&p->pace, groups));
    if (p->ports.inspector->begin(p->ports.inspector, groups, now_ns + patience_ns)) {
        due_again(p);
        return; /* one is still under way: its answer comes first */
    }
    if (now_ns >= p->next_ns)
        p->next_ns = cycle_next_boot_ns(now_ns, clock_wall_ns(p->ports.clock), p->settings.interval_ns, p->offset_ns);
    p->asking = true;
    p->look_ns = INT64_MAX;
    p->asked_ns = now_ns;
    p->asked = (struct pace_reading){.groups = groups, .patience_ns = patience_ns};
}

/* Told with what comes next: its end, or the next reading. */
static void take_paused(struct poller *p, struct domain_stats *d)
{
    const struct sighting *s = &p->sighting;
    if (incarnations_find(&p->set, d->uuid) && incarnation_see(&p->set, d, NULL, &p->sighting) == INCARNATION_TOLD &&
        s->closing.count)
        tell_closing(p, s, NULL, what_happened(s), d->read_boot_ns + s->vm->offset_ns);
    p->dirty = true;
    domain_stats_free(d, 1);
}

/* A change that the reading under way may undo, or a newer one has overtaken, is looked at again at once. */
static void take_event(struct poller *p, const struct lifecycle_event *e, int64_t now_ns)
{
    const struct incarnation *vm = incarnations_find(&p->set, e->uuid);
    const struct lifecycle_meaning *meaning = lifecycle_meaning(e->kind);
    bool changes = meaning->effect != EFFECT_NONE, look = meaning->look || (changes && p->asking);
    if (vm && !changes && !event_limit_passes(&p->limit, e->uuid, e->kind, now_ns, p->settings.interval_ns)) {
        p->counts.repeated_events++;
    } else if (vm) {
        p->dirty = true;
        if (incarnation_event(&p->set, e, &p->sighting) == INCARNATION_TOLD)
            tell_event(p, &p->sighting, e);
        look |= changes && vm->look;
    }
    if (look)
        p->look_ns = ns_min(p->look_ns, event_limit_look_ns(&p->limit, e->kind, now_ns));
}

/* Whatever a reading under way may bring, an end is told of with all meters. */
static void hear_events(struct poller *p, int64_t now_ns)
{
    bool due[METERS];
    struct lifecycle_event e;
    memcpy(due, p->set.wanted, sizeof due);
    want_all(p);
    while (p->ports.inspector->event(p->ports.inspector, &e) == 1) {
        if (e.paused)
            take_paused(p, e.paused);
        else
            take_event(p, &e, now_ns);
    }
    memcpy(p->set.wanted, due, sizeof due);
}

static void tidy(struct poller *p, int64_t now_ns)
{
    struct error error;
    if (now_ns < p->tidy_ns)
        return;
    p->tidy_ns = now_ns + TIDY_NS;
    if (outbox_tidy(p->ports.outbox, clock_wall_ns(p->ports.clock) / NS_PER_MS, &error))
        log_limited(&p->store_limit, now_ns, LOG_PERIOD_NS, LOG_LEVEL_ERROR, "%s", error.text);
}

/* ---- the step ---- */

int poller_step(struct poller *p, int64_t *ret_wake_boot_ns, struct error *error)
{
    int64_t now_ns = clock_boot_ns(p->ports.clock);
    hear_events(p, now_ns);
    bool reading = p->asking;
    int r = hear(p, now_ns, error);
    if (r)
        return r;
    reading &= !p->asking;
    ask(p);
    store(p, now_ns);
    if (reading)
        malloc_trim(0); /* what it took goes back until the next one */
    tidy(p, now_ns);
    int64_t wake = ns_min(p->tidy_ns, p->asking ? INT64_MAX : p->next_ns);
    if (p->set.host_uuid[0]) /* else nothing is there to be sent, and no name to say hello with */
        wake = ns_min(wake, publisher_step(p->publisher, now_ns, clock_wall_ns(p->ports.clock)));
    if (p->dirty)
        wake = ns_min(wake, p->store_ns);
    if (!p->asking)
        wake = ns_min(wake, look_at_ns(p));
    *ret_wake_boot_ns = wake;
    return outbox_damage(p->ports.outbox, error);
}

/* For a disk that refuses to the end. */
static void say_what_waits(const struct poller *p)
{
    struct outbox_figures f;
    outbox_figures(p->ports.outbox, &f);
    if (f.waiting)
        log_warning(
            "%llu records wait in memory for the disk and end here: the next start's readings make good what was "
            "used",
            (unsigned long long)f.waiting);
}

void poller_finish(struct poller *p, int timeout_ms)
{
    int64_t now_ns = clock_boot_ns(p->ports.clock);
    hear_events(p, now_ns);
    p->store_ns = 0;
    store(p, now_ns);
    say_what_waits(p);
    if (p->set.host_uuid[0] && publisher_step(p->publisher, now_ns, clock_wall_ns(p->ports.clock)) > 0)
        publisher_flush(p->publisher, timeout_ms);
}
