#include "pluvio/wire/envelope.h"

#include <assert.h>
#include <stdio.h>

#include "pluvio/model/record.h"

struct text lane_key(const char *outbox, unsigned lane, char *out)
{
    size_t n = strnlen(outbox, OUTBOX_ID_SIZE - 1);
    assert(lane < 100);
    memcpy(out, outbox, n);
    out[n++] = '/';
    if (lane >= 10)
        out[n++] = (char)('0' + lane / 10);
    out[n++] = (char)('0' + lane % 10);
    out[n] = 0;
    return (struct text){out, n};
}

struct text envelope_format(const struct envelope *e, char *out)
{
    int n = snprintf(out, ENVELOPE_SIZE, "%s/%u/%llu/%llu", e->outbox, e->lane, (unsigned long long)e->sequence,
                     (unsigned long long)e->previous);
    return (struct text){out, (size_t)n};
}

struct text hello_format(const struct envelope *e, struct text host_uuid, char *out)
{
    int n = snprintf(out, ENVELOPE_SIZE, "%s/%u/%llu/%.*s", e->outbox, e->lane, (unsigned long long)e->sequence,
                     (int)(host_uuid.len < 64 ? host_uuid.len : 64), host_uuid.data ? host_uuid.data : "");
    return (struct text){out, (size_t)n};
}

/* The text before the next '/', which is passed over. Without a '/' it is empty, and no part may be that. */
static struct text part(struct text *rest)
{
    const char *slash = rest->len ? memchr(rest->data, '/', rest->len) : NULL;
    if (!slash)
        return (struct text){0};
    struct text t = {rest->data, (size_t)(slash - rest->data)};
    *rest = (struct text){slash + 1, rest->len - t.len - 1};
    return t;
}

static bool outbox_parse(struct text t, char *out)
{
    if (t.len != OUTBOX_ID_SIZE - 1)
        return false;
    for (size_t i = 0; i < t.len; i++)
        if (!((t.data[i] >= '0' && t.data[i] <= '9') || (t.data[i] >= 'a' && t.data[i] <= 'f')))
            return false;
    return text_copy(t, out, OUTBOX_ID_SIZE);
}

static bool lane_parse(struct text t, unsigned *ret)
{
    uint64_t lane;
    if (!text_to_u64(t, &lane) || lane >= RECORD_LANES)
        return false;
    *ret = (unsigned)lane;
    return true;
}

static bool sequence_parse(struct text t, uint64_t *ret)
{
    return text_to_u64(t, ret) && *ret <= INT64_MAX;
}

bool envelope_parse(struct text t, struct envelope *ret)
{
    return outbox_parse(part(&t), ret->outbox) && lane_parse(part(&t), &ret->lane) &&
           sequence_parse(part(&t), &ret->sequence) && sequence_parse(t, &ret->previous) &&
           ret->sequence > ret->previous;
}

bool hello_parse(struct text t, struct envelope *ret, struct text *ret_host_uuid)
{
    ret->previous = 0;
    if (!outbox_parse(part(&t), ret->outbox) || !lane_parse(part(&t), &ret->lane) ||
        !sequence_parse(part(&t), &ret->sequence) || t.len > 64)
        return false;
    *ret_host_uuid = t;
    return true;
}

void ack_format(const struct ack *a, struct buf *key, struct buf *value)
{
    switch (a->kind) {
    case ACK_MARK:
        buf_add_text(key, lane_key(a->outbox, a->lane, (char[LANE_KEY_SIZE]){0}));
        buf_addf(value, "{\"mark\":%llu}", (unsigned long long)a->mark);
        break;
    case ACK_OFFSET:
        buf_addf(key, "%s/%s/%d", a->cluster, a->topic, (int)a->partition);
        buf_addf(value, "{\"offset\":%lld}", (long long)a->offset);
        break;
    }
}

/* The number in {"NAME":NUMBER}, which is all that we write there. */
static bool value_parse(struct text t, const char *head, int64_t *ret)
{
    size_t n = strlen(head);
    if (t.len < n + 2 || memcmp(t.data, head, n) != 0 || t.data[t.len - 1] != '}')
        return false;
    return text_to_i64((struct text){t.data + n, t.len - n - 1}, ret);
}

static bool name_parse(struct text t, char *out, size_t size)
{
    return t.len && !memchr(t.data, 0, t.len) && text_copy(t, out, size);
}

static bool offset_key_parse(struct text key, struct ack *ret)
{
    int64_t partition;
    struct text cluster = part(&key), topic = part(&key);
    if (!text_to_i64(key, &partition) || partition < 0 || partition > INT32_MAX)
        return false;
    ret->partition = (int32_t)partition;
    return name_parse(cluster, ret->cluster, sizeof ret->cluster) && name_parse(topic, ret->topic, sizeof ret->topic);
}

bool ack_parse(struct text key, struct text value, struct ack *ret)
{
    int64_t number;
    if (value_parse(value, "{\"offset\":", &number)) {
        ret->kind = ACK_OFFSET;
        ret->offset = number;
        return number >= 0 && offset_key_parse(key, ret);
    }
    if (!value_parse(value, "{\"mark\":", &number) || number < 0)
        return false;
    ret->kind = ACK_MARK;
    ret->mark = (uint64_t)number;
    return outbox_parse(part(&key), ret->outbox) && lane_parse(key, &ret->lane);
}
