/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/ops.h"

#include "flashgate/protocol.h"

static const char *const OP_NAMES[] = {
#define X(name, code, help) #name,
    FG_OPS(X)
#undef X
        NULL};
static const uint8_t OP_BITS[] = {
#define X(name, code, help) 1 << (code),
    FG_OPS(X)
#undef X
};
static_assert(sizeof(OP_BITS) == FG_OP_MAX, "a list can have every op once");

const struct fg_option fg_op_element = {
    .kind = FG_OPTION_CHOICE, .size = sizeof(unsigned), .choices = OP_NAMES};

uint8_t fg_ops_of(const unsigned *places, unsigned count)
{
    uint8_t ops = 0;
    for (unsigned i = 0; i < count; i++)
        ops |= OP_BITS[places[i]];
    return ops;
}
