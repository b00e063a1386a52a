/* Which names are wanted, by shell patterns: "disk.*", "!vdb". Pure.
 *
 * The last pattern that fits decides, and "!" before it makes that a no. What none fits is the caller's to say where
 * there is no pattern or the first one leaves something out; else it is not wanted.
 */
#ifndef POLLERS_SELECTION_H
#define POLLERS_SELECTION_H

#include <stdbool.h>
#include <stddef.h>

struct selection {
    const char *const *patterns; /* borrowed */
    size_t count;
};

/* @names: all that the thing is called by (a MAC and a tap). */
bool selection_wants(const struct selection *s, const char *const *names, size_t count, bool otherwise);

#endif
