/* Entities: the cache over their packed rows, and what is said of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/series/entity_pack.h"
#include "ledger_private.h"
#include "pluvio/wire/wire_print.h"

static struct entity *keep(struct ledger *l, struct entity *e)
{
    if (e && map_put(&l->entities, text_of(e->key), e) == 0)
        return e;
    entity_free(e);
    db_fail(l->db, -ENOMEM, "out of memory for an entity");
    return NULL;
}

static struct entity *unpack(struct ledger *l, struct text key, struct text packed)
{
    struct entity *e = entity_unpack(key, packed, ledger_meter_by_id, l);
    if (!e)
        db_fail(l->db, -EUCLEAN, "%s: the packed row of entity %.*s is damaged: restore the ledger from a backup",
                db_path(l->db), TEXT_ARG(key));
    return e;
}

struct entity *ledger_entity(struct ledger *l, struct text key)
{
    struct entity *e = map_get(&l->entities, key);
    if (e || db_failed(l->db))
        return e;
    struct db_row *q = db_query(l->db, "SELECT packed, live, id FROM entity WHERE key=?1");
    db_bind_text(q, 1, key);
    if (db_step(q)) {
        e = unpack(l, key, db_blob(q, 0));
        if (e) {
            e->live = e->row_live = db_i64(q, 1);
            e->row = db_i64(q, 2);
        }
    } else {
        e = db_failed(l->db) ? NULL : entity_create(key);
    }
    db_reset(q);
    return db_failed(l->db) ? (entity_free(e), NULL) : keep(l, e);
}

int ledger_load_live(struct ledger *l, struct error *error)
{
    struct db_row *q = db_query(l->db, "SELECT key, packed, id FROM entity WHERE live=1");
    while (db_step(q)) {
        if (map_get(&l->entities, db_text(q, 0)))
            continue;
        struct entity *e = unpack(l, db_text(q, 0), db_blob(q, 1));
        if (!e)
            continue;
        e->live = e->row_live = true;
        e->row = db_i64(q, 2);
        if (!keep(l, e))
            break;
    }
    db_reset(q);
    return l->open ? 0 : db_check(l->db, error);
}

struct entity *ledger_next_entity(struct ledger *l, size_t *cursor)
{
    return map_next(&l->entities, cursor);
}

static void insert_entity(struct ledger *l, struct entity *e, struct text packed)
{
    struct db_row *q = db_query(l->db, "INSERT INTO entity(key, live, packed) VALUES(?1,?2,?3)");
    db_bind_text(q, 1, text_of(e->key));
    db_bind_i64(q, 2, e->live);
    db_bind_blob(q, 3, packed);
    db_run(q);
    e->row = db_last_id(l->db);
    e->row_live = e->live;
}

static void update_packed(struct ledger *l, const struct entity *e, struct text packed)
{
    struct db_row *q = db_query(l->db, "UPDATE entity SET packed=?2 WHERE id=?1");
    db_bind_i64(q, 1, e->row);
    db_bind_blob(q, 2, packed);
    db_run(q);
}

/* An index hangs on it. */
static void update_live(struct ledger *l, const struct entity *e)
{
    struct db_row *q = db_query(l->db, "UPDATE entity SET live=?2 WHERE id=?1");
    db_bind_i64(q, 1, e->row);
    db_bind_i64(q, 2, e->live);
    db_run(q);
}

static void write_entity(struct ledger *l, struct entity *e)
{
    buf_clear(&l->scratch);
    entity_pack(e, &l->scratch);
    if (l->scratch.failed)
        db_fail(l->db, -ENOMEM, "out of memory to pack entity %s", e->key);
    if (!e->row)
        insert_entity(l, e, buf_text(&l->scratch));
    else
        update_packed(l, e, buf_text(&l->scratch));
    if (e->row_live != e->live)
        update_live(l, e);
    e->row_live = e->live;
    e->dirty = false;
}

void ledger_write_entities(struct ledger *l)
{
    size_t cursor = 0;
    for (struct entity *e; (e = map_next(&l->entities, &cursor));)
        if (e->dirty)
            write_entity(l, e);
}

void ledger_drop_entities(struct ledger *l)
{
    size_t cursor = 0;
    for (struct entity *e; (e = map_next(&l->entities, &cursor));)
        entity_free(e);
    map_free(&l->entities);
}

void ledger_trim(struct ledger *l)
{
    if (l->entities.count <= LEDGER_CACHE_TRIM)
        return;
    struct map kept = {0};
    size_t cursor = 0;
    bool failed = false;
    for (struct entity *e; (e = map_next(&l->entities, &cursor));) {
        if (!e->live || failed || map_put(&kept, text_of(e->key), e)) {
            failed |= e->live; /* out of memory: it is read again when it is needed */
            entity_free(e);
        }
    }
    map_free(&l->entities);
    l->entities = kept;
}

/* Another hash in another release costs one more row of history. */
static uint64_t hash_attributes(const struct record *r)
{
    uint64_t h = r->attribute_count;
    for (size_t i = 0; i < r->attribute_count; i++) {
        h = h * 0x9e3779b97f4a7c15ULL + text_hash_quick(r->attributes[i].key);
        h = h * 0xff51afd7ed558ccdULL + text_hash_quick(r->attributes[i].value);
    }
    return h;
}

static bool is_event(struct text key)
{
    return text_equal(key, TEXT(ATTR_EVENT)) || text_equal(key, TEXT(ATTR_EVENT_TIME));
}

static void add_attributes(struct buf *out, const struct record *r)
{
    const char *between = "{";
    for (size_t i = 0; i < r->attribute_count; i++) {
        if (is_event(r->attributes[i].key))
            continue;
        buf_add_string(out, between);
        json_add_string(out, r->attributes[i].key);
        buf_add_char(out, ':');
        json_add_string(out, r->attributes[i].value);
        between = ",";
    }
    buf_add_string(out, *between == '{' ? "{}" : "}");
}

static void write_attributes(struct ledger *l, const struct entity *e, const struct record *r, int64_t from_ms)
{
    buf_clear(&l->scratch);
    add_attributes(&l->scratch, r);
    struct db_row *q = db_query(l->db, "INSERT OR REPLACE INTO entity_attributes(entity, from_ms, owner, name, host, "
                                       "attributes) VALUES(?1,?2,?3,?4,?5,?6)");
    db_bind_text(q, 1, text_of(e->key));
    db_bind_i64(q, 2, from_ms);
    db_bind_i64(q, 3, e->owner);
    db_bind_text(q, 4, r->name.len ? r->name : r->domain.data ? r->domain : TEXT(""));
    db_bind_text(q, 5, r->host.data ? r->host : TEXT(""));
    db_bind_text(q, 6, buf_text(&l->scratch));
    db_run(q);
}

void ledger_describe(struct ledger *l, struct entity *e, const struct record *r)
{
    uint64_t hash = hash_attributes(r);
    if (e->owner && hash == e->described)
        return;
    e->owner = ledger_owner(l, r);
    e->described = hash;
    if (hash == e->attributes)
        return;
    int64_t time = r->point_count ? r->points[0].time_ns / 1000000 : l->now_ms;
    if (time > l->now_ms) /* else nothing would be newer for long */
        time = l->now_ms;
    if (r->event.len || time < e->attributes_ms)
        return; /* an event's own attributes, or an older record: its streams have its owner, but it tells nothing new
                 */
    write_attributes(l, e, r, time);
    e->attributes = hash;
    e->attributes_ms = time;
    e->dirty = true;
}

struct text resource_key(const struct entity *e, const struct resource *r, char *out, size_t size)
{
    int n = snprintf(out, size, *r->device ? "%s-%s" : "%s%s", e->key, r->device);
    return (struct text){out, n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1};
}
