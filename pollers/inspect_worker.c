#include "inspect_worker.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "inspector_connection.h"
#include "inspector_thread.h"

#define GOODBYE_NS (1 * NS_PER_S) /* an idle worker gets this long to close its connection */

enum worker_state {
    WORKER_IDLE,
    WORKER_ASKED,   /* the ask is with the thread */
    WORKER_ANSWERED /* the ask waits to be taken back */
};

struct inspect_worker {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned holders; /* the inspector, and the thread once it runs; the last one frees */
    bool running, stopping, cancelled, left, finished;
    enum worker_state state;
    struct ask *ask;
    int result;
    struct error error;
    uint64_t connects;
    struct clock *clock;
    struct connection *connection; /* the thread's alone */
    char *uri;
};

int inspect_worker_create(struct inspect_worker **ret, const char *uri, struct clock *clock)
{
    struct inspect_worker *w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    w->uri = strdup(uri);
    if (!w->uri) {
        free(w);
        return -ENOMEM;
    }
    thread_lock_init(&w->lock, &w->changed);
    w->holders = 1;
    w->clock = clock;
    *ret = w;
    return 0;
}

/* Called with the lock held, which is gone afterwards. */
static void let_go(struct inspect_worker *w)
{
    bool last = --w->holders == 0;
    pthread_mutex_unlock(&w->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w->uri);
    free(w);
}

static int connected(struct inspect_worker *w, struct error *error)
{
    if (w->connection && connection_alive(w->connection))
        return 0;
    connection_close(w->connection);
    w->connection = NULL;
    int r = connection_open(&w->connection, w->uri, error);
    if (r == 0) {
        pthread_mutex_lock(&w->lock);
        w->connects++;
        pthread_mutex_unlock(&w->lock);
    }
    return r;
}

static bool given_up(struct inspect_worker *w)
{
    pthread_mutex_lock(&w->lock);
    bool up = w->left;
    pthread_mutex_unlock(&w->lock);
    return up;
}

/* That a connection is broken often shows only in use: then the question is put once more, on a new one. */
static int answer(struct inspect_worker *w, struct ask *ask, struct error *error)
{
    int r = connected(w, error);
    if (r < 0)
        return r;
    r = ask->run(ask, w->connection, error);
    if (r == 0 || given_up(w) || connection_alive(w->connection))
        return r;
    r = connected(w, error);
    return r < 0 ? r : ask->run(ask, w->connection, error);
}

/* With the lock held. */
static void serve(struct inspect_worker *w)
{
    struct ask *ask = w->ask;
    struct error error = {0};
    pthread_mutex_unlock(&w->lock);
    int r = answer(w, ask, &error);
    pthread_mutex_lock(&w->lock);
    w->result = r;
    w->error = error;
    w->state = WORKER_ANSWERED;
    if (w->left) {
        w->ask = NULL;
        w->state = WORKER_IDLE;
        w->left = false;
        ask->free(ask);
    }
    pthread_cond_broadcast(&w->changed);
}

static void *run_worker(void *argument)
{
    struct inspect_worker *w = argument;
    pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        if (w->state == WORKER_ASKED)
            serve(w);
        else
            pthread_cond_wait(&w->changed, &w->lock);
    }
    struct ask *unserved = w->state == WORKER_ASKED ? w->ask : NULL;
    pthread_mutex_unlock(&w->lock);
    if (unserved)
        unserved->free(unserved);
    connection_close(w->connection);
    pthread_mutex_lock(&w->lock);
    w->finished = true;
    pthread_cond_broadcast(&w->changed);
    let_go(w);
    return NULL;
}

/* With the lock held. */
static int start(struct inspect_worker *w)
{
    int r = thread_start(NULL, run_worker, w);
    if (r == 0) {
        w->running = true;
        w->holders++;
    }
    return r;
}

bool inspect_worker_idle(struct inspect_worker *w)
{
    pthread_mutex_lock(&w->lock);
    bool idle = w->state == WORKER_IDLE;
    pthread_mutex_unlock(&w->lock);
    return idle;
}

int inspect_worker_put(struct inspect_worker *w, struct ask *ask, struct error *error)
{
    pthread_mutex_lock(&w->lock);
    assert(w->state == WORKER_IDLE);
    int r = w->running ? 0 : start(w);
    if (r == 0) {
        w->ask = ask;
        w->state = WORKER_ASKED;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    if (r < 0) {
        ask->free(ask);
        error_set(error, r, "no thread for libvirt: %s", strerror(-r));
    }
    return r;
}

/* With the lock held. False: it is @until_boot_ns. */
static bool wait_some(struct inspect_worker *w, int64_t until_boot_ns)
{
    int64_t left_ns = until_boot_ns - clock_boot_ns(w->clock);
    if (left_ns > 0)
        thread_wait(&w->changed, &w->lock, left_ns);
    return left_ns > 0;
}

void inspect_worker_destroy(struct inspect_worker *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    if (w->state == WORKER_ASKED)
        w->left = true;
    else if (w->ask)
        w->ask->free(w->ask);
    pthread_cond_broadcast(&w->changed);
    int64_t until_ns = clock_boot_ns(w->clock) + GOODBYE_NS;
    while (w->running && !w->left && !w->finished && wait_some(w, until_ns))
        ;
    let_go(w);
}

int inspect_worker_wait(struct inspect_worker *w, int64_t deadline_boot_ns, int *ret_result, struct error *error)
{
    pthread_mutex_lock(&w->lock);
    while (w->state == WORKER_ASKED && !w->cancelled && wait_some(w, deadline_boot_ns))
        ;
    int r = w->cancelled ? -ECANCELED : -ETIMEDOUT;
    if (w->state == WORKER_ANSWERED) {
        r = 0;
        *ret_result = w->result;
        if (w->result < 0)
            *error = w->error;
        w->ask = NULL;
        w->state = WORKER_IDLE;
    }
    pthread_mutex_unlock(&w->lock);
    return r;
}

void inspect_worker_leave(struct inspect_worker *w)
{
    pthread_mutex_lock(&w->lock);
    if (w->state == WORKER_ASKED)
        w->left = true;
    struct ask *answered = w->state == WORKER_ANSWERED ? w->ask : NULL;
    if (answered) {
        w->ask = NULL;
        w->state = WORKER_IDLE;
    }
    pthread_mutex_unlock(&w->lock);
    if (answered)
        answered->free(answered);
}

void inspect_worker_cancel(struct inspect_worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->cancelled = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

uint64_t inspect_worker_connects(struct inspect_worker *w)
{
    pthread_mutex_lock(&w->lock);
    uint64_t connects = w->connects;
    pthread_mutex_unlock(&w->lock);
    return connects;
}
