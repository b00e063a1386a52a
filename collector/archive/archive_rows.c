#include "archive_rows.h"

#include <math.h>

void archive_row_pack(const struct archive_row *row, struct buf *out)
{
    size_t count = archive_layout(row->kind)->count;
    buf_add_varint(out, row->kind);
    buf_add_sized(out, row->resource);
    buf_add_sized(out, row->meter);
    buf_add_varint(out, (uint64_t)row->step_end_s);
    uint64_t known = 0;
    for (size_t i = 0; i < count; i++)
        known |= (uint64_t)!isnan(row->values[i]) << i;
    buf_add_varint(out, known);
    for (size_t i = 0; i < count; i++)
        if (known >> i & 1)
            buf_add_double(out, row->values[i]);
}

bool archive_row_unpack(struct unpack *u, struct archive_row *ret, double *values)
{
    if (u->failed || u->at == u->end)
        return false;
    uint64_t kind = unpack_varint(u);
    if (kind >= RESOURCE_KINDS) {
        u->failed = true;
        return false;
    }
    ret->kind = (enum resource_kind)kind;
    ret->resource = unpack_sized(u);
    ret->meter = unpack_sized(u);
    ret->step_end_s = (int64_t)unpack_varint(u);
    uint64_t known = unpack_varint(u);
    size_t count = archive_layout(ret->kind)->count;
    for (size_t i = 0; i < count; i++)
        values[i] = known >> i & 1 ? unpack_double(u) : NAN;
    ret->values = values;
    return !u->failed;
}
