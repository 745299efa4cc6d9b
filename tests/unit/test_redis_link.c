/* SPDX-License-Identifier: BSD-3-Clause */
/* The Redis link against a real Redis, and against a scripted one for answers that are hard to get.
 */
#include "dataplane/orders/redis_link.h"

#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "private_redis.h"

#define EPOCH    7
#define INSTANCE 42
#define STREAM   "flashgate:{spring}:orders"
#define FENCE    "flashgate:{spring}:fence"

static struct private_redis redis;
static struct fg_redis_link *link_;

static struct fg_redis_config plain_config(void)
{
    return (struct fg_redis_config){
        .socket = redis.socket, .timeout_ms = 2000, .epoch = EPOCH, .instance = INSTANCE};
}

/* Asks Redis directly; the caller frees. An error reply fails the test. */
__attribute__((format(printf, 1, 2))) static redisReply *admin(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(redis.admin, format, arguments);
    va_end(arguments);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", format, reply->str);
    return reply;
}

#define ADMIN(...) freeReplyObject(admin(__VA_ARGS__))

static long long stream_length(void)
{
    redisReply *reply = admin("XLEN " STREAM);
    long long length = reply->integer;
    freeReplyObject(reply);
    return length;
}

static void assert_fence(const char *wanted)
{
    redisReply *reply = admin("GET " FENCE);
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    assert_string_equal(reply->str, wanted);
    freeReplyObject(reply);
}

static struct fg_redis_link *open_link(struct fg_redis_config config)
{
    struct fg_redis_link *link = fg_redis_link_create(&config);
    assert_non_null(link);
    return link;
}

static enum fg_redis_answer connect_as(struct fg_redis_config config)
{
    struct fg_redis_link *link = open_link(config);
    enum fg_redis_answer answer = link->connect(link->context);
    fg_redis_link_destroy(link);
    return answer;
}

/* Records of sale "spring" from `first` on, written under `epoch`. */
static void make_records(struct fg_record *records, struct fg_order_event *events, unsigned count,
                         uint32_t epoch, uint64_t first)
{
    for (unsigned i = 0; i < count; i++) {
        events[i] = (struct fg_order_event){.kind = FG_EVENT_ADMIT,
                                            .quantity = 1,
                                            .item = 5,
                                            .sale = 1,
                                            .sale_seq = first + i,
                                            .order = 1000 + first + i,
                                            .request = first + i};
        records[i] = (struct fg_record){.epoch = epoch, .order = &events[i]};
    }
}

static enum fg_redis_answer append_with(struct fg_redis_link *link, struct fg_stream_id expected,
                                        unsigned count, uint32_t epoch, struct fg_stream_id *last)
{
    struct fg_record records[FG_REDIS_APPEND_MAX];
    struct fg_order_event events[FG_REDIS_APPEND_MAX];
    make_records(records, events, count, epoch, expected.sale_seq + 1);
    struct fg_redis_append append = {
        .sale = "spring", .expected = expected, .count = count, .records = records};
    enum fg_redis_answer answer = link->append(link->context, &append);
    if (last)
        *last = append.last;
    return answer;
}

static enum fg_redis_answer append(uint64_t expected_epoch, uint64_t expected_seq, unsigned count)
{
    return append_with(link_, (struct fg_stream_id){expected_epoch, expected_seq}, count, EPOCH,
                       NULL);
}

static void assert_claim(uint64_t epoch, uint64_t sale_seq)
{
    struct fg_stream_id last;
    assert_int_equal(append_with(link_, (struct fg_stream_id){0}, 0, EPOCH, &last), FG_REDIS_OK);
    assert_int_equal(last.epoch, epoch);
    assert_int_equal(last.sale_seq, sale_seq);
}

static int start_server(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    return private_redis_start(&redis);
}

static int stop_server(void **state)
{
    (void)state;
    private_redis_stop(&redis);
    return 0;
}

static int connect_link(void **state)
{
    (void)state;
    ADMIN("FLUSHALL");
    link_ = open_link(plain_config());
    return link_->connect(link_->context) == FG_REDIS_OK ? 0 : -1;
}

static int close_link(void **state)
{
    (void)state;
    fg_redis_link_destroy(link_);
    return 0;
}

/* --- what a stream gets ------------------------------------------------------------------- */

static void test_entries_exact(void **state)
{
    (void)state;
    struct fg_order_event events[2] = {
        {.kind = FG_EVENT_ADMIT,
         .quantity = 65535,
         .item = UINT32_MAX,
         .sale = 1,
         .hold_ms = 604800000,
         .sale_seq = 1,
         .order = UINT64_MAX,
         .buyer = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff, 0x10, 0xa5, 0, 0, 0, 0, 0, 0, 0, 0x0f},
         .request = UINT64_MAX - 1,
         .at_ns = 1753100000123456789},
        {.kind = FG_EVENT_REFUSE_LATE, .sale = 1, .sale_seq = 2},
    };
    struct fg_record records[2] = {{.epoch = 3, .order = &events[0]},
                                   {.epoch = EPOCH, .order = &events[1]}};
    struct fg_redis_append call = {.sale = "spring", .count = 2, .records = records};
    assert_int_equal(link_->append(link_->context, &call), FG_REDIS_OK);
    assert_int_equal(call.last.epoch, EPOCH);
    assert_int_equal(call.last.sale_seq, 2);

    static const char *const wanted[2][17] = {
        {"3-1", "event", "ADMIT", "order", "18446744073709551615", "buyer",
         "00017f80feff10a5000000000000000f", "request", "18446744073709551614", "item",
         "4294967295", "quantity", "65535", "at", "1753100000123456789", "hold_ms", "604800000"},
        {"7-2", "event", "REFUSE_LATE", "order", "0", "buyer", "00000000000000000000000000000000",
         "request", "0", "item", "0", "quantity", "0", "at", "0", "hold_ms", "0"},
    };
    redisReply *reply = admin("XRANGE " STREAM " - +");
    assert_int_equal(reply->elements, 2);
    for (unsigned i = 0; i < 2; i++) {
        redisReply *entry = reply->element[i];
        assert_string_equal(entry->element[0]->str, wanted[i][0]);
        assert_int_equal(entry->element[1]->elements, 16);
        for (unsigned field = 0; field < 16; field++)
            assert_string_equal(entry->element[1]->element[field]->str, wanted[i][field + 1]);
    }
    freeReplyObject(reply);
}

static void test_greatest_append(void **state)
{
    (void)state;
    struct fg_record records[FG_REDIS_APPEND_MAX];
    struct fg_order_event events[FG_REDIS_APPEND_MAX];
    char sale[FG_SALE_NAME_MAX + 1] = {0};
    memset(sale, 's', FG_SALE_NAME_MAX);
    const uint64_t before = (UINT64_C(1) << 53) - FG_REDIS_APPEND_MAX - 2;
    for (unsigned i = 0; i < FG_REDIS_APPEND_MAX; i++) {
        memset(&events[i], 0xff, sizeof(events[i]));
        events[i].kind = FG_EVENT_REFUSE_LATE;
        events[i].sale_seq = before + 1 + i;
        records[i] = (struct fg_record){.epoch = FG_EPOCH_MAX, .order = &events[i]};
    }
    struct fg_redis_config config = plain_config();
    config.epoch = FG_EPOCH_MAX;
    config.instance = UINT64_MAX;
    struct fg_redis_link *link = open_link(config);
    assert_int_equal(link->connect(link->context), FG_REDIS_OK);
    ADMIN("XADD flashgate:{%s}:orders %d-%" PRIu64 " a b", sale, FG_EPOCH_MAX, before);
    struct fg_redis_append call = {.sale = sale,
                                   .expected = {FG_EPOCH_MAX, before},
                                   .count = FG_REDIS_APPEND_MAX,
                                   .records = records};
    assert_int_equal(link->append(link->context, &call), FG_REDIS_OK);
    assert_int_equal(call.last.sale_seq, before + FG_REDIS_APPEND_MAX);
    fg_redis_link_destroy(link);
}

static void test_claim_of_missing_stream(void **state)
{
    (void)state;
    assert_claim(0, 0);
    assert_fence("7:42");
    assert_int_equal(stream_length(), 0);
}

static void test_gap_appends_nothing(void **state)
{
    (void)state;
    struct fg_stream_id last = {0};
    assert_int_equal(append(0, 0, 3), FG_REDIS_OK);
    assert_int_equal(append_with(link_, (struct fg_stream_id){EPOCH, 2}, 2, EPOCH, &last),
                     FG_REDIS_GAP);
    assert_int_equal(last.epoch, EPOCH);
    assert_int_equal(last.sale_seq, 3);
    assert_int_equal(append(EPOCH, 4, 1), FG_REDIS_GAP);
    /* The right number under another epoch is another entry. */
    assert_int_equal(append(EPOCH - 1, 3, 1), FG_REDIS_GAP);
    assert_int_equal(stream_length(), 3);
    assert_int_equal(append(EPOCH, 3, 1), FG_REDIS_OK);
    assert_int_equal(stream_length(), 4);
}

static void test_last_id_survives_trim_but_not_del(void **state)
{
    (void)state;
    assert_int_equal(append(0, 0, 3), FG_REDIS_OK);
    ADMIN("XTRIM " STREAM " MAXLEN 0");
    assert_claim(EPOCH, 3);
    assert_int_equal(append(EPOCH, 3, 1), FG_REDIS_OK);
    ADMIN("DEL " STREAM);
    assert_claim(0, 0);
    assert_int_equal(append(EPOCH, 4, 1), FG_REDIS_GAP);
    assert_int_equal(append(0, 0, 4), FG_REDIS_OK);
}

/* Everything is checked before the first entry is added. */
static void test_all_or_nothing(void **state)
{
    (void)state;
    struct fg_record records[3];
    struct fg_order_event events[3];
    struct fg_redis_append call = {.sale = "spring", .count = 3, .records = records};

    make_records(records, events, 3, EPOCH, 1);
    events[2].sale_seq = 4;
    assert_int_equal(link_->append(link_->context, &call), FG_REDIS_REFUSED);
    assert_non_null(strstr(link_->error(link_->context), "7-4 does not follow 7-2"));

    make_records(records, events, 3, EPOCH, 1);
    records[2].epoch = EPOCH - 1;
    assert_int_equal(link_->append(link_->context, &call), FG_REDIS_REFUSED);

    make_records(records, events, 3, EPOCH, 1);
    records[2].epoch = EPOCH + 1; /* later than the engine that sends it */
    assert_int_equal(link_->append(link_->context, &call), FG_REDIS_REFUSED);

    assert_int_equal(stream_length(), 0);
}

static void test_function_refuses_malformed_calls(void **state)
{
    (void)state;
    static const char *const calls[] = {
        "",
        "7:42",
        "42 0-0",
        "7:42 0",
        "7:42 0-0 1",
        "7:42 0-0 1 a",
        "7:42 0-0 1 a 7-1",
        "7:42 0-0 1 a 7-1 v 7-2",
        "7:42 0-0 0 7-1",
        "7:42 0-0 x a 7-1 v",
        "7:42 0-0 1 a 7.1 v",
    };
    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        char command[128];
        snprintf(command, sizeof(command), "FCALL append 2 " STREAM " " FENCE " %s", calls[i]);
        redisReply *reply = redisCommand(redis.admin, command);
        assert_int_equal(reply->type, REDIS_REPLY_ERROR);
        if (strncmp(reply->str, "BADCALL ", 8) != 0)
            fail_msg("'%s' was answered: %s", calls[i], reply->str);
        freeReplyObject(reply);
    }
    assert_int_equal(stream_length(), 0);
}

/* --- fences and foreign keys -------------------------------------------------------------- */

static void test_fence(void **state)
{
    (void)state;
    ADMIN("SET " FENCE " 6:999999");
    assert_int_equal(append(0, 0, 1), FG_REDIS_OK); /* an older engine's fence is raised */
    assert_fence("7:42");

    static const char *const newer[] = {"8:42", "7:43", "10:1"};
    for (unsigned i = 0; i < 3; i++) {
        ADMIN("SET " FENCE " %s", newer[i]);
        assert_int_equal(append(EPOCH, 1, 1), FG_REDIS_FENCED);
        assert_int_equal(append(EPOCH, 1, 0), FG_REDIS_FENCED);
        assert_non_null(strstr(link_->error(link_->context), newer[i]));
        assert_fence(newer[i]);
    }
    assert_int_equal(stream_length(), 1);
}

static void test_fence_is_raised_even_at_a_gap(void **state)
{
    (void)state;
    assert_int_equal(append(EPOCH, 9, 1), FG_REDIS_GAP);
    assert_fence("7:42");
}

static void test_stream_of_later_epoch_fences(void **state)
{
    (void)state;
    ADMIN("XADD " STREAM " 8-1 a b");
    assert_int_equal(append(0, 0, 0), FG_REDIS_FENCED);
    redisReply *reply = admin("EXISTS " FENCE);
    assert_int_equal(reply->integer, 0);
    freeReplyObject(reply);
}

/* No engine has such an epoch: it is a stray writer's entry and not a takeover. */
static void test_stray_clock_id_is_no_takeover(void **state)
{
    (void)state;
    struct fg_stream_id last = {0};
    ADMIN("XADD " STREAM " 1753100000000-0 a b");
    assert_int_equal(append_with(link_, (struct fg_stream_id){0}, 1, EPOCH, &last), FG_REDIS_GAP);
    assert_int_equal(last.epoch, 1753100000000);
    assert_int_equal(last.sale_seq, 0);
    ADMIN("XADD " STREAM " 18446744073709551615-18446744073709551615 a b");
    assert_claim(UINT64_MAX, UINT64_MAX);
}

static void test_wrong_key_types(void **state)
{
    (void)state;
    ADMIN("SET " STREAM " text");
    assert_int_equal(append(0, 0, 0), FG_REDIS_BAD_KEY);
    assert_int_equal(append(0, 0, 1), FG_REDIS_BAD_KEY);
    assert_non_null(strstr(link_->error(link_->context), STREAM " is a string"));
    assert_fence("7:42"); /* it was claimed all the same, and a newer one is seen */
    ADMIN("SET " FENCE " 8:1");
    assert_int_equal(append(0, 0, 0), FG_REDIS_FENCED);
    ADMIN("DEL " STREAM " " FENCE);
    ADMIN("LPUSH " FENCE " 1");
    assert_int_equal(append(0, 0, 1), FG_REDIS_BAD_KEY);
    assert_non_null(strstr(link_->error(link_->context), FENCE " is a list"));
    ADMIN("SET " FENCE " hello");
    assert_int_equal(append(0, 0, 1), FG_REDIS_BAD_KEY);
    ADMIN("DEL " FENCE);
    assert_int_equal(append(0, 0, 1), FG_REDIS_OK);
}

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

static void test_database(void **state)
{
    (void)state;
    struct fg_redis_config config = plain_config();
    config.database = 3;
    struct fg_redis_link *link = open_link(config);
    assert_int_equal(link->connect(link->context), FG_REDIS_OK);
    assert_int_equal(append_with(link, (struct fg_stream_id){0}, 1, EPOCH, NULL), FG_REDIS_OK);
    assert_int_equal(stream_length(), 0);
    ADMIN("SELECT 3");
    assert_int_equal(stream_length(), 1);
    ADMIN("SELECT 0");
    fg_redis_link_destroy(link);
    config.database = 99;
    assert_int_equal(connect_as(config), FG_REDIS_REFUSED);
}

static void test_nobody_there(void **state)
{
    (void)state;
    struct fg_redis_config config = plain_config();
    config.socket = "/nonexistent/redis.sock";
    struct fg_redis_link *link = open_link(config);
    assert_string_equal(link->error(link->context), "");
    assert_int_equal(link->connect(link->context), FG_REDIS_LOST);
    assert_non_null(strstr(link->error(link->context), "Redis at /nonexistent/redis.sock: "));
    fg_redis_link_destroy(link);
    config.socket = NULL;
    config.host = "127.0.0.1";
    config.port = 1;
    assert_int_equal(connect_as(config), FG_REDIS_LOST);
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

#define LINKED(test) cmocka_unit_test_setup_teardown(test, connect_link, close_link)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINKED(test_entries_exact),
        LINKED(test_greatest_append),
        LINKED(test_claim_of_missing_stream),
        LINKED(test_gap_appends_nothing),
        LINKED(test_last_id_survives_trim_but_not_del),
        LINKED(test_all_or_nothing),
        LINKED(test_function_refuses_malformed_calls),
        LINKED(test_fence),
        LINKED(test_fence_is_raised_even_at_a_gap),
        LINKED(test_stream_of_later_epoch_fences),
        LINKED(test_stray_clock_id_is_no_takeover),
        LINKED(test_wrong_key_types),
        LINKED(test_out_of_memory),
        LINKED(test_function_flushed),
        LINKED(test_link_broken),
        LINKED(test_time_limit),
        LINKED(test_replica_is_not_written_to),
        LINKED(test_passwords_and_rights),
        LINKED(test_database),
        LINKED(test_nobody_there),
        LINKED(test_every_answer),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
