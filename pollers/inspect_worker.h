/* A thread with a connection of its own, to which one question at a time is put, with a deadline.
 *
 * A question that is not answered in time is left with its worker: nobody can interrupt libvirt's call, but everybody
 * else goes on, and the worker is good again when the call returns. The connection is made with the first question and
 * anew when it broke; a question that met a broken connection is put once more.
 *
 * One thread (the inspector's) calls all functions but inspect_worker_cancel.
 */
#ifndef POLLERS_INSPECT_WORKER_H
#define POLLERS_INSPECT_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "pluvio/base/clock.h"
#include "pluvio/base/error.h"

struct connection;

/* What one asks; embedded first in a struct with inputs and answers. It owns all it needs: while its worker is stuck,
 * whoever asked may be gone. */
struct ask {
    /* In the worker's thread. 0, or a negative errno with @error. */
    int (*run)(struct ask *ask, struct connection *connection, struct error *error);
    void (*free)(struct ask *ask);
};

struct inspect_worker;
/* @uri is copied; @clock outlives the worker and whatever it is stuck in. */
int inspect_worker_create(struct inspect_worker **ret, const char *uri, struct clock *clock)
    __attribute__((warn_unused_result));
/* Ends it, waiting a second at most; one that is stuck is left to end itself when libvirt's call returns. Takes NULL.
 */
void inspect_worker_destroy(struct inspect_worker *w);

/* False: a question that was left is still with libvirt. */
bool inspect_worker_idle(struct inspect_worker *w);
/* Put @ask to an idle worker, which owns it until inspect_worker_wait gives it back. -EAGAIN: no thread to be had, the
 * ask is freed. */
int inspect_worker_put(struct inspect_worker *w, struct ask *ask, struct error *error)
    __attribute__((warn_unused_result));
/* 0: answered; the ask is the caller's again, *ret_result what run() returned, with @error if negative.
 * -ETIMEDOUT or -ECANCELED: not yet; wait again or leave it. */
int inspect_worker_wait(struct inspect_worker *w, int64_t deadline_boot_ns, int *ret_result, struct error *error)
    __attribute__((warn_unused_result));
/* Give the question up: its answer will be thrown away. */
void inspect_worker_leave(struct inspect_worker *w);

/* From any thread: wait() returns -ECANCELED from now on. */
void inspect_worker_cancel(struct inspect_worker *w);
/* Connections opened so far. */
uint64_t inspect_worker_connects(struct inspect_worker *w);

#endif
