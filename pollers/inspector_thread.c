#include "inspector_thread.h"

#include <signal.h>
#include <time.h>

#include "pluvio/base/clock.h"

int thread_start(pthread_t *ret, void *(*run)(void *), void *argument)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = -pthread_create(&thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r < 0)
        return r;
    if (ret)
        *ret = thread;
    else
        pthread_detach(thread);
    return 0;
}

void thread_lock_init(pthread_mutex_t *lock, pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(lock, NULL);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void thread_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t wait_ns)
{
    const int64_t longest_ns = 3600 * NS_PER_S;
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + (wait_ns < 0 ? 0 : wait_ns > longest_ns ? longest_ns : wait_ns);
    at = (struct timespec){.tv_sec = at.tv_sec + ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    (void)pthread_cond_timedwait(condition, lock, &at);
}
