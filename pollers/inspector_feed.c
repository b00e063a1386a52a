#include "inspector_feed_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <libvirt/libvirt.h>

#include "inspector_connection.h"
#include "inspector_stats.h"
#include "inspector_thread.h"
#include "pluvio/base/log.h"

#define BACKOFF_FIRST_NS (250 * NS_PER_MS)
#define BACKOFF_MAX_NS   (30 * NS_PER_S)
#define CHECK_NS         (10 * NS_PER_S) /* an idle connection is looked at this often */
#define GOODBYE_NS       (1 * NS_PER_S)  /* feed_destroy waits so long for the thread to close its connection */

/* Called with the lock held, which is gone afterwards. */
static void let_go(struct feed *f)
{
    bool last = --f->holders == 0;
    pthread_mutex_unlock(&f->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    event_queue_destroy(f->queue);
    last_reader_destroy(f->last);
    free(f->uri);
    free(f);
}

static void forget(void *context)
{
    struct feed *f = context;
    pthread_mutex_lock(&f->lock);
    let_go(f);
}

/* With the lock held. */
static void wake(struct feed *f)
{
    if (!f->stopping)
        (void)!eventfd_write(f->wake_fd, 1);
}

struct detail_row {
    int event, detail;
    enum lifecycle_kind kind;
};

/* Where the detail says more than the event. */
static const struct detail_row event_details[] = {
    {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED, LIFECYCLE_MIGRATED},
    {VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_WAKEUP, LIFECYCLE_RESUMED},
};

static const enum lifecycle_kind event_kinds[] = {
    [VIR_DOMAIN_EVENT_DEFINED] = LIFECYCLE_DEFINED,  [VIR_DOMAIN_EVENT_UNDEFINED] = LIFECYCLE_UNDEFINED,
    [VIR_DOMAIN_EVENT_STARTED] = LIFECYCLE_STARTED,  [VIR_DOMAIN_EVENT_SUSPENDED] = LIFECYCLE_PAUSED,
    [VIR_DOMAIN_EVENT_RESUMED] = LIFECYCLE_RESUMED,  [VIR_DOMAIN_EVENT_STOPPED] = LIFECYCLE_STOPPED,
    [VIR_DOMAIN_EVENT_SHUTDOWN] = LIFECYCLE_STOPPED, [VIR_DOMAIN_EVENT_PMSUSPENDED] = LIFECYCLE_PMSUSPENDED,
    [VIR_DOMAIN_EVENT_CRASHED] = LIFECYCLE_CRASHED,
};

bool feed_event_kind(int event, int detail, enum lifecycle_kind *ret)
{
    if (event < 0 || (size_t)event >= sizeof(event_kinds) / sizeof(event_kinds[0]))
        return false;
    *ret = event_kinds[event];
    for (size_t i = 0; i < sizeof(event_details) / sizeof(event_details[0]); i++)
        if (event_details[i].event == event && event_details[i].detail == detail)
            *ret = event_details[i].kind;
    return true;
}

bool feed_event_goes_away(int event, int detail)
{
    return event == VIR_DOMAIN_EVENT_SUSPENDED &&
           (detail == VIR_DOMAIN_EVENT_SUSPENDED_PAUSED || detail == VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED ||
            detail == VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY);
}

static bool event_changes_xml(int event)
{
    return event != VIR_DOMAIN_EVENT_SUSPENDED && event != VIR_DOMAIN_EVENT_RESUMED;
}

static struct lifecycle_event event_of(virDomainPtr domain, enum lifecycle_kind kind, struct clock *clock)
{
    struct lifecycle_event e = {.kind = kind, .id = (int)virDomainGetID(domain)};
    if (virDomainGetUUIDString(domain, e.uuid) < 0)
        e.uuid[0] = '\0';
    e.wall_ns = clock_wall_ns(clock);
    e.boot_ns = clock_boot_ns(clock);
    return e;
}

static struct lifecycle_event event_paused(struct domain_stats *d)
{
    struct lifecycle_event e = {
        .kind = LIFECYCLE_PAUSED, .id = d->id, .wall_ns = d->read_wall_ns, .boot_ns = d->read_boot_ns, .paused = d};
    memcpy(e.uuid, d->uuid, UUID_SIZE);
    return e;
}

static void deliver(struct feed *f, const struct lifecycle_event *e, bool changes_xml)
{
    pthread_mutex_lock(&f->lock);
    if (!f->stopping) {
        if (changes_xml)
            event_queue_mark_stale(f->queue, e->uuid);
        event_queue_add(f->queue, e);
        wake(f);
    }
    pthread_mutex_unlock(&f->lock);
}

/* A guest that goes down: its CPU time can be read for some milliseconds more. */
static void going_down(struct feed *f, const struct lifecycle_event *e)
{
    pthread_mutex_lock(&f->lock);
    event_queue_tail_begin(f->queue, e);
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static void going_away(struct feed *f, const struct lifecycle_event *e)
{
    pthread_mutex_lock(&f->lock);
    if (f->last)
        last_reader_add(f->last, e);
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static int on_lifecycle(virConnectPtr handle, virDomainPtr domain, int event, int detail, void *context)
{
    struct feed *f = context;
    enum lifecycle_kind kind;
    (void)handle;
    if (!feed_event_kind(event, detail, &kind))
        return 0;
    struct lifecycle_event e = event_of(domain, kind, f->clock);
    if (event == VIR_DOMAIN_EVENT_SHUTDOWN)
        going_down(f, &e);
    else
        deliver(f, &e, event_changes_xml(event));
    if (feed_event_goes_away(event, detail))
        going_away(f, &e);
    return 0;
}

static void on_reboot(virConnectPtr handle, virDomainPtr domain, void *context)
{
    (void)handle;
    struct lifecycle_event e = event_of(domain, LIFECYCLE_REBOOTED, ((struct feed *)context)->clock);
    deliver(context, &e, false);
}

static void on_balloon(virConnectPtr handle, virDomainPtr domain, unsigned long long actual_kib, void *context)
{
    (void)handle;
    (void)actual_kib;
    struct lifecycle_event e = event_of(domain, LIFECYCLE_RESIZED, ((struct feed *)context)->clock);
    deliver(context, &e, false);
}

static void device_event(struct feed *f, virDomainPtr domain, const char *alias, enum lifecycle_kind kind)
{
    struct lifecycle_event e = event_of(domain, kind, f->clock);
    text_copy(text_of(alias), e.device, sizeof(e.device));
    deliver(f, &e, true);
}

static void on_device_added(virConnectPtr handle, virDomainPtr domain, const char *alias, void *context)
{
    (void)handle;
    device_event(context, domain, alias, LIFECYCLE_DEVICE_ADDED);
}

static void on_device_removed(virConnectPtr handle, virDomainPtr domain, const char *alias, void *context)
{
    (void)handle;
    device_event(context, domain, alias, LIFECYCLE_DEVICE_REMOVED);
}

static void on_memory_device(virConnectPtr handle, virDomainPtr domain, const char *alias, unsigned long long size_kib,
                             void *context)
{
    (void)handle;
    (void)size_kib;
    device_event(context, domain, alias, LIFECYCLE_RESIZED);
}

static void on_metadata(virConnectPtr handle, virDomainPtr domain, int type, const char *space, void *context)
{
    (void)handle;
    (void)type;
    (void)space;
    struct lifecycle_event e = event_of(domain, LIFECYCLE_METADATA, ((struct feed *)context)->clock);
    deliver(context, &e, true);
}

/* Snapshot, commit, copy: the disk's chain is another one now. */
static void on_block_job(virConnectPtr handle, virDomainPtr domain, const char *disk, int type, int status,
                         void *context)
{
    struct feed *f = context;
    (void)handle;
    (void)disk;
    (void)type;
    (void)status;
    struct lifecycle_event e = event_of(domain, LIFECYCLE_DEFINED, f->clock);
    pthread_mutex_lock(&f->lock);
    event_queue_mark_stale(f->queue, e.uuid);
    pthread_mutex_unlock(&f->lock);
}

static void on_close(virConnectPtr handle, int reason, void *context)
{
    struct feed *f = context;
    (void)handle;
    (void)reason;
    pthread_mutex_lock(&f->lock);
    f->closed = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static void hold(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    f->holders++;
    pthread_mutex_unlock(&f->lock);
}

/* libvirt takes a close callback for every driver, but lets go only of that of a driver that can close. */
static void forget_closing(void *context)
{
    struct feed *f = context;
    pthread_mutex_lock(&f->lock);
    bool held = f->closing_told;
    f->closing_told = false;
    if (held)
        let_go(f);
    else
        pthread_mutex_unlock(&f->lock);
}

static void listen_for_closing(struct feed *f, virConnectPtr handle)
{
    pthread_mutex_lock(&f->lock);
    f->closing_told = true;
    f->holders++;
    pthread_mutex_unlock(&f->lock);
    if (virConnectRegisterCloseCallback(handle, on_close, f, forget_closing) < 0)
        forget_closing(f);
}

/* Drivers do not know all events; the lifecycle must be there. */
static int listen(struct feed *f, virConnectPtr handle)
{
    static const struct {
        int id;
        virConnectDomainEventGenericCallback callback;
    } rows[CALLBACKS_MAX] = {
        {VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
        {VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_reboot)},
        {VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_balloon)},
        {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device_added)},
        {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device_removed)},
        {VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_metadata)},
        {VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, VIR_DOMAIN_EVENT_CALLBACK(on_block_job)},
        {VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_memory_device)},
    };
    f->callback_count = 0;
    for (size_t i = 0; i < CALLBACKS_MAX; i++) {
        hold(f);
        int id = virConnectDomainEventRegisterAny(handle, NULL, rows[i].id, rows[i].callback, f, forget);
        if (id >= 0)
            f->callbacks[f->callback_count++] = id;
        else
            forget(f);
        if (id < 0 && i == 0)
            return -EIO;
    }
    listen_for_closing(f, handle);
    return 0;
}

static void disconnect(struct feed *f)
{
    if (!f->connection)
        return;
    virConnectPtr handle = connection_handle(f->connection);
    for (size_t i = 0; i < f->callback_count; i++)
        (void)virConnectDomainEventDeregisterAny(handle, f->callbacks[i]);
    (void)virConnectUnregisterCloseCallback(handle, on_close);
    forget_closing(f);
    connection_close(f->connection);
    f->connection = NULL;
    f->callback_count = 0;
}

static int connect_feed(struct feed *f, struct error *error)
{
    int r = connection_open(&f->connection, f->uri, error);
    if (r < 0)
        return r;
    r = listen(f, connection_handle(f->connection));
    if (r < 0) {
        connection_error(error, r, "events");
        disconnect(f);
    }
    return r;
}

/* With the lock held, but while libvirt is asked. */
static void reconnect(struct feed *f)
{
    struct error error = {0};
    pthread_mutex_unlock(&f->lock);
    int r = connect_feed(f, &error);
    pthread_mutex_lock(&f->lock);
    f->attempted = true;
    f->listening = r == 0;
    f->connects += r == 0;
    f->closed = false;
    event_queue_mark_stale(f->queue, "");
    pthread_cond_broadcast(&f->changed);
    if (r == 0) {
        log_info("libvirt at %s: connected", f->uri);
        f->told = false;
        f->backoff_ns = 0;
        return;
    }
    if (!f->told)
        log_warning("libvirt at %s cannot be reached, trying again: %s", f->uri, error.text);
    f->told = true;
    f->backoff_ns = f->backoff_ns ? f->backoff_ns * 2 : BACKOFF_FIRST_NS;
    if (f->backoff_ns > BACKOFF_MAX_NS)
        f->backoff_ns = BACKOFF_MAX_NS;
    if (!f->stopping)
        thread_wait(&f->changed, &f->lock, f->backoff_ns);
}

/* With the lock held, but while libvirt is asked. */
static void hang_up(struct feed *f)
{
    f->listening = false;
    log_warning("libvirt at %s: connection lost", f->uri);
    pthread_mutex_unlock(&f->lock);
    disconnect(f);
    pthread_mutex_lock(&f->lock);
    f->closed = false;
}

/* With the lock held, but while libvirt is asked. True: there was one. */
static bool read_tail(struct feed *f)
{
    struct lifecycle_event e;
    if (!event_queue_tail_next(f->queue, &e))
        return false;
    pthread_mutex_unlock(&f->lock);
    struct reading cpu = stats_last_cpu(f->connection, e.uuid, e.id);
    pthread_mutex_lock(&f->lock);
    event_queue_tail_end(f->queue, &e, cpu);
    wake(f);
    return true;
}

/* With the lock held, but while libvirt is asked. True: somebody was. */
static bool read_paused(struct feed *f)
{
    struct domain_stats *d;
    if (last_reader_due_ns(f->last) > 0)
        return false;
    last_reader_ask(f->last);
    pthread_mutex_unlock(&f->lock);
    bool answered = last_reader_await(f->last);
    pthread_mutex_lock(&f->lock);
    while (answered && (d = last_reader_take(f->last))) {
        struct lifecycle_event e = event_paused(d);
        event_queue_add(f->queue, &e);
        wake(f);
    }
    return true;
}

static void rest(struct feed *f)
{
    int64_t due_ns = last_reader_due_ns(f->last);
    thread_wait(&f->changed, &f->lock, due_ns < CHECK_NS ? due_ns : CHECK_NS);
}

static void *run_feed(void *argument)
{
    struct feed *f = argument;
    pthread_mutex_lock(&f->lock);
    while (!f->stopping) {
        if (!f->connection)
            reconnect(f);
        else if (f->closed || !connection_alive(f->connection))
            hang_up(f);
        else if (!read_tail(f) && !read_paused(f))
            rest(f);
    }
    struct last_reader *last = f->last;
    f->last = NULL;
    pthread_mutex_unlock(&f->lock);
    disconnect(f);
    last_reader_destroy(last);
    pthread_mutex_lock(&f->lock);
    f->finished = true;
    pthread_cond_broadcast(&f->changed);
    let_go(f);
    return NULL;
}

static struct feed *feed_new(const char *uri, struct clock *clock, int wake_fd)
{
    struct feed *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    thread_lock_init(&f->lock, &f->changed);
    f->holders = 1;
    f->clock = clock;
    f->wake_fd = wake_fd;
    f->uri = strdup(uri);
    f->queue = event_queue_create();
    if (f->uri && f->queue && last_reader_create(&f->last, uri, clock) == 0)
        return f;
    forget(f);
    return NULL;
}

int feed_create(struct feed **ret, const char *uri, struct clock *clock, int wake_fd)
{
    struct feed *f = feed_new(uri, clock, wake_fd);
    if (!f)
        return -ENOMEM;
    hold(f);
    int r = thread_start(NULL, run_feed, f);
    if (r < 0) {
        forget(f);
        forget(f);
        return r;
    }
    *ret = f;
    return 0;
}

void feed_destroy(struct feed *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->stopping = true;
    pthread_cond_broadcast(&f->changed);
    int64_t until_ns = clock_boot_ns(f->clock) + GOODBYE_NS;
    while (!f->finished && clock_boot_ns(f->clock) < until_ns)
        thread_wait(&f->changed, &f->lock, until_ns - clock_boot_ns(f->clock));
    let_go(f);
}
