/* What is known: VMs, their disks and interfaces, hosts. */
#include "v1.h"

#include "api/http/csv_write.h"
#include "api/http/json_write.h"
#include "api/http/problem.h"
#include "page.h"
#include "pluvio/base/timestamp.h"

static void write_row(struct json *j, const struct resource_row *row)
{
    json_begin_object(j, NULL);
    json_text(j, "id", row->id);
    json_string(j, "kind", resource_kind_name(row->kind));
    json_text(j, "entity", row->entity);
    json_text(j, "name", row->name);
    json_text(j, "project", row->project);
    json_text(j, "user", row->user);
    json_text(j, "flavor", row->flavor);
    json_text(j, "state", row->state);
    json_text(j, "host", row->host);
    json_time(j, "first", row->first_ms);
    json_time(j, "last", row->last_ms);
    json_raw(j, "metadata", row->metadata);
    json_raw(j, "meters", row->meters);
    json_end_object(j);
}

static void write_json(const struct resource_page *page, struct buf *out)
{
    struct json j = {.out = out};
    json_begin_object(&j, NULL);
    json_begin_array(&j, "resources");
    for (size_t i = 0; i < page->count; i++)
        write_row(&j, &page->rows[i]);
    json_end_array(&j);
    json_string(&j, "next", page->next);
    json_end_object(&j);
    buf_add_char(out, '\n');
}

static void write_csv(const struct resource_page *page, struct buf *out)
{
    static const char *const head[] = {"id",     "kind",  "entity", "name",  "project", "user",
                                       "flavor", "state", "host",   "first", "last"};
    struct csv c = {.out = out};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        csv_string(&c, head[i]);
    csv_end_row(&c);
    for (size_t i = 0; i < page->count; i++) {
        const struct resource_row *r = &page->rows[i];
        char time[TIMESTAMP_SIZE];
        csv_text(&c, r->id);
        csv_string(&c, resource_kind_name(r->kind));
        csv_text(&c, r->entity);
        csv_text(&c, r->name);
        csv_text(&c, r->project);
        csv_text(&c, r->user);
        csv_text(&c, r->flavor);
        csv_text(&c, r->state);
        csv_text(&c, r->host);
        csv_string(&c, timestamp_format(r->first_ms, time));
        csv_string(&c, timestamp_format(r->last_ms, time));
        csv_end_row(&c);
    }
}

void get_resources(void *worker, const struct request *q, struct reply *reply)
{
    struct v1_worker *w = worker;
    struct resource_page page = {0};
    struct error e = {0};
    if (ledger_resources(w->ledger, request_text(q, "project"), request_text(q, "kind"), request_text(q, "entity"),
                         TEXT(""), request_text(q, "after"), (size_t)request_number(q, "limit", PAGE_LIMIT), &page,
                         &e)) {
        v1_problem(reply, &e);
        return;
    }
    if (page_format(q, reply) == PAGE_CSV)
        write_csv(&page, &reply->body);
    else
        write_json(&page, &reply->body);
    if (page.next)
        page_link(q, text_of(page.next), reply);
    resource_page_free(&page);
}

void get_resource(void *worker, const struct request *q, struct reply *reply)
{
    struct v1_worker *w = worker;
    struct resource_page page = {0};
    struct error e = {0};
    struct text id = request_segment(q, "id"), any = TEXT("");
    if (ledger_resources(w->ledger, any, any, any, id, any, 1, &page, &e)) {
        v1_problem(reply, &e);
        return;
    }
    if (page.count) {
        struct json j = {.out = &reply->body};
        write_row(&j, &page.rows[0]);
        buf_add_char(&reply->body, '\n');
    } else {
        problem(reply, PROBLEM_NOT_FOUND, "resource %.*s is not known", TEXT_ARG(id));
    }
    resource_page_free(&page);
}
