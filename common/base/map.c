#include "pluvio/base/map.h"

#include <errno.h>
#include <stdlib.h>

void map_free(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}

/* The slot of @key, or the free one where it would stand. cap > 0. */
static struct map_slot *find(const struct map *m, struct text key, uint64_t hash)
{
    size_t i = hash & (m->cap - 1);
    while (m->slots[i].value && !(m->slots[i].hash == hash && text_equal(m->slots[i].key, key)))
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

void *map_get(const struct map *m, struct text key)
{
    return m->cap ? find(m, key, text_hash_quick(key))->value : NULL;
}

static int grow(struct map *m)
{
    struct map wider = {.cap = m->cap ? m->cap * 2 : 16, .count = m->count};
    wider.slots = calloc(wider.cap, sizeof *wider.slots);
    if (!wider.slots)
        return -ENOMEM;
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].value)
            *find(&wider, m->slots[i].key, m->slots[i].hash) = m->slots[i];
    free(m->slots);
    *m = wider;
    return 0;
}

int map_put(struct map *m, struct text key, void *value)
{
    if (4 * (m->count + 1) > 3 * m->cap && grow(m))
        return -ENOMEM;
    uint64_t hash = text_hash_quick(key);
    *find(m, key, hash) = (struct map_slot){key, hash, value};
    m->count++;
    return 0;
}

void *map_take(struct map *m, struct text key)
{
    struct map_slot *slot = m->cap ? find(m, key, text_hash_quick(key)) : NULL;
    if (!slot || !slot->value)
        return NULL;
    void *value = slot->value;
    m->count--;
    /* Close the gap: whoever was pushed past this slot moves back, so that no walk meets a hole too early. */
    size_t mask = m->cap - 1, hole = (size_t)(slot - m->slots);
    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct map_slot){0};
    return value;
}

void *map_next(const struct map *m, size_t *cursor)
{
    while (*cursor < m->cap) {
        void *value = m->slots[(*cursor)++].value;
        if (value)
            return value;
    }
    return NULL;
}
