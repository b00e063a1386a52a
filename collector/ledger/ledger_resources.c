/* What is known: resources with their meters and newest attributes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/series/entity_pack.h"
#include "ledger_reader.h"
#include "pluvio/base/timestamp.h"
#include "pluvio/wire/wire_print.h"

struct listing {
    struct ledger_reader *reader;
    struct resource_page *page;
    struct entity *entity; /* of the last row: disks follow their VM */
    struct text project;
};

/* Until the page is whole a text's data is its offset, since the buffer moves. */
static struct text keep(struct resource_page *p, struct text t)
{
    struct text at = {(const char *)(uintptr_t)p->texts.len, t.len};
    buf_add_text(&p->texts, t);
    return at;
}

static struct entity *entity_of(struct listing *g, struct text key)
{
    if (g->entity && text_equal(text_of(g->entity->key), key))
        return g->entity;
    entity_free(g->entity);
    g->entity = NULL;
    struct db_row *q = db_query(g->reader->db, "SELECT packed FROM entity WHERE key=?1");
    db_bind_text(q, 1, key);
    if (db_step(q))
        g->entity = entity_unpack(key, db_blob(q, 0), reader_meter_lookup, g->reader);
    db_reset(q);
    return g->entity;
}

static void add_meter(struct buf *out, const struct series *s)
{
    char first[TIMESTAMP_SIZE], last[TIMESTAMP_SIZE];
    buf_add_string(out, out->len && out->data[out->len - 1] == '}' ? "," : "");
    buf_add_string(out, "{\"meter\":");
    json_add_string(out, text_of(s->meter->name));
    buf_addf(out, ",\"type\":\"%s\",\"unit\":", meter_type_name(s->meter->type));
    json_add_string(out, text_of(s->meter->unit));
    buf_addf(out, ",\"first\":\"%s\",\"last\":\"%s\"}", timestamp_format(s->first_ms, first),
             timestamp_format(s->last_ms, last));
}

static void describe_series(struct resource_page *p, const struct resource *r, struct resource_row *row)
{
    struct buf meters = {0};
    buf_add_char(&meters, '[');
    for (size_t i = 0; i < r->count; i++) {
        const struct series *s = r->series[i];
        add_meter(&meters, s);
        row->first_ms = i == 0 || s->first_ms < row->first_ms ? s->first_ms : row->first_ms;
        row->last_ms = s->last_ms > row->last_ms ? s->last_ms : row->last_ms;
    }
    buf_add_char(&meters, ']');
    row->meters = keep(p, buf_text(&meters));
    buf_free(&meters);
}

static void describe_attributes(struct listing *g, const struct entity *e, struct resource_row *row)
{
    struct db_row *q = db_query(g->reader->db, "SELECT name, host, attributes FROM entity_attributes WHERE entity=?1 "
                                               "ORDER BY from_ms DESC LIMIT 1");
    db_bind_text(q, 1, text_of(e->key));
    bool known = db_step(q);
    row->name = keep(g->page, known ? db_text(q, 0) : TEXT(""));
    row->host = keep(g->page, known ? db_text(q, 1) : TEXT(""));
    row->metadata = keep(g->page, known ? db_text(q, 2) : TEXT("{}"));
    db_reset(q);
}

static const struct resource *find_resource(const struct entity *e, int64_t id)
{
    for (size_t i = 0; e && i < e->count; i++)
        if (e->resources[i]->id == id)
            return e->resources[i];
    return NULL;
}

static void add_row(struct listing *g, struct db_row *q)
{
    const struct entity *e = entity_of(g, db_text(q, 2));
    const struct resource *r = find_resource(e, db_i64(q, 0));
    const struct known_owner *o = r ? reader_owner(g->reader, e->owner) : NULL;
    if (!o || (g->project.len && !text_equal(g->project, text_of(o->project))))
        return;
    struct resource_row *row = &g->page->rows[g->page->count++];
    row->id = keep(g->page, db_text(q, 1));
    row->entity = keep(g->page, text_of(e->key));
    row->kind = r->kind;
    row->project = keep(g->page, text_of(o->project));
    row->user = keep(g->page, text_of(o->user));
    row->flavor = keep(g->page, text_of(o->flavor));
    row->state = keep(g->page, text_of(o->state));
    describe_series(g->page, r, row);
    describe_attributes(g, e, row);
}

static void settle(struct resource_page *p)
{
    for (size_t i = 0; i < p->count; i++) {
        struct resource_row *r = &p->rows[i];
        struct text *texts[] = {&r->id,   &r->entity, &r->project, &r->user,     &r->name,
                                &r->host, &r->state,  &r->flavor,  &r->metadata, &r->meters};
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            texts[k]->data = p->texts.data + (uintptr_t)texts[k]->data;
    }
}

static int list(struct listing *g, int kind, struct text entity, struct text id, struct text after, size_t limit)
{
    struct db_row *q = db_query(g->reader->db, "SELECT id, key, entity FROM resource WHERE key>?1 AND "
                                               "(?2='' OR entity=?2) AND (?3='' OR key=?3) AND (?4<0 OR kind=?4) "
                                               "ORDER BY key");
    db_bind_text(q, 1, after.data ? after : TEXT(""));
    db_bind_text(q, 2, entity.data ? entity : TEXT(""));
    db_bind_text(q, 3, id.data ? id : TEXT(""));
    db_bind_i64(q, 4, kind);
    while (db_step(q)) {
        if (g->page->count == limit) {
            struct text last = g->page->rows[limit - 1].id;
            g->page->next = text_dup((struct text){g->page->texts.data + (uintptr_t)last.data, last.len});
            break;
        }
        add_row(g, q);
    }
    db_reset(q);
    return g->page->texts.failed ? -ENOMEM : 0;
}

int ledger_resources(struct ledger_reader *l, struct text project, struct text kind, struct text entity, struct text id,
                     struct text after, size_t limit, struct resource_page *ret, struct error *error)
{
    enum resource_kind wanted = RESOURCE_OTHER;
    *ret = (struct resource_page){0};
    if (kind.len && !resource_kind_parse(kind, &wanted))
        return error_set(error, -EINVAL, "kind %.*s: is none of instance, disk, interface, host, other",
                         TEXT_ARG(kind));
    ret->rows = calloc(limit ? limit : 1, sizeof *ret->rows);
    if (!ret->rows)
        return error_set(error, -ENOMEM, "out of memory");
    struct listing g = {.reader = l, .page = ret, .project = project};
    int r = reader_begin(l, error);
    if (r == 0) {
        int memory = list(&g, kind.len ? (int)wanted : -1, entity, id, after, limit);
        r = reader_end(l, error);
        if (r == 0 && memory)
            r = error_set(error, memory, "out of memory");
    }
    entity_free(g.entity);
    if (r)
        resource_page_free(ret);
    else
        settle(ret);
    return r;
}

void resource_page_free(struct resource_page *p)
{
    free(p->rows);
    free(p->next);
    buf_free(&p->texts);
    *p = (struct resource_page){0};
}
