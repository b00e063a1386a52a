/* Our side of the comparison with upstream's classes (compare.py):
 *
 *     wire_files encode FOLDER    write NNN.bin, encoded records, and NNN.json, what each says
 *     wire_files decode FOLDER    for each NNN.bin write NNN.json, what the decoder makes of it
 *     wire_files meters           print the meter table: name, kind of resource
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pluvio/base/random.h"
#include "pluvio/wire/otlp.h"
#include "pluvio/wire/wire_print.h"
#include "support/record_json/record_json.h"

#define RECORDS 500
#define SEED    20261124

static const char *folder;

static const char *path_of(int number, const char *suffix)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%03d.%s", folder, number, suffix);
    return path;
}

static void write_file(const char *path, struct text content)
{
    FILE *f = fopen(path, "we");
    if (!f || fwrite(content.data, 1, content.len, f) != content.len || fclose(f)) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

static void read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    for (size_t n = 1; n;) {
        char *to = buf_reserve(out, 4096);
        n = to ? fread(to, 1, 4096, f) : 0;
        out->len += n;
    }
    fclose(f);
}

/* ---- encode ---- */

static bool chance(struct random *random, uint64_t percent)
{
    return random_below(random, 100) < percent;
}

static struct text any_name(struct random *random)
{
    static const char *const names[] = {"a",          "web-1",
                                        "m1.small",   "\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\xa7",
                                        "x y\n\"z\\", "3f1c9d7be0a84f1c8a8d4f0c5f6b7a89",
                                        "\x7f\x01"};
    return text_of(names[random_below(random, sizeof names / sizeof names[0])]);
}

static struct text maybe_name(struct random *random)
{
    return chance(random, 70) ? any_name(random) : (struct text){0};
}

/* Ends of ranges more often than evenness would have them. */
static int64_t any_count(struct random *random)
{
    static const int64_t ends[] = {0, 1, 127, 128, INT32_MAX, ((int64_t)1 << 53) + 1, INT64_MAX};
    if (chance(random, 50))
        return ends[random_below(random, sizeof ends / sizeof ends[0])];
    return (int64_t)(random_u64(random) >> (1 + random_below(random, 60)));
}

static void any_value(struct random *random, struct point *p)
{
    p->value = any_count(random);
    p->is_double = chance(random, 25);
    if (p->is_double)
        p->real = (double)p->value / 3;
    if (p->type == METER_GAUGE && chance(random, 30)) {
        p->value = -p->value;
        p->real = -p->real;
    }
}

static void any_device(struct random *random, struct point *p)
{
    if (p->kind == RESOURCE_DISK)
        p->device = any_name(random);
    if (p->kind != RESOURCE_INTERFACE)
        return;
    p->device = any_name(random);
    p->device_name = maybe_name(random);
}

static void any_point(struct random *random, struct point *p)
{
    const struct meter *m = meter_at((enum meter_id)random_below(random, METERS));
    *p = (struct point){
        .meter = m, .name = text_of(m->name), .unit = text_of(m->unit), .type = m->type, .kind = m->kind};
    if (chance(random, 20)) {
        p->meter = NULL;
        p->name = TEXT("http.server.requests");
        p->type = (enum meter_type)random_below(random, 3);
        static const enum resource_kind kinds[] = {RESOURCE_OTHER, RESOURCE_DISK, RESOURCE_INTERFACE};
        p->kind = kinds[random_below(random, 3)];
    }
    any_value(random, p);
    any_device(random, p);
    p->time_ns = 1 + (int64_t)random_below(random, 7258118400000000000);
    p->start_ns = chance(random, 70) ? (int64_t)random_below(random, (uint64_t)p->time_ns + 1) : 0;
    p->stream = chance(random, 70) ? random_u64(random) : 0;
    p->ended = chance(random, 20);
}

static void any_record(struct random *random, struct record *r)
{
    record_clear(r);
    r->entity = any_name(random);
    struct text *const fields[] = {&r->name,   &r->flavor, &r->project, &r->user, &r->state,
                                   &r->domain, &r->host,   &r->host_id, &r->event};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        *fields[i] = maybe_name(random);
    r->event_time_ns = (int64_t)random_below(random, 7258118400000000000);
    r->is_host = chance(random, 20);
    for (uint64_t n = random_below(random, 4); n; n--) {
        struct attribute *a = record_add_attribute(r);
        if (!a)
            abort();
        a->key = any_name(random);
        a->value = maybe_name(random);
    }
    for (uint64_t n = random_below(random, 40); n; n--) {
        struct point *p = record_add_point(r);
        if (!p)
            abort();
        any_point(random, p);
    }
}

static void encode(void)
{
    struct random_seeded random;
    struct record r = {0};
    random_seed(&random, SEED);
    for (int i = 0; i < RECORDS; i++) {
        struct buf bytes = {0}, json = {0};
        any_record(&random.port, &r);
        otlp_encode(&bytes, &r);
        record_json(&json, &r, RECORD_JSON_OTHERS);
        write_file(path_of(i, "bin"), buf_text(&bytes));
        write_file(path_of(i, "json"), buf_text(&json));
        buf_free(&bytes);
        buf_free(&json);
    }
    record_free(&r);
}

/* ---- decode ---- */

static void decode_one(int number)
{
    struct otlp_decoder d = {0};
    struct buf bytes = {0}, json = {0};
    read_file(path_of(number, "bin"), &bytes);
    enum otlp_refusal r = otlp_decode(&d, buf_text(&bytes));
    buf_addf(&json, "{\"refusal\":\"%s\",\"skipped_fields\":%llu,\"skipped_metrics\":%llu,\"skipped_points\":%llu,",
             otlp_refusal_name(r), (unsigned long long)d.skipped_fields, (unsigned long long)d.skipped_metrics,
             (unsigned long long)d.skipped_points);
    buf_add_string(&json, "\"records\":[");
    for (size_t i = 0; i < d.count; i++) {
        buf_add_string(&json, i ? "," : "");
        record_json(&json, &d.records[i], RECORD_JSON_ALL);
    }
    buf_add_string(&json, "]}\n");
    write_file(path_of(number, "json"), buf_text(&json));
    otlp_decoder_free(&d);
    buf_free(&bytes);
    buf_free(&json);
}

static void decode(void)
{
    for (int i = 0; access(path_of(i, "bin"), F_OK) == 0; i++)
        decode_one(i);
}

static void meters(void)
{
    for (int i = 0; i < METERS; i++)
        printf("%s %s\n", meter_at((enum meter_id)i)->name, resource_kind_name(meter_at((enum meter_id)i)->kind));
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    folder = argc > 2 ? argv[2] : "";
    if (strcmp(what, "encode") == 0 && *folder)
        encode();
    else if (strcmp(what, "decode") == 0 && *folder)
        decode();
    else if (strcmp(what, "meters") == 0)
        meters();
    else
        return fprintf(stderr, "Usage: %s encode|decode FOLDER | meters\n", argv[0]), 2;
    return EXIT_SUCCESS;
}
