#include "inspector_feed_private.h"

#include "inspector_thread.h"

bool feed_wait_listening(struct feed *f, int64_t deadline_boot_ns)
{
    pthread_mutex_lock(&f->lock);
    while (!f->attempted && !f->cancelled && clock_boot_ns(f->clock) < deadline_boot_ns)
        thread_wait(&f->changed, &f->lock, deadline_boot_ns - clock_boot_ns(f->clock));
    bool listening = f->listening;
    pthread_mutex_unlock(&f->lock);
    return listening;
}

void feed_retry(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    if (!f->listening && f->attempted)
        pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

void feed_cancel(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    f->cancelled = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

int feed_take(struct feed *f, struct lifecycle_event *ret, bool *ret_more)
{
    pthread_mutex_lock(&f->lock);
    int r = event_queue_take(f->queue, clock_boot_ns(f->clock), ret);
    *ret_more = event_queue_ready(f->queue, clock_boot_ns(f->clock));
    pthread_mutex_unlock(&f->lock);
    return r;
}

bool feed_has_event(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    bool ready = event_queue_ready(f->queue, clock_boot_ns(f->clock));
    pthread_mutex_unlock(&f->lock);
    return ready;
}

int feed_stale(struct feed *f, char uuid[UUID_SIZE])
{
    pthread_mutex_lock(&f->lock);
    int r = event_queue_take_stale(f->queue, uuid);
    pthread_mutex_unlock(&f->lock);
    return r;
}

uint64_t feed_dropped(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    uint64_t dropped = event_queue_dropped(f->queue);
    pthread_mutex_unlock(&f->lock);
    return dropped;
}

uint64_t feed_connects(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    uint64_t connects = f->connects;
    pthread_mutex_unlock(&f->lock);
    return connects;
}
