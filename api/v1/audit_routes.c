/* Is the ledger right, and what was not taken into it. */
#include "v1.h"

#include "api/http/json_write.h"
#include "api/http/problem.h"
#include "page.h"

static void write_mismatch(struct json *j, const struct audit_mismatch *m)
{
    json_begin_object(j, NULL);
    json_string(j, "what", m->what);
    json_text(j, "resource", m->resource);
    json_text(j, "meter", m->meter);
    json_wide(j, "stream", (wide)m->stream);
    json_wide(j, "booked", m->booked);
    json_wide(j, "expected", m->expected);
    json_end_object(j);
}

static void write_audit(const struct audit_result *a, struct buf *out)
{
    struct json j = {.out = out};
    json_begin_object(&j, NULL);
    json_bool(&j, "consistent", a->mismatch_count == 0);
    json_integer(&j, "commit", (int64_t)a->commit);
    json_integer(&j, "entities", (int64_t)a->entities);
    json_integer(&j, "streams", (int64_t)a->streams);
    json_integer(&j, "rows", (int64_t)a->rows);
    json_integer(&j, "days", (int64_t)a->days);
    json_integer(&j, "mismatch_count", (int64_t)a->mismatch_count);
    json_begin_array(&j, "mismatches");
    for (size_t i = 0; i < a->kept; i++)
        write_mismatch(&j, &a->mismatches[i]);
    json_end_array(&j);
    json_raw(&j, "units", buf_text(&a->units));
    json_end_object(&j);
    buf_add_char(out, '\n');
}

void get_audit(void *worker, const struct request *request, struct reply *reply)
{
    struct v1_worker *w = worker;
    struct audit_result result = {0};
    struct error e = {0};
    (void)request;
    if (atomic_flag_test_and_set(&w->v1->auditing)) {
        problem(reply, PROBLEM_BUSY, "an audit is under way already");
        return;
    }
    int r = ledger_audit(w->ledger, &result, &e);
    atomic_flag_clear(&w->v1->auditing);
    if (r) {
        v1_problem(reply, &e);
        return;
    }
    write_audit(&result, &reply->body);
    audit_result_free(&result);
}

/* A dead letter's bytes may be anything. */
static void add_base64(struct buf *out, struct text t)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < t.len; i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (i + k < t.len ? (unsigned char)t.data[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_add_char(out, i + k <= t.len ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
}

static void write_dead_letter(struct json *j, const struct dead_letter_row *row)
{
    struct buf value = {0};
    add_base64(&value, row->value);
    json_begin_object(j, NULL);
    json_integer(j, "id", row->id);
    json_time(j, "time", row->time_ms);
    json_integer(j, "partition", row->partition);
    json_integer(j, "offset", row->offset);
    json_text(j, "reason", row->reason);
    json_text(j, "key", row->key);
    json_integer(j, "value_size", row->value_size);
    json_text(j, "value_base64", buf_text(&value));
    json_end_object(j);
    j->out->failed |= value.failed;
    buf_free(&value);
}

static void write_dead_letters(const struct dead_letter_page *page, struct buf *out)
{
    struct json j = {.out = out};
    json_begin_object(&j, NULL);
    json_integer(&j, "total", page->total);
    json_begin_array(&j, "dead_letters");
    for (size_t i = 0; i < page->count; i++)
        write_dead_letter(&j, &page->rows[i]);
    json_end_array(&j);
    if (page->next)
        json_wide(&j, "next", page->next);
    else
        json_raw(&j, "next", TEXT("null"));
    json_end_object(&j);
    buf_add_char(out, '\n');
}

void get_dead_letters(void *worker, const struct request *q, struct reply *reply)
{
    struct v1_worker *w = worker;
    struct dead_letter_page page = {0};
    struct error e = {0};
    size_t limit = (size_t)request_number(q, "limit", PAGE_LIMIT);
    if (ledger_dead_letters(w->ledger, request_number(q, "after", 0), limit, &page, &e)) {
        v1_problem(reply, &e);
        return;
    }
    write_dead_letters(&page, &reply->body);
    if (page.next) {
        char next[WIDE_SIZE];
        page_link(q, text_of(wide_format(page.next, next)), reply);
    }
    dead_letter_page_free(&page);
}
