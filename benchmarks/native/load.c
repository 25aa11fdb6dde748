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

#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options options = {
    .host = "127.0.0.1", .path = "/v2/ws", .rooms = 1, .players = 2, .payload = 64, .window = 8,
    .warmup_ms = 500, .measure_ms = 2000, .concurrency = 32, .sources = 1, .patience_ms = 10000,
};

struct client *clients;
struct room *rooms;
long n_clients;
struct counts count;
struct histogram latency, lateness, joining;

_Noreturn void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    exit(1);
}

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

static void prepare(void)
{
    if (options.players < 1 || options.players > MAX_PLAYERS || options.rooms < 1 ||
        options.first > options.rooms || options.stalled >= options.players || options.window < 1 ||
        options.concurrency < 1 || options.sources > 250)
        fail("options out of range");
    n_clients = options.rooms * options.players;
    prepare_clients((uint64_t)options.seed);
    prepare_game(draw());
}

static void populate(void)
{
    clients = calloc((size_t)n_clients, sizeof *clients);
    rooms = calloc((size_t)options.rooms, sizeof *rooms);
    for (long i = 0; i < n_clients; i++) {
        struct room *room = &rooms[i / options.players];
        clients[i] = (struct client){.fd = -1, .index = (uint32_t)i, .room = room,
                                     .slot = (uint32_t)(i % options.players)};
        clients[i].expected = calloc((size_t)options.players, sizeof(uint32_t));
        if (!room->clients) {
            room->clients = calloc((size_t)options.players, sizeof *room->clients);
            name_room(room);
        }
        room->clients[clients[i].slot] = &clients[i];
    }
}

static void print_result(void)
{
    printf("{\"result\":{\"seconds\":%.6f,\"cpu\":%.6f,\"done\":%ld,\"sent\":%ld,\"expected\":%ld,"
           "\"received\":%ld,\"gaps\":%ld,\"repeats\":%ld,\"foreign\":%ld,\"refusals\":%ld,"
           "\"losses\":%ld,\"evictions\":%ld,\"failures\":%ld,\"complaint\":\"%s\"",
           isinf(window_end) ? 0 : window_end - window_begin, cpu_used, count.in_window,
           count.sent, expected_deliveries(), count.deliveries, count.gaps,
           count.repeats, count.other, count.refusals, count.losses, count.evictions,
           count.not_returned, count.complaint);
    print_histogram("latency", &latency);
    print_histogram("lateness", &lateness);
    print_histogram("joining", &joining);
    printf("}}\n");
}

int main(int argc, char **argv)
{
    if (argc < 2)
        fail("which mode?");
    for (int i = 2; i < argc; i++)
        parse_option(argv[i]);
    prepare();
    populate();
    if (!run_mode(argv[1]))
        fail("unknown mode %s", argv[1]);
    print_result();
}
