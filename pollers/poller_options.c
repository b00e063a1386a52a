#include "poller_options.h"

#include <errno.h>
#include <fnmatch.h>
#include <stddef.h>
#include <stdlib.h>

#include "pluvio/base/timestamp.h"

#define EVERY_MAX_MS 86400000

#define AT(field) offsetof(struct poller_options, field)

static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const formats[] = {"text", "json", NULL};
static const char *const project_columns[] = {"name", "project", NULL};
static const char *const kafka_plain[] = {"bootstrap.servers", NULL};

static const struct option options[] = {
    {.name = "state",
     .type = OPTION_TEXT,
     .offset = AT(state),
     .fallback = "/var/lib/pluvio/poller",
     .metavar = "DIR",
     .command_line = true,
     .help = "Folder of the outbox and of what is remembered of each VM; made if missing."},
    {.name = "libvirt",
     .type = OPTION_TEXT,
     .offset = AT(libvirt),
     .fallback = "qemu:///system",
     .metavar = "URI",
     .command_line = true,
     .help = "The hypervisor to read, on this host; the read-only socket is enough."},
    {.name = "kafka",
     .type = OPTION_MAP,
     .offset = AT(kafka),
     .choices = kafka_plain,
     .metavar = "BOOTSTRAP|file:PATH",
     .command_line = true,
     .help = "Where to send to: brokers as host:port,..., or file:PATH of the file in which a collector on this host "
             "wrote the address of its embedded broker. As a map: bootstrap.servers and any other property of "
             "librdkafka, handed on as it is."},
    {.name = "topic",
     .type = OPTION_TEXT,
     .offset = AT(topic),
     .fallback = "otlp_metrics",
     .metavar = "NAME",
     .command_line = true,
     .help = "Topic of the samples."},
    {.name = "ack_topic",
     .type = OPTION_TEXT,
     .offset = AT(ack_topic),
     .fallback = "pluvio.acks",
     .metavar = "NAME",
     .help = "Topic on which the collector says what its ledger has."},
    {.name = "interval",
     .type = OPTION_DURATION,
     .offset = AT(interval_ms),
     .fallback = "60s",
     .low = 1000,
     .high = 3600000,
     .metavar = "TIME",
     .command_line = true,
     .reloadable = true,
     .help = "How often every VM is read; each host at its own moment of it."},
    {.name = "meters",
     .type = OPTION_LIST,
     .offset = AT(meters),
     .metavar = "PATTERN",
     .reloadable = true,
     .help = "Meters to read, as shell patterns; \"!\" before one leaves out what it fits, the last that fits decides. "
             "Without any: all but perf.*. libvirt is asked only for what they need."},
    {.name = "intervals",
     .type = OPTION_MAP,
     .offset = AT(intervals),
     .reloadable = true,
     .help = "Meters that are read seldomer than at each interval: a pattern, and how often, such as "
             "disk.device.capacity: 10min. The last that fits decides; what changes is read at once all the same."},
    {.name = "devices",
     .type = OPTION_LIST,
     .offset = AT(devices),
     .metavar = "PATTERN",
     .reloadable = true,
     .help = "Disks (by target) and interfaces (by MAC or tap) to read, as patterns like those of meters. Without any: "
             "all."},
    {.name = "projects",
     .type = OPTION_ROWS,
     .offset = AT(projects),
     .choices = project_columns,
     .reloadable = true,
     .help = "Whose VMs are that nova does not know: the first row whose name, a shell pattern, fits the domain's name "
             "gives the project."},
    {.name = "default_project",
     .type = OPTION_TEXT,
     .offset = AT(default_project),
     .fallback = PROJECT_UNASSIGNED,
     .metavar = "ID",
     .command_line = true,
     .reloadable = true,
     .help = "Project of VMs that nothing else assigns."},
    {.name = "project_metadata.namespace",
     .type = OPTION_TEXT,
     .offset = AT(project_namespace),
     .metavar = "URI",
     .help = "Namespace of an element of the domain's metadata whose text is the project."},
    {.name = "project_metadata.element",
     .type = OPTION_TEXT,
     .offset = AT(project_element),
     .metavar = "NAME",
     .help = "Local name of that element."},
    {.name = "labels",
     .type = OPTION_MAP,
     .offset = AT(labels),
     .reloadable = true,
     .help = "Attributes that go on every record, such as cloud.region and cloud.availability_zone."},
    {.name = "outbox.max_size",
     .type = OPTION_SIZE,
     .offset = AT(outbox_size),
     .fallback = "1GiB",
     .low = 1 << 20,
     .high = INT64_C(1) << 40,
     .unit = "bytes",
     .help = "Records kept on the disk. Beyond, released ones go first, then readings are thinned evenly."},
    {.name = "outbox.keep",
     .type = OPTION_DURATION,
     .offset = AT(outbox_keep_ms),
     .fallback = "7d",
     .high = INT64_C(86400000) * 366,
     .help = "How long records stay that the ledger has, for a ledger that is restored from a backup."},
    {.name = "outbox.memory",
     .type = OPTION_SIZE,
     .offset = AT(outbox_memory),
     .fallback = "32MiB",
     .low = 1 << 20,
     .high = INT64_C(1) << 34,
     .unit = "bytes",
     .help = "Records that wait in memory while the disk refuses."},
    {.name = "send.in_flight",
     .type = OPTION_SIZE,
     .offset = AT(in_flight),
     .fallback = "1MiB",
     .low = 1 << 16,
     .high = 1 << 30,
     .unit = "bytes",
     .help = "Sent and not yet in the ledger, at most, a partition. An embedded broker forgets beyond some 5 MB."},
    {.name = "send.rate",
     .type = OPTION_SIZE,
     .offset = AT(rate),
     .fallback = "4MiB",
     .unit = "bytes a second",
     .help = "How fast an outbox drains after an outage; 0: without a bound."},
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

static void check(const void *settings, struct buf *mistakes);

const struct schema poller_schema = {
    .program = "pluvio-poller",
    .summary = "Reads what every VM of this host uses, through libvirt, and sends it to a Pluvio collector over Kafka.",
    .examples = "  pluvio-poller --once\n"
                "      print what can be read on this host, and exit\n"
                "  pluvio-poller --once --explain\n"
                "      and what is missing there, and how to have it\n"
                "  pluvio-poller --state /tmp/poller --kafka file:/tmp/collector/kafka --interval 10s\n"
                "      a trial beside a collector with its embedded broker\n"
                "  pluvio-poller --config /etc/pluvio/pluvio-poller.yaml --check-config\n"
                "      tell every mistake in a configuration\n",
    .options = options,
    .count = sizeof options / sizeof options[0],
    .check = check,
};

static const struct option switches[] = {
    {.name = "once",
     .type = OPTION_BOOLEAN,
     .offset = AT(once),
     .command_line = true,
     .help = "Print what is read from libvirt as a table, and exit."},
    {.name = "explain",
     .type = OPTION_BOOLEAN,
     .offset = AT(explain),
     .command_line = true,
     .help = "With --once: say which meters this host gives, what is missing, and how to have it."},
};
const struct schema poller_switches = {.options = switches, .count = sizeof switches / sizeof switches[0]};

static const char *value_of(const struct option_map *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->pairs[i].key, key) == 0)
            return map->pairs[i].value;
    return NULL;
}

/* ---- mistakes that no single option shows ---- */

static bool fits_any_meter(const char *pattern)
{
    for (size_t m = 0; m < METERS; m++)
        if (fnmatch(pattern + (pattern[0] == '!'), meter_at((enum meter_id)m)->name, 0) == 0)
            return true;
    return false;
}

static void check(const void *settings, struct buf *mistakes)
{
    const struct poller_options *o = settings;
    if (hypervisor_is_remote(o->libvirt) && !o->once)
        buf_addf(mistakes,
                 "libvirt: %s is another host's: only --once reads it; run a poller there, since boot and "
                 "processes of a host are seen on it alone\n",
                 o->libvirt);
    if (o->explain && !o->once)
        buf_addf(mistakes, "--explain: goes with --once\n");
    for (size_t i = 0; i < o->meters.count; i++)
        if (!fits_any_meter(o->meters.items[i]))
            buf_addf(mistakes, "meters: %s fits no meter; `pluvio meter` lists them\n", o->meters.items[i]);
    for (size_t i = 0; i < o->intervals.count; i++) {
        const struct option_pair *p = &o->intervals.pairs[i];
        int64_t every_ms;
        if (!fits_any_meter(p->key))
            buf_addf(mistakes, "intervals: %s fits no meter; `pluvio meter` lists them\n", p->key);
        if (duration_parse(text_of(p->value), &every_ms) || every_ms < o->interval_ms || every_ms > EVERY_MAX_MS)
            buf_addf(mistakes, "intervals: %s: '%s' is not a time from interval to 1d\n", p->key, p->value);
    }
    for (size_t i = 0; i < o->projects.count; i++)
        if (!value_of(&o->projects.rows[i], "name") || !value_of(&o->projects.rows[i], "project"))
            buf_addf(mistakes, "projects: row %zu needs both name and project\n", i + 1);
    if (!o->project_namespace != !o->project_element)
        buf_addf(mistakes, "project_metadata: needs both namespace and element\n");
    if (!value_of(&o->kafka, "bootstrap.servers") && !o->once)
        buf_addf(mistakes, "kafka: is missing: --kafka host:port for a cluster, or --kafka file:PATH of the file in "
                           "which a collector on this host wrote its broker's address\n");
}

/* ---- what they mean ---- */

static struct selection selection_of(const struct option_list *list)
{
    return (struct selection){(const char *const *)list->items, list->count};
}

static void choose_meters(const struct poller_options *o, struct poller_choice *c)
{
    struct selection meters = selection_of(&o->meters);
    for (size_t m = 0; m < METERS; m++) {
        const char *name = meter_at((enum meter_id)m)->name;
        c->wanted[m] = selection_wants(&meters, &name, 1, fnmatch("perf.*", name, 0) != 0);
        for (size_t i = 0; i < o->intervals.count; i++) {
            const struct option_pair *p = &o->intervals.pairs[i];
            int64_t every_ms;
            if (fnmatch(p->key, name, 0) == 0 && duration_parse(text_of(p->value), &every_ms) == 0)
                c->every_ns[m] = every_ms * NS_PER_MS;
        }
    }
    c->poller.wanted = c->wanted;
    c->poller.every_ns = c->every_ns;
    c->poller.devices = selection_of(&o->devices);
}

static void choose_labels(const struct poller_options *o, struct poller_choice *c)
{
    for (size_t i = 0; i < o->labels.count; i++)
        c->labels[i] = (struct label){o->labels.pairs[i].key, o->labels.pairs[i].value};
    c->poller.labels = c->labels;
    c->poller.label_count = o->labels.count;
}

static void choose_projects(const struct poller_options *o, struct poller_choice *c)
{
    for (size_t i = 0; i < o->projects.count; i++)
        c->rules[i] =
            (struct discovery_rule){value_of(&o->projects.rows[i], "name"), value_of(&o->projects.rows[i], "project")};
    c->poller.discovery = (struct discovery){c->rules, o->projects.count, o->default_project};
}

static void choose_kafka(const struct poller_options *o, struct poller_choice *c)
{
    c->kafka = (struct publisher_rdkafka){.bootstrap = value_of(&o->kafka, "bootstrap.servers"),
                                          .client_id = "pluvio-poller",
                                          .ack_topic = o->ack_topic,
                                          .properties = c->properties};
    for (size_t i = 0; i < o->kafka.count; i++) {
        const struct option_pair *p = &o->kafka.pairs[i];
        if (strcmp(p->key, "bootstrap.servers") != 0)
            c->properties[c->kafka.property_count++] = (struct kafka_property){p->key, p->value};
    }
}

int poller_choose(const struct poller_options *o, struct poller_choice *c)
{
    *c = (struct poller_choice){.poller = {.interval_ns = o->interval_ms * NS_PER_MS,
                                           .topic = o->topic,
                                           .in_flight_bytes = o->in_flight,
                                           .bytes_per_second = o->rate},
                                .remote = hypervisor_is_remote(o->libvirt)};
    c->labels = calloc(o->labels.count + 1, sizeof *c->labels);
    c->rules = calloc(o->projects.count + 1, sizeof *c->rules);
    c->properties = calloc(o->kafka.count + 1, sizeof *c->properties);
    if (!c->labels || !c->rules || !c->properties) {
        poller_choice_free(c);
        return -ENOMEM;
    }
    choose_meters(o, c);
    choose_labels(o, c);
    choose_projects(o, c);
    choose_kafka(o, c);
    return 0;
}

void poller_choice_free(struct poller_choice *c)
{
    free(c->labels);
    free(c->rules);
    free(c->properties);
    *c = (struct poller_choice){0};
}
