/* What a host's hypervisor says, as a port: libvirt in the programs, scripted snapshots in tests and the simulation.
 *
 * The caller asks for a snapshot and polls for it; whatever hangs, hangs behind this port and is told as a partial
 * snapshot after the deadline. Absent is not zero: what could not be read has its bit in `has` clear.
 */
#ifndef POLLERS_INSPECTOR_H
#define POLLERS_INSPECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/buf.h"
#include "pluvio/base/error.h"

#define UUID_SIZE 37

/* libvirt's virDomainState. */
enum domain_state {
    DOMAIN_NOSTATE,
    DOMAIN_RUNNING,
    DOMAIN_BLOCKED,
    DOMAIN_PAUSED,
    DOMAIN_SHUTDOWN,
    DOMAIN_SHUTOFF,
    DOMAIN_CRASHED,
    DOMAIN_PMSUSPENDED,
    DOMAIN_STATES
};
const char *domain_state_name(enum domain_state s); /* "running", "paused", "shutoff" ... */

/* One number that may be missing. */
struct reading {
    bool has;
    uint64_t value;
};

enum disk_field {
    DISK_RD_BYTES,
    DISK_RD_REQS,
    DISK_RD_TIMES,
    DISK_WR_BYTES,
    DISK_WR_REQS,
    DISK_WR_TIMES,
    DISK_CAPACITY,
    DISK_ALLOCATION,
    DISK_PHYSICAL,
    DISK_FIELDS
};
struct disk_stats {
    char *name;   /* target, "vda" */
    char *source; /* path, or NULL */
    struct reading field[DISK_FIELDS];
    struct reading backing_index; /* block.N.backingIndex: when it changes, the chain wants another look */
};

enum net_field {
    NET_RX_BYTES,
    NET_RX_PKTS,
    NET_RX_DROP,
    NET_RX_ERRS,
    NET_TX_BYTES,
    NET_TX_PKTS,
    NET_TX_DROP,
    NET_TX_ERRS,
    NET_FIELDS
};
/* As libvirt says; rx is what the guest received for the interface types we count. */
struct net_stats {
    char *name; /* tap, "vnet0" */
    struct reading field[NET_FIELDS];
    struct reading ifindex; /* of the tap, where the poller can see it: another one is another plug */
};

enum domain_field {
    DOMAIN_CPU_TIME,
    DOMAIN_VCPU_CURRENT,
    DOMAIN_VCPU_WAIT,
    DOMAIN_VCPU_DELAY,
    DOMAIN_BALLOON_CURRENT, /* KiB, as all of the balloon */
    DOMAIN_BALLOON_AVAILABLE,
    DOMAIN_BALLOON_UNUSED,
    DOMAIN_BALLOON_USABLE,
    DOMAIN_BALLOON_RSS,
    DOMAIN_BALLOON_SWAP_IN,
    DOMAIN_BALLOON_SWAP_OUT,
    DOMAIN_BALLOON_LAST_UPDATE,
    DOMAIN_PERF_CYCLES,
    DOMAIN_PERF_INSTRUCTIONS,
    DOMAIN_PERF_CACHE_REFERENCES,
    DOMAIN_PERF_CACHE_MISSES,
    DOMAIN_FIELDS
};

/* What the domain's XML says; fetched when the domain is new or an event says that it changed, then kept. */
struct domain_disk {
    char *target;
    char *alias; /* what events call it; NULL while stopped */
    char *serial;
    char *source;
    int64_t chain[16]; /* <source index=> of the whole chain, top first */
    size_t chain_count;
    bool uncounted; /* vhost-user: QEMU does not see its requests */
};
struct domain_nic {
    char *mac;
    char *target;   /* tap; NULL while stopped */
    char *source;   /* bridge or network */
    char *port;     /* neutron's port id, or NULL */
    bool countable; /* false: nothing on the host counts for it */
};
struct domain_meta {
    bool has_nova;
    char *display_name, *flavor, *flavor_id, *project, *project_name, *user, *user_name, *image;
    int64_t flavor_vcpus, flavor_ram_mib, flavor_disk_gib, flavor_ephemeral_gib, flavor_swap_mib; /* -1: not said */
    char *mapped_project; /* text of the metadata element that the configuration names, or NULL */
    char *os_type, *architecture;
    uint64_t max_memory_kib, vcpus;
    struct domain_disk *disks;
    size_t disk_count;
    struct domain_nic *nics;
    size_t nic_count;
    unsigned gpu, vgpu, pci;
    uint64_t version; /* grows with each fetch: a new one means look again */
};

/* Were monitors asked in a reading? Where not, disks and whatever else QEMU tells is missing from all of it. */
enum monitors {
    MONITORS_ASKED,
    MONITORS_STUCK, /* no: as many calls hang as may */
    MONITORS_SLOW   /* no: nobody hangs, and still it took longer than it may */
};

#define TICK_NS 10000000LL /* USER_HZ is 100 wherever KVM runs */

struct domain_stats {
    char uuid[UUID_SIZE];
    char *name;
    int id; /* -1: not running */
    enum domain_state state;
    int reason;           /* libvirt's virDomain*Reason */
    int64_t read_wall_ns; /* the moment of the read */
    int64_t read_boot_ns;
    int64_t process_start; /* of its QEMU, clock ticks since boot (field 22 of /proc/PID/stat); 0: unknown or stopped */
    bool answers;          /* false: it was left out since its monitor hangs; only state, cpu and net are there */
    struct reading field[DOMAIN_FIELDS];
    struct disk_stats *disks;
    size_t disk_count;
    struct net_stats *nets;
    size_t net_count;
    const struct domain_meta *meta; /* owned by the inspector, valid until the next begin(); NULL: not read yet */
};

enum host_field {
    HOST_CPU_USER,
    HOST_CPU_KERNEL,
    HOST_CPU_IDLE,
    HOST_CPU_IOWAIT, /* ns */
    HOST_MEMORY_TOTAL,
    HOST_MEMORY_FREE, /* KiB */
    HOST_VCPUS,
    HOST_FIELDS
};

struct snapshot {
    char host_uuid[UUID_SIZE];
    char *host_name;
    char boot_id[UUID_SIZE];
    bool listed; /* the list of domains is complete: who is absent is not there now */
    int64_t list_wall_ns, list_boot_ns;
    struct reading host[HOST_FIELDS];
    struct domain_stats *domains;
    size_t count;
    unsigned calls; /* RPCs it took */
    unsigned hung;  /* domains that did not answer */
    enum monitors monitors;
};
void snapshot_free(struct snapshot *s); /* takes NULL */
/* What *d owns (metadata it does not), and an array of its own, as in snapshot.domains. */
void domain_stats_finish(struct domain_stats *d);
void domain_stats_free(struct domain_stats *domains, size_t count);
/* As if it had not been asked for: interfaces, or whatever was read but the state. */
void domain_stats_leave_out_nets(struct domain_stats *d);
void domain_stats_leave_out_all(struct domain_stats *d);

enum lifecycle_kind {
    LIFECYCLE_STARTED,
    LIFECYCLE_STOPPED,
    LIFECYCLE_PAUSED,
    LIFECYCLE_PMSUSPENDED,
    LIFECYCLE_RESUMED,
    LIFECYCLE_REBOOTED,
    LIFECYCLE_DEFINED,
    LIFECYCLE_UNDEFINED,
    LIFECYCLE_CRASHED,
    LIFECYCLE_MIGRATED,
    LIFECYCLE_METADATA,
    LIFECYCLE_DEVICE_ADDED,
    LIFECYCLE_DEVICE_REMOVED,
    LIFECYCLE_RESIZED,
    LIFECYCLE_KINDS
};
const char *lifecycle_name(enum lifecycle_kind k); /* "started" ... */
struct lifecycle_event {
    enum lifecycle_kind kind;
    char uuid[UUID_SIZE];
    int id;                   /* domain id the event was about; -1: none */
    char device[64];          /* alias of an added or removed device, else empty */
    int64_t wall_ns, boot_ns; /* when it reached us */
    struct reading cpu_time;  /* read at once at shutdown, where libvirt still answered */
    /* Not an event, but what a VM that is paused had counted by then, since its process may be about to go; the taker's
     * to free, by domain_stats_free(paused, 1). NULL with all events. */
    struct domain_stats *paused;
};

/* "qemu+ssh://host/system": another host's, by transport or by name. */
bool hypervisor_is_remote(const char *uri);

struct inspector_figures {
    uint64_t connects;       /* connections opened */
    uint64_t overruns;       /* questions not answered by their deadline */
    unsigned stuck;          /* calls that hang now */
    uint64_t events_dropped; /* did not fit into the queue, or memory was short */
    uint64_t refused;        /* parts of domain XML beyond a written limit, or documents that do not parse */
};

struct inspector {
    /* Start reading @groups (enum meter_group bits); answer wanted by @deadline_boot_ns. 0; -EBUSY: one is under way.
     */
    int (*begin)(struct inspector *self, unsigned groups, int64_t deadline_boot_ns);
    /* 1: *ret is the snapshot, the caller's to free; 0: not yet; negative errno: failed, @error says why (not
     * connected ...); the next begin() tries again. */
    int (*result)(struct inspector *self, struct snapshot **ret, struct error *error);
    /* 1: one event; 0: none. After a lost connection events were missed: the next snapshot tells what is. */
    int (*event)(struct inspector *self, struct lifecycle_event *ret);
    /* A descriptor that becomes readable when result() or event() has something; -1: none. */
    int (*wake_fd)(struct inspector *self);
    /* What it counts of itself; from any thread. */
    void (*figures)(struct inspector *self, struct inspector_figures *ret);
    void (*destroy)(struct inspector *self);
};

#endif
