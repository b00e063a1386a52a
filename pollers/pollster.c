#include "pollster.h"

#include <stdlib.h>

#include "pluvio/wire/otlp.h"

void pollster_finish(struct pollster *p)
{
    record_free(&p->record);
    buf_free(&p->bytes);
    buf_free(&p->texts);
}

bool told_is_edge(const struct told_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].first || list->items[i].ended)
            return true;
    return false;
}

/* ---- attributes ---- */

/* What a record says beside its own fields. Texts made here wait in p->texts; since that moves while it grows, an
 * attribute holds its offset until all are there. */
struct describing {
    struct pollster *p;
    bool failed;
};

static struct text keep(struct describing *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static struct text keep(struct describing *d, const char *format, ...)
{
    va_list args;
    size_t from = d->p->texts.len;
    va_start(args, format);
    buf_vaddf(&d->p->texts, format, args);
    va_end(args);
    return (struct text){(const char *)(uintptr_t)from, d->p->texts.len - from};
}

static void add(struct describing *d, struct text key, struct text value)
{
    struct attribute *a = value.len && key.len ? record_add_attribute(&d->p->record) : NULL;
    d->failed |= !a && value.len && key.len;
    if (a)
        *a = (struct attribute){.key = key, .value = value};
}

static void say(struct describing *d, const char *key, const char *value)
{
    if (value && *value)
        add(d, keep(d, "%s", key), keep(d, "%s", value));
}

static void say_number(struct describing *d, const char *key, int64_t value)
{
    if (value >= 0)
        add(d, keep(d, "%s", key), keep(d, "%lld", (long long)value));
}

static void say_device(struct describing *d, const char *kind, const char *device, const char *what, const char *value)
{
    if (value && *value)
        add(d, keep(d, "%s.%s.%s", kind, device, what), keep(d, "%s", value));
}

static void say_devices(struct describing *d, const struct domain_meta *m)
{
    for (size_t i = 0; i < m->disk_count; i++) {
        const struct domain_disk *disk = &m->disks[i];
        if (!disk->target)
            continue;
        say_device(d, "disk", disk->target, "serial", disk->serial);
        say_device(d, "disk", disk->target, "uncounted", disk->uncounted ? "true" : NULL);
    }
    for (size_t i = 0; i < m->nic_count; i++) {
        const struct domain_nic *n = &m->nics[i];
        const char *mac = n->mac ? n->mac : "unknown";
        say_device(d, "interface", mac, "network", n->source);
        say_device(d, "interface", mac, "port", n->port);
        say_device(d, "interface", mac, "uncounted", n->countable ? NULL : "true");
    }
}

static void say_domain(struct describing *d, const struct domain_meta *m)
{
    say(d, "openstack.project.name", m->project_name);
    say(d, "openstack.user.name", m->user_name);
    say(d, "flavor.id", m->flavor_id);
    say_number(d, "flavor.vcpus", m->flavor_vcpus);
    say_number(d, "flavor.ram", m->flavor_ram_mib);
    say_number(d, "flavor.disk", m->flavor_disk_gib);
    say_number(d, "flavor.ephemeral", m->flavor_ephemeral_gib);
    say_number(d, "flavor.swap", m->flavor_swap_mib);
    say(d, "image.id", m->image);
    say(d, "os_type", m->os_type);
    say(d, "architecture", m->architecture);
    say_devices(d, m);
}

static void say_labels(struct describing *d)
{
    for (size_t i = 0; i < d->p->label_count; i++)
        say(d, d->p->labels[i].key, d->p->labels[i].value);
}

static void settle_texts(struct pollster *p)
{
    for (size_t i = 0; i < p->record.attribute_count; i++) {
        struct attribute *a = &p->record.attributes[i];
        a->key.data = p->texts.data + (uintptr_t)a->key.data;
        a->value.data = p->texts.data + (uintptr_t)a->value.data;
    }
}

/* ---- points ---- */

static bool add_told(struct record *r, const struct told *t)
{
    const struct meter *meter = meter_at(t->meter);
    struct point *point = record_add_point(r);
    if (!point)
        return false;
    *point = (struct point){.meter = meter,
                            .name = text_of(meter->name),
                            .unit = text_of(meter->unit),
                            .type = meter->type,
                            .ended = t->ended,
                            .kind = t->device->kind,
                            .value = t->value,
                            .start_ns = t->stream ? t->start_ns : 0,
                            .time_ns = t->time_ns,
                            .stream = t->stream,
                            .device = text_of(t->device->name),
                            .device_name = text_of(t->device->tap)};
    return true;
}

/* Points of one meter stand together, devices in order: the encoder shares what they share. */
static int by_meter(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    if (x->meter->id != y->meter->id)
        return x->meter->id < y->meter->id ? -1 : 1;
    int device = text_compare(x->device, y->device);
    return device ? device : (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

static bool add_points(struct record *r, const struct told_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!add_told(r, &list->items[i]))
            return false;
    if (r->point_count)
        qsort(r->points, r->point_count, sizeof r->points[0], by_meter);
    return true;
}

/* ---- records ---- */

static void begin(struct pollster *p, const struct incarnation *vm)
{
    record_clear(&p->record);
    buf_clear(&p->bytes);
    buf_clear(&p->texts);
    p->record.entity = text_of(vm->uuid);
    p->record.host = text_of(p->host_name);
    p->record.host_id = text_of(p->host_uuid);
}

static struct text finish(struct pollster *p, bool failed)
{
    if (failed || p->texts.failed)
        return (struct text){0};
    settle_texts(p);
    otlp_encode(&p->bytes, &p->record);
    return p->bytes.failed ? (struct text){0} : buf_text(&p->bytes);
}

struct text pollster_record(struct pollster *p, const struct telling *t)
{
    struct describing d = {.p = p};
    struct record *r = &p->record;
    begin(p, t->vm);
    r->project = text_of(t->owner->project);
    r->user = text_of(t->owner->user);
    r->flavor = text_of(t->owner->flavor);
    r->state = text_of(domain_state_name(t->owner->state));
    r->event = text_of(t->event);
    r->event_time_ns = t->event_time_ns;
    if (t->domain) {
        const struct domain_meta *m = t->domain->meta;
        r->domain = text_of(t->domain->name);
        r->name = text_of(m && m->display_name ? m->display_name : t->domain->name);
        if (m)
            say_domain(&d, m);
    }
    say_labels(&d);
    return finish(p, !add_points(r, t->list) || d.failed);
}

static void say_hung(struct describing *d, const struct hung *hung)
{
    struct buf *texts = &d->p->texts;
    size_t from = texts->len;
    for (size_t i = 0; i < hung->count; i++)
        buf_addf(texts, i ? " %s" : "%s", hung->vms[i].uuid);
    struct text uuids = {(const char *)(uintptr_t)from, texts->len - from};
    if (uuids.len)
        add(d, keep(d, "pluvio.poller.hung"), uuids);
}

static bool add_numbers(struct record *r, const struct poller_word *word)
{
    for (size_t i = 0; i < word->count; i++) {
        struct point *point = record_add_point(r);
        if (!point)
            return false;
        *point = (struct point){.name = text_of(word->numbers[i].meter),
                                .unit = TEXT(""),
                                .type = METER_GAUGE,
                                .kind = RESOURCE_HOST,
                                .value = word->numbers[i].value,
                                .time_ns = word->time_ns};
    }
    return true;
}

struct text pollster_host_record(struct pollster *p, const struct told_list *list, const struct incarnation *host,
                                 const struct poller_word *word)
{
    struct describing d = {.p = p};
    struct record *r = &p->record;
    begin(p, host);
    r->is_host = true;
    r->name = text_of(p->host_name);
    say_labels(&d);
    if (word)
        say_hung(&d, word->hung);
    bool fits = add_points(r, list) && (!word || add_numbers(r, word));
    return finish(p, !fits || d.failed);
}
