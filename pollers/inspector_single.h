/* The question that the inspector puts to drivers whose bulk call says little (lxc, test): each domain by itself. As
 * inspector_ask.h says of all questions.
 */
#ifndef POLLERS_INSPECTOR_SINGLE_H
#define POLLERS_INSPECTOR_SINGLE_H

#include "inspect_worker.h"
#include "inspector.h"

struct single_domain {
    char uuid[UUID_SIZE];
    char **disks, **nics; /* targets, or MACs where a nic has none */
    size_t disk_count, nic_count;
    struct domain_stats stats; /* the answer: cpu, vcpus, memory, disks, nets */
};
struct single_ask {
    struct ask ask; /* first */
    size_t count;
    struct single_domain *domains;
};
struct single_ask *single_ask_new(size_t count);

#endif
