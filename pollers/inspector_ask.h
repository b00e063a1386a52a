/* The questions that the inspector puts to libvirt, one kind a struct: inputs and answers, both owned by the ask.
 *
 * Each may hang in libvirtd; none looks at anything that its asker could free meanwhile.
 */
#ifndef POLLERS_INSPECTOR_ASK_H
#define POLLERS_INSPECTOR_ASK_H

#include "inspect_worker.h"
#include "inspector.h"
#include "pluvio/base/clock.h"

/* The statistics of all domains, but those that hang. */
struct stats_ask {
    struct ask ask; /* first */
    struct clock *clock;
    unsigned groups;             /* enum meter_group bits */
    bool look;                   /* find out which domains hang; with none, stop there */
    enum monitors monitors;      /* unless they are asked, only what QEMU cannot block */
    int64_t hung_ms;             /* a monitor occupied for longer hangs */
    char (*suspects)[UUID_SIZE]; /* to be looked at before they are asked; sorted */
    size_t suspect_count;

    struct domain_stats *domains; /* the answer */
    size_t count;
    unsigned calls, hung;
    bool none_hung; /* with @look: nobody hangs, nothing was read */
    int64_t list_wall_ns, list_boot_ns;
    uint64_t connection; /* serial */
};
struct stats_ask *stats_ask_new(void); /* zeroed; NULL: out of memory */

/* The XML of some domains. */
struct xml_ask {
    struct ask ask; /* first */
    size_t count;
    char (*uuids)[UUID_SIZE];
    char **documents; /* the answer; NULL: not to be had */
};
struct xml_ask *xml_ask_new(size_t count);

/* Who the host is. */
struct identity_ask {
    struct ask ask; /* first */
    char host_uuid[UUID_SIZE];
    char *host_name;
    bool qemu; /* the driver whose bulk call gives everything */
};
struct identity_ask *identity_ask_new(void);

#endif
