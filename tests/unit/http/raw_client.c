#include "raw_client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

int raw_connect(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval wait = {.tv_sec = RAW_WAIT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a)) {
        perror("connect");
        abort();
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    return fd;
}

void raw_send(int fd, const char *bytes)
{
    for (size_t left = strlen(bytes); left;) {
        ssize_t n = send(fd, bytes, left, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* cut off: the test looks at what comes back */
        bytes += n;
        left -= (size_t)n;
    }
}

static bool read_more(int fd, struct buf *b)
{
    char *room = buf_reserve(b, 4096);
    ssize_t n = room ? recv(fd, room, 4096, 0) : 0;
    b->len += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static const char *head_end(struct buf *b)
{
    const char *end = b->len ? memmem(b->data, b->len, "\r\n\r\n", 4) : NULL;
    return end ? end + 4 : NULL;
}

const char *raw_header(const struct raw_answer *a, const char *name, char *out, size_t size)
{
    size_t length = strlen(name);
    for (const char *at = strstr(a->bytes.data, "\r\n"); at && at[2] != '\r'; at = strstr(at + 2, "\r\n")) {
        if (strncasecmp(at + 2, name, length) != 0 || at[2 + length] != ':')
            continue;
        const char *value = at + 2 + length + 1 + (at[3 + length] == ' ');
        const char *end = strstr(value, "\r\n");
        text_copy((struct text){value, (size_t)(end - value)}, out, size);
        return out;
    }
    return NULL;
}

void raw_read(int fd, bool head, struct raw_answer *ret)
{
    char length[32];
    const char *body = NULL;
    *ret = (struct raw_answer){0};
    while (!(body = head_end(&ret->bytes)) && read_more(fd, &ret->bytes))
        continue;
    buf_terminate(&ret->bytes);
    if (!body || sscanf(ret->bytes.data, "HTTP/1.1 %d", &ret->status) != 1)
        return;
    size_t start = (size_t)(body - ret->bytes.data);
    size_t wanted = raw_header(ret, "Content-Length", length, sizeof length) ? strtoul(length, NULL, 10) : SIZE_MAX;
    while (!head && ret->bytes.len - start < wanted && read_more(fd, &ret->bytes))
        continue;
    buf_terminate(&ret->bytes);
    ret->body = ret->bytes.data + start;
    ret->body_len = ret->bytes.len - start;
}

void raw_get(int port, const char *target, struct raw_answer *ret)
{
    struct buf request = {0};
    int fd = raw_connect(port);
    buf_addf(&request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", target);
    raw_send(fd, buf_terminate(&request));
    raw_read(fd, false, ret);
    buf_free(&request);
    close(fd);
}

void raw_answer_free(struct raw_answer *a)
{
    buf_free(&a->bytes);
    *a = (struct raw_answer){0};
}
