/* What may leave the outbox (rule R11). */
#include <errno.h>
#include <stdlib.h>

#include "outbox_private.h"
#include "thinning.h"

#define BATCH 2000 /* rows looked at or deleted at once */

static void delete_row(struct outbox *o, int64_t id, int64_t bytes)
{
    struct db_row *q = db_query(o->db, "DELETE FROM record WHERE id=?1");
    db_bind_i64(q, 1, id);
    db_run(q);
    if (db_failed(o->db) || db_changes(o->db) == 0)
        return;
    o->figures.stored--;
    o->figures.bytes -= (uint64_t)bytes;
}

struct row {
    int64_t id, bytes, time_ms;
};

static int by_time(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms);
}

/* The oldest released rows of all lanes, at most BATCH a lane. */
static size_t list_released(struct outbox *o, struct row *rows)
{
    size_t count = 0;
    for (unsigned lane = 0; lane < RECORD_LANES; lane++) {
        struct db_row *q = db_query(o->db, "SELECT id, length(payload), time_ms FROM record WHERE id>?1 AND id<=?2 "
                                           "ORDER BY id LIMIT ?3");
        db_bind_i64(q, 1, outbox_row(lane, 0));
        db_bind_i64(q, 2, outbox_row(lane, o->lanes[lane].mark));
        db_bind_i64(q, 3, BATCH);
        while (db_step(q))
            rows[count++] = (struct row){db_i64(q, 0), db_i64(q, 1), db_i64(q, 2)};
        db_reset(q);
    }
    return count;
}

static bool too_large(const struct outbox *o)
{
    return o->figures.bytes > (uint64_t)o->settings.max_bytes;
}

/* Released ones: those that are too old, and while it is too large the oldest. */
static void drop_released(struct outbox *o, int64_t now_ms)
{
    struct row *rows = malloc(RECORD_LANES * BATCH * sizeof *rows);
    size_t count = rows ? list_released(o, rows) : 0;
    qsort(rows, count, sizeof *rows, by_time);
    for (size_t i = 0; i < count; i++) {
        bool old = rows[i].time_ms < now_ms - o->settings.keep_ms;
        if (!old && !too_large(o))
            break;
        o->figures.dropped_released += !old;
        delete_row(o, rows[i].id, rows[i].bytes);
    }
    free(rows);
}

/* Unreleased readings of one lane, thinned. */
static void thin_lane(struct outbox *o, unsigned lane, int64_t excess)
{
    struct thinning_record *records = calloc(BATCH, sizeof *records);
    int64_t *ids = calloc(BATCH, sizeof *ids);
    struct db_row *q = db_query(o->db, "SELECT id, kind, key, length(payload) FROM record WHERE id>?1 AND id<?2 "
                                       "ORDER BY id LIMIT ?3");
    size_t count = 0;
    db_bind_i64(q, 1, outbox_row(lane, o->lanes[lane].mark));
    db_bind_i64(q, 2, outbox_row(lane + 1, 0));
    db_bind_i64(q, 3, BATCH);
    for (; records && ids && db_step(q); count++) {
        ids[count] = db_i64(q, 0);
        records[count] = (struct thinning_record){.key = text_hash(db_text(q, 2)), .bytes = db_i64(q, 3),
                                                  .edge = db_i64(q, 1) == OUTBOX_EDGE};
    }
    db_reset(q);
    thinning_choose(records, count, excess);
    for (size_t i = 0; i < count; i++) {
        if (!records[i].drop)
            continue;
        delete_row(o, ids[i], records[i].bytes);
        o->figures.thinned++;
    }
    free(records);
    free(ids);
}

static void thin(struct outbox *o)
{
    for (unsigned round = 0; round < 4 && too_large(o); round++) {
        uint64_t before = o->figures.bytes;
        int64_t excess = (int64_t)o->figures.bytes - o->settings.max_bytes;
        for (unsigned lane = 0; lane < RECORD_LANES && too_large(o); lane++)
            thin_lane(o, lane, excess / RECORD_LANES + 1);
        if (o->figures.bytes == before)
            break;
    }
}

int outbox_tidy(struct outbox *o, int64_t now_ms, struct error *error)
{
    struct outbox_figures before = o->figures;
    db_begin(o->db);
    drop_released(o, now_ms);
    if (too_large(o))
        thin(o);
    outbox_write_marks(o);
    int r = db_commit(o->db, error);
    if (r)
        o->figures = before;
    for (unsigned i = 0; i < RECORD_LANES && r == 0; i++) {
        o->lanes[i].mark_dirty = false;
        if (o->figures.stored != before.stored)
            outbox_find_held(o, i);
    }
    if (r == 0)
        r = db_check(o->db, error);
    o->full = r == 0 && too_large(o);
    return r;
}

void outbox_drop(struct outbox *o, unsigned lane, uint64_t sequence)
{
    struct error ignored;
    struct db_row *q = db_query(o->db, "SELECT length(payload) FROM record WHERE id=?1");
    db_bind_i64(q, 1, outbox_row(lane, sequence));
    int64_t bytes = db_step(q) ? db_i64(q, 0) : 0;
    db_reset(q);
    db_begin(o->db);
    delete_row(o, outbox_row(lane, sequence), bytes);
    o->figures.dropped_sent += db_commit(o->db, &ignored) == 0;
    outbox_find_held(o, lane);
    (void)!db_check(o->db, &ignored);
}
