/* Headers and acknowledgements: an envelope, a hello, an acknowledgement's key and its value, a line each. */
#include "fuzz.h"
#include "pluvio/model/record.h"
#include "pluvio/wire/envelope.h"

static bool same(const struct envelope *a, const struct envelope *b)
{
    return strcmp(a->outbox, b->outbox) == 0 && a->lane == b->lane && a->sequence == b->sequence &&
           a->previous == b->previous;
}

static void try_envelope(struct text t)
{
    struct envelope e, again;
    char room[ENVELOPE_SIZE];
    if (!envelope_parse(t, &e))
        return;
    must(strlen(e.outbox) == OUTBOX_ID_SIZE - 1 && e.lane < RECORD_LANES && e.sequence > e.previous);
    must(envelope_parse(envelope_format(&e, room), &again) && same(&e, &again));
}

static void try_hello(struct text t)
{
    struct envelope e, again;
    struct text host, host_again;
    char room[ENVELOPE_SIZE];
    if (!hello_parse(t, &e, &host))
        return;
    must(e.lane < RECORD_LANES && host.len <= 64);
    if (memchr(host.data, 0, host.len)) /* written as a C string's bytes: it ends there */
        return;
    must(hello_parse(hello_format(&e, host, room), &again, &host_again));
    must(same(&e, &again) && text_equal(host, host_again));
}

static bool same_ack(const struct ack *a, const struct ack *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == ACK_MARK)
        return strcmp(a->outbox, b->outbox) == 0 && a->lane == b->lane && a->mark == b->mark;
    return strcmp(a->cluster, b->cluster) == 0 && strcmp(a->topic, b->topic) == 0 && a->partition == b->partition &&
           a->offset == b->offset;
}

static void try_ack(struct text key, struct text value)
{
    struct ack a, again;
    struct buf key_again = {0}, value_again = {0};
    if (!ack_parse(key, value, &a))
        return;
    must(a.kind == ACK_MARK ? a.lane < RECORD_LANES && a.mark <= INT64_MAX : a.partition >= 0 && a.offset >= 0);
    ack_format(&a, &key_again, &value_again);
    must(ack_parse(buf_text(&key_again), buf_text(&value_again), &again) && same_ack(&a, &again));
    buf_free(&key_again);
    buf_free(&value_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = fuzz_text(data, size), lines[4];
    for (int i = 0; i < 4; i++)
        lines[i] = fuzz_line(&rest);
    try_envelope(lines[0]);
    try_hello(lines[1]);
    try_ack(lines[2], lines[3]);
    return 0;
}
