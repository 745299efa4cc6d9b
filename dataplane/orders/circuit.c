/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/orders/circuit.h"

#include "dataplane/random.h"

#define DOUBLINGS_MAX 40 /* of 10 ms: beyond any limit, and no overflow */

static uint64_t load(const _Atomic uint64_t *field)
{
    return atomic_load_explicit(field, memory_order_relaxed);
}

static void store(_Atomic uint64_t *field, uint64_t value)
{
    atomic_store_explicit(field, value, memory_order_relaxed);
}

void fg_circuit_init(struct fg_circuit *circuit, uint64_t max_ns, uint64_t seed)
{
    *circuit = (struct fg_circuit){.max_ns = max_ns ? max_ns : FG_CIRCUIT_MAX_NS,
                                   .random = seed ? seed : 1};
}

bool fg_circuit_may_call(struct fg_circuit *circuit, uint64_t now_ns)
{
    if (now_ns < load(&circuit->stats.until_ns))
        return false;
    if (load(&circuit->stats.state) == FG_CIRCUIT_OPEN)
        store(&circuit->stats.state, FG_CIRCUIT_HALF_OPEN);
    return true;
}

static void open_circuit(struct fg_circuit *circuit)
{
    if (load(&circuit->stats.state) == FG_CIRCUIT_CLOSED)
        store(&circuit->stats.openings, load(&circuit->stats.openings) + 1);
    store(&circuit->stats.state, FG_CIRCUIT_OPEN);
}

/* 10 ms while it is closed; then 20, 40 ... up to the limit; each less up to a quarter. */
static uint64_t next_wait_ns(struct fg_circuit *circuit)
{
    unsigned over =
        circuit->failures < FG_CIRCUIT_FAILURES ? 0 : circuit->failures - FG_CIRCUIT_FAILURES + 1;
    uint64_t wait_ns = FG_CIRCUIT_MIN_NS << (over < DOUBLINGS_MAX ? over : DOUBLINGS_MAX);

    if (wait_ns > circuit->max_ns)
        wait_ns = circuit->max_ns;
    return wait_ns - fg_random_next(&circuit->random) % (wait_ns / 4 + 1);
}

void fg_circuit_failed(struct fg_circuit *circuit, uint64_t now_ns)
{
    if (circuit->failures < UINT32_MAX)
        circuit->failures++;
    if (circuit->failures >= FG_CIRCUIT_FAILURES)
        open_circuit(circuit);
    store(&circuit->stats.until_ns, now_ns + next_wait_ns(circuit));
}

void fg_circuit_refused(struct fg_circuit *circuit, uint64_t now_ns, uint64_t wait_ns)
{
    if (circuit->failures < FG_CIRCUIT_FAILURES)
        circuit->failures = FG_CIRCUIT_FAILURES;
    open_circuit(circuit);
    store(&circuit->stats.until_ns, now_ns + wait_ns);
}

void fg_circuit_worked(struct fg_circuit *circuit)
{
    circuit->failures = 0;
    store(&circuit->stats.state, FG_CIRCUIT_CLOSED);
}

uint64_t fg_circuit_left_ns(const struct fg_circuit_stats *stats, uint64_t now_ns)
{
    uint64_t until_ns = load(&stats->until_ns);

    return load(&stats->state) == FG_CIRCUIT_OPEN && until_ns > now_ns ? until_ns - now_ns : 0;
}
