/* Threads that run jobs, each with a state of its own, from two bounded queues. One worker takes quick jobs only, so
 * that these are done while all others are busy; it also ticks.
 */
#ifndef API_HTTP_WORKERS_H
#define API_HTTP_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

#include "pluvio/base/error.h"

#define WORKERS_MAX         64
#define WORKERS_MAX_WAITING 256 /* jobs in a queue */

struct job {
    void (*run)(struct job *self, void *state);
    struct job *next; /* the queue's */
};

struct workers_settings {
    int count; /* 1 .. WORKERS_MAX, and the quick one */
    /* A worker's state, made in the thread that starts the workers and used by one of them. NULL: none. */
    int (*state_open)(void *context, void **ret, struct error *error);
    void (*state_close)(void *state);
    void *context;
    void (*tick)(void *context); /* every half second or more often, in the quick worker */
    void *tick_context;
};

struct workers;

int workers_start(struct workers **ret, const struct workers_settings *settings, struct error *error)
    __attribute__((warn_unused_result));
/* Queue @job, which is the workers' until it has run. -EAGAIN: the queue is full; -ESHUTDOWN: no more are taken. */
int workers_give(struct workers *w, struct job *job, bool quick) __attribute__((warn_unused_result));
/* Take no more, run what is queued, end the threads. Takes NULL. */
void workers_stop(struct workers *w);
void workers_free(struct workers *w); /* after workers_stop; takes NULL */

#endif
