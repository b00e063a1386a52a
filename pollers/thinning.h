/* Which records may go when the outbox is too large (rule R11). Pure.
 *
 * Every second of an entity's oldest readings goes, so that what is left is even: a coarser picture, never a hole. A
 * stream's first or last reading and lifecycle changes stay, and so does each entity's newest reading, which says all
 * that the dropped ones said.
 */
#ifndef POLLERS_THINNING_H
#define POLLERS_THINNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thinning_record {
    uint64_t key; /* hash of the entity */
    int64_t bytes;
    bool edge; /* never goes */
    bool drop; /* out */
};

/* Mark records (oldest first) until at least @bytes would be freed; returns how much would be. */
int64_t thinning_choose(struct thinning_record *records, size_t count, int64_t bytes);

#endif
