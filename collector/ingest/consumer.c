#include "consumer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "pluvio/base/log.h"

#define WAIT_MS  100
#define PAUSE_MS 500 /* after a failure */

struct consumer {
    pthread_t thread;
    struct ingest *ingest;
    atomic_bool stop;
    pthread_mutex_t lock;
    struct error failing; /* of the newest step; code 0: it is well */
    void (*fatal)(void *context);
    void *context;
};

static void note(struct consumer *c, const struct error *error)
{
    pthread_mutex_lock(&c->lock);
    c->failing = *error;
    pthread_mutex_unlock(&c->lock);
}

bool consumer_healthy(struct consumer *c, struct buf *why)
{
    pthread_mutex_lock(&c->lock);
    bool well = c->failing.code == 0;
    if (!well)
        buf_add_string(why, c->failing.text);
    pthread_mutex_unlock(&c->lock);
    return well;
}

static void *run(void *argument)
{
    struct consumer *c = argument;
    struct log_limit limit = {0};
    while (!atomic_load(&c->stop)) {
        struct error error = {0};
        int r = ingest_step(c->ingest, WAIT_MS, &error);
        if (r || c->failing.code) /* written by this thread alone */
            note(c, &error);
        if (r == 0)
            continue;
        if (r == -ESTALE) {
            log_error("%s: this collector stops", error.text);
            c->fatal(c->context);
            return NULL;
        }
        log_limited(&limit, clock_boot_ns(clock_system()), 10 * NS_PER_S, LOG_LEVEL_ERROR,
                    "%s; nothing is lost, trying again", error.text);
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * NS_PER_MS}, NULL);
    }
    struct error error = {0};
    if (ingest_finish(c->ingest, &error))
        log_warning("%s: the last records are read again at the next start", error.text);
    return NULL;
}

int consumer_start(struct consumer **ret, struct ingest *in, void (*fatal)(void *context), void *context,
                   struct error *error)
{
    struct consumer *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(error, -ENOMEM, "out of memory");
    pthread_mutex_init(&c->lock, NULL);
    c->ingest = in;
    c->fatal = fatal;
    c->context = context;
    int r = pthread_create(&c->thread, NULL, run, c);
    if (r) {
        pthread_mutex_destroy(&c->lock);
        free(c);
        return error_set(error, -r, "cannot start the ingest thread");
    }
    *ret = c;
    return 0;
}

void consumer_stop(struct consumer *c)
{
    if (!c)
        return;
    atomic_store(&c->stop, true);
    pthread_join(c->thread, NULL);
    ingest_destroy(c->ingest);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
