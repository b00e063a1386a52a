/* Hosts, each with its outboxes. */
#include "v1.h"

#include "api/http/csv_write.h"
#include "api/http/json_write.h"
#include "page.h"
#include "pluvio/base/timestamp.h"

static const char *state_of(const struct host_row *row)
{
    return row->current ? "current" : "waiting";
}

static void write_time(struct json *j, const char *key, int64_t ms)
{
    if (ms)
        json_time(j, key, ms);
    else
        json_raw(j, key, TEXT("null"));
}

static void write_json(const struct host_page *page, struct buf *out)
{
    struct json j = {.out = out};
    json_begin_object(&j, NULL);
    json_begin_array(&j, "hosts");
    for (size_t i = 0; i < page->count; i++) {
        const struct host_row *row = &page->rows[i];
        json_begin_object(&j, NULL);
        json_string(&j, "host", row->host);
        json_string(&j, "outbox", row->outbox);
        json_string(&j, "state", state_of(row));
        write_time(&j, "newest", row->newest_ms);
        write_time(&j, "seen", row->seen_ms);
        write_time(&j, "since", row->since_ms);
        json_end_object(&j);
    }
    json_end_array(&j);
    json_string(&j, "next", page->more ? page->rows[page->count - 1].outbox : NULL);
    json_end_object(&j);
    buf_add_char(out, '\n');
}

static void write_csv(const struct host_page *page, struct buf *out)
{
    static const char *const head[] = {"host", "outbox", "state", "newest", "seen", "since"};
    struct csv c = {.out = out};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        csv_string(&c, head[i]);
    csv_end_row(&c);
    for (size_t i = 0; i < page->count; i++) {
        const struct host_row *row = &page->rows[i];
        const int64_t times[] = {row->newest_ms, row->seen_ms, row->since_ms};
        char time[TIMESTAMP_SIZE];
        csv_string(&c, row->host);
        csv_string(&c, row->outbox);
        csv_string(&c, state_of(row));
        for (size_t k = 0; k < sizeof times / sizeof times[0]; k++)
            csv_string(&c, times[k] ? timestamp_format(times[k], time) : "");
        csv_end_row(&c);
    }
}

void get_hosts(void *worker, const struct request *q, struct reply *reply)
{
    struct v1_worker *w = worker;
    struct host_page page = {0};
    struct error e = {0};
    if (ledger_hosts(w->ledger, request_text(q, "after"), (size_t)request_number(q, "limit", PAGE_LIMIT), &page, &e)) {
        v1_problem(reply, &e);
        return;
    }
    if (page_format(q, reply) == PAGE_CSV)
        write_csv(&page, &reply->body);
    else
        write_json(&page, &reply->body);
    if (page.more)
        page_link(q, text_of(page.rows[page.count - 1].outbox), reply);
    host_page_free(&page);
}
