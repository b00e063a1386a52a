/* What lifecycle events mean for metering, and which of them a list of domains betrays when nobody told. Pure. */
#ifndef POLLERS_LIFECYCLE_H
#define POLLERS_LIFECYCLE_H

#include <stdbool.h>

#include "inspector.h"

enum lifecycle_effect {
    EFFECT_NONE,    /* to be told, changes no stream */
    EFFECT_STATE,   /* the state is another one from now on */
    EFFECT_START,   /* a process begins */
    EFFECT_STOP,    /* the process is gone */
    EFFECT_DEVICES, /* something was plugged or unplugged */
    EFFECT_GONE     /* the domain's definition is gone */
};

struct lifecycle_meaning {
    enum lifecycle_effect effect;
    enum domain_state state; /* after it, with STATE, START and STOP */
    bool look;               /* a reading before the next cycle is worth its cost */
};
/* Static storage. */
const struct lifecycle_meaning *lifecycle_meaning(enum lifecycle_kind kind);

/* One state for one way of being billed: "blocked" is a running VM without work. */
enum domain_state lifecycle_state(enum domain_state state);

/* What must have happened between two sightings of a VM. False: nothing that has a name. */
bool lifecycle_between(enum domain_state before, enum domain_state now, bool new_process, enum lifecycle_kind *ret);

#endif
