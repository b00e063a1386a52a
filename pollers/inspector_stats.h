/* libvirt's typed parameters of the bulk call, read into our struct domain_stats. What is not among them stays absent.
 */
#ifndef POLLERS_INSPECTOR_STATS_H
#define POLLERS_INSPECTOR_STATS_H

#include <stdbool.h>

#include "inspector.h"
#include "pluvio/base/clock.h"

#define STATS_DEVICES_MAX 512 /* disks, and interfaces, of a VM; more are left out */

struct _virDomain;
struct _virDomainStatsRecord;
struct _virTypedParameter;

/* libvirt's VIR_DOMAIN_STATS_* bits for enum meter_group bits; state always. */
unsigned stats_mask(unsigned groups);
/* Those that are answered without asking QEMU, so that a hung one cannot block them. */
unsigned stats_mask_monitorless(unsigned groups);

/* Fill state, fields, disks and nets of *ret (zeroed, with its name, uuid and id). -ENOMEM: *ret is to be freed. */
int stats_read(const struct _virTypedParameter *parameters, int count, struct domain_stats *ret)
    __attribute__((warn_unused_result));

/* Fill name, uuid and id of *ret (zeroed). -ENOMEM: *ret is to be freed. */
int stats_identify(struct _virDomain *domain, struct domain_stats *ret) __attribute__((warn_unused_result));
/* Both, of one record of the bulk call. */
int stats_read_record(const struct _virDomainStatsRecord *record, struct domain_stats *ret)
    __attribute__((warn_unused_result));

/* True: a running domain gave less than was asked, as it does when its monitor is taken. */
bool stats_partial(const struct domain_stats *d, unsigned groups);

/* CPU time of a running domain, without its monitor; absent where libvirt cannot tell. The same counter as the bulk
 * call's, which is the cgroup's where libvirt keeps one: the process's own, virDomainGetInfo's, is another one then.
 */
struct reading stats_cpu(struct _virDomain *domain, unsigned *calls);

struct connection;
/* CPU time of the process with domain id @id and of no later one: ids grow while a libvirtd lives. Needs no monitor. */
struct reading stats_last_cpu(struct connection *connection, const char *uuid, int id);
/* All that counts of a paused domain. 0: *ret is the caller's, by domain_stats_free(d, 1); -EAGAIN: its monitor is
 * taken; -ENOENT: it is gone, another process, or runs again. A guest that hangs may block the call for ever. */
int stats_read_paused(struct connection *connection, const char *uuid, int id, struct clock *clock,
                      struct domain_stats **ret) __attribute__((warn_unused_result));

#endif
