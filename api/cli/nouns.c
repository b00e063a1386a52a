#include "nouns.h"

#define END                                                                                                            \
    {                                                                                                                  \
        NULL, NULL, NULL, NULL                                                                                         \
    }
#define FROM                                                                                                           \
    {"from", "TIME", "start: 2026-11-24T10:00:00Z, a date, now, or -2h", "from"},                                      \
        {"since", "TIME", "the same as --from; \"--since 2h\" is two hours ago", "from"},                              \
    {                                                                                                                  \
        "to", "TIME", "end, not part of it (default: now)", "to"                                                       \
    }
#define PAGE                                                                                                           \
    {"limit", "N", "at most so many rows, not all of them", "limit"},                                                  \
    {                                                                                                                  \
        "after", "KEY", "go on behind an earlier answer: the value of its \"next\"", "after"                           \
    }

static const struct cli_option none[] = {END};

static const struct cli_option resource_options[] = {
    {"project", "ID", "only this project's", "project"},
    {"kind", "KIND", "only instance, disk, interface, host or other", "kind"},
    {"entity", "ID", "only this VM or host, with its disks and interfaces", "entity"},
    PAGE,
    END,
};
static const struct verb resource_verbs[] = {
    {"list", "", 0, 0, resource_options, resource_list},
    {"show", "ID", 1, 1, none, resource_show},
    {NULL, NULL, 0, 0, NULL, NULL},
};

static const struct cli_option usage_options[] = {
    FROM,
    {"by", "STEP", "a row is an hour, day, month, or the total (default)", "by"},
    {"group", "LIST", "tell apart by project (default), resource, entity, user, flavor, state; with commas", "group"},
    {"project", "ID", "only this project", "project"},
    {"resource", "ID", "only this resource", "resource"},
    {"entity", "ID", "only this VM or host, with its disks and interfaces", "entity"},
    {"meter", "NAME", "only this meter; \"disk.*\" takes all that begin so", "meter"},
    {"flavor", "NAME", "only what ran as this flavor", "flavor"},
    {"state", "STATE", "only what was running, shutoff, paused ...", "state"},
    {"user", "ID", "only what this user owned", "user"},
    PAGE,
    END,
};
static const struct verb usage_verbs[] = {
    {"list", "", 0, 0, usage_options, usage_list},
    {NULL, NULL, 0, 0, NULL, NULL},
};

static const struct verb meter_verbs[] = {
    {"list", "", 0, 0, none, meter_list},
    {NULL, NULL, 0, 0, NULL, NULL},
};

static const struct cli_option series_options[] = {
    FROM,
    {"step", "DURATION", "at least this long a step: 5min, 1h (default: the finest there is)", "step"},
    {"consolidation", "HOW", "average (default), min or max of what a coarse step holds", "consolidation"},
    END,
};
static const struct verb series_verbs[] = {
    {"show", "RESOURCE METER", 2, 2, series_options, series_show},
    {NULL, NULL, 0, 0, NULL, NULL},
};

static const struct cli_option audit_options[] = {
    {"ledger", "FILE", "read this ledger file, collector running or not, and not the API", NULL},
    END,
};
static const struct verb audit_verbs[] = {
    {"run", "", 0, 0, audit_options, audit_run},
    {NULL, NULL, 0, 0, NULL, NULL},
};

static const struct cli_option decode_options[] = {
    {"kafka", "WHERE", "read a topic: HOST:PORT,... or file:PATH, where a collector wrote its broker's address", NULL},
    {"topic", "NAME", "the topic (default: otlp_metrics)", NULL},
    {"follow", NULL, "wait for more at the topic's end", NULL},
    {"count", "N", "stop after N records", NULL},
    {"property", "NAME=VALUE", "a property of librdkafka, as under kafka: in a configuration; any number of times",
     NULL},
    END,
};
static const struct verb decode_verbs[] = {
    {"run", "FILE ... (or --kafka)", 0, COMMAND_MAX_WORDS, decode_options, decode_run},
    {NULL, NULL, 0, 0, NULL, NULL},
};

static const struct cli_option host_options[] = {
    PAGE,
    END,
};
static const struct verb host_verbs[] = {
    {"list", "", 0, 0, host_options, host_list},
    {NULL, NULL, 0, 0, NULL, NULL},
};

static const struct cli_option dead_letter_options[] = {
    PAGE,
    END,
};
static const struct verb dead_letter_verbs[] = {
    {"list", "", 0, 0, dead_letter_options, dead_letter_list},
    {NULL, NULL, 0, 0, NULL, NULL},
};

const struct noun nouns[] = {
    {"resource", "what is known: VMs, their disks and interfaces, hosts", resource_verbs,
     "  pluvio resource\n"
     "      everything that was ever metered, in order of id\n"
     "  pluvio resource --kind instance --project 7d1c\n"
     "      one project's VMs\n"
     "  pluvio resource show 0b1f6a52-6f0e-4a53-9f4e-7f0b6c1f3a11\n"
     "      all about one, with its meters\n"},
    {"host", "hosts, and whose word on them counts", host_verbs,
     "  pluvio host\n"
     "      each host's outbox, with when it was heard last\n"
     "A host has one poller with one outbox. Another outbox of the same host waits, and nothing that it brings is\n"
     "billed, until the current one has been silent for the collector's outbox_takeover.\n"},
    {"usage", "what was used, exactly, and by whom", usage_verbs,
     "  pluvio usage\n"
     "      this month until now, by project and meter\n"
     "  pluvio usage --from 2026-11-01 --to 2026-12-01 --csv > november.csv\n"
     "      a month for the books\n"
     "  pluvio usage --since 24h --by hour --meter cpu --project 7d1c\n"
     "      one project's CPU time, hour by hour\n"
     "  pluvio usage --group resource --meter 'disk.*'\n"
     "      which disk did what\n"
     "Rows marked open lie in an hour that is not finished: they may still grow. Quantities are exact; what stands\n"
     "behind them is rounded, for people.\n"},
    {"meter", "what is metered, and in which unit", meter_verbs,
     "  pluvio meter\n"
     "      consumed and allocated meters are in the ledger, observed ones in the archives only\n"},
    {"series", "what a meter did over time", series_verbs,
     "  pluvio series 0b1f6a52-6f0e-4a53-9f4e-7f0b6c1f3a11 cpu_util\n"
     "      the last hour of a VM's CPU load, in percent\n"
     "  pluvio series 0b1f6a52-6f0e-4a53-9f4e-7f0b6c1f3a11-vda disk.device.read.bytes.rate --since 1d --step 5min\n"
     "      bytes read a second, a day long\n"
     "A step in which nothing was observed shows no value: that is a gap, not a zero.\n"},
    {"audit", "prove that the ledger is right", audit_verbs,
     "  pluvio audit\n"
     "      the collector's own ledger\n"
     "  pluvio audit --ledger /var/lib/pluvio/ledger.db\n"
     "      a file, such as a backup\n"
     "Every stream's usage must add up to its newest reading, every size's time to the union of its segments, every\n"
     "day to its rows. Exit status 0 means that all of them do; each that does not is listed, and the status is 1.\n"},
    {"decode", "records of the wire as JSON lines", decode_verbs,
     "  pluvio decode record.bin\n"
     "      a file that holds one record's value, as it came; \"-\" is standard input\n"
     "  pluvio decode --kafka 127.0.0.1:9092 --count 10\n"
     "      the first ten records of the topic otlp_metrics\n"
     "  pluvio decode --kafka file:/var/lib/pluvio/broker --follow\n"
     "      all, and what comes from now on\n"
     "  pluvio decode --kafka kafka1:9093 --property security.protocol=SSL --count 1\n"
     "      of a cluster that wants TLS\n"
     "A file holds the bytes of one record's value, an ExportMetricsServiceRequest (protobuf), without framing:\n"
     "  kcat -b 127.0.0.1:9092 -t otlp_metrics -C -c 1 -e -D '' | pluvio decode -\n"},
    {"dead-letter", "records that could not be taken in, and why", dead_letter_verbs,
     "  pluvio dead-letter\n"
     "      all that are kept\n"
     "  pluvio dead-letter --json --limit 1\n"
     "      with the first bytes of the record, in base64\n"},
    {NULL, NULL, NULL, NULL},
};
