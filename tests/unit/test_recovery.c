/* SPDX-License-Identifier: BSD-3-Clause */
/* What the journal makes of a log it finds: whole, torn, damaged, or beginning with a base. */
#include "faulty_disk.h"

static void test_restart_tells_the_same(void **state)
{
    struct log_fixture *fixture = *state;
    uint64_t id = 0;

    for (uint32_t run = 1; run <= 5; run++) {
        journal_must_open(fixture);
        assert_int_equal(fg_journal_epoch(fixture->journal), run);
        assert_int_equal(fixture->found.epoch, run);
        if (run == 1)
            id = fixture->found.journal_id;
        assert_int_equal(fixture->found.journal_id, id);
        assert_int_equal(fixture->found.cut_bytes, 0);
        assert_int_equal(fixture->told.controls_count, run - 1);
        assert_int_equal(fixture->told.orders_count, 2 * (run - 1));
        for (uint32_t i = 0; i < fixture->told.orders_count; i++) {
            struct fg_order_event wanted = an_order(1, i % 2, i / 2 + 1);
            wanted.sale_seq = i + 1;
            assert_memory_equal(&fixture->told.orders[i], &wanted, sizeof(wanted));
        }
        if (run > 1) {
            assert_int_equal(fixture->told.last_epoch, run - 1);
            assert_int_equal(fixture->found.last_wall_ns, an_order(1, 0, run - 1).at_ns);
            assert_string_equal(fixture->told.controls[run - 2].body, "{\"name\": \"x\"}");
            assert_int_equal(fixture->told.controls[run - 2].event.uid, 1000);
            assert_int_equal(fixture->told.controls[run - 2].event.value2, run - 1);
        }
        submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"x\"}", 0, run);
        push_order(fixture, 1, 0, run);
        push_order(fixture, 1, 1, run);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
        if (run % 2 == 0)
            fg_journal_stop(fixture->journal);
        journal_drop(fixture);
    }
}

static void test_each_sale_has_its_numbers(void **state)
{
    struct log_fixture *fixture = *state;
    uint64_t seen[4] = {0};

    for (uint32_t run = 0; run < 2; run++) {
        journal_must_open(fixture);
        for (uint32_t i = 1; i <= 30; i++)
            push_order(fixture, 1 + i % 3, i % 4, i);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
        journal_drop(fixture);
    }
    journal_must_open(fixture);
    assert_int_equal(fixture->told.orders_count, 60);
    for (size_t i = 0; i < 60; i++) {
        const struct fg_order_event *event = &fixture->told.orders[i];
        assert_int_equal(event->sale_seq, ++seen[event->sale]);
    }
}

/* --- Torn tails --- */

/* Writes one frame, then one that is torn: of its five blocks those in `kept` reach the disk. */
static void tear(struct log_fixture *fixture, uint64_t kept)
{
    struct faults *faults = use_faulty_disk(fixture);

    journal_must_open(fixture);
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    for (uint32_t i = 2; i <= 300; i++)
        push_order(fixture, 1, 0, i);
    faults->fail_write = true;
    faults->torn_kept = kept;
    assert_int_equal(fg_journal_step(fixture->journal), -EIO);
    faults->fail_write = false;
    journal_drop(fixture);
}

static void test_torn_frames_are_cut(void **state)
{
    struct log_fixture *fixture = *state;

    for (uint64_t kept = 0; kept < 31; kept++) {
        int blocks = __builtin_popcountll(kept);
        tear(fixture, kept);
        journal_must_open(fixture);
        assert_int_equal(fixture->found.cut_bytes, blocks * FG_BLOCK_BYTES);
        assert_int_equal(fixture->told.orders_count, 1);
        assert_int_equal(fixture->found.end.offset, 3 * FG_BLOCK_BYTES);
        assert_int_equal(fg_journal_epoch(fixture->journal), 2);
        /* It goes on where the torn frame stood, and nothing of that is left behind. */
        push_order(fixture, 1, 0, 2);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
        journal_drop(fixture);
        journal_must_open(fixture);
        assert_int_equal(fixture->found.cut_bytes, 0);
        assert_int_equal(fixture->told.orders_count, 2);
        assert_int_equal(fixture->told.orders[1].sale_seq, 2);
        journal_drop(fixture);
        assert_int_equal(fixture_close(state), 0);
        assert_int_equal(fixture_open(state), 0);
        fixture = *state;
    }
    /* All its blocks are there: it was written, only its answer was lost. */
    tear(fixture, 31);
    journal_must_open(fixture);
    assert_int_equal(fixture->found.cut_bytes, 0);
    assert_int_equal(fixture->told.orders_count, 300);
}

/* --- The streams' word on a torn tail --- */

/* What the streams say, by sale number (names are sale-N), and what they were asked. */
static struct asked {
    int answers[4];
    unsigned calls[4];
    struct fg_stream_id last[4];
} asked;

static int tail_known(void *arg, const char *sale, struct fg_stream_id last)
{
    struct asked *to = arg;
    unsigned number;

    assert_int_equal(sscanf(sale, "sale-%u", &number), 1);
    assert_in_range(number, 1, 3);
    to->calls[number]++;
    to->last[number] = last;
    return to->answers[number];
}

/* Two epochs, three live sales and an archived one, then a torn frame of sale 1. */
static void tear_with_sales(struct log_fixture *fixture)
{
    struct faults *faults = use_faulty_disk(fixture);

    journal_must_open(fixture);
    submit(fixture, FG_EVENT_SALE, 1, "{\"number\": 1, \"name\": \"sale-1\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE, 2, "{\"name\": \"sale-2\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE, 3, "{\"name\": \"sale-3\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE, 4, "{\"name\": \"sale-4\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE_STATE, 4, NULL, FG_SALE_ARCHIVED, 0);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    push_order(fixture, 1, 0, 1);
    push_order(fixture, 2, 0, 2);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    journal_drop(fixture);
    journal_must_open(fixture);
    push_order(fixture, 1, 0, 3);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    for (uint32_t i = 4; i <= 300; i++)
        push_order(fixture, 1, 0, i);
    faults->fail_write = true;
    faults->torn_kept = 3;
    assert_int_equal(fg_journal_step(fixture->journal), -EIO);
    faults->fail_write = false;
    journal_drop(fixture);
}

static void test_streams_are_asked_before_a_cut(void **state)
{
    struct log_fixture *fixture = *state;
    char first[FG_BLOCK_BYTES], again[FG_BLOCK_BYTES];

    tear_with_sales(fixture);
    fixture->config.tail_known = tail_known;
    fixture->config.tail_arg = &asked;
    asked = (struct asked){.answers = {0, -ETIMEDOUT, 0, 1}};
    int file = segment_file(fixture, 1);
    const off_t torn = 6 * FG_BLOCK_BYTES; /* base, epoch, sales, orders, epoch, order */
    assert_int_equal(pread(file, first, sizeof(first), torn), sizeof(first));
    /* One stream that knows more is enough, though another cannot be asked; nothing is written. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
        assert_non_null(strstr(fixture->message, "segment-00000001.fgl: frame 7 at offset 24576"));
        assert_non_null(strstr(fixture->message, "sale sale-3"));
        assert_non_null(strstr(fixture->message, "Restore the log"));
        assert_int_equal(pread(file, again, sizeof(again), torn), sizeof(again));
        assert_memory_equal(first, again, sizeof(first));
    }
    close(file);
    for (unsigned sale = 1; sale <= 3; sale++)
        assert_int_equal(asked.calls[sale], 2);
    const struct fg_stream_id wanted[] = {{0}, {2, 2}, {1, 1}, {0, 0}};
    assert_memory_equal(&asked.last[1], &wanted[1], 3 * sizeof(wanted[0]));

    /* Nobody knows more, but not everybody was asked: it is cut, and said. */
    asked = (struct asked){.answers = {0, -ETIMEDOUT, 0, 0}};
    journal_must_open(fixture);
    assert_int_equal(fixture->found.cut_bytes, 2 * FG_BLOCK_BYTES);
    assert_true(fixture->found.tail_unasked);
    assert_int_equal(fixture->told.orders_count, 3);
    journal_drop(fixture);
    /* A whole tail is nobody's question. */
    asked = (struct asked){.answers = {0, 1, 1, 1}};
    journal_must_open(fixture);
    assert_int_equal(asked.calls[1], 0);
    assert_false(fixture->found.tail_unasked);
}

static void test_streams_that_know_nothing_let_it_be_cut(void **state)
{
    struct log_fixture *fixture = *state;

    tear_with_sales(fixture);
    fixture->config.tail_known = tail_known;
    fixture->config.tail_arg = &asked;
    asked = (struct asked){0};
    journal_must_open(fixture);
    assert_int_equal(fixture->found.cut_bytes, 2 * FG_BLOCK_BYTES);
    assert_false(fixture->found.tail_unasked);
    assert_int_equal(asked.calls[1] + asked.calls[2] + asked.calls[3], 3);
}

/* The very first frame of a log, torn: the log is as good as new. */
static void test_torn_first_frame(void **state)
{
    struct log_fixture *fixture = *state;
    uint8_t noise[FG_BLOCK_BYTES];

    journal_must_open(fixture);
    uint64_t id = fixture->found.journal_id;
    journal_drop(fixture);
    memset(noise, 0x46, sizeof(noise));
    damage(fixture, 1, 0, noise, sizeof(noise));
    memset(noise, 0, sizeof(noise));
    damage(fixture, 1, FG_BLOCK_BYTES, noise, sizeof(noise));
    journal_must_open(fixture);
    assert_int_equal(fixture->found.cut_bytes, FG_BLOCK_BYTES);
    assert_int_equal(fg_journal_epoch(fixture->journal), 1);
    assert_true(fixture->found.journal_id != id);
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    journal_drop(fixture);
    journal_must_open(fixture);
    assert_int_equal(fixture->told.orders_count, 1);
}

/* --- Damage --- */

static void test_damage_is_refused(void **state)
{
    struct log_fixture *fixture = *state;
    char segment[FG_BLOCK_BYTES], again[FG_BLOCK_BYTES];

    journal_must_open(fixture);
    for (uint32_t i = 1; i <= 3; i++) {
        push_order(fixture, 1, 0, i);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
    }
    journal_drop(fixture);
    int file = segment_file(fixture, 1);
    damage(fixture, 1, 3 * FG_BLOCK_BYTES + 100, "?", 1);
    assert_int_equal(pread(file, segment, sizeof(segment), 5 * FG_BLOCK_BYTES), sizeof(segment));
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    assert_non_null(strstr(fixture->message, "segment-00000001.fgl"));
    assert_non_null(strstr(fixture->message, "frame 4 "));
    assert_non_null(strstr(fixture->message, "offset 12288"));
    /* Nothing was written, and the lock is free again. */
    assert_int_equal(pread(file, again, sizeof(again), 5 * FG_BLOCK_BYTES), sizeof(again));
    assert_memory_equal(segment, again, sizeof(segment));
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    close(file);
}

/* Changes the frame at `offset` of segment 1 and makes its CRC right. */
static void forge(const struct log_fixture *fixture, uint64_t offset, uint16_t version,
                  uint32_t epoch, uint64_t sale_seq)
{
    _Alignas(8) uint8_t block[FG_BLOCK_BYTES];
    struct fg_frame *frame = (struct fg_frame *)block;
    int file = segment_file(fixture, 1);

    assert_int_equal(pread(file, block, sizeof(block), (off_t)offset), sizeof(block));
    close(file);
    frame->version = version;
    frame->epoch = epoch;
    if (frame->count > 0)
        ((struct fg_order_event *)(frame + 1))->sale_seq = sale_seq;
    frame->crc = fg_frame_crc(frame);
    damage(fixture, 1, offset, block, sizeof(block));
}

static void test_unknown_version_is_refused(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    journal_drop(fixture);
    forge(fixture, FG_BLOCK_BYTES, 3, 1, 0);
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    assert_non_null(strstr(fixture->message, "version"));
}

static void test_epochs_end(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    journal_drop(fixture);
    forge(fixture, FG_BLOCK_BYTES, FG_FRAME_VERSION, FG_EPOCH_MAX - 1, 0);
    journal_must_open(fixture);
    assert_int_equal(fg_journal_epoch(fixture->journal), FG_EPOCH_MAX);
    journal_drop(fixture);
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    assert_non_null(strstr(fixture->message, "epoch"));
}

static void test_gap_in_sale_seq_is_refused(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    journal_drop(fixture);
    forge(fixture, 2 * FG_BLOCK_BYTES, FG_FRAME_VERSION, 1, 2);
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    assert_non_null(strstr(fixture->message, "record 1 (ADMIT)"));
}

static void test_what_apply_refuses(void **state)
{
    struct log_fixture *fixture = *state;
    const struct {
        int answer;
        enum fg_exit_status status;
    } cases[] = {{-ENOSPC, FG_EXIT_CONFIG}, {-ENOMEM, FG_EXIT_MEMORY}, {-EINVAL, FG_EXIT_CORRUPT}};

    journal_must_open(fixture);
    for (uint32_t i = 1; i <= 3; i++)
        push_order(fixture, 1, 0, i);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    journal_drop(fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture->told.answer = cases[i].answer;
        fixture->told.answer_at = 2;
        assert_int_equal(journal_open(fixture), cases[i].status);
        assert_int_equal(fixture->told.orders_count, 2);
    }
    /* None of these raised the epoch. */
    fixture->told.answer = 0;
    journal_must_open(fixture);
    assert_int_equal(fg_journal_epoch(fixture->journal), 2);
}

/* --- Bases --- */

static void remove_segment(const struct log_fixture *fixture, uint32_t number)
{
    char path[128], name[FG_SEGMENT_NAME_BYTES];

    fg_segment_name(name, number);
    int n = snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
    assert_true(n > 0);
    assert_int_equal(unlink(path), 0);
}

struct wanted {
    enum fg_event_kind kind;
    uint32_t sale;
    uint64_t value, value2, value3;
    const char *body;
};

static void check_controls(const struct told *told, const struct wanted *wanted, size_t count)
{
    assert_int_equal(told->controls_count, count);
    for (size_t i = 0; i < count; i++) {
        const struct fg_control_event *event = &told->controls[i].event;
        assert_string_equal(fg_event_name(event->kind), fg_event_name(wanted[i].kind));
        assert_int_equal(event->sale, wanted[i].sale);
        assert_int_equal(event->value, wanted[i].value);
        assert_int_equal(event->value2, wanted[i].value2);
        assert_int_equal(event->value3, wanted[i].value3);
        if (wanted[i].body)
            assert_string_equal(told->controls[i].body, wanted[i].body);
        else
            assert_null(told->controls[i].body);
    }
}

static void test_base_stands_for_what_went_before(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    submit(fixture, FG_EVENT_SALE, 1, "{\"name\": \"gone\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE, 2, "{\"name\": \"old\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE_STATE, 2, NULL, FG_SALE_OPEN, 0);
    submit(fixture, FG_EVENT_STOCK_ADD, 2, NULL, 1000, 21);
    submit(fixture, FG_EVENT_ITEM_STATE, 2, NULL, 1, 21);
    submit(fixture, FG_EVENT_SALE, 3, "{\"name\": \"third\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE, 2, "{\"name\": \"new\"}", 0, 0); /* supersedes the four */
    submit(fixture, FG_EVENT_SALE_STATE, 2, NULL, FG_SALE_PAUSED, 0);
    submit(fixture, FG_EVENT_SALE_STATE, 2, NULL, FG_SALE_OPEN, 0);
    submit(fixture, FG_EVENT_STOCK_ADD, 2, NULL, 50, 21);
    submit(fixture, FG_EVENT_STOCK_ADD, 2, NULL, 7, 21);
    submit(fixture, FG_EVENT_STOCK_REMOVE, 2, NULL, 3, 21);
    submit(fixture, FG_EVENT_STOCK_REMOVE, 3, NULL, 9, 31);
    submit(fixture, FG_EVENT_ITEM_STATE, 3, NULL, 1, 32);
    submit(fixture, FG_EVENT_ENGINE_STATE, 0, NULL, 1, 0);
    submit(fixture, FG_EVENT_ENGINE_STATE, 0, NULL, 2, 0);
    submit(fixture, FG_EVENT_NAMES_USED, 0, "{\"sales\": [\"gone\"]}", 0, 0);
    submit(fixture, FG_EVENT_SALE_STATE, 1, NULL, FG_SALE_ARCHIVED, 0);
    push_order(fixture, 1, 1, 1);
    push_order(fixture, 3, 1, 2);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    uint32_t before = rotate(fixture, 2) - 8191; /* the last frame is in the new segment */
    journal_drop(fixture);

    const struct wanted base[] = {
        {FG_EVENT_NAMES_USED, 0, 0, 0, 0, "{\"sales\": [\"gone\"]}"},
        {FG_EVENT_SALE, 2, 0, 0, 0, "{\"name\": \"new\"}"},
        {FG_EVENT_SALE_STATE, 2, FG_SALE_OPEN, 0, 0, NULL},
        {FG_EVENT_ITEM_SUPPLY, 2, 57, 21, 3, NULL},
        {FG_EVENT_SALE, 3, 0, 0, 0, "{\"name\": \"third\"}"},
        {FG_EVENT_ITEM_SUPPLY, 3, 0, 31, 9, NULL},
        {FG_EVENT_ITEM_STATE, 3, 1, 32, 0, NULL},
        {FG_EVENT_SALE_POSITION, 2, before + 1, 1, 0, NULL},
        {FG_EVENT_SALE_POSITION, 3, 2, 1, 0, NULL},
        {FG_EVENT_ENGINE_STATE, 0, 2, 0, 0, NULL},
    };
    /* With all segments there, the base is no news. */
    journal_must_open(fixture);
    assert_int_equal(fixture->told.controls_count, 18);
    journal_drop(fixture);

    /* A base read is a base written again, and numbering goes on. */
    for (uint32_t first = 2; first <= 3; first++) {
        remove_segment(fixture, first - 1);
        journal_must_open(fixture);
        if (first == 2) {
            check_controls(&fixture->told, base, sizeof(base) / sizeof(base[0]));
            assert_int_equal(fixture->told.orders[0].sale_seq, before + 1);
            before += rotate(fixture, 2);
        } else {
            struct wanted later[sizeof(base) / sizeof(base[0])];
            memcpy(later, base, sizeof(base));
            later[7].value = before + 1;
            later[7].value2 = 3; /* the epoch of the opening before this one */
            check_controls(&fixture->told, later, sizeof(base) / sizeof(base[0]));
            assert_int_equal(fixture->told.orders[0].sale_seq, before + 1);
            /* The supply's revision is that of the last event in it. */
            assert_int_equal(fixture->told.controls[3].event.revision, 22);
        }
        journal_drop(fixture);
    }
}

/* Puts three definitions into the log that together need two frames. */
static void write_great_sales(struct log_fixture *fixture, char *body)
{
    memset(body, 'd', FG_CONTROL_BODY_MAX);
    body[FG_CONTROL_BODY_MAX] = '\0';
    for (uint32_t sale = 1; sale <= 3; sale++) {
        body[0] = (char)('0' + sale);
        assert_true(submit(fixture, FG_EVENT_SALE, sale, body, 0, 0) > 0);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
    }
}

/* `more` controls were told after the definitions, `before` before them. */
static void check_great_sales(const struct told *told, char *body, size_t more, size_t before)
{
    assert_int_equal(told->controls_count, before + 3 + more);
    for (uint32_t sale = 1; sale <= 3; sale++) {
        const struct told_control *control = &told->controls[before + sale - 1];
        body[0] = (char)('0' + sale);
        assert_int_equal(control->event.sale, sale);
        assert_string_equal(control->body, body);
    }
}

/* Writes orders of sale 1 until a write of the base of segment 2 fails: `writes` succeed before,
 * and of the failing one the blocks in `kept` reach the disk. Orders that are durable. */
static uint32_t fail_in_base(struct log_fixture *fixture, struct faults *faults, unsigned writes,
                             uint64_t kept)
{
    const struct fg_journal_stats *stats = fg_journal_stats(fixture->journal);
    const uint64_t span = fg_frame_span(8191 * FG_RECORD_BYTES);
    uint32_t count = 0, good;

    faults->torn_kept = kept;
    faults->writes = writes;
    do {
        good = count;
        for (unsigned i = 0; i < 8191; i++)
            push_order(fixture, 1, 0, ++count);
        faults->fail_write = stats->bytes + span > fixture->config.segment_bytes;
    } while (fg_journal_step(fixture->journal) > 0);
    assert_int_equal(stats->segment, 2);
    faults->fail_write = false;
    journal_drop(fixture);
    return good;
}

static void test_base_of_several_frames(void **state)
{
    struct log_fixture *fixture = *state;
    char *body = malloc(FG_CONTROL_BODY_MAX + 1);

    assert_non_null(body);
    fixture->config.segment_bytes = 2 * FG_SEGMENT_MIN;
    journal_must_open(fixture);
    write_great_sales(fixture, body);
    rotate(fixture, 1);
    journal_drop(fixture);
    journal_must_open(fixture);
    check_great_sales(&fixture->told, body, 0, 0);
    journal_drop(fixture);
    remove_segment(fixture, 1);
    journal_must_open(fixture);
    check_great_sales(&fixture->told, body, 1, 0);
    assert_int_equal(fixture->told.controls[3].event.kind, FG_EVENT_SALE_POSITION);
    free(body);
}

/* A crash between the frames of a base: the next start makes another segment with a whole one. */
static void test_unfinished_base(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);
    char *body = malloc(FG_CONTROL_BODY_MAX + 1);

    assert_non_null(body);
    fixture->config.segment_bytes = 2 * FG_SEGMENT_MIN;
    journal_must_open(fixture);
    while (fg_journal_prepare(fixture->journal) > 0)
        ;
    write_great_sales(fixture, body);
    uint32_t good = fail_in_base(fixture, faults, 1, 0);

    journal_must_open(fixture);
    check_great_sales(&fixture->told, body, 0, 0);
    assert_int_equal(fixture->told.orders_count, good);
    assert_int_equal(fg_journal_stats(fixture->journal)->segment, 3);
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    journal_drop(fixture);
    journal_must_open(fixture);
    check_great_sales(&fixture->told, body, 0, 0);
    assert_int_equal(fixture->told.orders_count, good + 1);
    journal_drop(fixture);
    /* What is left of the unfinished base is told, and then the whole one. */
    remove_segment(fixture, 1);
    journal_must_open(fixture);
    assert_int_equal(fixture->told.orders[0].sale_seq, good + 1);
    check_great_sales(&fixture->told, body, 1, fixture->told.controls_count - 4);
    assert_in_range(fixture->told.controls_count, 5, 6);
    journal_drop(fixture);
    remove_segment(fixture, 2);
    journal_must_open(fixture);
    check_great_sales(&fixture->told, body, 1, 0);
    free(body);
}

/* A torn base: the log ends in the segment before, and the half-written one is used again. */
static void test_torn_base(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    journal_must_open(fixture);
    while (fg_journal_prepare(fixture->journal) > 0)
        ;
    for (int i = 0; i < 40; i++)
        submit(fixture, FG_EVENT_SALE, (uint32_t)i + 1, "{\"name\": \"a sale\"}", 0, 0);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    uint32_t good = fail_in_base(fixture, faults, 0, 2); /* its second block only */

    journal_must_open(fixture);
    assert_int_equal(fixture->found.cut_bytes, FG_BLOCK_BYTES);
    assert_int_equal(fixture->found.end.segment, 1);
    assert_int_equal(fixture->told.orders_count, good);
    rotate(fixture, 1);
    journal_drop(fixture);
    journal_must_open(fixture);
    assert_int_equal(fixture->found.cut_bytes, 0);
    assert_int_equal(fixture->found.end.segment, 2);
}

static void test_missing_segments_are_refused(void **state)
{
    struct log_fixture *fixture = *state;

    journal_must_open(fixture);
    while (fg_journal_prepare(fixture->journal) > 0)
        ;
    push_order(fixture, 1, 0, 1);
    assert_int_equal(fg_journal_step(fixture->journal), 1);
    journal_drop(fixture);
    remove_segment(fixture, 1);
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    assert_non_null(strstr(fixture->message, "missing"));
}

/* The last frame may be in the file and not on the disk: it is flushed before anything follows it,
 * and a log whose end cannot be flushed is not gone on with. */
static void test_the_end_is_flushed_first(void **state)
{
    struct log_fixture *fixture = *state;
    struct faults *faults = use_faulty_disk(fixture);

    faults->no_direct = true;
    journal_must_open(fixture);
    push_order(fixture, 1, 1, 1);
    faults->fail_flush = true;
    assert_int_equal(fg_journal_step(fixture->journal), -EIO);
    journal_drop(fixture);

    faults->writes_seen = 0;
    assert_int_equal(journal_open(fixture), FG_EXIT_DISK);
    assert_int_equal(faults->writes_seen, 0);
    faults->fail_flush = false;
    journal_must_open(fixture);
    assert_int_equal(fixture->told.orders_count, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_restart_tells_the_same),
        CASE(test_each_sale_has_its_numbers),
        CASE(test_torn_frames_are_cut),
        CASE(test_streams_are_asked_before_a_cut),
        CASE(test_streams_that_know_nothing_let_it_be_cut),
        CASE(test_torn_first_frame),
        CASE(test_damage_is_refused),
        CASE(test_unknown_version_is_refused),
        CASE(test_epochs_end),
        CASE(test_gap_in_sale_seq_is_refused),
        CASE(test_what_apply_refuses),
        CASE(test_base_stands_for_what_went_before),
        CASE(test_base_of_several_frames),
        CASE(test_unfinished_base),
        CASE(test_torn_base),
        CASE(test_missing_segments_are_refused),
        CASE(test_the_end_is_flushed_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
