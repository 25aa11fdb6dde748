/* What the messages mean. */

#define _GNU_SOURCE
#include "load.h"

#include <stdlib.h>
#include <string.h>

#include "frames.h"

enum stage goal;
bool is_cycling, is_closed_loop, is_measuring;
double window_begin = INFINITY, window_end = INFINITY;

/* Seconds for which the caller may disturb the measured part, as it reads the server's figures. */
static const double READING = 0.02;

static uint64_t next_code;

/* {"b":"@, then sender, number and time in eight hexadecimal digits each, then what fills it up. */
static const char opening[] = "{\"type\":\"GameData\",\"data\":{\"data\":{\"b\":\"@";
enum { MARK_LENGTH = 1 + 3 * 8, VALUE_OVERHEAD = 8 };
static char *template;
static size_t template_length;
static int8_t digit_values[256];

void prepare_game(uint64_t first_code)
{
    next_code = first_code;
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

void play(struct client *client, double intended)
{
    char *mark = template + sizeof opening - 1;
    put_number(mark, client->index);
    put_number(mark + 8, (uint32_t)client->sent++);
    put_number(mark + 16, (uint32_t)(intended * 1e6));
    count.sent++;
    put_frame(client, TEXT, template, template_length);
}

long audience(const struct client *client)
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
    if (intended >= window_begin + READING && intended < window_end)
        record(&latency, time > intended ? (uint32_t)((time - intended) * 1e6) : 0);
    count.in_window += is_measuring;
    if (is_closed_loop)
        touch(sender);
}

bool is_to_stall(const struct client *client)
{
    return client->room == rooms && client->slot >= options.players - options.stalled;
}

/* Sends as much as may be outstanding. */
void fill_windows(double time)
{
    long n;
    struct client **active = touched(&n);
    for (long i = 0; i < n; i++) {
        struct client *client = active[i];
        uint64_t others = (uint64_t)audience(client);
        if (client->is_stalled)
            continue;
        while (client->sent * others < client->delivered + (uint64_t)options.window * others)
            play(client, time);
    }
}

void join(struct client *client)
{
    client->state = JOINING;
    if (!when_open)
        client->began = now(); /* else when it began to connect */
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

void name_room(struct room *room)
{
    uint64_t number = next_code++;
    for (int i = 0; i < CODE_LENGTH; i++, number >>= 5)
        room->code[i] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"[number & 31];
}

static void reopen(struct room *room)
{
    struct client **members = room->clients;
    *room = (struct room){.clients = members};
    name_room(room);
}

void proceed(struct room *room)
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

void understand(struct client *client, const char *text, size_t length, double time)
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
