/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench-echo: the same frames as the traffic generator's, for a peer that sends every frame back
 * (testpmd in macswap mode): the wire without a decision. One thread, one port.
 *
 * Every frame carries the time when it was due, at the place of a request's time_ns, and the echo
 * brings it back: latencies are from the schedule, and a sender that is late hides nothing.
 * offered = answered + lost.
 */
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "flashgate/exit_status.h"
#include "flashgate/protocol.h"
#include "perf/load/port.h"

#define STRAGGLERS_NS (1000 * LOAD_MS) /* a busy machine comes back to its threads late */
#define NAME_AT       (LOAD_WIRE_HEADERS_BYTES + offsetof(struct fg_header, time_ns))

struct echo {
    struct load_options options;
    struct load_client client; /* only what the port wants of one */
    struct load_port port;
    uint64_t requests, rate, window, batch;
    const char *report;
    uint8_t frame[2048];
    size_t length;

    uint64_t sent, answered, no_room, alien, late_ns_max;
    uint64_t start_ns, last_ns;
    struct load_histogram latency;
};

/* An order datagram such as the generator sends, but for its mac: an echo does not look. */
static void make_frame(struct echo *echo)
{
    static uint8_t payload[1500];
    struct fg_header header = {.magic = {'F', 'G'},
                               .version = FG_VERSION,
                               .type = FG_TYPE_REQUEST,
                               .count = (uint8_t)echo->batch,
                               .key_id = 1};
    size_t length = sizeof(header) + echo->batch * sizeof(struct fg_request);

    memcpy(payload, &header, sizeof(header));
    for (uint64_t i = 0; i < echo->batch; i++) {
        struct fg_request entry = {.request = i, .item = 1, .quantity = 1, .op = FG_OP_ORDER};
        memcpy(payload + sizeof(header) + i * sizeof(entry), &entry, sizeof(entry));
    }
    echo->length =
        load_wire_datagram(&echo->port.wire, echo->frame, (uint16_t)20480, payload, length);
}

static uint64_t now_ns(struct echo *echo)
{
    return load_port_now_ns(&echo->port.link);
}

/* How many are due, a burst at most. */
static unsigned due(const struct echo *echo, uint64_t now)
{
    uint64_t may = echo->requests - echo->sent;
    uint64_t room = echo->sent - echo->answered;

    if (echo->rate > 0) {
        uint64_t by_now =
            (uint64_t)((unsigned __int128)(now - echo->start_ns) * echo->rate / 1000000000) + 1;
        may = RTE_MIN(may, by_now > echo->sent ? by_now - echo->sent : 0);
    } else {
        may = RTE_MIN(may, echo->window > room ? echo->window - room : 0);
    }
    return (unsigned)RTE_MIN(may, (uint64_t)LOAD_BIN);
}

static unsigned offer(struct echo *echo)
{
    struct rte_mbuf *frames[LOAD_BIN];
    uint64_t now = now_ns(echo);
    unsigned count = due(echo, now);

    if (count == 0 || rte_pktmbuf_alloc_bulk(echo->port.pool, frames, count) < 0)
        return 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t *at = rte_pktmbuf_mtod(frames[i], uint8_t *);
        uint64_t name = now;
        if (echo->rate > 0)
            name = echo->start_ns +
                   (uint64_t)((unsigned __int128)(echo->sent + i) * 1000000000 / echo->rate);
        if (now > name && now - name > echo->late_ns_max)
            echo->late_ns_max = now - name;
        memcpy(at, echo->frame, echo->length);
        memcpy(at + NAME_AT, &name, sizeof(name));
        frames[i]->data_len = (uint16_t)echo->length;
        frames[i]->pkt_len = (uint32_t)echo->length;
    }
    uint16_t taken = rte_eth_tx_burst(echo->port.id, 0, frames, (uint16_t)count);
    /* What found no room is offered again: it is late, not lost. */
    echo->no_room += count - taken;
    echo->sent += taken;
    if (taken < count)
        rte_pktmbuf_free_bulk(frames + taken, count - taken);
    return taken;
}

static unsigned receive(struct echo *echo)
{
    struct rte_mbuf *frames[FG_BURST];
    uint16_t count = rte_eth_rx_burst(echo->port.id, 0, frames, FG_BURST);

    if (count == 0)
        return 0;
    echo->last_ns = now_ns(echo);
    for (uint16_t i = 0; i < count; i++)
        rte_prefetch0(rte_pktmbuf_mtod(frames[i], const uint8_t *));
    for (uint16_t i = 0; i < count; i++) {
        const uint8_t *at = rte_pktmbuf_mtod(frames[i], const uint8_t *);
        uint64_t name;
        if (frames[i]->data_len != echo->length ||
            memcmp(at + LOAD_WIRE_HEADERS_BYTES, "FG", 2) != 0) {
            echo->alien++;
            continue;
        }
        memcpy(&name, at + NAME_AT, sizeof(name));
        load_histogram_add(&echo->latency, echo->last_ns - name);
        echo->answered++;
    }
    rte_pktmbuf_free_bulk(frames, count);
    return count;
}

static void play(struct echo *echo, uint64_t limit_ns)
{
    uint64_t idle_ns;

    echo->start_ns = echo->last_ns = idle_ns = now_ns(echo);
    while (echo->answered < echo->requests) {
        unsigned work = receive(echo) + offer(echo);
        uint64_t now = now_ns(echo);
        if (work > 0)
            idle_ns = now;
        bool done = echo->sent == echo->requests && now - idle_ns > STRAGGLERS_NS;
        if (done || now - echo->start_ns > limit_ns)
            break;
    }
}

static json_t *curve(const struct load_histogram *latency)
{
    static const double percentiles[] = {0,    10, 25,   50,   75,    90,    95,
                                         97.5, 99, 99.5, 99.9, 99.95, 99.99, 100};
    json_t *points = json_array();

    for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++) {
        uint32_t per_million = (uint32_t)lround(percentiles[i] * 10000);
        double us = (double)load_histogram_quantile(latency, per_million ? per_million : 1) / 1000;
        json_array_append_new(points, json_pack("[f, f]", percentiles[i], us));
    }
    return points;
}

static int save(const struct echo *echo)
{
    double seconds = (double)(echo->last_ns - echo->start_ns) / 1e9;
    const struct load_histogram *latency = &echo->latency;
    json_t *root =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}",
                  "offered", (json_int_t)echo->sent, "answered", (json_int_t)echo->answered, "lost",
                  (json_int_t)(echo->sent - echo->answered), "no_room", (json_int_t)echo->no_room,
                  "alien", (json_int_t)echo->alien, "rate", (json_int_t)echo->rate, "window",
                  (json_int_t)echo->window, "frame_bytes", (json_int_t)echo->length, "duration_s",
                  seconds, "frames_per_s", seconds > 0 ? (double)echo->answered / seconds : 0.0,
                  "p50_us", (double)load_histogram_quantile(latency, 500000) / 1000, "p99_us",
                  (double)load_histogram_quantile(latency, 990000) / 1000, "p999_us",
                  (double)load_histogram_quantile(latency, 999000) / 1000, "late_max_us",
                  (double)echo->late_ns_max / 1000);

    json_object_set_new(root, "curve", curve(latency));
    int status = json_dump_file(root, echo->report, JSON_INDENT(1));
    json_decref(root);
    return status;
}

static const struct option table[] = {
    {"port", required_argument, NULL, 'p'},     {"eal", required_argument, NULL, 'e'},
    {"requests", required_argument, NULL, 'n'}, {"rate", required_argument, NULL, 'r'},
    {"window", required_argument, NULL, 'w'},   {"batch", required_argument, NULL, 'b'},
    {"report", required_argument, NULL, 'o'},   {0}};

static bool parse(struct echo *echo, int argc, char **argv)
{
    struct load_options *options = &echo->options;
    int found;

    while ((found = getopt_long(argc, argv, "", table, NULL)) != -1) {
        uint64_t number = optarg ? strtoul(optarg, NULL, 10) : 0;
        switch (found) {
        case 'p':
            options->port = optarg;
            break;
        case 'e':
            if (options->eal_count == LOAD_EAL_ARGS_MAX)
                return false;
            options->eal[options->eal_count++] = optarg;
            break;
        case 'n':
            echo->requests = number;
            break;
        case 'r':
            echo->rate = number;
            break;
        case 'w':
            echo->window = number;
            break;
        case 'b':
            echo->batch = number;
            break;
        case 'o':
            echo->report = optarg;
            break;
        default:
            return false;
        }
    }
    return options->port && echo->report && echo->requests > 0 && echo->batch >= 1 &&
           echo->batch <= FG_ENTRIES_MAX;
}

int main(int argc, char **argv)
{
    static struct echo echo = {.requests = 1000000, .window = 1024, .batch = 1};
    unsigned bits;
    bool whole;
    char message[512];

    signal(SIGPIPE, SIG_IGN);
    if (!parse(&echo, argc, argv)) {
        fprintf(stderr, "usage: bench-echo --port DEVICE --report FILE [--eal ARGUMENT]... "
                        "[--requests N] [--rate N] [--window N] [--batch 1..32]\n");
        return FG_EXIT_USAGE;
    }
    fg_ip_parse("10.97.0.2", &echo.options.source, &bits, &whole);
    fg_ip_parse("10.97.0.1", &echo.options.target, &bits, &whole);
    echo.options.source_port = 30000;
    int status = load_port_open(&echo.port, &echo.options, &echo.client, message, sizeof(message));
    if (status != 0) {
        fprintf(stderr, "bench-echo: %s\n", message);
        load_port_close(&echo.port);
        return status;
    }
    make_frame(&echo);
    uint64_t seconds = echo.rate > 0 ? 5 + echo.requests / echo.rate : 20;
    play(&echo, seconds * 1000 * LOAD_MS);
    status = save(&echo) == 0 ? FG_EXIT_OK : FG_EXIT_FAILED;
    load_port_close(&echo.port);
    return status;
}
