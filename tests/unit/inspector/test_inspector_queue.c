/* The order of events, their bound, and the last CPU time of a guest that goes down. */
#include "pollers/inspector_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"

#define A "0e1d5b1c-0000-4000-8000-00000000000a"
#define B "0e1d5b1c-0000-4000-8000-00000000000b"
#define S 1000000000LL

static struct event_queue *q;

static void set_up(void)
{
    q = event_queue_create();
    ck_assert_ptr_nonnull(q);
}

static void tear_down(void)
{
    event_queue_destroy(q);
}

static struct lifecycle_event event(enum lifecycle_kind kind, const char *uuid, int id, int64_t at_ns)
{
    struct lifecycle_event e = {.kind = kind, .id = id, .boot_ns = at_ns};
    memcpy(e.uuid, uuid, UUID_SIZE);
    return e;
}

static void add(enum lifecycle_kind kind, const char *uuid, int id, int64_t at_ns)
{
    struct lifecycle_event e = event(kind, uuid, id, at_ns);
    event_queue_add(q, &e);
}

static void goes_down(const char *uuid, int id, int64_t at_ns)
{
    struct lifecycle_event e = event(LIFECYCLE_STOPPED, uuid, id, at_ns);
    event_queue_tail_begin(q, &e);
}

static bool read_cpu(uint64_t value)
{
    struct lifecycle_event e;
    if (!event_queue_tail_next(q, &e))
        return false;
    event_queue_tail_end(q, &e, (struct reading){true, value});
    return true;
}

static struct lifecycle_event take(int64_t now_ns)
{
    struct lifecycle_event e;
    ck_assert_int_eq(event_queue_take(q, now_ns, &e), 1);
    return e;
}

START_TEST(events_come_out_in_the_order_they_went_in)
{
    struct lifecycle_event e;
    add(LIFECYCLE_RESUMED, A, 1, 1);
    add(LIFECYCLE_STARTED, A, 1, 2);
    ck_assert_int_eq(take(3).kind, LIFECYCLE_RESUMED);
    ck_assert_int_eq(take(3).kind, LIFECYCLE_STARTED);
    ck_assert_int_eq(event_queue_take(q, 3, &e), 0);
}
END_TEST

START_TEST(a_stop_carries_the_cpu_time_read_at_the_shutdown_before)
{
    goes_down(A, 4, 1 * S);
    ck_assert(read_cpu(77));
    add(LIFECYCLE_STOPPED, A, -1, 2 * S);
    struct lifecycle_event e = take(2 * S);
    ck_assert(e.cpu_time.has);
    ck_assert_uint_eq(e.cpu_time.value, 77);
    ck_assert_int_eq(e.id, 4);
}
END_TEST

START_TEST(a_stop_that_comes_before_the_reading_waits_for_it_and_others_behind_it)
{
    struct lifecycle_event e;
    goes_down(A, 4, 1 * S);
    add(LIFECYCLE_STOPPED, A, -1, 1 * S);
    add(LIFECYCLE_STARTED, B, 5, 1 * S);
    ck_assert_int_eq(event_queue_take(q, 1 * S, &e), 0);
    ck_assert(read_cpu(78));
    ck_assert_uint_eq(take(1 * S).cpu_time.value, 78);
    ck_assert_str_eq(take(1 * S).uuid, B);
}
END_TEST

START_TEST(patience_with_a_reading_ends)
{
    goes_down(A, 4, 1 * S);
    add(LIFECYCLE_STOPPED, A, -1, 1 * S);
    ck_assert(!event_queue_ready(q, 1 * S + TAIL_PATIENCE_NS - 1));
    ck_assert(!take(1 * S + TAIL_PATIENCE_NS).cpu_time.has);
}
END_TEST

START_TEST(a_late_reading_is_not_taken_for_the_next_process)
{
    struct lifecycle_event first;
    goes_down(A, 4, 1 * S);
    ck_assert(event_queue_tail_next(q, &first));
    goes_down(A, 5, 2 * S);
    event_queue_tail_end(q, &first, (struct reading){true, 1});
    ck_assert(read_cpu(2));
    add(LIFECYCLE_STOPPED, A, -1, 3 * S);
    struct lifecycle_event e = take(3 * S);
    ck_assert_uint_eq(e.cpu_time.value, 2);
    ck_assert_int_eq(e.id, 5);
}
END_TEST

START_TEST(a_fake_reboots_shutdown_leaves_nothing_behind)
{
    goes_down(A, 4, 1 * S);
    ck_assert(read_cpu(77));
    add(LIFECYCLE_RESUMED, A, 4, 2 * S);
    add(LIFECYCLE_STOPPED, A, -1, 3 * S);
    take(3 * S);
    ck_assert(!take(3 * S).cpu_time.has);
}
END_TEST

START_TEST(a_stop_long_after_a_shutdown_takes_nothing_from_it)
{
    goes_down(A, 4, 1 * S);
    ck_assert(read_cpu(77));
    add(LIFECYCLE_STOPPED, A, -1, 2 * S + TAIL_LIFE_NS);
    ck_assert(!take(2 * S + TAIL_LIFE_NS).cpu_time.has);
}
END_TEST

static void add_paused(const char *uuid, int64_t at_ns)
{
    struct lifecycle_event e = event(LIFECYCLE_PAUSED, uuid, 1, at_ns);
    e.paused = calloc(1, sizeof *e.paused);
    event_queue_add(q, &e);
}

START_TEST(what_a_paused_guest_says_comes_in_its_turn_and_ends_no_tail)
{
    goes_down(A, 1, 1 * S);
    add_paused(A, 2 * S);
    ck_assert(read_cpu(77));
    add(LIFECYCLE_STOPPED, A, -1, 3 * S);
    struct lifecycle_event e = take(3 * S);
    ck_assert_ptr_nonnull(e.paused);
    domain_stats_free(e.paused, 1);
    ck_assert_uint_eq(take(3 * S).cpu_time.value, 77);
}
END_TEST

/* A leak is what the sanitizer would tell of. */
START_TEST(what_a_paused_guest_says_is_freed_where_nobody_takes_it)
{
    for (int i = 0; i < EVENTS_MAX + 1; i++)
        add_paused(A, i);
    ck_assert_uint_eq(event_queue_dropped(q), 1);
}
END_TEST

START_TEST(events_beyond_the_bound_are_counted_and_make_all_xml_stale)
{
    char uuid[UUID_SIZE];
    for (int i = 0; i < EVENTS_MAX + 3; i++)
        add(LIFECYCLE_METADATA, A, 1, i);
    ck_assert_uint_eq(event_queue_dropped(q), 3);
    ck_assert_int_eq(event_queue_take_stale(q, uuid), 1);
    ck_assert_str_eq(uuid, "");
    ck_assert_int_eq(event_queue_take_stale(q, uuid), 0);
    for (int i = 0; i < EVENTS_MAX; i++)
        ck_assert_int_eq(take(0).boot_ns, i);
}
END_TEST

START_TEST(more_guests_going_down_than_are_followed_stop_without_a_reading)
{
    char uuid[UUID_SIZE];
    for (int i = 0; i <= TAILS_MAX; i++) {
        snprintf(uuid, sizeof(uuid), "0e1d5b1c-0000-4000-8000-%012d", i);
        goes_down(uuid, i, 1 * S);
    }
    for (int i = 0; i < TAILS_MAX; i++)
        ck_assert(read_cpu(1));
    ck_assert(!read_cpu(1));
    add(LIFECYCLE_STOPPED, uuid, -1, 1 * S);
    ck_assert(!take(1 * S).cpu_time.has);
}
END_TEST

START_TEST(stale_domains_are_named_once_and_beyond_the_bound_all_are)
{
    char uuid[UUID_SIZE];
    event_queue_mark_stale(q, A);
    event_queue_mark_stale(q, A);
    ck_assert_int_eq(event_queue_take_stale(q, uuid), 1);
    ck_assert_str_eq(uuid, A);
    ck_assert_int_eq(event_queue_take_stale(q, uuid), 0);
    for (int i = 0; i <= STALE_MAX; i++) {
        snprintf(uuid, sizeof(uuid), "0e1d5b1c-0000-4000-8000-%012d", i);
        event_queue_mark_stale(q, uuid);
    }
    ck_assert_int_eq(event_queue_take_stale(q, uuid), 1);
    ck_assert_str_eq(uuid, "");
    ck_assert_int_eq(event_queue_take_stale(q, uuid), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inspector_queue");
    TCase *c = tcase_create("inspector_queue");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, events_come_out_in_the_order_they_went_in);
    tcase_add_test(c, a_stop_carries_the_cpu_time_read_at_the_shutdown_before);
    tcase_add_test(c, a_stop_that_comes_before_the_reading_waits_for_it_and_others_behind_it);
    tcase_add_test(c, patience_with_a_reading_ends);
    tcase_add_test(c, a_late_reading_is_not_taken_for_the_next_process);
    tcase_add_test(c, a_fake_reboots_shutdown_leaves_nothing_behind);
    tcase_add_test(c, a_stop_long_after_a_shutdown_takes_nothing_from_it);
    tcase_add_test(c, what_a_paused_guest_says_comes_in_its_turn_and_ends_no_tail);
    tcase_add_test(c, what_a_paused_guest_says_is_freed_where_nobody_takes_it);
    tcase_add_test(c, events_beyond_the_bound_are_counted_and_make_all_xml_stale);
    tcase_add_test(c, more_guests_going_down_than_are_followed_stop_without_a_reading);
    tcase_add_test(c, stale_domains_are_named_once_and_beyond_the_bound_all_are);
    suite_add_tcase(s, c);
    return test_run(s);
}
