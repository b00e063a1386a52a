/* A hash map from bytes to pointers: open addressing, linear probing, keys borrowed from the values that own them.
 *
 * Nothing observable may depend on its order: walk it only where the order cannot be seen.
 */
#ifndef PLUVIO_BASE_MAP_H
#define PLUVIO_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "pluvio/base/buf.h"

struct map_slot {
    struct text key; /* borrowed: lives as long as the value */
    uint64_t hash;
    void *value; /* NULL: free */
};

struct map {
    struct map_slot *slots;
    size_t count, cap; /* cap is a power of two, or 0 */
};

void map_free(struct map *m); /* frees the slots, not the values */
void *map_get(const struct map *m, struct text key);
/* Add a key that is not there yet. 0 or -ENOMEM. */
int map_put(struct map *m, struct text key, void *value) __attribute__((warn_unused_result));
/* Take the key out; returns its value, or NULL. */
void *map_take(struct map *m, struct text key);
/* Walk: start with *cursor = 0; NULL at the end. The map must not change meanwhile. */
void *map_next(const struct map *m, size_t *cursor);

#endif
