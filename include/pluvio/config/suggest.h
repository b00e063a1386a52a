/* The nearest of some names to one that is not among them (Damerau-Levenshtein), for "did you mean". Pure. */
#ifndef PLUVIO_CONFIG_SUGGEST_H
#define PLUVIO_CONFIG_SUGGEST_H

#include <stddef.h>

/* NULL where none is near (more than a third of the letters, and more than two, are off). */
const char *suggest(const char *wrong, const char *const *names, size_t count);

#endif
