/* What is not for us is skipped, counted, and harms nothing beside it. */
#include "message.h"
#include "pluvio/wire/otlp.h"
#include "support/run.h"

/* ---- fields that no schema known here has ---- */

static const struct {
    const char *sentence;
    unsigned path[MESSAGE_DEPTH];
} places[] = {
    {"in the request", {IN_REQUEST}},
    {"in resource metrics", {IN_RESOURCE_METRICS}},
    {"in a resource", {IN_RESOURCE}},
    {"in an attribute", {IN_ATTRIBUTE}},
    {"in an attribute's value", {IN_ATTRIBUTE_VALUE}},
    {"in scope metrics", {IN_SCOPE_METRICS}},
    {"in a metric", {IN_METRIC}},
    {"in a gauge", {IN_GAUGE}},
    {"in a sum", {IN_SUM}},
    {"in a gauge's point", {IN_GAUGE_POINT}},
    {"in a sum's point", {IN_SUM_POINT}},
    {"in a point's attribute", {IN_POINT_ATTRIBUTE}},
};

START_TEST(unknown_fields_of_every_wire_type_are_skipped_and_counted)
{
    struct buf fields = {0}, bytes = {0};
    struct otlp_decoder d = {0};
    write_uint(&fields, 100, 1ULL << 63);
    write_fixed64(&fields, 101, 7);
    write_bytes(&fields, 102, TEXT("\xff\x00"));
    write_tag(&fields, 103, WIRE_FIXED32);
    buf_add(&fields, "\1\2\3\4", 4);
    message_wrap(&bytes, places[_i].path, buf_text(&fields));
    enum otlp_refusal r = otlp_decode(&d, buf_text(&bytes));
    /* It may well lack an entity; the skipping is what is asked here. */
    ck_assert_msg(r == OTLP_FINE || r == OTLP_NO_ENTITY, "%s: %s", places[_i].sentence, otlp_refusal_name(r));
    ck_assert_msg(d.skipped_fields == 4, "%s: %d counted", places[_i].sentence, (int)d.skipped_fields);
    otlp_decoder_free(&d);
    buf_free(&fields);
    buf_free(&bytes);
}
END_TEST

/* ---- fields of the schema that say nothing here ---- */

static const struct {
    const char *sentence;
    unsigned path[MESSAGE_DEPTH];
    struct text content;
} ignored[] = {
    {"a count of dropped attributes", {IN_RESOURCE}, TEXT_INIT("\x10\x05")},
    {"a reference to an entity", {IN_RESOURCE}, TEXT_INIT("\x1a\x00")},
    {"a schema's URL of a resource", {IN_RESOURCE_METRICS}, TEXT_INIT("\x1a\x01u")},
    {"a schema's URL of a scope", {IN_SCOPE_METRICS}, TEXT_INIT("\x1a\x01u")},
    {"a scope", {IN_SCOPE_METRICS}, TEXT_INIT("\x0a\x00")},
    {"a description", {IN_METRIC}, TEXT_INIT("\x12\x01t")},
    {"an exemplar", {IN_GAUGE_POINT}, TEXT_INIT("\x2a\x00")},
};

START_TEST(known_fields_without_a_meaning_here_are_not_counted)
{
    struct buf bytes = {0};
    struct otlp_decoder d = {0};
    message_wrap(&bytes, ignored[_i].path, ignored[_i].content);
    enum otlp_refusal r = otlp_decode(&d, buf_text(&bytes));
    ck_assert_msg(r == OTLP_NO_ENTITY, "%s: %s", ignored[_i].sentence, otlp_refusal_name(r));
    ck_assert_msg(d.skipped_fields == 0, "%s was counted", ignored[_i].sentence);
    otlp_decoder_free(&d);
    buf_free(&bytes);
}
END_TEST

/* ---- metrics ---- */

/* A request of three metrics, the one in the middle of kind @kind; decoded into @d. */
static enum otlp_refusal decode_middle(struct otlp_decoder *d, struct buf *bytes, uint32_t kind, struct text extra)
{
    struct buf data = {0}, metrics = {0};
    message_point(&data, true, 7);
    message_metric(&metrics, "first", 5, buf_text(&data));
    size_t metric = write_open(&metrics, 2);
    write_bytes(&metrics, 1, TEXT("middle"));
    write_bytes(&metrics, kind, buf_text(&data));
    buf_add_text(&metrics, extra);
    write_close(&metrics, metric);
    message_metric(&metrics, "last", 5, buf_text(&data));
    message_resource(bytes, buf_text(&metrics));
    buf_free(&data);
    buf_free(&metrics);
    return otlp_decode(d, buf_text(bytes));
}

START_TEST(metrics_of_other_kinds_are_skipped_and_counted)
{
    static const uint32_t kinds[] = {9, 10, 11}; /* histogram, exponential histogram, summary */
    struct otlp_decoder d = {0};
    struct buf bytes = {0};
    ck_assert_int_eq(decode_middle(&d, &bytes, kinds[_i], TEXT("")), OTLP_FINE);
    ck_assert_uint_eq(d.skipped_metrics, 1);
    ck_assert_uint_eq(d.records[0].point_count, 2);
    ck_assert(text_equal(d.records[0].points[0].name, TEXT("first")));
    ck_assert(text_equal(d.records[0].points[1].name, TEXT("last")));
    otlp_decoder_free(&d);
    buf_free(&bytes);
}
END_TEST

START_TEST(a_metric_of_a_kind_yet_unknown_is_skipped_as_metric_and_field)
{
    struct otlp_decoder d = {0};
    struct buf bytes = {0};
    ck_assert_int_eq(decode_middle(&d, &bytes, 13, TEXT("")), OTLP_FINE);
    ck_assert_uint_eq(d.skipped_metrics, 1);
    ck_assert_uint_eq(d.skipped_fields, 1);
    ck_assert_uint_eq(d.records[0].point_count, 2);
    otlp_decoder_free(&d);
    buf_free(&bytes);
}
END_TEST

START_TEST(metadata_behind_a_gauge_does_not_hide_it)
{
    struct otlp_decoder d = {0};
    struct buf bytes = {0}, metadata = {0};
    message_attribute(&metadata, 12, "note", TEXT("x"));
    ck_assert_int_eq(decode_middle(&d, &bytes, 5, buf_text(&metadata)), OTLP_FINE);
    ck_assert_uint_eq(d.skipped_metrics + d.skipped_fields, 0);
    ck_assert_uint_eq(d.records[0].point_count, 3);
    otlp_decoder_free(&d);
    buf_free(&bytes);
    buf_free(&metadata);
}
END_TEST

START_TEST(points_without_a_value_are_skipped_and_counted)
{
    struct otlp_decoder d = {0};
    struct buf data = {0}, metrics = {0}, bytes = {0};
    message_point(&data, false, 0);
    message_point(&data, true, 7);
    size_t flagged = write_open(&data, 1);
    write_fixed64(&data, 3, 1);
    write_fixed64(&data, 6, 9);
    write_uint(&data, 8, 3);
    write_close(&data, flagged);
    message_metric(&metrics, "cpu_util", 5, buf_text(&data));
    message_resource(&bytes, buf_text(&metrics));
    ck_assert_int_eq(otlp_decode(&d, buf_text(&bytes)), OTLP_FINE);
    ck_assert_uint_eq(d.skipped_points, 2);
    ck_assert_uint_eq(d.records[0].point_count, 1);
    ck_assert_int_eq(d.records[0].points[0].value, 7);
    otlp_decoder_free(&d);
    buf_free(&data);
    buf_free(&metrics);
    buf_free(&bytes);
}
END_TEST

START_TEST(counts_go_on_from_request_to_request)
{
    struct otlp_decoder d = {0};
    struct buf bytes = {0};
    ck_assert_int_eq(decode_middle(&d, &bytes, 9, TEXT("")), OTLP_FINE);
    ck_assert_int_eq(otlp_decode(&d, buf_text(&bytes)), OTLP_FINE);
    ck_assert_uint_eq(d.skipped_metrics, 2);
    ck_assert_uint_eq(d.count, 1);
    ck_assert_uint_eq(d.records[0].point_count, 2);
    otlp_decoder_free(&d);
    buf_free(&bytes);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("otlp skip");
    TCase *t = tcase_create("otlp skip");
    tcase_add_loop_test(t, unknown_fields_of_every_wire_type_are_skipped_and_counted, 0,
                        (int)(sizeof places / sizeof places[0]));
    tcase_add_loop_test(t, known_fields_without_a_meaning_here_are_not_counted, 0,
                        (int)(sizeof ignored / sizeof ignored[0]));
    tcase_add_loop_test(t, metrics_of_other_kinds_are_skipped_and_counted, 0, 3);
    tcase_add_test(t, a_metric_of_a_kind_yet_unknown_is_skipped_as_metric_and_field);
    tcase_add_test(t, metadata_behind_a_gauge_does_not_hide_it);
    tcase_add_test(t, points_without_a_value_are_skipped_and_counted);
    tcase_add_test(t, counts_go_on_from_request_to_request);
    suite_add_tcase(s, t);
    return test_run(s);
}
