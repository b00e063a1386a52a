#include "poller_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fault_vfs/fault_vfs.h"
#include "support/run.h"

static int64_t wall_ns(struct clock *self)
{
    return ((struct rig_clock *)self)->wall_ns;
}

static int64_t boot_ns(struct clock *self)
{
    struct rig_clock *c = (struct rig_clock *)self;
    int64_t now_ns = c->boot_ns;
    c->boot_ns += c->busy_ns;
    c->wall_ns += c->busy_ns;
    c->busy_ns = 0;
    return now_ns;
}

/* ---- the inspector ---- */

static int begin(struct inspector *self, unsigned groups, int64_t deadline_ns)
{
    struct rig_inspector *i = (struct rig_inspector *)self;
    if (i->under_way)
        return -EBUSY;
    i->under_way = true;
    i->begun++;
    i->groups = groups;
    i->deadline_ns = deadline_ns;
    return 0;
}

static void set_reading(struct reading *r, uint64_t value)
{
    *r = (struct reading){true, value};
}

static void fill_vm(struct rig_inspector *i, struct domain_stats *d)
{
    *d = (struct domain_stats){
        .name = strdup("vm"), .id = 1, .state = DOMAIN_RUNNING, .process_start = i->process_start};
    snprintf(d->uuid, sizeof d->uuid, RIG_VM);
    d->read_boot_ns = i->clock->boot_ns;
    d->read_wall_ns = i->clock->wall_ns;
    d->answers = true;
    d->meta = &i->meta;
    if (i->groups & GROUP_CPU)
        set_reading(&d->field[DOMAIN_CPU_TIME], i->cpu_ns);
    if (!(i->groups & GROUP_BLOCK))
        return;
    d->disks = calloc(1, sizeof *d->disks);
    d->disk_count = 1;
    d->disks[0].name = strdup("vda");
    set_reading(&d->disks[0].field[DISK_WR_BYTES], i->written);
    set_reading(&d->disks[0].field[DISK_CAPACITY], 1 << 20);
}

static int result(struct inspector *self, struct snapshot **ret, struct error *error)
{
    struct rig_inspector *i = (struct rig_inspector *)self;
    if (!i->under_way || i->silent)
        return 0;
    i->under_way = false;
    if (i->fails)
        return error_set(error, -ENOTCONN, "libvirt is away");
    struct snapshot *s = calloc(1, sizeof *s);
    snprintf(s->host_uuid, sizeof s->host_uuid, "%s", i->host_uuid);
    snprintf(s->boot_id, sizeof s->boot_id, "%s", i->boot_id);
    s->host_name = strdup("hypervisor");
    s->listed = true;
    s->monitors = i->monitors;
    s->list_wall_ns = i->clock->wall_ns;
    s->list_boot_ns = i->clock->boot_ns;
    s->count = i->has_vm ? 1 + i->others : 0;
    s->domains = calloc(1 + i->others, sizeof *s->domains);
    for (unsigned n = 0; n < s->count; n++) {
        fill_vm(i, &s->domains[n]);
        if (n)
            snprintf(s->domains[n].uuid, sizeof s->domains[n].uuid, "0a1d0000-0000-4000-9000-%012u", n);
    }
    *ret = s;
    return 1;
}

static int event(struct inspector *self, struct lifecycle_event *ret)
{
    struct rig_inspector *i = (struct rig_inspector *)self;
    if (i->event_count == 0)
        return 0;
    *ret = i->events[0];
    i->event_count--;
    memmove(i->events, i->events + 1, i->event_count * sizeof i->events[0]);
    return 1;
}

static void figures(struct inspector *self, struct inspector_figures *ret)
{
    *ret = ((struct rig_inspector *)self)->figures;
}

static int wake_fd(struct inspector *self)
{
    (void)self;
    return -1;
}

static void nothing(struct inspector *self)
{
    (void)self;
}

/* ---- the poller ---- */

static int no_writer(void *context, struct writer **ret, struct error *error)
{
    (void)context, (void)ret;
    return error_set(error, -ENOENT, "no broker");
}

static int no_acks(void *context, struct reader **ret, struct error *error)
{
    (void)context, (void)ret;
    return error_set(error, -ENOENT, "no broker");
}

static int claim(void *context, const char *host_uuid, struct error *error)
{
    struct poller_rig *r = context;
    r->claims++;
    ck_assert_str_eq(host_uuid, r->inspector.host_uuid);
    return r->claim_result ? error_set(error, r->claim_result, "held by another") : 0;
}

static void open_parts(struct poller_rig *r)
{
    struct error error = {0};
    struct buf notice = {0};
    struct outbox_settings outbox = {.path = r->path,
                                     .vfs = FAULT_VFS,
                                     .max_bytes = 1 << 26,
                                     .keep_ms = 86400000,
                                     .waiting_max_bytes = 1 << 20,
                                     .random = &r->random.port};
    ck_assert_msg(outbox_open(&r->outbox, &outbox, &notice, &error) == 0, "%s", error.text);
    buf_free(&notice);
    struct poller_ports ports = {.clock = &r->clock.port,
                                 .random = &r->random.port,
                                 .inspector = &r->inspector.port,
                                 .outbox = r->outbox,
                                 .boot_id = r->inspector.boot_id,
                                 .publisher = {.open_writer = no_writer, .open_acks = no_acks},
                                 .claim = claim,
                                 .context = r};
    ck_assert_msg(poller_create(&r->poller, &r->settings, &ports, &error) == 0, "%s", error.text);
}

static void rig_open(struct poller_rig *r)
{
    static char target[] = "vda";
    static struct domain_disk disk = {.target = target};
    *r = (struct poller_rig){
        .clock = {.port = {wall_ns, boot_ns}, .wall_ns = 1764000000 * NS_PER_S, .boot_ns = 1000 * NS_PER_S}};
    fault_vfs_register();
    folder_make(r->folder);
    folder_path(r->folder, "outbox.db", r->path, sizeof r->path);
    folder_path(r->folder, "poller.prom", r->textfile, sizeof r->textfile);
    random_seed(&r->random, 7);
    r->inspector = (struct rig_inspector){.port = {begin, result, event, wake_fd, figures, nothing},
                                          .clock = &r->clock,
                                          .host_uuid = RIG_HOST,
                                          .boot_id = RIG_BOOT,
                                          .has_vm = true,
                                          .process_start = 4000,
                                          .meta = {.project = strdup("meadow"),
                                                   .disks = &disk,
                                                   .disk_count = 1,
                                                   .flavor_vcpus = -1,
                                                   .flavor_ram_mib = -1,
                                                   .flavor_disk_gib = -1,
                                                   .flavor_ephemeral_gib = -1,
                                                   .flavor_swap_mib = -1,
                                                   .version = 1}};
    r->settings = (struct poller_settings){
        .interval_ns = 60 * NS_PER_S, .topic = "otlp_metrics", .textfile = r->textfile, .in_flight_bytes = 1 << 20};
    open_parts(r);
}

static void close_parts(struct poller_rig *r)
{
    poller_destroy(r->poller);
    outbox_close(r->outbox);
}

static void rig_close(struct poller_rig *r)
{
    close_parts(r);
    free(r->inspector.meta.project);
    folder_remove(r->folder);
}

void rig_restart(struct poller_rig *r)
{
    close_parts(r);
    r->inspector.under_way = false;
    open_parts(r);
}

int rig_step(struct poller_rig *r, struct error *error)
{
    int64_t wake;
    int result = 0;
    for (int i = 0; i < 4 && result == 0; i++)
        result = poller_step(r->poller, &wake, error);
    return result;
}

void rig_advance(struct poller_rig *r, int64_t seconds)
{
    struct error error = {0};
    r->clock.wall_ns += seconds * NS_PER_S;
    r->clock.boot_ns += seconds * NS_PER_S;
    ck_assert_msg(rig_step(r, &error) == 0, "%s", error.text);
}

void rig_event(struct poller_rig *r, enum lifecycle_kind kind)
{
    struct lifecycle_event e = {.kind = kind, .id = 1, .wall_ns = r->clock.wall_ns, .boot_ns = r->clock.boot_ns};
    snprintf(e.uuid, sizeof e.uuid, RIG_VM);
    r->inspector.events[r->inspector.event_count++] = e;
}

void rig_paused(struct poller_rig *r)
{
    struct lifecycle_event e = {
        .kind = LIFECYCLE_PAUSED, .id = 1, .wall_ns = r->clock.wall_ns, .boot_ns = r->clock.boot_ns};
    snprintf(e.uuid, sizeof e.uuid, RIG_VM);
    e.paused = calloc(1, sizeof *e.paused);
    r->inspector.groups = GROUP_CPU | GROUP_BLOCK;
    fill_vm(&r->inspector, e.paused);
    e.paused->state = DOMAIN_PAUSED;
    e.paused->meta = NULL;
    r->inspector.events[r->inspector.event_count++] = e;
}

size_t rig_records(struct poller_rig *r, void (*each)(void *context, const struct record *record), void *context)
{
    struct otlp_decoder decoder = {0};
    struct outbox_record stored;
    struct error error;
    size_t count = 0;
    for (unsigned lane = 0; lane < RECORD_LANES; lane++) {
        for (uint64_t at = 0; outbox_after(r->outbox, lane, at, &stored, &error) == 1; at = stored.sequence) {
            ck_assert_int_eq(otlp_decode(&decoder, stored.payload), OTLP_FINE);
            ck_assert_uint_eq(decoder.count, 1);
            if (each)
                each(context, &decoder.records[0]);
            count++;
        }
    }
    otlp_decoder_free(&decoder);
    return count;
}

static void listen(void *context, const struct record *r)
{
    struct said *s = context;
    s->hosts += r->is_host;
    if (r->is_host)
        return;
    s->events += r->event.len > 0;
    s->readings += r->event.len == 0;
    if (r->event.len)
        text_copy(r->event, s->event, sizeof s->event);
    text_copy(r->project, s->project, sizeof s->project);
    for (size_t i = 0; i < r->point_count; i++) {
        if (r->points[i].meter && r->points[i].meter->id == METER_DISK_WRITE_BYTES)
            s->written = r->points[i].value;
        s->most_written = s->written > s->most_written ? s->written : s->most_written;
        if (r->points[i].meter && r->points[i].meter->id == METER_CPU)
            s->cpu = r->points[i].value;
    }
}

struct poller_rig rig;

void rig_set_up(void)
{
    rig_open(&rig);
}

void rig_tear_down(void)
{
    rig_close(&rig);
}

struct said said(void)
{
    struct said s = {0};
    rig_records(&rig, listen, &s);
    return s;
}
