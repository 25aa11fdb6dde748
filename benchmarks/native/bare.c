/*
 * The least that can be called a relay: no limits, no checks, one write per client and turn.
 *
 *     bare PORT
 *
 * It shows what the load generator can take. It is no server: it believes whatever it is told, and
 * its answers are as short as the generator allows.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.h"

enum { MAX_PLAYERS = 100, CODE_LENGTH = 6, TABLE = 1 << 16, RECEIVE_BYTES = 1 << 20 };

struct buffer {
    uint8_t *bytes;
    size_t start, end, capacity;
};

struct room {
    char code[CODE_LENGTH];
    struct client *members[MAX_PLAYERS];
    int n_members, n_ready;
    struct room *next;
};

struct client {
    int fd;
    int is_open, is_dirty, wants_write;
    char id[37];
    struct room *room;
    struct buffer in, out;
};

static struct room *table[TABLE];
static struct client *dirty[1 << 16];
static int n_dirty, poller;
static uint8_t *received;

static uint8_t *reserve(struct buffer *buffer, size_t n)
{
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
    if (buffer->end + n > buffer->capacity) {
        buffer->capacity = 2 * (buffer->end + n);
        buffer->bytes = realloc(buffer->bytes, buffer->capacity);
        if (!buffer->bytes)
            abort();
    }
    return buffer->bytes + buffer->end;
}

static void touch(struct client *client)
{
    if (!client->is_dirty) {
        client->is_dirty = 1;
        dirty[n_dirty++] = client;
    }
}

static void append(struct client *client, const void *bytes, size_t n)
{
    memcpy(reserve(&client->out, n), bytes, n);
    client->out.end += n;
    touch(client);
}

static void say(struct client *client, const char *text)
{
    uint8_t header[MAX_HEADER];
    size_t length = strlen(text);
    append(client, header, put_header(header, TEXT, length, NULL));
    append(client, text, length);
}

static void tell(struct room *room, const struct client *except, const char *text)
{
    for (int i = 0; i < room->n_members; i++)
        if (room->members[i] != except)
            say(room->members[i], text);
}

static struct room *find_room(const char *code)
{
    uint32_t hash = 0;
    for (int i = 0; i < CODE_LENGTH; i++)
        hash = hash * 31 + (uint8_t)code[i];
    struct room **at = &table[hash % TABLE];
    while (*at && memcmp((*at)->code, code, CODE_LENGTH))
        at = &(*at)->next;
    if (!*at) {
        *at = calloc(1, sizeof **at);
        memcpy((*at)->code, code, CODE_LENGTH);
    }
    return *at;
}

static void join(struct client *client, const char *text, size_t length)
{
    static const char key[] = "\"room_code\":\"", entry[] = ",{\"is_ready\":false}";
    const char *code = memmem(text, length, key, sizeof key - 1);
    if (!code)
        return;
    struct room *room = find_room(code + sizeof key - 1);
    if (room->n_members == MAX_PLAYERS)
        return;
    room->members[room->n_members++] = client;
    client->room = room;
    char reply[256 + MAX_PLAYERS * sizeof entry];
    int n = sprintf(reply, "{\"type\":\"RoomJoined\",\"data\":{\"player_id\":\"%s\","
                    "\"current_players\":[", client->id);
    for (int i = 0; i < room->n_members; i++)
        n += sprintf(reply + n, "%s", entry + (i == 0));
    sprintf(reply + n, "]}}");
    say(client, reply);
    tell(room, client, "{\"type\":\"PlayerJoined\",\"data\":{}}");
}

static void leave(struct client *client)
{
    struct room *room = client->room;
    for (int i = 0; room && i < room->n_members; i++)
        if (room->members[i] == client)
            room->members[i--] = room->members[--room->n_members];
    client->room = NULL;
}

/* Puts what is the same for everybody together once, and copies it to everybody else. */
static void relay(struct client *client, const uint8_t *text, size_t length)
{
    static const char before[] = "{\"type\":\"GameData\",\"data\":{\"data\":";
    static uint8_t frame[RECEIVE_BYTES + 256];
    const uint8_t *value = text + sizeof before - 1;
    size_t n_value = length - (sizeof before - 1) - 2;
    char start[128];
    size_t n_start = (size_t)sprintf(
        start, "{\"type\":\"GameData\",\"data\":{\"from_player\":\"%s\",\"data\":", client->id);
    size_t n = put_header(frame, TEXT, n_start + n_value + 2, NULL);
    memcpy(frame + n, start, n_start);
    memcpy(frame + n + n_start, value, n_value);
    memcpy(frame + n + n_start + n_value, "}}", 2);
    n += n_start + n_value + 2;
    for (int i = 0; i < client->room->n_members; i++)
        if (client->room->members[i] != client)
            append(client->room->members[i], frame, n);
}

static int begins(const uint8_t *text, size_t length, const char *type)
{
    char start[64];
    size_t n = (size_t)sprintf(start, "{\"type\":\"%s\"", type);
    return length >= n && !memcmp(text, start, n);
}

static void understand(struct client *client, const uint8_t *text, size_t length)
{
    struct room *room = client->room;
    if (begins(text, length, "JoinRoom")) {
        join(client, (const char *)text, length);
    } else if (!room) {
        return;
    } else if (begins(text, length, "GameData")) {
        relay(client, text, length);
    } else if (begins(text, length, "PlayerReady")) {
        room->n_ready++;
        tell(room, NULL, room->n_ready == room->n_members
             ? "{\"type\":\"LobbyStateChanged\",\"data\":{\"all_ready\":true}}"
             : "{\"type\":\"LobbyStateChanged\",\"data\":{\"all_ready\":false}}");
    } else if (begins(text, length, "StartGame")) {
        tell(room, NULL, "{\"type\":\"GameStarting\",\"data\":{}}");
    } else if (begins(text, length, "LeaveRoom")) {
        leave(client);
        say(client, "{\"type\":\"RoomLeft\"}");
    }
}

static void end(struct client *client)
{
    leave(client);
    close(client->fd);
    client->fd = -1; /* the little that is left of it is never freed: runs are short */
    free(client->in.bytes);
    free(client->out.bytes);
    client->in = client->out = (struct buffer){0};
}

static void flush(struct client *client)
{
    struct buffer *out = &client->out;
    client->is_dirty = 0;
    if (client->fd < 0)
        return;
    ssize_t n = send(client->fd, out->bytes + out->start, out->end - out->start, MSG_NOSIGNAL);
    if (n > 0)
        out->start += (size_t)n;
    int is_blocked = out->start < out->end;
    if (is_blocked != client->wants_write) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        event.events |= is_blocked ? EPOLLOUT : 0;
        client->wants_write = is_blocked;
        epoll_ctl(poller, EPOLL_CTL_MOD, client->fd, &event);
    }
}

/* What a server must answer to the one key that the generator sends. */
static size_t upgrade(struct client *client, const uint8_t *bytes, size_t length)
{
    static const char answer[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: Bz3qJYTGdOe8gUSpLosEdiLKDrk=\r\n\r\n";
    const uint8_t *found = memmem(bytes, length, "\r\n\r\n", 4);
    if (!found)
        return 0;
    client->is_open = 1;
    append(client, answer, sizeof answer - 1);
    return (size_t)(found - bytes) + 4;
}

static void read_from(struct client *client)
{
    struct buffer *in = &client->in;
    size_t kept = in->end, at = 0;
    memcpy(received, in->bytes, kept);
    ssize_t n = recv(client->fd, received + kept, RECEIVE_BYTES - kept, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            end(client);
        return;
    }
    size_t length = kept + (size_t)n;
    if (!client->is_open)
        at = upgrade(client, received, length);
    struct frame frame;
    while (client->is_open) {
        size_t header = parse_header(received + at, length - at, &frame);
        if (!header || frame.length > length - at - header)
            break;
        uint8_t *payload = received + at + header;
        apply_mask(payload, payload, frame.length, frame.mask);
        if (frame.opcode == TEXT)
            understand(client, payload, frame.length);
        at += header + frame.length;
    }
    in->start = in->end = 0;
    memcpy(reserve(in, length - at), received + at, length - at);
    in->end = length - at;
}

static void accept_all(int listener)
{
    static unsigned number;
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct client *client = calloc(1, sizeof *client);
        client->fd = fd;
        sprintf(client->id, "00000000-0000-4000-8000-%012x", ++number);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "3536"));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) {
        perror("bare");
        return 1;
    }
    poller = epoll_create1(0);
    received = malloc(RECEIVE_BYTES);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < n; i++) {
            struct client *client = events[i].data.ptr;
            if (!client)
                accept_all(listener);
            else if (events[i].events & ~(uint32_t)EPOLLOUT)
                read_from(client);
            else
                touch(client);
        }
        for (int i = 0; i < n_dirty; i++)
            flush(dirty[i]);
        n_dirty = 0;
    }
}
