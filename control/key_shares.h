/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shares that workers have of a key's rate: moved to where the key's traffic is, five times a
 * second. Control reads how many requests of the key each worker was asked for, and gives each one
 * a word, the cost of a request (rates.h). What takes is written before what gives, so that at no
 * moment the shares in force come to more than the rate.
 *
 * One thread: control.
 */
#ifndef FG_CONTROL_KEY_SHARES_H
#define FG_CONTROL_KEY_SHARES_H

#include "dataplane/engine.h"

#define FG_KEY_SHARES_MS 200

struct fg_key_shares {
    uint64_t next_ms;
    struct fg_key_use {
        uint64_t asked;  /* as last read */
        uint64_t demand; /* requests in a round, smoothed, times 256 */
    } use[FG_KEYS_MAX][FG_WORKERS_MAX];
};

/* Costs of a request for each worker, from the whole rate's and the demands; 1 / cost of all of
 * them is never more than that of the whole. Who has no demand keeps a little, for what begins
 * there. */
void fg_key_shares_split(uint64_t cost, const uint64_t *demand, unsigned workers, uint64_t *costs);

/* Before a ring takes another's place: where a place gets another key or another rate, all workers
 * have an even part of it, whatever ring they go by, until the next step. */
void fg_key_shares_renew(struct fg_key_shares *shares, const struct fg_keyring *before,
                         const struct fg_keyring *after, const struct fg_engine *engine);

/* Now and then: moves them. `now_ms` monotonic. */
void fg_key_shares_step(struct fg_key_shares *shares, const struct fg_keyring *ring,
                        const struct fg_engine *engine, uint64_t now_ms);

#endif
