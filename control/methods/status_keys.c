/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys in status: what workers have seen of each. */
#include "control/internal.h"
#include "control/key_figures.h"
#include "control/text.h"

json_t *fg_status_key(const struct fg_control *control, unsigned place)
{
    char text[FG_IP_TEXT_MAX];
    uint16_t id = control->keys->ring.keys[place].id;
    struct fg_key_figures figures = fg_key_figures_of(control->engine, place, id);
    const struct fg_key_sight *sight = &figures.sight;
    bool stale = sight->stale_ns != 0;
    return json_pack(
        "{s:i,s:I,s:o,s:I,s:I,s:I,s:o,s:o,s:o}", "id", (int)id, "datagrams",
        (json_int_t)sight->accepted, "last_seen", fg_json_time(sight->seen_ns), "asked",
        (json_int_t)figures.asked, "throttled", (json_int_t)figures.throttled, "stale",
        (json_int_t)sight->stale, "stale_at", fg_json_time(sight->stale_ns), "skew_ms",
        stale ? json_integer((json_int_t)(sight->skew_ns / 1000000)) : json_null(), "stale_source",
        stale ? json_string(fg_ip_text(sight->source, text)) : json_null());
}

json_t *fg_status_keys(const struct fg_control *control)
{
    const struct fg_keyring *ring = &control->keys->ring;
    json_t *json = json_array();
    for (unsigned place = 0; place < ring->count; place++)
        if (ring->keys[place].ops != 0)
            json_array_append_new(json, fg_status_key(control, place));
    return json;
}
