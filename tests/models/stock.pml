/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stock: the take, recall, refuse and return of dataplane/admission/stock.c, the records of
 * admission/records.c, decide.c and states.c that raise and lower `open`, and the journal, step by
 * step. Each read or write of shared memory is one step; what is grouped by atomic or d_step touches
 * one shared word. A step that stands for a statement of the code is marked [GROUP.N] and some text
 * of it; the statement carries the same mark, and correspondence.py keeps the two sides in step.
 *
 * take    = dataplane/admission/stock.c fg_stock_take_units
 * chunk   = dataplane/admission/stock.c take_from_pool
 * recall  = dataplane/admission/stock.c recall
 * cells   = dataplane/admission/stock.c sum_cells
 * opens   = dataplane/admission/stock.c anything_open
 * remove  = dataplane/admission/stock.c fg_stock_remove
 * return  = dataplane/admission/stock.c fg_stock_put_back
 * admit   = dataplane/admission/decide.c admit
 * confirm = dataplane/admission/states.c order_confirm
 * full    = dataplane/admission/decide.c take
 * cancel  = dataplane/admission/states.c order_withdraw
 * expire  = dataplane/admission/states.c order_expire
 * settle  = dataplane/admission/records.c records_settle
 * stage   = control/change.c step_stage
 * restock = control/change.c fill_item
 * removed = control/change.c flushed
 * gather  = dataplane/orders/journal.c gather_orders
 * commit  = dataplane/orders/journal.c commit
 *
 * Options: W workers, R requests each, N units, Q greatest quantity, CELLS units that begin in each
 * cell, CANCEL (cancels of final orders, of each worker), FULL (a take may find no place for the
 * order), HOLD (orders are held; each is confirmed or runs out), RESTOCK (units that control adds),
 * REMOVE (units that control takes off).
 *
 * What must hold:
 *   - no oversell: at every record written, so at every place where a crash may cut the log, what
 *     the log gives away is covered by what it has put on sale (log_free >= 0);
 *   - SOLD_OUT is true at the step that says it: fewer units than asked are not taken (taken), and
 *     fewer than asked would come back if the engine crashed there and every unconfirmed hold ran
 *     out (given_durable, removed_durable); what is returned or added counts from the step that
 *     puts it down, before which nobody is told of it;
 *   - one winner: no order is returned twice or both confirmed and returned (log_held,
 *     final_durable never below 0);
 *   - conservation when all is quiet, no stuck state, and (with -DNP) no cycle at all: every request
 *     is answered, so any cycle would be a livelock.
 *
 * Left out, because it only ever refuses less or asks again: the memory of the last scan within a
 * loop, the forgetting of refusals, BUSY (rings, parking, 5 ms). A chunk may be of any size from what
 * is asked to all there is, not only units / 2W. A parked request is judged again when that can make
 * a difference; it was free to be judged at any moment before. A record becomes durable and its mark
 * visible in one step: a worker that has not looked at its mark yet is the same as one whose mark
 * comes later.
 */
#ifndef W
#define W 2
#endif
#ifndef R
#define R 2
#endif
#ifndef N
#define N 3
#endif
#ifndef Q
#define Q 2
#endif
#ifndef CELLS
#define CELLS 0
#endif
#ifndef CANCEL
#define CANCEL 0
#endif
#if defined(RESTOCK) || defined(REMOVE) || defined(CTLCANCEL)
#define CONTROL 1
#endif
#define LANE (2 * (R + CANCEL) + 2)

mtype = { ADMIT, CONFIRM, RELEASE, RETURN, PUT, TAKE_OFF };

/* The item: S = ver | units, a cell for each worker, `open` for each worker and control. */
byte ver;
byte units = N - CELLS * W;
byte cell[W] = CELLS;
byte open[W + 1];

/* Records: in the lane, then durable but not settled yet by the owner. Line W is control's. */
chan lane[W + 1] = [LANE] of { mtype, byte };
chan durable[W + 1] = [LANE] of { mtype, byte };

/* What only the checks look at. */
byte on_sale = N;          /* put on sale: counted when the units are put down */
byte taken;                /* taken and not put back; removals count */
short log_free = N;        /* units on sale as the log written so far has it */
short log_held;            /* units under hold, as the log has it */
short final_durable;       /* units given for good, as the durable log has it */
byte given_durable;        /* the same, but counted until the units are put back */
byte removed_durable;
byte running = W;
#ifdef CONTROL
bit running_control = 1;
#endif

#if W == 2
#define IN_CELLS  (cell[0] + cell[1])
#define ALL_OPEN  (open[0] + open[1] + open[2])
#define ALL_LANES (len(lane[0]) + len(lane[1]) + len(durable[0]) + len(durable[1]))
#else
#define IN_CELLS  (cell[0] + cell[1] + cell[2])
#define ALL_OPEN  (open[0] + open[1] + open[2] + open[3])
#define ALL_LANES                                                                                  \
    (len(lane[0]) + len(lane[1]) + len(lane[2]) + len(durable[0]) + len(durable[1]) +              \
     len(durable[2]))
#endif

#if defined(NOOPEN)
#define UNSETTLED 0
#elif defined(HEADS)
#define UNSETTLED (ALL_LANES != 0)
#else
#define UNSETTLED (ALL_OPEN != 0)
#endif

#define say_sold_out(q)                                                                            \
    assert(on_sale - taken < (q));                                                                 \
    assert(on_sale - given_durable - removed_durable < (q))

/* The units leave the sale: part of the step that takes them. */
#define count_taken(n)                                                                             \
    taken = taken + (n);                                                                           \
    assert(taken <= on_sale)

#define count_back(n)                                                                              \
    taken = taken - (n);                                                                           \
    given_durable = given_durable - (kind == RETURN -> (n) : 0)

#ifdef STICKYQ
#define REMEMBERED (refused && refused_ver == seen_ver)
#else
#define REMEMBERED (refused && refused_ver == seen_ver && q > refused_available)
#endif

#if !defined(HOLD)
#define NO_HOLDS true
#elif Q == 2
#define NO_HOLDS (held[1] == 0 && held[2] == 0)
#else
#define NO_HOLDS (held[1] == 0)
#endif

#ifdef CONTROL
#define CONTROL_DONE (empty(lane[W]) && empty(durable[W]) && running_control == 0)
#else
#define CONTROL_DONE true
#endif

#if CANCEL
#define keep_final(n) final[n]++
#else
#define keep_final(n) skip
#endif

#define raise(w) open[w]++
#define lower(w) open[w]--

/* S = S + version step + n */
inline put_back(n)
{
#ifdef SPLITRET
    d_step { cell[me] = cell[me] + n; count_back(n) }
    ver++
#else
    d_step { ver++; units = units + n; count_back(n) } /* [return.1] fetch_add...VERSION_1 + quantity, memory_order_acq_rel */
#endif
}

inline recall(w)
{
    raise(w);                                       /* [recall.1] fg_stock_open_up */
    v = 0; gathered = 0;
    do
    :: v < W ->
        d_step { gathered = gathered + cell[v]; cell[v] = 0; v++ } /* [recall.2] atomic_exchange...acq_rel */
    :: else -> break
    od;
#ifdef OPENBEFOREBUMP
    lower(w);
#endif
#ifdef RECALLNOBUMP
    units = units + gathered;
#else
    atomic { ver++; units = units + gathered }      /* [recall.3] fetch_add...VERSION_1 + gathered, memory_order_acq_rel */
#endif
#ifndef OPENBEFOREBUMP
    lower(w);                                       /* [recall.4] fg_stock_open_down */
#endif
    d_step { v = 0; gathered = 0 }
}

inline sum_cells()
{
    v = 0;
    do
    :: v < W -> d_step { sum = sum + cell[v]; v++ } /* [cells.1] cell, memory_order_acquire */
    :: else -> break
    od;
    v = 0
}

inline read_opens()
{
    v = 0;
#if defined(HEADS)
    busy = ALL_LANES != 0;
#elif defined(OWNONLY)
    busy = open[me] != 0;
#elif !defined(NOOPEN)
    do
#ifdef NOCTLOPEN
    :: v < W ->
#else
    :: v <= W ->
#endif
        d_step { busy = busy || open[v] != 0; v++ } /* [opens.1] &line->open, memory_order_acquire */
    :: else -> break
    od;
    v = 0
#endif
}

proctype worker(byte me)
{
    byte left = R, q, parked;            /* requests; the one at hand; it waits for a flush */
    byte seen_ver, seen, c, n, v, sum, gathered;
    bool busy, refused;
    byte refused_ver, refused_available;
    byte cancels = CANCEL;
    byte held[Q + 1], final[Q + 1];      /* its orders, by quantity */
    mtype kind;

loop:
    do
    /* Its own records, in the lane's order, as they are durable. */
    :: atomic { durable[me]?kind,n ->               /* [settle.1] fg_lane_durable */
#ifdef DURSTATE
           if
           :: kind == CONFIRM || kind == RELEASE -> held[n]--
           :: else
           fi
#endif
       }
        if
        :: kind == RELEASE || kind == RETURN ->
#ifdef RELOWERFIRST
            lower(me);
            put_back(n)
#else
#ifndef RETEARLY
            put_back(n);                            /* [settle.2] fg_stock_put_back */
#endif
            lower(me)                               /* [settle.3] fg_stock_open_down */
#endif
        :: kind == CONFIRM ->
#ifndef CONFLOWERQ
            lower(me)                               /* [settle.4] fg_stock_open_down */
#else
            skip
#endif
        :: kind == ADMIT ->
#if !defined(HOLD) && !defined(EARLYLOWER)
            lower(me)                               /* [settle.5] fg_stock_open_down */
#else
            skip
#endif
        fi;
        d_step { kind = 0; n = 0 }

    :: atomic { left > 0 && !parked ->
           if
           :: q = 1
#if Q == 2
           :: q = 2
#endif
           fi;
           goto take
       }
    :: atomic { parked && (units + IN_CELLS >= q || !UNSETTLED) -> parked = 0; goto take }

#ifdef HOLD
    :: atomic { held[1] > 0 -> n = 1; goto end_hold }
#if Q == 2
    :: atomic { held[2] > 0 -> n = 2; goto end_hold }
#endif
#endif
#if CANCEL
    :: atomic { cancels > 0 && final[1] > 0 -> n = 1; goto cancel }
#if Q == 2
    :: atomic { cancels > 0 && final[2] > 0 -> n = 2; goto cancel }
#endif
#endif

    :: atomic { left == 0 && empty(lane[me]) && empty(durable[me]) && NO_HOLDS -> break }
    od;
    goto finished;

    /* An order changes its state when its record is queued, in the same turn of its owner. */
#ifdef HOLD
end_hold:
    if
    :: atomic {
#ifndef DURSTATE
           held[n]--;                               /* [confirm.1] state = FG_ORDER_CONFIRMED */
           keep_final(n);
#endif
           lane[me]!CONFIRM,n                       /* [confirm.2] SETTLE_UNHOLD */
       }
#ifdef CONFLOWERQ
        lower(me)
#endif
    :: atomic {
#ifndef DURSTATE
           held[n]--;                               /* [expire.1] state = FG_ORDER_EXPIRED */
#endif
           lane[me]!RELEASE,n                       /* [expire.2] SETTLE_RELEASE */
       }
#ifdef RETEARLY
        put_back(n)
#endif
    fi;
    n = 0;
    goto loop;
#endif

#if CANCEL
cancel:
    raise(me);                                      /* [cancel.1] fg_stock_open_up */
    atomic {
        final[n]--;                                 /* [cancel.2] state = FG_ORDER_CANCELLED */
        cancels--;
        lane[me]!RETURN,n                           /* [cancel.3] SETTLE_RETURN */
    }
#ifdef RETEARLY
    put_back(n);
#endif
    n = 0;
    goto loop;
#endif

take:
    atomic {
        seen_ver = ver; seen = units;               /* [take.1] &pool->word, memory_order_acquire */
        if
        :: REMEMBERED -> say_sold_out(q); goto answered /* [take.2] fg_stock_remembers(own, seen, quantity) */
        :: else
        fi
    }
    atomic {
        c = cell[me];                               /* [take.3] &own->cell */
        if
        :: c >= q -> skip
        :: c < q && seen >= q -> c = 0; goto chunk
        :: else -> c = 0; goto scan
        fi
    }
#ifndef LATEOPEN
    raise(me);                                      /* [take.4] fg_stock_open_up */
#endif
    atomic {
        if
        :: cell[me] == c -> cell[me] = c - q; count_taken(q); c = 0; goto took /* [take.5] compare_exchange...&own->cell...acq_rel */
        :: else -> c = 0
        fi
    }
#ifndef LATEOPEN
    lower(me);
#endif
    goto take;

chunk:                                              /* [take.6] take_from_pool */
    atomic { n = q; do :: n < seen -> n++ :: break od }
#ifndef LATEOPEN
    raise(me);                                      /* [chunk.1] fg_stock_open_up */
#endif
    atomic {
        if
        :: ver == seen_ver && units == seen -> units = seen - n; count_taken(q) /* [chunk.2] compare_exchange...seen - chunk...acq_rel */
        :: else -> n = 0
        fi
    }
    if
    :: n == 0 ->
#ifndef LATEOPEN
        lower(me);                                  /* [chunk.3] fg_stock_open_down */
#endif
        goto take
    :: n > q ->
#ifdef BUMPFIRST
        ver++;
#endif
        cell[me] = cell[me] + n - q;                /* [chunk.4] cell, chunk - quantity, memory_order_release */
#if !defined(NOBUMP) && !defined(BUMPFIRST)
        ver++                                       /* [chunk.5] VERSION_1, memory_order_acq_rel */
#endif
    :: n == q
    fi;
    goto took;

scan:
    sum = seen;
#ifdef OPENFIRST
    read_opens();
#endif
    sum_cells();                                    /* [take.7] sum_cells */
    if
    :: sum >= q ->
#ifdef GATHER
        goto gather
#else
        recall(me);                                 /* [take.8] recall */
        sum = 0;
        goto take
#endif
    :: else
    fi;
#ifndef OPENFIRST
    read_opens();                                   /* [take.9] anything_open */
#endif
    atomic {
        if
#ifndef NOS2
        :: ver != seen_ver || units != seen ->      /* [take.10] &pool->word, memory_order_acquire) != seen */
            sum = 0; busy = 0; goto take
#endif
        :: else
        fi;
        if
        :: busy -> sum = 0; busy = 0;               /* [take.11] return FG_UNSETTLED */
#ifdef HOLD
            goto answered                           /* ALL_HELD */
#else
            parked = 1; seen = 0; seen_ver = 0; goto loop
#endif
        :: else
        fi;
#ifndef TAGAFTER
        refused = 1; refused_ver = seen_ver; refused_available = sum; /* [take.12] refused_version = version_of(seen) */
        sum = 0;
        say_sold_out(q);                            /* [take.13] return FG_SOLD_OUT */
        goto answered
#else
        say_sold_out(q)
#endif
    }
#ifdef TAGAFTER
    atomic { refused = 1; refused_ver = ver; refused_available = sum; sum = 0; goto answered }
#endif

#ifdef GATHER
gather: /* what lies in the cells goes into the hand; too little goes back, and once more */
    sum = 0; v = 0; raise(me);
    do
    :: v < W -> d_step { sum = sum + cell[v]; cell[v] = 0; v++ }
    :: else -> break
    od;
    v = 0;
    if
    :: sum >= q -> d_step { cell[me] = cell[me] + sum - q; sum = 0; taken = taken + q }; goto took
    :: else -> cell[me] = cell[me] + sum; sum = 0; lower(me); goto take
    fi;
#endif

took:
#ifdef LATEOPEN
    raise(me);
#endif
#ifdef FULL
    if /* no place for the order: nothing was recorded, so the units go back */
    :: put_back(q);                                 /* [full.1] fg_stock_put_back */
        lower(me);                                  /* [full.2] fg_stock_open_down */
        n = 0;
        goto answered
    :: skip
    fi;
#endif
    atomic {
#ifdef HOLD
        held[q]++;
#else
        keep_final(q);
#endif
        lane[me]!ADMIT,q;                           /* [admit.1] records_queue */
        n = 0
    }
#ifdef EARLYLOWER
    lower(me);
#endif

answered:
    atomic { left--; q = 0; seen = 0; seen_ver = 0 }
    goto loop;

finished:
    atomic {
        final[1] = 0;
#if Q == 2
        final[2] = 0;
#endif
        refused = 0; refused_ver = 0; refused_available = 0; cancels = 0; running--
    }
}

#ifdef CONTROL
proctype control()
{
    byte v, gathered, n;
    mtype kind = RETURN;

#ifdef RESTOCK
    /* Durable first, then put on sale. */
#ifdef RESTOCKEARLY
    d_step { ver++; units = units + RESTOCK; on_sale = on_sale + RESTOCK }
    lane[W]!PUT,RESTOCK;
    durable[W]?PUT,n;
#else
    lane[W]!PUT,RESTOCK;                            /* [stage.1] submit */
    durable[W]?PUT,n;                               /* [stage.2] fg_journal_submitted_durable */
    atomic {                                        /* [stage.3] put_in_force */
        ver++; units = units + n; on_sale = on_sale + n; n = 0 /* [restock.1] fg_stock_put_back */
    }
#endif
#endif
#ifdef REMOVE
#ifdef REMOVEFIRST
    lane[W]!TAKE_OFF,REMOVE;
    durable[W]?TAKE_OFF,n;
#endif
    raise(W);                                       /* [remove.1] fg_stock_open_up */
    recall(W);                                      /* [remove.2] recall */
    d_step {
        n = (units < REMOVE -> units : REMOVE);
        units = units - n;                          /* [remove.3] compare_exchange...seen - taken...acq_rel */
        count_taken(n)
    }
#ifndef REMOVEFIRST
    lane[W]!TAKE_OFF,n;
    durable[W]?TAKE_OFF,n;
#endif
    lower(W);                                       /* [removed.1] fg_stock_open_down */
    n = 0;
#endif
#ifdef CTLCANCEL
    /* An operator's cancel through control's own lane: a second writer of the order. */
    if
    :: final_durable > 0 ->
        lane[W]!RETURN,1;
        durable[W]?RETURN,n;
        d_step { ver++; units = units + n; count_back(n); n = 0 }
    :: skip
    fi;
#endif
    running_control = 0
}
#endif

/* What the log says when one more record stands in it. */
inline write(kind, n)
{
    if
    :: kind == ADMIT ->
        log_free = log_free - n;
#ifdef HOLD
        log_held = log_held + n
#else
        final_durable = final_durable + n;
        given_durable = given_durable + n
#endif
    :: kind == CONFIRM ->
        log_held = log_held - n;
        final_durable = final_durable + n;
        given_durable = given_durable + n
    :: kind == RELEASE -> log_held = log_held - n; log_free = log_free + n
    :: kind == RETURN -> final_durable = final_durable - n; log_free = log_free + n
    :: kind == PUT -> log_free = log_free + n
    :: kind == TAKE_OFF -> log_free = log_free - n; removed_durable = removed_durable + n
    fi;
    assert(log_free >= 0);
    assert(log_held >= 0);
    assert(final_durable >= 0)
}

proctype journal()
{
    mtype kind;
    byte w, n;
end:
    do
    :: atomic {
           if
           :: nempty(lane[0]) -> w = 0              /* [gather.1] fg_lane_drain */
           :: nempty(lane[1]) -> w = 1
#if W == 3
           :: nempty(lane[2]) -> w = 2
#endif
#ifdef CONTROL
           :: nempty(lane[W]) -> w = W
#endif
           fi;
           lane[w]?kind,n;
           write(kind, n);                          /* [commit.1] put_frame */
           durable[w]!kind,n;                       /* [commit.2] publish */
           kind = 0; n = 0; w = 0
       }
    od
}

init
{
    atomic {
        run worker(0);
        run worker(1);
#if W == 3
        run worker(2);
#endif
#ifdef CONTROL
        run control();
#endif
        run journal()
    }
    atomic {
        running == 0 && ALL_LANES == 0 && CONTROL_DONE ->
        assert(units + IN_CELLS == on_sale - taken);
        assert(taken == final_durable + removed_durable);
        assert(ALL_OPEN == 0)
    }
}
