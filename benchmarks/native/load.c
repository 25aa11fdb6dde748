/*
 * A load generator that speaks the Signal Fish protocol: many clients in one thread.
 *
 *     load MODE key=value ...
 *
 * prints one JSON object per line: {"mark": ...} where the caller is to read the server's figures,
 * and at last {"result": ...}. After the mark "hold" it waits for a line on standard input.
 * benchmarks/generator.py is the caller, and documents the modes.
 *
 * All game data carries the index of its sender, its number and the time it was meant to be sent,
 * so that each delivery is accounted for: every receiver expects from every sender each number once
 * and in order.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "frames.h"
#include "histogram.h"

enum { MAX_PLAYERS = 100, CODE_LENGTH = 6, ID_LENGTH = 36, RECEIVE_BYTES = 1 << 20 };

/* ---------------------------------------------------------------- options */

static struct {
    char host[64], path[64];
    long port, authenticate, rooms, players, payload, window, rate, warmup_ms, measure_ms,
        concurrency, sources, stalled, patience_ms, settle_ms, first, seed;
} options = {
    .host = "127.0.0.1", .path = "/v2/ws", .rooms = 1, .players = 2, .payload = 64, .window = 8,
    .warmup_ms = 500, .measure_ms = 2000, .concurrency = 32, .sources = 1, .patience_ms = 10000,
};

static const struct {
    const char *name;
    long *value;
} numbers[] = {
    {"port", &options.port},           {"authenticate", &options.authenticate},
    {"rooms", &options.rooms},         {"players", &options.players},
    {"payload", &options.payload},     {"window", &options.window},
    {"rate", &options.rate},           {"warmup_ms", &options.warmup_ms},
    {"measure_ms", &options.measure_ms}, {"concurrency", &options.concurrency},
    {"sources", &options.sources},     {"stalled", &options.stalled},
    {"patience_ms", &options.patience_ms}, {"settle_ms", &options.settle_ms},
    {"first", &options.first},         {"seed", &options.seed},
};

static _Noreturn void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    exit(1);
}

static void parse_option(const char *argument)
{
    const char *equals = strchr(argument, '=');
    size_t length = equals ? (size_t)(equals - argument) : 0;
    char *text = NULL;
    if (length == 4 && !strncmp(argument, "host", 4))
        text = options.host;
    if (length == 4 && !strncmp(argument, "path", 4))
        text = options.path;
    if (text) {
        snprintf(text, sizeof options.host, "%s", equals + 1);
        return;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (length && strlen(numbers[i].name) == length &&
            !strncmp(argument, numbers[i].name, length)) {
            *numbers[i].value = atol(equals + 1);
            return;
        }
    fail("unknown option %s", argument);
}

/* ---------------------------------------------------------------- state */

enum state { UNUSED, CONNECTING, UPGRADING, GREETING, OPEN, JOINING, SEATED, GONE };

struct buffer {
    uint8_t *bytes;
    size_t start, end, capacity;
};

struct room;

struct client {
    int fd;
    enum state state;
    bool wants_write, is_dirty, is_stalled;
    uint32_t index, slot; /* among all clients; in its room */
    struct room *room;
    struct buffer in, out;
    uint64_t sent, delivered; /* own messages; their deliveries */
    uint32_t *expected;       /* the next number of each sender of the room */
    double began;             /* seconds */
    char player_id[ID_LENGTH + 1], room_id[ID_LENGTH + 1], token[ID_LENGTH + 1];
};

enum stage { ASSEMBLING, COMPLETE, GETTING_READY, STARTING, STARTED, LEAVING };

struct room {
    struct client **clients;
    struct client *creator;
    enum stage stage;
    bool is_all_ready;
    long seated, introductions, started, left;
    char code[CODE_LENGTH + 1];
};

static struct {
    long opened, seated, complete, started, cycles, deliveries, in_window, sent, gaps, repeats,
        refusals, losses, evictions, other, returned, not_returned;
    char complaint[200];
} count;

static struct client *clients;
static struct room *rooms;
static long n_clients;
static struct client **dirty;
static long n_dirty;
static enum stage goal;
static bool is_cycling, is_closed_loop, is_measuring, is_line_there;
static void (*when_open)(struct client *);

static int poller, timer;
static uint64_t epoch; /* nanoseconds */
static double window_begin = INFINITY, window_end = INFINITY;
static struct histogram latency, lateness, joining;
static uint8_t *received;
static uint64_t random_state, next_code;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)((uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec - epoch) / 1e9;
}

static uint64_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

static void complain(const char *text, size_t length)
{
    if (*count.complaint)
        return;
    size_t n = length < sizeof count.complaint - 1 ? length : sizeof count.complaint - 1;
    for (size_t i = 0; i < n; i++)
        count.complaint[i] = (text[i] == '"' || text[i] == '\\' || (uint8_t)text[i] < ' ' ||
                              (uint8_t)text[i] > '~') ? '\'' : text[i];
}

/* ---------------------------------------------------------------- sending */

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

static void watch(struct client *client, bool wants_write)
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

static void touch(struct client *client)
{
    if (!client->is_dirty) {
        client->is_dirty = true;
        dirty[n_dirty++] = client;
    }
}

static void flush_all(void)
{
    for (long i = 0; i < n_dirty; i++) {
        dirty[i]->is_dirty = false;
        flush(dirty[i]);
    }
    n_dirty = 0;
}

static void put_frame(struct client *client, int opcode, const void *payload, size_t length)
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

__attribute__((format(printf, 2, 3)))
static void say(struct client *client, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_frame(client, TEXT, text, (size_t)length);
}

/* ---------------------------------------------------------------- game data */

/* {"b":"@, then sender, number and time in eight hexadecimal digits each, then what fills it up. */
static const char opening[] = "{\"type\":\"GameData\",\"data\":{\"data\":{\"b\":\"@";
enum { MARK_LENGTH = 1 + 3 * 8, VALUE_OVERHEAD = 8 };
static char *template;
static size_t template_length;
static int8_t digit_values[256];

static void prepare_game_data(void)
{
    if (options.payload < MARK_LENGTH + VALUE_OVERHEAD)
        fail("payload: at least %d", MARK_LENGTH + VALUE_OVERHEAD);
    size_t filler = (size_t)options.payload - MARK_LENGTH - VALUE_OVERHEAD;
    template_length = sizeof opening - 1 + 24 + filler + 4;
    template = malloc(template_length + 1);
    memset(template, 'x', template_length);
    memcpy(template, opening, sizeof opening - 1);
    memcpy(template + template_length - 4, "\"}}}", 4);
    memset(digit_values, -1, sizeof digit_values);
    for (int i = 0; i < 16; i++)
        digit_values[(uint8_t)"0123456789abcdef"[i]] = (int8_t)i;
}

static void put_number(char *to, uint32_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 4)
        to[i] = "0123456789abcdef"[value & 15];
}

static bool get_number(const uint8_t *from, uint32_t *value)
{
    uint32_t result = 0;
    int8_t bad = 0;
    for (int i = 0; i < 8; i++) {
        bad |= digit_values[from[i]];
        result = result << 4 | (uint32_t)(digit_values[from[i]] & 15);
    }
    *value = result;
    return bad >= 0;
}

static void play(struct client *client, double intended)
{
    char *mark = template + sizeof opening - 1;
    put_number(mark, client->index);
    put_number(mark + 8, (uint32_t)client->sent++);
    put_number(mark + 16, (uint32_t)(intended * 1e6));
    count.sent++;
    put_frame(client, TEXT, template, template_length);
}

static long audience(const struct client *client)
{
    long others = options.players - 1;
    return client->room == rooms ? others - options.stalled : others;
}

static void deliver(struct client *client, const uint8_t *text, size_t length, double time)
{
    static size_t guess;
    const uint8_t *end = text + length, *mark = text + guess;
    if (guess + MARK_LENGTH > length || *mark != '@') {
        mark = memchr(text, '@', length);
        if (!mark || mark + MARK_LENGTH > end) {
            complain("game data of somebody else", 26);
            count.other++;
            return;
        }
        guess = (size_t)(mark - text);
    }
    uint32_t index, number, stamp;
    if (!get_number(mark + 1, &index) || !get_number(mark + 9, &number) ||
        !get_number(mark + 17, &stamp) || index >= n_clients || !client->expected ||
        clients[index].room != client->room) {
        complain("game data that nobody sent", 26);
        count.other++;
        return;
    }
    struct client *sender = &clients[index];
    uint32_t *expected = &client->expected[sender->slot];
    if (number < *expected) {
        count.repeats++;
        return;
    }
    count.gaps += number - *expected;
    *expected = number + 1;
    count.deliveries++;
    sender->delivered++;
    double intended = stamp / 1e6;
    if (intended >= window_begin && intended < window_end)
        record(&latency, time > intended ? (uint32_t)((time - intended) * 1e6) : 0);
    count.in_window += is_measuring;
    if (is_closed_loop)
        touch(sender);
}

static bool is_to_stall(const struct client *client)
{
    return client->room == rooms && client->slot >= options.players - options.stalled;
}

/* Sends as much as may be outstanding. */
static void fill_windows(double time)
{
    for (long i = 0; i < n_dirty; i++) {
        struct client *client = dirty[i];
        uint64_t others = (uint64_t)audience(client);
        if (client->is_stalled)
            continue;
        while (client->sent * others < client->delivered + (uint64_t)options.window * others)
            play(client, time);
    }
}

/* ---------------------------------------------------------------- rooms */

static void join(struct client *client)
{
    client->state = JOINING;
    say(client,
        "{\"type\":\"JoinRoom\",\"data\":{\"game_name\":\"benchmark\",\"player_name\":\"p%u\","
        "\"room_code\":\"%s\",\"max_players\":%ld}}",
        client->slot, client->room->code, options.players);
}

static void for_all(struct room *room, const char *message)
{
    for (long i = 0; i < options.players; i++)
        put_frame(room->clients[i], TEXT, message, strlen(message));
}

static void name(struct room *room)
{
    uint64_t number = next_code++;
    for (int i = 0; i < CODE_LENGTH; i++, number >>= 5)
        room->code[i] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"[number & 31];
}

static void reopen(struct room *room)
{
    struct client **members = room->clients;
    *room = (struct room){.clients = members};
    name(room);
}

static void proceed(struct room *room)
{
    long players = options.players;
    if (room->stage == ASSEMBLING && room->seated == players &&
        room->introductions == players * (players - 1) / 2) {
        room->stage = COMPLETE;
        count.complete++;
    }
    if (room->stage == COMPLETE && goal > COMPLETE) {
        room->stage = GETTING_READY;
        for_all(room, "{\"type\":\"PlayerReady\"}");
    }
    if (room->stage == GETTING_READY && room->is_all_ready) {
        room->stage = STARTING; /* where the game starts by itself, this is ignored */
        static const char start[] = "{\"type\":\"StartGame\"}";
        put_frame(room->creator, TEXT, start, sizeof start - 1);
    }
    if (room->stage == STARTING && room->started == players) {
        room->stage = STARTED;
        count.started++;
        if (goal > STARTED) {
            room->stage = LEAVING;
            for_all(room, "{\"type\":\"LeaveRoom\"}");
        }
    }
    if (room->stage == LEAVING && room->left == players) {
        count.cycles++;
        count.in_window += is_measuring;
        if (is_cycling) {
            reopen(room);
            for (long i = 0; i < players; i++)
                join(room->clients[i]);
        }
    }
}

/* ---------------------------------------------------------------- messages */

static bool has(const char *text, size_t length, const char *part)
{
    return memmem(text, length, part, strlen(part)) != NULL;
}

static void copy_id(char *to, const char *text, size_t length, const char *key)
{
    const char *found = memmem(text, length, key, strlen(key));
    const char *end = text + length;
    if (!found)
        return;
    found += strlen(key);
    while (found < end && (*found == ':' || *found == ' '))
        found++;
    if (found + 1 + ID_LENGTH < end && *found == '"')
        memcpy(to, found + 1, ID_LENGTH);
}

static void seated(struct client *client, const char *text, size_t length)
{
    static const char ready[] = "\"is_ready\"";
    const char *first = memmem(text, length, ready, sizeof ready - 1);
    struct room *room = client->room;
    client->state = SEATED;
    copy_id(client->player_id, text, length, "\"player_id\"");
    copy_id(client->room_id, text, length, "\"room_id\"");
    copy_id(client->token, text, length, "\"reconnection_token\"");
    if (first && !has(first + 1, (size_t)(text + length - first) - 1, ready))
        room->creator = client; /* alone in its list of players */
    count.seated++;
    room->seated++;
    record(&joining, (uint32_t)((now() - client->began) * 1e6));
}

static void opened(struct client *client)
{
    client->state = OPEN;
    count.opened++;
    if (when_open)
        when_open(client);
}

/* Where the name of the message's type begins. */
static const char *type_of(const char *text, size_t length, size_t *n)
{
    const char *end = text + length, *at = memmem(text, length, "\"type\"", 6);
    if (!at)
        return NULL;
    for (at += 6; at < end && (*at == ':' || *at == ' ');)
        at++;
    const char *close = at < end ? memchr(at + 1, '"', (size_t)(end - at) - 1) : NULL;
    if (!close)
        return NULL;
    *n = (size_t)(close - at) - 1;
    return at + 1;
}

static void understand(struct client *client, const char *text, size_t length, double time)
{
    size_t n = 0;
    const char *type = type_of(text, length, &n);
#define IS(name) (n == sizeof name - 1 && !memcmp(type, name, sizeof name - 1))
    struct room *room = client->room;
    if (!type) {
        complain(text, length);
    } else if (IS("GameData")) {
        deliver(client, (const uint8_t *)text, length, time);
        return;
    } else if (IS("PlayerJoined")) {
        room->introductions++;
    } else if (IS("RoomJoined")) {
        seated(client, text, length);
    } else if (IS("LobbyStateChanged")) {
        if (client == room->creator && (has(text, length, "\"all_ready\":true") ||
                                        has(text, length, "\"all_ready\": true")))
            room->is_all_ready = true;
    } else if (IS("GameStarting")) {
        room->started++;
    } else if (IS("RoomLeft")) {
        client->state = OPEN;
        room->left++;
    } else if (IS("ProtocolInfo")) {
        opened(client);
    } else if (IS("Reconnected")) {
        client->state = SEATED;
        count.returned++;
        record(&joining, (uint32_t)((now() - client->began) * 1e6));
    } else if (IS("ReconnectionFailed")) {
        client->state = OPEN;
        count.returned++;
        count.not_returned++;
        complain(text, length);
    } else if (IS("Error") || IS("RoomJoinFailed") || IS("AuthenticationError")) {
        count.refusals++;
        complain(text, length);
    }
    proceed(room);
#undef IS
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

/* ---------------------------------------------------------------- connections */

static void connect_to_server(struct client *client)
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
static void poll_once(double until)
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

static bool is_over(double deadline, const char *what)
{
    if (now() < deadline)
        return false;
    fail("timeout: %s; opened %ld, seated %ld, rooms complete %ld, started %ld, back %ld of %ld "
         "clients; refusals %ld, lost %ld; %s",
         what, count.opened, count.seated, count.complete, count.started, count.returned,
         n_clients, count.refusals, count.losses, count.complaint);
}

/* ---------------------------------------------------------------- modes */

static void mark(const char *name)
{
    printf("{\"mark\":\"%s\"}\n", name);
    fflush(stdout);
}

static double own_cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double deadline(void)
{
    return now() + (double)options.patience_ms / 1e3;
}

/* Gives up once the counter has stood still for too long, or anybody was refused or lost. */
static void await_progress(const long *counter, long *seen, double *give_up, const char *what)
{
    flush_all();
    poll_once(now() + 0.1);
    flush_all();
    if (*counter != *seen) {
        *seen = *counter;
        *give_up = deadline();
    }
    if (count.losses || count.refusals)
        fail("%s: %s", what, count.complaint);
    is_over(*give_up, what);
}

static void await(const long *counter, long wanted, const char *what)
{
    long seen = *counter;
    double give_up = deadline();
    while (*counter < wanted)
        await_progress(counter, &seen, &give_up, what);
}

static void rest(double seconds)
{
    for (double end = now() + seconds; now() < end; flush_all())
        poll_once(end);
}

/* Has an action begun for each client in turn, while not too many are unfinished. */
static void spread(long from, long to, void (*begin)(struct client *), const long *finished,
                   const char *what)
{
    long begun = 0, before = *finished, seen = *finished;
    double give_up = deadline();
    while (*finished - before < to - from) {
        while (begun < to - from && begun - (*finished - before) < options.concurrency)
            begin(&clients[from + begun++]);
        await_progress(finished, &seen, &give_up, what);
    }
}

static void connect_all(void)
{
    spread(0, n_clients, connect_to_server, &count.opened, "connecting");
}

static void connect_and_join(long from, long to)
{
    when_open = join;
    spread(from, to, connect_to_server, &count.seated, "joining");
    when_open = NULL;
    await(&count.complete, to / options.players, "introductions");
}

static void start_games(void)
{
    connect_and_join(0, n_clients);
    goal = STARTED;
    for (long i = 0; i < options.rooms; i++)
        proceed(&rooms[i]);
    await(&count.started, options.rooms, "starting games");
}

static double cpu_before, cpu_used;

static void begin_window(void)
{
    mark("begin");
    cpu_before = own_cpu();
    window_begin = now();
    is_measuring = true;
}

static void end_window(void)
{
    window_end = now();
    is_measuring = false;
    cpu_used = own_cpu() - cpu_before;
    mark("end");
}

static void stall(void)
{
    for (long i = 0; i < options.players; i++)
        if (is_to_stall(&clients[i])) {
            clients[i].is_stalled = true;
            watch(&clients[i], false);
        }
}

/* The schedule of an open loop: every client has its own phase. */

struct slot {
    double phase;
    struct client *client;
};

static struct slot *slots;
static long n_slots;

static int by_phase(const void *left, const void *right)
{
    double difference = ((const struct slot *)left)->phase - ((const struct slot *)right)->phase;
    return (difference > 0) - (difference < 0);
}

static void schedule(void)
{
    slots = calloc((size_t)n_clients, sizeof *slots);
    for (long i = 0; i < n_clients; i++)
        if (!is_to_stall(&clients[i]))
            slots[n_slots++] = (struct slot){
                (double)(draw() >> 11) / (double)(1ull << 53) / (double)options.rate, &clients[i]};
    qsort(slots, (size_t)n_slots, sizeof *slots, by_phase);
}

static double due(long k)
{
    return slots[k % n_slots].phase + (double)(k / n_slots) / (double)options.rate;
}

/* Returns the time of the next one. */
static double send_due(double start, long *k)
{
    double time = now();
    for (; start + due(*k) <= time; (*k)++) {
        double intended = start + due(*k);
        if (intended >= window_begin)
            record(&lateness, (uint32_t)((time - intended) * 1e6));
        play(slots[*k % n_slots].client, intended);
    }
    return start + due(*k);
}

static long expected_deliveries(void)
{
    long expected = 0;
    for (long i = 0; i < n_clients; i++)
        expected += (long)clients[i].sent * audience(&clients[i]);
    return expected;
}

static void drain(void)
{
    long expected = expected_deliveries(), seen = count.deliveries;
    double give_up = deadline();
    while (count.deliveries < expected && now() < give_up) {
        flush_all();
        poll_once(now() + 0.1);
        if (count.deliveries != seen) {
            seen = count.deliveries;
            give_up = deadline();
        }
    }
}

static void relay(void)
{
    start_games();
    stall();
    is_closed_loop = !options.rate;
    if (!is_closed_loop)
        schedule();
    for (long i = 0; is_closed_loop && i < n_clients; i++)
        touch(&clients[i]);
    double start = now(), next, warm = start + (double)options.warmup_ms / 1e3;
    double end = warm + (double)options.measure_ms / 1e3;
    long k = 0;
    while (now() < end) {
        if (!is_measuring && now() >= warm)
            begin_window();
        next = is_measuring ? end : warm;
        if (is_closed_loop)
            fill_windows(now());
        else
            next = fmin(next, send_due(start, &k));
        flush_all();
        poll_once(next);
    }
    end_window();
    is_closed_loop = false;
    drain();
}

static void cycle_lobbies(void)
{
    connect_all();
    goal = LEAVING;
    is_cycling = true;
    for (long i = 0; i < n_clients; i++)
        join(&clients[i]);
    flush_all();
    rest((double)options.warmup_ms / 1e3);
    begin_window();
    rest((double)options.measure_ms / 1e3);
    end_window();
}

static void join_one_by_one(void)
{
    begin_window();
    connect_and_join(0, n_clients);
    count.in_window = n_clients;
    end_window();
}

static void join_at_once(void)
{
    connect_all();
    begin_window();
    for (long room = 0; room < options.rooms; room++) {
        for (long i = 0; i < options.players; i++) {
            rooms[room].clients[i]->began = now();
            join(rooms[room].clients[i]);
        }
        await(&count.complete, room + 1, "introductions");
    }
    count.in_window = n_clients;
    end_window();
}

static void hold(void)
{
    mark("hold");
    for (is_line_there = false; !is_line_there; flush_all())
        poll_once(now() + 1);
    char line[16];
    if (read(STDIN_FILENO, line, sizeof line) <= 0)
        fail("nobody is there any more");
}

static void idle(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &is_line_there};
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    if (options.first) {
        connect_and_join(0, options.first * options.players);
        hold();
    }
    connect_and_join(options.first * options.players, n_clients);
    hold();
}

static void reconnect(struct client *client)
{
    say(client,
        "{\"type\":\"Reconnect\",\"data\":{\"player_id\":\"%s\",\"room_id\":\"%s\","
        "\"auth_token\":\"%s\"}}",
        client->player_id, client->room_id, client->token);
}

static void cut_off(struct client *client)
{
    struct linger linger = {.l_onoff = 1}; /* a reset, without goodbye */
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(client->fd);
    client->in.start = client->in.end = client->out.start = client->out.end = 0;
}

static void come_back(void)
{
    start_games();
    for (long i = 0; i < n_clients; i++)
        if (!*clients[i].token)
            fail("the server gives out no reconnection tokens");
    for (long i = 0; i < n_clients; i++)
        cut_off(&clients[i]);
    rest((double)options.settle_ms / 1e3);
    memset(&joining, 0, sizeof joining);
    begin_window();
    when_open = reconnect;
    spread(0, n_clients, connect_to_server, &count.returned, "reconnecting");
    count.in_window = count.returned - count.not_returned;
    end_window();
}

/* ---------------------------------------------------------------- start and result */

static void prepare(void)
{
    if (options.players < 1 || options.players > MAX_PLAYERS || options.rooms < 1 ||
        options.first > options.rooms || options.stalled >= options.players || options.window < 1 ||
        options.concurrency < 1 || options.sources > 250)
        fail("options out of range");
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    epoch = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    random_state = (options.seed ? (uint64_t)options.seed : epoch) | 1;
    for (int i = 0; i < 10; i++)
        draw();
    next_code = draw();
    prctl(PR_SET_TIMERSLACK, 1);
    poller = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &timer};
    epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event);
    received = malloc(RECEIVE_BYTES);
    prepare_game_data();
}

static void populate(void)
{
    n_clients = options.rooms * options.players;
    clients = calloc((size_t)n_clients, sizeof *clients);
    rooms = calloc((size_t)options.rooms, sizeof *rooms);
    dirty = calloc((size_t)n_clients, sizeof *dirty);
    for (long i = 0; i < n_clients; i++) {
        struct room *room = &rooms[i / options.players];
        clients[i] = (struct client){.fd = -1, .index = (uint32_t)i, .room = room,
                                     .slot = (uint32_t)(i % options.players)};
        clients[i].expected = calloc((size_t)options.players, sizeof(uint32_t));
        if (!room->clients) {
            room->clients = calloc((size_t)options.players, sizeof *room->clients);
            name(room);
        }
        room->clients[clients[i].slot] = &clients[i];
    }
}

static void print_result(void)
{
    printf("{\"result\":{\"seconds\":%.6f,\"cpu\":%.6f,\"done\":%ld,\"sent\":%ld,\"expected\":%ld,"
           "\"received\":%ld,\"gaps\":%ld,\"repeats\":%ld,\"foreign\":%ld,\"refusals\":%ld,"
           "\"losses\":%ld,\"evictions\":%ld,\"failures\":%ld,\"complaint\":\"%s\"",
           isinf(window_end) ? 0 : window_end - window_begin, cpu_used, count.in_window, count.sent, expected_deliveries(),
           count.deliveries, count.gaps, count.repeats, count.other, count.refusals, count.losses,
           count.evictions, count.not_returned, count.complaint);
    print_histogram("latency", &latency);
    print_histogram("lateness", &lateness);
    print_histogram("joining", &joining);
    printf("}}\n");
}

static const struct {
    const char *name;
    void (*run)(void);
} modes[] = {
    {"relay", relay}, {"lobby", cycle_lobbies}, {"join", join_one_by_one}, {"crowd", join_at_once},
    {"idle", idle},   {"reconnect", come_back},
};

int main(int argc, char **argv)
{
    if (argc < 2)
        fail("which mode?");
    for (int i = 2; i < argc; i++)
        parse_option(argv[i]);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(argv[1], modes[i].name)) {
            prepare();
            populate();
            modes[i].run();
            print_result();
            return 0;
        }
    fail("unknown mode %s", argv[1]);
}
