/* Which boot of which machine this is, as the machine itself says. */
#ifndef POLLERS_HOST_IDENTITY_H
#define POLLERS_HOST_IDENTITY_H

#include <stdbool.h>

#include "inspector.h"

/* The id that the kernel drew at this boot (random(4)). False, and empty: not readable. */
bool host_boot_id(char out[UUID_SIZE]);

/* The machine's own id (machine-id(5)), written as a UUID. False, and empty: it has none. */
bool host_machine_id(char out[UUID_SIZE]);

#endif
