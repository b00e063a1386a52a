/* A poller over an outbox in a folder, with a scripted inspector, a clock by hand and no broker; what it stores is read
 * back record by record. */
#ifndef TESTS_UNIT_POLLER_POLLER_RIG_H
#define TESTS_UNIT_POLLER_POLLER_RIG_H

#include "pluvio/base/clock.h"
#include "pluvio/wire/otlp.h"
#include "pollers/poller.h"
#include "support/folder.h"

#define RIG_HOST "a0000000-0000-4000-8000-00000000000a"
#define RIG_BOOT "b0000000-0000-4000-8000-000000000001"
#define RIG_VM   "0a1d0000-0000-4000-8000-000000000001"

struct rig_clock {
    struct clock port; /* first */
    int64_t wall_ns, boot_ns;
    int64_t busy_ns; /* passes, once, after the next look at boot_ns */
};

struct rig_inspector {
    struct inspector port; /* first */
    struct rig_clock *clock;
    bool under_way, silent, fails; /* silent: no answer comes */
    unsigned begun, groups;        /* so often; what was asked for last */
    int64_t deadline_ns;
    const char *host_uuid, *boot_id;
    bool has_vm;
    unsigned others; /* VMs beside it, like it */
    enum monitors monitors;
    int64_t process_start;
    uint64_t cpu_ns, written;
    struct domain_meta meta;
    struct lifecycle_event events[8];
    size_t event_count;
    struct inspector_figures figures;
};

struct poller_rig {
    char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16], textfile[FOLDER_SIZE + 32];
    struct rig_clock clock;
    struct random_seeded random;
    struct rig_inspector inspector;
    struct outbox *outbox;
    struct poller *poller;
    struct poller_settings settings;
    int claims, claim_result;
};

/* As by kill -9: the poller, and its outbox opened again. */
void rig_restart(struct poller_rig *r);
/* Step until nothing is due now; the first refusal, or 0. */
int rig_step(struct poller_rig *r, struct error *error);
void rig_advance(struct poller_rig *r, int64_t seconds); /* both clocks, then rig_step, which must succeed */
void rig_event(struct poller_rig *r, enum lifecycle_kind kind);
void rig_paused(struct poller_rig *r); /* what the VM has counted, read while it is paused */

/* Calls @each for every record that is stored, in order of lanes and sequences; returns how many. */
size_t rig_records(struct poller_rig *r, void (*each)(void *context, const struct record *record), void *context);

/* What the records say of the VM, summed up. */
struct said {
    size_t readings, events, hosts;
    int64_t written, cpu; /* newest of their streams */
    int64_t most_written; /* of any reading of any VM */
    char event[32], project[32];
};

/* The fixture: one rig for each test, and what its records say. */
extern struct poller_rig rig;
void rig_set_up(void); /* one running VM on the host, every meter, at each 60 s */
void rig_tear_down(void);
struct said said(void);

#endif
