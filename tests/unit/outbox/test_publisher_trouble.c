/* What the publisher says, and how soon it tries again, where brokers refuse it. Times in seconds of boot time. */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "publisher_rig.h"

static int log_file, stderr_kept;

/* The log goes to a file of the test's own. */
static void set_up(void)
{
    publisher_rig_set_up();
    put(KEY_A, "one");
    log_file = memfd_create("log", 0);
    stderr_kept = dup(STDERR_FILENO);
    ck_assert_int_ge(dup2(log_file, STDERR_FILENO), 0);
}

static void tear_down(void)
{
    dup2(stderr_kept, STDERR_FILENO);
    close(stderr_kept);
    close(log_file);
    publisher_rig_tear_down();
}

/* A step each second, from @from until before @to. */
static void steps(int64_t from, int64_t to)
{
    for (int64_t s = from; s < to; s++)
        publisher_step(publisher, s * S, 0);
}

/* Lines of the log, each of which must hold @words. */
static int lines_with(const char *words)
{
    char text[8192];
    int count = 0;
    ssize_t n = pread(log_file, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) && *line; count++)
        ck_assert_msg(strstr(line, words), "%s", line);
    return count;
}

/* As one who may not write idempotently: each new client is told so, and gives up. */
START_TEST(a_refused_client_is_told_of_and_tried_again_with_growing_pauses)
{
    kafka.always_dead = true;
    kafka.writer_reason = "Cluster authorization failed";
    steps(1, 36); /* 1, 2, 4, 8, 16, 26 */
    ck_assert_int_eq(kafka.opened, 6);
    ck_assert_int_eq(lines_with("Cluster authorization failed; records wait in the outbox"), 1);
    steps(36, 121);
    ck_assert_int_eq(lines_with("Cluster authorization failed"), 2);
}
END_TEST

START_TEST(a_client_that_delivered_before_it_died_is_replaced_soon)
{
    kafka.always_dead = true;
    steps(1, 36);
    kafka.always_dead = false;
    steps(36, 38);
    ck_assert_uint_eq(kafka.sent_count, 1);
    fake_report(0, 0, 0);
    steps(38, 39);
    kafka.writer_dead = true;
    int before = kafka.opened;
    steps(39, 41);
    ck_assert_int_eq(kafka.opened, before + 1);
}
END_TEST

START_TEST(why_the_topic_is_not_known_is_told_once_a_minute)
{
    kafka.partitions = 0;
    steps(1, 11); /* nobody has said a reason yet */
    ck_assert_int_eq(lines_with(""), 0);
    kafka.writer_reason = "no such topic";
    steps(11, 131);
    ck_assert_int_eq(lines_with("no such topic"), 2);
    kafka.partitions = 4;
    steps(131, 300);
    ck_assert_int_eq(lines_with("no such topic"), 2);
}
END_TEST

START_TEST(why_acknowledgements_were_never_heard_is_told_once_a_minute)
{
    kafka.reader_down = "no such topic";
    steps(1, 121);
    ck_assert_int_eq(lines_with("no such topic"), 2);
}
END_TEST

START_TEST(why_acknowledgements_are_heard_no_more_is_told_once)
{
    steps(1, 5);
    kafka.reader_down = "all are away";
    steps(5, 300);
    ck_assert_int_eq(lines_with("all are away"), 1);
}
END_TEST

START_TEST(why_the_reader_died_is_told)
{
    steps(1, 5);
    kafka.reader_dead = true;
    kafka.reader_down = "fenced";
    steps(5, 6);
    ck_assert_int_eq(lines_with("fenced"), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("publisher's trouble");
    TCase *t = tcase_create("trouble");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_refused_client_is_told_of_and_tried_again_with_growing_pauses);
    tcase_add_test(t, a_client_that_delivered_before_it_died_is_replaced_soon);
    tcase_add_test(t, why_the_topic_is_not_known_is_told_once_a_minute);
    tcase_add_test(t, why_acknowledgements_were_never_heard_is_told_once_a_minute);
    tcase_add_test(t, why_acknowledgements_are_heard_no_more_is_told_once);
    tcase_add_test(t, why_the_reader_died_is_told);
    suite_add_tcase(s, t);
    return test_run(s);
}
