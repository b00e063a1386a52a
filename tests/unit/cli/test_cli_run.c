/* Commands against a server that answers from a script. */
#include <stdio.h>
#include <string.h>

#include "api/http/problem.h"
#include "api/http/server.h"
#include "cli_rig.h"
#include "support/run.h"

#define ROW(n, more)                                                                                                   \
    "{\"from\":\"a\",\"to\":\"b\",\"project\":\"p" n "\",\"meter\":\"cpu\",\"basis\":\"consumed\",\"unit\":\"ns\","    \
    "\"quantity\":\"36893488147419103228" n "\",\"covered_ms\":\"1\",\"open\":" more "}"

static char asked[512]; /* the newest request's target */
static int pages;

static void get_usage(void *state, const struct request *q, struct reply *r)
{
    (void)state;
    text_copy(q->target, asked, sizeof asked);
    pages++;
    if (memmem(q->target.data, q->target.len, "after=", 6))
        buf_add_string(&r->body, "{\"usage\":[" ROW("2", "false") "],\"next\":null}");
    else if (memmem(q->target.data, q->target.len, "empty", 5))
        buf_add_string(&r->body, "{\"usage\":[],\"next\":null}");
    else
        buf_add_string(&r->body, "{\"usage\":[" ROW("1", "true") "],\"next\":\"00ff\"}");
}

static void get_resource(void *state, const struct request *q, struct reply *r)
{
    (void)state;
    text_copy(q->target, asked, sizeof asked);
    if (text_equal(request_segment(q, "id"), TEXT("nobody")))
        problem(r, PROBLEM_NOT_FOUND, "resource nobody is not known");
    else
        buf_add_string(&r->body, "{\"id\":\"a/b\",\"name\":\"web\\u001b[2J\",\"metadata\":{\"os\":\"bsd\"},\"meters\":"
                                 "[{\"meter\":\"cpu\",\"type\":\"cumulative\",\"unit\":\"ns\",\"first\":\"x\","
                                 "\"last\":\"y\"}]}");
}

static void get_series(void *state, const struct request *q, struct reply *r)
{
    (void)state;
    text_copy(q->target, asked, sizeof asked);
    buf_add_string(&r->body, "{\"unit\":\"%\",\"points\":[{\"time\":\"t1\",\"value\":12.5},{\"time\":\"t2\",\"value\":"
                             "null}]}");
}

static bool consistent;

static void get_audit(void *state, const struct request *q, struct reply *r)
{
    (void)state, (void)q;
    if (consistent)
        buf_add_string(&r->body, "{\"consistent\":true,\"commit\":9,\"entities\":1,\"streams\":2,\"rows\":3,\"days\":4,"
                                 "\"mismatch_count\":0,\"mismatches\":[],\"units\":{\"cpu\":\"12\"}}");
    else
        buf_add_string(&r->body, "{\"consistent\":false,\"commit\":9,\"mismatch_count\":1,\"mismatches\":[{\"what\":"
                                 "\"stream\",\"resource\":\"vm\",\"meter\":\"cpu\",\"stream\":\"7\",\"booked\":\"1\","
                                 "\"expected\":\"2\"}],\"units\":{}}");
}

static void get_meters(void *state, const struct request *q, struct reply *r)
{
    (void)state, (void)q;
    problem(r, PROBLEM_BAD_PARAMETER, "what was asked for cannot be");
}

static void get_letters(void *state, const struct request *q, struct reply *r)
{
    (void)state, (void)q;
    buf_add_string(&r->body, "<html>I am something else</html>");
}

static const struct parameter usage_parameters[] = {{.name = "from", .type = PARAMETER_TEXT},
                                                    {.name = "project", .type = PARAMETER_TEXT},
                                                    {.name = "limit", .type = PARAMETER_TEXT},
                                                    {.name = "after", .type = PARAMETER_TEXT}};
static const struct parameter series_parameters[] = {{.name = "from", .type = PARAMETER_TEXT},
                                                     {.name = "step", .type = PARAMETER_TEXT}};
static const struct route routes[] = {
    {.method = "GET", .path = "/v1/usage", .handle = get_usage, .parameters = usage_parameters, .parameter_count = 4},
    {.method = "GET", .path = "/v1/resources/{id}", .handle = get_resource},
    {.method = "GET",
     .path = "/v1/series/{resource}/{meter}",
     .handle = get_series,
     .parameters = series_parameters,
     .parameter_count = 2},
    {.method = "GET", .path = "/v1/audit", .handle = get_audit},
    {.method = "GET", .path = "/v1/meters", .handle = get_meters},
    {.method = "GET", .path = "/v1/dead-letters", .handle = get_letters},
};

static struct server *server;
static char api[64];
static struct cli_rig r;

static void setup(void)
{
    struct error e;
    struct server_settings s = {.listen = "127.0.0.1:0", .workers = 1, .router = {routes, 6}, .clock = clock_system()};
    ck_assert_msg(server_open(&server, &s, &e) == 0, "%s", e.text);
    snprintf(api, sizeof api, "http://127.0.0.1:%d/", server_port(server));
    pages = 0;
    consistent = true;
}

static void teardown(void)
{
    server_close(server);
    cli_rig_free(&r);
}

START_TEST(table_shows_exact_and_human_quantities_of_all_pages)
{
    cli_rig_run(&r, api, "usage", "--project", "p q", NULL);
    ck_assert_msg(r.status == CLI_DONE, "%s", r.err);
    ck_assert_int_eq(pages, 2);
    ck_assert_str_eq(asked, "/v1/usage?project=p%20q&after=00ff");
    ck_assert_ptr_nonnull(strstr(r.out, "from  to  project  meter               quantity  unit"));
    ck_assert_ptr_nonnull(strstr(r.out, "368934881474191032281  ns    "));
    ck_assert_ptr_nonnull(strstr(r.out, "102481912 h  open"));
    ck_assert_ptr_nonnull(strstr(r.out, "p2"));
}
END_TEST

START_TEST(limit_means_one_page)
{
    cli_rig_run(&r, api, "usage", "--limit", "1", "--json", NULL);
    ck_assert_int_eq(r.status, CLI_DONE);
    ck_assert_int_eq(pages, 1);
    ck_assert_ptr_nonnull(strstr(r.out, "\"next\": \"00ff\""));
}
END_TEST

START_TEST(json_is_one_document_of_all_pages)
{
    cli_rig_run(&r, api, "usage", "--json", NULL);
    ck_assert_ptr_nonnull(strstr(r.out, "\"p1\""));
    ck_assert_ptr_nonnull(strstr(r.out, "\"p2\""));
    ck_assert_ptr_nonnull(strstr(r.out, "\"next\": null"));
}
END_TEST

START_TEST(csv_has_exact_figures_only)
{
    cli_rig_run(&r, api, "usage", "--csv", NULL);
    ck_assert_str_eq(r.out, "from,to,project,meter,basis,unit,quantity,covered_ms,open\r\n"
                            "a,b,p1,cpu,consumed,ns,368934881474191032281,1,true\r\n"
                            "a,b,p2,cpu,consumed,ns,368934881474191032282,1,false\r\n");
}
END_TEST

START_TEST(empty_answer_is_said_on_stderr)
{
    cli_rig_run(&r, api, "usage", "--project", "empty", NULL);
    ck_assert_int_eq(r.status, CLI_DONE);
    ck_assert_str_eq(r.out, "");
    ck_assert_str_eq(r.err, "nothing was used in that time\n");
}
END_TEST

START_TEST(resource_is_shown_without_terminal_commands)
{
    cli_rig_run(&r, api, "resource", "show", "a/b", NULL);
    ck_assert_int_eq(r.status, CLI_DONE);
    ck_assert_str_eq(asked, "/v1/resources/a%2Fb");
    ck_assert_ptr_nonnull(strstr(r.out, "name      web?[2J\n"));
    ck_assert_ptr_nonnull(strstr(r.out, "metadata  {\"os\":\"bsd\"}\n"));
    ck_assert_ptr_nonnull(strstr(r.out, "cpu    cumulative  ns"));
}
END_TEST

START_TEST(refusal_is_told_in_its_own_words)
{
    cli_rig_run(&r, api, "resource", "show", "nobody", NULL);
    ck_assert_int_eq(r.status, CLI_FAILED);
    ck_assert_str_eq(r.err, "pluvio: resource nobody is not known\n");
    ck_assert_str_eq(r.out, "");
}
END_TEST

START_TEST(asking_for_what_cannot_be_is_misuse)
{
    cli_rig_run(&r, api, "meter", NULL);
    ck_assert_int_eq(r.status, CLI_MISUSED);
    ck_assert_str_eq(r.err, "pluvio: what was asked for cannot be\n");
}
END_TEST

START_TEST(another_servers_answer_is_recognised)
{
    cli_rig_run(&r, api, "dead-letter", NULL);
    ck_assert_int_eq(r.status, CLI_FAILED);
    ck_assert_ptr_nonnull(strstr(r.err, "is that a Pluvio collector?"));
}
END_TEST

START_TEST(gap_in_a_series_shows_nothing)
{
    cli_rig_run(&r, api, "series", "vm", "disk.x.rate", "--since", "1d", "--step", "5min", NULL);
    ck_assert_int_eq(r.status, CLI_DONE);
    ck_assert_str_eq(r.out, "time  disk.x.rate (%)\n"
                            "t1               12.5\n"
                            "t2                   \n");
}
END_TEST

START_TEST(audit_exits_with_0_only_without_mismatch)
{
    cli_rig_run(&r, api, "audit", NULL);
    ck_assert_int_eq(r.status, CLI_DONE);
    ck_assert_ptr_nonnull(strstr(r.out, "consistent at commit 9: 1 entities, 2 streams, 3 rows and 4 days"));
    cli_rig_free(&r);
    consistent = false;
    cli_rig_run(&r, api, "audit", NULL);
    ck_assert_int_eq(r.status, CLI_FAILED);
    ck_assert_ptr_nonnull(strstr(r.out, "NOT CONSISTENT at commit 9"));
    ck_assert_ptr_nonnull(strstr(r.out, "stream  vm        cpu         7       1         2"));
    cli_rig_free(&r);
    cli_rig_run(&r, api, "audit", "--json", NULL);
    ck_assert_int_eq(r.status, CLI_FAILED);
}
END_TEST

START_TEST(nobody_there_is_told_with_what_to_do)
{
    server_close(server);
    server = NULL;
    cli_rig_run(&r, api, "usage", NULL);
    ck_assert_int_eq(r.status, CLI_FAILED);
    ck_assert_ptr_nonnull(strstr(r.err, "no collector answers at http://127.0.0.1:"));
    ck_assert_ptr_nonnull(strstr(r.err, "PLUVIO_API"));
}
END_TEST

START_TEST(odd_url_is_misuse)
{
    cli_rig_run(&r, NULL, "--api", "ftp://x", "usage", NULL);
    ck_assert_int_eq(r.status, CLI_MISUSED);
}
END_TEST

START_TEST(help_teaches_with_examples)
{
    static const char *const nouns[] = {"resource", "usage",  "meter",       "series",
                                        "audit",    "decode", "dead-letter", "host"};
    for (size_t i = 0; i < sizeof nouns / sizeof nouns[0]; i++) {
        char example[64];
        cli_rig_run(&r, NULL, nouns[i], "--help", NULL);
        ck_assert_int_eq(r.status, CLI_DONE);
        snprintf(example, sizeof example, "examples:\n  pluvio %s", nouns[i]);
        ck_assert_msg(strstr(r.out, example) != NULL, "%s", r.out);
        cli_rig_free(&r);
    }
    cli_rig_run(&r, NULL, "--version", NULL);
    ck_assert_str_eq(r.out, "pluvio " PLUVIO_VERSION "\n");
    cli_rig_free(&r);
    cli_rig_run(&r, NULL, NULL);
    ck_assert_int_eq(r.status, CLI_MISUSED);
}
END_TEST

START_TEST(audit_of_a_file_that_is_no_ledger_fails)
{
    cli_rig_run(&r, NULL, "audit", "--ledger", "/nonexistent/ledger.db", NULL);
    ck_assert_int_eq(r.status, CLI_FAILED);
    ck_assert_ptr_nonnull(strstr(r.err, "/nonexistent/ledger.db"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cli_run");
    TCase *t = tcase_create("run");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, table_shows_exact_and_human_quantities_of_all_pages);
    tcase_add_test(t, limit_means_one_page);
    tcase_add_test(t, json_is_one_document_of_all_pages);
    tcase_add_test(t, csv_has_exact_figures_only);
    tcase_add_test(t, empty_answer_is_said_on_stderr);
    tcase_add_test(t, resource_is_shown_without_terminal_commands);
    tcase_add_test(t, refusal_is_told_in_its_own_words);
    tcase_add_test(t, asking_for_what_cannot_be_is_misuse);
    tcase_add_test(t, another_servers_answer_is_recognised);
    tcase_add_test(t, gap_in_a_series_shows_nothing);
    tcase_add_test(t, audit_exits_with_0_only_without_mismatch);
    tcase_add_test(t, nobody_there_is_told_with_what_to_do);
    tcase_add_test(t, odd_url_is_misuse);
    tcase_add_test(t, help_teaches_with_examples);
    tcase_add_test(t, audit_of_a_file_that_is_no_ledger_fails);
    suite_add_tcase(s, t);
    return test_run(s);
}
