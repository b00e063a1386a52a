#include "ingest.h"

#include <errno.h>
#include <stdlib.h>

#include "acknowledge.h"
#include "hosts.h"
#include "ingest_figures.h"
#include "pluvio/base/log.h"
#include "pluvio/wire/envelope.h"
#include "pluvio/wire/otlp.h"
#include "steps.h"

#define LOOK_AT_CLUSTER_NS NS_PER_S

struct ingest {
    struct ingest_settings settings;
    struct ingest_ports ports;
    struct ledger *ledger;
    struct reader *reader;
    struct writer *writer;
    char cluster[128];  /* whose partitions were taken; empty: unknown */
    int64_t cluster_ns; /* last looked at */
    struct accountant accountant;
    struct archive_steps steps;
    struct otlp_decoder decoder;
    struct hosts *hosts;
    struct acknowledger *acks;
    int32_t partitions[KAFKA_MAX_PARTITIONS];
    size_t partition_count;
    bool in_batch, busy; /* busy: the last wait brought a record */
    int64_t batch_ns, sweep_ns;
    size_t batch_bytes;
    struct log_limit gap_limit, dead_limit;
};

static int64_t now_ms(struct ingest *in)
{
    return clock_wall_ns(in->ports.clock) / NS_PER_MS;
}

/* What the ledger remembers, into memory. */
static int load(struct ingest *in, struct error *error)
{
    int r = ledger_load_live(in->ledger, error);
    return r ? r : hosts_load(in->hosts, clock_boot_ns(in->ports.clock), error);
}

int ingest_create(struct ingest **ret, const struct ingest_settings *settings, const struct ingest_ports *ports,
                  struct error *error)
{
    struct ingest *in = calloc(1, sizeof *in);
    struct acknowledger *acks = acknowledger_create(settings->ack_topic);
    struct hosts *hosts = hosts_create(ports->ledger, settings->takeover_ms * NS_PER_MS);
    if (!in || !acks || !hosts) {
        free(in);
        acknowledger_destroy(acks);
        hosts_destroy(hosts);
        return error_set(error, -ENOMEM, "out of memory");
    }
    in->settings = *settings;
    in->ports = *ports;
    in->ledger = ports->ledger;
    in->acks = acks;
    in->hosts = hosts;
    in->steps = archive_steps(ports->archive, settings->rules.step_ms);
    in->accountant.rules = settings->rules;
    in->accountant.book = ledger_book(ports->ledger);
    in->accountant.steps = &in->steps.port;
    in->sweep_ns = clock_boot_ns(ports->clock);
    ingest_figures_register();
    int r = load(in, error);
    if (r) {
        ingest_destroy(in);
        return r;
    }
    *ret = in;
    return 0;
}

static void close_handles(struct ingest *in)
{
    if (in->reader)
        in->reader->destroy(in->reader);
    if (in->writer)
        in->writer->destroy(in->writer);
    in->reader = NULL;
    in->writer = NULL;
    in->cluster[0] = '\0';
    for (size_t i = 0; i < in->partition_count; i++)
        ledger_release(in->ledger, in->partitions[i]);
    in->partition_count = 0;
}

void ingest_destroy(struct ingest *in)
{
    if (!in)
        return;
    if (in->in_batch) {
        ledger_rollback(in->ledger);
        in->ports.archive->forget(in->ports.archive);
    }
    close_handles(in);
    accountant_finish(&in->accountant);
    otlp_decoder_free(&in->decoder);
    acknowledger_destroy(in->acks);
    hosts_destroy(in->hosts);
    free(in);
}

/* ---- one batch ---- */

static void begin(struct ingest *in)
{
    if (in->in_batch)
        return;
    ledger_begin(in->ledger, now_ms(in));
    in->in_batch = true;
    in->batch_ns = clock_boot_ns(in->ports.clock);
    in->batch_bytes = 0;
    in->accountant.failed = in->steps.failed = false;
}

/* Read on from where the ledger is. */
static int seek_all(struct ingest *in, struct error *error)
{
    struct position positions[KAFKA_MAX_PARTITIONS];
    for (size_t i = 0; i < in->partition_count; i++)
        positions[i] = (struct position){in->partitions[i], ledger_position_of(in->ledger, in->partitions[i])};
    return in->reader && in->partition_count ? in->reader->start(in->reader, positions, in->partition_count, error) : 0;
}

static int give_up(struct ingest *in, int code)
{
    struct error second;
    in->ports.archive->forget(in->ports.archive);
    in->in_batch = false;
    figure_add(&figure_commit_failures, 1);
    if (load(in, &second) || seek_all(in, &second)) {
        log_warning("%s: the broker's handles are made anew", second.text);
        close_handles(in);
    }
    return code;
}

static void publish(struct ingest *in)
{
    struct position positions[KAFKA_MAX_PARTITIONS];
    size_t count = 0;
    for (size_t i = 0; i < in->partition_count && *in->cluster; i++) {
        int64_t offset = ledger_position_of(in->ledger, in->partitions[i]);
        if (offset < 0)
            continue;
        acknowledge_offset(in->acks, in->cluster, in->settings.topic, in->partitions[i], offset);
        positions[count++] = (struct position){in->partitions[i], offset};
    }
    if (count)
        in->reader->commit(in->reader, positions, count);
    if (in->writer && acknowledge_publish(in->acks, in->ledger, in->writer) == -ENOTCONN)
        close_handles(in);
}

static int commit(struct ingest *in, struct error *error)
{
    if (!in->in_batch)
        return 0;
    uint64_t number = ledger_commit_number(in->ledger);
    ledger_write_out(in->ledger);
    if (in->accountant.failed || in->steps.failed)
        ledger_fail(in->ledger, -ENOMEM, "out of memory while accounting");
    struct archive *archive = in->ports.archive;
    struct error sealed = {0};
    if (!ledger_failed(in->ledger) && archive->seal(archive, number, &sealed))
        ledger_fail(in->ledger, sealed.code, sealed.text);
    int r = ledger_commit(in->ledger, error);
    if (r)
        return give_up(in, r);
    archive->confirm(archive, number);
    in->in_batch = false;
    figure_add(&figure_commits, 1);
    ingest_figures_count(&in->accountant.counts);
    publish(in);
    ledger_trim(in->ledger);
    return 0;
}

/* ---- one record ---- */

static void set_aside(struct ingest *in, const struct message *m, const char *reason)
{
    ledger_dead_letter(in->ledger, in->settings.topic, m->partition, m->offset, reason, m->key, m->value);
    figure_add(&figure_dead_letters, 1);
    log_limited(&in->dead_limit, clock_boot_ns(in->ports.clock), 60 * NS_PER_S, LOG_LEVEL_WARNING,
                "record at %s/%d offset %lld set aside: %s; pluvio dead-letter shows it", in->settings.topic,
                m->partition, (long long)m->offset, reason);
}

static const char *apply_record(struct ingest *in, const struct record *r)
{
    struct entity *e = r->entity.len <= 256 ? ledger_entity(in->ledger, r->entity) : NULL;
    if (!e)
        return r->entity.len > 256 ? "entity id longer than 256 bytes" : NULL; /* else the ledger remembers why */
    ledger_describe(in->ledger, e, r);
    enum series_refusal refusal = series_apply(&in->accountant, e, r, now_ms(in));
    if (refusal)
        return series_refusal_name(refusal);
    figure_set(&figure_newest_ms, e->last_ms);
    return NULL;
}

/* NULL, or why it cannot be read. */
static const char *decode(struct ingest *in, const struct message *m)
{
    in->decoder.count = 0;
    if (m->wire.len && !text_equal(m->wire, TEXT(WIRE_VERSION)))
        return "unknown wire version";
    enum otlp_refusal refusal = otlp_decode(&in->decoder, m->value);
    return refusal ? otlp_refusal_name(refusal) : NULL;
}

/* What was decoded, or could not be; returns the time of its newest reading. */
static int64_t account(struct ingest *in, const struct message *m, const char *reason)
{
    int64_t newest_ms = 0;
    if (reason) {
        set_aside(in, m, reason);
        return 0;
    }
    for (size_t i = 0; i < in->decoder.count; i++) {
        reason = apply_record(in, &in->decoder.records[i]);
        if (reason)
            set_aside(in, m, reason);
        else if (in->accountant.newest_ms > newest_ms)
            newest_ms = in->accountant.newest_ms;
    }
    figure_add(&figure_records, 1);
    return newest_ms;
}

static bool admit(struct ingest *in, const char *outbox, struct text host)
{
    return hosts_admit(in->hosts, outbox, host, clock_boot_ns(in->ports.clock), &in->accountant.since_ms);
}

/* Rule R5: the mark moves only from at or behind the predecessor. A record that comes too early is accounted all the
 * same, since streams bear any order; it comes again. */
static void take_numbered(struct ingest *in, const struct message *m, const struct envelope *e)
{
    uint64_t mark = ledger_mark(in->ledger, e->outbox, e->lane);
    acknowledge_mark(in->acks, e->outbox, e->lane);
    if (e->sequence <= mark) {
        figure_add(&figure_duplicates, 1);
        return;
    }
    const char *reason = decode(in, m);
    if (!admit(in, e->outbox, in->decoder.count ? in->decoder.records[0].host_id : (struct text){0})) {
        figure_add(&figure_waiting_records, 1);
        return;
    }
    int64_t newest_ms = account(in, m, reason);
    bool next = mark >= e->previous;
    ledger_set_mark(in->ledger, e->outbox, e->lane, next ? e->sequence : mark, newest_ms);
    if (next)
        return;
    figure_add(&figure_gaps, 1);
    log_limited(&in->gap_limit, clock_boot_ns(in->ports.clock), 60 * NS_PER_S, LOG_LEVEL_INFO,
                "outbox %s lane %u: record %llu follows %llu, the ledger has %llu: waiting for what is between",
                e->outbox, e->lane, (unsigned long long)e->sequence, (unsigned long long)e->previous,
                (unsigned long long)mark);
}

static void take_hello(struct ingest *in, const struct message *m)
{
    struct envelope e;
    struct text host;
    if (!hello_parse(m->hello, &e, &host)) {
        set_aside(in, m, "hello that cannot be read");
        return;
    }
    figure_add(&figure_hellos, 1);
    admit(in, e.outbox, host);
    acknowledge_mark(in->acks, e.outbox, e.lane);
}

/* Another producer's. */
static void take_unnumbered(struct ingest *in, const struct message *m)
{
    in->accountant.since_ms = 0;
    account(in, m, decode(in, m));
}

static void take_message(struct ingest *in, const struct message *m)
{
    struct envelope e;
    begin(in);
    in->batch_bytes += m->value.len;
    figure_add(&figure_bytes, (int64_t)m->value.len);
    if (m->hello.len)
        take_hello(in, m);
    else if (m->record.len && !envelope_parse(m->record, &e))
        set_aside(in, m, "pluvio-record header that cannot be read");
    else if (m->record.len)
        take_numbered(in, m, &e);
    else
        take_unnumbered(in, m);
    ledger_advance(in->ledger, m->partition, m->offset + 1);
}

/* ---- assignment ---- */

/* Another cluster's data came up at the same address: its topics may not be there, its offsets are others (rule L1).
 * The handles are made anew, with the topics, and the partitions taken as another cluster's. */
static bool cluster_changed(struct ingest *in)
{
    const char *id = *in->cluster ? in->reader->cluster_id(in->reader) : NULL;
    return id && strcmp(id, in->cluster) != 0;
}

static int leave_cluster(struct ingest *in, struct error *error)
{
    log_warning("another cluster answers at the brokers' address; it is read from its beginning");
    int r = commit(in, error);
    close_handles(in);
    return r;
}

static int take_partitions(struct ingest *in, const struct reader_event *event, struct error *error)
{
    int r = commit(in, error);
    const char *cluster = in->reader->cluster_id(in->reader);
    int64_t offset;
    if (r)
        return r;
    text_copy(text_of(cluster), in->cluster, sizeof in->cluster);
    begin(in);
    in->partition_count = 0;
    for (size_t i = 0; i < event->partition_count && i < KAFKA_MAX_PARTITIONS; i++) {
        ledger_take(in->ledger, in->settings.topic, event->partitions[i], in->cluster, &offset);
        in->partitions[in->partition_count++] = event->partitions[i];
    }
    figure_set(&figure_partitions, (int64_t)in->partition_count);
    acknowledge_all(in->acks, in->ledger);
    r = commit(in, error);
    if (r == 0)
        log_info("reading %zu partitions of %s", in->partition_count, in->settings.topic);
    return r ? r : seek_all(in, error);
}

/* Where taking them fails (a full disk, say) the file does not have the generations that memory has, and the reader
 * waits for an answer: join the group anew. */
static int assigned(struct ingest *in, const struct reader_event *event, struct error *error)
{
    if (cluster_changed(in))
        return leave_cluster(in, error);
    int r = take_partitions(in, event, error);
    if (r)
        close_handles(in);
    return r;
}

static int revoked(struct ingest *in, struct error *error)
{
    int r = commit(in, error);
    for (size_t i = 0; i < in->partition_count; i++)
        ledger_release(in->ledger, in->partitions[i]);
    in->partition_count = 0;
    figure_set(&figure_partitions, 0);
    in->reader->release(in->reader);
    return r;
}

static int handle(struct ingest *in, const struct reader_event *event, struct error *error)
{
    switch (event->kind) {
    case READER_MESSAGE:
        if (event->message.offset >= 0)
            take_message(in, &event->message);
        return 0;
    case READER_ASSIGNED:
        return assigned(in, event, error);
    case READER_REVOKED:
        return revoked(in, error);
    case READER_RESET:
        log_warning("%s/%d: the position lay outside the log; reading goes on at its beginning, %lld",
                    in->settings.topic, event->partition, (long long)event->offset);
        begin(in);
        ledger_advance(in->ledger, event->partition, event->offset);
        return 0;
    case READER_DOWN:
        figure_set(&figure_broker_down, 1);
        log_warning("nothing can be read: %s; trying on", event->reason ? event->reason : "unknown");
        return 0;
    }
    return 0;
}

/* ---- silent entities ---- */

static int sweep(struct ingest *in, struct error *error)
{
    int64_t now = clock_boot_ns(in->ports.clock), wall = now_ms(in);
    size_t cursor = 0, count = 0;
    if (now - in->sweep_ns < INGEST_SWEEP_MS * NS_PER_MS)
        return 0;
    in->sweep_ns = now;
    for (struct entity *e; (e = ledger_next_entity(in->ledger, &cursor)); count++) {
        if (!e->live || !series_due(&in->accountant, e, wall))
            continue;
        begin(in);
        series_sweep(&in->accountant, e, wall);
    }
    figure_set(&figure_entities, (int64_t)count);
    return commit(in, error);
}

/* ---- the step ---- */

static int open_handles(struct ingest *in, struct error *error)
{
    int r = 0;
    if (!in->writer)
        r = in->ports.open_writer(in->ports.context, &in->writer, error);
    if (r == 0 && !in->reader)
        r = in->ports.open_reader(in->ports.context, &in->reader, error);
    return r;
}

static bool is_full(struct ingest *in)
{
    int64_t age = clock_boot_ns(in->ports.clock) - in->batch_ns;
    return in->batch_bytes >= INGEST_BATCH_BYTES || age >= INGEST_BACKLOG_MS * NS_PER_MS ||
           (!in->busy && age >= INGEST_LIVE_MS * NS_PER_MS);
}

int ingest_step(struct ingest *in, int wait_ms, struct error *error)
{
    struct reader_event event;
    int r = open_handles(in, error);
    if (r)
        return r;
    if (clock_boot_ns(in->ports.clock) - in->cluster_ns >= LOOK_AT_CLUSTER_NS) {
        in->cluster_ns = clock_boot_ns(in->ports.clock);
        if (cluster_changed(in))
            return leave_cluster(in, error);
    }
    r = in->reader->next(in->reader, in->in_batch ? INGEST_LIVE_MS / 5 : wait_ms, &event);
    if (r < 0) {
        r = commit(in, error);
        close_handles(in);
        return r ? r : error_set(error, -ENOTCONN, "the broker's handle is dead; making another");
    }
    in->busy = r > 0;
    if (r > 0 && event.kind != READER_DOWN)
        figure_set(&figure_broker_down, 0);
    int handled = r > 0 ? handle(in, &event, error) : 0;
    if (handled == 0 && in->in_batch && (is_full(in) || ledger_failed(in->ledger)))
        handled = commit(in, error);
    if (handled == 0)
        handled = sweep(in, error);
    /* Within a batch marks are not committed yet: they are no word to release by. */
    if (handled == 0 && !in->in_batch && in->writer &&
        acknowledge_publish(in->acks, in->ledger, in->writer) == -ENOTCONN)
        close_handles(in);
    return handled;
}

int ingest_finish(struct ingest *in, struct error *error)
{
    int r = commit(in, error);
    if (r == 0 && in->writer)
        in->writer->flush(in->writer, 500);
    return r;
}
