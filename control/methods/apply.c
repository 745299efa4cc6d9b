/* SPDX-License-Identifier: BSD-3-Clause */
/* Sale files: put in force, and written from what is in force. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/aside.h"
#include "control/methods/methods.h"
#include "control/sale/plan.h"
#include "control/sale/sale_file.h"
#include "control/text.h"
#include "flashgate/control_api.h"

/* In the log's form, at most: two of its name's bytes for each, and its figures. */
#define RECORD_BYTES_PER_ITEM (2 * FG_ITEM_NAME_MAX + 128)

/* --- carrying out a plan --- */

static int no_memory(struct fg_call *call)
{
    return fg_call_refuse(call, FG_RPC_INTERNAL, "memory is short; nothing was changed");
}

/* Time has opened or closed the sale since it was planned what becomes of it. Workers know that
 * already, and no new opens or closes may take it back. */
static int check_times(struct fg_call *call, const struct fg_sale *sale)
{
    const struct fg_sale *running = fg_model_sale_number(&call->control->model, sale->number);
    if (!running || (running->opens_ns == sale->opens_ns && running->closes_ns == sale->closes_ns))
        return 0;
    enum fg_sale_state due = fg_control_state_due(running, fg_control_clock_ns(call->control));
    if (due == running->state)
        return 0;
    return fg_call_refuse(call, FG_RPC_REFUSED, "sale %s is %s since a moment ago; look again",
                          sale->name, fg_sale_state_name(due));
}

static int put_sale(struct fg_call *call, const struct fg_sale *sale, bool takes)
{
    int rc = sale ? check_times(call, sale) : 0;
    if (!sale || rc != 0)
        return rc;
    rc = fg_change_begin_sale(call->control, call->peer, sale, takes);
    if (rc == -ENOMEM)
        return no_memory(call);
    if (rc != 0)
        return fg_call_refuse(
            call, FG_RPC_REFUSED,
            "sale %s cannot be kept in the log: %s; make it several smaller sales", sale->name,
            rc == -E2BIG ? "its record would be too long" : strerror(-rc));
    return fg_call_finish_change(call);
}

/* "a; b; c; and 7 more, which --dry-run lists": as many as a sentence holds. */
static void list_losses(const json_t *losses, char *text, size_t size)
{
    size_t used = 0, i, count = json_array_size(losses);
    for (i = 0; i < count; i++) {
        const char *loss = json_string_value(json_array_get(losses, i));
        if (used + strlen(loss) + sizeof("; ") + sizeof("; and 10000 more, which --dry-run lists") >
            size)
            break;
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "; " : "", loss);
    }
    if (i < count)
        snprintf(text + used, size - used, "; and %zu more, which --dry-run lists", count - i);
}

/* Both records of a sale, before the first of them. */
static int check_room(struct fg_call *call, const struct fg_plan *plan)
{
    uint64_t items =
        (plan->takes ? plan->takes->items_count : 0) + (plan->gives ? plan->gives->items_count : 0);
    if (items == 0 || fg_room_check(call->control, items * RECORD_BYTES_PER_ITEM, call->message,
                                    sizeof(call->message)) == 0)
        return 0;
    return FG_RPC_REFUSED;
}

/* Units off one item, as many as are unsold. What was taken is told in `removed`. */
static int remove_units(struct fg_call *call, const struct fg_plan_removal *removal,
                        json_t *removed)
{
    struct fg_control *control = call->control;
    const struct fg_model_item *item = fg_model_item(&control->model, removal->item);
    int rc = 0;
    if (removal->closes) {
        fg_change_begin_item(control, call->peer, item, FG_ITEM_CLOSED);
        rc = fg_call_finish_change(call);
    }
    if (rc != 0)
        return rc;
    uint32_t taken = fg_change_begin_remove(control, call->peer, item, removal->units);
    if (taken > 0)
        rc = fg_call_finish_change(call);
    json_array_append_new(removed, json_pack("{s:I,s:I}", "item", (json_int_t)removal->item,
                                             "units", (json_int_t)taken));
    return rc;
}

static int remove_all(struct fg_call *call, const struct fg_plan *plan, json_t *removed)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < plan->removals_count; i++)
        rc = remove_units(call, &plan->removals[i], removed);
    return rc;
}

/* The definition that gives was made before the removals: of what was taken it knows nothing. */
static void settle_stock(const struct fg_control *control, const struct fg_plan *plan)
{
    for (uint32_t i = 0; plan->gives && i < plan->removals_count; i++)
        plan->gives->items[plan->removals[i].place].stock =
            fg_model_supply(fg_model_item(&control->model, plan->removals[i].item));
}

/* What the file takes, then the units that it takes off, then what it gives. */
static int carry_out(struct fg_call *call, const struct fg_plan *plan, json_t *removed)
{
    bool begun = plan->takes || plan->removals_count > 0;
    int rc = put_sale(call, plan->takes, true);
    if (rc != 0)
        return rc;
    rc = remove_all(call, plan, removed);
    if (rc == 0) {
        settle_stock(call->control, plan);
        rc = put_sale(call, plan->gives, false);
    }
    if (rc != 0 && begun) {
        char rest[sizeof(call->message)];
        memcpy(rest, call->message, sizeof(rest));
        return fg_call_refuse(call, rc, "what the file takes is in force, the rest not yet: %.400s",
                              rest);
    }
    return rc;
}

/* What was done, or (dry run) would be. A new reference. */
static json_t *told(const struct fg_call *call, const struct fg_plan *plan, const char *name,
                    uint64_t revision_before, json_t *removed, bool dry_run)
{
    uint64_t revision = call->control->model.revision;
    return json_pack("{s:s,s:I,s:b,s:b,s:b,s:O,s:O,s:O,s:O}", "sale", name, "revision",
                     (json_int_t)revision, "new", plan->new_sale, "changed",
                     revision != revision_before, "dry_run", dry_run, "changes", plan->changes,
                     "takes_away", plan->losses, "removed", removed, "notices", plan->notices);
}

/* The question has some of the losses in its sentence, and all that the plan is beside it. */
static int ask(struct fg_call *call, const struct fg_plan *plan, const struct fg_sale *wanted,
               json_t *removed)
{
    const struct fg_sale *running = fg_model_sale(&call->control->model, wanted->name);
    char text[380];
    if (json_array_size(plan->losses) == 0 || call->confirmed)
        return 0;
    list_losses(plan->losses, text, sizeof(text));
    call->data = told(call, plan, wanted->name, call->control->model.revision, removed, true);
    return fg_call_confirm(call, "sale %s is %s, and this takes away: %s", wanted->name,
                           fg_sale_state_name(running->state), text);
}

struct planning {
    struct fg_plan plan;
    struct fg_plan_world world;
    const struct fg_sale *wanted;
    struct fg_call *call;
    int rc;
};

static void make_plan(void *arg)
{
    struct planning *p = arg;
    p->rc =
        fg_plan_sale(&p->plan, &p->world, p->wanted, p->call->message, sizeof(p->call->message));
}

static void end_plan(void *arg)
{
    struct planning *p = arg;
    fg_plan_free(&p->plan);
}

static int plan_and_do(struct fg_call *call, const struct fg_sale *wanted, bool dry_run)
{
    struct fg_control *control = call->control;
    uint64_t revision = control->model.revision;
    bool large = wanted->items_count > FG_ASIDE_ITEMS;
    json_t *removed = json_array();
    struct planning p = {
        .world = {.model = &control->model,
                  .config = &control->engine->config,
                  .stock = &control->engine->stock,
                  .now_ns = fg_control_clock_ns(control)},
        .wanted = wanted,
        .call = call,
    };
    fg_control_aside(control, large, make_plan, &p);
    int rc = p.rc;
    if (rc == -EPERM)
        rc = FG_RPC_REFUSED;
    else if (rc != 0)
        rc = no_memory(call);
    else if (!dry_run && (rc = check_room(call, &p.plan)) == 0 &&
             (rc = ask(call, &p.plan, wanted, removed)) == 0)
        rc = carry_out(call, &p.plan, removed);
    if (rc == 0)
        call->result = told(call, &p.plan, wanted->name, revision, removed, dry_run);
    json_decref(removed);
    fg_control_aside(control, large, end_plan, &p);
    return rc;
}

int fg_call_carry_out(struct fg_call *call, const struct fg_sale *wanted)
{
    return plan_and_do(call, wanted, false);
}

/* --- sale.apply --- */

enum { TEXT, SOURCE, DRY_RUN, IF_REVISION }; /* its parameters, as in the table */

/* Has nobody changed anything since the caller looked? */
static int check_revision(struct fg_call *call)
{
    uint64_t wanted, revision = call->control->model.revision;
    if (!call->texts[IF_REVISION])
        return 0;
    if (!fg_u64_parse(call->texts[IF_REVISION], &wanted))
        return fg_call_refuse(call, FG_RPC_PARAMS, "if_revision is a revision's number");
    if (wanted == revision)
        return 0;
    return fg_call_refuse(call, FG_RPC_REFUSED,
                          "the catalogue's revision is %" PRIu64 ", not %" PRIu64
                          "; nothing was changed, look again at what the file would change "
                          "(--dry-run)",
                          revision, wanted);
}

struct parsing {
    const struct fg_call *call;
    uint64_t now_ns;
    struct fg_sale sale;
    char *message;
    int rc;
};

static void parse_file(void *arg)
{
    struct parsing *p = arg;
    p->rc = fg_sale_parse(&p->sale, p->call->texts[SOURCE], p->call->texts[TEXT],
                          p->call->lengths[TEXT], p->now_ns, p->message, sizeof(p->call->message));
}

int fg_call_sale_apply(struct fg_call *call)
{
    bool dry_run;
    int rc = fg_call_flag(call, DRY_RUN, "dry_run", &dry_run);
    if (rc != 0)
        return rc;
    struct parsing p = {
        .call = call, .now_ns = fg_control_clock_ns(call->control), .message = call->message};
    fg_control_aside(call->control, call->lengths[TEXT] > FG_ASIDE_BYTES, parse_file, &p);
    if (p.rc != 0)
        return FG_RPC_SALE_FILE;
    rc = fg_call_catch_up(call);
    if (rc == 0)
        rc = check_revision(call);
    if (rc == 0)
        rc = plan_and_do(call, &p.sale, dry_run);
    fg_sale_free(&p.sale);
    return rc;
}

/* --- sale.export --- */

struct exporting {
    const struct fg_model *model;
    const struct fg_sale *running;
    char *text;
};

static void write_file(void *arg)
{
    struct exporting *e = arg;
    struct fg_sale *sale = fg_plan_in_force(e->model, e->running);
    e->text = sale ? fg_sale_file_text(sale, e->model->revision) : NULL;
    fg_model_sale_free(sale);
}

int fg_call_sale_export(struct fg_call *call)
{
    const struct fg_model *model = &call->control->model;
    struct fg_sale *running;
    int rc = fg_call_find_sale(call, &running);
    if (rc != 0)
        return rc;
    struct exporting e = {.model = model, .running = running};
    fg_control_aside(call->control, running->items_count > FG_ASIDE_ITEMS, write_file, &e);
    if (e.text)
        call->result = json_pack("{s:s,s:I,s:s}", "sale", running->name, "revision",
                                 (json_int_t)model->revision, "text", e.text);
    free(e.text);
    return call->result ? 0 : no_memory(call);
}
