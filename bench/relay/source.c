/* A host for the relay bench: upgrades anything, obeys orders that come as client frames, sends binary frames.
 *   BULK count size              frames back to back
 *   PACE count size every delay  one frame each `every` us, the first after `delay` us; each begins with the time it
 *                                was sent (8 bytes, ns of CLOCK_MONOTONIC, as the machine stores them)
 * Other frames are swallowed. usage: source TLSPORT PLAINPORT CERT KEY */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HIGHEST 8192
#define ROOM (1 << 18)
typedef struct {
    int fd, shaken, upgraded, paced, out_wanted;
    SSL *ssl;
    char in[4096];
    size_t have;
    long left; /* frames still to send */
    uint64_t due, every;
    unsigned char *frame; /* head and payload of one frame */
    size_t head, size, at, waiting; /* at: sent of this frame; waiting: paced frames that are due */
} Conn;

static Conn *conns[HIGHEST];
static int heap[HIGHEST], heaped, poller;
static SSL_CTX *ctx;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void swap(int a, int b) {
    int kept = heap[a];
    heap[a] = heap[b], heap[b] = kept;
}
static uint64_t due(int i) { return conns[heap[i]]->due; }

static void heap_push(int fd) {
    int i = heaped++;
    for (heap[i] = fd; i && due(i) < due((i - 1) / 2); i = (i - 1) / 2) swap(i, (i - 1) / 2);
}

static int heap_pop(void) {
    int first = heap[0], i = 0;
    heap[0] = heap[--heaped];
    for (;;) {
        int least = i, left = 2 * i + 1;
        if (left < heaped && due(left) < due(least)) least = left;
        if (left + 1 < heaped && due(left + 1) < due(least)) least = left + 1;
        if (least == i) return first;
        swap(i, least), i = least;
    }
}

static void want_out(Conn *c, int on) {
    struct epoll_event e = {.events = EPOLLIN | (on ? EPOLLOUT : 0), .data.fd = c->fd};
    if (c->out_wanted != on && epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e)) die("epoll_ctl");
    c->out_wanted = on;
}

static void drop(Conn *c) {
    for (int i = 0; i < heaped; i++)
        if (heap[i] == c->fd) { /* no order is kept among fewer than a thousand: build it again */
            int rest = heaped - 1;
            heap[i] = heap[rest], heaped = 0;
            for (int k = 0; k < rest; k++) heap_push(heap[k]);
            break;
        }
    if (c->ssl) SSL_free(c->ssl);
    conns[c->fd] = NULL;
    close(c->fd), free(c->frame), free(c);
}

/* > 0 bytes, 0 would block, < 0 gone */
static long moved(Conn *c, int out, void *data, size_t size) {
    long n;
    ERR_clear_error();
    if (c->ssl) {
        n = out ? SSL_write(c->ssl, data, (int)size) : SSL_read(c->ssl, data, (int)size);
        if (n > 0) return n;
        int why = SSL_get_error(c->ssl, (int)n);
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    n = out ? write(c->fd, data, size) : read(c->fd, data, size);
    return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : -1;
}

static int send_frames(Conn *c) { /* 0: gone */
    while (c->at || (c->paced ? c->waiting > 0 : c->left > 0)) {
        if (!c->at && c->paced) {
            uint64_t t = now_ns();
            memcpy(c->frame + c->head, &t, 8);
        }
        long n = moved(c, 1, c->frame + c->at, c->head + c->size - c->at);
        if (n < 0) return 0;
        if (!n) return want_out(c, 1), 1;
        c->at += (size_t)n;
        if (c->at == c->head + c->size) {
            c->at = 0, c->left--;
            if (c->paced) c->waiting--;
        }
    }
    want_out(c, 0);
    return 1;
}

static int obey(Conn *c, char *order) { /* 0: gone */
    long count, size, every = 0, delay = 0;
    c->paced = order[0] == 'P';
    if (sscanf(order + 4, "%ld %ld %ld %ld", &count, &size, &every, &delay) < 2 || size < 8) return 0;
    c->frame = realloc(c->frame, (size_t)size + 10);
    c->frame[0] = 0x82;
    if (size < 126) c->head = 2, c->frame[1] = (unsigned char)size;
    else if (size < 65536) c->head = 4, c->frame[1] = 126, c->frame[2] = size >> 8 & 255, c->frame[3] = size & 255;
    else {
        c->head = 10, c->frame[1] = 127;
        for (int i = 0; i < 8; i++) c->frame[2 + i] = (uint64_t)size >> (56 - 8 * i) & 255;
    }
    for (long i = 0; i < size; i++) c->frame[c->head + (size_t)i] = (unsigned char)(i * 131 >> 3);
    c->size = (size_t)size, c->left = count, c->at = c->waiting = 0;
    c->every = (uint64_t)every * 1000, c->due = now_ns() + (uint64_t)delay * 1000;
    if (!c->paced) return send_frames(c);
    heap_push(c->fd);
    return 1;
}

static int upgrade(Conn *c, char *end) {
    char *key = strcasestr(c->in, "sec-websocket-key: "), reply[300];
    unsigned char digest[20], text[40];
    if (!key) return 0;
    char joined[64];
    snprintf(joined, sizeof joined, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
    SHA1((unsigned char *)joined, strlen(joined), digest);
    EVP_EncodeBlock(text, digest, 20);
    int n = snprintf(reply, sizeof reply,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Protocol: binary\r\nSec-WebSocket-Accept: %s\r\n\r\n", text);
    c->upgraded = 1;
    c->have -= (size_t)(end + 4 - c->in);
    memmove(c->in, end + 4, c->have);
    return moved(c, 1, reply, (size_t)n) == n;
}

static int take_frames(Conn *c) { /* 0: gone */
    for (;;) {
        unsigned char *b = (unsigned char *)c->in;
        size_t size = c->have > 1 ? b[1] & 127 : 0, start = size == 126 ? 8 : 6;
        if (c->have < start) return 1;
        if (size == 126) size = (size_t)b[2] << 8 | b[3];
        if (start + size >= sizeof c->in) return 0;
        if (c->have < start + size) return 1;
        if ((b[0] & 15) == 8) return 0;
        char order[128] = "";
        for (size_t i = 0; i < size && i < sizeof order - 1; i++) order[i] = (char)(b[start + i] ^ b[start - 4 + i % 4]);
        c->have -= start + size;
        memmove(c->in, c->in + start + size, c->have);
        if ((!strncmp(order, "BULK", 4) || !strncmp(order, "PACE", 4)) && !obey(c, order)) return 0;
    }
}

static int readable(Conn *c) { /* 0: gone */
    if (c->ssl && !c->shaken) {
        ERR_clear_error();
        int n = SSL_accept(c->ssl);
        if (n != 1) return SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ;
        c->shaken = 1;
    }
    for (;;) {
        long n = moved(c, 0, c->in + c->have, sizeof c->in - 1 - c->have);
        if (n <= 0) return n == 0;
        c->have += (size_t)n, c->in[c->have] = 0;
        char *end = c->upgraded ? NULL : strstr(c->in, "\r\n\r\n");
        if (end && !upgrade(c, end)) return 0;
        if (c->upgraded && !take_frames(c)) return 0;
    }
}

static int listening(int port) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 1024)) die("listen");
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
    return fd;
}

static void welcome(int listener, int tls) {
    int one = 1, fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= HIGHEST) die("too many");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        Conn *c = conns[fd] = calloc(1, sizeof *c);
        c->fd = fd;
        if (tls) c->ssl = SSL_new(ctx), SSL_set_fd(c->ssl, fd);
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
    }
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    signal(SIGPIPE, SIG_IGN);
    ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_use_certificate_chain_file(ctx, argv[3]) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, argv[4], SSL_FILETYPE_PEM) != 1) die("certificate");
    poller = epoll_create1(0);
    int secure = listening(atoi(argv[1])), plain = listening(atoi(argv[2]));
    struct epoll_event events[256];
    for (;;) {
        uint64_t now = now_ns(), wait = heaped && due(0) > now ? due(0) - now : 0;
        struct timespec span = {.tv_sec = (time_t)(wait / 1000000000u), .tv_nsec = (long)(wait % 1000000000u)};
        int n = epoll_pwait2(poller, events, 256, heaped ? &span : NULL, NULL);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == secure || fd == plain) {
                welcome(fd, fd == secure);
                continue;
            }
            Conn *c = conns[fd];
            if (c && ((events[i].events & ~EPOLLOUT && !readable(c)) ||
                      (events[i].events & EPOLLOUT && c->frame && !send_frames(c)))) drop(c);
        }
        while (heaped && due(0) <= now_ns()) {
            Conn *c = conns[heap_pop()];
            c->due += c->every, c->waiting++;
            if ((long)c->waiting < c->left) heap_push(c->fd);
            if (!c->out_wanted && !send_frames(c)) drop(c);
        }
    }
}
