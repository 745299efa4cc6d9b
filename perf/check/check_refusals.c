/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Were the refusals true?
 *
 * SOLD_OUT (I7). A client that sent at s and was told SOLD_OUT for q units at r knows that at some
 * instant t between s and r fewer than q units were not given, where an order under way counts as
 * given. Nobody outside the engine can name t, nor when another's order was taken; but there is a
 * bound that holds whatever t was:
 *
 *   - an order can be given at t only if its first copy was sent at or before r. An order in the
 *     stream that no client here ever sent counts as given all along. So the units of all such
 *     orders together are the most that can have been given;
 *   - units of an order whose CANCELLED or EXPIRED a client heard at or before s were back on sale
 *     before t, because the engine says so only after it has put them back. A hold that ran out
 *     unheard counts as given until somebody is told, and an order that was later reacquired
 *     counts as given for good.
 *
 *   - the supply was at least the least that it can have been between s and r: an added unit counts
 *     once it has surely been put on sale (some time after the log says that it was decided), a
 *     removed one no more as soon as its removal can have begun.
 *
 * Clients whose clocks differ give every time a margin of that difference.
 *
 * If supply - given + back >= q by this count, then q units were free at every possible t and the
 * answer was false: the violation is certain. The bound errs only towards silence; it is sharp at
 * the start of a sale and after heard cancellations, which is where a wrong refusal hurts.
 *
 * Replays (I4). A copy of a request sent after some copy was told of its order has to be told the
 * order's state. To be judged anew would mean that the engine forgot the order. That it may, once
 * the sale is archived.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "perf/check/internal.h"

/* Units that moved at a time; sorted by item, then time, `units` becomes the sum so far. */
struct move {
    uint64_t at_ns;
    uint64_t units;
    uint32_t item; /* place in the books */
};

struct moves {
    struct move *moves;
    uint32_t count;
    uint32_t *begin; /* of each item's; begin[items] is the end */
};

static int compare_moves(const void *left, const void *right)
{
    const struct move *a = left, *b = right;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

static int moves_init(struct moves *moves, const struct check *check)
{
    moves->count = 0;
    moves->moves = malloc((check->orders_count + UINT64_C(1)) * sizeof(*moves->moves));
    moves->begin = malloc((check->result->books_count + UINT64_C(2)) * sizeof(*moves->begin));
    return moves->moves == NULL || moves->begin == NULL ? -ENOMEM : 0;
}

static void moves_fini(struct moves *moves)
{
    free(moves->moves);
    free(moves->begin);
}

static void moves_sum(struct moves *moves, uint32_t items)
{
    qsort(moves->moves, moves->count, sizeof(*moves->moves), compare_moves);
    uint32_t at = 0;
    for (uint32_t item = 0; item <= items; item++) {
        moves->begin[item] = at;
        for (uint64_t sum = 0; at < moves->count && moves->moves[at].item == item; at++) {
            sum += moves->moves[at].units;
            moves->moves[at].units = sum;
        }
    }
}

/* Units of an item moved up to and at `until_ns`. */
static uint64_t moves_until(const struct moves *moves, uint32_t item, uint64_t until_ns)
{
    uint32_t low = moves->begin[item], high = moves->begin[item + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (moves->moves[middle].at_ns <= until_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low == moves->begin[item] ? 0 : moves->moves[low - 1].units;
}

/* Changes of supply, by item. */
struct supplies {
    struct supply {
        uint64_t at_ns;
        uint64_t lsn;
        uint32_t item; /* place in the books */
        uint32_t stock;
    } * changes;
    uint32_t *begin; /* of each item's; begin[items] is the end */
};

static int compare_supplies(const void *left, const void *right)
{
    const struct supply *a = left, *b = right;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    return (a->lsn > b->lsn) - (a->lsn < b->lsn);
}

static int supplies_init(struct supplies *supplies, const struct check *check)
{
    const struct fg_check_input *input = check->input;
    uint32_t count = 0, items = check->result->books_count;

    supplies->changes = malloc((input->changes_count + 1) * sizeof(*supplies->changes));
    supplies->begin = malloc((items + UINT64_C(2)) * sizeof(*supplies->begin));
    if (supplies->changes == NULL || supplies->begin == NULL)
        return -ENOMEM;
    for (uint64_t i = 0; i < input->changes_count; i++) {
        const struct fg_supply_change *change = &input->changes[i];
        uint32_t item = check_item(check, change->item);
        if (item != FG_INDEX_NONE)
            supplies->changes[count++] =
                (struct supply){change->at_ns, change->lsn, item, change->stock};
    }
    qsort(supplies->changes, count, sizeof(*supplies->changes), compare_supplies);
    for (uint32_t item = 0, at = 0; item <= items; item++) {
        supplies->begin[item] = at;
        while (at < count && supplies->changes[at].item == item)
            at++;
    }
    return 0;
}

static void supplies_fini(struct supplies *supplies)
{
    free(supplies->changes);
    free(supplies->begin);
}

/* The least supply that an item can have had at any time from `from_ns` to `to_ns`. An item's
 * changes are few: they are made by hand. */
static uint64_t least_supply(const struct check *check, const struct supplies *supplies,
                             uint32_t item, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t settle = check->input->settle_ns, least = check->input->items[item].stock;
    uint32_t at = supplies->begin[item], end = supplies->begin[item + 1];

    for (; at < end && supplies->changes[at].at_ns + settle <= from_ns; at++)
        least = supplies->changes[at].stock;
    for (; at < end; at++)
        if (supplies->changes[at].at_ns <= to_ns + settle && supplies->changes[at].stock < least)
            least = supplies->changes[at].stock;
    return least;
}

static void collect(const struct check *check, struct moves *given, struct moves *back)
{
    for (uint32_t i = 0; i < check->orders_count; i++) {
        const struct order *order = &check->orders[i];
        bool in_stream = order->state != ORDER_UNSEEN;
        uint32_t place = in_stream ? order->place : order->told_place;
        if (place == FG_INDEX_NONE)
            continue; /* an impossible event without an ADMIT, reported as such */
        const struct request *request = &check->requests[place];
        uint32_t item = check_item(check, in_stream ? order->item : request->item);
        if (item == FG_INDEX_NONE)
            continue;
        uint64_t units = in_stream ? order->quantity : request->quantity;
        given->moves[given->count++] =
            (struct move){.at_ns = request->first_sent_ns, .units = units, .item = item};
        if (order->returned_ns != UINT64_MAX && !check_has(order, FG_EVENT_REACQUIRE))
            back->moves[back->count++] =
                (struct move){.at_ns = order->returned_ns, .units = units, .item = item};
    }
    moves_sum(given, check->result->books_count);
    moves_sum(back, check->result->books_count);
}

static void check_sold_out(struct check *check, const struct fg_history_record *record,
                           const struct moves *given, const struct moves *back,
                           const struct supplies *supplies)
{
    uint32_t item = check_item(check, record->item);
    if (item == FG_INDEX_NONE || !check_whole(check, item))
        return;
    uint64_t skew = check->input->skew_ns;
    uint64_t sent = record->sent_ns > skew ? record->sent_ns - skew : 0;
    uint64_t replied = record->replied_ns + skew;
    uint64_t gone = moves_until(given, item, replied);
    uint64_t free_units =
        least_supply(check, supplies, item, sent, replied) + moves_until(back, item, sent);
    if (free_units < gone + record->quantity)
        return;
    fg_found(check->findings, FG_CHECK_FALSE_SOLD_OUT,
             "buyer %s was told SOLD_OUT for %u of item %" PRIu32 " (request %" PRIu64
             "), sent at %" PRIu64 " ns, but at least %" PRIu64 " were free",
             check_buyer_text(record->buyer).text, record->quantity, record->item, record->request,
             record->sent_ns, free_units - gone);
}

/* Verdicts that come after the look for a replay, so that a known order can never get them. */
static bool judged_anew(unsigned verdict)
{
    switch (verdict) {
    case FG_VERDICT_SOLD_OUT:
    case FG_VERDICT_ALL_HELD:
    case FG_VERDICT_LIMIT_REACHED:
    case FG_VERDICT_NOT_OPEN:
    case FG_VERDICT_CLOSED:
    case FG_VERDICT_PAUSED:
    case FG_VERDICT_BLOCKED:
    case FG_VERDICT_UNKNOWN_ITEM:
    case FG_VERDICT_BAD_QUANTITY:
    case FG_VERDICT_NOT_FOUND:
        return true;
    default:
        return false;
    }
}

/* Can the order's sale have been archived when this was answered? */
static bool maybe_archived(struct check *check, uint64_t id, const struct fg_history_record *record)
{
    const struct order *order = &check->orders[check_order(check, id)];
    if (order->state == ORDER_UNSEEN)
        return check_forgotten(check, record->item);
    const struct fg_sale_facts *facts = check_facts(check, order->stream);
    return facts && facts->archived_lsn != 0 &&
           record->replied_ns + check->input->settle_ns >= facts->archived_ns;
}

static void check_replay(struct check *check, uint64_t at)
{
    const struct fg_history_record *record = &check->input->records[at];
    uint32_t place = check->request_of[at];
    if (place == FG_INDEX_NONE || check->requests[place].told_ns == UINT64_MAX ||
        record->sent_ns <= check->requests[place].told_ns + check->input->skew_ns ||
        maybe_archived(check, check->requests[place].order, record))
        return;
    fg_found(check->findings, FG_CHECK_REPLAY_FORGOTTEN,
             "buyer %s was told of order %" PRIu64 " for request %" PRIu64
             ", and %s for a copy of it that was sent after that",
             check_buyer_text(record->buyer).text, check->requests[place].order, record->request,
             fg_verdict_name(record->verdict));
}

int check_refusals(struct check *check)
{
    struct moves given = {0}, back = {0};
    struct supplies supplies = {0};
    int error = moves_init(&given, check);
    if (error == 0)
        error = moves_init(&back, check);
    if (error == 0)
        error = supplies_init(&supplies, check);
    if (error == 0) {
        collect(check, &given, &back);
        for (uint64_t at = 0; at < check->input->records_count; at++) {
            const struct fg_history_record *record = &check->input->records[at];
            if (record->replied_ns == 0 || !judged_anew(record->verdict))
                continue;
            check_replay(check, at);
            if (record->verdict == FG_VERDICT_SOLD_OUT)
                check_sold_out(check, record, &given, &back, &supplies);
        }
    }
    supplies_fini(&supplies);
    moves_fini(&given);
    moves_fini(&back);
    return error;
}
