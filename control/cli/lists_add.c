/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgatectl lists add: whoever may write a list's file blocks somebody with one command. The
 * line is appended by this process, with its caller's rights, and is on disk before the engine is
 * asked to reload: the file stays the one truth, and a restart knows what this has added.
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/cli/cli.h"
#include "control/cli/client.h"
#include "control/cli/list_file.h"
#include "control/cli/lists_add.h"
#include "control/cli/show.h"
#include "control/config/options.h"
#include "control/lists/list_text.h"

/* What is to be appended. */
struct addition {
    enum fg_list list;
    char note[128]; /* a comment behind each entry */
    FILE *stream;   /* makes `text` */
    char *text;
    size_t length;
    unsigned entries;
    struct fg_list_addition file; /* what became of it */
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
        return fg_cli_fail(call, FG_EXIT_USAGE, "\"%.60s\" %s; nothing was added",
                           fg_in_print(entry), why);
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

static int add_to_file(const struct fg_cli_call *call, struct addition *addition, const char *path)
{
    char message[1024];
    addition->file = (struct fg_list_addition){
        .list = addition->list,
        .path = path,
        .lines = addition->text,
        .length = addition->length,
    };
    return fg_list_file_add(&addition->file, message, sizeof(message))
               ? FG_EXIT_OK
               : fg_cli_fail(call, FG_EXIT_FAILED, "%s; nothing was added", message);
}

/* "Added 2 to FILE", "Added 2 to FILE, which had 1 already", "FILE has it already, and is left as
 * it is" */
static void tell_added(const struct fg_list_addition *file, FILE *out)
{
    if (file->added == 0)
        fprintf(out, "%s has %s already, and is left as it is", file->path,
                file->there == 1 ? "it" : "them");
    else
        fprintf(out, "Added %u to %s", file->added, file->path);
    if (file->added > 0 && file->there > 0)
        fprintf(out, ", which had %u already", file->there);
}

/* Also where nothing was added: the file may have been edited since it was read. */
static int reload(const struct fg_cli_call *call, const struct addition *addition)
{
    const struct fg_list_addition *file = &addition->file;
    char message[1024];
    json_t *result = NULL;
    int status = fg_client_call(call->options[FG_CLI_SOCKET], "lists.reload", NULL, &result,
                                message, sizeof(message));
    if (status != FG_EXIT_OK)
        return fg_cli_fail(call, status,
                           "%u added to %s, which is not in force: %s; mend it, and lists reload",
                           file->added, file->path, message);
    if (call->json) {
        json_object_set_new(result, "added", json_integer(file->added));
        json_object_set_new(result, "already", json_integer(file->there));
        json_dumpf(result, call->out, JSON_INDENT(2));
        fputc('\n', call->out);
    } else {
        const json_t *list =
            json_array_get(json_object_get(result, "lists"), (size_t)addition->list);
        char entries[32];
        tell_added(file, call->out);
        fprintf(call->out, "; %s has %s entr%s now, and every worker goes by it\n",
                fg_list_name(addition->list), grouped(number(list, "entries"), entries),
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
        status = add_to_file(call, &addition, path);
    if (status == FG_EXIT_OK)
        status = reload(call, &addition);
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
        "says when and by whom; you need the right to write it. One that the file has already is "
        "not "
        "added\n"
        "again. It is on disk before the engine reloads.\n"
        "To take an entry off a list, edit the file, then lists reload; in a hurry, add a blocked "
        "buyer to\n"
        "allow-buyers, which is exempt at once.\n",
};
