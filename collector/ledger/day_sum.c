#include "day_sum.h"

#include <errno.h>
#include <stdlib.h>

static size_t slot_of(const struct day_sums *d, int64_t day_ms, int64_t owner, int64_t meter)
{
    uint64_t h = (uint64_t)(day_ms / 86400000) * 0x9e3779b97f4a7c15ULL ^ (uint64_t)owner * 0xff51afd7ed558ccdULL ^
                 (uint64_t)meter * 0xc4ceb9fe1a85ec53ULL;
    h ^= h >> 31;
    size_t i = h & (d->cap - 1);
    while (d->slots[i].used &&
           !(d->slots[i].day_ms == day_ms && d->slots[i].owner == owner && d->slots[i].meter == meter))
        i = (i + 1) & (d->cap - 1);
    return i;
}

static int grow(struct day_sums *d)
{
    struct day_sums wider = {.cap = d->cap ? 2 * d->cap : 256, .count = d->count};
    wider.slots = calloc(wider.cap, sizeof *wider.slots);
    if (!wider.slots)
        return -ENOMEM;
    for (size_t i = 0; i < d->cap; i++)
        if (d->slots[i].used)
            wider.slots[slot_of(&wider, d->slots[i].day_ms, d->slots[i].owner, d->slots[i].meter)] = d->slots[i];
    free(d->slots);
    *d = wider;
    return 0;
}

int day_sums_add(struct day_sums *d, int64_t day_ms, int64_t owner, int64_t meter, wide quantity, int64_t covered_ms)
{
    if (2 * (d->count + 1) > d->cap && grow(d))
        return -ENOMEM;
    struct day_sum *s = &d->slots[slot_of(d, day_ms, owner, meter)];
    if (!s->used) {
        *s = (struct day_sum){.used = true, .day_ms = day_ms, .owner = owner, .meter = meter};
        d->count++;
    }
    s->quantity += quantity;
    s->covered_ms += covered_ms;
    return 0;
}

static void write_one(const struct day_sum *s, struct db *db)
{
    struct db_row *q =
        db_query(db, "SELECT high, low, covered_ms FROM day_sum WHERE day_ms=?1 AND owner=?2 AND meter=?3");
    wide quantity = s->quantity;
    int64_t covered = s->covered_ms;
    db_bind_i64(q, 1, s->day_ms);
    db_bind_i64(q, 2, s->owner);
    db_bind_i64(q, 3, s->meter);
    if (db_step(q)) {
        quantity += wide_join(db_i64(q, 0), db_i64(q, 1));
        covered += db_i64(q, 2);
    }
    db_reset(q);
    q = db_query(db, "INSERT OR REPLACE INTO day_sum(day_ms, owner, meter, high, low, covered_ms) "
                     "VALUES(?1,?2,?3,?4,?5,?6)");
    db_bind_i64(q, 1, s->day_ms);
    db_bind_i64(q, 2, s->owner);
    db_bind_i64(q, 3, s->meter);
    db_bind_i64(q, 4, wide_high(quantity));
    db_bind_i64(q, 5, wide_low(quantity));
    db_bind_i64(q, 6, covered);
    db_run(q);
}

void day_sums_write(struct day_sums *d, struct db *db)
{
    for (size_t i = 0; i < d->cap && d->count; i++)
        if (d->slots[i].used)
            write_one(&d->slots[i], db);
    day_sums_clear(d);
}

void day_sums_clear(struct day_sums *d)
{
    if (d->count)
        memset(d->slots, 0, d->cap * sizeof *d->slots);
    d->count = 0;
}

void day_sums_free(struct day_sums *d)
{
    free(d->slots);
    *d = (struct day_sums){0};
}
