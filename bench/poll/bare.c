/* The least a poll can cost: connect, TLS handshake, one GET, read to the end, close. No pin, no decoding.
 * usage: bare PORT PATH POLLS   prints CPU microseconds per poll and the bytes of one answer's body. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static double cpu_us(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static long poll_once(SSL_CTX *ctx, const struct sockaddr_in *to, const char *request, size_t size) {
    static char buffer[1 << 18];
    int one = 1, got, fd = socket(AF_INET, SOCK_STREAM, 0);
    long total = 0, head = -1;
    if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof *to)) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) != 1) die("handshake");
    if (SSL_write(ssl, request, (int)size) != (int)size) die("write");
    while ((got = SSL_read(ssl, buffer + total, (int)(sizeof buffer - total))) > 0) total += got;
    SSL_free(ssl);
    close(fd);
    if (total < 12 || memcmp(buffer, "HTTP/1.1 200", 12)) {
        fprintf(stderr, "not 200: %.60s\n", buffer);
        exit(1);
    }
    for (long i = 0; i + 4 <= total && head < 0; i++)
        if (!memcmp(buffer + i, "\r\n\r\n", 4)) head = i + 4;
    return total - head;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int polls = atoi(argv[3]);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    char request[512];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n"
                        "Authorization: PVEAPIToken=root@pam!bench=00000000-0000-4000-8000-000000000000\r\n"
                        "Connection: close\r\n\r\n",
                        argv[2], argv[1]);
    long bytes = 0;
    for (int i = 0; i < 20; i++) bytes = poll_once(ctx, &to, request, (size_t)size);
    double before = cpu_us();
    for (int i = 0; i < polls; i++) poll_once(ctx, &to, request, (size_t)size);
    printf("{\"cpu_us\": %.2f, \"bytes\": %ld}\n", (cpu_us() - before) / polls, bytes);
    SSL_CTX_free(ctx);
    return 0;
}
