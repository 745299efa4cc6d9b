/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's configuration: defaults, what fields say about each other, and the reference file,
 * which `test_config update` writes anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/config/config.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define REFERENCE   "conf/flashgate.yaml"

static char dir[] = "/tmp/test-config-XXXXXX", path[64];
static struct fg_config config;
static char message[1024];

static int load(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    message[0] = '\0';
    return fg_config_load(&config, path, message, sizeof(message));
}

/* What must be said, each replaceable, and then `more`. */
#define PORTS    "ports: [{device: net_null0, address: 192.0.2.10/24}]\n"
#define UNSIGNED "unsigned_allowed: true\n"
#define LOG      "log: {directory: d}\n"
#define CONTROL  "control: {socket: s}\n"
#define BASE     PORTS UNSIGNED LOG CONTROL

static void accepted(const char *text)
{
    if (load(text) != 0)
        fail_msg("%s", message);
}

static void refused(const char *text, const char *end)
{
    assert_int_equal(load(text), -1);
    assert_memory_equal(message, path, strlen(path));
    if (strcmp(message + strlen(path), end) != 0)
        print_error("%s\n", message);
    assert_string_equal(message + strlen(path), end);
    assert_null(config.log_dir); /* nothing is left to free */
}

static void test_defaults(void **state)
{
    (void)state;
    accepted(BASE);
    assert_int_equal(config.ports_count, 1);
    assert_string_equal(config.ports[0].device, "net_null0");
    assert_true(fg_ip_same(config.ports[0].address, fg_ip_of_v4(0xc000020a)));
    assert_int_equal(config.ports[0].prefix_bits, 96 + 24);
    assert_string_equal(config.file_prefix, "flashgate");
    assert_int_equal(config.eal_count, 0);
    assert_int_equal(config.workers, 1);
    assert_int_equal(config.worker_cores_count, 1);
    assert_int_equal(config.worker_cores[0], sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 1 : 0);
    assert_int_equal(config.control_core, -1);
    assert_int_equal(config.journal_core, -1);
    assert_int_equal(config.storage_core, -1);
    assert_int_equal(config.delivery_core, -1);
    assert_int_equal(config.idle, FG_IDLE_YIELD);
    assert_int_equal(config.ack, FG_ACK_DURABLE);
    assert_int_equal(config.log_keep_ms, 24 * 3600 * 1000);
    assert_false(fg_config_delivers(&config));
    assert_int_equal(config.base_port, 20480);
    assert_int_equal(config.partitions, 256);
    assert_int_equal(config.node, 0);
    assert_null(config.key_file);
    assert_true(config.unsigned_allowed);
    assert_int_equal(config.freshness_ms, FG_FRESHNESS_MS);
    assert_int_equal(config.log_budget, INT64_C(4) << 30);
    assert_int_equal(config.log_segment, 64 << 20);
    assert_int_equal(config.lane_records, 16384);
    assert_int_equal(config.restart_grace_ms, 0);
    assert_int_equal(config.limit_orders, 1000000);
    assert_int_equal(config.orders_per_buyer, 16);
    assert_null(config.redis_socket);
    assert_null(config.redis_host);
    assert_int_equal(config.redis_port, 6379);
    assert_int_equal(config.redis_timeout_ms, 1000);
    fg_config_free(&config);
    assert_null(config.control_socket);
}

static void test_whole(void **state)
{
    (void)state;
    accepted("eal: [--no-huge, -m, \"1024\"]\nfile_prefix: one\nports:\n"
             "- {device: \"net_vhost0,iface=/run/x.sock\", address: 192.0.2.10/24}\n"
             "- {device: 0000:3b:00.0, address: 198.51.100.1/32}\n"
             "mbufs: 16384\nrx_descriptors: 512\ntx_descriptors: 256\n"
             "workers: 3\nworker_cores: [1, 1, 0]\n"
             "cores: {control: 0, journal: 2, storage: 3, delivery: 1023}\nidle: poll\n"
             "base_port: 32768\npartitions: 32768\nnode: 1023\nkey_file: k\nfreshness: 10s\n"
             "log: {directory: d, budget: 64MiB, segment: 16MiB, lane_records: 1024}\n"
             "restart_grace: 2m\n"
             "limits: {orders: 5000, items: 10, orders_per_buyer: 4, parked: 64}\n"
             "redis: {host: localhost, port: 7000, user: u, password_file: p, database: 3, "
             "timeout: 250ms, batch: 100}\n" CONTROL);
    assert_int_equal(config.eal_count, 3);
    assert_string_equal(config.eal[2], "1024");
    assert_string_equal(config.file_prefix, "one");
    assert_int_equal(config.ports_count, 2);
    assert_string_equal(config.ports[1].device, "0000:3b:00.0");
    assert_int_equal(config.ports[1].prefix_bits, 96 + 32);
    assert_int_equal(config.rx_descriptors, 512);
    assert_int_equal(config.tx_descriptors, 256);
    assert_int_equal(config.workers, 3);
    assert_int_equal(config.worker_cores[1], 1);
    assert_int_equal(config.worker_cores[2], 0);
    assert_int_equal(config.control_core, 0);
    assert_int_equal(config.journal_core, 2);
    assert_int_equal(config.storage_core, 3);
    assert_int_equal(config.delivery_core, 1023);
    assert_int_equal(config.idle, FG_IDLE_POLL);
    assert_int_equal(config.base_port, 32768);
    assert_int_equal(config.partitions, 32768);
    assert_int_equal(config.node, 1023);
    assert_string_equal(config.key_file, "k");
    assert_false(config.unsigned_allowed);
    assert_int_equal(config.freshness_ms, 10000);
    assert_string_equal(config.log_dir, "d");
    assert_int_equal(config.log_budget, 64 << 20);
    assert_int_equal(config.log_segment, 16 << 20);
    assert_int_equal(config.lane_records, 1024);
    assert_int_equal(config.restart_grace_ms, 120000);
    assert_int_equal(config.limit_orders, 5000);
    assert_int_equal(config.limit_items, 10);
    assert_int_equal(config.orders_per_buyer, 4);
    assert_int_equal(config.limit_parked, 64);
    assert_string_equal(config.redis_host, "localhost");
    assert_int_equal(config.redis_port, 7000);
    assert_string_equal(config.redis_user, "u");
    assert_string_equal(config.redis_password_file, "p");
    assert_int_equal(config.redis_database, 3);
    assert_int_equal(config.redis_timeout_ms, 250);
    assert_int_equal(config.redis_batch, 100);
    assert_string_equal(config.control_socket, "s");
    fg_config_free(&config);
}

static void test_roles(void **state)
{
    (void)state;
#define ROLES(list) PORTS UNSIGNED LOG "control: {socket: s, group: adm, roles: [" list "]}\n"
    accepted(ROLES("{role: owner, users: [root, ops]}, {role: observer, groups: [wheel, \"7\"]}"));
    assert_string_equal(config.control_group, "adm");
    assert_int_equal(config.control_roles_count, 2);
    assert_int_equal(config.control_roles[0].place, 2);
    assert_int_equal(config.control_roles[0].users_count, 2);
    assert_string_equal(config.control_roles[0].users[1], "ops");
    assert_int_equal(config.control_roles[1].place, 0);
    assert_int_equal(config.control_roles[1].users_count, 0);
    assert_string_equal(config.control_roles[1].groups[1], "7");
    fg_config_free(&config);
    refused(ROLES("{role: owner}"),
            ":4:43: control.roles.role: is given to nobody, wanted users or groups");
    refused(
        ROLES("{role: king, users: [root]}"),
        ":4:49: control.roles.role: king is not known here, wanted observer, operator or owner");
}

static void test_missing(void **state)
{
    (void)state;
    refused("", ":1:1: found nothing, wanted a table with at least ports, log.directory and "
                "control.socket");
    refused("key_file: k\nunsigned_ops: [ORDER]\n" PORTS LOG CONTROL,
            ":2:1: unsigned_ops: says nothing without unsigned_allowed: true");
    refused("unsigned_ops: []\n" PORTS UNSIGNED LOG CONTROL,
            ":1:15: unsigned_ops: found 0, wanted at least 1");
    refused(UNSIGNED LOG CONTROL,
            ":1:1: ports: is missing. The network ports the engine serves. A worker receives "
            "by its own queue of each; on a port with fewer queues than workers the others get "
            "theirs handed over.");
    refused(PORTS UNSIGNED CONTROL, ":1:1: log.directory: is missing. Where the durable order log "
                                    "is kept. One engine at a time.");
    refused(PORTS UNSIGNED LOG,
            ":1:1: control.socket: is missing. Unix socket on which flashgatectl finds the engine; "
            "made with mode 0660.");
    refused(PORTS LOG CONTROL, ":1:1: key_file: is missing, so every datagram would be dropped; "
                               "name a key file (or, to rehearse, set unsigned_allowed: true)");
    refused("ports: [{address: 192.0.2.10/24}]\n" UNSIGNED LOG CONTROL,
            ":1:9: ports.device: is missing. A DPDK device: a PCI address (0000:3b:00.0) or a "
            "virtual device as EAL's --vdev takes it.");
}

static void test_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *more, *end;
    } cases[] = {
        {"workers: 65\n", ":5:10: workers: 65 is out of range, wanted 1 to 64"},
        {"workers: 0\n", ":5:10: workers: 0 is out of range, wanted 1 to 64"},
        {"partitions: 32\n",
         ":5:13: partitions: 32 is out of range, wanted a power of two, 64 to 32768"},
        {"partitions: 96\n",
         ":5:13: partitions: 96 is not a power of two, wanted a power of two, 64 to 32768"},
        {"partitions: 65536\n",
         ":5:13: partitions: 65536 is out of range, wanted a power of two, 64 to 32768"},
        {"base_port: 960\n", ":5:12: base_port: 960 is out of range, wanted 1024 to 65535"},
        {"base_port: 65536\n", ":5:12: base_port: 65536 is out of range, wanted 1024 to 65535"},
        {"node: 1024\n", ":5:7: node: 1024 is out of range, wanted 0 to 1023"},
        {"idle: spin\n", ":5:7: idle: spin is not known here, wanted poll, yield or sleep"},
        {"worker: 2\n", ":5:1: worker: unknown, did you mean workers?"},
        {"redis: {sockett: x}\n", ":5:9: redis.sockett: unknown, did you mean socket?"},
        {"restart_grace: 8d\n", ":5:16: restart_grace: 8d is out of range, wanted 0 to 7d"},
        {"rx_descriptors: 1000\n", ":5:17: rx_descriptors: 1000 is not a power of two, wanted a "
                                   "power of two, 64 to 32768"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[512];
        snprintf(text, sizeof(text), BASE "%s", cases[i].more);
        refused(text, cases[i].end);
    }
}

static void test_cross_checks(void **state)
{
    (void)state;
    static const struct {
        const char *more, *end;
    } cases[] = {
        {"base_port: 20481\n",
         ":5:1: base_port: 20481 is not a multiple of partitions (256), wanted "
         "20480 for one"},
        {"partitions: 32768\n", ":1:1: base_port: 20480 is not a multiple of partitions (32768), "
                                "wanted 32768 for one"},
        {"base_port: 1088\npartitions: 128\n",
         ":5:1: base_port: 1088 is not a multiple of partitions (128), wanted 1024 for one"},
        {"workers: 2\nworker_cores: [1]\n",
         ":6:1: worker_cores: 1 cores for 2 workers, wanted one each"},
        {"worker_cores: [1, 2]\n", ":5:1: worker_cores: 2 cores for 1 workers, wanted one each"},
        {"redis: {socket: s, host: h}\n",
         ":5:20: redis.host: stands beside socket, wanted one of socket, host and sentinels"},
        {"redis: {socket: s, sentinels: [a:1], master: m}\n",
         ":5:20: redis.sentinels: stand beside socket, wanted one of socket, host and sentinels"},
        {"redis: {host: h, sentinels: [a:1], master: m}\n",
         ":5:18: redis.sentinels: stand beside host, wanted one of socket, host and sentinels"},
        {"redis: {sentinels: [a:1, bcd], master: m}\n",
         ":5:9: redis.sentinels: bcd is not host:port, port 1 to 65535"},
        {"redis: {sentinels: [a:65536], master: m}\n",
         ":5:9: redis.sentinels: a:65536 is not host:port, port 1 to 65535"},
        {"redis: {sentinels: [a:1]}\n",
         ":5:9: redis.sentinels: need master, the name they know the server by"},
        {"redis: {socket: s, master: m}\n", ":5:20: redis.master: needs sentinels"},
        {"redis: {socket: s, sentinel_password_file: f}\n",
         ":5:20: redis.sentinel_password_file: needs sentinels"},
        {"ack: disk\n", ":5:6: ack: disk is not known here, wanted durable or memory"},
        {"redis: {socket: s, user: u}\n", ":5:20: redis.user: needs password_file"},
        {"redis: {socket: s, port: 7}\n", ":5:20: redis.port: needs host"},
        {"mbufs: 8191\n", ":5:1: mbufs: 8191 are too few: the descriptors of 1 ports take 2048 and "
                          "limits.parked up to half of all; wanted at least 8192"},
        {"mbufs: 16384\nrx_descriptors: 16384\n",
         ":5:1: mbufs: 16384 are too few: the descriptors of 1 ports take 17408 and "
         "limits.parked up to half of all; wanted at least 21504"},
        {"eal: [-m, \"64\", --vdev=net_null1]\n", ":5:1: eal: --vdev is not given here but by "
                                                  "ports"},
        {"eal: [-l, \"0\"]\n", ":5:1: eal: -l is not given here but by worker_cores"},
        {"eal: [--file-prefix, x]\n", ":5:1: eal: --file-prefix is not given here but by "
                                      "file_prefix"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[512];
        snprintf(text, sizeof(text), BASE "%s", cases[i].more);
        refused(text, cases[i].end);
    }
    accepted(BASE "mbufs: 8192\neal: [--log-level, lib.eal:debug, --legacy-mem]\n");
    fg_config_free(&config);
}

static void test_delivery(void **state)
{
    (void)state;
    accepted(BASE "redis: {sentinels: [\"10.0.0.1:26379\", \"::1:5\"], master: orders}\n");
    assert_int_equal(config.redis_sentinels_count, 2);
    assert_string_equal(config.redis_sentinels[0], "10.0.0.1:26379");
    assert_string_equal(config.redis_sentinels[1], "::1:5");
    assert_string_equal(config.redis_master, "orders");
    assert_true(fg_config_delivers(&config));
    fg_config_free(&config);
    accepted(BASE "redis: {socket: s}\nack: memory\n");
    assert_true(fg_config_delivers(&config));
    assert_int_equal(config.ack, FG_ACK_MEMORY);
    fg_config_free(&config);
    accepted(BASE);
    assert_int_equal(fg_config_unsigned_ops(&config), FG_UNSIGNED_OPS);
    assert_int_equal(FG_UNSIGNED_OPS & (1 << FG_OP_CONFIRM | 1 << FG_OP_CANCEL), 0);
    fg_config_free(&config);
    accepted(BASE "unsigned_ops: [CONFIRM, PING]\n");
    assert_int_equal(fg_config_unsigned_ops(&config), 1 << FG_OP_CONFIRM | 1 << FG_OP_PING);
    fg_config_free(&config);
    accepted("key_file: k\n" PORTS LOG CONTROL);
    assert_int_equal(fg_config_unsigned_ops(&config), 0);
    fg_config_free(&config);
    accepted(PORTS UNSIGNED CONTROL "log: {directory: d, keep: 0}\nredis: {host: h}\n");
    assert_true(fg_config_delivers(&config));
    assert_int_equal(config.log_keep_ms, 0);
    fg_config_free(&config);
}

static void test_log_checks(void **state)
{
    (void)state;
    refused(PORTS UNSIGNED CONTROL "log: {directory: d, budget: 255MiB}\n",
            ":4:21: log.budget: 267386880 bytes are less than 4 segments of 67108864 bytes; raise "
            "the budget or make the segments smaller");
    refused(PORTS UNSIGNED CONTROL "log: {directory: d, segment: 2GiB}\n",
            ":4:6: log.budget: 4294967296 bytes are less than 4 segments of 2147483648 bytes; "
            "raise the budget or make the segments smaller");
    refused(PORTS UNSIGNED CONTROL "log: {directory: d, segment: 16777217}\n",
            ":4:30: log.segment: 16777217 is not a multiple of 4096, wanted a multiple of 4096, "
            "16MiB to 4GiB");
    accepted(PORTS UNSIGNED CONTROL "log: {directory: d, budget: 256MiB}\n");
    fg_config_free(&config);
}

static void test_port_checks6(void)
{
    static const char *const wrong[] = {"::/64", "::1/128", "::192.0.2.1/128", "ff02::1/16"};
    char text[512];
    for (size_t i = 0; i < COUNT(wrong); i++) {
        snprintf(text, sizeof(text),
                 UNSIGNED LOG CONTROL "ports: [{device: d, address6: \"%s\"}]\n", wrong[i]);
        refused(text, ":4:21: ports.address6: is no address of one host, wanted one that gateways "
                      "can send to");
    }
    static const char *const anycasts[] = {"2001:db8::/64", "2001:db8::4/126", "fe80::/10"};
    for (size_t i = 0; i < COUNT(anycasts); i++) {
        snprintf(text, sizeof(text),
                 UNSIGNED LOG CONTROL "ports: [{device: d, address6: \"%s\"}]\n", anycasts[i]);
        refused(text, ":4:21: ports.address6: is any router's of its network, wanted a host's");
    }
    refused(UNSIGNED LOG CONTROL "ports: [{device: d}]\n",
            ":4:9: ports.address: is missing, and address6, too; wanted one of them or both");
    refused(UNSIGNED LOG CONTROL "ports: [{device: d, address6: 192.0.2.1/24}]\n",
            ":4:31: ports.address6: 192.0.2.1/24 is an IPv4 address: give it as address");
    refused(UNSIGNED LOG CONTROL "ports: [{device: d, address: \"2001:db8::1/64\"}]\n",
            ":4:30: ports.address: 2001:db8::1/64 is an IPv6 address: give it as address6");
    refused(UNSIGNED LOG CONTROL "ports: [{device: d, address: \"2001:db8::1\"}]\n",
            ":4:30: ports.address: 2001:db8::1 is an IPv6 address: give it as address6, with its "
            "prefix");
    refused(UNSIGNED LOG CONTROL "ports: [{device: d, address6: \"2001:db8::1\"}]\n",
            ":4:31: ports.address6: 2001:db8::1 is not an address with its prefix, wanted like "
            "2001:db8::10/64");
    refused(UNSIGNED LOG CONTROL "ports: [{device: d, address6: \"2001:db8::1/64\"}, {device: e, "
                                 "address: 192.0.2.1/24, address6: \"2001:db8::1/48\"}]\n",
            ":4:1: ports: two ports have the same address");
    accepted(UNSIGNED LOG CONTROL "ports: [{device: d, address6: \"2001:db8::/127\"}, {device: e, "
                                  "address: 192.0.2.1/24, address6: \"fe80::1/64\"}, {device: f, "
                                  "address: 192.0.2.2/24}]\n");
    assert_true(fg_ip_is_zero(config.ports[0].address));
    assert_int_equal(config.ports[0].prefix6_bits, 127);
    assert_true(
        fg_ip_same(config.ports[0].address6, (struct fg_ip){UINT64_C(0x20010db8) << 32, 0}));
    assert_true(fg_ip_same(config.ports[1].address6, (struct fg_ip){UINT64_C(0xfe80) << 48, 1}));
    assert_true(fg_ip_is_zero(config.ports[2].address6));
    fg_config_free(&config);
}

static void test_port_checks(void **state)
{
    (void)state;
    static const char *const wrong[] = {"0.1.2.3/8", "127.0.0.1/8", "224.0.0.1/4",
                                        "255.255.255.255/32"};
    char text[512];
    for (size_t i = 0; i < COUNT(wrong); i++) {
        snprintf(text, sizeof(text), UNSIGNED LOG CONTROL "ports: [{device: d, address: %s}]\n",
                 wrong[i]);
        refused(text, ":4:21: ports.address: is no address of one host, wanted one that gateways "
                      "can send to");
    }
    static const char *const edges[] = {"192.0.2.0/24", "192.0.2.255/24", "10.0.0.3/30"};
    for (size_t i = 0; i < COUNT(edges); i++) {
        snprintf(text, sizeof(text), UNSIGNED LOG CONTROL "ports: [{device: d, address: %s}]\n",
                 edges[i]);
        refused(text, ":4:21: ports.address: is the network's own or its broadcast address, wanted "
                      "a host's");
    }
    accepted(UNSIGNED LOG CONTROL "ports: [{device: d, address: 192.0.2.0/31}]\n");
    fg_config_free(&config);
    test_port_checks6();
    refused(UNSIGNED LOG CONTROL
            "ports: [{device: d, address: 192.0.2.1/24}, {device: d, address: 192.0.2.2/24}]\n",
            ":4:1: ports: device d stands twice");
    refused(UNSIGNED LOG CONTROL
            "ports: [{device: d, address: 192.0.2.1/24}, {device: e, address: 192.0.2.1/24}]\n",
            ":4:1: ports: two ports have the same address");
}

static void test_worker_cores(void **state)
{
    (void)state;
    accepted(BASE "workers: 64\n");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    assert_int_equal(config.worker_cores_count, 64);
    for (int w = 0; w < 64; w++)
        assert_in_range(config.worker_cores[w], 0, cores > 64 ? 64 : cores - 1);
    fg_config_free(&config);
}

static char *generated(void)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    fg_config_reference(out);
    fclose(out);
    return text;
}

/* The file in conf/ is the generator's text, loads, and says what the defaults are. */
static void test_reference(void **state)
{
    (void)state;
    char *text = generated(), *stored = calloc(1, 1 << 16);
    FILE *file = fopen(REFERENCE, "r");
    assert_non_null(file);
    assert_non_null(stored);
    assert_in_range(fread(stored, 1, (1 << 16) - 1, file), 1, (1 << 16) - 2);
    fclose(file);
    if (strcmp(stored, text) != 0)
        fail_msg(REFERENCE " is out of date: run test_config update");
    accepted(text);
    struct fg_config reference = config;
    accepted(BASE);
    assert_int_equal(reference.limit_orders, config.limit_orders);
    assert_int_equal(reference.log_budget, config.log_budget);
    assert_int_equal(reference.mbufs, config.mbufs);
    assert_int_equal(reference.idle, config.idle);
    fg_config_free(&config);
    fg_config_free(&reference);
    free(stored);
    free(text);
}

/* Every option of the reference stands in the description with its full name. */
static void test_describe(void **state)
{
    (void)state;
    static const char *const names[] = {"eal ",
                                        "ports[].device ",
                                        "worker_cores ",
                                        "log.lane_records ",
                                        "redis.password_file ",
                                        "control.socket "};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    fg_config_describe(out);
    fclose(out);
    for (size_t i = 0; i < COUNT(names); i++)
        assert_non_null(strstr(text, names[i]));
    assert_non_null(strstr(text, "whole number of threads, 1 to 64; default 1; at start"));
    assert_non_null(strstr(text, "text of 1 to 107 bytes; required; at start"));
    /* No command changes any of them. */
    const char *penalty = strstr(text, "\npenalty.after ");
    assert_non_null(penalty);
    assert_non_null(strstr(penalty, "default 50; at start\n"));
    assert_true(strstr(penalty, "default 50; at start\n") < strstr(penalty, "\npenalty.within "));
    assert_null(strstr(text, "; live"));
    free(text);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/flashgate.yaml", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static int update(void)
{
    FILE *out = fopen(REFERENCE, "w");
    if (!out)
        return 1;
    fg_config_reference(out);
    return fclose(out) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "update") == 0)
        return update();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),    cmocka_unit_test(test_whole),
        cmocka_unit_test(test_roles),       cmocka_unit_test(test_missing),
        cmocka_unit_test(test_ranges),      cmocka_unit_test(test_cross_checks),
        cmocka_unit_test(test_delivery),    cmocka_unit_test(test_log_checks),
        cmocka_unit_test(test_port_checks), cmocka_unit_test(test_worker_cores),
        cmocka_unit_test(test_reference),   cmocka_unit_test(test_describe),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
