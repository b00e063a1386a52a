#include "support/kafka/kafka_broker.h"

#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/run.h"

#define SKIPPED       77
#define TOPIC_WAIT_MS 10000

static char real_folder[FOLDER_SIZE + 16]; /* of the program's real broker */

/* Run the script; its output (and complaints) into @out. Returns its exit status. */
static int __attribute__((format(printf, 3, 4))) script(char *out, size_t size, const char *format, ...)
{
    char command[1024];
    va_list args;
    int n = snprintf(command, sizeof command, "exec 2>&1; '%s' ", BROKER_SCRIPT);
    va_start(args, format);
    vsnprintf(command + n, sizeof command - (size_t)n, format, args);
    va_end(args);
    FILE *f = popen(command, "r");
    size_t got = f ? fread(out, 1, size - 1, f) : 0;
    int status = f ? pclose(f) : -1;
    out[got] = 0;
    out[strcspn(out, "\n")] = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void must(struct kafka_broker *b, const char *command)
{
    char out[512];
    ck_assert_int_eq(b->kind, BROKER_REAL);
    ck_assert_msg(script(out, sizeof out, "%s '%s'", command, real_folder) == 0, "broker %s: %s", command, out);
}

static void real_up(char *folder)
{
    char out[512];
    folder_path(folder, "kafka", real_folder, sizeof real_folder);
    int status = script(out, sizeof out, "up '%s' %d", real_folder, (int)getpid());
    if (status == 0)
        return;
    folder_remove(folder);
    if (status == SKIPPED)
        test_skip(out);
    fprintf(stderr, "%s\n", out);
    exit(EXIT_FAILURE);
}

static void real_down(char *folder)
{
    char out[512];
    script(out, sizeof out, "down '%s'", real_folder);
    folder_remove(folder);
}

int kafka_broker_main(int argc, char **argv, Suite *(*make_suite)(enum broker_kind kind))
{
    bool real = argc == 2 && strcmp(argv[1], "real") == 0;
    char folder[FOLDER_SIZE];
    if (!real && (argc != 2 || strcmp(argv[1], "embedded") != 0)) {
        fprintf(stderr, "usage: %s embedded|real\n", argv[0]);
        return EXIT_FAILURE;
    }
    if (real)
        real_up(folder_make(folder) ? folder : NULL);
    int r = test_run(make_suite(real ? BROKER_REAL : BROKER_EMBEDDED));
    if (real)
        real_down(folder);
    return r;
}

static void name_topics(struct kafka_broker *b)
{
    static unsigned number;
    number++;
    snprintf(b->topic, sizeof b->topic, "metrics-%d-%u", (int)getpid(), number);
    snprintf(b->acks, sizeof b->acks, "acks-%d-%u", (int)getpid(), number);
}

/* The embedded broker lets a group's first members wait for 3 s, during which they are silent. */
struct kafka_settings kafka_broker_settings(const struct kafka_broker *b)
{
    static const struct kafka_property quick[][3] = {
        [BROKER_EMBEDDED] = {{"session.timeout.ms", "4500"},
                             {"heartbeat.interval.ms", "300"},
                             {"reconnect.backoff.max.ms", "500"}},
        [BROKER_REAL] = {{"session.timeout.ms", "1500"},
                         {"heartbeat.interval.ms", "300"},
                         {"reconnect.backoff.max.ms", "500"}},
    };
    return (struct kafka_settings){
        .bootstrap = b->bootstrap, .client_id = "test", .properties = quick[b->kind], .property_count = 3};
}

static void make_topic(struct kafka_broker *b, const char *topic, int partitions, bool compacted)
{
    struct kafka_settings s = {.bootstrap = b->bootstrap, .client_id = "test"};
    struct error e;
    ck_assert_msg(topic_ensure(&s, topic, partitions, compacted, TOPIC_WAIT_MS, &e) == 0, "%s", e.text);
}

static void start_real(struct kafka_broker *b)
{
    char out[512];
    must(b, "start");
    ck_assert_int_eq(script(out, sizeof out, "address '%s'", real_folder), 0);
    ck_assert(text_copy(text_of(out), b->bootstrap, sizeof b->bootstrap));
    make_topic(b, b->topic, b->partitions, false);
    make_topic(b, b->acks, 1, true);
}

static void start_embedded(struct kafka_broker *b)
{
    struct error e;
    ck_assert_msg(embedded_broker_start(&b->embedded, b->topic, b->partitions, b->acks, &e) == 0, "%s", e.text);
    snprintf(b->bootstrap, sizeof b->bootstrap, "%s", embedded_broker_bootstrap(b->embedded));
}

void kafka_broker_start(struct kafka_broker *b)
{
    b->starts++;
    if (b->kind == BROKER_REAL)
        start_real(b);
    else
        start_embedded(b);
}

void kafka_broker_open(struct kafka_broker *b, int partitions)
{
    *b = (struct kafka_broker){.kind = *real_folder ? BROKER_REAL : BROKER_EMBEDDED, .partitions = partitions};
    name_topics(b);
    if (b->kind == BROKER_REAL)
        must(b, "continue"); /* a test that failed may have left it so */
    kafka_broker_start(b);
}

static void stop_embedded(struct kafka_broker *b)
{
    embedded_broker_stop(b->embedded);
    b->embedded = NULL;
}

void kafka_broker_close(struct kafka_broker *b)
{
    if (b->kind == BROKER_EMBEDDED)
        stop_embedded(b);
}

void kafka_broker_kill(struct kafka_broker *b)
{
    if (b->kind == BROKER_REAL)
        must(b, "kill");
    else
        stop_embedded(b);
}

void kafka_broker_stop(struct kafka_broker *b)
{
    if (b->kind == BROKER_REAL)
        must(b, "stop");
    else
        stop_embedded(b);
}

void kafka_broker_forget(struct kafka_broker *b)
{
    must(b, "kill");
    must(b, "wipe");
    must(b, "start");
}

void kafka_broker_wipe(struct kafka_broker *b)
{
    if (b->kind == BROKER_REAL)
        kafka_broker_forget(b);
    else
        kafka_broker_kill(b);
    kafka_broker_start(b);
}

void kafka_broker_add_partitions(struct kafka_broker *b, const char *topic, int count)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    ck_assert_int_eq(b->kind, BROKER_REAL);
    rd_kafka_conf_set(conf, "bootstrap.servers", b->bootstrap, why, sizeof why);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    ck_assert_msg(handle, "%s", why);
    rd_kafka_NewPartitions_t *wanted = rd_kafka_NewPartitions_new(topic, (size_t)count, why, sizeof why);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_CreatePartitions(handle, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TOPIC_WAIT_MS);
    size_t results = 0;
    const rd_kafka_topic_result_t **result =
        rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &results);
    ck_assert_uint_eq(results, 1);
    ck_assert_int_eq(rd_kafka_topic_result_error(result[0]), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewPartitions_destroy(wanted);
    rd_kafka_destroy(handle);
}

void kafka_broker_pause(struct kafka_broker *b)
{
    must(b, "pause");
}

void kafka_broker_resume(struct kafka_broker *b)
{
    must(b, "continue");
}

long kafka_broker_bytes(struct kafka_broker *b, const char *topic, int partition)
{
    char out[512];
    ck_assert_int_eq(b->kind, BROKER_REAL);
    ck_assert_msg(script(out, sizeof out, "bytes '%s' %s %d", real_folder, topic, partition) == 0, "%s", out);
    return strtol(out, NULL, 10);
}

void kafka_broker_lose_tail(struct kafka_broker *b, const char *topic, int partition, long bytes)
{
    char out[512];
    ck_assert_int_eq(b->kind, BROKER_REAL);
    ck_assert_msg(script(out, sizeof out, "lose-tail '%s' %s %d %ld", real_folder, topic, partition, bytes) == 0, "%s",
                  out);
}
