/* What needs no broker: settings that are refused by name, and the file that tells a broker's address. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "pluvio/kafka/log_rdkafka.h"
#include "support/folder.h"
#include "support/run.h"

static int try_group(const struct kafka_settings *s, struct error *e)
{
    struct reader *r;
    return reader_open_group(&r, s, "topic", "group", e);
}

static int try_all(const struct kafka_settings *s, struct error *e)
{
    struct reader *r;
    return reader_open_all(&r, s, "topic", e);
}

static int try_writer(const struct kafka_settings *s, struct error *e)
{
    struct writer *w;
    return writer_open(&w, s, e);
}

static int try_topic(const struct kafka_settings *s, struct error *e)
{
    return topic_ensure(s, "topic", 1, false, 100, e);
}

static int (*const openers[])(const struct kafka_settings *s, struct error *e) = {try_group, try_all, try_writer,
                                                                                  try_topic};
#define OPENERS ((int)(sizeof openers / sizeof openers[0]))

static const struct {
    struct kafka_property property;
    const char *named, *why;
} wrong[] = {
    {{"compresion.codec", "lz4"}, "compresion.codec", "No such configuration property"},
    {{"socket.timeout.ms", "soon"}, "socket.timeout.ms", "Invalid value"},
    {{"socket.timeout.ms", "-5"}, "socket.timeout.ms", "outside allowed range"},
};
#define WRONG ((int)(sizeof wrong / sizeof wrong[0]))

START_TEST(a_wrong_property_is_named_whatever_is_opened)
{
    const int w = _i % WRONG;
    struct kafka_settings s = {.bootstrap = "127.0.0.1:1", .properties = &wrong[w].property, .property_count = 1};
    struct error e = {0};
    ck_assert_int_eq(openers[_i / WRONG](&s, &e), -EINVAL);
    ck_assert_int_eq(e.code, -EINVAL);
    ck_assert_msg(strstr(e.text, wrong[w].named) != NULL, "%s", e.text);
    ck_assert_msg(strstr(e.text, wrong[w].why) != NULL, "%s", e.text);
}
END_TEST

START_TEST(settings_that_contradict_each_other_are_refused_with_a_reason)
{
    struct kafka_property none = {"acks", "0"}; /* not with an idempotent producer */
    struct kafka_settings s = {.bootstrap = "127.0.0.1:1", .properties = &none, .property_count = 1};
    struct error e = {0};
    ck_assert_int_eq(try_writer(&s, &e), -EINVAL);
    ck_assert_msg(strstr(e.text, "acks") != NULL, "%s", e.text);
}
END_TEST

START_TEST(a_topic_cannot_be_made_without_a_broker)
{
    struct kafka_settings s = {.bootstrap = "127.0.0.1:1"};
    struct error e = {0};
    ck_assert_int_eq(try_topic(&s, &e), -EHOSTUNREACH);
    ck_assert_msg(strstr(e.text, "topic") != NULL, "%s", e.text);
}
END_TEST

/* ---- the address file ---- */

static char folder[FOLDER_SIZE], path[FOLDER_SIZE + 32];

static void set_up(void)
{
    folder_path(folder_make(folder), "broker", path, sizeof path);
}

static void tear_down(void)
{
    folder_remove(folder);
}

static void write_raw(const char *text)
{
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

START_TEST(an_address_is_followed_through_its_file)
{
    char address[64];
    struct error e;
    ck_assert_int_eq(broker_address_write(path, "127.0.0.1:40123", &e), 0);
    ck_assert_int_eq(broker_address_read(path, address, sizeof address, &e), 0);
    ck_assert_str_eq(address, "127.0.0.1:40123");
    ck_assert_int_eq(broker_address_write(path, "127.0.0.1:7", &e), 0);
    ck_assert_int_eq(broker_address_read(path, address, sizeof address, &e), 0);
    ck_assert_str_eq(address, "127.0.0.1:7");
}
END_TEST

START_TEST(no_address_is_named_with_its_file)
{
    char address[64];
    struct error e = {0};
    ck_assert_int_eq(broker_address_read(path, address, sizeof address, &e), -ENOENT);
    ck_assert_ptr_nonnull(strstr(e.text, path));
}
END_TEST

static const char *const empties[] = {"", "\n", "\r\n127.0.0.1:1\n"};

START_TEST(an_empty_file_is_no_address)
{
    char address[64];
    struct error e = {0};
    write_raw(empties[_i]);
    ck_assert_int_eq(broker_address_read(path, address, sizeof address, &e), -ENOENT);
    ck_assert_ptr_nonnull(strstr(e.text, path));
}
END_TEST

START_TEST(a_write_that_fails_leaves_the_old_address)
{
    char address[64], blocker[FOLDER_SIZE + 40];
    struct error e = {0};
    ck_assert_int_eq(broker_address_write(path, "127.0.0.1:1", &e), 0);
    snprintf(blocker, sizeof blocker, "%s.new", path);
    ck_assert_int_eq(mkdir(blocker, 0700), 0); /* where the new file would be written */
    ck_assert_int_lt(broker_address_write(path, "127.0.0.1:2", &e), 0);
    ck_assert_ptr_nonnull(strstr(e.text, path));
    ck_assert_int_eq(broker_address_read(path, address, sizeof address, &e), 0);
    ck_assert_str_eq(address, "127.0.0.1:1");
}
END_TEST

START_TEST(an_address_longer_than_the_room_is_not_cut_to_another)
{
    char address[8];
    struct error e = {0};
    write_raw("127.0.0.1:40123\n");
    ck_assert_int_lt(broker_address_read(path, address, sizeof address, &e), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("kafka settings");
    TCase *t = tcase_create("settings"), *a = tcase_create("address");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, a_wrong_property_is_named_whatever_is_opened, 0, WRONG * OPENERS);
    tcase_add_test(t, settings_that_contradict_each_other_are_refused_with_a_reason);
    tcase_add_test(t, a_topic_cannot_be_made_without_a_broker);
    tcase_add_checked_fixture(a, set_up, tear_down);
    tcase_add_test(a, an_address_is_followed_through_its_file);
    tcase_add_test(a, no_address_is_named_with_its_file);
    tcase_add_loop_test(a, an_empty_file_is_no_address, 0, sizeof empties / sizeof empties[0]);
    tcase_add_test(a, a_write_that_fails_leaves_the_old_address);
    tcase_add_test(a, an_address_longer_than_the_room_is_not_cut_to_another);
    suite_add_tcase(s, t);
    suite_add_tcase(s, a);
    return test_run(s);
}
