/* A host as it really is: VMs with their processes, plugs and counters, what happens to them at random, and what
 * libvirt would show of them at a moment. It knows nothing of pollers.
 */
#ifndef TESTS_PROPERTY_INCARNATION_HOST_MODEL_H
#define TESTS_PROPERTY_INCARNATION_HOST_MODEL_H

#include "pluvio/base/random.h"
#include "pollers/inspector.h"

#define VMS        3
#define PROJECTS   3
#define MAX_CHAIN  4
#define MAX_EVENTS 64
#define SECOND     1000000000LL

enum counter { CPU, DISK_RD, DISK_WR, NET_RX, COUNTERS };

struct vm_truth {
    bool running, arriving, paused, hung;
    int id;
    int64_t started_ns; /* absolute */
    uint64_t process;   /* unique, as plugs are */
    uint64_t value[COUNTERS];
    int64_t chain[MAX_CHAIN], xml_chain[MAX_CHAIN]; /* as it is; as the XML that was fetched last says */
    size_t chain_count, xml_chain_count;
    int64_t next_index;
    uint64_t ifindex;
    int project;
    uint64_t vcpus, version;
};

struct model_event {
    struct lifecycle_event event; /* boot_ns is filled, wall_ns not */
    int vm;
    int64_t at_ns;    /* absolute */
    uint64_t process; /* it is about */
};

struct host_model {
    struct random *random;
    struct vm_truth vms[VMS];
    int64_t now_ns;         /* absolute: never steps, never restarts */
    int64_t boot_ns;        /* absolute: when the host booted */
    int64_t wall_offset_ns; /* wall minus absolute */
    int boots;
    int next_id;
    bool ids_repeat; /* libvirtd counts them anew: then only the start tells processes apart */
    uint64_t next_process, next_ifindex;
    struct model_event events[MAX_EVENTS];
    size_t event_count;
};

/* One VM in one list. The pointers within go to its own fields. */
struct shown {
    struct domain_stats stats;
    struct disk_stats disk;
    struct net_stats net;
    struct domain_meta meta;
    struct domain_disk xml_disk;
    struct domain_nic nic;
    int vm, project;
    uint64_t process;
    int64_t at_ns, started_ns; /* absolute */
    bool owner_unknown;
};

void model_start(struct host_model *m, struct random *random);
/* Time goes by, guests work, something happens. Forget the events first: m->event_count = 0. */
void model_step(struct host_model *m);
/* What a list shows of a VM; false: it is not there, or omitted. @first: a complete list. */
bool model_show(struct host_model *m, int vm, bool first, struct shown *ret);
/* Between the statistics of @s and its XML the disk is plugged anew, and the event overtakes the list. */
void model_replug_within(struct host_model *m, struct shown *s);
void model_snapshot(const struct host_model *m, struct snapshot *ret);
const char *model_uuid(int vm);
const char *model_mac(void);

static inline bool chain_has(const int64_t *chain, size_t count, int64_t index)
{
    for (size_t i = 0; i < count; i++)
        if (chain[i] == index)
            return true;
    return false;
}

#endif
