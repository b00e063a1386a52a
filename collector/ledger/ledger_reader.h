/* What the files of the read side share. */
#ifndef COLLECTOR_LEDGER_LEDGER_READER_H
#define COLLECTOR_LEDGER_LEDGER_READER_H

#include "collector/series/entity.h"
#include "pluvio/base/map.h"
#include "pluvio/ledger/ledger_query.h"
#include "pluvio/store/db.h"

struct known_owner {
    char *project, *user, *flavor, *state;
};

struct reader_meter {
    struct ledger_meter meter; /* first: entity_unpack gets this */
    char *quantity_unit;       /* "B", or "MiB*ms" */
};

struct ledger_reader {
    struct db *db;
    int64_t period_ms;
    struct reader_meter **meters; /* by id */
    size_t meter_count;
    struct known_owner **owners; /* by id */
    size_t owner_count;
};

/* Reads that belong together see one state of the file. */
int reader_begin(struct ledger_reader *l, struct error *error);
int reader_end(struct ledger_reader *l, struct error *error); /* the first error since begin */

/* Names that are new since the last time are read; NULL: unknown or failed. */
const struct reader_meter *reader_meter(struct ledger_reader *l, int64_t id);
const struct known_owner *reader_owner(struct ledger_reader *l, int64_t id);
const struct ledger_meter *reader_meter_lookup(void *context, int64_t id); /* for entity_unpack */

/* What is open, one call a stream: consumed units, or allocated ms. */
struct open_usage {
    const struct entity *entity;
    const struct resource *resource;
    const struct series *series;
    const struct stream *stream;
    int64_t period_ms, amount, covered_ms;
};
/* Walk the entities, or the one with key @entity, and their open periods. */
void reader_each_open(struct ledger_reader *l, struct text entity,
                      void (*each)(void *context, const struct open_usage *o), void *context);
/* Walk the packed rows; the entity is valid for the call. */
void reader_each_entity(struct ledger_reader *l, struct text entity,
                        void (*each)(void *context, const struct entity *e), void *context);

#endif
