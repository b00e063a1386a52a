/* What a meter did over time: rows of the archives. Pictures, not bills. */
#include "v1.h"

#include <math.h>
#include <stdio.h>

#include "api/http/csv_write.h"
#include "api/http/json_write.h"
#include "api/http/problem.h"
#include "page.h"
#include "pluvio/archive/archive_query.h"
#include "pluvio/base/timestamp.h"

#define HOUR_MS 3600000LL

static const char *const names[] = {
    [CONSOLIDATION_AVERAGE] = "average", [CONSOLIDATION_MIN] = "min", [CONSOLIDATION_MAX] = "max"};

/* Whole seconds, outwards. */
static int64_t ceil_s(int64_t ms)
{
    return (ms + MS_PER_S - 1) / MS_PER_S;
}

/* Without from and to: the last hour. */
static void read_query(const struct request *q, struct series_query *ret)
{
    int64_t to_ms = request_number(q, "to", q->now_ms);
    *ret = (struct series_query){
        .resource = request_segment(q, "resource"),
        .meter = request_segment(q, "meter"),
        .from_s = request_number(q, "from", to_ms - HOUR_MS) / MS_PER_S,
        .to_s = ceil_s(to_ms),
        .step_s = ceil_s(request_number(q, "step", 0)),
        .consolidation = (enum consolidation)request_number(q, "consolidation", CONSOLIDATION_AVERAGE),
    };
}

static void write_json(const struct series_query *query, const struct archived_series *s, struct buf *out)
{
    struct json j = {.out = out};
    json_begin_object(&j, NULL);
    json_text(&j, "resource", query->resource);
    json_text(&j, "meter", query->meter);
    json_string(&j, "unit", s->unit);
    json_integer(&j, "step", s->step_s);
    json_string(&j, "consolidation", names[query->consolidation]);
    json_begin_array(&j, "points");
    for (size_t i = 0; i < s->count; i++) {
        json_begin_object(&j, NULL);
        json_time(&j, "time", s->points[i].time_s * MS_PER_S);
        json_real(&j, "value", s->points[i].value);
        json_end_object(&j);
    }
    json_end_array(&j);
    json_end_object(&j);
    buf_add_char(out, '\n');
}

static void write_csv(const struct archived_series *s, struct buf *out)
{
    struct csv c = {.out = out};
    csv_string(&c, "time");
    csv_string(&c, "value");
    csv_end_row(&c);
    for (size_t i = 0; i < s->count; i++) {
        char time[TIMESTAMP_SIZE], value[40] = "";
        csv_string(&c, timestamp_format(s->points[i].time_s * MS_PER_S, time));
        if (isfinite(s->points[i].value))
            snprintf(value, sizeof value, "%.15g", s->points[i].value);
        csv_string(&c, value);
        csv_end_row(&c);
    }
}

void get_series(void *worker, const struct request *request, struct reply *reply)
{
    struct v1_worker *w = worker;
    struct series_query query;
    struct archived_series series = {0};
    struct error e = {0};
    if (!w->v1->archive) {
        problem(reply, PROBLEM_UNAVAILABLE, "this collector keeps no archives: usage is at /v1/usage");
        return;
    }
    read_query(request, &query);
    if (archive_series(w->v1->archive, &query, &series, &e)) {
        v1_problem(reply, &e);
        return;
    }
    if (page_format(request, reply) == PAGE_CSV)
        write_csv(&series, &reply->body);
    else
        write_json(&query, &series, &reply->body);
    archived_series_free(&series);
}
