#include "sim/fake_log.h"

#include <stdio.h>
#include <stdlib.h>

struct log_partition *fake_log_partition(struct fake_log *log, int partition)
{
    return partition < 0 ? &log->acks : &log->data[partition];
}

static void name_cluster(struct fake_log *log)
{
    snprintf(log->cluster, sizeof log->cluster, "cluster-%u", ++log->clusters);
}

void fake_log_init(struct fake_log *log, const int64_t *now_ns, struct random *random, int partitions)
{
    *log = (struct fake_log){.now_ns = now_ns, .random = random, .partitions = partitions};
    log->flying_tail = &log->flying;
    name_cluster(log);
}

void log_partition_empty(struct log_partition *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->items[i].bytes);
    free(p->items);
    *p = (struct log_partition){0};
}

size_t log_partition_find(const struct log_partition *p, int64_t offset)
{
    size_t low = 0, high = p->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (p->items[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- faults ---- */

void fake_log_lose_tail(struct fake_log *log, int partition, int64_t messages)
{
    struct log_partition *p = fake_log_partition(log, partition);
    p->next = p->next - messages > p->low ? p->next - messages : p->low;
    while (p->count && p->items[p->count - 1].offset >= p->next)
        free(p->items[--p->count].bytes);
}

void fake_log_forget_head(struct fake_log *log, int partition, int64_t messages)
{
    struct log_partition *p = fake_log_partition(log, partition);
    p->low = p->low + messages < p->next ? p->low + messages : p->next;
    size_t gone = log_partition_find(p, p->low);
    for (size_t i = 0; i < gone; i++)
        free(p->items[i].bytes);
    p->count -= gone;
    if (gone)
        memmove(p->items, p->items + gone, p->count * sizeof *p->items);
}

static bool is_newest(const struct log_partition *p, size_t index)
{
    for (size_t i = index + 1; i < p->count; i++)
        if (text_equal(p->items[i].key, p->items[index].key))
            return false;
    return true;
}

void fake_log_compact(struct fake_log *log)
{
    struct log_partition *p = &log->acks;
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (is_newest(p, i))
            p->items[kept++] = p->items[i];
        else
            free(p->items[i].bytes);
    }
    p->count = kept;
}

void fake_log_wipe(struct fake_log *log, bool moved)
{
    for (int i = -1; i < log->partitions; i++)
        log_partition_empty(fake_log_partition(log, i));
    name_cluster(log);
    log->address += moved;
    if (!moved)
        fake_group_rebalance(log);
}

void fake_log_kill_handles(struct fake_log *log)
{
    fake_readers_kill(log);
    fake_writers_kill(log);
}
