/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator against a peer that sends every frame back: what counts as an answer, what is
 * measured of it, and what is no echo of ours. */
#include "perf/load/wire.h"
#include "tests/unit/stateless_fixture.h"

static void begin_echo(uint32_t batch, uint64_t rate)
{
    set_up(batch, "flat", rate, 1);
    load.echo = true;
    load.sample = 2;
    begin();
}

static void an_echo_is_an_answer_measured_from_when_it_was_due(void **state)
{
    (void)state;
    begin_echo(3, 3000);
    assert_int_equal(write_due(4 * MS, 32), 5);
    for (unsigned d = 0; d < 5; d++)
        assert_true(load_stateless_hear(&load, 6 * MS, payloads[d], FG_REQUEST_BYTES(3)));
    assert_int_equal(load.stats.received, 5);
    assert_int_equal(load.stats.answered, 15);
    assert_int_equal(load.stats.admitted, 0);
    /* Those that were due at 0, 2 and 4 ms. */
    assert_int_equal(load.stats.measured, 3);
    assert_in_range(load.latency.max, 6 * MS - 2, 6 * MS + 2);
    assert_in_range(load_histogram_quantile(&load.latency, 1), 2 * MS - MS / 8, 2 * MS + MS / 8);
}

static void what_is_no_echo_is_dropped(void **state)
{
    static const struct {
        size_t at, datagram; /* even ones are measured */
        uint8_t bits;
        enum load_drop drop;
    } wrong[] = {
        {offsetof(struct fg_header, magic), 1, 1, LOAD_DROP_MALFORMED},
        {offsetof(struct fg_header, type), 1, FG_TYPE_REQUEST ^ FG_TYPE_REPLY, LOAD_DROP_MALFORMED},
        {offsetof(struct fg_header, count), 1, 1, LOAD_DROP_MALFORMED},
        {offsetof(struct fg_header, key_id), 1, 1, LOAD_DROP_MAC},
        {offsetof(struct fg_header, mac), 2, 1, LOAD_DROP_MAC},
        {FG_REQUEST_BYTES(1) + offsetof(struct fg_request, buyer), 2, 1, LOAD_DROP_MAC},
        {FG_REQUEST_BYTES(1) + offsetof(struct fg_request, request) + 7, 2, 1,
         LOAD_DROP_ENTRY_DIFFERS},
    };
    (void)state;
    begin_echo(2, 2000);
    assert_int_equal(write_due(4 * MS, 32), 5);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint8_t *payload = payloads[wrong[i].datagram];
        uint64_t before = load.stats.drops[wrong[i].drop];
        payload[wrong[i].at] ^= wrong[i].bits;
        assert_true(load_stateless_hear(&load, 6 * MS, payload, FG_REQUEST_BYTES(2)));
        payload[wrong[i].at] ^= wrong[i].bits;
        if (load.stats.drops[wrong[i].drop] != before + 1)
            fail_msg("case %zu is not dropped as it should be", i);
    }
    assert_true(load_stateless_hear(&load, 6 * MS, payloads[1], FG_REQUEST_BYTES(2) - 1));
    assert_int_equal(load.stats.answered, 0);
    assert_int_equal(load.stats.measured, 0);
    load.echo = false; /* and an engine's generator takes no request for a reply */
    assert_true(load_stateless_hear(&load, 6 * MS, payloads[1], FG_REQUEST_BYTES(2)));
    assert_int_equal(load.stats.answered, 0);
}

static void swap_macs(uint8_t *frame)
{
    uint8_t mac[RTE_ETHER_ADDR_LEN];

    memcpy(mac, frame, sizeof(mac));
    memcpy(frame, frame + sizeof(mac), sizeof(mac));
    memcpy(frame + sizeof(mac), mac, sizeof(mac));
}

static void frames_come_back_with_their_macs_swapped_and_nothing_else(void **state)
{
    const struct load_wire wire = {.mac = {{2, 1, 1, 1, 1, 1}},
                                   .target_mac = {{2, 2, 2, 2, 2, 2}},
                                   .address = 0x0a000002,
                                   .target = 0x0a000001,
                                   .udp_port = 30000};
    static const uint8_t payload[FG_REQUEST_BYTES(1)];
    uint8_t sent[LOAD_WIRE_HEADERS_BYTES + sizeof(payload)], frame[sizeof(sent)];
    (void)state;
    size_t length = load_wire_datagram(&wire, sent, 20480, payload, sizeof(payload));
    memcpy(frame, sent, length);
    assert_int_equal(load_echo_payload(sent, frame, length), 0);
    swap_macs(frame);
    assert_int_equal(load_echo_payload(sent, frame, length), sizeof(payload));
    assert_int_equal(load_echo_payload(sent, frame, length - 1), 0);
    assert_int_equal(load_echo_payload(sent, frame, LOAD_WIRE_HEADERS_BYTES), 0);
    for (size_t at = 0; at < LOAD_WIRE_HEADERS_BYTES; at++) {
        frame[at] ^= 1;
        size_t found = load_echo_payload(sent, frame, length);
        frame[at] ^= 1;
        /* Only the port that it was sent to is each datagram's own. */
        if (found != (at == 36 || at == 37 ? sizeof(payload) : 0))
            fail_msg("byte %zu: %zu", at, found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_echo_is_an_answer_measured_from_when_it_was_due, tear_down),
        cmocka_unit_test_teardown(what_is_no_echo_is_dropped, tear_down),
        cmocka_unit_test(frames_come_back_with_their_macs_swapped_and_nothing_else),
    };
    return cmocka_run_group_tests_name("load_echo", tests, NULL, NULL);
}
