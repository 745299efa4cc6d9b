/* SPDX-License-Identifier: BSD-3-Clause */
/* The preflight on what the engine's user may do, and on Redis. */
#include "tests/unit/doctor_fixture.h"

#include <pthread.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "private_redis.h"

#define NOBODY 65534

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

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_redis),
        CASE(test_user),
        CASE(test_old_redis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
