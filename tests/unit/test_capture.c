/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What workers keep of a capture: hand-made bursts through the functions of their loop, and several
 * threads at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <rte_cycles.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/capture.h"
#include "dataplane/loop.h"

#define FRAME 80

static struct fg_engine engine;
static struct fg_worker worker;
static struct loop loop;
static struct fg_capture *capture;

static void begin(uint32_t room)
{
    fg_clock_page_init(&engine.clock, rte_get_tsc_hz() ? rte_get_tsc_hz() : UINT64_C(2000000000));
    worker = (struct fg_worker){.engine = &engine, .index = 3};
    loop = (struct loop){.self = &worker, .engine = &engine};
    loop.port_index[9] = 1;
    capture = fg_capture_create(room);
    assert_non_null(capture);
}

static void give(bool withdrawn)
{
    struct fg_command command = {
        .kind = FG_COMMAND_CAPTURE, .result = -1, .capture = capture, .withdrawn = withdrawn};
    loop_captures_command(&loop, &command);
    assert_int_equal(command.result, 0);
    assert_int_equal(atomic_load(&capture->hands[3]),
                     withdrawn ? FG_CAPTURE_RETURNED : FG_CAPTURE_TAKEN);
    assert_int_equal(atomic_load(&capture->hands[2]), FG_CAPTURE_NONE);
}

static void end(void)
{
    give(true);
    assert_false(loop_captures(&loop));
    free(capture);
}

/* A frame of a length, whose bytes count up from `first`, on heap of its own for the sanitizers. */
static struct rte_mbuf *frame(uint16_t length, uint8_t first)
{
    struct rte_mbuf *mbuf = calloc(1, sizeof(*mbuf));
    uint8_t *bytes = malloc(length);
    assert_non_null(mbuf);
    assert_non_null(bytes);
    for (unsigned i = 0; i < length; i++)
        bytes[i] = (uint8_t)(first + i);
    mbuf->buf_addr = bytes;
    mbuf->data_len = length;
    mbuf->pkt_len = length;
    mbuf->nb_segs = 1;
    mbuf->port = 9;
    return mbuf;
}

static void frame_free(struct rte_mbuf *mbuf)
{
    free(mbuf->buf_addr);
    free(mbuf);
}

/* Ethernet with a type, and an address at a place behind it. */
static struct rte_mbuf *packet(unsigned type, size_t at, const uint8_t *address, size_t length)
{
    struct rte_mbuf *mbuf = frame(FRAME, 0);
    uint8_t *bytes = mbuf->buf_addr;
    memset(bytes, 0, FRAME);
    bytes[12] = (uint8_t)(type >> 8);
    bytes[13] = (uint8_t)type;
    memcpy(bytes + 14 + at, address, length);
    return mbuf;
}

static const struct fg_capture_frame *kept(uint32_t i)
{
    const struct fg_capture_frame *found = fg_capture_read(capture, i);
    assert_non_null(found);
    return found;
}

static void what_comes_and_goes_is_kept(void **state)
{
    (void)state;
    struct rte_mbuf *frames[3] = {frame(60, 1), frame(FG_CAPTURE_BYTES + 500, 2), frame(70, 3)};
    begin(10);
    give(false);
    assert_true(loop_captures(&loop));
    loop_captures_kept(&loop, frames, 2);
    loop_captures_drop(&loop, frames[2], FG_COUNTER_DROP_MAC);
    assert_int_equal(fg_capture_count(capture), 3);
    assert_int_equal(kept(0)->length, 60);
    assert_int_equal(kept(0)->kept, 60);
    assert_int_equal(kept(0)->lost, FG_CAPTURE_NOT_LOST);
    assert_int_equal(kept(0)->out, 0);
    assert_int_equal(kept(0)->port, 1);
    assert_int_equal(kept(0)->worker, 3);
    assert_memory_equal(kept(0)->bytes, frames[0]->buf_addr, 60);
    assert_int_equal(kept(1)->length, FG_CAPTURE_BYTES + 500);
    assert_int_equal(kept(1)->kept, FG_CAPTURE_BYTES);
    assert_memory_equal(kept(1)->bytes, frames[1]->buf_addr, FG_CAPTURE_BYTES);
    assert_int_equal(kept(2)->lost, FG_COUNTER_DROP_MAC);
    assert_true(kept(0)->at_ns > 0);
    assert_true(kept(2)->at_ns >= kept(0)->at_ns);
    end();
    for (unsigned i = 0; i < 3; i++)
        frame_free(frames[i]);
}

/* A burst on its way out, of which the port takes the first `sent`. */
static void send_burst(unsigned count, unsigned sent)
{
    struct fg_capture_frame *places[FG_BURST];
    struct outgoing out = {.count = count};
    for (unsigned i = 0; i < count; i++)
        out.frames[i] = frame(FRAME, (uint8_t)i);
    loop_captures_out(&loop, &out, places);
    for (unsigned i = 0; i < sent; i++) { /* they are the driver's now */
        frame_free(out.frames[i]);
        out.frames[i] = NULL;
    }
    loop_captures_sent(&loop, &out, sent, true, places);
    for (unsigned i = sent; i < count; i++)
        frame_free(out.frames[i]);
}

static void what_the_port_does_not_take_is_told(void **state)
{
    (void)state;
    begin(10);
    give(false);
    send_burst(3, 2);
    assert_int_equal(fg_capture_count(capture), 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(kept(i)->out, 1);
        assert_int_equal(kept(i)->lost, i < 2 ? FG_CAPTURE_NOT_LOST : FG_COUNTER_TX_DROPPED);
        assert_int_equal(kept(i)->bytes[0], i);
    }
    end();
}

/* What is offered again is kept once, and once more if it is dropped in the end. */
static void what_is_left_for_later_is_kept_once(void **state)
{
    (void)state;
    struct fg_capture_frame *places[FG_BURST];
    struct outgoing out = {.count = 2, .frames = {frame(FRAME, 0), frame(FRAME, 1)}};
    begin(10);
    give(false);
    loop_captures_out(&loop, &out, places);
    loop_captures_sent(&loop, &out, 0, false, places);
    assert_int_equal(fg_capture_count(capture), 2);
    out.left = 2;
    out.frames[out.count++] = frame(FRAME, 2);
    loop_captures_out(&loop, &out, places);
    assert_int_equal(fg_capture_count(capture), 3);
    loop_captures_sent(&loop, &out, 1, true, places);
    assert_int_equal(fg_capture_count(capture), 4);
    static const struct {
        unsigned byte, lost;
    } wanted[] = {{0, FG_CAPTURE_NOT_LOST},
                  {1, FG_CAPTURE_NOT_LOST},
                  {2, FG_COUNTER_TX_DROPPED},
                  {1, FG_COUNTER_TX_DROPPED}};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(kept(i)->bytes[0], wanted[i].byte);
        assert_int_equal(kept(i)->lost, wanted[i].lost);
    }
    end();
    for (unsigned i = 0; i < 3; i++)
        frame_free(out.frames[i]);
}

static void a_place_is_not_read_before_it_is_whole(void **state)
{
    (void)state;
    struct fg_capture_frame *places[FG_BURST];
    struct outgoing out = {.count = 1, .frames = {frame(FRAME, 0)}};
    begin(10);
    give(false);
    loop_captures_out(&loop, &out, places);
    assert_int_equal(fg_capture_count(capture), 1);
    assert_null(fg_capture_read(capture, 0));
    loop_captures_sent(&loop, &out, 1, true, places);
    assert_non_null(fg_capture_read(capture, 0));
    end();
    frame_free(out.frames[0]);
}

static void dropped_only(void **state)
{
    (void)state;
    struct rte_mbuf *one = frame(FRAME, 0);
    begin(10);
    capture->lost_only = true;
    give(false);
    loop_captures_kept(&loop, &one, 1);
    send_burst(2, 2);
    assert_int_equal(fg_capture_count(capture), 0);
    loop_captures_drop(&loop, one, FG_COUNTER_DROP_STALE);
    send_burst(4, 1);
    assert_int_equal(fg_capture_count(capture), 4);
    assert_int_equal(kept(0)->lost, FG_COUNTER_DROP_STALE);
    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(kept(i)->lost, FG_COUNTER_TX_DROPPED);
        assert_int_equal(kept(i)->out, 1);
        assert_int_equal(kept(i)->bytes[0], i);
    }
    end();
    frame_free(one);
}

/* In the middle of a burst, either way: exactly as many as there is room for, and then it lets go.
 */
static void a_full_one_is_let_go_of(void **state)
{
    (void)state;
    struct rte_mbuf *frames[FG_BURST];
    for (unsigned i = 0; i < FG_BURST; i++)
        frames[i] = frame(FRAME, (uint8_t)i);
    begin(FG_BURST + 5);
    give(false);
    loop_captures_kept(&loop, frames, FG_BURST);
    assert_true(loop_captures(&loop));
    send_burst(FG_BURST, FG_BURST);
    assert_false(loop_captures(&loop));
    assert_int_equal(fg_capture_count(capture), FG_BURST + 5);
    assert_int_equal(kept(FG_BURST + 4)->bytes[0], 4);
    end();

    begin(5);
    give(false);
    loop_captures_kept(&loop, frames, FG_BURST);
    assert_false(loop_captures(&loop));
    assert_int_equal(fg_capture_count(capture), 5);
    end();
    for (unsigned i = 0; i < FG_BURST; i++)
        frame_free(frames[i]);
}

/* A tag that the driver took off stands where it was on the wire. */
static void a_taken_tag_is_put_back(void **state)
{
    (void)state;
    static const uint8_t tag[] = {0x81, 0x00, 0x20, 0x64};
    struct rte_mbuf *one = frame(FRAME, 0), *runt = frame(7, 0), *giant = frame(1600, 0);
    struct rte_mbuf *all[] = {one, runt, giant};
    begin(10);
    give(false);
    for (unsigned i = 0; i < 3; i++) {
        all[i]->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
        all[i]->vlan_tci = 0x2064;
    }
    loop_captures_kept(&loop, all, 3);
    assert_int_equal(kept(0)->length, FRAME + 4);
    assert_int_equal(kept(0)->kept, FRAME + 4);
    assert_memory_equal(kept(0)->bytes, one->buf_addr, 12);
    assert_memory_equal(kept(0)->bytes + 12, tag, 4);
    assert_memory_equal(kept(0)->bytes + 16, (uint8_t *)one->buf_addr + 12, FRAME - 12);
    assert_int_equal(kept(1)->kept, 7);
    assert_int_equal(kept(2)->length, 1604);
    assert_int_equal(kept(2)->kept, FG_CAPTURE_BYTES);
    end();
    for (unsigned i = 0; i < 3; i++)
        frame_free(all[i]);
}

/* More than is in the first buffer is not read. */
static void a_frame_in_pieces_is_kept_as_far_as_it_lies_there(void **state)
{
    (void)state;
    struct rte_mbuf *one = frame(FRAME, 0);
    one->pkt_len = 9000;
    one->nb_segs = 5;
    begin(10);
    give(false);
    loop_captures_drop(&loop, one, FG_COUNTER_DROP_SEGMENTED);
    assert_int_equal(kept(0)->length, 9000);
    assert_int_equal(kept(0)->kept, FRAME);
    end();
    frame_free(one);
}

static uint32_t kept_of(struct rte_mbuf *one, bool out)
{
    uint32_t before = fg_capture_count(capture);
    struct fg_capture_frame *places[FG_BURST];
    struct outgoing sent = {.count = 1, .frames = {one}};
    if (out) {
        loop_captures_out(&loop, &sent, places);
        loop_captures_sent(&loop, &sent, 1, true, places);
    } else {
        loop_captures_kept(&loop, &one, 1);
    }
    frame_free(one);
    return fg_capture_count(capture) - before;
}

static void of_a_source(void **state)
{
    (void)state;
    static const uint8_t ours[] = {10, 1, 2, 3}, others[] = {10, 2, 2, 3};
    static const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7};
    unsigned bits;
    bool whole;
    begin(100);
    capture->filtered = true;
    assert_true(fg_ip_parse("10.1.0.0/16", &capture->source.address, &bits, &whole));
    capture->source.mask = fg_ip_mask(bits);
    give(false);
    assert_int_equal(kept_of(packet(0x0800, 12, ours, 4), false), 1);
    assert_int_equal(kept_of(packet(0x0800, 12, others, 4), false), 0);
    assert_int_equal(kept_of(packet(0x0800, 16, ours, 4), false), 0);
    assert_int_equal(kept_of(packet(0x0800, 16, ours, 4), true), 1);
    assert_int_equal(kept_of(packet(0x0800, 12, ours, 4), true), 0);
    assert_int_equal(kept_of(packet(0x0806, 14, ours, 4), false), 1);
    assert_int_equal(kept_of(packet(0x0806, 24, ours, 4), true), 1);
    assert_int_equal(kept_of(packet(0x86dd, 8, six, 16), false), 0);
    assert_int_equal(kept_of(packet(0x88cc, 12, ours, 4), false), 0);
    assert_int_equal(kept_of(frame(17, 0), false), 0);
    struct rte_mbuf *tagged = packet(0x8100, 16, ours, 4);
    memcpy((uint8_t *)tagged->buf_addr + 16, (uint8_t[]){8, 0}, 2);
    assert_int_equal(kept_of(tagged, false), 1);
    end();

    begin(100);
    capture->filtered = true;
    assert_true(fg_ip_parse("2001:db8::/32", &capture->source.address, &bits, &whole));
    capture->source.mask = fg_ip_mask(bits);
    give(false);
    assert_int_equal(kept_of(packet(0x86dd, 8, six, 16), false), 1);
    assert_int_equal(kept_of(packet(0x86dd, 24, six, 16), true), 1);
    assert_int_equal(kept_of(packet(0x86dd, 24, six, 16), false), 0);
    assert_int_equal(kept_of(packet(0x0800, 12, ours, 4), false), 0);
    /* Every length of a frame that ends within the address. */
    for (unsigned length = 14; length < 14 + 8 + 16; length++) {
        struct rte_mbuf *cut = frame((uint16_t)length, 0);
        memcpy((uint8_t *)cut->buf_addr + 12, (uint8_t[]){0x86, 0xdd}, 2);
        assert_int_equal(kept_of(cut, false), 0);
    }
    end();
}

/* --- several workers --- */

#define THREADS 4
#define ROOM    5000

static atomic_bool begun;

static void *keep_many(void *arg)
{
    uint8_t bytes[FRAME];
    bool full = false;
    unsigned w = (unsigned)(uintptr_t)arg;
    memset(bytes, (int)w, sizeof(bytes));
    while (!atomic_load(&begun))
        sched_yield();
    for (uint32_t i = 0; !full; i++) {
        struct fg_capture_look look = {.bytes = bytes,
                                       .length = FRAME,
                                       .present = FRAME,
                                       .at_ns = i + 1,
                                       .worker = (uint8_t)w};
        struct fg_capture_frame *place = fg_capture_take(capture, &look, &full);
        if (place)
            fg_capture_finish(place, w);
    }
    /* release, as a worker gives it back */
    atomic_store_explicit(&capture->hands[w], FG_CAPTURE_RETURNED, memory_order_release);
    return NULL;
}

/* Read while they write: whatever is whole is one worker's and all of it; at the end no place is
 * missing, and none is twice. */
static void threads_fill_it_exactly(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    uint64_t last[THREADS] = {0};
    begin(ROOM);
    atomic_store(&begun, false);
    for (uintptr_t w = 0; w < THREADS; w++)
        assert_int_equal(pthread_create(&threads[w], NULL, keep_many, (void *)w), 0);
    atomic_store(&begun, true);
    for (uint32_t i = 0; i < ROOM;) {
        const struct fg_capture_frame *found = fg_capture_read(capture, i);
        if (!found) {
            sched_yield();
            continue;
        }
        assert_true(found->worker < THREADS);
        assert_int_equal(found->lost, found->worker);
        assert_int_equal(found->kept, FRAME);
        for (unsigned b = 0; b < FRAME; b++)
            assert_int_equal(found->bytes[b], found->worker);
        assert_int_equal(found->at_ns, ++last[found->worker]);
        i++;
    }
    for (unsigned w = 0; w < THREADS; w++)
        pthread_join(threads[w], NULL);
    assert_int_equal(fg_capture_count(capture), ROOM);
    assert_in_range(atomic_load(&capture->taken), ROOM, ROOM + THREADS);
    free(capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_and_goes_is_kept),
        cmocka_unit_test(what_the_port_does_not_take_is_told),
        cmocka_unit_test(what_is_left_for_later_is_kept_once),
        cmocka_unit_test(a_place_is_not_read_before_it_is_whole),
        cmocka_unit_test(dropped_only),
        cmocka_unit_test(a_full_one_is_let_go_of),
        cmocka_unit_test(a_taken_tag_is_put_back),
        cmocka_unit_test(a_frame_in_pieces_is_kept_as_far_as_it_lies_there),
        cmocka_unit_test(of_a_source),
        cmocka_unit_test(threads_fill_it_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
