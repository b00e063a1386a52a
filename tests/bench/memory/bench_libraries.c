/* What the libraries take before a line of ours: those of the collector or of the poller, initialised as each program
 * does it, and then idle.
 *
 *     bench_libraries collector|poller FOLDER      prints "ready" and waits to be killed
 */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <rrd.h>
#include <sqlite3.h>

static void die(const char *why)
{
    fprintf(stderr, "bench_libraries: %s\n", why);
    exit(2);
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *bootstrap)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (bootstrap)
        rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, why, sizeof why);
    rd_kafka_conf_set(conf, "group.id", "bench", why, sizeof why);
    rd_kafka_t *handle = rd_kafka_new(type, conf, why, sizeof why);
    if (!handle)
        die(why);
    return handle;
}

static void open_database(const char *folder)
{
    char path[4096];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/bench.db", folder);
    if (sqlite3_open(path, &db) ||
        sqlite3_exec(db, "PRAGMA journal_mode=WAL;CREATE TABLE IF NOT EXISTS t(x);INSERT INTO t VALUES(1)", NULL, NULL,
                     NULL))
        die(sqlite3_errmsg(db));
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
    (void)context, (void)connection, (void)url, (void)method, (void)version, (void)data, (void)size, (void)state;
    return MHD_NO;
}

static void collector(const char *folder)
{
    rd_kafka_t *broker = client(RD_KAFKA_PRODUCER, NULL);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(broker, 1);
    const char *bootstrap = rd_kafka_mock_cluster_bootstraps(cluster);
    rd_kafka_mock_topic_create(cluster, "bench", 4, 1);
    client(RD_KAFKA_PRODUCER, bootstrap);
    rd_kafka_t *reader = client(RD_KAFKA_CONSUMER, bootstrap);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "bench", RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(reader, list);
    for (int i = 0; i < 20; i++)
        rd_kafka_consumer_poll(reader, 100);
    open_database(folder);
    rrd_clear_error();
    rrd_last_r("/nonexistent");
    if (!MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, answer, NULL,
                          MHD_OPTION_END))
        die("no HTTP server");
}

static void *loop(void *unused)
{
    for (;;)
        if (virEventRunDefaultImpl() < 0)
            return unused;
}

static void poller(const char *folder)
{
    pthread_t thread;
    client(RD_KAFKA_PRODUCER, "127.0.0.1:9");
    client(RD_KAFKA_CONSUMER, "127.0.0.1:9");
    open_database(folder);
    virEventRegisterDefaultImpl();
    if (pthread_create(&thread, NULL, loop, NULL) || !virConnectOpenReadOnly("test:///default"))
        die("no libvirt");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("collector or poller, and a folder?");
    if (strcmp(argv[1], "collector") == 0)
        collector(argv[2]);
    else
        poller(argv[2]);
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}
