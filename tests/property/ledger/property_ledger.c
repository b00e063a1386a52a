/* Conservation, idempotence and order independence of the ledger, over random worlds.
 *
 * A world is what pollers on two hosts said of some VMs: readings of counters whose streams begin at zero, and segments
 * of sizes that overlap while a VM migrates. It is delivered shuffled, repeated, cut into commits of which some fail
 * and come again, with the ledger closed and opened in between. Whatever happened, the ledger must say what a plain
 * count says, and its own audit must agree.
 */
#include <stdio.h>
#include <stdlib.h>

#include "collector/ledger/ledger.h"
#include "collector/series/series.h"
#include "pluvio/base/random.h"
#include "pluvio/ledger/ledger_query.h"
#include "support/folder.h"
#include "support/run.h"

#define SECONDS  10800
#define PERIOD   300
#define START_S  1764000000LL /* a multiple of an hour */
#define VMS      3
#define STREAMS  24
#define RECORDS  900
#define PROJECTS 2

struct told {
    int vm, stream; /* stream < STREAMS */
    bool allocated, ended;
    int from_s, time_s; /* since START_S */
    int64_t value;
    int project;
    bool running;
};

struct world {
    struct told told[RECORDS];
    size_t count;
    /* Expected. */
    wide consumed[PROJECTS];
    wide allocated[PROJECTS];
};

struct one_stream {
    int vm, from, to, project, size;
    bool running;
};

static void tell_segment(struct world *w, struct random *r, const struct one_stream *s, int stream)
{
    int time = s->from;
    while (w->count < RECORDS) {
        time += 1 + (int)random_below(r, 400);
        bool last = time >= s->to;
        w->told[w->count++] =
            (struct told){s->vm, stream, true, last, s->from, last ? s->to : time, s->size, s->project, s->running};
        if (last)
            return;
    }
}

static void tell_counter(struct world *w, struct random *r, int vm, int stream, int from, int to, int project)
{
    int64_t value = 0;
    int time = from;
    while (w->count < RECORDS) {
        time += 1 + (int)random_below(r, 400);
        bool last = time >= to;
        value += (int64_t)random_below(r, 1000000007);
        w->told[w->count++] = (struct told){vm, stream, false, last, from, last ? to : time, value, project, true};
        if (last)
            break;
    }
    w->consumed[project] += value;
}

static bool pays(const struct one_stream *a, int ia, const struct one_stream *b, int ib)
{
    if (a->running != b->running)
        return a->running;
    return a->from != b->from ? a->from > b->from : ia > ib;
}

/* Second by second, who pays: the plain count. */
static void count_allocated(struct world *w, const struct one_stream *s)
{
    for (int vm = 0; vm < VMS; vm++) {
        for (int t = 0; t < SECONDS; t++) {
            int best = -1;
            for (int i = 0; i < STREAMS; i++)
                if (s[i].vm == vm && s[i].from <= t && t < s[i].to && (best < 0 || pays(&s[i], i, &s[best], best)))
                    best = i;
            if (best >= 0)
                w->allocated[s[best].project] += (wide)s[best].size * 1000;
        }
    }
}

static void make_world(struct world *w, struct random *r)
{
    struct one_stream segments[STREAMS];
    *w = (struct world){0};
    for (int i = 0; i < STREAMS; i++) {
        struct one_stream *s = &segments[i];
        s->vm = (int)random_below(r, VMS);
        s->from = (int)random_below(r, SECONDS - 10);
        s->to = s->from + 1 + (int)random_below(r, (uint64_t)(SECONDS - s->from - 1));
        s->project = (int)random_below(r, PROJECTS);
        s->size = 1 + (int)random_below(r, 9);
        s->running = random_below(r, 3) > 0;
        tell_segment(w, r, s, i);
        tell_counter(w, r, s->vm, i, s->from, s->to, s->project);
    }
    ck_assert_uint_lt(w->count, RECORDS);
    count_allocated(w, segments);
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

struct rig {
    struct ledger *ledger;
    struct accountant accountant;
    char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
    struct record record;
    int64_t now_ms;
};

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

static void open_ledger(struct rig *rig)
{
    struct error e;
    struct ledger_settings s = {.path = rig->path, .holder = "test", .period_ms = PERIOD * 1000, .now_ms = rig->now_ms};
    ck_assert_msg(ledger_open(&rig->ledger, &s, &e) == 0, "%s", e.text);
    rig->accountant.book = ledger_book(rig->ledger);
}

static void rig_start(struct rig *rig)
{
    *rig = (struct rig){.now_ms = (START_S + SECONDS) * 1000};
    folder_path(folder_make(rig->folder), "ledger.db", rig->path, sizeof rig->path);
    rig->accountant.rules = (struct series_rules){.period_ms = PERIOD * 1000,
                                                  .step_ms = 60000,
                                                  .late_ms = 40 * 86400000LL,
                                                  .future_ms = 3600000,
                                                  .grace_ms = 600000};
    rig->accountant.steps = &steps.port;
    open_ledger(rig);
}

static void rig_stop(struct rig *rig)
{
    ledger_close(rig->ledger);
    accountant_finish(&rig->accountant);
    record_free(&rig->record);
    folder_remove(rig->folder);
}

static void deliver(struct rig *rig, const struct told *t)
{
    to_record(t, &rig->record);
    struct entity *e = ledger_entity(rig->ledger, rig->record.entity);
    ck_assert_ptr_nonnull(e);
    ledger_describe(rig->ledger, e, &rig->record);
    ck_assert_int_eq(series_apply(&rig->accountant, e, &rig->record, rig->now_ms), SERIES_FINE);
}

static void commit(struct rig *rig)
{
    struct error e;
    ledger_write_out(rig->ledger);
    ck_assert_msg(ledger_commit(rig->ledger, &e) == 0, "%s", e.text);
}

/* One batch; if @fails it is undone first and delivered again. */
static void batch(struct rig *rig, const struct world *w, const size_t *order, size_t count, bool fails)
{
    for (int attempt = fails ? 0 : 1; attempt < 2; attempt++) {
        ledger_begin(rig->ledger, rig->now_ms);
        for (size_t i = 0; i < count; i++)
            deliver(rig, &w->told[order[i]]);
        if (attempt == 1) {
            commit(rig);
            return;
        }
        ledger_write_out(rig->ledger);
        ledger_rollback(rig->ledger);
    }
}

static void deliver_all(struct rig *rig, const struct world *w, struct random *r, bool in_order)
{
    static size_t order[2 * RECORDS];
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
    for (size_t at = 0; at < n;) {
        size_t count = 1 + random_below(r, 40);
        count = count < n - at ? count : n - at;
        batch(rig, w, order + at, count, random_below(r, 5) == 0);
        at += count;
        if (random_below(r, 10) == 0) {
            ledger_close(rig->ledger);
            open_ledger(rig);
        }
    }
}

static void sweep_all(struct rig *rig)
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

static void check(struct rig *rig, const struct world *w, bool swept)
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

START_TEST(whatever_the_order_the_ledger_says_what_was_done)
{
    struct random_seeded r;
    struct world w;
    struct rig rig;
    random_seed(&r, (uint64_t)_i + 1);
    make_world(&w, &r.port);
    rig_start(&rig);
    deliver_all(&rig, &w, &r.port, _i % 4 == 0);
    check(&rig, &w, false);
    sweep_all(&rig);
    check(&rig, &w, true);
    deliver_all(&rig, &w, &r.port, false); /* all of it again */
    check(&rig, &w, false);
    rig_stop(&rig);
}
END_TEST

START_TEST(a_damaged_sum_is_found_by_the_audit)
{
    struct random_seeded r;
    struct world w;
    struct rig rig;
    static const char *const damage[] = {
        "UPDATE usage SET amount=amount+1 WHERE stream=(SELECT min(stream) FROM usage)",
        "DELETE FROM usage WHERE period_ms=(SELECT max(period_ms) FROM usage)",
        "UPDATE day_sum SET low=low-1",
        "UPDATE stream SET value=value+1 WHERE value IS NOT NULL",
        "DELETE FROM entity WHERE id=1",
    };
    random_seed(&r, 99);
    make_world(&w, &r.port);
    rig_start(&rig);
    deliver_all(&rig, &w, &r.port, true);
    ledger_close(rig.ledger);
    rig.ledger = NULL;
    char command[1024];
    snprintf(command, sizeof command, "sqlite3 %s \"%s\"", rig.path, damage[_i]);
    ck_assert_int_eq(system(command), 0);
    struct ledger_reader *l;
    struct audit_result audit;
    struct error e;
    ck_assert_int_eq(ledger_reader_open(&l, rig.path, &e), 0);
    ck_assert_int_eq(ledger_audit(l, &audit, &e), 0);
    ck_assert_uint_gt(audit.mismatch_count, 0);
    audit_result_free(&audit);
    ledger_reader_close(l);
    rig_stop(&rig);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ledger properties");
    TCase *t = tcase_create("ledger properties");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, whatever_the_order_the_ledger_says_what_was_done, 0, 24);
    tcase_add_loop_test(t, a_damaged_sum_is_found_by_the_audit, 0, 5);
    suite_add_tcase(s, t);
    return test_run(s);
}
