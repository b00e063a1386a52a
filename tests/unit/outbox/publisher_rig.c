#include "publisher_rig.h"

#include <stdio.h>

struct publisher *publisher;
struct publisher_settings settings;

void publisher_rig_create(void)
{
    struct publisher_ports ports = fake_kafka_ports();
    ck_assert_int_eq(publisher_create(&publisher, &settings, &ports, outbox), 0);
}

void publisher_rig_set_up(void)
{
    outbox_rig_set_up();
    fake_kafka_reset();
    settings = (struct publisher_settings){.topic = "metrics", .host_uuid = "host-1", .in_flight_bytes = 1 << 20};
    publisher_rig_create();
}

void publisher_rig_tear_down(void)
{
    publisher_destroy(publisher);
    outbox_rig_tear_down();
}

int64_t step(int64_t at_s)
{
    return publisher_step(publisher, at_s * S, 0);
}

void acked(uint64_t mark)
{
    fake_ack_mark(outbox_id(outbox), lane_of(KEY_A), mark);
}

const char *sent(size_t from)
{
    static char text[8192];
    size_t n = 0;
    text[0] = 0;
    for (size_t i = from; i < kafka.sent_count; i++) {
        const struct fake_sent *s = &kafka.sent[i];
        const char *space = n ? " " : "";
        unsigned long long sequence = s->envelope.sequence, previous = s->envelope.previous;
        n += (size_t)(s->is_hello
                          ? snprintf(text + n, sizeof text - n, "%shello@%llu", space, sequence)
                          : snprintf(text + n, sizeof text - n, "%s%s@%llu<%llu", space, s->value, sequence, previous));
    }
    return text;
}

struct publisher_figures published(void)
{
    struct publisher_figures f;
    publisher_figures(publisher, &f);
    return f;
}
