/* Events between libvirt and the poller: bounded, in order, and with the last CPU time of a guest that goes down.
 *
 * Pure: not thread-safe, no clock. libvirt tells SHUTDOWN while the guest's process still runs and STOPPED when it is
 * gone, with no id. The first opens a tail, somebody reads the CPU time, and the second takes it along; until it was
 * read the STOPPED waits, and whatever came later behind it, for at most TAIL_PATIENCE_NS.
 */
#ifndef POLLERS_INSPECTOR_QUEUE_H
#define POLLERS_INSPECTOR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspector.h"

#define EVENTS_MAX       4096 /* more are dropped, counted, and make all XML stale */
#define STALE_MAX        1024 /* more mean: all */
#define TAILS_MAX        64   /* more are stopped without a last reading */
#define TAIL_PATIENCE_NS 2000000000LL
#define TAIL_LIFE_NS     60000000000LL /* a SHUTDOWN with no STOPPED for so long was none */

struct event_queue;
struct event_queue *event_queue_create(void); /* NULL: out of memory */
void event_queue_destroy(struct event_queue *q);

/* What e->paused points to is the queue's from here on, and then the taker's. */
void event_queue_add(struct event_queue *q, const struct lifecycle_event *e);
/* 1: the oldest; 0: none, or it waits for its CPU time. */
int event_queue_take(struct event_queue *q, int64_t now_boot_ns, struct lifecycle_event *ret);
bool event_queue_ready(const struct event_queue *q, int64_t now_boot_ns); /* take() would give one */
uint64_t event_queue_dropped(const struct event_queue *q);

/* The guest of @e (uuid, id, stamps) goes down. */
void event_queue_tail_begin(struct event_queue *q, const struct lifecycle_event *e);
/* True: *ret names a guest whose CPU time is to be read now; then event_queue_tail_end. */
bool event_queue_tail_next(struct event_queue *q, struct lifecycle_event *ret);
void event_queue_tail_end(struct event_queue *q, const struct lifecycle_event *e, struct reading cpu);

/* An empty @uuid: all. */
void event_queue_mark_stale(struct event_queue *q, const char *uuid);
/* 1: one that is stale (empty: all); 0: no more. */
int event_queue_take_stale(struct event_queue *q, char uuid[UUID_SIZE]);

#endif
