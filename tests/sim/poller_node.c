#include "sim/poller_node.h"

#include <errno.h>

static int open_writer(void *context, struct writer **ret, struct error *error)
{
    struct poller_node *n = context;
    (void)error;
    n->address = n->log->address;
    return fake_log_open_writer(n->log, ret);
}

static int open_acks(void *context, struct reader **ret, struct error *error)
{
    struct poller_node *n = context;
    (void)error;
    return fake_log_open_acks(n->log, ret);
}

static bool moved(void *context)
{
    const struct poller_node *n = context;
    return n->address != n->log->address;
}

static bool wanted[METERS];

static void choose_meters(void)
{
    static const enum meter_id all[] = {METER_POWER_STATE,      METER_CPU,
                                        METER_INSTANCE,         METER_VCPUS,
                                        METER_DISK_READ_BYTES,  METER_DISK_READ_REQUESTS,
                                        METER_DISK_WRITE_BYTES, METER_DISK_WRITE_REQUESTS,
                                        METER_DISK_CAPACITY,    METER_NET_IN_BYTES,
                                        METER_NET_IN_PACKETS,   METER_NET_OUT_BYTES,
                                        METER_NET_OUT_PACKETS,  METER_HOST_CPU_USER};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        wanted[all[i]] = true;
}

static int create(struct poller_node *n, struct error *error)
{
    choose_meters();
    struct poller_settings settings = {
        .interval_ns = SIM_INTERVAL_NS, .wanted = wanted, .topic = FAKE_TOPIC, .in_flight_bytes = 20000};
    struct poller_ports ports = {
        .clock = &n->host->clock.port,
        .random = n->random,
        .inspector = &n->host->port,
        .outbox = n->outbox,
        .boot_id = n->host->boot_id,
        .publisher = {.open_writer = open_writer, .open_acks = open_acks, .moved = moved, .context = n}};
    return poller_create(&n->poller, &settings, &ports, error);
}

int poller_node_start(struct poller_node *n, struct error *error)
{
    struct outbox_settings settings = {.path = n->path,
                                       .vfs = n->vfs,
                                       .max_bytes = n->max_bytes,
                                       .keep_ms = 86400000,
                                       .waiting_max_bytes = 4 << 20,
                                       .random = n->random};
    struct buf notice = {0};
    if (n->poller || !n->host->up)
        return 0;
    host_reset_inspector(n->host);
    int r = outbox_open(&n->outbox, &settings, &notice, error);
    if (r == 0 && notice.len)
        r = error_set(error, -EUCLEAN, "%s", buf_terminate(&notice));
    buf_free(&notice);
    if (r == 0)
        r = create(n, error);
    if (r) {
        outbox_close(n->outbox);
        n->outbox = NULL;
        return r;
    }
    n->wake_ns = *n->host->now_ns;
    return 0;
}

static int64_t whole_ms(int64_t ns)
{
    return (ns + NS_PER_MS - 1) / NS_PER_MS * NS_PER_MS;
}

/* What it has heard is on its disk, as far as its outbox says so. */
static void tell_oracle(const struct poller_node *n)
{
    struct outbox_figures f;
    outbox_figures(n->outbox, &f);
    if (f.waiting == 0 && !n->disk_refuses)
        oracle_stored(n->host->oracle, n->host->number);
}

int poller_node_step(struct poller_node *n, struct error *error)
{
    int64_t wake_boot_ns = 0;
    int r = poller_step(n->poller, &wake_boot_ns, error);
    if (r)
        return r;
    tell_oracle(n);
    n->wake_ns = whole_ms(fake_clock_true_ns(&n->host->clock, wake_boot_ns));
    if (n->wake_ns <= *n->host->now_ns)
        n->wake_ns = *n->host->now_ns + NS_PER_MS;
    return 0;
}

void poller_node_crash(struct poller_node *n)
{
    if (!n->poller)
        return;
    poller_destroy(n->poller);
    outbox_close(n->outbox);
    n->poller = NULL;
    n->outbox = NULL;
    oracle_lost(n->host->oracle, n->host->number);
    host_reset_inspector(n->host);
}

void poller_node_stop(struct poller_node *n)
{
    if (!n->poller)
        return;
    poller_finish(n->poller, 1000);
    tell_oracle(n);
    poller_node_crash(n);
}

bool poller_node_is_drained(struct poller_node *n)
{
    struct outbox_figures f;
    if (!n->poller || oracle_waits(n->host->oracle, n->host->number))
        return false;
    outbox_figures(n->outbox, &f);
    return f.unreleased == 0 && f.waiting == 0;
}
