/* pluvio decode: files, and a topic on the embedded broker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli_rig.h"
#include "pluvio/kafka/log_rdkafka.h"
#include "pluvio/wire/otlp.h"
#include "support/folder.h"
#include "support/run.h"

static char folder[FOLDER_SIZE], path[FOLDER_SIZE + 32];
static struct cli_rig r;

static void encode(struct buf *out, const char *vm, int64_t value)
{
    struct record record = {.entity = text_of(vm), .project = TEXT("red")};
    *record_add_attribute(&record) = (struct attribute){.key = TEXT(ATTR_ENTITY), .value = record.entity};
    struct point *p = record_add_point(&record);
    p->meter = meter_at(METER_CPU);
    p->name = text_of(p->meter->name);
    p->unit = text_of(p->meter->unit);
    p->type = p->meter->type;
    p->value = value;
    p->stream = 7;
    p->start_ns = 1764000000000000000;
    p->time_ns = 1764000060000000000;
    otlp_encode(out, &record);
    record_free(&record);
}

static void write_file(const char *name, struct text bytes)
{
    folder_path(folder, name, path, sizeof path);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fwrite(bytes.data, 1, bytes.len, f);
    fclose(f);
}

static void setup(void)
{
    folder_make(folder);
}

static void teardown(void)
{
    cli_rig_free(&r);
    folder_remove(folder);
}

START_TEST(file_is_printed_as_a_json_line)
{
    struct buf bytes = {0};
    encode(&bytes, "vm-1", 9007199254740993);
    write_file("record", buf_text(&bytes));
    cli_rig_run(&r, NULL, "decode", path, path, NULL);
    ck_assert_msg(r.status == CLI_DONE, "%s", r.err);
    ck_assert_ptr_nonnull(strstr(r.out, "\"entity\":\"vm-1\""));
    ck_assert_msg(strstr(r.out, "9007199254740993") != NULL, "64 bits in full: %s", r.out);
    char *second = strchr(r.out, '\n') + 1;
    ck_assert_int_eq(strncmp(r.out, second, strlen(second)), 0);
    buf_free(&bytes);
}
END_TEST

START_TEST(file_that_is_no_record_is_named_with_the_reason)
{
    write_file("odd", TEXT("not protobuf"));
    cli_rig_run(&r, NULL, "decode", path, NULL);
    ck_assert_int_eq(r.status, CLI_FAILED);
    ck_assert_ptr_nonnull(strstr(r.err, "odd: not a record: "));
    cli_rig_free(&r);
    cli_rig_run(&r, NULL, "decode", "/nonexistent", NULL);
    ck_assert_int_eq(r.status, CLI_FAILED);
    ck_assert_ptr_nonnull(strstr(r.err, "/nonexistent: No such file"));
}
END_TEST

START_TEST(wrong_use_is_told)
{
    cli_rig_run(&r, NULL, "decode", NULL);
    ck_assert_int_eq(r.status, CLI_MISUSED);
    cli_rig_free(&r);
    cli_rig_run(&r, NULL, "decode", "--follow", "x", NULL);
    ck_assert_int_eq(r.status, CLI_MISUSED);
    cli_rig_free(&r);
    cli_rig_run(&r, NULL, "decode", "--kafka", "x:1", "file", NULL);
    ck_assert_int_eq(r.status, CLI_MISUSED);
    cli_rig_free(&r);
    cli_rig_run(&r, NULL, "decode", "--kafka", "x:1", "--count", "0", NULL);
    ck_assert_int_eq(r.status, CLI_MISUSED);
    cli_rig_free(&r);
    cli_rig_run(&r, NULL, "decode", "--kafka", "file:/nonexistent/broker", NULL);
    ck_assert_int_eq(r.status, CLI_FAILED);
    ck_assert_ptr_nonnull(strstr(r.err, "/nonexistent/broker"));
}
END_TEST

static const struct {
    const char *property, *error;
} properties[] = {
    {"security.protocol", "--property security.protocol: must be NAME=VALUE"},
    {"=SSL", "--property =SSL: must be NAME=VALUE"},
    {"security.protocoll=SSL", "security.protocoll"},
    {"security.protocol=TLS", "security.protocol"},
};

START_TEST(a_wrong_property_is_named)
{
    cli_rig_run(&r, NULL, "decode", "--kafka", "127.0.0.1:1", "--property", properties[_i].property, NULL);
    ck_assert_int_eq(r.status, CLI_MISUSED);
    ck_assert_msg(strstr(r.err, properties[_i].error) != NULL, "%s", r.err);
}
END_TEST

static struct embedded_broker *broker;

static void produce(int count)
{
    struct error e;
    struct writer *w;
    struct kafka_settings s = {.bootstrap = embedded_broker_bootstrap(broker), .client_id = "test"};
    ck_assert_msg(writer_open(&w, &s, &e) == 0, "%s", e.text);
    for (int i = 0; i <= count; i++) {
        struct buf value = {0};
        char vm[16];
        snprintf(vm, sizeof vm, "vm-%d", i);
        if (i < count)
            encode(&value, vm, i);
        struct outgoing m = {.topic = "otlp_metrics",
                             .partition = i % 2,
                             .key = text_of(vm),
                             .value = buf_text(&value),
                             .record = i < count ? TEXT("r") : TEXT(""),
                             .hello = i < count ? TEXT("") : TEXT("the hello")};
        ck_assert_int_eq(w->produce(w, &m), 0);
        buf_free(&value);
    }
    ck_assert_int_eq(w->flush(w, 20000), 0);
    w->destroy(w);
}

static size_t lines(const char *text)
{
    size_t n = 0;
    while ((text = strchr(text, '\n'))) {
        text++;
        n++;
    }
    return n;
}

static void setup_broker(void)
{
    struct error e;
    setup();
    ck_assert_msg(embedded_broker_start(&broker, "otlp_metrics", 2, "acks", &e) == 0, "%s", e.text);
    folder_path(folder, "broker", path, sizeof path);
    ck_assert_msg(broker_address_write(path, embedded_broker_bootstrap(broker), &e) == 0, "%s", e.text);
}

static void teardown_broker(void)
{
    embedded_broker_stop(broker);
    teardown();
}

START_TEST(topic_is_read_from_beginning_to_end)
{
    char where[FOLDER_SIZE + 64];
    produce(10);
    snprintf(where, sizeof where, "file:%s", path);
    cli_rig_run(&r, NULL, "decode", "--kafka", where, NULL);
    ck_assert_msg(r.status == CLI_DONE, "%s", r.err);
    ck_assert_uint_eq(lines(r.out), 11);
    ck_assert_ptr_nonnull(strstr(r.out, "\"entity\":\"vm-9\""));
    ck_assert_ptr_nonnull(strstr(r.out, "{\"hello\":\"the hello\"}\n"));
}
END_TEST

START_TEST(count_ends_the_reading)
{
    produce(10);
    cli_rig_run(&r, NULL, "decode", "--kafka", embedded_broker_bootstrap(broker), "--count", "3", "--follow", NULL);
    ck_assert_int_eq(r.status, CLI_DONE);
    ck_assert_uint_eq(lines(r.out), 3);
}
END_TEST

/* The embedded broker speaks no TLS. */
START_TEST(a_property_reaches_the_client)
{
    produce(1);
    cli_rig_run(&r, NULL, "decode", "--kafka", embedded_broker_bootstrap(broker), "--property", "client.id=x",
                "--property", "security.protocol=SSL", NULL);
    ck_assert_int_eq(r.status, CLI_FAILED);
    cli_rig_free(&r);
    cli_rig_run(&r, NULL, "decode", "--kafka", embedded_broker_bootstrap(broker), "--property",
                "security.protocol=PLAINTEXT", NULL);
    ck_assert_int_eq(r.status, CLI_DONE);
}
END_TEST

START_TEST(empty_topic_is_read_at_once)
{
    cli_rig_run(&r, NULL, "decode", "--kafka", embedded_broker_bootstrap(broker), NULL);
    ck_assert_msg(r.status == CLI_DONE, "%s", r.err);
    ck_assert_str_eq(r.out, "");
}
END_TEST

START_TEST(broker_that_is_not_there_is_named)
{
    char gone[64];
    text_copy(text_of(embedded_broker_bootstrap(broker)), gone, sizeof gone);
    embedded_broker_stop(broker);
    broker = NULL;
    cli_rig_run(&r, NULL, "decode", "--kafka", gone, "--topic", "other", NULL);
    ck_assert_int_eq(r.status, CLI_FAILED);
    ck_assert_ptr_nonnull(strstr(r.err, "topic other at 127.0.0.1:"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cli_decode");
    TCase *t = tcase_create("files"), *k = tcase_create("kafka");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, file_is_printed_as_a_json_line);
    tcase_add_test(t, file_that_is_no_record_is_named_with_the_reason);
    tcase_add_test(t, wrong_use_is_told);
    tcase_add_loop_test(t, a_wrong_property_is_named, 0, sizeof properties / sizeof properties[0]);
    tcase_add_checked_fixture(k, setup_broker, teardown_broker);
    tcase_set_timeout(k, 60);
    tcase_add_test(k, topic_is_read_from_beginning_to_end);
    tcase_add_test(k, count_ends_the_reading);
    tcase_add_test(k, a_property_reaches_the_client);
    tcase_add_test(k, empty_topic_is_read_at_once);
    tcase_add_test(k, broker_that_is_not_there_is_named);
    suite_add_tcase(s, t);
    suite_add_tcase(s, k);
    return test_run(s);
}
