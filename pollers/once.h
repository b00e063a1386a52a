/* `pluvio-poller --once`: what can be read on this host, as a table. How an operator checks a host before metering it.
 */
#ifndef POLLERS_ONCE_H
#define POLLERS_ONCE_H

#include <stdio.h>

#include "poller_options.h"

/* Read once from @inspector, within @timeout_ns, and print to @out, counters as libvirt has them; @explained: what is
 * missing, too. */
int once(struct inspector *inspector, const struct poller_choice *choice, bool explained, int64_t timeout_ns, FILE *out,
         struct error *error) __attribute__((warn_unused_result));

#endif
