/* Whose word on a host counts. */
#include "collector/ingest/hosts.h"

#include "pluvio/base/clock.h"
#include "pluvio/ledger/ledger_query.h"
#include "support/folder.h"
#include "support/run.h"

#define TAKEOVER_S 300
#define OUTBOX_A   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OUTBOX_B   "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define OUTBOX_C   "cccccccccccccccccccccccccccccccc"

static char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
static struct ledger *ledger;
static struct hosts *hosts;
static int64_t since_ms;

static void load(int64_t at_s)
{
    struct error e;
    hosts = hosts_create(ledger, TAKEOVER_S * NS_PER_S);
    ck_assert_int_eq(hosts_load(hosts, at_s * NS_PER_S, &e), 0);
}

static void set_up(void)
{
    struct ledger_settings settings = {.path = path, .holder = "test", .period_ms = 3600000, .now_ms = 1};
    struct error e;
    folder_make(folder);
    folder_path(folder, "ledger.db", path, sizeof path);
    ck_assert_msg(ledger_open(&ledger, &settings, &e) == 0, "%s", e.text);
    load(0);
    ledger_begin(ledger, 1000);
}

static void tear_down(void)
{
    hosts_destroy(hosts);
    ledger_close(ledger);
    folder_remove(folder);
}

static bool speaks(const char *outbox, const char *host, int64_t at_s)
{
    return hosts_admit(hosts, outbox, text_of(host), at_s * NS_PER_S, &since_ms);
}

static void commit(void)
{
    struct error e;
    ledger_write_out(ledger);
    ck_assert_msg(ledger_commit(ledger, &e) == 0, "%s", e.text);
}

START_TEST(the_first_one_speaks_and_the_second_waits)
{
    ck_assert(speaks(OUTBOX_A, "h", 1));
    ck_assert(!speaks(OUTBOX_B, "h", 2));
    ck_assert(speaks(OUTBOX_A, "h", 3));
    ck_assert_int_eq(since_ms, 0);
}
END_TEST

START_TEST(hosts_do_not_disturb_one_another)
{
    ck_assert(speaks(OUTBOX_A, "h", 1));
    ck_assert(speaks(OUTBOX_B, "another", 1));
}
END_TEST

START_TEST(who_says_no_host_is_not_judged)
{
    ck_assert(speaks(OUTBOX_A, "", 1));
    ck_assert(speaks(OUTBOX_B, "", 1));
}
END_TEST

START_TEST(the_second_takes_over_when_the_first_is_silent_and_only_then)
{
    speaks(OUTBOX_A, "h", 0);
    ck_assert(!speaks(OUTBOX_B, "h", TAKEOVER_S));
    speaks(OUTBOX_A, "h", TAKEOVER_S);
    ck_assert(!speaks(OUTBOX_B, "h", 2 * TAKEOVER_S));
    ck_assert(speaks(OUTBOX_B, "h", 2 * TAKEOVER_S + 1));
    ck_assert(!speaks(OUTBOX_A, "h", 2 * TAKEOVER_S + 2));
}
END_TEST

START_TEST(what_the_first_one_said_stays_its_own)
{
    speaks(OUTBOX_A, "h", 0);
    ledger_set_mark(ledger, OUTBOX_A, 3, 1, 7000);
    ledger_set_mark(ledger, OUTBOX_A, 5, 1, 6000);
    speaks(OUTBOX_B, "h", 1);
    ck_assert(speaks(OUTBOX_B, "h", TAKEOVER_S + 1));
    ck_assert_int_eq(since_ms, 7000);
    ledger_set_mark(ledger, OUTBOX_B, 5, 1, 9000);
    ck_assert(speaks(OUTBOX_A, "h", 2 * TAKEOVER_S + 2));
    ck_assert_int_eq(since_ms, 9000);
}
END_TEST

START_TEST(a_third_one_waits_for_the_second)
{
    speaks(OUTBOX_A, "h", 0);
    speaks(OUTBOX_B, "h", TAKEOVER_S + 1);
    ck_assert(!speaks(OUTBOX_C, "h", TAKEOVER_S + 2));
    ck_assert(speaks(OUTBOX_C, "h", 2 * TAKEOVER_S + 2));
}
END_TEST

START_TEST(a_restart_forgets_nothing_and_counts_as_heard)
{
    speaks(OUTBOX_A, "h", 0);
    speaks(OUTBOX_B, "h", 1);
    commit();
    hosts_destroy(hosts);
    load(1000);
    ledger_begin(ledger, 2000);
    ck_assert(!speaks(OUTBOX_B, "h", 1000 + TAKEOVER_S));
    ck_assert(speaks(OUTBOX_B, "h", 1001 + TAKEOVER_S));
}
END_TEST

START_TEST(what_was_undone_is_forgotten)
{
    struct error e;
    speaks(OUTBOX_A, "h", 0);
    ledger_rollback(ledger);
    ck_assert_int_eq(hosts_load(hosts, 0, &e), 0);
    ledger_begin(ledger, 1000);
    ck_assert(speaks(OUTBOX_B, "h", 1));
}
END_TEST

START_TEST(hosts_are_listed_with_all_their_outboxes)
{
    struct ledger_reader *reader;
    struct host_page page;
    struct error e;
    speaks(OUTBOX_B, "h1", 0);
    ledger_set_mark(ledger, OUTBOX_B, 5, 1, 6000);
    speaks(OUTBOX_C, "h1", 0);
    speaks(OUTBOX_A, "h2", 0);
    commit();
    ck_assert_int_eq(ledger_reader_open(&reader, path, &e), 0);
    ck_assert_int_eq(ledger_hosts(reader, TEXT(""), 2, &page, &e), 0);
    ck_assert_uint_eq(page.count, 2);
    ck_assert(page.more);
    ck_assert_str_eq(page.rows[0].outbox, OUTBOX_B);
    ck_assert(page.rows[0].current);
    ck_assert_int_eq(page.rows[0].newest_ms, 6000);
    ck_assert_int_eq(page.rows[0].seen_ms, 1000);
    ck_assert_str_eq(page.rows[1].outbox, OUTBOX_C);
    ck_assert(!page.rows[1].current);
    ck_assert_int_eq(page.rows[1].seen_ms, 0);
    host_page_free(&page);
    ck_assert_int_eq(ledger_hosts(reader, TEXT(OUTBOX_C), 2, &page, &e), 0);
    ck_assert_uint_eq(page.count, 1);
    ck_assert(!page.more);
    ck_assert_str_eq(page.rows[0].host, "h2");
    host_page_free(&page);
    ledger_reader_close(reader);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hosts");
    TCase *t = tcase_create("hosts");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, the_first_one_speaks_and_the_second_waits);
    tcase_add_test(t, hosts_do_not_disturb_one_another);
    tcase_add_test(t, who_says_no_host_is_not_judged);
    tcase_add_test(t, the_second_takes_over_when_the_first_is_silent_and_only_then);
    tcase_add_test(t, what_the_first_one_said_stays_its_own);
    tcase_add_test(t, a_third_one_waits_for_the_second);
    tcase_add_test(t, a_restart_forgets_nothing_and_counts_as_heard);
    tcase_add_test(t, what_was_undone_is_forgotten);
    tcase_add_test(t, hosts_are_listed_with_all_their_outboxes);
    suite_add_tcase(s, t);
    return test_run(s);
}
