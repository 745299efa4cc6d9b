/* SPDX-License-Identifier: BSD-3-Clause */
/* What a server of the control socket gives to each caller: places, ranks, memory, time. */
#include "tests/unit/server_fixture.h"

#include <sys/resource.h>

static void connections_are_bounded_and_places_come_back(void **state)
{
    struct fixture *f = *state;
    int fds[3], extra;
    for (int i = 0; i < 3; i++)
        fds[i] = join(f);
    extra = join(f);
    assert_string_equal(heard(extra), "too many\n");
    assert_null(heard(extra));
    close(extra);
    close(fds[1]);
    rounds(f, 1);
    fds[1] = join(f);
    say(fds[1], "in\n");
    rounds(f, 1);
    assert_string_equal(heard(fds[1]), "in\n");
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

/* Answered, or NULL when the server has closed. */
static const char *called(struct fixture *f, int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        return NULL;
    rounds(f, 2);
    return heard(fd);
}

static void a_newcomer_takes_the_place_of_the_longest_idle(void **state)
{
    struct fixture *f = *state;
    int fds[4];
    for (int i = 0; i < 3; i++) {
        fds[i] = join(f);
        f->now_ms += FRESH_MS;
    }
    assert_string_equal(called(f, fds[0], "in\n"), "in\n"); /* now the second is the oldest */
    f->now_ms += FRESH_MS;
    fds[3] = join(f);
    assert_string_equal(called(f, fds[3], "new\n"), "new\n");
    assert_string_equal(heard(fds[1]), "too many\n");
    assert_null(heard(fds[1]));
    assert_string_equal(called(f, fds[0], "in\n"), "in\n");
    assert_string_equal(called(f, fds[2], "in\n"), "in\n");
    assert_int_equal(fg_server_stats(f->server)->displaced, 1);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
}

static void nobody_displaces_a_greater_rank(void **state)
{
    struct fixture *f = *state;
    int fds[3], low, high;
    for (int i = 0; i < 3; i++) {
        f->rank = i == 1 ? 1 : 2;
        fds[i] = join(f);
        f->now_ms += FRESH_MS;
    }
    f->rank = 2;
    high = join(f);
    assert_string_equal(heard(fds[1]), "too many\n"); /* not the oldest, but the least */
    f->now_ms += FRESH_MS;
    f->rank = 1;
    low = join(f);
    assert_string_equal(heard(low), "too many\n");
    assert_null(heard(low));
    assert_string_equal(called(f, fds[0], "in\n"), "in\n");
    assert_int_equal(f->peer.rank, 2);
    assert_int_equal(fg_server_stats(f->server)->refused, 1);
    close(low);
    close(high);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

/* Sends all of a text, which the server takes meanwhile. */
static void say_long(struct fixture *f, int fd, const char *text, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t n = send(fd, text + sent, length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        assert_true(n > 0 || errno == EAGAIN);
        sent += n > 0 ? (size_t)n : 0;
        rounds(f, 1);
    }
    rounds(f, 10);
}

static void half_messages_share_a_bounded_memory(void **state)
{
    struct fixture *f = *state;
    static char text[100 << 10];
    int fds[3];
    f->config.line_max = sizeof(text) + 10;
    f->config.buffers_max = 300 << 10; /* of two such buffers, 128 KiB each */
    open_anew(f);
    memset(text, 'a', sizeof(text));
    for (int i = 0; i < 3; i++) {
        fds[i] = join(f);
        say_long(f, fds[i], text, sizeof(text));
        f->now_ms += FRESH_MS;
    }
    assert_string_equal(heard(fds[0]), "too many\n");
    assert_int_equal(fg_server_connections(f->server), 2);
    send(fds[2], "\n", 1, MSG_NOSIGNAL);
    rounds(f, 3);
    assert_int_equal(f->answered, 1);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

#define LONG_LINE (1 << 20)

/* Two areas, and a line that is longer than a buffer grows by itself. */
static char *open_with_two_areas(struct fixture *f)
{
    f->config.line_max = LONG_LINE;
    f->config.long_lines = 2;
    open_anew(f);
    char *text = malloc(LONG_LINE + 1);
    assert_non_null(text);
    memset(text, 'a', LONG_LINE);
    text[LONG_LINE] = '\n';
    return text;
}

static void long_lines_share_a_few_areas(void **state)
{
    struct fixture *f = *state;
    char *text = open_with_two_areas(f);
    int fds[3];
    for (int i = 0; i < 2; i++) {
        f->rank = i ? 2 : 1;
        fds[i] = join(f);
        say_long(f, fds[i], text, LONG_LINE);
    }
    /* Both are fresh: nobody need go. */
    f->rank = 2;
    fds[2] = join(f);
    say_long(f, fds[2], text, 200 << 10);
    assert_string_equal(heard(fds[2]), "too many\n");
    close(fds[2]);
    /* The lesser gives way, and only to its like or above. */
    f->now_ms += FRESH_MS;
    fds[2] = join(f);
    say_long(f, fds[2], text, LONG_LINE);
    assert_string_equal(heard(fds[0]), "too many\n");
    assert_null(heard(fds[0]));
    f->rank = 1;
    int low = join(f);
    f->now_ms += FRESH_MS;
    say_long(f, low, text, 200 << 10);
    assert_string_equal(heard(low), "too many\n");
    close(low);
    assert_int_equal(f->answered, 0);
    say(fds[1], "\n");
    rounds(f, 3);
    assert_int_equal(f->answered, 1); /* and its area is free again */
    f->rank = 2;
    low = join(f);
    say_long(f, low, text, LONG_LINE);
    assert_string_equal(heard(low), "");
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    close(low);
    free(text);
}

/* The whole of a long line is what was sent, and so is what follows it at once. */
static void what_follows_a_long_line_is_not_lost(void **state)
{
    struct fixture *f = *state;
    char *text = open_with_two_areas(f);
    int fd = join(f);
    static char reply[64 << 10];
    for (int turn = 0; turn < 6; turn++) { /* more often than there are areas */
        size_t came = 0;
        memcpy(text + LONG_LINE - 7, "\nnone\nb", 7); /* a short line, and the first of another */
        say_long(f, fd, text, LONG_LINE + 1);
        for (size_t wanted = LONG_LINE - 7 + 1 + 2; came < wanted;) {
            ssize_t n = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);
            for (ssize_t i = 0; i < n; i++)
                assert_int_equal(reply[i], came + (size_t)i == LONG_LINE - 7   ? '\n'
                                           : came + (size_t)i < LONG_LINE - 7  ? 'a'
                                           : came + (size_t)i == LONG_LINE - 6 ? 'b'
                                                                               : '\n');
            came += n > 0 ? (size_t)n : 0;
            rounds(f, 1);
        }
        assert_int_equal(came, LONG_LINE - 7 + 1 + 2);
    }
    assert_int_equal(f->answered, 18);
    close(fd);
    free(text);
}

static void many_deadlines_at_once_are_over_in_several_rounds(void **state)
{
    struct fixture *f = *state;
    int fds[3];
    for (int i = 0; i < 3; i++)
        fds[i] = join(f);
    f->config.round_us = 1;
    open_anew(f);
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
        fds[i] = join(f);
    }
    f->now_ms += IDLE_MS;
    f->tick_ns = 1000; /* each look at the clock takes as long as a round may */
    for (unsigned left = 3; left > 0; left--) {
        assert_int_equal(fg_server_connections(f->server), left);
        rounds(f, 1);
    }
    assert_int_equal(fg_server_connections(f->server), 0);
    assert_int_equal(fg_server_stats(f->server)->expired, 3);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static void a_flood_of_empty_lines_is_not_hoarded(void **state)
{
    struct fixture *f = *state;
    static char text[64 << 10];
    size_t taken = 0;
    memset(text, '\n', sizeof(text));
    int fd = join(f), other = join(f);
    for (int i = 0; i < 500; i++) {
        ssize_t n = send(fd, text, sizeof(text), MSG_NOSIGNAL | MSG_DONTWAIT);
        taken += n > 0 ? (size_t)n : 0;
        rounds(f, 1);
        heard(fd);
    }
    assert_true(taken < 1 << 20); /* the rest waits at the sender */
    assert_string_equal(called(f, other, "me\n"), "me\n");
    close(fd);
    close(other);
}

static void a_round_is_bounded_and_all_get_their_turn(void **state)
{
    struct fixture *f = *state;
    int fds[3], turns = 0;
    f->config.round_us = 2000;
    open_anew(f);
    for (int i = 0; i < 3; i++)
        fds[i] = join(f);
    for (int i = 0; i < 3; i++)
        say(fds[i], "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    f->answer_ms = 1;
    for (unsigned before = 0; f->answered < 27; before = f->answered, turns++) {
        rounds(f, 1);
        assert_in_range(f->answered - before, 1, 4);
        if (turns == 5)
            for (int i = 0; i < 3; i++)
                assert_string_not_equal(heard(fds[i]), "");
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static void low_ranks_send_short_lines(void **state)
{
    struct fixture *f = *state;
    f->config.line_max_low = 10;
    f->config.high_rank = 2;
    open_anew(f);
    f->rank = 1;
    int low = join(f);
    f->rank = 2;
    int high = join(f);
    assert_string_equal(called(f, low, "0123456789\n"), "0123456789\n");
    assert_string_equal(called(f, high, "0123456789a\n"), "0123456789a\n");
    assert_string_equal(called(f, low, "0123456789a"), "too long\n");
    close(low);
    close(high);
}

static void without_descriptors_it_neither_spins_nor_dies(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int first = join(f), second = fg_socket_connect(f->path), third = fg_socket_connect(f->path);
    none = before;
    none.rlim_cur = (rlim_t)third + 1; /* the next descriptor is one too many */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    rounds(f, 3);
    const struct fg_server_stats *stats = fg_server_stats(f->server);
    assert_int_equal(stats->paused, 1);
    assert_int_equal(stats->accepted, 1);
    assert_string_equal(called(f, first, "here\n"), "here\n");

    /* The pause ends; meanwhile the first has been idle for long enough to give way. */
    f->now_ms += 50;
    rounds(f, 3);
    assert_string_equal(heard(first), "too many\n");
    assert_string_equal(called(f, second, "me\n"), "me\n");
    assert_int_equal(stats->paused, 2);

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    f->now_ms += 50;
    rounds(f, 2);
    assert_string_equal(called(f, third, "me\n"), "me\n");
    assert_int_equal(fg_server_connections(f->server), 2);
    close(first);
    close(second);
    close(third);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(connections_are_bounded_and_places_come_back),
        TEST(a_newcomer_takes_the_place_of_the_longest_idle),
        TEST(nobody_displaces_a_greater_rank),
        TEST(half_messages_share_a_bounded_memory),
        TEST(long_lines_share_a_few_areas),
        TEST(what_follows_a_long_line_is_not_lost),
        TEST(many_deadlines_at_once_are_over_in_several_rounds),
        TEST(a_flood_of_empty_lines_is_not_hoarded),
        TEST(a_round_is_bounded_and_all_get_their_turn),
        TEST(low_ranks_send_short_lines),
        TEST(without_descriptors_it_neither_spins_nor_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
