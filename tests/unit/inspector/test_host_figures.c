/* The host's own meters: read from /proc as the kernel writes it, and absent where it does not say. */
#include "pollers/host_figures.h"

#include <stdio.h>
#include <string.h>

#include "support/folder.h"
#include "support/run.h"

static char proc[FOLDER_SIZE];
static struct reading host[HOST_FIELDS];

static void set_up(void)
{
    folder_make(proc);
    memset(host, 0, sizeof host);
}

static void tear_down(void)
{
    folder_remove(proc);
}

static void write_file(const char *name, const char *text)
{
    char path[FOLDER_SIZE + 16];
    snprintf(path, sizeof path, "%s/%s", proc, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void expect(enum host_field field, uint64_t value)
{
    ck_assert(host[field].has);
    ck_assert_uint_eq(host[field].value, value);
}

START_TEST(what_the_kernel_says_is_taken)
{
    write_file("stat", "cpu  10 2 30 400 50 6 7 8 9 1\ncpu0 5 1 15 200 25 3 3 4 5 0\ncpu3 5 1 15 200 25 3 4 4 4 1\n"
                       "intr 12345 0 0\nctxt 1\nbtime 2\n");
    write_file("meminfo", "MemTotal:       16318412 kB\nMemFree:         1234567 kB\nMemAvailable:    9876543 kB\n");
    host_figures_read(proc, host);
    expect(HOST_CPU_USER, 12 * 10000000ULL);
    expect(HOST_CPU_KERNEL, 43 * 10000000ULL);
    expect(HOST_CPU_IDLE, 400 * 10000000ULL);
    expect(HOST_CPU_IOWAIT, 50 * 10000000ULL);
    expect(HOST_VCPUS, 2);
    expect(HOST_MEMORY_TOTAL, 16318412);
    expect(HOST_MEMORY_FREE, 1234567);
}
END_TEST

START_TEST(what_it_does_not_say_is_absent)
{
    host_figures_read(proc, host);
    write_file("stat", "cpu 10 2\nintr 5\n");
    write_file("meminfo", "MemTotal: none\n");
    host_figures_read(proc, host);
    for (int field = 0; field < HOST_FIELDS; field++)
        ck_assert(!host[field].has);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("host_figures");
    TCase *t = tcase_create("host_figures");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, what_the_kernel_says_is_taken);
    tcase_add_test(t, what_it_does_not_say_is_absent);
    suite_add_tcase(s, t);
    return test_run(s);
}
