/* What may leave the outbox (rule R11). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outbox_private.h"
#include "thinning.h"

#define BATCH 2000 /* rows looked at or deleted at once */

/* False: it is gone already, or the store failed. */
static bool delete_row(struct outbox *o, int64_t id, int64_t bytes)
{
    struct db_row *q = db_query(o->db, "DELETE FROM record WHERE id=?1");
    db_bind_i64(q, 1, id);
    db_run(q);
    if (db_failed(o->db) || db_changes(o->db) == 0)
        return false;
    o->figures.stored--;
    o->figures.bytes -= (uint64_t)bytes;
    return true;
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

/* ---- thinning ---- */

/* A lane's next rows of the sweep under way; returns how many. */
static size_t list_unreleased(struct outbox *o, unsigned lane, struct thinning_record *records)
{
    const struct outbox_lane *l = &o->lanes[lane];
    struct db_row *q = db_query(o->db, "SELECT id, kind, key, length(payload), time_ms FROM record "
                                       "WHERE id>?1 AND id<?2 ORDER BY id LIMIT ?3");
    size_t count = 0;
    db_bind_i64(q, 1, outbox_row(lane, l->swept > l->mark ? l->swept : l->mark));
    db_bind_i64(q, 2, outbox_row(lane + 1, 0));
    db_bind_i64(q, 3, BATCH);
    while (db_step(q))
        records[count++] = (struct thinning_record){.key = text_hash(db_text(q, 2)),
                                                    .id = db_i64(q, 0),
                                                    .bytes = db_i64(q, 3),
                                                    .time_ms = db_i64(q, 4),
                                                    .edge = db_i64(q, 1) == OUTBOX_EDGE,
                                                    .event = db_i64(q, 1) == OUTBOX_EVENT};
    db_reset(q);
    return count;
}

/* Go on until @need bytes are freed or a batch is through; returns how many records were looked at. */
static size_t sweep(struct outbox *o, unsigned lane, struct thinning_record *records, int64_t need)
{
    struct outbox_lane *l = &o->lanes[lane];
    uint64_t enough = o->figures.bytes > (uint64_t)need ? o->figures.bytes - (uint64_t)need : 0;
    size_t count = list_unreleased(o, lane, records), i = 0;
    for (; i < count && o->figures.bytes > enough; i++) {
        struct thinning_record gone;
        l->swept = (uint64_t)(records[i].id - outbox_row(lane, 0));
        l->mark_dirty = true;
        if (thinning_next(l->thinning, &records[i], &gone))
            o->figures.thinned += delete_row(o, gone.id, gone.bytes);
    }
    return i;
}

static void sweep_anew(struct outbox_lane *l, int64_t gap_ms)
{
    l->gap_ms = gap_ms;
    l->swept = 0;
    l->mark_dirty = true;
    thinning_begin(l->thinning, gap_ms);
}

/* One turn of a lane: go on with its sweep. False: it is at its end, or the store failed. */
static bool thin_lane(struct outbox *o, unsigned lane, struct thinning_record *records, int64_t need)
{
    struct outbox_lane *l = &o->lanes[lane];
    if (!l->thinning) {
        l->thinning = thinning_create();
        if (!l->thinning)
            return false;
        thinning_resume(l->thinning, l->gap_ms);
    }
    bool more = sweep(o, lane, records, need) > 0;
    if (l->gap_ms == 0 && thinning_next_gap_ms(l->thinning)) /* a batch is enough to learn the first gap */
        sweep_anew(l, thinning_next_gap_ms(l->thinning));
    return more && !db_failed(o->db);
}

static int64_t next_gap_ms(const struct outbox_lane *l)
{
    return l->thinning ? thinning_next_gap_ms(l->thinning) : 0;
}

/* All sweeps are through: the lanes with the finest picture begin the next. False: nothing is left that may go. */
static bool coarsen(struct outbox *o)
{
    int64_t least_ms = INT64_MAX;
    for (unsigned i = 0; i < RECORD_LANES; i++)
        if (next_gap_ms(&o->lanes[i]) && o->lanes[i].gap_ms < least_ms)
            least_ms = o->lanes[i].gap_ms;
    for (unsigned i = 0; i < RECORD_LANES; i++)
        if (next_gap_ms(&o->lanes[i]) && o->lanes[i].gap_ms == least_ms)
            sweep_anew(&o->lanes[i], next_gap_ms(&o->lanes[i]));
    return least_ms < INT64_MAX;
}

/* All lanes have their turns, a small share each, so that all VMs lose alike, and all sweeps end before a wider one
 * begins, so that none loses what is old for the sake of another's that is new. */
static void thin(struct outbox *o)
{
    struct thinning_record *records = calloc(BATCH, sizeof *records);
    bool more = records != NULL;
    while (more && too_large(o) && !db_failed(o->db)) {
        int64_t share = ((int64_t)o->figures.bytes - o->settings.max_bytes) / RECORD_LANES + 1;
        more = false;
        for (unsigned i = 0; i < RECORD_LANES && too_large(o); i++)
            more |= thin_lane(o, i, records, share);
        if (!more && too_large(o))
            more = coarsen(o);
    }
    free(records);
}

/* With nothing left that is not released, the next outage begins with a fine picture. */
static void forget_thinning(struct outbox_lane *l)
{
    l->mark_dirty |= l->gap_ms != 0 || l->swept != 0;
    l->gap_ms = 0;
    l->swept = 0;
    thinning_destroy(l->thinning);
    l->thinning = NULL;
}

/* What the sweeps remember holds of a store that has forgotten it: begin them where the store has them. */
static void undo(struct outbox *o, const struct outbox_lane *lanes, const struct outbox_figures *figures)
{
    o->figures = *figures;
    for (unsigned i = 0; i < RECORD_LANES; i++) {
        thinning_destroy(o->lanes[i].thinning);
        o->lanes[i] = lanes[i];
        o->lanes[i].thinning = NULL;
    }
}

int outbox_tidy(struct outbox *o, int64_t now_ms, struct error *error)
{
    struct outbox_figures before = o->figures;
    struct outbox_lane lanes[RECORD_LANES];
    memcpy(lanes, o->lanes, sizeof lanes);
    for (unsigned i = 0; i < RECORD_LANES; i++)
        if (o->lanes[i].held <= o->lanes[i].mark)
            forget_thinning(&o->lanes[i]);
    db_begin(o->db);
    drop_released(o, now_ms);
    if (too_large(o))
        thin(o);
    outbox_write_marks(o);
    if (o->figures.stored != before.stored)
        outbox_write_sums(o, o->figures.stored, o->figures.bytes);
    int r = db_commit(o->db, error);
    if (r)
        undo(o, lanes, &before);
    for (unsigned i = 0; i < RECORD_LANES && r == 0; i++) {
        o->lanes[i].mark_dirty = false;
        if (o->figures.stored != before.stored)
            outbox_find_held(o, i);
    }
    if (r == 0)
        r = db_check(o->db, error);
    o->full = r == 0 && too_large(o);
    return outbox_note(o, r, error);
}

void outbox_drop(struct outbox *o, unsigned lane, uint64_t sequence)
{
    struct error error;
    struct outbox_figures before = o->figures;
    struct db_row *q = db_query(o->db, "SELECT length(payload) FROM record WHERE id=?1");
    db_bind_i64(q, 1, outbox_row(lane, sequence));
    int64_t bytes = db_step(q) ? db_i64(q, 0) : 0;
    db_reset(q);
    db_begin(o->db);
    if (delete_row(o, outbox_row(lane, sequence), bytes))
        outbox_write_sums(o, o->figures.stored, o->figures.bytes);
    if (outbox_note(o, db_commit(o->db, &error), &error))
        o->figures = before;
    else
        o->figures.dropped_sent++;
    outbox_find_held(o, lane);
    outbox_note(o, db_check(o->db, &error), &error);
}
