/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the control plane share. One thread: the main one. */
#ifndef FG_CONTROL_INTERNAL_H
#define FG_CONTROL_INTERNAL_H

#include "control/board.h"
#include "control/capture.h"
#include "control/config/keys.h"
#include "control/control.h"
#include "control/events.h"
#include "control/key_shares.h"
#include "control/lists/listing.h"
#include "control/ports.h"
#include "control/sale/model.h"
#include "control/server/roles.h"
#include "control/server/server.h"
#include "control/skew.h"
#include "dataplane/engine.h"

#define FG_TICK_MS 10 /* clock page, published stock, schedules */

/* How long an operator is made to wait, ms. Constant but for tests. */
struct fg_control_limits {
    unsigned durable; /* for the log */
    unsigned seen;    /* for every worker to see a revision */
    unsigned answer;  /* for a worker's answer to a command */
    unsigned unheard; /* for the reader of a capture to ask on */
};

/* Where a change stands; change.c says which way it goes. */
enum fg_change_stage {
    FG_CHANGE_NONE,
    FG_CHANGE_TO_JOURNAL,
    FG_CHANGE_TO_FLUSH,
    FG_CHANGE_TO_PUBLISH,
    FG_CHANGE_TO_SEE,
    FG_CHANGE_TO_SETTLE, /* an archived sale */
};

/* What archiving a sale needs besides its event (archive.c). */
struct fg_archive {
    char *names;     /* body of the NAMES_USED event that goes before; NULL once it is submitted */
    uint32_t *slots; /* of the sale's items */
    uint32_t slots_count;
    uint64_t queued[FG_WORKERS_MAX]; /* tickets that each worker had given out */
};

/* The one change under way. */
struct fg_change {
    enum fg_change_stage stage;
    bool takes; /* from buyers: published first, journalled after */
    struct fg_control_event event;
    char *body;           /* SALE: JSON text */
    struct fg_sale *sale; /* SALE: the definition to put in force */
    bool archives;        /* the event archives a sale */
    bool reissues;        /* no event, no revision: the catalogue is only published anew */
    struct fg_archive archive;
    uint64_t ticket; /* of the journal */
};

/* How exactly a sale opened by the clock: the loops of the slowest worker (openings.c). */
struct fg_opening_seen {
    uint32_t sale; /* number; 0: free */
    unsigned worker;
    uint64_t
        opened_after_ns; /* the first loop that judged it open began so long after the instant */
    uint64_t closed_before_ns; /* the last loop of any worker that did not, before it */
};

struct fg_control {
    struct fg_engine *engine;
    struct fg_model model;
    struct fg_key_file *keys;   /* in force, or about to be */
    struct fg_listing *listing; /* block and allow lists */
    struct fg_key_shares key_shares;
    struct fg_skew skew;
    struct fg_ports_seen ports_seen;
    struct fg_server *server;
    struct fg_roles roles;
    struct fg_events *events;
    struct fg_catalogue *retired; /* was replaced; freed when no worker can read it any more */
    uint64_t issues;              /* catalogues published */
    struct fg_change change;
    struct fg_board_desk desk;        /* what other threads may see of the model ... */
    uint64_t shown_revision;          /* ... as of this revision ... */
    enum fg_change_stage shown_stage; /* ... and stage of a change */
    uint64_t next_quality_ms;         /* monotonic: when the clock's quality is shown anew */
    struct fg_control_limits limits;
    struct fg_opening_seen openings[FG_SALES_LIVE_MAX];
    uint64_t serving_since_ns;         /* the engine's clock */
    uint64_t clock_floor_ns;           /* it does not go back behind this */
    uint64_t started_ms, next_tick_ms; /* monotonic */
    uint64_t ticks, ticks_late;        /* late: by FG_TICK_MS or more */
    uint64_t tick_late_ms_max;
    uint64_t round_cpu_us_max;  /* the longest that one round of the socket computed ... */
    uint64_t rounds_long;       /* ... and how many did for FG_TICK_MS or more */
    uint64_t delivery_errors;   /* as last seen ... */
    uint64_t delivery_error_ms; /* ... and when the last one was; monotonic, 0: none yet */
    struct fg_control_capture capture;
    unsigned commands_late; /* given up by who asked, still with a worker */
    int status;             /* enum fg_exit_status; not OK: the engine must stop ... */
    char reason[512];       /* ... because */
};

/* control.c: the engine's clock page, published stock and failures, at most every FG_TICK_MS. Who
 * waits calls it, so that time goes on. False: the engine must stop. */
bool fg_control_pulse(struct fg_control *control);
/* Waits a moment and pulses. */
bool fg_control_wait(struct fg_control *control);
/* Begins to record an opening or closing whose time has come, if no change is under way. True: it
 * has begun one. */
bool fg_control_run_schedules(struct fg_control *control);
/* The state that a sale's times ask for then. A sale's state only goes forward. */
enum fg_sale_state fg_control_state_due(const struct fg_sale *sale, uint64_t wall_ns);
/* The first failure is the one that is told. */
__attribute__((format(printf, 3, 4))) void fg_control_fail(struct fg_control *control, int status,
                                                           const char *format, ...);
/* CLOCK_REALTIME, whatever it did. Schedules and records go by fg_control_clock_ns(). */
uint64_t fg_control_wall_ns(void);
uint64_t fg_control_now_ms(void);

/* listen.c: serves the socket until the next tick, or as long as a round may take. */
void fg_control_serve(struct fg_control *control);

/* show.c: a new board, when the model has changed and when a change is over: units come on sale at
 * its end. Without memory the board stays as it was, until the next tick. */
void fg_control_show_board(struct fg_control *control);
/* The clock page's own account, which is control's alone; its quality, of a minute, now and then.
 */
void fg_control_show_clock(struct fg_control *control, uint64_t now_ms);

/* clock.c: the engine's clock, which workers and schedules go by: see clock_page.h. ns. */
uint64_t fg_control_clock_ns(const struct fg_control *control);
/* Writes the clock page anew. */
void fg_control_clock_update(struct fg_control *control);
/* Takes the machine's clock as it is, after a step; no change may be under way. After a step back
 * one has begun, for workers to learn since when requests are taken. */
void fg_control_clock_accept(struct fg_control *control);
json_t *fg_status_clock(const struct fg_control *control);

/* openings.c: once a tick: notes how exactly sales have just opened. */
void fg_openings_note(struct fg_control *control);
/* {"opened_after_ns", "worker", "closed_before_ns"}, or null: not opened by the clock, or not seen.
 */
json_t *fg_openings_json(const struct fg_control *control, uint32_t sale);

/* publish.c: a snapshot of the model takes the place of the one in force. 0 or -ENOMEM. */
int fg_publish(struct fg_control *control);
/* A worker that has not seen the catalogue in force, or -1. */
int fg_publish_laggard(const struct fg_control *control);
/* After the last laggard: frees the replaced snapshot. */
void fg_publish_reclaim(struct fg_control *control);

/* change_begin.c: begins a change; none may be under way. The sale is copied. 0, -ENOMEM, or -E2BIG
 * or -EINVAL for a sale that the log cannot hold. `peer` NULL: the engine itself. */
int fg_change_begin_sale(struct fg_control *control, const struct fg_peer *peer,
                         const struct fg_sale *sale, bool takes);
void fg_change_begin_state(struct fg_control *control, const struct fg_peer *peer, uint32_t number,
                           enum fg_sale_state state);
/* Anything but RUNNING takes; see event.h. */
void fg_change_begin_item(struct fg_control *control, const struct fg_peer *peer,
                          const struct fg_model_item *item, enum fg_item_state state);
void fg_change_begin_mode(struct fg_control *control, const struct fg_peer *peer,
                          enum fg_engine_mode mode);
/* Puts units on sale; the supply must not come above FG_STOCK_MAX, and must fit (fg_plan_fits). */
void fg_change_begin_add(struct fg_control *control, const struct fg_peer *peer,
                         const struct fg_model_item *item, uint32_t units);
/* Takes up to `units` unsold units off sale at once, and begins to record how many: returns that.
 * 0: there were none, and no change has begun. A crash before it is durable leaves them on sale. */
uint32_t fg_change_begin_remove(struct fg_control *control, const struct fg_peer *peer,
                                const struct fg_model_item *item, uint32_t units);
/* Publishes the catalogue anew, with nothing in it that the log tells of. */
void fg_change_begin_reissue(struct fg_control *control);
/* Takes what fg_archive_prepare() made. */
void fg_change_begin_archive(struct fg_control *control, const struct fg_peer *peer,
                             uint32_t number, struct fg_archive *archive);
/* change.c: carries it on as far as it goes without waiting. 0, or -EAGAIN when the journal's queue
 * was full and the change was dropped with nothing done. */
int fg_change_step(struct fg_control *control);
/* Waits until none is under way, within the limits. 0, or an rpc error with a sentence; the change
 * then goes on in the background. */
int fg_change_finish(struct fg_control *control, char *message, size_t size);
void fg_change_clear(struct fg_control *control);

/* act.c: journals what `peer` (NULL: the engine itself) is about to do that makes no revision, as
 * an ACT event {"method": method, members of params}, and waits until it is durable. `params` stays
 * the caller's; NULL: none. 0, or an rpc error with a sentence, and then it must not be done. */
int fg_act_submit(struct fg_control *control, const struct fg_peer *peer, const char *method,
                  const json_t *params, char *message, size_t size);
/* Journals what has come to its end already; nobody waits, and a full queue loses it. */
void fg_act_note(struct fg_control *control, const struct fg_peer *peer, const char *method,
                 const json_t *params);

/* room.c: has the log room for definitions of sales of so many bytes, or (0) for anything small?
 * 0, or -1 with a sentence. */
int fg_room_check(const struct fg_control *control, uint64_t definition_bytes, char *message,
                  size_t size);

/* archive.c: may the sale be archived? 0, or -EPERM with a sentence. */
int fg_archive_check(const struct fg_control *control, const struct fg_sale *sale, char *message,
                     size_t size);
/* 0, or -EPERM, -E2BIG or -ENOMEM with a sentence. */
int fg_archive_prepare(const struct fg_control *control, const struct fg_sale *sale,
                       struct fg_archive *archive, char *message, size_t size);
void fg_archive_free(struct fg_archive *archive);
/* The change under way: every worker has taken up the catalogue without the sale; from then on, is
 * every worker done with the sale? If so its slots are made fit for other items. */
void fg_archive_unlinked(struct fg_control *control);
bool fg_archive_settled(struct fg_control *control);

/* methods.c: the answer to one line, as fg_server_config.answer wants it; `arg` is the control. */
char *fg_methods_answer(void *arg, const struct fg_peer *peer, const char *line, size_t length);

/* command.c: asks the worker that owns the buyer. 0, or an rpc error with a sentence. */
int fg_command_order(struct fg_control *control, const uint8_t buyer[FG_BUYER_BYTES],
                     uint64_t request, struct fg_order_view *view, char *message, size_t size);
/* A page of the buyer's orders: orders, count and page of *list, which is to be freed. */
int fg_command_orders(struct fg_control *control, const uint8_t buyer[FG_BUYER_BYTES],
                      const struct fg_order_page *page, struct fg_command **list, char *message,
                      size_t size);
/* Withdraws an order and waits until that is durable and the units are back. *changed: it was not
 * withdrawn before. */
int fg_command_cancel(struct fg_control *control, const uint8_t buyer[FG_BUYER_BYTES],
                      uint64_t request, struct fg_order_view *view, bool *changed, char *message,
                      size_t size);
/* Asks all workers for their suspects. answers[w], to be freed: its `suspects`; NULL: it has not
 * answered in time. */
void fg_command_suspects(struct fg_control *control, struct fg_command *answers[FG_WORKERS_MAX]);
/* Frees commands that came back after their time. */
void fg_command_reap(struct fg_control *control);

/* Sends a copy of the command, whose answer nobody awaits. False: not now. */
bool fg_command_post(struct fg_control *control, struct fg_worker *worker,
                     const struct fg_command *command);

/* Has the owner settled the buyer's record with that ticket: is it on disk, and are units that it
 * returns back? */
bool fg_command_settled(const struct fg_control *control, const uint8_t *buyer, uint64_t ticket);

/* methods/drain.c: does the engine drain, and has everything that was under way come to its end? */
bool fg_drain_done(const struct fg_control *control);

/* alarms.c: the warnings, an array of sentences. */
json_t *fg_alarms_json(const struct fg_control *control);

/* status_control.c: the socket's figures, and the ticks'. */
json_t *fg_status_control(const struct fg_control *control);

/* status_delivery.c */
const char *fg_stream_state_name(enum fg_stream_state state);
/* Notes when delivery's count of errors grew; while there is delivery. */
void fg_status_note_error(struct fg_control *control);
json_t *fg_status_delivery(const struct fg_control *control); /* null without delivery */
/* The link and every sale's stream; while there is delivery. */
json_t *fg_status_streams(const struct fg_control *control);

/* status_keys.c: what workers have seen of the key at a place of the ring, and of each. */
json_t *fg_status_key(const struct fg_control *control, unsigned place);
json_t *fg_status_keys(const struct fg_control *control);

/* status.c: pictures for people and scripts. New references; NULL when memory is short. */
json_t *fg_status_json(const struct fg_control *control);
json_t *fg_status_sale(const struct fg_control *control, const struct fg_sale *sale,
                       uint32_t items_max);

#endif
