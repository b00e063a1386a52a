#include "inspector_connection.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "domain_xml.h"
#include "inspector_thread.h"
#include "pluvio/base/log.h"

struct connection {
    virConnectPtr handle;
    uint64_t serial;
    bool remote;
};

static pthread_once_t setup_once = PTHREAD_ONCE_INIT;
static int setup_result;

static void *run_events(void *unused)
{
    (void)unused;
    while (virEventRunDefaultImpl() >= 0)
        ;
    log_error("libvirt's event loop has failed: no events, and no keepalive, until the program is started anew");
    return NULL;
}

static void quiet(void *context, virErrorPtr fault)
{
    (void)context;
    (void)fault;
}

/* A timer that never fires: an event loop without one would refuse to run with nothing to watch. */
static void never(int timer, void *context)
{
    (void)timer;
    (void)context;
}

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    virSetErrorFunc(NULL, quiet);
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0 || virEventAddTimeout(-1, never, NULL, NULL) < 0)
        setup_result = -ENOMEM;
    else
        setup_result = thread_start(NULL, run_events, NULL);
}

int connection_setup(struct error *error)
{
    pthread_once(&setup_once, setup);
    if (setup_result < 0)
        return error_set(error, setup_result, "libvirt's event loop does not start: %s", strerror(-setup_result));
    return 0;
}

int connection_error(struct error *error, int code, const char *what)
{
    const virError *fault = virGetLastError();
    return error_set(error, code, "%s: %s", what, fault && fault->message ? fault->message : "no reason given");
}

int connection_open(struct connection **ret, const char *uri, struct error *error)
{
    static _Atomic uint64_t serial;
    struct connection *c = calloc(1, sizeof(*c));
    if (!c)
        return error_set(error, -ENOMEM, "out of memory");
    c->handle = virConnectOpenReadOnly(uri);
    if (!c->handle) {
        free(c);
        return connection_error(error, -EIO, uri);
    }
    /* Drivers inside the process (test:///) have no keepalive and need none. */
    (void)virConnectSetKeepAlive(c->handle, KEEPALIVE_INTERVAL_S, KEEPALIVE_COUNT);
    c->serial = atomic_fetch_add(&serial, 1) + 1;
    c->remote = hypervisor_is_remote(uri);
    *ret = c;
    return 0;
}

void connection_close(struct connection *c)
{
    if (!c)
        return;
    virConnectClose(c->handle);
    free(c);
}

bool connection_alive(const struct connection *c)
{
    return virConnectIsAlive(c->handle) == 1;
}

uint64_t connection_serial(const struct connection *c)
{
    return c->serial;
}

void *connection_handle(const struct connection *c)
{
    return c->handle;
}

/* Of this host libvirt says the same, but asks DNS first, and fails where that is away. */
static char *host_name(const struct connection *c)
{
    char name[HOST_NAME_MAX + 1] = "";
    if (c->remote)
        return virConnectGetHostname(c->handle);
    return gethostname(name, sizeof(name)) == 0 ? strdup(name) : NULL;
}

int connection_host(struct connection *c, char **ret_name, char ret_uuid[UUID_SIZE], bool *ret_qemu,
                    struct error *error)
{
    const char *type = virConnectGetType(c->handle);
    char *name = host_name(c), *capabilities = virConnectGetCapabilities(c->handle);
    bool told = name && capabilities;
    if (told) {
        if (!capabilities_host_uuid(text_of(capabilities), ret_uuid))
            ret_uuid[0] = '\0';
        *ret_qemu = type && strcasecmp(type, "QEMU") == 0;
        *ret_name = name;
        name = NULL;
    }
    free(name);
    free(capabilities);
    return told ? 0 : connection_error(error, -EIO, "the host's name and capabilities");
}
