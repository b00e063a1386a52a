/* What the inspector's threads share: how they start, and how they wait for a time that no clock step changes. */
#ifndef POLLERS_INSPECTOR_THREAD_H
#define POLLERS_INSPECTOR_THREAD_H

#include <pthread.h>
#include <stdint.h>

/* A thread that takes no signals: those belong to the program's main thread. Detached where @ret is NULL. 0 or a
 * negative errno. */
int thread_start(pthread_t *ret, void *(*run)(void *), void *argument) __attribute__((warn_unused_result));

/* A lock, and a condition for thread_wait. */
void thread_lock_init(pthread_mutex_t *lock, pthread_cond_t *condition);
/* With @lock held: until @condition is signalled or @wait_ns have passed (also spuriously: look again). */
void thread_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t wait_ns);

#endif
