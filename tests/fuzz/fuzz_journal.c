/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Logs: whatever stands in the segment files, a start reads it to the same state each time, or
 * refuses it with a sentence.
 *
 * An input writes segments on a disk in memory, frame by frame with checksums and chain made right,
 * or lets the real journal write them, and then bends bytes, with or without the checksums mended.
 * What has come of it is read by the check of `flashgatectl journal verify`, and by recovery of a
 * whole engine: journal, model, admissions, stock.
 *
 * Holds: a log that the check finds sound is taken by recovery; what recovery takes gives no more
 * units than there were, conserves them, is the same at the next start, and can be written on.
 */
#define RECOVERY_DISK    (&log_.disk.disk)
#define RECOVERY_SEGMENT FG_SEGMENT_MIN
#include "tests/fuzz/memory_log.h"

static struct memory_log log_;

#include "tests/unit/recovery_fixture.h"

#include "control/internal.h"
#include "control/journal/check.h"

#define WORKERS     2
#define ORDERS_MAX  200
#define STEPS_MAX   80
#define SALES_NEAR  8
#define SEGMENTS    8
#define WRITER_SEQS (SALES_NEAR + 1)

static uint64_t sale_seqs[WRITER_SEQS];
static uint64_t revision;
static bool
    file_cut; /* a segment is shorter than any engine makes it: a start refuses that at once */

/* --- records, as the input has them --- */

static struct fg_control_event control_of(struct fuzz_input *input, char **body)
{
    static const uint8_t kinds[] = {
#define X(name, code, meaning) code,
        FG_CONTROL_KINDS(X)
#undef X
    };
    struct fg_control_event event = {.at_ns = NOW, .uid = 1000};
    uint8_t kind = fuzz_u8(input), wide;
    size_t length;

    event.kind = kind & 0x80 ? kind : kinds[kind % sizeof(kinds)];
    event.sale = fuzz_u8(input);
    wide = fuzz_u8(input);
    event.revision = wide & 16 ? fuzz_u64(input) : ++revision;
    event.value = fuzz_take(input, wide & 1 ? 8 : 1);
    event.value2 = fuzz_take(input, wide & 2 ? 8 : 1);
    event.value3 = fuzz_take(input, wide & 4 ? 8 : 1);
    const uint8_t *bytes = fuzz_until(input, 0, &length);
    event.body_length = (uint32_t)length;
    *body = fuzz_copy(bytes, length);
    return event;
}

static struct fg_order_event order_of(struct fuzz_input *input)
{
    uint8_t kind = fuzz_u8(input), sale = fuzz_u8(input), what = fuzz_u8(input);
    uint8_t who = fuzz_u8(input), bend = fuzz_u8(input);
    struct fg_order_event event = {.kind = 1 + kind % 7,
                                   .quantity = 1 + (kind >> 6),
                                   .item = what & 15,
                                   .sale = sale % SALES_NEAR,
                                   .hold_ms = what & 64 ? HOLD_MS : 0,
                                   .order = 1000 + who,
                                   .request = who & 7,
                                   .at_ns = NOW + what};

    memset(event.buyer, who >> 3, sizeof(event.buyer));
    event.sale_seq = ++sale_seqs[event.sale];
    if (bend & 1)
        event.sale_seq += fuzz_u8(input);
    if (bend & 2)
        event.order = fuzz_u64(input);
    if (bend & 4)
        event.quantity = fuzz_u16(input);
    if (bend & 8)
        event.item = fuzz_u32(input);
    if (bend & 16)
        event.sale = fuzz_u32(input);
    if (bend & 32)
        event.flags = fuzz_u8(input);
    return event;
}

/* --- by hand --- */

/* One field of the frame under way; zero undoes nothing. */
static void bend_header(struct fuzz_input *input)
{
    struct fg_frame *next = &log_.next;

    switch (fuzz_u8(input) % 12) {
    case 0:
        next->version = fuzz_u8(input);
        break;
    case 1:
        next->sequence += fuzz_u64(input);
        break;
    case 2:
        next->first_lsn += fuzz_u64(input);
        break;
    case 3:
        next->epoch += fuzz_u8(input);
        break;
    case 4:
        next->count += fuzz_u32(input);
        break;
    case 5:
        next->previous_crc ^= fuzz_u32(input);
        break;
    case 6:
        next->segment = fuzz_u32(input);
        break;
    case 7:
        next->durable = fuzz_u64(input);
        break;
    case 8:
        next->journal_id ^= fuzz_u8(input);
        break;
    case 9:
        next->epoch = fuzz_u32(input);
        break;
    default:
        log_.offset += FG_BLOCK_BYTES;
        break;
    }
}

static void write_raw(struct fuzz_input *input)
{
    size_t length;
    const uint8_t *bytes = fuzz_bytes(input, fuzz_u8(input), &length);

    (void)memory_log_write(&log_, bytes, length);
    log_.offset += fuzz_u8(input) % 2 * FG_BLOCK_BYTES;
}

static void hand_step(struct fuzz_input *input)
{
    struct fg_control_event event;
    struct fg_order_event order;
    char *body;

    switch (fuzz_u8(input) % 8) {
    case 0:
    case 1:
        event = control_of(input, &body);
        memory_log_control(&log_, event, body, event.body_length);
        free(body);
        break;
    case 2:
    case 3:
        order = order_of(input);
        memory_log_order(&log_, &order);
        break;
    case 4:
        if (memory_log_frame(&log_, fuzz_u8(input) % 16))
            break;
        memory_log_segment(&log_, log_.segment % SEGMENTS + 1);
        break;
    case 5:
        memory_log_segment(&log_, fuzz_u8(input) % SEGMENTS + 1);
        break;
    case 6:
        bend_header(input);
        break;
    case 7:
        write_raw(input);
        break;
    }
}

static void write_by_hand(struct fuzz_input *input)
{
    bool empty = fuzz_u8(input) & 1; /* else it begins as a log does */

    if (!empty) {
        memory_log_frame(&log_, FG_FRAME_BASE);
        memory_log_frame(&log_, FG_FRAME_EPOCH);
    }
    for (unsigned i = 0; i < STEPS_MAX && input->left > 0; i++)
        hand_step(input);
    (void)memory_log_frame(&log_, 0);
}

/* --- by the journal --- */

static int ignore(void *arg, const struct fg_record *record)
{
    (void)arg, (void)record;
    return 0;
}

static uint64_t fixed_ns(void *context)
{
    (void)context;
    return NOW;
}

static const struct fg_clock fixed_clock = {NULL, fixed_ns, fixed_ns};

/* False: the journal is full. */
static bool journal_step(struct fg_journal *journal, struct fuzz_input *input)
{
    struct fg_control_event event;
    char *body;

    switch (fuzz_u8(input) % 4) {
    case 0:
        event = control_of(input, &body);
        if (event.kind >= FG_EVENT_CONTROL_FIRST && event.body_length <= FG_CONTROL_BODY_MAX &&
            event.sale <= FG_SALES_EVER_MAX && event.sale > 0)
            (void)fg_journal_submit(journal, &event, body);
        free(body);
        return true;
    case 1: {
        struct fg_order_event order = order_of(input);
        struct fg_lane *lane = fg_journal_lane(journal, order.buyer[0] % WORKERS);
        if (order.sale > 0 && order.sale <= FG_SALES_EVER_MAX && fg_lane_room(lane) > 0)
            fg_lane_push(lane, &order);
        return true;
    }
    default:
        (void)fg_journal_prepare(journal);
        return fg_journal_step(journal) >= 0;
    }
}

static void write_by_journal(struct fuzz_input *input)
{
    struct fg_journal_config config = {.dir = dir,
                                       .budget_bytes = SEGMENTS * FG_SEGMENT_MIN,
                                       .segment_bytes = FG_SEGMENT_MIN,
                                       .workers = WORKERS,
                                       .lane_records = 64,
                                       .disk = RECOVERY_DISK,
                                       .clock = &fixed_clock};
    struct fg_recovery found;
    char message[512];
    int status;
    size_t length;
    const uint8_t *bytes = fuzz_bytes(input, fuzz_u16(input), &length);
    struct fuzz_input steps = {bytes, length};

    memory_disk_reset(&log_.disk);
    struct fg_journal *journal =
        fg_journal_open(&config, ignore, NULL, &found, &status, message, sizeof(message));
    FUZZ_CHECK(journal);
    while (steps.left > 0 && journal_step(journal, &steps))
        ;
    if (fuzz_u8(input) & 1)
        fg_journal_stop(journal);
    fg_journal_close(journal);
}

/* Mends the checksums of a file from the frame at `offset` on, as a writer would have had them. */
static void mend(struct memory_file *file, uint64_t offset)
{
    for (; offset < file->size; offset += FG_BLOCK_BYTES) {
        struct fg_frame *frame = (struct fg_frame *)(file->data + offset);
        if (frame->magic == FG_FRAME_MAGIC &&
            frame->length <= file->size - offset - sizeof(struct fg_frame))
            frame->crc = fg_frame_crc(frame);
    }
}

/* Bytes of what stands there change. */
static void bend(struct fuzz_input *input)
{
    struct memory_file *file = &log_.disk.files[fuzz_u8(input) % MEMORY_FILES];
    uint16_t at = fuzz_u16(input);
    uint8_t how = fuzz_u8(input), value = fuzz_u8(input);
    /* Near the beginning of a block, where frames are. */
    uint64_t offset = at / 512 * FG_BLOCK_BYTES + at % 512;

    if (file->name[0] == '\0' || offset >= file->size)
        return;
    file_cut |= how & 2;
    if (how & 2)
        file->size = offset;
    else if (how & 4)
        file->name[0] = '\0';
    else
        file->data[offset] = how & 8 ? value : file->data[offset] ^ value;
    if (offset >= file->dirty)
        file->dirty = offset + 1;
    if (how & 1)
        mend(file, 0);
}

/* --- what is read --- */

/* Or none at all. Of segments without a frame the check says nothing. */
static bool has_its_first_segment(void)
{
    uint32_t first, last;

    FUZZ_CHECK(fg_segment_range(RECOVERY_DISK, dir, &first, &last) == 0);
    return first <= 1;
}

/* The check's verdict: an exit status; *end is how the log ends, *whole whether it has its first
 * segment: of one that has not, the check takes more on trust than a start does. */
static int check_log(enum fg_log_end *end, bool *whole)
{
    struct fg_journal_check check;
    int error;
    struct fg_log_reader *reader = fg_log_reader_open(RECOVERY_DISK, dir, true, &error);
    const struct fg_frame *header;
    struct fg_record record;

    FUZZ_CHECK(reader && fg_journal_check_init(&check) == 0);
    int rc = 0;
    while (rc == 0 && (*end = fg_log_reader_next(reader, UINT64_MAX, &header)) == FG_LOG_MORE) {
        const struct fg_journal_frame frame = {.header = header,
                                               .segment = fg_log_reader_position(reader).segment,
                                               .offset = fg_log_reader_position(reader).offset -
                                                         fg_frame_span(header->length),
                                               .span = fg_frame_span(header->length)};
        rc = fg_journal_check_frame(&check, &frame);
        while (rc == 0 && fg_log_reader_record(reader, &record))
            rc = fg_journal_check_record(&check, &frame, &record);
    }
    fg_journal_check_end(&check);
    *whole = has_its_first_segment();
    int status = check.status;
    if (status != FG_EXIT_OK)
        fuzz_check_sentence(check.problem, sizeof(check.problem));
    if (*end == FG_LOG_TORN || *end == FG_LOG_CORRUPT || *end == FG_LOG_VERSION)
        fuzz_check_sentence(fg_log_reader_reason(reader), 160);
    fg_journal_check_fini(&check);
    fg_log_reader_close(reader);
    return status;
}

/* Nothing is out on loan: what orders have and what is free is the supply. */
static uint64_t check_stock(const struct fixture *f)
{
    const struct fg_model *model = &f->engine.control->model;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < model->items_count; i++) {
        const struct fg_model_item *item = &model->items[i];
        if (item->item.id == 0)
            continue;
        uint32_t units = fg_stock_free_units(&f->engine.stock, item->item.slot);
        FUZZ_CHECK(item->given >= 0 && units + (uint64_t)item->given == fg_model_supply(item));
        sum += units * UINT64_C(1000003) + item->item.id;
    }
    return sum;
}

static uint64_t orders_known(const struct fixture *f)
{
    uint64_t sum = 0;

    for (unsigned w = 0; w < WORKERS; w++)
        sum += fg_admission_gauges(f->plan.admissions[w])->orders;
    return sum;
}

static void close_engine(struct fixture *f)
{
    if (f->engine.journal)
        fg_journal_stop(f->engine.journal);
    stop(f);
}

static void recover(bool sound, enum fg_log_end end)
{
    struct fixture *f = start_with(WORKERS, NOW, ORDERS_MAX);
    bool taken = f->status == FG_EXIT_OK;

    if (!taken) {
        fuzz_check_sentence(f->message, sizeof(f->message));
        if (sound && f->status == FG_EXIT_CORRUPT) {
            fprintf(stderr, "a sound log is refused: %s\n", f->message);
            abort();
        }
        close_engine(f);
        return;
    }
    /* MORE: the check found a fault, and read no further. */
    FUZZ_CHECK(end == FG_LOG_END || end == FG_LOG_TORN || end == FG_LOG_MORE);
    uint64_t units = check_stock(f), orders = orders_known(f);
    uint64_t records = f->engine.recovered.records;
    unsigned epoch = f->engine.recovered.epoch;
    close_engine(f);
    f = start_with(WORKERS, NOW, ORDERS_MAX);
    if (f->status != FG_EXIT_OK) {
        fprintf(stderr, "a log that was taken is not, at the next start: %s\n", f->message);
        abort();
    }
    FUZZ_CHECK(check_stock(f) == units && orders_known(f) == orders);
    FUZZ_CHECK(f->engine.recovered.records >= records && f->engine.recovered.cut_bytes == 0);
    FUZZ_CHECK(f->engine.recovered.epoch == epoch + 1);
    close_engine(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    enum fg_log_end end = FG_LOG_END;
    uint8_t how = fuzz_u8(&input);

    memset(sale_seqs, 0, sizeof(sale_seqs));
    revision = 0;
    file_cut = false;
    memory_log_begin(&log_, 1);
    if (how & 1) {
        write_by_journal(&input);
        for (unsigned i = 0; i < STEPS_MAX && input.left > 0; i++)
            bend(&input);
    } else {
        write_by_hand(&input);
    }
    bool whole, sound = check_log(&end, &whole) == FG_EXIT_OK && end == FG_LOG_END;
    recover(sound && whole && !file_cut, end);
    return 0;
}
