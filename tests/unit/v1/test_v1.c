/* The translators: what they ask of the read sides, and how they tell the answer. No socket, no file. */
#include <errno.h>
#include <jansson.h>

#include "api/http/router.h"
#include "api/v1/v1.h"
#include "fake_reads.h"
#include "pluvio/base/figures.h"
#include "support/run.h"

#define NOW_MS 1764000000000LL /* 2025-11-24T16:00:00Z */

static struct v1 v1;
static struct v1_worker worker = {&v1, NULL};
static struct reply reply;

static void setup(void)
{
    fake = (struct fake_reads){.rows = 2, .commit = 41};
    v1 = (struct v1){.archive = (struct archive_reader *)&v1, .auditing = ATOMIC_FLAG_INIT};
}

static void ask_as(const char *target, const char *accept)
{
    struct request q = {.method = TEXT("GET"), .target = text_of(target), .accept = text_of(accept), .now_ms = NOW_MS};
    reply = (struct reply){0};
    if (router_prepare(&v1_router, &q, &reply))
        q.route->handle(&worker, &q, &reply);
    request_free(&q);
    buf_terminate(&reply.body);
    ck_assert(!reply.body.failed);
}

static void ask(const char *target)
{
    ask_as(target, NULL);
}

static int status(void)
{
    return reply.status ? reply.status : 200;
}

static json_t *answer(void)
{
    json_error_t e;
    json_t *j = json_loadb(reply.body.data, reply.body.len, JSON_REJECT_DUPLICATES, &e);
    ck_assert_msg(j != NULL, "%s: %s", e.text, reply.body.data);
    reply_free(&reply);
    return j;
}

static const char *text_in(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    ck_assert_msg(s != NULL, "no text %s", key);
    return s;
}

START_TEST(usage_of_this_month_by_project_is_the_default)
{
    ask("/v1/usage");
    ck_assert_int_eq(status(), 200);
    ck_assert_int_eq(fake.usage.to_ms, NOW_MS);
    ck_assert_int_eq(fake.usage.from_ms, NOW_MS - (23 * 24 + 16) * 3600000LL);
    ck_assert_int_eq(fake.usage.step, USAGE_TOTAL);
    ck_assert_uint_eq(fake.usage.groups, USAGE_BY_PROJECT | USAGE_BY_METER);
    ck_assert_uint_eq(fake.usage.limit, 1000);
    reply_free(&reply);
}
END_TEST

/* At midnight of the first the month that is over is meant, not the empty one. */
START_TEST(usage_up_to_a_months_end_is_that_months)
{
    ask("/v1/usage?to=2025-11-01");
    ck_assert_int_eq(fake.usage.to_ms - fake.usage.from_ms, 31 * 86400000LL);
    reply_free(&reply);
}
END_TEST

START_TEST(usage_asks_for_what_the_parameters_say)
{
    ask("/v1/usage?from=2025-11-01&to=2025-11-02&by=hour&group=resource,state&project=p+1&meter=disk.*&limit=3&"
        "after=aa");
    ck_assert_int_eq(fake.usage.to_ms - fake.usage.from_ms, 86400000);
    ck_assert_int_eq(fake.usage.step, USAGE_HOUR);
    ck_assert_uint_eq(fake.usage.groups, USAGE_BY_RESOURCE | USAGE_BY_STATE | USAGE_BY_METER);
    ck_assert_str_eq(fake.project, "p 1");
    ck_assert_str_eq(fake.meter, "disk.*");
    ck_assert_str_eq(fake.after, "aa");
    ck_assert_uint_eq(fake.usage.limit, 3);
    reply_free(&reply);
}
END_TEST

START_TEST(usage_quantities_are_exact_and_open_rows_marked)
{
    ask("/v1/usage");
    json_t *j = answer(), *rows = json_object_get(j, "usage"), *row = json_array_get(rows, 0);
    ck_assert_uint_eq(json_array_size(rows), 2);
    ck_assert_str_eq(text_in(row, "quantity"), "9223372036854775807000");
    ck_assert_str_eq(text_in(row, "unit"), "MiB*ms");
    ck_assert_str_eq(text_in(row, "basis"), "allocated");
    ck_assert_str_eq(text_in(row, "project"), "red, \"hot\"");
    ck_assert_str_eq(text_in(row, "from"), "2025-11-24T16:00:00Z");
    ck_assert(json_is_true(json_object_get(row, "open")));
    ck_assert(json_is_false(json_object_get(json_array_get(rows, 1), "open")));
    ck_assert_ptr_null(json_object_get(row, "flavor"));
    ck_assert(json_is_null(json_object_get(j, "next")));
    json_decref(j);
}
END_TEST

START_TEST(next_page_is_linked_and_named)
{
    fake.more = true;
    ask("/v1/usage?after=00aa&by=day&project=a%26b");
    ck_assert_uint_eq(reply.header_count, 1);
    ck_assert_str_eq(reply.headers[0].value, "</v1/usage?by=day&project=a%26b&after=00ff>; rel=\"next\"");
    json_t *j = answer();
    ck_assert_str_eq(text_in(j, "next"), "00ff");
    json_decref(j);
    ask("/v1/resources");
    ck_assert_str_eq(reply.headers[0].value, "</v1/resources?after=vm%201%26vda>; rel=\"next\"");
    reply_free(&reply);
}
END_TEST

START_TEST(csv_comes_by_accept_or_by_format)
{
    const char *csv = "from,to,project,meter,basis,unit,quantity,covered_ms,open\r\n"
                      "2025-11-24T16:00:00Z,2025-11-24T17:00:00Z,\"red, \"\"hot\"\"\",memory,allocated,MiB*ms,"
                      "9223372036854775807000,3600000,true\r\n";
    fake.rows = 1;
    ask_as("/v1/usage", "text/html, text/csv;q=0.9");
    ck_assert_str_eq(reply.body.data, csv);
    ck_assert_str_eq(reply.content_type, "text/csv; charset=utf-8; header=present");
    reply_free(&reply);
    ask("/v1/usage?format=csv");
    ck_assert_str_eq(reply.body.data, csv);
    reply_free(&reply);
    ask_as("/v1/usage?format=json", "text/csv");
    json_decref(answer());
    ask("/v1/resources?format=csv");
    ck_assert_str_eq(reply.body.data, "id,kind,entity,name,project,user,flavor,state,host,first,last\r\n"
                                      "vm-1-vda,disk,vm-1,web,,,,,,2025-11-24T16:00:00Z,2025-11-24T16:00:01.500Z\r\n");
    reply_free(&reply);
}
END_TEST

START_TEST(resources_are_told_with_their_metadata)
{
    ask("/v1/resources?kind=disk&project=p&entity=vm-1&after=x&limit=10000");
    ck_assert_str_eq(fake.kind, "disk");
    ck_assert_str_eq(fake.project, "p");
    ck_assert_str_eq(fake.entity, "vm-1");
    ck_assert_str_eq(fake.after, "x");
    ck_assert_uint_eq(fake.limit, 10000);
    json_t *j = answer(), *row = json_array_get(json_object_get(j, "resources"), 1);
    ck_assert_str_eq(text_in(row, "id"), "vm-1-vda");
    ck_assert_str_eq(text_in(json_object_get(row, "metadata"), "os"), "bsd");
    ck_assert(json_is_array(json_object_get(row, "meters")));
    json_decref(j);
}
END_TEST

START_TEST(one_resource_is_asked_for_by_its_id)
{
    fake.rows = 1;
    ask("/v1/resources/vm-1%2Fodd");
    ck_assert_str_eq(fake.id, "vm-1/odd");
    json_decref(answer());
    fake.rows = 0;
    ask("/v1/resources/nobody");
    ck_assert_int_eq(status(), 404);
    json_t *j = answer();
    ck_assert_str_eq(text_in(j, "detail"), "resource nobody is not known");
    json_decref(j);
}
END_TEST

START_TEST(series_of_the_last_hour_is_the_default)
{
    ask("/v1/series/vm-1/cpu_util");
    ck_assert_str_eq(fake.id, "vm-1");
    ck_assert_str_eq(fake.meter, "cpu_util");
    ck_assert_int_eq(fake.series.to_s, NOW_MS / 1000);
    ck_assert_int_eq(fake.series.to_s - fake.series.from_s, 3600);
    ck_assert_int_eq(fake.series.step_s, 0);
    ck_assert_int_eq(fake.series.consolidation, CONSOLIDATION_AVERAGE);
    json_t *j = answer(), *points = json_object_get(j, "points");
    ck_assert_int_eq(json_integer_value(json_object_get(j, "step")), 300);
    ck_assert_double_eq(json_real_value(json_object_get(json_array_get(points, 0), "value")), 12.5);
    ck_assert_msg(json_is_null(json_object_get(json_array_get(points, 1), "value")), "a gap is no zero");
    json_decref(j);
}
END_TEST

START_TEST(series_asks_for_step_and_consolidation)
{
    ask("/v1/series/vm-1/cpu?from=2025-11-24T10:00:00.700Z&to=2025-11-24T11:00:00.2Z&step=5min&consolidation=max&"
        "format=csv");
    ck_assert_int_eq(fake.series.step_s, 300);
    ck_assert_int_eq(fake.series.to_s - fake.series.from_s, 3601);
    ck_assert_int_eq(fake.series.consolidation, CONSOLIDATION_MAX);
    ck_assert_str_eq(reply.body.data, "time,value\r\n2025-11-24T16:00:00Z,12.5\r\n2025-11-24T16:05:00Z,\r\n");
    reply_free(&reply);
}
END_TEST

START_TEST(series_without_archives_are_not_available)
{
    v1.archive = NULL;
    ask("/v1/series/vm-1/cpu");
    ck_assert_int_eq(status(), 503);
    json_t *j = answer();
    ck_assert_str_eq(text_in(j, "type"), "urn:pluvio:problem:unavailable");
    json_decref(j);
}
END_TEST

START_TEST(audit_tells_every_mismatch)
{
    fake.mismatches = 1234;
    ask("/v1/audit");
    ck_assert_int_eq(status(), 200);
    json_t *j = answer(), *m = json_array_get(json_object_get(j, "mismatches"), 0);
    ck_assert(json_is_false(json_object_get(j, "consistent")));
    ck_assert_int_eq(json_integer_value(json_object_get(j, "mismatch_count")), 1234);
    ck_assert_str_eq(text_in(m, "stream"), "18446744073709551615");
    ck_assert_str_eq(text_in(m, "booked"), "-1");
    ck_assert_str_eq(text_in(json_object_get(j, "units"), "cpu"), "12");
    json_decref(j);
    fake.mismatches = 0;
    ask("/v1/audit");
    j = answer();
    ck_assert(json_is_true(json_object_get(j, "consistent")));
    json_decref(j);
}
END_TEST

START_TEST(second_audit_at_a_time_is_told_to_come_again)
{
    ck_assert(!atomic_flag_test_and_set(&v1.auditing));
    ask("/v1/audit");
    ck_assert_int_eq(status(), 503);
    reply_free(&reply);
    atomic_flag_clear(&v1.auditing);
    fake.fails = -EIO;
    ask("/v1/audit");
    ck_assert_int_eq(status(), 500);
    reply_free(&reply);
    fake.fails = 0;
    ask("/v1/audit");
    ck_assert_msg(status() == 200, "a failed audit must not lock out the next");
    reply_free(&reply);
}
END_TEST

START_TEST(dead_letters_are_told_in_base64)
{
    static const char *const values[] = {"", "/w==", "/wA=", "/wAQ"};
    fake.more = true;
    ask("/v1/dead-letters?after=3&limit=4");
    ck_assert_int_eq(fake.dead_letters_after, 3);
    ck_assert_uint_eq(fake.limit, 4);
    json_t *j = answer(), *rows = json_object_get(j, "dead_letters");
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(text_in(json_array_get(rows, i), "value_base64"), values[i]);
    ck_assert_int_eq(json_integer_value(json_object_get(j, "total")), 7);
    ck_assert_str_eq(text_in(j, "next"), "4");
    json_decref(j);
}
END_TEST

START_TEST(hosts_are_told_with_who_waits)
{
    fake.more = true;
    ask("/v1/hosts?after=09&limit=2");
    ck_assert_str_eq(fake.after, "09");
    ck_assert_uint_eq(fake.limit, 2);
    json_t *j = answer(), *rows = json_object_get(j, "hosts");
    ck_assert_str_eq(text_in(json_array_get(rows, 0), "state"), "current");
    ck_assert_str_eq(text_in(json_array_get(rows, 0), "newest"), "2025-11-24T16:00:00Z");
    ck_assert(json_is_null(json_object_get(json_array_get(rows, 0), "since")));
    ck_assert_str_eq(text_in(json_array_get(rows, 1), "state"), "waiting");
    ck_assert(json_is_null(json_object_get(json_array_get(rows, 1), "seen")));
    ck_assert_str_eq(text_in(j, "next"), "0b");
    json_decref(j);
    ask("/v1/hosts?format=csv");
    ck_assert_str_eq(reply.body.data, "host,outbox,state,newest,seen,since\r\n"
                                      "h-1,0a,current,2025-11-24T16:00:00Z,2025-11-24T16:00:01Z,\r\n"
                                      "h-1,0b,waiting,,,\r\n");
}
END_TEST

static bool unwell(void *context, struct buf *why)
{
    buf_add_string(why, context);
    return false;
}

static bool well(void *context, struct buf *why)
{
    (void)context;
    buf_add_string(why, "all is well");
    return true;
}

START_TEST(health_says_commit_and_version)
{
    v1.healthy = well;
    ask("/healthz");
    ck_assert_int_eq(status(), 200);
    json_t *j = answer();
    ck_assert_str_eq(text_in(j, "status"), "ok");
    ck_assert_str_eq(text_in(j, "version"), PLUVIO_VERSION);
    ck_assert_int_eq(json_integer_value(json_object_get(j, "commit")), 41);
    ck_assert_str_eq(text_in(j, "commit_time"), "2025-11-24T16:00:00Z");
    ck_assert_ptr_null(json_object_get(j, "why"));
    json_decref(j);
}
END_TEST

START_TEST(health_of_a_ledger_without_commits_has_no_time)
{
    fake.commit = 0;
    ask("/healthz");
    json_t *j = answer();
    ck_assert(json_is_null(json_object_get(j, "commit_time")));
    json_decref(j);
}
END_TEST

START_TEST(health_says_all_that_is_wrong)
{
    v1.healthy = unwell;
    v1.context = (void *)"no broker since 12:00";
    fake.fails = -EIO;
    fake.error = "disk gone";
    ask("/healthz");
    ck_assert_int_eq(status(), 503);
    json_t *j = answer();
    ck_assert_str_eq(text_in(j, "status"), "failing");
    ck_assert_str_eq(text_in(j, "why"), "ledger: disk gone; no broker since 12:00");
    json_decref(j);
}
END_TEST

START_TEST(metrics_are_the_figures)
{
    static struct figure f = {.name = "pluvio_test_total", .help = "A test's.", .type = FIGURE_COUNTER};
    figure_register(&f);
    figure_add(&f, 3);
    ask("/metrics");
    ck_assert_str_eq(reply.content_type, "text/plain; version=0.0.4; charset=utf-8");
    ck_assert_ptr_nonnull(strstr(reply.body.data, "# TYPE pluvio_test_total counter\npluvio_test_total 3\n"));
    reply_free(&reply);
}
END_TEST

START_TEST(meters_are_the_table)
{
    ask("/v1/meters");
    json_t *j = answer(), *meters = json_object_get(j, "meters");
    ck_assert_uint_eq(json_array_size(meters), METERS);
    json_t *memory = json_array_get(meters, METER_MEMORY), *cpu = json_array_get(meters, METER_CPU);
    ck_assert_str_eq(text_in(memory, "meter"), "memory");
    ck_assert_str_eq(text_in(memory, "quantity_unit"), "MiB*ms");
    ck_assert_str_eq(text_in(cpu, "quantity_unit"), "ns");
    ck_assert(json_is_null(json_object_get(json_array_get(meters, METER_POWER_STATE), "quantity_unit")));
    json_decref(j);
}
END_TEST

static const struct {
    int code, status;
    const char *type;
} failures[] = {
    {-EINVAL, 400, "urn:pluvio:problem:bad-parameter"}, {-E2BIG, 400, "urn:pluvio:problem:too-much"},
    {-ENOENT, 404, "urn:pluvio:problem:not-found"},     {-EBUSY, 503, "urn:pluvio:problem:busy"},
    {-ETIMEDOUT, 503, "urn:pluvio:problem:busy"},       {-EIO, 500, "urn:pluvio:problem:internal"},
};

START_TEST(refusals_of_the_read_sides_are_problems)
{
    static const char *const targets[] = {"/v1/usage",        "/v1/resources", "/v1/resources/x", "/v1/series/x/cpu",
                                          "/v1/dead-letters", "/v1/hosts",     "/v1/audit"};
    fake.fails = failures[_i].code;
    fake.error = "because";
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        ask(targets[i]);
        ck_assert_int_eq(status(), failures[_i].status);
        ck_assert_str_eq(reply.content_type, "application/problem+json");
        json_t *j = answer();
        ck_assert_str_eq(text_in(j, "type"), failures[_i].type);
        ck_assert_str_eq(text_in(j, "detail"), "because");
        json_decref(j);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("v1");
    TCase *t = tcase_create("routes");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, usage_of_this_month_by_project_is_the_default);
    tcase_add_test(t, usage_up_to_a_months_end_is_that_months);
    tcase_add_test(t, usage_asks_for_what_the_parameters_say);
    tcase_add_test(t, usage_quantities_are_exact_and_open_rows_marked);
    tcase_add_test(t, next_page_is_linked_and_named);
    tcase_add_test(t, csv_comes_by_accept_or_by_format);
    tcase_add_test(t, resources_are_told_with_their_metadata);
    tcase_add_test(t, one_resource_is_asked_for_by_its_id);
    tcase_add_test(t, series_of_the_last_hour_is_the_default);
    tcase_add_test(t, series_asks_for_step_and_consolidation);
    tcase_add_test(t, series_without_archives_are_not_available);
    tcase_add_test(t, audit_tells_every_mismatch);
    tcase_add_test(t, second_audit_at_a_time_is_told_to_come_again);
    tcase_add_test(t, dead_letters_are_told_in_base64);
    tcase_add_test(t, hosts_are_told_with_who_waits);
    tcase_add_test(t, health_says_commit_and_version);
    tcase_add_test(t, health_of_a_ledger_without_commits_has_no_time);
    tcase_add_test(t, health_says_all_that_is_wrong);
    tcase_add_test(t, metrics_are_the_figures);
    tcase_add_test(t, meters_are_the_table);
    tcase_add_loop_test(t, refusals_of_the_read_sides_are_problems, 0, (int)(sizeof failures / sizeof failures[0]));
    suite_add_tcase(s, t);
    return test_run(s);
}
