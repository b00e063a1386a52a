/* One poller a host, seen from the ones that come second. */
#include "pollers/host_claim.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/run.h"

static char host[64], holder[64];

static void set_up(void)
{
    snprintf(host, sizeof host, "test-%d", (int)getpid());
    snprintf(holder, sizeof holder, "(pid %d)", (int)getpid());
}

static int claim(struct error *e)
{
    *e = (struct error){0};
    return host_claim(host, e);
}

START_TEST(however_often_others_come_each_is_refused_at_once)
{
    struct error e;
    int held = claim(&e);
    ck_assert_msg(held >= 0, "%s", e.text);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(claim(&e), -EBUSY);
        ck_assert_msg(strstr(e.text, host), "%s", e.text);
        bool named = strstr(e.text, "pid") != NULL;
        ck_assert_msg(named ? strstr(e.text, holder) != NULL : i > 0, "%s", e.text);
    }
    close(held);
}
END_TEST

START_TEST(who_lets_go_leaves_the_host_to_others)
{
    struct error e;
    int held = claim(&e);
    close(held);
    held = claim(&e);
    ck_assert_msg(held >= 0, "%s", e.text);
    close(held);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("host claim");
    TCase *t = tcase_create("host claim");
    tcase_add_checked_fixture(t, set_up, NULL);
    tcase_set_timeout(t, 10);
    tcase_add_test(t, however_often_others_come_each_is_refused_at_once);
    tcase_add_test(t, who_lets_go_leaves_the_host_to_others);
    suite_add_tcase(s, t);
    return test_run(s);
}
