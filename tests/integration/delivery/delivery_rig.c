#include "delivery_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pluvio/ledger/ledger_query.h"
#include "pluvio/model/record.h"
#include "pluvio/wire/otlp.h"

#define PERIOD_MS  300000
#define IDLE_NS    (400 * NS_PER_MS) /* then the clock jumps */
#define JUMP_NS    (5 * NS_PER_S)
#define PATIENCE_S 60
#define SPACING_NS (10 * NS_PER_S)

struct delivery_rig rig;

static int64_t rig_boot_ns(struct clock *self)
{
    (void)self;
    return clock_boot_ns(clock_system()) + rig.ahead_ns;
}

static int64_t rig_wall_ns(struct clock *self)
{
    (void)self;
    return clock_wall_ns(clock_system());
}

/* ---- the poller's side ---- */

static int open_poller_writer(void *context, struct writer **ret, struct error *error)
{
    struct kafka_settings s = kafka_broker_settings(&rig.broker);
    (void)context;
    rig.publisher_on = rig.broker.starts;
    return writer_open(ret, &s, error);
}

static int open_poller_acks(void *context, struct reader **ret, struct error *error)
{
    struct kafka_settings s = kafka_broker_settings(&rig.broker);
    (void)context;
    return reader_open_all(ret, &s, rig.broker.acks, error);
}

/* A real broker keeps its address. */
static bool poller_moved(void *context)
{
    (void)context;
    return rig.broker.kind == BROKER_EMBEDDED && rig.publisher_on != rig.broker.starts;
}

void publisher_start(void)
{
    struct publisher_ports ports = {open_poller_writer, open_poller_acks, poller_moved, NULL};
    struct publisher_settings settings = {.topic = rig.broker.topic, .host_uuid = "host-1", .in_flight_bytes = 1 << 20};
    struct outbox_settings o = {.path = rig.outbox_path,
                                .max_bytes = 1 << 26,
                                .keep_ms = 86400000,
                                .waiting_max_bytes = 1 << 20,
                                .random = random_system()};
    struct buf notice = {0};
    struct error e;
    ck_assert_msg(outbox_open(&rig.outbox, &o, &notice, &e) == 0, "%s", e.text);
    ck_assert_uint_eq(notice.len, 0);
    ck_assert_int_eq(publisher_create(&rig.publisher, &settings, &ports, rig.outbox), 0);
}

void publisher_kill(void)
{
    publisher_destroy(rig.publisher);
    outbox_close(rig.outbox);
    rig.publisher = NULL;
    rig.outbox = NULL;
}

/* ---- the collector's side ---- */

static int open_ingest_reader(void *context, struct reader **ret, struct error *error)
{
    struct kafka_settings s = kafka_broker_settings(&rig.broker);
    const char *group = rig.broker.kind == BROKER_EMBEDDED ? NULL : rig.broker.topic; /* as the collector does */
    (void)context;
    return reader_open_group(ret, &s, rig.broker.topic, group, error);
}

static int open_ingest_writer(void *context, struct writer **ret, struct error *error)
{
    struct kafka_settings s = kafka_broker_settings(&rig.broker);
    (void)context;
    return writer_open(ret, &s, error);
}

void ingest_start(void)
{
    struct ledger_settings l = {.path = rig.ledger_path,
                                .vfs = rig.ledger_vfs,
                                .holder = "test",
                                .period_ms = PERIOD_MS,
                                .now_ms = rig_wall_ns(NULL) / NS_PER_MS};
    struct ingest_settings settings = {.topic = rig.broker.topic,
                                       .ack_topic = rig.broker.acks,
                                       .rules = {.period_ms = PERIOD_MS,
                                                 .step_ms = 60000,
                                                 .late_ms = 40 * 86400000LL,
                                                 .future_ms = 3600000,
                                                 .grace_ms = 600000}};
    struct error e;
    ck_assert_msg(ledger_open(&rig.ledger, &l, &e) == 0, "%s", e.text);
    rig.archive = fake_archive_make();
    struct ingest_ports ports = {rig.ledger,         &rig.archive->port, &rig.clock,
                                 open_ingest_reader, open_ingest_writer, NULL};
    ck_assert_msg(ingest_create(&rig.ingest, &settings, &ports, &e) == 0, "%s", e.text);
}

void ingest_kill(void)
{
    if (!rig.ingest)
        return;
    ingest_destroy(rig.ingest);
    ledger_close(rig.ledger);
    rig.archive->port.destroy(&rig.archive->port);
    rig.ingest = NULL;
    rig.ledger = NULL;
}

/* ---- all ---- */

void delivery_rig_set_up(void)
{
    memset(&rig, 0, sizeof rig);
    kafka_broker_open(&rig.broker, PARTITIONS);
    folder_make(rig.folder);
    folder_path(rig.folder, "outbox.db", rig.outbox_path, sizeof rig.outbox_path);
    folder_path(rig.folder, "ledger.db", rig.ledger_path, sizeof rig.ledger_path);
    rig.clock = (struct clock){rig_wall_ns, rig_boot_ns};
    rig.base_ns = (rig_wall_ns(NULL) / NS_PER_S - 4 * 3600) * NS_PER_S;
    random_seed(&rig.random, 1);
    publisher_start();
    ingest_start();
}

void delivery_rig_tear_down(void)
{
    publisher_kill();
    ingest_kill();
    kafka_broker_close(&rig.broker);
    folder_remove(rig.folder);
}

void broker_away(void (*how)(struct kafka_broker *b))
{
    if (rig.broker.kind == BROKER_EMBEDDED)
        ingest_kill();
    how(&rig.broker);
}

void broker_back(void (*how)(struct kafka_broker *b))
{
    bool embedded = rig.broker.kind == BROKER_EMBEDDED;
    if (embedded)
        ingest_kill();
    how(&rig.broker);
    if (embedded)
        ingest_start();
}

static void copy_file(const char *from, const char *to)
{
    char command[2 * FOLDER_SIZE + 64];
    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    ck_assert_int_eq(system(command), 0);
}

void ledger_copy(const char *name)
{
    char path[FOLDER_SIZE + 16];
    ck_assert_ptr_null(rig.ledger);
    copy_file(rig.ledger_path, folder_path(rig.folder, name, path, sizeof path));
}

void ledger_restore(const char *name)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    char path[FOLDER_SIZE + 32];
    ck_assert_ptr_null(rig.ledger);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", rig.ledger_path, parts[i]);
        unlink(path);
    }
    copy_file(folder_path(rig.folder, name, path, sizeof path), rig.ledger_path);
}

/* ---- records ---- */

static void add_point(struct record *r, enum meter_id meter, struct text device, uint64_t stream, int64_t value,
                      int64_t start_ns, int64_t time_ns)
{
    struct point *p = record_add_point(r);
    ck_assert_ptr_nonnull(p);
    p->meter = meter_at(meter);
    p->name = text_of(p->meter->name);
    p->unit = text_of(p->meter->unit);
    p->type = p->meter->type;
    p->kind = p->meter->kind;
    p->device = device;
    p->stream = stream;
    p->value = value;
    p->start_ns = start_ns;
    p->time_ns = time_ns;
}

static void make_record(struct record *r, struct buf *payload)
{
    char entity[32];
    int vm = rig.records % VMS;
    int64_t used = (int64_t)random_below(&rig.random.port, 1000000007), read = 1 + used / 3;
    int64_t time_ns = rig.base_ns + (1 + rig.records / VMS) * SPACING_NS;
    snprintf(entity, sizeof entity, "vm-%d", vm);
    record_clear(r);
    r->entity = text_of(entity);
    r->project = TEXT("red");
    r->state = TEXT("running");
    rig.cpu[vm] += used;
    rig.cpu_total += used;
    rig.disk_total += read;
    add_point(r, METER_CPU, (struct text){0}, (uint64_t)vm + 1, rig.cpu[vm], rig.base_ns, time_ns);
    add_point(r, METER_DISK_READ_BYTES, TEXT("vda"), 1000 + (uint64_t)rig.records, read, time_ns - SPACING_NS, time_ns);
    r->points[1].ended = true;
    rig.records++;
    buf_clear(payload);
    otlp_encode(payload, r);
    ck_assert(!payload->failed);
    ck_assert_int_eq(outbox_add(rig.outbox, r->entity, buf_text(payload), OUTBOX_EDGE, time_ns / NS_PER_MS), 0);
}

void make_records(int count)
{
    struct record r = {0};
    struct buf payload = {0};
    struct error e;
    for (int i = 0; i < count; i++)
        make_record(&r, &payload);
    outbox_begin(rig.outbox);
    ck_assert_msg(outbox_commit(rig.outbox, 0, &e) == 0, "%s", e.text);
    record_free(&r);
    buf_free(&payload);
}

/* ---- time ---- */

static uint64_t progress(void)
{
    uint64_t sum = rig.ledger ? ledger_commit_number(rig.ledger) : 0;
    for (unsigned i = 0; i < RECORD_LANES && rig.outbox; i++)
        sum += outbox_mark(rig.outbox, i);
    return sum;
}

static void turn(void)
{
    static uint64_t last;
    static int64_t moved_ns;
    struct error e = {0};
    int64_t real = clock_boot_ns(clock_system());
    if (rig.publisher)
        publisher_step(rig.publisher, rig_boot_ns(NULL), rig_wall_ns(NULL));
    int r = rig.ingest ? ingest_step(rig.ingest, 20, &e) : 0;
    ck_assert_msg(r != -ESTALE, "%s", e.text);
    if (r < 0)
        rig.trouble = e;
    if (progress() != last || moved_ns == 0 || r) {
        last = progress();
        moved_ns = real;
    } else if (real - moved_ns > IDLE_NS) {
        rig.ahead_ns += JUMP_NS;
        moved_ns = real;
    }
}

void pump(int turns)
{
    for (int i = 0; i < turns; i++)
        turn();
}

/* ---- what came of it ---- */

wide booked(const char *meter)
{
    struct usage_query q = {.from_ms = rig.base_ns / NS_PER_MS - 86400000,
                            .to_ms = rig.base_ns / NS_PER_MS + 2 * 86400000LL,
                            .step = USAGE_TOTAL,
                            .meter = text_of(meter),
                            .limit = 10};
    struct ledger_reader *l;
    struct usage_page page;
    struct error e;
    ck_assert_msg(ledger_reader_open(&l, rig.ledger_path, &e) == 0, "%s", e.text);
    ck_assert_msg(ledger_usage(l, &q, &page, &e) == 0, "%s", e.text);
    ck_assert_uint_le(page.count, 1);
    wide sum = page.count ? page.rows[0].quantity : 0;
    usage_page_free(&page);
    ledger_reader_close(l);
    return sum;
}

static void audit(void)
{
    struct ledger_reader *l;
    struct audit_result audit;
    struct dead_letter_page dead;
    struct error e;
    ck_assert_int_eq(ledger_reader_open(&l, rig.ledger_path, &e), 0);
    ck_assert_msg(ledger_audit(l, &audit, &e) == 0, "%s", e.text);
    ck_assert_uint_eq(audit.mismatch_count, 0);
    ck_assert_uint_ge(audit.streams, (uint64_t)rig.records);
    audit_result_free(&audit);
    ck_assert_int_eq(ledger_dead_letters(l, 0, 10, &dead, &e), 0);
    ck_assert_int_eq(dead.total, 0);
    dead_letter_page_free(&dead);
    ledger_reader_close(l);
}

static uint64_t unreleased(void)
{
    struct outbox_figures f;
    outbox_figures(rig.outbox, &f);
    return f.unreleased;
}

static bool all_booked(void)
{
    return unreleased() == 0 && booked("disk.device.read.bytes") == rig.disk_total && booked("cpu") == rig.cpu_total;
}

void drain(void)
{
    int64_t end = clock_boot_ns(clock_system()) + PATIENCE_S * NS_PER_S;
    while (!all_booked()) {
        ck_assert_msg(clock_boot_ns(clock_system()) < end,
                      "%llu of %d records are unreleased, disk %lld of %lld, cpu %lld of %lld; progress %llu, ingest's "
                      "last trouble: %d %s",
                      (unsigned long long)unreleased(), rig.records, (long long)booked("disk.device.read.bytes"),
                      (long long)rig.disk_total, (long long)booked("cpu"), (long long)rig.cpu_total,
                      (unsigned long long)progress(), rig.trouble.code, rig.trouble.text);
        pump(10);
    }
    audit();
}
