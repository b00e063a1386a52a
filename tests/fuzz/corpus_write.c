/* corpus_write FOLDER: the seeds of the fuzz targets, made by the encoders themselves. */
#include "corpus_write.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "collector/archive/archive_rows.h"
#include "collector/series/entity_pack.h"
#include "common/wire/protobuf.h"
#include "pluvio/wire/otlp.h"
#include "pollers/incarnation_private.h"

#define TIME 1700003600123456789LL

static const char *top;

void corpus_put(const char *target, const char *name, struct text content)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", top, target);
    if (mkdir(path, 0777) && errno != EEXIST) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    snprintf(path, sizeof path, "%s/%s/%s", top, target, name);
    FILE *f = fopen(path, "we");
    if (!f || fwrite(content.data, 1, content.len, f) != content.len || fclose(f)) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

/* ---- OTLP ---- */

static struct point point_of(enum meter_id id, const char *device)
{
    const struct meter *m = meter_at(id);
    return (struct point){.meter = m,
                          .name = text_of(m->name),
                          .unit = text_of(m->unit),
                          .type = m->type,
                          .kind = m->kind,
                          .value = 42,
                          .start_ns = TIME - 5,
                          .time_ns = TIME,
                          .stream = 0x123456789abcdef,
                          .device = text_of(device)};
}

static void put_record(const char *name, const struct record *r)
{
    struct buf bytes = {0};
    otlp_encode(&bytes, r);
    corpus_put("otlp", name, buf_text(&bytes));
    buf_free(&bytes);
}

static void put_full_record(void)
{
    struct attribute labels[] = {{.key = TEXT_INIT("label"), .value = TEXT_INIT("\xc3\xa4")},
                                 {.key = TEXT_INIT(ATTR_SERVICE), .value = TEXT_INIT("svc")}};
    struct point points[] = {point_of(METER_CPU, ""), point_of(METER_DISK_READ_BYTES, "vda"),
                             point_of(METER_NET_IN_BYTES, "fa:16:3e:00:00:01"), point_of(METER_MEMORY_USAGE, "")};
    points[0].ended = true;
    points[2].device_name = TEXT("tap0");
    points[3].is_double = true;
    points[3].real = 0.5;
    struct record r = {.entity = TEXT("vm"),
                       .name = TEXT("web"),
                       .flavor = TEXT("m1"),
                       .project = TEXT("blue"),
                       .state = TEXT("running"),
                       .event = TEXT("started"),
                       .event_time_ns = TIME,
                       .is_host = true,
                       .attributes = labels,
                       .attribute_count = 2,
                       .points = points,
                       .point_count = 4};
    put_record("every_field", &r);
}

/* What we never write: nested values, other kinds of metrics, unknown fields. */
static void put_foreign_record(void)
{
    struct buf b = {0};
    size_t all = write_open(&b, 1), resource = write_open(&b, 1), pair = write_open(&b, 1);
    write_bytes(&b, 1, TEXT(ATTR_ENTITY));
    write_bytes(&b, 2, TEXT("\x0a\x02vm"));
    write_close(&b, pair);
    pair = write_open(&b, 1);
    write_bytes(&b, 1, TEXT("nested"));
    write_bytes(&b, 2, TEXT("\x2a\x0e\x0a\x02\x18\x05\x0a\x08\x32\x06\x0a\x04\x0a\x00\x12\x00"));
    write_close(&b, pair);
    write_close(&b, resource);
    size_t scope = write_open(&b, 2), metric = write_open(&b, 2);
    write_bytes(&b, 1, TEXT("h"));
    write_bytes(&b, 9, TEXT("\x0a\x00"));
    write_close(&b, metric);
    metric = write_open(&b, 2);
    write_bytes(&b, 1, TEXT("http.requests"));
    write_bytes(&b, 7, TEXT("\x0a\x12\x19\1\0\0\0\0\0\0\0\x31\2\0\0\0\0\0\0\0\x10\x01\x18\x01"));
    write_bytes(&b, 12, TEXT("\x0a\x01k"));
    write_uint(&b, 99, 1);
    write_close(&b, metric);
    write_close(&b, scope);
    write_close(&b, all);
    corpus_put("otlp", "foreign", buf_text(&b));
    buf_free(&b);
}

static void put_otlp(void)
{
    struct record r = {.entity = TEXT("vm")};
    put_record("entity_alone", &r);
    put_full_record();
    put_foreign_record();
}

/* ---- entities ---- */

static void add_series(struct resource *r, struct ledger_meter *meter, int streams)
{
    struct series *s = resource_add_series(r, meter);
    if (!s)
        abort();
    s->first_ms = 1700000000000;
    s->last_ms = 1700003600000;
    s->step_known_ms = 30000;
    s->step_area = 1.5;
    s->newest = 0.25;
    for (int i = 0; i < streams; i++) {
        struct stream *t = series_add_stream(s);
        if (!t)
            abort();
        *t = (struct stream){.next = t->next,
                             .id = i + 1,
                             .uid = 7,
                             .start_ms = s->first_ms,
                             .last_ms = s->last_ms,
                             .value = 1000,
                             .owner = 3,
                             .base = i,
                             .open_amount = 10 * i,
                             .ended = i,
                             .running = !i};
    }
}

static void put_entity(void)
{
    struct entity *e = entity_create(TEXT("vm"));
    struct buf bytes = {0};
    static const enum meter_id ids[] = {METER_CPU, METER_MEMORY, METER_MEMORY_USAGE};
    struct ledger_meter meters[3];
    struct resource *whole = entity_add_resource(e, 1, RESOURCE_INSTANCE, TEXT(""));
    struct resource *disk = entity_add_resource(e, 2, RESOURCE_DISK, TEXT("vda"));
    if (!whole || !disk)
        abort();
    e->last_ms = 1700003600000;
    e->open_ms = e->step_ms = 1700003600000 / 3600000 * 3600000;
    for (int i = 0; i < 3; i++) {
        const struct meter *known = meter_at(ids[i]);
        meters[i] = (struct ledger_meter){.id = (int64_t)ids[i] + 1, .known = known, .basis = known->basis};
        add_series(i ? disk : whole, &meters[i], 3 - i);
    }
    entity_pack(e, &bytes);
    corpus_put("entity", "two_resources", buf_text(&bytes));
    buf_free(&bytes);
    entity_free(e);
}

/* A series that began 2^63 ms after the newest reading: its time is out of 64 bits. */
static void put_damaged_entity(void)
{
    struct buf bytes = {0};
    buf_add_varint(&bytes, 1); /* version */
    buf_add_varint(&bytes, 0);
    for (int i = 0; i < 3; i++)
        buf_add_varint(&bytes, 1700003600000);
    buf_add_double(&bytes, 0); /* eight bytes of hash */
    for (int i = 0; i < 2; i++)
        buf_add_varint(&bytes, 0);
    buf_add_varint(&bytes, 1); /* one resource */
    buf_add_varint(&bytes, 1);
    buf_add_varint(&bytes, RESOURCE_INSTANCE);
    buf_add_sized(&bytes, TEXT(""));
    buf_add_varint(&bytes, 1); /* one series */
    buf_add_varint(&bytes, METER_CPU + 1);
    buf_add_signed(&bytes, INT64_MIN);
    for (int i = 0; i < 4; i++)
        buf_add_varint(&bytes, 0);
    corpus_put("entity", "time_out_of_64_bits", buf_text(&bytes));
    buf_free(&bytes);
}

/* ---- incarnations ---- */

static void add_slot(struct device *d, enum meter_id id)
{
    struct slot *s = device_slot(d, id);
    if (!s)
        abort();
    s->stream = 0x123456789abcdef;
    s->base = 100;
    s->last = 200;
    s->has_last = true;
    s->start_boot_ns = 5;
    s->last_boot_ns = 6;
}

static void put_incarnation(void)
{
    struct incarnations set;
    struct buf bytes = {0};
    bool no_memory = false;
    incarnations_init(&set, random_system(), 0);
    struct incarnation *vm = incarnations_make(&set, "7a2b3c4d-0000-4000-8000-000000000001", false);
    struct device *disk = vm ? device_make(&set, vm, RESOURCE_DISK, "vda", &no_memory) : NULL;
    if (!disk)
        abort();
    vm->running = vm->owned = true;
    vm->id = 3;
    text_copy(TEXT("blue"), vm->owner.project, sizeof vm->owner.project);
    vm->owner.state = DOMAIN_RUNNING;
    disk->chain[disk->chain_count++] = 7;
    add_slot(disk, METER_DISK_READ_BYTES);
    add_slot(vm->devices[0], METER_CPU);
    incarnation_pack(&bytes, vm);
    /* The target makes the checksum. */
    corpus_put("incarnation", "one_disk", (struct text){bytes.data, bytes.len - sizeof(uint64_t)});
    incarnations_finish(&set);
    buf_free(&bytes);
}

/* ---- archive rows ---- */

static void put_archive_rows(void)
{
    struct buf bytes = {0};
    double values[ARCHIVE_MAX_COLUMNS];
    for (int i = 0; i < ARCHIVE_MAX_COLUMNS; i++)
        values[i] = i % 3 ? i * 0.5 : NAN;
    for (int kind = 0; kind < RESOURCE_KINDS; kind++) {
        struct archive_row row = {.resource = TEXT("vm-vda"),
                                  .meter = kind == RESOURCE_OTHER ? TEXT("jvm.heap") : TEXT(""),
                                  .kind = (enum resource_kind)kind,
                                  .step_end_s = 1700003640,
                                  .values = values};
        if (archive_row_pack(&row, &bytes))
            abort();
    }
    corpus_put("archive_rows", "each_kind", buf_text(&bytes));
    bytes.data[2] = 0; /* the length of the first row's resource */
    corpus_put("archive_rows", "resource_without_name", buf_text(&bytes));
    buf_free(&bytes);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "Usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    top = argv[1];
    corpus_texts();
    put_otlp();
    put_entity();
    put_damaged_entity();
    put_incarnation();
    put_archive_rows();
    return EXIT_SUCCESS;
}
