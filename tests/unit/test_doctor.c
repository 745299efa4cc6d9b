/* SPDX-License-Identifier: BSD-3-Clause */
/* Each check of the preflight in both outcomes, but of the user and of Redis: test_doctor_user.c.
 */
#include "tests/unit/doctor_fixture.h"

static char *no_huge[] = {"--no-huge"}, *in_memory[] = {"--in-memory", "-m", "64"};

static void test_all_well(void **state)
{
    (void)state;
    static const char *const checks[] = {"cores", "governor", "hugepages", "nics",
                                         "files", "priority", "clock",     "memory",
                                         "keys",  "room",     "flush"};
    for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
        expect(checks[i], FG_DOCTOR_OK, "");
    assert_int_equal(fg_doctor_worst(&doctor), FG_DOCTOR_WARNING); /* no Redis is configured */
    expect("redis", FG_DOCTOR_WARNING, "no Redis");
}

static void test_cores(void **state)
{
    (void)state;
    config.worker_cores[0] = 7;
    expect_refusal("cores", FG_DOCTOR_WRONG, "worker_cores names core 7", FG_EXIT_CONFIG);
    config.worker_cores[0] = 1;
    put(CPU "/cpu1/online", "0\n");
    expect_refusal("cores", FG_DOCTOR_WRONG, "offline", FG_EXIT_CONFIG);
    put(CPU "/cpu1/online", "1\n");
    config.journal_core = 1;
    expect("cores", FG_DOCTOR_WARNING, "cores.journal is core 1");
    config.journal_core = 0;
    put(CPU "/isolated", "2-5,0\n");
    expect("cores", FG_DOCTOR_WARNING, "polls on core 1");
    put(CPU "/isolated", "3,0-1\n");
    expect("cores", FG_DOCTOR_OK, "");
    put(CPU "/isolated", "\n");
    config.idle = FG_IDLE_YIELD;
    expect("cores", FG_DOCTOR_OK, "");
}

static void test_governor(void **state)
{
    (void)state;
    put(CPU "/cpu1/cpufreq/scaling_governor", "powersave\n");
    expect("governor", FG_DOCTOR_WARNING, "powersave");
}

static void test_hugepages(void **state)
{
    (void)state;
    put(HUGE, "3\n");
    expect_refusal("hugepages", FG_DOCTOR_WRONG, "6 MiB", FG_EXIT_NETWORK);
    config.eal = no_huge;
    config.eal_count = 1;
    expect("hugepages", FG_DOCTOR_OK, "not used");
    config.eal = in_memory;
    config.eal_count = 3;
    put("/proc/mounts", "\n");
    expect_refusal("hugepages", FG_DOCTOR_WRONG, "6 MiB", FG_EXIT_NETWORK);
    put(HUGE, "32\n");
    expect("hugepages", FG_DOCTOR_OK, "64 MiB");
    config.eal_count = 0;
    put(HUGE, "16\n"); /* less than the buffers need */
    expect_refusal("hugepages", FG_DOCTOR_WRONG, "32 MiB", FG_EXIT_NETWORK);
    put(HUGE, "512\n");
    expect_refusal("hugepages", FG_DOCTOR_WRONG, "hugetlbfs", FG_EXIT_NETWORK);
}

static void test_binding(void **state)
{
    (void)state;
    config.ports[0].device = "3b:00.0,some=1";
    expect("nics", FG_DOCTOR_OK, "vfio-pci");
    put_link(NIC "/driver", "../../bus/pci/drivers/ixgbe");
    put(NIC "/net/eth1/mtu", "1500\n");
    expect_refusal("nics", FG_DOCTOR_WRONG, "bound to ixgbe", FG_EXIT_NETWORK);
    config.ports[0].device = "0000:3c:00.0";
    expect_refusal("nics", FG_DOCTOR_WRONG, "no PCI device", FG_EXIT_NETWORK);
    config.ports[0].device = "net_vhost0,iface=/run/x.sock";
    expect("nics", FG_DOCTOR_OK, "virtual");
    config.ports[0].device = "net_af_packet0,iface=eth1";
    expect("nics", FG_DOCTOR_OK, "virtual");
    config.ports[0].device = "net_af_packet0,iface=eth9,qpairs=1";
    expect_refusal("nics", FG_DOCTOR_WRONG, "no interface eth9", FG_EXIT_NETWORK);
}

/* The machine's way out, itself, below a bond and a VLAN on it, or by IPv6; also with a driver that
 * DPDK could share it by. */
static void test_default_route(void **state)
{
    (void)state;
    put(NIC "/net/eth0/mtu", "1500\n");
    put_link(NIC "/driver", "../../bus/pci/drivers/mlx5_core");
    expect_refusal("nics", FG_DOCTOR_WRONG, "default route", FG_EXIT_NETWORK);
    config.ports[0].device = "net_af_xdp0,iface=eth0";
    expect_refusal("nics", FG_DOCTOR_WRONG, "default route", FG_EXIT_NETWORK);

    config.ports[0].device = "net_af_packet0,iface=eth1";
    expect("nics", FG_DOCTOR_OK, "");
    put("/proc/net/ipv6_route",
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
        "fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth1\n");
    expect_refusal("nics", FG_DOCTOR_WRONG, "default route", FG_EXIT_NETWORK);
    put("/proc/net/ipv6_route",
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
        "00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n");
    expect("nics", FG_DOCTOR_OK, "");
    put("/proc/net/route", "Iface\tDestination\n"
                           "bond0.7\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
    put("/sys/class/net/eth1/upper_bond0", "");
    put("/sys/class/net/bond0/upper_bond0.7", "");
    expect_refusal("nics", FG_DOCTOR_WRONG, "default route", FG_EXIT_NETWORK);
}

static void test_limits(void **state)
{
    (void)state;
    put("/proc/self/limits", "Max open files            700                  4096     files\n"
                             "Max locked memory         8388608              8388608  bytes\n"
                             "Max realtime priority     0                    0\n");
    expect("files", FG_DOCTOR_WRONG, "700 files");
    expect("files", FG_DOCTOR_WRONG, "8192 KiB");
    expect("priority", FG_DOCTOR_WARNING, "may not");
    put("/proc/self/status", "CapPrm:\t0000000000804000\n");
    expect("priority", FG_DOCTOR_OK, "");
    config.eal = no_huge;
    config.eal_count = 1;
    expect("files", FG_DOCTOR_OK, "suffice");
}

static void test_clock(void **state)
{
    (void)state;
    clock_state = TIME_ERROR;
    expect("clock", FG_DOCTOR_WARNING, "not synchronised");
    clock_state = TIME_OK;
    clock_now.status = STA_UNSYNC;
    expect("clock", FG_DOCTOR_WARNING, "not synchronised");
    clock_now = (struct timex){.maxerror = 16000000};
    expect("clock", FG_DOCTOR_WARNING, "16000 ms");
    clock_state = -1;
    errno = EPERM;
    expect("clock", FG_DOCTOR_OK, "cannot be asked");
}

static void test_memory(void **state)
{
    (void)state;
    put("/proc/swaps", "Filename\tType\n/dev/sda2\tpartition\n");
    expect("memory", FG_DOCTOR_WARNING, "swapped");
    put("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
    expect("memory", FG_DOCTOR_WARNING, "transparent");
}

static void test_keys(void **state)
{
    (void)state;
    assert_int_equal(chmod(key_file, 0644), 0);
    expect_refusal("keys", FG_DOCTOR_WRONG, "0600", FG_EXIT_CONFIG);
    assert_int_equal(chmod(key_file, 0600), 0);
    config.unsigned_allowed = true;
    expect("keys", FG_DOCTOR_WARNING, "unsigned datagrams are taken: anyone can order");
    config.unsigned_ops = 1 << FG_OP_CONFIRM;
    expect("keys", FG_DOCTOR_WARNING, "and settle anybody's orders");
    config.key_file = NULL;
    expect("keys", FG_DOCTOR_WARNING, "no keys");
}

/* As the engine reads them: whole, and with the place of what is wrong. */
static void test_lists(void **state)
{
    (void)state;
    char buyers[96], sources[96];
    expect("lists", FG_DOCTOR_OK, "0 buyers and 0 sources to block");
    snprintf(buyers, sizeof(buyers), "%s/buyers.txt", root);
    snprintf(sources, sizeof(sources), "%s/sources.txt", root);
    config.list_files[FG_LIST_BLOCK_BUYERS] = buyers;
    config.list_files[FG_LIST_ALLOW_SOURCES] = sources;
    put("/buyers.txt", "00112233445566778899aabbccddeeff # one\n"
                       "00112233-4455-6677-8899-aabbccddee00\n");
    expect("lists", FG_DOCTOR_WRONG, "sources.txt: could not be opened: No such file");
    put("/sources.txt", "192.0.2.0/24\n");
    expect("lists", FG_DOCTOR_OK, "2 buyers and 0 sources to block, 0 and 1 to allow");
    put("/sources.txt", "192.0.2.0/24\n 192.0.2.1/24\n");
    expect("lists", FG_DOCTOR_WRONG, "sources.txt:2:2: \"192.0.2.1/24\"");
}

static void test_log(void **state)
{
    (void)state;
    config.log_budget = UINT64_C(1) << 60;
    expect("room", FG_DOCTOR_WRONG, "room for");
    config.log_budget = 4096;
    step_ns = 3000000;
    expect("flush", FG_DOCTOR_WARNING, "3000 us");
    step_ns = 60000000;
    expect("flush", FG_DOCTOR_WRONG, "60000 us");
    assert_int_equal(rmdir(log_dir), 0); /* nothing was left in it */
    expect("flush", FG_DOCTOR_WRONG, "No such file");
    expect("room", FG_DOCTOR_WRONG, "No such file");
}

/* Only what makes serving impossible refuses a start, with what mends it. */
static void test_start(void **state)
{
    (void)state;
    char message[1024] = "", *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    config.worker_cores[0] = 1000;
    assert_int_equal(fg_doctor_start(&config, out, message, sizeof(message)), FG_EXIT_CONFIG);
    assert_non_null(strstr(message, "names core 1000"));
    assert_non_null(strstr(message, "; do: "));
    config.worker_cores[0] = 0;
    config.log_budget = UINT64_C(1) << 60;
    config.eal = no_huge;
    config.eal_count = 1;
    config.ports[0].device = "net_vhost0,iface=/run/x.sock";
    assert_int_equal(fg_doctor_start(&config, out, message, sizeof(message)), FG_EXIT_OK);
    fclose(out);
    assert_non_null(strstr(text, "preflight: room: "));
    free(text);
}

static void test_json(void **state)
{
    (void)state;
    put(CPU "/cpu1/cpufreq/scaling_governor", "powersave\n");
    fg_doctor_run(&doctor);
    json_t *json = fg_doctor_json(&doctor), *checks = json_object_get(json, "checks");
    assert_string_equal(json_string_value(json_object_get(json, "worst")), "warning");
    assert_int_equal(json_array_size(checks), doctor.count);
    const json_t *third = json_array_get(checks, 2);
    assert_string_equal(json_string_value(json_object_get(third, "check")), "governor");
    assert_string_equal(json_string_value(json_object_get(third, "needed")), "performance");
    json_decref(json);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_all_well), CASE(test_cores),         CASE(test_governor), CASE(test_hugepages),
        CASE(test_binding),  CASE(test_default_route), CASE(test_limits),   CASE(test_clock),
        CASE(test_memory),   CASE(test_keys),          CASE(test_lists),    CASE(test_log),
        CASE(test_start),    CASE(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
