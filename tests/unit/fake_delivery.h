/* SPDX-License-Identifier: BSD-3-Clause */
/* The delivery of a fake engine: it tells what the test says. Its functions stand in for the
 * library's. */
#ifndef TESTS_FAKE_DELIVERY_H
#define TESTS_FAKE_DELIVERY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane/orders/delivery.h"

static struct fg_delivery_stats delivery_stats;

const struct fg_circuit_stats *fg_delivery_circuit(const struct fg_delivery *delivery)
{
    static const struct fg_circuit_stats closed;
    (void)delivery;
    return &closed;
}

const struct fg_delivery_stats *fg_delivery_stats(const struct fg_delivery *delivery)
{
    (void)delivery;
    return &delivery_stats;
}

static enum fg_stream_state stream_state = FG_STREAM_LIVE; /* of sale 1 */

enum fg_stream_state fg_delivery_stream_state(const struct fg_delivery *delivery, uint32_t sale)
{
    (void)delivery;
    return sale == 1 ? stream_state : FG_STREAM_SEEKING;
}

static struct fg_stream_view stream_view; /* of every sale, but for the state */
static uint64_t consumed_told;            /* the last sale and sale_seq that were told */
static uint32_t consumed_sale, rebuilt;
static int delivery_refuses; /* negative errno */

struct fg_stream_view fg_delivery_stream(const struct fg_delivery *delivery, uint32_t sale)
{
    struct fg_stream_view view = stream_view;
    view.state = fg_delivery_stream_state(delivery, sale);
    return view;
}

int fg_delivery_consumed(struct fg_delivery *delivery, uint32_t sale, uint64_t sale_seq)
{
    (void)delivery;
    consumed_sale = sale;
    consumed_told = sale_seq;
    return delivery_refuses;
}

int fg_delivery_may_rebuild(struct fg_delivery *delivery, uint32_t sale)
{
    (void)delivery;
    (void)sale;
    return delivery_refuses;
}

int fg_delivery_rebuild(struct fg_delivery *delivery, uint32_t sale)
{
    (void)delivery;
    rebuilt = sale;
    return delivery_refuses;
}

void fg_delivery_last_aside(struct fg_delivery *delivery, char *text, size_t size)
{
    (void)delivery;
    snprintf(text, size, "aside-1");
}

void fg_delivery_last_error(struct fg_delivery *delivery, char *text, size_t size)
{
    (void)delivery;
    snprintf(text, size, "epoch 9 has it");
}

#endif
