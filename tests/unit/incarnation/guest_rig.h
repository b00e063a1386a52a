/* A host with scripted VMs before the incarnations, and a book of what they told: what each (VM, device, meter) used
 * and held, under whom. Every reading told is checked: its stream keeps its resource and owner, grows in value and
 * time, begins before it is read, and is silent once ended.
 */
#ifndef TESTS_UNIT_INCARNATION_GUEST_RIG_H
#define TESTS_UNIT_INCARNATION_GUEST_RIG_H

#include "pollers/incarnation.h"
#include "pollers/lifecycle.h"

#define SEC              1000000000LL
#define GUEST_MAX        4
#define GUEST_OTHER_BOOT "b0000000-0000-4000-8000-000000000002"
#define RIG_MAX_STREAMS  256

/* What libvirt would say of one VM; change the fields between cycles. */
struct guest {
    struct domain_stats stats;
    struct disk_stats disks[GUEST_MAX];
    struct net_stats nets[GUEST_MAX];
    struct domain_meta meta;
    struct domain_disk xml_disks[GUEST_MAX];
    struct domain_nic nics[GUEST_MAX];
    struct owner owner;
    bool owner_unknown;
};

struct told_stream {
    uint64_t id;
    char uuid[UUID_SIZE], device[DEVICE_NAME_SIZE];
    enum meter_id meter;
    struct owner owner;
    int64_t start_ns, time_ns, value;
    bool ended;
};

struct rig {
    struct random_seeded random;
    struct incarnations set;
    struct sighting sighting;
    struct snapshot list;
    enum incarnation_verdict verdict; /* of the newest sighting or event */
    int64_t now_ns, offset_ns;        /* boot time; wall minus boot time */
    struct told_stream streams[RIG_MAX_STREAMS];
    size_t count;
    size_t gauges[METERS];
    int64_t gauge[METERS]; /* the newest */
};

void rig_start(struct rig *r); /* at 1000 s of boot time */
void rig_stop(struct rig *r);

/* A running VM with 1 vcpu, 512 MiB and nothing plugged; project red, flavor small. */
void guest_init(struct guest *g, int number, int id, int64_t started_s);
void guest_shut_off(struct guest *g);
void guest_start(struct guest *g, int id, int64_t started_s); /* another process: all counters from 0 */
void guest_cpu(struct guest *g, uint64_t value);
struct disk_stats *guest_disk(struct guest *g, char *target, int64_t index);        /* plugged, its chain is @index */
void guest_chain(struct guest *g, size_t disk, size_t count, const int64_t *chain); /* statistics and XML agree */
struct net_stats *guest_nic(struct guest *g, char *mac, char *tap, uint64_t ifindex);
void guest_meta_is_new(struct guest *g); /* the XML was fetched again */
void set_reading(struct reading *r, uint64_t value);

/* A list of these VMs, at @at_s of boot time. */
void rig_cycle(struct rig *r, int64_t at_s, struct guest *const *guests, size_t count);
void rig_see(struct rig *r, int64_t at_s, struct guest *g); /* the same of one */
/* A list that began before it. */
void rig_list(struct rig *r, int64_t at_s);
void rig_look(struct rig *r, int64_t at_s, struct guest *g);
void rig_event(struct rig *r, int64_t at_s, const struct guest *g, enum lifecycle_kind kind);
void rig_tell(struct rig *r, const struct lifecycle_event *event);
void rig_tell_sighting(struct rig *r); /* book what r->sighting says */
/* The poller stops and starts again with what it stored. */
void rig_restart(struct rig *r);

/* All usage that was told of a meter. @project NULL: whoever's; @device "" is the VM. */
int64_t used(const struct rig *r, const struct guest *g, const char *device, enum meter_id meter, const char *project);
/* Size times seconds. @state DOMAIN_STATES: whichever. */
int64_t held(const struct rig *r, const struct guest *g, const char *device, enum meter_id meter,
             enum domain_state state);
size_t streams_of(const struct rig *r, const struct guest *g, const char *device, enum meter_id meter);
const struct told_stream *newest_of(const struct rig *r, const struct guest *g, const char *device,
                                    enum meter_id meter);

#endif
