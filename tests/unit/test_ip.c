/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/ip.h"

static struct fg_ip ip;
static unsigned bits;
static bool whole;

static void read(const char *text, const char *again)
{
    char shown[FG_IP_TEXT_MAX];
    assert_true(fg_ip_parse(text, &ip, &bits, &whole));
    assert_string_equal(fg_prefix_text(ip, bits, shown), again);
}

static void both_families_are_read_and_written(void **state)
{
    (void)state;
    read("192.0.2.10", "192.0.2.10/32");
    assert_true(whole && bits == 128 && fg_ip_is_v4(ip) && (uint32_t)ip.low == 0xc000020a);
    read("10.0.0.0/8", "10.0.0.0/8");
    assert_true(!whole && bits == 104);
    read("0.0.0.0/0", "0.0.0.0/0");
    read("2001:db8::1/64", "2001:db8::1/64");
    assert_true(!fg_ip_is_v4(ip) && ip.high == UINT64_C(0x20010db800000000) && ip.low == 1);
    read("::", "::/128");
    read("::/0", "::/0");
    read("::ffff:192.0.2.10", "192.0.2.10/32");
    assert_true(fg_ip_is_v4(ip));
    read("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/127",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127");
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "/",
                                        "/8",
                                        "192.0.2.10/",
                                        "1.2.3.4/33",
                                        "1.2.3/24",
                                        "::1/129",
                                        "1.2.3.4/-1",
                                        "::1/ 1",
                                        "1.2.3.4x",
                                        ":::",
                                        "1.2.3.4/8/8",
                                        "01.2.3.4",
                                        "fe80::1%eth0",
                                        "1.2.3.4/99999999999999999999",
                                        "0000000000000000000000000000000000000000000000000001"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(fg_ip_parse(wrong[i], &ip, &bits, &whole));
}

/* Against a mask made bit by bit, at every length. */
static void masks_of_every_length(void **state)
{
    (void)state;
    struct fg_ip slow = {0};
    for (unsigned n = 0; n <= FG_IP_BITS; n++) {
        assert_true(fg_ip_same(fg_ip_mask(n), slow));
        if (n < 64)
            slow.high |= UINT64_C(1) << (63 - n);
        else if (n < FG_IP_BITS)
            slow.low |= UINT64_C(1) << (127 - n);
    }
}

static void a_prefix_holds_what_begins_with_it(void **state)
{
    (void)state;
    struct fg_prefix prefix = {fg_ip_of_v4(0x0a010000), fg_ip_mask(FG_IP_V4_BITS + 16)};
    assert_true(fg_prefix_holds(&prefix, fg_ip_of_v4(0x0a01ffff)));
    assert_false(fg_prefix_holds(&prefix, fg_ip_of_v4(0x0a020000)));
    assert_false(fg_prefix_holds(&prefix, (struct fg_ip){0, 0x0a010000}));
    prefix = (struct fg_prefix){fg_ip_of_v4(0), fg_ip_mask(FG_IP_V4_BITS)};
    assert_true(fg_prefix_holds(&prefix, fg_ip_of_v4(0xffffffff)));
    assert_false(fg_prefix_holds(&prefix, (struct fg_ip){UINT64_C(0x20010db800000000), 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_families_are_read_and_written),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(masks_of_every_length),
        cmocka_unit_test(a_prefix_holds_what_begins_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
