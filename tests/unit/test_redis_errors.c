/* SPDX-License-Identifier: BSD-3-Clause */
/* Each kind of error that Redis has: from a real one where it can be brought to it, and from a
 * scripted one. */
#include <inttypes.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "redis_link_fixture.h"

/* --- faults ------------------------------------------------------------------------------- */

static void test_out_of_memory(void **state)
{
    (void)state;
    assert_int_equal(append(0, 0, 2), FG_REDIS_OK);
    ADMIN("CONFIG SET maxmemory 1");
    assert_int_equal(append(EPOCH, 2, 2), FG_REDIS_RETRY);
    ADMIN("CONFIG SET maxmemory 0");
    assert_int_equal(stream_length(), 2);
    assert_int_equal(append(EPOCH, 2, 2), FG_REDIS_OK);
}

static void test_function_flushed(void **state)
{
    (void)state;
    ADMIN("FUNCTION FLUSH");
    assert_int_equal(append(0, 0, 1), FG_REDIS_RELOAD);
    assert_int_equal(link_->connect(link_->context), FG_REDIS_OK);
    assert_int_equal(append(0, 0, 1), FG_REDIS_OK);
}

static void test_link_broken(void **state)
{
    (void)state;
    ADMIN("CLIENT KILL TYPE normal SKIPME yes");
    assert_int_equal(append(0, 0, 1), FG_REDIS_LOST);
    assert_int_equal(append(0, 0, 1), FG_REDIS_LOST); /* it stays so until connect */
    assert_int_equal(link_->connect(link_->context), FG_REDIS_OK);
    assert_int_equal(append(0, 0, 1), FG_REDIS_OK);
    link_->close(link_->context);
    assert_int_equal(append(EPOCH, 1, 1), FG_REDIS_LOST);
}

/* The call may have been done: sent again after a new connect, it is a GAP and never a double. */
static void test_time_limit(void **state)
{
    (void)state;
    struct fg_redis_config config = plain_config();
    config.timeout_ms = 50;
    struct fg_redis_link *hasty = open_link(config);
    assert_int_equal(hasty->connect(hasty->context), FG_REDIS_OK);
    ADMIN("CLIENT PAUSE 300 WRITE");
    assert_int_equal(append_with(hasty, (struct fg_stream_id){0}, 2, EPOCH, NULL), FG_REDIS_LOST);
    ADMIN("CLIENT UNPAUSE");
    assert_int_equal(hasty->connect(hasty->context), FG_REDIS_OK);
    struct fg_stream_id last;
    enum fg_redis_answer answer = append_with(hasty, (struct fg_stream_id){0}, 2, EPOCH, &last);
    assert_true(answer == FG_REDIS_OK || answer == FG_REDIS_GAP);
    assert_int_equal(last.sale_seq, 2);
    assert_int_equal(stream_length(), 2);
    fg_redis_link_destroy(hasty);
}

static void test_replica_is_not_written_to(void **state)
{
    (void)state;
    ADMIN("REPLICAOF 127.0.0.1 1");
    assert_int_equal(append(0, 0, 1), FG_REDIS_LOST); /* READONLY on the old connection */
    assert_int_equal(link_->connect(link_->context), FG_REDIS_LOST);
    assert_non_null(strstr(link_->error(link_->context), "replica"));
    ADMIN("REPLICAOF NO ONE");
    assert_int_equal(link_->connect(link_->context), FG_REDIS_OK);
}

static void test_passwords_and_rights(void **state)
{
    (void)state;
    struct fg_redis_config config = plain_config();
    ADMIN("ACL SETUSER engine on >secret ~flashgate:* +@all");
    ADMIN("ACL SETUSER reader on >secret ~* +@read +@connection");
    config.user = "engine";
    config.password = "secret";
    assert_int_equal(connect_as(config), FG_REDIS_OK);
    config.password = "wrong";
    assert_int_equal(connect_as(config), FG_REDIS_REFUSED);
    config.user = "reader";
    config.password = "secret";
    assert_int_equal(connect_as(config), FG_REDIS_REFUSED);

    ADMIN("CONFIG SET requirepass word");
    assert_int_equal(connect_as(plain_config()), FG_REDIS_REFUSED);
    config.user = NULL;
    config.password = "word";
    assert_int_equal(connect_as(config), FG_REDIS_OK);
    ADMIN("CONFIG SET requirepass %s", "");
}

static void test_too_few_replicas(void **state)
{
    (void)state;
    assert_int_equal(append(0, 0, 2), FG_REDIS_OK);
    ADMIN("CONFIG SET min-replicas-to-write 1");
    assert_int_equal(append(EPOCH, 2, 2), FG_REDIS_RETRY);
    assert_non_null(strstr(link_->error(link_->context), "NOREPLICAS"));
    assert_int_equal(stream_length(), 2);
    ADMIN("CONFIG SET min-replicas-to-write 0");
    assert_int_equal(append(EPOCH, 2, 2), FG_REDIS_OK);
}

/* A folder stands where Redis wants to write its dump. */
static void test_cannot_save(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof(path), "%s/dump.rdb", redis.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    ADMIN("CONFIG SET save 3600%s", " 1");
    ADMIN("BGSAVE");
    enum fg_redis_answer answer = FG_REDIS_OK;
    for (uint64_t seq = 0; seq < 1000 && answer == FG_REDIS_OK; seq++) {
        answer = append(seq ? EPOCH : 0, seq, 1);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(answer, FG_REDIS_RETRY);
    assert_non_null(strstr(link_->error(link_->context), "MISCONF"));
    ADMIN("CONFIG SET save %s", "");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(append(EPOCH, (uint64_t)stream_length(), 1), FG_REDIS_OK);
}

static void test_somebodys_script(void **state)
{
    (void)state;
    redisContext *other = redisConnectUnix(redis.socket);
    int sent = 0;
    ADMIN("CONFIG SET busy-reply-threshold 1");
    assert_int_equal(redisAppendCommand(other, "EVAL %s 0", "while true do end"), REDIS_OK);
    while (!sent)
        assert_int_equal(redisBufferWrite(other, &sent), REDIS_OK);
    enum fg_redis_answer answer = FG_REDIS_OK;
    for (uint64_t seq = 0; seq < 1000 && answer == FG_REDIS_OK; seq++)
        answer = append(seq ? EPOCH : 0, seq, 1);
    assert_int_equal(answer, FG_REDIS_RETRY);
    assert_non_null(strstr(link_->error(link_->context), "BUSY"));
    ADMIN("SCRIPT KILL");
    void *killed = NULL;
    assert_int_equal(redisGetReply(other, &killed), REDIS_OK); /* the script has ended */
    freeReplyObject(killed);
    redisFree(other);
    assert_int_equal(append(stream_length() ? EPOCH : 0, (uint64_t)stream_length(), 1),
                     FG_REDIS_OK);
    ADMIN("CONFIG SET busy-reply-threshold 5000");
}

static void test_no_more_clients(void **state)
{
    (void)state;
    link_->close(link_->context);
    ADMIN("CONFIG SET maxclients 1"); /* that one is the test's own */
    enum fg_redis_answer answer = link_->connect(link_->context);
    assert_true(answer == FG_REDIS_RETRY || answer == FG_REDIS_LOST); /* it closes at once */
    ADMIN("CONFIG SET maxclients 100");
    assert_int_equal(link_->connect(link_->context), FG_REDIS_OK);
}

/* What docs/architecture.md says that the user needs is enough. */
static void test_least_rights(void **state)
{
    (void)state;
    char aside[256];
    struct fg_stream_id last;
    struct fg_redis_config config = plain_config();
    config.user = "engine";
    config.password = "secret";
    ADMIN("ACL SETUSER engine on >secret ~flashgate:* -@all +fcall +function|load +role +type "
          "+exists +get +set +getrange +rename +xinfo +xadd +xtrim");
    struct fg_redis_link *link = open_link(config);
    ADMIN("SET flashgate:{spring}:consumed 1");
    assert_int_equal(link->connect(link->context), FG_REDIS_OK);
    assert_int_equal(append_with(link, (struct fg_stream_id){0}, 0, EPOCH, NULL), FG_REDIS_OK);
    assert_int_equal(append_with(link, (struct fg_stream_id){0}, 2, EPOCH, NULL), FG_REDIS_OK);
    assert_int_equal(link->last(link->context, "spring", &last), FG_REDIS_OK);
    assert_int_equal(link->trim(link->context, "spring", last), FG_REDIS_OK);
    assert_int_equal(link->set_aside(link->context, "spring", aside, sizeof(aside)), FG_REDIS_OK);
    fg_redis_link_destroy(link);
    ADMIN("ACL DELUSER engine");
}

/* The rights are taken away while the connection stands. */
static void test_rights_taken_away(void **state)
{
    (void)state;
    struct fg_redis_config config = plain_config();
    config.user = "engine";
    config.password = "secret";
    ADMIN("ACL SETUSER engine on >secret ~flashgate:* +@all");
    struct fg_redis_link *link = open_link(config);
    assert_int_equal(link->connect(link->context), FG_REDIS_OK);
    assert_int_equal(append_with(link, (struct fg_stream_id){0}, 2, EPOCH, NULL), FG_REDIS_OK);
    static const struct {
        const char *taken, *given;
    } rights[] = {{"-fcall", "+fcall"}, {"-xadd", "+xadd"}, {"resetkeys", "~flashgate:*"}};
    for (unsigned i = 0; i < 3; i++) {
        ADMIN("ACL SETUSER engine %s", rights[i].taken);
        enum fg_redis_answer answer =
            append_with(link, (struct fg_stream_id){EPOCH, 2 + i}, 1, EPOCH, NULL);
        if (answer != FG_REDIS_REFUSED)
            fail_msg("%s: %d, %s", rights[i].taken, answer, link->error(link->context));
        assert_int_equal(stream_length(), 2 + i);
        ADMIN("ACL SETUSER engine %s", rights[i].given);
        assert_int_equal(append_with(link, (struct fg_stream_id){EPOCH, 2 + i}, 1, EPOCH, NULL),
                         FG_REDIS_OK);
    }
    ADMIN("ACL DELUSER engine"); /* Redis closes its connections */
    assert_int_equal(append_with(link, (struct fg_stream_id){EPOCH, 5}, 1, EPOCH, NULL),
                     FG_REDIS_LOST);
    assert_int_equal(link->connect(link->context), FG_REDIS_REFUSED);
    fg_redis_link_destroy(link);
}

static void test_function_deleted(void **state)
{
    (void)state;
    ADMIN("FUNCTION DELETE flashgate");
    assert_int_equal(append(0, 0, 0), FG_REDIS_RELOAD);
    char aside[256];
    assert_int_equal(link_->set_aside(link_->context, "spring", aside, sizeof(aside)),
                     FG_REDIS_RELOAD);
}

/* It stands still, then it is gone, then it is back and knows nothing. */
static void test_stopped_and_killed(void **state)
{
    (void)state;
    struct fg_redis_config config = plain_config();
    config.timeout_ms = 50;
    struct fg_redis_link *hasty = open_link(config);
    assert_int_equal(hasty->connect(hasty->context), FG_REDIS_OK);
    assert_int_equal(append_with(hasty, (struct fg_stream_id){0}, 2, EPOCH, NULL), FG_REDIS_OK);
    assert_int_equal(kill(redis.pid, SIGSTOP), 0);
    assert_int_equal(append_with(hasty, (struct fg_stream_id){EPOCH, 2}, 2, EPOCH, NULL),
                     FG_REDIS_LOST);
    assert_int_equal(hasty->connect(hasty->context), FG_REDIS_LOST);
    private_redis_kill(&redis);
    assert_int_equal(append(EPOCH, 2, 2), FG_REDIS_LOST);
    assert_int_equal(link_->connect(link_->context), FG_REDIS_LOST);
    assert_int_equal(private_redis_run(&redis), 0);
    assert_int_equal(link_->connect(link_->context), FG_REDIS_OK);
    assert_int_equal(append(EPOCH, 2, 2), FG_REDIS_GAP);
    assert_claim(0, 0);
    fg_redis_link_destroy(hasty);
}

/* --- a scripted server: answers the connect, then every call with one text ---------------- */

struct script {
    int listener;
    const char *answer; /* empty: closes */
};

static void answer_one(int client, const char *text)
{
    char command[16384];
    ssize_t got = read(client, command, sizeof(command));
    if (got > 0 && write(client, text, strlen(text)) < 0)
        perror("scripted answer"); /* the link then says LOST */
}

static void *play(void *arg)
{
    struct script *script = arg;
    int client = accept(script->listener, NULL, NULL);
    answer_one(client, "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"); /* ROLE */
    answer_one(client, "$9\r\nflashgate\r\n");                /* FUNCTION LOAD */
    answer_one(client, script->answer);
    close(client);
    return NULL;
}

static enum fg_redis_answer scripted(const char *answer)
{
    char dir[] = "/tmp/flashgate-script-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", dir);
    struct script script = {.listener = socket(AF_UNIX, SOCK_STREAM, 0), .answer = answer};
    assert_int_equal(bind(script.listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(script.listener, 1), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, play, &script), 0);

    struct fg_redis_config config = plain_config();
    config.socket = address.sun_path;
    struct fg_redis_link *link = open_link(config);
    assert_int_equal(link->connect(link->context), FG_REDIS_OK);
    enum fg_redis_answer got = append_with(link, (struct fg_stream_id){0}, 1, EPOCH, NULL);
    fg_redis_link_destroy(link);
    pthread_join(thread, NULL);
    close(script.listener);
    unlink(address.sun_path);
    rmdir(dir);
    return got;
}

static void test_every_answer(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum fg_redis_answer wanted;
    } cases[] = {
        {"-OOM command not allowed when used memory > 'maxmemory'.\r\n", FG_REDIS_RETRY},
        {"-LOADING Redis is loading the dataset in memory\r\n", FG_REDIS_RETRY},
        {"-BUSY Redis is busy running a script.\r\n", FG_REDIS_RETRY},
        {"-MISCONF Redis is configured to save RDB snapshots\r\n", FG_REDIS_RETRY},
        {"-NOREPLICAS Not enough good replicas to write.\r\n", FG_REDIS_RETRY},
        {"-ERR Script killed by user with SCRIPT KILL.\r\n", FG_REDIS_RETRY},
        {"-ASK 3999 127.0.0.1:6381\r\n", FG_REDIS_REFUSED},
        {"-CROSSSLOT Keys in request don't hash to the same slot\r\n", FG_REDIS_REFUSED},
        {"-WRONGPASS invalid username-password pair\r\n", FG_REDIS_REFUSED},
        {"-UNBLOCKED force unblock from blocking operation\r\n", FG_REDIS_LOST},
        {"-EXECABORT Transaction discarded\r\n", FG_REDIS_REFUSED},
        {"-CLUSTERDOWN The cluster is down\r\n", FG_REDIS_RETRY},
        {"-TRYAGAIN Multiple keys request during rehashing of slot\r\n", FG_REDIS_RETRY},
        {"-ERR max number of clients reached\r\n", FG_REDIS_RETRY},
        {"-READONLY You can't write against a read only replica.\r\n", FG_REDIS_LOST},
        {"-MASTERDOWN Link with MASTER is down\r\n", FG_REDIS_LOST},
        {"-ERR Function not found\r\n", FG_REDIS_RELOAD},
        {"-WRONGTYPE Operation against a key\r\n", FG_REDIS_BAD_KEY},
        {"-NOPERM this user has no permissions\r\n", FG_REDIS_REFUSED},
        {"-NOAUTH Authentication required.\r\n", FG_REDIS_REFUSED},
        {"-MOVED 3999 127.0.0.1:6381\r\n", FG_REDIS_REFUSED},
        {"-ERR unknown command 'FCALL'\r\n", FG_REDIS_REFUSED},
        {"-\r\n", FG_REDIS_REFUSED},
        {"*2\r\n$2\r\nOK\r\n$3\r\n7-1\r\n", FG_REDIS_OK},
        {"*2\r\n$3\r\nGAP\r\n$3\r\n7-9\r\n", FG_REDIS_GAP},
        {"*2\r\n$6\r\nFENCED\r\n$3\r\n8:1\r\n", FG_REDIS_FENCED},
        /* Answers that the function never gives are not taken for delivered. */
        {"+OK\r\n", FG_REDIS_REFUSED},
        {":1\r\n", FG_REDIS_REFUSED},
        {"$-1\r\n", FG_REDIS_REFUSED},
        {"*0\r\n", FG_REDIS_REFUSED},
        {"*2\r\n:1\r\n:2\r\n", FG_REDIS_REFUSED},
        {"*2\r\n$2\r\nOK\r\n$1\r\n7\r\n", FG_REDIS_REFUSED},
        {"*2\r\n$2\r\nOK\r\n$4\r\n7-1x\r\n", FG_REDIS_REFUSED},
        {"*2\r\n$2\r\nOK\r\n$3\r\n7-2\r\n", FG_REDIS_REFUSED}, /* not what was sent last */
        {"*2\r\n$2\r\nOK\r\n$3\r\n8-1\r\n", FG_REDIS_REFUSED},
        {"*2\r\n$2\r\nOK\r\n$4\r\n 7-1\r\n", FG_REDIS_REFUSED},
        {"*2\r\n$2\r\nOK\r\n$4\r\n7-01\r\n", FG_REDIS_REFUSED},
        {"*2\r\n$3\r\nGAP\r\n$4\r\n7--9\r\n", FG_REDIS_REFUSED},
        {"*2\r\n$3\r\nOK \r\n$3\r\n7-1\r\n", FG_REDIS_REFUSED},
        {"*2\r\n$2\r\nNO\r\n$3\r\n7-1\r\n", FG_REDIS_REFUSED},
        {"*3\r\n$2\r\nOK\r\n$3\r\n7-1\r\n$0\r\n\r\n", FG_REDIS_REFUSED},
        {"*2\r\n$2\r\nOK\r\n", FG_REDIS_LOST}, /* cut off in the middle */
        {"?\r\n", FG_REDIS_LOST},
        {"", FG_REDIS_LOST},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum fg_redis_answer got = scripted(cases[i].answer);
        if (got != cases[i].wanted)
            fail_msg("%s: got %d, wanted %d", cases[i].answer, got, cases[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINKED(test_out_of_memory),
        LINKED(test_function_flushed),
        LINKED(test_link_broken),
        LINKED(test_time_limit),
        LINKED(test_replica_is_not_written_to),
        LINKED(test_passwords_and_rights),
        LINKED(test_too_few_replicas),
        LINKED(test_cannot_save),
        LINKED(test_somebodys_script),
        LINKED(test_no_more_clients),
        LINKED(test_least_rights),
        LINKED(test_rights_taken_away),
        LINKED(test_function_deleted),
        LINKED(test_stopped_and_killed),
        LINKED(test_every_answer),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
