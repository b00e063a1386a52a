/* Numbers for names: meters and owners. */
#include <errno.h>
#include <stdlib.h>

#include "ledger_private.h"

struct owner_entry {
    int64_t id;
    char *key;
    size_t key_len;
};

static void meter_free(struct ledger_meter *m)
{
    if (!m)
        return;
    free(m->name);
    free(m->unit);
    free(m);
}

static struct ledger_meter *meter_keep(struct ledger *l, int64_t id, struct text name, struct text unit,
                                       enum meter_type type, enum meter_basis basis)
{
    struct ledger_meter *m = calloc(1, sizeof *m);
    if (!m || !(m->name = text_dup(name)) || !(m->unit = text_dup(unit)) || id < 1 || id > LEDGER_MAX_METERS + METERS)
        goto failed;
    m->id = id;
    m->type = type;
    m->basis = basis;
    m->known = meter_find(name);
    if ((size_t)id >= l->meter_count) {
        size_t count = (size_t)id + 64;
        struct ledger_meter **wider = realloc(l->meters_by_id, count * sizeof(struct ledger_meter *));
        if (!wider)
            goto failed;
        memset(wider + l->meter_count, 0, (count - l->meter_count) * sizeof(struct ledger_meter *));
        l->meters_by_id = wider;
        l->meter_count = count;
    }
    if (map_put(&l->meters, text_of(m->name), m))
        goto failed;
    return l->meters_by_id[id] = m;
failed:
    meter_free(m);
    db_fail(l->db, -ENOMEM, "out of memory for meter %.*s", TEXT_ARG(name));
    return NULL;
}

int ledger_load_meters(struct ledger *l)
{
    struct db_row *q = db_query(l->db, "SELECT id, name, unit, type, basis FROM meter");
    while (db_step(q))
        meter_keep(l, db_i64(q, 0), db_text(q, 1), db_text(q, 2), (enum meter_type)db_i64(q, 3),
                   (enum meter_basis)db_i64(q, 4));
    db_reset(q);
    return db_failed(l->db) ? -EIO : 0;
}

const struct ledger_meter *ledger_meter_by_id(void *context, int64_t id)
{
    struct ledger *l = context;
    return id > 0 && (size_t)id < l->meter_count ? l->meters_by_id[id] : NULL;
}

static int64_t meter_insert(struct ledger *l, struct text name, struct text unit, enum meter_type type,
                            enum meter_basis basis)
{
    struct db_row *q = db_query(l->db, "INSERT INTO meter(name, unit, type, basis) VALUES(?1,?2,?3,?4)");
    db_bind_text(q, 1, name);
    db_bind_text(q, 2, unit.data ? unit : TEXT(""));
    db_bind_i64(q, 3, type);
    db_bind_i64(q, 4, basis);
    db_run(q);
    return db_failed(l->db) ? 0 : db_last_id(l->db);
}

const struct ledger_meter *ledger_meter_of(struct ledger *l, const struct point *p)
{
    struct text name = p->meter ? text_of(p->meter->name) : p->name;
    struct ledger_meter *m = map_get(&l->meters, name);
    if (m)
        return m;
    if (!p->meter && l->meters.count >= LEDGER_MAX_METERS)
        return NULL;
    struct text unit = p->meter ? text_of(p->meter->unit) : p->unit;
    enum meter_type type = p->meter ? p->meter->type : p->type;
    enum meter_basis basis = p->meter ? p->meter->basis : type == METER_GAUGE ? BASIS_OBSERVED : BASIS_CONSUMED;
    int64_t id = meter_insert(l, name, unit, type, basis);
    return id ? meter_keep(l, id, name, unit, type, basis) : NULL;
}

/* The four texts, each with its length, so that no two owners have one key. */
static void owner_key(struct buf *out, const struct record *r)
{
    buf_clear(out);
    buf_add_sized(out, r->project);
    buf_add_sized(out, r->user);
    buf_add_sized(out, r->flavor);
    buf_add_sized(out, r->state);
}

static int64_t owner_row(struct ledger *l, const struct record *r)
{
    const struct text texts[] = {r->project, r->user, r->flavor, r->state};
    struct db_row *q = db_query(l->db, "INSERT INTO owner(project, user, flavor, state) VALUES(?1,?2,?3,?4) "
                                       "ON CONFLICT DO UPDATE SET project = project RETURNING id");
    for (int i = 0; i < 4; i++)
        db_bind_text(q, i + 1, texts[i].data ? texts[i] : TEXT(""));
    int64_t id = db_step(q) ? db_i64(q, 0) : 0;
    db_reset(q);
    return id;
}

int64_t ledger_owner(struct ledger *l, const struct record *r)
{
    owner_key(&l->scratch, r);
    struct text key = buf_text(&l->scratch);
    struct owner_entry *o = map_get(&l->owners, key);
    if (o)
        return o->id;
    o = calloc(1, sizeof *o);
    if (!o || !(o->key = text_dup(key))) {
        free(o);
        db_fail(l->db, -ENOMEM, "out of memory");
        return 0;
    }
    o->key_len = key.len;
    o->id = owner_row(l, r);
    if (map_put(&l->owners, (struct text){o->key, o->key_len}, o)) {
        free(o->key);
        free(o);
        db_fail(l->db, -ENOMEM, "out of memory");
        return 0;
    }
    return o->id;
}

static void free_owners(struct ledger *l)
{
    size_t cursor = 0;
    for (struct owner_entry *o; (o = map_next(&l->owners, &cursor));) {
        free(o->key);
        free(o);
    }
    map_free(&l->owners);
}

void ledger_free_names(struct ledger *l)
{
    free_owners(l);
    for (size_t i = 0; i < l->meter_count; i++)
        meter_free(l->meters_by_id[i]);
    free(l->meters_by_id);
    l->meters_by_id = NULL;
    l->meter_count = 0;
    map_free(&l->meters);
}

void ledger_forget_names(struct ledger *l)
{
    ledger_free_names(l);
    if (ledger_load_meters(l))
        (void)!db_check(l->db, NULL); /* the next transaction meets it again */
}
