/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgatectl takeover: the log of an engine on another machine becomes this machine's.
 *
 * The order is what makes it safe. First every stream is fenced: from then on the old engine,
 * whether it is dead, cut off or only slow, gives nothing more to the order system. Only then is
 * the log copied for good, so that all it gave is in the copy. (Copied first, it could deliver one
 * more order in between, and the stream would hold what the new log lacks.) The fence is of the
 * epoch after the old engine's; the copy is opened once so that this epoch is used up, and the
 * engine that starts then has the one after it and takes the fence over.
 *
 * Run again, it must not be shut out by its own fence: the number that tells fences of one epoch
 * apart is kept in a file beside the copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/journal/copy.h"
#include "control/journal/takeover.h"
#include "control/text.h"
#include "dataplane/admission/catalogue.h"
#include "dataplane/orders/journal.h"

#define STATE_FILE   "takeover-state" /* in log.directory, which an engine does not look at */
#define ROUNDS_MAX   5 /* sales that are new in the final copy are fenced, and so on */
#define LANE_RECORDS 64

/* Tells that a step is done, at once. */
void fg_takeover_step(const struct takeover *takeover, const char *name, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (takeover->call->json) {
        fg_utf8_mend(text);
        json_array_append_new(takeover->steps, json_pack("{s:s, s:s}", "step", name, "done", text));
        return;
    }
    fprintf(takeover->call->out, "%-6s %s\n", name, text);
    fflush(takeover->call->out);
}

/* --- reading the old log --- */

static int learn(void *arg, const struct fg_record *record)
{
    struct sales *sales = &((struct takeover *)arg)->sales;
    const struct fg_control_event *event = record->control;

    if (fg_event_kind(record->unit) == FG_EVENT_SALE_STATE && event->value == FG_SALE_ARCHIVED &&
        event->sale <= FG_SALES_EVER_MAX)
        fg_takeover_set_bit(sales->archived, event->sale);
    return fg_journal_names_learn(&sales->names, record);
}

static int learn_in_frame(void *arg, const struct fg_journal_frame *frame,
                          const struct fg_record *record)
{
    (void)frame;
    return learn(arg, record);
}

static void forget(void *arg)
{
    struct sales *sales = &((struct takeover *)arg)->sales;

    fg_journal_names_clear(&sales->names);
    memset(sales->archived, 0, sizeof(sales->archived));
}

static int forget_in_walk(void *arg)
{
    forget(arg);
    return 0;
}

static bool same_directory(const char *one, const char *other)
{
    struct stat first, second;

    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static int read_source(struct takeover *takeover)
{
    const struct fg_journal_visitor visitor = {
        .arg = takeover, .record = learn_in_frame, .again = forget_in_walk};
    struct fg_journal_facts *source = &takeover->source;
    char message[1024], last[FG_TIME_TEXT];

    if (same_directory(takeover->from, takeover->config.log_dir))
        return fg_cli_fail(takeover->call, FG_EXIT_CONFIG,
                           "%s is this machine's own log.directory: name the other engine's",
                           takeover->from);
    int rc = fg_journal_walk(&fg_disk_files, takeover->from, &visitor, source);
    if (rc == 0)
        rc = source->stopped;
    if (rc != 0)
        return fg_cli_fail(takeover->call, FG_EXIT_FAILED, "%s: %s", takeover->from, strerror(-rc));
    int status = fg_journal_judge(source, takeover->from, message, sizeof(message));
    if (status != FG_EXIT_OK)
        return fg_cli_fail(takeover->call, status, "%s", message);
    if (source->last_epoch + 2 > FG_EPOCH_MAX)
        return fg_cli_fail(takeover->call, FG_EXIT_FAILED,
                           "%s: the log has used up its %d epochs (starts)", takeover->from,
                           FG_EPOCH_MAX);
    fg_journal_time(source->last_ns, last);
    fg_takeover_step(takeover, "read",
                     "%s: log %016" PRIx64 " in epoch %" PRIu32 ", %" PRIu64 " records to %s, %s",
                     takeover->from, source->journal_id, source->last_epoch, source->records, last,
                     fg_journal_end_text(source));
    return FG_EXIT_OK;
}

/* --- where the copy goes --- */

struct served {
    uint32_t epoch;
    bool records;
};

static int note_served(void *arg, const struct fg_journal_frame *frame,
                       const struct fg_record *record)
{
    struct served *served = arg;

    (void)record;
    if (frame->header->epoch > served->epoch && !(frame->header->flags & FG_FRAME_BASE))
        served->records = true;
    return served->records;
}

/* What the state file tells of an earlier attempt. */
struct attempt {
    uint64_t id; /* of the log */
    uint32_t epoch;
    uint64_t instance;
};

static void state_path(const struct takeover *takeover, char *path, size_t size)
{
    snprintf(path, size, "%s/" STATE_FILE, takeover->config.log_dir);
}

/* Was there one, on the same log? */
static bool read_attempt(const struct takeover *takeover, struct attempt *attempt)
{
    char path[4200];

    state_path(takeover, path, sizeof(path));
    FILE *file = fopen(path, "re");
    bool known = file && fscanf(file, "%" SCNx64 " %" SCNu32 " %" SCNu64, &attempt->id,
                                &attempt->epoch, &attempt->instance) == 3;
    if (file)
        fclose(file);
    return known && attempt->id == takeover->source.journal_id;
}

/* Is what stands in log.directory an earlier attempt's copy, from which no engine has served? Only
 * what an attempt wrote down is taken for one: this machine's own log, whose engine was taken over
 * before, may hold orders that are nowhere else. */
static bool is_earlier_attempt(void *arg)
{
    const struct takeover *takeover = arg;
    struct attempt attempt;

    if (!read_attempt(takeover, &attempt))
        return false;
    struct served served = {.epoch = attempt.epoch};
    const struct fg_journal_visitor visitor = {.arg = &served, .record = note_served};
    struct fg_journal_facts facts;
    const char *dir = takeover->config.log_dir;

    return fg_journal_walk(&fg_disk_files, dir, &visitor, &facts) == 0 && facts.frames > 0 &&
           facts.journal_id == takeover->source.journal_id && !served.records;
}

static bool sync_directory(const char *path)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = dir >= 0 && fsync(dir) == 0;

    if (dir >= 0)
        close(dir);
    return synced;
}

/* Our fence's number: an earlier attempt's on the same log and epoch, or a random one that is on
 * the disk before it is used. */
static int take_instance(struct takeover *takeover)
{
    char path[4200];
    struct attempt attempt;

    if (mkdir(takeover->config.log_dir, 0750) != 0 && errno != EEXIST)
        return fg_cli_fail(takeover->call, FG_EXIT_CONFIG, "log.directory %s cannot be made: %s",
                           takeover->config.log_dir, strerror(errno));
    if (read_attempt(takeover, &attempt) && attempt.epoch == takeover->source.last_epoch) {
        takeover->instance = attempt.instance;
        return FG_EXIT_OK;
    }
    if (getrandom(&takeover->instance, sizeof(takeover->instance), 0) != sizeof(takeover->instance))
        return fg_cli_fail(takeover->call, FG_EXIT_FAILED, "the system gives no random numbers");
    state_path(takeover, path, sizeof(path));
    FILE *file = fopen(path, "we");
    bool written =
        file &&
        fprintf(file, "%016" PRIx64 " %" PRIu32 " %" PRIu64 "\n", takeover->source.journal_id,
                takeover->source.last_epoch, takeover->instance) > 0 &&
        fflush(file) == 0 && fsync(fileno(file)) == 0;
    int error = errno;
    if (file && fclose(file) != 0)
        written = false;
    /* Without its name the file is lost, too, and a second run shut out by the first one's fence.
     */
    if (written && !sync_directory(takeover->config.log_dir)) {
        error = errno;
        written = false;
    }
    return written ? FG_EXIT_OK
                   : fg_cli_fail(takeover->call, FG_EXIT_DISK, "%s: %s", path, strerror(error));
}

/* --- the copy, and its epoch --- */

static struct fg_journal_copy copy_of(struct takeover *takeover)
{
    return (struct fg_journal_copy){.disk = &fg_disk_files,
                                    .from = takeover->from,
                                    .to = takeover->config.log_dir,
                                    .keep = STATE_FILE,
                                    .replace = is_earlier_attempt,
                                    .record = learn,
                                    .again = forget,
                                    .arg = takeover};
}

/* Before anything is fenced: is there a place for the copy? */
static int check_target(struct takeover *takeover)
{
    const struct fg_journal_copy copy = copy_of(takeover);
    char message[1024];
    int status = fg_journal_copy_check(&copy, message, sizeof(message));

    return status == FG_EXIT_OK ? status : fg_cli_fail(takeover->call, status, "%s", message);
}

static int copy_log(struct takeover *takeover)
{
    const struct fg_journal_copy copy = copy_of(takeover);
    struct fg_journal_copied copied;
    char message[1024];

    forget(takeover);
    int status = fg_journal_copy(&copy, &copied, message, sizeof(message));
    if (status != FG_EXIT_OK)
        return fg_cli_fail(takeover->call, status, "%s", message);
    if (copied.facts.last_epoch != takeover->source.last_epoch ||
        copied.facts.journal_id != takeover->source.journal_id)
        return fg_cli_fail(takeover->call, FG_EXIT_FAILED,
                           "%s: an engine was started on it meanwhile: its epoch is %" PRIu32
                           ", and was %" PRIu32 "; stop that engine for good and run this again",
                           takeover->from, copied.facts.last_epoch, takeover->source.last_epoch);
    fg_takeover_step(
        takeover, "copy", "%s: %" PRIu64 " frames, %" PRIu64 " records, to LSN %" PRIu64,
        takeover->config.log_dir, copied.facts.frames, copied.facts.records, copied.facts.last_lsn);
    return FG_EXIT_OK;
}

/* A sale that the old engine was given after it was read has no fence: so fence it, and copy again
 * what it may have sold until then. */
static int fence_and_copy(struct takeover *takeover)
{
    unsigned claimed;
    int status = fg_takeover_fence(takeover, &claimed); /* [takeover.1] */

    for (unsigned round = 0; status == FG_EXIT_OK; round++) {
        status = copy_log(takeover); /* [takeover.2] */
        if (status == FG_EXIT_OK)
            status = fg_takeover_fence(takeover, &claimed);
        if (status != FG_EXIT_OK || claimed == 0)
            return status;
        if (round == ROUNDS_MAX)
            return fg_cli_fail(takeover->call, FG_EXIT_FAILED,
                               "%s: it is given new sales all the time; stop that, and run this "
                               "again",
                               takeover->from);
    }
    return status;
}

static int take_nothing(void *arg, const struct fg_record *record)
{
    (void)arg;
    (void)record;
    return 0;
}

/* Uses up the fence's epoch in the copy. */
static int raise_epoch(struct takeover *takeover)
{
    const struct fg_journal_config config = {
        .dir = takeover->config.log_dir,
        .budget_bytes = takeover->config.log_budget,
        .segment_bytes = takeover->config.log_segment,
        .workers = 1,
        .lane_records = LANE_RECORDS,
        .disk = &fg_disk_files,
        .clock = &fg_clock_system,
    };
    struct fg_recovery found;
    char message[1024];
    int status;
    struct fg_journal *journal =
        fg_journal_open(&config, take_nothing, NULL, &found, &status, message, sizeof(message));

    if (!journal)
        return fg_cli_fail(takeover->call, status, "%s", message);
    fg_journal_stop(journal);
    int failed = fg_journal_failed(journal);
    fg_journal_close(journal);
    if (failed != 0)
        return fg_cli_fail(takeover->call, FG_EXIT_DISK, "%s: writing the log failed: %s",
                           takeover->config.log_dir, strerror(-failed));
    fg_takeover_step(takeover, "epoch", "%u is used up; the engine that starts here now has %u",
                     found.epoch, found.epoch + 1);
    return FG_EXIT_OK;
}

static int take_over(struct takeover *takeover)
{
    int status = read_source(takeover);

    if (status == FG_EXIT_OK)
        status = check_target(takeover);
    if (status == FG_EXIT_OK)
        status = take_instance(takeover);
    if (status == FG_EXIT_OK)
        status = fg_takeover_connect(takeover);
    if (status == FG_EXIT_OK)
        status = fence_and_copy(takeover);
    if (status == FG_EXIT_OK)
        status = raise_epoch(takeover); /* [serve.1] */
    return status;
}

static int run(const struct fg_cli_call *call)
{
    struct takeover *takeover = calloc(1, sizeof(*takeover));
    char message[1024];

    if (!takeover || fg_journal_names_init(&takeover->sales.names) != 0) {
        free(takeover);
        return fg_cli_fail(call, FG_EXIT_MEMORY, "memory is short");
    }
    takeover->call = call;
    takeover->from = call->arguments[0];
    takeover->steps = json_array();
    int status = FG_EXIT_CONFIG;
    if (fg_config_load(&takeover->config, call->options[FG_CLI_CONFIG], message, sizeof(message))) {
        fg_cli_fail(call, status, "%s", message);
    } else {
        status = take_over(takeover);
        fg_config_free(&takeover->config);
    }
    if (call->json)
        fg_journal_print_json(
            json_pack("{s:b, s:O}", "taken_over", status == FG_EXIT_OK, "steps", takeover->steps),
            call->out);
    if (takeover->link)
        fg_redis_link_destroy(takeover->link);
    json_decref(takeover->steps);
    fg_journal_names_fini(&takeover->sales.names);
    free(takeover);
    return status;
}

const struct fg_cli_local fg_takeover_command = {
    .run = run,
    .options = FG_CLI_TAKES(WITHOUT_FENCE),
    .required = FG_CLI_TAKES(CONFIG),
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |
                FG_CLI_STATUS(CONFIG) | FG_CLI_STATUS(IN_USE) | FG_CLI_STATUS(DISK) |
                FG_CLI_STATUS(CORRUPT) | FG_CLI_STATUS(FENCED) | FG_CLI_STATUS(MEMORY),
    .manual = fg_takeover_manual,
};
