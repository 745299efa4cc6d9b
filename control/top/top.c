/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flashgatectl top: paints what top/view.c says, and reads keys. Signals are taken only while it
 * waits, so none is lost between a look at the flag and the wait; whatever ends it, the terminal is
 * put back as it was.
 */
#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termcap.h>
#include <time.h>
#include <unistd.h>

#include "control/cli/client.h"
#include "control/cli/table.h"
#include "control/cli/watch.h"
#include "control/top/feed.h"
#include "control/top/view.h"
#include "dataplane/orders/clock.h"

static volatile sig_atomic_t stop_asked;

static void ask_to_stop(int number)
{
    (void)number;
    stop_asked = 1;
}

struct view {
    struct fg_top_answer now, before; /* `before` came before `now`, and both with a status */
    char trouble[1024];
    unsigned sale, first_item;
    uint64_t interval_ms;
    struct fg_top_screen screen;
};

/* --- what is seen --- */

static void take(struct view *view, const struct fg_top_answer *answer)
{
    if (!answer->status) {
        memcpy(view->trouble, answer->message, sizeof(view->trouble));
        return;
    }
    view->trouble[0] = '\0';
    json_decref(view->before.status);
    view->before = view->now;
    view->now = *answer;
}

static void paint(struct view *view)
{
    static const attr_t styles[] = {[FG_TOP_TITLE] = A_REVERSE | A_BOLD,
                                    [FG_TOP_HEAD] = A_BOLD,
                                    [FG_TOP_ALARM] = A_BOLD,
                                    [FG_TOP_FAINT] = A_DIM};
    uint64_t now_ns = fg_clock_ns(CLOCK_MONOTONIC);
    uint64_t silent_ns = now_ns > view->now.at_ns ? now_ns - view->now.at_ns : 0;
    bool asked_long = silent_ns > (view->interval_ms + 2000) * 1000000;
    const struct fg_top_input input = {
        .now = view->now.status,
        .before = view->before.status,
        .seconds = (double)(view->now.at_ns - view->before.at_ns) / 1e9,
        .wall_ns = fg_clock_ns(CLOCK_REALTIME),
        .trouble = *view->trouble ? view->trouble
                   : asked_long   ? "The engine has the question, and is silent."
                                  : NULL,
        .silent_ms = silent_ns / 1000000,
        .sale = view->sale,
        .first_item = view->first_item,
        .rows = (unsigned)getmaxy(stdscr),
        .columns = (unsigned)getmaxx(stdscr),
        .interval_ms = view->interval_ms,
        .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
    };
    fg_top_view(&view->screen, &input);
    view->first_item = view->screen.first_item;
    erase();
    for (unsigned row = 0; row < view->screen.rows; row++) {
        const struct fg_top_line *line = &view->screen.lines[row];
        attr_t style = styles[line->style];
        if (line->style == FG_TOP_ALARM && has_colors())
            style |= (attr_t)COLOR_PAIR(1);
        attrset(style);
        mvaddstr((int)row, 0, line->text);
    }
    attrset(A_NORMAL);
    refresh();
}

/* --- keys --- */

/* False: the person has enough. */
static bool obey(struct view *view, int key)
{
    unsigned sales = view->screen.sales ? view->screen.sales : 1;

    if (view->sale >= sales)
        view->sale = sales - 1;
    switch (key) {
    case 'q':
    case 'Q':
        return false;
    case KEY_RIGHT:
    case '\t':
        view->sale = (view->sale + 1) % sales;
        view->first_item = 0;
        break;
    case KEY_LEFT:
    case KEY_BTAB:
        view->sale = (view->sale + sales - 1) % sales;
        view->first_item = 0;
        break;
    case KEY_DOWN:
        view->first_item++;
        break;
    case KEY_UP:
        view->first_item -= view->first_item > 0;
        break;
    case 'L' & 0x1f: /* redraws what something else has spoilt */
        clearok(stdscr, true);
        break;
    default:
        break;
    }
    return true;
}

/* All keys that wait. False: no more is wanted. */
static bool read_keys(struct view *view)
{
    int key;
    while ((key = getch()) != ERR)
        if (!obey(view, key))
            return false;
    return true;
}

/* --- the loop --- */

/* Until q, a signal, or the terminal's end. */
static void look(struct view *view, struct fg_top_feed *feed, int keys_fd, const sigset_t *open)
{
    struct pollfd waits[] = {{.fd = keys_fd, .events = POLLIN},
                             {.fd = fg_top_feed_fd(feed), .events = POLLIN}};
    /* Clocks go on by themselves. */
    const struct timespec second = {.tv_nsec = 500000000};
    struct fg_top_answer answer;

    while (!stop_asked) {
        if (!read_keys(view))
            break;
        if (fg_top_feed_take(feed, &answer))
            take(view, &answer);
        paint(view);
        if (ppoll(waits, 2, &second, open) < 0 && errno != EINTR)
            break;
        if (waits[0].revents & (POLLHUP | POLLERR | POLLNVAL))
            break;
    }
}

/* Signals that end it, and the terminal's resize, wait until look() waits. `open`: the mask as it
 * was. */
static void hold_signals(sigset_t *open)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    const struct sigaction action = {.sa_handler = ask_to_stop};
    sigset_t held;

    sigemptyset(&held);
    sigaddset(&held, SIGWINCH);
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        sigaction(ends[i], &action, NULL);
        sigaddset(&held, ends[i]);
    }
    sigprocmask(SIG_BLOCK, &held, open);
}

static int show(struct view *view, struct fg_top_feed *feed, const struct fg_cli_call *call)
{
    sigset_t open;

    setlocale(LC_CTYPE, "");
    stop_asked = 0;
    hold_signals(&open);
    /* tgetent first: where it fails, newterm would leave memory behind. */
    const char *term = getenv("TERM");
    SCREEN *screen =
        tgetent(NULL, term ? term : "") == 1 ? newterm(NULL, call->out, call->in) : NULL;
    if (!screen)
        return fg_cli_fail(call, FG_EXIT_USAGE,
                           "nothing is known of the terminal type \"%s\"; set TERM, or use status "
                           "--watch",
                           term ? term : "");
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, true);
    nodelay(stdscr, true);
    curs_set(0);
    if (has_colors()) {
        start_color();
        use_default_colors();
        init_pair(1, COLOR_RED, -1);
    }
    look(view, feed, fileno(call->in), &open);
    endwin();
    delscreen(screen);
    return FG_EXIT_OK;
}

static int run(const struct fg_cli_call *call)
{
    const char *socket = call->options[FG_CLI_SOCKET];
    static struct view view;
    uint64_t interval_ms;
    char message[1024];

    if (!fg_watch_interval(call->options[FG_CLI_INTERVAL], &interval_ms, message, sizeof(message)))
        return fg_cli_fail(call, FG_EXIT_USAGE, "%s", message);
    if (call->json)
        return fg_cli_fail(call, FG_EXIT_USAGE,
                           "top has no JSON; use: flashgatectl status --watch --json");
    if (!isatty(fileno(call->out)) || !isatty(fileno(call->in)))
        return fg_cli_fail(call, FG_EXIT_USAGE,
                           "top wants a terminal to draw on and to read keys from; for a file or a "
                           "pipe use: flashgatectl status --watch");
    view = (struct view){.interval_ms = interval_ms};
    /* A wrong socket is told at once, and not on a screen that waits. */
    int status = fg_client_call(socket, "status", NULL, &view.now.status, message, sizeof(message));
    if (status != FG_EXIT_OK)
        return fg_cli_fail(call, status, "%s", message);
    view.now.at_ns = fg_clock_ns(CLOCK_MONOTONIC);
    struct fg_top_feed *feed = fg_top_feed_create(socket, interval_ms);
    if (!feed)
        status =
            fg_cli_fail(call, FG_EXIT_FAILED, "no thread to ask the engine: %s", strerror(errno));
    else
        status = show(&view, feed, call);
    fg_top_feed_destroy(feed);
    json_decref(view.now.status);
    json_decref(view.before.status);
    return status;
}

const struct fg_cli_local fg_top_command = {
    .run = run,
    .options = FG_CLI_TAKES(INTERVAL),
    .statuses = FG_CLI_STATUS(OK) | FG_CLI_STATUS(FAILED) | FG_CLI_STATUS(USAGE) |
                FG_CLI_STATUS(UNREACHABLE) | FG_CLI_STATUS(REFUSED),
    .manual =
        "From top to bottom: alarms, one sale's clock and how its items burn down (units left, "
        "units\n"
        "given a second, time to empty at that rate), workers with the share of their time that "
        "they\n"
        "are busy, decisions a second by verdict, the log's flush, the lag of delivery, and "
        "frames\n"
        "that were dropped, by reason. Rates are those between the last two answers of the "
        "engine.\n"
        "\n"
        "Keys: q ends; left, right and tab choose the sale; up and down move through its items;\n"
        "Ctrl-L draws anew. It wants a terminal of 60x16 or more. When the engine goes away it "
        "says so\n"
        "and keeps what it saw last; when an engine answers again it goes on.\n",
};
