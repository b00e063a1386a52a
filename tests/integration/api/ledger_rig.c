#include "ledger_rig.h"

#include <stdio.h>
#include <stdlib.h>

/* The bench uses this too, outside of any test. */
static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "ledger_rig: %s\n", what);
    abort();
}

static void no_row(struct series_steps *self, const struct entity *e, const struct resource *r, int64_t step_end_ms)
{
    (void)self, (void)e, (void)r, (void)step_end_ms;
}

static struct series_steps steps = {no_row};

void ledger_rig_open(struct ledger_rig *r, const char *path)
{
    struct error e;
    *r = (struct ledger_rig){.now_ms = LEDGER_RIG_START_S * 1000};
    struct ledger_settings s = {.path = path, .holder = "test", .period_ms = 3600000, .now_ms = r->now_ms};
    must(ledger_open(&r->ledger, &s, &e) == 0, e.text);
    r->accountant.rules = (struct series_rules){
        .period_ms = 3600000, .step_ms = 60000, .late_ms = 40 * 86400000LL, .future_ms = 3600000, .grace_ms = 600000};
    r->accountant.book = ledger_book(r->ledger);
    r->accountant.steps = &steps;
}

static void add_point(struct record *r, enum meter_id meter, uint64_t stream, int64_t value, int64_t seconds)
{
    struct point *p = record_add_point(r);
    p->meter = meter_at(meter);
    p->name = text_of(p->meter->name);
    p->unit = text_of(p->meter->unit);
    p->type = p->meter->type;
    p->kind = RESOURCE_INSTANCE;
    p->value = value;
    p->stream = stream;
    p->start_ns = LEDGER_RIG_START_S * 1000000000LL;
    p->time_ns = (LEDGER_RIG_START_S + seconds) * 1000000000LL;
}

static void account(struct ledger_rig *rig, int vm, int64_t seconds)
{
    char name[32];
    struct record *r = &rig->record;
    record_clear(r);
    snprintf(name, sizeof name, "vm-%d", vm);
    r->entity = text_of(name);
    r->project = vm % 2 ? TEXT("blue") : TEXT("red");
    r->state = TEXT("running");
    r->name = TEXT("web");
    *record_add_attribute(r) = (struct attribute){.key = TEXT(ATTR_PROJECT), .value = r->project};
    *record_add_attribute(r) = (struct attribute){.key = TEXT(ATTR_STATE), .value = r->state};
    *record_add_attribute(r) = (struct attribute){.key = TEXT(ATTR_NAME), .value = r->name};
    add_point(r, METER_CPU, (uint64_t)vm * 2 + 1, seconds * (vm + 1), seconds);
    add_point(r, METER_VCPUS, (uint64_t)vm * 2 + 2, 2, seconds);
    struct entity *e = ledger_entity(rig->ledger, r->entity);
    must(e != NULL, "no entity");
    ledger_describe(rig->ledger, e, r);
    must(series_apply(&rig->accountant, e, r, rig->now_ms) == SERIES_FINE, "a reading was refused");
}

static void commit(struct ledger_rig *r)
{
    struct error e;
    ledger_write_out(r->ledger);
    must(ledger_commit(r->ledger, &e) == 0, e.text);
}

void ledger_rig_read(struct ledger_rig *r, int vms, int64_t seconds)
{
    r->now_ms = (LEDGER_RIG_START_S + seconds) * 1000;
    ledger_begin(r->ledger, r->now_ms);
    for (int vm = 0; vm < vms; vm++)
        account(r, vm, seconds);
    commit(r);
}

void ledger_rig_dead_letter(struct ledger_rig *r, const char *reason)
{
    ledger_begin(r->ledger, r->now_ms);
    ledger_dead_letter(r->ledger, "otlp_metrics", 3, 77, reason, TEXT("vm-x"), TEXT("\x01\xff"));
    commit(r);
}

void ledger_rig_close(struct ledger_rig *r)
{
    ledger_close(r->ledger);
    accountant_finish(&r->accountant);
    record_free(&r->record);
}
