/* Targets, routes, parameters, the gate: without a socket. */
#include "api/http/problem.h"
#include "api/http/router.h"
#include "support/run.h"

static void nothing(void *state, const struct request *q, struct reply *r)
{
    (void)state, (void)q, (void)r;
}

static const char *const colors[] = {"red", "green", "blue", NULL};
static const struct parameter parameters[] = {
    {.name = "name", .type = PARAMETER_TEXT},
    {.name = "from", .type = PARAMETER_TIME},
    {.name = "step", .type = PARAMETER_DURATION},
    {.name = "limit", .type = PARAMETER_INTEGER, .low = 1, .high = 10},
    {.name = "color", .type = PARAMETER_CHOICE, .choices = colors},
    {.name = "colors", .type = PARAMETER_SET, .choices = colors},
};
static const struct route routes[] = {
    {.method = "GET", .path = "/", .handle = nothing},
    {.method = "GET", .path = "/things", .handle = nothing, .parameters = parameters, .parameter_count = 6},
    {.method = "POST", .path = "/things", .need = NEED_INGEST, .handle = nothing},
    {.method = "GET", .path = "/things/{thing}/of/{owner}", .handle = nothing},
};
static const struct router router = {routes, 4};

struct asked {
    struct request q;
    struct reply r;
    bool ready;
};

static struct asked ask_as(const char *method, const char *target, const char *origin)
{
    struct asked a = {0};
    a.q.method = text_of(method);
    a.q.target = text_of(target);
    a.q.origin = text_of(origin);
    a.q.now_ms = 1764000000000;
    a.ready = router_prepare(&router, &a.q, &a.r);
    buf_terminate(&a.r.body);
    return a;
}

static struct asked ask(const char *target)
{
    return ask_as("GET", target, NULL);
}

static void done(struct asked *a)
{
    request_free(&a->q);
    reply_free(&a->r);
}

static void refused(const char *target, int status, const char *says)
{
    struct asked a = ask(target);
    ck_assert_msg(!a.ready, "%s was taken", target);
    ck_assert_msg(a.r.status == status, "%s: %d %s", target, a.r.status, a.r.body.data);
    ck_assert_msg(strstr(a.r.body.data, says) != NULL, "%s: %s", target, a.r.body.data);
    done(&a);
}

START_TEST(segments_and_values_are_decoded)
{
    struct asked a = ask("/things/a%2Fb%20c+d/of/%C3%A4");
    ck_assert(a.ready);
    ck_assert(text_equal(request_segment(&a.q, "thing"), TEXT("a/b c+d")));
    ck_assert(text_equal(request_segment(&a.q, "owner"), TEXT("\xc3\xa4")));
    done(&a);
    a = ask("/things?name=a+b%26c%3Dd&&limit=10");
    ck_assert(a.ready);
    ck_assert(text_equal(request_text(&a.q, "name"), TEXT("a b&c=d")));
    ck_assert_int_eq(request_number(&a.q, "limit", 0), 10);
    done(&a);
}
END_TEST

START_TEST(values_are_read_by_their_type)
{
    struct asked a = ask("/things?from=-1h&step=5min&color=blue&colors=red,blue");
    ck_assert(a.ready);
    ck_assert_int_eq(request_number(&a.q, "from", 0), 1764000000000 - 3600000);
    ck_assert_int_eq(request_number(&a.q, "step", 0), 300000);
    ck_assert_int_eq(request_number(&a.q, "color", 0), 2);
    ck_assert_int_eq(request_number(&a.q, "colors", 0), 5);
    ck_assert(!request_given(&a.q, "limit"));
    ck_assert_int_eq(request_number(&a.q, "limit", 7), 7);
    done(&a);
    a = ask("/things?step=90&from=2026-11-24T10:00:00+01:00");
    ck_assert_msg(a.ready, "a zone's plus sign without escape: %s", a.r.body.data);
    ck_assert_int_eq(request_number(&a.q, "step", 0), 90000);
    ck_assert_int_eq(request_number(&a.q, "from", 0) % 86400000, 9 * 3600000);
    done(&a);
}
END_TEST

START_TEST(empty_text_is_not_given_and_an_empty_number_is_none)
{
    struct asked a = ask("/things?name=");
    ck_assert(a.ready);
    ck_assert(!request_given(&a.q, "name"));
    done(&a);
    a = ask("/things?name");
    ck_assert(a.ready);
    done(&a);
    refused("/things?limit=", 400, "a whole number from 1 to 10");
    refused("/things?color", 400, "one of red, green, blue");
    refused("/things?colors=", 400, "a comma-separated list");
}
END_TEST

START_TEST(unknown_parameter_is_refused_with_the_nearest)
{
    refused("/things?form=now", 400, "did you mean from?");
    refused("/things?form=now", 400, "\"nearest\":\"from\"");
    refused("/things?quite-another=1", 400, "there is name, from, step, limit, color, colors");
    refused("/?limit=1", 400, "none here");
}
END_TEST

static const struct {
    const char *target, *says;
} bad[] = {
    {"/things?limit=0", "a whole number from 1 to 10"},
    {"/things?limit=11", "a whole number from 1 to 10"},
    {"/things?limit=5x", "a whole number from 1 to 10"},
    {"/things?limit=99999999999999999999", "a whole number from 1 to 10"},
    {"/things?from=tomorrow", "must be a time"},
    {"/things?step=-5", "must be a duration"},
    {"/things?step=9223372036854775807", "must be a duration"},
    {"/things?color=gren", "\"nearest\":\"green\""},
    {"/things?colors=red,gray", "a comma-separated list of red, green, blue"},
    {"/things?limit=1&limit=2", "given twice"},
    {"/things?name=%zz", "bad percent escape"},
    {"/things?name=%4", "bad percent escape"},
    {"/things?name=%00", "bad percent escape"},
    {"/%", "bad percent escape"},
};

START_TEST(bad_value_is_refused_with_what_would_do)
{
    refused(bad[_i].target, 400, bad[_i].says);
}
END_TEST

START_TEST(too_many_parameters_are_refused)
{
    struct buf target = {0};
    buf_add_string(&target, "/things?");
    for (int i = 0; i <= REQUEST_MAX_PARAMETERS; i++)
        buf_add_string(&target, "name=a&");
    refused(buf_terminate(&target), 400, "more than 32 parameters");
    buf_free(&target);
}
END_TEST

START_TEST(unknown_path_is_404_with_the_nearest)
{
    refused("/thing", 404, "did you mean /things?");
    refused("/nowhere/at/all", 404, "nothing at /nowhere/at/all");
    refused("/things/a/of", 404, "nothing at");
    refused("/things//of/b", 404, "nothing at");
    refused("/1/2/3/4/5/6/7/8/9", 404, "8 segments");
    refused("things", 400, "must begin with /");
}
END_TEST

START_TEST(wrong_method_is_405_with_what_is_allowed)
{
    struct asked a = ask_as("DELETE", "/things", NULL);
    ck_assert_int_eq(a.r.status, 405);
    ck_assert_uint_eq(a.r.header_count, 1);
    ck_assert_str_eq(a.r.headers[0].name, "Allow");
    ck_assert_str_eq(a.r.headers[0].value, "GET, HEAD, POST");
    done(&a);
}
END_TEST

START_TEST(head_goes_where_get_goes)
{
    struct asked a = ask_as("HEAD", "/things?limit=2", NULL);
    ck_assert(a.ready && a.q.route == &routes[1]);
    done(&a);
}
END_TEST

START_TEST(web_page_may_not_change_anything)
{
    struct asked a = ask_as("POST", "/things", "http://evil.example");
    ck_assert(!a.ready);
    ck_assert_int_eq(a.r.status, 403);
    done(&a);
    a = ask_as("POST", "/things", NULL);
    ck_assert(a.ready);
    done(&a);
    a = ask_as("GET", "/things", "http://elsewhere.example");
    ck_assert(a.ready);
    done(&a);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http_request");
    TCase *t = tcase_create("request");
    tcase_add_test(t, segments_and_values_are_decoded);
    tcase_add_test(t, values_are_read_by_their_type);
    tcase_add_test(t, empty_text_is_not_given_and_an_empty_number_is_none);
    tcase_add_test(t, unknown_parameter_is_refused_with_the_nearest);
    tcase_add_loop_test(t, bad_value_is_refused_with_what_would_do, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(t, too_many_parameters_are_refused);
    tcase_add_test(t, unknown_path_is_404_with_the_nearest);
    tcase_add_test(t, wrong_method_is_405_with_what_is_allowed);
    tcase_add_test(t, head_goes_where_get_goes);
    tcase_add_test(t, web_page_may_not_change_anything);
    suite_add_tcase(s, t);
    return test_run(s);
}
