/* Headers, hellos and acknowledgements: what is written is read, and nothing else. */
#include "pluvio/model/record.h"
#include "pluvio/wire/envelope.h"
#include "support/run.h"

#define OUTBOX "0123456789abcdef0123456789abcdef"

/* ---- envelopes ---- */

static const struct {
    struct envelope envelope;
    const char *text;
} envelopes[] = {
    {{OUTBOX, 0, 1, 0}, OUTBOX "/0/1/0"},
    {{OUTBOX, RECORD_LANES - 1, 1000, 999}, OUTBOX "/15/1000/999"},
    {{OUTBOX, 3, INT64_MAX, INT64_MAX - 1}, OUTBOX "/3/9223372036854775807/9223372036854775806"},
};

START_TEST(an_envelope_is_written_and_read)
{
    char room[ENVELOPE_SIZE];
    struct envelope e = {0};
    struct text t = envelope_format(&envelopes[_i].envelope, room);
    ck_assert_str_eq(room, envelopes[_i].text);
    ck_assert_uint_eq(t.len, strlen(envelopes[_i].text));
    ck_assert(envelope_parse(t, &e));
    ck_assert_str_eq(e.outbox, OUTBOX);
    ck_assert_uint_eq(e.lane, envelopes[_i].envelope.lane);
    ck_assert_uint_eq(e.sequence, envelopes[_i].envelope.sequence);
    ck_assert_uint_eq(e.previous, envelopes[_i].envelope.previous);
}
END_TEST

struct malformed {
    const char *sentence, *text;
};

static const struct malformed bad_envelopes[] = {
    {"nothing", ""},
    {"slashes alone", "///"},
    {"an outbox alone", OUTBOX},
    {"no previous sequence", OUTBOX "/3/5"},
    {"an empty previous sequence", OUTBOX "/3/5/"},
    {"a slash at the end", OUTBOX "/3/5/4/"},
    {"a fifth part", OUTBOX "/3/5/4/1"},
    {"an outbox of 31 digits", "123456789abcdef0123456789abcdef/3/5/4"},
    {"an outbox of 33 digits", "0" OUTBOX "/3/5/4"},
    {"an outbox in capitals", "0123456789ABCDEF0123456789abcdef/3/5/4"},
    {"an outbox with a letter past f", "g123456789abcdef0123456789abcdef/3/5/4"},
    {"an empty lane", OUTBOX "//5/4"},
    {"a lane too many", OUTBOX "/16/5/4"},
    {"a negative lane", OUTBOX "/-1/5/4"},
    {"a lane of 2^32", OUTBOX "/4294967296/5/4"},
    {"a lane in words", OUTBOX "/three/5/4"},
    {"sequence 0", OUTBOX "/3/0/0"},
    {"a sequence that follows itself", OUTBOX "/3/5/5"},
    {"a sequence that follows a later one", OUTBOX "/3/5/6"},
    {"a negative sequence", OUTBOX "/3/-5/-6"},
    {"a sequence of 2^63", OUTBOX "/3/9223372036854775808/4"},
    {"a sequence of 2^64", OUTBOX "/3/18446744073709551616/4"},
    {"a sequence with a blank", OUTBOX "/3/ 5/4"},
    {"a sequence with a sign", OUTBOX "/3/+5/4"},
    {"a sequence in hex", OUTBOX "/3/0x5/4"},
    {"a line's end", OUTBOX "/3/5/4\n"},
};

START_TEST(a_malformed_envelope_is_refused)
{
    struct envelope e;
    ck_assert_msg(!envelope_parse(text_of(bad_envelopes[_i].text), &e), "taken: %s", bad_envelopes[_i].sentence);
}
END_TEST

START_TEST(a_NUL_is_no_end_of_an_envelope)
{
    struct envelope e;
    ck_assert(!envelope_parse(TEXT(OUTBOX "/3/5/4\0"), &e));
    ck_assert(!envelope_parse(TEXT("0123456789abcde\0"
                                   "0123456789abcdef/3/5/4"),
                              &e));
    ck_assert(!envelope_parse((struct text){NULL, 0}, &e));
}
END_TEST

/* ---- hellos ---- */

START_TEST(a_hello_is_written_and_read)
{
    static const char *const hosts[] = {"9d0e1f2a-0000-4000-8000-0000000000aa", "", "a/b"};
    static const uint64_t sequences[] = {0, 7, INT64_MAX};
    for (int i = 0; i < 3; i++) {
        char room[ENVELOPE_SIZE];
        struct envelope e = {.outbox = OUTBOX, .lane = 9, .sequence = sequences[i]}, got = {.previous = 5};
        struct text host, t = hello_format(&e, text_of(hosts[i]), room);
        ck_assert(hello_parse(t, &got, &host));
        ck_assert_str_eq(got.outbox, OUTBOX);
        ck_assert_uint_eq(got.lane, 9);
        ck_assert_uint_eq(got.sequence, sequences[i]);
        ck_assert_uint_eq(got.previous, 0);
        ck_assert(text_equal(host, text_of(hosts[i])));
    }
}
END_TEST

START_TEST(a_host_too_long_for_a_hello_is_cut_where_it_may_be_read)
{
    char room[ENVELOPE_SIZE], name[200];
    struct envelope e = {.outbox = OUTBOX, .lane = 15, .sequence = INT64_MAX};
    struct text host, t;
    memset(name, 'h', sizeof name);
    t = hello_format(&e, (struct text){name, sizeof name}, room);
    ck_assert_uint_lt(t.len, ENVELOPE_SIZE);
    ck_assert(hello_parse(t, &e, &host));
    ck_assert_uint_eq(host.len, 64);
}
END_TEST

static const struct malformed bad_hellos[] = {
    {"nothing", ""},
    {"no host and no slash for it", OUTBOX "/3/5"},
    {"no sequence", OUTBOX "/3"},
    {"an empty sequence", OUTBOX "/3//host"},
    {"a lane too many", OUTBOX "/16/5/host"},
    {"a short outbox", "0123/3/5/host"},
    {"a sequence of 2^63", OUTBOX "/3/9223372036854775808/host"},
    {"a host of 65 letters", OUTBOX "/3/5/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
};

START_TEST(a_malformed_hello_is_refused)
{
    struct envelope e;
    struct text host;
    ck_assert_msg(!hello_parse(text_of(bad_hellos[_i].text), &e, &host), "taken: %s", bad_hellos[_i].sentence);
}
END_TEST

/* ---- acknowledgements ---- */

static const struct {
    struct ack ack;
    const char *key, *value;
} acks[] = {
    {{.kind = ACK_MARK, .outbox = OUTBOX, .lane = 0, .mark = 0}, OUTBOX "/0", "{\"mark\":0}"},
    {{.kind = ACK_MARK, .outbox = OUTBOX, .lane = 15, .mark = INT64_MAX},
     OUTBOX "/15",
     "{\"mark\":9223372036854775807}"},
    {{.kind = ACK_OFFSET, .cluster = "5L6g3nShT-eMCtK--X86sw", .topic = "otlp_metrics", .partition = 0, .offset = 0},
     "5L6g3nShT-eMCtK--X86sw/otlp_metrics/0",
     "{\"offset\":0}"},
    {{.kind = ACK_OFFSET, .cluster = "c", .topic = "t.t", .partition = INT32_MAX, .offset = INT64_MAX},
     "c/t.t/2147483647",
     "{\"offset\":9223372036854775807}"},
};

START_TEST(an_acknowledgement_is_written_and_read)
{
    struct buf key = {0}, value = {0};
    struct ack a = {0};
    ack_format(&acks[_i].ack, &key, &value);
    ck_assert_str_eq(buf_terminate(&key), acks[_i].key);
    ck_assert_str_eq(buf_terminate(&value), acks[_i].value);
    ck_assert(ack_parse(buf_text(&key), buf_text(&value), &a));
    ck_assert_int_eq(a.kind, acks[_i].ack.kind);
    ck_assert_str_eq(a.outbox, acks[_i].ack.outbox);
    ck_assert_uint_eq(a.lane, acks[_i].ack.lane);
    ck_assert_uint_eq(a.mark, acks[_i].ack.mark);
    ck_assert_str_eq(a.cluster, acks[_i].ack.cluster);
    ck_assert_str_eq(a.topic, acks[_i].ack.topic);
    ck_assert_int_eq(a.partition, acks[_i].ack.partition);
    ck_assert_int_eq(a.offset, acks[_i].ack.offset);
    buf_free(&key);
    buf_free(&value);
}
END_TEST

#define FIFTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *sentence, *key, *value;
} bad_acks[] = {
    {"nothing", "", ""},
    {"a tombstone", OUTBOX "/3", ""},
    {"a value of another name", OUTBOX "/3", "{\"marks\":5}"},
    {"a mark without a number", OUTBOX "/3", "{\"mark\":}"},
    {"a negative mark", OUTBOX "/3", "{\"mark\":-1}"},
    {"a mark of 2^63", OUTBOX "/3", "{\"mark\":9223372036854775808}"},
    {"a mark that ends early", OUTBOX "/3", "{\"mark\":5"},
    {"a mark with more behind it", OUTBOX "/3", "{\"mark\":5,\"offset\":6}"},
    {"a mark in a list", OUTBOX "/3", "[{\"mark\":5}]"},
    {"a mark as text", OUTBOX "/3", "{\"mark\":\"5\"}"},
    {"a mark that is no whole number", OUTBOX "/3", "{\"mark\":5.0}"},
    {"a mark for a key without lane", OUTBOX, "{\"mark\":5}"},
    {"a mark for an empty lane", OUTBOX "/", "{\"mark\":5}"},
    {"a mark for a lane too many", OUTBOX "/16", "{\"mark\":5}"},
    {"a mark for a key of three parts", OUTBOX "/3/1", "{\"mark\":5}"},
    {"a mark for a slash at the end", OUTBOX "/3/", "{\"mark\":5}"},
    {"a mark for an offset's key", "cluster/topic/0", "{\"mark\":5}"},
    {"an offset for a mark's key", OUTBOX "/3", "{\"offset\":5}"},
    {"a negative offset", "cluster/topic/0", "{\"offset\":-1}"},
    {"an offset of no cluster", "/topic/0", "{\"offset\":5}"},
    {"an offset of no topic", "cluster//0", "{\"offset\":5}"},
    {"an offset of no partition", "cluster/topic/", "{\"offset\":5}"},
    {"an offset of two parts", "cluster/topic", "{\"offset\":5}"},
    {"an offset of four parts", "cluster/topic/0/0", "{\"offset\":5}"},
    {"an offset of partition -1", "cluster/topic/-1", "{\"offset\":5}"},
    {"an offset of partition 2^31", "cluster/topic/2147483648", "{\"offset\":5}"},
    {"an offset of a cluster of 128 letters", FIFTY FIFTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaa/topic/0", "{\"offset\":5}"},
    {"an offset of a topic of 256 letters", "c/" FIFTY FIFTY FIFTY FIFTY FIFTY "aaaaaa/0", "{\"offset\":5}"},
};

START_TEST(a_malformed_acknowledgement_is_refused)
{
    struct ack a;
    ck_assert_msg(!ack_parse(text_of(bad_acks[_i].key), text_of(bad_acks[_i].value), &a), "taken: %s",
                  bad_acks[_i].sentence);
}
END_TEST

START_TEST(a_NUL_is_no_end_of_a_cluster_or_topic)
{
    struct ack a;
    ck_assert(!ack_parse(TEXT("cluster\0/topic/0"), TEXT("{\"offset\":5}"), &a));
    ck_assert(!ack_parse(TEXT("cluster/topic\0x/0"), TEXT("{\"offset\":5}"), &a));
}
END_TEST

START_TEST(names_of_the_longest_length_are_acknowledged)
{
    struct ack a;
    ck_assert(ack_parse(text_of(FIFTY FIFTY "aaaaaaaaaaaaaaaaaaaaaaaaaaa/" FIFTY FIFTY FIFTY FIFTY FIFTY "aaaaa/0"),
                        TEXT("{\"offset\":5}"), &a));
    ck_assert_uint_eq(strlen(a.cluster), 127);
    ck_assert_uint_eq(strlen(a.topic), 255);
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof table[0])

int main(void)
{
    Suite *s = suite_create("envelope");
    TCase *t = tcase_create("envelope");
    tcase_add_loop_test(t, an_envelope_is_written_and_read, 0, COUNT(envelopes));
    tcase_add_loop_test(t, a_malformed_envelope_is_refused, 0, COUNT(bad_envelopes));
    tcase_add_test(t, a_NUL_is_no_end_of_an_envelope);
    tcase_add_test(t, a_hello_is_written_and_read);
    tcase_add_test(t, a_host_too_long_for_a_hello_is_cut_where_it_may_be_read);
    tcase_add_loop_test(t, a_malformed_hello_is_refused, 0, COUNT(bad_hellos));
    tcase_add_loop_test(t, an_acknowledgement_is_written_and_read, 0, COUNT(acks));
    tcase_add_loop_test(t, a_malformed_acknowledgement_is_refused, 0, COUNT(bad_acks));
    tcase_add_test(t, a_NUL_is_no_end_of_a_cluster_or_topic);
    tcase_add_test(t, names_of_the_longest_length_are_acknowledged);
    suite_add_tcase(s, t);
    return test_run(s);
}
