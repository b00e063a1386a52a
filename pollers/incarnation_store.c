#include "incarnation_store.h"

#include <errno.h>

static const char tables[] = "CREATE TABLE IF NOT EXISTS host("
                             "id INTEGER PRIMARY KEY CHECK(id = 1), host_uuid TEXT NOT NULL, boot_id TEXT NOT NULL, "
                             "first_boot_id TEXT NOT NULL, first_list_wall_ns INTEGER NOT NULL, "
                             "first_list_boot_ns INTEGER NOT NULL, offset_ns INTEGER NOT NULL);"
                             "CREATE TABLE IF NOT EXISTS incarnation("
                             "uuid TEXT PRIMARY KEY, is_host INTEGER NOT NULL, packed BLOB NOT NULL) WITHOUT ROWID;"
                             "CREATE TABLE IF NOT EXISTS choice("
                             "id INTEGER PRIMARY KEY CHECK(id = 1), hash INTEGER NOT NULL);";

static void load_host(struct db *db, struct incarnations *set)
{
    struct db_row *q = db_query(db, "SELECT host_uuid, boot_id, first_boot_id, first_list_wall_ns, first_list_boot_ns, "
                                    "offset_ns FROM host");
    if (db_step(q)) {
        text_copy(db_text(q, 0), set->host_uuid, sizeof set->host_uuid);
        text_copy(db_text(q, 1), set->boot_id, sizeof set->boot_id);
        text_copy(db_text(q, 2), set->first_boot_id, sizeof set->first_boot_id);
        set->first_list_wall_ns = db_i64(q, 3);
        set->first_list_boot_ns = db_i64(q, 4);
        set->offset_ns = db_i64(q, 5);
        set->has_offset = true;
    }
    db_reset(q);
    q = db_query(db, "SELECT hash FROM choice");
    set->choice = db_step(q) ? (uint64_t)db_i64(q, 0) : 0;
    db_reset(q);
}

/* False: out of memory. */
static bool load_vm(struct incarnations *set, struct text uuid, bool is_host, struct text packed, unsigned *damaged)
{
    char name[UUID_SIZE];
    if (!text_copy(uuid, name, sizeof name)) {
        ++*damaged;
        return true;
    }
    uint64_t refused = set->counts.refused;
    struct incarnation *vm = incarnations_make(set, name, is_host);
    if (!vm)
        return set->counts.refused > refused; /* one VM too many */
    if (incarnation_unpack(vm, packed) == 0)
        return true;
    ++*damaged;
    return incarnations_amnesia(set, name, is_host) != NULL;
}

int incarnation_store_load(struct db *db, struct incarnations *set, unsigned *ret_damaged, struct error *error)
{
    *ret_damaged = 0;
    int r = db_exec(db, tables, error);
    if (r)
        return r;
    load_host(db, set);
    struct db_row *q = db_query(db, "SELECT uuid, is_host, packed FROM incarnation");
    bool fits = true;
    while (fits && db_step(q))
        fits = load_vm(set, db_text(q, 0), db_i64(q, 1), db_blob(q, 2), ret_damaged);
    db_reset(q);
    r = db_check(db, error);
    return r || fits ? r : error_set(error, -ENOMEM, "out of memory for what is remembered of the VMs");
}

static void write_host(struct db *db, const struct incarnations *set)
{
    struct db_row *q = db_query(db, "INSERT OR REPLACE INTO host(id, host_uuid, boot_id, first_boot_id, "
                                    "first_list_wall_ns, first_list_boot_ns, offset_ns) VALUES(1,?1,?2,?3,?4,?5,?6)");
    db_bind_text(q, 1, text_of(set->host_uuid));
    db_bind_text(q, 2, text_of(set->boot_id));
    db_bind_text(q, 3, text_of(set->first_boot_id));
    db_bind_i64(q, 4, set->first_list_wall_ns);
    db_bind_i64(q, 5, set->first_list_boot_ns);
    db_bind_i64(q, 6, set->offset_ns);
    db_run(q);
    q = db_query(db, "INSERT INTO choice(id, hash) VALUES(1,?1) ON CONFLICT(id) DO UPDATE SET hash=excluded.hash "
                     "WHERE hash<>excluded.hash"); /* written when it changes, not with each list */
    db_bind_i64(q, 1, (int64_t)set->choice);
    db_run(q);
}

static void delete_vm(struct db *db, const struct incarnation *vm)
{
    struct db_row *q = db_query(db, "DELETE FROM incarnation WHERE uuid=?1");
    db_bind_text(q, 1, text_of(vm->uuid));
    db_run(q);
}

static void write_vm(struct db *db, const struct incarnation *vm, struct buf *packed)
{
    buf_clear(packed);
    incarnation_pack(packed, vm);
    if (packed->failed)
        db_fail(db, -ENOMEM, "out of memory to store what is known of VM %s", vm->uuid);
    struct db_row *q = db_query(db, "INSERT OR REPLACE INTO incarnation(uuid, is_host, packed) VALUES(?1,?2,?3)");
    db_bind_text(q, 1, text_of(vm->uuid));
    db_bind_i64(q, 2, vm->is_host);
    db_bind_blob(q, 3, buf_text(packed));
    db_run(q);
}

void incarnation_store_write(struct db *db, const struct incarnations *set)
{
    struct buf packed = {0};
    size_t cursor = 0;
    const struct incarnation *vm;
    if (set->forget_all)
        db_run(db_query(db, "DELETE FROM incarnation"));
    /* While the first list is being taken who is not stored yet would count as begun after it. */
    if (set->dirty && !set->in_first_list && set->host_uuid[0])
        write_host(db, set);
    while ((vm = map_next(&set->vms, &cursor))) {
        if (vm->dirty && vm->forget)
            delete_vm(db, vm);
        else if (vm->dirty)
            write_vm(db, vm, &packed);
    }
    buf_free(&packed);
}
