/* Absolute deadlines of connections: whoever sends or reads byte by byte is cut off all the same, which an idle timeout
 * does not do. A connection past its deadline is shut down, and the HTTP library then finds it closed.
 */
#ifndef API_HTTP_DEADLINES_H
#define API_HTTP_DEADLINES_H

#include <pthread.h>
#include <stdint.h>

struct deadline {
    int fd;
    int64_t at_ns; /* boot time */
    struct deadline *next, *previous;
};

struct deadlines {
    pthread_mutex_t lock;
    struct deadline *first;
};

/* Any thread. @d stays the caller's, in place until it is removed, and its fd open. */
void deadlines_add(struct deadlines *s, struct deadline *d);
void deadlines_move(struct deadlines *s, struct deadline *d, int64_t at_ns);
void deadlines_remove(struct deadlines *s, struct deadline *d);
/* Shut down those that are over; returns how many, and in *ret_next_ns the earliest of the rest (0: none). */
int deadlines_step(struct deadlines *s, int64_t now_ns, int64_t *ret_next_ns);

#endif
