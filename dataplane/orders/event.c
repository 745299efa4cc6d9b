/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of the kinds of record, and the layout of records held to the format's offsets. */
#include "dataplane/orders/event.h"

static_assert(offsetof(struct fg_order_event, item) == 4, "format offset");
static_assert(offsetof(struct fg_order_event, sale) == 8, "format offset");
static_assert(offsetof(struct fg_order_event, hold_ms) == 12, "format offset");
static_assert(offsetof(struct fg_order_event, sale_seq) == 16, "format offset");
static_assert(offsetof(struct fg_order_event, order) == 24, "format offset");
static_assert(offsetof(struct fg_order_event, buyer) == 32, "format offset");
static_assert(offsetof(struct fg_order_event, request) == 48, "format offset");
static_assert(offsetof(struct fg_order_event, at_ns) == 56, "format offset");

static_assert(offsetof(struct fg_control_event, body_length) == 4, "format offset");
static_assert(offsetof(struct fg_control_event, revision) == 8, "format offset");
static_assert(offsetof(struct fg_control_event, uid) == 16, "format offset");
static_assert(offsetof(struct fg_control_event, sale) == 28, "format offset");
static_assert(offsetof(struct fg_control_event, at_ns) == 32, "format offset");
static_assert(offsetof(struct fg_control_event, value) == 40, "format offset");

const char *fg_event_name(unsigned kind)
{
    switch (kind) {
#define X(name, code, meaning)                                                                     \
    case code:                                                                                     \
        return #name;
        FG_ORDER_KINDS(X)
        FG_CONTROL_KINDS(X)
#undef X
    }
    return "?";
}
