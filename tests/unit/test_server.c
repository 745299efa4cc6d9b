/* SPDX-License-Identifier: BSD-3-Clause */
/* The socket server: framing and time limits; what each caller gets: test_server_bounds.c; its
 * file: test_socket_file.c. */
#include "tests/unit/server_fixture.h"

#include <grp.h>

static void answers_a_line_and_knows_the_peer(void **state)
{
    struct fixture *f = *state;
    int fd = join(f);
    say(fd, "hello\n");
    rounds(f, 1);
    assert_string_equal(heard(fd), "hello\n");
    assert_int_equal(f->peer.uid, getuid());
    assert_int_equal(f->peer.gid, getgid());
    assert_int_equal(f->peer.pid, getpid());
    close(fd);
    rounds(f, 1);
    assert_int_equal(fg_server_connections(f->server), 0);
}

static void a_line_may_come_in_pieces_and_many_at_once(void **state)
{
    struct fixture *f = *state;
    int fd = join(f);
    say(fd, "he");
    rounds(f, 1);
    assert_string_equal(heard(fd), "");
    say(fd, "llo\n\nno");
    rounds(f, 1);
    assert_string_equal(heard(fd), "hello\n\n");
    say(fd, "ne\nlast\n");
    rounds(f, 1);
    assert_string_equal(heard(fd), "last\n");
    assert_int_equal(f->answered, 4);
    close(fd);
}

static void a_flood_of_lines_is_answered_over_several_rounds(void **state)
{
    struct fixture *f = *state;
    int fd = join(f);
    char text[201] = "";
    for (int i = 0; i < 200; i++)
        text[i] = i % 2 ? '\n' : 'a';
    say(fd, text);
    rounds(f, 1);
    assert_true(f->answered > 0 && f->answered < 100);
    rounds(f, 100);
    assert_int_equal(f->answered, 100);
    assert_string_equal(heard(fd), text);
    close(fd);
}

static void a_line_of_the_longest_length_passes_and_one_more_byte_does_not(void **state)
{
    struct fixture *f = *state;
    char text[LINE_MAX_TEST + 3];
    memset(text, 'a', sizeof(text));
    int fd = join(f);
    text[LINE_MAX_TEST] = '\n';
    text[LINE_MAX_TEST + 1] = '\0';
    say(fd, text);
    rounds(f, 1);
    assert_string_equal(heard(fd), text);
    text[LINE_MAX_TEST] = 'a';
    say(fd, text); /* no newline: refused before the end has come */
    rounds(f, 1);
    assert_string_equal(heard(fd), "too long\n");
    assert_null(heard(fd));
    assert_int_equal(f->answered, 1);
    close(fd);
}

static void a_peer_is_known_by_all_its_groups(void **state)
{
    struct fixture *f = *state;
    int groups = getgroups(0, NULL);
    int fd = join(f);
    assert_int_equal(f->groups, groups);
    close(fd);
    if (getuid() != 0)
        return;
    static gid_t many[1000];
    gid_t old[1000];
    groups = getgroups(1000, old);
    for (size_t i = 0; i < 1000; i++)
        many[i] = (gid_t)(70000 + i);
    assert_int_equal(setgroups(1000, many), 0);
    fd = join(f);
    assert_int_equal(setgroups((size_t)groups, old), 0);
    assert_int_equal(f->groups, 1000);
    close(fd);
}

static void silence_is_cut_when_idle_is_over(void **state)
{
    struct fixture *f = *state;
    int fd = join(f);
    f->now_ms += IDLE_MS - 1;
    rounds(f, 1);
    assert_string_equal(heard(fd), "");
    say(fd, "again\n"); /* an answer begins the time anew */
    rounds(f, 1);
    assert_string_equal(heard(fd), "again\n");
    f->now_ms += IDLE_MS - 1;
    rounds(f, 1);
    assert_string_equal(heard(fd), "");
    f->now_ms += 1;
    rounds(f, 1);
    assert_null(heard(fd));
    close(fd);
}

static void trickling_does_not_push_the_deadline_on(void **state)
{
    struct fixture *f = *state;
    int fd = join(f);
    unsigned steps = 0;
    while (heard(fd)) {
        send(fd, "a", 1, MSG_NOSIGNAL);
        rounds(f, 1);
        f->now_ms += LINE_MS / 4;
        assert_true(++steps < 10);
    }
    assert_in_range(steps, 4, 6);
    close(fd);
}

static void a_big_reply_arrives_whole_at_a_slow_reader(void **state)
{
    struct fixture *f = *state;
    int fd = join(f);
    static char text[64 << 10];
    size_t total = 0;
    say(fd, "big\nafter\n");
    rounds(f, 1);
    assert_int_equal(f->answered, 1); /* the next line waits for the reply to be taken */
    while (total < REPLY_BIG + 1 + strlen("after\n")) {
        ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
        if (n > 0)
            total += n;
        rounds(f, 1);
    }
    assert_int_equal(f->answered, 2);
    assert_memory_equal(text, "xxx", 3);
    close(fd);
}

static void who_does_not_read_is_cut(void **state)
{
    struct fixture *f = *state;
    int fd = join(f);
    say(fd, "big\n");
    rounds(f, 2);
    assert_int_equal(fg_server_connections(f->server), 1);
    f->now_ms += LINE_MS;
    rounds(f, 1);
    assert_int_equal(fg_server_connections(f->server), 0);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(answers_a_line_and_knows_the_peer),
        TEST(a_line_may_come_in_pieces_and_many_at_once),
        TEST(a_flood_of_lines_is_answered_over_several_rounds),
        TEST(a_line_of_the_longest_length_passes_and_one_more_byte_does_not),
        TEST(a_peer_is_known_by_all_its_groups),
        TEST(silence_is_cut_when_idle_is_over),
        TEST(trickling_does_not_push_the_deadline_on),
        TEST(a_big_reply_arrives_whole_at_a_slow_reader),
        TEST(who_does_not_read_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
