/* SPDX-License-Identifier: BSD-3-Clause */
/* The control protocol's methods and messages, and flashgatectl over the socket. */
#include "tests/unit/fake_commands.h"
#include "tests/unit/fake_engine.h"

#include "control/cli/cli.h"
#include "control/text.h"

/* --- orders, delivery --- */

static json_t *show_order(const char *buyer, const char *request)
{
    return call("order.show", json_pack("{s:s,s:s}", "buyer", buyer, "request", request));
}

static void an_order_is_asked_of_the_worker_that_owns_the_buyer(void **state)
{
    (void)state;
    uint8_t bytes[FG_BUYER_BYTES];
    char buyer[2 * FG_BUYER_BYTES + 1];
    bool asked[WORKERS] = {false};
    for (unsigned i = 0; i < 8; i++) {
        snprintf(buyer, sizeof(buyer), "000102030405060708090a0b0c0d0e%02X", i);
        for (unsigned b = 0; b < FG_BUYER_BYTES; b++)
            bytes[b] = (uint8_t)(b < 15 ? b : i);
        const json_t *order = show_order(buyer, "0x2A");
        unsigned owner = fg_partition(bytes, 64) % WORKERS;
        assert_int_equal(number(order, "left_ms"), owner); /* the fake tells who it is */
        asked[owner] = true;
    }
    assert_true(asked[0] && asked[1]);
    const json_t *order = show_order(BUYER, "42");
    assert_string_equal(json_string_value(json_object_get(order, "order")), "18446744073709551615");
    assert_string_equal(json_string_value(json_object_get(order, "state")), "ADMITTED");
    assert_null(show_order(BUYER, "43"));
    assert_error(FG_RPC_NOT_FOUND, "no order");
}

static void wrong_buyers_and_requests_are_told(void **state)
{
    (void)state;
    static const char *const buyers[] = {"", "00112233", "00112233-4455-6677-8899-aabbccddeeff0",
                                         "0011223344556677889900aabbccddeg",
                                         "-0112233445566778899aabbccddeeff0"};
    static const char *const requests[] = {"", "x", "-1", " 1", "1 ", "0x", "18446744073709551616"};
    for (size_t i = 0; i < sizeof(buyers) / sizeof(*buyers); i++) {
        assert_null(show_order(buyers[i], "42"));
        assert_error(FG_RPC_PARAMS, "buyer");
    }
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        assert_null(show_order(BUYER, requests[i]));
        assert_error(FG_RPC_PARAMS, "request");
    }
}

static void a_late_answer_of_a_worker_harms_nobody(void **state)
{
    (void)state;
    atomic_store(&frozen[0], true);
    atomic_store(&frozen[1], true);
    assert_null(show_order(BUYER, "42"));
    assert_error(FG_RPC_TIME_LIMIT, "has not answered");
    assert_int_equal(control->commands_late, 1);
    atomic_store(&frozen[0], false);
    atomic_store(&frozen[1], false);
    assert_non_null(show_order(BUYER, "42")); /* its own answer, not the late one */
    assert_int_equal(control->commands_late, 0);
}

static void delivery_is_shown_rebuilt_and_told_what_is_consumed(void **state)
{
    (void)state;
    apply(SPRING SHOE(100));
    assert_null(call("delivery.status", json_object()));
    assert_error(FG_RPC_REFUSED, "no Redis");
    engine->delivery = (struct fg_delivery *)&delivery_stats;
    stream_view = (struct fg_stream_view){.logged = 9, .delivered = 7, .consumed = 5, .lag = 2};
    const json_t *sales = json_object_get(call("delivery.status", json_object()), "sales");
    assert_int_equal(json_array_size(sales), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(sales, 0), "stream")),
                        "live");
    assert_int_equal(number(json_array_get(sales, 0), "logged"), 9);
    assert_int_equal(number(json_array_get(sales, 0), "delivered"), 7);
    assert_int_equal(number(json_array_get(sales, 0), "consumed"), 5);
    assert_int_equal(number(json_array_get(sales, 0), "lag"), 2);

    const json_t *answer = call("consumed", json_pack("{s:s,s:s}", "sale", "spring", "seq", "6"));
    assert_non_null(answer);
    assert_int_equal(number(answer, "consumed"), 5); /* what delivery says, not what was asked */
    assert_int_equal(consumed_sale, 1);
    assert_int_equal(consumed_told, 6);
    assert_null(call("consumed", json_pack("{s:s,s:s}", "sale", "spring", "seq", "six")));
    assert_error(FG_RPC_PARAMS, "\"six\" is not a number");
    assert_null(call("consumed", json_pack("{s:s,s:s}", "sale", "winter", "seq", "6")));
    assert_error(FG_RPC_NOT_FOUND, "no sale winter");
    delivery_refuses = -ERANGE;
    assert_null(call("consumed", json_pack("{s:s,s:s}", "sale", "spring", "seq", "8")));
    assert_error(FG_RPC_REFUSED, "up to 7, fewer than 8");
    assert_null(call("delivery.rebuild", json_pack("{s:s}", "sale", "spring")));
    assert_error(FG_RPC_REFUSED, "no longer has the first orders of sale spring");
    delivery_refuses = 0;
    assert_non_null(call("delivery.rebuild", json_pack("{s:s}", "sale", "spring")));
    assert_int_equal(rebuilt, 1);

    /* An archived sale's stream is still there to be consumed. */
    of_sale("sale.close", "spring");
    assert_non_null(of_sale("sale.archive", "spring"));
    rebuilt = consumed_sale = 0;
    sales = json_object_get(call("delivery.status", json_object()), "sales");
    assert_string_equal(json_string_value(json_object_get(json_array_get(sales, 0), "sale_state")),
                        "archived");
    assert_non_null(call("consumed", json_pack("{s:s,s:s}", "sale", "spring", "seq", "9")));
    assert_int_equal(consumed_sale, 1);
    engine->delivery = NULL;
}

/* --- messages --- */

static void wrong_messages_get_their_codes(void **state)
{
    (void)state;
#define HEAD "{\"jsonrpc\":\"2.0\",\"id\":1,"
    static const struct {
        const char *line;
        int code;
        const char *part;
    } wrong[] = {
        {"", FG_RPC_PARSE, "not JSON"},
        {"{", FG_RPC_PARSE, "not JSON"},
        {"{\"a\":1,\"a\":2}", FG_RPC_PARSE, "uplicate"},
        {"7", FG_RPC_PARSE, "not JSON"},
        {"[]", FG_RPC_INVALID, "batches"},
        {"{}", FG_RPC_INVALID, "JSON-RPC 2.0"},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}", FG_RPC_INVALID, "2.0"},
        {"{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"status\"}", FG_RPC_INVALID, "id"},
        {HEAD "\"method\":7}", FG_RPC_INVALID, "method"},
        {HEAD "\"method\":\"sale.burn\"}", FG_RPC_NO_METHOD, "sale.burn"},
        {HEAD "\"method\":\"status\",\"params\":[]}", FG_RPC_PARAMS, "object"},
        {HEAD "\"method\":\"status\",\"params\":{\"x\":1}}", FG_RPC_PARAMS, "\"x\""},
        {HEAD "\"method\":\"sale.open\"}", FG_RPC_PARAMS, "\"name\""},
        {HEAD "\"method\":\"sale.open\",\"params\":{\"name\":7}}", FG_RPC_PARAMS, "\"name\""},
        {HEAD "\"method\":\"sale.open\",\"params\":{\"name\":\"x\"}}", FG_RPC_NOT_FOUND, "x"},
        {HEAD "\"method\":\"sale.show\",\"params\":{\"name\":\"x\"}}", FG_RPC_NOT_FOUND, "x"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        ask(wrong[i].line);
        assert_error(wrong[i].code, wrong[i].part);
    }
    static char many[4000];
    memset(many, '[', sizeof(many) - 1);
    ask(many);
    assert_error(FG_RPC_INVALID, "more than 100 parts");
    memcpy(many, "\"\\\"", 3); /* all in a string, but for its end */
    ask(many);
    assert_error(FG_RPC_PARSE, "not JSON");
    assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"status\"}")); /* wants no answer */
    assert_int_equal(log_.count, 0);
    assert_int_equal(engine->catalogue->revision, 1);
}

/* A sentence cuts what it quotes at a byte, which may be in the middle of a character; and it still
 * has to be sent. */
static void a_quoted_word_that_is_cut_is_answered(void **state)
{
    (void)state;
#define EIGHT(text) text text text text text text text text
    static const char *const names[] = {"x" EIGHT(EIGHT("\u00e9")), "x" EIGHT(EIGHT("\u20ac")),
                                        "xy" EIGHT(EIGHT("\u20ac")), "x" EIGHT(EIGHT("\U0001f45f")),
                                        "xyz" EIGHT(EIGHT("\U0001f45f"))};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        assert_null(of_sale("sale.show", names[i]));
        assert_error(FG_RPC_NOT_FOUND, "; sale list tells which there are");
        assert_error(FG_RPC_NOT_FOUND, "there is no sale x");
        assert_null(call(names[i], json_object()));
        assert_error(FG_RPC_NO_METHOD, "there is no method");
    }
    static const char *const broken[] = {"{\"a\":\"\xff\"}", "\xc3", "{\"\xed\xa0\x80\":1}",
                                         "\x80"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        ask(broken[i]);
        assert_error(FG_RPC_PARSE, "not JSON");
    }
}

static void text_that_is_no_utf8_or_no_print_is_mended(void **state)
{
    (void)state;
    static const struct {
        const char *text, *mended;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"a\tline\n\x1b[1m\x7f", "a?line??[1m?"},
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x91\x9f", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x91\x9f"},
        {"cut \xc3", "cut ?"},
        {"cut \xe2\x82; on", "cut ??; on"},
        {"cut \xf0\x9f\x91", "cut ???"},
        {"\x80 \xc1\x81 \xff", "? ?? ?"},                               /* never begins one */
        {"\xe0\x9f\xbf \xf0\x8f\xbf\xbf", "??? ????"},                  /* too long */
        {"\xed\x9f\xbf \xed\xa0\x80", "\xed\x9f\xbf ???"},              /* surrogates */
        {"\xf4\x8f\xbf\xbf \xf4\x90\x80\x80", "\xf4\x8f\xbf\xbf ????"}, /* beyond the last */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[32];
        snprintf(text, sizeof(text), "%s", cases[i].text);
        fg_utf8_mend(text);
        assert_string_equal(text, cases[i].mended);
    }
}

/* --- flashgatectl, over the socket --- */

struct cli {
    int argc;
    char *argv[8];
    const char *input;
    int status;
    char *out, *err;
    volatile sig_atomic_t done;
};

static void *run_cli(void *arg)
{
    struct cli *cli = arg;
    size_t out_size, err_size;
    FILE *in = fmemopen((void *)(uintptr_t)cli->input, strlen(cli->input), "r");
    FILE *out = open_memstream(&cli->out, &out_size), *err = open_memstream(&cli->err, &err_size);
    cli->status = fg_cli_run(cli->argc, cli->argv, in, out, err);
    fclose(in);
    fclose(out);
    fclose(err);
    cli->done = 1;
    return NULL;
}

/* One command line beside the running loop: its exit status, and what it printed must say. */
static int ctl(const char *words, const char *input, const char *out_part, const char *err_part)
{
    char line[256], *rest = NULL;
    pthread_t thread;
    struct cli cli = {.argc = 1, .argv = {(char *)(uintptr_t) "flashgatectl"}, .input = input};
    snprintf(line, sizeof(line), "%s", words);
    for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        cli.argv[cli.argc++] = word;
    pthread_create(&thread, NULL, run_cli, &cli);
    fg_control_run(control, &cli.done, message, sizeof(message));
    pthread_join(thread, NULL);
    if (!strstr(cli.out, out_part) || !strstr(cli.err, err_part))
        fail_msg("%s: \"%s\" and \"%s\"", words, cli.out, cli.err);
    free(cli.out);
    free(cli.err);
    return cli.status;
}

static void flashgatectl_steers_a_whole_sale(void **state)
{
    (void)state;
    const char *file = SPRING SHOE(100) HAT;
    setenv(FG_CONTROL_SOCKET_ENV, socket_path, 1);
    assert_int_equal(fg_control_listen(control, message, sizeof(message)), 0);
    assert_int_equal(ctl("sale list", "-", "no sale yet", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale apply -", file, "in force", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale apply -", file, "unchanged", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale open spring", "-", "spring: open", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale open spring", "-", "already open", ""), FG_EXIT_OK);
    assert_int_equal(ctl("--json sale show spring", "-", "\"available\": 150", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale show spring", "-", "Hat", ""), FG_EXIT_OK);
    assert_int_equal(ctl("status", "-", "WARNING   UNSIGNED", ""), FG_EXIT_OK);
    assert_int_equal(ctl("status --json", "-", "\"steering\": \"by hand-over\"", ""), FG_EXIT_OK);
    assert_int_equal(ctl("order show " BUYER " 42", "-", "18446744073709551615", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale close spring", "-", "", "would be closed for good"),
                     FG_EXIT_UNCONFIRMED);
    assert_int_equal(ctl("sale close --yes spring", "-", "spring: closed", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale close spring", "-", "already closed", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale archive spring", "-", "", "would be archived for good"),
                     FG_EXIT_UNCONFIRMED);
    assert_int_equal(ctl("events", "-", "SALE_STATE     spring        closed", ""), FG_EXIT_OK);
    assert_int_equal(ctl("events --since 1002", "-", "closed", ""), FG_EXIT_OK);
    assert_int_equal(ctl("--json events --sale spring", "-", "\"next\": 1003", ""), FG_EXIT_OK);
    assert_int_equal(ctl("events --since 1003", "-", "no event after that one", ""), FG_EXIT_OK);
    assert_int_equal(ctl("methods", "-", "sale.close", ""), FG_EXIT_OK);
    fg_control_close(control);
}

static void flashgatectl_tells_failures_by_status_and_sentence(void **state)
{
    (void)state;
    setenv(FG_CONTROL_SOCKET_ENV, socket_path, 1);
    assert_int_equal(fg_control_listen(control, message, sizeof(message)), 0);
    static const struct {
        const char *words, *input, *err;
        int status;
    } wrong[] = {
        {"", "-", "--help", FG_EXIT_USAGE},
        {"sale", "-", "sale wants a second word: apply, export, template", FG_EXIT_USAGE},
        {"burn", "-", "unknown command burn", FG_EXIT_USAGE},
        {"sale open", "-", "sale open NAME", FG_EXIT_USAGE},
        {"status now", "-", "usage: flashgatectl status", FG_EXIT_USAGE},
        {"--fast status", "-", "--fast", FG_EXIT_USAGE},
        {"status --socket", "-", "--socket needs a value", FG_EXIT_USAGE},
        {"order show 12 42", "-", "32 hex digits", FG_EXIT_USAGE},
        {"events --since x", "-", "since \"x\" is not a number", FG_EXIT_USAGE},
        {"events --sale winter", "-", "never was a sale winter", FG_EXIT_REFUSED},
        {"sale apply /nowhere/x.yaml", "-", "/nowhere/x.yaml", FG_EXIT_CONFIG},
        {"sale apply -", "name: [", "standard input:", FG_EXIT_CONFIG},
        {"sale open spring", "-", "no sale spring", FG_EXIT_REFUSED},
        {"order show " BUYER " 43", "-", "no order", FG_EXIT_REFUSED},
        {"--socket /nowhere/s status", "-", "no engine answers", FG_EXIT_UNREACHABLE},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_int_equal(ctl(wrong[i].words, wrong[i].input, "", wrong[i].err), wrong[i].status);
    assert_int_equal(ctl("--help", "-", "order show BUYER REQUEST", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale --help", "-", "sale close NAME", ""), FG_EXIT_OK);
    assert_int_equal(ctl("sale close --help", "-", "closes a sale for good", ""), FG_EXIT_OK);
    assert_int_equal(ctl("--version", "-", "flashgatectl ", ""), FG_EXIT_OK);
    fg_control_close(control);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(an_order_is_asked_of_the_worker_that_owns_the_buyer),
        TEST(wrong_buyers_and_requests_are_told),
        TEST(a_late_answer_of_a_worker_harms_nobody),
        TEST(delivery_is_shown_rebuilt_and_told_what_is_consumed),
        TEST(wrong_messages_get_their_codes),
        TEST(a_quoted_word_that_is_cut_is_answered),
        cmocka_unit_test(text_that_is_no_utf8_or_no_print_is_mended),
        TEST(flashgatectl_steers_a_whole_sale),
        TEST(flashgatectl_tells_failures_by_status_and_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
