/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgatectl capture: begins one, reads what there is until it is over, and writes all of it in
 * the order of time. The file is made first, so that nothing is captured for a file that cannot be.
 */
#include "control/cli/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "control/cli/capture_file.h"
#include "control/cli/client.h"
#include "control/cli/show.h"
#include "control/text.h"
#include "dataplane/capture.h"
#include "dataplane/hex.h"
#include "flashgate/version.h"

#define POLL_MS 50 /* between two looks at a capture that has nothing new */

struct kept {
    uint64_t at_ns;
    size_t place; /* in the order in which they were read */
    json_t *frame;
};

struct capture {
    const struct fg_cli_call *call;
    FILE *file;
    const char *path; /* NULL: standard output */
    json_t *begun;    /* what capture.start answered */
    json_t *last;     /* the last page */
    json_t *frames;   /* of all pages */
    struct kept *kept;
    size_t count, lost, sent;
    bool cut;     /* the engine went away before the end */
    bool written; /* the file is whole */
    uint64_t by_counter[FG_COUNTER_COUNT];
    char message[1024];
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* Ctrl-C ends the capture, and what was captured is written. A second one ends the program. */
static void catch_interrupts(void)
{
    const struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    interrupted = 0;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* --- the file --- */

/* Nothing that is there is ever overwritten or followed: it may be anybody's. */
static int open_file(struct capture *c)
{
    const char *path = c->call->arguments[0];
    if (strcmp(path, "-") == 0) {
        c->file = c->call->out;
        if (isatty(fileno(c->file)))
            return fg_cli_fail(c->call, FG_EXIT_USAGE,
                               "a capture is no text for a terminal: name a file, or pipe it on");
        return FG_EXIT_OK;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return fg_cli_fail(c->call, FG_EXIT_FAILED, "%s: %s%s", path, strerror(errno),
                           errno == EEXIST ? "; a capture overwrites nothing" : "");
    c->path = path;
    c->file = fdopen(fd, "w");
    if (c->file)
        return FG_EXIT_OK;
    close(fd);
    return fg_cli_fail(c->call, FG_EXIT_MEMORY, "memory is short");
}

/* After a failure nothing is left of it. */
static void close_file(struct capture *c, bool failed)
{
    if (!c->path)
        return;
    if (c->file)
        fclose(c->file);
    if (failed)
        unlink(c->path);
}

/* --- the engine --- */

static int ask(struct capture *c, const char *method, json_t *params, json_t **result)
{
    int status = fg_client_call(c->call->options[FG_CLI_SOCKET], method, params, result, c->message,
                                sizeof(c->message));
    return status == FG_EXIT_OK ? status : fg_cli_fail(c->call, status, "%s", c->message);
}

static int begin(struct capture *c)
{
    const char *const *options = c->call->options;
    return ask(c, "capture.start",
               json_pack("{s:s*,s:s*,s:s*,s:s*}", "count", options[FG_CLI_COUNT], "seconds",
                         options[FG_CLI_SECONDS], "dropped",
                         options[FG_CLI_DROPPED] ? "true" : NULL, "source", options[FG_CLI_SOURCE]),
               &c->begun);
}

/* {"capture": its number, ...} */
static json_t *named(const struct capture *c)
{
    char text[24];
    snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, number(c->begun, "capture"));
    return json_pack("{s:s}", "capture", text);
}

static int read_page(struct capture *c)
{
    char after[24];
    json_t *params = named(c), *page;
    snprintf(after, sizeof(after), "%" JSON_INTEGER_FORMAT, number(c->last, "next"));
    json_object_set_new(params, "after", json_string(after));
    int status = ask(c, "capture.read", params, &page);
    if (status != FG_EXIT_OK)
        return status;
    json_array_extend(c->frames, json_object_get(page, "frames"));
    json_decref(c->last);
    c->last = page;
    return status;
}

static int stop(struct capture *c)
{
    json_t *answer = NULL;
    int status = ask(c, "capture.stop", named(c), &answer);
    json_decref(answer);
    return status;
}

static int read_pages(struct capture *c)
{
    bool stopped = false;
    int status = FG_EXIT_OK;
    while (status == FG_EXIT_OK && !json_is_true(json_object_get(c->last, "done"))) {
        size_t before = json_array_size(c->frames);
        if (interrupted && !stopped) {
            stopped = true;
            status = stop(c);
        }
        if (status == FG_EXIT_OK)
            status = read_page(c);
        if (status == FG_EXIT_OK && json_array_size(c->frames) == before)
            nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000}, NULL);
    }
    return status;
}

/* --- writing --- */

static int by_time(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;
    if (x->at_ns != y->at_ns)
        return x->at_ns < y->at_ns ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static int sort(struct capture *c)
{
    json_t *frame;
    size_t i;
    c->kept = calloc(json_array_size(c->frames) + 1, sizeof(*c->kept));
    if (!c->kept)
        return fg_cli_fail(c->call, FG_EXIT_MEMORY, "memory is short");
    json_array_foreach(c->frames, i, frame)
    {
        c->kept[i] = (struct kept){.place = i, .frame = frame};
        (void)fg_u64_parse(text_or(frame, "at_ns", "0"), &c->kept[i].at_ns);
    }
    c->count = i;
    qsort(c->kept, c->count, sizeof(*c->kept), by_time);
    return FG_EXIT_OK;
}

/* Bytes of a text of hex digits, at most `size`. */
static uint32_t from_hex(const char *hex, uint8_t *bytes, size_t size)
{
    uint32_t length = 0;
    for (; length < size; length++) {
        int high = fg_hex_digit(hex[2 * length]);
        int low = high < 0 ? -1 : fg_hex_digit(hex[2 * length + 1]);
        if (low < 0)
            break;
        bytes[length] = (uint8_t)(high << 4 | low);
    }
    return length;
}

/* "drop_mac: wrong mac" */
static const char *comment_of(struct capture *c, const char *counter, char *comment, size_t size)
{
    const char *help = "not known to this flashgatectl";
    if (!counter)
        return NULL;
    c->lost++;
    for (unsigned i = 0; i < FG_COUNTER_COUNT; i++) {
        if (strcmp(fg_counter_name(i), counter) != 0)
            continue;
        c->by_counter[i]++;
        help = fg_counter_help(i);
    }
    snprintf(comment, size, "%s: %s", counter, help);
    return comment;
}

static void write_frame(struct capture *c, const struct kept *kept)
{
    uint8_t bytes[FG_CAPTURE_BYTES];
    char comment[160];
    const json_t *frame = kept->frame;
    const char *counter = json_string_value(json_object_get(frame, "dropped"));
    struct fg_pcapng_frame written = {
        .at_ns = kept->at_ns,
        .port = (uint32_t)number(frame, "port"),
        .queue = (uint32_t)number(frame, "worker"),
        .length = (uint32_t)number(frame, "length"),
        .kept = from_hex(text_or(frame, "bytes", ""), bytes, sizeof(bytes)),
        .out = json_is_true(json_object_get(frame, "out")),
        .comment = comment_of(c, counter, comment, sizeof(comment)),
        .bytes = bytes,
    };
    c->sent += written.out && !counter;
    fg_pcapng_frame(c->file, &written);
}

static int write_all(struct capture *c)
{
    char os[sizeof((struct utsname){0}.sysname) + sizeof((struct utsname){0}.release) + 1];
    struct utsname machine;
    json_t *port;
    size_t i;
    int status = sort(c);
    if (status != FG_EXIT_OK)
        return status;
    uname(&machine);
    snprintf(os, sizeof(os), "%s %s", machine.sysname, machine.release);
    fg_pcapng_section(c->file, machine.machine, os, "flashgatectl " FG_VERSION_TEXT);
    json_array_foreach(json_object_get(c->begun, "ports"), i, port)
    {
        fg_pcapng_interface(c->file, text(port, "device"), (uint32_t)number(c->begun, "snap"));
    }
    for (i = 0; i < c->count; i++)
        write_frame(c, &c->kept[i]);
    errno = 0;
    if (fflush(c->file) == 0 && !ferror(c->file))
        return FG_EXIT_OK;
    return fg_cli_fail(c->call, FG_EXIT_FAILED, "%s: %s", c->path ? c->path : "standard output",
                       strerror(errno ? errno : EIO));
}

/* --- what it came to --- */

static const char *end_text(const struct capture *c)
{
    const char *end = text(c->last, "end");
    if (c->cut)
        return ": the engine went away";
    if (strcmp(end, "time") == 0)
        return ": the time was over";
    return strcmp(end, "full") == 0 ? "" : ": it was stopped";
}

static void tell(const struct capture *c, FILE *out)
{
    char buffer[32];
    json_t *stuck = json_object_get(c->last, "stuck");
    size_t received = c->count - c->sent - c->lost;
    const char *before = " (";
    fprintf(out, "%s frames captured%s: ", grouped((json_int_t)c->count, buffer), end_text(c));
    fprintf(out, "%s received", grouped((json_int_t)received, buffer));
    fprintf(out, ", %s sent", grouped((json_int_t)c->sent, buffer));
    fprintf(out, ", %s dropped", grouped((json_int_t)c->lost, buffer));
    for (unsigned i = 0; i < FG_COUNTER_COUNT; i++) {
        if (c->by_counter[i] == 0)
            continue;
        fprintf(out, "%s%s %s", before, fg_counter_name(i),
                grouped((json_int_t)c->by_counter[i], buffer));
        before = ", ";
    }
    fprintf(out, "%s\n", *before == ',' ? ")" : "");
    if (json_is_integer(stuck))
        fprintf(out,
                "Worker %" JSON_INTEGER_FORMAT " does not answer: frames of it may be missing\n",
                json_integer_value(stuck));
}

static void tell_json(const struct capture *c, FILE *out)
{
    json_t *dropped = json_object();
    for (unsigned i = 0; i < FG_COUNTER_COUNT; i++)
        if (c->by_counter[i] > 0)
            json_object_set_new(dropped, fg_counter_name(i),
                                json_integer((json_int_t)c->by_counter[i]));
    json_t *all = json_pack("{s:I,s:I,s:I,s:o,s:s,s:O}", "frames", (json_int_t)c->count, "received",
                            (json_int_t)(c->count - c->sent - c->lost), "sent", (json_int_t)c->sent,
                            "dropped", dropped, "end", text(c->last, "end"), "stuck",
                            json_object_get(c->last, "stuck"));
    json_dumpf(all, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(all);
}

/* What was read is written even when the engine has gone meanwhile. */
static int capture(struct capture *c)
{
    FILE *out = c->path ? c->call->out : c->call->err;
    int status = begin(c);
    if (status != FG_EXIT_OK)
        return status;
    status = read_pages(c);
    c->cut = status != FG_EXIT_OK;
    if (c->cut && json_array_size(c->frames) == 0)
        return status;
    int written = write_all(c);
    if (written != FG_EXIT_OK)
        return written;
    c->written = true;
    if (c->call->json)
        tell_json(c, out);
    else
        tell(c, out);
    return status;
}

static int run(const struct fg_cli_call *call)
{
    struct capture c = {.call = call, .frames = json_array()};
    int status = open_file(&c);
    if (status == FG_EXIT_OK) {
        catch_interrupts();
        status = capture(&c);
        close_file(&c, !c.written);
    }
    free(c.kept);
    json_decref(c.frames);
    json_decref(c.last);
    json_decref(c.begun);
    return status;
}

const struct fg_cli_local fg_capture_command = {
    .run = run,
    .options =
        FG_CLI_TAKES(COUNT) | FG_CLI_TAKES(SECONDS) | FG_CLI_TAKES(DROPPED) | FG_CLI_TAKES(SOURCE),
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |
                FG_CLI_STATUS(UNREACHABLE) | FG_CLI_STATUS(REFUSED) | FG_CLI_STATUS(MEMORY),
    .manual =
        "The engine keeps frames while the sale goes on: what comes in, with the name of the "
        "counter\n"
        "where it is dropped, and what goes out. It ends when there are N of them, when the time "
        "is\n"
        "over, or with Ctrl-C; then the file is written, in the order of time. Of each frame there "
        "are\n"
        "the first 1,600 bytes. There is one capture at a time, and it needs the role owner.\n"
        "\n"
        "The file is made for its owner alone and nothing is overwritten. It holds buyers' names, "
        "and\n"
        "datagrams that anybody could send again for as long as they are fresh: keep it as you "
        "would a\n"
        "key until then, and as personal data after it.\n",
};
