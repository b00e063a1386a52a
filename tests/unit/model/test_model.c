#include "pluvio/model/meter.h"
#include "pluvio/model/record.h"
#include "support/run.h"

START_TEST(each_meter_stands_at_its_own_id_and_is_found_by_name)
{
    for (int i = 0; i < METERS; i++) {
        const struct meter *m = meter_at((enum meter_id)i);
        ck_assert_int_eq(m->id, i);
        ck_assert_ptr_eq(meter_find(text_of(m->name)), m);
        ck_assert_uint_le(strlen(m->data_source), 19);
    }
    ck_assert_ptr_null(meter_find(TEXT("no.such.meter")));
}
END_TEST

START_TEST(data_sources_of_one_kind_differ)
{
    for (int a = 0; a < METERS; a++)
        for (int b = 0; b < a; b++)
            if (meter_at((enum meter_id)a)->kind == meter_at((enum meter_id)b)->kind)
                ck_assert_str_ne(meter_at((enum meter_id)a)->data_source, meter_at((enum meter_id)b)->data_source);
}
END_TEST

START_TEST(counters_are_consumed_and_only_counters)
{
    for (int i = 0; i < METERS; i++) {
        const struct meter *m = meter_at((enum meter_id)i);
        ck_assert_int_eq(m->type == METER_CUMULATIVE, m->basis == BASIS_CONSUMED);
    }
}
END_TEST

START_TEST(a_resource_is_the_entity_or_one_of_its_devices)
{
    char out[64];
    struct record r = {.entity = TEXT("vm")};
    struct point whole = {0}, disk = {.device = TEXT("vda")};
    ck_assert(text_equal(record_resource_id(&r, &whole, out, sizeof out), TEXT("vm")));
    ck_assert(text_equal(record_resource_id(&r, &disk, out, sizeof out), TEXT("vm-vda")));
    ck_assert(text_equal(record_resource_id(&r, &disk, out, 4), TEXT("vm-v")));
}
END_TEST

START_TEST(a_lane_never_changes)
{
    /* Written down: were it to change, records of one VM would stand in two lanes after an upgrade. */
    ck_assert_uint_eq(record_lane(TEXT("7a2b3c4d-0000-4000-8000-000000000001")), 7);
    ck_assert_uint_lt(record_lane(TEXT("")), RECORD_LANES);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("model");
    TCase *t = tcase_create("model");
    tcase_add_test(t, each_meter_stands_at_its_own_id_and_is_found_by_name);
    tcase_add_test(t, data_sources_of_one_kind_differ);
    tcase_add_test(t, counters_are_consumed_and_only_counters);
    tcase_add_test(t, a_resource_is_the_entity_or_one_of_its_devices);
    tcase_add_test(t, a_lane_never_changes);
    suite_add_tcase(s, t);
    return test_run(s);
}
