/* Reading a topic from its beginning to its end, or on and on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "pluvio/base/clock.h"
#include "pluvio/kafka/log_rdkafka.h"
#include "pluvio/wire/wire_print.h"

#define DEFAULT_TOPIC "otlp_metrics"
#define FIND_NS       (10 * NS_PER_S) /* to find the topic */
#define QUIET_NS      (3 * NS_PER_S)  /* nothing for so long: the end, though the broker counts on (transactions) */
#define WATERMARK_MS  5000
#define WAIT_MS       200

struct topic_end {
    int32_t partition;
    int64_t next; /* the first offset that was not there when we began */
    bool reached;
};

struct session {
    struct decode *decode;
    struct reader *reader;
    const char *topic, *where;
    bool follow, assigned;
    uint64_t limit;   /* records; 0: none */
    int64_t since_ns; /* of the last event */
    struct topic_end ends[KAFKA_MAX_PARTITIONS];
    size_t count;
};

static int fail(const struct session *s, const char *why)
{
    return command_fail(s->decode->command, CLI_FAILED, "topic %s at %s: %s", s->topic, s->where, why);
}

static int note_ends(struct session *s, const struct reader_event *e)
{
    s->assigned = true;
    s->count = 0;
    for (size_t i = 0; i < e->partition_count && !s->follow; i++) {
        int64_t low = 0, high = 0;
        if (s->reader->watermarks(s->reader, e->partitions[i], WATERMARK_MS, &low, &high))
            return fail(s, "the broker does not say where it ends");
        s->ends[s->count++] = (struct topic_end){e->partitions[i], high, high <= low};
    }
    return CLI_DONE;
}

static void print_hello(struct session *s, const struct message *m)
{
    struct buf *line = &s->decode->line;
    buf_clear(line);
    buf_add_string(line, "{\"hello\":");
    json_add_string(line, m->hello);
    buf_add_string(line, "}\n");
    fwrite(line->data, 1, line->len, s->decode->command->cli->out);
    s->decode->count++;
}

static void take_message(struct session *s, const struct message *m)
{
    char where[300];
    snprintf(where, sizeof where, "%.200s partition %d offset %lld", s->topic, (int)m->partition, (long long)m->offset);
    struct topic_end *end = s->ends;
    while (end < s->ends + s->count && end->partition != m->partition)
        end++;
    bool listed = end < s->ends + s->count;
    if (listed && m->offset + 1 >= end->next)
        end->reached = true;
    if (listed && m->offset >= end->next)
        return; /* came after we began */
    if (m->value.len)
        decode_value(s->decode, m->value, where);
    else if (m->hello.len)
        print_hello(s, m);
}

static bool is_over(const struct session *s, int64_t now_ns)
{
    if (s->limit && s->decode->count >= s->limit)
        return true;
    if (s->follow || !s->assigned)
        return false;
    for (size_t i = 0; i < s->count; i++)
        if (!s->ends[i].reached)
            return now_ns - s->since_ns > QUIET_NS;
    return true;
}

static int take_event(struct session *s, const struct reader_event *e)
{
    switch (e->kind) {
    case READER_MESSAGE:
        take_message(s, &e->message);
        return CLI_DONE;
    case READER_ASSIGNED:
        return note_ends(s, e);
    case READER_DOWN:
        if (!s->follow)
            return fail(s, e->reason);
        fail(s, e->reason);
        return CLI_DONE;
    case READER_REVOKED:
    case READER_RESET:
        break;
    }
    return CLI_DONE;
}

static int read_topic(struct session *s)
{
    struct clock *clock = clock_system();
    int status = CLI_DONE;
    s->since_ns = clock_boot_ns(clock);
    while (status == CLI_DONE && !is_over(s, clock_boot_ns(clock))) {
        struct reader_event e;
        int r = s->reader->next(s->reader, WAIT_MS, &e);
        if (r < 0)
            return fail(s, "the connection is lost for good");
        if (r) {
            status = take_event(s, &e);
            s->since_ns = clock_boot_ns(clock);
            continue;
        }
        fflush(s->decode->command->cli->out);
        if (!s->assigned && !s->follow && clock_boot_ns(clock) - s->since_ns > FIND_NS)
            return fail(s, "not found within 10 s: is the name right, and the broker up?");
    }
    return status;
}

/* "file:PATH" holds the address of a collector's embedded broker. */
static int find_broker(struct command *c, const char *where, char *address, size_t size)
{
    struct error e = {0};
    if (strncmp(where, "file:", 5) != 0)
        return text_copy(text_of(where), address, size) ? CLI_DONE : command_fail(c, CLI_MISUSED, "--kafka: too long");
    int r = broker_address_read(where + 5, address, size, &e);
    if (r == -ENOENT)
        return command_fail(c, CLI_FAILED, "%s: no such file: is the collector with the embedded broker running?",
                            where + 5);
    return r ? command_fail(c, CLI_FAILED, "%s", e.text) : CLI_DONE;
}

/* What --property says, NAME=VALUE each: names and values end at their NULs in @texts, which is the caller's. */
static int take_properties(struct command *c, struct kafka_property *properties, size_t *count, char **texts)
{
    for (size_t i = 0; i < c->value_count; i++) {
        if (strcmp(c->values[i].option->name, "property") != 0)
            continue;
        char *pair = texts[*count] = text_dup(text_of(c->values[i].value)), *equals = pair ? strchr(pair, '=') : NULL;
        *count += 1;
        if (!equals || equals == pair)
            return command_fail(c, CLI_MISUSED, "--property %s: must be NAME=VALUE", c->values[i].value);
        *equals = '\0';
        properties[*count - 1] = (struct kafka_property){pair, equals + 1};
    }
    return CLI_DONE;
}

static int open_topic(struct session *s)
{
    struct command *c = s->decode->command;
    struct kafka_property properties[COMMAND_MAX_VALUES];
    char *texts[COMMAND_MAX_VALUES];
    struct kafka_settings settings = {.bootstrap = s->where, .client_id = "pluvio-decode", .properties = properties};
    struct error e = {0};
    int status = take_properties(c, properties, &settings.property_count, texts);
    if (status == CLI_DONE && reader_open_all(&s->reader, &settings, s->topic, &e))
        status = command_fail(c, CLI_MISUSED, "%s", e.text);
    for (size_t i = 0; i < settings.property_count; i++)
        free(texts[i]);
    return status;
}

int decode_kafka(struct decode *d)
{
    struct command *c = d->command;
    char address[1024];
    const char *topic = command_value(c, "topic"), *count = command_value(c, "count");
    struct session *s = calloc(1, sizeof *s);
    int status = s ? find_broker(c, command_value(c, "kafka"), address, sizeof address) : CLI_FAILED;
    if (status == CLI_DONE && count && (!text_to_u64(text_of(count), &s->limit) || s->limit == 0))
        status = command_fail(c, CLI_MISUSED, "--count %s: must be a whole number from 1", count);
    if (status == CLI_DONE) {
        s->decode = d;
        s->where = address;
        s->topic = topic ? topic : DEFAULT_TOPIC;
        s->follow = command_value(c, "follow") != NULL;
        status = open_topic(s);
    }
    if (status == CLI_DONE)
        status = read_topic(s);
    if (s && s->reader)
        s->reader->destroy(s->reader);
    free(s);
    return status;
}
