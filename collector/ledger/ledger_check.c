/* The audit: what must be equal in a ledger, in one read of it. */
#include <errno.h>
#include <stdlib.h>

#include "collector/series/allocation.h"
#include "collector/series/split.h"
#include "day_sum.h"
#include "ledger_reader.h"

#define DAY_MS         86400000LL
#define MAX_MISMATCHES 1000

/* What the rows say of a stream. */
struct booked {
    int64_t stream;
    bool used, accounted; /* accounted: found in a packed row or parked */
    int64_t amount;
};

struct audit {
    struct ledger_reader *reader;
    struct audit_result *result;
    struct booked *slots;
    size_t count, cap;
    struct day_sums days;
    wide *units; /* by meter id */
    size_t unit_count;
    bool no_memory;
};

static struct booked *slot(struct booked *slots, size_t cap, int64_t stream)
{
    size_t i = (size_t)((uint64_t)stream * 0x9e3779b97f4a7c15ULL >> 20) & (cap - 1);
    while (slots[i].used && slots[i].stream != stream)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static bool grow(struct audit *a)
{
    size_t cap = a->cap ? 2 * a->cap : 1024;
    struct booked *wider = calloc(cap, sizeof *wider);
    if (!wider)
        return false;
    for (size_t i = 0; i < a->cap; i++)
        if (a->slots[i].used)
            *slot(wider, cap, a->slots[i].stream) = a->slots[i];
    free(a->slots);
    a->slots = wider;
    a->cap = cap;
    return true;
}

static struct booked *booked(struct audit *a, int64_t stream)
{
    if (2 * (a->count + 1) > a->cap && !grow(a)) {
        a->no_memory = true;
        return NULL;
    }
    struct booked *b = slot(a->slots, a->cap, stream);
    if (!b->used) {
        *b = (struct booked){.stream = stream, .used = true};
        a->count++;
    }
    return b;
}

static struct text keep(struct audit *a, struct text t)
{
    struct text at = {(const char *)(uintptr_t)a->result->texts.len, t.len};
    buf_add_text(&a->result->texts, t);
    return at;
}

static void mismatch(struct audit *a, struct text resource, struct text meter, uint64_t stream, const char *what,
                     wide said, wide expected)
{
    a->result->mismatch_count++;
    if (a->result->kept == MAX_MISMATCHES)
        return;
    struct audit_mismatch *m = &a->result->mismatches[a->result->kept++];
    *m = (struct audit_mismatch){keep(a, resource), keep(a, meter), stream, what, said, expected};
}

static void add_units(struct audit *a, int64_t meter, wide quantity)
{
    if (meter < 0)
        return;
    if ((size_t)meter >= a->unit_count) {
        size_t count = (size_t)meter + 64;
        wide *wider = realloc(a->units, count * sizeof *wider);
        if (!wider) {
            a->no_memory = true;
            return;
        }
        memset(wider + a->unit_count, 0, (count - a->unit_count) * sizeof *wider);
        a->units = wider;
        a->unit_count = count;
    }
    a->units[meter] += quantity;
}

/* All rows: by stream, and summed into days as they should be. */
static void read_rows(struct audit *a)
{
    struct db_row *q =
        db_query(a->reader->db, "SELECT u.period_ms, u.stream, u.amount, u.covered_ms, s.owner, s.meter, "
                                "s.size FROM usage u LEFT JOIN stream s ON s.id=u.stream");
    while (db_step(q)) {
        struct booked *b = booked(a, db_i64(q, 1));
        const struct reader_meter *m = reader_meter(a->reader, db_i64(q, 5));
        if (!b)
            break;
        a->result->rows++;
        b->amount += db_i64(q, 2);
        bool allocated = m && m->meter.basis == BASIS_ALLOCATED;
        wide quantity = allocated ? (wide)db_i64(q, 2) * db_i64(q, 6) : db_i64(q, 2);
        add_units(a, db_i64(q, 5), quantity);
        if (day_sums_add(&a->days, window_start(db_i64(q, 0), DAY_MS), db_i64(q, 4), db_i64(q, 5), quantity,
                         db_i64(q, 3)))
            a->no_memory = true;
    }
    db_reset(q);
}

static struct text resource_name(const struct entity *e, const struct resource *r, struct buf *out)
{
    buf_clear(out);
    buf_add_string(out, e->key);
    if (*r->device)
        buf_addf(out, "-%s", r->device);
    return buf_text(out);
}

static void check_consumed(struct audit *a, const struct entity *e, const struct series *s)
{
    struct buf name = {0};
    for (const struct stream *t = s->streams; t; t = t->next) {
        struct booked *b = booked(a, t->id);
        if (!b)
            break;
        b->accounted = true;
        a->result->streams++;
        add_units(a, s->meter->id, t->open_amount);
        if (b->amount + t->open_amount != t->value)
            mismatch(a, resource_name(e, s->resource, &name), text_of(s->meter->name), t->uid, "stream",
                     b->amount + t->open_amount, t->value);
    }
    buf_free(&name);
}

static size_t live_segments(const struct series *s, struct segment *out)
{
    size_t n = 0;
    for (const struct stream *t = s->streams; t; t = t->next, n++)
        if (out)
            out[n] = (struct segment){
                .from_ms = t->start_ms, .to_ms = t->last_ms, .uid = t->uid, .running = t->running, .stream = t->id};
    return n;
}

static size_t parked_segments(struct audit *a, const struct series *s, struct segment *out)
{
    struct db_row *q =
        db_query(a->reader->db, "SELECT id, uid, start_ms, last_ms, running FROM stream WHERE resource=?1 "
                                "AND meter=?2 AND last_ms IS NOT NULL");
    size_t n = 0;
    db_bind_i64(q, 1, s->resource->id);
    db_bind_i64(q, 2, s->meter->id);
    for (; db_step(q); n++)
        if (out)
            out[n] = (struct segment){.stream = db_i64(q, 0),
                                      .uid = (uint64_t)db_i64(q, 1),
                                      .from_ms = db_i64(q, 2),
                                      .to_ms = db_i64(q, 3),
                                      .running = db_i64(q, 4) != 0};
    db_reset(q);
    return n;
}

static void add_open_units(struct audit *a, const struct entity *e, const struct series *s, struct segment *segments,
                           size_t live)
{
    size_t i = 0;
    if (allocation_divide(segments, live, e->open_ms, e->open_ms + a->reader->period_ms))
        a->no_memory = true;
    for (const struct stream *t = s->streams; t; t = t->next, i++)
        add_units(a, s->meter->id, (wide)segments[i].won_ms * t->value);
}

/* Who pays for which moment does not depend on windows: one division over all finished time must be what was booked. */
static void check_allocated(struct audit *a, const struct entity *e, const struct series *s)
{
    size_t live = live_segments(s, NULL), count = live + parked_segments(a, s, NULL);
    struct segment *segments = calloc(count ? count : 1, sizeof *segments);
    struct buf name = {0};
    if (!segments) {
        a->no_memory = true;
        return;
    }
    live_segments(s, segments);
    add_open_units(a, e, s, segments, live);
    parked_segments(a, s, segments + live);
    if (allocation_divide(segments, count, 0, e->open_ms))
        a->no_memory = true;
    for (size_t i = 0; i < count; i++) {
        struct booked *b = booked(a, segments[i].stream);
        if (!b)
            break;
        b->accounted = true;
        a->result->streams++;
        if (b->amount != segments[i].won_ms)
            mismatch(a, resource_name(e, s->resource, &name), text_of(s->meter->name), segments[i].uid, "union",
                     b->amount, segments[i].won_ms);
    }
    buf_free(&name);
    free(segments);
}

static void check_entity(void *context, const struct entity *e)
{
    struct audit *a = context;
    a->result->entities++;
    for (size_t i = 0; i < e->count; i++) {
        for (size_t k = 0; k < e->resources[i]->count; k++) {
            const struct series *s = e->resources[i]->series[k];
            if (s->meter->basis == BASIS_CONSUMED)
                check_consumed(a, e, s);
            else if (s->meter->basis == BASIS_ALLOCATED)
                check_allocated(a, e, s);
        }
    }
}

/* Parked streams of counters, and streams that nobody has: neither a packed row nor their own. */
static void check_parked(struct audit *a)
{
    struct db_row *q = db_query(a->reader->db, "SELECT s.id, s.value, s.meter, s.uid, r.key FROM stream s "
                                               "JOIN resource r ON r.id=s.resource");
    while (db_step(q)) {
        struct booked *b = booked(a, db_i64(q, 0));
        const struct reader_meter *m = reader_meter(a->reader, db_i64(q, 2));
        if (!b || !m || b->accounted)
            continue;
        b->accounted = true;
        if (db_is_null(q, 1)) {
            mismatch(a, db_text(q, 4), text_of(m->meter.name), (uint64_t)db_i64(q, 3), "state", b->amount, 0);
            continue;
        }
        a->result->streams++;
        if (b->amount != db_i64(q, 1))
            mismatch(a, db_text(q, 4), text_of(m->meter.name), (uint64_t)db_i64(q, 3), "stream", b->amount,
                     db_i64(q, 1));
    }
    db_reset(q);
    for (size_t i = 0; i < a->cap; i++)
        if (a->slots[i].used && !a->slots[i].accounted)
            mismatch(a, TEXT(""), TEXT(""), (uint64_t)a->slots[i].stream, "state", a->slots[i].amount, 0);
}

/* Subtract the file's sums from those that the rows gave: nothing may be left. */
static void check_days(struct audit *a)
{
    struct db_row *q = db_query(a->reader->db, "SELECT day_ms, owner, meter, high, low, covered_ms FROM day_sum");
    while (db_step(q)) {
        a->result->days++;
        if (day_sums_add(&a->days, db_i64(q, 0), db_i64(q, 1), db_i64(q, 2), -wide_join(db_i64(q, 3), db_i64(q, 4)),
                         -db_i64(q, 5)))
            a->no_memory = true;
    }
    db_reset(q);
    for (size_t i = 0; i < a->days.cap; i++) {
        const struct day_sum *d = &a->days.slots[i];
        const struct reader_meter *m = d->used ? reader_meter(a->reader, d->meter) : NULL;
        if (d->used && (d->quantity || d->covered_ms))
            mismatch(a, TEXT(""), m ? text_of(m->meter.name) : TEXT(""), 0, "day sum", -d->quantity, 0);
    }
}

static void print_units(struct audit *a)
{
    const char *between = "{";
    char number[WIDE_SIZE];
    for (size_t i = 0; i < a->unit_count; i++) {
        const struct reader_meter *m = a->units[i] ? reader_meter(a->reader, (int64_t)i) : NULL;
        if (!m)
            continue;
        buf_addf(&a->result->units, "%s\"%s\":\"%s\"", between, m->meter.name, wide_format(a->units[i], number));
        between = ",";
    }
    buf_add_string(&a->result->units, *between == '{' ? "{}" : "}");
}

static void read_commit(struct audit *a)
{
    struct db_row *q = db_query(a->reader->db, "SELECT commit_no FROM lease");
    a->result->commit = db_step(q) ? (uint64_t)db_i64(q, 0) : 0;
    db_reset(q);
}

int ledger_audit(struct ledger_reader *l, struct audit_result *ret, struct error *error)
{
    *ret = (struct audit_result){.mismatches = calloc(MAX_MISMATCHES, sizeof *ret->mismatches)};
    struct audit a = {.reader = l, .result = ret};
    if (!ret->mismatches)
        return error_set(error, -ENOMEM, "out of memory for the audit");
    int r = reader_begin(l, error);
    if (r == 0) {
        read_commit(&a);
        read_rows(&a);
        reader_each_entity(l, (struct text){0}, check_entity, &a);
        check_parked(&a);
        check_days(&a);
        print_units(&a);
        r = reader_end(l, error);
    }
    if (r == 0 && a.no_memory)
        r = error_set(error, -ENOMEM, "out of memory for the audit");
    for (size_t i = 0; i < ret->kept; i++) {
        ret->mismatches[i].resource.data = ret->texts.data + (uintptr_t)ret->mismatches[i].resource.data;
        ret->mismatches[i].meter.data = ret->texts.data + (uintptr_t)ret->mismatches[i].meter.data;
    }
    free(a.slots);
    free(a.units);
    day_sums_free(&a.days);
    if (r)
        audit_result_free(ret);
    return r;
}

void audit_result_free(struct audit_result *r)
{
    free(r->mismatches);
    buf_free(&r->units);
    buf_free(&r->texts);
    *r = (struct audit_result){0};
}
