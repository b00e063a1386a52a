#include "pluvio/base/figures.h"

#include <pthread.h>

static struct figure *first, **last = &first;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void figure_register(struct figure *f)
{
    pthread_mutex_lock(&lock);
    struct figure *known = first;
    while (known && known != f)
        known = known->next;
    if (!known) {
        f->next = NULL;
        *last = f;
        last = &f->next;
    }
    pthread_mutex_unlock(&lock);
}

void figures_print(struct buf *out)
{
    const char *before = "";
    pthread_mutex_lock(&lock);
    for (const struct figure *f = first; f; f = f->next) {
        if (strcmp(before, f->name) != 0)
            buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name,
                     f->type == FIGURE_COUNTER ? "counter" : "gauge");
        before = f->name;
        buf_addf(out, f->labels ? "%s{%s} %lld\n" : "%s%s %lld\n", f->name, f->labels ? f->labels : "",
                 (long long)atomic_load_explicit(&f->value, memory_order_relaxed));
    }
    pthread_mutex_unlock(&lock);
}
