/* What is written: JSON, CSV, problems. */
#include <math.h>
#include <stdlib.h>

#include "api/http/csv_write.h"
#include "api/http/json_write.h"
#include "api/http/problem.h"
#include "support/run.h"

START_TEST(json_puts_commas_between_members_and_nowhere_else)
{
    struct buf b = {0};
    struct json j = {.out = &b};
    json_begin_object(&j, NULL);
    json_begin_array(&j, "a");
    json_integer(&j, NULL, -1);
    json_begin_object(&j, NULL);
    json_end_object(&j);
    json_begin_array(&j, NULL);
    json_end_array(&j);
    json_end_array(&j);
    json_bool(&j, "b", true);
    json_string(&j, "c", NULL);
    json_time(&j, "d", 1764000000000);
    json_end_object(&j);
    ck_assert_str_eq(buf_terminate(&b), "{\"a\":[-1,{},[]],\"b\":true,\"c\":null,\"d\":\"2025-11-24T16:00:00Z\"}");
    buf_free(&b);
}
END_TEST

START_TEST(json_keeps_128_bits_as_digits)
{
    struct buf b = {0};
    struct json j = {.out = &b};
    json_wide(&j, NULL, (wide)INT64_MAX * 4);
    ck_assert_str_eq(buf_terminate(&b), "\"36893488147419103228\"");
    buf_free(&b);
}
END_TEST

START_TEST(json_has_no_nan_and_reads_back_the_same_double)
{
    static const double values[] = {0.1, 1.0 / 3, 1e300, -2.5, 123456789012345678.0};
    struct buf b = {0};
    struct json j = {.out = &b};
    json_real(&j, NULL, NAN);
    json_real(&j, NULL, INFINITY);
    ck_assert_str_eq(buf_terminate(&b), "null,null");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        buf_clear(&b);
        j = (struct json){.out = &b};
        json_real(&j, NULL, values[i]);
        ck_assert_double_eq(strtod(buf_terminate(&b), NULL), values[i]);
    }
    buf_free(&b);
}
END_TEST

START_TEST(csv_quotes_what_would_break_a_line)
{
    struct buf b = {0};
    struct csv c = {.out = &b};
    csv_string(&c, "plain");
    csv_string(&c, "a,b");
    csv_string(&c, "say \"no\"");
    csv_string(&c, "two\nlines");
    csv_string(&c, "");
    csv_end_row(&c);
    csv_string(&c, "next");
    csv_end_row(&c);
    ck_assert_str_eq(buf_terminate(&b), "plain,\"a,b\",\"say \"\"no\"\"\",\"two\nlines\",\r\nnext\r\n");
    buf_free(&b);
}
END_TEST

START_TEST(problem_replaces_what_was_in_the_body)
{
    struct reply r = {0};
    buf_add_string(&r.body, "{\"half");
    problem_parameter(&r, PROBLEM_UNKNOWN_PARAMETER, TEXT("form"), "from", "%s", "no \"form\"");
    ck_assert_int_eq(r.status, 400);
    ck_assert_str_eq(r.content_type, "application/problem+json");
    ck_assert_str_eq(
        buf_terminate(&r.body),
        "{\"type\":\"urn:pluvio:problem:unknown-parameter\",\"title\":\"Unknown parameter\",\"status\":400,"
        "\"detail\":\"no \\\"form\\\"\",\"parameter\":\"form\",\"nearest\":\"from\"}\n");
    reply_free(&r);
}
END_TEST

START_TEST(busy_says_when_to_come_again)
{
    struct reply r = {0};
    problem(&r, PROBLEM_BUSY, "later");
    ck_assert_int_eq(r.status, 503);
    ck_assert_uint_eq(r.header_count, 1);
    ck_assert_str_eq(r.headers[0].name, "Retry-After");
    reply_free(&r);
}
END_TEST

START_TEST(header_value_with_a_line_break_is_left_out)
{
    struct reply r = {0};
    reply_header(&r, "Link", TEXT("a\r\nSet-Cookie: x"));
    ck_assert_uint_eq(r.header_count, 0);
    for (int i = 0; i < REPLY_MAX_HEADERS + 2; i++)
        reply_header(&r, "Link", TEXT("a"));
    ck_assert_uint_eq(r.header_count, REPLY_MAX_HEADERS);
    reply_free(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http_write");
    TCase *t = tcase_create("write");
    tcase_add_test(t, json_puts_commas_between_members_and_nowhere_else);
    tcase_add_test(t, json_keeps_128_bits_as_digits);
    tcase_add_test(t, json_has_no_nan_and_reads_back_the_same_double);
    tcase_add_test(t, csv_quotes_what_would_break_a_line);
    tcase_add_test(t, problem_replaces_what_was_in_the_body);
    tcase_add_test(t, busy_says_when_to_come_again);
    tcase_add_test(t, header_value_with_a_line_break_is_left_out);
    suite_add_tcase(s, t);
    return test_run(s);
}
