/* What the parts of the load generator share. */

#ifndef LOAD_H
#define LOAD_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

enum { MAX_PLAYERS = 100, CODE_LENGTH = 6, ID_LENGTH = 36 };

/* load.c: what the command line says; benchmarks/generator.py explains it. */

struct options {
    char host[64], path[64];
    long port, authenticate, rooms, players, payload, window, rate, warmup_ms, measure_ms,
        concurrency, sources, stalled, patience_ms, settle_ms, first, seed;
};

extern struct options options;

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

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

struct counts {
    long opened, seated, complete, started, cycles, deliveries, in_window, sent, gaps, repeats,
        refusals, losses, evictions, other, returned, not_returned;
    char complaint[200];
};

extern struct client *clients;
extern struct room *rooms;
extern long n_clients;
extern struct counts count;
extern struct histogram latency, lateness, joining;

/* clients.c: connections, and what they send and receive. */

extern bool is_line_there; /* on standard input, once it is watched */
extern void (*when_open)(struct client *);

void prepare_clients(uint64_t seed);
void watch_input(void);
double now(void);
uint64_t draw(void);
void complain(const char *text, size_t length);
void connect_to_server(struct client *client);
void opened(struct client *client);
void put_frame(struct client *client, int opcode, const void *payload, size_t length);
void say(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
void touch(struct client *client);
struct client **touched(long *n);
void flush_all(void);
void poll_once(double until);
void watch(struct client *client, bool wants_write);

/* game.c: what the messages mean. */

extern enum stage goal; /* how far rooms go */
extern bool is_cycling, is_closed_loop, is_measuring;
extern double window_begin, window_end;

void prepare_game(uint64_t first_code);
void name_room(struct room *room);
void join(struct client *client);
void proceed(struct room *room);
void play(struct client *client, double intended);
void fill_windows(double time);
long audience(const struct client *client);
bool is_to_stall(const struct client *client);
void understand(struct client *client, const char *text, size_t length, double time);

/* modes.c: what the clients do. */

extern double cpu_used;

long expected_deliveries(void);
bool run_mode(const char *name);

#endif
