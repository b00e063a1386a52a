#include "step.h"

#include <math.h>

#include "split.h"

double step_value(const struct series *s, int64_t step_ms)
{
    if (s->meter->basis == BASIS_CONSUMED)
        return s->step_known_ms || s->step_amount ? (double)s->step_amount * 1000.0 / (double)step_ms : NAN;
    return s->step_known_ms ? s->step_area / (double)s->step_known_ms : NAN;
}

static bool observed(const struct series *s)
{
    return s->step_known_ms || s->step_amount;
}

/* Add the part of @c in [low_ms, high_ms) to its series' open step. */
static void add(const struct change *c, int64_t low_ms, int64_t high_ms)
{
    struct series *s = c->series;
    int64_t known = overlap_ms(c->from_ms, c->to_ms, low_ms, high_ms);
    s->step_known_ms += known;
    if (s->meter->basis == BASIS_CONSUMED)
        s->step_amount += split_within(c->amount, c->from_ms, c->to_ms, low_ms, high_ms);
    else
        s->step_area += c->value * (double)known;
}

static void add_all(struct accountant *a, int64_t low_ms, int64_t high_ms)
{
    for (size_t i = 0; i < a->change_count; i++)
        add(&a->changes[i], low_ms, high_ms);
}

/* What lies before the open step: joins it, or is too late. */
static void add_late(struct accountant *a, const struct entity *e)
{
    int64_t oldest = e->step_ms - a->rules.step_ms;
    for (size_t i = 0; i < a->change_count; i++) {
        const struct change *c = &a->changes[i];
        if (c->from_ms >= e->step_ms)
            continue;
        if (c->from_ms < oldest)
            a->counts.archive_late++;
        if (c->series->meter->basis == BASIS_CONSUMED)
            c->series->step_amount += split_within(c->amount, c->from_ms, c->to_ms, oldest, e->step_ms);
    }
}

static void emit(struct accountant *a, struct entity *e)
{
    for (size_t i = 0; i < e->count; i++) {
        struct resource *r = e->resources[i];
        bool any = false;
        for (size_t k = 0; k < r->count; k++)
            any |= observed(r->series[k]);
        if (!any)
            continue;
        a->steps->row(a->steps, e, r, e->step_ms + a->rules.step_ms);
        for (size_t k = 0; k < r->count; k++) {
            r->series[k]->step_amount = r->series[k]->step_known_ms = 0;
            r->series[k]->step_area = 0;
        }
    }
}

void step_finish(struct accountant *a, struct entity *e)
{
    emit(a, e);
    e->step_ms += a->rules.step_ms;
}

bool step_has_values(const struct entity *e)
{
    for (size_t i = 0; i < e->count; i++)
        for (size_t k = 0; k < e->resources[i]->count; k++)
            if (observed(e->resources[i]->series[k]))
                return true;
    return false;
}

static int64_t earliest(const struct accountant *a, int64_t newest_ms)
{
    int64_t from = newest_ms;
    for (size_t i = 0; i < a->change_count; i++)
        from = a->changes[i].from_ms < from ? a->changes[i].from_ms : from;
    return from;
}

/* Pass over steps in which nothing can be: after a gap, or beyond what the archive takes in at once. */
static void jump(struct accountant *a, struct entity *e, int64_t newest_ms)
{
    int64_t from = earliest(a, newest_ms);
    if (newest_ms - from > STEP_MAX_BACKLOG_MS)
        from = newest_ms - STEP_MAX_BACKLOG_MS;
    from = window_start(from, a->rules.step_ms);
    if (e->step_ms && from <= e->step_ms)
        return;
    if (e->step_ms)
        emit(a, e);
    e->step_ms = from;
}

void step_apply(struct accountant *a, struct entity *e, int64_t newest_ms)
{
    int64_t step = a->rules.step_ms;
    if (a->change_count == 0)
        return;
    jump(a, e, newest_ms);
    add_late(a, e);
    while (e->step_ms + step <= newest_ms) {
        add_all(a, e->step_ms, e->step_ms + step);
        step_finish(a, e);
    }
    add_all(a, e->step_ms, e->step_ms + step);
}
