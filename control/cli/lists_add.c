/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgatectl lists add: whoever may write a list's file blocks somebody with one command. The
 * line is appended by this process, with its caller's rights, and is on disk before the engine is
 * asked to reload: the file stays the one truth, and a restart knows what this has added.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/cli/cli.h"
#include "control/cli/client.h"
#include "control/cli/lists_add.h"
#include "control/cli/show.h"
#include "control/lists/list_text.h"

/* What is to be appended. */
struct addition {
    enum fg_list list;
    char note[128]; /* a comment behind each entry */
    FILE *stream;   /* makes `text` */
    char *text;
    size_t length;
    unsigned entries;
};

/* "block-buyers" or as the configuration has it. */
static int find_list(const struct fg_cli_call *call, enum fg_list *list)
{
    char name[32] = "";
    for (size_t i = 0; i + 1 < sizeof(name) && call->arguments[0][i]; i++)
        name[i] = call->arguments[0][i] == '-' ? '_' : call->arguments[0][i];
    for (*list = 0; *list < FG_LIST_COUNT; ++*list)
        if (strcmp(name, fg_list_name(*list)) == 0)
            return FG_EXIT_OK;
    return fg_cli_fail(call, FG_EXIT_USAGE,
                       "there is no list \"%.40s\": wanted block-buyers, allow-buyers, "
                       "block-sources or allow-sources",
                       call->arguments[0]);
}

static void make_note(struct addition *addition)
{
    char when[32];
    time_t now = time(NULL);
    struct tm tm;
    const struct passwd *user = getpwuid(getuid());
    gmtime_r(&now, &tm);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
    snprintf(addition->note, sizeof(addition->note), "# added %s by uid %u%s%s", when,
             (unsigned)getuid(), user ? ", " : "", user ? user->pw_name : "");
}

static int add_entry(const struct fg_cli_call *call, struct addition *addition, const char *entry)
{
    uint8_t buyer[FG_BUYER_BYTES];
    struct fg_list_prefix prefix;
    char why[128];
    bool right = fg_list_has_buyers(addition->list)
                     ? fg_list_text_buyer(entry, buyer, why, sizeof(why))
                     : fg_list_text_source(entry, &prefix, why, sizeof(why));
    if (!right)
        return fg_cli_fail(call, FG_EXIT_USAGE, "\"%.60s\" %s; nothing was added", entry, why);
    fprintf(addition->stream, "%s %s\n", entry, addition->note);
    addition->entries++;
    return FG_EXIT_OK;
}

/* From lines: the first word of each; what is blank or a comment is passed over. */
static int add_lines(const struct fg_cli_call *call, struct addition *addition)
{
    char *line = NULL, *rest;
    size_t room = 0;
    int status = FG_EXIT_OK;
    while (status == FG_EXIT_OK && getline(&line, &room, call->in) > 0) {
        line[strcspn(line, "#")] = '\0';
        const char *entry = strtok_r(line, " \t\r\n", &rest);
        if (entry)
            status = add_entry(call, addition, entry);
    }
    free(line);
    return status;
}

static int read_entries(const struct fg_cli_call *call, struct addition *addition)
{
    const char *entry = call->arguments[1];
    int status = FG_EXIT_OK;
    addition->stream = open_memstream(&addition->text, &addition->length);
    if (!addition->stream)
        return fg_cli_fail(call, FG_EXIT_FAILED, "memory is short");
    fputc('\n', addition->stream); /* in case that the file's last line has no end */
    status = strcmp(entry, "-") == 0 ? add_lines(call, addition) : add_entry(call, addition, entry);
    if (fclose(addition->stream) != 0 && status == FG_EXIT_OK)
        status = fg_cli_fail(call, FG_EXIT_FAILED, "memory is short");
    if (status == FG_EXIT_OK && addition->entries == 0)
        status = fg_cli_fail(call, FG_EXIT_USAGE, "there was no entry to add");
    return status;
}

/* The file's name, as the engine has it. The caller frees it. */
static int ask_file(const struct fg_cli_call *call, enum fg_list list, char **path)
{
    char message[1024];
    json_t *result = NULL;
    int status = fg_client_call(call->options[FG_CLI_SOCKET], "lists.show", NULL, &result, message,
                                sizeof(message));
    if (status != FG_EXIT_OK)
        return fg_cli_fail(call, status, "%s", message);
    const json_t *known = json_array_get(json_object_get(result, "lists"), (size_t)list);
    const char *file = json_string_value(json_object_get(known, "file"));
    if (!file)
        status = fg_cli_fail(call, FG_EXIT_REFUSED,
                             "the engine's configuration names no file for it: set lists.%s, and "
                             "restart",
                             fg_list_name(list));
    else if (file[0] != '/')
        status = fg_cli_fail(call, FG_EXIT_REFUSED,
                             "the engine's configuration names %s, and not from / on, so that only "
                             "the engine can tell where it is: write the entry into the file, then "
                             "lists reload",
                             file);
    else
        *path = strdup(file);
    json_decref(result);
    return status;
}

static bool write_whole(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        length -= (size_t)n;
    }
    return true;
}

/* Under the file's lock: its last line is ended where it has no end, all or nothing is appended,
 * and it is on disk. */
static bool append(int fd, const struct addition *addition)
{
    struct stat status;
    char last = '\n';
    if (flock(fd, LOCK_EX) != 0 || fstat(fd, &status) != 0)
        return false;
    if (status.st_size > 0 && pread(fd, &last, 1, status.st_size - 1) != 1)
        return false;
    size_t skipped = last == '\n';
    if (write_whole(fd, addition->text + skipped, addition->length - skipped) && fsync(fd) == 0)
        return true;
    int error = errno;
    (void)!ftruncate(fd, status.st_size);
    errno = error;
    return false;
}

static int append_file(const struct fg_cli_call *call, const struct addition *addition,
                       const char *path)
{
    int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fg_cli_fail(call, FG_EXIT_FAILED, "%s: could not be opened for writing: %s", path,
                           strerror(errno));
    bool done = append(fd, addition);
    int error = errno;
    close(fd);
    return done ? FG_EXIT_OK
                : fg_cli_fail(call, FG_EXIT_FAILED,
                              "%s: could not be written: %s; nothing was "
                              "added",
                              path, strerror(error));
}

static int reload(const struct fg_cli_call *call, const struct addition *addition, const char *path)
{
    char message[1024];
    json_t *result = NULL;
    int status = fg_client_call(call->options[FG_CLI_SOCKET], "lists.reload", NULL, &result,
                                message, sizeof(message));
    if (status != FG_EXIT_OK)
        return fg_cli_fail(call, status,
                           "%u added to %s, which is not in force: %s; mend it, and lists reload",
                           addition->entries, path, message);
    if (call->json) {
        json_dumpf(result, call->out, JSON_INDENT(2));
        fputc('\n', call->out);
    } else {
        const json_t *list =
            json_array_get(json_object_get(result, "lists"), (size_t)addition->list);
        char entries[32];
        fprintf(call->out, "Added %u to %s; %s has %s entr%s now, and every worker goes by it\n",
                addition->entries, path, fg_list_name(addition->list),
                grouped(number(list, "entries"), entries),
                number(list, "entries") == 1 ? "y" : "ies");
    }
    json_decref(result);
    return status;
}

static int run(const struct fg_cli_call *call)
{
    struct addition addition = {.list = FG_LIST_COUNT};
    char *path = NULL;
    int status = find_list(call, &addition.list);
    make_note(&addition);
    if (status == FG_EXIT_OK)
        status = read_entries(call, &addition);
    if (status == FG_EXIT_OK)
        status = ask_file(call, addition.list, &path);
    if (status == FG_EXIT_OK)
        status = append_file(call, &addition, path);
    if (status == FG_EXIT_OK)
        status = reload(call, &addition, path);
    free(path);
    free(addition.text);
    return status;
}

const struct fg_cli_local fg_lists_add_command = {
    .run = run,
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |
                FG_CLI_STATUS(UNREACHABLE) | FG_CLI_STATUS(REFUSED),
    .manual =
        "LIST is block-buyers, allow-buyers, block-sources or allow-sources. ENTRY is a buyer (32 "
        "hex\n"
        "digits, with or without dashes), or an address or prefix; - reads them from standard "
        "input, one a\n"
        "line.\n"
        "\n"
        "Each is appended to the list's file, as the engine's configuration names it, with a "
        "comment that\n"
        "says when and by whom; you need the right to write it. It is on disk before the engine "
        "reloads.\n"
        "To take an entry off a list, edit the file, then lists reload; in a hurry, add a blocked "
        "buyer to\n"
        "allow-buyers, which is exempt at once.\n",
};
