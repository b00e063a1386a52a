#include "inspector_libvirt.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "inspection.h"
#include "inspector_connection.h"
#include "inspector_thread.h"
#include "inspector_xml.h"

struct inspector_libvirt {
    struct inspector port;        /* first */
    struct inspection inspection; /* the thread's, but for what says "any thread" */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping, asked, answered;
    unsigned groups;
    int64_t deadline_boot_ns;
    struct snapshot *snapshot;
    int result;
    struct error error;
    int wake_fd;
    char *mapping_namespace, *mapping_element;
};

/* Called with the lock held, which is let go while libvirt is asked. */
static void inspect(struct inspector_libvirt *i)
{
    struct snapshot *snapshot = NULL;
    struct error error = {0};
    unsigned groups = i->groups;
    int64_t deadline_boot_ns = i->deadline_boot_ns;
    pthread_mutex_unlock(&i->lock);
    int r = inspection_run(&i->inspection, groups, deadline_boot_ns, &snapshot, &error);
    pthread_mutex_lock(&i->lock);
    i->snapshot = snapshot;
    i->result = r;
    i->error = error;
    i->asked = false;
    i->answered = true;
    (void)!eventfd_write(i->wake_fd, 1);
}

static void *run_inspector(void *argument)
{
    struct inspector_libvirt *i = argument;
    pthread_mutex_lock(&i->lock);
    while (!i->stopping) {
        if (i->asked)
            inspect(i);
        else
            pthread_cond_wait(&i->changed, &i->lock);
    }
    pthread_mutex_unlock(&i->lock);
    return NULL;
}

static int port_begin(struct inspector *self, unsigned groups, int64_t deadline_boot_ns)
{
    struct inspector_libvirt *i = (struct inspector_libvirt *)self;
    pthread_mutex_lock(&i->lock);
    int r = i->asked || i->answered ? -EBUSY : 0;
    if (r == 0) {
        i->groups = groups;
        i->deadline_boot_ns = deadline_boot_ns;
        i->asked = true;
        pthread_cond_broadcast(&i->changed);
    }
    pthread_mutex_unlock(&i->lock);
    return r;
}

/* The descriptor is cleared before looking, so that what comes meanwhile raises it again. */
static void lower(struct inspector_libvirt *i)
{
    eventfd_t ignored;
    (void)!eventfd_read(i->wake_fd, &ignored);
}

static int port_result(struct inspector *self, struct snapshot **ret, struct error *error)
{
    struct inspector_libvirt *i = (struct inspector_libvirt *)self;
    lower(i);
    pthread_mutex_lock(&i->lock);
    int r = i->answered ? 1 : 0;
    if (i->answered && i->result < 0) {
        r = i->result;
        if (error)
            *error = i->error;
    } else if (i->answered) {
        *ret = i->snapshot;
    }
    i->snapshot = NULL;
    i->answered = false;
    pthread_mutex_unlock(&i->lock);
    if (feed_has_event(i->inspection.feed))
        (void)!eventfd_write(i->wake_fd, 1);
    return r;
}

/* The last event taken, a result may still be there. */
static int port_event(struct inspector *self, struct lifecycle_event *ret)
{
    struct inspector_libvirt *i = (struct inspector_libvirt *)self;
    bool more = false;
    lower(i);
    int r = feed_take(i->inspection.feed, ret, &more);
    pthread_mutex_lock(&i->lock);
    more = more || i->answered;
    pthread_mutex_unlock(&i->lock);
    if (more)
        (void)!eventfd_write(i->wake_fd, 1);
    return r;
}

static int port_wake_fd(struct inspector *self)
{
    return ((struct inspector_libvirt *)self)->wake_fd;
}

static void port_figures(struct inspector *self, struct inspector_figures *ret)
{
    struct inspection *in = &((struct inspector_libvirt *)self)->inspection;
    *ret = (struct inspector_figures){.connects = feed_connects(in->feed),
                                      .overruns = in->overruns,
                                      .stuck = inspection_stuck(in),
                                      .events_dropped = feed_dropped(in->feed),
                                      .refused = in->refused};
    for (unsigned w = 0; w <= in->stuck_max; w++)
        ret->connects += inspect_worker_connects(in->workers[w]);
}

static void cancel_all(struct inspection *in)
{
    if (in->feed)
        feed_cancel(in->feed);
    for (size_t w = 0; w < INSPECTION_WORKERS; w++)
        if (in->workers[w])
            inspect_worker_cancel(in->workers[w]);
}

static void finish_inspection(struct inspection *in)
{
    for (size_t w = 0; w < INSPECTION_WORKERS; w++)
        inspect_worker_destroy(in->workers[w]);
    feed_destroy(in->feed);
    cache_finish(&in->cache);
    free(in->host_name);
}

/* What is left when the thread is not running. */
static void inspector_free(struct inspector_libvirt *i)
{
    finish_inspection(&i->inspection);
    if (i->wake_fd >= 0)
        close(i->wake_fd);
    snapshot_free(i->snapshot);
    pthread_mutex_destroy(&i->lock);
    pthread_cond_destroy(&i->changed);
    free(i->mapping_namespace);
    free(i->mapping_element);
    free(i);
}

static void port_destroy(struct inspector *self)
{
    struct inspector_libvirt *i = (struct inspector_libvirt *)self;
    pthread_mutex_lock(&i->lock);
    i->stopping = true;
    pthread_cond_broadcast(&i->changed);
    pthread_mutex_unlock(&i->lock);
    cancel_all(&i->inspection);
    pthread_join(i->thread, NULL);
    inspector_free(i);
}

/* A PCI function of class 0x03 is a display controller: a GPU, when it is passed through. */
static bool pci_is_display(void *context, const char *address)
{
    char path[128], class[5] = "";
    (void)context;
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.32s/class", address);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, class, sizeof(class) - 1);
    close(fd);
    return got == sizeof(class) - 1 && strcmp(class, "0x03") == 0;
}

/* libvirtd's state folder is where its socket is: ".../libvirt-sock" beside "qemu/NAME.pid". */
static char *pid_folder_of(const char *uri)
{
    const char *socket = strstr(uri, "socket=");
    struct text path = text_of(socket ? socket + strlen("socket=") : "/run/libvirt/libvirt-sock");
    path.len = strcspn(path.data, "&");
    while (path.len && path.data[path.len - 1] != '/')
        path.len--;
    struct buf folder = {0};
    buf_add_text(&folder, path);
    buf_add_string(&folder, "qemu");
    char *copy = folder.failed ? NULL : text_dup(buf_text(&folder));
    buf_free(&folder);
    return copy;
}

static int copy_text(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return text && !*out ? -ENOMEM : 0;
}

static int fill_cache(struct inspector_libvirt *i, const struct inspector_libvirt_settings *s, const char *uri)
{
    struct domain_cache *c = &i->inspection.cache;
    if (copy_text(&i->mapping_namespace, s->mapping_namespace) < 0 ||
        copy_text(&i->mapping_element, s->mapping_element) < 0)
        return -ENOMEM;
    c->pid_folder = s->pid_folder ? strdup(s->pid_folder) : pid_folder_of(uri);
    if (!c->pid_folder)
        return -ENOMEM;
    c->proc = "/proc";
    c->xml = (struct domain_xml_settings){
        .mapping_namespace = i->mapping_namespace, .mapping_element = i->mapping_element, .is_gpu = pci_is_display};
    return 0;
}

static int fill(struct inspector_libvirt *i, const struct inspector_libvirt_settings *s)
{
    struct inspection *in = &i->inspection;
    const char *uri = s->uri ? s->uri : "qemu:///system";
    in->clock = s->clock ? s->clock : clock_system();
    in->stuck_max = s->stuck_max ? s->stuck_max : INSPECTOR_STUCK_DEFAULT;
    i->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (i->wake_fd < 0)
        return -errno;
    int r = fill_cache(i, s, uri);
    for (unsigned w = 0; w <= in->stuck_max && r == 0; w++)
        r = inspect_worker_create(&in->workers[w], uri, in->clock);
    return r < 0 ? r : feed_create(&in->feed, uri, in->clock, i->wake_fd);
}

static bool settings_good(const struct inspector_libvirt_settings *s)
{
    return s->stuck_max <= INSPECTOR_STUCK_MAX && !s->mapping_namespace == !s->mapping_element;
}

int inspector_libvirt_open(struct inspector **ret, const struct inspector_libvirt_settings *settings,
                           struct error *error)
{
    if (!settings_good(settings))
        return error_set(error, -EINVAL, "the mapping needs a namespace and an element; at most %d calls may hang",
                         INSPECTOR_STUCK_MAX);
    int r = connection_setup(error);
    if (r < 0)
        return r;
    xml_setup();
    struct inspector_libvirt *i = calloc(1, sizeof(*i));
    if (!i)
        return error_set(error, -ENOMEM, "out of memory");
    i->port = (struct inspector){port_begin, port_result, port_event, port_wake_fd, port_figures, port_destroy};
    i->wake_fd = -1;
    thread_lock_init(&i->lock, &i->changed);
    r = fill(i, settings);
    if (r == 0)
        r = thread_start(&i->thread, run_inspector, i);
    if (r < 0) {
        inspector_free(i);
        return error_set(error, r, "the inspector cannot start: %s", strerror(-r));
    }
    *ret = &i->port;
    return 0;
}
