#include "allocation.h"

#include <errno.h>
#include <stdlib.h>

#include "split.h"

/* True if @a pays rather than @b where both claim. */
static bool precedes(const struct segment *a, const struct segment *b)
{
    if (a->running != b->running)
        return a->running;
    if (a->from_ms != b->from_ms)
        return a->from_ms > b->from_ms;
    return a->uid > b->uid;
}

static struct segment *payer(struct segment *segments, size_t count, int64_t from_ms, int64_t to_ms)
{
    struct segment *best = NULL;
    for (struct segment *s = segments; s < segments + count; s++)
        if (s->from_ms <= from_ms && s->to_ms >= to_ms && (!best || precedes(s, best)))
            best = s;
    return best;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

int allocation_divide(struct segment *segments, size_t count, int64_t low_ms, int64_t high_ms)
{
    for (size_t i = 0; i < count; i++)
        segments[i].won_ms = 0;
    if (count == 0)
        return 0;
    if (count == 1) {
        segments[0].won_ms = overlap_ms(segments[0].from_ms, segments[0].to_ms, low_ms, high_ms);
        return 0;
    }
    int64_t *edges = malloc(2 * count * sizeof *edges);
    if (!edges)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        edges[2 * i] = clamp(segments[i].from_ms, low_ms, high_ms);
        edges[2 * i + 1] = clamp(segments[i].to_ms, low_ms, high_ms);
    }
    qsort(edges, 2 * count, sizeof *edges, by_time);
    for (size_t i = 0; i + 1 < 2 * count; i++) {
        struct segment *s = edges[i] < edges[i + 1] ? payer(segments, count, edges[i], edges[i + 1]) : NULL;
        if (s)
            s->won_ms += edges[i + 1] - edges[i];
    }
    free(edges);
    return 0;
}
