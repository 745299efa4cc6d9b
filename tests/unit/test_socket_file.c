/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket's file: its mode and group, whom it is left to, what it is not put in place
 * of. */
#include "tests/unit/server_fixture.h"

#include <sys/stat.h>
#include <sys/un.h>

#include "flashgate/exit_status.h"

static void the_file_is_0660_whatever_the_umask(void **state)
{
    struct fixture *f = *state;
    const mode_t masks[] = {0, 022, 077};
    for (unsigned i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
        struct stat st;
        fg_server_close(f->server);
        mode_t before = umask(masks[i]);
        assert_int_equal(fg_server_open(&f->server, &f->config, f->message, sizeof(f->message)), 0);
        umask(before);
        assert_int_equal(stat(f->path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0660);
    }
}

static void the_file_is_given_to_the_group(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    f->config.group = getuid() == 0 ? 65534 : getgid();
    open_anew(f);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_gid, f->config.group);
    assert_int_equal(st.st_mode & 07777, 0660);
}

static void a_live_socket_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct fg_server *second;
    assert_int_equal(fg_server_open(&second, &f->config, f->message, sizeof(f->message)),
                     FG_EXIT_IN_USE);
    assert_null(second);
    assert_non_null(strstr(f->message, f->path));
    int fd = join(f);
    say(fd, "still here\n");
    rounds(f, 1);
    assert_string_equal(heard(fd), "still here\n");
    close(fd);
}

/* A listening socket at the path that is not one of ours: no lock file stands beside it. */
static int foreign_listener(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void who_answers_without_a_lock_is_left_alone_and_a_stale_file_replaced(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    fg_server_close(f->server);
    int foreign = foreign_listener(f->path);
    assert_int_equal(fg_server_open(&f->server, &f->config, f->message, sizeof(f->message)),
                     FG_EXIT_IN_USE);
    assert_int_equal(stat(f->path, &st), 0);
    close(foreign); /* leaves the file, as a killed engine does */
    assert_int_equal(fg_server_open(&f->server, &f->config, f->message, sizeof(f->message)), 0);
    int fd = join(f);
    say(fd, "new\n");
    rounds(f, 1);
    assert_string_equal(heard(fd), "new\n");
    close(fd);
}

static void what_is_no_socket_is_refused_and_kept(void **state)
{
    struct fixture *f = *state;
    fg_server_close(f->server);
    FILE *file = fopen(f->path, "w");
    fclose(file);
    assert_int_equal(fg_server_open(&f->server, &f->config, f->message, sizeof(f->message)),
                     FG_EXIT_CONFIG);
    assert_non_null(strstr(f->message, "not a socket"));
    assert_int_equal(unlink(f->path), 0);
}

static void a_path_too_long_for_an_address_is_told(void **state)
{
    struct fixture *f = *state;
    struct fg_server *server;
    char path[200];
    memset(path, 'p', sizeof(path));
    path[0] = '/';
    path[108] = '\0';
    f->config.path = path;
    assert_int_equal(fg_server_open(&server, &f->config, f->message, sizeof(f->message)),
                     FG_EXIT_CONFIG);
    assert_non_null(strstr(f->message, "107"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(the_file_is_0660_whatever_the_umask),
        TEST(the_file_is_given_to_the_group),
        TEST(a_live_socket_is_left_alone),
        TEST(who_answers_without_a_lock_is_left_alone_and_a_stale_file_replaced),
        TEST(what_is_no_socket_is_refused_and_kept),
        TEST(a_path_too_long_for_an_address_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
