#include "page.h"

const char *const page_formats[] = {"json", "csv", NULL};

enum page_format page_format(const struct request *q, struct reply *reply)
{
    bool accepted = q->accept.len && memmem(q->accept.data, q->accept.len, "text/csv", 8);
    enum page_format format = accepted ? PAGE_CSV : PAGE_JSON;
    if (request_given(q, "format"))
        format = (enum page_format)request_number(q, "format", PAGE_JSON);
    if (format == PAGE_CSV)
        reply->content_type = "text/csv; charset=utf-8; header=present";
    return format;
}

static void add_escaped(struct buf *out, struct text t)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (size_t i = 0; i < t.len; i++) {
        if (t.data[i] && strchr(plain, t.data[i]))
            buf_add_char(out, t.data[i]);
        else
            buf_addf(out, "%%%02X", (unsigned char)t.data[i]);
    }
}

static void add_parameter(struct buf *out, struct text name, struct text value)
{
    buf_add_char(out, memchr(out->data, '?', out->len) ? '&' : '?');
    add_escaped(out, name);
    buf_add_char(out, '=');
    add_escaped(out, value);
}

void page_link(const struct request *q, struct text next, struct reply *reply)
{
    struct buf link = {0};
    const char *query = memchr(q->target.data, '?', q->target.len);
    buf_add_char(&link, '<');
    buf_add(&link, q->target.data, query ? (size_t)(query - q->target.data) : q->target.len);
    for (size_t i = 0; i < q->given_count; i++)
        if (!text_equal(q->names[i], TEXT("after")))
            add_parameter(&link, q->names[i], q->given[i]);
    add_parameter(&link, TEXT("after"), next);
    buf_add_string(&link, ">; rel=\"next\"");
    if (!link.failed)
        reply_header(reply, "Link", buf_text(&link));
    buf_free(&link);
}
