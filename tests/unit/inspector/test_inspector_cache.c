/* When metadata is fetched again, and which process is a domain's, on a /proc made by hand. */
#include "pollers/inspector_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pluvio/base/clock.h"
#include "pollers/process_start.h"
#include "support/folder.h"
#include "support/run.h"

#define A "0e1d5b1c-0000-4000-8000-00000000000a"
#define B "0e1d5b1c-0000-4000-8000-00000000000b"

#define NOW_NS (1000 * NS_PER_S)

static char folder[FOLDER_SIZE], proc[FOLDER_SIZE + 16];
static struct domain_cache cache;
static char vda[] = "vda", vnet0[] = "vnet0";
static struct disk_stats disk;
static struct net_stats net;
static struct domain_stats stats;

static void set_up(void)
{
    folder_make(folder);
    folder_path(folder, "proc", proc, sizeof(proc));
    mkdir(proc, 0700);
    cache = (struct domain_cache){.proc = proc, .pid_folder = strdup(folder)};
    disk = (struct disk_stats){.name = vda, .backing_index = {true, 1}};
    net = (struct net_stats){.name = vnet0, .ifindex = {true, 7}};
    stats = (struct domain_stats){
        .uuid = A, .id = 1, .answers = true, .disks = &disk, .disk_count = 1, .nets = &net, .net_count = 1};
    stats.name = strdup("one");
}

static void tear_down(void)
{
    free(stats.name);
    cache_finish(&cache);
    folder_remove(folder);
}

static void write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
}

static void add_arguments(int pid, const char *arguments, size_t len, long long start)
{
    char path[FOLDER_SIZE + 64], text[256];
    snprintf(path, sizeof(path), "%s/%d", proc, pid);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%d/cmdline", proc, pid);
    write_file(path, arguments, len);
    snprintf(path, sizeof(path), "%s/%d/stat", proc, pid);
    len = (size_t)snprintf(text, sizeof(text),
                           "%d (a ) b (c) S 1 2 3 0 -1 5 6 7 8 9 10 11 12 13 20 0 1 0 %lld 99 100\n", pid, start);
    write_file(path, text, len);
}

static void add_process(int pid, const char *uuid, long long start)
{
    char text[256];
    int len = snprintf(text, sizeof(text), "qemu%c-name%cguest=one%c-uuid%c%s%c-m%c1%c", 0, 0, 0, 0, uuid, 0, 0, 0);
    add_arguments(pid, text, (size_t)len, start);
}

static void add_pid_file(const char *name, int pid)
{
    char path[FOLDER_SIZE + 64], text[16];
    snprintf(path, sizeof(path), "%s/%s.pid", folder, name);
    int len = snprintf(text, sizeof(text), "%d", pid);
    write_file(path, text, (size_t)len);
}

static struct domain_entry *known(void)
{
    struct domain_entry *e = cache_see(&cache, A);
    cache_find_processes(&cache, &stats, 1, 1, NOW_NS);
    ck_assert_int_eq(cache_set_xml(&cache, e, &stats, MONITORS_ASKED, "<domain/>", NULL), 0);
    ck_assert(!cache_wants_xml(e, &stats, MONITORS_ASKED));
    return e;
}

START_TEST(a_process_is_found_by_libvirts_pid_file)
{
    cache_see(&cache, A);
    add_process(100, A, 4711);
    add_pid_file("one", 100);
    cache_find_processes(&cache, &stats, 1, 1, NOW_NS);
    ck_assert_int_eq(stats.process_start, 4711);
}
END_TEST

START_TEST(a_pid_file_left_behind_is_not_believed)
{
    cache_see(&cache, A);
    add_process(100, B, 4711);
    add_process(101, A, 4712);
    add_pid_file("one", 100);
    cache_find_processes(&cache, &stats, 1, 1, NOW_NS);
    ck_assert_int_eq(stats.process_start, 4712);
}
END_TEST

START_TEST(without_a_pid_file_the_arguments_tell)
{
    cache_see(&cache, A);
    add_process(100, B, 4711);
    add_process(101, A, 4712);
    cache_find_processes(&cache, &stats, 1, 1, NOW_NS);
    ck_assert_int_eq(stats.process_start, 4712);
}
END_TEST

START_TEST(of_two_processes_with_one_uuid_none_is_taken)
{
    cache_see(&cache, A);
    add_process(100, A, 4711);
    add_process(101, A, 4712);
    cache_find_processes(&cache, &stats, 1, 1, NOW_NS);
    ck_assert_int_eq(stats.process_start, 0);
}
END_TEST

#define ARGUMENTS(text) text, sizeof text

static const struct {
    const char *arguments;
    size_t len;
    long long start;
} container_rows[] = {
    {ARGUMENTS("/usr/lib/libvirt/libvirt_lxc\0--name\0one\0--console\0"
               "25"),
     4711},
    {ARGUMENTS("/usr/lib/libvirt/libvirt_lxc\0--name\0other"), 0},
    {ARGUMENTS("/usr/bin/another\0--name\0one"), 0},
    {ARGUMENTS("/usr/lib/libvirt/libvirt_lxc\0--name"), 0},
    {"", 0, 0},
};

START_TEST(a_containers_id_is_its_process_if_that_says_so)
{
    add_arguments(100, container_rows[_i].arguments, container_rows[_i].len, 4711);
    stats.id = 100;
    cache_see(&cache, A);
    cache_find_processes(&cache, &stats, 1, 1, NOW_NS);
    ck_assert_int_eq(stats.process_start, container_rows[_i].start);
}
END_TEST

START_TEST(a_stopped_domain_has_no_process)
{
    add_process(100, A, 4711);
    known();
    stats.id = -1;
    cache_find_processes(&cache, &stats, 1, 1, NOW_NS);
    ck_assert_int_eq(stats.process_start, 0);
}
END_TEST

/* libvirtd was restarted: the same id may be another process. */
START_TEST(a_new_connection_looks_for_the_process_anew)
{
    add_process(100, A, 4711);
    known();
    add_process(100, A, 9999);
    cache_find_processes(&cache, &stats, 1, 1, NOW_NS);
    ck_assert_int_eq(stats.process_start, 4711);
    cache_find_processes(&cache, &stats, 1, 2, NOW_NS);
    ck_assert_int_eq(stats.process_start, 9999);
}
END_TEST

/* Both were restarted while the domains were asked: the counters of the old process would be the new one's. */
START_TEST(what_was_read_before_its_process_began_is_left_out)
{
    static const struct {
        long long start;
        bool counts;
    } rows[] = {{99999, true}, {100000, false}, {100005, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct domain_stats d = stats;
        d.disks = NULL;
        d.disk_count = d.net_count = 0;
        d.field[DOMAIN_CPU_TIME] = (struct reading){true, 1};
        d.state = DOMAIN_RUNNING;
        add_process(100, A, rows[i].start);
        ck_assert_ptr_nonnull(cache_see(&cache, A));
        cache_find_processes(&cache, &d, 1, i + 1, NOW_NS);
        ck_assert_int_eq(d.process_start, rows[i].start);
        ck_assert_int_eq(d.field[DOMAIN_CPU_TIME].has, rows[i].counts);
        ck_assert_int_eq(d.state, DOMAIN_RUNNING);
    }
}
END_TEST

START_TEST(names_with_slashes_reach_no_other_folder)
{
    add_pid_file("one", 100);
    ck_assert_int_eq(process_of_file(folder, "one"), 100);
    ck_assert_int_eq(process_of_file(folder, "../one"), 0);
    ck_assert_int_eq(process_start_of(proc, 12345), 0);
}
END_TEST

START_TEST(metadata_is_fetched_again_when_a_plug_is_another_one)
{
    struct domain_entry *e = known();
    disk.backing_index.value = 2;
    ck_assert(cache_wants_xml(e, &stats, MONITORS_ASKED));
    disk.backing_index.value = 1;
    ck_assert(!cache_wants_xml(e, &stats, MONITORS_ASKED));
    net.ifindex.value = 8;
    ck_assert(cache_wants_xml(e, &stats, MONITORS_ASKED));
    net.ifindex.value = 7;
    stats.disk_count = 0;
    ck_assert(cache_wants_xml(e, &stats, MONITORS_ASKED));
}
END_TEST

START_TEST(metadata_is_fetched_again_for_a_new_process_and_a_new_connection)
{
    struct domain_entry *e = known();
    cache_find_processes(&cache, &stats, 1, 2, NOW_NS);
    ck_assert(cache_wants_xml(e, &stats, MONITORS_ASKED));
    ck_assert_int_eq(cache_set_xml(&cache, e, &stats, MONITORS_ASKED, "<domain/>", NULL), 0);
    ck_assert_uint_eq(e->meta->version, 2);
    stats.id = 2;
    cache_find_processes(&cache, &stats, 1, 2, NOW_NS);
    ck_assert(cache_wants_xml(e, &stats, MONITORS_ASKED));
}
END_TEST

START_TEST(counters_read_before_another_taps_index_are_not_its)
{
    struct domain_entry *e = known();
    ck_assert(cache_taps_agree(e, &stats));
    stats.net_count = 0; /* a reading without interfaces */
    ck_assert(cache_taps_agree(e, &stats));
    stats.net_count = 1;
    ck_assert(cache_taps_agree(e, &stats));
    net.ifindex.value++;
    ck_assert(!cache_taps_agree(e, &stats));
    ck_assert(cache_taps_agree(e, &stats));
    net.ifindex.value++;
    stats.id++;
    ck_assert(cache_taps_agree(e, &stats));
}
END_TEST

START_TEST(a_hung_domain_that_shows_no_disks_is_not_fetched_again)
{
    struct domain_entry *e = known();
    stats.answers = false;
    stats.disk_count = 0;
    ck_assert(!cache_wants_xml(e, &stats, MONITORS_ASKED));
}
END_TEST

START_TEST(where_no_monitor_is_asked_nobodys_missing_disks_make_it_fetched_again)
{
    struct domain_entry *e = known();
    stats.disk_count = 0;
    ck_assert(!cache_wants_xml(e, &stats, MONITORS_STUCK));
    cache_mark_stale(&cache, A);
    ck_assert_int_eq(cache_set_xml(&cache, e, &stats, MONITORS_SLOW, "<domain/>", NULL), 0);
    stats.disk_count = 1;
    ck_assert(!cache_wants_xml(e, &stats, MONITORS_ASKED));
}
END_TEST

START_TEST(an_event_makes_one_domain_stale_and_a_lost_connection_all)
{
    struct domain_entry *e = known();
    cache_mark_stale(&cache, B);
    ck_assert(!cache_wants_xml(e, &stats, MONITORS_ASKED));
    cache_mark_stale(&cache, A);
    ck_assert(cache_wants_xml(e, &stats, MONITORS_ASKED));
    ck_assert_int_eq(cache_set_xml(&cache, e, &stats, MONITORS_ASKED, "<domain/>", NULL), 0);
    cache_mark_stale(&cache, "");
    ck_assert(cache_wants_xml(e, &stats, MONITORS_ASKED));
}
END_TEST

START_TEST(a_document_that_does_not_parse_leaves_what_was_known)
{
    struct domain_entry *e = known();
    const struct domain_meta *before = e->meta;
    struct error error = {0};
    e->stale = true;
    ck_assert_int_lt(cache_set_xml(&cache, e, &stats, MONITORS_ASKED, "<domain", &error), 0);
    ck_assert_ptr_eq(e->meta, before);
    ck_assert(!cache_wants_xml(e, &stats, MONITORS_ASKED));
    ck_assert_uint_eq(cache.refused, 1);
}
END_TEST

START_TEST(who_is_not_seen_any_more_is_forgotten)
{
    char uuid[UUID_SIZE];
    for (int i = 0; i < 600; i++) {
        snprintf(uuid, sizeof(uuid), "0e1d5b1c-0000-4000-8000-%012d", i);
        ck_assert_ptr_nonnull(cache_see(&cache, uuid));
    }
    cache_turn(&cache);
    ck_assert_uint_eq(cache.by_uuid.count, 600);
    cache_see(&cache, uuid);
    cache_turn(&cache);
    ck_assert_uint_eq(cache.by_uuid.count, 1);
    ck_assert_ptr_nonnull(cache_find(&cache, uuid));
}
END_TEST

START_TEST(those_that_hang_are_listed_in_order)
{
    long count;
    cache_see(&cache, B)->hung = true;
    cache_see(&cache, A)->hung = true;
    char(*hung)[UUID_SIZE] = cache_hung(&cache, &count);
    ck_assert_int_eq(count, 2);
    ck_assert_str_eq(hung[0], A);
    ck_assert_str_eq(hung[1], B);
    free(hung);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inspector_cache");
    TCase *c = tcase_create("inspector_cache");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, a_process_is_found_by_libvirts_pid_file);
    tcase_add_test(c, a_pid_file_left_behind_is_not_believed);
    tcase_add_test(c, without_a_pid_file_the_arguments_tell);
    tcase_add_test(c, of_two_processes_with_one_uuid_none_is_taken);
    tcase_add_loop_test(c, a_containers_id_is_its_process_if_that_says_so, 0,
                        sizeof container_rows / sizeof container_rows[0]);
    tcase_add_test(c, a_stopped_domain_has_no_process);
    tcase_add_test(c, a_new_connection_looks_for_the_process_anew);
    tcase_add_test(c, what_was_read_before_its_process_began_is_left_out);
    tcase_add_test(c, names_with_slashes_reach_no_other_folder);
    tcase_add_test(c, metadata_is_fetched_again_when_a_plug_is_another_one);
    tcase_add_test(c, metadata_is_fetched_again_for_a_new_process_and_a_new_connection);
    tcase_add_test(c, counters_read_before_another_taps_index_are_not_its);
    tcase_add_test(c, a_hung_domain_that_shows_no_disks_is_not_fetched_again);
    tcase_add_test(c, where_no_monitor_is_asked_nobodys_missing_disks_make_it_fetched_again);
    tcase_add_test(c, an_event_makes_one_domain_stale_and_a_lost_connection_all);
    tcase_add_test(c, a_document_that_does_not_parse_leaves_what_was_known);
    tcase_add_test(c, who_is_not_seen_any_more_is_forgotten);
    tcase_add_test(c, those_that_hang_are_listed_in_order);
    suite_add_tcase(s, c);
    return test_run(s);
}
