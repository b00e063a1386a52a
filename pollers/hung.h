/* Which VMs do not answer their monitor, so that log, figures and the host's record can name them. Pure. */
#ifndef POLLERS_HUNG_H
#define POLLERS_HUNG_H

#include <stdbool.h>
#include <stddef.h>

#include "inspector.h"
#include "pluvio/base/buf.h"

#define HUNG_NAMED_MAX 16 /* more are counted only */

struct hung_vm {
    char uuid[UUID_SIZE];
    bool seen; /* in the list being taken */
};

/* Zero it first. */
struct hung {
    struct hung_vm vms[HUNG_NAMED_MAX];
    size_t count;
};

enum hung_change { HUNG_SAME, HUNG_BEGAN, HUNG_ENDED };
/* One VM of a list. */
enum hung_change hung_see(struct hung *h, const char *uuid, bool answers);
/* The list is over: who was not in it hangs no more. */
void hung_listed(struct hung *h);

#endif
