/* SPDX-License-Identifier: BSD-3-Clause */
/* A fake engine with a sale that sells, and the calls that change it meanwhile. */
#ifndef TESTS_LIVE_FIXTURE_H
#define TESTS_LIVE_FIXTURE_H

#include "tests/unit/fake_engine.h"

static inline json_t *of_item(const char *method, const char *id)
{
    return call(method, json_pack("{s:s}", "item", id));
}

static inline json_t *stock(const char *method, const char *id, const char *units)
{
    return call(method, json_pack("{s:s,s:s}", "item", id, "units", units));
}

static inline json_t *set(const char *method, const char *key, const char *of, const char *field,
                          const char *value)
{
    return call(method, json_pack("{s:s,s:s,s:s,s:b}", key, of, "field", field, "value", value,
                                  "confirmed", 1));
}

static inline void assert_text(const json_t *result, const char *key, const char *wanted)
{
    assert_non_null(result);
    assert_string_equal(json_string_value(json_object_get(result, key)), wanted);
}

static inline bool changed(const json_t *result)
{
    assert_true(json_is_boolean(json_object_get(result, "changed")));
    return json_is_true(json_object_get(result, "changed"));
}

static inline uint32_t free_units(uint32_t id)
{
    return fg_stock_free_units(&engine->stock, item(id)->slot);
}

static inline int start_selling(void **state)
{
    start(state);
    apply(SPRING SHOE(100) HAT);
    of_sale("sale.open", "spring");
    assert_int_equal(log_.count, 2);
    return 0;
}

#endif
