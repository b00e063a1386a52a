/* Records as JSON lines, read back by jansson. */
#include <jansson.h>
#include <math.h>

#include "pluvio/wire/wire_print.h"
#include "support/run.h"

static json_t *print(const struct record *r)
{
    struct buf line = {0};
    json_error_t error;
    wire_print_record(&line, r);
    ck_assert(!line.failed);
    ck_assert_int_eq(line.data[line.len - 1], '\n');
    ck_assert_ptr_eq(memchr(line.data, '\n', line.len), line.data + line.len - 1);
    json_t *json = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(json != NULL, "%s in %s", error.text, buf_terminate(&line));
    buf_free(&line);
    return json;
}

static json_t *print_point(const struct point *p, json_t **ret_point)
{
    struct record r = {.entity = TEXT("vm"), .points = (struct point *)(uintptr_t)p, .point_count = 1};
    json_t *json = print(&r);
    *ret_point = json_array_get(json_object_get(json, "points"), 0);
    return json;
}

static const char *string(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    ck_assert_msg(value != NULL, "no text %s", key);
    return value;
}

START_TEST(a_line_says_entity_attributes_event_and_points)
{
    struct attribute attributes[] = {{.key = TEXT_INIT("a"), .value = TEXT_INIT("1")},
                                     {.key = TEXT_INIT("b"), .value = TEXT_INIT("")}};
    struct point points[2] = {
        {.name = TEXT_INIT("cpu"), .unit = TEXT_INIT("ns"), .type = METER_CUMULATIVE, .time_ns = 1},
        {.name = TEXT_INIT("memory"), .unit = TEXT_INIT("MiB"), .time_ns = 1}};
    struct record r = {.entity = TEXT("vm"),
                       .event = TEXT("started"),
                       .event_time_ns = 1764000000000000001,
                       .attributes = attributes,
                       .attribute_count = 2,
                       .points = points,
                       .point_count = 2};
    json_t *json = print(&r);
    ck_assert_str_eq(string(json, "entity"), "vm");
    ck_assert_str_eq(string(json, "event"), "started");
    ck_assert_str_eq(string(json, "event_time"), "2025-11-24T16:00:00.000000001Z");
    ck_assert_str_eq(string(json_object_get(json, "attributes"), "a"), "1");
    ck_assert_str_eq(string(json_object_get(json, "attributes"), "b"), "");
    ck_assert_uint_eq(json_array_size(json_object_get(json, "points")), 2);
    json_decref(json);
}
END_TEST

START_TEST(a_plain_reading_has_no_event)
{
    struct record r = {.entity = TEXT("vm"), .event_time_ns = 5};
    json_t *json = print(&r);
    ck_assert_ptr_null(json_object_get(json, "event"));
    ck_assert_ptr_null(json_object_get(json, "event_time"));
    json_decref(json);
}
END_TEST

START_TEST(a_point_says_meter_unit_type_device_stream_and_times)
{
    struct point p = {.name = TEXT("disk.device.read.bytes"),
                      .unit = TEXT("B"),
                      .type = METER_CUMULATIVE,
                      .device = TEXT("vda"),
                      .stream = INT64_MAX,
                      .start_ns = 1764000000000000000,
                      .time_ns = 1764000000123456789,
                      .ended = true};
    json_t *point, *json = print_point(&p, &point);
    ck_assert_str_eq(string(point, "meter"), "disk.device.read.bytes");
    ck_assert_str_eq(string(point, "unit"), "B");
    ck_assert_str_eq(string(point, "type"), "cumulative");
    ck_assert_str_eq(string(point, "device"), "vda");
    ck_assert_int_eq(json_integer_value(json_object_get(point, "stream")), INT64_MAX);
    ck_assert_str_eq(string(point, "start"), "2025-11-24T16:00:00Z");
    ck_assert_str_eq(string(point, "time"), "2025-11-24T16:00:00.123456789Z");
    ck_assert(json_is_true(json_object_get(point, "ended")));
    json_decref(json);
}
END_TEST

START_TEST(whole_values_are_printed_in_full)
{
    static const int64_t values[] = {0, -1, ((int64_t)1 << 53) + 1, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct point p = {.name = TEXT("x"), .value = values[i], .time_ns = 1};
        json_t *point, *json = print_point(&p, &point);
        ck_assert(json_is_integer(json_object_get(point, "value")));
        ck_assert_int_eq(json_integer_value(json_object_get(point, "value")), values[i]);
        json_decref(json);
    }
}
END_TEST

START_TEST(a_stream_of_64_bits_is_printed_in_full)
{
    struct point p = {.name = TEXT("x"), .stream = UINT64_MAX, .time_ns = 1};
    struct record r = {.entity = TEXT("vm"), .points = &p, .point_count = 1};
    struct buf line = {0};
    wire_print_record(&line, &r); /* jansson takes signed ones only: look at the text */
    ck_assert_ptr_nonnull(strstr(buf_terminate(&line), "\"stream\":18446744073709551615,"));
    buf_free(&line);
}
END_TEST

START_TEST(doubles_are_printed_so_that_they_are_read_back)
{
    static const double values[] = {0.1, -0.0, 1e300, 5e-324, 1.7976931348623157e308, 12345678.9};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct point p = {.name = TEXT("x"), .is_double = true, .real = values[i], .time_ns = 1};
        json_t *point, *json = print_point(&p, &point);
        ck_assert(json_number_value(json_object_get(point, "value")) == values[i]);
        json_decref(json);
    }
}
END_TEST

START_TEST(a_value_that_is_no_number_is_null)
{
    const double values[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct point p = {.name = TEXT("x"), .is_double = true, .real = values[i], .time_ns = 1};
        json_t *point, *json = print_point(&p, &point);
        ck_assert(json_is_null(json_object_get(point, "value")));
        json_decref(json);
    }
}
END_TEST

START_TEST(times_at_the_ends_of_64_bits_are_printed)
{
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59.999999999Z"},
        {-1000000000, "1969-12-31T23:59:59Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct point p = {.name = TEXT("x"), .time_ns = rows[i].ns};
        json_t *point, *json = print_point(&p, &point);
        ck_assert_str_eq(string(point, "time"), rows[i].text);
        json_decref(json);
    }
}
END_TEST

#define BAD "\xef\xbf\xbd"

static const struct {
    struct text bytes;
    const char *wants;
} strings[] = {
    {TEXT_INIT(""), ""},
    {TEXT_INIT("plain"), "plain"},
    {TEXT_INIT("\"\\/\b\f\n\r\t\x1f\x7f"), "\"\\/\b\f\n\r\t\x1f\x7f"},
    {TEXT_INIT("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8c\xa7"), "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8c\xa7"},
    {TEXT_INIT("a\xff"
               "b"),
     "a" BAD "b"},
    {TEXT_INIT("\x80"), BAD},
    {TEXT_INIT("\xc0\xaf"), BAD BAD},
    {TEXT_INIT("\xe2\x82"), BAD BAD},
    {TEXT_INIT("\xe2("), BAD "("},
    {TEXT_INIT("\xed\xa0\x80"), BAD BAD BAD},
    {TEXT_INIT("\xf4\x90\x80\x80"), BAD BAD BAD BAD},
};

START_TEST(any_bytes_become_a_string_that_is_json)
{
    struct buf out = {0};
    json_add_string(&out, strings[_i].bytes);
    json_t *json = json_loadb(out.data, out.len, JSON_DECODE_ANY, NULL);
    ck_assert_ptr_nonnull(json);
    ck_assert_str_eq(json_string_value(json), strings[_i].wants);
    json_decref(json);
    buf_free(&out);
}
END_TEST

START_TEST(every_single_byte_and_pair_is_json)
{
    for (unsigned n = 0; n < 0x10000; n++) {
        char pair[2] = {(char)(n >> 8), (char)n};
        struct buf out = {0};
        json_add_string(&out, (struct text){pair, 2});
        json_t *json = json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        ck_assert_msg(json != NULL, "%04x", n);
        json_decref(json);
        buf_free(&out);
    }
}
END_TEST

START_TEST(names_are_escaped_wherever_they_stand)
{
    struct attribute attribute = {.key = TEXT("\"k"), .value = TEXT("v\n\xff")};
    struct point p = {.name = TEXT("\"n"), .unit = TEXT("\\"), .device = TEXT("\x01"), .time_ns = 1};
    struct record r = {.entity = TEXT("\"e\\"),
                       .event = TEXT("\n"),
                       .attributes = &attribute,
                       .attribute_count = 1,
                       .points = &p,
                       .point_count = 1};
    json_t *json = print(&r);
    json_t *point = json_array_get(json_object_get(json, "points"), 0);
    ck_assert_str_eq(string(json, "entity"), "\"e\\");
    ck_assert_str_eq(string(json, "event"), "\n");
    ck_assert_str_eq(string(json_object_get(json, "attributes"), "\"k"), "v\n" BAD);
    ck_assert_str_eq(string(point, "meter"), "\"n");
    ck_assert_str_eq(string(point, "unit"), "\\");
    ck_assert_str_eq(string(point, "device"), "\x01");
    json_decref(json);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire print");
    TCase *t = tcase_create("wire print");
    tcase_add_test(t, a_line_says_entity_attributes_event_and_points);
    tcase_add_test(t, a_plain_reading_has_no_event);
    tcase_add_test(t, a_point_says_meter_unit_type_device_stream_and_times);
    tcase_add_test(t, whole_values_are_printed_in_full);
    tcase_add_test(t, a_stream_of_64_bits_is_printed_in_full);
    tcase_add_test(t, doubles_are_printed_so_that_they_are_read_back);
    tcase_add_test(t, a_value_that_is_no_number_is_null);
    tcase_add_test(t, times_at_the_ends_of_64_bits_are_printed);
    tcase_add_loop_test(t, any_bytes_become_a_string_that_is_json, 0, (int)(sizeof strings / sizeof strings[0]));
    tcase_add_test(t, every_single_byte_and_pair_is_json);
    tcase_add_test(t, names_are_escaped_wherever_they_stand);
    suite_add_tcase(s, t);
    return test_run(s);
}
