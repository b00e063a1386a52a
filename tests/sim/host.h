/* A hypervisor in the simulation: domains whose processes and devices do work and are what QEMU's are, and an inspector
 * that tells of them as libvirt does: late, in part, not at all, with events that get lost.
 */
#ifndef TESTS_SIM_HOST_H
#define TESTS_SIM_HOST_H

#include "pluvio/base/random.h"
#include "pollers/inspector.h"
#include "sim/fake_clock.h"
#include "sim/oracle.h"
#include "sim/truth.h"

#define HOST_EVENTS 256
#define HOST_CHAIN  8

/* What is the same on whichever host the VM is. */
struct vm {
    int owner;
    uint64_t vcpus;
};

struct plug {
    uint64_t serial; /* true identity; 0: empty */
    int64_t at_ns;
    uint64_t counters[SIM_COUNTERS];
    int64_t chain[HOST_CHAIN]; /* of a disk: indices, top first */
    size_t chain_count;
    uint64_t ifindex; /* of an interface; its tap is named by it */
};

struct domain {
    bool defined;
    uint64_t process; /* true identity; 0: none runs */
    int64_t started_ns;
    int id;
    enum domain_state state;
    int reason;
    bool hung, omitted; /* omitted: the next list forgets it */
    int known_owner;    /* as far as the inspector's copy of the XML goes */
    int blind;          /* so many readings without XML are to come */
    uint64_t version;   /* of that XML */
    struct plug plugs[SIM_DEVICES];
};

struct coming_event {
    struct lifecycle_event event;
    struct seen_event seen;
};

struct host_meta {
    struct domain_meta meta;
    struct domain_disk disks[2];
    struct domain_nic nic;
    char tap[16];
};

struct host {
    struct inspector port; /* first */
    int number;
    bool up;
    const int64_t *now_ns;
    struct random *random;
    struct oracle *oracle;
    struct vm *vms;
    uint64_t *serial; /* of processes and plugs, in all the world */
    struct fake_clock clock;
    char boot_id[UUID_SIZE];
    unsigned boots;
    uint64_t boot_serial, cpu_user;
    struct domain domains[SIM_VMS];
    int next_id, next_index;
    bool sees_processes;   /* /proc tells when a process began */
    int64_t deaf_until_ns; /* events are lost */
    int64_t away_until_ns; /* libvirtd does not answer */
    bool incomplete;       /* the next list is not whole */
    /* The inspector's. */
    bool asked;
    int64_t sample_ns, ready_ns;
    struct snapshot *snapshot;
    struct seen_list seen;
    struct host_meta metas[SIM_VMS];
    struct coming_event events[HOST_EVENTS];
    size_t first, count;
};

void host_init(struct host *h, int number, const int64_t *now_ns, struct random *random, struct oracle *oracle,
               struct vm *vms, uint64_t *serial);
void host_finish(struct host *h);
/* The inspector begins anew with its poller: what was under way and what waits is gone. */
void host_reset_inspector(struct host *h);
/* Read what was asked for, if it is time. */
void host_step(struct host *h);
/* When host_step has something to do, or the poller something to hear; INT64_MAX: never. */
int64_t host_wake_ns(const struct host *h);
/* Every running VM does some work. */
void host_work(struct host *h);

/* ---- what happens to VMs: false where it cannot happen ---- */

bool host_define(struct host *h, int vm);
bool host_start(struct host *h, int vm);
bool host_stop(struct host *h, int vm, enum lifecycle_kind how, bool with_cpu);
bool host_undefine(struct host *h, int vm);
bool host_reboot_vm(struct host *h, int vm);
bool host_pause(struct host *h, int vm, bool paused);
bool host_hang(struct host *h, int vm, bool hung);
bool host_replug(struct host *h, int vm, enum sim_device device);
bool host_unplug(struct host *h, int vm, enum sim_device device);
bool host_plug(struct host *h, int vm, enum sim_device device);
bool host_snapshot_disk(struct host *h, int vm, enum sim_device device);
void host_tell_owner(struct host *h, int vm); /* vms[vm].owner has changed */
/* A migration: the VM comes, its memory is copied, it runs here; or it does not. */
bool host_arrive(struct host *h, int vm);
bool host_arrived(struct host *h, int vm);
bool host_gone(struct host *h, int vm);
bool host_abort_arrival(struct host *h, int vm);

void host_restart_libvirtd(struct host *h, int64_t for_ns);
void host_boot(struct host *h); /* after a power cut, or a reboot */
void host_down(struct host *h);

#endif
