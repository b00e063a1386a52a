#include "collector_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define AT(field) offsetof(struct collector_options, field)
#define DAY_MS    INT64_C(86400000)

static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const formats[] = {"text", "json", NULL};
static const char *const policies[] = {"low", "medium", "high", NULL};
static const char *const kafka_plain[] = {"bootstrap.servers", NULL};

static const struct option options[] = {
    {.name = "state",
     .type = OPTION_TEXT,
     .offset = AT(state),
     .fallback = "/var/lib/pluvio/collector",
     .metavar = "DIR",
     .command_line = true,
     .help = "Folder of the ledger and the archives; made if missing."},
    {.name = "listen",
     .type = OPTION_ADDRESS,
     .offset = AT(listen),
     .fallback = "127.0.0.1:8777",
     .metavar = "ADDR:PORT",
     .command_line = true,
     .help = "Where the HTTP API answers; loopback only, as there is no access control. Port 0 takes a free one."},
    {.name = "kafka",
     .type = OPTION_MAP,
     .offset = AT(kafka),
     .choices = kafka_plain,
     .metavar = "BOOTSTRAP",
     .command_line = true,
     .help = "Brokers of a cluster as host:port,...; without it an embedded broker runs on loopback and its address is "
             "written to STATE/kafka. As a map: bootstrap.servers and any other property of librdkafka, handed on as "
             "it is."},
    {.name = "topic",
     .type = OPTION_TEXT,
     .offset = AT(topic),
     .fallback = "otlp_metrics",
     .metavar = "NAME",
     .command_line = true,
     .help = "Topic of the samples; made if missing."},
    {.name = "ack_topic",
     .type = OPTION_TEXT,
     .offset = AT(ack_topic),
     .fallback = "pluvio.acks",
     .metavar = "NAME",
     .help = "Topic on which pollers hear what the ledger has; made, compacted, if missing."},
    {.name = "group",
     .type = OPTION_TEXT,
     .offset = AT(group),
     .fallback = "pluvio-collector",
     .metavar = "NAME",
     .help = "Consumer group. Offsets are the ledger's; the broker's copy is for lag tools."},
    {.name = "partitions",
     .type = OPTION_INTEGER,
     .offset = AT(partitions),
     .fallback = "4",
     .low = 1,
     .high = KAFKA_MAX_PARTITIONS,
     .help = "Partitions of a topic that is made here."},
    {.name = "workers",
     .type = OPTION_INTEGER,
     .offset = AT(workers),
     .fallback = "4",
     .low = 1,
     .high = 64,
     .help = "Threads that answer HTTP requests."},
    {.name = "ledger.period",
     .type = OPTION_DURATION,
     .offset = AT(period_ms),
     .fallback = "1h",
     .low = 300000,
     .high = 3600000,
     .help = "Length of a billing period: 1h, 30min, 15min or 5min. A ledger keeps the one it began with."},
    {.name = "ledger.late",
     .type = OPTION_DURATION,
     .offset = AT(late_ms),
     .fallback = "30d",
     .low = DAY_MS,
     .high = 366 * DAY_MS,
     .help = "Counters' records of streams that nobody knows are set aside if they are older. At least as long as "
             "pollers keep records and the topic does."},
    {.name = "ledger.future",
     .type = OPTION_DURATION,
     .offset = AT(future_ms),
     .fallback = "5min",
     .low = 1000,
     .high = DAY_MS,
     .help = "Readings further ahead of this host's clock are set aside."},
    {.name = "grace",
     .type = OPTION_DURATION,
     .offset = AT(grace_ms),
     .fallback = "3min",
     .low = 1000,
     .high = 3600000,
     .help = "How long after its end a period or a step of a silent VM is finished."},
    {.name = "outbox_takeover",
     .type = OPTION_DURATION,
     .offset = AT(takeover_ms),
     .fallback = "5min",
     .low = 1000,
     .high = DAY_MS,
     .help =
         "A host has one poller. Records of a second outbox of the same host wait until the first one has been silent "
         "for so long: after a state folder was lost, that is how long its successor waits."},
    {.name = "archive.step",
     .type = OPTION_DURATION,
     .offset = AT(step_ms),
     .fallback = "60s",
     .low = 1000,
     .high = 300000,
     .help = "Finest step of the archives; divides 5min."},
    {.name = "archive.policy",
     .type = OPTION_CHOICE,
     .offset = AT(policy),
     .fallback = "medium",
     .choices = policies,
     .metavar = "NAME",
     .help = "How much is kept: low, medium or high."},
    {.name = "archive.flush_rows",
     .type = OPTION_INTEGER,
     .offset = AT(flush_rows),
     .fallback = "30",
     .low = 1,
     .high = 1440,
     .help = "Rows of one archive that are written at once."},
    {.name = "archive.flush_age",
     .type = OPTION_DURATION,
     .offset = AT(flush_age_ms),
     .fallback = "30min",
     .low = 1000,
     .high = DAY_MS,
     .help = "Or when the oldest has waited so long."},
    {.name = "archive.memory",
     .type = OPTION_SIZE,
     .offset = AT(archive_memory),
     .fallback = "128MiB",
     .low = 1 << 20,
     .high = INT64_C(1) << 36,
     .unit = "bytes",
     .help = "Rows that wait in memory for their archives, at most."},
    {.name = "archive.journal",
     .type = OPTION_SIZE,
     .offset = AT(journal_size),
     .fallback = "2GiB",
     .low = 1 << 24,
     .high = INT64_C(1) << 40,
     .unit = "bytes",
     .help = "The archives' journal on the disk, at most."},
    {.name = "log.level",
     .type = OPTION_CHOICE,
     .offset = AT(log_level),
     .fallback = "info",
     .choices = levels,
     .metavar = "LEVEL",
     .command_line = true,
     .reloadable = true,
     .help = "error, warning, info or debug."},
    {.name = "log.format",
     .type = OPTION_CHOICE,
     .offset = AT(log_format),
     .fallback = "text",
     .choices = formats,
     .metavar = "FORMAT",
     .command_line = true,
     .reloadable = true,
     .help = "Lines of text, or of JSON."},
};

static void check(const void *settings, struct buf *mistakes)
{
    const struct collector_options *o = settings;
    struct archive_policy ignored;
    if (o->period_ms != 3600000 && o->period_ms != 1800000 && o->period_ms != 900000 && o->period_ms != 300000)
        buf_addf(mistakes, "ledger.period: must be 1h, 30min, 15min or 5min\n");
    if (o->step_ms % 1000 || archive_policy(policies[o->policy], o->step_ms / 1000, &ignored))
        buf_addf(mistakes, "archive.step: must divide 5min into whole seconds\n");
    else if (o->period_ms % o->step_ms)
        buf_addf(mistakes, "archive.step: must divide ledger.period\n");
}

const struct schema collector_schema = {
    .program = "pluvio-collector",
    .summary = "Turns what pollers send over Kafka into an exact usage ledger and time series, and serves both over "
               "HTTP.",
    .examples = "  pluvio-collector --state /tmp/collector\n"
                "      a trial with an embedded broker; pollers on this host: --kafka file:/tmp/collector/kafka\n"
                "  pluvio-collector --state /tmp/collector --listen 127.0.0.1:8777 --kafka broker1:9092,broker2:9092\n"
                "      with a Kafka cluster\n"
                "  pluvio-collector --config /etc/pluvio/pluvio-collector.yaml --check-config\n"
                "      tell every mistake in a configuration\n",
    .options = options,
    .count = sizeof options / sizeof options[0],
    .check = check,
};

static void choose_kafka(const struct collector_options *o, struct collector_settings *s,
                         struct kafka_property *properties)
{
    for (size_t i = 0; i < o->kafka.count; i++) {
        const struct option_pair *p = &o->kafka.pairs[i];
        if (strcmp(p->key, "bootstrap.servers") == 0)
            s->kafka.bootstrap = p->value;
        else
            properties[s->kafka.property_count++] = (struct kafka_property){p->key, p->value};
    }
    s->kafka.client_id = "pluvio-collector";
    s->kafka.properties = properties;
}

static int choose_archive(const struct collector_options *o, struct collector_settings *s)
{
    s->archive = (struct archive_settings){.flush_rows = (int)o->flush_rows,
                                           .flush_age_s = o->flush_age_ms / 1000,
                                           .max_waiting_bytes = o->archive_memory,
                                           .max_journal_bytes = o->journal_size};
    return archive_policy(policies[o->policy], o->step_ms / 1000, &s->archive.policy);
}

int collector_choose(const struct collector_options *o, struct collector_settings *s,
                     struct kafka_property **ret_properties)
{
    *ret_properties = calloc(o->kafka.count + 1, sizeof **ret_properties);
    if (!*ret_properties)
        return -ENOMEM;
    *s = (struct collector_settings){.state = o->state,
                                     .listen = o->listen,
                                     .topic = o->topic,
                                     .ack_topic = o->ack_topic,
                                     .group = o->group,
                                     .partitions = (int)o->partitions,
                                     .workers = (int)o->workers,
                                     .takeover_ms = o->takeover_ms,
                                     .rules = {.period_ms = o->period_ms,
                                               .step_ms = o->step_ms,
                                               .late_ms = o->late_ms,
                                               .future_ms = o->future_ms,
                                               .grace_ms = o->grace_ms}};
    choose_kafka(o, s, *ret_properties);
    return choose_archive(o, s);
}
