#include "acknowledge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest_figures.h"
#include "pluvio/base/map.h"

struct waiting_lane {
    struct waiting_lane *next;
    char key[LANE_KEY_SIZE];
    char outbox[OUTBOX_ID_SIZE];
    unsigned lane;
};

struct waiting_offset {
    char cluster[128], topic[256];
    int32_t partition;
    int64_t offset;
    bool waits;
};

struct acknowledger {
    const char *topic;
    struct map lanes; /* key -> struct waiting_lane */
    struct waiting_lane *first;
    struct waiting_offset *offsets;
    size_t offset_count;
    struct buf key, value;
};

struct acknowledger *acknowledger_create(const char *ack_topic)
{
    struct acknowledger *a = calloc(1, sizeof *a);
    if (a)
        a->topic = ack_topic;
    return a;
}

static void drop_lane(struct acknowledger *a)
{
    struct waiting_lane *w = a->first;
    a->first = w->next;
    map_take(&a->lanes, text_of(w->key));
    free(w);
}

void acknowledger_destroy(struct acknowledger *a)
{
    if (!a)
        return;
    while (a->first)
        drop_lane(a);
    map_free(&a->lanes);
    free(a->offsets);
    buf_free(&a->key);
    buf_free(&a->value);
    free(a);
}

void acknowledge_mark(struct acknowledger *a, const char *outbox, unsigned lane)
{
    char bytes[LANE_KEY_SIZE];
    struct text key = lane_key(outbox, lane, bytes);
    if (map_get(&a->lanes, key) || a->lanes.count >= ACKNOWLEDGE_MAX_WAITING)
        return;
    struct waiting_lane *w = calloc(1, sizeof *w);
    if (!w)
        return; /* its poller asks again */
    text_copy(text_of(outbox), w->outbox, sizeof w->outbox);
    w->lane = lane;
    if (map_put(&a->lanes, lane_key(outbox, lane, w->key), w)) {
        free(w);
        return;
    }
    w->next = a->first;
    a->first = w;
}

static void add_known(void *context, const char *outbox, unsigned lane, uint64_t mark)
{
    (void)mark;
    acknowledge_mark(context, outbox, lane);
}

void acknowledge_all(struct acknowledger *a, struct ledger *l)
{
    ledger_each_mark(l, add_known, a);
}

static struct waiting_offset *offset_of(struct acknowledger *a, int32_t partition)
{
    for (size_t i = 0; i < a->offset_count; i++)
        if (a->offsets[i].partition == partition)
            return &a->offsets[i];
    if (a->offset_count == KAFKA_MAX_PARTITIONS)
        return NULL;
    struct waiting_offset *wider = realloc(a->offsets, (a->offset_count + 1) * sizeof *wider);
    if (!wider)
        return NULL;
    a->offsets = wider;
    a->offsets[a->offset_count] = (struct waiting_offset){.partition = partition};
    return &a->offsets[a->offset_count++];
}

void acknowledge_offset(struct acknowledger *a, const char *cluster, const char *topic, int32_t partition,
                        int64_t offset)
{
    struct waiting_offset *w = offset_of(a, partition);
    if (!w)
        return;
    snprintf(w->cluster, sizeof w->cluster, "%s", cluster);
    snprintf(w->topic, sizeof w->topic, "%s", topic);
    w->offset = offset;
    w->waits = true;
}

static int publish(struct acknowledger *a, const struct ack *ack, struct writer *writer)
{
    buf_clear(&a->key);
    buf_clear(&a->value);
    ack_format(ack, &a->key, &a->value);
    struct outgoing m = {.topic = a->topic, .partition = -1, .key = buf_text(&a->key), .value = buf_text(&a->value)};
    int r = writer->produce(writer, &m);
    figure_add(&figure_acks, r == 0);
    return r;
}

static int publish_offsets(struct acknowledger *a, struct writer *writer)
{
    for (size_t i = 0; i < a->offset_count; i++) {
        struct waiting_offset *w = &a->offsets[i];
        struct ack ack = {.kind = ACK_OFFSET, .partition = w->partition, .offset = w->offset};
        if (!w->waits)
            continue;
        memcpy(ack.cluster, w->cluster, sizeof ack.cluster);
        memcpy(ack.topic, w->topic, sizeof ack.topic);
        int r = publish(a, &ack, writer);
        if (r)
            return r;
        w->waits = false;
    }
    return 0;
}

int acknowledge_publish(struct acknowledger *a, struct ledger *l, struct writer *writer)
{
    struct delivery report;
    int r = 0;
    while (a->first && r == 0) {
        struct ack ack = {.kind = ACK_MARK, .lane = a->first->lane};
        memcpy(ack.outbox, a->first->outbox, sizeof ack.outbox);
        ack.mark = ledger_mark(l, ack.outbox, ack.lane);
        r = publish(a, &ack, writer);
        if (r == 0)
            drop_lane(a);
    }
    if (r == 0)
        r = publish_offsets(a, writer);
    while (r != -ENOTCONN) {
        int more = writer->poll(writer, 0, &report);
        if (more == 0)
            break;
        r = more < 0 ? more : r;
    }
    return r == -ENOTCONN ? r : 0;
}
