/* Bytes from strangers: each refusal by name, each limit to the one. */
#include <stdio.h>
#include <stdlib.h>

#include "message.h"
#include "pluvio/wire/otlp.h"
#include "support/run.h"

/* ---- one wrong thing at one place ---- */

struct hostile {
    const char *sentence;
    unsigned path[MESSAGE_DEPTH];
    struct text content; /* of the message that the path leads to */
    enum otlp_refusal wants;
};

static const struct hostile rows[] = {
    {"a varint of eleven bytes",
     {IN_REQUEST},
     TEXT_INIT("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     OTLP_VARINT_OVERLONG},
    {"a varint over 64 bits",
     {IN_REQUEST},
     TEXT_INIT("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
     OTLP_VARINT_OVERLONG},
    {"a varint padded with zeros", {IN_REQUEST}, TEXT_INIT("\x10\x81\x00"), OTLP_VARINT_OVERLONG},
    {"a tag padded with zeros", {IN_REQUEST}, TEXT_INIT("\x90\x00\x01"), OTLP_VARINT_OVERLONG},
    {"a tag that ends early", {IN_REQUEST}, TEXT_INIT("\x90"), OTLP_TRUNCATED},
    {"a varint that ends early", {IN_REQUEST}, TEXT_INIT("\x10\x80"), OTLP_TRUNCATED},
    {"a length without its bytes", {IN_REQUEST}, TEXT_INIT("\x0a\x02\x00"), OTLP_TRUNCATED},
    {"a field without its length", {IN_REQUEST}, TEXT_INIT("\x0a"), OTLP_TRUNCATED},
    {"a length of 2^64 - 1", {IN_REQUEST}, TEXT_INIT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), OTLP_TRUNCATED},
    {"seven bytes of fixed64", {IN_REQUEST}, TEXT_INIT("\x11\1\2\3\4\5\6\7"), OTLP_TRUNCATED},
    {"three bytes of fixed32", {IN_REQUEST}, TEXT_INIT("\x15\1\2\3"), OTLP_TRUNCATED},
    {"a length past the end of its message only", {IN_GAUGE_POINT}, TEXT_INIT("\x3a\x7f"), OTLP_TRUNCATED},
    {"field number 0", {IN_REQUEST}, TEXT_INIT("\x00\x01"), OTLP_BAD_FIELD},
    {"field number 2^29", {IN_REQUEST}, TEXT_INIT("\x80\x80\x80\x80\x10\x01"), OTLP_BAD_FIELD},
    {"the start of a group", {IN_REQUEST}, TEXT_INIT("\x0b"), OTLP_BAD_FIELD},
    {"the end of a group", {IN_REQUEST}, TEXT_INIT("\x0c"), OTLP_BAD_FIELD},
    {"wire type 6", {IN_METRIC}, TEXT_INIT("\x0e"), OTLP_BAD_FIELD},
    {"wire type 7", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x0f"), OTLP_BAD_FIELD},

    {"resource metrics as a varint", {IN_REQUEST}, TEXT_INIT("\x08\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a resource as fixed64", {IN_RESOURCE_METRICS}, TEXT_INIT("\x09\1\2\3\4\5\6\7\x08"), OTLP_WRONG_WIRE_TYPE},
    {"a scope as a varint", {IN_RESOURCE_METRICS}, TEXT_INIT("\x10\x01"), OTLP_WRONG_WIRE_TYPE},
    {"an attribute as a varint", {IN_RESOURCE}, TEXT_INIT("\x08\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a key as a varint", {IN_ATTRIBUTE}, TEXT_INIT("\x08\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a value as fixed32", {IN_ATTRIBUTE}, TEXT_INIT("\x15\1\2\3\4"), OTLP_WRONG_WIRE_TYPE},
    {"a text as a varint", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x08\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a truth as bytes", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x12\x01\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a whole number as fixed64", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x19\1\2\3\4\5\6\7\x08"), OTLP_WRONG_WIRE_TYPE},
    {"a double as a varint", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x20\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a list as a varint", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x28\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a map as a varint", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x30\x01"), OTLP_WRONG_WIRE_TYPE},
    {"bytes as a varint", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x38\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a list in a list as a varint", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x2a\x04\x0a\x02\x28\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a metric as a varint", {IN_SCOPE_METRICS}, TEXT_INIT("\x10\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a metric's name as a varint", {IN_METRIC}, TEXT_INIT("\x08\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a metric's unit as a varint", {IN_METRIC}, TEXT_INIT("\x18\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a gauge as a varint", {IN_METRIC}, TEXT_INIT("\x28\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a sum as a varint", {IN_METRIC}, TEXT_INIT("\x38\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a histogram as a varint", {IN_METRIC}, TEXT_INIT("\x48\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a point as a varint", {IN_GAUGE}, TEXT_INIT("\x08\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a temporality as bytes", {IN_SUM}, TEXT_INIT("\x12\x01\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a monotonicity as fixed32", {IN_SUM}, TEXT_INIT("\x1d\1\2\3\4"), OTLP_WRONG_WIRE_TYPE},
    {"a start as a varint", {IN_GAUGE_POINT}, TEXT_INIT("\x10\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a time as a varint", {IN_GAUGE_POINT}, TEXT_INIT("\x18\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a double reading as a varint", {IN_GAUGE_POINT}, TEXT_INIT("\x20\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a whole reading as a varint", {IN_GAUGE_POINT}, TEXT_INIT("\x30\x01"), OTLP_WRONG_WIRE_TYPE},
    {"a point's attribute as a varint", {IN_GAUGE_POINT}, TEXT_INIT("\x38\x01"), OTLP_WRONG_WIRE_TYPE},
    {"flags as bytes", {IN_GAUGE_POINT}, TEXT_INIT("\x42\x01\x01"), OTLP_WRONG_WIRE_TYPE},
    {"the key of a point's attribute as a varint", {IN_POINT_ATTRIBUTE}, TEXT_INIT("\x08\x01"), OTLP_WRONG_WIRE_TYPE},

    {"a NUL inside a key",
     {IN_ATTRIBUTE},
     TEXT_INIT("\x0a\x03"
               "a\0b"),
     OTLP_BAD_TEXT},
    {"a NUL beside a letter of two bytes", {IN_ATTRIBUTE}, TEXT_INIT("\x0a\x03\xc3\xa4\0"), OTLP_BAD_TEXT},
    {"Latin-1 in a value", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x0a\x01\xe4"), OTLP_BAD_TEXT},
    {"a slash in two bytes", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x0a\x02\xc0\xaf"), OTLP_BAD_TEXT},
    {"a slash in three bytes", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x0a\x03\xe0\x80\xaf"), OTLP_BAD_TEXT},
    {"a slash in four bytes", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x0a\x04\xf0\x80\x80\xaf"), OTLP_BAD_TEXT},
    {"half a surrogate pair", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x0a\x03\xed\xa0\x80"), OTLP_BAD_TEXT},
    {"a letter past U+10FFFF", {IN_ATTRIBUTE_VALUE}, TEXT_INIT("\x0a\x04\xf4\x90\x80\x80"), OTLP_BAD_TEXT},
    {"a letter that ends early", {IN_METRIC}, TEXT_INIT("\x0a\x02\xe2\x82"), OTLP_BAD_TEXT},
    {"a letter that does not go on", {IN_METRIC}, TEXT_INIT("\x1a\x02\xc3("), OTLP_BAD_TEXT},
    {"bad text in a point's attribute", {IN_POINT_ATTRIBUTE}, TEXT_INIT("\x0a\x01\xff"), OTLP_BAD_TEXT},

    {"a resource without attributes", {IN_RESOURCE}, TEXT_INIT(""), OTLP_NO_ENTITY},
    {"no resource at all", {IN_RESOURCE_METRICS}, TEXT_INIT(""), OTLP_NO_ENTITY},
    {"an empty host.id", {IN_ATTRIBUTE}, TEXT_INIT("\x0a\x07host.id\x12\x02\x0a\x00"), OTLP_NO_ENTITY},
    {"a host.id that is a number", {IN_ATTRIBUTE}, TEXT_INIT("\x0a\x07host.id\x12\x02\x18\x01"), OTLP_NO_ENTITY},
    {"a host.id that is text first and a number then",
     {IN_ATTRIBUTE},
     TEXT_INIT("\x0a\x07host.id\x12\x05\x0a\x01v\x18\x01"),
     OTLP_NO_ENTITY},
    {"a host.id without a value", {IN_ATTRIBUTE}, TEXT_INIT("\x0a\x07host.id"), OTLP_NO_ENTITY},
    {"pluvio.kind that is a number as long as host",
     {IN_ATTRIBUTE},
     TEXT_INIT("\x0a\x0bpluvio.kind\x12\x03\x18\xd2\x09"),
     OTLP_NO_ENTITY},

    {"a point without a time", {IN_GAUGE_POINT}, TEXT_INIT("\x31\1\0\0\0\0\0\0\0"), OTLP_BAD_TIME},
    {"a point at 0", {IN_GAUGE_POINT}, TEXT_INIT("\x31\1\0\0\0\0\0\0\0\x19\0\0\0\0\0\0\0\0"), OTLP_BAD_TIME},
    {"a point that starts after its time",
     {IN_GAUGE_POINT},
     TEXT_INIT("\x31\1\0\0\0\0\0\0\0\x19\1\0\0\0\0\0\0\0\x11\2\0\0\0\0\0\0\0"),
     OTLP_BAD_TIME},
    {"a start of 2^63",
     {IN_GAUGE_POINT},
     TEXT_INIT("\x31\1\0\0\0\0\0\0\0\x19\1\0\0\0\0\0\0\0\x11\0\0\0\0\0\0\0\x80"),
     OTLP_BAD_TIME},
    {"a time of 2^64 - 1",
     {IN_GAUGE_POINT},
     TEXT_INIT("\x31\1\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\xff\xff"),
     OTLP_BAD_TIME},
    /* 7258118400000000001 ns: one more than the year 2200. */
    {"a point past the year 2200",
     {IN_GAUGE_POINT},
     TEXT_INIT("\x31\1\0\0\0\0\0\0\0\x19\x01\x00\xba\xc9\x3a\x04\xba\x64"),
     OTLP_BAD_TIME},
};

static enum otlp_refusal decode(struct text bytes, size_t *ret_count)
{
    struct otlp_decoder d = {0};
    /* Its own heap block, so that a sanitizer sees one byte too far. */
    char *copy = malloc(bytes.len ? bytes.len : 1);
    ck_assert_ptr_nonnull(copy);
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    enum otlp_refusal r = otlp_decode(&d, (struct text){copy, bytes.len});
    *ret_count = d.count;
    otlp_decoder_free(&d);
    free(copy);
    return r;
}

static void expect(const char *sentence, const struct buf *bytes, enum otlp_refusal wants)
{
    size_t count;
    ck_assert(!bytes->failed);
    enum otlp_refusal r = decode(buf_text(bytes), &count);
    ck_assert_msg(r == wants, "%s: %s, not %s", sentence, otlp_refusal_name(r), otlp_refusal_name(wants));
    ck_assert_msg(r == OTLP_FINE || count == 0, "%s: refused, but %zu records are left", sentence, count);
}

START_TEST(what_is_wrong_is_refused_by_its_name)
{
    const struct hostile *h = &rows[_i];
    struct buf bytes = {0};
    message_wrap(&bytes, h->path, h->content);
    expect(h->sentence, &bytes, h->wants);
    buf_free(&bytes);
}
END_TEST

START_TEST(one_bad_resource_refuses_the_whole_request)
{
    struct buf bytes = {0};
    message_resource(&bytes, TEXT(""));
    message_wrap(&bytes, (unsigned[]){IN_RESOURCE}, TEXT(""));
    expect("a good resource, then one without entity", &bytes, OTLP_NO_ENTITY);
    buf_free(&bytes);
}
END_TEST

START_TEST(every_prefix_of_a_good_request_is_read_without_reading_past_it)
{
    struct buf metrics = {0}, data = {0}, bytes = {0};
    message_point(&data, true, 5);
    message_metric(&metrics, "cpu", 7, buf_text(&data));
    message_resource(&bytes, buf_text(&metrics));
    for (size_t n = 1; n < bytes.len; n++) {
        size_t count;
        ck_assert_int_eq(decode((struct text){bytes.data, n}, &count), OTLP_TRUNCATED);
    }
    buf_free(&metrics);
    buf_free(&data);
    buf_free(&bytes);
}
END_TEST

/* ---- counters ---- */

static const struct {
    const char *sentence;
    uint32_t field; /* 6: whole, 4: double */
    uint64_t bits;
    bool monotonic;
    enum otlp_refusal wants;
} values[] = {
    {"a counter of -1", 6, UINT64_MAX, true, OTLP_NEGATIVE_COUNTER},
    {"a counter of -2^63", 6, 1ULL << 63, true, OTLP_NEGATIVE_COUNTER},
    {"a counter of 0", 6, 0, true, OTLP_FINE},
    {"a counter of 2^63 - 1", 6, INT64_MAX, true, OTLP_FINE},
    {"a double counter of -0.5", 4, 0xbfe0000000000000, true, OTLP_NEGATIVE_COUNTER},
    {"a double counter that is no number", 4, 0x7ff8000000000000, true, OTLP_NEGATIVE_COUNTER},
    {"a double counter of -0.0", 4, 1ULL << 63, true, OTLP_FINE},
    {"a double counter of 0.5", 4, 0x3fe0000000000000, true, OTLP_FINE},
    {"a sum that may fall, at -1", 6, UINT64_MAX, false, OTLP_FINE},
};

START_TEST(a_counter_is_never_negative)
{
    struct buf data = {0}, metrics = {0}, bytes = {0};
    size_t point = write_open(&data, 1);
    write_fixed64(&data, 3, 1);
    write_fixed64(&data, values[_i].field, values[_i].bits);
    write_close(&data, point);
    write_uint(&data, 2, 2);
    write_uint(&data, 3, values[_i].monotonic);
    message_metric(&metrics, "cpu", 7, buf_text(&data));
    message_resource(&bytes, buf_text(&metrics));
    expect(values[_i].sentence, &bytes, values[_i].wants);
    buf_free(&data);
    buf_free(&metrics);
    buf_free(&bytes);
}
END_TEST

/* ---- limits: @n of something ---- */

static void points(struct buf *out, size_t n)
{
    struct buf data = {0}, metrics = {0};
    /* In two resources: the limit is the request's. */
    for (size_t part = 0; part < 2; part++) {
        buf_clear(&data);
        buf_clear(&metrics);
        for (size_t i = part; i < n; i += 2)
            message_point(&data, true, (int64_t)i);
        message_metric(&metrics, "cpu_util", 5, buf_text(&data));
        message_resource(out, buf_text(&metrics));
    }
    buf_free(&data);
    buf_free(&metrics);
}

static void attributes(struct buf *out, size_t n)
{
    size_t all = write_open(out, 1), resource = write_open(out, 1);
    for (size_t i = 0; i < n; i++)
        message_attribute(out, 1, i ? "label" : ATTR_ENTITY, TEXT("x"));
    write_close(out, resource);
    write_close(out, all);
}

static void resources(struct buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        message_resource(out, TEXT(""));
}

static struct text letters(size_t n)
{
    static char room[OTLP_MAX_TEXT + 1];
    memset(room, 'a', sizeof room);
    return (struct text){room, n};
}

static void value_text(struct buf *out, size_t n)
{
    size_t all = write_open(out, 1), resource = write_open(out, 1);
    message_attribute(out, 1, ATTR_ENTITY, letters(n));
    write_close(out, resource);
    write_close(out, all);
}

static void key_text(struct buf *out, size_t n)
{
    message_resource(out, TEXT(""));
    size_t all = write_open(out, 1), resource = write_open(out, 1);
    message_attribute(out, 1, ATTR_ENTITY, TEXT("vm"));
    size_t pair = write_open(out, 1);
    write_bytes(out, 1, letters(n));
    write_close(out, pair);
    write_close(out, resource);
    write_close(out, all);
}

static void metric_text(struct buf *out, uint32_t field, size_t n)
{
    struct buf metric = {0}, scope = {0};
    write_bytes(&metric, field, letters(n));
    write_bytes(&scope, 2, buf_text(&metric));
    message_resource(out, buf_text(&scope));
    buf_free(&metric);
    buf_free(&scope);
}

static void name_text(struct buf *out, size_t n)
{
    metric_text(out, 1, n);
}

static void unit_text(struct buf *out, size_t n)
{
    metric_text(out, 3, n);
}

/* A value of @n lists (5) or maps (6) in one another; @kinds are taken in turn. */
static void nested(struct buf *out, size_t n, const char *kinds)
{
    if (n == 0) {
        write_uint(out, 3, 1);
        return;
    }
    uint32_t kind = kinds[n % strlen(kinds)] == 'l' ? 5 : 6;
    size_t value = write_open(out, kind), item = write_open(out, 1), pair = 0;
    if (kind == 6) {
        write_bytes(out, 1, TEXT("k"));
        pair = write_open(out, 2);
    }
    nested(out, n - 1, kinds);
    if (kind == 6)
        write_close(out, pair);
    write_close(out, item);
    write_close(out, value);
}

static void nested_value(struct buf *out, size_t n, const char *kinds)
{
    size_t all = write_open(out, 1), resource = write_open(out, 1);
    message_attribute(out, 1, ATTR_ENTITY, TEXT("vm"));
    size_t pair = write_open(out, 1), value = write_open(out, 2);
    nested(out, n, kinds);
    write_close(out, value);
    write_close(out, pair);
    write_close(out, resource);
    write_close(out, all);
}

static void lists(struct buf *out, size_t n)
{
    nested_value(out, n, "l");
}

static void maps(struct buf *out, size_t n)
{
    nested_value(out, n, "m");
}

static void lists_and_maps(struct buf *out, size_t n)
{
    nested_value(out, n, "lm");
}

static const struct {
    const char *sentence;
    void (*build)(struct buf *out, size_t n);
    size_t limit;
    enum otlp_refusal above;
} limits[] = {
    {"points of a request", points, OTLP_MAX_POINTS, OTLP_TOO_MANY_POINTS},
    {"attributes of a resource", attributes, OTLP_MAX_ATTRIBUTES, OTLP_TOO_MANY_ATTRIBUTES},
    {"resources of a request", resources, OTLP_MAX_RESOURCES, OTLP_TOO_MANY_RESOURCES},
    {"bytes of an attribute's value", value_text, OTLP_MAX_TEXT, OTLP_TEXT_TOO_LONG},
    {"bytes of an attribute's key", key_text, OTLP_MAX_TEXT, OTLP_TEXT_TOO_LONG},
    {"bytes of a metric's name", name_text, OTLP_MAX_TEXT, OTLP_TEXT_TOO_LONG},
    {"bytes of a unit", unit_text, OTLP_MAX_TEXT, OTLP_TEXT_TOO_LONG},
    {"lists in lists", lists, OTLP_MAX_NESTING, OTLP_TOO_NESTED},
    {"maps in maps", maps, OTLP_MAX_NESTING, OTLP_TOO_NESTED},
    {"lists in maps in lists", lists_and_maps, OTLP_MAX_NESTING, OTLP_TOO_NESTED},
};

START_TEST(a_limit_is_reached_and_one_more_is_refused)
{
    for (size_t over = 0; over < 2; over++) {
        struct buf bytes = {0};
        limits[_i].build(&bytes, limits[_i].limit + over);
        expect(limits[_i].sentence, &bytes, over ? limits[_i].above : OTLP_FINE);
        buf_free(&bytes);
    }
}
END_TEST

START_TEST(ten_thousand_levels_do_not_reach_the_stack)
{
    struct buf inner = {0}, outer = {0}, bytes = {0};
    for (int i = 0; i < 10000; i++) { /* from the inside: each level wraps what is there */
        buf_clear(&outer);
        message_wrap(&outer, (unsigned[]){5, 1, 0}, buf_text(&inner));
        struct buf swap = inner;
        inner = outer;
        outer = swap;
    }
    message_wrap(&bytes, (unsigned[]){IN_ATTRIBUTE_VALUE}, buf_text(&inner));
    expect("a list of 10,000 levels", &bytes, OTLP_TOO_NESTED);
    buf_free(&inner);
    buf_free(&outer);
    buf_free(&bytes);
}
END_TEST

/* ---- memory ---- */

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
static int until_failure; /* 0: none fails */

void *__wrap_realloc(void *old, size_t size)
{
    if (until_failure && --until_failure == 0)
        return NULL;
    return __real_realloc(old, size);
}

/* Enough of everything that each array grows more than once. */
static void large(struct buf *bytes)
{
    points(bytes, 200);
    attributes(bytes, 100);
    resources(bytes, 10);
}

START_TEST(the_nth_allocation_fails_and_nothing_is_left)
{
    struct buf bytes = {0};
    int failures = 0;
    large(&bytes);
    for (int n = 1; n < 100; n++) {
        struct otlp_decoder d = {0};
        until_failure = n;
        enum otlp_refusal r = otlp_decode(&d, buf_text(&bytes));
        bool failed = until_failure == 0;
        until_failure = 0;
        ck_assert_int_eq(r, failed ? OTLP_NO_MEMORY : OTLP_FINE);
        ck_assert_uint_eq(d.count, failed ? 0 : 13);
        failures += failed;
        otlp_decoder_free(&d);
    }
    ck_assert_int_gt(failures, 10);
    ck_assert_int_lt(failures, 99); /* it came through at last */
    buf_free(&bytes);
}
END_TEST

START_TEST(each_refusal_has_a_row_and_a_name)
{
    bool reached[OTLP_REFUSALS] = {[OTLP_FINE] = true, [OTLP_NO_MEMORY] = true}; /* no bytes lead to the latter */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        reached[rows[i].wants] = true;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        reached[values[i].wants] = true;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        reached[limits[i].above] = true;
    for (int r = 0; r < OTLP_REFUSALS; r++) {
        ck_assert_msg(reached[r], "no row reaches %s", otlp_refusal_name((enum otlp_refusal)r));
        for (int other = 0; other < r; other++)
            ck_assert_str_ne(otlp_refusal_name((enum otlp_refusal)r), otlp_refusal_name((enum otlp_refusal)other));
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("otlp refusal");
    TCase *t = tcase_create("otlp refusal");
    tcase_add_loop_test(t, what_is_wrong_is_refused_by_its_name, 0, (int)(sizeof rows / sizeof rows[0]));
    tcase_add_test(t, one_bad_resource_refuses_the_whole_request);
    tcase_add_test(t, every_prefix_of_a_good_request_is_read_without_reading_past_it);
    tcase_add_loop_test(t, a_counter_is_never_negative, 0, (int)(sizeof values / sizeof values[0]));
    tcase_add_loop_test(t, a_limit_is_reached_and_one_more_is_refused, 0, (int)(sizeof limits / sizeof limits[0]));
    tcase_add_test(t, ten_thousand_levels_do_not_reach_the_stack);
    tcase_add_test(t, the_nth_allocation_fails_and_nothing_is_left);
    tcase_add_test(t, each_refusal_has_a_row_and_a_name);
    suite_add_tcase(s, t);
    return test_run(s);
}
