#include "workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pluvio/base/clock.h"

#define TICK_MS 500

struct queue {
    struct job *first, **last;
    size_t count;
};

struct worker {
    struct workers *all;
    pthread_t thread;
    void *state;
    bool quick; /* takes nothing else */
};

struct workers {
    struct workers_settings settings;
    pthread_mutex_t lock; /* of the queues and `stopping` */
    pthread_cond_t work, quick_work;
    struct queue queue, quick_queue;
    bool stopping;
    int started;
    struct worker workers[WORKERS_MAX + 1];
};

static void push(struct queue *q, struct job *job)
{
    job->next = NULL;
    *q->last = job;
    q->last = &job->next;
    q->count++;
}

static struct job *pop(struct queue *q)
{
    struct job *job = q->first;
    if (!job)
        return NULL;
    q->first = job->next;
    if (!q->first)
        q->last = &q->first;
    q->count--;
    return job;
}

static struct job *take(struct worker *w)
{
    struct job *job = pop(&w->all->quick_queue);
    return job || w->quick ? job : pop(&w->all->queue);
}

static void wait_for_work(struct worker *w)
{
    struct workers *all = w->all;
    struct timespec until;
    if (!w->quick) {
        pthread_cond_wait(&all->work, &all->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * NS_PER_MS;
    until.tv_sec += until.tv_nsec / NS_PER_S;
    until.tv_nsec %= NS_PER_S;
    pthread_cond_timedwait(&all->quick_work, &all->lock, &until);
}

static void *worker_run(void *argument)
{
    struct worker *w = argument;
    struct workers *all = w->all;
    pthread_mutex_lock(&all->lock);
    for (;;) {
        struct job *job = take(w);
        if (!job && all->stopping)
            break;
        if (!job)
            wait_for_work(w);
        pthread_mutex_unlock(&all->lock);
        if (job)
            job->run(job, w->state);
        if (w->quick && all->settings.tick)
            all->settings.tick(all->settings.tick_context);
        pthread_mutex_lock(&all->lock);
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

static int start_one(struct workers *all, bool quick, struct error *error)
{
    const struct workers_settings *settings = &all->settings;
    struct worker *w = &all->workers[all->started];
    *w = (struct worker){.all = all, .quick = quick};
    int r = settings->state_open ? settings->state_open(settings->context, &w->state, error) : 0;
    if (r)
        return r;
    int code = pthread_create(&w->thread, NULL, worker_run, w);
    if (code && settings->state_close)
        settings->state_close(w->state);
    if (code)
        return error_set(error, -code, "cannot start a thread: %s", strerror(code));
    all->started++;
    return 0;
}

static void init(struct workers *w, const struct workers_settings *settings)
{
    pthread_condattr_t attributes;
    w->settings = *settings;
    if (w->settings.count < 1)
        w->settings.count = 1;
    if (w->settings.count > WORKERS_MAX)
        w->settings.count = WORKERS_MAX;
    w->queue.last = &w->queue.first;
    w->quick_queue.last = &w->quick_queue.first;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    pthread_cond_init(&w->quick_work, &attributes);
    pthread_condattr_destroy(&attributes);
}

int workers_start(struct workers **ret, const struct workers_settings *settings, struct error *error)
{
    struct workers *w = calloc(1, sizeof *w);
    if (!w)
        return error_set(error, -ENOMEM, "out of memory");
    init(w, settings);
    int r = 0;
    for (int i = 0; i <= w->settings.count && r == 0; i++)
        r = start_one(w, i == 0, error);
    if (r) {
        workers_stop(w);
        workers_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

int workers_give(struct workers *w, struct job *job, bool quick)
{
    struct queue *q = quick ? &w->quick_queue : &w->queue;
    pthread_mutex_lock(&w->lock);
    int r = w->stopping ? -ESHUTDOWN : q->count < WORKERS_MAX_WAITING ? 0 : -EAGAIN;
    if (r == 0) {
        push(q, job);
        pthread_cond_signal(quick ? &w->quick_work : &w->work);
    }
    pthread_mutex_unlock(&w->lock);
    return r;
}

void workers_stop(struct workers *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->work);
    pthread_cond_broadcast(&w->quick_work);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->started; i++) {
        pthread_join(w->workers[i].thread, NULL);
        if (w->settings.state_close)
            w->settings.state_close(w->workers[i].state);
    }
    w->started = 0;
}

void workers_free(struct workers *w)
{
    if (!w)
        return;
    pthread_cond_destroy(&w->work);
    pthread_cond_destroy(&w->quick_work);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
