/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/methods/methods.h"

static int status(struct fg_call *call)
{
    call->result = fg_status_json(call->control);
    return 0;
}

#define NAME_PARAM                                                                                 \
    {                                                                                              \
        "name", false, "the sale's name"                                                           \
    }
#define SALE_PARAM                                                                                 \
    {                                                                                              \
        "sale", false, "the sale's name"                                                           \
    }
#define ITEM_PARAM                                                                                 \
    {                                                                                              \
        "item", false, "the item's id"                                                             \
    }
#define UNITS_PARAM                                                                                \
    {                                                                                              \
        "units", false, "how many units"                                                           \
    }
#define VALUE_PARAM                                                                                \
    {                                                                                              \
        "value", false, "its value, as a sale file has it"                                         \
    }
#define ORDER_PARAMS                                                                               \
    {"buyer", false, "32 hex digits, with or without dashes"},                                     \
    {                                                                                              \
        "request", false, "the request's number, decimal or 0x hex"                                \
    }

const struct fg_method fg_methods[] = {
    {.name = "status", .run = status, .role = FG_ROLE_OBSERVER, .help = "The engine as it is now."},
    {.name = "clock.accept",
     .run = fg_call_clock_accept,
     .role = FG_ROLE_OPERATOR,
     .asks = true,
     .help = "After a step of the machine's clock: it is right, schedules go by it."},
    {.name = "methods",
     .run = fg_call_methods,
     .role = FG_ROLE_OBSERVER,
     .help = "What can be called: this table."},
    {.name = "events",
     .run = fg_call_events,
     .role = FG_ROLE_OBSERVER,
     .params = {{"since", true, "an LSN: only events after it"},
                {"limit", true, "at most so many, 1 to 500"},
                {"sale", true, "only events of this sale"}},
     .help = "What was done, by whom and when."},
    {.name = "engine.drain",
     .run = fg_call_engine_drain,
     .role = FG_ROLE_OWNER,
     .asks = true,
     .help = "New orders are answered BUSY, until engine.resume; tells what is under way yet."},
    {.name = "engine.drain_status",
     .run = fg_call_engine_drain_status,
     .role = FG_ROLE_OBSERVER,
     .help = "How far draining has come."},

    /* sales */
    {.name = "sale.apply",
     .run = fg_call_sale_apply,
     .role = FG_ROLE_OPERATOR,
     .asks = true,
     .params = {{"text", false, "the sale file's text"},
                {"source", false, "what messages call it"},
                {"dry_run", true, "true: only tells what it would change"},
                {"if_revision", true, "refused unless this is the catalogue's revision"}},
     .help = "Puts a sale file in force, and tells what that changed."},
    {.name = "sale.export",
     .run = fg_call_sale_export,
     .role = FG_ROLE_OBSERVER,
     .params = {NAME_PARAM},
     .help = "A sale file that describes a sale as it is in force."},
    {.name = "sale.open",
     .run = fg_call_sale_open,
     .role = FG_ROLE_OPERATOR,
     .params = {NAME_PARAM},
     .help = "Opens a sale now; answers when every worker sells."},
    {.name = "sale.close",
     .run = fg_call_sale_close,
     .role = FG_ROLE_OPERATOR,
     .vital = true,
     .asks = true,
     .params = {NAME_PARAM},
     .help = "Closes a sale for good; answers when no worker sells."},
    {.name = "sale.pause",
     .run = fg_call_sale_pause,
     .role = FG_ROLE_OPERATOR,
     .vital = true,
     .params = {NAME_PARAM},
     .help = "Pauses a sale; answers when no worker sells. It does not open by the clock then."},
    {.name = "sale.resume",
     .run = fg_call_sale_resume,
     .role = FG_ROLE_OPERATOR,
     .params = {NAME_PARAM},
     .help = "Ends a sale's pause; it is open if its opening time has passed."},
    {.name = "sale.set",
     .run = fg_call_sale_set,
     .role = FG_ROLE_OPERATOR,
     .asks = true,
     .params = {NAME_PARAM, {"field", false, "opens, closes, limit, rate or burst"}, VALUE_PARAM},
     .help = "Changes one figure of a live sale."},
    {.name = "sale.archive",
     .run = fg_call_sale_archive,
     .role = FG_ROLE_OWNER,
     .vital = true,
     .asks = true,
     .params = {NAME_PARAM},
     .help = "Ends a closed sale's life: its orders are forgotten, its log may go."},
    {.name = "sale.show",
     .run = fg_call_sale_show,
     .role = FG_ROLE_OBSERVER,
     .params = {NAME_PARAM},
     .help = "One sale with all its items."},
    {.name = "sale.list",
     .run = fg_call_sale_list,
     .role = FG_ROLE_OBSERVER,
     .params = {{"archived", true, "true: those that are archived instead"},
                {"after", true, "the name of an archived sale: only those after it"}},
     .help = "The live sales, without their items; or the names of the archived, 500 at most."},

    /* items */
    {.name = "stock.add",
     .run = fg_call_stock_add,
     .role = FG_ROLE_OPERATOR,
     .params = {ITEM_PARAM, UNITS_PARAM},
     .help = "Puts more units of an item on sale; they are durable first."},
    {.name = "stock.remove",
     .run = fg_call_stock_remove,
     .role = FG_ROLE_OPERATOR,
     .params = {ITEM_PARAM, UNITS_PARAM},
     .help = "Takes unsold units of an item off sale, as many as there are, and says how many."},
    {.name = "item.pause",
     .run = fg_call_item_pause,
     .role = FG_ROLE_OPERATOR,
     .params = {ITEM_PARAM},
     .help = "Pauses one item; the rest of its sale goes on."},
    {.name = "item.resume",
     .run = fg_call_item_resume,
     .role = FG_ROLE_OPERATOR,
     .params = {ITEM_PARAM},
     .help = "Ends an item's pause."},
    {.name = "item.close",
     .run = fg_call_item_close,
     .role = FG_ROLE_OPERATOR,
     .asks = true,
     .params = {ITEM_PARAM},
     .help = "Closes one item for good."},
    {.name = "item.set",
     .run = fg_call_item_set,
     .role = FG_ROLE_OPERATOR,
     .asks = true,
     .params = {ITEM_PARAM, {"field", false, "limit, hold or max_per_order"}, VALUE_PARAM},
     .help = "Changes one figure of an item on sale."},

    /* the engine */
    {.name = "engine.pause",
     .run = fg_call_engine_pause,
     .role = FG_ROLE_OPERATOR,
     .vital = true,
     .help = "Answers every ORDER PAUSED; CONFIRM, CANCEL and expiry go on."},
    {.name = "engine.resume",
     .run = fg_call_engine_resume,
     .role = FG_ROLE_OPERATOR,
     .help = "Sells again, after a pause; after a drain or the kill switch by an owner."},
    {.name = "engine.kill",
     .run = fg_call_engine_kill,
     .role = FG_ROLE_OWNER,
     .vital = true,
     .asks = true,
     .help = "The kill switch: everything is answered BUSY until engine.resume."},

    /* orders */
    {.name = "order.show",
     .run = fg_call_order_show,
     .role = FG_ROLE_OBSERVER,
     .params = {ORDER_PARAMS},
     .help = "What became of a buyer's request."},
    {.name = "order.list",
     .run = fg_call_order_list,
     .role = FG_ROLE_OBSERVER,
     .params = {{"buyer", false, "32 hex digits, with or without dashes"},
                {"sale", true, "only orders of this sale, by name or number"},
                {"after", true, "a request of the buyer: only orders before that one"}},
     .help = "A buyer's orders, the newest first, 64 at most."},
    {.name = "order.cancel",
     .run = fg_call_order_cancel,
     .role = FG_ROLE_OPERATOR,
     .asks = true,
     .params = {ORDER_PARAMS},
     .help = "Withdraws an order, held or final; answers when that is durable and its units are "
             "back."},
    {.name = "suspects",
     .run = fg_call_suspects,
     .role = FG_ROLE_OBSERVER,
     .params = {{"count", true, "at most so many buyers, and keys, 1 to 100; 20 if left out"}},
     .help = "Buyers and keys that are refused for their rates most."},

    /* delivery */
    {.name = "delivery.status",
     .run = fg_call_delivery_status,
     .role = FG_ROLE_OBSERVER,
     .help = "The link to Redis, and how far each sale's stream is."},
    {.name = "delivery.rebuild",
     .run = fg_call_delivery_rebuild,
     .role = FG_ROLE_OWNER,
     .params = {SALE_PARAM},
     .help = "Moves a sale's stream aside and fills it anew from the log."},
    {.name = "consumed",
     .run = fg_call_consumed,
     .role = FG_ROLE_OPERATOR,
     .params = {SALE_PARAM, {"seq", false, "the last sale_seq that is processed"}},
     .help = "A sale's entries up to `seq` are processed and may go."},

    /* frames: they hold buyers' names, and datagrams that are valid for a while */
    {.name = "capture.start",
     .run = fg_call_capture_start,
     .role = FG_ROLE_OWNER,
     .params = {{"count", true, "frames that are kept, 1 to 10000; else 1000"},
                {"seconds", true, "for so long at most, 1 to 3600; else 10"},
                {"dropped", true, "true: only frames that are dropped"},
                {"source", true, "an address or prefix: only frames from it, and to it"}},
     .help = "Begins to keep frames as they come and go; the sale goes on."},
    {.name = "capture.read",
     .run = fg_call_capture_read,
     .role = FG_ROLE_OWNER,
     .params = {{"capture", false, "its number"},
                {"after", true, "how many were read: only those behind them"}},
     .help = "Frames that were kept, page by page; with the last one the capture is over."},
    {.name = "capture.stop",
     .run = fg_call_capture_stop,
     .role = FG_ROLE_OWNER,
     .params = {{"capture", false, "its number"}},
     .help = "Keeps no more frames; those that were kept are read yet."},

    /* keys */
    {.name = "keys.list",
     .run = fg_call_keys_list,
     .role = FG_ROLE_OBSERVER,
     .help = "The keys in force: their rights, and what was seen of each; never a secret."},
    {.name = "keys.reload",
     .run = fg_call_keys_reload,
     .role = FG_ROLE_OWNER,
     .vital = true,
     .asks = true,
     .help =
         "Reads the key file again; answers when every worker goes by it, and by nothing else."},

    /* lists */
    {.name = "lists.show",
     .run = fg_call_lists_show,
     .role = FG_ROLE_OBSERVER,
     .help = "The block and allow lists in force: files, entries, when and by whom they were "
             "loaded."},
    {.name = "lists.check",
     .run = fg_call_lists_check,
     .role = FG_ROLE_OBSERVER,
     .params = {{"who", false, "a buyer (32 hex digits, with or without dashes) or an address"}},
     .help = "Is a buyer or a source blocked or allowed, and by which entry?"},
    {.name = "lists.reload",
     .run = fg_call_lists_reload,
     .role = FG_ROLE_OPERATOR,
     .vital = true,
     .help = "Reads the lists' files again; answers when every worker goes by them."},
};
const unsigned fg_methods_count = sizeof(fg_methods) / sizeof(*fg_methods);
