/* SPDX-License-Identifier: BSD-3-Clause */
/* Recovery from the bases that segments begin with, whole, torn and unfinished. */
#include "faulty_disk.h"

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
    /* Supersedes the four, all but the item's state. */
    submit(fixture, FG_EVENT_SALE, 2, "{\"name\": \"new\"}", 0, 0);
    submit(fixture, FG_EVENT_SALE_STATE, 2, NULL, FG_SALE_PAUSED, 0);
    submit(fixture, FG_EVENT_SALE_STATE, 2, NULL, FG_SALE_OPEN, 0);
    submit(fixture, FG_EVENT_STOCK_ADD, 2, NULL, 50, 21);
    submit(fixture, FG_EVENT_STOCK_ADD, 2, NULL, 7, 21);
    submit(fixture, FG_EVENT_STOCK_REMOVE, 2, NULL, 3, 21);
    submit(fixture, FG_EVENT_STOCK_REMOVE, 3, NULL, 9, 31);
    submit(fixture, FG_EVENT_ITEM_STATE, 3, NULL, 1, 32);
    submit(fixture, FG_EVENT_ENGINE_STATE, 0, NULL, 1, 0);
    submit(fixture, FG_EVENT_ENGINE_STATE, 0, NULL, 2, 0);
    submit(fixture, FG_EVENT_ACT, 0, "{\"method\": \"order.cancel\"}", 0, 0); /* in no base */
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
        {FG_EVENT_ITEM_STATE, 2, 1, 21, 0, NULL},
        {FG_EVENT_SALE, 3, 0, 0, 0, "{\"name\": \"third\"}"},
        {FG_EVENT_ITEM_SUPPLY, 3, 0, 31, 9, NULL},
        {FG_EVENT_ITEM_STATE, 3, 1, 32, 0, NULL},
        {FG_EVENT_SALE_POSITION, 2, before + 1, 1, 0, NULL},
        {FG_EVENT_SALE_POSITION, 3, 2, 1, 0, NULL},
        {FG_EVENT_ENGINE_STATE, 0, 2, 0, 0, NULL},
    };
    /* With all segments there, the base is no news. */
    journal_must_open(fixture);
    assert_int_equal(fixture->told.controls_count, 19);
    journal_drop(fixture);

    /* A base read is a base written again, and numbering goes on. */
    for (uint32_t first = 2; first <= 3; first++) {
        remove_segment(fixture, first - 1);
        journal_must_open(fixture);
        if (first == 2) {
            check_controls(&fixture->told, base, sizeof(base) / sizeof(base[0]));
            assert_true(fixture->told.controls[0].base);
            assert_int_equal(fixture->told.orders[0].sale_seq, before + 1);
            before += rotate(fixture, 2);
        } else {
            struct wanted later[sizeof(base) / sizeof(base[0])];
            memcpy(later, base, sizeof(base));
            later[8].value = before + 1;
            later[8].value2 = 3; /* the epoch of the opening before this one */
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

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_base_stands_for_what_went_before),
        CASE(test_base_of_several_frames),
        CASE(test_unfinished_base),
        CASE(test_torn_base),
        CASE(test_missing_segments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
