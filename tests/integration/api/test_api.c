/* The API over a real ledger that goes on being written, asked by hand and by the command line. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "ledger_rig.h"
#include "pluvio/api/api.h"
#include "support/folder.h"
#include "support/run.h"
#include "unit/cli/cli_rig.h"
#include "unit/http/raw_client.h"

#define START "2025-11-24T16:00:00Z"

static char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16], url[64];
static struct ledger_rig ledger;
static struct api *api;

static void setup(void)
{
    struct error e;
    folder_path(folder_make(folder), "ledger.db", path, sizeof path);
    ledger_rig_open(&ledger, path);
    struct api_settings s = {.listen = "127.0.0.1:0", .workers = 2, .ledger_path = path, .clock = clock_system()};
    ck_assert_msg(api_open(&api, &s, &e) == 0, "%s", e.text);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", api_port(api));
}

static void teardown(void)
{
    api_close(api);
    ledger_rig_close(&ledger);
    folder_remove(folder);
}

static json_t *get(const char *target, int status)
{
    struct raw_answer a;
    raw_get(api_port(api), target, &a);
    ck_assert_msg(a.status == status, "%s: %d %s", target, a.status, a.body ? a.body : "");
    json_t *j = json_loadb(a.body, a.body_len, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(j != NULL, "%s: %s", target, a.body);
    raw_answer_free(&a);
    return j;
}

static const char *text_in(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    return s ? s : "";
}

/* The quantity of the one row with this project and meter; "" if there is none. */
static const char *quantity(const json_t *document, const char *project, const char *meter, bool *ret_open)
{
    const json_t *rows = json_object_get(document, "usage");
    const char *found = "";
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (strcmp(text_in(row, "project"), project) != 0 || strcmp(text_in(row, "meter"), meter) != 0)
            continue;
        ck_assert_msg(*found == 0, "two rows of %s %s", project, meter);
        found = text_in(row, "quantity");
        *ret_open = json_is_true(json_object_get(row, "open"));
    }
    return found;
}

START_TEST(usage_is_what_the_ledger_was_told)
{
    bool open;
    for (int hour = 1; hour <= 3; hour++)
        ledger_rig_read(&ledger, 4, hour * 3600);
    json_t *j = get("/v1/usage?from=" START "&to=2025-11-24T19:00:00Z", 200);
    ck_assert_str_eq(quantity(j, "red", "cpu", &open), "43200");      /* 3 hours * (1 + 3) */
    ck_assert_str_eq(quantity(j, "blue", "cpu", &open), "64800");     /* 3 hours * (2 + 4) */
    ck_assert_str_eq(quantity(j, "red", "vcpus", &open), "43200000"); /* 2 VMs * 2 vcpus * 3 h in ms */
    json_decref(j);
    j = get("/v1/usage?from=" START "&to=2025-11-24T17:00:00Z&by=hour&project=red&meter=cpu", 200);
    ck_assert_str_eq(quantity(j, "red", "cpu", &open), "14400");
    json_decref(j);
}
END_TEST

START_TEST(hour_under_way_is_marked_open)
{
    bool open = false;
    ledger_rig_read(&ledger, 2, 1800);
    json_t *j = get("/v1/usage?from=" START "&to=2025-11-24T17:00:00Z", 200);
    ck_assert_str_eq(quantity(j, "red", "cpu", &open), "1800");
    ck_assert(open);
    json_decref(j);
    ledger_rig_read(&ledger, 2, 3600);
    j = get("/v1/usage?from=" START "&to=2025-11-24T17:00:00Z", 200);
    ck_assert_str_eq(quantity(j, "red", "cpu", &open), "3600");
    ck_assert(!open);
    json_decref(j);
}
END_TEST

START_TEST(pages_add_up_to_the_whole)
{
    char target[2048] = "/v1/usage?from=" START "&to=2025-11-24T19:00:00Z&by=hour&group=resource&limit=7";
    size_t rows = 0, pages = 0;
    for (int hour = 1; hour <= 3; hour++)
        ledger_rig_read(&ledger, 5, hour * 3600);
    for (;;) {
        json_t *j = get(target, 200);
        size_t count = json_array_size(json_object_get(j, "usage"));
        ck_assert_uint_le(count, 7);
        rows += count;
        pages++;
        const char *next = text_in(j, "next");
        bool last = !*next;
        snprintf(target, sizeof target,
                 "/v1/usage?from=" START "&to=2025-11-24T19:00:00Z&by=hour&group=resource&limit=7&after=%s", next);
        json_decref(j);
        if (last)
            break;
    }
    ck_assert_uint_eq(rows, 5 * 2 * 3);
    ck_assert_uint_eq(pages, 5);
}
END_TEST

START_TEST(resources_health_and_audit_agree)
{
    ledger_rig_read(&ledger, 3, 3600);
    json_t *j = get("/v1/resources?project=red", 200);
    ck_assert_uint_eq(json_array_size(json_object_get(j, "resources")), 2);
    json_decref(j);
    j = get("/v1/resources/vm-1", 200);
    ck_assert_str_eq(text_in(j, "project"), "blue");
    ck_assert_str_eq(text_in(j, "name"), "web");
    ck_assert_uint_eq(json_array_size(json_object_get(j, "meters")), 2);
    json_decref(j);
    j = get("/v1/audit", 200);
    ck_assert(json_is_true(json_object_get(j, "consistent")));
    ck_assert_int_eq(json_integer_value(json_object_get(j, "entities")), 3);
    json_t *health = get("/healthz", 200);
    ck_assert_int_eq(json_integer_value(json_object_get(j, "commit")),
                     json_integer_value(json_object_get(health, "commit")));
    ck_assert_str_eq(text_in(health, "commit_time"), "2025-11-24T17:00:00Z");
    json_decref(health);
    json_decref(j);
}
END_TEST

START_TEST(dead_letter_is_told)
{
    ledger_rig_dead_letter(&ledger, "varint overlong");
    json_t *j = get("/v1/dead-letters", 200);
    const json_t *row = json_array_get(json_object_get(j, "dead_letters"), 0);
    ck_assert_str_eq(text_in(row, "reason"), "varint overlong");
    ck_assert_str_eq(text_in(row, "value_base64"), "Af8=");
    ck_assert_int_eq(json_integer_value(json_object_get(row, "offset")), 77);
    json_decref(j);
}
END_TEST

static const struct {
    const char *target;
    int status;
} refusals[] = {
    {"/v1/usage?from=2025-11-24&to=2025-11-23", 400},
    {"/v1/usage?after=zz", 400},
    {"/v1/usage?limit=0", 400},
    {"/v1/usage?by=week", 400},
    {"/v1/usage?projekt=red", 400},
    {"/v1/resources?kind=vm", 400},
    {"/v1/resources/nobody", 404},
    {"/v1/resources/%27%20OR%201=1", 404},
    {"/v1/series/vm-0/cpu", 503},
    {"/v2/usage", 404},
};

START_TEST(refusals_are_problems)
{
    ledger_rig_read(&ledger, 1, 3600);
    json_t *j = get(refusals[_i].target, refusals[_i].status);
    ck_assert_int_eq(json_integer_value(json_object_get(j, "status")), refusals[_i].status);
    ck_assert_str_ne(text_in(j, "detail"), "");
    json_decref(j);
}
END_TEST

START_TEST(no_request_stops_the_writer)
{
    struct raw_answer a;
    for (int hour = 1; hour <= 20; hour++) {
        ledger_rig_read(&ledger, 3, hour * 3600);
        raw_get(api_port(api), "/v1/usage?from=" START "&to=2025-11-26&by=hour", &a);
        ck_assert_int_eq(a.status, 200);
        raw_answer_free(&a);
    }
    bool open;
    json_t *j = get("/v1/usage?from=" START "&to=2025-11-26&project=blue", 200);
    ck_assert_str_eq(quantity(j, "blue", "cpu", &open), "144000");
    json_decref(j);
}
END_TEST

START_TEST(command_line_tells_the_same)
{
    struct cli_rig r;
    ledger_rig_read(&ledger, 2, 3600);
    cli_rig_run(&r, url, "usage", "--from", START, "--to", "2025-11-24T17:00:00Z", "--csv", NULL);
    ck_assert_msg(r.status == 0, "%s", r.err);
    ck_assert_ptr_nonnull(strstr(r.out, START ",2025-11-24T17:00:00Z,blue,cpu,consumed,ns,7200,3600000,false\r\n"));
    cli_rig_free(&r);
    cli_rig_run(&r, url, "resource", NULL);
    ck_assert_ptr_nonnull(strstr(r.out, "vm-0  instance  web   red"));
    cli_rig_free(&r);
    cli_rig_run(&r, url, "resource", "show", "vm-0", NULL);
    ck_assert_ptr_nonnull(strstr(r.out, "project   red\n"));
    cli_rig_free(&r);
    cli_rig_run(&r, url, "usage", "--from", "never", NULL);
    ck_assert_int_eq(r.status, 2);
    ck_assert_ptr_nonnull(strstr(r.err, "from=never: must be a time"));
    cli_rig_free(&r);
    cli_rig_run(&r, url, "series", "vm-0", "cpu", NULL);
    ck_assert_int_eq(r.status, 1);
    cli_rig_free(&r);
}
END_TEST

START_TEST(audit_of_the_file_and_of_the_api_are_one)
{
    struct cli_rig file, http;
    for (int hour = 1; hour <= 3; hour++)
        ledger_rig_read(&ledger, 4, hour * 3600);
    cli_rig_run(&file, NULL, "audit", "--ledger", path, "--json", NULL);
    cli_rig_run(&http, url, "audit", "--json", NULL);
    ck_assert_msg(file.status == 0, "%s", file.err);
    ck_assert_str_eq(file.out, http.out);
    cli_rig_free(&file);
    cli_rig_free(&http);
}
END_TEST

START_TEST(ledger_that_is_not_there_fails_the_opening)
{
    struct error e = {0};
    struct api *other = NULL;
    struct api_settings s = {
        .listen = "127.0.0.1:0", .workers = 1, .ledger_path = "/nonexistent/ledger.db", .clock = clock_system()};
    ck_assert_int_lt(api_open(&other, &s, &e), 0);
    ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/ledger.db"));
    ck_assert_ptr_null(other);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("api");
    TCase *t = tcase_create("api");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, usage_is_what_the_ledger_was_told);
    tcase_add_test(t, hour_under_way_is_marked_open);
    tcase_add_test(t, pages_add_up_to_the_whole);
    tcase_add_test(t, resources_health_and_audit_agree);
    tcase_add_test(t, dead_letter_is_told);
    tcase_add_loop_test(t, refusals_are_problems, 0, (int)(sizeof refusals / sizeof refusals[0]));
    tcase_add_test(t, no_request_stops_the_writer);
    tcase_add_test(t, command_line_tells_the_same);
    tcase_add_test(t, audit_of_the_file_and_of_the_api_are_one);
    tcase_add_test(t, ledger_that_is_not_there_fails_the_opening);
    suite_add_tcase(s, t);
    return test_run(s);
}
