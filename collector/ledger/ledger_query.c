#include "pluvio/ledger/ledger_query.h"

#include <errno.h>
#include <stdlib.h>

#include "ledger_reader.h"
#include "ledger_schema.h"

int ledger_reader_open(struct ledger_reader **ret, const char *path, struct error *error)
{
    struct ledger_reader *l = calloc(1, sizeof *l);
    if (!l)
        return error_set(error, -ENOMEM, "out of memory");
    int r = db_open(&l->db, path, DB_READ_ONLY, NULL, &ledger_schema, error);
    if (r == 0) {
        struct db_row *q = db_query(l->db, "SELECT period_ms FROM lease");
        l->period_ms = db_step(q) ? db_i64(q, 0) : 0;
        db_reset(q);
        r = db_check(l->db, error);
        if (r == 0 && l->period_ms <= 0)
            r = error_set(error, -EUCLEAN, "%s: no collector has ever opened it", path);
    }
    if (r) {
        ledger_reader_close(l);
        return r;
    }
    *ret = l;
    return 0;
}

static void free_owner(struct known_owner *o)
{
    if (!o)
        return;
    free(o->project);
    free(o->user);
    free(o->flavor);
    free(o->state);
    free(o);
}

static void free_meter(struct reader_meter *m)
{
    if (!m)
        return;
    free(m->meter.name);
    free(m->meter.unit);
    free(m->quantity_unit);
    free(m);
}

void ledger_reader_close(struct ledger_reader *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->owner_count; i++)
        free_owner(l->owners[i]);
    free(l->owners);
    for (size_t i = 0; i < l->meter_count; i++)
        free_meter(l->meters[i]);
    free(l->meters);
    db_close(l->db);
    free(l);
}

int reader_begin(struct ledger_reader *l, struct error *error)
{
    return db_exec(l->db, "BEGIN", error);
}

int reader_end(struct ledger_reader *l, struct error *error)
{
    int r = db_check(l->db, error);
    db_rollback(l->db);
    return r;
}

/* Room for index @id in an array of pointers. */
static bool widen(void *array, size_t *count, int64_t id)
{
    void ***at = array;
    if (id < 0 || id > 100000000)
        return false;
    if ((size_t)id < *count)
        return true;
    size_t wider = (size_t)id + 64;
    void **more = realloc(*at, wider * sizeof(void *));
    if (!more)
        return false;
    memset(more + *count, 0, (wider - *count) * sizeof(void *));
    *at = more;
    *count = wider;
    return true;
}

static void load_meter(struct ledger_reader *l, struct db_row *q)
{
    struct reader_meter *m = calloc(1, sizeof *m);
    struct buf unit = {0};
    int64_t id = db_i64(q, 0);
    if (!m || !widen(&l->meters, &l->meter_count, id)) {
        free(m);
        return;
    }
    m->meter.id = id;
    m->meter.name = text_dup(db_text(q, 1));
    m->meter.unit = text_dup(db_text(q, 2));
    m->meter.type = (enum meter_type)db_i64(q, 3);
    m->meter.basis = (enum meter_basis)db_i64(q, 4);
    m->meter.known = meter_find(db_text(q, 1));
    buf_add_text(&unit, db_text(q, 2));
    buf_add_string(&unit, m->meter.basis == BASIS_ALLOCATED ? "*ms" : "");
    m->quantity_unit = text_dup(buf_text(&unit));
    buf_free(&unit);
    if (m->meter.name && m->meter.unit && m->quantity_unit)
        l->meters[id] = m;
    else
        free_meter(m);
}

const struct reader_meter *reader_meter(struct ledger_reader *l, int64_t id)
{
    if (id < 0 || (size_t)id >= l->meter_count || !l->meters[id]) {
        struct db_row *q = db_query(l->db, "SELECT id, name, unit, type, basis FROM meter WHERE id=?1");
        db_bind_i64(q, 1, id);
        if (db_step(q))
            load_meter(l, q);
        db_reset(q);
    }
    return id >= 0 && (size_t)id < l->meter_count ? l->meters[id] : NULL;
}

const struct ledger_meter *reader_meter_lookup(void *context, int64_t id)
{
    const struct reader_meter *m = reader_meter(context, id);
    return m ? &m->meter : NULL;
}

static void load_owner(struct ledger_reader *l, int64_t id)
{
    struct db_row *q = db_query(l->db, "SELECT project, user, flavor, state FROM owner WHERE id=?1");
    db_bind_i64(q, 1, id);
    struct known_owner *o = db_step(q) && widen(&l->owners, &l->owner_count, id) ? calloc(1, sizeof *o) : NULL;
    if (o) {
        o->project = text_dup(db_text(q, 0));
        o->user = text_dup(db_text(q, 1));
        o->flavor = text_dup(db_text(q, 2));
        o->state = text_dup(db_text(q, 3));
        if (o->project && o->user && o->flavor && o->state)
            l->owners[id] = o;
        else
            free_owner(o);
    }
    db_reset(q);
}

const struct known_owner *reader_owner(struct ledger_reader *l, int64_t id)
{
    if (id < 0 || (size_t)id >= l->owner_count || !l->owners[id])
        load_owner(l, id);
    return id >= 0 && (size_t)id < l->owner_count ? l->owners[id] : NULL;
}

int ledger_position(struct ledger_reader *l, uint64_t *ret_commit, int64_t *ret_time_ms, struct error *error)
{
    struct db_row *q = db_query(l->db, "SELECT commit_no, time_ms FROM lease");
    if (db_step(q)) {
        *ret_commit = (uint64_t)db_i64(q, 0);
        *ret_time_ms = db_i64(q, 1);
    }
    db_reset(q);
    return db_check(l->db, error);
}

/* Texts are gathered in one buffer that may move: until the end a text's data is an offset. */
static struct text keep(struct buf *texts, struct text t)
{
    struct text at = {(const char *)(uintptr_t)texts->len, t.len};
    buf_add_text(texts, t);
    return at;
}

static void settle(const struct buf *texts, struct text *t)
{
    t->data = texts->data + (uintptr_t)t->data;
}

static int count_dead_letters(struct ledger_reader *l, struct dead_letter_page *ret, struct error *error)
{
    struct db_row *q = db_query(l->db, "SELECT seq FROM sqlite_sequence WHERE name='dead_letter'");
    ret->total = db_step(q) ? db_i64(q, 0) : 0;
    db_reset(q);
    return db_check(l->db, error);
}

int ledger_dead_letters(struct ledger_reader *l, int64_t after, size_t limit, struct dead_letter_page *ret,
                        struct error *error)
{
    *ret = (struct dead_letter_page){.rows = calloc(limit + 1, sizeof *ret->rows)};
    if (!ret->rows)
        return error_set(error, -ENOMEM, "out of memory");
    struct db_row *q = db_query(l->db, "SELECT id, time_ms, offset, partition, reason, key, substr(value,1,256), size "
                                       "FROM dead_letter WHERE id>?1 ORDER BY id LIMIT ?2");
    db_bind_i64(q, 1, after);
    db_bind_i64(q, 2, (int64_t)limit + 1);
    while (db_step(q)) {
        if (ret->count == limit) {
            ret->next = ret->rows[limit - 1].id;
            break;
        }
        struct dead_letter_row *row = &ret->rows[ret->count++];
        row->id = db_i64(q, 0);
        row->time_ms = db_i64(q, 1);
        row->offset = db_i64(q, 2);
        row->partition = (int32_t)db_i64(q, 3);
        row->reason = keep(&ret->texts, db_text(q, 4));
        row->key = keep(&ret->texts, db_blob(q, 5));
        row->value = keep(&ret->texts, db_blob(q, 6));
        row->value_size = db_i64(q, 7);
    }
    db_reset(q);
    for (size_t i = 0; i < ret->count; i++) {
        settle(&ret->texts, &ret->rows[i].reason);
        settle(&ret->texts, &ret->rows[i].key);
        settle(&ret->texts, &ret->rows[i].value);
    }
    int r = count_dead_letters(l, ret, error);
    if (r)
        dead_letter_page_free(ret);
    return r;
}

void dead_letter_page_free(struct dead_letter_page *p)
{
    free(p->rows);
    buf_free(&p->texts);
    *p = (struct dead_letter_page){0};
}
