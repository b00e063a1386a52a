/* What it costs to take samples in: records as pollers make them, through ingest, to a ledger and archives on the disk,
 * durable, in a backlog. One JSON object on standard output.
 *
 *     bench_ingest memory|BOOTSTRAP VMS CYCLES [METERS-FILE]
 *
 * CYCLES minutes of VMS VMs, several times over. Two cycles go before, so that streams, rows and archive files are
 * there. Before each round everything is opened anew, as after a restart, and a round ends with the last row in its
 * file. The best round counts, as others use the machine too; as many more have their stages timed. CPU time is that of
 * the whole process; making the records is taken off. Files lie below $TMPDIR or /tmp: 4 MB a VM.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/archive/archive_files.h"
#include "collector/ingest/ingest.h"
#include "peers.h"
#include "pluvio/base/clock.h"
#include "pluvio/base/log.h"
#include "source.h"
#include "stages.h"
#include "support/folder.h"

#define FIRST_CYCLES 2
#define ROUNDS       3 /* and so many more with stages */
#define PERIOD_MS    3600000LL
#define PEER_VMS     50

struct rig {
    char folder[FOLDER_SIZE], ledger_path[FOLDER_SIZE + 16], archive_path[FOLDER_SIZE + 16];
    struct fleet fleet;
    const char *bootstrap;
    int64_t cycles;
    char topic[64]; /* of the newest round */
};

struct outcome {
    int64_t records, samples, bytes, commits, cpu_ns, ingest_ns, wall_ns;
};

static void die(const char *why)
{
    fprintf(stderr, "bench_ingest: %s\n", why);
    exit(2);
}

static int64_t now_ms(void)
{
    return clock_wall_ns(clock_system()) / NS_PER_MS;
}

static void open_parts(struct rig *rig, struct source *source, struct ledger **ledger, struct archive **archive,
                       struct ingest **in)
{
    struct error error;
    struct ledger_settings l = {
        .path = rig->ledger_path, .holder = "bench", .period_ms = PERIOD_MS, .now_ms = now_ms()};
    if (ledger_open(ledger, &l, &error))
        die(error.text);
    struct archive_settings a = {.folder = rig->archive_path, .ledger_commit = ledger_commit_number(*ledger)};
    if (archive_policy("medium", 60, &a.policy) || archive_open(archive, &a, &error))
        die(error.text);
    struct ingest_settings settings = {.topic = source->topic,
                                       .ack_topic = "bench.acks",
                                       .rules = {.period_ms = PERIOD_MS,
                                                 .step_ms = 60000,
                                                 .late_ms = 30 * 86400000LL,
                                                 .future_ms = 300000,
                                                 .grace_ms = 180000}};
    struct ingest_ports ports = {.ledger = *ledger,
                                 .archive = stages_archive(*archive),
                                 .clock = clock_system(),
                                 .open_reader = source_open_reader,
                                 .open_writer = source_open_writer,
                                 .context = source};
    if (ingest_create(in, &settings, &ports, &error))
        die(error.text);
}

/* Everything from @source, up to the last row in its archive file. */
static struct outcome run(struct rig *rig, struct source *source)
{
    struct ledger *ledger;
    struct archive *archive;
    struct ingest *in;
    struct error error;
    int64_t total = source_total(source);
    open_parts(rig, source, &ledger, &archive, &in);
    int64_t wall = clock_boot_ns(clock_system()), cpu = clock_cpu_ns(), thread = thread_cpu_ns();
    uint64_t first = ledger_commit_number(ledger);
    while (source->given < total)
        if (ingest_step(in, 100, &error))
            die(error.text);
    if (ingest_finish(in, &error))
        die(error.text);
    struct outcome o = {.records = source->given, .bytes = source->bytes};
    o.commits = (int64_t)(ledger_commit_number(ledger) - first);
    ingest_destroy(in);
    o.ingest_ns = thread_cpu_ns() - thread - source->made_ns;
    archive->destroy(archive);
    ledger_close(ledger);
    o.cpu_ns = clock_cpu_ns() - cpu - source->made_ns;
    o.wall_ns = clock_boot_ns(clock_system()) - wall;
    o.samples = o.records * (int64_t)rig->fleet.meter_count;
    return o;
}

static void open_rig(struct rig *rig, int argc, char **argv)
{
    if (argc < 4 || atoll(argv[2]) < 1 || atoll(argv[3]) < 1) {
        fprintf(stderr, "usage: bench_ingest memory|BOOTSTRAP VMS CYCLES [METERS-FILE]\n");
        exit(2);
    }
    int64_t hour_ns = 3600 * NS_PER_S;
    rig->cycles = atoll(argv[3]);
    int64_t span = 2 * ROUNDS * rig->cycles + FIRST_CYCLES, hours = span * FLEET_CYCLE_NS / hour_ns + 2;
    int64_t start = clock_wall_ns(clock_system()) / hour_ns * hour_ns - hours * hour_ns;
    fleet_open(&rig->fleet, (size_t)atoll(argv[2]), argc > 4 ? argv[4] : NULL, start);
    rig->bootstrap = strcmp(argv[1], "memory") == 0 ? NULL : argv[1];
    folder_make(rig->folder);
    folder_path(rig->folder, "ledger.db", rig->ledger_path, sizeof rig->ledger_path);
    folder_path(rig->folder, "archives", rig->archive_path, sizeof rig->archive_path);
}

static struct source measured_source(struct rig *rig, int64_t from, const char *topic)
{
    struct source s = {.fleet = &rig->fleet,
                       .cycle = from,
                       .last_cycle = from + rig->cycles,
                       .bootstrap = rig->bootstrap,
                       .topic = topic};
    if (rig->bootstrap)
        source_fill_broker(&s);
    return s;
}

static long long file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) ? 0 : (long long)st.st_size;
}

static void keep_best(struct outcome *best, const struct outcome *o, struct stage_clock *its_stages)
{
    if (best->cpu_ns && best->cpu_ns <= o->cpu_ns)
        return;
    *best = *o;
    *its_stages = stages;
}

/* The best of some rounds from *@cycle on, which moves; `stages` is its. */
static struct outcome run_rounds(struct rig *rig, int64_t *cycle, bool timed)
{
    struct outcome best = {0};
    struct stage_clock its_stages = {0};
    for (int i = 0; i < ROUNDS; i++, *cycle += rig->cycles) {
        snprintf(rig->topic, sizeof rig->topic, "bench-%lld", (long long)clock_wall_ns(clock_system()));
        struct source s = measured_source(rig, *cycle, rig->topic);
        stages_start(timed);
        struct outcome o = run(rig, &s);
        keep_best(&best, &o, &its_stages);
    }
    stages = its_stages;
    return best;
}

static void print_stages(const struct outcome *o)
{
    double known = 0, ticks = 0, records = (double)o->records;
    printf("\"stages_us\":{");
    for (int i = 0; i < STAGES; i++) {
        known += stage_ns((enum stage)i);
        ticks += (double)(stages.calls[i] * stages.tick_ns) * 2;
        printf("\"%s\":%.3f,", stage_names[i], stage_ns((enum stage)i) / 1e3 / records);
    }
    printf("\"ingest_rest\":%.3f,\"other_threads\":%.3f},", ((double)o->ingest_ns - known - ticks) / 1e3 / records,
           (double)(o->cpu_ns - o->ingest_ns) / 1e3 / records);
}

static double print_peers(struct rig *rig, const struct outcome *o)
{
    char path[FOLDER_SIZE + 16];
    folder_path(rig->folder, "peer.db", path, sizeof path);
    int64_t rows = o->records / o->commits;
    size_t vms = rig->fleet.count < PEER_VMS ? rig->fleet.count : PEER_VMS;
    rows = rows < (int64_t)rig->fleet.count ? rows : (int64_t)rig->fleet.count;
    double fetch = rig->bootstrap ? peer_fetch(rig->bootstrap, rig->topic, o->records) : 0;
    double sqlite = peer_sqlite(rig->ledger_path, path, o->commits, rows, o->records);
    double librrd = peer_librrd(rig->archive_path, &rig->fleet, vms);
    printf("\"peers_us\":{\"librdkafka_fetch\":%.3f,\"sqlite_rows\":%.3f,\"librrd_rows\":%.3f},", fetch / 1e3,
           sqlite / 1e3, librrd / 1e3);
    return fetch + sqlite + librrd;
}

static void print_outcome(struct rig *rig, const struct outcome *o)
{
    printf("{\"bench\":\"ingest\",\"source\":\"%s\",\"meters\":%zu,\"vms\":%zu,\"cycles\":%lld,\"samples\":%lld,"
           "\"record_bytes\":%lld,\"commits\":%lld,",
           rig->bootstrap ? "kafka" : "memory", rig->fleet.meter_count, rig->fleet.count, (long long)rig->cycles,
           (long long)o->samples, (long long)(o->bytes / o->records), (long long)o->commits);
}

int main(int argc, char **argv)
{
    static struct rig rig;
    struct rusage usage;
    log_setup("bench_ingest", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    open_rig(&rig, argc, argv);
    struct source first = {.fleet = &rig.fleet, .cycle = 1, .last_cycle = 1 + FIRST_CYCLES, .topic = "bench-first"};
    int64_t cycle = first.last_cycle;
    stages_start(false);
    struct outcome created = run(&rig, &first);
    long long ledger_before = file_size(rig.ledger_path);
    struct outcome o = run_rounds(&rig, &cycle, false);
    long long ledger_after = file_size(rig.ledger_path);
    getrusage(RUSAGE_SELF, &usage);
    struct outcome timed = run_rounds(&rig, &cycle, true);

    double us = (double)o.cpu_ns / 1e3 / (double)o.records;
    print_outcome(&rig, &o);
    print_stages(&timed);
    double bound = print_peers(&rig, &o) / 1e3;
    printf("\"us_per_record\":%.3f,\"samples_per_cpu_s\":%.0f,\"samples_per_wall_s\":%.0f,\"bound_us\":%.3f,"
           "\"ratio_to_bound\":%.3f,\"create_us_per_vm\":%.0f,\"ledger_bytes_per_sample\":%.3f,\"ledger_bytes\":%lld,"
           "\"peak_rss_kb\":%ld}\n",
           us, (double)o.samples * 1e9 / (double)o.cpu_ns, (double)o.samples * 1e9 / (double)o.wall_ns, bound,
           us / bound, (double)created.cpu_ns / 1e3 / (double)rig.fleet.count,
           (double)(ledger_after - ledger_before) / (double)(ROUNDS * o.samples), ledger_after, usage.ru_maxrss);
    folder_remove(rig.folder);
    fleet_close(&rig.fleet);
    return 0;
}
