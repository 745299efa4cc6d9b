/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgatectl audit against a log written by hand and an engine that is only a socket: what it
 * says of a sale is what the test wants it to say. (Redis and a real engine: tests/smoke/audit.sh.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "control/cli/cli.h"
#include "control/sale/sale.h"
#include "flashgate/exit_status.h"
#include "tests/unit/hand_log.h"

/* --- an engine's socket --- */

struct engine {
    struct sockaddr_un address;
    int listening;
    pthread_t thread;
    const char *log_dir;
    int stock, available; /* of item 7 */
    bool busy;            /* writes a record between any two questions */
    int records;
};

static void answer(struct engine *engine, int fd, const char *line)
{
    char text[512];
    if (engine->busy)
        engine->records++;
    if (strstr(line, "sale.show"))
        snprintf(text, sizeof(text),
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"name\":\"drop\",\"items\":[{\"id\":7,"
                 "\"stock\":%d,\"available\":%d}]}}\n",
                 engine->stock, engine->available);
    else
        snprintf(
            text, sizeof(text),
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"journal\":{\"records\":%d,\"log_dir\":"
            "\"%s\"},\"sales\":[{\"name\":\"drop\"}]}}\n",
            engine->records, engine->log_dir);
    ssize_t n = write(fd, text, strlen(text));
    (void)n; /* a caller that has gone */
}

static void *serve(void *arg)
{
    struct engine *engine = arg;
    int fd;
    while ((fd = accept(engine->listening, NULL, NULL)) >= 0) {
        char line[512];
        ssize_t n = read(fd, line, sizeof(line) - 1);
        line[n > 0 ? n : 0] = '\0';
        answer(engine, fd, line);
        close(fd);
    }
    return NULL;
}

static void engine_start(struct engine *engine, const char *log_dir, int stock, int available)
{
    *engine = (struct engine){.address = {.sun_family = AF_UNIX},
                              .log_dir = log_dir,
                              .stock = stock,
                              .available = available};
    snprintf(engine->address.sun_path, sizeof(engine->address.sun_path), "%s.sock", log_dir);
    engine->listening = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(
        bind(engine->listening, (struct sockaddr *)&engine->address, sizeof(engine->address)), 0);
    assert_int_equal(listen(engine->listening, 8), 0);
    assert_int_equal(pthread_create(&engine->thread, NULL, serve, engine), 0);
}

static void engine_stop(struct engine *engine)
{
    shutdown(engine->listening, SHUT_RDWR);
    pthread_join(engine->thread, NULL);
    close(engine->listening);
    unlink(engine->address.sun_path);
}

/* --- a log, and audits of it --- */

struct place {
    struct hand_log log;
    struct engine engine;
    int status;
    char *out, *err;
};

/* Five mugs; two are ordered, one of them comes back. */
static int begin(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    struct fg_sale_item mug = {.id = 7, .name = "mug", .stock = 5, .max_per_order = 1};
    struct fg_sale sale = {
        .name = "drop", .number = 1, .items = &mug, .items_count = 1, .cancel_final = 1};
    json_t *json = fg_sale_to_json(&sale);
    char *body = json_dumps(json, JSON_COMPACT);
    struct fg_control_event event = {
        .kind = FG_EVENT_SALE, .sale = 1, .revision = 2, .body_length = (uint32_t)strlen(body)};

    hand_log_open(&place->log, 1, 1);
    hand_log_frame(&place->log, FG_FRAME_BASE);
    hand_log_frame(&place->log, FG_FRAME_EPOCH);
    uint8_t *unit = hand_log_unit(&place->log, fg_record_bytes(&event));
    memcpy(unit, &event, sizeof(event));
    memcpy(unit + sizeof(event), body, event.body_length);
    free(body);
    json_decref(json);
    for (unsigned i = 1; i <= 3; i++) {
        struct fg_order_event order = {.kind = i == 3 ? FG_EVENT_CANCEL : FG_EVENT_ADMIT,
                                       .quantity = 1,
                                       .item = 7,
                                       .sale = 1,
                                       .sale_seq = i,
                                       .order = i % 2,
                                       .request = i % 2};
        memcpy(hand_log_unit(&place->log, sizeof(order)), &order, sizeof(order));
    }
    hand_log_frame(&place->log, 0);
    *state = place;
    return 0;
}

static int end(void **state)
{
    struct place *place = *state;
    hand_log_close(&place->log);
    free(place->out);
    free(place->err);
    free(place);
    return 0;
}

static void audit(struct place *place, const char *option, const char *value)
{
    char *words[] = {"flashgatectl", (char *)option, (char *)value, "audit", place->log.dir, NULL};
    size_t out_bytes, err_bytes;
    free(place->out);
    free(place->err);
    FILE *out = open_memstream(&place->out, &out_bytes);
    FILE *err = open_memstream(&place->err, &err_bytes);
    char **first = option ? words : words + 2;
    words[option ? 0 : 2] = "flashgatectl";
    place->status = fg_cli_run(option ? 5 : 3, first, stdin, out, err);
    fclose(out);
    fclose(err);
}

static void ends(struct place *place, int status, const char *words)
{
    if (place->status != status || (!strstr(place->out, words) && !strstr(place->err, words)))
        fail_msg("status %d, wanted %d with \"%s\":\n%s%s", place->status, status, words,
                 place->out, place->err);
}

static void a_log_alone_is_checked(void **state)
{
    struct place *place = *state;
    audit(place, NULL, NULL);
    ends(place, FG_EXIT_OK, "nothing differs");
    ends(place, FG_EXIT_OK, "left out  the streams");
    ends(place, FG_EXIT_OK, "orders    2 in 3 events");
    for (unsigned i = 4; i <= 9; i++) {
        struct fg_order_event order = {.kind = FG_EVENT_ADMIT,
                                       .quantity = 1,
                                       .item = 7,
                                       .sale = 1,
                                       .sale_seq = i,
                                       .order = i,
                                       .request = i};
        memcpy(hand_log_unit(&place->log, sizeof(order)), &order, sizeof(order));
    }
    hand_log_frame(&place->log, 0);
    audit(place, NULL, NULL);
    ends(place, FG_EXIT_BOOKS, "I1 OVERSOLD: sale drop, event 1-8 (LSN 9): from here on 6 units");
    ends(place, FG_EXIT_BOOKS, "1 difference\n");
}

static void a_log_that_begins_with_an_empty_segment_lacks_older_ones(void **state)
{
    struct place *place = *state;
    char path[sizeof(place->log.path)];
    assert_int_equal(ftruncate(place->log.file, 0), 0);
    assert_int_equal(ftruncate(place->log.file, HAND_LOG_BYTES), 0);
    audit(place, NULL, NULL);
    ends(place, FG_EXIT_FAILED, "there is no log in it");
    snprintf(path, sizeof(path), "%s/segment-00000002.fgl", place->log.dir);
    assert_int_equal(rename(place->log.path, path), 0);
    memcpy(place->log.path, path, sizeof(path));
    audit(place, NULL, NULL);
    ends(place, FG_EXIT_CORRUPT, "number 2, and it is empty");
}

static void an_engine_with_the_same_books_passes(void **state)
{
    struct place *place = *state;
    engine_start(&place->engine, place->log.dir, 5, 4);
    audit(place, "--socket", place->engine.address.sun_path);
    engine_stop(&place->engine);
    ends(place, FG_EXIT_OK, "1 items compared at a quiet moment");
}

static void an_engine_with_other_books_is_found(void **state)
{
    struct place *place = *state;
    static const int figures[][2] = {{5, 5}, {5, 3}, {6, 4}, {6, 5}};
    for (unsigned i = 0; i < 4; i++) {
        engine_start(&place->engine, place->log.dir, figures[i][0], figures[i][1]);
        audit(place, "--socket", place->engine.address.sun_path);
        engine_stop(&place->engine);
        ends(place, FG_EXIT_BOOKS,
             "I5 ENGINE_DIFFERS: sale drop, item 7: the log has a supply of 5 and 1 units");
        ends(place, FG_EXIT_BOOKS, "1 difference\n");
    }
}

static void a_busy_engine_is_not_compared(void **state)
{
    struct place *place = *state;
    engine_start(&place->engine, place->log.dir, 5, 3);
    place->engine.busy = true;
    audit(place, "--socket", place->engine.address.sun_path);
    engine_stop(&place->engine);
    ends(place, FG_EXIT_OK, "not compared: there was no quiet moment");
}

static void an_engine_of_another_log_is_refused(void **state)
{
    struct place *place = *state;
    engine_start(&place->engine, place->log.dir, 5, 4);
    place->engine.log_dir = "/";
    audit(place, "--socket", place->engine.address.sun_path);
    engine_stop(&place->engine);
    ends(place, FG_EXIT_USAGE, "writes another log, /;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_alone_is_checked, begin, end),
        cmocka_unit_test_setup_teardown(a_log_that_begins_with_an_empty_segment_lacks_older_ones,
                                        begin, end),
        cmocka_unit_test_setup_teardown(an_engine_with_the_same_books_passes, begin, end),
        cmocka_unit_test_setup_teardown(an_engine_with_other_books_is_found, begin, end),
        cmocka_unit_test_setup_teardown(a_busy_engine_is_not_compared, begin, end),
        cmocka_unit_test_setup_teardown(an_engine_of_another_log_is_refused, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
