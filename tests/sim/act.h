/* What may happen to a world: one row a kind of act. A schedule is a list of acts with their times; a scenario has one
 * written by hand, a seed one drawn by lot.
 */
#ifndef TESTS_SIM_ACT_H
#define TESTS_SIM_ACT_H

#include "sim/world.h"

enum act_kind {
    ACT_END, /* of a list */
    /* VMs: a is the VM */
    ACT_DEFINE, /* b: on this host */
    ACT_START,
    ACT_STOP,   /* b: 1 with a last word of its CPU time */
    ACT_KILL,   /* its QEMU */
    ACT_DELETE, /* stopped or not */
    ACT_REBOOT,
    ACT_PAUSE,
    ACT_RESUME,
    ACT_HANG,
    ACT_ANSWER, /* again */
    ACT_OMIT,   /* from the next list */
    ACT_OWNER,  /* b: the new one */
    ACT_REPLUG, /* b: device */
    ACT_PLUG,
    ACT_UNPLUG,
    ACT_SNAPSHOT,
    ACT_MIGRATE, /* begins; to the other host */
    ACT_MIGRATED,
    ACT_ABORT_MIGRATION,
    /* hosts: a is the host, b seconds */
    ACT_DEAF, /* events get lost */
    ACT_LIBVIRTD,
    ACT_INCOMPLETE,
    ACT_CLOCK, /* b: the wall clock is set by so many seconds */
    ACT_HOST_DOWN,
    ACT_HOST_UP,
    ACT_BLIND_PROC, /* /proc tells no process's start any more */
    /* pollers: a is the host */
    ACT_POLLER_START,
    ACT_POLLER_CRASH,
    ACT_POLLER_STOP,
    /* collectors: a is the collector */
    ACT_COLLECTOR_START,
    ACT_COLLECTOR_CRASH,
    ACT_COLLECTOR_STOP,
    ACT_COLLECTOR_PAUSE,
    ACT_COLLECTOR_WAKE,
    ACT_BACKUP,
    ACT_RESTORE,
    ACT_ARCHIVE_FAILS, /* the next journal write */
    /* the faulty disk */
    ACT_WRITE_FAILS, /* the a-th write from now */
    ACT_SYNC_FAILS,
    ACT_DISK_FULL,
    ACT_DISK_HEALS,
    ACT_POWER_CUT, /* of the machines on the faulty disk; they come up at once */
    /* the log: a is a partition, -1 the acknowledgements */
    ACT_BROKER_AWAY,
    ACT_BROKER_BACK,
    ACT_LOSE_TAIL, /* b messages */
    ACT_FORGET_HEAD,
    ACT_COMPACT,
    ACT_NEW_CLUSTER, /* at another address, as the embedded broker of a collector that starts again */
    ACT_WIPE,        /* another one at the same address */
    ACT_KILL_HANDLES,
    ACT_REPEAT_OLD, /* b of them */
    ACT_CHANCES,    /* a: repeats and b: changes of order, in a hundred; lies as many as repeats */
    ACT_KINDS
};

struct act {
    int64_t at_ms; /* since the world's beginning */
    enum act_kind kind;
    int a, b;
};

void act_do(struct world *w, const struct act *act);
/* All faults end: whoever is to be there is there, and goes on. */
void act_heal(struct world *w);

#endif
