/* The whole inspector on libvirt's own test driver: it proves the plumbing and the domain-by-domain figures. */
#include "pollers/inspector_libvirt.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/libvirt.h>

#include "pluvio/model/meter.h"
#include "pollers/inspect_worker.h"
#include "pollers/inspector_connection.h"
#include "pollers/inspector_last.h"
#include "support/run.h"

#define ALL                                                                                                            \
    (GROUP_STATE | GROUP_CPU | GROUP_VCPU | GROUP_BALLOON | GROUP_BLOCK | GROUP_INTERFACE | GROUP_XML | GROUP_HOST)
#define PATIENCE_NS (20 * NS_PER_S)

static struct inspector *inspector;

static void open_at(const char *uri)
{
    struct error error = {0};
    struct inspector_libvirt_settings settings = {.uri = uri};
    ck_assert_msg(inspector_libvirt_open(&inspector, &settings, &error) == 0, "%s", error.text);
}

static void set_up(void)
{
    open_at("test:///default");
}

static void tear_down(void)
{
    inspector->destroy(inspector);
}

/* As the poller waits: on the descriptor. */
static int ask(struct snapshot **ret, struct error *error)
{
    int64_t until_ns = clock_boot_ns(clock_system()) + PATIENCE_NS;
    ck_assert_int_eq(inspector->begin(inspector, ALL, clock_boot_ns(clock_system()) + 5 * NS_PER_S), 0);
    for (;;) {
        int r = inspector->result(inspector, ret, error);
        if (r != 0)
            return r;
        struct pollfd p = {.fd = inspector->wake_fd(inspector), .events = POLLIN};
        ck_assert(clock_boot_ns(clock_system()) < until_ns);
        poll(&p, 1, 1000);
    }
}

START_TEST(the_test_drivers_domain_is_read_domain_by_domain)
{
    struct snapshot *s = NULL;
    struct error error = {0};
    ck_assert_msg(ask(&s, &error) == 1, "%s", error.text);
    ck_assert(s->listed);
    ck_assert_uint_eq(s->count, 1);
    ck_assert_uint_eq(strlen(s->boot_id), UUID_SIZE - 1);
    ck_assert(s->host[HOST_VCPUS].has);
    const struct domain_stats *d = &s->domains[0];
    ck_assert_str_eq(d->name, "test");
    ck_assert_int_eq(d->state, DOMAIN_RUNNING);
    ck_assert(d->answers);
    ck_assert(d->field[DOMAIN_CPU_TIME].has);
    ck_assert(d->read_boot_ns >= s->list_boot_ns);
    ck_assert_int_eq(d->process_start, 0);
    ck_assert_ptr_nonnull(d->meta);
    ck_assert_str_eq(d->meta->architecture, "i686");
    snapshot_free(s);
}
END_TEST

START_TEST(metadata_is_fetched_once_and_kept)
{
    struct snapshot *s = NULL;
    struct error error = {0};
    ck_assert_int_eq(ask(&s, &error), 1);
    uint64_t version = s->domains[0].meta->version;
    snapshot_free(s);
    ck_assert_int_eq(ask(&s, &error), 1);
    ck_assert_uint_eq(s->domains[0].meta->version, version);
    snapshot_free(s);
}
END_TEST

START_TEST(a_second_begin_is_busy_until_the_result_is_taken)
{
    struct snapshot *s = NULL;
    struct error error = {0};
    int64_t deadline_ns = clock_boot_ns(clock_system()) + 5 * NS_PER_S;
    ck_assert_int_eq(inspector->begin(inspector, ALL, deadline_ns), 0);
    ck_assert_int_eq(inspector->begin(inspector, ALL, deadline_ns), -EBUSY);
    struct pollfd p = {.fd = inspector->wake_fd(inspector), .events = POLLIN};
    while (inspector->result(inspector, &s, &error) == 0)
        ck_assert_int_eq(poll(&p, 1, (int)(PATIENCE_NS / NS_PER_MS)), 1);
    snapshot_free(s);
    ck_assert_int_eq(inspector->begin(inspector, ALL, deadline_ns), 0);
}
END_TEST

START_TEST(once_all_is_taken_the_descriptor_is_quiet)
{
    struct snapshot *s = NULL;
    struct error error = {0};
    struct lifecycle_event e;
    ck_assert_int_eq(ask(&s, &error), 1);
    snapshot_free(s);
    ck_assert_int_eq(inspector->event(inspector, &e), 0);
    struct pollfd p = {.fd = inspector->wake_fd(inspector), .events = POLLIN};
    ck_assert_int_eq(poll(&p, 1, 0), 0);
}
END_TEST

START_TEST(a_libvirt_that_is_not_there_is_an_error_not_an_empty_list)
{
    struct snapshot *s = NULL;
    struct error error = {0};
    tear_down();
    open_at("qemu:///system?socket=/nonexistent/libvirt-sock");
    ck_assert_int_lt(ask(&s, &error), 0);
    ck_assert_ptr_null(s);
    ck_assert_ptr_nonnull(strstr(error.text, "/nonexistent/libvirt-sock"));
    ck_assert_int_lt(ask(&s, &error), 0);
}
END_TEST

START_TEST(settings_that_cannot_be_meant_are_refused)
{
    struct inspector *none = NULL;
    struct error error = {0};
    struct inspector_libvirt_settings half = {.uri = "test:///default", .mapping_element = "project"};
    ck_assert_int_eq(inspector_libvirt_open(&none, &half, &error), -EINVAL);
    struct inspector_libvirt_settings many = {.uri = "test:///default", .stuck_max = INSPECTOR_STUCK_MAX + 1};
    ck_assert_int_eq(inspector_libvirt_open(&none, &many, &error), -EINVAL);
}
END_TEST

/* In libvirt's place: it would wait for DNS. */
char *virConnectGetHostname(virConnectPtr connection)
{
    (void)connection;
    return strdup("named-by-libvirt");
}

/* In libvirt's place: there is no other host. */
virConnectPtr virConnectOpenReadOnly(const char *uri)
{
    virConnectPtr (*open_one)(const char *);
    void *own = dlsym(RTLD_NEXT, "virConnectOpenReadOnly");
    memcpy(&open_one, &own, sizeof own);
    return open_one(strcmp(uri, "test://elsewhere/default") == 0 ? "test:///default" : uri);
}

START_TEST(libvirt_is_asked_for_the_name_of_another_host_alone)
{
    char own[HOST_NAME_MAX + 1] = "";
    ck_assert_int_eq(gethostname(own, sizeof own), 0);
    const struct {
        const char *uri, *name;
    } rows[] = {{"test:///default", own}, {"test://elsewhere/default", "named-by-libvirt"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct snapshot *s = NULL;
        struct error error = {0};
        tear_down();
        open_at(rows[i].uri);
        ck_assert_msg(ask(&s, &error) == 1, "%s", error.text);
        ck_assert_str_eq(s->host_name, rows[i].name);
        snapshot_free(s);
    }
}
END_TEST

static void set_up_worker(void)
{
    struct error error = {0};
    ck_assert_msg(connection_setup(&error) == 0, "%s", error.text);
}

/* A question that hangs until the test lets it go. */
struct slow_ask {
    struct ask ask;
    int *pipe;
    bool *freed;
};

static int slow_run(struct ask *ask, struct connection *connection, struct error *error)
{
    char byte;
    (void)connection;
    (void)error;
    return read(((struct slow_ask *)ask)->pipe[0], &byte, 1) == 1 ? 0 : -EIO;
}

static void slow_free(struct ask *ask)
{
    __atomic_store_n(((struct slow_ask *)ask)->freed, true, __ATOMIC_SEQ_CST);
}

START_TEST(a_worker_left_with_its_question_is_idle_again_when_the_call_returns)
{
    int pipe_fds[2], result = 1;
    bool freed = false;
    struct error error = {0};
    struct inspect_worker *w = NULL;
    struct slow_ask ask = {{slow_run, slow_free}, pipe_fds, &freed};
    ck_assert_int_eq(pipe(pipe_fds), 0);
    ck_assert_int_eq(inspect_worker_create(&w, "test:///default", clock_system()), 0);
    ck_assert_int_eq(inspect_worker_put(w, &ask.ask, &error), 0);
    ck_assert_int_eq(inspect_worker_wait(w, clock_boot_ns(clock_system()) + NS_PER_MS, &result, &error), -ETIMEDOUT);
    inspect_worker_leave(w);
    ck_assert(!inspect_worker_idle(w));
    ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
    int64_t until_ns = clock_boot_ns(clock_system()) + PATIENCE_NS;
    while (!inspect_worker_idle(w))
        ck_assert(clock_boot_ns(clock_system()) < until_ns);
    ck_assert(__atomic_load_n(&freed, __ATOMIC_SEQ_CST));
    inspect_worker_destroy(w);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}
END_TEST

START_TEST(an_answer_comes_back_with_its_question)
{
    int pipe_fds[2], result = 1;
    bool freed = false;
    struct error error = {0};
    struct inspect_worker *w = NULL;
    struct slow_ask ask = {{slow_run, slow_free}, pipe_fds, &freed};
    ck_assert_int_eq(pipe(pipe_fds), 0);
    ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
    ck_assert_int_eq(inspect_worker_create(&w, "test:///default", clock_system()), 0);
    ck_assert_int_eq(inspect_worker_put(w, &ask.ask, &error), 0);
    ck_assert_int_eq(inspect_worker_wait(w, clock_boot_ns(clock_system()) + PATIENCE_NS, &result, &error), 0);
    ck_assert_int_eq(result, 0);
    ck_assert(!freed);
    ck_assert(inspect_worker_idle(w));
    ck_assert_uint_eq(inspect_worker_connects(w), 1);
    inspect_worker_destroy(w);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}
END_TEST

START_TEST(a_cancelled_worker_keeps_nobody_waiting)
{
    int pipe_fds[2], result = 1;
    bool freed = false;
    struct error error = {0};
    struct inspect_worker *w = NULL;
    struct slow_ask ask = {{slow_run, slow_free}, pipe_fds, &freed};
    ck_assert_int_eq(pipe(pipe_fds), 0);
    ck_assert_int_eq(inspect_worker_create(&w, "test:///default", clock_system()), 0);
    ck_assert_int_eq(inspect_worker_put(w, &ask.ask, &error), 0);
    inspect_worker_cancel(w);
    ck_assert_int_eq(inspect_worker_wait(w, INT64_MAX, &result, &error), -ECANCELED);
    inspect_worker_destroy(w);
    ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
    int64_t until_ns = clock_boot_ns(clock_system()) + PATIENCE_NS;
    while (!__atomic_load_n(&freed, __ATOMIC_SEQ_CST))
        ck_assert(clock_boot_ns(clock_system()) < until_ns);
}
END_TEST

static atomic_bool held;

/* In libvirt's place: it hangs while the test holds it. */
virDomainPtr virDomainLookupByUUIDString(virConnectPtr connection, const char *uuid)
{
    virDomainPtr (*lookup)(virConnectPtr, const char *);
    void *own = dlsym(RTLD_NEXT, "virDomainLookupByUUIDString");
    memcpy(&lookup, &own, sizeof own);
    while (held)
        usleep(1000);
    return lookup(connection, uuid);
}

START_TEST(who_waits_for_a_paused_guest_changes_nothing_that_needs_the_lock)
{
    struct last_reader *r = NULL;
    struct lifecycle_event e = {.kind = LIFECYCLE_PAUSED, .id = 1, .uuid = "6695eb01-f6a4-8304-79aa-97f2502e193f"};
    e.boot_ns = clock_boot_ns(clock_system());
    ck_assert_int_eq(last_reader_create(&r, "test:///default", clock_system()), 0);
    held = true;
    last_reader_add(r, &e);
    last_reader_ask(r);
    while (!last_reader_await(r))
        ck_assert_int_eq(last_reader_due_ns(r), 0);
    ck_assert(clock_boot_ns(clock_system()) - e.boot_ns > LAST_PATIENCE_NS);
    ck_assert_int_eq(last_reader_due_ns(r), 0);
    ck_assert_ptr_null(last_reader_take(r));
    ck_assert_int_eq(last_reader_due_ns(r), INT64_MAX);
    held = false;
    last_reader_destroy(r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inspector_libvirt");
    TCase *c = tcase_create("test driver");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, the_test_drivers_domain_is_read_domain_by_domain);
    tcase_add_test(c, metadata_is_fetched_once_and_kept);
    tcase_add_test(c, a_second_begin_is_busy_until_the_result_is_taken);
    tcase_add_test(c, once_all_is_taken_the_descriptor_is_quiet);
    tcase_add_test(c, a_libvirt_that_is_not_there_is_an_error_not_an_empty_list);
    tcase_add_test(c, settings_that_cannot_be_meant_are_refused);
    tcase_add_test(c, libvirt_is_asked_for_the_name_of_another_host_alone);
    suite_add_tcase(s, c);
    TCase *w = tcase_create("worker");
    tcase_set_timeout(w, 60);
    tcase_add_checked_fixture(w, set_up_worker, NULL);
    tcase_add_test(w, a_worker_left_with_its_question_is_idle_again_when_the_call_returns);
    tcase_add_test(w, an_answer_comes_back_with_its_question);
    tcase_add_test(w, a_cancelled_worker_keeps_nobody_waiting);
    tcase_add_test(w, who_waits_for_a_paused_guest_changes_nothing_that_needs_the_lock);
    suite_add_tcase(s, w);
    return test_run(s);
}
