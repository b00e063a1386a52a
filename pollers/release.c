#include "release.h"

void release_start(struct release_lane *l, uint64_t stored_mark, int64_t now_ns)
{
    *l = (struct release_lane){.mark = stored_mark,
                               .sent = stored_mark,
                               .delivered = stored_mark,
                               .partition = -1,
                               .offset = -1,
                               .progress_ns = now_ns,
                               .timeout_ns = RELEASE_TIMEOUT_FIRST_NS};
}

static void go_back(struct release_lane *l, int64_t now_ns)
{
    l->sent = l->delivered = l->mark;
    l->partition = -1;
    l->offset = -1;
    l->progress_ns = now_ns;
}

/* When patience with what is on its way ends. What the ledger has not read yet is merely queued. */
static int64_t patience_ends(const struct release_lane *l, int64_t read_offset)
{
    bool queued = l->offset >= 0 && read_offset >= 0 && read_offset <= l->offset;
    int64_t patience = queued && l->timeout_ns < RELEASE_QUEUED_NS ? RELEASE_QUEUED_NS : l->timeout_ns;
    return l->progress_ns + patience;
}

enum release_step release_next(struct release_lane *l, uint64_t last, bool room, int64_t read_offset, int64_t now_ns,
                               int64_t *ret_wake_ns)
{
    *ret_wake_ns = now_ns + RELEASE_HELLO_NS;
    if (l->sent > l->mark) {
        int64_t end = patience_ends(l, read_offset);
        if (now_ns >= end) {
            l->timeout_ns = 2 * l->timeout_ns < RELEASE_TIMEOUT_MAX_NS ? 2 * l->timeout_ns : RELEASE_TIMEOUT_MAX_NS;
            l->resends++;
            go_back(l, now_ns);
        } else {
            *ret_wake_ns = end;
        }
    }
    if (l->sent < last)
        return room ? RELEASE_SEND : RELEASE_WAIT;
    if (last == 0 || l->sent > l->mark)
        return RELEASE_WAIT;
    if (l->hello_ns == 0 || now_ns - l->hello_ns >= RELEASE_HELLO_NS)
        return RELEASE_HELLO;
    *ret_wake_ns = l->hello_ns + RELEASE_HELLO_NS;
    return RELEASE_WAIT;
}

void release_sent(struct release_lane *l, uint64_t sequence, int64_t now_ns)
{
    if (l->sent == l->mark)
        l->progress_ns = now_ns; /* patience begins with the first on its way */
    l->sent = sequence;
}

void release_hello_sent(struct release_lane *l, int64_t now_ns)
{
    l->hello_ns = now_ns;
}

void release_delivered(struct release_lane *l, uint64_t sequence, int32_t partition, int64_t offset)
{
    if (sequence > l->sent || sequence < l->delivered)
        return; /* of before a go-back */
    l->delivered = sequence;
    if (offset >= 0) {
        l->partition = partition;
        l->offset = offset;
    }
}

void release_failed(struct release_lane *l, int64_t now_ns)
{
    go_back(l, now_ns);
    l->resends++;
}

void release_acked(struct release_lane *l, uint64_t mark, uint64_t last, int64_t now_ns)
{
    mark = mark < last ? mark : last;
    l->marked = true;
    if (mark == l->mark)
        return;
    bool fell = mark < l->mark;
    l->mark = mark;
    l->timeout_ns = RELEASE_TIMEOUT_FIRST_NS;
    l->progress_ns = now_ns;
    if (fell || l->sent < mark)
        go_back(l, now_ns);
}

void release_rewind(struct release_lane *l, int64_t now_ns)
{
    go_back(l, now_ns);
    l->timeout_ns = RELEASE_TIMEOUT_FIRST_NS;
    l->hello_ns = 0;
}
