/* Go-back-N by the ledger's marks (rules R6, R8, R9, R10). Times in seconds since the lane began. */
#include "pollers/release.h"

#include "pluvio/base/random.h"
#include "support/run.h"

#define S           (1000000000LL)
#define UNKNOWN     (-1)
#define MAX_RECORDS 200

static struct release_lane lane;
static int64_t wake;

static void set_up(void)
{
    release_start(&lane, 0, 0);
}

static enum release_step next(uint64_t last, int64_t at_s)
{
    return release_next(&lane, last, true, UNKNOWN, at_s * S, &wake);
}

/* Hand over all up to @last. */
static void send_all(uint64_t last, int64_t at_s)
{
    while (next(last, at_s) == RELEASE_SEND)
        release_sent(&lane, lane.sent + 1, at_s * S);
}

START_TEST(what_is_stored_is_sent_in_order_while_there_is_room)
{
    ck_assert_int_eq(next(3, 0), RELEASE_SEND);
    release_sent(&lane, 1, 0);
    ck_assert_int_eq(release_next(&lane, 3, false, UNKNOWN, 0, &wake), RELEASE_WAIT);
    ck_assert_int_eq(next(3, 0), RELEASE_SEND);
    release_sent(&lane, 3, 0); /* 2 is not held any more */
    ck_assert_int_eq(next(3, 0), RELEASE_WAIT);
    ck_assert_int_eq(wake, 5 * S);
}
END_TEST

START_TEST(sending_begins_behind_the_stored_mark)
{
    release_start(&lane, 7, 0);
    ck_assert_uint_eq(lane.sent, 7);
    ck_assert_int_eq(next(7, 0), RELEASE_HELLO);
    ck_assert_int_eq(next(8, 0), RELEASE_SEND);
}
END_TEST

/* R6 and the clamp: after sending 10 records, of which 6 were acknowledged, comes a word. */
static const struct {
    uint64_t word, mark, sent;
} words[] = {
    {8, 8, 10},   /* on it goes */
    {10, 10, 10}, /* all of it */
    {6, 6, 10},   /* nothing new */
    {4, 4, 4},    /* the ledger lost something: again from there */
    {0, 0, 0},    /* everything */
    {99, 10, 10}, /* more than was ever made */
};

START_TEST(the_newest_word_counts_even_if_lower)
{
    send_all(10, 0);
    release_acked(&lane, 6, 10, 1 * S);
    release_acked(&lane, words[_i].word, 10, 2 * S);
    ck_assert_uint_eq(lane.mark, words[_i].mark);
    ck_assert_uint_eq(lane.sent, words[_i].sent);
    ck_assert(lane.marked);
    ck_assert_int_eq(next(10, 2), words[_i].sent < 10    ? RELEASE_SEND
                                  : words[_i].mark == 10 ? RELEASE_HELLO
                                                         : RELEASE_WAIT);
}
END_TEST

START_TEST(what_another_way_brought_is_not_sent_again)
{
    send_all(2, 0);
    release_acked(&lane, 5, 9, 1 * S); /* sent before a restart, say */
    ck_assert_uint_eq(lane.sent, 5);
    ck_assert_int_eq(next(9, 1), RELEASE_SEND);
}
END_TEST

/* R9: 5, 10, 20 ... 300 s between attempts while nothing moves. */
START_TEST(patience_doubles_while_nothing_moves)
{
    static const int64_t waits[] = {5, 10, 20, 40, 80, 160, 300, 300};
    int64_t now = 0;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        send_all(4, now);
        ck_assert_uint_eq(lane.sent, 4);
        ck_assert_int_eq(next(4, now + waits[i] - 1), RELEASE_WAIT);
        ck_assert_int_eq(wake, (now + waits[i]) * S);
        now += waits[i];
        ck_assert_int_eq(next(4, now), RELEASE_SEND);
        ck_assert_uint_eq(lane.sent, 0);
        ck_assert_uint_eq(lane.resends, i + 1);
    }
}
END_TEST

START_TEST(patience_is_short_again_once_something_moved)
{
    send_all(4, 0);
    ck_assert_int_eq(next(4, 5), RELEASE_SEND);
    send_all(4, 5);
    release_acked(&lane, 2, 4, 6 * S);
    ck_assert_int_eq(next(4, 10), RELEASE_WAIT);
    ck_assert_int_eq(wake, 11 * S);
    ck_assert_int_eq(next(4, 11), RELEASE_SEND);
    ck_assert_uint_eq(lane.sent, 2);
}
END_TEST

START_TEST(a_word_that_says_nothing_new_does_not_prolong_patience)
{
    send_all(4, 0);
    release_acked(&lane, 0, 4, 4 * S);
    ck_assert_int_eq(next(4, 5), RELEASE_SEND);
    ck_assert_uint_eq(lane.sent, 0);
}
END_TEST

START_TEST(patience_begins_with_the_first_that_is_on_its_way)
{
    ck_assert_int_eq(next(1, 100), RELEASE_SEND); /* nothing was sent for long */
    release_sent(&lane, 1, 100 * S);
    ck_assert_int_eq(next(1, 104), RELEASE_WAIT);
    release_sent(&lane, 2, 104 * S); /* a later one does not move it */
    ck_assert_int_eq(next(2, 105), RELEASE_SEND);
    ck_assert_uint_eq(lane.sent, 0);
}
END_TEST

/* R10: delivered at offset 50; what the ledger reads next decides. */
static const struct {
    int64_t delivered, read, patience_s;
} positions[] = {
    {50, 50, 600},                 /* is the next to be read: queued */
    {50, 10, 600},    {50, 51, 5}, /* passed, and no word: lost */
    {50, UNKNOWN, 5}, {UNKNOWN, 10, 5},
};

START_TEST(what_is_merely_queued_is_left_alone_for_long)
{
    const int64_t read = positions[_i].read, end = positions[_i].patience_s * S;
    send_all(1, 0);
    release_delivered(&lane, 1, 3, positions[_i].delivered);
    ck_assert_int_eq(release_next(&lane, 1, true, read, end - 1, &wake), RELEASE_WAIT);
    ck_assert_int_eq(wake, end);
    ck_assert_int_eq(release_next(&lane, 1, true, read, end, &wake), RELEASE_SEND);
}
END_TEST

START_TEST(a_report_from_before_going_back_is_passed_over)
{
    send_all(5, 0);
    release_delivered(&lane, 5, 1, 70);
    ck_assert_int_eq(next(5, 5), RELEASE_SEND); /* back to the mark */
    release_sent(&lane, 1, 5 * S);
    release_delivered(&lane, 4, 1, 69);
    ck_assert_int_eq(lane.offset, UNKNOWN);
    release_delivered(&lane, 1, 2, 71);
    ck_assert_int_eq(lane.offset, 71);
    ck_assert_int_eq(lane.partition, 2);
}
END_TEST

START_TEST(a_failed_delivery_goes_back_at_once)
{
    send_all(5, 0);
    release_acked(&lane, 2, 5, 1 * S);
    release_failed(&lane, 1 * S);
    ck_assert_uint_eq(lane.sent, 2);
    ck_assert_uint_eq(lane.resends, 1);
    ck_assert_int_eq(next(5, 1), RELEASE_SEND);
}
END_TEST

/* R8 */
START_TEST(an_idle_lane_says_hello_from_time_to_time)
{
    send_all(3, 0);
    release_acked(&lane, 3, 3, 1 * S);
    ck_assert_int_eq(next(3, 1), RELEASE_HELLO);
    release_hello_sent(&lane, 1 * S);
    ck_assert_int_eq(next(3, 60), RELEASE_WAIT);
    ck_assert_int_eq(wake, 61 * S);
    ck_assert_int_eq(next(3, 61), RELEASE_HELLO);
    ck_assert_int_eq(next(4, 61), RELEASE_SEND); /* a record says more */
}
END_TEST

START_TEST(a_lane_that_never_had_a_record_is_silent)
{
    ck_assert_int_eq(next(0, 0), RELEASE_WAIT);
    ck_assert_int_eq(next(0, 1000), RELEASE_WAIT);
}
END_TEST

START_TEST(a_new_handle_means_all_again_and_hello_at_once)
{
    send_all(3, 0);
    release_acked(&lane, 3, 3, 1 * S);
    release_hello_sent(&lane, 1 * S);
    send_all(5, 2);
    release_rewind(&lane, 3 * S);
    ck_assert_uint_eq(lane.sent, 3);
    ck_assert_int_eq(next(3, 3), RELEASE_HELLO);
    ck_assert_int_eq(next(5, 3), RELEASE_SEND);
}
END_TEST

/* ---- a lane over a bad line ---- */

struct line {
    struct random_seeded random;
    uint64_t queue[MAX_RECORDS];
    int queued;
    uint64_t mark; /* the ledger's */
    int trouble;   /* in 100 */
};

static bool luck(struct line *l)
{
    return random_below(&l->random.port, 100) >= (uint64_t)l->trouble;
}

/* The ledger reads one record and answers (R5: only what follows its mark moves it). */
static void read_one(struct line *l, uint64_t last, int64_t now)
{
    if (l->queued == 0)
        return;
    uint64_t sequence = l->queue[0];
    memmove(l->queue, l->queue + 1, (size_t)--l->queued * sizeof l->queue[0]);
    if (sequence == l->mark + 1)
        l->mark = sequence;
    if (luck(l))
        release_acked(&lane, l->mark, last, now);
}

static void one_second(struct line *l, uint64_t last, int64_t now)
{
    while (l->queued < MAX_RECORDS - 1 && release_next(&lane, last, true, UNKNOWN, now, &wake) == RELEASE_SEND) {
        release_sent(&lane, lane.sent + 1, now);
        if (luck(l))
            l->queue[l->queued++] = lane.sent;
    }
    for (int i = 0; i < 10; i++)
        read_one(l, last, now);
    if (release_next(&lane, last, true, UNKNOWN, now, &wake) == RELEASE_HELLO) {
        release_hello_sent(&lane, now);
        release_acked(&lane, l->mark, last, now);
    }
    if (l->trouble && random_below(&l->random.port, 50) == 0)
        l->mark = random_below(&l->random.port, l->mark + 1); /* restored from a backup */
}

START_TEST(whatever_the_line_does_the_lane_drains_once_it_heals)
{
    struct line l = {.trouble = 30};
    random_seed(&l.random, (uint64_t)_i + 1);
    int64_t t = 0;
    for (; t < 500; t++)
        one_second(&l, 1 + (uint64_t)t / 5, t * S);
    l.trouble = 0;
    for (; t < 2500; t++)
        one_second(&l, 100, t * S);
    ck_assert_uint_eq(l.mark, 100);
    ck_assert_uint_eq(lane.mark, 100);
    ck_assert_uint_eq(lane.sent, 100);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("release");
    TCase *t = tcase_create("release");
    tcase_add_checked_fixture(t, set_up, NULL);
    tcase_add_test(t, what_is_stored_is_sent_in_order_while_there_is_room);
    tcase_add_test(t, sending_begins_behind_the_stored_mark);
    tcase_add_loop_test(t, the_newest_word_counts_even_if_lower, 0, sizeof words / sizeof words[0]);
    tcase_add_test(t, what_another_way_brought_is_not_sent_again);
    tcase_add_test(t, patience_doubles_while_nothing_moves);
    tcase_add_test(t, patience_is_short_again_once_something_moved);
    tcase_add_test(t, a_word_that_says_nothing_new_does_not_prolong_patience);
    tcase_add_test(t, patience_begins_with_the_first_that_is_on_its_way);
    tcase_add_loop_test(t, what_is_merely_queued_is_left_alone_for_long, 0, sizeof positions / sizeof positions[0]);
    tcase_add_test(t, a_report_from_before_going_back_is_passed_over);
    tcase_add_test(t, a_failed_delivery_goes_back_at_once);
    tcase_add_test(t, an_idle_lane_says_hello_from_time_to_time);
    tcase_add_test(t, a_lane_that_never_had_a_record_is_silent);
    tcase_add_test(t, a_new_handle_means_all_again_and_hello_at_once);
    tcase_add_loop_test(t, whatever_the_line_does_the_lane_drains_once_it_heals, 0, 50);
    suite_add_tcase(s, t);
    return test_run(s);
}
