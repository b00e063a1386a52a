#include "outbox_rig.h"

#include <stdio.h>

#include "pluvio/model/record.h"
#include "support/fault_vfs/fault_vfs.h"

struct outbox *outbox;
struct outbox_settings outbox_settings;
char outbox_folder[FOLDER_SIZE], outbox_path[FOLDER_SIZE + 16];
struct buf outbox_notice;
int64_t record_ms, record_step_ms;

static struct random_seeded seeded;
static struct buf listing;

void outbox_rig_set_up(void)
{
    fault_vfs_register();
    random_seed(&seeded, 1);
    folder_path(folder_make(outbox_folder), "outbox.db", outbox_path, sizeof outbox_path);
    outbox_settings = (struct outbox_settings){.path = outbox_path,
                                               .vfs = FAULT_VFS,
                                               .max_bytes = 1 << 20,
                                               .keep_ms = 3 * DAY_MS,
                                               .waiting_max_bytes = 1 << 16,
                                               .random = &seeded.port};
    outbox = NULL;
    record_ms = record_step_ms = 0;
    outbox_reopen();
}

void outbox_rig_tear_down(void)
{
    outbox_close(outbox);
    buf_free(&outbox_notice);
    buf_free(&listing);
    folder_remove(outbox_folder);
}

void outbox_reopen(void)
{
    struct error e;
    outbox_close(outbox);
    outbox = NULL;
    buf_clear(&outbox_notice);
    ck_assert_msg(outbox_open(&outbox, &outbox_settings, &outbox_notice, &e) == 0, "%s", e.text);
}

unsigned lane_of(const char *key)
{
    return record_lane(text_of(key));
}

static const char *find_key(bool same_lane, char *out, size_t size)
{
    for (int i = 0; i < 1000; i++) {
        snprintf(out, size, "vm-%d", i);
        if ((lane_of(out) == lane_of(KEY_A)) == same_lane)
            return out;
    }
    ck_abort_msg("no such key");
}

const char *key_b(void)
{
    static char key[16];
    return find_key(true, key, sizeof key);
}

const char *key_c(void)
{
    static char key[16];
    return find_key(false, key, sizeof key);
}

void add(const char *key, const char *payload, enum outbox_kind kind)
{
    ck_assert_int_eq(outbox_add(outbox, text_of(key), text_of(payload), kind, record_ms), 0);
    record_ms += record_step_ms;
}

void commit(void)
{
    struct error e;
    outbox_begin(outbox);
    ck_assert_msg(outbox_commit(outbox, 0, &e) == 0, "%s", e.text);
}

void put(const char *key, const char *payload)
{
    add(key, payload, OUTBOX_READING);
    commit();
}

const char *held(unsigned lane)
{
    struct outbox_record r = {0};
    struct error e;
    int found;
    buf_clear(&listing);
    while ((found = outbox_after(outbox, lane, r.sequence, &r, &e)) == 1)
        buf_addf(&listing, "%s%.*s@%llu<%llu", listing.len ? " " : "", TEXT_ARG(r.payload),
                 (unsigned long long)r.sequence, (unsigned long long)r.previous);
    ck_assert_msg(found == 0, "%s", e.text);
    return buf_terminate(&listing);
}

struct outbox_figures figures(void)
{
    struct outbox_figures f;
    outbox_figures(outbox, &f);
    return f;
}
