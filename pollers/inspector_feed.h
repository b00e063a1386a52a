/* libvirt's events: a connection of its own, kept open by a thread of its own, and the bounded queue behind it.
 *
 * The connection asks QEMU nothing, so no guest can hang it. At a guest's SHUTDOWN its CPU time is read at once; the
 * STOPPED that follows carries it. Who is paused is asked by another connection, see inspector_last.h. Lost connections
 * are made anew with backoff; what was missed meanwhile is not invented: feed_stale() says that everything may have
 * changed.
 */
#ifndef POLLERS_INSPECTOR_FEED_H
#define POLLERS_INSPECTOR_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "inspector.h"
#include "pluvio/base/clock.h"

struct feed;
/* @wake_fd, an eventfd, is raised when an event can be taken; it is not touched after feed_destroy. */
int feed_create(struct feed **ret, const char *uri, struct clock *clock, int wake_fd)
    __attribute__((warn_unused_result));
void feed_destroy(struct feed *f); /* waits at most a second for libvirt; takes NULL */

/* True once events arrive; waits for the first attempt until @deadline_boot_ns. So what a list lacks, an event tells.
 */
bool feed_wait_listening(struct feed *f, int64_t deadline_boot_ns);
/* libvirt answers others: try to connect now, whatever the backoff says. */
void feed_retry(struct feed *f);
void feed_cancel(struct feed *f); /* any thread: nobody waits any more */

/* 1: one event; 0: none. @ret_more: another is there. */
int feed_take(struct feed *f, struct lifecycle_event *ret, bool *ret_more);
bool feed_has_event(struct feed *f);
/* 1: the XML of @uuid may have changed; 0: no more. An empty uuid means that of every domain. */
int feed_stale(struct feed *f, char uuid[UUID_SIZE]);
uint64_t feed_dropped(struct feed *f);
uint64_t feed_connects(struct feed *f);

#endif
