/* Browsers for the relay bench: SESSIONS plain WebSockets to PORT, all of one order, e.g. "PACE 100 2000 50000".
 * usage: sink PORT SESSIONS COUNT SIZE EVERY ANSWER    EVERY 0: BULK; ANSWER 1: each update is answered by 10 bytes
 * Says "ready" when all are open, waits for a line, sends the orders, and prints as JSON how many updates came, and how
 * long after they were sent (us; updates of PACE only). Gives up 20 s after the last byte came. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    int fd;
    unsigned char head[10], stamp[8];
    size_t headed;
    uint64_t inside, place; /* left of this frame; place in the stream of payload */
} Conn;

static long sessions, count, size, every, answering, updates, ends;
static float *delays;
static const unsigned char ANSWER[] = {0x82, 0x8a, 0, 0, 0, 0, 3, 1, 0, 0, 0, 0, 4, 0, 3, 0};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int opened(int port) {
    char head[1024];
    size_t have = 0;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    dprintf(fd, "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", port);
    do { /* byte by byte: frames may follow */
        if (have == sizeof head - 1 || read(fd, head + have, 1) != 1) die("upgrade");
        head[++have] = 0;
    } while (have < 4 || memcmp(head + have - 4, "\r\n\r\n", 4));
    if (!strstr(head, " 101 ")) fprintf(stderr, "%s", head), exit(1);
    return fd;
}

static void order(Conn *c, long number) {
    unsigned char frame[128] = {0x82, 0x80};
    char *text = (char *)frame + 6;
    int n = every ? snprintf(text, 100, "PACE %ld %ld %ld %ld", count, size, every, every * number / sessions)
                  : snprintf(text, 100, "BULK %ld %ld", count, size);
    frame[1] |= (unsigned char)n;
    if (write(c->fd, frame, (size_t)n + 6) != n + 6) die("order");
}

static void took(Conn *c, const unsigned char *data, uint64_t many, uint64_t now) {
    while (many) {
        uint64_t at = c->place % (uint64_t)size, step = (uint64_t)size - at < many ? (uint64_t)size - at : many;
        for (uint64_t i = at; i < 8 && i < at + step; i++) c->stamp[i] = data[i - at];
        c->place += step, data += step, many -= step;
        if (c->place % (uint64_t)size) continue;
        uint64_t sent;
        memcpy(&sent, c->stamp, 8);
        if (every) delays[updates] = (float)(now - sent) / 1000;
        updates++;
        if (answering && write(c->fd, ANSWER, sizeof ANSWER) != sizeof ANSWER) die("answer");
        if (c->place == (uint64_t)count * (uint64_t)size) ends++;
    }
}

static void feed(Conn *c, const unsigned char *data, size_t many) {
    uint64_t now = now_ns();
    const unsigned char *end = data + many;
    while (data < end) {
        if (c->inside) {
            uint64_t part = c->inside < (uint64_t)(end - data) ? c->inside : (uint64_t)(end - data);
            if (c->head[0] == 0x82) took(c, data, part, now);
            data += part, c->inside -= part;
            continue;
        }
        c->head[c->headed++] = *data++;
        size_t need = c->headed < 2 ? 2 : c->head[1] == 126 ? 4 : c->head[1] == 127 ? 10 : 2;
        if (c->headed < need) continue;
        c->inside = need == 2 ? c->head[1] : 0;
        for (size_t i = 2; i < need; i++) c->inside = c->inside << 8 | c->head[i];
        c->headed = 0;
    }
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    sessions = atol(argv[2]), count = atol(argv[3]), size = atol(argv[4]), every = atol(argv[5]);
    answering = atol(argv[6]);
    delays = calloc((size_t)(sessions * count) + 1, sizeof *delays);
    Conn *conns = calloc((size_t)sessions, sizeof *conns);
    int poller = epoll_create1(0);
    for (long i = 0; i < sessions; i++) {
        conns[i].fd = opened(atoi(argv[1]));
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &conns[i]};
        epoll_ctl(poller, EPOLL_CTL_ADD, conns[i].fd, &e);
    }
    puts("ready");
    fflush(stdout);
    if (getchar() == EOF) return 1;
    for (long i = 0; i < sessions; i++) order(&conns[i], i);
    static unsigned char buffer[1 << 18];
    struct epoll_event events[256];
    uint64_t began = now_ns();
    while (ends < sessions) {
        int n = epoll_wait(poller, events, 256, 20000);
        if (n <= 0) break;
        for (int i = 0; i < n; i++) {
            Conn *c = events[i].data.ptr;
            long got = read(c->fd, buffer, sizeof buffer);
            if (got > 0) feed(c, buffer, (size_t)got);
            else epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, NULL), ends++;
        }
    }
    double seconds = (double)(now_ns() - began) / 1e9;
    qsort(delays, (size_t)updates, sizeof *delays, by_size);
    long last = updates ? updates - 1 : 0;
    printf("{\"updates\": %ld, \"missing\": %ld, \"seconds\": %.3f, \"p50\": %.1f, \"p99\": %.1f, \"worst\": %.1f}\n",
           updates, sessions * count - updates, seconds, delays[last / 2], delays[last * 99 / 100], delays[last]);
    return 0;
}
