/* Where reading stands: partitions with their generation, and the outboxes' marks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger_private.h"

#define EARLIEST (-2)

static struct held_partition *find(const struct ledger *l, int32_t partition)
{
    for (size_t i = 0; i < l->partition_count; i++)
        if (l->partitions[i].partition == partition)
            return &l->partitions[i];
    return NULL;
}

static struct held_partition *hold(struct ledger *l, const char *topic, int32_t partition)
{
    struct held_partition *h = find(l, partition);
    if (h)
        return h;
    struct held_partition *wider = l->partition_count == LEDGER_MAX_PARTITIONS
                                       ? NULL
                                       : realloc(l->partitions, (l->partition_count + 1) * sizeof *wider);
    char *name = wider ? strdup(topic) : NULL;
    if (wider)
        l->partitions = wider;
    if (!name) {
        db_fail(l->db, -ENOMEM, "no room for partition %d", partition);
        return NULL;
    }
    h = &l->partitions[l->partition_count++];
    *h = (struct held_partition){.topic = name, .partition = partition};
    return h;
}

void ledger_take(struct ledger *l, const char *topic, int32_t partition, const char *cluster, int64_t *ret_offset)
{
    struct held_partition *h = hold(l, topic, partition);
    if (!h)
        return;
    struct db_row *q = db_query(l->db, "INSERT INTO partition(topic, partition, cluster, generation, next_offset) "
                                       "VALUES(?1,?2,?3,1,-2) ON CONFLICT DO UPDATE SET generation = generation + 1, "
                                       "next_offset = iif(cluster = excluded.cluster, next_offset, -2), "
                                       "cluster = excluded.cluster RETURNING generation, next_offset");
    db_bind_text(q, 1, text_of(topic));
    db_bind_i64(q, 2, partition);
    db_bind_text(q, 3, text_of(cluster));
    if (db_step(q)) {
        h->generation = db_i64(q, 0);
        h->committed = h->next = *ret_offset = db_i64(q, 1);
    }
    db_reset(q);
}

void ledger_advance(struct ledger *l, int32_t partition, int64_t next_offset)
{
    struct held_partition *h = find(l, partition);
    if (h)
        h->next = next_offset;
    else
        db_fail(l->db, -EAGAIN, "partition %d is not ours", partition);
}

void ledger_release(struct ledger *l, int32_t partition)
{
    struct held_partition *h = find(l, partition);
    if (!h)
        return;
    free(h->topic);
    *h = l->partitions[--l->partition_count];
}

int64_t ledger_position_of(const struct ledger *l, int32_t partition)
{
    const struct held_partition *h = find(l, partition);
    return h ? h->committed : -1;
}

static void write_partition(struct ledger *l, const struct held_partition *h)
{
    struct db_row *q = db_query(l->db, "UPDATE partition SET next_offset=?1 WHERE topic=?2 AND partition=?3 AND "
                                       "generation=?4 AND next_offset=?5");
    db_bind_i64(q, 1, h->next);
    db_bind_text(q, 2, text_of(h->topic));
    db_bind_i64(q, 3, h->partition);
    db_bind_i64(q, 4, h->generation);
    db_bind_i64(q, 5, h->committed);
    db_run(q);
    if (!db_failed(l->db) && db_changes(l->db) != 1)
        db_fail(l->db, -ESTALE, "%s: partition %d of %s was taken over", db_path(l->db), h->partition, h->topic);
}

void ledger_write_partitions(struct ledger *l)
{
    for (size_t i = 0; i < l->partition_count; i++)
        if (l->partitions[i].next != l->partitions[i].committed)
            write_partition(l, &l->partitions[i]);
}

void ledger_commit_partitions(struct ledger *l, bool done)
{
    for (size_t i = 0; i < l->partition_count; i++) {
        struct held_partition *h = &l->partitions[i];
        if (done)
            h->committed = h->next;
        else
            h->next = h->committed;
    }
}

void ledger_free_partitions(struct ledger *l)
{
    for (size_t i = 0; i < l->partition_count; i++)
        free(l->partitions[i].topic);
    free(l->partitions);
    l->partitions = NULL;
    l->partition_count = 0;
}

static struct cached_mark *read_mark(struct ledger *l, const char *outbox, unsigned lane)
{
    struct cached_mark *c = calloc(1, sizeof *c);
    if (!c || map_put(&l->marks, lane_key(outbox, lane, c->key), c)) {
        free(c);
        db_fail(l->db, -ENOMEM, "out of memory for a mark");
        return NULL;
    }
    c->lane = lane;
    text_copy(text_of(outbox), c->outbox, sizeof c->outbox);
    struct db_row *q = db_query(l->db, "SELECT mark, newest_ms FROM mark WHERE outbox=?1 AND lane=?2");
    db_bind_text(q, 1, text_of(outbox));
    db_bind_i64(q, 2, lane);
    if (db_step(q)) {
        c->mark = (uint64_t)db_i64(q, 0);
        c->newest_ms = db_i64(q, 1);
    }
    db_reset(q);
    return c;
}

static struct cached_mark *mark_of(struct ledger *l, const char *outbox, unsigned lane)
{
    char key[LANE_KEY_SIZE];
    struct cached_mark *c = map_get(&l->marks, lane_key(outbox, lane, key));
    return c ? c : read_mark(l, outbox, lane);
}

uint64_t ledger_mark(struct ledger *l, const char *outbox, unsigned lane)
{
    const struct cached_mark *c = mark_of(l, outbox, lane);
    return c ? c->mark : 0;
}

void ledger_set_mark(struct ledger *l, const char *outbox, unsigned lane, uint64_t mark, int64_t newest_ms)
{
    struct cached_mark *c = mark_of(l, outbox, lane);
    if (!c)
        return;
    c->mark = mark;
    c->newest_ms = newest_ms > c->newest_ms ? newest_ms : c->newest_ms;
    if (c->dirty)
        return;
    c->dirty = true;
    c->next_dirty = l->dirty_marks;
    l->dirty_marks = c;
}

static void write_mark(struct ledger *l, const struct cached_mark *c)
{
    struct db_row *q = db_query(l->db, "INSERT INTO mark(outbox, lane, mark, newest_ms, seen_ms) "
                                       "VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET mark=excluded.mark, "
                                       "newest_ms=excluded.newest_ms, seen_ms=excluded.seen_ms");
    db_bind_text(q, 1, text_of(c->outbox));
    db_bind_i64(q, 2, c->lane);
    db_bind_i64(q, 3, (int64_t)c->mark);
    db_bind_i64(q, 4, c->newest_ms);
    db_bind_i64(q, 5, l->now_ms);
    db_run(q);
}

void ledger_write_marks(struct ledger *l)
{
    for (struct cached_mark *c; (c = l->dirty_marks);) {
        l->dirty_marks = c->next_dirty;
        c->dirty = false;
        write_mark(l, c);
    }
}

void ledger_each_mark(struct ledger *l, void (*each)(void *context, const char *outbox, unsigned lane, uint64_t mark),
                      void *context)
{
    struct db_row *q = db_query(l->db, "SELECT outbox, lane, mark FROM mark");
    while (db_step(q)) {
        char outbox[OUTBOX_ID_SIZE];
        text_copy(db_text(q, 0), outbox, sizeof outbox);
        each(context, outbox, (unsigned)db_i64(q, 1), (uint64_t)db_i64(q, 2));
    }
    db_reset(q);
}

void ledger_drop_marks(struct ledger *l)
{
    size_t cursor = 0;
    for (struct cached_mark *c; (c = map_next(&l->marks, &cursor));)
        free(c);
    map_free(&l->marks);
    l->dirty_marks = NULL;
}
