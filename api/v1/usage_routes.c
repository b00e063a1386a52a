/* What was used, by whom: rows of the ledger. */
#include "v1.h"

#include <stddef.h>

#include "api/http/csv_write.h"
#include "api/http/json_write.h"
#include "page.h"
#include "pluvio/base/timestamp.h"

static const struct column {
    const char *name;
    unsigned group; /* enum usage_group; shown where grouped by */
    size_t offset;  /* of the text in struct usage_row */
} columns[] = {
    {"project", USAGE_BY_PROJECT, offsetof(struct usage_row, project)},
    {"user", USAGE_BY_USER, offsetof(struct usage_row, user)},
    {"entity", USAGE_BY_ENTITY, offsetof(struct usage_row, entity)},
    {"resource", USAGE_BY_RESOURCE, offsetof(struct usage_row, resource)},
    {"meter", USAGE_BY_METER, offsetof(struct usage_row, meter)},
    {"flavor", USAGE_BY_FLAVOR, offsetof(struct usage_row, flavor)},
    {"state", USAGE_BY_STATE, offsetof(struct usage_row, state)},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static struct text text_at(const struct usage_row *row, const struct column *c)
{
    return *(const struct text *)((const char *)row + c->offset);
}

/* Without from and to: this month until now. */
static void read_query(const struct request *q, struct usage_query *ret)
{
    int64_t to_ms = request_number(q, "to", q->now_ms);
    *ret = (struct usage_query){
        .from_ms = request_number(q, "from", month_start_ms(to_ms - 1)),
        .to_ms = to_ms,
        .step = (enum usage_step)request_number(q, "by", USAGE_TOTAL),
        .groups = (unsigned)request_number(q, "group", USAGE_BY_PROJECT) | USAGE_BY_METER,
        .project = request_text(q, "project"),
        .resource = request_text(q, "resource"),
        .entity = request_text(q, "entity"),
        .meter = request_text(q, "meter"),
        .flavor = request_text(q, "flavor"),
        .state = request_text(q, "state"),
        .user = request_text(q, "user"),
        .after = request_text(q, "after"),
        .limit = (size_t)request_number(q, "limit", PAGE_LIMIT),
    };
}

static void write_row(struct json *j, unsigned groups, const struct usage_row *row)
{
    json_begin_object(j, NULL);
    json_time(j, "from", row->from_ms);
    json_time(j, "to", row->to_ms);
    for (size_t i = 0; i < COLUMNS; i++)
        if (groups & columns[i].group)
            json_text(j, columns[i].name, text_at(row, &columns[i]));
    json_string(j, "basis", meter_basis_name(row->basis));
    json_string(j, "unit", row->unit);
    json_wide(j, "quantity", row->quantity);
    json_wide(j, "covered_ms", row->covered_ms);
    json_bool(j, "open", row->open);
    json_end_object(j);
}

static void write_json(const struct usage_query *query, const struct usage_page *page, struct buf *out)
{
    struct json j = {.out = out};
    json_begin_object(&j, NULL);
    json_time(&j, "from", query->from_ms);
    json_time(&j, "to", query->to_ms);
    json_begin_array(&j, "usage");
    for (size_t i = 0; i < page->count; i++)
        write_row(&j, query->groups, &page->rows[i]);
    json_end_array(&j);
    json_string(&j, "next", page->next);
    json_end_object(&j);
    buf_add_char(out, '\n');
}

static void write_csv_head(struct csv *c, unsigned groups)
{
    csv_string(c, "from");
    csv_string(c, "to");
    for (size_t i = 0; i < COLUMNS; i++)
        if (groups & columns[i].group)
            csv_string(c, columns[i].name);
    csv_string(c, "basis");
    csv_string(c, "unit");
    csv_string(c, "quantity");
    csv_string(c, "covered_ms");
    csv_string(c, "open");
    csv_end_row(c);
}

static void write_csv(const struct usage_query *query, const struct usage_page *page, struct buf *out)
{
    struct csv c = {.out = out};
    write_csv_head(&c, query->groups);
    for (size_t i = 0; i < page->count; i++) {
        const struct usage_row *row = &page->rows[i];
        char time[TIMESTAMP_SIZE], digits[WIDE_SIZE];
        csv_string(&c, timestamp_format(row->from_ms, time));
        csv_string(&c, timestamp_format(row->to_ms, time));
        for (size_t k = 0; k < COLUMNS; k++)
            if (query->groups & columns[k].group)
                csv_text(&c, text_at(row, &columns[k]));
        csv_string(&c, meter_basis_name(row->basis));
        csv_string(&c, row->unit);
        csv_string(&c, wide_format(row->quantity, digits));
        csv_string(&c, wide_format(row->covered_ms, digits));
        csv_string(&c, row->open ? "true" : "false");
        csv_end_row(&c);
    }
}

void get_usage(void *worker, const struct request *request, struct reply *reply)
{
    struct v1_worker *w = worker;
    struct usage_query query;
    struct usage_page page = {0};
    struct error e = {0};
    read_query(request, &query);
    if (ledger_usage(w->ledger, &query, &page, &e)) {
        v1_problem(reply, &e);
        return;
    }
    if (page_format(request, reply) == PAGE_CSV)
        write_csv(&query, &page, &reply->body);
    else
        write_json(&query, &page, &reply->body);
    if (page.next)
        page_link(request, text_of(page.next), reply);
    usage_page_free(&page);
}
