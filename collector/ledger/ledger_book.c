/* The ledger as the book that series write into. */
#include <errno.h>
#include <stdio.h>

#include "collector/series/split.h"
#include "ledger_private.h"

#define DAY_MS 86400000LL

static struct ledger *ledger_of(struct series_book *book)
{
    return (struct ledger *)book;
}

static int64_t book_resource(struct series_book *self, const struct entity *e, enum resource_kind kind,
                             struct text device)
{
    struct ledger *l = ledger_of(self);
    struct db_row *q = db_query(l->db, "INSERT INTO resource(key, entity, kind, device) VALUES(?1,?2,?3,?4) "
                                       "ON CONFLICT(key) DO UPDATE SET kind=kind RETURNING id");
    buf_clear(&l->scratch);
    buf_add_string(&l->scratch, e->key);
    if (device.len)
        buf_add_char(&l->scratch, '-');
    buf_add_text(&l->scratch, device);
    db_bind_text(q, 1, buf_text(&l->scratch));
    db_bind_text(q, 2, text_of(e->key));
    db_bind_i64(q, 3, kind);
    db_bind_text(q, 4, device.data ? device : TEXT(""));
    int64_t id = db_step(q) ? db_i64(q, 0) : 0;
    db_reset(q);
    return id;
}

static const struct ledger_meter *book_meter(struct series_book *self, const struct point *p)
{
    return ledger_meter_of(ledger_of(self), p);
}

/* From here on the entity's packed row has it: the stream's own row says so. */
static void unpark(struct ledger *l, int64_t id)
{
    struct db_row *q = db_query(l->db, "UPDATE stream SET value=NULL, last_ms=NULL WHERE id=?1");
    db_bind_i64(q, 1, id);
    db_run(q);
}

static bool book_stream_recall(struct series_book *self, const struct series *s, uint64_t uid, struct stream *ret)
{
    struct ledger *l = ledger_of(self);
    struct db_row *q = db_query(l->db, "SELECT id, start_ms, owner, size, running, base, value, last_ms FROM stream "
                                       "WHERE resource=?1 AND meter=?2 AND uid=?3");
    db_bind_i64(q, 1, s->resource->id);
    db_bind_i64(q, 2, s->meter->id);
    db_bind_i64(q, 3, (int64_t)uid);
    bool known = db_step(q);
    if (known)
        *ret = (struct stream){.id = db_i64(q, 0),
                               .uid = uid,
                               .start_ms = db_i64(q, 1),
                               .owner = db_i64(q, 2),
                               .running = db_i64(q, 4) != 0,
                               .base = db_i64(q, 5),
                               .value = s->meter->basis == BASIS_ALLOCATED ? db_i64(q, 3) : db_i64(q, 6),
                               .last_ms = db_i64(q, 7),
                               .ended = true};
    db_reset(q);
    if (known)
        unpark(l, ret->id);
    return known;
}

static bool book_stream_known(struct series_book *self, const struct series *s, uint64_t uid)
{
    struct db_row *q = db_query(ledger_of(self)->db, "SELECT 1 FROM stream WHERE resource=?1 AND meter=?2 AND uid=?3");
    db_bind_i64(q, 1, s->resource->id);
    db_bind_i64(q, 2, s->meter->id);
    db_bind_i64(q, 3, (int64_t)uid);
    bool known = db_step(q);
    db_reset(q);
    return known;
}

static int64_t book_stream_new(struct series_book *self, const struct series *s, const struct stream *t)
{
    struct ledger *l = ledger_of(self);
    struct db_row *q = db_query(l->db, "INSERT INTO stream(resource, meter, uid, start_ms, owner, size, running, base) "
                                       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
    db_bind_i64(q, 1, s->resource->id);
    db_bind_i64(q, 2, s->meter->id);
    db_bind_i64(q, 3, (int64_t)t->uid);
    db_bind_i64(q, 4, t->start_ms);
    db_bind_i64(q, 5, t->owner);
    if (s->meter->basis == BASIS_ALLOCATED)
        db_bind_i64(q, 6, t->value);
    else
        db_bind_null(q, 6);
    db_bind_i64(q, 7, t->running);
    db_bind_i64(q, 8, t->base);
    db_run(q);
    return db_last_id(l->db);
}

static void book_stream_park(struct series_book *self, const struct series *s, const struct stream *t)
{
    struct ledger *l = ledger_of(self);
    struct db_row *q = db_query(l->db, "UPDATE stream SET value=?1, last_ms=?2, base=?3 WHERE id=?4");
    (void)s;
    db_bind_i64(q, 1, t->value);
    db_bind_i64(q, 2, t->last_ms);
    db_bind_i64(q, 3, t->base);
    db_bind_i64(q, 4, t->id);
    db_run(q);
}

static void stream_owner_size(struct ledger *l, int64_t stream, int64_t *owner, int64_t *size)
{
    struct db_row *q = db_query(l->db, "SELECT owner, size FROM stream WHERE id=?1");
    db_bind_i64(q, 1, stream);
    if (db_step(q)) {
        *owner = db_i64(q, 0);
        *size = db_i64(q, 1);
    }
    db_reset(q);
}

static void book_usage(struct series_book *self, int64_t period_ms, const struct series *s, const struct stream *t,
                       int64_t stream, int64_t amount, int64_t covered_ms)
{
    struct ledger *l = ledger_of(self);
    struct db_row *q = db_query(l->db, "INSERT INTO usage(period_ms, stream, commit_no, amount, covered_ms) "
                                       "VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET "
                                       "amount=amount+excluded.amount, covered_ms=covered_ms+excluded.covered_ms");
    db_bind_i64(q, 1, period_ms);
    db_bind_i64(q, 2, stream);
    db_bind_i64(q, 3, (int64_t)ledger_commit_number(l));
    db_bind_i64(q, 4, amount);
    db_bind_i64(q, 5, covered_ms);
    db_run(q);
    l->wrote_usage = true;
    int64_t owner = t ? t->owner : 0, size = 0;
    if (!t)
        stream_owner_size(l, stream, &owner, &size);
    wide quantity = s->meter->basis == BASIS_ALLOCATED ? (wide)amount * size : (wide)amount;
    if (day_sums_add(&l->days, window_start(period_ms, DAY_MS), owner, s->meter->id, quantity, covered_ms))
        db_fail(l->db, -ENOMEM, "out of memory for day sums");
}

static size_t book_segments(struct series_book *self, const struct series *s, int64_t from_ms, int64_t to_ms,
                            struct segment *out, size_t cap)
{
    struct ledger *l = ledger_of(self);
    struct db_row *q = db_query(l->db, "SELECT id, uid, start_ms, last_ms, running FROM stream WHERE resource=?1 AND "
                                       "meter=?2 AND last_ms>?3 AND start_ms<?4 ORDER BY id");
    size_t count = 0;
    db_bind_i64(q, 1, s->resource->id);
    db_bind_i64(q, 2, s->meter->id);
    db_bind_i64(q, 3, from_ms);
    db_bind_i64(q, 4, to_ms);
    for (; db_step(q); count++)
        if (count < cap)
            out[count] = (struct segment){.stream = db_i64(q, 0),
                                          .uid = (uint64_t)db_i64(q, 1),
                                          .from_ms = db_i64(q, 2),
                                          .to_ms = db_i64(q, 3),
                                          .running = db_i64(q, 4) != 0};
    db_reset(q);
    return count;
}

static int64_t book_booked(struct series_book *self, int64_t period_ms, int64_t stream)
{
    struct ledger *l = ledger_of(self);
    struct db_row *q = db_query(l->db, "SELECT sum(amount) FROM usage WHERE period_ms=?1 AND stream=?2");
    db_bind_i64(q, 1, period_ms);
    db_bind_i64(q, 2, stream);
    int64_t amount = db_step(q) ? db_i64(q, 0) : 0;
    db_reset(q);
    return amount;
}

struct series_book *ledger_book(struct ledger *l)
{
    return &l->book;
}

void ledger_book_init(struct ledger *l)
{
    l->book = (struct series_book){.resource = book_resource,
                                   .meter = book_meter,
                                   .stream_recall = book_stream_recall,
                                   .stream_known = book_stream_known,
                                   .stream_new = book_stream_new,
                                   .stream_park = book_stream_park,
                                   .usage = book_usage,
                                   .segments = book_segments,
                                   .booked = book_booked};
}
