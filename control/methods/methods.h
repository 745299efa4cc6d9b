/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The methods of the control protocol: the one table (methods/table.c), and what the files of
 * methods share. One thread: control.
 */
#ifndef FG_CONTROL_METHODS_H
#define FG_CONTROL_METHODS_H

#include "control/internal.h"
#include "control/server/roles.h"

#define FG_CALL_PARAMS_MAX 8

/* A call of a method under way. */
struct fg_call {
    struct fg_control *control;
    const struct fg_peer *peer;
    const char
        *texts[FG_CALL_PARAMS_MAX]; /* the parameters, in the table's order; NULL: left out */
    size_t lengths[FG_CALL_PARAMS_MAX];
    bool confirmed; /* whoever asks knows what it takes away, see fg_call_confirm() */
    json_t *result;
    json_t *data; /* beside an error's message; NULL: nothing */
    char message[512];
};

struct fg_method_param {
    const char *name; /* its value is a string */
    bool optional;
    const char *help; /* goes on from the name: "the sale's name" */
};

struct fg_method {
    const char *name;
    /* 0 with call->result, or an rpc error with call->message and then nothing has changed. */
    int (*run)(struct fg_call *call);
    enum fg_role role; /* least one that may call it */
    bool vital;        /* it may use the log's last room, see room.c */
    bool asks;         /* it takes the boolean `confirmed`, and may call fg_call_confirm() */
    struct fg_method_param params[FG_CALL_PARAMS_MAX];
    const char *help; /* one sentence */
};

extern const struct fg_method fg_methods[];
extern const unsigned fg_methods_count;

/* Says why; returns the code. */
__attribute__((format(printf, 3, 4))) int fg_call_refuse(struct fg_call *call, int code,
                                                         const char *format, ...);

/* texts[place] as a number; left out, *value stays. 0, or FG_RPC_PARAMS with a sentence. */
int fg_call_number(struct fg_call *call, unsigned place, const char *name, uint64_t least,
                   uint64_t most, uint64_t *value);

/* A file was not taken, and `message` has the reader's sentence: adds that `what`, which is in
 * force, stays. FG_RPC_REFUSED. */
int fg_call_refuse_file(struct fg_call *call, const char *what);

/* Has the caller that role, or a greater one? 0, or FG_RPC_FORBIDDEN with a sentence: `deed` needs
 * it. */
int fg_call_need_role(struct fg_call *call, enum fg_role needed, const char *deed);

/* Before a step that takes something away: 0 if the caller has confirmed it; else FG_RPC_CONFIRM
 * with the sentence, which says what it takes. flashgatectl then asks the person, or wants --yes.
 */
__attribute__((format(printf, 2, 3))) int fg_call_confirm(struct fg_call *call, const char *format,
                                                          ...);

/* The parameter at this place of the table: "true", "false" or left out. 0, or FG_RPC_PARAMS with a
 * sentence. */
int fg_call_flag(struct fg_call *call, unsigned place, const char *name, bool *flag);

/* The live sale that texts[0] names. 0, or FG_RPC_NOT_FOUND with a sentence. */
int fg_call_find_sale(struct fg_call *call, struct fg_sale **sale);

/* Waits for the change under way, whoever asked for it. 0, or an rpc error with a sentence. */
int fg_call_finish_change(struct fg_call *call);

/* A change begins from what is in force: the changes before it are done, and what time has opened
 * or closed is on record, for buyers have it so already. 0, or an rpc error with a sentence. */
int fg_call_catch_up(struct fg_call *call);
/* The same, and texts[0] names a live sale. */
int fg_call_begin_sale(struct fg_call *call, struct fg_sale **sale);

/*
 * methods/apply.c: puts a sale's definition in force, as sale.apply does with a file: plans, asks
 * where it takes something away, publishes and journals. `wanted` is a whole definition; to change
 * a live sale, alter a copy made by fg_plan_in_force(). After fg_call_catch_up(). 0 with
 * call->result as sale.apply has it, or an rpc error with a sentence.
 */
int fg_call_carry_out(struct fg_call *call, const struct fg_sale *wanted);
int fg_call_sale_apply(struct fg_call *call);
int fg_call_sale_export(struct fg_call *call);

/* methods/sale.c */
int fg_call_sale_list(struct fg_call *call);
int fg_call_sale_show(struct fg_call *call);
int fg_call_sale_open(struct fg_call *call);
int fg_call_sale_close(struct fg_call *call);
int fg_call_sale_pause(struct fg_call *call);
int fg_call_sale_resume(struct fg_call *call);
int fg_call_sale_archive(struct fg_call *call);

/* methods/live.c */
int fg_call_stock_add(struct fg_call *call);
int fg_call_stock_remove(struct fg_call *call);
int fg_call_item_pause(struct fg_call *call);
int fg_call_item_resume(struct fg_call *call);
int fg_call_item_close(struct fg_call *call);
int fg_call_item_set(struct fg_call *call);
int fg_call_sale_set(struct fg_call *call);
int fg_call_engine_pause(struct fg_call *call);
int fg_call_engine_resume(struct fg_call *call);
int fg_call_engine_kill(struct fg_call *call);
/* Puts a mode of the engine in force: 0 with call->result (mode, revision, changed), or an rpc
 * error with a sentence. Killed is asked about, and left only by RUNNING. */
int fg_call_set_mode(struct fg_call *call, enum fg_engine_mode mode);

/* methods/lists.c */
int fg_call_lists_show(struct fg_call *call);
int fg_call_lists_check(struct fg_call *call);
int fg_call_lists_reload(struct fg_call *call);

/* methods/clock.c */
int fg_call_clock_accept(struct fg_call *call);

/* methods/capture.c */
int fg_call_capture_start(struct fg_call *call);
int fg_call_capture_read(struct fg_call *call);
int fg_call_capture_stop(struct fg_call *call);

/* methods/keys.c */
int fg_call_keys_reload(struct fg_call *call);
int fg_call_keys_list(struct fg_call *call);

/* methods/drain.c */
int fg_call_engine_drain(struct fg_call *call);
int fg_call_engine_drain_status(struct fg_call *call);

/* methods/order.c */
int fg_call_order_show(struct fg_call *call);
int fg_call_order_list(struct fg_call *call);
int fg_call_order_cancel(struct fg_call *call);

/* methods/suspects.c */
int fg_call_suspects(struct fg_call *call);

/* methods/events.c */
int fg_call_events(struct fg_call *call);
int fg_call_methods(struct fg_call *call);

/* methods/delivery.c */
int fg_call_delivery_status(struct fg_call *call);
int fg_call_delivery_rebuild(struct fg_call *call);
int fg_call_consumed(struct fg_call *call);

#endif
