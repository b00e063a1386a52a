#include "pluvio/archive/archive_query.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "archive_reader.h"
#include "derive.h"

#define MAX_POINTS 100000

static int check(const struct series_query *q, struct error *error)
{
    if (q->from_s < 0 || q->to_s <= q->from_s)
        return error_set(error, -EINVAL, "to must lie behind from");
    if (q->step_s < 0)
        return error_set(error, -EINVAL, "step must be positive");
    if (q->step_s && (q->to_s - q->from_s) / q->step_s > MAX_POINTS)
        return error_set(error, -E2BIG, "more than %d points: ask for a coarser step or a shorter range", MAX_POINTS);
    return 0;
}

/* Rows of the file, cut to the range, as points. */
static int fill(const struct series_query *q, const struct derivation *d, const struct rrd_rows *rows,
                struct series *ret, struct error *error)
{
    ret->points = calloc(rows->rows ? rows->rows : 1, sizeof *ret->points);
    if (!ret->points)
        return error_set(error, -ENOMEM, "out of memory");
    ret->step_s = rows->step_s;
    ret->unit = d->unit;
    for (size_t i = 0; i < rows->rows; i++) {
        int64_t time = rows->start_s + (int64_t)i * rows->step_s;
        if (time + rows->step_s <= q->from_s || time >= q->to_s)
            continue;
        ret->points[ret->count++] =
            (struct series_point){time, derive_value(d, rows->values + i * rows->columns, rows->step_s)};
    }
    return 0;
}

int archive_series(struct archive_reader *reader, const struct series_query *q, struct series *ret, struct error *error)
{
    struct derivation d;
    struct rrd_rows rows = {0};
    *ret = (struct series){0};
    int r = check(q, error);
    if (r)
        return r;
    bool ours = derive(q->meter, &d);
    struct archive_request request = {.resource = q->resource,
                                      .meter = ours ? (struct text){0} : d.name,
                                      .function = q->consolidation,
                                      .from_s = q->from_s,
                                      .to_s = q->to_s,
                                      .step_s = q->step_s,
                                      .ret = &rows};
    r = archive_ask(reader->archive, &request, error);
    if (r)
        return r;
    if (ours && (size_t)archive_column(d.meter) >= rows.columns)
        r = error_set(error, -ENOENT, "resource %.*s has no meter %.*s", TEXT_ARG(q->resource), TEXT_ARG(q->meter));
    else if (rows.rows > MAX_POINTS)
        r = error_set(error, -E2BIG, "more than %d points: ask for a coarser step or a shorter range", MAX_POINTS);
    else
        r = fill(q, &d, &rows, ret, error);
    free(rows.values);
    return r;
}

void series_free(struct series *s)
{
    free(s->points);
    *s = (struct series){0};
}
