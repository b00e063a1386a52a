/* Which readings may go when the outbox is too large (rule R11). Pure.
 *
 * A sweep goes over a lane's records, oldest first, and lets go each reading whose neighbours of the same entity stand
 * no further apart than a gap; the next sweep has a gap of at least twice that. So what is left is even however long an
 * outage lasts: a coarser picture, never a hole. A stream's first or last reading and lifecycle changes stay; so does
 * the reading before each, since they may speak of one stream of many, and each entity's newest, which says all that
 * the dropped ones said.
 */
#ifndef POLLERS_THINNING_H
#define POLLERS_THINNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THINNING_ENTITIES 2048 /* told apart in a lane; what is beyond stays */

struct thinning_record {
    uint64_t key; /* hash of the entity */
    int64_t id;   /* the caller's */
    int64_t bytes, time_ms;
    bool edge;  /* never goes */
    bool event; /* no reading: goes, and makes none redundant */
};

struct thinning;
struct thinning *thinning_create(void);    /* NULL: out of memory */
void thinning_destroy(struct thinning *t); /* takes NULL */

/* A new sweep, from the oldest record on. Gap 0 lets no reading go, but learns what the next may be. */
void thinning_begin(struct thinning *t, int64_t gap_ms);
/* Go on with a sweep of which only the gap is known: a wider one may find something. */
void thinning_resume(struct thinning *t, int64_t gap_ms);
/* The sweep's next record. True: *ret, this or one that came before, may go. */
bool thinning_next(struct thinning *t, const struct thinning_record *record, struct thinning_record *ret);
/* The gap for the next sweep, so that it finds something; 0: nothing is left that may go. */
int64_t thinning_next_gap_ms(const struct thinning *t);

#endif
