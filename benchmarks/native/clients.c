/* Connections, and what they send and receive. */

#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "frames.h"

enum { RECEIVE_BYTES = 1 << 20 };

bool is_line_there;
void (*when_open)(struct client *);

static int poller, timer;
static uint64_t epoch; /* nanoseconds */
static uint64_t random_state;
static uint8_t *received;
static struct client **dirty;
static long n_dirty;

double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)((uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec - epoch) / 1e9;
}

uint64_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

void complain(const char *text, size_t length)
{
    if (*count.complaint)
        return;
    size_t n = length < sizeof count.complaint - 1 ? length : sizeof count.complaint - 1;
    for (size_t i = 0; i < n; i++)
        count.complaint[i] = (text[i] == '"' || text[i] == '\\' || (uint8_t)text[i] < ' ' ||
                              (uint8_t)text[i] > '~') ? '\'' : text[i];
}

static uint8_t *reserve(struct buffer *buffer, size_t n)
{
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
    if (buffer->end + n > buffer->capacity) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->end - buffer->start);
        buffer->end -= buffer->start;
        buffer->start = 0;
        if (buffer->end + n > buffer->capacity) {
            buffer->capacity = 2 * (buffer->end + n);
            buffer->bytes = realloc(buffer->bytes, buffer->capacity);
            if (!buffer->bytes)
                fail("out of memory");
        }
    }
    return buffer->bytes + buffer->end;
}

static void release(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}

void watch(struct client *client, bool wants_write)
{
    struct epoll_event event = {.data.ptr = client};
    event.events = (client->is_stalled ? 0 : EPOLLIN) | (wants_write ? EPOLLOUT : 0);
    client->wants_write = wants_write;
    epoll_ctl(poller, EPOLL_CTL_MOD, client->fd, &event);
}

static void lose(struct client *client, const char *why)
{
    if (client->fd < 0)
        return;
    close(client->fd);
    client->fd = -1;
    client->state = GONE;
    release(&client->in);
    release(&client->out);
    if (client->is_stalled) {
        count.evictions++;
    } else {
        count.losses++;
        complain(why, strlen(why));
    }
}

static void flush(struct client *client)
{
    struct buffer *out = &client->out;
    while (client->fd >= 0 && out->start < out->end) {
        ssize_t n = send(client->fd, out->bytes + out->start, out->end - out->start, MSG_NOSIGNAL);
        if (n > 0) {
            out->start += (size_t)n;
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            lose(client, "a connection was reset");
            return;
        }
    }
    bool is_blocked = out->start < out->end;
    if (is_blocked != client->wants_write && client->fd >= 0)
        watch(client, is_blocked);
}

void touch(struct client *client)
{
    if (!client->is_dirty) {
        client->is_dirty = true;
        dirty[n_dirty++] = client;
    }
}

/* Those for whom there is something to send, or who may send more. */
struct client **touched(long *n)
{
    *n = n_dirty;
    return dirty;
}

void flush_all(void)
{
    for (long i = 0; i < n_dirty; i++) {
        dirty[i]->is_dirty = false;
        flush(dirty[i]);
    }
    n_dirty = 0;
}

void put_frame(struct client *client, int opcode, const void *payload, size_t length)
{
    if (client->fd < 0)
        return;
    uint8_t *to = reserve(&client->out, length + MAX_HEADER);
    uint8_t mask[4];
    uint32_t bits = (uint32_t)(draw() >> 16);
    memcpy(mask, &bits, 4);
    size_t header = put_header(to, opcode, length, mask);
    apply_mask(to + header, payload, length, mask);
    client->out.end += header + length;
    touch(client);
}

void say(struct client *client, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_frame(client, TEXT, text, (size_t)length);
}

static void take_frame(struct client *client, const struct frame *frame, const uint8_t *payload,
                       double time)
{
    switch (frame->opcode) {
    case TEXT:
        if (!frame->fin)
            fail("the server sends fragments");
        understand(client, (const char *)payload, frame->length, time);
        break;
    case PING:
        put_frame(client, PONG, payload, frame->length);
        break;
    case PONG:
        break;
    case CLOSE: {
        char text[128] = "a connection was closed";
        if (frame->length >= 2)
            snprintf(text, sizeof text, "a connection was closed with %d %.*s",
                     payload[0] << 8 | payload[1], (int)frame->length - 2,
                     (const char *)payload + 2);
        lose(client, text);
        break;
    }
    default:
        fail("a frame with opcode %d", frame->opcode);
    }
}

void connect_to_server(struct client *client)
{
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    if (inet_pton(AF_INET, options.host, &server.sin_addr) != 1)
        fail("host: not an IPv4 address: %s", options.host);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (client->fd < 0)
        fail("socket: %s", strerror(errno));
    int yes = 1, small = 16384;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (is_to_stall(client))
        setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (options.sources > 1) {
        struct sockaddr_in source = {.sin_family = AF_INET};
        long host = 1 + client->index % options.sources;
        source.sin_addr.s_addr = htonl(0x7F000000u + (uint32_t)host);
        setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
        if (bind(client->fd, (struct sockaddr *)&source, sizeof source))
            fail("bind: %s", strerror(errno));
    }
    client->state = CONNECTING;
    client->began = now();
    if (connect(client->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = client};
    client->wants_write = true;
    epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event);
}

static void request_upgrade(struct client *client)
{
    client->state = UPGRADING;
    char *to = (char *)reserve(&client->out, 512);
    client->out.end += (size_t)snprintf(
        to, 512,
        "GET %s HTTP/1.1\r\nHost: %s:%ld\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        options.path, options.host, options.port);
    flush(client);
}

void opened(struct client *client)
{
    client->state = OPEN;
    count.opened++;
    if (when_open)
        when_open(client);
}

/* Returns the length of the answer, or 0 if not all of it is there. */
static size_t take_upgrade(struct client *client, const uint8_t *bytes, size_t length)
{
    const uint8_t *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (length < 12 || memcmp(bytes, "HTTP/1.1 101", 12))
        fail("the upgrade was refused: %.60s", (const char *)bytes);
    if (options.authenticate) {
        client->state = GREETING;
        say(client,
            "{\"type\":\"Authenticate\",\"data\":{\"app_id\":\"benchmark\",\"protocol_version\":%ld}}",
            options.authenticate);
    } else {
        opened(client);
    }
    return (size_t)(end - bytes) + 4;
}

static size_t take_bytes(struct client *client, const uint8_t *bytes, size_t length, double time)
{
    size_t at = 0;
    if (client->state == UPGRADING) {
        at = take_upgrade(client, bytes, length);
        if (!at)
            return 0;
    }
    struct frame frame;
    while (client->fd >= 0) {
        size_t header = parse_header(bytes + at, length - at, &frame);
        if (!header || frame.length > length - at - header)
            break;
        take_frame(client, &frame, bytes + at + header, time);
        at += header + frame.length;
    }
    return at;
}

static void read_from(struct client *client)
{
    struct buffer *in = &client->in;
    size_t kept = in->end;
    if (kept > RECEIVE_BYTES / 2)
        fail("a message of more than %d bytes", RECEIVE_BYTES / 2);
    memcpy(received, in->bytes, kept);
    ssize_t n = recv(client->fd, received + kept, RECEIVE_BYTES - kept, 0);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            lose(client, "a connection was cut off");
        return;
    }
    size_t length = kept + (size_t)n;
    size_t used = take_bytes(client, received, length, now());
    if (client->fd < 0)
        return;
    in->start = in->end = 0;
    if (used < length) {
        memcpy(reserve(in, length - used), received + used, length - used);
        in->end = length - used;
    }
}

static void handle(struct client *client, uint32_t events)
{
    if (client->fd < 0)
        return;
    if (client->state == CONNECTING && events & (EPOLLOUT | EPOLLERR)) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error)
            fail("connect: %s", strerror(error));
        request_upgrade(client);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !client->is_stalled)
        read_from(client);
    else if (events & (EPOLLHUP | EPOLLERR))
        lose(client, "a connection was reset");
    if (events & EPOLLOUT && client->fd >= 0)
        flush(client);
}

/* Waits until something happens, or the time has come, and lets the clients react. */
void poll_once(double until)
{
    struct epoll_event events[256];
    double left = until - now();
    struct itimerspec alarm = {0};
    if (left < 1e-9)
        left = 1e-9;
    alarm.it_value.tv_sec = (time_t)left;
    alarm.it_value.tv_nsec = (long)((left - (double)alarm.it_value.tv_sec) * 1e9) + 1;
    timerfd_settime(timer, 0, &alarm, NULL);
    int n = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < n; i++)
        if (events[i].data.ptr == &is_line_there)
            is_line_there = true;
        else if (events[i].data.ptr != &timer)
            handle(events[i].data.ptr, events[i].events);
}

void watch_input(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &is_line_there};
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
}

void prepare_clients(uint64_t seed)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    epoch = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    random_state = (seed ? seed : epoch) | 1;
    for (int i = 0; i < 10; i++)
        draw();
    prctl(PR_SET_TIMERSLACK, 1);
    poller = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &timer};
    epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event);
    received = malloc(RECEIVE_BYTES);
    dirty = calloc((size_t)n_clients, sizeof *dirty);
}
