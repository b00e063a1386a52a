/* The outboxes of each host, and how new what came from them is. */
#include "ledger_private.h"

void ledger_put_outbox(struct ledger *l, const struct ledger_outbox *o)
{
    struct db_row *q =
        db_query(l->db, "INSERT INTO outbox(id, host, current, since_ms) VALUES(?1,?2,?3,?4) "
                        "ON CONFLICT DO UPDATE SET current=excluded.current, since_ms=excluded.since_ms");
    db_bind_text(q, 1, text_of(o->id));
    db_bind_text(q, 2, text_of(o->host));
    db_bind_i64(q, 3, o->current);
    db_bind_i64(q, 4, o->since_ms);
    db_run(q);
}

int ledger_each_outbox(struct ledger *l, void (*each)(void *context, const struct ledger_outbox *o), void *context,
                       struct error *error)
{
    struct db_row *q = db_query(l->db, "SELECT id, host, current, since_ms FROM outbox");
    while (db_step(q)) {
        struct ledger_outbox o = {.current = db_i64(q, 2) != 0, .since_ms = db_i64(q, 3)};
        text_copy(db_text(q, 0), o.id, sizeof o.id);
        text_copy(db_text(q, 1), o.host, sizeof o.host);
        each(context, &o);
    }
    db_reset(q);
    return db_check(l->db, error);
}

int64_t ledger_newest_of(struct ledger *l, const char *outbox)
{
    ledger_write_marks(l);
    struct db_row *q = db_query(l->db, "SELECT max(newest_ms) FROM mark WHERE outbox=?1");
    db_bind_text(q, 1, text_of(outbox));
    int64_t newest_ms = db_step(q) ? db_i64(q, 0) : 0;
    db_reset(q);
    return newest_ms;
}
