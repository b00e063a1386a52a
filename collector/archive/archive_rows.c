#include "archive_rows.h"

#include <assert.h>
#include <errno.h>
#include <math.h>

#define HEAD 18

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rows are memory images");
static_assert(ARCHIVE_MAX_COLUMNS <= 32, "a bit a column");

static void pack_head(char *at, const struct archive_row *row, size_t columns, uint32_t known)
{
    uint16_t resource = (uint16_t)row->resource.len, meter = (uint16_t)row->meter.len;
    at[0] = (char)row->kind;
    at[1] = (char)columns;
    memcpy(at + 2, &resource, 2);
    memcpy(at + 4, &meter, 2);
    memcpy(at + 6, &known, 4);
    memcpy(at + 10, &row->step_end_s, 8);
}

int archive_row_pack(const struct archive_row *row, struct buf *out)
{
    size_t columns = archive_layout(row->kind)->count;
    if (row->resource.len == 0 || row->resource.len > ARCHIVE_MAX_NAME || row->meter.len > ARCHIVE_MAX_NAME)
        return -EINVAL;
    char *head = buf_reserve(out, HEAD + row->resource.len + row->meter.len + columns * sizeof(double));
    if (!head)
        return -ENOMEM;
    char *at = head + HEAD;
    memcpy(at, row->resource.data, row->resource.len);
    at += row->resource.len;
    if (row->meter.len)
        memcpy(at, row->meter.data, row->meter.len);
    at += row->meter.len;
    uint32_t known = 0;
    for (size_t i = 0; i < columns; i++) {
        if (isnan(row->values[i]))
            continue;
        known |= UINT32_C(1) << i;
        memcpy(at, &row->values[i], sizeof(double));
        at += sizeof(double);
    }
    pack_head(head, row, columns, known);
    out->len += (size_t)(at - head);
    return 0;
}

static void take_values(const char *at, size_t columns, uint32_t known, double *values)
{
    for (size_t i = 0; i < columns; i++) {
        values[i] = NAN;
        if (!(known >> i & 1))
            continue;
        memcpy(&values[i], at, sizeof(double));
        at += sizeof(double);
    }
}

enum archive_row_result archive_row_unpack(struct text *rows, struct archive_row *ret, double *values)
{
    const char *at = rows->data;
    uint16_t resource, meter;
    uint32_t known;
    if (rows->len == 0)
        return ARCHIVE_ROW_END;
    if (rows->len < HEAD || (unsigned char)at[0] >= RESOURCE_KINDS || (unsigned char)at[1] > ARCHIVE_MAX_COLUMNS)
        return ARCHIVE_ROW_DAMAGED;
    size_t columns = (unsigned char)at[1];
    memcpy(&resource, at + 2, 2);
    memcpy(&meter, at + 4, 2);
    memcpy(&known, at + 6, 4);
    if (resource == 0 || resource > ARCHIVE_MAX_NAME || meter > ARCHIVE_MAX_NAME)
        return ARCHIVE_ROW_DAMAGED;
    size_t names = (size_t)resource + meter;
    size_t size = HEAD + names + (size_t)__builtin_popcount(known) * sizeof(double);
    if (rows->len < size || (uint64_t)known >> columns)
        return ARCHIVE_ROW_DAMAGED;
    *ret = (struct archive_row){.resource = {at + HEAD, resource},
                                .meter = {at + HEAD + resource, meter},
                                .kind = (enum resource_kind)at[0],
                                .values = values};
    memcpy(&ret->step_end_s, at + 10, 8);
    take_values(at + HEAD + names, columns, known, values);
    *rows = (struct text){at + size, rows->len - size};
    return archive_layout(ret->kind)->count == columns ? ARCHIVE_ROW_GOOD : ARCHIVE_ROW_OTHER_LAYOUT;
}
