/* SPDX-License-Identifier: BSD-3-Clause */
/* Each check of the preflight in both outcomes, on machines that are a tree of files. */
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/doctor/doctor.h"
#include "flashgate/exit_status.h"
#include "private_redis.h"

#define CPU  "/sys/devices/system/cpu"
#define HUGE "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
#define NIC  "/sys/bus/pci/devices/0000:3b:00.0"
#define TREE "/tmp/test-doctor-XXXXXX"

#define NOBODY 65534

static char root[64], log_dir[96], key_file[96];
static struct fg_config config;
static struct fg_doctor doctor;
static char *no_huge[] = {"--no-huge"}, *in_memory[] = {"--in-memory", "-m", "64"};
static struct timex clock_now;
static int clock_state;
static uint64_t step_ns, now_ns;

static int fake_adjtimex(struct timex *time)
{
    *time = clock_now;
    return clock_state;
}

/* Each question takes step_ns. */
static uint64_t fake_monotonic(void *context)
{
    (void)context;
    return now_ns += step_ns;
}

static const struct fg_clock fake_clock = {.monotonic_ns = fake_monotonic};

static void make_parents(char *path)
{
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
}

static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s%s", root, name);
    make_parents(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void put_link(const char *name, const char *target)
{
    char path[256];
    snprintf(path, sizeof(path), "%s%s", root, name);
    make_parents(path);
    (void)unlink(path);
    assert_int_equal(symlink(target, path), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

/* A machine on which nothing is wrong. */
static int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), TREE);
    assert_non_null(mkdtemp(root));
    snprintf(log_dir, sizeof(log_dir), "%s/log", root);
    assert_int_equal(mkdir(log_dir, 0755), 0);
    snprintf(key_file, sizeof(key_file), "%s/keys.yaml", root);
    put("/keys.yaml", "keys: [{id: 3, secret: 00112233445566778899aabbccddeeff, ops: all, sales: "
                      "all}]\n");
    assert_int_equal(chmod(key_file, 0600), 0);
    put(CPU "/cpu0/online", "1\n");
    put(CPU "/cpu1/online", "1\n");
    put(CPU "/cpu1/cpufreq/scaling_governor", "performance\n");
    put(CPU "/isolated", "1\n");
    put(HUGE, "512\n");
    put("/proc/mounts", "none /dev/hugepages hugetlbfs rw 0 0\n");
    put("/proc/net/route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
                           "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                           "eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
    put("/proc/self/limits", "Max open files            1024                 4096     files\n"
                             "Max locked memory         unlimited            unlimited bytes\n"
                             "Max realtime priority     1                    1\n");
    put("/proc/self/status", "CapPrm:\t0000000000000000\n");
    put("/proc/swaps", "Filename\tType\n");
    put("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
    put("/sys/class/net/eth1/mtu", "1500\n");
    put_link(NIC "/driver", "../../bus/pci/drivers/vfio-pci");
    config = (struct fg_config){
        .workers = 1,
        .worker_cores = {1},
        .worker_cores_count = 1,
        .control_core = -1,
        .journal_core = 0,
        .storage_core = -1,
        .delivery_core = -1,
        .idle = FG_IDLE_POLL,
        .mbufs = 16384,
        .ports = {{.device = "0000:3b:00.0"}},
        .ports_count = 1,
        .key_file = key_file,
        .freshness_ms = 30000,
        .log_dir = log_dir,
        .log_budget = 4096,
        .redis_timeout_ms = 1000,
    };
    fg_doctor_init(&doctor, &config);
    doctor.root = root;
    doctor.adjtimex = fake_adjtimex;
    doctor.clock = &fake_clock;
    clock_now = (struct timex){.maxerror = 500};
    clock_state = TIME_OK;
    step_ns = 100000;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (seteuid(getuid()) != 0 || setegid(getgid()) != 0) /* where test_user failed */
        return -1;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Runs all; the check's worst finding is of this level, and one has the text in it and refuses a
 * start with that status. What is not ok tells what is needed. */
static void expect_refusal(const char *check, enum fg_doctor_level level, const char *text,
                           int refuses)
{
    enum fg_doctor_level worst = FG_DOCTOR_OK;
    bool found = false, any = false;
    fg_doctor_run(&doctor);
    for (unsigned i = 0; i < doctor.count; i++) {
        const struct fg_doctor_finding *finding = &doctor.findings[i];
        if (strcmp(finding->check, check) != 0)
            continue;
        any = true;
        worst = finding->level > worst ? finding->level : worst;
        found |= strstr(finding->found, text) && finding->refuses == refuses;
        if (finding->level != FG_DOCTOR_OK) {
            assert_true(*finding->needed != '\0');
            assert_true(*finding->mend != '\0');
        }
    }
    if (!any || !found || worst != level) {
        fg_doctor_print(&doctor, stderr);
        fail_msg("%s: wanted level %d with \"%s\"", check, level, text);
    }
}

static void expect(const char *check, enum fg_doctor_level level, const char *text)
{
    expect_refusal(check, level, text, FG_EXIT_OK);
}

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

/* As a user whom root's files are closed to. */
static void expect_of_nobody(const char *check, enum fg_doctor_level level, const char *text,
                             int refuses)
{
    assert_int_equal(setegid(NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    expect_refusal(check, level, text, refuses);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(0), 0);
}

static void expect_as_nobody(enum fg_doctor_level level, const char *text)
{
    expect_of_nobody("user", level, text, level == FG_DOCTOR_WRONG ? FG_EXIT_CONFIG : FG_EXIT_OK);
}

static char *in_root(const char *name)
{
    static char paths[8][128];
    static unsigned used;
    char *path = paths[used++ % 8];
    snprintf(path, sizeof(paths[0]), "%s%s", root, name);
    return path;
}

static void give_to_nobody(const char *path)
{
    assert_int_equal(chown(path, NOBODY, NOBODY), 0);
}

static void test_user(void **state)
{
    (void)state;
    static char nobody[] = "nobody", unknown[] = "no.such.user", daemon_user[] = "daemon";
    if (geteuid() != 0 || !getpwuid(NOBODY) || setegid(NOBODY) != 0 || setegid(0) != 0)
        skip();
    expect("user", FG_DOCTOR_WARNING, "all of root's rights");
    config.user = unknown;
    expect_refusal("user", FG_DOCTOR_WRONG, "no user no.such.user", FG_EXIT_CONFIG);
    config.user = nobody;
    config.control_socket = in_root("/control.sock");
    assert_int_equal(setenv("RUNTIME_DIRECTORY", root, 1), 0);
    expect_as_nobody(FG_DOCTOR_WRONG, "is closed to nobody");
    assert_int_equal(chmod(root, 0755), 0);
    expect_as_nobody(FG_DOCTOR_WRONG, "log.directory: user nobody may not write");
    give_to_nobody(log_dir);
    expect_as_nobody(FG_DOCTOR_WRONG, "control.socket: user nobody may not write");
    expect_as_nobody(FG_DOCTOR_WRONG, "RUNTIME_DIRECTORY: user nobody may not write");
    give_to_nobody(root);
    expect_as_nobody(FG_DOCTOR_WRONG, "key_file: user nobody may not read");
    give_to_nobody(key_file);
    expect_as_nobody(FG_DOCTOR_OK, "nobody may use the log");

    put("/control.sock.lock", "");
    expect_as_nobody(FG_DOCTOR_WRONG, "control.socket: user nobody may not write");
    give_to_nobody(in_root("/control.sock.lock"));
    put("/log/segment-00000001.fgl", "");
    expect_as_nobody(FG_DOCTOR_WRONG, "segment-00000001.fgl");
    give_to_nobody(in_root("/log/segment-00000001.fgl"));
    put("/closed/password", "secret");
    assert_int_equal(chmod(in_root("/closed/password"), 0600), 0);
    config.redis_password_file = in_root("/closed/password");
    expect_as_nobody(FG_DOCTOR_WRONG, "redis.password_file: user nobody may not read");
    config.redis_sentinel_password_file = config.redis_password_file;
    config.redis_password_file = NULL;
    expect_as_nobody(FG_DOCTOR_WRONG, "redis.sentinel_password_file: user nobody may not read");
    config.redis_sentinel_password_file = NULL;
    char device[256], listen[256];
    snprintf(device, sizeof(device), "net_vhost0,iface=%s/closed/v.sock,queues=1", root);
    snprintf(listen, sizeof(listen), "unix:%s/closed/m.sock", root);
    config.ports[0].device = device;
    expect_as_nobody(FG_DOCTOR_WRONG, "ports.device: user nobody may not write");
    config.ports[0].device = "0000:3b:00.0";
    config.metrics_listen = listen;
    expect_as_nobody(FG_DOCTOR_WRONG, "metrics.listen: user nobody may not write");
    config.metrics_listen = NULL;
    /* EAL's own, which a start as root leaves closed: telemetry's socket is in it. */
    put("/dpdk/flashgate/config", "");
    config.file_prefix = "flashgate";
    expect_as_nobody(FG_DOCTOR_WRONG, "dpdk: Permission denied");
    give_to_nobody(in_root("/dpdk"));
    expect_as_nobody(FG_DOCTOR_WRONG, "dpdk/flashgate: Permission denied");
    give_to_nobody(in_root("/dpdk/flashgate"));
    expect_as_nobody(FG_DOCTOR_OK, "nobody may use the log");
    put("/dev/hugepages/rtemap_0", "");
    expect_of_nobody("hugepages", FG_DOCTOR_WRONG, "/dev/hugepages is closed", FG_EXIT_NETWORK);
    give_to_nobody(in_root("/dev/hugepages"));
    expect_of_nobody("hugepages", FG_DOCTOR_OK, "", FG_EXIT_OK);
    config.user = daemon_user;
    expect_as_nobody(FG_DOCTOR_WARNING, "this process is of user nobody");
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

static void command(redisContext *redis, const char *text)
{
    redisReply *reply = redisCommand(redis, text);
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    freeReplyObject(reply);
}

static void test_redis(void **state)
{
    (void)state;
    struct private_redis redis;
    config.redis_socket = "/tmp/no/such/socket";
    expect("redis", FG_DOCTOR_WRONG, "/tmp/no/such/socket");
    assert_int_equal(private_redis_start(&redis), 0);
    config.redis_socket = redis.socket;
    expect("redis", FG_DOCTOR_WARNING, "no maxmemory");
    command(redis.admin, "CONFIG SET maxmemory 100mb");
    expect("redis", FG_DOCTOR_OK, "noeviction, 100 MiB");
    command(redis.admin, "CONFIG SET maxmemory-policy allkeys-lru");
    expect("redis", FG_DOCTOR_WRONG, "allkeys-lru");
    private_redis_stop(&redis);
}

/* A server that answers ROLE and INFO on one connection, as an older Redis does. */
static void *old_redis(void *arg)
{
    static const char info[] = "# Server\r\nredis_version:6.2.14\r\nmaxmemory:104857600\r\n"
                               "maxmemory_policy:noeviction\r\n";
    char call[512], answer[512];
    int fd = accept(*(int *)arg, NULL, NULL);
    for (ssize_t got; fd >= 0 && (got = read(fd, call, sizeof(call) - 1)) > 0;) {
        call[got] = '\0';
        if (strstr(call, "ROLE"))
            snprintf(answer, sizeof(answer), "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n");
        else
            snprintf(answer, sizeof(answer), "$%zu\r\n%s\r\n", strlen(info), info);
        if (write(fd, answer, strlen(answer)) < 0)
            break;
    }
    close(fd);
    return NULL;
}

static void test_old_redis(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    pthread_t thread;
    int listening = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/redis.sock", root);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(pthread_create(&thread, NULL, old_redis, &listening), 0);
    config.redis_socket = address.sun_path;
    expect("redis", FG_DOCTOR_WRONG, "version 6.2.14");
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(listening);
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
        CASE(test_redis),    CASE(test_start),         CASE(test_user),     CASE(test_old_redis),
        CASE(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
