#include "deadlines.h"

#include <sys/socket.h>

void deadlines_add(struct deadlines *s, struct deadline *d)
{
    pthread_mutex_lock(&s->lock);
    d->previous = NULL;
    d->next = s->first;
    if (s->first)
        s->first->previous = d;
    s->first = d;
    pthread_mutex_unlock(&s->lock);
}

void deadlines_move(struct deadlines *s, struct deadline *d, int64_t at_ns)
{
    pthread_mutex_lock(&s->lock);
    d->at_ns = at_ns;
    pthread_mutex_unlock(&s->lock);
}

void deadlines_remove(struct deadlines *s, struct deadline *d)
{
    pthread_mutex_lock(&s->lock);
    if (d->next)
        d->next->previous = d->previous;
    if (d->previous)
        d->previous->next = d->next;
    else
        s->first = d->next;
    pthread_mutex_unlock(&s->lock);
}

int deadlines_step(struct deadlines *s, int64_t now_ns, int64_t *ret_next_ns)
{
    int over = 0;
    *ret_next_ns = 0;
    pthread_mutex_lock(&s->lock);
    for (struct deadline *d = s->first; d; d = d->next) {
        if (d->at_ns <= now_ns) {
            shutdown(d->fd, SHUT_RDWR);
            d->at_ns = INT64_MAX; /* once */
            over++;
        } else if (d->at_ns != INT64_MAX && (!*ret_next_ns || d->at_ns < *ret_next_ns)) {
            *ret_next_ns = d->at_ns;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return over;
}
