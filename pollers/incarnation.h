/* What each VM and each of its devices is, from one reading to the next, and which streams its readings belong to.
 * Pure: a reading or an event and its times come in, readings of streams go out.
 *
 * An incarnation is one process of a domain on one boot of the host. A stream begins at zero and carries what it is
 * billed by: when owner, flavor, state or size change, or the wall clock is set, it ends with a reading under the old
 * attributes and another begins. Incarnations are remembered until the host boots anew; being absent from a list
 * changes nothing (libvirt's bulk call omits). See incarnation_store.h for how they outlive the poller.
 *
 * Times of readings are CLOCK_BOOTTIME plus an offset to the wall clock that is fixed while its streams run, so that no
 * interval is ever negative.
 */
#ifndef POLLERS_INCARNATION_H
#define POLLERS_INCARNATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspector.h"
#include "pluvio/base/buf.h"
#include "pluvio/base/map.h"
#include "pluvio/base/random.h"
#include "pluvio/model/meter.h"
#include "selection.h"

#define INCARNATION_MAX_VMS     16384
#define INCARNATION_MAX_DEVICES 1024 /* of one VM */
#define INCARNATION_CHAIN       16
#define INCARNATION_DISK_EVENTS 4
#define DEVICE_NAME_SIZE        64
#define OWNER_TEXT_SIZE         256
#define CLOCK_STEP_NS           1000000000LL
#define INCARNATION_FORGET_NS   (86400LL * 1000000000) /* a stopped VM that no list shows */

/* What streams are billed by, beside their size. */
struct owner {
    char project[OWNER_TEXT_SIZE], user[OWNER_TEXT_SIZE], flavor[OWNER_TEXT_SIZE];
    enum domain_state state; /* never DOMAIN_BLOCKED: that is running, idle */
};
bool owner_equal(const struct owner *a, const struct owner *b);

/* One meter of one device: a counter or a size. */
struct slot {
    enum meter_id meter;
    uint64_t stream;                     /* 0: none is open */
    uint64_t base, last;                 /* counter: raw values; size: last is the size */
    bool has_last;                       /* read before, in this plug */
    int64_t start_boot_ns, last_boot_ns; /* of the stream; of its newest reading */
    bool has_raw;                        /* within one sighting: what was read */
    uint64_t raw;
};

struct device {
    enum resource_kind kind;          /* INSTANCE or HOST: the entity itself */
    char name[DEVICE_NAME_SIZE];      /* disk target or MAC; empty: the entity itself */
    char tap[DEVICE_NAME_SIZE];       /* of an interface */
    bool from_zero;                   /* plugged since the host's first list: its counters' base is 0 */
    int64_t plug_boot_ns;             /* not plugged before; 0: as old as the process */
    int64_t chain[INCARNATION_CHAIN]; /* a disk's plug */
    size_t chain_count;
    uint64_t serial;  /* of a disk, as a hash; 0: not read yet. A copy keeps it */
    uint64_t ifindex; /* an interface's plug; 0: unknown */
    bool listed;      /* within one sighting: statistics or XML show it */
    bool gone;        /* freed with the next sighting */
    struct slot *slots;
    size_t count, cap;
};

struct incarnation {
    char uuid[UUID_SIZE];
    bool is_host;
    bool running;          /* a process is there, as far as known */
    int id;                /* of the running process, or the one that an event said to have ended; -1: none */
    int64_t process_start; /* the same, clock ticks since boot; 0: unknown */
    int64_t ended_boot_ns; /* when it was seen to have ended */
    bool from_zero;        /* the process started after the host's first list */
    bool arriving;         /* an incoming migration: not counted yet */
    bool amnesia;          /* what was stored could not be read: the next process may not count from 0 */
    bool owned;            /* owner is known */
    struct owner owner;
    int64_t offset_ns;      /* wall minus boot time, of the streams that are open */
    int64_t since_boot_ns;  /* where the present process or owner began */
    int64_t seen_boot_ns;   /* newest sighting; 0: none */
    struct reading balloon; /* last-update of the balloon's figures */
    bool devices_known;     /* the XML of this process was read once */
    int64_t disk_event_ns;  /* disks were plugged or unplugged until then (boot time), unseen yet; 0: none */
    uint64_t disk_events[INCARNATION_DISK_EVENTS]; /* their aliases, as hashes */
    size_t disk_event_count;                       /* 0, or more than there is room for: any of them */
    uint64_t meta_version;
    struct device **devices; /* [0] is the entity itself */
    size_t count, cap;
    bool look;   /* an event asks for a reading before the next cycle */
    bool forget; /* gone with the next incarnations_saved() */
    bool dirty;  /* differs from what is stored */
};

/* One reading to tell. Gauges have stream 0 and no start. */
struct told {
    enum meter_id meter;
    const struct device *device;
    uint64_t stream;
    int64_t value, start_ns, time_ns;
    bool ended, first;
};
struct told_list {
    struct told *items;
    size_t count, cap;
};
/* What one sighting or event says. Zero it first; it is reused; told_finish at the end. The devices that it points to
 * live until the next call for the same VM. */
struct sighting {
    struct incarnation *vm;
    struct owner before;      /* what the closing readings belong to */
    struct told_list closing; /* first record, under @before */
    struct told_list current; /* second record, under vm->owner */
    bool split;               /* owner, flavor, state or the clock changed */
    bool new_process, stopped;
};
void sighting_finish(struct sighting *s);

enum incarnation_verdict {
    INCARNATION_TOLD,
    INCARNATION_SILENT,  /* nothing to tell: arriving, owner unknown, older than what is known */
    INCARNATION_REFUSED, /* one VM too many; counted */
    INCARNATION_NO_MEMORY
};

struct incarnation_counts {
    uint64_t ambiguous; /* plugs that may have been others (S4) */
    uint64_t refused;   /* VMs or devices over the limit, or two interfaces of one MAC */
    uint64_t doubted;   /* readings of a process's CPU time below an earlier one */
    uint64_t clock_steps, falls, processes, splits, plugs;
};

struct incarnations {
    struct random *random;
    int64_t gap_ns;           /* unseen for longer: a size is vouched for only if the process is verifiably the same */
    uint64_t choice;          /* of meters and devices, as a hash; 0: none was made yet */
    bool wanted[METERS];      /* meters to tell; those that are not due now are left out, too */
    int64_t every_ns[METERS]; /* how often a meter is read, where that is seldomer than gap_ns tells */
    struct selection devices; /* disks and interfaces to tell of; borrowed */
    char host_uuid[UUID_SIZE], boot_id[UUID_SIZE];
    char first_boot_id[UUID_SIZE];                  /* of the host's first list */
    int64_t first_list_wall_ns, first_list_boot_ns; /* 0: none yet */
    bool in_first_list;                             /* the list being taken is the first */
    int64_t offset_ns;                              /* wall minus boot time */
    bool has_offset;
    struct map vms;  /* uuid -> struct incarnation * */
    bool forget_all; /* another boot: all that is stored is void */
    bool dirty;      /* the figures above differ from what is stored */
    struct incarnation_counts counts;
};

/* All meters wanted, nothing known. */
void incarnations_init(struct incarnations *set, struct random *random, int64_t gap_ns);
void incarnations_finish(struct incarnations *set);

/* Which meters and devices are told of from now on; @devices is borrowed. What was done before it was chosen is
 * nobody's: where the choice differs from the one that is remembered, counters that go on count from their next
 * reading. */
void incarnations_choose(struct incarnations *set, const bool chosen[METERS], const struct selection *devices);

/* Which boot of the host this is. With another one nothing that was remembered is true any more (rule S2); but the
 * first list stays the first. Each list says it, too. */
void incarnations_boot(struct incarnations *set, const char *boot_id);

enum list_verdict {
    LIST_TAKEN,
    LIST_INCOMPLETE, /* no complete list was ever made: nothing can be counted yet */
    LIST_OTHER_HOST  /* what is remembered is another host's */
};
/* Before the sightings of @s: who the host is, whether it booted or its clock was set. */
enum list_verdict incarnations_list(struct incarnations *set, const struct snapshot *s);
/* After them: stopped VMs that have not been seen for a day are forgotten. */
void incarnations_listed(struct incarnations *set, int64_t now_boot_ns);

struct incarnation *incarnations_find(const struct incarnations *set, const char *uuid);
/* The entry of @uuid, made if it is new. NULL: refused (counted) or out of memory. */
struct incarnation *incarnations_make(struct incarnations *set, const char *uuid, bool is_host);

/* The same, but what was known of it is void: it could not be read. */
struct incarnation *incarnations_amnesia(struct incarnations *set, const char *uuid, bool is_host);

/* One VM of the list. @owner NULL: not known yet, then nothing is told, but bases are taken. */
enum incarnation_verdict incarnation_see(struct incarnations *set, const struct domain_stats *d,
                                         const struct owner *owner, struct sighting *ret);
/* The host itself. */
enum incarnation_verdict incarnation_see_host(struct incarnations *set, const struct snapshot *s, struct sighting *ret);
/* SILENT: the VM is not known, or the event changes nothing that is told. */
enum incarnation_verdict incarnation_event(struct incarnations *set, const struct lifecycle_event *event,
                                           struct sighting *ret);

/* A VM's memory as bytes, with a checksum behind them, and back; unpack fills a VM made by incarnations_make. -EBADMSG:
 * not ours, or damaged; what it then left in @vm is for incarnations_amnesia() only. */
void incarnation_pack(struct buf *out, const struct incarnation *vm);
int incarnation_unpack(struct incarnation *vm, struct text packed) __attribute__((warn_unused_result));
/* The store has everything: nothing is dirty, what was to be forgotten is freed. */
void incarnations_saved(struct incarnations *set);

#endif
