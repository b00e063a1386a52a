#include "lifecycle.h"

#include <assert.h>

const struct lifecycle_meaning *lifecycle_meaning(enum lifecycle_kind kind)
{
    static const struct lifecycle_meaning rows[] = {
        [LIFECYCLE_STARTED] = {EFFECT_START, DOMAIN_RUNNING, true},
        [LIFECYCLE_STOPPED] = {EFFECT_STOP, DOMAIN_SHUTOFF, true}, /* is it still defined? */
        [LIFECYCLE_PAUSED] = {EFFECT_STATE, DOMAIN_PAUSED, false},
        [LIFECYCLE_PMSUSPENDED] = {EFFECT_STATE, DOMAIN_PMSUSPENDED, false},
        [LIFECYCLE_RESUMED] = {EFFECT_STATE, DOMAIN_RUNNING, false},
        [LIFECYCLE_REBOOTED] = {EFFECT_NONE, DOMAIN_RUNNING, false},
        [LIFECYCLE_DEFINED] = {EFFECT_NONE, DOMAIN_RUNNING, true},
        [LIFECYCLE_UNDEFINED] = {EFFECT_GONE, DOMAIN_SHUTOFF, false},
        [LIFECYCLE_CRASHED] = {EFFECT_STOP, DOMAIN_CRASHED, true},
        [LIFECYCLE_MIGRATED] = {EFFECT_STOP, DOMAIN_SHUTOFF, false},
        [LIFECYCLE_METADATA] = {EFFECT_NONE, DOMAIN_RUNNING, true},
        [LIFECYCLE_DEVICE_ADDED] = {EFFECT_DEVICES, DOMAIN_RUNNING, true},
        [LIFECYCLE_DEVICE_REMOVED] = {EFFECT_DEVICES, DOMAIN_RUNNING, true},
        [LIFECYCLE_RESIZED] = {EFFECT_NONE, DOMAIN_RUNNING, true},
    };
    static_assert(sizeof rows / sizeof rows[0] == LIFECYCLE_KINDS, "a row for each event");
    return &rows[kind];
}

enum domain_state lifecycle_state(enum domain_state state)
{
    return state == DOMAIN_BLOCKED ? DOMAIN_RUNNING : state;
}

bool lifecycle_between(enum domain_state before, enum domain_state now, bool new_process, enum lifecycle_kind *ret)
{
    bool ran = before != DOMAIN_SHUTOFF && before != DOMAIN_CRASHED && before != DOMAIN_NOSTATE;
    if (new_process) {
        *ret = LIFECYCLE_STARTED;
        return true;
    }
    if (before == now)
        return false;
    switch (now) {
    case DOMAIN_SHUTOFF:
        *ret = LIFECYCLE_STOPPED;
        return ran;
    case DOMAIN_CRASHED:
        *ret = LIFECYCLE_CRASHED;
        return ran;
    case DOMAIN_PAUSED:
        *ret = LIFECYCLE_PAUSED;
        return true;
    case DOMAIN_PMSUSPENDED:
        *ret = LIFECYCLE_PMSUSPENDED;
        return true;
    case DOMAIN_RUNNING:
    case DOMAIN_BLOCKED:
        *ret = LIFECYCLE_RESUMED;
        return before == DOMAIN_PAUSED || before == DOMAIN_PMSUSPENDED;
    case DOMAIN_NOSTATE:
    case DOMAIN_SHUTDOWN:
    case DOMAIN_STATES:
        return false;
    }
    return false;
}
