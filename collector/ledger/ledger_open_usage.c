/* What has no rows yet: the open periods in the entities' packed rows. */
#include <errno.h>
#include <stdlib.h>

#include "collector/series/allocation.h"
#include "collector/series/entity_pack.h"
#include "collector/series/split.h"
#include "ledger_reader.h"

static void visit(struct ledger_reader *l, struct db_row *q, void (*each)(void *context, const struct entity *e),
                  void *context)
{
    struct entity *e = entity_unpack(db_text(q, 0), db_blob(q, 1), reader_meter_lookup, l);
    if (!e) {
        db_fail(l->db, -EUCLEAN, "%s: the packed row of entity %.*s is damaged", db_path(l->db),
                TEXT_ARG(db_text(q, 0)));
        return;
    }
    each(context, e);
    entity_free(e);
}

void reader_each_entity(struct ledger_reader *l, struct text entity,
                        void (*each)(void *context, const struct entity *e), void *context)
{
    struct db_row *q = entity.len ? db_query(l->db, "SELECT key, packed FROM entity WHERE key=?1")
                                  : db_query(l->db, "SELECT key, packed FROM entity ORDER BY id");
    if (entity.len)
        db_bind_text(q, 1, entity);
    while (db_step(q))
        visit(l, q, each, context);
    db_reset(q);
}

struct walk {
    struct ledger_reader *reader;
    void (*each)(void *context, const struct open_usage *o);
    void *context;
};

static void open_consumed(const struct walk *w, struct open_usage *o)
{
    for (const struct stream *t = o->series->streams; t; t = t->next) {
        if (!t->open_amount && !t->open_covered_ms)
            continue;
        o->stream = t;
        o->amount = t->open_amount;
        o->covered_ms = t->open_covered_ms;
        w->each(w->context, o);
    }
}

static void open_allocated(const struct walk *w, struct open_usage *o)
{
    size_t count = 0, i = 0;
    for (const struct stream *t = o->series->streams; t; t = t->next)
        count++;
    struct segment *segments = count ? calloc(count, sizeof *segments) : NULL;
    if (!segments)
        return;
    for (const struct stream *t = o->series->streams; t; t = t->next)
        segments[i++] =
            (struct segment){.from_ms = t->start_ms, .to_ms = t->last_ms, .uid = t->uid, .running = t->running};
    if (allocation_divide(segments, count, o->period_ms, o->period_ms + w->reader->period_ms))
        db_fail(w->reader->db, -ENOMEM, "out of memory");
    i = 0;
    for (const struct stream *t = o->series->streams; t; t = t->next, i++) {
        if (!segments[i].won_ms)
            continue;
        o->stream = t;
        o->amount = o->covered_ms = segments[i].won_ms;
        w->each(w->context, o);
    }
    free(segments);
}

static void open_entity(void *context, const struct entity *e)
{
    const struct walk *w = context;
    for (size_t i = 0; i < e->count; i++) {
        for (size_t k = 0; k < e->resources[i]->count; k++) {
            struct open_usage o = {.entity = e,
                                   .resource = e->resources[i],
                                   .series = e->resources[i]->series[k],
                                   .period_ms = e->open_ms};
            if (o.series->meter->basis == BASIS_CONSUMED)
                open_consumed(w, &o);
            else if (o.series->meter->basis == BASIS_ALLOCATED)
                open_allocated(w, &o);
        }
    }
}

void reader_each_open(struct ledger_reader *l, struct text entity,
                      void (*each)(void *context, const struct open_usage *o), void *context)
{
    struct walk w = {l, each, context};
    reader_each_entity(l, entity, open_entity, &w);
}
