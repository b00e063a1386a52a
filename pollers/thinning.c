#include "thinning.h"

#include <stdlib.h>
#include <string.h>

#define PROBES 16

/* What the sweep remembers of an entity. */
struct entity {
    bool known, has_candidate;
    int64_t kept_ms;                  /* of the newest that stays for sure */
    struct thinning_record candidate; /* newer than that; stays unless the next one is near enough */
};

struct thinning {
    int64_t gap_ms;
    int64_t narrowest_ms; /* of what was too wide for the gap; 0: nothing was */
    struct entity entities[2 * THINNING_ENTITIES];
};

struct thinning *thinning_create(void)
{
    return calloc(1, sizeof(struct thinning));
}

void thinning_destroy(struct thinning *t)
{
    free(t);
}

void thinning_begin(struct thinning *t, int64_t gap_ms)
{
    memset(t, 0, sizeof *t);
    t->gap_ms = gap_ms;
}

void thinning_resume(struct thinning *t, int64_t gap_ms)
{
    thinning_begin(t, gap_ms);
    t->narrowest_ms = gap_ms;
}

static struct entity *entity_of(struct thinning *t, uint64_t key)
{
    for (uint64_t i = 0; i < PROBES; i++) {
        struct entity *e = &t->entities[(key + i) % (2 * THINNING_ENTITIES)];
        if (!e->known || e->candidate.key == key)
            return e;
    }
    return NULL;
}

static bool near_enough(struct thinning *t, int64_t from_ms, int64_t to_ms)
{
    int64_t apart_ms = to_ms - from_ms;
    if (apart_ms < 0) /* the clock was set back */
        return false;
    if (apart_ms <= t->gap_ms)
        return true;
    if (t->narrowest_ms == 0 || apart_ms < t->narrowest_ms)
        t->narrowest_ms = apart_ms;
    return false;
}

bool thinning_next(struct thinning *t, const struct thinning_record *record, struct thinning_record *ret)
{
    if (record->event) {
        *ret = *record;
        return true;
    }
    struct entity *e = entity_of(t, record->key);
    if (!e)
        return false;
    bool drop = e->has_candidate && !record->edge && near_enough(t, e->kept_ms, record->time_ms);
    if (drop)
        *ret = e->candidate;
    else if (e->has_candidate)
        e->kept_ms = e->candidate.time_ms;
    e->has_candidate = e->known && !record->edge;
    if (!e->has_candidate)
        e->kept_ms = record->time_ms;
    e->known = true;
    e->candidate = *record;
    return drop;
}

int64_t thinning_next_gap_ms(const struct thinning *t)
{
    int64_t least_ms = t->narrowest_ms + t->narrowest_ms / 4; /* intervals are not the same to the millisecond */
    if (t->narrowest_ms == 0)
        return 0;
    return least_ms > 2 * t->gap_ms ? least_ms : 2 * t->gap_ms;
}
