#include "message.h"

#include "pluvio/model/record.h"

void message_wrap(struct buf *out, const unsigned *path, struct text content)
{
    if (!*path) {
        buf_add_text(out, content);
        return;
    }
    size_t opened = write_open(out, *path);
    message_wrap(out, path + 1, content);
    write_close(out, opened);
}

void message_attribute(struct buf *out, uint32_t number, const char *key, struct text value)
{
    size_t pair = write_open(out, number);
    write_bytes(out, 1, text_of(key));
    size_t any = write_open(out, 2);
    write_bytes(out, 1, value);
    write_close(out, any);
    write_close(out, pair);
}

void message_point(struct buf *out, bool has_value, int64_t value)
{
    size_t point = write_open(out, 1);
    write_fixed64(out, 3, 1700000000000000000ULL);
    if (has_value)
        write_fixed64(out, 6, (uint64_t)value);
    write_close(out, point);
}

void message_resource(struct buf *out, struct text metrics)
{
    size_t all = write_open(out, 1);
    size_t resource = write_open(out, 1);
    message_attribute(out, 1, ATTR_ENTITY, TEXT("vm"));
    write_close(out, resource);
    write_bytes(out, 2, metrics);
    write_close(out, all);
}

void message_metric(struct buf *out, const char *name, uint32_t kind, struct text data)
{
    size_t metric = write_open(out, 2);
    write_bytes(out, 1, text_of(name));
    write_bytes(out, kind, data);
    write_close(out, metric);
}
