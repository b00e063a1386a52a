#include "thinning.h"

#define SLOTS 4096 /* entities told apart; two that share a slot are thinned as one */

static void find_newest(const struct thinning_record *records, size_t count, size_t *newest)
{
    for (size_t i = 0; i < SLOTS; i++)
        newest[i] = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        newest[records[i].key % SLOTS] = i;
}

/* One pass: every second reading of each entity that is still there. */
static int64_t pass(struct thinning_record *records, size_t count, const size_t *newest, int64_t bytes)
{
    bool odd[SLOTS] = {false};
    int64_t freed = 0;
    for (size_t i = 0; i < count && freed < bytes; i++) {
        struct thinning_record *r = &records[i];
        size_t slot = r->key % SLOTS;
        if (r->edge || r->drop || newest[slot] == i)
            continue;
        if (odd[slot]) {
            r->drop = true;
            freed += r->bytes;
        }
        odd[slot] = !odd[slot];
    }
    return freed;
}

int64_t thinning_choose(struct thinning_record *records, size_t count, int64_t bytes)
{
    size_t newest[SLOTS];
    int64_t freed = 0, more = 1;
    find_newest(records, count, newest);
    while (freed < bytes && more) {
        more = pass(records, count, newest, bytes - freed);
        freed += more;
    }
    return freed;
}
