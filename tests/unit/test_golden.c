/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Logs that earlier programs wrote, kept under tests/golden/vN with the zeros at their ends cut
 * off: this program must open each, find every record in it as it was written, and go on with it.
 *
 * `records` is what is in them; FLASHGATE_GOLDEN_WRITE=DIR makes the program write such a log of
 * its own version into an empty directory instead.
 */
#include "log_fixture.h"

#include "control/journal/check.h"
#include "control/sale/sale.h"

/* One record, and the epoch and frame that it stands in. A frame's control events come first. */
struct golden {
    unsigned epoch, frame;
    union {
        struct fg_order_event order;
        struct fg_control_event control;
    };
    const char *body;
};

#define AT(second) (UINT64_C(1790000000000000000) + (second)*UINT64_C(1000000000))
#define CONTROL(epoch_, frame_, kind_, sale_, body_, ...)                                          \
    {                                                                                              \
        .epoch = epoch_, .frame = frame_, .body = body_, .control = {                              \
            .kind = FG_EVENT_##kind_,                                                              \
            .body_length = sizeof(body_) - 1,                                                      \
            .sale = sale_,                                                                         \
            .uid = 1000,                                                                           \
            .gid = 100,                                                                            \
            .pid = 4711,                                                                           \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define ORDER(epoch_, frame_, kind_, seq_, order_, buyer_, ...)                                    \
    {                                                                                              \
        .epoch = epoch_, .frame = frame_, .order = {                                               \
            .kind = FG_EVENT_##kind_,                                                              \
            .sale = 1,                                                                             \
            .sale_seq = seq_,                                                                      \
            .order = order_,                                                                       \
            .buyer = buyer_ buyer_ buyer_ buyer_,                                                  \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
/* As fg_sale_to_json() writes them: read_golden() sees to it. */
#define ITEM(id, name, stock, hold)                                                                \
    "{\"id\":" id ",\"name\":\"" name "\",\"stock\":" stock                                        \
    ",\"limit\":0,\"max_per_order\":9,\"hold_ms\":" hold "}"
#define SALE_BODY(number, name, state, opens, items)                                               \
    "{\"name\":\"" name "\",\"number\":" number ",\"state\":\"" state "\",\"opens_ns\":" opens     \
    ",\"closes_ns\":0,\"cancel_final\":true,\"late_confirm\":\"reacquire\",\"items\":[" items "]}"
#define SALE_ONE                                                                                   \
    SALE_BODY("1", "golden", "scheduled", "0",                                                     \
              ITEM("11", "Shoe", "5", "60000") "," ITEM("12", "Hat", "9", "0"))
/* Opened at AT(2); the stock with what was added and removed; hats are held from now on. */
#define SALE_ONE_CHANGED                                                                           \
    SALE_BODY("1", "golden", "open", "1790000002000000000",                                        \
              ITEM("11", "Shoe", "45", "60000") "," ITEM("12", "Hat", "7", "1000"))
#define SALE_TWO SALE_BODY("2", "second", "scheduled", "0", ITEM("21", "Sock", "1", "0"))

/* The one list of what the logs hold. */
static const struct golden records[] = {
    CONTROL(1, 1, SALE, 1, SALE_ONE, .revision = 1, .at_ns = AT(1)),
    CONTROL(1, 1, SALE_STATE, 1, "", .revision = 2, .at_ns = AT(2), .value = FG_SALE_OPEN),
    ORDER(1, 2, ADMIT, 1, 0x4000000001, "aaaa", .item = 11, .quantity = 1, .hold_ms = 60000,
          .request = 1, .at_ns = AT(3)),
    ORDER(1, 2, ADMIT, 2, 0x4000000002, "bbbb", .item = 11, .quantity = 2, .hold_ms = 60000,
          .request = UINT64_MAX, .at_ns = AT(3) + 1),
    ORDER(1, 2, ADMIT, 3, 0x4000000003, "cccc", .item = 12, .quantity = 3, .request = 7,
          .at_ns = AT(4)),
    CONTROL(1, 3, STOCK_ADD, 1, "", .revision = 3, .at_ns = AT(5), .value = 40, .value2 = 11),
    CONTROL(1, 3, STOCK_REMOVE, 1, "", .revision = 4, .at_ns = AT(6), .value = 2, .value2 = 12),
    ORDER(1, 3, CONFIRM, 4, 0x4000000001, "aaaa", .item = 11, .quantity = 1, .request = 1,
          .at_ns = AT(8)),
    ORDER(1, 3, CANCEL, 5, 0x4000000003, "cccc", .item = 12, .quantity = 3, .request = 7,
          .at_ns = AT(9)),
    ORDER(1, 4, EXPIRE, 6, 0x4000000002, "bbbb", .item = 11, .quantity = 2, .request = UINT64_MAX,
          .at_ns = AT(64)),
    CONTROL(2, 1, SALE, 1, SALE_ONE_CHANGED, .revision = 5, .at_ns = AT(70)),
    CONTROL(2, 1, SALE, 2, SALE_TWO, .revision = 6, .at_ns = AT(71)),
    CONTROL(2, 1, SALE_STATE, 2, "", .revision = 7, .at_ns = AT(72), .value = FG_SALE_CLOSED),
    ORDER(2, 1, REACQUIRE, 7, 0x4000000002, "bbbb", .item = 11, .quantity = 2,
          .request = UINT64_MAX, .at_ns = AT(73)),
    ORDER(2, 2, ADMIT, 8, 0x8000000001, "dddd", .item = 12, .quantity = 1, .hold_ms = 1000,
          .request = 9, .at_ns = AT(74)),
    ORDER(2, 3, EXPIRE, 9, 0x8000000001, "dddd", .item = 12, .quantity = 1, .request = 9,
          .at_ns = AT(75)),
    ORDER(2, 3, ADMIT, 10, 0x8000000002, "eeee", .item = 12, .quantity = 7, .hold_ms = 1000,
          .request = 10, .at_ns = AT(75) + 1),
    ORDER(2, 3, REFUSE_LATE, 11, 0x8000000001, "dddd", .item = 12, .quantity = 1, .request = 9,
          .at_ns = AT(76)),
    CONTROL(2, 4, NAMES_USED, 0, "{\"sales\":[\"second\"],\"items\":[21]}", .revision = 8,
            .at_ns = AT(78)),
    CONTROL(2, 4, SALE_STATE, 2, "", .revision = 8, .at_ns = AT(78), .value = FG_SALE_ARCHIVED),
};
#define RECORDS (sizeof(records) / sizeof(records[0]))

/* --- Writing one --- */

static void queue(struct log_fixture *fixture, const struct golden *record)
{
    if (fg_event_is_control(&record->control))
        assert_true(fg_journal_submit(fixture->journal, &record->control, record->body) > 0);
    else
        fg_lane_push(fg_journal_lane(fixture->journal, 0), &record->order);
}

static void write_golden(void **state)
{
    struct log_fixture *fixture = *state;
    size_t i = 0;

    fixture->config.dir = getenv("FLASHGATE_GOLDEN_WRITE");
    for (unsigned epoch = 1; epoch <= 2; epoch++) {
        journal_must_open(fixture);
        assert_int_equal(fixture->found.epoch, epoch);
        for (unsigned frame = 1; i < RECORDS && records[i].epoch == epoch; frame++) {
            for (; i < RECORDS && records[i].epoch == epoch && records[i].frame == frame; i++)
                queue(fixture, &records[i]);
            assert_int_equal(fg_journal_step(fixture->journal), 1);
        }
        fg_journal_stop(fixture->journal);
        journal_drop(fixture);
    }
    assert_int_equal(i, RECORDS);
}

/* --- Reading them --- */

/* Copies the log of a version into the fixture's directory, as long as it was when written. */
static void take_golden(const struct log_fixture *fixture, const char *version)
{
    char from[128], to[128];
    static char bytes[1 << 20];

    snprintf(from, sizeof(from), "tests/golden/%s/segment-00000001.fgl", version);
    snprintf(to, sizeof(to), "%s/segment-00000001.fgl", fixture->dir);
    int in = open(from, O_RDONLY), out = open(to, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (in < 0)
        fail_msg("%s: %s (tests run in the project's folder)", from, strerror(errno));
    assert_true(out >= 0);
    ssize_t length = read(in, bytes, sizeof(bytes));
    assert_in_range(length, FG_BLOCK_BYTES, sizeof(bytes) - 1);
    assert_int_equal(write(out, bytes, (size_t)length), length);
    assert_int_equal(ftruncate(out, FG_SEGMENT_MIN), 0);
    close(in);
    close(out);
}

/* The body of a SALE is what control makes of the sale that it tells. */
static void assert_control_writes(const char *body)
{
    struct fg_sale sale;
    json_t *json = json_loads(body, 0, NULL);
    assert_int_equal(fg_sale_from_json(&sale, json), 0);
    json_decref(json);
    json = fg_sale_to_json(&sale);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, body);
    free(text);
    json_decref(json);
    fg_sale_free(&sale);
}

/* Reads the log as it lies there: every record, and every frame of this version. */
static void read_golden(const struct log_fixture *fixture, unsigned version)
{
    const struct fg_frame *frame;
    struct fg_record record;
    int error;
    size_t i = 0;
    struct fg_log_reader *reader = fg_log_reader_open(&fg_disk_files, fixture->dir, true, &error);

    assert_non_null(reader);
    while (fg_log_reader_next(reader, UINT64_MAX, &frame) == FG_LOG_MORE) {
        assert_int_equal(frame->version, version);
        assert_int_equal(frame->segment, version == 1 ? 0 : 1);
        while (fg_log_reader_record(reader, &record)) {
            assert_in_range(i, 0, RECORDS - 1);
            const struct golden *wanted = &records[i++];
            assert_int_equal(record.lsn, i);
            assert_int_equal(record.epoch, wanted->epoch);
            assert_memory_equal(record.unit, &wanted->order, FG_RECORD_BYTES);
            if (fg_event_is_control(record.unit))
                assert_memory_equal(record.body, wanted->body, wanted->control.body_length);
            if (record.control->kind == FG_EVENT_SALE)
                assert_control_writes(wanted->body);
        }
    }
    assert_string_equal(fg_log_reader_reason(reader), "");
    assert_int_equal(i, RECORDS);
    assert_int_equal(fg_log_reader_sequence(reader), 13);
    fg_log_reader_close(reader);
}

/* flashgatectl journal verify finds nothing wrong with it. */
static void verify_golden(const struct log_fixture *fixture)
{
    struct fg_journal_check check;
    struct fg_journal_facts facts;
    char message[MESSAGE_BYTES];

    assert_int_equal(fg_journal_check_log(&check, &fg_disk_files, fixture->dir, &facts), 0);
    if (check.status != FG_EXIT_OK)
        fail_msg("record %llu: %s", (unsigned long long)check.at.lsn, check.problem);
    assert_int_equal(fg_journal_judge(&facts, fixture->dir, message, sizeof(message)), FG_EXIT_OK);
    assert_int_equal(facts.last_lsn, RECORDS);
    assert_int_equal(check.orders.count, 5);
    assert_int_equal(check.units, 1 + 2 + 7);
    fg_journal_check_fini(&check);
}

/* What recovery tells of the golden part, and of `more` orders after it. */
static void check_told(const struct log_fixture *fixture, unsigned more)
{
    size_t orders = 0, controls = 0;

    for (size_t i = 0; i < RECORDS; i++) {
        if (fg_event_is_control(&records[i].control)) {
            const struct told_control *told = &fixture->told.controls[controls++];
            assert_memory_equal(&told->event, &records[i].control, FG_RECORD_BYTES);
            assert_string_equal(told->body ? told->body : "", records[i].body);
        } else {
            assert_memory_equal(&fixture->told.orders[orders++], &records[i].order,
                                FG_RECORD_BYTES);
        }
    }
    assert_int_equal(fixture->told.controls_count, controls);
    assert_int_equal(fixture->told.orders_count, orders + more);
    for (unsigned i = 0; i < more; i++)
        assert_int_equal(fixture->told.orders[orders + i].sale_seq, orders + i + 1);
}

static void open_and_go_on(struct log_fixture *fixture, unsigned version)
{
    char name[8];

    snprintf(name, sizeof(name), "v%u", version);
    take_golden(fixture, name);
    read_golden(fixture, version);
    verify_golden(fixture);
    for (unsigned run = 0; run < 3; run++) {
        journal_must_open(fixture);
        assert_int_equal(fixture->found.epoch, 3 + run);
        assert_int_equal(fixture->found.cut_bytes, 0);
        check_told(fixture, run);
        push_order(fixture, 1, 0, run + 1);
        assert_int_equal(fg_journal_step(fixture->journal), 1);
        journal_drop(fixture);
    }
}

static void test_version_1(void **state)
{
    open_and_go_on(*state, 1);
}

static void test_version_2(void **state)
{
    open_and_go_on(*state, 2);
}

/* Makes the second frame of the log one of `version`, with a right checksum. */
static void forge_version(const struct log_fixture *fixture, uint16_t version)
{
    _Alignas(8) uint8_t block[FG_BLOCK_BYTES];
    struct fg_frame *frame = (struct fg_frame *)block;
    int file = segment_file(fixture, 1);

    assert_int_equal(pread(file, block, sizeof(block), FG_BLOCK_BYTES), sizeof(block));
    close(file);
    frame->version = version;
    frame->crc = fg_frame_crc(frame);
    damage(fixture, 1, FG_BLOCK_BYTES, block, sizeof(block));
}

static void test_unknown_versions(void **state)
{
    struct log_fixture *fixture = *state;

    take_golden(fixture, "v2");
    forge_version(fixture, 3);
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    assert_non_null(strstr(fixture->message, "version 3"));
    assert_non_null(strstr(fixture->message, "versions 1 to 2"));
    forge_version(fixture, 0);
    assert_int_equal(journal_open(fixture), FG_EXIT_CORRUPT);
    assert_non_null(strstr(fixture->message, "version 0"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest writing[] = {CASE(write_golden)}, tests[] = {
                                                                  CASE(test_version_1),
                                                                  CASE(test_version_2),
                                                                  CASE(test_unknown_versions),
                                                              };

    if (getenv("FLASHGATE_GOLDEN_WRITE"))
        return cmocka_run_group_tests(writing, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
