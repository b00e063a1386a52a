/* What the archive costs: a VM's record is a row for the instance (6 known columns), its disk and its interface (8
 * each).
 *
 *     bench_archive [VMS [ROWS]]      of ROWS steps, written 30 rows a call
 *
 * CPU time of the process but for the creation's wall time; below $TMPDIR or /tmp. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/archive/archive_name.h"
#include "collector/archive/archive_rows.h"
#include "collector/archive/archive_writer.h"
#include "pluvio/base/clock.h"
#include "support/folder.h"

#define T0    1700000100LL
#define LUMP  30
#define FILES 3

static const struct {
    enum resource_kind kind;
    const char *suffix;
    size_t known;
} files[FILES] = {
    {RESOURCE_INSTANCE, "", 6}, {RESOURCE_DISK, "-vda", 8}, {RESOURCE_INTERFACE, "-52:54:00:12:34:56", 8}};

static double sink;

static void pack_record(int vm, int64_t step, struct buf *out)
{
    double values[ARCHIVE_MAX_COLUMNS];
    char name[80];
    for (int f = 0; f < FILES; f++) {
        for (size_t i = 0; i < ARCHIVE_MAX_COLUMNS; i++)
            values[i] = i < files[f].known ? (double)(vm * 1000 + step) * 1000.0 / 60000.0 + (double)i : NAN;
        int len = snprintf(name, sizeof name, "6f7a1c3e-0000-4000-8000-%012d%s", vm, files[f].suffix);
        struct archive_row row = {
            .resource = {name, (size_t)len}, .kind = files[f].kind, .step_end_s = T0 + 60 * step, .values = values};
        if (archive_row_pack(&row, out))
            abort();
    }
}

/* ns a row for archive_row_pack alone: what add() does on ingest's thread. */
static double bench_pack(void)
{
    double values[ARCHIVE_MAX_COLUMNS];
    struct buf out = {0};
    const int rows = 2000000;
    for (int i = 0; i < ARCHIVE_MAX_COLUMNS; i++)
        values[i] = i + 0.5;
    struct archive_row row = {.resource = TEXT("6f7a1c3e-0000-4000-8000-000000000001-vda"),
                              .kind = RESOURCE_INTERFACE,
                              .step_end_s = T0,
                              .values = values};
    int64_t start = clock_cpu_ns();
    for (int i = 0; i < rows; i++) {
        if (i % 1000 == 0)
            buf_clear(&out);
        if (archive_row_pack(&row, &out))
            abort();
    }
    double ns = (double)(clock_cpu_ns() - start) / rows;
    sink += (double)out.len;
    buf_free(&out);
    return ns;
}

struct bench {
    char folder[FOLDER_SIZE];
    struct archive_policy policy;
    struct archive_counts counts;
    struct archive_writer writer;
    struct buf bytes;
    int vms;
    int64_t take_ns, write_ns;
};

/* Steps [from, to) of all VMs: a commit a step, then everything is written. */
static void lump(struct bench *b, int64_t from, int64_t to)
{
    for (int64_t step = from; step < to; step++) {
        buf_clear(&b->bytes);
        for (int vm = 0; vm < b->vms; vm++)
            pack_record(vm, step, &b->bytes);
        int64_t start = clock_cpu_ns();
        archive_writer_take(&b->writer, buf_text(&b->bytes), (uint64_t)step, 1);
        b->take_ns += clock_cpu_ns() - start;
    }
    int64_t start = clock_cpu_ns();
    archive_writer_flush(&b->writer, 1);
    b->write_ns += clock_cpu_ns() - start;
}

static void begin(struct bench *b)
{
    folder_make(b->folder);
    if (archive_policy("default", 60, &b->policy))
        abort();
    b->writer = (struct archive_writer){.folder = b->folder,
                                        .folder_fd = open(b->folder, O_RDONLY | O_DIRECTORY),
                                        .policy = &b->policy,
                                        .flush_age_ns = 1,
                                        .max_bytes = SIZE_MAX,
                                        .max_journal_bytes = INT64_MAX,
                                        .counts = &b->counts};
    pending_init(&b->writer.pending, LUMP);
    int restored;
    struct error error;
    if (undo_open(&b->writer.undo, b->folder, &restored, &error))
        abort();
}

static void bench_create(struct bench *b)
{
    int64_t wall = clock_boot_ns(clock_system()), cpu = clock_cpu_ns();
    lump(b, 1, 2);
    double wall_s = (double)(clock_boot_ns(clock_system()) - wall) / 1e9;
    double cpu_s = (double)(clock_cpu_ns() - cpu) / 1e9;
    printf("\"create_files_per_s\":%.0f,\"create_files_per_cpu_s\":%.0f,", b->vms * FILES / wall_s,
           b->vms * FILES / cpu_s);
}

static void print_sizes(const struct bench *b)
{
    struct buf path = {0};
    for (int f = 0; f < FILES; f++) {
        char name[80];
        struct stat st = {0};
        size_t series = archive_layout(files[f].kind)->count;
        int len = snprintf(name, sizeof name, "6f7a1c3e-0000-4000-8000-%012d%s", 0, files[f].suffix);
        buf_clear(&path);
        buf_addf(&path, "%s/", b->folder);
        archive_name((struct text){name, (size_t)len}, (struct text){0}, &path);
        if (stat(buf_terminate(&path), &st))
            perror(path.data);
        printf("\"%s_file\":{\"bytes\":%lld,\"series\":%zu,\"bytes_per_series\":%lld},",
               resource_kind_name(files[f].kind), (long long)st.st_size, series,
               (long long)st.st_size / (long long)series);
    }
    buf_free(&path);
}

int main(int argc, char **argv)
{
    struct bench b = {.vms = argc > 1 ? atoi(argv[1]) : 200};
    int64_t rows = argc > 2 ? atoll(argv[2]) : 600;
    if (b.vms < 1 || rows < LUMP)
        return 2;
    printf("{\"bench\":\"archive\",\"vms\":%d,\"rows\":%lld,\"pack_row_ns\":%.0f,", b.vms, (long long)rows,
           bench_pack());
    begin(&b);
    bench_create(&b);
    b.take_ns = b.write_ns = 0;
    int64_t records = 0;
    for (int64_t step = 2; step + LUMP <= rows + 2; step += LUMP, records += (int64_t)LUMP * b.vms)
        lump(&b, step, step + LUMP);
    printf("\"rows_a_call\":%d,\"us_per_record\":%.3f,\"keep_us\":%.3f,\"write_us\":%.3f,", LUMP,
           (double)(b.take_ns + b.write_ns) / 1e3 / (double)records, (double)b.take_ns / 1e3 / (double)records,
           (double)b.write_ns / 1e3 / (double)records);
    print_sizes(&b);
    printf("\"failures\":%lld}\n", (long long)b.counts.failures);
    archive_writer_finish(&b.writer);
    undo_close(b.writer.undo);
    close(b.writer.folder_fd);
    buf_free(&b.bytes);
    folder_remove(b.folder);
    return sink < 0 || b.counts.failures;
}
