/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Macs in lanes against their scalar twin: every length, any address, another key in each lane, and
 * bursts of mixed lengths. Payloads are copied to exact allocations, so that the sanitizers see
 * what is read beyond them. The kernel for the widest vectors is run by any CPU, too, its vectors
 * taken apart by the compiler: there it is the text that is tested, not the instructions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <x86intrin.h>

#include "dataplane/admission/siphash.h"
#include "dataplane/random.h"

#define KERNEL lanes_plain
#define KERNEL_TARGET
#define KERNEL_WORDS 8
#include "dataplane/admission/siphash_kernel.h"

#define LENGTH_MAX FG_REQUEST_BYTES(FG_ENTRIES_MAX)
#define JOBS_MAX   200

static uint64_t chance = 1;
static uint8_t keys[JOBS_MAX][FG_SECRET_BYTES];
static uint8_t *blocks[JOBS_MAX];
static struct fg_mac_job jobs[JOBS_MAX];

static void fill(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(fg_random_next(&chance) >> 56);
}

/* A payload that ends where its memory ends, `shift` bytes after an address that malloc gives. */
static void make(unsigned i, size_t length, unsigned shift)
{
    blocks[i] = malloc(shift + length);
    assert_non_null(blocks[i]);
    fill(blocks[i], shift + length);
    fill(keys[i], sizeof(keys[i]));
    jobs[i] = (struct fg_mac_job){keys[i], blocks[i] + shift, (uint32_t)length};
}

static void drop(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        free(blocks[i]);
}

static void compare(enum fg_lanes lanes, unsigned count)
{
    uint64_t macs[JOBS_MAX + 1];
    macs[count] = 0x5a5a;
    fg_macs_by(lanes, jobs, count, macs);
    for (unsigned i = 0; i < count; i++)
        if (macs[i] != fg_payload_mac(keys[i], jobs[i].payload, jobs[i].length))
            fail_msg("%s: %u of %u, %u bytes", fg_lanes_name(lanes), i, count, jobs[i].length);
    assert_int_equal(macs[count], 0x5a5a);
}

/* In every way that this CPU has. */
static void compare_all(unsigned count)
{
    for (unsigned lanes = 0; lanes < FG_LANES_COUNT; lanes++)
        if (fg_lanes_possible((enum fg_lanes)lanes))
            compare((enum fg_lanes)lanes, count);
}

static void ways_of_this_cpu(void **state)
{
    (void)state;
    assert_true(fg_lanes_possible(FG_LANES_SCALAR));
    assert_true(fg_lanes_possible(fg_lanes_best()));
    for (unsigned lanes = 0; lanes < FG_LANES_COUNT; lanes++) {
        bool possible = fg_lanes_possible((enum fg_lanes)lanes);
        print_message("%s: %s\n", fg_lanes_name((enum fg_lanes)lanes),
                      possible ? "tested" : "this CPU has it not");
        assert_true(!possible || lanes <= fg_lanes_best());
    }
}

static void every_length_and_remainder(void **state)
{
    (void)state;
    for (size_t length = sizeof(struct fg_header); length <= LENGTH_MAX; length++) {
        for (unsigned i = 0; i < 17; i++)
            make(i, length, (unsigned)(length + i) & 7);
        compare_all(17);
        drop(17);
    }
}

/* From one to more than a group has, so that lanes are left over and what is too few is done
 * alone. */
static void every_count(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JOBS_MAX; i++)
        make(i, FG_REQUEST_BYTES(1), 2);
    for (unsigned count = 0; count <= JOBS_MAX; count++)
        compare_all(count);
    drop(JOBS_MAX);
}

static void bursts_of_mixed_lengths(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        unsigned count = 1 + (unsigned)(fg_random_next(&chance) % 70);
        unsigned most = 1 + (unsigned)(fg_random_next(&chance) % FG_ENTRIES_MAX);
        for (unsigned i = 0; i < count; i++)
            make(i, FG_REQUEST_BYTES(1 + fg_random_next(&chance) % most), round & 7);
        compare_all(count);
        drop(count);
    }
}

/* Each lane has its own key and its own payload: what changes in one changes its mac alone. */
static void lanes_are_apart(void **state)
{
    uint64_t before[16], after[16];
    (void)state;
    for (unsigned i = 0; i < 16; i++)
        make(i, FG_REQUEST_BYTES(2), 2);
    fg_macs(jobs, 16, before);
    for (unsigned i = 0; i < 16; i++) {
        uint8_t *byte = i & 1 ? &keys[i][i] : &blocks[i][2 + 24 + 5 * i];
        *byte ^= 1;
        fg_macs(jobs, 16, after);
        *byte ^= 1;
        for (unsigned j = 0; j < 16; j++)
            assert_int_equal(before[j] != after[j], i == j);
    }
    drop(16);
}

/* Sixteen lanes in the widest kernel. */
static void the_widest_text(void **state)
{
    (void)state;
    for (size_t length = sizeof(struct fg_header); length <= LENGTH_MAX; length += 1) {
        const struct fg_mac_job *lanes[16];
        uint64_t macs[16];
        for (unsigned i = 0; i < 16; i++) {
            make(i, length, (unsigned)(length * 3 + i) & 7);
            lanes[i] = &jobs[i];
        }
        lanes_plain(lanes, macs);
        for (unsigned i = 0; i < 16; i++)
            assert_int_equal(macs[i], fg_payload_mac(keys[i], jobs[i].payload, jobs[i].length));
        drop(16);
    }
}

/* No assertion: the figures are for who reads the output of a quiet machine. */
static void cycles_of_a_mac(void **state)
{
    static const unsigned counts[] = {1, 32};
    (void)state;
    for (unsigned c = 0; c < 2; c++) {
        for (unsigned i = 0; i < 64; i++)
            make(i, FG_REQUEST_BYTES(counts[c]), 2);
        for (unsigned lanes = 0; lanes <= fg_lanes_best(); lanes++) {
            uint64_t macs[64], least = UINT64_MAX;
            for (unsigned round = 0; round < 50; round++) {
                uint64_t began = __rdtsc();
                fg_macs_by((enum fg_lanes)lanes, jobs, 64, macs);
                uint64_t took = __rdtsc() - began;
                least = took < least ? took : least;
            }
            print_message("%u bytes, %s: %.1f cycles a mac\n", jobs[0].length,
                          fg_lanes_name((enum fg_lanes)lanes), (double)least / 64);
        }
        drop(64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_of_this_cpu), cmocka_unit_test(every_length_and_remainder),
        cmocka_unit_test(every_count),      cmocka_unit_test(bursts_of_mixed_lengths),
        cmocka_unit_test(lanes_are_apart),  cmocka_unit_test(the_widest_text),
        cmocka_unit_test(cycles_of_a_mac),
    };
    return cmocka_run_group_tests_name("siphash lanes", tests, NULL, NULL);
}
