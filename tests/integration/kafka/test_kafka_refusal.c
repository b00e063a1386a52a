/* Brokers that answer, and refuse: what is told of them. The broker is librdkafka's own, told to refuse. */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

#include "log_rig.h"
#include "test_kafka_log.h"

#define API_FETCH            1
#define API_INIT_PRODUCER_ID 22

static rd_kafka_t *host; /* of the broker */
static rd_kafka_mock_cluster_t *cluster;
static struct kafka_settings settings;

static void set_up(void)
{
    char why[128];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    ck_assert_msg(host, "%s", why);
    cluster = rd_kafka_mock_cluster_new(host, 1);
    ck_assert_int_eq(rd_kafka_mock_topic_create(cluster, "samples", 1, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    settings = (struct kafka_settings){.bootstrap = rd_kafka_mock_cluster_bootstraps(cluster), .client_id = "test"};
}

static void tear_down(void)
{
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
}

START_TEST(a_writer_that_may_not_write_idempotently_dies_and_says_why)
{
    struct writer *w;
    struct error e;
    struct delivery d;
    int r;
    rd_kafka_mock_push_request_errors(cluster, API_INIT_PRODUCER_ID, 1, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    ck_assert_msg(writer_open(&w, &settings, &e) == 0, "%s", e.text);
    for (int64_t end = now_ms() + PATIENCE_MS; (r = w->poll(w, 50, &d)) == 0;)
        ck_assert_int_lt(now_ms(), end);
    ck_assert_int_eq(r, -ENOTCONN);
    ck_assert(w->reason(w));
    ck_assert_msg(strstr(w->reason(w), "Cluster authorization failed"), "%s", w->reason(w));
    w->destroy(w);
}
END_TEST

START_TEST(a_reader_that_may_not_read_says_so)
{
    struct reader *r;
    struct reader_event event;
    struct error e;
    for (int i = 0; i < 100; i++)
        rd_kafka_mock_push_request_errors(cluster, API_FETCH, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    ck_assert_msg(reader_open_all(&r, &settings, "samples", &e) == 0, "%s", e.text);
    wait_event(r, READER_ASSIGNED, &event);
    wait_event(r, READER_DOWN, &event);
    ck_assert_msg(strstr(event.reason, "samples: ") && strstr(event.reason, "authorization failed"), "%s",
                  event.reason);
    r->destroy(r);
}
END_TEST

START_TEST(a_topic_that_nobody_knows_is_told_by_reader_and_writer_until_it_is_there)
{
    struct writer *w;
    struct reader *r;
    struct delivery d;
    struct reader_event event;
    struct error e;
    int64_t end = now_ms() + PATIENCE_MS;
    rd_kafka_mock_topic_set_error(cluster, "samples", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    ck_assert_msg(writer_open(&w, &settings, &e) == 0, "%s", e.text);
    ck_assert_msg(reader_open_all(&r, &settings, "samples", &e) == 0, "%s", e.text);
    while (!w->reason(w)) {
        ck_assert_int_eq(w->partitions(w, "samples"), 0);
        w->poll(w, 20, &d);
        ck_assert_int_lt(now_ms(), end);
    }
    ck_assert_msg(strstr(w->reason(w), "topic samples is not known"), "%s", w->reason(w));
    wait_event(r, READER_DOWN, &event);
    ck_assert_msg(strstr(event.reason, "topic samples is not known"), "%s", event.reason);
    rd_kafka_mock_topic_set_error(cluster, "samples", RD_KAFKA_RESP_ERR_NO_ERROR);
    wait_event(r, READER_ASSIGNED, &event);
    while (w->partitions(w, "samples") == 0) {
        ck_assert_int_lt(now_ms(), end);
        w->poll(w, 20, &d);
    }
    r->destroy(r);
    w->destroy(w);
}
END_TEST

START_TEST(nobody_there_is_told_by_the_writer)
{
    struct kafka_settings nowhere = {.bootstrap = "127.0.0.1:1", .client_id = "test"};
    struct writer *w;
    struct error e;
    struct delivery d;
    ck_assert_msg(writer_open(&w, &nowhere, &e) == 0, "%s", e.text);
    for (int64_t end = now_ms() + PATIENCE_MS; !w->reason(w);) {
        ck_assert_int_eq(w->poll(w, 50, &d), 0);
        ck_assert_int_lt(now_ms(), end);
    }
    ck_assert_msg(strstr(w->reason(w), "127.0.0.1:1"), "%s", w->reason(w));
    w->destroy(w);
}
END_TEST

TCase *refusal_tests(void)
{
    TCase *t = tcase_create("kafka refusal");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_writer_that_may_not_write_idempotently_dies_and_says_why);
    tcase_add_test(t, a_reader_that_may_not_read_says_so);
    tcase_add_test(t, a_topic_that_nobody_knows_is_told_by_reader_and_writer_until_it_is_there);
    tcase_add_test(t, nobody_there_is_told_by_the_writer);
    return t;
}
