/* What a record does to its entity: the arithmetic between readings and facts. Without I/O, log or clock: facts go out
 * through two ports, time comes in.
 *
 * Rules L3 to L5: a reading larger than the stream's newest adds the difference, spread evenly from the last reading's
 * time to its own; equal or smaller adds nothing. A size vouches for the span from its stream's start to its reading,
 * and spans only grow. So any order of records and any number of repeats ends in the same ledger.
 */
#ifndef COLLECTOR_SERIES_SERIES_H
#define COLLECTOR_SERIES_SERIES_H

#include "allocation.h"
#include "entity.h"

/* Where facts go: the ledger's open transaction. Failures are the ledger's to remember (its error is sticky). */
struct series_book {
    /* The ledger's number for a resource, made if new; 0: failed. */
    int64_t (*resource)(struct series_book *self, const struct entity *e, enum resource_kind kind, struct text device);
    const struct ledger_meter *(*meter)(struct series_book *self, const struct point *p);
    /* A stream that is not in memory: true and *ret filled if the ledger knows it (it is live again from then on). */
    bool (*stream_recall)(struct series_book *self, const struct series *s, uint64_t uid, struct stream *ret);
    /* The same question, without the stream becoming live. */
    bool (*stream_known)(struct series_book *self, const struct series *s, uint64_t uid);
    int64_t (*stream_new)(struct series_book *self, const struct series *s, const struct stream *t); /* its number */
    void (*stream_park)(struct series_book *self, const struct series *s, const struct stream *t);
    /* Usage of a finished period: consumed units, or allocated ms (negative: a correction). */
    void (*usage)(struct series_book *self, int64_t period_ms, const struct series *s, const struct stream *t,
                  int64_t stream, int64_t amount, int64_t covered_ms);
    /* Parked segments of @s that overlap [from_ms, to_ms): at most @cap into @out; returns how many there are. */
    size_t (*segments)(struct series_book *self, const struct series *s, int64_t from_ms, int64_t to_ms,
                       struct segment *out, size_t cap);
    /* Milliseconds that the period's rows say of @stream. */
    int64_t (*booked)(struct series_book *self, int64_t period_ms, int64_t stream);
};

/* Where finished archive steps go: one call a resource and step in which anything was observed. */
struct series_steps {
    void (*row)(struct series_steps *self, const struct entity *e, const struct resource *r, int64_t step_end_ms);
};

struct series_counts {
    uint64_t readings, older, streams, late, archive_late, ignored;
};

struct series_rules {
    int64_t period_ms; /* of the ledger; divides a day */
    int64_t step_ms;   /* of the finest archive; divides the period */
    int64_t late_ms;   /* streams that nobody knows are refused if they are older */
    int64_t future_ms; /* how far ahead of us a reading may be */
    int64_t grace_ms;  /* how long after its end a period or step of a silent entity is finished */
};

/* One a collector: rules, ports, counts and the scratch of a record. Zero it, set the first four, free the last. */
struct accountant {
    struct series_rules rules;
    struct series_book *book;
    struct series_steps *steps;
    struct series_counts counts;
    struct change *changes; /* what the record at hand adds */
    size_t change_count, change_cap;
    int64_t since_ms;  /* what counters did before is another outbox's to say: set before each record; 0: nothing */
    int64_t newest_ms; /* newest reading of the record that was applied last */
    struct segment *segments; /* scratch of a settlement */
    size_t segment_cap;
    bool failed; /* out of memory: the transaction must be given up */
};
void accountant_finish(struct accountant *a);

enum series_refusal {
    SERIES_FINE,
    SERIES_FROM_THE_FUTURE, /* a reading lies too far ahead of the collector's clock */
    SERIES_TOO_OLD,         /* of a stream that is not known, and older than late data may be (rule L6) */
    SERIES_TOO_MANY,        /* the entity would have more resources than fit */
    SERIES_REFUSALS
};
const char *series_refusal_name(enum series_refusal refusal);

/* Account @r to @e. A refused record has changed nothing. e->owner is the owner of the streams that it opens. */
enum series_refusal series_apply(struct accountant *a, struct entity *e, const struct record *r, int64_t now_ms)
    __attribute__((warn_unused_result));

/* Has @e been silent for so long that a sweep may find something to finish? Cheap. */
bool series_due(const struct accountant *a, const struct entity *e, int64_t now_ms);

/* Finish what a silent entity left open; sets e->live to whether there is more to finish later. */
void series_sweep(struct accountant *a, struct entity *e, int64_t now_ms);

/* One thing that a record adds: a counter's @amount over [from_ms, to_ms], or a gauge's value that holds for it. */
struct change {
    struct series *series;
    struct stream *stream; /* NULL: observed only */
    int64_t from_ms, to_ms;
    int64_t amount; /* counters */
    double value;   /* gauges */
};

#endif
