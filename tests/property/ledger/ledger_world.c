#include "ledger_world.h"

#include <stdio.h>

#include "pluvio/ledger/ledger_query.h"
#include "support/run.h"

struct one_stream {
    int vm, from, to, project, size;
    bool running;
};

static int later(struct random *r, int time, int grain)
{
    time += grain + (int)random_below(r, 400);
    return time - time % grain;
}

static void tell_segment(struct world *w, struct random *r, const struct one_stream *s, int stream, int grain)
{
    int time = s->from;
    while (w->count < RECORDS) {
        time = later(r, time, grain);
        bool last = time >= s->to;
        w->told[w->count++] =
            (struct told){s->vm, stream, true, last, s->from, last ? s->to : time, s->size, s->project, s->running};
        if (last)
            return;
    }
}

static void tell_counter(struct world *w, struct random *r, const struct one_stream *s, int stream, int grain)
{
    int64_t value = 0;
    int time = s->from;
    while (w->count < RECORDS) {
        time = later(r, time, grain);
        bool last = time >= s->to;
        value += (int64_t)random_below(r, 1000000007);
        w->told[w->count++] =
            (struct told){s->vm, stream, false, last, s->from, last ? s->to : time, value, s->project, true};
        if (last)
            break;
    }
    w->consumed[s->project] += value;
}

static bool pays(const struct one_stream *a, int ia, const struct one_stream *b, int ib)
{
    if (a->running != b->running)
        return a->running;
    return a->from != b->from ? a->from > b->from : ia > ib;
}

/* Second by second, who pays: the plain count. */
static void count_allocated(struct world *w, const struct one_stream *s, int streams)
{
    for (int vm = 0; vm < VMS; vm++) {
        for (int t = 0; t < SECONDS; t++) {
            int best = -1;
            for (int i = 0; i < streams; i++)
                if (s[i].vm == vm && s[i].from <= t && t < s[i].to && (best < 0 || pays(&s[i], i, &s[best], best)))
                    best = i;
            if (best >= 0)
                w->allocated[s[best].project] += (wide)s[best].size * 1000;
        }
    }
}

void make_world(struct world *w, struct random *r, int streams, int grain_s)
{
    struct one_stream segments[STREAMS];
    *w = (struct world){0};
    for (int i = 0; i < streams; i++) {
        struct one_stream *s = &segments[i];
        s->vm = (int)random_below(r, VMS);
        s->from = (int)random_below(r, SECONDS - 10);
        s->to = s->from + 1 + (int)random_below(r, (uint64_t)(SECONDS - s->from - 1));
        s->from -= s->from % grain_s;
        s->to -= s->to % grain_s;
        s->project = (int)random_below(r, PROJECTS);
        s->size = 1 + (int)random_below(r, 9);
        s->running = random_below(r, 3) > 0;
        tell_segment(w, r, s, i, grain_s);
        tell_counter(w, r, s, i, grain_s);
    }
    ck_assert_uint_lt(w->count, RECORDS);
    count_allocated(w, segments, streams);
}

static const char *const vm_names[VMS] = {"vm-a", "vm-b", "vm-c"};
static const char *const project_names[PROJECTS] = {"red", "blue"};

static void to_record(const struct told *t, struct record *r)
{
    record_clear(r);
    r->entity = text_of(vm_names[t->vm]);
    r->project = text_of(project_names[t->project]);
    r->state = t->running ? TEXT("running") : TEXT("shutoff");
    *record_add_attribute(r) = (struct attribute){.key = TEXT(ATTR_PROJECT), .value = r->project};
    *record_add_attribute(r) = (struct attribute){.key = TEXT(ATTR_STATE), .value = r->state};
    struct point *p = record_add_point(r);
    p->meter = meter_at(t->allocated ? METER_VCPUS : METER_CPU);
    p->name = text_of(p->meter->name);
    p->type = p->meter->type;
    p->kind = RESOURCE_INSTANCE;
    p->value = t->value;
    p->stream = (uint64_t)t->stream + 1;
    p->start_ns = (START_S + t->from_s) * 1000000000LL;
    p->time_ns = (START_S + t->time_s) * 1000000000LL;
    p->ended = t->ended;
}

struct counting_steps {
    struct series_steps port;
    uint64_t rows;
};

static void count_row(struct series_steps *self, const struct entity *e, const struct resource *r, int64_t step_end_ms)
{
    (void)e;
    (void)r;
    ck_assert_int_eq(step_end_ms % 60000, 0);
    ((struct counting_steps *)self)->rows++;
}

static struct counting_steps steps = {{count_row}, 0};

int try_open(struct rig *rig, struct error *error)
{
    struct ledger_settings s = {
        .path = rig->path, .vfs = rig->vfs, .holder = "test", .period_ms = PERIOD * 1000, .now_ms = rig->now_ms};
    int r = ledger_open(&rig->ledger, &s, error);
    if (r == 0)
        rig->accountant.book = ledger_book(rig->ledger);
    return r;
}

void open_ledger(struct rig *rig)
{
    struct error e;
    ck_assert_msg(try_open(rig, &e) == 0, "%s", e.text);
}

void rig_start(struct rig *rig)
{
    *rig = (struct rig){.now_ms = (START_S + SECONDS) * 1000, .vfs = rig->vfs};
    folder_path(folder_make(rig->folder), "ledger.db", rig->path, sizeof rig->path);
    rig->accountant.rules = (struct series_rules){.period_ms = PERIOD * 1000,
                                                  .step_ms = 60000,
                                                  .late_ms = 40 * 86400000LL,
                                                  .future_ms = 3600000,
                                                  .grace_ms = 600000};
    rig->accountant.steps = &steps.port;
    open_ledger(rig);
}

void rig_stop(struct rig *rig)
{
    ledger_close(rig->ledger);
    accountant_finish(&rig->accountant);
    record_free(&rig->record);
    folder_remove(rig->folder);
}

void deliver(struct rig *rig, const struct told *t)
{
    to_record(t, &rig->record);
    struct entity *e = ledger_entity(rig->ledger, rig->record.entity);
    ck_assert_ptr_nonnull(e);
    ledger_describe(rig->ledger, e, &rig->record);
    ck_assert_int_eq(series_apply(&rig->accountant, e, &rig->record, rig->now_ms), SERIES_FINE);
}

void commit(struct rig *rig)
{
    struct error e;
    ledger_write_out(rig->ledger);
    ck_assert_msg(ledger_commit(rig->ledger, &e) == 0, "%s", e.text);
}

size_t make_order(const struct world *w, struct random *r, bool in_order, size_t *order)
{
    size_t n = 0;
    for (size_t i = 0; i < w->count; i++) {
        order[n++] = i;
        if (random_below(r, 4) == 0)
            order[n++] = random_below(r, w->count);
    }
    for (size_t i = n; !in_order && i > 1; i--) {
        size_t j = random_below(r, i), kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
    return n;
}

void sweep_all(struct rig *rig)
{
    for (int i = 0; i < 3; i++) {
        struct error error;
        ck_assert_int_eq(ledger_load_live(rig->ledger, &error), 0);
        ledger_begin(rig->ledger, rig->now_ms);
        size_t cursor = 0;
        for (struct entity *e; (e = ledger_next_entity(rig->ledger, &cursor));)
            series_sweep(&rig->accountant, e, rig->now_ms + (i + 1) * 7200000LL);
        commit(rig);
    }
}

static wide total(struct ledger_reader *l, const char *project, const char *meter, bool *open)
{
    struct usage_query q = {.from_ms = START_S * 1000,
                            .to_ms = (START_S + SECONDS + PERIOD) * 1000,
                            .step = USAGE_TOTAL,
                            .groups = USAGE_BY_PROJECT | USAGE_BY_RESOURCE,
                            .project = text_of(project),
                            .meter = text_of(meter),
                            .limit = 1000};
    struct usage_page page;
    struct error e;
    wide sum = 0;
    ck_assert_msg(ledger_usage(l, &q, &page, &e) == 0, "%s", e.text);
    for (size_t i = 0; i < page.count; i++) {
        sum += page.rows[i].quantity;
        *open |= page.rows[i].open;
    }
    usage_page_free(&page);
    return sum;
}

static void check_day_sums(struct ledger_reader *l, const char *project, const char *meter, wide expected)
{
    struct usage_query q = {.from_ms = START_S * 1000 - 86400000,
                            .to_ms = START_S * 1000 + 2 * 86400000LL,
                            .step = USAGE_MONTH,
                            .project = text_of(project),
                            .meter = text_of(meter),
                            .limit = 10};
    struct usage_page page;
    struct error e;
    ck_assert_int_eq(ledger_usage(l, &q, &page, &e), 0);
    ck_assert_uint_eq(page.count, expected ? 1 : 0);
    ck_assert(page.count == 0 || page.rows[0].quantity == expected);
    usage_page_free(&page);
}

void check(struct rig *rig, const struct world *w, bool swept)
{
    struct ledger_reader *l;
    struct audit_result audit;
    struct error e;
    bool open = false;
    ck_assert_msg(ledger_reader_open(&l, rig->path, &e) == 0, "%s", e.text);
    ck_assert_msg(ledger_audit(l, &audit, &e) == 0, "%s", e.text);
    for (size_t i = 0; i < audit.kept; i++)
        fprintf(stderr, "%.*s %.*s %llu %s booked %lld expected %lld\n", TEXT_ARG(audit.mismatches[i].resource),
                TEXT_ARG(audit.mismatches[i].meter), (unsigned long long)audit.mismatches[i].stream,
                audit.mismatches[i].what, (long long)audit.mismatches[i].booked,
                (long long)audit.mismatches[i].expected);
    ck_assert_uint_eq(audit.mismatch_count, 0);
    ck_assert_uint_gt(audit.streams, 0);
    audit_result_free(&audit);
    for (int p = 0; p < PROJECTS; p++) {
        ck_assert(total(l, project_names[p], "cpu", &open) == w->consumed[p]);
        ck_assert(total(l, project_names[p], "vcpus", &open) == w->allocated[p]);
        check_day_sums(l, project_names[p], "vcpus", w->allocated[p]);
        check_day_sums(l, project_names[p], "cpu", w->consumed[p]);
    }
    ck_assert(!swept || !open);
    ledger_reader_close(l);
}
