/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control protocol: JSON-RPC 2.0 over a Unix stream socket, one message a line, either way.
 * Batches are not taken. Names and error codes stand here for the engine and for whoever calls it.
 */
#ifndef FLASHGATE_CONTROL_API_H
#define FLASHGATE_CONTROL_API_H

#define FG_CONTROL_SOCKET     "/run/flashgate/control.sock" /* where none is named */
#define FG_CONTROL_SOCKET_ENV "FLASHGATE_SOCKET"
#define FG_CONTROL_LINE_MAX   (8 << 20) /* bytes of one message: a sale of 10,000 items twice */

/* X(NAME, code, meaning) */
#define FG_RPC_ERRORS(X)                                                                           \
    X(PARSE, -32700, "the line is not JSON")                                                       \
    X(INVALID, -32600, "the message is not a JSON-RPC 2.0 request")                                \
    X(NO_METHOD, -32601, "there is no such method")                                                \
    X(PARAMS, -32602, "a parameter is missing, unknown or of the wrong type")                      \
    X(INTERNAL, -32603, "the engine could not do it: memory is short")                             \
    X(REFUSED, -32000, "the running state does not allow it; nothing was changed")                 \
    X(SALE_FILE, -32001, "the sale file is wrong; nothing was changed")                            \
    X(NOT_FOUND, -32002, "there is no such sale or order")                                         \
    X(TIME_LIMIT, -32003, "it took too long; the message says what is still under way")            \
    X(STOPPING, -32004, "the engine is stopping")                                                  \
    X(FORBIDDEN, -32005, "the caller's role may not do this; nothing was changed")                 \
    X(CONFIRM, -32006, "it takes something away: ask again with \"confirmed\": true")

enum fg_rpc_error {
#define X(name, code, meaning) FG_RPC_##name = code,
    FG_RPC_ERRORS(X)
#undef X
};

#endif
