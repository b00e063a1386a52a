/* A series book in memory, and a rig that puts records of one entity to an accountant over it. */
#ifndef TESTS_UNIT_SERIES_FAKE_BOOK_H
#define TESTS_UNIT_SERIES_FAKE_BOOK_H

#include "collector/series/series.h"

#define T0       1764000000LL /* s: a multiple of an hour */
#define HOUR     3600LL
#define DAY      86400LL
#define MAX_ROWS 32768
#define MAX_KEPT 256

struct fake_row {
    int64_t period_ms, stream, amount, covered_ms;
};
struct fake_stream {
    int64_t resource, meter;
    struct stream stream;
    bool parked;
};

struct fake_book {
    struct series_book port; /* first */
    struct series_steps steps;
    struct fake_row rows[MAX_ROWS];
    size_t row_count;
    struct fake_stream streams[MAX_KEPT];
    size_t stream_count;
    struct ledger_meter meters[METERS];
    struct ledger_meter other[8]; /* other producers' */
    int64_t resources;
};

struct series_rig {
    struct fake_book book;
    struct accountant accountant;
    struct entity *entity;
    struct record record;
    int64_t now_ms;
};

void series_start(struct series_rig *r); /* periods of an hour, steps of a minute; it is T0 + 10 days */
void series_stop(struct series_rig *r);

/* Begin a record in a state; the entity's owner is 1 unless it is set. */
void record_begin(struct series_rig *r, const char *state);
/* A reading of ours; times are seconds after T0. */
struct point *add_reading(struct series_rig *r, enum meter_id meter, uint64_t uid, int64_t start_s, int64_t time_s,
                          int64_t value);
/* A reading of another producer's metric. */
struct point *add_metric(struct series_rig *r, const char *name, enum meter_type type, int64_t start_s, int64_t time_s,
                         int64_t value);
enum series_refusal apply(struct series_rig *r);
/* A record of one reading. */
enum series_refusal tell_counter(struct series_rig *r, uint64_t uid, int64_t start_s, int64_t time_s, int64_t value);
enum series_refusal tell_size(struct series_rig *r, const char *state, uint64_t uid, int64_t start_s, int64_t time_s,
                              int64_t size);

/* Rows of a period (hours after T0), of the stream @uid; 0: of all. */
int64_t booked_in(const struct series_rig *r, int64_t hour, uint64_t uid);
int64_t booked(const struct series_rig *r, uint64_t uid);
size_t rows_of(const struct series_rig *r, uint64_t uid);
/* What lies in the open period of counters. */
int64_t open_amount(const struct series_rig *r, uint64_t uid);
void sweep_until_quiet(struct series_rig *r, int64_t now_s);

#endif
