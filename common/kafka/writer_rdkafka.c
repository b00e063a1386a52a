/* Writing: an idempotent producer whose every report is handed on. */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>

#include "kafka_client.h"
#include "pluvio/wire/envelope.h"

#define TOPICS 4 /* that one writer writes to */

struct known_topic {
    char *name;
    struct known_partitions partitions;
};

struct rdkafka_writer {
    struct writer port; /* first */
    rd_kafka_t *handle;
    struct delivery *reports; /* that poll() has not given out */
    size_t count, at, cap;
    bool dead;
    char reason[512];
    struct known_topic topics[TOPICS];
    char *cluster_id;
};

static int result_of(rd_kafka_resp_err_t e)
{
    switch (e) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return 0;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return -EMSGSIZE;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return -EACCES;
    default: /* hundreds, and all of them may pass */
        return -EIO;
    }
}

static void on_report(rd_kafka_t *handle, const rd_kafka_message_t *m, void *opaque)
{
    struct rdkafka_writer *w = opaque;
    (void)handle;
    if (!m->err)
        w->reason[0] = 0;
    if (w->at == w->count)
        w->at = w->count = 0;
    if (w->count == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 256;
        struct delivery *wider = realloc(w->reports, cap * sizeof *wider);
        if (!wider)
            return; /* not reported: it is sent again after its timeout */
        w->reports = wider;
        w->cap = cap;
    }
    w->reports[w->count++] = (struct delivery){.tag = (uint64_t)(uintptr_t)m->_private,
                                               .result = result_of(m->err),
                                               .partition = m->partition,
                                               .offset = m->err || m->offset < 0 ? -1 : m->offset};
}

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    struct rdkafka_writer *w = opaque;
    (void)handle;
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        w->dead = true;
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !*w->reason) /* each has said why before */
        text_copy(text_of(reason), w->reason, sizeof w->reason);
}

static int writer_produce(struct writer *self, const struct outgoing *m)
{
    struct rdkafka_writer *w = (struct rdkafka_writer *)self;
    rd_kafka_vu_t v[10];
    size_t n = 0;
    if (w->dead)
        return -ENOTCONN;
    v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = m->topic};
    v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_PARTITION,
                             .u.i32 = m->partition < 0 ? RD_KAFKA_PARTITION_UA : m->partition};
    v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY};
    v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)m->tag};
    v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)m->key.data, m->key.len}};
    v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)m->value.data, m->value.len}};
    if (m->record.len || m->hello.len) {
        struct text own = m->record.len ? m->record : m->hello;
        v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADER, .u.header = {HEADER_WIRE, WIRE_VERSION, -1}};
        v[n++] =
            (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADER,
                            .u.header = {m->record.len ? HEADER_RECORD : HEADER_HELLO, own.data, (ssize_t)own.len}};
    }
    rd_kafka_error_t *e = rd_kafka_produceva(w->handle, v, n);
    if (!e)
        return 0;
    rd_kafka_resp_err_t code = rd_kafka_error_code(e);
    rd_kafka_error_destroy(e);
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return -EMSGSIZE;
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        w->dead = true;
    return w->dead ? -ENOTCONN : -EAGAIN; /* full, or a partition that is not known yet */
}

static int writer_poll(struct writer *self, int timeout_ms, struct delivery *ret)
{
    struct rdkafka_writer *w = (struct rdkafka_writer *)self;
    if (w->at == w->count)
        rd_kafka_poll(w->handle, timeout_ms);
    if (w->at < w->count) {
        *ret = w->reports[w->at++];
        return 1;
    }
    return w->dead ? -ENOTCONN : 0;
}

static struct known_topic *topic_of(struct rdkafka_writer *w, const char *name)
{
    for (int i = 0; i < TOPICS; i++) {
        if (!w->topics[i].name)
            w->topics[i].name = text_dup(text_of(name));
        if (w->topics[i].name && strcmp(w->topics[i].name, name) == 0)
            return &w->topics[i];
    }
    return NULL;
}

static int writer_partitions(struct writer *self, const char *name)
{
    struct rdkafka_writer *w = (struct rdkafka_writer *)self;
    struct known_topic *t = topic_of(w, name);
    return t ? client_partitions(w->handle, t->name, &t->partitions) : 0;
}

static const char *writer_cluster_id(struct writer *self)
{
    struct rdkafka_writer *w = (struct rdkafka_writer *)self;
    return client_cluster_id(w->handle, &w->cluster_id, 0);
}

static const char *writer_reason(struct writer *self)
{
    struct rdkafka_writer *w = (struct rdkafka_writer *)self;
    for (int i = 0; !w->dead && i < TOPICS && w->topics[i].name; i++)
        client_misses(&w->topics[i].partitions, w->topics[i].name, w->reason, sizeof w->reason);
    return *w->reason ? w->reason : NULL;
}

static int writer_flush(struct writer *self, int timeout_ms)
{
    struct rdkafka_writer *w = (struct rdkafka_writer *)self;
    return rd_kafka_flush(w->handle, timeout_ms) ? -ETIMEDOUT : 0;
}

static void writer_destroy(struct writer *self)
{
    struct rdkafka_writer *w = (struct rdkafka_writer *)self;
    rd_kafka_purge(w->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_destroy(w->handle);
    for (int i = 0; i < TOPICS; i++)
        free(w->topics[i].name);
    free(w->reports);
    free(w->cluster_id);
    free(w);
}

int writer_open(struct writer **ret, const struct kafka_settings *settings, struct error *error)
{
    /* A message never times out in the client: the outbox decides what is sent again, by the ledger's word. */
    static const struct client_default defaults[] = {{"enable.idempotence", "true"},
                                                     {"acks", "all"},
                                                     {"message.timeout.ms", "0"},
                                                     {"compression.codec", "lz4"},
                                                     {"linger.ms", "5"},
                                                     {"queue.buffering.max.kbytes", "16384"},
                                                     {"queue.buffering.max.messages", "100000"},
                                                     {NULL, NULL}};
    struct rdkafka_writer *w = calloc(1, sizeof *w);
    rd_kafka_conf_t *conf = w ? client_conf(settings, defaults, error) : NULL;
    if (!conf) {
        free(w);
        return w ? error->code : error_set(error, -ENOMEM, "out of memory");
    }
    w->port = (struct writer){.produce = writer_produce,
                              .poll = writer_poll,
                              .partitions = writer_partitions,
                              .cluster_id = writer_cluster_id,
                              .reason = writer_reason,
                              .flush = writer_flush,
                              .destroy = writer_destroy};
    rd_kafka_conf_set_opaque(conf, w);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, on_error);
    w->handle = client_new(conf, true, error);
    if (!w->handle) {
        free(w);
        return -EINVAL;
    }
    *ret = &w->port;
    return 0;
}
