/* Random rows, gaps and crashes against a plain table of what was given. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/archive/archive_files.h"
#include "collector/archive/archive_journal.h"
#include "collector/archive/archive_name.h"
#include "collector/archive/archive_rows.h"
#include "pluvio/base/random.h"
#include "support/folder.h"
#include "support/run.h"

#define T0    1700000100LL /* a multiple of 60 and of 300 */
#define STEP  60
#define STEPS 400

static char folder[FOLDER_SIZE];
static struct archive *archive;
static struct archive_reader *reader;

static void set_up(void)
{
    folder_make(folder);
}

static void tear_down(void)
{
    folder_remove(folder);
}

static void open_archive(const char *where, uint64_t ledger_commit, int flush_rows)
{
    struct error error = {0};
    struct archive_settings s = {.folder = where, .ledger_commit = ledger_commit, .flush_rows = flush_rows};
    ck_assert_int_eq(archive_policy("default", STEP, &s.policy), 0);
    ck_assert_msg(archive_open(&archive, &s, &error) == 0, "%s", error.text);
    ck_assert_int_eq(archive_reader_open(&reader, archive), 0);
}

static void close_archive(void)
{
    archive_reader_close(reader);
    archive->destroy(archive);
}

/* Rows as a test gives them: one column; NAN: no row was given. */
static void add(const char *resource, int64_t step, double value)
{
    struct archive_row row = {.resource = text_of(resource),
                              .meter = TEXT("load"),
                              .kind = RESOURCE_OTHER,
                              .step_end_s = T0 + STEP * step,
                              .values = &value};
    ck_assert_int_eq(archive->add(archive, &row), 0);
}

static void commit(uint64_t number)
{
    struct error error = {0};
    ck_assert_msg(archive->seal(archive, number, &error) == 0, "%s", error.text);
    archive->confirm(archive, number);
}

/* values[n] is the step that ends n steps after T0; NAN where the archive says nothing. */
static void read_all(const char *resource, enum consolidation function, int64_t step_s, double *values, size_t count)
{
    struct archived_series s;
    struct error error = {0};
    struct series_query q = {.resource = text_of(resource),
                             .meter = TEXT("load"),
                             .from_s = T0,
                             .to_s = T0 + (int64_t)count * STEP,
                             .step_s = step_s,
                             .consolidation = function};
    for (size_t i = 0; i < count; i++)
        values[i] = NAN;
    int r = archive_series(reader, &q, &s, &error);
    ck_assert_msg(r == 0 || r == -ENOENT, "%s", error.text);
    for (size_t i = 0; i < s.count; i++) {
        ck_assert_int_eq(s.step_s, step_s);
        ck_assert_int_ge(s.points[i].time_s, T0);
        size_t n = (size_t)((s.points[i].time_s - T0) / STEP) + 1;
        ck_assert_uint_lt(n, count);
        values[n] = s.points[i].value;
    }
    archived_series_free(&s);
}

static bool same(double a, double b)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-14 * fabs(a);
}

static double random_value(struct random *r)
{
    switch (random_below(r, 4)) {
    case 0:
        return 0;
    case 1:
        return (double)random_below(r, 1ULL << 53);
    case 2:
        return (double)random_below(r, 1000000) * 1000.0 / 60000.0;
    }
    return ldexp((double)random_below(r, 1ULL << 53), -(int)random_below(r, 80));
}

/* ---- what is given is what is read ---- */

struct model {
    double given[STEPS + 2];
    double sum;
};

/* Rows with gaps, written in lumps, with restarts between. */
static void give_random_rows(struct random *r, struct model *m)
{
    uint64_t number = 0;
    m->sum = 0;
    for (int i = 0; i < STEPS + 2; i++)
        m->given[i] = NAN;
    for (int64_t step = 1; step <= STEPS; step++) {
        if (random_below(r, 5) == 0)
            step += (int64_t)random_below(r, random_below(r, 10) ? 3 : 40);
        if (step > STEPS)
            break;
        m->given[step] = random_value(r);
        m->sum += m->given[step] * STEP;
        add("vm", step, m->given[step]);
        if (random_below(r, 3) == 0)
            commit(++number);
        if (random_below(r, 100) == 0) {
            commit(++number);
            close_archive();
            open_archive(folder, number, 1 + (int)random_below(r, 40));
        }
    }
    commit(++number);
}

START_TEST(the_area_that_is_read_is_the_sum_that_was_given_and_gaps_are_unknown)
{
    struct random_seeded seeded;
    struct model m;
    double read[STEPS + 2], area = 0;
    random_seed(&seeded, (uint64_t)_i + 1);
    open_archive(folder, 0, 1 + (int)random_below(&seeded.port, 40));
    give_random_rows(&seeded.port, &m);
    read_all("vm", CONSOLIDATION_AVERAGE, STEP, read, STEPS + 2);
    for (int i = 0; i < STEPS + 2; i++) {
        ck_assert_msg(same(m.given[i], read[i]), "seed %d step %d: given %.17g, read %.17g", _i + 1, i, m.given[i],
                      read[i]);
        area += isnan(read[i]) ? 0 : read[i] * STEP;
    }
    ck_assert_double_le(fabs(area - m.sum), 1e-13 * m.sum);
    close_archive();
}
END_TEST

START_TEST(coarse_steps_are_mean_least_and_most_of_what_was_given)
{
    static const int per = 5; /* steps in 300 s */
    struct random_seeded seeded;
    struct model m;
    double read[3][STEPS + 2];
    random_seed(&seeded, (uint64_t)_i + 1000);
    open_archive(folder, 0, 30);
    give_random_rows(&seeded.port, &m);
    for (int f = 0; f < 3; f++)
        read_all("vm", (enum consolidation)f, STEP * per, read[f], STEPS + 2);
    int last = STEPS;
    while (last > 0 && isnan(m.given[last]))
        last--;
    for (int i = 0; i + per <= last; i += per) {
        double sum = 0, least = NAN, most = NAN;
        int known = 0;
        for (int k = i + 1; k <= i + per; k++) {
            if (isnan(m.given[k]))
                continue;
            sum += m.given[k];
            least = fmin(least, m.given[k]);
            most = fmax(most, m.given[k]);
            known++;
        }
        ck_assert_msg(known ? fabs(read[0][i + 1] - sum / known) <= 1e-13 * sum : isnan(read[0][i + 1]),
                      "seed %d step %d: mean of %d is %.17g, read %.17g", _i, i, known, sum / known, read[0][i + 1]);
        ck_assert_msg(same(least, read[1][i + 1]) && same(most, read[2][i + 1]), "seed %d step %d: %g..%g, read %g..%g",
                      _i, i, least, most, read[1][i + 1], read[2][i + 1]);
    }
    close_archive();
}
END_TEST

/* ---- crashes ---- */

#define COMMITS   6
#define RESOURCES 2

/* Commit n holds step n of each resource; its value says which it is. */
static double value_of(int resource, uint64_t number)
{
    return (double)number * 10 + resource + 0.25;
}

static size_t write_journal(size_t ends[COMMITS + 1])
{
    struct journal *j;
    struct error error = {0};
    struct journal_settings settings = {.folder = folder};
    struct buf rows = {0};
    char name[8];
    ck_assert_int_eq(journal_open(&j, &settings, NULL, NULL, &error), 0);
    ends[0] = 0;
    for (uint64_t n = 1; n <= COMMITS; n++) {
        buf_clear(&rows);
        for (int i = 0; i < RESOURCES; i++) {
            double value = value_of(i, n);
            snprintf(name, sizeof name, "vm%d", i);
            struct archive_row row = {.resource = text_of(name),
                                      .meter = TEXT("load"),
                                      .kind = RESOURCE_OTHER,
                                      .step_end_s = T0 + STEP * (int64_t)n,
                                      .values = &value};
            ck_assert_int_eq(archive_row_pack(&row, &rows), 0);
        }
        ck_assert_int_eq(journal_append(j, n, buf_text(&rows), &error), 0);
        ends[n] = (size_t)journal_bytes(j);
    }
    journal_close(j);
    buf_free(&rows);
    return ends[COMMITS];
}

static void read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "r");
    ck_assert_msg(f, "%s", path);
    for (int c; (c = fgetc(f)) != EOF;)
        buf_add_char(out, (char)c);
    fclose(f);
}

static void write_start(const char *to_folder, const struct buf *bytes, size_t len)
{
    char path[FOLDER_SIZE * 2];
    FILE *f = fopen(folder_path(to_folder, "journal-00000001", path, sizeof path), "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes->data, 1, len, f), len);
    fclose(f);
}

/* Exactly the commits up to @newest are there. */
static void check_commits(uint64_t newest, size_t at)
{
    double read[COMMITS + 2];
    char name[8];
    for (int i = 0; i < RESOURCES; i++) {
        snprintf(name, sizeof name, "vm%d", i);
        read_all(name, CONSOLIDATION_AVERAGE, STEP, read, COMMITS + 2);
        for (uint64_t n = 0; n < COMMITS + 2; n++) {
            double expected = n >= 1 && n <= newest ? value_of(i, n) : NAN;
            ck_assert_msg(same(expected, read[n]), "cut at %zu: %s commit %d reads %g", at, name, (int)n, read[n]);
        }
    }
}

START_TEST(a_journal_cut_at_any_byte_loses_nothing_that_was_sealed_and_invents_nothing)
{
    size_t ends[COMMITS + 1], size = write_journal(ends);
    struct buf bytes = {0};
    char path[FOLDER_SIZE * 2], copy[FOLDER_SIZE];
    read_file(folder_path(folder, "journal-00000001", path, sizeof path), &bytes);
    ck_assert_uint_eq(bytes.len, size);
    for (size_t cut = 0; cut <= size; cut++) {
        uint64_t whole = 0;
        while (whole < COMMITS && ends[whole + 1] <= cut)
            whole++;
        folder_make(copy);
        write_start(copy, &bytes, cut);
        open_archive(copy, COMMITS, 0);
        check_commits(whole, cut);
        close_archive();
        folder_remove(copy);
    }
    buf_free(&bytes);
}
END_TEST

START_TEST(commits_that_the_ledger_has_not_are_not_brought_back)
{
    size_t ends[COMMITS + 1];
    write_journal(ends);
    open_archive(folder, (uint64_t)_i, 0);
    check_commits((uint64_t)_i, ends[COMMITS]);
    close_archive();
    open_archive(folder, COMMITS, 0); /* and they stay away, whatever the ledger's numbers become */
    check_commits((uint64_t)_i, ends[COMMITS]);
    close_archive();
}
END_TEST

START_TEST(a_journal_that_is_replayed_twice_changes_no_byte_of_the_files)
{
    size_t ends[COMMITS + 1];
    struct buf journal = {0}, name = {0}, first = {0}, second = {0};
    char path[FOLDER_SIZE * 2];
    write_journal(ends);
    read_file(folder_path(folder, "journal-00000001", path, sizeof path), &journal);
    archive_name(TEXT("vm1"), TEXT("load"), &name);
    open_archive(folder, COMMITS, 0);
    close_archive();
    read_file(folder_path(folder, buf_terminate(&name), path, sizeof path), &first);
    write_start(folder, &journal, journal.len);
    open_archive(folder, COMMITS, 0);
    close_archive();
    read_file(path, &second);
    ck_assert(text_equal(buf_text(&first), buf_text(&second)));
    buf_free(&journal);
    buf_free(&name);
    buf_free(&first);
    buf_free(&second);
}
END_TEST

/* ---- kill -9 ---- */

struct shared {
    _Atomic uint64_t ledger; /* the newest commit that "the ledger" made */
};

/* A collector: ever more commits, some rolled back, until it is killed. A row's value is its step, a rolled back one's
 * is negative. */
static void collect(struct shared *shared, uint64_t seed)
{
    struct random_seeded seeded;
    struct error error;
    uint64_t n = shared->ledger;
    random_seed(&seeded, seed);
    open_archive(folder, n, 1 + (int)random_below(&seeded.port, 5));
    for (;;) {
        n++;
        bool fails = random_below(&seeded.port, 4) == 0;
        add("vm", (int64_t)n, fails ? -1 : (double)n);
        if (archive->seal(archive, n, &error))
            _exit(1);
        if (fails) {
            archive->forget(archive);
            n--;
            continue;
        }
        atomic_store(&shared->ledger, n);
        archive->confirm(archive, n);
    }
}

static void run_and_kill(struct shared *shared, struct random *r, uint64_t seed)
{
    uint64_t target = shared->ledger + 1 + random_below(r, 12);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        collect(shared, seed);
    for (int i = 0; i < 10000 && shared->ledger < target; i++)
        usleep(1000); /* a deadline of 10 s, no pace */
    ck_assert_uint_ge(shared->ledger, target);
    usleep((useconds_t)random_below(r, 2000));
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(a_killed_collector_loses_no_row_that_the_ledger_has_and_shows_none_that_it_has_not)
{
    struct random_seeded seeded;
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double read[1440];
    ck_assert_ptr_ne(shared, MAP_FAILED);
    random_seed(&seeded, (uint64_t)_i + 77);
    for (int round = 0; round < 8 && shared->ledger < 1000; round++) {
        run_and_kill(shared, &seeded.port, (uint64_t)round);
        open_archive(folder, shared->ledger, 0);
        read_all("vm", CONSOLIDATION_AVERAGE, STEP, read, 1440);
        for (uint64_t n = 1; n < 1440; n++)
            ck_assert_msg(same(n <= shared->ledger ? (double)n : NAN, read[n]), "round %d: commit %d of %d reads %g",
                          round, (int)n, (int)shared->ledger, read[n]);
        close_archive();
    }
    munmap(shared, sizeof *shared);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("property_archive");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 200);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, the_area_that_is_read_is_the_sum_that_was_given_and_gaps_are_unknown, 0, 40);
    tcase_add_loop_test(t, coarse_steps_are_mean_least_and_most_of_what_was_given, 0, 20);
    tcase_add_test(t, a_journal_cut_at_any_byte_loses_nothing_that_was_sealed_and_invents_nothing);
    tcase_add_loop_test(t, commits_that_the_ledger_has_not_are_not_brought_back, 0, COMMITS + 1);
    tcase_add_test(t, a_journal_that_is_replayed_twice_changes_no_byte_of_the_files);
    tcase_add_loop_test(t, a_killed_collector_loses_no_row_that_the_ledger_has_and_shows_none_that_it_has_not, 0, 3);
    suite_add_tcase(s, t);
    return test_run(s);
}
