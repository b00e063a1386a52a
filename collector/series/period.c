#include "period.h"

#include <stdlib.h>

#include "split.h"

/* Account the part of @c that lies in [low_ms, high_ms), period by period. */
static void book_change(struct accountant *a, struct entity *e, const struct change *c, int64_t low_ms, int64_t high_ms)
{
    int64_t length = a->rules.period_ms;
    int64_t from = c->from_ms > low_ms ? c->from_ms : low_ms;
    if (from >= high_ms || (c->to_ms <= low_ms && c->from_ms < low_ms))
        return;
    for (int64_t p = window_start(from, length); p < high_ms && (p < c->to_ms || p <= c->from_ms); p += length) {
        int64_t amount = split_within(c->amount, c->from_ms, c->to_ms, p, p + length);
        int64_t covered = overlap_ms(c->from_ms, c->to_ms, p, p + length);
        if (p == e->open_ms) {
            c->stream->open_amount += amount;
            c->stream->open_covered_ms += covered;
        } else if (amount || covered) {
            a->counts.late += p < e->open_ms;
            a->book->usage(a->book, p, c->series, c->stream, c->stream->id, amount, covered);
        }
    }
}

static void book_changes(struct accountant *a, struct entity *e, int64_t low_ms, int64_t high_ms)
{
    for (size_t i = 0; i < a->change_count; i++)
        if (a->changes[i].stream && a->changes[i].series->meter->basis == BASIS_CONSUMED)
            book_change(a, e, &a->changes[i], low_ms, high_ms);
}

static bool room_for_segments(struct accountant *a, size_t count)
{
    if (count <= a->segment_cap)
        return true;
    struct segment *wider = realloc(a->segments, count * sizeof *wider);
    if (!wider) {
        a->failed = true;
        return false;
    }
    a->segments = wider;
    a->segment_cap = count;
    return true;
}

/* Parked segments of @s that touch the period into a->segments, which then has room for @more. */
static size_t gather_parked(struct accountant *a, const struct series *s, int64_t period_ms, int64_t end_ms,
                            size_t more)
{
    if (!room_for_segments(a, more + 8))
        return 0;
    size_t room = a->segment_cap - more, n = a->book->segments(a->book, s, period_ms, end_ms, a->segments, room);
    if (n <= room)
        return n;
    if (!room_for_segments(a, more + n))
        return 0;
    a->book->segments(a->book, s, period_ms, end_ms, a->segments, n);
    return n;
}

/* Live and parked segments of @s that touch the period into a->segments. */
static size_t gather(struct accountant *a, const struct series *s, int64_t period_ms)
{
    int64_t end = period_ms + a->rules.period_ms;
    size_t live = 0;
    for (const struct stream *t = s->streams; t; t = t->next)
        live += overlap_ms(t->start_ms, t->last_ms, period_ms, end) > 0;
    size_t n = gather_parked(a, s, period_ms, end, live);
    if (a->failed)
        return 0;
    for (const struct stream *t = s->streams; t; t = t->next)
        if (overlap_ms(t->start_ms, t->last_ms, period_ms, end) > 0)
            a->segments[n++] = (struct segment){
                .from_ms = t->start_ms, .to_ms = t->last_ms, .uid = t->uid, .running = t->running, .stream = t->id};
    return n;
}

/* Make a finished period's rows of an allocated meter say what the union of its segments says. */
static void settle(struct accountant *a, const struct series *s, int64_t period_ms)
{
    size_t count = gather(a, s, period_ms);
    if (allocation_divide(a->segments, count, period_ms, period_ms + a->rules.period_ms)) {
        a->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t missing = a->segments[i].won_ms - a->book->booked(a->book, period_ms, a->segments[i].stream);
        if (missing)
            a->book->usage(a->book, period_ms, s, NULL, a->segments[i].stream, missing, missing);
    }
}

static void settle_range(struct accountant *a, const struct series *s, int64_t from_ms, int64_t to_ms)
{
    for (int64_t p = window_start(from_ms, a->rules.period_ms); p < to_ms; p += a->rules.period_ms)
        settle(a, s, p);
}

/* Finished time that was claimed only now. */
static void settle_late(struct accountant *a, struct entity *e)
{
    for (size_t i = 0; i < a->change_count; i++) {
        struct series *s = a->changes[i].series;
        if (s->late_to_ms <= s->late_from_ms)
            continue;
        int64_t to = s->late_to_ms < e->open_ms ? s->late_to_ms : e->open_ms;
        settle_range(a, s, s->late_from_ms, to);
        a->counts.late++;
        s->late_from_ms = s->late_to_ms = 0;
    }
}

/* Write out what the streams of @s did in the open period. */
static void finish_series(struct accountant *a, struct series *s, int64_t open_ms, int64_t next_open_ms)
{
    int64_t newest = 0;
    for (struct stream *t = s->streams; t; t = t->next) {
        newest = t->last_ms > newest ? t->last_ms : newest;
        if (t->open_amount || t->open_covered_ms)
            a->book->usage(a->book, open_ms, s, t, t->id, t->open_amount, t->open_covered_ms);
        t->open_amount = t->open_covered_ms = 0;
    }
    if (s->meter->basis == BASIS_ALLOCATED && newest > open_ms)
        settle_range(a, s, open_ms, next_open_ms < newest ? next_open_ms : newest);
}

/* Streams that will hardly grow again leave memory: they said so, or another has taken their place long ago. */
static void park(struct accountant *a, struct series *s, int64_t open_ms)
{
    for (struct stream **at = &s->streams; *at;) {
        struct stream *t = *at;
        bool over = t->ended ? t->last_ms <= open_ms : at != &s->streams && t->last_ms < open_ms - a->rules.period_ms;
        if (!over || t->open_amount || t->open_covered_ms) { /* usage of the very moment that the period began */
            at = &t->next;
            continue;
        }
        a->book->stream_park(a->book, s, t);
        *at = t->next;
        free(t);
    }
}

void period_finish(struct accountant *a, struct entity *e, int64_t next_open_ms)
{
    for (size_t i = 0; i < e->count; i++)
        for (size_t k = 0; k < e->resources[i]->count; k++)
            finish_series(a, e->resources[i]->series[k], e->open_ms, next_open_ms);
    e->open_ms = next_open_ms;
}

void period_park(struct accountant *a, struct entity *e)
{
    for (size_t i = 0; i < e->count; i++)
        for (size_t k = 0; k < e->resources[i]->count; k++)
            park(a, e->resources[i]->series[k], e->open_ms);
}

void period_apply(struct accountant *a, struct entity *e, int64_t newest_ms)
{
    int64_t length = a->rules.period_ms;
    int64_t end = e->open_ms + length;
    book_changes(a, e, 0, end);
    if (newest_ms >= end) {
        period_finish(a, e, window_start(newest_ms, length));
        book_changes(a, e, end, INT64_MAX);
        settle_late(a, e);
        period_park(a, e);
    } else {
        settle_late(a, e);
    }
}

bool period_has_usage(const struct entity *e)
{
    for (size_t i = 0; i < e->count; i++)
        for (size_t k = 0; k < e->resources[i]->count; k++)
            for (const struct stream *t = e->resources[i]->series[k]->streams; t; t = t->next)
                if (t->open_amount || t->open_covered_ms ||
                    (e->resources[i]->series[k]->meter->basis == BASIS_ALLOCATED && t->last_ms > e->open_ms))
                    return true;
    return false;
}
