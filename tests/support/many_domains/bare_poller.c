/* What libraries and connections take before a line of the poller's: opened and initialised as it does, then idle.
 *
 *     bare_poller URI BROKERS FOLDER     prints "ready" and waits to be killed
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <libvirt/libvirt.h>
#include <libxml/parser.h>
#include <sqlite3.h>
#include <yaml.h>

#define CONNECTIONS 2 /* for statistics and for events */

static void die(const char *why)
{
    fprintf(stderr, "bare_poller: %s\n", why);
    exit(2);
}

static void open_kafka(rd_kafka_type_t type, const char *brokers)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why) ||
        rd_kafka_conf_set(conf, "group.id", "bare", why, sizeof why) || !rd_kafka_new(type, conf, why, sizeof why))
        die(why);
}

static void open_database(const char *folder)
{
    char path[4096];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/bare.db", folder);
    if (sqlite3_open(path, &db) ||
        sqlite3_exec(db, "PRAGMA journal_mode=WAL;CREATE TABLE t(x);INSERT INTO t VALUES(1)", NULL, NULL, NULL))
        die(sqlite3_errmsg(db));
}

static void *run_events(void *unused)
{
    while (virEventRunDefaultImpl() >= 0)
        ;
    return unused;
}

static void open_libvirt(const char *uri)
{
    pthread_t thread;
    if (virInitialize() || virEventRegisterDefaultImpl() || pthread_create(&thread, NULL, run_events, NULL))
        die("no event loop");
    for (int i = 0; i < CONNECTIONS; i++)
        if (!virConnectOpenReadOnly(uri))
            die("no libvirt");
}

int main(int argc, char **argv)
{
    yaml_parser_t parser;
    if (argc != 4)
        die("a URI, brokers and a folder?");
    open_kafka(RD_KAFKA_PRODUCER, argv[2]);
    open_kafka(RD_KAFKA_CONSUMER, argv[2]);
    open_database(argv[3]);
    open_libvirt(argv[1]);
    xmlInitParser();
    if (!yaml_parser_initialize(&parser))
        die("no YAML");
    yaml_parser_delete(&parser);
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}
