#include "server.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "deadlines.h"
#include "listener.h"
#include "pluvio/base/figures.h"
#include "problem.h"
#include "workers.h"

#define MAX_CONNECTIONS  512
#define MAX_BODY         (1u << 20)
#define DEADLINE_MS      30000
#define SLOW_DEADLINE_MS 600000
#define CONNECTION_BYTES 16384u /* of a request's head */
#define CLOSE_WAIT_MS    2000

/* One request from its first line to the end of its answer. */
struct exchange {
    struct job job; /* first */
    struct server *server;
    struct MHD_Connection *connection;
    struct request request;
    struct reply reply;
    struct buf body;
    char *target;
    bool begun, too_large, answered;
};

struct server {
    struct server_settings settings;
    struct MHD_Daemon *daemon;
    struct workers *workers;
    int fd, port;
    struct deadlines deadlines;
    pthread_mutex_t lock;
    pthread_cond_t finished;
    size_t exchanges; /* under way; under the lock */
};

#define CLASSES 6
#define REQUESTS(class)                                                                                                \
    {                                                                                                                  \
        .name = "pluvio_http_requests_total", .labels = "class=\"" class "\"", .help = "Requests answered, by status." \
    }
#define REFUSED(why)                                                                                                   \
    {                                                                                                                  \
        .name = "pluvio_http_refused_total", .labels = "reason=\"" why "\"",                                           \
        .help = "Requests refused for lack of room or time."                                                           \
    }

static struct figure requests[CLASSES] = {REQUESTS("other"), REQUESTS("1xx"), REQUESTS("2xx"),
                                          REQUESTS("3xx"),   REQUESTS("4xx"), REQUESTS("5xx")};
static struct figure refused_busy = REFUSED("busy"), refused_body = REFUSED("body"),
                     refused_deadline = REFUSED("deadline");

static void register_figures(void)
{
    for (int i = 0; i < CLASSES; i++)
        figure_register(&requests[i]);
    figure_register(&refused_busy);
    figure_register(&refused_body);
    figure_register(&refused_deadline);
}

static int64_t now_ns(const struct server *s)
{
    return clock_boot_ns(s->settings.clock);
}

static void cut_off_the_late(void *context)
{
    struct server *s = context;
    int64_t next;
    figure_add(&refused_deadline, deadlines_step(&s->deadlines, now_ns(s), &next));
}

/* ---- answers ---- */

static struct MHD_Response *make_response(struct reply *r)
{
    struct MHD_Response *response;
    if (r->body.failed) {
        buf_free(&r->body);
        problem(r, PROBLEM_INTERNAL, "out of memory");
    }
    if (r->body.len)
        response = MHD_create_response_from_buffer(r->body.len, r->body.data, MHD_RESPMEM_MUST_FREE);
    else
        response = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
    if (response && r->body.len)
        r->body = (struct buf){0}; /* the response's now */
    if (!response)
        return NULL;
    MHD_add_response_header(response, "Content-Type", r->content_type ? r->content_type : "application/json");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < r->header_count; i++)
        MHD_add_response_header(response, r->headers[i].name, r->headers[i].value);
    return response;
}

static enum MHD_Result answer(struct exchange *x)
{
    struct MHD_Response *response = make_response(&x->reply);
    int status = x->reply.status ? x->reply.status : 200;
    if (!response)
        return MHD_NO;
    if (x->too_large)
        MHD_add_response_header(response, "Connection", "close");
    figure_add(&requests[status >= 100 && status < 600 ? status / 100 : 0], 1);
    enum MHD_Result r = MHD_queue_response(x->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return r;
}

static struct deadline *deadline_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void move_deadline(struct server *s, struct MHD_Connection *connection, int64_t after_ms)
{
    struct deadline *d = deadline_of(connection);
    if (d)
        deadlines_move(&s->deadlines, d, now_ns(s) + after_ms * NS_PER_MS);
}

/* The epoll thread goes on with it; nothing here may touch it any more. */
static void resume(struct exchange *x)
{
    x->answered = true;
    MHD_resume_connection(x->connection);
}

static void run_exchange(struct job *job, void *state)
{
    struct exchange *x = (struct exchange *)job;
    x->request.route->handle(state, &x->request, &x->reply);
    resume(x);
}

/* Hand it to a worker; the connection sleeps meanwhile. */
static enum MHD_Result hand_over(struct exchange *x)
{
    struct server *s = x->server;
    const struct route *route = x->request.route;
    if (route->slow)
        move_deadline(s, x->connection, s->settings.slow_deadline_ms);
    x->job.run = run_exchange;
    MHD_suspend_connection(x->connection);
    int r = workers_give(s->workers, &x->job, route->quick);
    if (r) {
        figure_add(&refused_busy, 1);
        problem(&x->reply, PROBLEM_BUSY, "%s",
                r == -ESHUTDOWN ? "the collector is shutting down" : "too many requests are waiting");
        resume(x);
    }
    return MHD_YES;
}

/* ---- requests: the epoll thread ---- */

static struct text header_of(struct MHD_Connection *connection, const char *name)
{
    return text_of(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

static bool announces_too_much(struct exchange *x)
{
    struct text t = header_of(x->connection, "Content-Length");
    uint64_t length;
    return t.len && (!text_to_u64(t, &length) || length > x->server->settings.max_body);
}

static enum MHD_Result refuse_body(struct exchange *x)
{
    figure_add(&refused_body, 1);
    problem(&x->reply, PROBLEM_BODY_TOO_LARGE, "at most %zu bytes", x->server->settings.max_body);
    return answer(x);
}

static enum MHD_Result begin(struct exchange *x, struct MHD_Connection *connection)
{
    x->begun = true;
    x->connection = connection;
    x->too_large = announces_too_much(x);
    return x->too_large ? refuse_body(x) : MHD_YES;
}

static void keep_body(struct exchange *x, const char *data, size_t size)
{
    x->too_large |= x->body.len + size > x->server->settings.max_body;
    if (x->too_large)
        buf_free(&x->body);
    else
        buf_add(&x->body, data, size);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **exchange)
{
    struct exchange *x = *exchange;
    (void)context, (void)url, (void)version;
    if (!x)
        return MHD_NO; /* out of memory when it began */
    if (!x->begun)
        return begin(x, connection);
    if (*upload_size) {
        keep_body(x, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (x->answered)
        return answer(x);
    if (x->too_large)
        return refuse_body(x);
    x->request.method = text_of(method);
    x->request.accept = header_of(connection, "Accept");
    x->request.origin = header_of(connection, "Origin");
    x->request.body = buf_text(&x->body);
    x->request.now_ms = clock_wall_ns(x->server->settings.clock) / NS_PER_MS;
    return router_prepare(&x->server->settings.router, &x->request, &x->reply) ? hand_over(x) : answer(x);
}

static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct server *s = context;
    struct exchange *x = calloc(1, sizeof *x);
    (void)connection;
    if (!x || !(x->target = text_dup(text_of(target)))) {
        free(x);
        return NULL;
    }
    x->server = s;
    x->request.target = text_of(x->target);
    pthread_mutex_lock(&s->lock);
    s->exchanges++;
    pthread_mutex_unlock(&s->lock);
    return x;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **exchange,
                         enum MHD_RequestTerminationCode how)
{
    struct server *s = context;
    struct exchange *x = *exchange;
    (void)how;
    *exchange = NULL;
    move_deadline(s, connection, s->settings.deadline_ms);
    if (!x)
        return;
    request_free(&x->request);
    reply_free(&x->reply);
    buf_free(&x->body);
    free(x->target);
    free(x);
    pthread_mutex_lock(&s->lock);
    s->exchanges--;
    pthread_cond_signal(&s->finished);
    pthread_mutex_unlock(&s->lock);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct server *s = context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*socket_context)
            deadlines_remove(&s->deadlines, *socket_context);
        free(*socket_context);
        *socket_context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct deadline *d = calloc(1, sizeof *d);
    *socket_context = d;
    if (!d || !info)
        return; /* the idle timeout alone, then */
    d->fd = info->connect_fd;
    d->at_ns = now_ns(s) + s->settings.deadline_ms * NS_PER_MS;
    deadlines_add(&s->deadlines, d);
}

/* ---- life ---- */

static int start_daemon(struct server *s, struct error *error)
{
    unsigned timeout_s = (unsigned)((s->settings.deadline_ms + 999) / 1000);
    s->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL,
                                 on_request, s, MHD_OPTION_LISTEN_SOCKET, s->fd, MHD_OPTION_CONNECTION_LIMIT,
                                 s->settings.max_connections, MHD_OPTION_CONNECTION_TIMEOUT, timeout_s,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
                                 MHD_OPTION_URI_LOG_CALLBACK, on_target, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                                 s, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
    return s->daemon ? 0
                     : error_set(error, -EIO, "listen %s: the HTTP server does not start: %s", s->settings.listen,
                                 strerror(errno));
}

static int start_workers(struct server *s, struct error *error)
{
    struct workers_settings settings = {.count = s->settings.workers,
                                        .state_open = s->settings.state_open,
                                        .state_close = s->settings.state_close,
                                        .context = s->settings.context,
                                        .tick = cut_off_the_late,
                                        .tick_context = s};
    return workers_start(&s->workers, &settings, error);
}

static void fill_defaults(struct server_settings *t)
{
    t->max_connections = t->max_connections ? t->max_connections : MAX_CONNECTIONS;
    t->max_body = t->max_body ? t->max_body : MAX_BODY;
    t->deadline_ms = t->deadline_ms ? t->deadline_ms : DEADLINE_MS;
    t->slow_deadline_ms = t->slow_deadline_ms ? t->slow_deadline_ms : SLOW_DEADLINE_MS;
}

static void init(struct server *s, const struct server_settings *settings)
{
    pthread_condattr_t attributes;
    s->settings = *settings;
    fill_defaults(&s->settings);
    s->fd = -1;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->deadlines.lock, NULL);
    pthread_cond_init(&s->finished, &attributes);
    pthread_condattr_destroy(&attributes);
}

int server_open(struct server **ret, const struct server_settings *settings, struct error *error)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(error, -ENOMEM, "out of memory");
    init(s, settings);
    register_figures();
    int r = listener_open(&s->fd, &s->port, settings->listen, error);
    if (r == 0)
        r = start_workers(s, error);
    if (r == 0)
        r = start_daemon(s, error);
    s->settings.listen = NULL;
    if (r) {
        server_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

int server_port(const struct server *s)
{
    return s->port;
}

/* What is answered goes out, as far as the clients take it. */
static void wait_for_answers(struct server *s)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLOSE_WAIT_MS / 1000;
    pthread_mutex_lock(&s->lock);
    while (s->exchanges && pthread_cond_timedwait(&s->finished, &s->lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&s->lock);
}

void server_close(struct server *s)
{
    if (!s)
        return;
    if (s->daemon)
        MHD_quiesce_daemon(s->daemon);
    workers_stop(s->workers);
    if (s->daemon) {
        wait_for_answers(s);
        MHD_stop_daemon(s->daemon);
    }
    if (s->fd >= 0)
        close(s->fd);
    pthread_cond_destroy(&s->finished);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->deadlines.lock);
    workers_free(s->workers);
    free(s);
}
