#include "ledger.h"

#include <errno.h>
#include <stdlib.h>

#include "ledger_private.h"
#include "ledger_schema.h"

static int check_period(struct ledger *l, const struct ledger_settings *s, struct error *error)
{
    if (s->period_ms <= 0 || 86400000 % s->period_ms)
        return error_set(error, -EINVAL, "a period of %lld ms does not divide a day", (long long)s->period_ms);
    if (l->period_ms != s->period_ms)
        return error_set(error, -EINVAL,
                         "%s: its periods are %lld ms long, the configuration says %lld: a ledger keeps its period; "
                         "set it back or begin a new state folder",
                         s->path, (long long)l->period_ms, (long long)s->period_ms);
    return 0;
}

/* Everybody who wrote before us fails from here on. */
static int take_lease(struct ledger *l, const struct ledger_settings *s, struct error *error)
{
    db_begin(l->db);
    struct db_row *q = db_query(l->db, "INSERT INTO lease(id, number, holder, period_ms, commit_no, time_ms) "
                                       "VALUES(1, 1, ?1, ?2, 0, ?3) ON CONFLICT(id) DO UPDATE "
                                       "SET number = number + 1, holder = excluded.holder "
                                       "RETURNING number, period_ms, commit_no");
    db_bind_text(q, 1, text_of(s->holder));
    db_bind_i64(q, 2, s->period_ms);
    db_bind_i64(q, 3, s->now_ms);
    if (db_step(q)) {
        l->lease = db_i64(q, 0);
        l->period_ms = db_i64(q, 1);
        l->commit = (uint64_t)db_i64(q, 2);
    }
    db_reset(q);
    if (!db_failed(l->db) && check_period(l, s, error)) {
        db_rollback(l->db);
        return -EINVAL;
    }
    return db_commit(l->db, error);
}

int ledger_open(struct ledger **ret, const struct ledger_settings *s, struct error *error)
{
    struct ledger *l = calloc(1, sizeof *l);
    if (!l)
        return error_set(error, -ENOMEM, "out of memory");
    ledger_book_init(l);
    int r = db_open(&l->db, s->path, DB_READ_WRITE, s->vfs, &ledger_schema, error);
    if (r == 0)
        r = take_lease(l, s, error);
    if (r == 0 && ledger_load_meters(l))
        r = db_check(l->db, error);
    if (r) {
        ledger_close(l);
        return r;
    }
    *ret = l;
    return 0;
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    if (l->open)
        db_rollback(l->db);
    ledger_drop_entities(l);
    map_free(&l->entities);
    ledger_free_names(l);
    ledger_drop_marks(l);
    ledger_free_partitions(l);
    day_sums_free(&l->days);
    buf_free(&l->scratch);
    db_close(l->db);
    free(l);
}

/* First of all: who was taken over must not work on what it remembers, with everybody waiting for the lock. */
static void state_lease(struct ledger *l)
{
    struct db_row *q = db_query(l->db, "UPDATE lease SET commit_no=?1, time_ms=?2 WHERE id=1 AND number=?3");
    db_bind_i64(q, 1, (int64_t)ledger_commit_number(l));
    db_bind_i64(q, 2, l->now_ms);
    db_bind_i64(q, 3, l->lease);
    db_run(q);
    if (!db_failed(l->db) && db_changes(l->db) != 1)
        db_fail(l->db, -ESTALE, "%s: another collector has taken over this ledger", db_path(l->db));
}

void ledger_begin(struct ledger *l, int64_t now_ms)
{
    l->now_ms = now_ms;
    l->open = true;
    l->wrote_usage = false;
    db_begin(l->db);
    state_lease(l);
}

bool ledger_failed(const struct ledger *l)
{
    return db_failed(l->db);
}

void ledger_fail(struct ledger *l, int code, const char *why)
{
    db_fail(l->db, code, "%s", why);
}

uint64_t ledger_commit_number(const struct ledger *l)
{
    return l->commit + l->open;
}

static void log_commit(struct ledger *l)
{
    struct db_row *q = db_query(l->db, "INSERT INTO commits(number, time_ms) VALUES(?1,?2)");
    db_bind_i64(q, 1, (int64_t)ledger_commit_number(l));
    db_bind_i64(q, 2, l->now_ms);
    db_run(q);
}

void ledger_write_out(struct ledger *l)
{
    ledger_write_partitions(l);
    ledger_write_marks(l);
    ledger_write_entities(l);
    day_sums_write(&l->days, l->db);
    if (l->wrote_usage)
        log_commit(l);
}

static void forget(struct ledger *l)
{
    ledger_drop_entities(l);
    ledger_drop_marks(l);
    ledger_forget_names(l);
    day_sums_clear(&l->days);
    ledger_commit_partitions(l, false);
    l->open = false;
}

int ledger_commit(struct ledger *l, struct error *error)
{
    int r = db_commit(l->db, error);
    if (r) {
        forget(l);
        return r;
    }
    l->commit++;
    l->open = false;
    ledger_commit_partitions(l, true);
    return 0;
}

void ledger_rollback(struct ledger *l)
{
    db_rollback(l->db);
    forget(l);
}

void ledger_dead_letter(struct ledger *l, const char *topic, int32_t partition, int64_t offset, const char *reason,
                        struct text key, struct text value)
{
    struct text head = {value.data,
                        value.len < LEDGER_DEAD_LETTER_MAX_VALUE ? value.len : LEDGER_DEAD_LETTER_MAX_VALUE};
    struct text short_key = {key.data, key.len < 1024 ? key.len : 1024};
    struct db_row *q = db_query(l->db, "INSERT INTO dead_letter(time_ms, topic, partition, offset, reason, key, value, "
                                       "size) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
    db_bind_i64(q, 1, l->now_ms);
    db_bind_text(q, 2, text_of(topic));
    db_bind_i64(q, 3, partition);
    db_bind_i64(q, 4, offset);
    db_bind_text(q, 5, text_of(reason));
    db_bind_blob(q, 6, short_key);
    db_bind_blob(q, 7, head);
    db_bind_i64(q, 8, (int64_t)value.len);
    db_run(q);
    int64_t id = db_last_id(l->db);
    q = db_query(l->db, "DELETE FROM dead_letter WHERE id <= ?1");
    db_bind_i64(q, 1, id - LEDGER_MAX_DEAD_LETTERS);
    db_run(q);
}
