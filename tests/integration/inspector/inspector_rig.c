#include "inspector_rig.h"

#include <poll.h>
#include <string.h>

#include "pluvio/model/meter.h"
#include "pollers/process_start.h"

#define ALL                                                                                                            \
    (GROUP_STATE | GROUP_CPU | GROUP_VCPU | GROUP_BALLOON | GROUP_BLOCK | GROUP_INTERFACE | GROUP_XML | GROUP_HOST)

struct host host;
struct inspector *inspector;

void virsh(const char *what)
{
    ck_assert_msg(host_virsh(&host, "%s", what) == 0, "%s", what);
}

void start_guest(const char *name, const char *uuid)
{
    ck_assert_int_eq(host_guest(&host, name, uuid, ""), 0);
}

int64_t now_ns(void)
{
    return clock_boot_ns(clock_system());
}

void rig_set_up(void)
{
    struct error error = {0};
    struct inspector_libvirt_settings settings = {.uri = host.uri};
    ck_assert_msg(inspector_libvirt_open(&inspector, &settings, &error) == 0, "%s", error.text);
}

void rig_tear_down(void)
{
    inspector->destroy(inspector);
}

void begin_cycle(void)
{
    ck_assert_int_eq(inspector->begin(inspector, ALL, now_ns() + CYCLE_NS), 0);
}

int await_result(struct snapshot **ret, struct error *error)
{
    int r;
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while ((r = inspector->result(inspector, ret, error)) == 0) {
        struct pollfd p = {.fd = inspector->wake_fd(inspector), .events = POLLIN};
        ck_assert(now_ns() < until_ns);
        poll(&p, 1, 1000);
    }
    return r;
}

int cycle(struct snapshot **ret, struct error *error)
{
    begin_cycle();
    return await_result(ret, error);
}

const struct domain_stats *domain_of(const struct snapshot *s, const char *uuid)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->domains[i].uuid, uuid) == 0)
            return &s->domains[i];
    return NULL;
}

struct snapshot *until(condition *good)
{
    int64_t until_ns = now_ns() + PATIENCE_NS;
    for (;;) {
        struct snapshot *s = NULL;
        struct error error = {0};
        if (cycle(&s, &error) == 1 && good(s))
            return s;
        snapshot_free(s);
        ck_assert_msg(now_ns() < until_ns, "%s", error.text);
    }
}

struct lifecycle_event await_event(enum lifecycle_kind kind, const char *uuid)
{
    int64_t until_ns = now_ns() + PATIENCE_NS;
    for (;;) {
        struct lifecycle_event e;
        while (inspector->event(inspector, &e) == 1) {
            if (!e.paused && e.kind == kind && strcmp(e.uuid, uuid) == 0)
                return e;
            domain_stats_free(e.paused, e.paused ? 1 : 0);
        }
        struct pollfd p = {.fd = inspector->wake_fd(inspector), .events = POLLIN};
        ck_assert_msg(now_ns() < until_ns, "no %s event", lifecycle_name(kind));
        poll(&p, 1, 100);
    }
}

bool answered(const struct snapshot *s)
{
    return s->count > 0;
}

int pid_of(const char *name)
{
    char pids[FOLDER_SIZE + 16];
    int pid = process_of_file(folder_path(host.folder, "run/qemu", pids, sizeof(pids)), name);
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(pid, host_pid(&host, name));
    return pid;
}
