/* Sequences, marks, bounds (rules R3, R5, R6, R11). */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "outbox_rig.h"

static void tidy(int64_t now_ms)
{
    struct error e;
    ck_assert_msg(outbox_tidy(outbox, now_ms, &e) == 0, "%s", e.text);
}

START_TEST(sequences_begin_at_one_in_each_lane)
{
    put(KEY_A, "one");
    put(key_c(), "other");
    put(key_b(), "two");
    ck_assert_str_eq(held(lane_of(KEY_A)), "one@1<0 two@2<1");
    ck_assert_str_eq(held(lane_of(key_c())), "other@1<0");
    ck_assert_uint_eq(outbox_last(outbox, lane_of(KEY_A)), 2);
}
END_TEST

START_TEST(a_record_comes_back_as_it_was_given)
{
    struct outbox_record r;
    struct error e;
    ck_assert_int_eq(outbox_add(outbox, TEXT(KEY_A), TEXT("\0\xff binary"), OUTBOX_EDGE, 1764000000123), 0);
    commit();
    ck_assert_int_eq(outbox_after(outbox, lane_of(KEY_A), 0, &r, &e), 1);
    ck_assert_uint_eq(r.lane, lane_of(KEY_A));
    ck_assert(text_equal(r.key, TEXT(KEY_A)));
    ck_assert(text_equal(r.payload, TEXT("\0\xff binary")));
    ck_assert_int_eq(r.time_ms, 1764000000123);
}
END_TEST

START_TEST(nothing_can_be_sent_before_it_is_stored)
{
    add(KEY_A, "one", OUTBOX_READING);
    ck_assert_str_eq(held(lane_of(KEY_A)), "");
    ck_assert_uint_eq(outbox_last(outbox, lane_of(KEY_A)), 0);
    ck_assert_uint_eq(figures().waiting, 1);
    commit();
    ck_assert_str_eq(held(lane_of(KEY_A)), "one@1<0");
    ck_assert_uint_eq(figures().waiting, 0);
}
END_TEST

START_TEST(a_restart_goes_on_where_it_was)
{
    char id[OUTBOX_ID_SIZE];
    put(KEY_A, "one");
    put(KEY_A, "two");
    outbox_set_mark(outbox, lane_of(KEY_A), 1);
    commit();
    snprintf(id, sizeof id, "%s", outbox_id(outbox));
    outbox_reopen();
    put(KEY_A, "three");
    ck_assert_str_eq(outbox_id(outbox), id);
    ck_assert_str_eq(held(lane_of(KEY_A)), "one@1<0 two@2<1 three@3<2");
    ck_assert_uint_eq(outbox_mark(outbox, lane_of(KEY_A)), 1);
}
END_TEST

/* R3 */
START_TEST(each_file_has_an_id_of_its_own)
{
    char id[OUTBOX_ID_SIZE];
    snprintf(id, sizeof id, "%s", outbox_id(outbox));
    ck_assert_uint_eq(strspn(id, "0123456789abcdef"), 32);
    outbox_close(outbox);
    outbox = NULL;
    folder_path(outbox_folder, "other.db", outbox_path, sizeof outbox_path);
    outbox_reopen();
    ck_assert_str_ne(outbox_id(outbox), id);
}
END_TEST

/* R5: the predecessor is what is still held, whatever was made. */
START_TEST(the_predecessor_is_the_one_still_held)
{
    const char *payloads[] = {"one", "two", "three", "four"};
    for (int i = 0; i < 4; i++)
        put(KEY_A, payloads[i]);
    outbox_drop(outbox, lane_of(KEY_A), 2);
    ck_assert_str_eq(held(lane_of(KEY_A)), "one@1<0 three@3<1 four@4<3");
    outbox_drop(outbox, lane_of(KEY_A), 1);
    ck_assert_str_eq(held(lane_of(KEY_A)), "three@3<0 four@4<3");
    ck_assert_uint_eq(figures().dropped_sent, 2);
    ck_assert_uint_eq(figures().stored, 2);
}
END_TEST

static const struct {
    uint64_t word, mark;
} words[] = {{3, 3}, {1, 1}, {0, 0}, {5, 5}, {6, 5}, {UINT64_MAX, 5}};

START_TEST(a_mark_may_fall_and_never_passes_what_was_made)
{
    for (int i = 0; i < 5; i++)
        put(KEY_A, "x");
    outbox_set_mark(outbox, lane_of(KEY_A), 4);
    outbox_set_mark(outbox, lane_of(KEY_A), words[_i].word);
    ck_assert_uint_eq(outbox_mark(outbox, lane_of(KEY_A)), words[_i].mark);
    ck_assert_uint_eq(figures().unreleased, 5 - words[_i].mark);
    tidy(0);
    outbox_reopen();
    ck_assert_uint_eq(outbox_mark(outbox, lane_of(KEY_A)), words[_i].mark);
}
END_TEST

START_TEST(released_records_are_kept_for_their_time)
{
    put(KEY_A, "one");
    put(KEY_A, "two");
    put(KEY_A, "three");
    outbox_set_mark(outbox, lane_of(KEY_A), 2);
    tidy(outbox_settings.keep_ms);
    ck_assert_str_eq(held(lane_of(KEY_A)), "one@1<0 two@2<1 three@3<2");
    tidy(outbox_settings.keep_ms + 1);
    ck_assert_str_eq(held(lane_of(KEY_A)), "three@3<0");
    ck_assert_uint_eq(figures().dropped_released, 0); /* that was no overflow */
    put(KEY_A, "four");
    ck_assert_str_eq(held(lane_of(KEY_A)), "three@3<0 four@4<3");
}
END_TEST

START_TEST(what_is_not_released_never_grows_too_old)
{
    put(KEY_A, "one");
    tidy(1000 * DAY_MS);
    ck_assert_str_eq(held(lane_of(KEY_A)), "one@1<0");
}
END_TEST

START_TEST(released_records_go_first_on_overflow)
{
    outbox_settings.max_bytes = 12;
    outbox_reopen();
    put(KEY_A, "aaaa");
    put(KEY_A, "bbbb");
    put(KEY_A, "cccc");
    outbox_set_mark(outbox, lane_of(KEY_A), 2);
    tidy(0);
    ck_assert_str_eq(held(lane_of(KEY_A)), "aaaa@1<0 bbbb@2<1 cccc@3<2");
    put(KEY_A, "dddd");
    tidy(0);
    ck_assert_str_eq(held(lane_of(KEY_A)), "bbbb@2<0 cccc@3<2 dddd@4<3");
    ck_assert_uint_eq(figures().dropped_released, 1);
    ck_assert_uint_eq(figures().thinned, 0);
    ck_assert_uint_eq(figures().bytes, 12);
}
END_TEST

START_TEST(then_redundant_readings_go_and_edges_stay)
{
    outbox_settings.max_bytes = 24;
    record_step_ms = 1000;
    outbox_reopen();
    add(KEY_A, "edge", OUTBOX_EDGE);
    for (int i = 0; i < 6; i++)
        add(KEY_A, "read", OUTBOX_READING);
    add(key_b(), "edge", OUTBOX_EDGE);
    add(key_b(), "read", OUTBOX_READING);
    commit();
    tidy(0);
    ck_assert_str_eq(held(lane_of(KEY_A)), "edge@1<0 read@3<1 read@5<3 read@7<5 edge@8<7 read@9<8");
    ck_assert_uint_eq(figures().thinned, 3);
    ck_assert_uint_eq(figures().stored, 6);
    outbox_reopen();
    ck_assert_uint_eq(figures().stored, 6);
    ck_assert_uint_eq(figures().bytes, 24);
}
END_TEST

/* An outage that is many times too long for the outbox: of all of it something is left, at about the same distance. */
static const struct {
    int vms, capacity, interval_ms, restart_every, edge_every;
    int times; /* the outage lasts so many times what the outbox holds */
} outages[] = {
    {1, 100, 1000, 0, 0, 8},                                  /* one VM: all is in one lane */
    {3, 300, 1000, 0, 0, 8},     {40, 1500, 60000, 0, 0, 16}, /* less than a record of each VM a tidying */
    {3, 300, 1000, 100, 0, 8},                                /* the poller is started anew again and again */
    {1, 100, 1000, 7, 0, 10},                                 /* more often than it tidies */
    {3, 600, 1000, 0, 40, 8},                                 /* stops and starts between */
    {100, 1278, 1000, 0, 0, 32},                              /* nearly as much as fits comes between two tidyings */
};

static const char *outage_key(int vm)
{
    static char key[16];
    snprintf(key, sizeof key, "vm-%d", vm);
    return key;
}

/* The widest hole between two records of a VM, the newest included; *ret_count: how many there are. */
static int64_t widest_ms(const char *key, int64_t end_ms, size_t *ret_count)
{
    struct outbox_record r = {0};
    struct error e;
    int64_t before_ms = 0, widest = 0;
    *ret_count = 0;
    while (outbox_after(outbox, lane_of(key), r.sequence, &r, &e) == 1) {
        if (!text_equal(r.key, text_of(key)))
            continue;
        widest = r.time_ms - before_ms > widest ? r.time_ms - before_ms : widest;
        before_ms = r.time_ms;
        ++*ret_count;
    }
    return end_ms - before_ms > widest ? end_ms - before_ms : widest;
}

START_TEST(however_long_an_outage_lasts_no_hole_is_left)
{
    int vms = outages[_i].vms, rounds = outages[_i].times * outages[_i].capacity / vms;
    int64_t interval_ms = outages[_i].interval_ms, tidied_ms = 0;
    outbox_settings.max_bytes = 4 * outages[_i].capacity;
    outbox_reopen();
    for (int round = 1; round <= rounds; round++) {
        bool edge = round == 1 || (outages[_i].edge_every && round % outages[_i].edge_every == 0);
        record_ms = round * interval_ms + round % 7; /* not to the millisecond */
        for (int vm = 0; vm < vms; vm++)
            add(outage_key(vm), "read", edge ? OUTBOX_EDGE : OUTBOX_READING);
        commit();
        for (; tidied_ms + 10000 <= record_ms; tidied_ms += 10000)
            tidy(0);
        ck_assert_uint_eq(figures().dropped_waiting, 0);
        if (outages[_i].restart_every && round % outages[_i].restart_every == 0)
            outbox_reopen();
    }
    tidy(0);
    ck_assert_uint_le(figures().bytes, (uint64_t)outbox_settings.max_bytes);
    ck_assert_uint_ge(figures().bytes, (uint64_t)outbox_settings.max_bytes * 9 / 10);
    for (int vm = 0; vm < vms; vm++) {
        size_t count;
        int64_t widest = widest_ms(outage_key(vm), rounds * interval_ms, &count);
        int64_t even_ms = rounds * interval_ms * vms / outages[_i].capacity;
        ck_assert_msg(widest <=
                          5 * even_ms, /* a sweep halves: its part is twice as coarse as what it has not reached */
                      "%s: a hole of %lld ms, %lld would be even, %zu are left", outage_key(vm), (long long)widest,
                      (long long)even_ms, count);
    }
}
END_TEST

START_TEST(events_without_readings_go_with_the_first_and_take_no_reading_with_them)
{
    outbox_settings.max_bytes = 16;
    record_step_ms = 1000;
    outbox_reopen();
    add(KEY_A, "edge", OUTBOX_EDGE);
    add(KEY_A, "read", OUTBOX_READING);
    for (int i = 0; i < 100; i++) {
        add(KEY_A, "boot", OUTBOX_EVENT);
        commit();
    }
    tidy(0);
    ck_assert_str_eq(held(lane_of(KEY_A)), "edge@1<0 read@2<1 boot@101<2 boot@102<101");
    ck_assert_uint_eq(figures().thinned, 98);
    add(KEY_A, "last", OUTBOX_EDGE);
    add(KEY_A, "more", OUTBOX_EDGE);
    add(KEY_A, "boot", OUTBOX_EVENT);
    commit();
    tidy(0);
    ck_assert_str_eq(held(lane_of(KEY_A)), "edge@1<0 read@2<1 last@103<2 more@104<103");
}
END_TEST

START_TEST(a_full_outbox_refuses_readings_and_events_and_takes_edges)
{
    outbox_settings.max_bytes = 8;
    outbox_reopen();
    for (int i = 0; i < 3; i++)
        add(KEY_A, "edge", OUTBOX_EDGE);
    commit();
    tidy(0);
    ck_assert_int_eq(outbox_add(outbox, TEXT(KEY_A), TEXT("read"), OUTBOX_READING, 0), -ENOBUFS);
    ck_assert_int_eq(outbox_add(outbox, TEXT(KEY_A), TEXT("boot"), OUTBOX_EVENT, 0), -ENOBUFS);
    ck_assert_uint_eq(figures().dropped_waiting, 2);
    add(KEY_A, "edge", OUTBOX_EDGE);
    commit();
    outbox_set_mark(outbox, lane_of(KEY_A), 4); /* the ledger has them: they may go */
    tidy(0);
    add(KEY_A, "read", OUTBOX_READING);
}
END_TEST

START_TEST(memory_is_bounded_and_what_is_dropped_is_counted)
{
    outbox_settings.waiting_max_bytes = 20;
    outbox_reopen();
    add(KEY_A, "123456", OUTBOX_READING); /* with its key 10 bytes */
    add(KEY_A, "123456", OUTBOX_READING);
    ck_assert_int_eq(outbox_add(outbox, TEXT(KEY_A), TEXT("1"), OUTBOX_READING, 0), -ENOBUFS);
    ck_assert_uint_eq(figures().dropped_waiting, 1);
    ck_assert_uint_eq(figures().waiting_bytes, 20);
    commit();
    ck_assert_uint_eq(figures().waiting_bytes, 0);
    add(KEY_A, "123456", OUTBOX_READING);
}
END_TEST

/* Memory is for four records. A letter each, a capital is an edge, a digit an event. */
static const struct {
    const char *added, *held;
    unsigned dropped;
} crowds[] = {
    {"abcd", "a@1<0 b@2<1 c@3<2 d@4<3", 0},   {"abcde", "a@1<0 b@2<1 c@3<2 d@4<3", 1}, /* no reading goes for another */
    {"abcdE", "b@1<0 c@2<1 d@3<2 E@4<3", 1},  /* the oldest, and numbers are given later */
    {"AbCdEF", "A@1<0 C@2<1 E@3<2 F@4<3", 2}, /* those between edges */
    {"ABCdE", "A@1<0 B@2<1 C@3<2 E@4<3", 1},  /* the last that waits */
    {"1a2bCD", "2@1<0 b@2<1 C@3<2 D@4<3", 2}, /* whichever is older */
    {"aBCDEF", "B@1<0 C@2<1 D@3<2 E@4<3", 2}, /* no reading is left: the edge itself */
};

static void crowd(const char *letters)
{
    for (; *letters; letters++)
        (void)!outbox_add(outbox, TEXT(KEY_A), (struct text){letters, 1},
                          isupper(*letters)   ? OUTBOX_EDGE
                          : isdigit(*letters) ? OUTBOX_EVENT
                                              : OUTBOX_READING,
                          0);
    ck_assert_uint_eq(figures().waiting, 4);
    ck_assert_uint_eq(figures().waiting_bytes, (uint64_t)outbox_settings.waiting_max_bytes);
}

START_TEST(waiting_readings_make_room_for_edges)
{
    outbox_settings.waiting_max_bytes = 4 * (sizeof KEY_A - 1 + 1);
    outbox_reopen();
    crowd(crowds[_i].added);
    commit();
    ck_assert_str_eq(held(lane_of(KEY_A)), crowds[_i].held);
    ck_assert_uint_eq(figures().dropped_waiting, crowds[_i].dropped);
    crowd(crowds[_i].added); /* and once more after what waited was stored */
    ck_assert_uint_eq(figures().dropped_waiting, 2 * crowds[_i].dropped);
}
END_TEST

START_TEST(a_record_larger_than_the_memory_drives_nobody_out)
{
    outbox_settings.waiting_max_bytes = 10;
    outbox_reopen();
    add(KEY_A, "one", OUTBOX_READING);
    ck_assert_int_eq(outbox_add(outbox, TEXT(KEY_A), TEXT("1234567"), OUTBOX_EDGE, 0), -ENOBUFS);
    ck_assert_uint_eq(figures().waiting, 1);
}
END_TEST

/* R1: what others write between begin and commit stands or falls with the records. */
START_TEST(others_tables_commit_together_with_the_records)
{
    struct error e;
    struct db *db = outbox_db(outbox);
    ck_assert_int_eq(db_exec(db, "CREATE TABLE incarnation(id INTEGER PRIMARY KEY)", &e), 0);
    add(KEY_A, "one", OUTBOX_READING);
    outbox_begin(outbox);
    db_run(db_query(db, "INSERT INTO incarnation VALUES(1)"));
    db_run(db_query(db, "INSERT INTO incarnation VALUES(1)"));
    ck_assert_int_eq(outbox_commit(outbox, 0, &e), -EEXIST);
    ck_assert_str_eq(held(lane_of(KEY_A)), "");
    outbox_begin(outbox);
    db_run(db_query(db, "INSERT INTO incarnation VALUES(1)"));
    ck_assert_int_eq(outbox_commit(outbox, 0, &e), 0);
    ck_assert_str_eq(held(lane_of(KEY_A)), "one@1<0");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("outbox");
    TCase *t = tcase_create("outbox");
    tcase_add_checked_fixture(t, outbox_rig_set_up, outbox_rig_tear_down);
    tcase_add_test(t, sequences_begin_at_one_in_each_lane);
    tcase_add_test(t, a_record_comes_back_as_it_was_given);
    tcase_add_test(t, nothing_can_be_sent_before_it_is_stored);
    tcase_add_test(t, a_restart_goes_on_where_it_was);
    tcase_add_test(t, each_file_has_an_id_of_its_own);
    tcase_add_test(t, the_predecessor_is_the_one_still_held);
    tcase_add_loop_test(t, a_mark_may_fall_and_never_passes_what_was_made, 0, sizeof words / sizeof words[0]);
    tcase_add_test(t, released_records_are_kept_for_their_time);
    tcase_add_test(t, what_is_not_released_never_grows_too_old);
    tcase_add_test(t, released_records_go_first_on_overflow);
    tcase_add_test(t, then_redundant_readings_go_and_edges_stay);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, however_long_an_outage_lasts_no_hole_is_left, 0, sizeof outages / sizeof outages[0]);
    tcase_add_test(t, events_without_readings_go_with_the_first_and_take_no_reading_with_them);
    tcase_add_test(t, a_full_outbox_refuses_readings_and_events_and_takes_edges);
    tcase_add_test(t, memory_is_bounded_and_what_is_dropped_is_counted);
    tcase_add_loop_test(t, waiting_readings_make_room_for_edges, 0, sizeof crowds / sizeof crowds[0]);
    tcase_add_test(t, a_record_larger_than_the_memory_drives_nobody_out);
    tcase_add_test(t, others_tables_commit_together_with_the_records);
    suite_add_tcase(s, t);
    return test_run(s);
}
