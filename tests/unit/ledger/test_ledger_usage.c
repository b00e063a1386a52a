/* Usage by step and group: pages in a stable order, each row once; open periods within and marked; filters; day sums.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "book_rig.h"
#include "support/run.h"

static struct book_rig rig;

static const char *const vms[] = {"vm-a", "vm-b", "vm-c"};
static const char *const projects[] = {"red", "green", "blue"};

/* Three VMs of three projects over 60 hours, changing hands, with disks; the newest periods are open. */
static void fill(void)
{
    for (int64_t hour = 0; hour < 60; hour += 5) {
        begin(&rig);
        for (size_t v = 0; v < 3; v++) {
            uint64_t uid = (uint64_t)(hour / 20) * 10 + v + 1;
            int64_t start = hour / 20 * 20 * HOUR, end = (hour + 5) * HOUR - 60;
            const char *project = projects[(v + (size_t)hour / 20) % 3];
            put(&rig, vms[v], "", project, METER_CPU, uid, start, end, (hour % 20 + 5) * 1000 + (int64_t)v);
            put(&rig, vms[v], "", project, METER_VCPUS, uid, start, end, (int64_t)v + 1);
            put(&rig, vms[v], "vda", project, METER_DISK_READ_BYTES, uid, start, end, INT64_MAX / 8 + hour);
        }
        must_commit(&rig);
    }
}

static void set_up(void)
{
    book_start(&rig);
    fill();
}

static void tear_down(void)
{
    book_stop(&rig);
}

static struct usage_query all(enum usage_step step, unsigned groups)
{
    return (struct usage_query){
        .from_ms = T0 * 1000, .to_ms = (T0 + 3 * DAY) * 1000, .step = step, .groups = groups, .limit = 10000};
}

static struct usage_page ask(const struct usage_query *q)
{
    struct usage_page page;
    ck_assert_msg(ledger_usage(reader_of(&rig), q, &page, &rig.error) == 0, "%s", rig.error.text);
    return page;
}

static wide sum_of(const struct usage_page *page, const char *meter)
{
    wide sum = 0;
    for (size_t i = 0; i < page->count; i++)
        sum += text_equal(page->rows[i].meter, text_of(meter)) ? page->rows[i].quantity : 0;
    return sum;
}

static bool same_row(const struct usage_row *a, const struct usage_row *b)
{
    return a->from_ms == b->from_ms && a->to_ms == b->to_ms && text_equal(a->project, b->project) &&
           text_equal(a->user, b->user) && text_equal(a->entity, b->entity) && text_equal(a->resource, b->resource) &&
           text_equal(a->meter, b->meter) && text_equal(a->flavor, b->flavor) && text_equal(a->state, b->state) &&
           a->quantity == b->quantity && a->covered_ms == b->covered_ms && a->open == b->open;
}

static int order(const struct usage_row *a, const struct usage_row *b)
{
    const struct text x[] = {a->project, a->user, a->entity, a->resource, a->meter, a->flavor, a->state};
    const struct text y[] = {b->project, b->user, b->entity, b->resource, b->meter, b->flavor, b->state};
    if (a->from_ms != b->from_ms)
        return a->from_ms < b->from_ms ? -1 : 1;
    for (size_t i = 0; i < sizeof x / sizeof x[0]; i++) {
        int c = text_compare(x[i], y[i]);
        if (c)
            return c;
    }
    return 0;
}

static const unsigned groups[] = {
    0,
    USAGE_BY_PROJECT,
    USAGE_BY_RESOURCE,
    USAGE_BY_ENTITY,
    USAGE_BY_PROJECT | USAGE_BY_RESOURCE | USAGE_BY_METER,
    USAGE_BY_PROJECT | USAGE_BY_RESOURCE | USAGE_BY_ENTITY | USAGE_BY_FLAVOR | USAGE_BY_STATE | USAGE_BY_USER,
};
#define GROUPS ((int)(sizeof groups / sizeof groups[0]))

/* ---- pages ---- */

static void check_pages(const struct usage_page *whole, struct usage_query q, size_t limit)
{
    char *after = NULL;
    size_t seen = 0;
    q.limit = limit;
    do {
        q.after = text_of(after);
        struct usage_page page = ask(&q);
        ck_assert_uint_le(page.count, limit);
        for (size_t i = 0; i < page.count; i++, seen++) {
            ck_assert_uint_lt(seen, whole->count);
            ck_assert(same_row(&page.rows[i], &whole->rows[seen]));
        }
        free(after);
        after = page.next ? strdup(page.next) : NULL;
        usage_page_free(&page);
    } while (after);
    ck_assert_uint_eq(seen, whole->count);
}

START_TEST(pages_give_each_row_once_in_order)
{
    static const size_t limits[] = {1, 7, 64};
    struct usage_query q = all((enum usage_step)(_i / GROUPS), groups[_i % GROUPS]);
    struct usage_page whole = ask(&q);
    ck_assert_uint_gt(whole.count, 0);
    ck_assert_ptr_null(whole.next);
    for (size_t i = 1; i < whole.count; i++)
        ck_assert_int_lt(order(&whole.rows[i - 1], &whole.rows[i]), 0);
    for (size_t i = 0; i < 3; i++)
        check_pages(&whole, q, whole.count > 200 && i == 0 ? 13 : limits[i]);
    usage_page_free(&whole);
}
END_TEST

/* 3 VMs, 3 streams each: what the last readings of all say. */
START_TEST(each_step_and_group_adds_up_to_what_was_told)
{
    struct usage_query q = all((enum usage_step)(_i / GROUPS), groups[_i % GROUPS]);
    for (int swept = 0; swept < 2; swept++) {
        struct usage_page page = ask(&q);
        ck_assert(sum_of(&page, "cpu") == 3 * 3 * 20000 + 3 * (0 + 1 + 2));
        ck_assert(sum_of(&page, "disk.device.read.bytes") == (wide)(INT64_MAX / 8) * 9 + 3 * (15 + 35 + 55));
        ck_assert(sum_of(&page, "vcpus") == (wide)(1 + 2 + 3) * 3 * (20 * HOUR - 60) * 1000);
        bool open = false;
        for (size_t i = 0; i < page.count; i++)
            open |= page.rows[i].open;
        ck_assert(open == !swept);
        usage_page_free(&page);
        sweep_all(&rig, 9 * DAY);
    }
    must_be_sound(&rig);
}
END_TEST

START_TEST(only_what_lies_in_an_open_period_is_marked_open)
{
    struct usage_query q = all(USAGE_HOUR, USAGE_BY_ENTITY);
    struct usage_page page = ask(&q);
    for (size_t i = 0; i < page.count; i++)
        ck_assert_int_eq(page.rows[i].open, page.rows[i].from_ms == (T0 + 59 * HOUR) * 1000);
    usage_page_free(&page);
}
END_TEST

/* ---- filters ---- */

static const struct filter_row {
    const char *project, *resource, *entity, *meter, *flavor, *state, *user;
    size_t rows; /* of a total by resource and meter */
} filter_rows[] = {
    {.rows = 9},
    {.project = "red", .rows = 9},
    {.project = "nobody", .rows = 0},
    {.resource = "vm-a", .rows = 2},
    {.resource = "vm-a-vda", .rows = 1},
    {.entity = "vm-b", .rows = 3},
    {.entity = "vm-b", .resource = "vm-a", .rows = 0},
    {.meter = "cpu", .rows = 3},
    {.meter = "disk.*", .rows = 3},
    {.meter = "c*", .entity = "vm-c", .rows = 1},
    {.flavor = "small", .state = "running", .user = "u", .rows = 9},
    {.flavor = "large", .rows = 0},
};

START_TEST(filters_leave_what_they_name)
{
    const struct filter_row *row = &filter_rows[_i];
    struct usage_query q = all(USAGE_TOTAL, USAGE_BY_RESOURCE);
    q.project = text_of(row->project);
    q.resource = text_of(row->resource);
    q.entity = text_of(row->entity);
    q.meter = text_of(row->meter);
    q.flavor = text_of(row->flavor);
    q.state = text_of(row->state);
    q.user = text_of(row->user);
    struct usage_page page = ask(&q);
    ck_assert_uint_eq(page.count, row->rows);
    usage_page_free(&page);
}
END_TEST

START_TEST(a_resources_usage_is_the_same_asked_for_alone)
{
    struct usage_query q = all(USAGE_HOUR, USAGE_BY_RESOURCE);
    struct usage_page everybody = ask(&q);
    q.resource = TEXT("vm-b-vda");
    struct usage_page alone = ask(&q);
    size_t n = 0;
    for (size_t i = 0; i < everybody.count; i++)
        if (text_equal(everybody.rows[i].resource, q.resource))
            ck_assert(n < alone.count && same_row(&everybody.rows[i], &alone.rows[n++]));
    ck_assert_uint_eq(n, alone.count);
    ck_assert_uint_gt(n, 0);
    usage_page_free(&everybody);
    usage_page_free(&alone);
}
END_TEST

static const struct refused_row {
    int64_t from_ms, to_ms;
    const char *after;
} refused_rows[] = {{10, 10, ""}, {10, 5, ""}, {-5, 5, ""}, {0, 10, "xyz"}, {0, 10, "abc"}};

START_TEST(a_question_that_makes_no_sense_is_refused)
{
    const struct refused_row *row = &refused_rows[_i];
    struct usage_query q = all(USAGE_DAY, 0);
    struct usage_page page;
    q.from_ms = row->from_ms;
    q.to_ms = row->to_ms;
    q.after = text_of(row->after);
    ck_assert_int_eq(ledger_usage(reader_of(&rig), &q, &page, &rig.error), -EINVAL);
}
END_TEST

/* ---- the file ---- */

START_TEST(day_sums_are_the_sums_of_their_rows)
{
    sweep_all(&rig, 9 * DAY);
    ck_assert_int_gt(sql_number(&rig, "SELECT count(*) FROM day_sum"), 8);
    ck_assert_int_eq(sql_number(&rig, "SELECT count(*) FROM (SELECT u.period_ms/86400000*86400000 day, s.owner o, "
                                      "s.meter m, sum(u.covered_ms) c FROM usage u JOIN stream s ON s.id=u.stream "
                                      "GROUP BY 1,2,3) LEFT JOIN day_sum d ON d.day_ms=day AND d.owner=o AND d.meter=m "
                                      "WHERE d.covered_ms IS NOT c"),
                     0);
    ck_assert_int_eq(sql_number(&rig, "SELECT count(*) FROM (SELECT u.period_ms/86400000*86400000 day, s.owner o, "
                                      "s.meter m, sum(u.amount*coalesce(s.size,1)) c FROM usage u "
                                      "JOIN stream s ON s.id=u.stream JOIN meter n ON n.id=s.meter AND n.name!="
                                      "'disk.device.read.bytes' GROUP BY 1,2,3) LEFT JOIN day_sum d ON d.day_ms=day "
                                      "AND d.owner=o AND d.meter=m WHERE d.low IS NOT c"),
                     0);
}
END_TEST

START_TEST(a_resources_list_comes_in_pages_too)
{
    static const char *const ids[] = {"vm-a", "vm-a-vda", "vm-b", "vm-b-vda", "vm-c", "vm-c-vda"};
    char *after = NULL;
    size_t seen = 0;
    do {
        struct resource_page page;
        ck_assert_int_eq(ledger_resources(reader_of(&rig), TEXT(""), TEXT(""), TEXT(""), TEXT(""), text_of(after),
                                          (size_t)_i, &page, &rig.error),
                         0);
        for (size_t i = 0; i < page.count; i++, seen++)
            ck_assert(seen < 6 && text_equal(page.rows[i].id, text_of(ids[seen])));
        free(after);
        after = page.next ? strdup(page.next) : NULL;
        resource_page_free(&page);
    } while (after);
    ck_assert_uint_eq(seen, 6);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ledger, usage");
    TCase *t = tcase_create("ledger, usage");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, pages_give_each_row_once_in_order, 0, USAGE_STEPS * GROUPS);
    tcase_add_loop_test(t, each_step_and_group_adds_up_to_what_was_told, 0, USAGE_STEPS * GROUPS);
    tcase_add_test(t, only_what_lies_in_an_open_period_is_marked_open);
    tcase_add_loop_test(t, filters_leave_what_they_name, 0, sizeof filter_rows / sizeof filter_rows[0]);
    tcase_add_test(t, a_resources_usage_is_the_same_asked_for_alone);
    tcase_add_loop_test(t, a_question_that_makes_no_sense_is_refused, 0, sizeof refused_rows / sizeof refused_rows[0]);
    tcase_add_test(t, day_sums_are_the_sums_of_their_rows);
    tcase_add_loop_test(t, a_resources_list_comes_in_pages_too, 1, 8);
    suite_add_tcase(s, t);
    return test_run(s);
}
