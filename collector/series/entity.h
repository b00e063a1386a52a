/* What the collector keeps in memory of one entity: its resources, their series, and the streams that may still grow.
 *
 * An entity is one packed row of the ledger (entity_pack), rewritten once a commit. Here are shapes and look-up only;
 * series.h says what readings do to them.
 */
#ifndef COLLECTOR_SERIES_ENTITY_H
#define COLLECTOR_SERIES_ENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/buf.h"
#include "pluvio/model/record.h"

#define ENTITY_MAX_RESOURCES 1024 /* disks and interfaces that one VM ever had */
#define ENTITY_MAX_SERIES    4096 /* meters of one resource; readings of more are ignored and counted */

/* A meter as the ledger numbers it; lives as long as the ledger is open. */
struct ledger_meter {
    int64_t id;
    const struct meter *known; /* NULL: another producer's */
    char *name, *unit;
    enum meter_type type;
    enum meter_basis basis;
};

struct stream {
    struct stream *next; /* the one before it in its series */
    int64_t id;          /* the ledger's */
    uint64_t uid;        /* the poller's */
    int64_t start_ms, last_ms;
    int64_t value;                        /* consumed: newest reading, whole usage since start; allocated: the size */
    int64_t base;                         /* consumed, other producers: what its counter had when we first saw it */
    int64_t open_amount, open_covered_ms; /* consumed: what of it lies in the entity's open period */
    int64_t owner;
    bool ended;   /* said its last reading */
    bool running; /* allocated: rank in the union */
};

struct series {
    struct resource *resource;
    const struct ledger_meter *meter;
    int64_t first_ms, last_ms; /* readings, of any basis */
    double newest;             /* observed: the newest reading */
    /* The archive step that is not finished: usage of counters, area (value times ms) of gauges, and what is known. */
    int64_t step_amount, step_known_ms;
    double step_area;
    int64_t late_from_ms, late_to_ms; /* allocated: finished time that came to be claimed; empty: none */
    struct stream *streams;           /* newest first */
};

struct resource {
    int64_t id;
    enum resource_kind kind;
    char *device; /* "" for the entity itself */
    size_t device_len;
    struct series **series;
    size_t count, cap;
};

struct entity {
    char *key;
    bool is_host;
    int64_t last_ms;       /* newest reading */
    int64_t open_ms;       /* start of the open period; 0: none yet */
    int64_t step_ms;       /* start of the open archive step; 0: none yet */
    uint64_t attributes;   /* hash of the newest attributes, for their history */
    int64_t attributes_ms; /* when they were read */
    int64_t owner;         /* of the newest record */
    struct resource **resources;
    size_t count, cap;
    /* Kept in memory only. */
    int64_t row;   /* the ledger's number of the packed row; 0: not written yet */
    bool row_live; /* what that row says of `live` */
    bool dirty, live;
    uint64_t described;    /* hash of the attributes that `owner` was found by */
    struct series **hints; /* where the n-th point of the last record belonged */
    size_t hint_cap;
};

struct entity *entity_create(struct text key);                                /* NULL: out of memory */
void entity_free(struct entity *e);                                           /* takes NULL */
struct resource *entity_resource(const struct entity *e, struct text device); /* NULL: not there */
/* A new one at the end; NULL: out of memory or over a limit. */
struct resource *entity_add_resource(struct entity *e, int64_t id, enum resource_kind kind, struct text device);
struct series *resource_series(const struct resource *r, const struct point *p);
struct series *resource_add_series(struct resource *r, const struct ledger_meter *meter);
struct stream *series_stream(const struct series *s, uint64_t uid);
struct stream *series_add_stream(struct series *s);
/* Is @p a reading of @s? */
bool series_holds(const struct series *s, const struct point *p);

#endif
