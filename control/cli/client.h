/* SPDX-License-Identifier: BSD-3-Clause */
/* One call of the control protocol, from the caller's side. */
#ifndef FG_CONTROL_CLIENT_H
#define FG_CONTROL_CLIENT_H

#include <jansson.h>
#include <stddef.h>

/*
 * Calls a method and waits for its answer. `params` is consumed and may be NULL. 0 with *result (a
 * new reference); or an exit status with a sentence: FG_EXIT_UNREACHABLE when no engine answers,
 * else what the engine's error comes to. With FG_EXIT_UNCONFIRMED *result is what the engine says
 * beside its question (docs/control.md: `data`), or NULL.
 */
int fg_client_call(const char *socket_path, const char *method, json_t *params, json_t **result,
                   char *message, size_t size);

#endif
