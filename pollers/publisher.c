#include "publisher.h"

#include <errno.h>
#include <stdlib.h>

#include "publisher_private.h"

#define BACKOFF_FIRST_NS (1LL * 1000000000)
#define BACKOFF_MAX_NS   (10LL * 1000000000)
#define HEAR_NS          (200LL * 1000000) /* how often the ledger's word is looked for */
#define SEND_AT_ONCE     500               /* records a step and lane */
#define LOG_PERIOD_NS    (60LL * 1000000000)
#define REPORT_NS        (3600LL * 1000000000) /* a client that says nothing for so long has forgotten */

int publisher_create(struct publisher **ret, const struct publisher_settings *settings,
                     const struct publisher_ports *ports, struct outbox *outbox)
{
    struct publisher *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->settings = *settings;
    p->ports = *ports;
    p->outbox = outbox;
    p->backoff_ns = BACKOFF_FIRST_NS;
    for (unsigned i = 0; i < RECORD_LANES; i++)
        release_start(&p->lanes[i].release, outbox_mark(outbox, i), 0);
    publisher_forget_acks(p);
    *ret = p;
    return 0;
}

static void close_handles(struct publisher *p)
{
    if (p->writer)
        p->writer->destroy(p->writer);
    if (p->acks)
        p->acks->destroy(p->acks);
    p->writer = NULL;
    p->acks = NULL;
    p->cluster[0] = 0;
    p->figures.connected = false;
}

void publisher_destroy(struct publisher *p)
{
    if (!p)
        return;
    close_handles(p);
    for (unsigned i = 0; i < RECORD_LANES; i++)
        free(p->lanes[i].flights);
    free(p);
}

static void empty_flights(struct publisher_lane *l)
{
    l->count = 0;
    l->bytes = 0;
}

/* While the client holds records for brokers that are away, the ledger's silence says nothing: to send them again would
 * only make copies, which all come at once when the brokers are back. */
static void wait_for_reports(struct publisher_lane *l, int64_t now_ns)
{
    if (l->unreported && now_ns - l->reported_ns < REPORT_NS)
        l->release.progress_ns = now_ns;
}

/* Whatever was on its way with the old handles may be lost. */
static void rewind_all(struct publisher *p, int64_t now_ns)
{
    publisher_forget_acks(p);
    for (unsigned i = 0; i < RECORD_LANES; i++) {
        release_rewind(&p->lanes[i].release, now_ns);
        empty_flights(&p->lanes[i]);
        p->lanes[i].unreported = 0;
    }
}

static void tell(struct publisher *p, const char *reason, int64_t now_ns)
{
    log_limited(&p->trouble_limit, now_ns, LOG_PERIOD_NS, LOG_LEVEL_WARNING,
                "%s; records wait in the outbox, trying on", reason);
}

static void retry_later(struct publisher *p, int64_t now_ns)
{
    close_handles(p);
    p->retry_ns = now_ns + p->backoff_ns;
    p->backoff_ns = 2 * p->backoff_ns < BACKOFF_MAX_NS ? 2 * p->backoff_ns : BACKOFF_MAX_NS;
}

static bool open_handles(struct publisher *p, int64_t now_ns)
{
    struct error error = {0};
    if (p->writer && p->acks)
        return true;
    if (now_ns < p->retry_ns)
        return false;
    close_handles(p);
    int r = p->ports.open_writer(p->ports.context, &p->writer, &error);
    if (r == 0)
        r = p->ports.open_acks(p->ports.context, &p->acks, &error);
    if (r) {
        retry_later(p, now_ns);
        tell(p, error.text, now_ns);
        return false;
    }
    rewind_all(p, now_ns);
    return true;
}

/* ---- sending ---- */

static uint64_t tag_of(unsigned lane, uint64_t sequence)
{
    return sequence * RECORD_LANES + lane;
}

static int64_t partition_bytes(const struct publisher *p, int partition, int partitions)
{
    int64_t bytes = 0;
    for (int i = partition; i < RECORD_LANES; i += partitions)
        bytes += p->lanes[i].bytes;
    return bytes;
}

static bool fly(struct publisher_lane *l, uint64_t sequence, int64_t bytes)
{
    if (l->count == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        struct in_flight *wider = realloc(l->flights, cap * sizeof *wider);
        if (!wider)
            return false;
        l->flights = wider;
        l->cap = cap;
    }
    l->flights[l->count++] = (struct in_flight){sequence, bytes};
    l->bytes += bytes;
    return true;
}

static int produce(struct publisher *p, const struct outbox_record *r, int partitions)
{
    char header[ENVELOPE_SIZE];
    struct envelope e = {.lane = r->lane, .sequence = r->sequence, .previous = r->previous};
    memcpy(e.outbox, outbox_id(p->outbox), sizeof e.outbox);
    struct outgoing m = {.topic = p->settings.topic,
                         .partition = (int32_t)(r->lane % (unsigned)partitions),
                         .key = r->key,
                         .value = r->payload,
                         .record = envelope_format(&e, header),
                         .tag = tag_of(r->lane, r->sequence)};
    return p->writer->produce(p->writer, &m);
}

/* 1: sent, go on with this lane; 0: not now; -ENOTCONN. */
static int send_one(struct publisher *p, unsigned lane, int partitions, int64_t now_ns)
{
    struct publisher_lane *l = &p->lanes[lane];
    struct outbox_record r;
    struct error error;
    int found = outbox_after(p->outbox, lane, l->release.sent, &r, &error);
    if (found <= 0) {
        if (found < 0)
            log_limited(&p->drop_limit, now_ns, LOG_PERIOD_NS, LOG_LEVEL_ERROR, "%s", error.text);
        return 0;
    }
    int result = produce(p, &r, partitions);
    if (result == -EMSGSIZE) {
        log_limited(
            &p->drop_limit, now_ns, LOG_PERIOD_NS, LOG_LEVEL_ERROR,
            "a record of %zu bytes is larger than the broker takes: it is dropped; raise message.max.bytes there "
            "and under kafka: here",
            r.payload.len);
        outbox_drop(p->outbox, lane, r.sequence);
        return 1;
    }
    if (result)
        return result == -ENOTCONN ? result : 0;
    release_sent(&l->release, r.sequence, now_ns);
    if (l->unreported++ == 0)
        l->reported_ns = now_ns;
    p->figures.produced++;
    p->turn = (lane + 1) % RECORD_LANES;
    p->budget -= (int64_t)r.payload.len;
    return fly(l, r.sequence, (int64_t)r.payload.len);
}

static int say_hello(struct publisher *p, unsigned lane, int partitions, int64_t now_ns)
{
    char header[ENVELOPE_SIZE];
    struct envelope e = {.lane = lane, .sequence = outbox_last(p->outbox, lane)};
    memcpy(e.outbox, outbox_id(p->outbox), sizeof e.outbox);
    struct outgoing m = {.topic = p->settings.topic,
                         .partition = (int32_t)(lane % (unsigned)partitions),
                         .key = text_of(outbox_id(p->outbox)),
                         .value = TEXT(""),
                         .hello = hello_format(&e, text_of(p->settings.host_uuid), header),
                         .tag = UINT64_MAX};
    int r = p->writer->produce(p->writer, &m);
    if (r == 0) {
        release_hello_sent(&p->lanes[lane].release, now_ns);
        p->figures.hellos++;
    }
    return r == -ENOTCONN ? r : 0;
}

/* What the drain rate allows: at most one second's worth at once. */
static void refill(struct publisher *p, int64_t now_ns)
{
    int64_t rate = p->settings.bytes_per_second;
    if (rate == 0) {
        p->budget = INT64_MAX / 2;
        return;
    }
    int64_t since = p->budget_ns ? now_ns - p->budget_ns : 1000000000;
    since = since < 1000000000 ? since : 1000000000;
    p->budget += rate * (since / 1000) / 1000000;
    p->budget = p->budget < rate ? p->budget : rate;
    p->budget_ns = now_ns;
}

static int64_t read_offset(const struct publisher *p, unsigned lane)
{
    int32_t partition = p->lanes[lane].release.partition;
    return partition >= 0 && partition < KAFKA_MAX_PARTITIONS ? p->read_offsets[partition] : -1;
}

static int drive_lane(struct publisher *p, unsigned lane, int partitions, int64_t now_ns, int64_t *wake_ns)
{
    struct publisher_lane *l = &p->lanes[lane];
    wait_for_reports(l, now_ns);
    for (int i = 0; i < SEND_AT_ONCE; i++) {
        uint64_t resends = l->release.resends;
        int64_t wake;
        uint64_t held = outbox_held(p->outbox, lane); /* a newer one was too large for any broker */
        uint64_t last = held > l->release.mark ? held : l->release.mark;
        bool room =
            p->budget > 0 && partition_bytes(p, (int)lane % partitions, partitions) < p->settings.in_flight_bytes;
        enum release_step step = release_next(&l->release, last, room, read_offset(p, lane), now_ns, &wake);
        if (l->release.resends != resends)
            empty_flights(l);
        *wake_ns = wake < *wake_ns ? wake : *wake_ns;
        if (step == RELEASE_HELLO)
            return say_hello(p, lane, partitions, now_ns);
        int sent = step == RELEASE_SEND ? send_one(p, lane, partitions, now_ns) : 0;
        if (sent <= 0)
            return sent;
    }
    *wake_ns = now_ns;
    return 0;
}

static const char *refusal(int result)
{
    if (result == -EMSGSIZE)
        return ", which is larger than the topic's max.message.bytes: raise that";
    return result == -EACCES ? ": no right to write to the topic or the cluster" : "";
}

static int take_reports(struct publisher *p, int64_t now_ns)
{
    struct delivery d;
    int r;
    while ((r = p->writer->poll(p->writer, 0, &d)) > 0) {
        if (d.tag == UINT64_MAX)
            continue;
        struct publisher_lane *l = &p->lanes[d.tag % RECORD_LANES];
        wait_for_reports(l, now_ns);
        l->unreported -= l->unreported > 0;
        l->reported_ns = now_ns;
        if (d.result == 0) {
            p->figures.delivered++;
            p->backoff_ns = BACKOFF_FIRST_NS;
            release_delivered(&l->release, d.tag / RECORD_LANES, d.partition, d.offset);
        } else {
            p->figures.failed++;
            log_limited(&p->refusal_limit, now_ns, LOG_PERIOD_NS, LOG_LEVEL_WARNING,
                        "the broker did not take a record%s; it is sent again", refusal(d.result));
            release_failed(&l->release, now_ns);
            empty_flights(l);
        }
    }
    return r;
}

/* Another cluster's data at the same address: what was delivered is not there, nor are the words that were heard. */
static bool cluster_changed(struct publisher *p)
{
    const char *id = p->writer->cluster_id(p->writer);
    bool changed = id && *p->cluster && strcmp(id, p->cluster) != 0;
    if (id)
        text_copy(text_of(id), p->cluster, sizeof p->cluster);
    return changed;
}

/* Why nothing is sent or nothing is heard. What is only heard no more is told once: a log that nobody writes to does
 * not say when it can be read again. */
static void tell_trouble(struct publisher *p, bool dead, int64_t now_ns)
{
    const char *reason = dead || !p->figures.connected ? p->writer->reason(p->writer) : NULL;
    if (reason || *p->unheard)
        tell(p, reason ? reason : p->unheard, now_ns);
    if (p->caught_up && p->to_catch_up == 0)
        p->unheard[0] = 0;
}

static int step(struct publisher *p, int64_t now_ns, int64_t *wake_ns)
{
    int r = take_reports(p, now_ns);
    if (r == 0 && cluster_changed(p))
        return -ENOTCONN;
    if (r == 0)
        r = publisher_hear(p, now_ns);
    int partitions = r == 0 ? p->writer->partitions(p->writer, p->settings.topic) : 0;
    p->figures.connected = partitions > 0;
    if (partitions <= 0 || !p->caught_up)
        return r;
    refill(p, now_ns);
    for (unsigned i = 0, first = p->turn; i < RECORD_LANES && r == 0; i++)
        r = drive_lane(p, (first + i) % RECORD_LANES, partitions, now_ns, wake_ns);
    return r;
}

int64_t publisher_step(struct publisher *p, int64_t now_ns, int64_t now_wall_ns)
{
    (void)now_wall_ns;
    int64_t wake = now_ns + HEAR_NS;
    if (p->writer && p->ports.moved && p->ports.moved(p->ports.context)) {
        close_handles(p);
        p->retry_ns = 0;
        p->backoff_ns = BACKOFF_FIRST_NS;
    }
    if (!open_handles(p, now_ns))
        return p->retry_ns < wake ? wake : p->retry_ns;
    bool dead = step(p, now_ns, &wake) < 0;
    tell_trouble(p, dead, now_ns);
    if (!dead)
        return wake;
    retry_later(p, now_ns);
    return p->retry_ns;
}

void publisher_flush(struct publisher *p, int timeout_ms)
{
    if (p->writer)
        p->writer->flush(p->writer, timeout_ms);
}

void publisher_figures(const struct publisher *p, struct publisher_figures *ret)
{
    *ret = p->figures;
    for (unsigned i = 0; i < RECORD_LANES; i++) {
        ret->resends += p->lanes[i].release.resends;
        ret->in_flight_bytes += (uint64_t)p->lanes[i].bytes;
    }
}
