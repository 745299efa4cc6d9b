/* SPDX-License-Identifier: BSD-3-Clause */
/* The link behind sentinels: scripted ones on loopback that point to a real Redis. */
#include "dataplane/orders/redis_master.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "redis_link_fixture.h"

#define SENTINELS 3

/* Answers the commands of each connection with these texts, in turn. */
struct sentinel {
    int listener;
    uint16_t port;
    const char *answers[3]; /* up to NULL */
    _Atomic unsigned asked; /* connections */
    char heard[1024];       /* of the last one */
    pthread_t thread;
};

static int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return listener;
}

static void answer(struct sentinel *sentinel, int client)
{
    size_t used = 0;
    for (const char *const *text = sentinel->answers; *text; text++) {
        ssize_t got = read(client, sentinel->heard + used, sizeof(sentinel->heard) - 1 - used);
        if (got <= 0 || write(client, *text, strlen(*text)) < 0)
            return;
        used += (size_t)got;
        sentinel->heard[used] = '\0';
    }
}

static void *play(void *arg)
{
    struct sentinel *sentinel = arg;
    int client;
    while ((client = accept(sentinel->listener, NULL, NULL)) >= 0) {
        answer(sentinel, client);
        atomic_fetch_add(&sentinel->asked, 1);
        close(client);
    }
    return NULL;
}

static void start_sentinel(struct sentinel *sentinel, const char *first, const char *second)
{
    *sentinel = (struct sentinel){.answers = {first, second}};
    sentinel->listener = listen_somewhere(&sentinel->port);
    assert_int_equal(pthread_create(&sentinel->thread, NULL, play, sentinel), 0);
}

static void stop_sentinel(struct sentinel *sentinel)
{
    shutdown(sentinel->listener, SHUT_RDWR);
    pthread_join(sentinel->thread, NULL);
    close(sentinel->listener);
}

/* A port of loopback at which nobody listens. */
static uint16_t closed_port(void)
{
    uint16_t port;
    close(listen_somewhere(&port));
    return port;
}

/* Lets the private Redis listen on loopback, too. */
static uint16_t open_tcp(void)
{
    uint16_t port = closed_port();
    ADMIN("CONFIG SET port %d", port);
    return port;
}

static void put_address(char text[64], uint16_t port)
{
    char number[8];
    int digits = snprintf(number, sizeof(number), "%u", port);
    snprintf(text, 64, "*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%s\r\n", digits, number);
}

struct sentinels {
    struct sentinel each[SENTINELS];
    char texts[SENTINELS][32];
    const char *list[SENTINELS];
    struct fg_redis_config config;
};

/* A link's configuration with `count` sentinels that were started. */
static void configure(struct sentinels *all, unsigned count)
{
    all->config = plain_config();
    all->config.socket = NULL;
    for (unsigned i = 0; i < count; i++) {
        snprintf(all->texts[i], sizeof(all->texts[i]), "127.0.0.1:%u", all->each[i].port);
        all->list[i] = all->texts[i];
    }
    all->config.sentinels = all->list;
    all->config.sentinels_count = count;
    all->config.master = "orders";
}

static void test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int wanted;
        const char *host;
        unsigned port;
    } cases[] = {
        {"redis-1.example:26380", 0, "redis-1.example", 26380},
        {"10.0.0.1", 0, "10.0.0.1", 7},
        {"[::1]:1", 0, "::1", 1},
        {"[fe80::1]", 0, "fe80::1", 7},
        {"h:65535", 0, "h", 65535},
        {"", -EINVAL, NULL, 0},
        {":1", -EINVAL, NULL, 0},
        {"h:", -EINVAL, NULL, 0},
        {"h:0", -EINVAL, NULL, 0},
        {"h:65536", -EINVAL, NULL, 0},
        {"h:1x", -EINVAL, NULL, 0},
        {"h:-1", -EINVAL, NULL, 0},
        {"[::1", -EINVAL, NULL, 0},
        {"[::1]1", -EINVAL, NULL, 0},
        {"[]:1", -EINVAL, NULL, 0},
        {"::1", -EINVAL, NULL, 0},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fg_redis_address address;
        int rc = fg_redis_address_parse(cases[i].text, 7, &address);
        if (rc != cases[i].wanted)
            fail_msg("'%s': %d", cases[i].text, rc);
        if (rc != 0)
            continue;
        assert_string_equal(address.host, cases[i].host);
        assert_int_equal(address.port, cases[i].port);
    }
}

/* The first is not there, the second does not know, the third does; it is asked first from then
 * on. */
static void test_asks_in_turn(void **state)
{
    (void)state;
    static struct sentinels all;
    char address[64];
    put_address(address, open_tcp());
    start_sentinel(&all.each[0], "*-1\r\n", NULL);
    start_sentinel(&all.each[1], "*-1\r\n", NULL);
    start_sentinel(&all.each[2], address, NULL);
    configure(&all, 3);
    stop_sentinel(&all.each[0]);
    struct fg_redis_link *link = open_link(all.config);
    assert_int_equal(link->connect(link->context), FG_REDIS_OK);
    assert_int_equal(append_with(link, (struct fg_stream_id){0}, 2, EPOCH, NULL), FG_REDIS_OK);
    assert_non_null(strstr(all.each[2].heard, "GET-MASTER-ADDR-BY-NAME\r\n$6\r\norders\r\n"));
    assert_null(strstr(all.each[2].heard, "AUTH"));
    assert_int_equal(link->connect(link->context), FG_REDIS_OK);
    assert_int_equal(all.each[1].asked, 1);
    stop_sentinel(&all.each[2]);
    stop_sentinel(&all.each[1]);
    assert_int_equal(link->connect(link->context), FG_REDIS_LOST);
    assert_non_null(strstr(link->error(link->context), "no sentinel tells where the Redis master"));
    fg_redis_link_destroy(link);
}

/* One that is behind the times: its master is gone, or is a replica. The next one is asked first
 * after that. */
static void test_sentinel_behind_the_times(void **state)
{
    (void)state;
    static struct sentinels all;
    char gone[64], right[64];
    put_address(gone, closed_port());
    put_address(right, open_tcp());
    start_sentinel(&all.each[0], gone, NULL);
    start_sentinel(&all.each[1], right, NULL);
    configure(&all, 2);
    struct fg_redis_link *link = open_link(all.config);
    assert_int_equal(link->connect(link->context), FG_REDIS_LOST);
    assert_int_equal(link->connect(link->context), FG_REDIS_OK);
    ADMIN("REPLICAOF 127.0.0.1 1");
    assert_int_equal(append_with(link, (struct fg_stream_id){0}, 2, EPOCH, NULL), FG_REDIS_LOST);
    assert_int_equal(link->connect(link->context), FG_REDIS_LOST);
    assert_non_null(strstr(link->error(link->context), "it is a replica"));
    ADMIN("REPLICAOF NO ONE");
    assert_int_equal(link->connect(link->context), FG_REDIS_LOST); /* the first one's turn */
    assert_int_equal(link->connect(link->context), FG_REDIS_OK);
    fg_redis_link_destroy(link);
    for (unsigned i = 0; i < 2; i++)
        stop_sentinel(&all.each[i]);
}

static void test_sentinels_password(void **state)
{
    (void)state;
    static struct sentinels all;
    char address[64];
    put_address(address, open_tcp());
    start_sentinel(&all.each[0], "+OK\r\n", address);
    start_sentinel(&all.each[1], "-WRONGPASS invalid username-password pair\r\n", NULL);
    configure(&all, 1);
    all.config.sentinel_password = "sesame";
    assert_int_equal(connect_as(all.config), FG_REDIS_OK);
    assert_non_null(strstr(all.each[0].heard, "AUTH\r\n$6\r\nsesame\r\n"));
    all.config.sentinels++;
    all.list[1] = all.texts[1];
    snprintf(all.texts[1], sizeof(all.texts[1]), "127.0.0.1:%u", all.each[1].port);
    struct fg_redis_link *link = open_link(all.config);
    assert_int_equal(link->connect(link->context), FG_REDIS_REFUSED);
    assert_non_null(strstr(link->error(link->context), "WRONGPASS"));
    assert_null(strstr(link->error(link->context), "sesame"));
    fg_redis_link_destroy(link);
    for (unsigned i = 0; i < 2; i++)
        stop_sentinel(&all.each[i]);
}

static void test_strange_answers(void **state)
{
    (void)state;
    static const char *const strange[] = {
        "+OK\r\n",
        ":1\r\n",
        "*0\r\n",
        "*1\r\n$1\r\nh\r\n",
        "*2\r\n:1\r\n:2\r\n",
        "*2\r\n$1\r\nh\r\n$1\r\n0\r\n",
        "*2\r\n$1\r\nh\r\n$2\r\n1x\r\n",
        "-ERR unknown command\r\n",
        "-NOAUTH Authentication required.\r\n",
        "nonsense\r\n",
    };
    static struct sentinels all;
    for (unsigned i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
        start_sentinel(&all.each[0], strange[i], NULL);
        configure(&all, 1);
        enum fg_redis_answer got = connect_as(all.config);
        if (got != FG_REDIS_LOST && got != FG_REDIS_REFUSED)
            fail_msg("%s: got %d", strange[i], got);
        stop_sentinel(&all.each[0]);
    }
}

/* The list stays the caller's. */
static void test_a_list_of_none(void **state)
{
    (void)state;
    const char *const list[] = {"127.0.0.1:1"};
    struct fg_redis_config config = plain_config();
    config.sentinels = list;
    struct fg_redis_link *link = open_link(config);
    assert_int_equal(link->connect(link->context), FG_REDIS_OK);
    fg_redis_link_destroy(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        LINKED(test_asks_in_turn),
        LINKED(test_sentinel_behind_the_times),
        LINKED(test_sentinels_password),
        LINKED(test_a_list_of_none),
        LINKED(test_strange_answers),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
