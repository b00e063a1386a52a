#include "fleet.h"

#include <stdio.h>
#include <stdlib.h>

#include "pluvio/base/clock.h"
#include "pluvio/wire/otlp.h"

#define VMS_A_HOST 20

static void die(const char *why, const char *what)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(2);
}

static void read_meters(struct fleet *f, const char *path)
{
    char line[128];
    FILE *file = fopen(path, "r");
    if (!file)
        die("cannot be read", path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        const struct meter *m = meter_find(text_of(line));
        if (!m || f->meter_count == METERS)
            die("no such meter", line);
        f->meters[f->meter_count++] = m;
    }
    fclose(file);
}

static void all_meters(struct fleet *f)
{
    for (size_t i = 0; i < METERS; i++) {
        const struct meter *m = meter_at((enum meter_id)i);
        bool device = m->id == METER_DEVICE_GPU || m->id == METER_DEVICE_VGPU || m->id == METER_DEVICE_PCI;
        if (m->kind != RESOURCE_HOST && m->group != GROUP_PERF && !device)
            f->meters[f->meter_count++] = m;
    }
}

static void name_vm(struct fleet_vm *v, size_t n)
{
    unsigned i = (unsigned)n, host = i / VMS_A_HOST;
    snprintf(v->uuid, sizeof v->uuid, "7a2b3c4d-%04x-4000-8000-%012x", i * 40503U & 0xffff, i);
    snprintf(v->mac, sizeof v->mac, "fa:16:3e:%02x:%02x:%02x", i >> 16 & 0xff, i >> 8 & 0xff, i & 0xff);
    snprintf(v->tap, sizeof v->tap, "tap%08x-4e", i);
    snprintf(v->name, sizeof v->name, "web-%u", i);
    snprintf(v->domain, sizeof v->domain, "instance-%08x", i);
    snprintf(v->host, sizeof v->host, "compute-%u.example.net", host);
    snprintf(v->host_id, sizeof v->host_id, "9d0e1f2a-0000-4000-8000-%012x", host); /* one outbox a host */
    snprintf(v->outbox, sizeof v->outbox, "%032x", host + 1);
    snprintf(v->project, sizeof v->project, "3f1c9d7be0a84f1c8a8d4f0c%08x", i / 8);
    snprintf(v->user, sizeof v->user, "a9d8c7b6e5f44a3b9c2d1e0f%08x", i / 8);
    v->lane = record_lane(text_of(v->uuid));
}

void fleet_open(struct fleet *f, size_t vms, const char *meters_path, int64_t start_ns)
{
    *f = (struct fleet){.count = vms, .start_ns = start_ns, .vms = calloc(vms, sizeof(struct fleet_vm))};
    if (!f->vms)
        die("out of memory", "fleet");
    if (meters_path)
        read_meters(f, meters_path);
    else
        all_meters(f);
    for (size_t i = 0; i < vms; i++)
        name_vm(&f->vms[i], i);
}

void fleet_close(struct fleet *f)
{
    free(f->vms);
    record_free(&f->record);
    *f = (struct fleet){0};
}

static void describe(struct record *r, const struct fleet_vm *v)
{
    static const struct attribute labels[] = {
        {.key = TEXT_INIT("cloud.region"), .value = TEXT_INIT("eu-central")},
        {.key = TEXT_INIT("cloud.availability_zone"), .value = TEXT_INIT("az-2")},
        {.key = TEXT_INIT("openstack.project.name"), .value = TEXT_INIT("weather-forecast")},
        {.key = TEXT_INIT("image.id"), .value = TEXT_INIT("e1a6b8f2-4dfb-4c6b-9a53-1f2a7c9d0b11")},
        {.key = TEXT_INIT("os_type"), .value = TEXT_INIT("hvm")},
    };
    record_clear(r);
    r->entity = text_of(v->uuid);
    r->name = text_of(v->name);
    r->flavor = TEXT("m1.small");
    r->project = text_of(v->project);
    r->user = text_of(v->user);
    r->state = TEXT("running");
    r->domain = text_of(v->domain);
    r->host = text_of(v->host);
    r->host_id = text_of(v->host_id);
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        struct attribute *a = record_add_attribute(r);
        if (!a)
            die("out of memory", "fleet");
        *a = labels[i];
    }
}

static int64_t volume(const struct meter *m, int64_t cycle, uint64_t mix)
{
    int64_t pace = 1000 + (int64_t)(mix % 9973);
    if (m->type == METER_CUMULATIVE)
        return cycle * pace * 7919 + (int64_t)((mix >> 16) % 1000);
    if (m->basis == BASIS_ALLOCATED)
        return 1 + pace % 8;
    return 512 + (int64_t)((mix ^ (uint64_t)cycle * 0x9e3779b97f4a7c15ULL) >> 40) % 512;
}

static void add_point(struct fleet *f, const struct fleet_vm *v, const struct meter *m, int64_t cycle, size_t vm)
{
    uint64_t mix = (vm * METERS + m->id + 1) * 0xff51afd7ed558ccdULL;
    struct point *p = record_add_point(&f->record);
    if (!p)
        die("out of memory", "fleet");
    *p = (struct point){.meter = m,
                        .name = text_of(m->name),
                        .unit = text_of(m->unit),
                        .type = m->type,
                        .kind = m->kind,
                        .value = volume(m, cycle, mix),
                        .time_ns = f->start_ns + cycle * FLEET_CYCLE_NS + (int64_t)(vm % 1000) * NS_PER_MS};
    if (m->type == METER_CUMULATIVE || m->basis == BASIS_ALLOCATED) {
        p->stream = mix | 1;
        p->start_ns = f->start_ns;
    }
    if (m->kind == RESOURCE_DISK)
        p->device = TEXT("vda");
    if (m->kind == RESOURCE_INTERFACE) {
        p->device = text_of(v->mac);
        p->device_name = text_of(v->tap);
    }
}

/* The n-th VM of its host's lane, counted over the lane: so many records of it are made in a cycle. */
static void number(const struct fleet *f, size_t vm, int64_t cycle, struct envelope *ret)
{
    const struct fleet_vm *v = &f->vms[vm];
    size_t first = vm - vm % VMS_A_HOST;
    uint64_t before = 0, all = 0;
    for (size_t i = first; i < first + VMS_A_HOST && i < f->count; i++) {
        all += f->vms[i].lane == v->lane;
        before += i < vm && f->vms[i].lane == v->lane;
    }
    *ret = (struct envelope){.lane = v->lane, .sequence = (uint64_t)(cycle - 1) * all + before + 1};
    ret->previous = ret->sequence - 1;
    memcpy(ret->outbox, v->outbox, sizeof ret->outbox);
}

void fleet_make(struct fleet *f, int64_t cycle, size_t vm, struct fleet_message *ret, struct buf *value)
{
    const struct fleet_vm *v = &f->vms[vm];
    struct envelope e;
    describe(&f->record, v);
    for (size_t i = 0; i < f->meter_count; i++)
        add_point(f, v, f->meters[i], cycle, vm);
    otlp_encode(value, &f->record);
    if (value->failed)
        die("out of memory", "fleet");
    number(f, vm, cycle, &e);
    envelope_format(&e, ret->header);
    ret->key = text_of(v->uuid);
    ret->partition = (int32_t)(v->lane % FLEET_PARTITIONS);
}
