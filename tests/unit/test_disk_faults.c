/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk that fails: at any one of its calls, and when it is full. Whatever was acknowledged is
 * found again, and after the first failed write, flush or sync nothing is acknowledged any more.
 */
#include "memory_disk.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "faulty_disk.h"

/* --- Every call fails once --- */

#define ROUNDS       4
#define ROUND_ORDERS 50
#define LIVE_FROM    2 /* the rounds before it are of sale 1, which is archived then */

static struct memory_disk memory;
static char great[FG_CONTROL_BODY_MAX + 1]; /* four of them fill a segment */

/* What a run of the engine was told is durable. */
struct acknowledged {
    uint64_t lane, tickets; /* marks */
    uint64_t live_before;   /* lane ticket before the first order of sale 2 */
    unsigned pushed;        /* orders of sale 2 */
    unsigned epoch;         /* it served in; 0: it did not start */
};

static uint64_t all_delivered(void *arg, uint32_t sale)
{
    (void)arg, (void)sale;
    return UINT64_MAX;
}

static const struct fg_retention let_go = {.delivered = all_delivered, .consumed = all_delivered};

/* After a failure nothing moves any more, whatever is asked of the journal. */
static void check_dead(struct log_fixture *fixture, const struct fg_lane *lane, int failed)
{
    uint64_t lane_mark = fg_lane_durable(lane), durable = fg_journal_durable(fixture->journal);
    uint64_t tickets = fg_journal_submitted_durable(fixture->journal);

    push_order(fixture, 2, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), failed);
    assert_int_equal(fg_journal_prepare(fixture->journal), failed);
    assert_int_equal(fg_journal_retire(fixture->journal), failed);
    fg_journal_stop(fixture->journal);
    assert_int_equal(fg_journal_failed(fixture->journal), failed);
    assert_int_equal(fg_lane_durable(lane), lane_mark);
    assert_int_equal(fg_journal_durable(fixture->journal), durable);
    assert_int_equal(fg_journal_submitted_durable(fixture->journal), tickets);
}

/* One round: orders and a great control event, the helper's work. False: the journal is dead. */
static bool round_of(struct log_fixture *fixture, unsigned round, struct acknowledged *said)
{
    struct fg_lane *lane = fg_journal_lane(fixture->journal, 0);
    uint32_t sale = round < LIVE_FROM ? 1 : 2;
    int rc;

    if (round == LIVE_FROM) {
        /* The great event begins a segment: those before it hold nothing but sale 1. */
        submit(fixture, FG_EVENT_SALE_STATE, 1, NULL, FG_SALE_ARCHIVED, 0);
        submit(fixture, FG_EVENT_BLOCK_LIST, 0, great, round, 0);
        (void)fg_journal_step(fixture->journal);
        said->live_before = lane->queued;
    }
    for (unsigned i = 0; i < ROUND_ORDERS; i++)
        push_order(fixture, sale, 0, i + 1);
    said->pushed += sale == 2 ? ROUND_ORDERS : 0;
    said->tickets = submit(fixture, FG_EVENT_BLOCK_LIST, 0, great, round, 0);
    while ((rc = fg_journal_step(fixture->journal)) > 0)
        ;
    if (rc == 0)
        (void)fg_journal_prepare(fixture->journal);
    if (rc == 0)
        (void)fg_journal_retire(fixture->journal);
    return fg_journal_failed(fixture->journal) == 0;
}

/* An engine's life on the disk as it is; what it acknowledged. */
static struct acknowledged live(struct log_fixture *fixture)
{
    struct acknowledged said = {0};

    if (journal_open(fixture) != FG_EXIT_OK) {
        assert_int_equal(fixture->status, FG_EXIT_DISK);
        return said;
    }
    said.epoch = fg_journal_epoch(fixture->journal);
    fg_journal_retain(fixture->journal, &let_go);
    submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"one\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE, 2, "{\"name\": \"two\"}", 0, 0);
    unsigned round = 0;
    while (round < ROUNDS && round_of(fixture, round, &said))
        round++;
    if (round == ROUNDS)
        fg_journal_stop(fixture->journal);
    const struct fg_lane *lane = fg_journal_lane(fixture->journal, 0);
    if (fg_journal_failed(fixture->journal) != 0)
        check_dead(fixture, lane, fg_journal_failed(fixture->journal));
    said.lane = fg_lane_durable(lane);
    said.tickets = fg_journal_submitted_durable(fixture->journal);
    journal_drop(fixture);
    return said;
}

/* The disk works again: all that was acknowledged is there, in order, and the log goes on. */
static void check_kept(struct log_fixture *fixture, const struct acknowledged *said)
{
    uint64_t live = 0, wanted = said->pushed > 0 && said->lane > said->live_before
                                    ? said->lane - said->live_before
                                    : 0;
    bool defined = false;

    journal_must_open(fixture);
    assert_true(fg_journal_epoch(fixture->journal) > said->epoch);
    for (size_t i = 0; i < fixture->told.orders_count; i++)
        if (fixture->told.orders[i].sale == 2)
            assert_int_equal(fixture->told.orders[i].sale_seq, ++live);
    assert_in_range(live, wanted, said->pushed);
    for (size_t i = 0; i < fixture->told.controls_count; i++)
        defined = defined || (fixture->told.controls[i].event.kind == FG_EVENT_SALE &&
                              fixture->told.controls[i].event.sale == 2);
    assert_true(defined || said->tickets < 2);
    push_order(fixture, 2, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    fg_journal_stop(fixture->journal);
    assert_int_equal(fg_journal_failed(fixture->journal), 0);
    journal_drop(fixture);
}

static void fail_every_call(struct log_fixture *fixture, bool buffered, bool effect)
{
    unsigned calls, dead = 0, survived = 0;

    memset(great, 'g', FG_CONTROL_BODY_MAX);
    fixture->config.disk = &memory.disk;
    fixture->config.workers = 1;
    memory.buffered = buffered;
    memory.effect = effect;
    memory.error = -EIO;
    memory_disk_reset(&memory);
    struct acknowledged said = live(fixture);
    assert_int_equal(said.lane, ROUNDS * ROUND_ORDERS);
    calls = memory.calls;
    assert_true(memory_find(&memory, "segment-00000001.fgl") == NULL); /* all paths were taken */
    for (unsigned call = 1; call <= calls; call++) {
        memory_disk_reset(&memory);
        memory.fail_at = call;
        said = live(fixture);
        assert_non_null(memory.failed);
        if (strcmp(memory.failed, "sync_dir") == 0)
            assert_true(said.lane != ROUNDS * ROUND_ORDERS); /* a failed flush like any other */
        survived += said.lane == ROUNDS * ROUND_ORDERS;
        dead += said.lane != ROUNDS * ROUND_ORDERS;
        memory.fail_at = 0;
        check_kept(fixture, &said);
    }
    print_message("%u calls: %u failures ended the journal, %u did not\n", calls, dead, survived);
    assert_true(dead > 0 && survived > 0);
    memory_disk_fini(&memory);
}

/* A segment is made whole, or there is none of its name. */
static void test_a_segment_is_whole_or_not_there(void **state)
{
    (void)state;
    int rc = -EIO;

    memory.buffered = true;
    memory.effect = false;
    memory.error = -EIO;
    for (unsigned call = 1; rc != 0; call++) {
        memory_disk_reset(&memory);
        memory.fail_at = call;
        rc = fg_segment_prepare(&memory.disk, MEMORY_DIRECTORY, 1, FG_SEGMENT_MIN, NULL, NULL);
        assert_int_equal(rc, memory.failed ? -EIO : 0);
        assert_int_equal(memory_find(&memory, "segment-00000001.fgl") == NULL, rc != 0);
        assert_in_range(call, 1, 20);
    }
    memory_disk_fini(&memory);
}

static void test_any_call_fails(void **state)
{
    fail_every_call(*state, false, false);
}

static void test_any_call_fails_with_effect(void **state)
{
    fail_every_call(*state, true, true);
}

/* --- The disk is full --- */

/* Orders of sale 1 as long as the lane takes them, one frame each time; how many were pushed. */
static uint32_t sell(struct log_fixture *fixture, bool settles, uint32_t count)
{
    struct fg_lane *lane = fg_journal_lane(fixture->journal, 0);
    uint32_t pushed = 0;

    while (fg_lane_log_room(lane, settles)) {
        for (unsigned i = 0; i < 4000; i++)
            push_order(fixture, 1, 0, count + ++pushed);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
        (void)fg_journal_prepare(fixture->journal);
        assert_true((uint64_t)pushed * FG_RECORD_BYTES < fixture->config.budget_bytes);
    }
    return pushed;
}

/* Sells until the log is shut, on a disk that gives no segment beyond those that are ready; then
 * `free_disk` makes room, and the sale goes on. Nothing that was told durable is lost. */
static void run_full(struct log_fixture *fixture, void (*free_disk)(void *arg), void *arg)
{
    const struct fg_journal_stats *stats = fg_journal_stats(fixture->journal);
    const struct fg_lane *lane = fg_journal_lane(fixture->journal, 0);
    uint64_t ready = stats->log_bytes;

    /* It is told at once, while there is room for everything. */
    assert_int_equal(fg_journal_prepare(fixture->journal), -ENOSPC);
    assert_int_equal(stats->stuck, ENOSPC);
    assert_true(fg_journal_step(fixture->journal) >= 0);
    assert_int_equal(stats->log_room, FG_LOG_OPEN);
    assert_in_range(stats->room_bytes, ready - 4ul * FG_BLOCK_BYTES, ready);

    uint32_t orders = sell(fixture, false, 0);
    assert_int_equal(stats->log_room, FG_LOG_SETTLES);
    assert_in_range((uint64_t)orders * FG_RECORD_BYTES, ready / 4, ready);
    uint32_t count = orders + sell(fixture, true, orders);
    assert_int_equal(stats->log_room, FG_LOG_SHUT);
    assert_true(count > orders);
    assert_true(stats->room_bytes > 0);
    assert_int_equal(fg_lane_durable(lane), count);
    assert_int_equal(stats->stuck, ENOSPC);

    free_disk(arg);
    assert_int_equal(fg_journal_prepare(fixture->journal), 1);
    assert_int_equal(stats->stuck, 0);
    assert_true(fg_journal_step(fixture->journal) >= 0);
    assert_int_equal(stats->log_room, FG_LOG_OPEN);
    for (unsigned i = 0; i < 8000; i++)
        push_order(fixture, 1, 0, ++count);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    fg_journal_stop(fixture->journal);
    assert_int_equal(fg_journal_failed(fixture->journal), 0);
    journal_drop(fixture);
    journal_must_open(fixture);
    assert_int_equal(fixture->told.orders_count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(fixture->told.orders[i].request, an_order(1, 0, i + 1).request);
}

static void stop_failing(void *arg)
{
    struct faults *faults = arg;
    faults->fail_allocate = 0;
}

static void test_full_disk(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    fixture->config.workers = 1;
    journal_must_open(fixture);
    assert_int_equal(fg_journal_prepare(fixture->journal), 1);
    faults->fail_allocate = -ENOSPC;
    run_full(fixture, stop_failing, faults);
}

/* A start on a full disk: it goes on in the segment that there is. */
static void test_start_on_a_full_disk(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    faults->fail_allocate = -ENOSPC;
    assert_int_equal(journal_open(fixture), FG_EXIT_DISK); /* a new log has none */
    assert_non_null(strstr(fixture->message, "free the disk"));
    faults->fail_allocate = 0;
    journal_must_open(fixture);
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    journal_drop(fixture);
    faults->fail_allocate = -ENOSPC;
    journal_must_open(fixture);
    assert_int_equal(fg_journal_prepare(fixture->journal), -ENOSPC);
    push_order(fixture, 1, 0, 2);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    /* Another process of the operator's frees it, and the log is as any other. */
    faults->fail_allocate = 0;
    assert_int_equal(fg_journal_prepare(fixture->journal), 1);
    journal_drop(fixture);
    journal_must_open(fixture);
    assert_int_equal(fixture->told.orders_count, 2);
}

/* --- On file systems of its own --- */

#define SKIPPED 77

/* Runs `test` in a child that has a file system of this type on the fixture's folder. */
static void on_file_system(struct log_fixture *fixture, const char *type, const char *options,
                           void (*test)(struct log_fixture *fixture))
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("none", fixture->dir, type, 0, options) != 0) {
            fprintf(stderr, "skip - no %s can be mounted here: %s\n", type, strerror(errno));
            _exit(SKIPPED);
        }
        test(fixture); /* a failed assertion ends the child with another status */
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        skip();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* cmocka's asserts leave a test with a jump that must not cross into the parent's runner. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static bool direct_wanted;

/* A log's whole life: orders, a rotation, a restart. */
static void live_through(struct log_fixture *fixture)
{
    journal_must_open(fixture);
    MUST(fg_journal_stats(fixture->journal)->flushes_direct == direct_wanted);
    uint32_t count = rotate(fixture, 1);
    fg_journal_stop(fixture->journal);
    MUST(fg_journal_failed(fixture->journal) == 0);
    journal_drop(fixture);
    journal_must_open(fixture);
    MUST(fixture->told.orders_count == count);
    MUST(fg_journal_stats(fixture->journal)->segment == 2);
    journal_drop(fixture);
}

/* ramfs knows no O_DIRECT: writes go through the page cache and are flushed. */
static void test_on_ramfs(void **state)
{
    direct_wanted = false;
    on_file_system(*state, "ramfs", NULL, live_through);
}

static void test_on_tmpfs(void **state)
{
    direct_wanted = true;
    on_file_system(*state, "tmpfs", "size=64m", live_through);
}

static int filler = -1;

static void remove_filler(void *arg)
{
    (void)arg;
    close(filler); /* it has no name: its space goes with the handle */
}

/* A real full file system: 60 MiB, of which a file takes what would be the fourth segment. */
static void fill_up(struct log_fixture *fixture)
{
    fixture->config.workers = 1;
    journal_must_open(fixture);
    MUST(fg_journal_prepare(fixture->journal) == 1);
    filler = open(fixture->dir, O_RDWR | O_TMPFILE, 0600);
    MUST(filler >= 0);
    MUST(fallocate(filler, 0, 0, 20 << 20) == 0);
    run_full(fixture, remove_filler, NULL);
}

static void test_full_file_system(void **state)
{
    on_file_system(*state, "tmpfs", "size=60m", fill_up);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_segment_is_whole_or_not_there),
        CASE(test_any_call_fails),
        CASE(test_any_call_fails_with_effect),
        CASE(test_full_disk),
        CASE(test_start_on_a_full_disk),
        CASE(test_on_ramfs),
        CASE(test_on_tmpfs),
        CASE(test_full_file_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
