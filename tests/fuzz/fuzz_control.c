/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control protocol: lines of a connection, to a control plane with workers that run between
 * its looks at them, and a journal that is durable at once.
 *
 * The first byte says who asks (role), and how: lines one by one, each an allocation of its own, or
 * as bytes of a connection to the real server, in pieces of the second byte's size.
 *
 * Holds: every answer is one line of JSON-RPC with either a result or an error in one sentence; who
 * may change nothing has changed nothing; who is listed is told so; what is on sale is the supply;
 * and the log tells a restart all that was changed.
 */
#define EVENTS_MAX 1024
#include "tests/unit/fake_engine.h"

#include "control/server/socket_file.h"
#include "dataplane/admission/admission.h"
#include "tests/fuzz/models.h"

#define BUYER_DIGITS "00112233445566778899aabbccddeeff" /* BUYER, as it is told */
#define LINES_MAX    48
#define LINE_BYTES   (64 << 10)
#define ROUNDS_MAX   400
#define LANE         16
#define ANSWERS_MAX  (1 << 20)

static struct fg_server *server;
static struct fg_lane lanes[WORKERS];
static char server_path[64];
static char *answers; /* all that came back over the socket */
static size_t answers_length;

/* --- workers, between two looks of control --- */

static void run_workers(void)
{
    const struct fg_catalogue *catalogue = engine ? engine->catalogue : NULL;

    for (unsigned w = 0; catalogue && w < WORKERS; w++) {
        struct fg_worker *worker = engine->workers[w];
        atomic_store(&worker->seen_revision, catalogue->revision);
        atomic_store(&worker->seen_issue, catalogue->issue);
        answer_command(worker, catalogue);
    }
}

/* Whoever waits for workers or the log lets them run, and no time passes. The library's own names
 * of its parameters are reserved. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)wanted, (void)left;
    run_workers();
    return 0;
}

/* A buyer and two networks are blocked, and half of one is not. */
static void give_lists(void)
{
    static const char *const lists[FG_LIST_COUNT] = {
        BUYER "\n", "", "192.0.2.0/24\n2001:db8::/32\n", "192.0.2.128/25\n"};

    for (unsigned i = 0; i < FG_LIST_COUNT; i++)
        engine->config.list_files[i] =
            (char *)(uintptr_t)fuzz_file_of(i, lists[i], strlen(lists[i]));
}

static void open_engine(void)
{
    memset(&log_, 0, sizeof(log_));
    atomic_store(&log_.stats.room_bytes, 1 << 30);
    atomic_store(&admissions_run, true);
    create_engine();
    give_lists();
    for (unsigned w = 0; w < WORKERS; w++) {
        struct fg_admission_config config = {.worker = w,
                                             .workers = WORKERS,
                                             .partitions = engine->config.partitions,
                                             .orders = 64,
                                             .orders_per_buyer = 16,
                                             .parked = 16,
                                             .lane_records = LANE,
                                             .buyer_buckets = 64,
                                             .stock = &engine->stock,
                                             .counters = engine->workers[w]->counters};
        engine->workers[w]->admission = fg_admission_create(&config);
        FUZZ_CHECK(engine->workers[w]->admission && fg_lane_init(&lanes[w], LANE) == 0);
        fg_admission_attach(engine->workers[w]->admission, &lanes[w], 1);
        atomic_store(&engine->workers[w]->state, FG_WORKER_RUNNING);
    }
    create_control();
    FUZZ_CHECK(fg_control_restored(control, message, sizeof(message)) == 0);
}

static void close_engine(void)
{
    run_workers();
    fg_control_destroy(control);
    for (unsigned w = 0; w < WORKERS; w++) {
        fg_admission_destroy(engine->workers[w]->admission);
        fg_lane_fini(&lanes[w]);
    }
    for (unsigned i = 0; i < log_.count; i++)
        free(log_.events[i].body);
    destroy_engine();
    engine = NULL;
}

/* --- answers --- */

static void check_error(const json_t *error)
{
    const char *text = json_string_value(json_object_get(error, "message"));

    FUZZ_CHECK(json_is_integer(json_object_get(error, "code")));
    FUZZ_CHECK(text);
    fuzz_check_sentence(text, strlen(text) + 1);
}

/* Of an answer that tells who is listed: the entry that it names decides, and is on that list. */
static void check_listed(const json_t *result)
{
    const char *listed = json_string_value(json_object_get(result, "listed"));
    const char *list = json_string_value(json_object_get(result, "list"));
    const char *entry = json_string_value(json_object_get(result, "entry"));
    const char *buyer = json_string_value(json_object_get(result, "buyer"));

    if (!listed)
        return;
    FUZZ_CHECK(!list == (strcmp(listed, "no") == 0) && !list == !entry);
    if (!list)
        return;
    FUZZ_CHECK(strncmp(list, listed, 5) == 0); /* "block" or "allow" */
    FUZZ_CHECK(!buyer || strcmp(buyer, BUYER_DIGITS) == 0);
    FUZZ_CHECK(buyer || strcmp(entry, "192.0.2.0/24") == 0 || strcmp(entry, "2001:db8::/32") == 0 ||
               strcmp(entry, "192.0.2.128/25") == 0);
    FUZZ_CHECK((strcmp(listed, "allowed") == 0) == (strcmp(entry, "192.0.2.128/25") == 0));
}

/* One line, its newline included. */
static void check_answer(const char *line, size_t length)
{
    FUZZ_CHECK(length > 1 && line[length - 1] == '\n' && !memchr(line, '\n', length - 1));
    json_t *json = json_loadb(line, length, 0, NULL);
    FUZZ_CHECK(json_is_object(json) && json_object_get(json, "id"));
    const char *version = json_string_value(json_object_get(json, "jsonrpc"));
    FUZZ_CHECK(version && strcmp(version, "2.0") == 0);
    const json_t *result = json_object_get(json, "result"), *error = json_object_get(json, "error");
    FUZZ_CHECK(!result != !error);
    FUZZ_CHECK(!result || caller.rank > FG_ROLE_NONE);
    if (error)
        check_error(error);
    check_listed(result);
    json_decref(json);
}

/* --- line by line --- */

static void ask_line(const uint8_t *bytes, size_t length)
{
    char *line = fuzz_copy(bytes, length);
    char *text = fg_methods_answer(control, &caller, line, length);

    if (text)
        check_answer(text, strlen(text));
    free(text);
    free(line);
}

static void ask_lines(struct fuzz_input *input)
{
    for (unsigned i = 0; i < LINES_MAX && input->left > 0; i++) {
        size_t length;
        const uint8_t *line = fuzz_until(input, '\n', &length);
        ask_line(line, length);
    }
}

/* --- over the socket --- */

static char *answer_server(void *arg, const struct fg_peer *peer, const char *line, size_t length)
{
    (void)arg, (void)peer;
    if (log_.count > EVENTS_MAX / 2) /* there is no room to remember more */
        return NULL;
    return fg_methods_answer(control, &caller, line, length);
}

static void open_server(void)
{
    static char place[] = "/tmp/fg-fuzz-XXXXXX";

    FUZZ_CHECK(mkdtemp(place));
    snprintf(server_path, sizeof(server_path), "%s/control.sock", place);
    static struct fg_server_config config = {.path = server_path,
                                             .group = (gid_t)-1,
                                             .line_max = LINE_BYTES,
                                             .connections_max = 3,
                                             .line_ms = 60000,
                                             .idle_ms = 60000,
                                             .refused_long = "{}\n",
                                             .refused_full = "{}\n",
                                             .answer = answer_server};
    config.clock = &fg_clock_system;
    FUZZ_CHECK(fg_server_open(&server, &config, message, sizeof(message)) == 0);
    answers = malloc(ANSWERS_MAX);
    FUZZ_CHECK(answers);
}

static void close_server(void)
{
    fg_server_close(server);
    server = NULL;
    free(answers);
    *strrchr(server_path, '/') = '\0';
    rmdir(server_path);
}

/* False: the server has closed the connection. */
static bool listen_for(int fd)
{
    ssize_t n = recv(fd, answers + answers_length, ANSWERS_MAX - answers_length, MSG_DONTWAIT);

    if (n > 0)
        answers_length += (size_t)n;
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

static void ask_connection(struct fuzz_input *input)
{
    size_t piece = 1 + (size_t)fuzz_u8(input) * 8;
    int fd = fg_socket_connect(server_path);
    bool open = fd >= 0;
    unsigned quiet = 0;

    FUZZ_CHECK(open);
    answers_length = 0;
    fg_server_poll(server, 0);
    for (unsigned i = 0; open && i < ROUNDS_MAX && quiet < 3; i++) {
        size_t before = answers_length, length;
        const uint8_t *bytes = fuzz_bytes(input, piece, &length);
        if (length > 0)
            open = send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
        fg_server_poll(server, 0);
        open = listen_for(fd) && open;
        quiet = length > 0 || answers_length > before ? 0 : quiet + 1;
    }
    close(fd);
    fg_server_poll(server, 0);
    for (size_t at = 0; at < answers_length;) {
        const char *end = memchr(answers + at, '\n', answers_length - at);
        size_t length = end ? (size_t)(end - answers) + 1 - at : answers_length - at;
        if (end && !(length == 3 && memcmp(answers + at, "{}\n", 3) == 0))
            check_answer(answers + at, length);
        at += length;
    }
}

/* --- what has come of it --- */

/* Nobody has bought anything: all that there is, is on sale. */
static void check_stock(void)
{
    const struct fg_model *model = &control->model;

    for (uint32_t i = 0; i < model->items_count; i++) {
        const struct fg_model_item *item = &model->items[i];
        if (item->item.id != 0)
            FUZZ_CHECK(fg_stock_free_units(&engine->stock, item->item.slot) ==
                       fg_model_supply(item));
    }
}

static void check_log(void)
{
    struct fg_model again;

    FUZZ_CHECK(fg_model_init(&again) == 0);
    for (unsigned i = 0; i < log_.count; i++) {
        const struct fg_record record = {
            .lsn = 1 + i, .control = &log_.events[i].event, .body = log_.events[i].body};
        FUZZ_CHECK(fg_model_replay(&again, &record) == 0);
    }
    models_check_same(&control->model, &again, true);
    models_check_same(&again, &control->model, true);
    fg_model_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint8_t how = fuzz_u8(&input);

    if (!server) {
        open_server();
        (void)atexit(close_server);
    }
    open_engine();
    uint64_t revision = control->model.revision;
    caller.rank = how % FG_ROLE_COUNT;
    if (how & 16)
        ask_connection(&input);
    else
        ask_lines(&input);
    if (caller.rank < FG_ROLE_OPERATOR)
        FUZZ_CHECK(log_.count == 0 && control->model.revision == revision);
    FUZZ_CHECK(control->model.revision >= revision && control->status == FG_EXIT_OK);
    if (fg_change_finish(control, message, sizeof(message)) == 0) {
        check_stock();
        check_log();
    }
    close_engine();
    return 0;
}
