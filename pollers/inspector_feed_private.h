/* What the files of the feed share: its thread and callbacks (inspector_feed.c), and what the inspector asks of it
 * (inspector_feed_take.c). Nobody else's. */
#ifndef POLLERS_INSPECTOR_FEED_PRIVATE_H
#define POLLERS_INSPECTOR_FEED_PRIVATE_H

#include <pthread.h>

#include "inspector_feed.h"
#include "inspector_last.h"
#include "inspector_queue.h"

#define CALLBACKS_MAX 8

struct connection;

struct feed {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned holders; /* the inspector, the thread, every registered callback; the last one frees */
    bool stopping, cancelled, finished, attempted, listening, closed, closing_told;
    uint64_t connects;
    struct event_queue *queue;
    struct clock *clock;
    int wake_fd;
    char *uri;
    struct last_reader *last; /* NULL once the thread has ended */
    /* The thread's alone: */
    struct connection *connection;
    int callbacks[CALLBACKS_MAX];
    size_t callback_count;
    int64_t backoff_ns;
    bool told; /* the outage has had its log line */
};

/* libvirt's lifecycle event with its detail as ours. False: a later libvirt's. */
bool feed_event_kind(int event, int detail, enum lifecycle_kind *ret);
/* The domain is paused and may be about to be saved, or to be elsewhere. Not one that waits for its storage: who asks
 * it hangs. */
bool feed_event_goes_away(int event, int detail);

#endif
