/* Whose a VM is: nova's word where there is one, else the configuration's mappings. Pure.
 *
 * In this order: nova's project; the text of the metadata element that the configuration names; the first rule whose
 * pattern fits the domain's name; the default project; "unassigned".
 */
#ifndef POLLERS_DISCOVERY_H
#define POLLERS_DISCOVERY_H

#include "incarnation.h"

#define PROJECT_UNASSIGNED "unassigned"

struct discovery_rule {
    const char *name; /* pattern of domain names, as a shell's: "web-*" */
    const char *project;
};
struct discovery {
    const struct discovery_rule *rules; /* borrowed, as all texts here */
    size_t count;
    const char *default_project; /* NULL: "unassigned" */
};

/* The owner of @d, whose metadata has been read (d->meta is not NULL). */
void discovery_owner(const struct discovery *discovery, const struct domain_stats *d, struct owner *ret);

#endif
