/* The server on a real socket: answers, limits, deadlines, and an end that is clean with requests under way. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/http/listener.h"
#include "api/http/server.h"
#include "support/run.h"
#include "unit/http/raw_client.h"

/* A door that /wait stands before until a test opens it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static int waiting, states;
static bool open_door;

static void get_hello(void *state, const struct request *q, struct reply *r)
{
    (void)q;
    buf_addf(&r->body, "hello from %s", *(const char **)state);
    r->content_type = "text/plain";
}

static void get_wait(void *state, const struct request *q, struct reply *r)
{
    (void)state, (void)q;
    pthread_mutex_lock(&lock);
    waiting++;
    pthread_cond_broadcast(&moved);
    while (!open_door)
        pthread_cond_wait(&moved, &lock);
    waiting--;
    pthread_mutex_unlock(&lock);
    buf_add_string(&r->body, "through");
}

static void get_large(void *state, const struct request *q, struct reply *r)
{
    (void)state, (void)q;
    char *room = buf_reserve(&r->body, 8 << 20);
    memset(room, 'x', 8 << 20);
    r->body.len = 8 << 20;
}

static void post_echo(void *state, const struct request *q, struct reply *r)
{
    (void)state;
    buf_add_text(&r->body, q->body);
}

static void get_empty(void *state, const struct request *q, struct reply *r)
{
    (void)state, (void)q;
    r->status = 204;
}

static const struct route routes[] = {
    {.method = "GET", .path = "/hello", .handle = get_hello},
    {.method = "GET", .path = "/quick", .quick = true, .handle = get_hello},
    {.method = "GET", .path = "/wait", .handle = get_wait},
    {.method = "GET", .path = "/large", .handle = get_large},
    {.method = "GET", .path = "/empty", .handle = get_empty},
    {.method = "POST", .path = "/echo", .handle = post_echo},
};

static int state_open(void *context, void **ret, struct error *error)
{
    const char **state = malloc(sizeof *state);
    (void)error;
    *state = context;
    *ret = state;
    states++;
    return 0;
}

static void state_close(void *state)
{
    free(state);
    states--;
}

static struct server *server;
static int port;

static void start(struct server_settings settings)
{
    struct error e;
    settings.listen = "127.0.0.1:0";
    settings.router = (struct router){routes, sizeof routes / sizeof routes[0]};
    settings.state_open = state_open;
    settings.state_close = state_close;
    settings.context = (void *)"a worker";
    settings.clock = clock_system();
    ck_assert_msg(server_open(&server, &settings, &e) == 0, "%s", e.text);
    port = server_port(server);
}

static void stop(void)
{
    server_close(server);
    server = NULL;
    ck_assert_int_eq(states, 0);
}

static void setup(void)
{
    start((struct server_settings){.workers = 2, .max_body = 1000});
}

static void await_waiting(int count)
{
    pthread_mutex_lock(&lock);
    while (waiting < count)
        pthread_cond_wait(&moved, &lock);
    pthread_mutex_unlock(&lock);
}

static void set_door(bool open)
{
    pthread_mutex_lock(&lock);
    open_door = open;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

START_TEST(request_is_answered_with_its_workers_state)
{
    struct raw_answer a;
    char header[64];
    raw_get(port, "/hello", &a);
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(a.body, "hello from a worker");
    ck_assert_str_eq(raw_header(&a, "Content-Type", header, sizeof header), "text/plain");
    ck_assert_str_eq(raw_header(&a, "X-Content-Type-Options", header, sizeof header), "nosniff");
    raw_answer_free(&a);
}
END_TEST

START_TEST(one_connection_takes_many_requests)
{
    int fd = raw_connect(port);
    for (int i = 0; i < 100; i++) {
        struct raw_answer a;
        raw_send(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        raw_read(fd, false, &a);
        ck_assert_int_eq(a.status, 200);
        raw_answer_free(&a);
    }
    close(fd);
}
END_TEST

START_TEST(head_has_the_length_and_no_body)
{
    struct raw_answer a;
    char header[64];
    int fd = raw_connect(port);
    raw_send(fd, "HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    raw_read(fd, false, &a);
    ck_assert_int_eq(a.status, 200);
    ck_assert_uint_eq(a.body_len, 0);
    ck_assert_str_eq(raw_header(&a, "Content-Length", header, sizeof header), "19");
    raw_answer_free(&a);
    close(fd);
}
END_TEST

START_TEST(refusal_on_the_wire_is_a_problem_document)
{
    struct raw_answer a;
    char header[64];
    int fd = raw_connect(port);
    raw_send(fd, "DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    raw_read(fd, false, &a);
    ck_assert_int_eq(a.status, 405);
    ck_assert_str_eq(raw_header(&a, "Allow", header, sizeof header), "POST");
    ck_assert_str_eq(raw_header(&a, "Content-Type", header, sizeof header), "application/problem+json");
    raw_answer_free(&a);
    close(fd);
}
END_TEST

START_TEST(empty_answer_is_an_answer)
{
    struct raw_answer a;
    raw_get(port, "/empty", &a);
    ck_assert_int_eq(a.status, 204);
    raw_answer_free(&a);
}
END_TEST

START_TEST(body_up_to_the_limit_arrives)
{
    struct raw_answer a;
    struct buf request = {0};
    int fd = raw_connect(port);
    buf_add_string(&request, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    for (int i = 0; i < 1000; i++)
        buf_add_char(&request, 'b');
    raw_send(fd, buf_terminate(&request));
    raw_read(fd, false, &a);
    ck_assert_int_eq(a.status, 200);
    ck_assert_uint_eq(a.body_len, 1000);
    raw_answer_free(&a);
    buf_free(&request);
    close(fd);
}
END_TEST

static const char *const large_bodies[] = {
    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
};

START_TEST(body_beyond_the_limit_is_refused)
{
    struct raw_answer a;
    struct buf request = {0};
    int fd = raw_connect(port);
    buf_add_string(&request, large_bodies[_i]);
    for (int i = 0; i < 1001; i++)
        buf_add_char(&request, 'b');
    buf_add_string(&request, "\r\n0\r\n\r\n");
    raw_send(fd, buf_terminate(&request));
    raw_read(fd, false, &a);
    ck_assert_msg(a.status == 413 || (_i == 1 && a.status >= 400), "%d", a.status);
    raw_answer_free(&a);
    buf_free(&request);
    close(fd);
}
END_TEST

START_TEST(nonsense_is_refused_and_the_server_goes_on)
{
    static const char *const nonsense[] = {"\r\n\r\n\r\n", "GET\r\n\r\n",
                                           "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
                                           "GET /hello HTTP/9.9\r\n\r\n", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n"};
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        struct raw_answer a;
        int fd = raw_connect(port);
        raw_send(fd, nonsense[i]);
        raw_send(fd, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        raw_read(fd, false, &a);
        ck_assert_int_ne(a.status, 200);
        raw_answer_free(&a);
        close(fd);
    }
    struct raw_answer a;
    raw_get(port, "/hello", &a);
    ck_assert_int_eq(a.status, 200);
    raw_answer_free(&a);
}
END_TEST

START_TEST(quick_route_is_answered_while_all_workers_are_busy)
{
    int fds[2];
    struct raw_answer a;
    set_door(false);
    for (int i = 0; i < 2; i++)
        raw_send(fds[i] = raw_connect(port), "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    await_waiting(2);
    raw_get(port, "/quick", &a);
    ck_assert_int_eq(a.status, 200);
    raw_answer_free(&a);
    set_door(true);
    for (int i = 0; i < 2; i++) {
        raw_read(fds[i], false, &a);
        ck_assert_str_eq(a.body, "through");
        raw_answer_free(&a);
        close(fds[i]);
    }
}
END_TEST

/* Any of them: what was sent later may be read earlier. */
static void await_answer(const int *fds, int count, int last)
{
    struct pollfd polled[WORKERS_MAX_WAITING + 3];
    for (int i = 0; i < count; i++)
        polled[i] = (struct pollfd){fds[i], POLLIN, 0};
    polled[count] = (struct pollfd){last, POLLIN, 0};
    ck_assert_int_gt(poll(polled, (nfds_t)count + 1, RAW_WAIT_S * 1000), 0);
}

START_TEST(requests_beyond_the_queue_are_told_to_come_again)
{
    enum { COUNT = WORKERS_MAX_WAITING + 2 };
    static int fds[COUNT];
    struct raw_answer a;
    set_door(false);
    for (int i = 0; i < 2; i++)
        raw_send(fds[i] = raw_connect(port), "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    await_waiting(2);
    for (int i = 2; i < COUNT; i++)
        raw_send(fds[i] = raw_connect(port), "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    int refused = 0, fd = raw_connect(port);
    raw_send(fd, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    await_answer(fds, COUNT, fd);
    set_door(true);
    for (int i = 0; i <= COUNT; i++) {
        raw_read(i < COUNT ? fds[i] : fd, false, &a);
        ck_assert_msg(a.status == 200 || a.status == 503, "%d", a.status);
        refused += a.status == 503;
        raw_answer_free(&a);
        close(i < COUNT ? fds[i] : fd);
    }
    ck_assert_int_eq(refused, 1);
}
END_TEST

START_TEST(closing_answers_what_is_under_way)
{
    struct raw_answer a;
    int fds[8];
    set_door(false);
    for (int i = 0; i < 8; i++)
        raw_send(fds[i] = raw_connect(port), "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    await_waiting(2);
    raw_get(port, "/quick", &a); /* the server has read on since */
    raw_answer_free(&a);
    set_door(true);
    stop();
    for (int i = 0; i < 8; i++) {
        raw_read(fds[i], false, &a);
        ck_assert_msg(a.status == 200 || a.status == 503 || a.status == 0, "%d", a.status);
        if (i < 2)
            ck_assert_int_eq(a.status, 200);
        raw_answer_free(&a);
        close(fds[i]);
    }
    start((struct server_settings){.workers = 1});
}
END_TEST

START_TEST(idle_connections_do_not_hold_up_the_end)
{
    int fds[4];
    for (int i = 0; i < 4; i++)
        raw_send(fds[i] = raw_connect(port), i % 2 ? "GET /hel" : "");
    stop();
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    start((struct server_settings){.workers = 1});
}
END_TEST

/* Byte by byte an idle timeout would never strike. */
START_TEST(slow_sender_is_cut_off)
{
    struct raw_answer a;
    stop();
    start((struct server_settings){.workers = 1, .deadline_ms = 300});
    int fd = raw_connect(port);
    char byte;
    const char *request = "GET /hello HTTP/1.1\r\nX-Slow: ";
    raw_send(fd, request);
    int sent = 0;
    /* The socket's own timeout is the pause between two bytes. */
    struct timeval pause = {.tv_usec = 20000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof pause);
    ssize_t got;
    while ((got = recv(fd, &byte, 1, 0)) < 0 && errno == EAGAIN && sent < 2000) {
        raw_send(fd, "x");
        sent++;
    }
    ck_assert_msg(got == 0 || (got < 0 && errno == ECONNRESET) || byte == 'H', "after %d bytes", sent);
    ck_assert_int_lt(sent, 2000);
    close(fd);
    raw_get(port, "/hello", &a);
    ck_assert_int_eq(a.status, 200);
    raw_answer_free(&a);
}
END_TEST

START_TEST(slow_reader_is_cut_off)
{
    stop();
    start((struct server_settings){.workers = 1, .deadline_ms = 300});
    int fd = raw_connect(port);
    raw_send(fd, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    static char bytes[65536];
    size_t got = 0;
    /* One byte a time while the deadline runs; then whatever the kernel still held. */
    for (int i = 0;; i++) {
        ssize_t n = recv(fd, bytes, i < 40 ? 1 : sizeof bytes, 0);
        if (n <= 0)
            break;
        got += (size_t)n;
        if (i < 40)
            select(0, NULL, NULL, NULL, &(struct timeval){.tv_usec = 30000});
    }
    ck_assert_uint_lt(got, 8 << 20);
    close(fd);
}
END_TEST

START_TEST(busy_port_is_named_with_what_to_do)
{
    struct error e = {0};
    char address[32];
    int fd, other;
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    ck_assert_int_eq(listener_open(&fd, &other, address, &e), -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(e.text, address));
    ck_assert_ptr_nonnull(strstr(e.text, "ss -ltnp"));
}
END_TEST

static const struct {
    const char *address;
    int code;
    const char *says;
} addresses[] = {
    {"0.0.0.0:0", -EPERM, "loopback"},        {"[::]:0", -EPERM, "loopback"},
    {"192.0.2.1:0", -EPERM, "loopback"},      {"[2001:db8::1]:80", -EPERM, "loopback"},
    {"8777", -EINVAL, "ADDRESS:PORT"},        {":8777", -EINVAL, "ADDRESS:PORT"},
    {"127.0.0.1:", -EINVAL, "ADDRESS:PORT"},  {"127.0.0.1:65536", -EINVAL, "ADDRESS:PORT"},
    {"127.0.0.1:x", -EINVAL, "ADDRESS:PORT"}, {"example.org:80", -EINVAL, "not an IP address"},
};

START_TEST(address_that_others_could_reach_or_that_is_none_is_refused)
{
    struct error e = {0};
    int fd, other;
    ck_assert_int_eq(listener_open(&fd, &other, addresses[_i].address, &e), addresses[_i].code);
    ck_assert_msg(strstr(e.text, addresses[_i].says) != NULL, "%s", e.text);
}
END_TEST

START_TEST(localhost_and_any_port_will_do)
{
    struct error e = {0};
    int fd, other = 0;
    ck_assert_msg(listener_open(&fd, &other, "localhost:0", &e) == 0, "%s", e.text);
    ck_assert_int_gt(other, 0);
    close(fd);
}
END_TEST

static int state_fails(void *context, void **ret, struct error *error)
{
    (void)ret;
    return ++*(int *)context == 3 ? error_set(error, -ENOENT, "the third") : 0;
}

static void state_forget(void *state)
{
    (void)state;
}

START_TEST(worker_without_state_fails_the_opening)
{
    struct error e = {0};
    struct server *other = NULL;
    int count = 0;
    struct server_settings s = {.listen = "127.0.0.1:0",
                                .workers = 4,
                                .router = {routes, 1},
                                .state_open = state_fails,
                                .state_close = state_forget,
                                .context = &count,
                                .clock = clock_system()};
    ck_assert_int_eq(server_open(&other, &s, &e), -ENOENT);
    ck_assert_str_eq(e.text, "the third");
    ck_assert_ptr_null(other);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http_server");
    TCase *t = tcase_create("server");
    tcase_add_checked_fixture(t, setup, stop);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, request_is_answered_with_its_workers_state);
    tcase_add_test(t, one_connection_takes_many_requests);
    tcase_add_test(t, head_has_the_length_and_no_body);
    tcase_add_test(t, refusal_on_the_wire_is_a_problem_document);
    tcase_add_test(t, empty_answer_is_an_answer);
    tcase_add_test(t, body_up_to_the_limit_arrives);
    tcase_add_loop_test(t, body_beyond_the_limit_is_refused, 0, 3);
    tcase_add_test(t, nonsense_is_refused_and_the_server_goes_on);
    tcase_add_test(t, quick_route_is_answered_while_all_workers_are_busy);
    tcase_add_test(t, requests_beyond_the_queue_are_told_to_come_again);
    tcase_add_test(t, closing_answers_what_is_under_way);
    tcase_add_test(t, idle_connections_do_not_hold_up_the_end);
    tcase_add_test(t, slow_sender_is_cut_off);
    tcase_add_test(t, slow_reader_is_cut_off);
    tcase_add_test(t, busy_port_is_named_with_what_to_do);
    tcase_add_loop_test(t, address_that_others_could_reach_or_that_is_none_is_refused, 0,
                        (int)(sizeof addresses / sizeof addresses[0]));
    tcase_add_test(t, localhost_and_any_port_will_do);
    tcase_add_test(t, worker_without_state_fails_the_opening);
    suite_add_tcase(s, t);
    return test_run(s);
}
