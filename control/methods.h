/* SPDX-License-Identifier: BSD-3-Clause */
/* A call of a method under way: what the files of methods share. One thread: control. */
#ifndef FG_CONTROL_METHODS_H
#define FG_CONTROL_METHODS_H

#include "control/internal.h"

#define FG_CALL_PARAMS_MAX 2

struct fg_call {
    struct fg_control *control;
    const struct fg_peer *peer;
    const char *texts[FG_CALL_PARAMS_MAX]; /* the parameters, in the table's order */
    size_t lengths[FG_CALL_PARAMS_MAX];
    json_t *result;
    char message[512];
};

/* Says why; returns the code. */
__attribute__((format(printf, 3, 4))) int fg_call_refuse(struct fg_call *call, int code,
                                                         const char *format, ...);

/* methods_delivery.c: 0 with call->result, or an rpc error with call->message. */
int fg_call_delivery_status(struct fg_call *call);
int fg_call_delivery_rebuild(struct fg_call *call);
int fg_call_consumed(struct fg_call *call);

#endif
