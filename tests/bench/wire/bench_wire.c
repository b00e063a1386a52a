/* What the wire costs: nanoseconds of CPU to decode and to encode one VM's record of 20 points.
 *
 *     bench_wire [SECONDS]      per direction, default 1; prints one JSON line
 *
 * The record is what a poller sends each cycle: an instance with its disk and its interface, all counters with their
 * streams, 14 resource attributes. It is decoded from one buffer, so its bytes are warm in the cache, as they are after
 * librdkafka's checksum. */
#include <stdio.h>
#include <stdlib.h>

#include "pluvio/base/clock.h"
#include "pluvio/wire/otlp.h"

#define POINTS 20
#define ROUND  1000

static const struct attribute labels[] = {
    {.key = TEXT_INIT("cloud.region"), .value = TEXT_INIT("eu-central")},
    {.key = TEXT_INIT("cloud.availability_zone"), .value = TEXT_INIT("az-2")},
    {.key = TEXT_INIT("openstack.project.name"), .value = TEXT_INIT("weather-forecast")},
    {.key = TEXT_INIT("image.id"), .value = TEXT_INIT("e1a6b8f2-4dfb-4c6b-9a53-1f2a7c9d0b11")},
    {.key = TEXT_INIT("os_type"), .value = TEXT_INIT("hvm")},
};

static void fill(struct record *r)
{
    static const enum meter_id ids[POINTS] = {
        METER_POWER_STATE,      METER_CPU,
        METER_INSTANCE,         METER_VCPUS,
        METER_MEMORY,           METER_MEMORY_USAGE,
        METER_DISK_READ_BYTES,  METER_DISK_READ_REQUESTS,
        METER_DISK_WRITE_BYTES, METER_DISK_WRITE_REQUESTS,
        METER_DISK_CAPACITY,    METER_DISK_ALLOCATION,
        METER_NET_IN_BYTES,     METER_NET_IN_PACKETS,
        METER_NET_IN_DROP,      METER_NET_IN_ERROR,
        METER_NET_OUT_BYTES,    METER_NET_OUT_PACKETS,
        METER_NET_OUT_DROP,     METER_NET_OUT_ERROR,
    };
    r->entity = TEXT("7a2b3c4d-0000-4000-8000-000000000001");
    r->name = TEXT("web-1");
    r->flavor = TEXT("m1.small");
    r->project = TEXT("3f1c9d7be0a84f1c8a8d4f0c5f6b7a89");
    r->user = TEXT("a9d8c7b6e5f44a3b9c2d1e0f9a8b7c6d");
    r->state = TEXT("running");
    r->domain = TEXT("instance-0000002a");
    r->host = TEXT("compute-17.example.net");
    r->host_id = TEXT("9d0e1f2a-0000-4000-8000-0000000000aa");
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        struct attribute *a = record_add_attribute(r);
        if (!a)
            abort();
        *a = labels[i];
    }
    for (size_t i = 0; i < POINTS; i++) {
        struct point *p = record_add_point(r);
        const struct meter *m = meter_at(ids[i]);
        if (!p)
            abort();
        *p = (struct point){.meter = m,
                            .name = text_of(m->name),
                            .unit = text_of(m->unit),
                            .type = m->type,
                            .kind = m->kind,
                            .value = 123456789012LL * (int64_t)(i + 1),
                            .start_ns = 1700000000000000000LL,
                            .time_ns = 1700003600123456789LL};
        if (m->type == METER_CUMULATIVE || m->basis == BASIS_ALLOCATED)
            p->stream = 0x1234567890abcdefULL + i;
        if (m->kind == RESOURCE_DISK)
            p->device = TEXT("vda");
        if (m->kind == RESOURCE_INTERFACE) {
            p->device = TEXT("fa:16:3e:12:34:56");
            p->device_name = TEXT("tap0a1b2c3d-4e");
        }
    }
}

static double decode_cost(struct text bytes, int64_t for_ns)
{
    struct otlp_decoder d = {0};
    int64_t rounds = 0, start = clock_cpu_ns(), spent = 0;
    for (; spent < for_ns; spent = clock_cpu_ns() - start, rounds++)
        for (int i = 0; i < ROUND; i++)
            if (otlp_decode(&d, bytes) != OTLP_FINE || d.records[0].point_count != POINTS)
                abort();
    otlp_decoder_free(&d);
    return (double)spent / (double)(rounds * ROUND);
}

static double encode_cost(const struct record *r, int64_t for_ns)
{
    struct buf out = {0};
    int64_t rounds = 0, start = clock_cpu_ns(), spent = 0;
    for (; spent < for_ns; spent = clock_cpu_ns() - start, rounds++) {
        for (int i = 0; i < ROUND; i++) {
            buf_clear(&out);
            otlp_encode(&out, r);
            if (out.failed)
                abort();
        }
    }
    buf_free(&out);
    return (double)spent / (double)(rounds * ROUND);
}

int main(int argc, char **argv)
{
    int64_t for_ns = (int64_t)((argc > 1 ? strtod(argv[1], NULL) : 1.0) * (double)NS_PER_S);
    struct record r = {0};
    struct buf bytes = {0};
    fill(&r);
    otlp_encode(&bytes, &r);
    double decode = decode_cost(buf_text(&bytes), for_ns), encode = encode_cost(&r, for_ns);
    printf("{\"bench\":\"wire\",\"points\":%d,\"bytes\":%zu,\"decode_ns\":%.0f,\"encode_ns\":%.0f}\n", POINTS,
           bytes.len, decode, encode);
    buf_free(&bytes);
    record_free(&r);
    return 0;
}
