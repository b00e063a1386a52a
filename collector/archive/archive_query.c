#include "pluvio/archive/archive_query.h"

#include <errno.h>
#include <stdlib.h>

#include "archive_reader.h"
#include "archive_rows.h"
#include "derive.h"

#define MAX_POINTS 100000

static int too_many(struct error *error)
{
    return error_set(error, -E2BIG, "more than %d points: ask for a coarser step or a shorter range", MAX_POINTS);
}

static int check(const struct series_query *q, struct error *error)
{
    if (q->from_s < 0 || q->to_s <= q->from_s)
        return error_set(error, -EINVAL, "the end of the range must lie behind its start");
    if (q->step_s < 0)
        return error_set(error, -EINVAL, "the step must not be negative");
    if (q->resource.len == 0 || q->resource.len > ARCHIVE_MAX_NAME || q->meter.len == 0 ||
        q->meter.len > ARCHIVE_MAX_NAME)
        return error_set(error, -EINVAL, "resource and meter must have 1 to %d bytes", ARCHIVE_MAX_NAME);
    return q->step_s && (q->to_s - q->from_s) / q->step_s > MAX_POINTS ? too_many(error) : 0;
}

/* Another producer's meter has a file of its own: one column, as it is. */
static double value_at(const struct derivation *d, const double *row, int64_t step_s)
{
    return d ? derive_value(d, row, step_s) : row[0];
}

static int fill(const struct derivation *d, const struct rrd_rows *rows, struct archived_series *ret,
                struct error *error)
{
    if (rows->rows > MAX_POINTS)
        return too_many(error);
    struct archived_series s = {.step_s = rows->step_s, .unit = d ? d->unit : "", .count = rows->rows};
    s.points = calloc(rows->rows + 1, sizeof *s.points);
    if (!s.points)
        return error_set(error, -ENOMEM, "out of memory");
    for (size_t i = 0; i < rows->rows; i++)
        s.points[i] = (struct series_point){rows->start_s + (int64_t)i * rows->step_s,
                                            value_at(d, rows->values + i * rows->columns, rows->step_s)};
    *ret = s;
    return 0;
}

static int read_and_fill(struct archive_reader *reader, const struct archive_read *read, const struct derivation *d,
                         struct archived_series *ret, struct error *error)
{
    struct rrd_rows rows = {0};
    int r = archive_ask(reader->archive, read, &rows, error);
    if (r)
        return r;
    r = fill(d, &rows, ret, error);
    free(rows.values);
    return r;
}

/* As it is named, or the counter whose rate it is: what is stored of another producer's counter is its rate. */
static int read_others(struct archive_reader *reader, struct archive_read *read, struct text meter,
                       struct archived_series *ret, struct error *error)
{
    struct text counter;
    read->kind = RESOURCE_OTHER;
    read->meter = meter;
    int r = read_and_fill(reader, read, NULL, ret, error);
    if (r != -ENOENT)
        return r;
    if (derive_rate_of(meter, &counter)) {
        read->meter = counter;
        r = read_and_fill(reader, read, NULL, ret, error);
    }
    return r == -ENOENT
               ? error_set(error, r, "resource %.*s has no meter %.*s", TEXT_ARG(read->resource), TEXT_ARG(meter))
               : r;
}

int archive_series(struct archive_reader *reader, const struct series_query *q, struct archived_series *ret,
                   struct error *error)
{
    struct derivation d;
    *ret = (struct archived_series){0};
    int r = check(q, error);
    if (r)
        return r;
    struct archive_read read = {.resource = q->resource,
                                .function = q->consolidation,
                                .from_s = q->from_s,
                                .to_s = q->to_s,
                                .step_s = q->step_s};
    if (!derive(q->meter, &d))
        return read_others(reader, &read, q->meter, ret, error);
    read.kind = d.meter->kind;
    return read_and_fill(reader, &read, &d, ret, error);
}

void archived_series_free(struct archived_series *s)
{
    free(s->points);
    *s = (struct archived_series){0};
}
