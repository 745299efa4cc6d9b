/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAL's arguments from a configuration, what is refused before EAL is started, and a port: EAL runs
 * once, on ordinary pages, with a device that drops everything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "dataplane/net/eal.h"
#include "dataplane/net/port.h"
#include "flashgate/exit_status.h"

static char *no_huge[] = {"--no-huge", "-m", "64", "--no-shconf"};
static char message[512];

static struct fg_config config_of(char *device)
{
    return (struct fg_config){
        .eal = no_huge,
        .eal_count = 4,
        .file_prefix = "test-eal",
        .ports = {{.device = device, .address = fg_ip_of_v4(0xc000020a), .prefix_bits = 96 + 24}},
        .ports_count = 1,
        .mbufs = 1024,
        .rx_descriptors = 128,
        .tx_descriptors = 128,
        .workers = 2,
        .worker_cores = {0, 0},
        .worker_cores_count = 2,
        .control_core = 0,
        .journal_core = -1,
        .storage_core = -1,
        .delivery_core = -1,
        .base_port = 20480,
        .partitions = 64,
    };
}

/* The arguments as one line. */
static const char *line_of(const struct fg_config *config)
{
    static char line[4096];
    struct fg_eal_arguments arguments;

    assert_int_equal(fg_eal_arguments(&arguments, config, message, sizeof(message)), 0);
    line[0] = '\0';
    for (int i = 0; i < arguments.count; i++)
        snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s ", arguments.values[i]);
    assert_null(arguments.values[arguments.count]);
    fg_eal_arguments_free(&arguments);
    return line;
}

static void arguments_follow_from_the_configuration(void **state)
{
    (void)state;
    struct fg_config config = config_of("net_null0");
    const char *line = line_of(&config);
    assert_non_null(strstr(line, "--lcores 0@0,1@0,2@0 "));
    assert_non_null(strstr(line, "--vdev net_null0 --no-pci "));
    assert_non_null(strstr(line, "--file-prefix test-eal "));
    assert_non_null(strstr(line, "--no-huge -m 64 "));
    config.ports[0].device = "0000:3b:00.0";
    line = line_of(&config);
    assert_non_null(strstr(line, "--allow 0000:3b:00.0 "));
    assert_null(strstr(line, "--no-pci"));
    config.control_core = -1; /* wherever it may run now */
    assert_non_null(strstr(line_of(&config), "--lcores 0@("));
}

static void too_many_arguments_are_refused(void **state)
{
    (void)state;
    static char *many[FG_EAL_ARGUMENTS_MAX];
    struct fg_config config = config_of("net_null0");
    struct fg_eal_arguments arguments;

    for (int i = 0; i < FG_EAL_ARGUMENTS_MAX; i++)
        many[i] = "-v";
    config.eal = many;
    config.eal_count = FG_EAL_ARGUMENTS_MAX;
    assert_int_equal(fg_eal_arguments(&arguments, &config, message, sizeof(message)), -1);
    assert_non_null(strstr(message, "too many"));
}

/* A living process listens on the wire's socket: it is refused and the socket is still there. A
 * file of another kind is not removed either. */
static void a_living_wire_is_left_alone(void **state)
{
    (void)state;
    char folder[] = "/tmp/flashgate-eal-XXXXXX", device[128];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_non_null(mkdtemp(folder));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/wire.sock", folder);
    snprintf(device, sizeof(device), "net_vhost0,iface=%s/wire.sock,queues=1", folder);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    struct fg_config config = config_of(device);
    assert_int_equal(fg_eal_start(&config, message, sizeof(message)), FG_EXIT_IN_USE);
    assert_int_equal(access(address.sun_path, F_OK), 0);
    close(fd);
    assert_int_equal(unlink(address.sun_path), 0);
    FILE *file = fopen(address.sun_path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(fg_eal_start(&config, message, sizeof(message)), FG_EXIT_IN_USE);
    assert_int_equal(access(address.sun_path, F_OK), 0);
    assert_int_equal(unlink(address.sun_path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void devices_are_told_apart(void **state)
{
    (void)state;
    assert_true(fg_port_is_vdev("net_vhost0,iface=/run/x.sock"));
    assert_true(fg_port_is_vdev("net_null0"));
    assert_false(fg_port_is_vdev("0000:3b:00.0"));
    assert_false(fg_port_is_vdev("3b:00.1"));
}

static void a_port_has_a_queue_pair_for_each_worker(void **state)
{
    (void)state;
    struct fg_config config = config_of("net_null0");
    struct rte_mempool *pools[2];
    struct fg_port port = {0}, other = {0};
    char runtime[] = "/tmp/flashgate-eal-XXXXXX", path[64];

    /* Where EAL makes its folders, so that they can be removed. */
    assert_non_null(mkdtemp(runtime));
    assert_int_equal(setenv("RUNTIME_DIRECTORY", runtime, 1), 0);
    assert_int_equal(fg_eal_start(&config, message, sizeof(message)), FG_EXIT_OK);
    for (unsigned w = 0; w < 2; w++) {
        pools[w] = fg_port_pool_create(&config, w, 0, message, sizeof(message));
        assert_non_null(pools[w]);
        assert_int_equal(pools[w]->size, 1024);
    }
    assert_int_equal(fg_port_start(&port, &config, 0, pools, message, sizeof(message)), 0);
    assert_int_equal(port.queues, 2);
    assert_int_equal(port.address.first_port, 20480);
    assert_int_equal(port.address.last_port, 20543);
    assert_false(port.reply_by_receiver);
    fg_port_describe(&port, &config.ports[0], message, sizeof(message));
    assert_non_null(strstr(message, ": 192.0.2.10/24, UDP"));
    assert_null(strstr(message, "multicast"));
    assert_non_null(strstr(message, "2 queue pairs"));
    /* Solicitations: this driver listens to all groups, once it is asked to. */
    config.ports[0].address6 = (struct fg_ip){UINT64_C(0x20010db8) << 32, 0x10};
    config.ports[0].prefix6_bits = 64;
    assert_int_equal(rte_eth_dev_stop(port.id), 0);
    assert_int_equal(fg_port_start(&port, &config, 0, pools, message, sizeof(message)), 0);
    fg_port_describe(&port, &config.ports[0], message, sizeof(message));
    assert_non_null(strstr(message, ": 192.0.2.10/24, 2001:db8::10/64, UDP"));
    assert_non_null(strstr(message, ", multicast: all"));
    config.ports[0].address = (struct fg_ip){0};
    fg_port_describe(&port, &config.ports[0], message, sizeof(message));
    assert_non_null(strstr(message, ": 2001:db8::10/64, UDP"));
    config.ports[0].device = "net_null7";
    assert_int_equal(fg_port_start(&other, &config, 0, pools, message, sizeof(message)), -1);
    assert_non_null(strstr(message, "net_null7"));
    assert_false(other.started);
    fg_port_stop(&other); /* nothing to stop */
    fg_port_stop(&port);
    assert_false(port.started);
    fg_eal_stop();
    snprintf(path, sizeof(path), "%s/dpdk/test-eal", runtime);
    assert_int_equal(rmdir(path), 0);
    snprintf(path, sizeof(path), "%s/dpdk", runtime);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(runtime), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_follow_from_the_configuration),
        cmocka_unit_test(too_many_arguments_are_refused),
        cmocka_unit_test(a_living_wire_is_left_alone),
        cmocka_unit_test(devices_are_told_apart),
        cmocka_unit_test(a_port_has_a_queue_pair_for_each_worker),
    };
    return cmocka_run_group_tests_name("eal", tests, NULL, NULL);
}
