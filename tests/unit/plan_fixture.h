/* SPDX-License-Identifier: BSD-3-Clause */
/* A plan of a change, and what is held of it. */
#ifndef TESTS_PLAN_FIXTURE_H
#define TESTS_PLAN_FIXTURE_H

#include "tests/unit/model_fixture.h"

static inline int plan(struct fixture *f, const struct fg_sale *wanted)
{
    const struct fg_plan_world world = {
        .model = &f->model, .config = &f->config, .now_ns = f->now_ns};
    f->message[0] = '\0';
    return fg_plan_sale(&f->plan, &world, wanted, f->message, sizeof(f->message));
}

static inline void assert_refused(struct fixture *f, const struct fg_sale *wanted, const char *part)
{
    assert_int_equal(plan(f, wanted), -EPERM);
    if (!strstr(f->message, part))
        fail_msg("\"%s\" does not say \"%s\"", f->message, part);
    fg_plan_free(&f->plan);
}

/* What a field's change comes to. */
enum way { GIVES, TAKES };

static inline const json_t *only_change(const struct fixture *f)
{
    assert_int_equal(json_array_size(f->plan.changes), 1);
    return json_array_get(f->plan.changes, 0);
}

static inline void assert_way(struct fixture *f, const struct fg_sale *wanted, enum way way)
{
    assert_int_equal(plan(f, wanted), 0);
    assert_int_equal(json_is_true(json_object_get(only_change(f), "takes")), way == TAKES);
    assert_int_equal(f->plan.gives != NULL, way == GIVES);
    assert_int_equal(f->plan.takes != NULL, way == TAKES);
    assert_int_equal(f->plan.removals_count, 0);
    fg_plan_free(&f->plan);
}

#endif
