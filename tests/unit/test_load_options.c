/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "perf/load/options.h"

enum { ARGS_MAX = 32 };

static struct load_options options;
static char message[256];

/* Parses what is always needed and the given arguments, up to NULL. */
static int parse_with(const char *const *arguments)
{
    static const char *const needed[] = {"flashgate-load", "--port=net_null0", "--source",
                                         "10.0.0.2/24",    "--target",         "10.0.0.1",
                                         "--items=1"};
    char *argv[ARGS_MAX];
    int argc = 0;

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        argv[argc++] = (char *)(uintptr_t)needed[i];
    for (; *arguments; arguments++)
        argv[argc++] = (char *)(uintptr_t)*arguments;
    argv[argc] = NULL;
    message[0] = '\0';
    return load_options_parse(&options, argc, argv, message, sizeof(message));
}
#define PARSE(...) parse_with((const char *const[]){__VA_ARGS__, NULL})

static void defaults_are_set(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--rate", "0"), 0);
    assert_string_equal(options.port, "net_null0");
    assert_true(fg_ip_same(options.source, fg_ip_of_v4(0x0a000002)));
    assert_int_equal(options.source_bits, FG_IP_V4_BITS + 24);
    assert_true(fg_ip_same(options.target, fg_ip_of_v4(0x0a000001)));
    assert_int_equal(options.rate, 0);
    assert_int_equal(options.batch, 1);
    assert_int_equal(options.confirm, 100);
    assert_string_equal(options.quantity, "1");
    assert_null(options.history);
    assert_false(options.progress);
}

static void options_are_read(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--rate=1000000", "--seed", "18446744073709551615", "--cancel=10",
                           "--leave=5", "--progress", "--eal=--no-huge", "--", "-m", "64"),
                     0);
    assert_int_equal(options.rate, 1000000);
    assert_true(options.seed == UINT64_MAX);
    assert_int_equal(options.confirm, 85);
    assert_true(options.progress);
    assert_int_equal(options.eal_count, 3);
    assert_string_equal(options.eal[0], "--no-huge");
    assert_string_equal(options.eal[1], "-m");
    assert_string_equal(options.eal[2], "64");
}

/* What is wrong, and a word that the sentence must have. */
static void wrong_use_is_told_in_a_sentence(void **state)
{
    static const struct {
        const char *arguments[4];
        const char *word;
    } wrong[] = {
        {{"--rate=fast"}, "rate"},
        {{"--rate="}, "rate"},
        {{"--rate=-1"}, "rate"},
        {{"--seed=18446744073709551616"}, "seed"},
        {{"--batch=0"}, "1 to 32"},
        {{"--batch=33"}, "1 to 32"},
        {{"--requests"}, "missing"},
        {{"--nonsense"}, "no such option"},
        {{"stray"}, "stray"},
        {{"--source=10.0.0.2"}, "10.0.0.2/24"},
        {{"--source=10.0.0.2/"}, "10.0.0.2/24"},
        {{"--source=10.0.0.2/32"}, "10.0.0.2/24"},
        {{"--source=10.0.0/24"}, "source"},
        {{"--target=10.0.1.1"}, "prefix"},
        {{"--target=10.0.0.2"}, "own"},
        {{"--target=x"}, "target"},
        {{"--target=10.0.0.1/24"}, "target"},
        {{"--target=2001:db8::1"}, "prefix"},
        {{"--source=2001:db8::2"}, "10.0.0.2/24"},
        {{"--source=2001:db8::2/128"}, "10.0.0.2/24"},
        {{"--source=2001:db8::2/64"}, "prefix"},
        {{"--confirm=50"}, "50 percent"},
        {{"--cancel=60", "--leave=60"}, "120 percent"},
        {{"--history=x"}, "--sale"},
        {{"--source-port=1023"}, "1024"},
        {{"--duration=5", "--rate=0"}, "--rate"},
        {{"--pool=5"}, "--stateless"},
        {{"--retries=5"}, "--stateless"},
        {{"--stateless", "--repeat=5"}, "--retries"},
        {{"--stateless", "--sale=x", "--history=x"}, "--history"},
        {{"--echo"}, "--stateless"},
        {{"--stateless", "--echo", "--retries=5"}, "--retries"},
        {{"--buyer-zipf=1", "--bots=5"}, "--bots"},
        {{"--buyer-zipf=0"}, "1.1"},
        {{"--buyer-zipf=1.2.3"}, "1.1"},
        {{"--buyer-zipf="}, "1.1"},
        {{"--buyer-zipf=-1"}, "1.1"},
        {{"--item-zipf=10.1"}, "10 at most"},
        {{"--bots=1000"}, "1 to 999"},
        {{"--profile=spike"}, "--duration"},
        {{"--profile=ramp", "--duration=1", "--rate=0"}, "--rate"},
        {{"--profile=0:1,5:1", "--duration=1"}, "--duration"},
        {{"--duration=86400", "--rate=100000"}, "requests"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(parse_with(wrong[i].arguments), -1);
        if (!strstr(message, wrong[i].word))
            fail_msg("\"%s\" lacks \"%s\"", message, wrong[i].word);
    }
}

static void what_is_needed_is_asked_for(void **state)
{
    char *argv[] = {(char[]){"flashgate-load"}, NULL};
    (void)state;
    assert_int_equal(load_options_parse(&options, 1, argv, message, sizeof(message)), -1);
    assert_non_null(strstr(message, "--port"));
}

static void help_needs_nothing_else(void **state)
{
    char *argv[] = {(char[]){"flashgate-load"}, (char[]){"--help"}, NULL};
    (void)state;
    assert_int_equal(load_options_parse(&options, 2, argv, message, sizeof(message)), 0);
    assert_true(options.help);
}

static void a_duration_says_how_many_requests(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--duration=30", "--rate=2000", "--timeout=10"), 0);
    assert_int_equal(options.requests, 60000);
    assert_int_equal(options.timeout, 40);
    assert_int_equal(PARSE("--requests=7"), 0);
    assert_int_equal(options.requests, 7);
}

static void the_stateless_generator_is_not_held_to_what_can_be_remembered(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--stateless", "--retries=5", "--pool=5"), 0);
    assert_int_equal(PARSE("--stateless", "--duration=30", "--rate=0", "--pool=100"), 0);
    assert_int_equal(options.duration, 30);
    assert_int_equal(PARSE("--stateless", "--duration=100", "--rate=100000000"), 0);
    assert_int_equal(options.sample, 64);
    assert_int_equal(PARSE("--buyer-zipf=1.25", "--item-zipf", "0.5", "--profile=0:1,9:9"), 0);
    assert_true(options.buyer_zipf > 1.249 && options.buyer_zipf < 1.251);
    assert_true(options.item_zipf > 0.49 && options.item_zipf < 0.51);
}

static void version_needs_nothing_else(void **state)
{
    char *argv[] = {(char[]){"flashgate-load"}, (char[]){"--version"}, NULL};
    (void)state;
    assert_int_equal(load_options_parse(&options, 2, argv, message, sizeof(message)), 0);
    assert_true(options.version);
}

static void hostile_traffic_needs_a_key_and_ports_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--hostile", "all"), -1);
    assert_non_null(strstr(message, "--key-file"));
    assert_int_equal(PARSE("--hostile", "all", "--key-file=k", "--hostile-slice=500"), 0);
    assert_int_equal(options.hostile_rate, 100000);
    assert_int_equal(options.hostile_slice, 500);
    assert_int_equal(PARSE("--hostile", "all", "--key-file=k", "--hostile-port=30000"), -1);
    assert_non_null(strstr(message, "--source-port 30000"));
    assert_int_equal(PARSE("--hostile", "all", "--key-file=k", "--hostile-port=30001"), 0);
    assert_int_equal(PARSE("--hostile-port=65535"), -1);
    assert_int_equal(PARSE("--hostile-rate=0"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_set),
        cmocka_unit_test(options_are_read),
        cmocka_unit_test(wrong_use_is_told_in_a_sentence),
        cmocka_unit_test(what_is_needed_is_asked_for),
        cmocka_unit_test(help_needs_nothing_else),
        cmocka_unit_test(a_duration_says_how_many_requests),
        cmocka_unit_test(the_stateless_generator_is_not_held_to_what_can_be_remembered),
        cmocka_unit_test(version_needs_nothing_else),
        cmocka_unit_test(hostile_traffic_needs_a_key_and_ports_of_its_own),
    };
    return cmocka_run_group_tests_name("load_options", tests, NULL, NULL);
}
