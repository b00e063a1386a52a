/* What the files of the write side share. */
#ifndef COLLECTOR_LEDGER_LEDGER_PRIVATE_H
#define COLLECTOR_LEDGER_LEDGER_PRIVATE_H

#include "day_sum.h"
#include "ledger.h"
#include "pluvio/base/map.h"
#include "pluvio/store/db.h"

#define LEDGER_MAX_PARTITIONS 512
#define LEDGER_MAX_METERS     20000 /* names of other producers are ignored beyond; ours have their place */
#define LEDGER_CACHE_TRIM     50000 /* entities; beyond, those with nothing open leave memory */

struct held_partition {
    char *topic;
    int32_t partition;
    int64_t generation;
    int64_t committed; /* next offset in the file */
    int64_t next;      /* and in the transaction under way */
};

struct cached_mark {
    char key[LANE_KEY_SIZE];
    char outbox[OUTBOX_ID_SIZE];
    unsigned lane;
    uint64_t mark;
    int64_t newest_ms;
    bool dirty;
    struct cached_mark *next_dirty;
};

struct ledger {
    struct series_book book; /* first: the port's functions get back to the ledger */
    struct db *db;
    int64_t lease;
    int64_t period_ms;
    uint64_t commit; /* newest committed */
    bool open;       /* a transaction is under way */
    bool wrote_usage;
    int64_t now_ms;
    struct map entities; /* key -> struct entity */
    struct map meters;   /* name -> struct ledger_meter */
    struct ledger_meter **meters_by_id;
    size_t meter_count;
    struct map owners; /* packed key -> struct owner_entry */
    struct map marks;  /* lane_key() -> struct cached_mark */
    struct cached_mark *dirty_marks;
    struct held_partition *partitions;
    size_t partition_count;
    struct day_sums days;
    struct buf scratch;
};

void ledger_book_init(struct ledger *l);
int ledger_load_meters(struct ledger *l);
void ledger_forget_names(struct ledger *l); /* meters and owners made in a transaction that failed */
void ledger_free_names(struct ledger *l);
const struct ledger_meter *ledger_meter_by_id(void *context, int64_t id);
const struct ledger_meter *ledger_meter_of(struct ledger *l, const struct point *p);
int64_t ledger_owner(struct ledger *l, const struct record *r);
void ledger_write_entities(struct ledger *l);
void ledger_drop_entities(struct ledger *l);
void ledger_write_partitions(struct ledger *l);
void ledger_commit_partitions(struct ledger *l, bool done);
void ledger_write_marks(struct ledger *l);
void ledger_drop_marks(struct ledger *l);
void ledger_free_partitions(struct ledger *l);

#endif
