/* Rows of the archive's journal: what is taken packs to the same bytes, but for values that are no number. */
#include <math.h>

#include "collector/archive/archive_rows.h"
#include "fuzz.h"

static bool same_values(const double *a, const double *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (isnan(a[i]) ? !isnan(b[i]) : memcmp(&a[i], &b[i], sizeof a[i]) != 0)
            return false;
    return true;
}

static void check_row(const struct archive_row *row)
{
    struct buf packed = {0};
    struct archive_row again;
    double values[ARCHIVE_MAX_COLUMNS];
    must(archive_row_pack(row, &packed) == 0);
    struct text rest = buf_text(&packed);
    must(archive_row_unpack(&rest, &again, values) == ARCHIVE_ROW_GOOD && rest.len == 0);
    must(text_equal(row->resource, again.resource) && text_equal(row->meter, again.meter));
    must(row->kind == again.kind && row->step_end_s == again.step_end_s);
    must(same_values(row->values, again.values, archive_layout(row->kind)->count));
    buf_free(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rows = fuzz_text(data, size);
    for (;;) {
        struct archive_row row;
        double values[ARCHIVE_MAX_COLUMNS];
        size_t before = rows.len;
        enum archive_row_result r = archive_row_unpack(&rows, &row, values);
        if (r == ARCHIVE_ROW_END || r == ARCHIVE_ROW_DAMAGED) {
            must(r == ARCHIVE_ROW_DAMAGED || rows.len == 0);
            return 0;
        }
        must(rows.len < before);
        if (r == ARCHIVE_ROW_GOOD)
            check_row(&row);
    }
}
