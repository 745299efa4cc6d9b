/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/admission/catalogue.h"

const char *fg_sale_state_name(unsigned state)
{
    static const char *const names[] = {
#define X(name, text) [FG_SALE_##name] = text,
        FG_SALE_STATES(X)
#undef X
    };
    return state < FG_SALE_STATE_COUNT ? names[state] : "?";
}

const char *fg_item_state_name(unsigned state)
{
    static const char *const names[] = {
#define X(name, text) [FG_ITEM_##name] = text,
        FG_ITEM_STATES(X)
#undef X
    };
    return state < FG_ITEM_STATE_COUNT ? names[state] : "?";
}

const char *fg_engine_mode_name(unsigned mode)
{
    static const char *const names[] = {
#define X(name, text, help) [FG_ENGINE_##name] = text,
        FG_ENGINE_MODES(X)
#undef X
    };
    return mode < FG_ENGINE_MODE_COUNT ? names[mode] : "?";
}
