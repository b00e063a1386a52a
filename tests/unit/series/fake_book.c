#include "fake_book.h"

#include <stdlib.h>
#include <string.h>

#include "collector/series/split.h"
#include "support/run.h"

static struct fake_book *of(struct series_book *self)
{
    return (struct fake_book *)self;
}

static int64_t resource(struct series_book *self, const struct entity *e, enum resource_kind kind, struct text device)
{
    (void)e;
    (void)kind;
    (void)device;
    return ++of(self)->resources;
}

static const struct ledger_meter *known_meter(struct fake_book *b, const struct meter *m)
{
    struct ledger_meter *l = &b->meters[m->id];
    *l = (struct ledger_meter){.id = m->id + 1, .known = m, .type = m->type, .basis = m->basis};
    return l;
}

static const struct ledger_meter *meter(struct series_book *self, const struct point *p)
{
    struct fake_book *b = of(self);
    if (p->meter)
        return known_meter(b, p->meter);
    for (size_t i = 0; i < sizeof b->other / sizeof b->other[0]; i++) {
        struct ledger_meter *l = &b->other[i];
        if (!l->name)
            *l = (struct ledger_meter){.id = 1000 + (int64_t)i,
                                       .name = text_dup(p->name),
                                       .type = p->type,
                                       .basis = p->type == METER_GAUGE ? BASIS_OBSERVED : BASIS_CONSUMED};
        if (text_equal(text_of(l->name), p->name))
            return l;
    }
    return NULL;
}

static struct fake_stream *find(struct fake_book *b, const struct series *s, uint64_t uid)
{
    for (size_t i = 0; i < b->stream_count; i++) {
        struct fake_stream *f = &b->streams[i];
        if (f->resource == s->resource->id && f->meter == s->meter->id && f->stream.uid == uid)
            return f;
    }
    return NULL;
}

static bool stream_recall(struct series_book *self, const struct series *s, uint64_t uid, struct stream *ret)
{
    struct fake_stream *f = find(of(self), s, uid);
    if (!f)
        return false;
    ck_assert(f->parked);
    f->parked = false;
    *ret = f->stream;
    ret->ended = true;
    return true;
}

static bool stream_known(struct series_book *self, const struct series *s, uint64_t uid)
{
    return find(of(self), s, uid) != NULL;
}

static int64_t stream_new(struct series_book *self, const struct series *s, const struct stream *t)
{
    struct fake_book *b = of(self);
    ck_assert_uint_lt(b->stream_count, MAX_KEPT);
    ck_assert_ptr_null(find(b, s, t->uid));
    struct fake_stream *f = &b->streams[b->stream_count++];
    *f = (struct fake_stream){.resource = s->resource->id, .meter = s->meter->id, .stream = *t};
    return f->stream.id = (int64_t)b->stream_count;
}

static void stream_park(struct series_book *self, const struct series *s, const struct stream *t)
{
    struct fake_stream *f = find(of(self), s, t->uid);
    ck_assert_ptr_nonnull(f);
    f->stream = *t;
    f->parked = true;
}

static void usage(struct series_book *self, int64_t period_ms, const struct series *s, const struct stream *t,
                  int64_t stream, int64_t amount, int64_t covered_ms)
{
    struct fake_book *b = of(self);
    (void)t;
    ck_assert(s->meter->basis == BASIS_ALLOCATED || amount >= 0); /* consumed usage is never corrected */
    ck_assert_uint_lt(b->row_count, MAX_ROWS);
    b->rows[b->row_count++] = (struct fake_row){period_ms, stream, amount, covered_ms};
}

static size_t parked_segments(struct series_book *self, const struct series *s, int64_t from_ms, int64_t to_ms,
                              struct segment *out, size_t cap)
{
    struct fake_book *b = of(self);
    size_t n = 0;
    for (size_t i = 0; i < b->stream_count; i++) {
        const struct fake_stream *f = &b->streams[i];
        const struct stream *t = &f->stream;
        if (!f->parked || f->resource != s->resource->id || f->meter != s->meter->id ||
            overlap_ms(t->start_ms, t->last_ms, from_ms, to_ms) == 0)
            continue;
        if (n < cap)
            out[n] = (struct segment){
                .from_ms = t->start_ms, .to_ms = t->last_ms, .uid = t->uid, .running = t->running, .stream = t->id};
        n++;
    }
    return n;
}

static int64_t booked_of(struct series_book *self, int64_t period_ms, int64_t stream)
{
    const struct fake_book *b = of(self);
    int64_t sum = 0;
    for (size_t i = 0; i < b->row_count; i++)
        if (b->rows[i].stream == stream && b->rows[i].period_ms == period_ms)
            sum += b->rows[i].amount;
    return sum;
}

static void step_row(struct series_steps *self, const struct entity *e, const struct resource *r, int64_t step_end_ms)
{
    (void)self;
    (void)e;
    (void)r;
    ck_assert_int_eq(step_end_ms % 60000, 0);
}

void series_start(struct series_rig *r)
{
    memset(r, 0, sizeof *r);
    r->book.port = (struct series_book){.resource = resource,
                                        .meter = meter,
                                        .stream_recall = stream_recall,
                                        .stream_known = stream_known,
                                        .stream_new = stream_new,
                                        .stream_park = stream_park,
                                        .usage = usage,
                                        .segments = parked_segments,
                                        .booked = booked_of};
    r->book.steps.row = step_row;
    r->accountant.book = &r->book.port;
    r->accountant.steps = &r->book.steps;
    r->accountant.rules = (struct series_rules){.period_ms = HOUR * 1000,
                                                .step_ms = 60000,
                                                .late_ms = 40 * DAY * 1000,
                                                .future_ms = HOUR * 1000,
                                                .grace_ms = 600000};
    r->entity = entity_create(TEXT("vm"));
    r->entity->owner = 1;
    r->now_ms = (T0 + 10 * DAY) * 1000;
}

void series_stop(struct series_rig *r)
{
    for (size_t i = 0; i < sizeof r->book.other / sizeof r->book.other[0]; i++)
        free(r->book.other[i].name);
    accountant_finish(&r->accountant);
    record_free(&r->record);
    entity_free(r->entity);
}

void record_begin(struct series_rig *r, const char *state)
{
    record_clear(&r->record);
    r->record.entity = TEXT("vm");
    r->record.state = text_of(state);
}

struct point *add_reading(struct series_rig *r, enum meter_id id, uint64_t uid, int64_t start_s, int64_t time_s,
                          int64_t value)
{
    struct point *p = record_add_point(&r->record);
    ck_assert_ptr_nonnull(p);
    p->meter = meter_at(id);
    p->name = text_of(p->meter->name);
    p->type = p->meter->type;
    p->kind = p->meter->kind;
    p->stream = uid;
    p->start_ns = (T0 + start_s) * 1000000000;
    p->time_ns = (T0 + time_s) * 1000000000;
    p->value = value;
    return p;
}

struct point *add_metric(struct series_rig *r, const char *name, enum meter_type type, int64_t start_s, int64_t time_s,
                         int64_t value)
{
    struct point *p = add_reading(r, METER_CPU, 0, start_s, time_s, value);
    p->meter = NULL;
    p->name = text_of(name);
    p->type = type;
    return p;
}

enum series_refusal apply(struct series_rig *r)
{
    return series_apply(&r->accountant, r->entity, &r->record, r->now_ms);
}

enum series_refusal tell_counter(struct series_rig *r, uint64_t uid, int64_t start_s, int64_t time_s, int64_t value)
{
    record_begin(r, "running");
    add_reading(r, METER_CPU, uid, start_s, time_s, value);
    return apply(r);
}

enum series_refusal tell_size(struct series_rig *r, const char *state, uint64_t uid, int64_t start_s, int64_t time_s,
                              int64_t size)
{
    record_begin(r, state);
    add_reading(r, METER_VCPUS, uid, start_s, time_s, size);
    return apply(r);
}

static bool is_of(const struct series_rig *r, const struct fake_row *row, uint64_t uid)
{
    return uid == 0 || r->book.streams[row->stream - 1].stream.uid == uid;
}

int64_t booked_in(const struct series_rig *r, int64_t hour, uint64_t uid)
{
    int64_t sum = 0;
    for (size_t i = 0; i < r->book.row_count; i++)
        if (r->book.rows[i].period_ms == (T0 + hour * HOUR) * 1000 && is_of(r, &r->book.rows[i], uid))
            sum += r->book.rows[i].amount;
    return sum;
}

int64_t booked(const struct series_rig *r, uint64_t uid)
{
    int64_t sum = 0;
    for (size_t i = 0; i < r->book.row_count; i++)
        sum += is_of(r, &r->book.rows[i], uid) ? r->book.rows[i].amount : 0;
    return sum;
}

size_t rows_of(const struct series_rig *r, uint64_t uid)
{
    size_t count = 0;
    for (size_t i = 0; i < r->book.row_count; i++)
        count += is_of(r, &r->book.rows[i], uid);
    return count;
}

int64_t open_amount(const struct series_rig *r, uint64_t uid)
{
    int64_t sum = 0;
    for (size_t i = 0; i < r->entity->count; i++)
        for (size_t k = 0; k < r->entity->resources[i]->count; k++)
            for (const struct stream *t = r->entity->resources[i]->series[k]->streams; t; t = t->next)
                sum += uid == 0 || t->uid == uid ? t->open_amount : 0;
    return sum;
}

void sweep_until_quiet(struct series_rig *r, int64_t now_s)
{
    for (int i = 0; i < 1000 && r->entity->live; i++)
        series_sweep(&r->accountant, r->entity, (T0 + now_s) * 1000);
    ck_assert(!r->entity->live);
}
