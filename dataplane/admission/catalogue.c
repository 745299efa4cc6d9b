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
