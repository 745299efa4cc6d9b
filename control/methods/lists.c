/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The methods on block and allow lists.
 *
 * A reload takes from some and gives to others at once, and what it does stands in files and not in
 * the log: a start reads them again. So it is published first, and then put on record.
 */
#include <inttypes.h>

#include "control/lists/reload.h"
#include "control/methods/methods.h"
#include "control/text.h"
#include "flashgate/control_api.h"

/* --- what is in force --- */

static json_t *list_json(const struct fg_control *control, enum fg_list list)
{
    const struct fg_listing *listing = control->listing;
    const struct fg_list_counts *counts = &listing->lists->counts[list];
    const struct fg_listing_file *file = &listing->files[list];
    return json_pack("{s:s,s:s?,s:I,s:I,s:I,s:o,s:s?}", "list", fg_list_name(list), "file",
                     control->engine->config.list_files[list], "entries",
                     (json_int_t)counts->entries, "duplicates", (json_int_t)counts->duplicates,
                     "overruled", (json_int_t)counts->overruled, "bytes",
                     fg_json_count(file->bytes), "sha256", file->digest[0] ? file->digest : NULL);
}

static uint64_t counted(const struct fg_control *control, size_t offset)
{
    uint64_t sum = 0;
    for (unsigned w = 0; w < control->engine->config.workers; w++) {
        const struct fg_worker *worker = control->engine->workers[w];
        if (worker && worker->counters)
            sum +=
                fg_count_read((const _Atomic uint64_t *)((const char *)worker->counters + offset));
    }
    return sum;
}

/* Who had them loaded; null: the engine, when it started. */
static json_t *by_json(const struct fg_control *control)
{
    const struct fg_listing *listing = control->listing;
    if (listing->uid == UINT32_MAX)
        return json_null();
    return json_pack("{s:I,s:s?,s:I}", "uid", (json_int_t)listing->uid, "user",
                     fg_roles_user(&control->roles, listing->uid), "pid", (json_int_t)listing->pid);
}

static json_t *lists_json(const struct fg_control *control)
{
    const struct fg_listing *listing = control->listing;
    uint64_t now_ns = fg_control_clock_ns(control);
    json_t *lists = json_array();
    for (enum fg_list list = 0; list < FG_LIST_COUNT; list++)
        json_array_append_new(lists, list_json(control, list));
    return json_pack(
        "{s:o,s:o,s:I,s:o,s:I,s:o,s:o,s:o}", "lists", lists, "loaded",
        fg_json_time(listing->loaded_ns), "age_ms",
        (json_int_t)(now_ns > listing->loaded_ns ? (now_ns - listing->loaded_ns) / 1000000 : 0),
        "by", by_json(control), "took_ms", (json_int_t)listing->took_ms, "memory_bytes",
        fg_json_count(listing->lists->bytes), "orders_blocked",
        fg_json_count(counted(control, offsetof(struct fg_counters, verdicts[FG_VERDICT_BLOCKED]))),
        "datagrams_blocked",
        fg_json_count(
            counted(control, offsetof(struct fg_counters, count[FG_COUNTER_DROP_BLOCKED_SOURCE]))));
}

int fg_call_lists_show(struct fg_call *call)
{
    call->result = lists_json(call->control);
    return 0;
}

/* --- one entry --- */

static json_t *buyer_json(const struct fg_lists *lists, const uint8_t *buyer)
{
    static const char *const list_of[] = {[FG_LISTED_BLOCKED] = "block_buyers",
                                          [FG_LISTED_ALLOWED] = "allow_buyers",
                                          [FG_LISTED_NOT] = NULL};
    static const char *const words[] = {
        [FG_LISTED_BLOCKED] = "blocked", [FG_LISTED_ALLOWED] = "allowed", [FG_LISTED_NOT] = "no"};
    char text[FG_BUYER_TEXT];
    enum fg_listed listed = fg_lists_buyer(lists, buyer);
    fg_buyer_format(buyer, text);
    return json_pack("{s:s,s:s,s:s?,s:s?}", "buyer", text, "listed", words[listed], "list",
                     list_of[listed], "entry", listed == FG_LISTED_NOT ? NULL : text);
}

static json_t *source_json(const struct fg_lists *lists, struct fg_ip source)
{
    const struct fg_list_prefix *entry = fg_lists_source_entry(lists, source);
    bool blocked = entry && entry->listed == FG_LISTED_BLOCKED;
    char text[FG_IP_TEXT_MAX], prefix[FG_IP_TEXT_MAX] = "";
    fg_ip_text(source, text);
    if (entry)
        fg_prefix_text(entry->address, entry->bits, prefix);
    return json_pack("{s:s,s:s,s:s?,s:s?}", "source", text, "listed",
                     !entry    ? "no"
                     : blocked ? "blocked"
                               : "allowed",
                     "list",
                     !entry    ? NULL
                     : blocked ? "block_sources"
                               : "allow_sources",
                     "entry", entry ? prefix : NULL);
}

int fg_call_lists_check(struct fg_call *call)
{
    const struct fg_lists *lists = call->control->listing->lists;
    uint8_t buyer[FG_BUYER_BYTES];
    struct fg_ip source;
    unsigned bits;
    bool whole;
    if (fg_buyer_parse(call->texts[0], buyer))
        call->result = buyer_json(lists, buyer);
    else if (fg_ip_parse(call->texts[0], &source, &bits, &whole) && whole)
        call->result = source_json(lists, source);
    else
        return fg_call_refuse(call, FG_RPC_PARAMS,
                              "\"%.64s\" is neither a buyer (32 hex digits, with or without "
                              "dashes) nor an IPv4 or IPv6 address",
                              call->texts[0]);
    return 0;
}

/* --- loading --- */

/* What goes on record: of each list how many entries, and which file it was. */
static json_t *record_of(const struct fg_listing *listing)
{
    json_t *record = json_object();
    for (enum fg_list list = 0; list < FG_LIST_COUNT; list++)
        if (listing->files[list].digest[0])
            json_object_set_new(record, fg_list_name(list),
                                json_pack("{s:I,s:s}", "entries",
                                          (json_int_t)listing->lists->counts[list].entries,
                                          "sha256", listing->files[list].digest));
    return record;
}

/* They are published, and in force but for a worker that `rc` tells of; this tells so where the
 * record fails. */
static int put_on_record(struct fg_call *call, int rc)
{
    char why[sizeof(call->message)];
    json_t *record = record_of(call->control->listing);
    int recorded =
        fg_act_submit(call->control, call->peer, "lists.reload", record, why, sizeof(why));
    json_decref(record);
    return rc != 0 || recorded == 0
               ? rc
               : fg_call_refuse(call, FG_RPC_TIME_LIMIT,
                                "the lists are in force, but not on record: %.400s", why);
}

int fg_call_lists_reload(struct fg_call *call)
{
    struct fg_control *control = call->control;
    int rc = fg_call_catch_up(call);
    if (rc != 0)
        return rc;
    struct fg_listing *listing =
        fg_lists_read(control, call->peer, call->message, sizeof(call->message));
    if (!listing)
        return fg_call_refuse_file(call, "the lists");
    rc = fg_call_catch_up(call); /* what time has opened while they were read */
    if (rc != 0) {
        fg_lists_end(control, listing);
        return rc;
    }
    struct fg_listing *before = fg_lists_put(control, listing);
    fg_change_begin_reissue(control);
    rc = fg_call_finish_change(call);
    fg_lists_end(control, before);
    if (rc == 0 || rc == FG_RPC_TIME_LIMIT)
        rc = put_on_record(call, rc);
    if (rc == 0)
        call->result = lists_json(control);
    return rc;
}
