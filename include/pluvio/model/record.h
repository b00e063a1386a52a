/* A record: what one Kafka record says about one entity (a VM, or a host) at one moment.
 *
 * An *entity* is what a record is about and keyed by: a VM or a hypervisor host. A *resource* is what a meter is about:
 * the entity itself, or one of its disks or interfaces. The attributes hold for every point of the record: a change of
 * owner, flavor or state is told by closing the streams in one record and opening others in the next.
 *
 * A *stream* is a run of readings of one meter of one resource that begins at zero at start_ns: a counter's reading is
 * the whole usage since then, a size's reading vouches for that size from start_ns to time_ns.
 */
#ifndef PLUVIO_MODEL_RECORD_H
#define PLUVIO_MODEL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/buf.h"
#include "pluvio/model/meter.h"

/* Resource attributes with a meaning here; all others travel as metadata and labels. */
#define ATTR_ENTITY     "host.id"             /* VM uuid, or host uuid */
#define ATTR_SERVICE    "service.instance.id" /* stands in for host.id in records of other producers */
#define ATTR_NAME       "host.name"           /* display name */
#define ATTR_FLAVOR     "host.type"
#define ATTR_PROJECT    "cloud.account.id"
#define ATTR_USER       "openstack.user.id"
#define ATTR_STATE      "libvirt.domain.state" /* running, paused, shutoff ... */
#define ATTR_DOMAIN     "libvirt.domain.name"
#define ATTR_HOST       "hypervisor.host.name"
#define ATTR_HOST_ID    "hypervisor.host.id"
#define ATTR_KIND       "pluvio.kind"       /* "host" on a host's own record */
#define ATTR_EVENT      "pluvio.event"      /* a lifecycle record: started, stopped ... */
#define ATTR_EVENT_TIME "pluvio.event.time" /* int, ns since the epoch */
/* Point attributes. */
#define ATTR_STREAM    "pluvio.stream" /* int: the stream's id */
#define ATTR_END       "pluvio.end"    /* bool: the stream's last reading */
#define ATTR_DISK      "disk.name"
#define ATTR_INTERFACE "network.interface.name"
#define ATTR_MAC       "network.interface.mac"

struct attribute {
    struct text key;
    struct text value; /* numbers and booleans as their text, which `number` may hold */
    char number[32];
};

struct point {
    const struct meter *meter; /* NULL: not in the table (another producer's) */
    struct text name;          /* meter name */
    struct text unit;
    enum meter_type type;
    bool is_double;
    bool ended;              /* the stream's last reading */
    enum resource_kind kind; /* by its device attributes */
    int64_t value;           /* if !is_double */
    double real;             /* if is_double */
    int64_t start_ns;        /* stream's start; 0: not given */
    int64_t time_ns;         /* the reading */
    uint64_t stream;         /* 0: not ours */
    struct text device;      /* disk target or MAC; empty: the entity itself */
    struct text device_name; /* an interface's tap */
};

struct record {
    struct text entity, name, flavor, project, user, state, domain, host, host_id;
    struct text event;     /* empty: a plain reading */
    int64_t event_time_ns; /* with event */
    bool is_host;
    struct attribute *attributes; /* every resource attribute, those above too, in wire order */
    size_t attribute_count, attribute_cap;
    struct point *points;
    size_t point_count, point_cap;
};

/* Texts are borrowed from whoever filled the record; the two arrays are the record's own. */
void record_clear(struct record *r); /* forget the content, keep the arrays */
void record_free(struct record *r);
/* A zeroed slot at the end; NULL when out of memory. */
struct attribute *record_add_attribute(struct record *r);
struct point *record_add_point(struct record *r);

/* The id of a point's resource, "<entity>" or "<entity>-<device>", into @out of @size bytes; cut if longer. */
struct text record_resource_id(const struct record *r, const struct point *p, char *out, size_t size);

/* Rule R4: a VM belongs to one lane for ever, whatever the number of partitions. */
#define RECORD_LANES 16
unsigned record_lane(struct text entity);

#endif
