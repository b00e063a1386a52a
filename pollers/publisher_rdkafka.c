#include "publisher_rdkafka.h"

static int address(const struct publisher_rdkafka *k, char *out, size_t size, struct error *error)
{
    size_t prefix = strlen(ADDRESS_FILE_PREFIX);
    if (strncmp(k->bootstrap, ADDRESS_FILE_PREFIX, prefix) == 0)
        return broker_address_read(k->bootstrap + prefix, out, size, error);
    text_copy(text_of(k->bootstrap), out, size);
    return 0;
}

static struct kafka_settings settings_of(const struct publisher_rdkafka *k)
{
    return (struct kafka_settings){.bootstrap = k->address,
                                   .client_id = k->client_id,
                                   .properties = k->properties,
                                   .property_count = k->property_count};
}

static int open_writer(void *context, struct writer **ret, struct error *error)
{
    struct publisher_rdkafka *k = context;
    int r = address(k, k->address, sizeof k->address, error);
    struct kafka_settings settings = settings_of(k);
    return r ? r : writer_open(ret, &settings, error);
}

/* Opened right behind the writer: for the same address. */
static int open_acks(void *context, struct reader **ret, struct error *error)
{
    struct publisher_rdkafka *k = context;
    struct kafka_settings settings = settings_of(k);
    return reader_open_all(ret, &settings, k->ack_topic, error);
}

static bool moved(void *context)
{
    struct publisher_rdkafka *k = context;
    char now[sizeof k->address];
    struct error ignored;
    return address(k, now, sizeof now, &ignored) == 0 && strcmp(now, k->address) != 0;
}

struct publisher_ports publisher_rdkafka_ports(struct publisher_rdkafka *k)
{
    return (struct publisher_ports){.open_writer = open_writer, .open_acks = open_acks, .moved = moved, .context = k};
}
