#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pluvio/base/buf.h"

#define BACKLOG 128

struct place {
    char host[64], port[8];
};

static int split_address(const char *address, struct place *ret, struct error *error)
{
    const char *colon = strrchr(address, ':');
    struct text host = {address, colon ? (size_t)(colon - address) : 0};
    int64_t port;
    if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        host = (struct text){host.data + 1, host.len - 2};
    if (!host.len || !text_to_i64(text_of(colon + 1), &port) || port < 0 || port > 65535 ||
        !text_copy(host, ret->host, sizeof ret->host) || !text_copy(text_of(colon + 1), ret->port, sizeof ret->port))
        return error_set(error, -EINVAL, "listen %s: not of the form ADDRESS:PORT, such as 127.0.0.1:8777", address);
    if (strcmp(ret->host, "localhost") == 0)
        strcpy(ret->host, "127.0.0.1");
    return 0;
}

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
    return a->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static int port_of(int fd)
{
    struct sockaddr_storage a = {0};
    socklen_t size = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &size))
        return -errno;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                         : ((struct sockaddr_in *)&a)->sin_port);
}

static int cannot_listen(int code, const char *address, const char *port, struct error *error)
{
    if (code == EADDRINUSE)
        return error_set(error, -code,
                         "listen %s: the port is taken: see by whom with \"ss -ltnp sport = :%s\" (another "
                         "pluvio-collector?), or listen elsewhere",
                         address, port);
    return error_set(error, -code, "listen %s: %s", address, strerror(code));
}

static int listen_at(int *ret_fd, const struct addrinfo *a, const char *address, const char *port, struct error *error)
{
    int on = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return cannot_listen(errno, address, port, error);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, BACKLOG)) {
        int code = errno;
        close(fd);
        return cannot_listen(code, address, port, error);
    }
    *ret_fd = fd;
    return 0;
}

int listener_open(int *ret_fd, int *ret_port, const char *address, struct error *error)
{
    struct addrinfo *a = NULL, hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct place place;
    int fd = -1, r = split_address(address, &place, error);
    if (r)
        return r;
    if (getaddrinfo(place.host, place.port, &hints, &a) || !a)
        return error_set(error, -EINVAL, "listen %s: \"%s\" is not an IP address", address, place.host);
    if (is_loopback(a->ai_addr))
        r = listen_at(&fd, a, address, place.port, error);
    else
        r = error_set(
            error, -EPERM,
            "listen %s: not a loopback address: the API has no access control, so that anybody who reaches it "
            "reads everything; listen on 127.0.0.1 and let a proxy with authentication stand before it",
            address);
    freeaddrinfo(a);
    if (r)
        return r;
    *ret_fd = fd;
    *ret_port = port_of(fd);
    return 0;
}
