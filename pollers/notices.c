#include "notices.h"

#include "pluvio/base/log.h"

#define BLIND_READINGS 2 /* one may come before a process is there to be found */

void notices_see(struct notices *n, const struct domain_stats *d)
{
    const char *name = d->name ? d->name : "";
    switch (hung_see(&n->hung, d->uuid, d->answers)) {
    case HUNG_SAME:
        break;
    case HUNG_BEGAN:
        log_warning("VM %s (%s) does not answer its monitor: only state, CPU time and interfaces are read", d->uuid,
                    name);
        break;
    case HUNG_ENDED:
        log_info("VM %s (%s) answers again", d->uuid, name);
        break;
    }
}

static void note_monitors(struct notices *n, enum monitors now)
{
    if (n->monitors == now)
        return;
    n->monitors = now;
    if (now == MONITORS_ASKED)
        log_info("VMs' monitors are asked again");
    else
        log_warning("%s: no VM's monitor is asked, and what disks did is read when that has changed",
                    now == MONITORS_STUCK ? "as many calls hang in libvirt as may"
                                          : "libvirt took longer than it may, though no VM hangs");
}

/* Another driver than QEMU's, or a /proc that hides processes: every reading is so, and said once. */
static void note_evidence(struct notices *n, const struct snapshot *s)
{
    const char *name = NULL;
    bool seen = false;
    for (size_t i = 0; i < s->count; i++) {
        const struct domain_stats *d = &s->domains[i];
        name = d->id >= 0 && d->name ? d->name : name;
        seen |= d->process_start != 0;
    }
    n->blind = name && !seen ? n->blind + 1 : 0;
    if (n->blind == BLIND_READINGS)
        log_warning(
            "VM %s: the start of its process cannot be seen, nor that of any other VM: after a restart of libvirtd a "
            "new run may be taken for the old one; --once --explain says what is missing",
            name);
}

void notices_listed(struct notices *n, const struct snapshot *s)
{
    hung_listed(&n->hung);
    note_monitors(n, s->monitors);
    note_evidence(n, s);
}
