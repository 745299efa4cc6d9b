/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of the packet path: on lines of its own, zeroed, and refused while the machine still
 * lives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/memory.h"

static void comes_zeroed_on_lines_of_its_own(void **state)
{
    (void)state;
    unsigned char *memory = fg_memory_zeroed(3, 50);

    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % FG_MEMORY_ALIGNMENT, 0);
    for (size_t i = 0; i < 2 * FG_MEMORY_ALIGNMENT; i++)
        assert_int_equal(memory[i], 0);
    free(memory);
}

/* Touching it would have the kernel end a process: perhaps another one. */
static void more_than_the_machine_has_is_refused(void **state)
{
    (void)state;
    uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES);

    assert_null(fg_memory_zeroed(pages, (size_t)sysconf(_SC_PAGESIZE)));
    assert_null(fg_memory_zeroed(UINT64_MAX / 2, 3));
    assert_null(fg_memory_zeroed(UINT64_MAX, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_zeroed_on_lines_of_its_own),
        cmocka_unit_test(more_than_the_machine_has_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
