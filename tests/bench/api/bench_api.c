/* How long answers take over loopback: percentiles of /healthz, /v1/resources and /v1/usage, by several clients at
 * once on connections that stay open, over a ledger of some hundred VMs.
 *
 *     bench_api [VMS [HOURS [CLIENTS [SECONDS]]]]      one JSON object
 *
 * Beside them a bare answer of libmicrohttpd, which no answer of ours can be faster than. The clients' own CPU time is
 * in the figures, in all of them alike.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "integration/api/ledger_rig.h"
#include "pluvio/api/api.h"
#include "support/folder.h"
#include "unit/http/raw_client.h"

#define MAX_CLIENTS 64
#define MAX_SAMPLES 1000000

static struct load {
    int port;
    const char *target;
    int64_t until_ns;
} load;

struct client {
    pthread_t thread;
    int64_t *ns;
    size_t count;
    size_t bytes;
};

static void *client_run(void *argument)
{
    struct client *c = argument;
    struct buf request = {0};
    int fd = raw_connect(load.port);
    buf_addf(&request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", load.target);
    buf_terminate(&request);
    int64_t at = clock_boot_ns(clock_system());
    while (at < load.until_ns && c->count < MAX_SAMPLES / MAX_CLIENTS) {
        struct raw_answer a;
        raw_send(fd, request.data);
        raw_read(fd, false, &a);
        if (a.status != 200) {
            fprintf(stderr, "%s: status %d\n", load.target, a.status);
            exit(1);
        }
        int64_t now = clock_boot_ns(clock_system());
        c->ns[c->count++] = now - at;
        c->bytes = a.body_len;
        at = now;
        raw_answer_free(&a);
    }
    buf_free(&request);
    close(fd);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double measure(int port, const char *target, int count, int seconds)
{
    static struct client clients[MAX_CLIENTS];
    static int64_t all[MAX_SAMPLES];
    size_t n = 0;
    int64_t start = clock_boot_ns(clock_system()), cpu = clock_cpu_ns();
    load = (struct load){port, target, start + seconds * NS_PER_S};
    for (int i = 0; i < count; i++) {
        clients[i] = (struct client){.ns = calloc(MAX_SAMPLES / MAX_CLIENTS, sizeof(int64_t))};
        pthread_create(&clients[i].thread, NULL, client_run, &clients[i]);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(clients[i].thread, NULL);
        memcpy(all + n, clients[i].ns, clients[i].count * sizeof *all);
        n += clients[i].count;
        free(clients[i].ns);
    }
    double took = (double)(clock_boot_ns(clock_system()) - start) / 1e9;
    double us = (double)(clock_cpu_ns() - cpu) / 1e3 / (double)n;
    qsort(all, n, sizeof *all, by_value);
    printf("{\"target\":\"%s\",\"bytes\":%zu,\"per_s\":%.0f,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,"
           "\"max_us\":%.1f,\"cpu_us\":%.1f",
           target, clients[0].bytes, (double)n / took, (double)all[n / 2] / 1e3, (double)all[n * 9 / 10] / 1e3,
           (double)all[n * 99 / 100] / 1e3, (double)all[n - 1] / 1e3, us);
    return us;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
    static char text[] = "ok\n";
    (void)context, (void)url, (void)method, (void)version, (void)data, (void)size;
    if (!*state) { /* the head alone: an answer now would end the connection */
        *state = text;
        return MHD_YES;
    }
    struct MHD_Response *r = MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result done = MHD_queue_response(connection, MHD_HTTP_OK, r);
    MHD_destroy_response(r);
    return done;
}

static double measure_bare(int count, int seconds)
{
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, NULL,
                                            MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&loopback, MHD_OPTION_END);
    if (!d) {
        fprintf(stderr, "libmicrohttpd does not start\n");
        exit(1);
    }
    socklen_t size = sizeof loopback;
    if (getsockname(MHD_get_daemon_info(d, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd, (struct sockaddr *)&loopback, &size))
        exit(1);
    double us = measure(ntohs(loopback.sin_port), "/bare-libmicrohttpd", count, seconds);
    MHD_stop_daemon(d);
    return us;
}

static long peak_rss_kb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

int main(int argc, char **argv)
{
    int vms = argc > 1 ? atoi(argv[1]) : 500, hours = argc > 2 ? atoi(argv[2]) : 24;
    int count = argc > 3 ? atoi(argv[3]) : 4, seconds = argc > 4 ? atoi(argv[4]) : 3;
    char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16];
    struct ledger_rig ledger;
    struct api *api;
    struct error e;
    count = count < 1 ? 1 : count > MAX_CLIENTS ? MAX_CLIENTS : count;
    folder_path(folder_make(folder), "ledger.db", path, sizeof path);
    ledger_rig_open(&ledger, path);
    for (int hour = 1; hour <= hours; hour++)
        ledger_rig_read(&ledger, vms, hour * 3600);
    struct api_settings s = {.listen = "127.0.0.1:0", .workers = 2, .ledger_path = path, .clock = clock_system()};
    if (api_open(&api, &s, &e)) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    static const char *const targets[] = {
        "/healthz",
        "/metrics",
        "/v1/resources?limit=100",
        "/v1/usage?from=2025-11-24&to=2025-11-26",
        "/v1/usage?from=2025-11-24&to=2025-11-26&by=day",
        "/v1/usage?from=2025-11-24&to=2025-11-26&entity=vm-7&by=hour",
    };
    printf("{\"bench\":\"api\",\"vms\":%d,\"hours\":%d,\"clients\":%d,\"answers\":[", vms, hours, count);
    double bare = measure_bare(count, seconds);
    printf(",\"ratio_to_bare\":1.000}");
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        printf(",");
        printf(",\"ratio_to_bare\":%.3f}", measure(api_port(api), targets[i], count, seconds) / bare);
    }
    printf("],\"peak_rss_kb\":%ld}\n", peak_rss_kb());
    api_close(api);
    ledger_rig_close(&ledger);
    folder_remove(folder);
    return 0;
}
