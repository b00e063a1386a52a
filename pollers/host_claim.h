/* One poller a host: whoever reads it holds its name, whatever state folder it was given.
 *
 * The name is an abstract unix socket, which the kernel frees with the process. It is one per network namespace: a
 * second poller in a container with a network of its own is found by the collector, not here.
 */
#ifndef POLLERS_HOST_CLAIM_H
#define POLLERS_HOST_CLAIM_H

#include "pluvio/base/error.h"

/* A descriptor that holds the name until it is closed; -EBUSY with @error naming the process that has it, where that is
 * known. Never blocks. */
int host_claim(const char *host_uuid, struct error *error) __attribute__((warn_unused_result));

#endif
