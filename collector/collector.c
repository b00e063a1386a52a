#include "collector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "collector/archive/archive_files.h"
#include "collector/ingest/consumer.h"
#include "collector/ingest/ingest_figures.h"
#include "collector/ledger/ledger.h"
#include "pluvio/api/api.h"
#include "pluvio/base/daemon.h"
#include "pluvio/base/figures.h"
#include "pluvio/base/log.h"

#define PATH_SIZE 4096
#define ENSURE_MS 1500 /* a stop must not wait longer */

struct collector {
    struct collector_settings settings;
    struct embedded_broker *broker; /* NULL: a cluster is used */
    struct ledger *ledger;
    struct archive *archive;
    struct archive_reader *reader;
    struct consumer *consumer;
    struct api *api;
    char ledger_path[PATH_SIZE], archive_path[PATH_SIZE], address_path[PATH_SIZE];
};

/* ---- broker ---- */

static int open_broker(struct collector *c, struct error *error)
{
    struct collector_settings *s = &c->settings;
    if (s->kafka.bootstrap)
        return 0;
    int r = embedded_broker_start(&c->broker, s->topic, s->partitions, s->ack_topic, error);
    if (r)
        return r;
    s->kafka.bootstrap = embedded_broker_bootstrap(c->broker);
    return broker_address_write(c->address_path, s->kafka.bootstrap, error);
}

static int open_writer(void *context, struct writer **ret, struct error *error)
{
    const struct collector *c = context;
    const struct collector_settings *s = &c->settings;
    if (c->broker) /* which has its topics, and no controller to ask for them */
        return writer_open(ret, &s->kafka, error);
    int r = topic_ensure(&s->kafka, s->topic, s->partitions, false, ENSURE_MS, error);
    if (r == 0)
        r = topic_ensure(&s->kafka, s->ack_topic, 1, true, ENSURE_MS, error);
    return r ? r : writer_open(ret, &s->kafka, error);
}

static int open_reader(void *context, struct reader **ret, struct error *error)
{
    const struct collector *c = context;
    const struct collector_settings *s = &c->settings;
    return reader_open_group(ret, &s->kafka, s->topic, c->broker ? NULL : s->group, error);
}

/* ---- ledger and archives ---- */

static int open_ledger(struct collector *c, struct error *error)
{
    char holder[320], host[256] = "";
    gethostname(host, sizeof host - 1);
    snprintf(holder, sizeof holder, "%s pid %d", host, (int)getpid());
    struct ledger_settings settings = {.path = c->ledger_path,
                                       .holder = holder,
                                       .period_ms = c->settings.rules.period_ms,
                                       .now_ms = clock_wall_ns(clock_system()) / NS_PER_MS};
    return ledger_open(&c->ledger, &settings, error);
}

static int open_archive(struct collector *c, struct error *error)
{
    struct archive_settings settings = c->settings.archive;
    settings.folder = c->archive_path;
    settings.ledger_commit = ledger_commit_number(c->ledger);
    settings.clock = clock_system();
    int r = archive_open(&c->archive, &settings, error);
    if (r == 0 && archive_reader_open(&c->reader, c->archive))
        r = error_set(error, -ENOMEM, "out of memory");
    return r;
}

/* ---- ingest and API ---- */

static int start_ingest(struct collector *c, void (*fatal)(void *context), void *context, struct error *error)
{
    struct ingest_settings settings = {.topic = c->settings.topic,
                                       .ack_topic = c->settings.ack_topic,
                                       .rules = c->settings.rules,
                                       .takeover_ms = c->settings.takeover_ms};
    struct ingest_ports ports = {.ledger = c->ledger,
                                 .archive = c->archive,
                                 .clock = clock_system(),
                                 .open_reader = open_reader,
                                 .open_writer = open_writer,
                                 .context = c};
    struct ingest *in = NULL;
    int r = ingest_create(&in, &settings, &ports, error);
    if (r == 0 && (r = consumer_start(&c->consumer, in, fatal, context, error)))
        ingest_destroy(in);
    return r;
}

static bool healthy(void *context, struct buf *why)
{
    bool down = figure_broker_down.value != 0;
    if (down)
        buf_add_string(why, "nothing can be read from the broker; records wait with their pollers");
    return consumer_healthy(((struct collector *)context)->consumer, why) && !down;
}

static int open_api(struct collector *c, struct error *error)
{
    struct api_settings settings = {.listen = c->settings.listen,
                                    .workers = c->settings.workers,
                                    .ledger_path = c->ledger_path,
                                    .archive = c->reader,
                                    .clock = clock_system(),
                                    .healthy = healthy,
                                    .context = c};
    return api_open(&c->api, &settings, error);
}

/* ---- coming and going ---- */

static int open_parts(struct collector *c, void (*fatal)(void *context), void *context, struct error *error)
{
    int r = open_ledger(c, error);
    if (r == 0)
        r = open_archive(c, error);
    if (r == 0)
        r = open_broker(c, error);
    if (r == 0)
        r = start_ingest(c, fatal, context, error);
    return r ? r : open_api(c, error);
}

int collector_open(struct collector **ret, const struct collector_settings *settings, void (*fatal)(void *context),
                   void *context, struct error *error)
{
    struct collector *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(error, -ENOMEM, "out of memory");
    c->settings = *settings;
    int folder = state_folder_hold(settings->state, "collector", error);
    snprintf(c->ledger_path, sizeof c->ledger_path, "%s/ledger.db", settings->state);
    snprintf(c->archive_path, sizeof c->archive_path, "%s/archives", settings->state);
    snprintf(c->address_path, sizeof c->address_path, "%s/kafka", settings->state);
    int r = folder < 0 ? folder : open_parts(c, fatal, context, error);
    if (r) {
        collector_close(c);
        return r;
    }
    *ret = c;
    return 0;
}

void collector_close(struct collector *c)
{
    if (!c)
        return;
    api_close(c->api);
    consumer_stop(c->consumer);
    embedded_broker_stop(c->broker);
    archive_reader_close(c->reader);
    if (c->archive)
        c->archive->destroy(c->archive);
    ledger_close(c->ledger);
    free(c);
}

int collector_port(const struct collector *c)
{
    return api_port(c->api);
}

const char *collector_broker(const struct collector *c)
{
    return c->settings.kafka.bootstrap;
}

/* ---- figures ---- */

enum {
    ROWS,
    UPDATES,
    FILES,
    FAILURES,
    SKIPPED,
    REFUSED,
    DROPPED,
    SET_ASIDE,
    WAITING,
    WAITING_BYTES,
    JOURNAL,
    ARCHIVE_FIGURES
};

static struct figure archive_counters[ARCHIVE_FIGURES] = {
    [ROWS] = {.name = "pluvio_archive_rows_total", .help = "Rows written to archives."},
    [UPDATES] = {.name = "pluvio_archive_updates_total", .help = "Calls that wrote them."},
    [FILES] = {.name = "pluvio_archive_files_created_total", .help = "Archives made."},
    [FAILURES] = {.name = "pluvio_archive_failures_total", .help = "Writes that failed; their rows wait."},
    [SKIPPED] = {.name = "pluvio_archive_skipped_rows_total", .help = "Rows that their archive had already."},
    [REFUSED] = {.name = "pluvio_archive_refused_rows_total",
                 .help = "Rows of another layout, or of too many archives."},
    [DROPPED] = {.name = "pluvio_archive_dropped_rows_total", .help = "Rows beyond a limit of memory or journal."},
    [SET_ASIDE] = {.name = "pluvio_archive_set_aside_total", .help = "Files that were no archives."},
    [WAITING] = {.name = "pluvio_archive_waiting_rows", .help = "Rows in memory.", .type = FIGURE_GAUGE},
    [WAITING_BYTES] = {.name = "pluvio_archive_waiting_bytes", .help = "Memory of those.", .type = FIGURE_GAUGE},
    [JOURNAL] = {.name = "pluvio_archive_journal_bytes", .help = "The journal on the disk.", .type = FIGURE_GAUGE},
};

void collector_tick(struct collector *c)
{
    struct archive_figures f;
    archive_figures(c->archive, &f);
    const int64_t values[ARCHIVE_FIGURES] = {
        [ROWS] = f.rows,
        [UPDATES] = f.updates,
        [FILES] = f.files,
        [FAILURES] = f.failures,
        [SKIPPED] = f.skipped,
        [REFUSED] = f.refused,
        [DROPPED] = f.dropped,
        [SET_ASIDE] = f.set_aside,
        [WAITING] = f.waiting_rows,
        [WAITING_BYTES] = f.waiting_bytes,
        [JOURNAL] = f.journal_bytes,
    };
    for (int i = 0; i < ARCHIVE_FIGURES; i++) {
        figure_register(&archive_counters[i]);
        figure_set(&archive_counters[i], values[i]);
    }
}
