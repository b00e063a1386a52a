#include "fake_reads.h"

#include <math.h>
#include <stdlib.h>

struct fake_reads fake;

static int failing(struct error *e)
{
    return fake.fails ? error_set(e, fake.fails, "%s", fake.error ? fake.error : "no") : 0;
}

int ledger_reader_open(struct ledger_reader **ret, const char *path, struct error *e)
{
    (void)path;
    *ret = NULL;
    return failing(e);
}

void ledger_reader_close(struct ledger_reader *l)
{
    (void)l;
}

int ledger_usage(struct ledger_reader *l, const struct usage_query *q, struct usage_page *ret, struct error *e)
{
    (void)l;
    fake.usage = *q;
    text_copy(q->project, fake.project, sizeof fake.project);
    text_copy(q->meter, fake.meter, sizeof fake.meter);
    text_copy(q->after, fake.after, sizeof fake.after);
    *ret = (struct usage_page){0};
    if (failing(e))
        return fake.fails;
    ret->rows = calloc(fake.rows + 1, sizeof *ret->rows);
    ret->count = fake.rows;
    for (size_t i = 0; i < fake.rows; i++)
        ret->rows[i] = (struct usage_row){.from_ms = 1764000000000,
                                          .to_ms = 1764003600000,
                                          .project = TEXT("red, \"hot\""),
                                          .meter = TEXT("memory"),
                                          .unit = "MiB*ms",
                                          .basis = BASIS_ALLOCATED,
                                          .quantity = (wide)INT64_MAX * 1000 + (wide)i,
                                          .covered_ms = 3600000,
                                          .open = i == 0};
    ret->next = fake.more ? text_dup(TEXT("00ff")) : NULL;
    return 0;
}

void usage_page_free(struct usage_page *p)
{
    free(p->rows);
    free(p->next);
}

int ledger_resources(struct ledger_reader *l, struct text project, struct text kind, struct text entity, struct text id,
                     struct text after, size_t limit, struct resource_page *ret, struct error *e)
{
    (void)l;
    text_copy(project, fake.project, sizeof fake.project);
    text_copy(kind, fake.kind, sizeof fake.kind);
    text_copy(entity, fake.entity, sizeof fake.entity);
    text_copy(id, fake.id, sizeof fake.id);
    text_copy(after, fake.after, sizeof fake.after);
    fake.limit = limit;
    *ret = (struct resource_page){0};
    if (failing(e))
        return fake.fails;
    ret->rows = calloc(fake.rows + 1, sizeof *ret->rows);
    ret->count = fake.rows;
    for (size_t i = 0; i < fake.rows; i++)
        ret->rows[i] = (struct resource_row){.id = TEXT("vm-1-vda"),
                                             .entity = TEXT("vm-1"),
                                             .name = TEXT("web"),
                                             .kind = RESOURCE_DISK,
                                             .first_ms = 1764000000000,
                                             .last_ms = 1764000001500,
                                             .metadata = TEXT("{\"os\":\"bsd\"}"),
                                             .meters = TEXT("[]")};
    ret->next = fake.more ? text_dup(TEXT("vm 1&vda")) : NULL;
    return 0;
}

void resource_page_free(struct resource_page *p)
{
    free(p->rows);
    free(p->next);
}

int ledger_hosts(struct ledger_reader *l, struct text after, size_t limit, struct host_page *ret, struct error *e)
{
    (void)l;
    text_copy(after, fake.after, sizeof fake.after);
    fake.limit = limit;
    *ret = (struct host_page){.more = fake.more};
    if (failing(e))
        return fake.fails;
    ret->rows = calloc(2, sizeof *ret->rows);
    ret->count = 2;
    ret->rows[0] = (struct host_row){"h-1", "0a", true, 1764000000000, 1764000001000, 0};
    ret->rows[1] = (struct host_row){"h-1", "0b", false, 0, 0, 0};
    return 0;
}

void host_page_free(struct host_page *p)
{
    free(p->rows);
}

int ledger_dead_letters(struct ledger_reader *l, int64_t after, size_t limit, struct dead_letter_page *ret,
                        struct error *e)
{
    (void)l;
    fake.dead_letters_after = after;
    fake.limit = limit;
    *ret = (struct dead_letter_page){.total = 7};
    if (failing(e))
        return fake.fails;
    ret->rows = calloc(4, sizeof *ret->rows);
    ret->count = 4;
    for (size_t i = 0; i < 4; i++)
        ret->rows[i] = (struct dead_letter_row){.id = (int64_t)i + 1,
                                                .time_ms = 1764000000000,
                                                .reason = TEXT("truncated"),
                                                .key = TEXT("vm"),
                                                .value = {"\xff\x00\x10", i},
                                                .value_size = (int64_t)i};
    ret->next = fake.more ? 4 : 0;
    return 0;
}

void dead_letter_page_free(struct dead_letter_page *p)
{
    free(p->rows);
}

int ledger_audit(struct ledger_reader *l, struct audit_result *ret, struct error *e)
{
    (void)l;
    *ret = (struct audit_result){.streams = 5, .rows = 6, .entities = 2, .days = 3, .commit = fake.commit};
    if (failing(e))
        return fake.fails;
    ret->mismatch_count = fake.mismatches;
    ret->kept = fake.mismatches ? 1 : 0;
    ret->mismatches = calloc(1, sizeof *ret->mismatches);
    ret->mismatches[0] = (struct audit_mismatch){.resource = TEXT("vm-1"),
                                                 .meter = TEXT("cpu"),
                                                 .stream = UINT64_MAX,
                                                 .what = "stream",
                                                 .booked = -1,
                                                 .expected = 12};
    buf_add_string(&ret->units, "{\"cpu\":\"12\"}");
    return 0;
}

void audit_result_free(struct audit_result *r)
{
    free(r->mismatches);
    buf_free(&r->units);
}

int ledger_position(struct ledger_reader *l, uint64_t *ret_commit, int64_t *ret_time_ms, struct error *e)
{
    (void)l;
    *ret_commit = fake.commit;
    *ret_time_ms = 1764000000000;
    return failing(e);
}

int archive_series(struct archive_reader *reader, const struct series_query *q, struct archived_series *ret,
                   struct error *e)
{
    (void)reader;
    fake.series = *q;
    text_copy(q->resource, fake.id, sizeof fake.id);
    text_copy(q->meter, fake.meter, sizeof fake.meter);
    *ret = (struct archived_series){.step_s = 300, .unit = "%", .count = 2};
    if (failing(e))
        return fake.fails;
    ret->points = calloc(2, sizeof *ret->points);
    ret->points[0] = (struct series_point){1764000000, 12.5};
    ret->points[1] = (struct series_point){1764000300, NAN};
    return 0;
}

void archived_series_free(struct archived_series *s)
{
    free(s->points);
}
