/* SPDX-License-Identifier: BSD-3-Clause */
/* What a frame's source is answered. Workers; pure. */
#ifndef FG_BLOCKED_H
#define FG_BLOCKED_H

#include "dataplane/admission/lists.h"
#include "dataplane/net/frame.h"

/* Nothing that a blocked source asks is answered, but for how to reach the engine: whoever is not
 * blocked may need that of it. `lists` NULL: nobody is listed. */
static inline bool fg_frame_blocked(const struct fg_lists *lists, const struct fg_parsed *parsed)
{
    return (parsed->kind == FG_FRAME_REQUEST || parsed->kind == FG_FRAME_ECHO) &&
           fg_lists_source_blocked(lists, parsed->source);
}

#endif
