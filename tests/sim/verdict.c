#include "sim/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pluvio/ledger/ledger_query.h"

#define DAY_MS   86400000LL
#define BEGIN_MS (SIM_START_S * MS_PER_S)

/* ---- what the ledger says ---- */

struct billed {
    wide used[SIM_ENTITIES][SIM_DEVICES][SIM_COUNTERS][SIM_OWNERS];
    wide instance_ms[SIM_ENTITIES][SIM_OWNERS]; /* the time that a VM was there */
    wide vcpu_ms[SIM_ENTITIES], capacity_ms[SIM_ENTITIES][SIM_DEVICES];
    wide covered_ms[SIM_ENTITIES];
};

static int owner_of(const struct usage_row *row)
{
    for (int i = 0; i < SIM_OWNERS; i++)
        if (text_equal(row->project, text_of(sim_owners[i].project)) &&
            text_equal(row->flavor, text_of(sim_owners[i].flavor)))
            return i;
    return -1;
}

static bool is_resource(struct text id, int entity, enum sim_device device)
{
    char name[128];
    if (device == DEVICE_NIC && entity >= SIM_VMS)
        return false;
    const char *suffix = sim_device_name(device, entity);
    snprintf(name, sizeof name, *suffix ? "%s-%s" : "%s%s", sim_uuid(entity), suffix);
    return text_equal(id, text_of(name));
}

static bool find_resource(struct text id, int *entity, int *device)
{
    for (*entity = 0; *entity < SIM_ENTITIES; ++*entity)
        for (*device = 0; *device < SIM_DEVICES; ++*device)
            if (is_resource(id, *entity, (enum sim_device) * device))
                return true;
    return false;
}

static bool put_consumed(struct billed *b, const struct usage_row *row, int entity, int device, int owner)
{
    for (size_t n = 0; n < SIM_COUNTERS; n++) {
        enum meter_id meter = sim_meter(entity >= SIM_VMS, (enum sim_device)device, n);
        if (meter != METERS && text_equal(row->meter, text_of(meter_at(meter)->name))) {
            b->used[entity][device][n][owner] += row->quantity;
            return true;
        }
    }
    return false;
}

static bool put(struct billed *b, const struct usage_row *row)
{
    int entity, device, owner = owner_of(row);
    if (owner < 0 || !find_resource(row->resource, &entity, &device))
        return false;
    if (text_equal(row->meter, TEXT("instance")))
        b->instance_ms[entity][owner] += row->quantity;
    else if (text_equal(row->meter, TEXT("vcpus")))
        b->vcpu_ms[entity] += row->quantity;
    else if (text_equal(row->meter, TEXT("disk.device.capacity")))
        b->capacity_ms[entity][device] += row->quantity;
    else if (row->basis == BASIS_CONSUMED)
        return put_consumed(b, row, entity, device, owner);
    return true;
}

static bool ask(struct world *w, struct ledger_reader *l, int64_t to_ms, struct billed *b)
{
    struct usage_query query = {.from_ms = BEGIN_MS - DAY_MS,
                                .to_ms = to_ms,
                                .step = USAGE_TOTAL,
                                .groups = USAGE_BY_PROJECT | USAGE_BY_FLAVOR | USAGE_BY_RESOURCE,
                                .limit = 10000};
    struct usage_page page;
    struct error error;
    if (ledger_usage(l, &query, &page, &error)) {
        world_fail(w, "ledger_usage: %s", error.text);
        return false;
    }
    for (size_t i = 0; i < page.count; i++)
        if (!put(b, &page.rows[i]))
            world_fail(w, "the ledger bills %.*s of %.*s to project \"%.*s\", which nobody did",
                       TEXT_ARG(page.rows[i].meter), TEXT_ARG(page.rows[i].resource), TEXT_ARG(page.rows[i].project));
    usage_page_free(&page);
    return true;
}

/* ---- consumed ---- */

static void check_counter(struct world *w, const struct billed *b, int e, int d, size_t n)
{
    enum meter_id meter = sim_meter(e >= SIM_VMS, (enum sim_device)d, n);
    for (int owner = 0; meter != METERS && owner < SIM_OWNERS; owner++) {
        int64_t due = w->oracle.used[e][d][n][owner];
        char said[WIDE_SIZE];
        if (b->used[e][d][n][owner] != due)
            world_fail(w, "%s of VM %d%s%s: project %s (%s) is billed %s for %lld", meter_at(meter)->name, e,
                       d ? " " : "", d && e < SIM_VMS ? sim_device_name((enum sim_device)d, e) : "",
                       sim_owners[owner].project, sim_owners[owner].flavor, wide_format(b->used[e][d][n][owner], said),
                       (long long)due);
    }
}

static void check_consumed(struct world *w, const struct billed *b)
{
    for (int e = 0; e < SIM_ENTITIES; e++)
        for (int d = 0; d < SIM_DEVICES; d++)
            for (size_t n = 0; n < SIM_COUNTERS; n++)
                check_counter(w, b, e, d, n);
}

/* ---- allocated ---- */

static int64_t first_list_ns(const struct world *w)
{
    int64_t first = w->now_ns;
    for (int i = 0; i < SIM_HOSTS; i++)
        if (w->oracle.hosts[i].first_list_ns && w->oracle.hosts[i].first_list_ns < first)
            first = w->oracle.hosts[i].first_list_ns;
    return first;
}

static void check_held(struct world *w, const struct billed *b, int vm, bool exactly)
{
    wide total = 0;
    int64_t most = (w->now_ns - first_list_ns(w)) / NS_PER_MS + w->skew_ms;
    int64_t least = oracle_held_ns(&w->oracle, vm, -1) / NS_PER_MS - w->skew_ms;
    for (int owner = 0; owner < SIM_OWNERS; owner++)
        total += b->instance_ms[vm][owner];
    if (total > most || total < least || (exactly && total != least))
        world_fail(w, "VM %d is billed for %lld ms: vouched for %lld, and there were %lld", vm, (long long)total,
                   (long long)least, (long long)most);
    if (b->vcpu_ms[vm] > most * (int64_t)w->vms[vm].vcpus)
        world_fail(w, "VM %d is billed for more vCPU time than there was", vm);
    for (int d = DEVICE_VDA; d <= DEVICE_VDB; d++)
        if (b->capacity_ms[vm][d] > (wide)most << 30)
            world_fail(w, "VM %d's disk is billed for more time than there was", vm);
}

static void check_allocated(struct world *w, const struct billed *b, const struct expectation *expected)
{
    for (int vm = 0; vm < SIM_VMS; vm++) {
        check_held(w, b, vm, expected->allocated_exactly);
        for (int owner = 0; owner < SIM_OWNERS && expected->allocated_exactly; owner++) {
            int64_t due = oracle_held_ns(&w->oracle, vm, owner) / NS_PER_MS;
            if (b->instance_ms[vm][owner] != due)
                world_fail(w, "VM %d: project %s (%s) is billed for %lld ms of %lld", vm, sim_owners[owner].project,
                           sim_owners[owner].flavor, (long long)b->instance_ms[vm][owner], (long long)due);
        }
    }
}

/* ---- archives ---- */

static double area(const struct world *w, int entity, int device, const struct meter *meter, int64_t until_s)
{
    double sum = 0;
    for (size_t i = 0; i < w->shelf.count; i++) {
        const struct fake_archive *a = w->shelf.archives[i];
        for (size_t k = 0; k < a->confirmed; k++) {
            const struct fake_row *r = &a->rows[k];
            if (r->kind != meter->kind || r->step_end_s > until_s ||
                !is_resource(text_of(r->resource), entity, (enum sim_device)device))
                continue;
            double value = r->values[archive_column(meter)];
            sum += isnan(value) ? 0 : value * SIM_STEP_MS / 1000;
        }
    }
    return sum;
}

static wide all_owners(const wide by_owner[SIM_OWNERS])
{
    wide sum = 0;
    for (int i = 0; i < SIM_OWNERS; i++)
        sum += by_owner[i];
    return sum;
}

static void check_archive(struct world *w, const struct billed *b, int e, int d, size_t n, int64_t until_s)
{
    enum meter_id id = sim_meter(e >= SIM_VMS, (enum sim_device)d, n);
    if (id == METERS)
        return;
    wide billed = all_owners(b->used[e][d][n]);
    double drawn = area(w, e, d, meter_at(id), until_s);
    if (fabs(drawn - (double)billed) > 1e-9 * (double)billed + 0.5)
        world_fail(w, "%s of VM %d device %d: archives show %.1f, the ledger's finished periods %lld",
                   meter_at(id)->name, e, d, drawn, (long long)billed);
}

/* Up to the last period that every entity has finished: the one before the open one of a poller's last reading. */
static void check_archives(struct world *w, struct ledger_reader *l)
{
    struct billed b = {0};
    int64_t until_ms = w->now_ns / NS_PER_MS / SIM_PERIOD_MS * SIM_PERIOD_MS - SIM_PERIOD_MS;
    if (until_ms <= BEGIN_MS || !ask(w, l, until_ms, &b))
        return;
    for (int e = 0; e < SIM_ENTITIES; e++)
        for (int d = 0; d < SIM_DEVICES; d++)
            for (size_t n = 0; n < SIM_COUNTERS; n++)
                check_archive(w, &b, e, d, n, until_ms / MS_PER_S);
}

/* ---- the audit ---- */

static void check_audit(struct world *w, struct ledger_reader *l)
{
    struct audit_result audit;
    struct error error;
    if (ledger_audit(l, &audit, &error)) {
        world_fail(w, "ledger_audit: %s", error.text);
        return;
    }
    for (size_t i = 0; i < audit.kept; i++) {
        const struct audit_mismatch *m = &audit.mismatches[i];
        char booked[WIDE_SIZE], due[WIDE_SIZE];
        world_fail(w, "audit: %s of %.*s %.*s: %s for %s", m->what, TEXT_ARG(m->resource), TEXT_ARG(m->meter),
                   wide_format(m->booked, booked), wide_format(m->expected, due));
    }
    audit_result_free(&audit);
}

static void check_dead_letters(struct world *w, struct ledger_reader *l)
{
    struct dead_letter_page page;
    struct error error;
    if (ledger_dead_letters(l, 0, 10, &page, &error))
        world_fail(w, "ledger_dead_letters: %s", error.text);
    else if (page.count)
        world_fail(w, "a record was set aside: %.*s", TEXT_ARG(page.rows[0].reason));
    dead_letter_page_free(&page);
}

void verdict(struct world *w, const struct expectation *expected)
{
    struct ledger_reader *l = NULL;
    struct error error;
    struct billed *b = calloc(1, sizeof *b);
    if (ledger_reader_open(&l, w->ledger, &error)) {
        world_fail(w, "ledger_reader_open: %s", error.text);
    } else if (b && ask(w, l, w->now_ns / NS_PER_MS + DAY_MS, b)) {
        check_audit(w, l);
        check_dead_letters(w, l);
        check_consumed(w, b);
        check_allocated(w, b, expected);
        if (expected->archives)
            check_archives(w, l);
    }
    ledger_reader_close(l);
    free(b);
}
