#include "book_rig.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "support/run.h"

static void ignore_row(struct series_steps *self, const struct entity *e, const struct resource *r, int64_t step_end_ms)
{
    (void)self;
    (void)e;
    (void)r;
    (void)step_end_ms;
}

int book_open(struct book_rig *r, struct ledger **ret)
{
    struct ledger_settings s = {.path = r->path, .holder = "test", .period_ms = HOUR * 1000, .now_ms = r->now_ms};
    return ledger_open(ret, &s, &r->error);
}

void book_use(struct book_rig *r, struct ledger *l)
{
    ledger_close(r->ledger);
    r->ledger = l;
    r->accountant.book = ledger_book(l);
}

void book_start(struct book_rig *r)
{
    struct ledger *l;
    memset(r, 0, sizeof *r);
    folder_path(folder_make(r->folder), "ledger.db", r->path, sizeof r->path);
    r->now_ms = (T0 + 10 * DAY) * 1000;
    r->steps.row = ignore_row;
    r->accountant.steps = &r->steps;
    r->accountant.rules = (struct series_rules){.period_ms = HOUR * 1000,
                                                .step_ms = 60000,
                                                .late_ms = 40 * DAY * 1000,
                                                .future_ms = HOUR * 1000,
                                                .grace_ms = 600000};
    ck_assert_msg(book_open(r, &l) == 0, "%s", r->error.text);
    book_use(r, l);
}

void book_stop(struct book_rig *r)
{
    ledger_reader_close(r->reader);
    ledger_close(r->ledger);
    accountant_finish(&r->accountant);
    record_free(&r->record);
    folder_remove(r->folder);
}

static enum series_refusal put_record(struct book_rig *r, const char *entity)
{
    r->record.entity = text_of(entity);
    struct entity *e = ledger_entity(r->ledger, r->record.entity);
    ck_assert_ptr_nonnull(e);
    ledger_describe(r->ledger, e, &r->record);
    return series_apply(&r->accountant, e, &r->record, r->now_ms);
}

enum series_refusal put(struct book_rig *r, const char *entity, const char *device, const char *project,
                        enum meter_id meter, uint64_t uid, int64_t start_s, int64_t time_s, int64_t value)
{
    struct record *record = &r->record;
    record_clear(record);
    record->project = text_of(project);
    record->user = TEXT("u");
    record->flavor = TEXT("small");
    record->state = TEXT("running");
    record->name = text_of(project);
    *record_add_attribute(record) = (struct attribute){.key = TEXT(ATTR_PROJECT), .value = record->project};
    struct point *p = record_add_point(record);
    ck_assert_ptr_nonnull(p);
    *p = (struct point){.meter = meter_at(meter),
                        .name = text_of(meter_at(meter)->name),
                        .type = meter_at(meter)->type,
                        .kind = meter_at(meter)->kind,
                        .device = text_of(device),
                        .stream = uid,
                        .start_ns = (T0 + start_s) * 1000000000,
                        .time_ns = (T0 + time_s) * 1000000000,
                        .value = value};
    return put_record(r, entity);
}

enum series_refusal put_metric(struct book_rig *r, const char *entity, const char *name, int64_t time_s, int64_t value)
{
    record_clear(&r->record);
    struct point *p = record_add_point(&r->record);
    ck_assert_ptr_nonnull(p);
    *p = (struct point){.name = text_of(name),
                        .type = METER_CUMULATIVE,
                        .kind = RESOURCE_OTHER,
                        .start_ns = T0 * 1000000000,
                        .time_ns = (T0 + time_s) * 1000000000,
                        .value = value};
    return put_record(r, entity);
}

void begin(struct book_rig *r)
{
    ledger_begin(r->ledger, r->now_ms);
}

int commit(struct book_rig *r)
{
    ledger_write_out(r->ledger);
    return ledger_commit(r->ledger, &r->error);
}

void must_commit(struct book_rig *r)
{
    int result = commit(r);
    ck_assert_msg(result == 0, "%s", r->error.text);
}

void sweep_all(struct book_rig *r, int64_t now_s)
{
    bool live = true;
    begin(r);
    while (live) {
        size_t cursor = 0;
        live = false;
        for (struct entity *e; (e = ledger_next_entity(r->ledger, &cursor));) {
            series_sweep(&r->accountant, e, (T0 + now_s) * 1000);
            live |= e->live;
        }
    }
    must_commit(r);
}

static sqlite3 *behind(const struct book_rig *r)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(r->path, &db), SQLITE_OK);
    return db;
}

void sql(struct book_rig *r, const char *text)
{
    sqlite3 *db = behind(r);
    ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    ck_assert_msg(sqlite3_changes(db) > 0 || strstr(text, "DROP"), "%s: changes nothing", text);
    sqlite3_close(db);
}

int64_t sql_number(struct book_rig *r, const char *query)
{
    sqlite3 *db = behind(r);
    sqlite3_stmt *statement;
    ck_assert_msg(sqlite3_prepare_v2(db, query, -1, &statement, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

struct ledger_reader *reader_of(struct book_rig *r)
{
    if (!r->reader)
        ck_assert_msg(ledger_reader_open(&r->reader, r->path, &r->error) == 0, "%s", r->error.text);
    return r->reader;
}

void must_be_sound(struct book_rig *r)
{
    struct audit_result audit;
    ck_assert_msg(ledger_audit(reader_of(r), &audit, &r->error) == 0, "%s", r->error.text);
    ck_assert_msg(audit.mismatch_count == 0, "%s of %.*s", audit.mismatches[0].what,
                  TEXT_ARG(audit.mismatches[0].resource));
    audit_result_free(&audit);
}
