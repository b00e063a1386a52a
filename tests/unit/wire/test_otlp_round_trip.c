/* What is encoded is decoded to the same, field by field. */
#include <stdlib.h>

#include "pluvio/wire/otlp.h"
#include "support/record_json/record_json.h"
#include "support/run.h"

#define START 1700000000000000000LL
#define TIME  1700003600123456789LL

/* @r comes back from the wire as it is; in @d of one record, which the caller frees. */
static void there_and_back(const struct record *r, struct buf *bytes, struct otlp_decoder *d)
{
    struct buf wants = {0}, got = {0};
    otlp_encode(bytes, r);
    ck_assert(!bytes->failed);
    enum otlp_refusal refusal = otlp_decode(d, buf_text(bytes));
    ck_assert_msg(refusal == OTLP_FINE, "%s", otlp_refusal_name(refusal));
    ck_assert_uint_eq(d->count, 1);
    record_json(&wants, r, RECORD_JSON_OTHERS);
    record_json(&got, &d->records[0], RECORD_JSON_OTHERS);
    ck_assert_str_eq(buf_terminate(&got), buf_terminate(&wants));
    buf_free(&wants);
    buf_free(&got);
}

static void comes_back(const struct record *r)
{
    struct buf bytes = {0};
    struct otlp_decoder d = {0};
    there_and_back(r, &bytes, &d);
    ck_assert_uint_eq(d.skipped_fields + d.skipped_metrics + d.skipped_points, 0);
    otlp_decoder_free(&d);
    buf_free(&bytes);
}

static struct point point_of(enum meter_id id)
{
    const struct meter *m = meter_at(id);
    return (struct point){.meter = m,
                          .name = text_of(m->name),
                          .unit = text_of(m->unit),
                          .type = m->type,
                          .kind = m->kind,
                          .value = 42,
                          .time_ns = TIME};
}

/* ---- the entity's own words ---- */

static struct record full(void)
{
    return (struct record){.entity = TEXT("7a2b3c4d-0000-4000-8000-000000000001"),
                           .name = TEXT("web-1"),
                           .flavor = TEXT("m1.small"),
                           .project = TEXT("blue"),
                           .user = TEXT("alice"),
                           .state = TEXT("running"),
                           .domain = TEXT("instance-0000002a"),
                           .host = TEXT("compute-17"),
                           .host_id = TEXT("9d0e1f2a-0000-4000-8000-0000000000aa"),
                           .event = TEXT("stopped"),
                           .event_time_ns = TIME,
                           .is_host = true};
}

START_TEST(a_record_with_every_field_comes_back)
{
    struct record r = full();
    comes_back(&r);
}
END_TEST

START_TEST(a_record_with_an_entity_alone_comes_back)
{
    struct record r = {.entity = TEXT("vm")};
    comes_back(&r);
}
END_TEST

START_TEST(names_in_every_script_come_back)
{
    static const char *const names[] = {"",
                                        "a",
                                        "\xc3\xa4",
                                        "\xe2\x82\xac \xe6\xb0\xb4",
                                        "\xf0\x9f\x8c\xa7",
                                        "\x7f\x01\t\n\"\\/",
                                        "\xef\xbf\xbd\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct record r = {.entity = TEXT("vm"), .name = text_of(names[i]), .project = text_of(names[i])};
        comes_back(&r);
    }
}
END_TEST

START_TEST(attributes_without_a_field_come_back_in_order)
{
    struct attribute attributes[] = {
        {.key = TEXT_INIT("cloud.region"), .value = TEXT_INIT("eu")},
        {.key = TEXT_INIT("label"), .value = TEXT_INIT("first")},
        {.key = TEXT_INIT("label"), .value = TEXT_INIT("second")},
        {.key = TEXT_INIT("empty"), .value = TEXT_INIT("")},
        {.key = TEXT_INIT(""), .value = TEXT_INIT("no key")},
        {.key = TEXT_INIT(ATTR_SERVICE), .value = TEXT_INIT("svc")},
    };
    struct record r = {.entity = TEXT("vm"), .attributes = attributes, .attribute_count = 6};
    comes_back(&r);
}
END_TEST

START_TEST(an_attribute_that_has_a_field_is_written_from_the_field)
{
    struct attribute attributes[] = {
        {.key = TEXT_INIT(ATTR_PROJECT), .value = TEXT_INIT("stale")},
        {.key = TEXT_INIT(ATTR_EVENT_TIME), .value = TEXT_INIT("17")},
        {.key = TEXT_INIT(ATTR_KIND), .value = TEXT_INIT("host")},
    };
    struct record r = {.entity = TEXT("vm"), .project = TEXT("blue"), .attributes = attributes, .attribute_count = 3};
    comes_back(&r);
}
END_TEST

START_TEST(decoded_attributes_are_all_listed_those_with_a_field_too)
{
    struct record r = full();
    struct attribute label = {.key = TEXT("label"), .value = TEXT("x")};
    struct buf bytes = {0};
    struct otlp_decoder d = {0};
    r.attributes = &label;
    r.attribute_count = 1;
    there_and_back(&r, &bytes, &d);
    ck_assert_uint_eq(d.records[0].attribute_count, 13); /* ten texts, kind, time, and the label */
    for (size_t i = 0; i < 13; i++)
        if (text_equal(d.records[0].attributes[i].key, TEXT(ATTR_EVENT_TIME)))
            ck_assert(text_equal(d.records[0].attributes[i].value, TEXT("1700003600123456789")));
    otlp_decoder_free(&d);
    buf_free(&bytes);
}
END_TEST

/* ---- points ---- */

START_TEST(each_meter_of_the_table_comes_back)
{
    struct point p = point_of((enum meter_id)_i);
    if (p.kind == RESOURCE_DISK)
        p.device = TEXT("vda");
    if (p.kind == RESOURCE_INTERFACE)
        p.device = TEXT("fa:16:3e:12:34:56"), p.device_name = TEXT("tap0");
    struct record r = {.entity = TEXT("vm"), .points = &p, .point_count = 1};
    comes_back(&r);
}
END_TEST

START_TEST(whole_values_come_back_to_the_unit)
{
    static const int64_t values[] = {0,         1,        -1, INT32_MAX, (int64_t)1 << 53, ((int64_t)1 << 53) + 1,
                                     INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct point p = point_of(METER_MEMORY_USAGE);
        p.value = values[i];
        struct record r = {.entity = TEXT("vm"), .points = &p, .point_count = 1};
        comes_back(&r);
    }
}
END_TEST

START_TEST(doubles_come_back_to_the_bit)
{
    static const uint64_t bits[] = {0,
                                    1ULL << 63,
                                    1,
                                    0x3fb999999999999a,
                                    0x7fefffffffffffff,
                                    0x7ff0000000000000,
                                    0xfff0000000000000,
                                    0x7ff8000000000123};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        struct point p = point_of(METER_MEMORY_USAGE);
        p.is_double = true;
        memcpy(&p.real, &bits[i], sizeof p.real);
        struct record r = {.entity = TEXT("vm"), .points = &p, .point_count = 1};
        comes_back(&r);
    }
}
END_TEST

START_TEST(streams_starts_and_ends_come_back)
{
    static const uint64_t streams[] = {0, 1, 0x7fffffffffffffff, 0xffffffffffffffff};
    static const int64_t starts[] = {0, 1, START, TIME};
    for (size_t i = 0; i < 4; i++) {
        struct point p[2] = {point_of(METER_CPU), point_of(METER_CPU)};
        for (int k = 0; k < 2; k++) {
            p[k].stream = streams[i];
            p[k].start_ns = starts[i];
            p[k].ended = k;
        }
        struct record r = {.entity = TEXT("vm"), .points = p, .point_count = 2};
        comes_back(&r);
    }
}
END_TEST

START_TEST(meters_that_are_not_in_the_table_come_back_with_their_type)
{
    struct point p[] = {
        {.name = TEXT_INIT("jvm.heap"), .unit = TEXT_INIT("By"), .type = METER_GAUGE, .time_ns = 1},
        {.name = TEXT_INIT("http.requests"),
         .unit = TEXT_INIT("{request}"),
         .type = METER_DELTA,
         .start_ns = 1,
         .time_ns = 2,
         .value = 3},
        {.name = TEXT_INIT("http.bytes"), .type = METER_CUMULATIVE, .is_double = true, .real = 0.1, .time_ns = 2},
        {.name = TEXT_INIT(""), .unit = TEXT_INIT(""), .type = METER_CUMULATIVE, .time_ns = 2},
    };
    for (size_t i = 0; i < 4; i++)
        p[i].kind = RESOURCE_OTHER;
    struct record r = {.entity = TEXT("vm"), .points = p, .point_count = 4};
    comes_back(&r);
}
END_TEST

START_TEST(points_of_one_meter_stand_in_their_order_and_share_its_name)
{
    struct point p[64];
    for (int i = 0; i < 64; i++) {
        p[i] = point_of(METER_DISK_READ_BYTES);
        p[i].device = TEXT("vda");
        p[i].value = i;
    }
    struct record r = {.entity = TEXT("vm"), .points = p, .point_count = 64};
    struct buf bytes = {0};
    struct otlp_decoder d = {0};
    there_and_back(&r, &bytes, &d);
    ck_assert_ptr_eq(d.records[0].points[0].name.data, d.records[0].points[63].name.data);
    otlp_decoder_free(&d);
    buf_free(&bytes);
}
END_TEST

START_TEST(meters_that_alternate_come_back_in_their_order)
{
    struct point p[6];
    for (int i = 0; i < 6; i++) {
        p[i] = point_of(i % 2 ? METER_CPU : METER_MEMORY_USAGE);
        p[i].value = i;
    }
    struct record r = {.entity = TEXT("vm"), .points = p, .point_count = 6};
    comes_back(&r);
}
END_TEST

START_TEST(an_interface_without_a_mac_is_told_by_its_tap)
{
    struct point p = point_of(METER_NET_IN_BYTES);
    struct buf bytes = {0};
    struct otlp_decoder d = {0};
    struct record r = {.entity = TEXT("vm"), .points = &p, .point_count = 1};
    p.device_name = TEXT("tap0");
    otlp_encode(&bytes, &r);
    ck_assert_int_eq(otlp_decode(&d, buf_text(&bytes)), OTLP_FINE);
    ck_assert(text_equal(d.records[0].points[0].device, TEXT("tap0")));
    otlp_decoder_free(&d);
    buf_free(&bytes);
}
END_TEST

/* ---- requests ---- */

START_TEST(encoded_records_one_after_another_are_one_request)
{
    struct record records[3] = {{.entity = TEXT("a")}, full(), {.entity = TEXT("c")}};
    struct buf bytes = {0};
    struct otlp_decoder d = {0};
    for (int i = 0; i < 3; i++)
        otlp_encode(&bytes, &records[i]);
    ck_assert_int_eq(otlp_decode(&d, buf_text(&bytes)), OTLP_FINE);
    ck_assert_uint_eq(d.count, 3);
    for (int i = 0; i < 3; i++)
        ck_assert(record_same(&d.records[i], &records[i]));
    otlp_decoder_free(&d);
    buf_free(&bytes);
}
END_TEST

START_TEST(a_decoder_forgets_the_request_before)
{
    struct record rich = full(), poor = {.entity = TEXT("vm")};
    struct buf first = {0}, second = {0};
    struct otlp_decoder d = {0};
    otlp_encode(&first, &rich);
    otlp_encode(&first, &rich);
    otlp_encode(&second, &poor);
    ck_assert_int_eq(otlp_decode(&d, buf_text(&first)), OTLP_FINE);
    ck_assert_int_eq(otlp_decode(&d, buf_text(&second)), OTLP_FINE);
    ck_assert_uint_eq(d.count, 1);
    ck_assert(record_same(&d.records[0], &poor));
    ck_assert_int_eq(otlp_decode(&d, TEXT("")), OTLP_FINE);
    ck_assert_uint_eq(d.count, 0);
    otlp_decoder_free(&d);
    buf_free(&first);
    buf_free(&second);
}
END_TEST

START_TEST(lengths_of_every_size_of_varint_are_closed_right)
{
    static const size_t lengths[] = {0, 1, 100, 127, 128, 1000, 4096};
    static char room[4096];
    memset(room, 'x', sizeof room);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct record r = {.entity = TEXT("vm"), .name = {room, lengths[i]}};
        comes_back(&r);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("otlp round trip");
    TCase *t = tcase_create("otlp round trip");
    tcase_add_test(t, a_record_with_every_field_comes_back);
    tcase_add_test(t, a_record_with_an_entity_alone_comes_back);
    tcase_add_test(t, names_in_every_script_come_back);
    tcase_add_test(t, attributes_without_a_field_come_back_in_order);
    tcase_add_test(t, an_attribute_that_has_a_field_is_written_from_the_field);
    tcase_add_test(t, decoded_attributes_are_all_listed_those_with_a_field_too);
    tcase_add_loop_test(t, each_meter_of_the_table_comes_back, 0, METERS);
    tcase_add_test(t, whole_values_come_back_to_the_unit);
    tcase_add_test(t, doubles_come_back_to_the_bit);
    tcase_add_test(t, streams_starts_and_ends_come_back);
    tcase_add_test(t, meters_that_are_not_in_the_table_come_back_with_their_type);
    tcase_add_test(t, points_of_one_meter_stand_in_their_order_and_share_its_name);
    tcase_add_test(t, meters_that_alternate_come_back_in_their_order);
    tcase_add_test(t, an_interface_without_a_mac_is_told_by_its_tap);
    tcase_add_test(t, encoded_records_one_after_another_are_one_request);
    tcase_add_test(t, a_decoder_forgets_the_request_before);
    tcase_add_test(t, lengths_of_every_size_of_varint_are_closed_right);
    suite_add_tcase(s, t);
    return test_run(s);
}
