/* The inspector port on libvirt: any URI that libvirt knows, over read-only connections that live long.
 *
 * Whatever libvirt does, the caller never waits: a thread of the inspector's own puts the questions to workers (see
 * inspect_worker.h) and gives up on them at the deadline. A guest whose monitor hangs costs only its own block, balloon
 * and vcpu figures; a libvirtd that hangs or is gone makes result() fail until it is back. The poller runs on the host
 * that it inspects: boot id, taps and QEMU's processes are looked up here, whatever the URI says.
 *
 * Opening ignores SIGPIPE for the process and registers libvirt's default event loop, whose thread then runs until the
 * process ends (libvirt has no way back).
 *
 * Events as told: SHUTDOWN alone is not passed on (a fake reboot sends it too); the CPU time that could be read then
 * comes with the STOPPED that follows. STOPPED because of a migration is LIFECYCLE_MIGRATED, STARTED by a wake-up
 * is RESUMED, a moved balloon is RESIZED. libvirt says RESUMED before STARTED and REBOOT twice; so do we.
 */
#ifndef POLLERS_INSPECTOR_LIBVIRT_H
#define POLLERS_INSPECTOR_LIBVIRT_H

#include <stdint.h>

#include "inspector.h"
#include "pluvio/base/clock.h"

#define INSPECTOR_STUCK_DEFAULT 4
#define INSPECTOR_STUCK_MAX     8

struct inspector_libvirt_settings {
    const char *uri;               /* NULL: qemu:///system */
    const char *mapping_namespace; /* of the metadata element whose text is domain_meta.mapped_project; NULL: none */
    const char *mapping_element;   /* its local name */
    const char *pid_folder; /* where libvirtd writes NAME.pid; NULL: found by the URI's socket, /run/libvirt/qemu */
    unsigned stuck_max;     /* calls that may hang in libvirtd at a time (it has 20 workers for all its clients);
                             * beyond, all VMs give only what needs no monitor. 0: INSPECTOR_STUCK_DEFAULT */
    struct clock *clock;    /* NULL: the system's */
};

/* Texts are copied. Does not wait for libvirtd: while it cannot be reached result() says why. Fails only for want of
 * memory, descriptors or threads (-ENOMEM, -EMFILE, -EAGAIN), or for -EINVAL settings. The caller ends it with
 * (*ret)->destroy(*ret); a call that hangs then is left behind and frees its memory when it returns. */
int inspector_libvirt_open(struct inspector **ret, const struct inspector_libvirt_settings *settings,
                           struct error *error) __attribute__((warn_unused_result));

#endif
