/* Reading: the hosts' outboxes. */
#include <errno.h>
#include <stdlib.h>

#include "ledger_reader.h"

static void read_row(struct db_row *q, struct host_row *row)
{
    text_copy(db_text(q, 0), row->host, sizeof row->host);
    text_copy(db_text(q, 1), row->outbox, sizeof row->outbox);
    row->current = db_i64(q, 2) != 0;
    row->since_ms = db_i64(q, 3);
    row->newest_ms = db_i64(q, 4);
    row->seen_ms = db_i64(q, 5);
}

int ledger_hosts(struct ledger_reader *l, struct text after, size_t limit, struct host_page *ret, struct error *error)
{
    *ret = (struct host_page){.rows = calloc(limit ? limit : 1, sizeof *ret->rows)};
    if (!ret->rows)
        return error_set(error, -ENOMEM, "out of memory");
    struct db_row *q = db_query(l->db, "SELECT o.host, o.id, o.current, o.since_ms, max(m.newest_ms), max(m.seen_ms) "
                                       "FROM outbox o LEFT JOIN mark m ON m.outbox = o.id WHERE ?1='' OR "
                                       "(o.host, o.id) > (SELECT host, id FROM outbox WHERE id=?1) "
                                       "GROUP BY o.id ORDER BY o.host, o.id LIMIT ?2");
    db_bind_text(q, 1, after.data ? after : TEXT(""));
    db_bind_i64(q, 2, (int64_t)limit + 1);
    while (db_step(q)) {
        if (ret->count == limit)
            ret->more = true;
        else
            read_row(q, &ret->rows[ret->count++]);
    }
    db_reset(q);
    int r = db_check(l->db, error);
    if (r)
        host_page_free(ret);
    return r;
}

void host_page_free(struct host_page *p)
{
    free(p->rows);
    *p = (struct host_page){0};
}
