/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods about the streams in Redis. A sale's stream outlives the sale: they take archived ones.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "control/methods/methods.h"
#include "control/text.h"
#include "flashgate/control_api.h"

static int need_delivery(struct fg_call *call)
{
    return call->control->engine->delivery
               ? 0
               : fg_call_refuse(call, FG_RPC_REFUSED,
                                "no Redis is configured, so nothing is delivered");
}

/* The sale that the first parameter names, live or archived. */
static int find_stream(struct fg_call *call, uint32_t *number)
{
    const char *name = call->texts[0];
    const struct fg_model *model = &call->control->model;
    const struct fg_sale *sale = fg_model_sale(model, name);
    *number = sale ? sale->number : fg_model_archived_number(model, name);
    if (*number != 0)
        return 0;
    if (fg_model_name_used(model, name))
        return fg_call_refuse(call, FG_RPC_NOT_FOUND,
                              "sale %.64s is archived, and the log has nothing of it any more",
                              name);
    return fg_call_refuse(call, FG_RPC_NOT_FOUND,
                          "there is no sale %.64s; delivery status tells which there are", name);
}

int fg_call_delivery_status(struct fg_call *call)
{
    int rc = need_delivery(call);
    if (rc == 0)
        call->result = fg_status_streams(call->control);
    return rc;
}

/* Who asked is on record before it is done. `seq` NULL: there is none. */
static int journal_act(struct fg_call *call, const char *method, const char *seq)
{
    json_t *params = json_pack("{s:s,s:s*}", "sale", call->texts[0], "seq", seq);
    int rc = params ? fg_act_submit(call->control, call->peer, method, params, call->message,
                                    sizeof(call->message))
                    : fg_call_refuse(call, FG_RPC_INTERNAL, "memory is short");
    json_decref(params);
    return rc;
}

int fg_call_delivery_rebuild(struct fg_call *call)
{
    uint32_t number;
    int rc = need_delivery(call);
    if (rc == 0)
        rc = find_stream(call, &number);
    if (rc != 0)
        return rc;
    rc = fg_delivery_may_rebuild(call->control->engine->delivery, number);
    if (rc == 0) {
        int acted = journal_act(call, "delivery.rebuild", NULL);
        if (acted != 0)
            return acted;
        rc = fg_delivery_rebuild(call->control->engine->delivery, number);
    }
    if (rc == -ERANGE)
        return fg_call_refuse(call, FG_RPC_REFUSED,
                              "the log no longer has the first orders of sale %.64s, so its stream "
                              "cannot be made whole; nothing was changed",
                              call->texts[0]);
    if (rc == -ENOENT)
        return fg_call_refuse(call, FG_RPC_REFUSED,
                              "delivery has not come to sale %.64s in the log yet; try again",
                              call->texts[0]);
    if (rc != 0)
        return fg_call_refuse(call, FG_RPC_REFUSED, "sale %.64s: %s", call->texts[0],
                              strerror(-rc));
    call->result = json_pack("{s:s,s:b}", "sale", call->texts[0], "asked", 1);
    return 0;
}

int fg_call_consumed(struct fg_call *call)
{
    struct fg_delivery *delivery = call->control->engine->delivery;
    uint32_t number;
    uint64_t seq;
    int rc = need_delivery(call);
    if (rc == 0)
        rc = find_stream(call, &number);
    if (rc != 0)
        return rc;
    if (!fg_u64_parse(call->texts[1], &seq))
        return fg_call_refuse(call, FG_RPC_PARAMS, "seq \"%.64s\" is not a number of 64 bits",
                              call->texts[1]);
    /* Consumers tell it again and again: what changes nothing is no event. */
    struct fg_stream_view view = fg_delivery_stream(delivery, number);
    if (seq > view.consumed && seq <= view.delivered) {
        rc = journal_act(call, "consumed", call->texts[1]);
        if (rc != 0)
            return rc;
    }
    rc = fg_delivery_consumed(delivery, number, seq);
    view = fg_delivery_stream(delivery, number);
    if (rc == -ERANGE)
        return fg_call_refuse(call, FG_RPC_REFUSED,
                              "the stream of sale %.64s is known to have entries up to %" PRIu64
                              ", fewer than %" PRIu64,
                              call->texts[0], view.delivered, seq);
    if (rc != 0)
        return fg_call_refuse(call, FG_RPC_REFUSED,
                              "delivery has not come to sale %.64s in the log yet; try again",
                              call->texts[0]);
    call->result = json_pack("{s:s,s:I,s:I}", "sale", call->texts[0], "consumed",
                             (json_int_t)view.consumed, "delivered", (json_int_t)view.delivered);
    return 0;
}
