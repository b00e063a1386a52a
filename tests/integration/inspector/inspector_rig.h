/* An inspector that reads a libvirtd of the test's own, and what a test waits for. */
#ifndef TESTS_INTEGRATION_INSPECTOR_INSPECTOR_RIG_H
#define TESTS_INTEGRATION_INSPECTOR_INSPECTOR_RIG_H

#include "pluvio/base/clock.h"
#include "pollers/inspector_libvirt.h"
#include "support/host/host.h"
#include "support/run.h"

#define UUID(n)     "0e1d5b1c-0000-4000-8000-0000000000" n
#define PATIENCE_NS (60 * NS_PER_S)
#define CYCLE_NS    (2 * NS_PER_S)

extern struct host host; /* brought up by main */
extern struct inspector *inspector;

void rig_set_up(void);
void rig_tear_down(void);

void virsh(const char *what);
void start_guest(const char *name, const char *uuid);
int pid_of(const char *name);
int64_t now_ns(void); /* boot clock */

/* Begin a reading of all groups; its result; both. */
void begin_cycle(void);
int await_result(struct snapshot **ret, struct error *error);
int cycle(struct snapshot **ret, struct error *error);
/* NULL: it is not there. */
const struct domain_stats *domain_of(const struct snapshot *s, const char *uuid);

/* Snapshots until one satisfies @good. */
typedef bool condition(const struct snapshot *s);
struct snapshot *until(condition *good);
bool answered(const struct snapshot *s);
/* The next event of that kind about that domain; others are let go by. */
struct lifecycle_event await_event(enum lifecycle_kind kind, const char *uuid);

#endif
