/* libvirt's lifecycle events, as we tell them. */
#include "pollers/inspector_feed_private.h"

#include <libvirt/libvirt.h>

#include "pollers/lifecycle.h"
#include "support/run.h"

START_TEST(each_event_of_libvirt_is_one_of_ours)
{
    static const struct {
        int event, detail;
        enum lifecycle_kind kind;
        bool goes_away;
    } rows[] = {
        {VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED, LIFECYCLE_STARTED, false},
        {VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_WAKEUP, LIFECYCLE_RESUMED, false},
        {VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED, LIFECYCLE_RESUMED, false},
        {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED, LIFECYCLE_PAUSED, true},
        {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED, LIFECYCLE_PAUSED, true},
        {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY, LIFECYCLE_PAUSED, true},
        {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_IOERROR, LIFECYCLE_PAUSED, false},
        {VIR_DOMAIN_EVENT_PMSUSPENDED, VIR_DOMAIN_EVENT_PMSUSPENDED_MEMORY, LIFECYCLE_PMSUSPENDED, false},
        {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, LIFECYCLE_STOPPED, false},
        {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED, LIFECYCLE_MIGRATED, false},
        {VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED, LIFECYCLE_CRASHED, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum lifecycle_kind kind;
        ck_assert(feed_event_kind(rows[i].event, rows[i].detail, &kind));
        ck_assert_msg(kind == rows[i].kind, "row %zu: %s", i, lifecycle_name(kind));
        ck_assert_msg(feed_event_goes_away(rows[i].event, rows[i].detail) == rows[i].goes_away, "row %zu", i);
    }
}
END_TEST

START_TEST(an_event_of_a_later_libvirt_is_none)
{
    enum lifecycle_kind kind;
    ck_assert(!feed_event_kind(VIR_DOMAIN_EVENT_CRASHED + 1, 0, &kind));
    ck_assert(!feed_event_kind(-1, 0, &kind));
}
END_TEST

START_TEST(an_event_says_the_state_that_the_next_reading_says)
{
    ck_assert_int_eq(lifecycle_meaning(LIFECYCLE_PAUSED)->state, DOMAIN_PAUSED);
    ck_assert_int_eq(lifecycle_meaning(LIFECYCLE_PMSUSPENDED)->state, DOMAIN_PMSUSPENDED);
    ck_assert_int_eq(lifecycle_meaning(LIFECYCLE_PMSUSPENDED)->effect, EFFECT_STATE);
    ck_assert_int_eq(lifecycle_meaning(LIFECYCLE_RESUMED)->state, DOMAIN_RUNNING);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inspector_events");
    TCase *c = tcase_create("inspector_events");
    tcase_add_test(c, each_event_of_libvirt_is_one_of_ours);
    tcase_add_test(c, an_event_of_a_later_libvirt_is_none);
    tcase_add_test(c, an_event_says_the_state_that_the_next_reading_says);
    suite_add_tcase(s, c);
    return test_run(s);
}
