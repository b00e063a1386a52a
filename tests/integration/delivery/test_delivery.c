/* From the outbox to the ledger over a broker: whatever happens on the way, each record is booked exactly once and
 * every outbox drains. drain() checks both, against what was put in and by the ledger's own audit. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "delivery_rig.h"
#include "pluvio/wire/envelope.h"
#include "support/fault_vfs/fault_vfs.h"

#define SOME 200

START_TEST(every_record_is_booked_exactly_once)
{
    make_records(SOME);
    drain();
    make_records(SOME);
    drain();
}
END_TEST

/* ---- processes that die ---- */

static void both_kill(void)
{
    publisher_kill();
    ingest_kill();
}

static void both_start(void)
{
    ingest_start();
    publisher_start();
}

static const struct {
    void (*kill)(void), (*start)(void);
    int turns_before, turns_between;
} deaths[] = {
    {ingest_kill, ingest_start, 1, 0},        {ingest_kill, ingest_start, 30, 50},
    {ingest_kill, ingest_start, 300, 0},      {publisher_kill, publisher_start, 3, 50},
    {publisher_kill, publisher_start, 60, 0}, {both_kill, both_start, 30, 0},
};

START_TEST(a_process_killed_on_the_way_changes_nothing)
{
    make_records(SOME);
    pump(deaths[_i].turns_before);
    deaths[_i].kill();
    pump(deaths[_i].turns_between);
    deaths[_i].start();
    make_records(SOME);
    drain();
}
END_TEST

/* ---- brokers that die ---- */

static const struct {
    int turns_before, turns_between;
} outages[] = {{1, 50}, {40, 0}, {200, 100}};
#define OUTAGES ((int)(sizeof outages / sizeof outages[0]))

/* Real: data kept. Embedded: the next one is empty. */
START_TEST(a_broker_killed_and_started_again_loses_nothing)
{
    make_records(SOME);
    pump(outages[_i].turns_before);
    broker_away(kafka_broker_kill);
    make_records(SOME);
    pump(outages[_i].turns_between);
    broker_back(kafka_broker_start);
    make_records(SOME);
    drain();
}
END_TEST

START_TEST(an_empty_broker_in_place_of_the_old_one_is_filled_again)
{
    make_records(SOME);
    pump(outages[_i].turns_before);
    broker_back(kafka_broker_wipe);
    pump(outages[_i].turns_between);
    make_records(SOME);
    drain();
}
END_TEST

/* ---- a log that lost its tail (real) ---- */

static void lose_half(struct kafka_broker *b)
{
    kafka_broker_kill(b);
    for (int p = 0; p < PARTITIONS; p++) {
        long bytes = kafka_broker_bytes(b, b->topic, p);
        ck_assert_int_gt(bytes, 0);
        kafka_broker_lose_tail(b, b->topic, p, bytes / 2 + 1);
    }
    kafka_broker_start(b);
}

/* Stored by the broker, not read by the ledger, lost by the broker, and the log filled up again past where it was. */
START_TEST(a_tail_that_the_ledger_never_saw_is_sent_again)
{
    struct publisher_figures f;
    ingest_kill();
    make_records(SOME);
    do {
        pump(5);
        publisher_figures(rig.publisher, &f);
    } while (f.delivered < SOME);
    lose_half(&rig.broker);
    make_records(2 * SOME);
    pump(100);
    ingest_start();
    drain();
}
END_TEST

/* Read by the ledger, which then stands behind the log's end, and finds it filled up again with other records. */
START_TEST(a_log_filled_up_again_behind_the_ledgers_back_hides_nothing)
{
    make_records(SOME);
    drain();
    ingest_kill();
    lose_half(&rig.broker);
    make_records(3 * SOME);
    pump(200);
    ingest_start();
    drain();
}
END_TEST

START_TEST(a_tail_lost_while_all_are_running_is_made_good)
{
    make_records(SOME);
    pump(_i * 20);
    while (kafka_broker_bytes(&rig.broker, rig.broker.topic, 0) == 0)
        pump(5);
    kafka_broker_kill(&rig.broker);
    for (int p = 0; p < PARTITIONS; p++)
        kafka_broker_lose_tail(&rig.broker, rig.broker.topic, p,
                               kafka_broker_bytes(&rig.broker, rig.broker.topic, p) / 2);
    make_records(SOME);
    kafka_broker_start(&rig.broker);
    drain();
}
END_TEST

/* R6, R7: the words are gone, and come again. */
START_TEST(acknowledgements_thrown_away_are_given_again)
{
    make_records(SOME);
    pump(60);
    broker_away(kafka_broker_stop);
    kafka_broker_lose_tail(&rig.broker, rig.broker.acks, 0, kafka_broker_bytes(&rig.broker, rig.broker.acks, 0));
    broker_back(kafka_broker_start);
    make_records(SOME);
    drain();
}
END_TEST

/* The publisher was away while the words came and went: it stands at its own old marks. */
START_TEST(a_publisher_that_missed_every_word_hears_them_again)
{
    make_records(SOME);
    pump(3);
    while (booked("disk.device.read.bytes") != rig.disk_total)
        pump(1);
    publisher_kill();
    broker_away(kafka_broker_stop);
    kafka_broker_lose_tail(&rig.broker, rig.broker.acks, 0, kafka_broker_bytes(&rig.broker, rig.broker.acks, 0));
    broker_back(kafka_broker_start);
    publisher_start();
    drain();
}
END_TEST

/* ---- a ledger restored from a backup ---- */

static const struct {
    int before;     /* records that the backup has */
    bool log_gone;  /* else the topic still has all */
    int afterwards; /* records made after the restore */
} restores[] = {{0, false, 0}, {0, true, 0}, {SOME, false, 0}, {SOME, true, 0}, {SOME, true, SOME}, {0, true, SOME}};

START_TEST(a_restored_ledger_gets_back_all_that_it_lacks)
{
    make_records(restores[_i].before);
    drain();
    ingest_kill();
    ledger_copy("backup.db");
    ingest_start();
    make_records(SOME);
    drain();
    ingest_kill();
    ledger_restore("backup.db");
    ck_assert(booked("disk.device.read.bytes") < rig.disk_total);
    if (restores[_i].log_gone)
        broker_back(kafka_broker_wipe);
    if (!rig.ingest)
        ingest_start();
    make_records(restores[_i].afterwards);
    drain();
}
END_TEST

/* ---- duplicates ---- */

struct copied {
    int32_t partition;
    char *key, *value, *record;
    struct text key_text, value_text, record_text;
};

static size_t read_topic(struct copied *out, size_t max)
{
    struct kafka_settings s = kafka_broker_settings(&rig.broker);
    struct reader *r;
    struct reader_event event;
    struct error e;
    size_t count = 0;
    int64_t end = clock_boot_ns(clock_system()) + 5 * NS_PER_S;
    ck_assert_int_eq(reader_open_all(&r, &s, rig.broker.topic, &e), 0);
    while (count < max && clock_boot_ns(clock_system()) < end) {
        if (r->next(r, 50, &event) <= 0 || event.kind != READER_MESSAGE || event.message.hello.len)
            continue;
        struct copied *c = &out[count++];
        const struct message *m = &event.message;
        *c = (struct copied){m->partition, text_dup(m->key), text_dup(m->value), text_dup(m->record), {0}, {0}, {0}};
        c->key_text = (struct text){c->key, m->key.len};
        c->value_text = (struct text){c->value, m->value.len};
        c->record_text = (struct text){c->record, m->record.len};
    }
    r->destroy(r);
    return count;
}

static void write_again(const struct copied *c, struct writer *w)
{
    struct outgoing m = {.topic = rig.broker.topic,
                         .partition = c->partition,
                         .key = c->key_text,
                         .value = c->value_text,
                         .record = c->record_text};
    struct delivery d;
    int r;
    while ((r = w->produce(w, &m)) == -EAGAIN)
        w->poll(w, 10, &d);
    ck_assert_int_eq(r, 0);
}

/* Each record twice more, once in order and once from the end, under its own number. */
START_TEST(records_that_come_again_are_not_booked_again)
{
    static struct copied copies[SOME];
    struct kafka_settings s = kafka_broker_settings(&rig.broker);
    struct writer *w;
    struct error e;
    make_records(SOME);
    drain();
    ck_assert_uint_eq(read_topic(copies, SOME), SOME);
    if (_i)
        ingest_kill(); /* the ledger has only the marks to tell them by */
    ck_assert_int_eq(writer_open(&w, &s, &e), 0);
    for (size_t i = 0; i < SOME; i++)
        write_again(&copies[i], w);
    for (size_t i = SOME; i > 0; i--)
        write_again(&copies[i - 1], w);
    ck_assert_int_eq(w->flush(w, 10000), 0);
    w->destroy(w);
    if (_i)
        ingest_start();
    make_records(SOME);
    drain();
    pump(50);
    drain();
    for (size_t i = 0; i < SOME; i++) {
        free(copies[i].key);
        free(copies[i].value);
        free(copies[i].record);
    }
}
END_TEST

/* ---- a ledger's disk that refuses ---- */

static const struct {
    int turns; /* until it refuses; 0: from the very first assignment on */
    enum fault_kind kind;
    int error;
} refusals[] = {{0, FAULT_WRITE, SQLITE_FULL},
                {0, FAULT_SYNC, SQLITE_IOERR_FSYNC},
                {40, FAULT_WRITE, SQLITE_FULL},
                {40, FAULT_SYNC, SQLITE_IOERR_FSYNC}};

START_TEST(a_ledger_whose_disk_refuses_for_a_while_goes_on_when_it_heals)
{
    fault_vfs_register();
    ingest_kill();
    rig.ledger_vfs = FAULT_VFS;
    ingest_start();
    make_records(SOME);
    pump(refusals[_i].turns);
    fault_vfs_fail_all(refusals[_i].kind, refusals[_i].error);
    int64_t end = clock_boot_ns(clock_system()) + 6 * NS_PER_S; /* the group has its partitions by then */
    while (clock_boot_ns(clock_system()) < end)
        pump(1);
    fault_vfs_heal();
    make_records(SOME);
    drain();
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof(table)[0]))

static TCase *add_case(Suite *s, const char *name)
{
    TCase *t = tcase_create(name);
    tcase_set_timeout(t, 150);
    tcase_add_checked_fixture(t, delivery_rig_set_up, delivery_rig_tear_down);
    suite_add_tcase(s, t);
    return t;
}

static Suite *make_suite(enum broker_kind kind)
{
    Suite *s = suite_create(kind == BROKER_REAL ? "delivery over Apache Kafka" : "delivery over the embedded broker");
    TCase *t = add_case(s, "processes");
    tcase_add_test(t, every_record_is_booked_exactly_once);
    tcase_add_loop_test(t, a_process_killed_on_the_way_changes_nothing, 0, ROWS(deaths));
    tcase_add_loop_test(t, records_that_come_again_are_not_booked_again, 0, 2);
    t = add_case(s, "brokers");
    tcase_add_loop_test(t, a_broker_killed_and_started_again_loses_nothing, 0, OUTAGES);
    tcase_add_loop_test(t, an_empty_broker_in_place_of_the_old_one_is_filled_again, 0, OUTAGES);
    t = add_case(s, "ledgers");
    tcase_add_loop_test(t, a_restored_ledger_gets_back_all_that_it_lacks, 0, ROWS(restores));
    tcase_add_loop_test(t, a_ledger_whose_disk_refuses_for_a_while_goes_on_when_it_heals, 0, ROWS(refusals));
    if (kind == BROKER_EMBEDDED)
        return s;
    t = add_case(s, "lost tails");
    tcase_add_test(t, a_tail_that_the_ledger_never_saw_is_sent_again);
    tcase_add_test(t, a_log_filled_up_again_behind_the_ledgers_back_hides_nothing);
    tcase_add_loop_test(t, a_tail_lost_while_all_are_running_is_made_good, 0, 3);
    tcase_add_test(t, acknowledgements_thrown_away_are_given_again);
    tcase_add_test(t, a_publisher_that_missed_every_word_hears_them_again);
    return s;
}

int main(int argc, char **argv)
{
    return kafka_broker_main(argc, argv, make_suite);
}
