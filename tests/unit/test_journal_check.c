/* SPDX-License-Identifier: BSD-3-Clause */
/* Checking the records of a log: each rule is broken by one record, and told. */
#include "model_fixture.h"

#include "control/journal/check.h"
#include "control/text.h"
#include "flashgate/exit_status.h"

/* A log as the check sees it, made record by record. */
struct log {
    struct fg_journal_check check;
    struct fg_frame header;
    struct fg_journal_frame frame;
    uint64_t lsn;
};

static int log_open(void **state)
{
    struct log *log = calloc(1, sizeof(*log));
    assert_non_null(log);
    assert_int_equal(fg_journal_check_init(&log->check), 0);
    log->frame = (struct fg_journal_frame){.header = &log->header, .segment = 1};
    log->header = (struct fg_frame){.version = FG_FRAME_VERSION};
    *state = log;
    return 0;
}

static int log_close(void **state)
{
    struct log *log = *state;
    fg_journal_check_fini(&log->check);
    free(log);
    return 0;
}

/* A frame of `count` records begins; 0 if it is all right. */
static int frame(struct log *log, unsigned flags, uint32_t count)
{
    log->header.sequence++;
    log->header.flags = (uint16_t)flags;
    log->header.count = count;
    int rc = fg_journal_check_frame(&log->check, &log->frame);
    log->frame.offset += FG_BLOCK_BYTES;
    return rc;
}

static void next_segment(struct log *log)
{
    log->frame.segment++;
    log->frame.offset = 0;
}

static int put_record(struct log *log, const void *unit, const char *body)
{
    struct fg_record record = {
        .lsn = ++log->lsn, .epoch = log->header.epoch, .unit = unit, .body = body};
    return fg_journal_check_record(&log->check, &log->frame, &record);
}

static int put_control(struct log *log, unsigned kind, uint32_t sale, uint64_t value,
                       uint64_t value2)
{
    struct fg_control_event event = {.kind = (uint8_t)kind,
                                     .sale = sale,
                                     .revision = log->lsn + 1,
                                     .value = value,
                                     .value2 = value2,
                                     .at_ns = 5000};
    return put_record(log, &event, NULL);
}

static int put_sale(struct log *log, const struct fg_sale *sale, uint32_t number)
{
    struct fg_sale *copy = copy_of(sale, number);
    json_t *json = fg_sale_to_json(copy);
    char *body = json_dumps(json, JSON_COMPACT);
    struct fg_control_event event = {.kind = FG_EVENT_SALE,
                                     .sale = number,
                                     .revision = log->lsn + 1,
                                     .body_length = (uint32_t)strlen(body),
                                     .at_ns = 5000};
    int rc = put_record(log, &event, body);
    free(body);
    json_decref(json);
    fg_model_sale_free(copy);
    return rc;
}

/* Order `request` of sale 1, the event number `seq` of the sale; of item 8 it is held. */
static struct fg_order_event order(unsigned kind, uint64_t seq, uint64_t request, uint32_t item,
                                   unsigned quantity)
{
    return (struct fg_order_event){.kind = (uint8_t)kind,
                                   .quantity = (uint16_t)quantity,
                                   .item = item,
                                   .sale = 1,
                                   .hold_ms = kind == FG_EVENT_ADMIT && item == 8 ? 60000 : 0,
                                   .sale_seq = seq,
                                   .order = 1000 + request,
                                   .buyer = {(uint8_t)request},
                                   .request = request,
                                   .at_ns = 6000};
}

static int put_order(struct log *log, unsigned kind, uint64_t seq, uint64_t request, uint32_t item,
                     unsigned quantity)
{
    struct fg_order_event event = order(kind, seq, request, item, quantity);
    return put_record(log, &event, NULL);
}

/* The first segment: an empty base, epoch 1, and the sale with its items 7 and 8. */
static void begin(struct log *log)
{
    log->header.epoch = 1;
    assert_int_equal(frame(log, FG_FRAME_BASE, 0), 0);
    assert_int_equal(frame(log, FG_FRAME_EPOCH, 0), 0);
    assert_int_equal(frame(log, 0, 100), 0);
    assert_int_equal(put_sale(log, &spring, 1), 0);
    assert_int_equal(put_control(log, FG_EVENT_SALE_STATE, 1, FG_SALE_OPEN, 0), 0);
}

static void told(const struct log *log, const char *words)
{
    assert_int_equal(log->check.status, FG_EXIT_CORRUPT);
    if (!strstr(log->check.problem, words))
        fail_msg("\"%s\" has no \"%s\"", log->check.problem, words);
}

/* --- orders --- */

static void a_sound_life_of_orders_is_sound(void **state)
{
    struct log *log = *state;
    begin(log);
    static const struct {
        unsigned kind;
        uint64_t request;
        uint32_t item;
        unsigned quantity;
    } events[] = {
        {FG_EVENT_ADMIT, 1, 7, 60},  {FG_EVENT_ADMIT, 2, 8, 50},  {FG_EVENT_EXPIRE, 2, 8, 50},
        {FG_EVENT_ADMIT, 3, 8, 50},  {FG_EVENT_CANCEL, 3, 8, 50}, {FG_EVENT_REACQUIRE, 2, 8, 50},
        {FG_EVENT_CANCEL, 2, 8, 50}, {FG_EVENT_ADMIT, 4, 8, 1},   {FG_EVENT_CONFIRM, 4, 8, 1},
        {FG_EVENT_ADMIT, 5, 8, 1},   {FG_EVENT_EXPIRE, 5, 8, 1},  {FG_EVENT_REFUSE_LATE, 5, 8, 1},
        {FG_EVENT_ADMIT, 6, 7, 40},
    };
    for (unsigned i = 0; i < sizeof(events) / sizeof(*events); i++)
        if (put_order(log, events[i].kind, i + 1, events[i].request, events[i].item,
                      events[i].quantity) != 0)
            fail_msg("event %u: %s", i, log->check.problem);
    fg_journal_check_end(&log->check);
    assert_int_equal(log->check.status, FG_EXIT_OK);
    assert_int_equal(log->check.units, 60 + 1 + 40);
    assert_int_equal(log->check.orders.count, 6);
}

static void what_does_not_follow_is_told(void **state)
{
    static const struct {
        unsigned kind;
        uint64_t seq, request;
        uint32_t item;
        unsigned quantity;
        const char *words;
    } wrong[] = {
        {FG_EVENT_ADMIT, 5, 9, 7, 1, "sale_seq 5 of sale 1, and 4 comes next"},
        {FG_EVENT_ADMIT, 3, 9, 7, 1, "sale_seq 3 of sale 1, and 4 comes next"},
        {FG_EVENT_ADMIT, 4, 1, 7, 1, "admitted before"},
        {FG_EVENT_CONFIRM, 4, 9, 8, 1, "never admitted"},
        {FG_EVENT_CONFIRM, 4, 1, 7, 2, "confirms an order that is not held"},
        {FG_EVENT_EXPIRE, 4, 1, 7, 2, "expires an order that is not held"},
        {FG_EVENT_CANCEL, 4, 3, 8, 1, "cancels an order that is over"},
        {FG_EVENT_REACQUIRE, 4, 2, 8, 1, "revives an order that is not expired"},
        {FG_EVENT_REFUSE_LATE, 4, 2, 8, 1, "refuses an order that is not expired"},
        {FG_EVENT_CONFIRM, 4, 2, 8, 2, "not what was admitted"},
        {FG_EVENT_ADMIT, 4, 9, 7, 99, "gives 101 units of item 7, of a supply of 100"},
        {FG_EVENT_ADMIT, 4, 9, 7, 0, "its quantity is 0"},
        {FG_EVENT_ADMIT, 4, 9, 99, 1, "its item 99 is of no sale"},
        {9, 4, 9, 7, 1, "its kind is not known"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        void *fresh;
        log_open(&fresh);
        struct log *log = fresh;
        begin(log);
        assert_int_equal(put_order(log, FG_EVENT_ADMIT, 1, 1, 7, 2), 0);
        assert_int_equal(put_order(log, FG_EVENT_ADMIT, 2, 2, 8, 1), 0);
        if (wrong[i].kind == FG_EVENT_CANCEL) {
            assert_int_equal(put_order(log, FG_EVENT_ADMIT, 3, 3, 8, 1), 0);
            assert_int_equal(put_order(log, FG_EVENT_EXPIRE, 4, 3, 8, 1), 0);
        } else {
            assert_int_equal(put_order(log, FG_EVENT_ADMIT, 3, 4, 8, 1), 0);
        }
        uint64_t seq = wrong[i].kind == FG_EVENT_CANCEL ? 5 : wrong[i].seq;
        assert_int_not_equal(
            put_order(log, wrong[i].kind, seq, wrong[i].request, wrong[i].item, wrong[i].quantity),
            0);
        told(log, wrong[i].words);
        assert_int_equal(log->check.at.lsn, log->lsn);
        assert_int_equal(log->check.at.segment, 1);
        assert_int_equal(log->check.at.offset, 2 * FG_BLOCK_BYTES + FG_BLOCK_BYTES);
        log_close(&fresh);
    }
}

static void wrong_fields_are_told(void **state)
{
    struct log *log = *state;
    begin(log);
    struct fg_order_event event = order(FG_EVENT_ADMIT, 1, 1, 8, 1);
    event.flags = 1;
    assert_int_not_equal(put_record(log, &event, NULL), 0);
    told(log, "it has flags");
    event.flags = 0;
    event.order = 0;
    assert_int_not_equal(put_record(log, &event, NULL), 0);
    told(log, "no order id");
    event = order(FG_EVENT_ADMIT, 1, 1, 8, 1);
    event.sale = 2;
    assert_int_not_equal(put_record(log, &event, NULL), 0);
    told(log, "its item 8 is of sale 1, not 2");
    event = order(FG_EVENT_CONFIRM, 1, 1, 8, 1);
    event.hold_ms = 5;
    assert_int_not_equal(put_record(log, &event, NULL), 0);
    told(log, "only ADMIT may");
}

static void more_orders_than_the_table_began_with(void **state)
{
    struct log *log = *state;
    begin(log);
    assert_int_equal(put_control(log, FG_EVENT_STOCK_ADD, 1, 200000, 7), 0);
    for (uint64_t i = 1; i <= 150000; i++)
        assert_int_equal(put_order(log, FG_EVENT_ADMIT, i, i, 7, 1), 0);
    assert_int_equal(log->check.orders.count, 150000);
    assert_int_equal(put_order(log, FG_EVENT_CANCEL, 150001, 77, 7, 1), 0);
    assert_int_not_equal(put_order(log, FG_EVENT_ADMIT, 150002, 149999, 7, 1), 0);
    told(log, "admitted before");
}

/* --- control events --- */

static void control_events_that_do_not_follow_are_told(void **state)
{
    struct log *log = *state;
    begin(log);
    assert_int_not_equal(put_control(log, FG_EVENT_SALE_STATE, 2, FG_SALE_OPEN, 0), 0);
    told(log, "does not follow");
    assert_int_not_equal(put_control(log, FG_EVENT_STOCK_ADD, 1, 5, 99), 0);
    told(log, "does not follow");
    assert_int_not_equal(put_control(log, 99, 1, 0, 0), 0);
    told(log, "kind is not known");
    assert_int_not_equal(put_sale(log, &spring, 2), 0); /* the name again */
    told(log, "does not follow");
}

static void what_operators_did_is_passed_over(void **state)
{
    struct log *log = *state;
    begin(log);
    assert_int_equal(put_control(log, FG_EVENT_ACT, 0, 0, 0), 0);
    assert_int_equal(put_order(log, FG_EVENT_ADMIT, 1, 1, 7, 1), 0);
}

/* --- epochs and bases --- */

static void an_epoch_begins_with_its_frame(void **state)
{
    struct log *log = *state;
    begin(log);
    log->header.epoch = 2;
    assert_int_not_equal(frame(log, 0, 0), 0);
    told(log, "it is of epoch 2, which has not begun");
    assert_int_equal(log->check.at.lsn, 0);
}

static void an_epoch_does_not_begin_twice(void **state)
{
    struct log *log = *state;
    begin(log);
    log->header.epoch = 2;
    assert_int_equal(frame(log, FG_FRAME_EPOCH, 0), 0);
    assert_int_not_equal(frame(log, FG_FRAME_EPOCH, 0), 0);
    told(log, "begins again");
}

/* The base of segment 2 as the journal would write it, but for one record. */
struct base_writer {
    unsigned skip, alter; /* number of the record from 1; 0: none */
    unsigned count;
    struct fg_control_event events[8];
    char *bodies[8];
};

static int gather(void *arg, const struct fg_control_event *event, const char *body)
{
    struct base_writer *writer = arg;

    assert_true(writer->count < 8);
    writer->events[writer->count] = *event;
    writer->bodies[writer->count++] = event->body_length ? strndup(body, event->body_length) : NULL;
    return 0;
}

/* Begins segment 2 with that base; 0, or the first other answer, its next frame's included. */
static int second_segment(struct log *log, struct base_writer *writer)
{
    int rc = 0;

    next_segment(log);
    assert_int_equal(frame(log, FG_FRAME_BASE, 10), 0);
    assert_int_equal(fg_books_base(&log->check.books, 7777, gather, writer), 0);
    for (unsigned i = 0; i < writer->count; i++) {
        writer->events[i].value += i + 1 == writer->alter;
        if (rc == 0 && i + 1 != writer->skip)
            rc = put_record(log, &writer->events[i], writer->bodies[i]);
        free(writer->bodies[i]);
    }
    return rc != 0 ? rc : frame(log, 0, 0);
}

static void fill_first_segment(struct log *log)
{
    begin(log);
    assert_int_equal(put_control(log, FG_EVENT_STOCK_ADD, 1, 5, 7), 0);
    assert_int_equal(put_order(log, FG_EVENT_ADMIT, 1, 1, 7, 2), 0);
}

static void a_base_that_says_the_same_is_sound(void **state)
{
    struct log *log = *state;
    struct base_writer writer = {0};
    fill_first_segment(log);
    assert_int_equal(second_segment(log, &writer), 0);
    assert_int_equal(writer.count, 4); /* SALE, SALE_STATE, ITEM_SUPPLY, SALE_POSITION */
    assert_int_equal(put_order(log, FG_EVENT_ADMIT, 2, 2, 7, 2), 0);
}

static void a_base_that_says_something_else_is_told(void **state)
{
    (void)state;
    for (unsigned record = 1; record <= 4; record++) {
        void *fresh;
        log_open(&fresh);
        struct base_writer writer = {.alter = record};
        fill_first_segment(fresh);
        assert_int_not_equal(second_segment(fresh, &writer), 0);
        told(fresh, "says what the records before it did not");
        log_close(&fresh);
    }
}

static void a_base_that_lacks_a_record_is_told(void **state)
{
    static const char *const missing[] = {"SALE of sale 1", "SALE_STATE of sale 1",
                                          "ITEM_SUPPLY of sale 1", "SALE_POSITION of sale 1"};
    (void)state;
    for (unsigned record = 1; record <= 4; record++) {
        void *fresh;
        log_open(&fresh);
        struct base_writer writer = {.skip = record};
        fill_first_segment(fresh);
        assert_int_not_equal(second_segment(fresh, &writer), 0);
        told(fresh, missing[record - 1]);
        log_close(&fresh);
    }
}

static void a_base_that_a_crash_cut_short_is_none(void **state)
{
    struct log *log = *state;
    struct base_writer writer = {0};
    fill_first_segment(log);
    next_segment(log);
    assert_int_equal(frame(log, FG_FRAME_BASE | FG_FRAME_BASE_MORE, 0), 0);
    assert_int_equal(second_segment(log, &writer), 0);
}

/* --- a log whose first segments are gone --- */

/* Begins with segment 3: the base alone tells the sale, two of whose events are gone. */
static void begin_late(struct log *log)
{
    log->frame.segment = 3;
    log->header.epoch = 4;
    assert_int_equal(frame(log, FG_FRAME_BASE, 3), 0);
    assert_int_equal(put_sale(log, &spring, 1), 0);
    assert_int_equal(put_control(log, FG_EVENT_SALE_POSITION, 1, 3, 4), 0);
    assert_int_equal(frame(log, 0, 3), 0);
    assert_int_equal(put_order(log, FG_EVENT_CANCEL, 3, 1, 7, 2), 0);
}

static void orders_of_an_archived_sale_may_be_gone(void **state)
{
    struct log *log = *state;
    begin_late(log);
    assert_int_equal(put_control(log, FG_EVENT_SALE_STATE, 1, FG_SALE_ARCHIVED, 0), 0);
    fg_journal_check_end(&log->check);
    assert_int_equal(log->check.status, FG_EXIT_OK);
}

static void orders_of_a_live_sale_may_not(void **state)
{
    struct log *log = *state;
    begin_late(log);
    uint64_t lsn = log->lsn;
    assert_int_equal(put_order(log, FG_EVENT_ADMIT, 4, 2, 7, 2), 0);
    fg_journal_check_end(&log->check);
    told(log, "its sale spring is not archived");
    assert_int_equal(log->check.at.lsn, lsn);
}

static void beginning_again_forgets(void **state)
{
    struct log *log = *state;
    fill_first_segment(log);
    assert_int_equal(fg_journal_check_again(&log->check), 0);
    log->frame.offset = 0;
    fill_first_segment(log);
    assert_int_equal(log->check.status, FG_EXIT_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, log_open, log_close)
    const struct CMUnitTest tests[] = {
        TEST(a_sound_life_of_orders_is_sound),
        TEST(what_does_not_follow_is_told),
        TEST(wrong_fields_are_told),
        TEST(more_orders_than_the_table_began_with),
        TEST(control_events_that_do_not_follow_are_told),
        TEST(what_operators_did_is_passed_over),
        TEST(an_epoch_begins_with_its_frame),
        TEST(an_epoch_does_not_begin_twice),
        TEST(a_base_that_says_the_same_is_sound),
        TEST(a_base_that_says_something_else_is_told),
        TEST(a_base_that_lacks_a_record_is_told),
        TEST(a_base_that_a_crash_cut_short_is_none),
        TEST(orders_of_an_archived_sale_may_be_gone),
        TEST(orders_of_a_live_sale_may_not),
        TEST(beginning_again_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
