#include "inspector.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *domain_state_name(enum domain_state s)
{
    static const char *const names[] = {
        [DOMAIN_NOSTATE] = "nostate", [DOMAIN_RUNNING] = "running",         [DOMAIN_BLOCKED] = "blocked",
        [DOMAIN_PAUSED] = "paused",   [DOMAIN_SHUTDOWN] = "shutdown",       [DOMAIN_SHUTOFF] = "shutoff",
        [DOMAIN_CRASHED] = "crashed", [DOMAIN_PMSUSPENDED] = "pmsuspended",
    };
    static_assert(sizeof(names) / sizeof(names[0]) == DOMAIN_STATES, "a name for every state");
    return (unsigned)s < DOMAIN_STATES ? names[s] : "unknown";
}

const char *lifecycle_name(enum lifecycle_kind k)
{
    static const char *const names[] = {
        [LIFECYCLE_STARTED] = "started",
        [LIFECYCLE_STOPPED] = "stopped",
        [LIFECYCLE_PAUSED] = "paused",
        [LIFECYCLE_PMSUSPENDED] = "pmsuspended",
        [LIFECYCLE_RESUMED] = "resumed",
        [LIFECYCLE_REBOOTED] = "rebooted",
        [LIFECYCLE_DEFINED] = "defined",
        [LIFECYCLE_UNDEFINED] = "undefined",
        [LIFECYCLE_CRASHED] = "crashed",
        [LIFECYCLE_MIGRATED] = "migrated",
        [LIFECYCLE_METADATA] = "metadata",
        [LIFECYCLE_DEVICE_ADDED] = "device_added",
        [LIFECYCLE_DEVICE_REMOVED] = "device_removed",
        [LIFECYCLE_RESIZED] = "resized",
    };
    static_assert(sizeof(names) / sizeof(names[0]) == LIFECYCLE_KINDS, "a name for every kind");
    return (unsigned)k < LIFECYCLE_KINDS ? names[k] : "unknown";
}

bool hypervisor_is_remote(const char *uri)
{
    const char *colon = strstr(uri, "://"), *plus = memchr(uri, '+', colon ? (size_t)(colon - uri) : 0);
    bool transport = plus && strncmp(plus, "+unix:", 6) != 0;
    return colon && (transport || (colon[3] && colon[3] != '/'));
}

void domain_stats_leave_out_nets(struct domain_stats *d)
{
    for (size_t i = 0; i < d->net_count; i++)
        free(d->nets[i].name);
    d->net_count = 0;
}

void domain_stats_leave_out_all(struct domain_stats *d)
{
    for (size_t i = 0; i < d->disk_count; i++) {
        free(d->disks[i].name);
        free(d->disks[i].source);
    }
    d->disk_count = 0;
    domain_stats_leave_out_nets(d);
    memset(d->field, 0, sizeof(d->field));
}

void domain_stats_finish(struct domain_stats *d)
{
    domain_stats_leave_out_all(d);
    free(d->disks);
    free(d->nets);
    free(d->name);
}

void domain_stats_free(struct domain_stats *domains, size_t count)
{
    for (size_t i = 0; i < count; i++)
        domain_stats_finish(&domains[i]);
    free(domains);
}

void snapshot_free(struct snapshot *s)
{
    if (!s)
        return;
    domain_stats_free(s->domains, s->count);
    free(s->host_name);
    free(s);
}
