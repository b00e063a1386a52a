/* Hearing the ledger's word (rules R6, R10). */
#include <errno.h>

#include "publisher_private.h"

#define CATCH_UP_NS   (10LL * 1000000000) /* then what was heard so far counts */
#define WATERMARKS_MS 1000
#define MAX_AT_ONCE   5000

void publisher_forget_acks(struct publisher *p)
{
    p->caught_up = false;
    p->catch_up_ns = 0;
    p->to_catch_up = 0;
    p->unheard[0] = 0;
    for (size_t i = 0; i < KAFKA_MAX_PARTITIONS; i++)
        p->read_offsets[i] = p->ends[i] = p->heard[i] = -1;
    for (unsigned i = 0; i < RECORD_LANES; i++)
        p->lanes[i].heard = false;
}

void publisher_land(struct publisher_lane *l)
{
    size_t gone = 0;
    while (l->count && l->flights[l->count - 1].sequence > l->release.sent) /* it went back: they fly again */
        l->bytes -= l->flights[--l->count].bytes;
    for (; gone < l->count && l->flights[gone].sequence <= l->release.mark; gone++)
        l->bytes -= l->flights[gone].bytes;
    if (gone == 0)
        return;
    memmove(l->flights, l->flights + gone, (l->count - gone) * sizeof *l->flights);
    l->count -= gone;
}

static void assigned(struct publisher *p, const struct reader_event *event, int64_t now_ns)
{
    p->catch_up_ns = now_ns;
    p->to_catch_up = 0;
    p->unheard[0] = 0;
    for (size_t i = 0; i < event->partition_count; i++) {
        int32_t partition = event->partitions[i];
        int64_t low, high;
        if (partition >= KAFKA_MAX_PARTITIONS)
            continue;
        p->ends[partition] = -1;
        if (p->acks->watermarks(p->acks, partition, WATERMARKS_MS, &low, &high) == 0 && high > low &&
            high > p->heard[partition]) {
            p->ends[partition] = high - 1;
            p->to_catch_up++;
        }
    }
    p->caught_up = p->to_catch_up == 0;
}

static void note_position(struct publisher *p, const struct message *m)
{
    if (m->partition >= KAFKA_MAX_PARTITIONS)
        return;
    p->heard[m->partition] = m->offset + 1;
    if (p->ends[m->partition] < 0 || m->offset < p->ends[m->partition])
        return;
    p->ends[m->partition] = -1;
    p->to_catch_up -= p->to_catch_up > 0;
    p->caught_up |= p->to_catch_up == 0;
}

static void take_offset(struct publisher *p, const struct ack *a)
{
    const char *cluster = p->writer->cluster_id(p->writer);
    if (cluster && strcmp(cluster, a->cluster) == 0 && strcmp(p->settings.topic, a->topic) == 0 &&
        a->partition < KAFKA_MAX_PARTITIONS)
        p->read_offsets[a->partition] = a->offset;
}

static void note_trouble(struct publisher *p, const char *reason)
{
    text_copy(text_of(reason ? reason : ""), p->unheard, sizeof p->unheard);
}

static void take_message(struct publisher *p, const struct message *m)
{
    struct ack a;
    p->unheard[0] = 0;
    note_position(p, m);
    if (!m->value.data || !ack_parse(m->key, m->value, &a))
        return;
    if (a.kind == ACK_OFFSET) {
        take_offset(p, &a);
    } else if (strcmp(a.outbox, outbox_id(p->outbox)) == 0) {
        p->lanes[a.lane].heard = true;
        p->lanes[a.lane].newest = a.mark;
        p->figures.acks++;
    }
}

/* The newest word of each lane, once; what lies between is history. */
static void apply(struct publisher *p, int64_t now_ns)
{
    for (unsigned i = 0; i < RECORD_LANES; i++) {
        struct publisher_lane *l = &p->lanes[i];
        if (!l->heard)
            continue;
        l->heard = false;
        release_acked(&l->release, l->newest, outbox_last(p->outbox, i), now_ns);
        outbox_set_mark(p->outbox, i, l->release.mark);
        publisher_land(l);
        p->figures.last_ack_boot_ns = now_ns;
    }
}

int publisher_hear(struct publisher *p, int64_t now_ns)
{
    struct reader_event event = {0};
    int r = 0;
    for (int i = 0; i < MAX_AT_ONCE && (r = p->acks->next(p->acks, 0, &event)) > 0; i++) {
        if (event.kind == READER_ASSIGNED)
            assigned(p, &event, now_ns);
        else if (event.kind == READER_MESSAGE)
            take_message(p, &event.message);
        else if (event.kind == READER_DOWN)
            note_trouble(p, event.reason);
    }
    if (r < 0) {
        note_trouble(p, event.reason);
        return -ENOTCONN;
    }
    if (!p->caught_up && p->catch_up_ns && now_ns - p->catch_up_ns > CATCH_UP_NS)
        p->caught_up = true;
    if (p->caught_up)
        apply(p, now_ns);
    return 0;
}
