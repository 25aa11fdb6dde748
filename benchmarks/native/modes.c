/* What the clients do. */

#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

double cpu_used;

static double cpu_before;

static void fail_after(double deadline, const char *what)
{
    if (now() < deadline)
        return;
    fail("timeout: %s; opened %ld, seated %ld, rooms complete %ld, started %ld, back %ld of %ld "
         "clients; refusals %ld, lost %ld; %s",
         what, count.opened, count.seated, count.complete, count.started, count.returned,
         n_clients, count.refusals, count.losses, count.complaint);
}

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
    fail_after(*give_up, what);
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

long expected_deliveries(void)
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
    connect_and_join(0, options.players); /* the first ones find a server that has just started */
    memset(&joining, 0, sizeof joining);
    begin_window();
    connect_and_join(options.players, n_clients);
    count.in_window = n_clients - options.players;
    end_window();
}

static void join_at_once(void)
{
    connect_all();
    begin_window();
    for (long room = 0; room < options.rooms; room++) {
        for (long i = 0; i < options.players; i++)
            join(rooms[room].clients[i]);
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
    watch_input();
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

static const struct {
    const char *name;
    void (*run)(void);
} modes[] = {
    {"relay", relay}, {"lobby", cycle_lobbies}, {"join", join_one_by_one}, {"crowd", join_at_once},
    {"idle", idle},   {"reconnect", come_back},
};

bool run_mode(const char *name)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(name, modes[i].name)) {
            modes[i].run();
            return true;
        }
    return false;
}
