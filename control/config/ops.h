/* SPDX-License-Identifier: BSD-3-Clause */
/* The protocol's ops in a configuration: lists of their names. Any thread. */
#ifndef FG_CONTROL_OPS_H
#define FG_CONTROL_OPS_H

#include <stdint.h>

#include "control/config/options.h"

/* One of a list: an unsigned. */
extern const struct fg_option fg_op_element;

/* Bit (1 << op) for each of a list that was read with it. */
uint8_t fg_ops_of(const unsigned *places, unsigned count);

#endif
