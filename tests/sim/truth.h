/* Names that the simulation's parts share: what machines, VMs, devices and counters there are, and what an inspector
 * saw of them, tagged with what is true (which process, which plug) and the product is never told.
 */
#ifndef TESTS_SIM_TRUTH_H
#define TESTS_SIM_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pluvio/model/meter.h"

#define SIM_HOSTS    2
#define SIM_VMS      5
#define SIM_ENTITIES (SIM_VMS + SIM_HOSTS) /* the hosts' own records */

enum sim_device { DEVICE_SELF, DEVICE_VDA, DEVICE_VDB, DEVICE_NIC, SIM_DEVICES };
#define SIM_COUNTERS 4

struct sim_owner {
    const char *project, *flavor;
};
#define SIM_OWNERS 5 /* the last one has nobody's name: hosts are nobody's */
#define OWNER_NONE (SIM_OWNERS - 1)
extern const struct sim_owner sim_owners[SIM_OWNERS];

/* The n-th counter of a device; METERS: there is none. */
enum meter_id sim_meter(bool is_host, enum sim_device device, size_t n);
/* "vda", a MAC, or "" for the VM itself. */
const char *sim_device_name(enum sim_device device, int vm);
const char *sim_uuid(int entity);

/* ---- what was seen ---- */

enum seen_state { STATE_OFF, STATE_RUNNING, STATE_PAUSED };
struct seen_counter {
    bool has;
    uint64_t value;
};
struct seen_plug {
    uint64_t plug; /* true identity; 0: not plugged */
    int64_t plugged_ns;
    struct seen_counter counters[SIM_COUNTERS];
};
struct seen_vm {
    int entity;
    uint64_t process; /* true identity; 0: none runs */
    int64_t started_ns;
    enum seen_state state;
    bool arriving;
    bool dated;     /* when the process began was told */
    bool described; /* owner and devices were told */
    bool answers;
    int owner;
    struct seen_plug plugs[SIM_DEVICES];
};
struct seen_list {
    int host;
    int64_t at_ns;
    bool complete;
    struct seen_vm vms[SIM_VMS + 1]; /* the host itself is the last */
    size_t count;
};
enum seen_kind { SEEN_STARTED, SEEN_STOPPED, SEEN_PAUSED, SEEN_RESUMED, SEEN_DISK, SEEN_OTHER };
struct seen_event {
    int host, entity;
    enum seen_kind kind;
    uint64_t process;
    int64_t at_ns;
    struct seen_counter cpu;
};

#endif
