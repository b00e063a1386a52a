#include "series.h"

#include <assert.h>
#include <stdlib.h>

#include "period.h"
#include "pluvio/base/clock.h"
#include "split.h"
#include "step.h"

/* A reading is spread over no more than this, so that a stray start cannot write rows without end. */
#define MAX_SPAN_MS (400 * 86400000LL)

const char *series_refusal_name(enum series_refusal refusal)
{
    static const char *const names[] = {
        "fine",
        "reading lies in the future",
        "reading of an unknown stream, older than late data may be",
        "entity has too many devices",
    };
    static_assert(sizeof names / sizeof names[0] == SERIES_REFUSALS, "a name for each refusal");
    return names[refusal];
}

void accountant_finish(struct accountant *a)
{
    free(a->changes);
    free(a->segments);
    a->changes = NULL;
    a->segments = NULL;
    a->change_count = a->change_cap = a->segment_cap = 0;
}

static int64_t point_ms(const struct point *p)
{
    return p->time_ns / NS_PER_MS;
}

/* Another producer's counter has no stream id: its start and its device's meter tell one run from the next. */
static uint64_t stream_uid(const struct point *p)
{
    if (p->stream)
        return p->stream;
    return text_hash((struct text){(const char *)&p->start_ns, sizeof p->start_ns}) | 1ULL << 63;
}

static enum meter_basis basis_of(const struct series *s, const struct point *p)
{
    return s->meter->basis == BASIS_ALLOCATED && !p->stream ? BASIS_OBSERVED : s->meter->basis;
}

static int64_t integer_value(const struct point *p)
{
    if (!p->is_double)
        return p->value;
    return p->real >= 0 && p->real < 9.2e18 ? (int64_t)p->real : -1;
}

static struct series *known_series(const struct entity *e, const struct point *p, size_t index)
{
    if (index < e->hint_cap && e->hints[index] && series_holds(e->hints[index], p))
        return e->hints[index];
    struct resource *r = entity_resource(e, p->device);
    return r ? resource_series(r, p) : NULL;
}

static enum series_refusal check_point(struct accountant *a, const struct entity *e, const struct point *p,
                                       size_t index, int64_t now_ms)
{
    int64_t time = point_ms(p);
    bool billed = p->type != METER_GAUGE || p->stream;
    if (time > now_ms + a->rules.future_ms)
        return SERIES_FROM_THE_FUTURE;
    if (time >= now_ms - a->rules.late_ms || !billed)
        return SERIES_FINE;
    const struct series *s = known_series(e, p, index);
    uint64_t uid = stream_uid(p);
    return s && (series_stream(s, uid) || a->book->stream_known(a->book, s, uid)) ? SERIES_FINE : SERIES_TOO_OLD;
}

static bool is_among(const struct text *texts, size_t count, struct text t)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(texts[i], t))
            return true;
    return false;
}

static bool has_room(const struct entity *e, const struct record *r)
{
    if (e->count + r->point_count <= ENTITY_MAX_RESOURCES)
        return true;
    struct text missing[ENTITY_MAX_RESOURCES];
    size_t count = 0;
    for (size_t i = 0; i < r->point_count; i++) {
        struct text device = r->points[i].device;
        if (entity_resource(e, device) || is_among(missing, count, device))
            continue;
        if (e->count + count == ENTITY_MAX_RESOURCES)
            return false;
        missing[count++] = device;
    }
    return true;
}

static enum series_refusal check(struct accountant *a, const struct entity *e, const struct record *r, int64_t now_ms)
{
    if (!has_room(e, r))
        return SERIES_TOO_MANY;
    for (size_t i = 0; i < r->point_count; i++) {
        enum series_refusal refusal = check_point(a, e, &r->points[i], i, now_ms);
        if (refusal)
            return refusal;
    }
    return SERIES_FINE;
}

/* A resource is of the kind of the first meter in the record that we know. */
static enum resource_kind kind_of(const struct record *r, const struct point *p)
{
    if (p->meter)
        return p->meter->kind;
    for (size_t i = 0; i < r->point_count; i++)
        if (r->points[i].meter && text_equal(r->points[i].device, p->device))
            return r->points[i].meter->kind;
    return RESOURCE_OTHER;
}

static struct series *make_series(struct accountant *a, struct entity *e, const struct record *record,
                                  const struct point *p)
{
    struct resource *r = entity_resource(e, p->device);
    if (!r) {
        enum resource_kind kind = kind_of(record, p);
        int64_t id = a->book->resource(a->book, e, kind, p->device);
        r = id ? entity_add_resource(e, id, kind, p->device) : NULL;
    }
    if (!r)
        return NULL;
    const struct ledger_meter *meter = a->book->meter(a->book, p);
    struct series *s = meter ? resource_add_series(r, meter) : NULL;
    if (s)
        s->first_ms = point_ms(p);
    return s;
}

static void remember(struct entity *e, size_t index, struct series *s)
{
    if (index >= e->hint_cap) {
        size_t cap = e->hint_cap ? e->hint_cap * 2 : 32;
        while (cap <= index)
            cap *= 2;
        struct series **wider = realloc(e->hints, cap * sizeof(struct series *));
        if (!wider)
            return; /* slower, not wrong */
        for (size_t i = e->hint_cap; i < cap; i++)
            wider[i] = NULL;
        e->hints = wider;
        e->hint_cap = cap;
    }
    e->hints[index] = s;
}

static struct change *add_change(struct accountant *a, struct series *s, struct stream *t, int64_t from, int64_t to)
{
    if (a->change_count == a->change_cap) {
        size_t cap = a->change_cap ? a->change_cap * 2 : 64;
        struct change *wider = realloc(a->changes, cap * sizeof *wider);
        if (!wider) {
            a->failed = true;
            return NULL;
        }
        a->changes = wider;
        a->change_cap = cap;
    }
    struct change *c = &a->changes[a->change_count++];
    *c = (struct change){.series = s, .stream = t, .from_ms = from, .to_ms = to};
    return c;
}

/* A stream that memory does not have: the ledger's, or a new one. */
static struct stream *find_stream(struct accountant *a, const struct entity *e, struct series *s, const struct point *p,
                                  bool running)
{
    struct stream known, *t = series_stream(s, stream_uid(p));
    if (t)
        return t;
    bool recalled = a->book->stream_recall(a->book, s, stream_uid(p), &known);
    t = series_add_stream(s);
    if (!t) {
        a->failed = true;
        return NULL;
    }
    struct stream *next = t->next;
    if (recalled) {
        *t = known;
    } else {
        int64_t start = p->start_ns ? p->start_ns / NS_PER_MS : point_ms(p);
        *t = (struct stream){.uid = stream_uid(p), .start_ms = start, .last_ms = start, .owner = e->owner};
        t->running = running;
    }
    t->next = next;
    return t;
}

/* A counter of another producer counts from zero only if it began after we last heard of its resource. */
static void set_base(struct stream *t, const struct series *s, const struct point *p, int64_t value)
{
    if (p->stream || (p->start_ns && s->last_ms && t->start_ms >= s->last_ms))
        return;
    t->base = value;
    t->start_ms = t->last_ms = point_ms(p);
}

/* What a counter did until another outbox's last word is that one's; here it counts from its first reading after that.
 * What it did between the two is nobody's: some usage may be missed there, none is billed twice. */
static void cut(const struct accountant *a, struct stream *t, int64_t value, int64_t time)
{
    if (t->last_ms >= a->since_ms || (t->id && time <= t->last_ms))
        return;
    t->base = value - t->value;
    t->last_ms = time > t->last_ms ? time : t->last_ms;
}

static void consumed(struct accountant *a, const struct entity *e, struct series *s, const struct point *p)
{
    int64_t value = integer_value(p), time = point_ms(p);
    struct stream *t = value < 0 ? NULL : find_stream(a, e, s, p, false);
    if (!t) {
        a->counts.ignored++;
        return;
    }
    if (t->id == 0) {
        set_base(t, s, p, value);
        t->id = a->book->stream_new(a->book, s, t);
        a->counts.streams++;
    }
    cut(a, t, value, time);
    t->ended |= p->ended;
    int64_t from = t->last_ms, to = time > from ? time : from, amount = value - t->base - t->value;
    if (amount < 0 || (amount == 0 && to == from)) {
        a->counts.older++;
        return;
    }
    struct change *c = add_change(a, s, t, to - from > MAX_SPAN_MS ? to - MAX_SPAN_MS : from, to);
    if (!c)
        return;
    c->amount = amount;
    t->value += amount;
    t->last_ms = to;
}

/* Another producer's delta: taken if it begins where or after the last one ended, so that none counts twice. */
static void delta(struct accountant *a, const struct entity *e, struct series *s, const struct point *p)
{
    int64_t value = integer_value(p), to = point_ms(p), from = p->start_ns ? p->start_ns / NS_PER_MS : to;
    struct point whole = *p;
    whole.start_ns = 1; /* all deltas of a series are one stream */
    struct stream *t = value < 0 ? NULL : find_stream(a, e, s, &whole, false);
    if (!t || (t->id && from < t->last_ms)) {
        a->counts.ignored += !t;
        a->counts.older += t != NULL;
        return;
    }
    if (t->id == 0) {
        t->start_ms = t->last_ms = from;
        t->id = a->book->stream_new(a->book, s, t);
        a->counts.streams++;
    }
    struct change *c = add_change(a, s, t, from, to);
    if (!c)
        return;
    c->amount = value;
    t->value += value;
    t->last_ms = to;
}

static void claim_late(struct series *s, int64_t from, int64_t to)
{
    if (s->late_to_ms <= s->late_from_ms) {
        s->late_from_ms = from;
        s->late_to_ms = to;
        return;
    }
    s->late_from_ms = from < s->late_from_ms ? from : s->late_from_ms;
    s->late_to_ms = to > s->late_to_ms ? to : s->late_to_ms;
}

static void allocated(struct accountant *a, const struct entity *e, struct series *s, const struct point *p,
                      bool running)
{
    int64_t size = integer_value(p), time = point_ms(p);
    struct stream *t = size < 0 ? NULL : find_stream(a, e, s, p, running);
    if (!t || (t->id && t->value != size)) {
        a->counts.ignored++; /* one stream has one size */
        return;
    }
    if (t->id == 0) {
        if (time - t->start_ms > MAX_SPAN_MS)
            t->start_ms = t->last_ms = time - MAX_SPAN_MS;
        t->value = size;
        t->id = a->book->stream_new(a->book, s, t);
        a->counts.streams++;
    }
    t->ended |= p->ended;
    if (time <= t->last_ms) {
        a->counts.older++;
        return;
    }
    if (e->open_ms && t->last_ms < e->open_ms)
        claim_late(s, t->last_ms, time < e->open_ms ? time : e->open_ms);
    struct change *c = add_change(a, s, t, t->last_ms, time);
    if (c)
        c->value = (double)size;
    t->last_ms = time;
    s->newest = (double)size;
}

static void gauge(struct accountant *a, struct series *s, const struct point *p)
{
    int64_t time = point_ms(p), from = s->last_ms;
    if (time < from) {
        a->counts.older++;
        return;
    }
    if (from == 0 || time - from > STEP_GAUGE_REACH_MS)
        from = window_start(time, a->rules.step_ms);
    s->newest = p->is_double ? p->real : (double)p->value;
    if (time == from)
        return;
    struct change *c = add_change(a, s, NULL, from, time);
    if (c)
        c->value = s->newest;
}

static void take_point(struct accountant *a, struct entity *e, const struct record *r, size_t index, bool running)
{
    const struct point *p = &r->points[index];
    struct series *s = known_series(e, p, index);
    if (!s)
        s = make_series(a, e, r, p);
    if (!s || (p->type == METER_GAUGE && s->meter->basis == BASIS_CONSUMED) ||
        (p->type != METER_GAUGE && s->meter->basis != BASIS_CONSUMED)) {
        a->counts.ignored++; /* a counter does not become a gauge */
        return;
    }
    remember(e, index, s);
    a->counts.readings++;
    switch (basis_of(s, p)) {
    case BASIS_CONSUMED:
        if (p->type == METER_DELTA)
            delta(a, e, s, p);
        else
            consumed(a, e, s, p);
        break;
    case BASIS_ALLOCATED:
        allocated(a, e, s, p, running);
        break;
    case BASIS_OBSERVED:
        gauge(a, s, p);
        break;
    }
    if (point_ms(p) > s->last_ms)
        s->last_ms = point_ms(p);
}

/* Stopped in the sense of rule L4: what loses against a VM that runs elsewhere. */
static bool is_running(struct text state)
{
    return !text_equal(state, TEXT("shutoff")) && !text_equal(state, TEXT("crashed")) &&
           !text_equal(state, TEXT("nostate"));
}

enum series_refusal series_apply(struct accountant *a, struct entity *e, const struct record *r, int64_t now_ms)
{
    enum series_refusal refusal = check(a, e, r, now_ms);
    if (refusal)
        return refusal;
    int64_t newest = 0;
    for (size_t i = 0; i < r->point_count; i++)
        newest = point_ms(&r->points[i]) > newest ? point_ms(&r->points[i]) : newest;
    a->newest_ms = newest;
    if (e->open_ms == 0)
        e->open_ms = window_start(newest, a->rules.period_ms);
    bool running = is_running(r->state);
    a->change_count = 0;
    for (size_t i = 0; i < r->point_count; i++)
        take_point(a, e, r, i, running);
    if (newest) {
        period_apply(a, e, newest);
        step_apply(a, e, newest);
    }
    e->last_ms = newest > e->last_ms ? newest : e->last_ms;
    e->is_host |= r->is_host;
    e->dirty = e->live = true;
    return SERIES_FINE;
}

bool series_due(const struct accountant *a, const struct entity *e, int64_t now_ms)
{
    int64_t silent = now_ms - a->rules.grace_ms;
    return (e->step_ms && silent >= e->step_ms + a->rules.step_ms) || silent >= e->open_ms + a->rules.period_ms;
}

void series_sweep(struct accountant *a, struct entity *e, int64_t now_ms)
{
    bool usage = period_has_usage(e), values = step_has_values(e);
    a->change_count = 0;
    if (values && now_ms >= e->step_ms + a->rules.step_ms + a->rules.grace_ms) {
        step_finish(a, e);
        values = false;
        e->dirty = true;
    }
    if (usage && now_ms >= e->open_ms + a->rules.period_ms + a->rules.grace_ms) {
        period_finish(a, e, e->open_ms + a->rules.period_ms);
        period_park(a, e);
        usage = period_has_usage(e);
        e->dirty = true;
    }
    bool live = usage || values;
    e->dirty |= live != e->live;
    e->live = live;
}
