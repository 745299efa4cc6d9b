/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour solicitations, judged as RFC 4861 7.1.1 says. */
#include "dataplane/net/parse.h"

#define HEADER        24 /* type, code, checksum, reserved, target */
#define TARGET        8  /* its offset */
#define OPTION_UNIT   8  /* bytes that an option's length counts in */
#define OPTION_SOURCE 1  /* the source's link-layer address */

/* Each option is all there, and not empty. *told: one is the source's link-layer address. Every
 * step takes at least a unit off what is left. */
static bool options_right(const uint8_t *at, size_t left, bool *told)
{
    while (left > 0) {
        size_t length = left < OPTION_UNIT ? 0 : (size_t)at[1] * OPTION_UNIT;
        if (length == 0 || length > left)
            return false;
        *told |= at[0] == OPTION_SOURCE;
        at += length;
        left -= length;
    }
    return true;
}

void parse_neighbour(const struct parse *parse, const struct parse_part *part,
                     struct fg_parsed *parsed)
{
    const struct rte_ipv6_hdr *ip = (const void *)(parse->frame + parsed->l3);
    bool probe = fg_ip_is_zero(parsed->source), told = false;

    if (part->length < HEADER)
        return parse_drop(parsed, FG_COUNTER_DROP_RUNT);
    /* No router passes 255 on: it was sent on this link. */
    if (ip->hop_limits != 255 || part->at[1] != 0 || part->at[TARGET] == 0xff ||
        !options_right(part->at + HEADER, part->length - HEADER, &told))
        return parse_drop(parsed, FG_COUNTER_DROP_NEIGHBOUR);
    /* Without an address there is nobody to tell a link-layer address of, and everybody is asked.
     */
    if (probe && (told || ip->dst_addr[0] != 0xff))
        return parse_drop(parsed, FG_COUNTER_DROP_NEIGHBOUR);
    if (!fg_ip_same(fg_ip_of_v6(part->at + TARGET), parse->us->address6))
        return parse_drop(parsed, FG_COUNTER_DROP_NOT_FOR_US);
    if (!probe && !parse_source6(parse->us, parsed->source, parsed))
        return;
    parsed->kind = FG_FRAME_NEIGHBOUR;
}
