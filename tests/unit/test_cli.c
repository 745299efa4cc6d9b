/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgatectl's table of commands: help of every command, groups, usages; and a command to the
 * engine that asks for confirmation, typed at a terminal and not, against a socket that answers as
 * an engine would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/cli/cli.h"
#include "control/cli/table.h"

static char *out_text, *err_text;

/* Runs one line; `in` NULL: an empty input. Returns the exit status. */
static int run(FILE *in, const char *line)
{
    char words[256], *argv[24] = {(char *)(uintptr_t) "flashgatectl"}, *rest = NULL;
    int argc = 1;
    size_t out_size, err_size;

    free(out_text);
    free(err_text);
    snprintf(words, sizeof(words), "%s", line);
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    FILE *out = open_memstream(&out_text, &out_size), *err = open_memstream(&err_text, &err_size);
    FILE *empty = in ? NULL : fopen("/dev/null", "re");
    int status = fg_cli_run(argc, argv, in ? in : empty, out, err);
    fclose(out);
    fclose(err);
    if (empty)
        fclose(empty);
    return status;
}

static void words_of(const struct fg_cli_command *command, char text[128])
{
    snprintf(text, 128, "%s%s%s", command->words[0], command->words[1] ? " " : "",
             command->words[1] ? command->words[1] : "");
}

/* --- help --- */

static void every_command_has_help_with_its_options_and_statuses(void **state)
{
    (void)state;
    for (unsigned i = 0; i < fg_cli_commands_count; i++) {
        const struct fg_cli_command *command = &fg_cli_commands[i];
        char words[128], line[160], usage[FG_CLI_USAGE_TEXT];
        words_of(command, words);
        snprintf(line, sizeof(line), "%s --help", words);
        if (run(NULL, line) != FG_EXIT_OK || *err_text != '\0')
            fail_msg("%s: \"%s\"", line, err_text);
        fg_cli_usage(command, usage);
        assert_true(strlen(usage) < sizeof(usage) - 1);
        assert_int_equal(strncmp(out_text, "Usage: flashgatectl [OPTIONS] ", 30), 0);
        assert_non_null(strstr(out_text, command->help));
        assert_non_null(strstr(out_text, "Exit status:\n  0 "));
        for (unsigned id = 0; id < FG_CLI_OPTIONS_COUNT; id++) {
            char option[64];
            uint64_t own = fg_cli_optional(command) | fg_cli_required(command);
            snprintf(option, sizeof(option), "  --%s ", fg_cli_option_name(id));
            if (own & UINT64_C(1) << id) {
                if (!strstr(out_text, option + 2) || !strstr(usage, fg_cli_option_name(id)))
                    fail_msg("%s does not tell%s", line, option);
            }
        }
        for (unsigned a = 0; a < fg_cli_arguments(command); a++)
            assert_non_null(strstr(usage, command->arguments[a]));
    }
}

static void the_table_is_whole(void **state)
{
    (void)state;
    for (unsigned i = 0; i < fg_cli_commands_count; i++) {
        const struct fg_cli_command *command = &fg_cli_commands[i];
        assert_non_null(command->words[0]);
        assert_non_null(command->help);
        assert_true(!command->method != !command->local); /* one of them */
        size_t length = strlen(command->help);
        if (length == 0 || command->help[length - 1] == '.')
            fail_msg("\"%s\" goes on from \"This command \" and a full stop comes after it",
                     command->help);
        for (unsigned j = 0; j < i; j++) {
            char one[128], other[128];
            words_of(command, one);
            words_of(&fg_cli_commands[j], other);
            assert_string_not_equal(one, other);
            /* `x` beside `x y` could not be told apart */
            if (strcmp(command->words[0], fg_cli_commands[j].words[0]) == 0)
                assert_true(command->words[1] && fg_cli_commands[j].words[1]);
        }
    }
}

static void commands_of_one_first_word_stand_together(void **state)
{
    (void)state;
    const struct fg_cli_command *command = NULL, *before = NULL;
    unsigned count = 0, groups = 0;
    while ((command = fg_cli_next(command))) {
        bool begins = !before || strcmp(before->words[0], command->words[0]) != 0;
        groups += begins;
        count++;
        for (const struct fg_cli_command *other = NULL; begins && (other = fg_cli_next(other));) {
            if (other == command)
                break;
            assert_string_not_equal(other->words[0], command->words[0]); /* none before its group */
        }
        before = command;
        assert_true(count <= fg_cli_commands_count);
    }
    assert_int_equal(count, fg_cli_commands_count);
    assert_true(groups < count);
    assert_int_equal(run(NULL, "--help"), FG_EXIT_OK);
    const char *sale = strstr(out_text, "\n\n  sale apply");
    assert_non_null(sale);
    const char *end = strstr(sale + 2, "\n\n");
    assert_true(strstr(sale, "  sale list") < end);
    assert_true(strstr(sale, "  order show") > end);
}

static void lists_are_aligned(void **state)
{
    (void)state;
    assert_int_equal(run(NULL, "--help"), FG_EXIT_OK);
    size_t column = 0;
    const struct fg_cli_command *command = NULL;
    while ((command = fg_cli_next(command))) {
        const char *help = strstr(out_text, command->help), *line = help;
        assert_non_null(help);
        while (line[-1] != '\n')
            line--;
        if (column == 0)
            column = (size_t)(help - line);
        if (column != (size_t)(help - line))
            fail_msg("\"%s\" is not in column %zu", command->help, column);
    }
}

static void usages_tell_what_may_be_left_out(void **state)
{
    (void)state;
    run(NULL, "sale show --help");
    assert_non_null(strstr(out_text, "sale show [--watch] [--interval TIME] NAME\n"));
    assert_int_equal(run(NULL, "sale show"), FG_EXIT_USAGE);
    assert_non_null(strstr(err_text, "usage: flashgatectl sale show [--watch] [--interval TIME] "
                                     "NAME"));
    run(NULL, "takeover --help");
    assert_non_null(strstr(out_text, "takeover --config FILE [--without-fence] FROM"));
    assert_int_equal(run(NULL, "takeover /x"), FG_EXIT_USAGE);
    assert_non_null(strstr(err_text, "this command wants --config"));
    assert_int_equal(run(NULL, "sale list --without-fence"), FG_EXIT_USAGE);
    assert_non_null(strstr(err_text, "this command has no option --without-fence"));
    /* Long usages are broken. */
    run(NULL, "journal dump --help");
    assert_non_null(strstr(out_text, "\n                    [--"));
    for (const char *at = out_text, *end; *at && strncmp(at, "\n\n", 2) != 0; at = end) {
        end = strchr(at + 1, '\n');
        assert_non_null(end);
        assert_true(end - at <= 99);
        if (end == strstr(at, "\n\n"))
            break;
    }
}

/* --- an engine that asks --- */

static struct {
    char path[64];
    int fd;
    pthread_t thread;
    unsigned calls;      /* that came */
    bool confirmed;      /* the last of them was */
    json_t *last_params; /* of it */
} asker;

#define PLAN                                                                                       \
    ",\"data\":{\"sale\":\"spring\",\"revision\":9,\"notices\":[],\"takes_away\":[\"7 units\"],"   \
    "\"changes\":[{\"option\":\"stock\",\"old\":\"9 units\",\"new\":\"2 units\",\"takes\":true,"   \
    "\"item\":5},{\"option\":\"limit\",\"old\":\"none\",\"new\":\"4 units\",\"takes\":false}]}"

/* Answers each call: without confirmation, that it takes something away. */
static void *answer_calls(void *arg)
{
    (void)arg;
    for (;;) {
        char line[4096];
        int fd = accept(asker.fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        FILE *stream = fdopen(fd, "r+");
        json_t *call = fgets(line, sizeof(line), stream) ? json_loads(line, 0, NULL) : NULL;
        json_decref(asker.last_params);
        asker.last_params = json_incref(json_object_get(call, "params"));
        asker.confirmed = json_is_true(json_object_get(asker.last_params, "confirmed"));
        asker.calls++;
        fseek(stream, 0, SEEK_CUR);
        fprintf(stream, asker.confirmed
                            ? "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"sale\":\"spring\","
                              "\"state\":\"closed\",\"changed\":true,\"revision\":3}}\n"
                            : "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32006,"
                              "\"message\":\"it takes 7 units away\"" PLAN "}}\n");
        fclose(stream);
        json_decref(call);
    }
}

static int start_asker(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(asker.path, sizeof(asker.path), "/tmp/fg-cli-%d.sock", (int)getpid());
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", asker.path);
    unlink(asker.path);
    asker.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(asker.fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(asker.fd, 8), 0);
    asker.calls = 0;
    setenv(FG_CONTROL_SOCKET_ENV, asker.path, 1);
    return pthread_create(&asker.thread, NULL, answer_calls, NULL);
}

static int stop_asker(void **state)
{
    (void)state;
    shutdown(asker.fd, SHUT_RDWR);
    pthread_join(asker.thread, NULL);
    close(asker.fd);
    unlink(asker.path);
    json_decref(asker.last_params);
    asker.last_params = NULL;
    unsetenv(FG_CONTROL_SOCKET_ENV);
    return 0;
}

/* The first command of the table that may ask, with arguments for it. */
static void asking_line(char line[256])
{
    for (unsigned i = 0; i < fg_cli_commands_count; i++) {
        const struct fg_cli_command *command = &fg_cli_commands[i];
        if (!command->method || !(command->options & FG_CLI_TAKES(YES)))
            continue;
        words_of(command, line);
        for (unsigned a = 0; a < fg_cli_arguments(command); a++)
            strncat(line, command->params[a] ? " 1" : " -", 255 - strlen(line));
        return;
    }
    fail_msg("no command asks");
}

/* The line typed at a terminal, whose person answers so. */
static int at_terminal(const char *line, const char *answer)
{
    int master, slave;
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    assert_int_equal(write(master, answer, strlen(answer)), (ssize_t)strlen(answer));
    FILE *in = fdopen(slave, "r");
    int status = run(in, line);
    fclose(in);
    close(master);
    return status;
}

static void a_person_at_a_terminal_is_asked(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        bool agrees;
    } cases[] = {{"y\n", true}, {"Yes\n", true},      {"n\n", false},
                 {"\n", false}, {"maybe y\n", false}, {"\004", false} /* the end of input */};
    char line[256];
    asking_line(line);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        asker.calls = 0;
        int status = at_terminal(line, cases[i].answer);
        assert_non_null(strstr(err_text, "Sale spring would change so; ! takes something away:\n"
                                         "! - item 5: stock: 9 units\n"
                                         "! + item 5: stock: 2 units\n"
                                         "  - limit: none\n"
                                         "  + limit: 4 units\n"
                                         "takes away: 7 units\n"
                                         "it takes 7 units away\nGo on? [y/N] "));
        assert_int_equal(status, cases[i].agrees ? FG_EXIT_OK : FG_EXIT_UNCONFIRMED);
        assert_int_equal(asker.calls, cases[i].agrees ? 2 : 1);
        assert_int_equal(asker.confirmed, cases[i].agrees);
    }
}

/* What the person saw, and not what somebody else has made of it since. */
static void what_is_confirmed_is_what_was_shown(void **state)
{
    (void)state;
    char path[] = "/tmp/fg-cli-sale-XXXXXX", line[64];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(line, sizeof(line), "sale apply %s", path);
    assert_int_equal(at_terminal(line, "y\n"), FG_EXIT_OK);
    unlink(path);
    assert_true(asker.confirmed);
    assert_string_equal(json_string_value(json_object_get(asker.last_params, "if_revision")), "9");
}

static void without_a_terminal_nobody_is_asked(void **state)
{
    (void)state;
    char line[256], with_yes[300];
    asking_line(line);
    assert_int_equal(run(NULL, line), FG_EXIT_UNCONFIRMED);
    assert_null(strstr(err_text, "Go on?"));
    assert_null(strstr(err_text, "would change"));
    assert_non_null(strstr(err_text, "it takes 7 units away; give --yes to go on"));
    assert_int_equal(asker.calls, 1);
    snprintf(with_yes, sizeof(with_yes), "%s --yes", line);
    assert_int_equal(run(NULL, with_yes), FG_EXIT_OK);
    assert_int_equal(asker.calls, 2);
    assert_true(asker.confirmed);
    assert_null(json_object_get(asker.last_params, "yes"));
    snprintf(with_yes, sizeof(with_yes), "--json %s -y", line);
    assert_int_equal(run(NULL, with_yes), FG_EXIT_OK);
    assert_non_null(strstr(out_text, "\"revision\": 3"));
}

int main(void)
{
#define ASKED(name) cmocka_unit_test_setup_teardown(name, start_asker, stop_asker)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(every_command_has_help_with_its_options_and_statuses),
        cmocka_unit_test(commands_of_one_first_word_stand_together),
        cmocka_unit_test(lists_are_aligned),
        cmocka_unit_test(usages_tell_what_may_be_left_out),
        ASKED(a_person_at_a_terminal_is_asked),
        ASKED(what_is_confirmed_is_what_was_shown),
        ASKED(without_a_terminal_nobody_is_asked),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(out_text);
    free(err_text);
    return failed;
}
