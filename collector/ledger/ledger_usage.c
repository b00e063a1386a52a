/* Usage by step and group: finished periods from rows or day sums, open ones from the packed rows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "day_sum.h"
#include "collector/series/split.h"
#include "ledger_reader.h"
#include "pluvio/base/timestamp.h"

#define DAY_MS      86400000LL
#define MAX_CELLS   1000000 /* of one answer, all pages together */
#define MAX_COLUMNS 7

struct cell {
    char *key; /* step, big endian, then the group's texts, each with a NUL: in key order is in row order */
    size_t key_len;
    const struct reader_meter *meter;
    wide quantity, covered_ms;
    bool open;
};

struct gather {
    struct ledger_reader *reader;
    const struct usage_query *query;
    int64_t from_ms, to_ms;
    struct map cells;
    struct buf key;
    bool too_many;
};

static bool meter_matches(struct text wanted, const char *name)
{
    if (wanted.len && wanted.data[wanted.len - 1] == '*')
        return strncmp(name, wanted.data, wanted.len - 1) == 0;
    return wanted.len == 0 || text_equal(wanted, text_of(name));
}

static bool matches(struct text wanted, const char *value)
{
    return wanted.len == 0 || text_equal(wanted, text_of(value));
}

static bool owner_matches(const struct usage_query *q, const struct known_owner *o)
{
    return matches(q->project, o->project) && matches(q->user, o->user) && matches(q->flavor, o->flavor) &&
           matches(q->state, o->state);
}

static int64_t step_of(const struct gather *g, int64_t period_ms)
{
    switch (g->query->step) {
    case USAGE_HOUR:
        return window_start(period_ms, g->reader->period_ms > 3600000 ? g->reader->period_ms : 3600000);
    case USAGE_DAY:
        return day_start_ms(period_ms);
    case USAGE_MONTH:
        return month_start_ms(period_ms);
    case USAGE_TOTAL:
    case USAGE_STEPS:
        break;
    }
    return g->from_ms;
}

static void add_part(struct buf *key, bool wanted, const char *value)
{
    if (wanted)
        buf_add_string(key, value);
    buf_add_char(key, 0);
}

static void make_key(struct gather *g, int64_t step_ms, const struct known_owner *o, const char *entity,
                     const char *resource, const struct reader_meter *m)
{
    unsigned groups = g->query->groups;
    uint8_t time[8];
    for (int i = 0; i < 8; i++)
        time[i] = (uint8_t)((uint64_t)step_ms >> (56 - 8 * i));
    buf_clear(&g->key);
    buf_add(&g->key, time, sizeof time);
    add_part(&g->key, groups & USAGE_BY_PROJECT, o->project);
    add_part(&g->key, groups & USAGE_BY_USER, o->user);
    add_part(&g->key, groups & USAGE_BY_ENTITY, entity);
    add_part(&g->key, groups & USAGE_BY_RESOURCE, resource);
    add_part(&g->key, true, m->meter.name);
    add_part(&g->key, groups & USAGE_BY_FLAVOR, o->flavor);
    add_part(&g->key, groups & USAGE_BY_STATE, o->state);
}

static struct cell *cell_of(struct gather *g, const struct reader_meter *m)
{
    struct text key = buf_text(&g->key);
    struct cell *c = map_get(&g->cells, key);
    if (c)
        return c;
    if (g->cells.count >= MAX_CELLS) {
        g->too_many = true;
        return NULL;
    }
    c = calloc(1, sizeof *c);
    if (!c || !(c->key = text_dup(key)) || map_put(&g->cells, (struct text){c->key, key.len}, c)) {
        if (c)
            free(c->key);
        free(c);
        db_fail(g->reader->db, -ENOMEM, "out of memory");
        return NULL;
    }
    c->key_len = key.len;
    c->meter = m;
    return c;
}

static void add(struct gather *g, int64_t period_ms, int64_t owner, const struct reader_meter *m, const char *entity,
                const char *resource, wide quantity, int64_t covered_ms, bool open)
{
    const struct known_owner *o = reader_owner(g->reader, owner);
    if (!o || !m || !owner_matches(g->query, o) || !meter_matches(g->query->meter, m->meter.name))
        return;
    make_key(g, step_of(g, period_ms), o, entity, resource, m);
    struct cell *c = cell_of(g, m);
    if (!c)
        return;
    c->quantity += quantity;
    c->covered_ms += covered_ms;
    c->open |= open;
}

static void add_open(void *context, const struct open_usage *o)
{
    struct gather *g = context;
    char resource[1024];
    if (o->period_ms < g->from_ms || o->period_ms >= g->to_ms)
        return;
    snprintf(resource, sizeof resource, *o->resource->device ? "%s-%s" : "%s%s", o->entity->key, o->resource->device);
    if (!matches(g->query->resource, resource) || !matches(g->query->entity, o->entity->key))
        return;
    wide quantity = o->series->meter->basis == BASIS_ALLOCATED ? (wide)o->amount * o->stream->value : o->amount;
    add(g, o->period_ms, o->stream->owner, reader_meter(g->reader, o->series->meter->id), o->entity->key, resource,
        quantity, o->covered_ms, true);
}

static bool from_day_sums(const struct gather *g)
{
    const struct usage_query *q = g->query;
    return !(q->groups & (USAGE_BY_RESOURCE | USAGE_BY_ENTITY)) && !q->resource.len && !q->entity.len &&
           q->step != USAGE_HOUR && g->from_ms % DAY_MS == 0 && g->to_ms % DAY_MS == 0;
}

static void add_days(struct gather *g)
{
    struct db_row *q = db_query(g->reader->db, "SELECT day_ms, owner, meter, high, low, covered_ms FROM day_sum "
                                               "WHERE day_ms>=?1 AND day_ms<?2");
    db_bind_i64(q, 1, g->from_ms);
    db_bind_i64(q, 2, g->to_ms);
    while (db_step(q))
        add(g, db_i64(q, 0), db_i64(q, 1), reader_meter(g->reader, db_i64(q, 2)), "", "",
            wide_join(db_i64(q, 3), db_i64(q, 4)), db_i64(q, 5), false);
    db_reset(q);
}

static wide quantity_of(const struct reader_meter *m, int64_t amount, int64_t size)
{
    return m && m->meter.basis == BASIS_ALLOCATED ? (wide)amount * size : amount;
}

/* Everybody's rows of some periods: a range of the table. */
static void add_rows(struct gather *g)
{
    struct db_row *q =
        db_query(g->reader->db, "SELECT u.period_ms, s.owner, s.meter, u.amount, s.size, u.covered_ms, r.key, r.entity "
                                "FROM usage u JOIN stream s ON s.id=u.stream JOIN resource r ON r.id=s.resource "
                                "WHERE u.period_ms>=?1 AND u.period_ms<?2");
    db_bind_i64(q, 1, g->from_ms);
    db_bind_i64(q, 2, g->to_ms);
    while (db_step(q)) {
        const struct reader_meter *m = reader_meter(g->reader, db_i64(q, 2));
        char resource[1024], entity[512];
        text_copy(db_text(q, 6), resource, sizeof resource);
        text_copy(db_text(q, 7), entity, sizeof entity);
        add(g, db_i64(q, 0), db_i64(q, 1), m, entity, resource, quantity_of(m, db_i64(q, 3), db_i64(q, 4)),
            db_i64(q, 5), false);
    }
    db_reset(q);
}

/* A resource's own rows: its streams' life, period by period, each a look-up by key. */
static void add_stream_rows(struct gather *g, int64_t stream, int64_t start_ms, int64_t owner,
                            const struct reader_meter *m, int64_t size, const char *entity, const char *resource)
{
    int64_t length = g->reader->period_ms, from = window_start(start_ms, length);
    struct db_row *q = db_query(
        g->reader->db, "SELECT sum(amount), sum(covered_ms), count(*) FROM usage WHERE period_ms=?1 AND stream=?2");
    for (int64_t p = from > g->from_ms ? from : g->from_ms; p < g->to_ms; p += length) {
        db_reset(q);
        db_bind_i64(q, 1, p);
        db_bind_i64(q, 2, stream);
        if (db_step(q) && db_i64(q, 2))
            add(g, p, owner, m, entity, resource, quantity_of(m, db_i64(q, 0), size), db_i64(q, 1), false);
        if (db_failed(g->reader->db))
            break;
    }
    db_reset(q);
}

static void add_resource_rows(struct gather *g)
{
    bool one = g->query->resource.len > 0;
    struct db_row *q =
        one ? db_query(g->reader->db, "SELECT s.id, s.start_ms, s.owner, s.meter, s.size, r.key, r.entity "
                                      "FROM resource r JOIN stream s ON s.resource=r.id WHERE r.key=?1")
            : db_query(g->reader->db, "SELECT s.id, s.start_ms, s.owner, s.meter, s.size, r.key, r.entity "
                                      "FROM resource r JOIN stream s ON s.resource=r.id WHERE r.entity=?1");
    db_bind_text(q, 1, one ? g->query->resource : g->query->entity);
    while (db_step(q)) {
        char resource[1024], entity[512];
        text_copy(db_text(q, 5), resource, sizeof resource);
        text_copy(db_text(q, 6), entity, sizeof entity);
        if (matches(g->query->entity, entity))
            add_stream_rows(g, db_i64(q, 0), db_i64(q, 1), db_i64(q, 2), reader_meter(g->reader, db_i64(q, 3)),
                            db_i64(q, 4), entity, resource);
    }
    db_reset(q);
}

/* No use in asking beyond the newest period that has rows. */
static void clip_end(struct gather *g)
{
    struct db_row *q = db_query(g->reader->db, "SELECT max(period_ms) FROM usage");
    int64_t end = db_step(q) ? db_i64(q, 0) + g->reader->period_ms : 0;
    db_reset(q);
    if (!from_day_sums(g) && g->to_ms > end)
        g->to_ms = end;
}

static void collect(struct gather *g)
{
    int64_t to_ms = g->to_ms;
    clip_end(g);
    if (from_day_sums(g))
        add_days(g);
    else if (g->query->resource.len || g->query->entity.len)
        add_resource_rows(g);
    else
        add_rows(g);
    g->to_ms = to_ms;
    reader_each_open(g->reader, g->query->entity, add_open, g);
}

static int by_key(const void *a, const void *b)
{
    const struct cell *x = *(struct cell *const *)a, *y = *(struct cell *const *)b;
    return text_compare((struct text){x->key, x->key_len}, (struct text){y->key, y->key_len});
}

/* A page key is the last row's key in hexadecimal. */
static void hex_add(struct buf *out, struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        buf_addf(out, "%02x", (unsigned char)t.data[i]);
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_read(struct text t, struct buf *out)
{
    if (t.len % 2)
        return false;
    for (size_t i = 0; i < t.len; i += 2) {
        int high = hex_value(t.data[i]), low = hex_value(t.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        buf_add_char(out, (char)(high << 4 | low));
    }
    return true;
}

static int64_t step_end(const struct gather *g, int64_t step_ms)
{
    switch (g->query->step) {
    case USAGE_HOUR:
        return step_ms + (g->reader->period_ms > 3600000 ? g->reader->period_ms : 3600000);
    case USAGE_DAY:
        return step_ms + DAY_MS;
    case USAGE_MONTH:
        return month_next_ms(step_ms);
    case USAGE_TOTAL:
    case USAGE_STEPS:
        break;
    }
    return g->to_ms;
}

static void fill_row(const struct gather *g, const struct cell *c, const char *key, struct usage_row *row)
{
    int64_t step = 0;
    for (int i = 0; i < 8; i++)
        step = step << 8 | (uint8_t)key[i];
    struct text *columns[MAX_COLUMNS] = {&row->project, &row->user,   &row->entity, &row->resource,
                                         &row->meter,   &row->flavor, &row->state};
    const char *at = key + 8;
    for (int i = 0; i < MAX_COLUMNS; i++) {
        *columns[i] = text_of(at);
        at += columns[i]->len + 1;
    }
    row->from_ms = step;
    row->to_ms = step_end(g, step);
    row->unit = c->meter->quantity_unit;
    row->basis = c->meter->meter.basis;
    row->quantity = c->quantity;
    row->covered_ms = c->covered_ms;
    row->open = c->open;
}

static int fill_page(const struct gather *g, struct cell **cells, size_t first, size_t count, bool more,
                     struct usage_page *ret)
{
    ret->rows = calloc(count ? count : 1, sizeof *ret->rows);
    for (size_t i = 0; i < count; i++)
        buf_add(&ret->texts, cells[first + i]->key, cells[first + i]->key_len);
    if (!ret->rows || ret->texts.failed)
        return -ENOMEM;
    const char *key = ret->texts.data;
    for (size_t i = 0; i < count; i++) {
        fill_row(g, cells[first + i], key, &ret->rows[i]);
        key += cells[first + i]->key_len;
    }
    ret->count = count;
    if (more) {
        struct buf hex = {0};
        hex_add(&hex, (struct text){cells[first + count - 1]->key, cells[first + count - 1]->key_len});
        ret->next = text_dup(buf_text(&hex));
        buf_free(&hex);
    }
    return more && !ret->next ? -ENOMEM : 0;
}

/* Sort the cells, pass over those up to the page key, and take a page. */
static int page(struct gather *g, struct text after, struct usage_page *ret)
{
    size_t n = 0, cursor = 0, first = 0;
    struct cell **cells = calloc(g->cells.count + 1, sizeof(struct cell *));
    if (!cells)
        return -ENOMEM;
    for (struct cell *c; (c = map_next(&g->cells, &cursor));)
        if (c->quantity || c->covered_ms)
            cells[n++] = c;
    qsort(cells, n, sizeof(struct cell *), by_key);
    while (after.len && first < n && text_compare((struct text){cells[first]->key, cells[first]->key_len}, after) <= 0)
        first++;
    size_t count = n - first < g->query->limit ? n - first : g->query->limit;
    int r = fill_page(g, cells, first, count, first + count < n, ret);
    free(cells);
    return r;
}

static void gather_free(struct gather *g)
{
    size_t cursor = 0;
    for (struct cell *c; (c = map_next(&g->cells, &cursor));) {
        free(c->key);
        free(c);
    }
    map_free(&g->cells);
    buf_free(&g->key);
}

/* Outwards to whole steps (of a total: periods). */
static void round_range(struct gather *g)
{
    const struct usage_query *q = g->query;
    int64_t length = g->reader->period_ms;
    int64_t last = q->to_ms > q->from_ms ? q->to_ms - 1 : q->from_ms;
    g->from_ms = window_start(q->from_ms, length);
    g->to_ms = window_start(last, length) + length;
    if (q->step == USAGE_TOTAL)
        return;
    int64_t first_step = step_of(g, g->from_ms), last_step = step_of(g, last);
    g->from_ms = first_step;
    g->to_ms = step_end(g, last_step);
}

int ledger_usage(struct ledger_reader *l, const struct usage_query *query, struct usage_page *ret, struct error *error)
{
    struct gather g = {.reader = l, .query = query};
    struct buf after = {0};
    *ret = (struct usage_page){0};
    if (query->from_ms < 0 || query->to_ms <= query->from_ms)
        return error_set(error, -EINVAL, "to must lie behind from");
    if (!hex_read(query->after, &after)) {
        buf_free(&after);
        return error_set(error, -EINVAL, "after is not a page key: take it from an earlier page's next");
    }
    round_range(&g);
    int r = reader_begin(l, error);
    if (r == 0) {
        collect(&g);
        r = reader_end(l, error);
    }
    if (r == 0 && g.too_many)
        r = error_set(error, -E2BIG, "the answer has more than %d rows: narrow the range or group by less", MAX_CELLS);
    if (r == 0 && (r = page(&g, buf_text(&after), ret)))
        error_set(error, r, "out of memory");
    gather_free(&g);
    buf_free(&after);
    if (r)
        usage_page_free(ret);
    return r;
}

void usage_page_free(struct usage_page *p)
{
    free(p->rows);
    free(p->next);
    buf_free(&p->texts);
    *p = (struct usage_page){0};
}
