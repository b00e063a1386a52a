#include "outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "outbox_private.h"

#define MAX_DAMAGED 100

static const char *const migrations[] = {
    "CREATE TABLE outbox(id TEXT NOT NULL);"
    "CREATE TABLE lane(lane INTEGER PRIMARY KEY, last INTEGER NOT NULL, mark INTEGER NOT NULL);"
    "CREATE TABLE record(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, time_ms INTEGER NOT NULL, key TEXT NOT NULL, "
    "payload BLOB NOT NULL);",
    "ALTER TABLE lane ADD COLUMN gap_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE lane ADD COLUMN swept INTEGER NOT NULL DEFAULT 0;",
    "ALTER TABLE outbox ADD COLUMN records INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE outbox ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
    "UPDATE outbox SET records=(SELECT count(*) FROM record), "
    "bytes=(SELECT coalesce(sum(length(payload)), 0) FROM record);"};
static const struct db_schema schema = {"outbox", 0x504c4f58, migrations, 3};

/* KiB. SQLite's own is four times that, held for ever, and makes some hundred VMs a tenth cheaper. */
static const char small_cache[] = "PRAGMA cache_size=-512";

/* ---- opening ---- */

static void make_id(struct outbox *o)
{
    snprintf(o->id, sizeof o->id, "%016llx%016llx", (unsigned long long)random_u64(o->settings.random),
             (unsigned long long)random_u64(o->settings.random));
    db_begin(o->db);
    struct db_row *q = db_query(o->db, "INSERT INTO outbox(id) VALUES(?1)");
    db_bind_text(q, 1, text_of(o->id));
    db_run(q);
}

/* Its sums too: to add them up anew would read the whole file, which takes a minute of a cold disk. */
static int load_id(struct outbox *o, struct error *error)
{
    struct db_row *q = db_query(o->db, "SELECT id, records, bytes FROM outbox");
    bool known = db_step(q) && text_copy(db_text(q, 0), o->id, sizeof o->id);
    if (known) {
        o->figures.stored = (uint64_t)db_i64(q, 1);
        o->figures.bytes = (uint64_t)db_i64(q, 2);
    }
    db_reset(q);
    if (known || db_failed(o->db))
        return db_check(o->db, error);
    make_id(o);
    return db_commit(o->db, error);
}

static uint64_t held_before(struct outbox *o, unsigned lane, uint64_t sequence)
{
    struct db_row *q = db_query(o->db, "SELECT id FROM record WHERE id>?1 AND id<?2 ORDER BY id DESC LIMIT 1");
    db_bind_i64(q, 1, outbox_row(lane, 0));
    db_bind_i64(q, 2, outbox_row(lane, sequence));
    uint64_t previous = db_step(q) ? (uint64_t)(db_i64(q, 0) - outbox_row(lane, 0)) : 0;
    db_reset(q);
    return previous;
}

void outbox_find_held(struct outbox *o, unsigned lane)
{
    uint64_t held = held_before(o, lane, LANE_SPAN);
    if (!db_failed(o->db))
        o->lanes[lane].held = held;
}

static int load_lanes(struct outbox *o, struct error *error)
{
    struct db_row *q = db_query(o->db, "SELECT lane, last, mark, gap_ms, swept FROM lane");
    while (db_step(q)) {
        int64_t lane = db_i64(q, 0);
        if (lane < 0 || lane >= RECORD_LANES)
            continue;
        o->lanes[lane].last = (uint64_t)db_i64(q, 1);
        o->lanes[lane].mark = (uint64_t)db_i64(q, 2);
        o->lanes[lane].gap_ms = db_i64(q, 3);
        o->lanes[lane].swept = (uint64_t)db_i64(q, 4);
    }
    db_reset(q);
    for (unsigned i = 0; i < RECORD_LANES; i++)
        outbox_find_held(o, i);
    return db_check(o->db, error);
}

static void set_aside(const char *path, const char *why, struct buf *notice)
{
    char aside[4096], from[4096], to[4200];
    for (int n = 1; n <= MAX_DAMAGED; n++) {
        snprintf(aside, sizeof aside, "%s.damaged-%d", path, n);
        if (access(aside, F_OK) != 0)
            break;
    }
    static const char *const parts[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++) {
        snprintf(from, sizeof from, "%s%s", path, parts[i]);
        snprintf(to, sizeof to, "%s%s", aside, parts[i]);
        rename(from, to);
    }
    buf_addf(notice,
             "%s; it was set aside as %s, and a new outbox is begun: what it held is lost to the ledger unless it "
             "was sent",
             why, aside);
}

static int open_file(struct outbox **ret, const struct outbox_settings *settings, struct error *error)
{
    struct outbox *o = calloc(1, sizeof *o);
    if (!o)
        return error_set(error, -ENOMEM, "out of memory");
    o->settings = *settings;
    o->tail = o->first_plain = &o->first;
    int r = db_open(&o->db, o->settings.path, DB_READ_WRITE, o->settings.vfs, &schema, error);
    if (r == 0)
        r = db_exec(o->db, small_cache, error);
    if (r == 0)
        r = load_id(o, error);
    if (r == 0)
        r = load_lanes(o, error);
    if (r) {
        outbox_close(o);
        return r;
    }
    *ret = o;
    return 0;
}

int outbox_open(struct outbox **ret, const struct outbox_settings *settings, struct buf *ret_notice,
                struct error *error)
{
    int r = open_file(ret, settings, error);
    if (r != -EUCLEAN)
        return r;
    set_aside(settings->path, error->text, ret_notice);
    return open_file(ret, settings, error);
}

/* Take out the one that @link points to. */
static void drop_waiting(struct outbox *o, struct waiting_record **link)
{
    struct waiting_record *w = *link;
    *link = w->next;
    if (!w->next)
        o->tail = link;
    o->figures.waiting--;
    o->figures.waiting_bytes -= w->key_len + w->payload_len;
    free(w);
}

static void drop_all_waiting(struct outbox *o)
{
    while (o->first)
        drop_waiting(o, &o->first);
    o->first_plain = &o->first;
}

void outbox_close(struct outbox *o)
{
    if (!o)
        return;
    drop_all_waiting(o);
    for (unsigned i = 0; i < RECORD_LANES; i++)
        thinning_destroy(o->lanes[i].thinning);
    buf_free(&o->key);
    buf_free(&o->payload);
    db_close(o->db);
    free(o);
}

void outbox_set_aside(struct outbox *o, const char *why, struct buf *ret_notice)
{
    const char *path = o->settings.path;
    outbox_close(o);
    set_aside(path, why, ret_notice);
}

int outbox_note(struct outbox *o, int result, const struct error *error)
{
    if (result == -EUCLEAN && !o->damage.code)
        o->damage = *error;
    return result;
}

int outbox_damage(const struct outbox *o, struct error *error)
{
    if (o->damage.code)
        *error = o->damage;
    return o->damage.code;
}

const char *outbox_id(const struct outbox *o)
{
    return o->id;
}

struct db *outbox_db(struct outbox *o)
{
    return o->db;
}

/* ---- storing ---- */

static bool has_room(const struct outbox *o, size_t size)
{
    return o->figures.waiting_bytes + size <= (uint64_t)o->settings.waiting_max_bytes;
}

/* The oldest that is no edge goes: what a reading said a later one says, or the word that ends its streams. */
static bool drop_oldest_plain(struct outbox *o)
{
    while (*o->first_plain && (*o->first_plain)->kind == OUTBOX_EDGE)
        o->first_plain = &(*o->first_plain)->next;
    if (!*o->first_plain)
        return false;
    drop_waiting(o, o->first_plain);
    o->figures.dropped_waiting++;
    return true;
}

static bool make_room(struct outbox *o, enum outbox_kind kind, size_t size)
{
    if (kind != OUTBOX_EDGE)
        return !o->full && has_room(o, size);
    if (size > (uint64_t)o->settings.waiting_max_bytes)
        return false;
    while (!has_room(o, size))
        if (!drop_oldest_plain(o))
            return false;
    return true;
}

int outbox_add(struct outbox *o, struct text key, struct text payload, enum outbox_kind kind, int64_t time_ms)
{
    size_t size = key.len + payload.len;
    struct waiting_record *w = make_room(o, kind, size) ? malloc(sizeof *w + size) : NULL;
    if (!w) {
        o->figures.dropped_waiting++;
        return -ENOBUFS;
    }
    *w = (struct waiting_record){
        .lane = record_lane(key), .kind = kind, .time_ms = time_ms, .key_len = key.len, .payload_len = payload.len};
    memcpy(w->bytes, key.data, key.len);
    memcpy(w->bytes + key.len, payload.data, payload.len);
    *o->tail = w;
    o->tail = &w->next;
    o->figures.waiting++;
    o->figures.waiting_bytes += size;
    return 0;
}

bool outbox_crowded(const struct outbox *o)
{
    return o->figures.waiting_bytes > (uint64_t)o->settings.waiting_max_bytes / 2;
}

void outbox_begin(struct outbox *o)
{
    db_begin(o->db);
}

static void store(struct outbox *o, const struct waiting_record *w)
{
    uint64_t sequence = o->lanes[w->lane].last + ++o->lanes[w->lane].counted;
    struct db_row *q = db_query(o->db, "INSERT INTO record(id, kind, time_ms, key, payload) VALUES(?1,?2,?3,?4,?5)");
    db_bind_i64(q, 1, outbox_row(w->lane, sequence));
    db_bind_i64(q, 2, w->kind);
    db_bind_i64(q, 3, w->time_ms);
    db_bind_text(q, 4, (struct text){w->bytes, w->key_len});
    db_bind_blob(q, 5, (struct text){w->bytes + w->key_len, w->payload_len});
    db_run(q);
}

static void write_lane(struct outbox *o, unsigned lane)
{
    struct outbox_lane *l = &o->lanes[lane];
    struct db_row *q = db_query(o->db, "INSERT OR REPLACE INTO lane(lane, last, mark, gap_ms, swept) "
                                       "VALUES(?1,?2,?3,?4,?5)");
    db_bind_i64(q, 1, lane);
    db_bind_i64(q, 2, (int64_t)(l->last + l->counted));
    db_bind_i64(q, 3, (int64_t)l->mark);
    db_bind_i64(q, 4, l->gap_ms);
    db_bind_i64(q, 5, (int64_t)l->swept);
    db_run(q);
}

void outbox_write_marks(struct outbox *o)
{
    for (unsigned i = 0; i < RECORD_LANES; i++)
        if (o->lanes[i].counted || o->lanes[i].mark_dirty)
            write_lane(o, i);
}

void outbox_write_sums(struct outbox *o, uint64_t records, uint64_t bytes)
{
    struct db_row *q = db_query(o->db, "UPDATE outbox SET records=?1, bytes=?2");
    db_bind_i64(q, 1, (int64_t)records);
    db_bind_i64(q, 2, (int64_t)bytes);
    db_run(q);
}

static void stored(struct outbox *o)
{
    for (unsigned i = 0; i < RECORD_LANES; i++) {
        o->lanes[i].last += o->lanes[i].counted;
        if (o->lanes[i].counted)
            o->lanes[i].held = o->lanes[i].last;
        o->lanes[i].counted = 0;
        o->lanes[i].mark_dirty = false;
    }
    drop_all_waiting(o);
}

int outbox_commit(struct outbox *o, int64_t now_ms, struct error *error)
{
    (void)now_ms;
    uint64_t records = o->figures.stored, bytes = o->figures.bytes;
    for (const struct waiting_record *w = o->first; w && !db_failed(o->db); w = w->next) {
        store(o, w);
        records++;
        bytes += w->payload_len;
    }
    if (o->first)
        outbox_write_sums(o, records, bytes);
    outbox_write_marks(o);
    int r = outbox_note(o, db_commit(o->db, error), error);
    if (r) {
        for (unsigned i = 0; i < RECORD_LANES; i++)
            o->lanes[i].counted = 0;
        return r;
    }
    o->figures.stored = records;
    o->figures.bytes = bytes;
    stored(o);
    return 0;
}

/* ---- sending ---- */

int outbox_after(struct outbox *o, unsigned lane, uint64_t sequence, struct outbox_record *ret, struct error *error)
{
    struct db_row *q = db_query(o->db, "SELECT id, time_ms, key, payload FROM record WHERE id>?1 AND id<?2 "
                                       "ORDER BY id LIMIT 1");
    db_bind_i64(q, 1, outbox_row(lane, sequence));
    db_bind_i64(q, 2, outbox_row(lane + 1, 0));
    bool found = db_step(q);
    if (found) {
        buf_clear(&o->key);
        buf_clear(&o->payload);
        ret->lane = lane;
        ret->sequence = (uint64_t)(db_i64(q, 0) - outbox_row(lane, 0));
        ret->time_ms = db_i64(q, 1);
        buf_add_text(&o->key, db_text(q, 2));
        buf_add_text(&o->payload, db_blob(q, 3));
        ret->key = buf_text(&o->key);
        ret->payload = buf_text(&o->payload);
    }
    db_reset(q);
    if (found)
        ret->previous = held_before(o, lane, ret->sequence);
    int r = outbox_note(o, db_check(o->db, error), error);
    return r ? r : found;
}

uint64_t outbox_last(const struct outbox *o, unsigned lane)
{
    return o->lanes[lane].last;
}

uint64_t outbox_held(const struct outbox *o, unsigned lane)
{
    return o->lanes[lane].held;
}

uint64_t outbox_mark(const struct outbox *o, unsigned lane)
{
    return o->lanes[lane].mark;
}

void outbox_set_mark(struct outbox *o, unsigned lane, uint64_t mark)
{
    struct outbox_lane *l = &o->lanes[lane];
    mark = mark < l->last ? mark : l->last;
    l->mark_dirty |= mark != l->mark;
    l->mark = mark;
}

void outbox_figures(struct outbox *o, struct outbox_figures *ret)
{
    uint64_t unreleased = 0;
    for (unsigned i = 0; i < RECORD_LANES; i++)
        unreleased += o->lanes[i].held > o->lanes[i].mark ? o->lanes[i].held - o->lanes[i].mark : 0;
    *ret = o->figures;
    ret->unreleased = unreleased < ret->stored ? unreleased : ret->stored;
    ret->released = ret->stored - ret->unreleased;
}
