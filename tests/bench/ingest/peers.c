#include "peers.h"

#include <librdkafka/rdkafka.h>
#include <math.h>
#include <rrd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/archive/archive_name.h"
#include "collector/archive/rrd_text.h"
#include "pluvio/archive/archive_layout.h"
#include "pluvio/base/clock.h"

#define BATCH 512
#define LUMP  30

static void die(const char *why)
{
    fprintf(stderr, "peer: %s\n", why);
    exit(2);
}

/* ---- fetch ---- */

static rd_kafka_t *open_consumer(const char *bootstrap, const char *topic)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, why, sizeof why);
    rd_kafka_conf_set(conf, "group.id", "bench-peer", why, sizeof why);
    rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", why, sizeof why);
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", why, sizeof why);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "100", why, sizeof why);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!handle)
        die(why);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(FLEET_PARTITIONS);
    for (int i = 0; i < FLEET_PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    return handle;
}

double peer_fetch(const char *bootstrap, const char *topic, int64_t records)
{
    int64_t begun = clock_cpu_ns(), end = clock_boot_ns(clock_system()) + 120 * NS_PER_S, got = 0;
    rd_kafka_t *handle = open_consumer(bootstrap, topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(handle);
    rd_kafka_message_t *batch[BATCH];
    while (got < records && clock_boot_ns(clock_system()) < end) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, 100, batch, BATCH);
        for (ssize_t i = 0; i < n; i++) {
            got += batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR;
            rd_kafka_message_destroy(batch[i]);
        }
    }
    if (got < records)
        die("the topic has fewer records than were sent");
    double ns = (double)(clock_cpu_ns() - begun) / (double)records;
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
    return ns;
}

/* ---- SQLite ---- */

struct packed {
    char *key;
    void *blob;
    int size;
};

static struct packed *read_rows(const char *path, size_t *ret_count)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    struct packed *rows = NULL;
    size_t count = 0;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) ||
        sqlite3_prepare_v2(db, "SELECT key, packed FROM entity", -1, &q, NULL))
        die(sqlite3_errmsg(db));
    while (sqlite3_step(q) == SQLITE_ROW) {
        rows = realloc(rows, (count + 1) * sizeof *rows);
        struct packed row = {.key = strdup((const char *)sqlite3_column_text(q, 0)),
                             .size = sqlite3_column_bytes(q, 1)};
        if (!rows || !row.key || !(row.blob = malloc((size_t)row.size)))
            die("out of memory");
        memcpy(row.blob, sqlite3_column_blob(q, 1), (size_t)row.size);
        rows[count++] = row;
    }
    sqlite3_finalize(q);
    sqlite3_close(db);
    *ret_count = count;
    return rows;
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL))
        die(sqlite3_errmsg(db));
}

static void write_rows(const char *path, const struct packed *rows, size_t count, int64_t commits, int64_t a_commit)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    size_t next = 0;
    if (sqlite3_open(path, &db))
        die("cannot open a file");
    run(db, "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
            "CREATE TABLE entity(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, live INTEGER NOT NULL, "
            "packed BLOB NOT NULL)");
    if (sqlite3_prepare_v2(db,
                           "INSERT INTO entity(key, live, packed) VALUES(?1,1,?2) ON CONFLICT(key) DO UPDATE SET "
                           "packed=excluded.packed",
                           -1, &q, NULL))
        die(sqlite3_errmsg(db));
    for (int64_t c = 0; c < commits; c++) {
        run(db, "BEGIN IMMEDIATE");
        for (int64_t i = 0; i < a_commit; i++, next = (next + 1) % count) {
            sqlite3_bind_text(q, 1, rows[next].key, -1, SQLITE_STATIC);
            sqlite3_bind_blob(q, 2, rows[next].blob, rows[next].size, SQLITE_STATIC);
            sqlite3_step(q);
            if (sqlite3_reset(q))
                die(sqlite3_errmsg(db));
        }
        run(db, "COMMIT");
    }
    sqlite3_finalize(q);
    sqlite3_close(db);
}

double peer_sqlite(const char *ledger_path, const char *path, int64_t commits, int64_t a_commit, int64_t records)
{
    size_t count;
    struct packed *rows = read_rows(ledger_path, &count);
    int64_t begun = clock_cpu_ns();
    if (count)
        write_rows(path, rows, count, commits, a_commit);
    double ns = (double)(clock_cpu_ns() - begun) / (double)records;
    for (size_t i = 0; i < count; i++) {
        free(rows[i].key);
        free(rows[i].blob);
    }
    free(rows);
    return ns;
}

/* ---- librrd ---- */

/* LUMP rows behind the file's last, with the fleet's meters known. */
static void format(struct buf *out, const char **list, const struct fleet *fleet, enum resource_kind kind, int64_t last)
{
    const struct archive_layout *layout = archive_layout(kind);
    double values[ARCHIVE_MAX_COLUMNS];
    size_t at = 0;
    buf_clear(out);
    for (int row = 0; row < LUMP; row++) {
        for (size_t i = 0; i < layout->count; i++)
            values[i] = NAN;
        for (size_t i = 0; i < fleet->meter_count; i++)
            if (fleet->meters[i]->kind == kind)
                values[archive_column(fleet->meters[i])] = (double)(row + 1) * 1234.0 / 60.0;
        rrd_text_row(out, last + 60 * (row + 1), values, layout->count);
    }
    if (out->failed)
        die("out of memory");
    for (int row = 0; row < LUMP; row++, at += strlen(out->data + at) + 1)
        list[row] = out->data + at;
}

static double write_file(const char *path, const struct fleet *fleet, enum resource_kind kind, struct buf *rows)
{
    const char *list[LUMP];
    double ns = 0;
    for (int lump = 0; lump < 2; lump++) {
        int64_t last = rrd_last_r(path);
        format(rows, list, fleet, kind, last);
        int64_t begun = clock_cpu_ns();
        rrd_clear_error();
        if (last < 0 || rrd_update_r(path, NULL, LUMP, list))
            die(rrd_get_error());
        ns += (double)(clock_cpu_ns() - begun);
    }
    return ns;
}

double peer_librrd(const char *archives, const struct fleet *fleet, size_t vms)
{
    struct buf path = {0}, rows = {0};
    double ns = 0;
    for (size_t vm = 0; vm < vms; vm++) {
        const char *devices[] = {"", "vda", fleet->vms[vm].mac};
        const enum resource_kind kinds[] = {RESOURCE_INSTANCE, RESOURCE_DISK, RESOURCE_INTERFACE};
        for (int i = 0; i < 3; i++) {
            char name[80];
            snprintf(name, sizeof name, *devices[i] ? "%s-%s" : "%s%s", fleet->vms[vm].uuid, devices[i]);
            buf_clear(&path);
            buf_addf(&path, "%s/", archives);
            archive_name(text_of(name), (struct text){0}, &path);
            ns += write_file(buf_terminate(&path), fleet, kinds[i], &rows);
        }
    }
    buf_free(&path);
    buf_free(&rows);
    return ns / (double)(vms * 2 * LUMP);
}
