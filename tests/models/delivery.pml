/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery: one log into many streams, with crashes, a takeover, a zombie, and a Redis that loses its
 * tail. Steps stand for the code as in stock.pml.
 *
 * fcall  = dataplane/orders/append.lua append
 * fence  = dataplane/orders/append.lua claim
 * settle = dataplane/orders/streams.c settle
 * pass   = dataplane/orders/streams.c fg_stream_pass
 * over   = dataplane/orders/streams.c fg_streams_end
 * moved  = dataplane/orders/streams.c fg_stream_moved
 * order  = dataplane/orders/delivery_log.c take_order
 * ask    = dataplane/orders/delivery_redis.c fg_delivery_claim
 * append = dataplane/orders/delivery_redis.c fg_delivery_append
 * follow = dataplane/orders/delivery_redis.c follow
 * takeover = control/journal/takeover.c fence_and_copy
 * serve  = control/journal/takeover.c take_over
 *
 * Two streams. Engine 0 logs PRE records, each of either sale, and delivers them. With TAKEOVER
 * engine 1 takes over at any moment: it fences every stream, then takes the final copy of the log,
 * raises the epoch, delivers and logs POST more. Engine 0 has crashed by then, or, with ZOMBIE, goes
 * on until it is told FENCED.
 *
 * Options: LOSS: once, Redis loses any part of each stream's tail and may fall back to an earlier
 * fence (KEEPFENCE: not that). DEL: once, a stream is deleted. LOST: so many calls whose answer is
 * lost; each was carried out, or will be at some later moment, or never. RESTART: once, the engine
 * that is in charge dies and starts again with the next epoch. TRIM: records that are delivered may
 * go from the log; what was each sale's last one stays known. FOLLOW: the next record, if it is the
 * same sale's, may be sent behind one whose answer has not been looked at.
 *
 * What must hold:
 *   - every entry that is appended is the next record of its sale in the log of the engine in charge
 *     (in_order);
 *   - when nothing can happen any more, each stream holds the whole log (complete), or is stopped
 *     with an alarm that is true (true_alarm): LOST_BEYOND_LOG only if the log no longer has what the
 *     stream lost. FOREIGN can only be where a fence was lost under a living zombie: there, and only
 *     there, in_order cannot be kept from inside Redis, and is not checked; the loss must not be
 *     silent;
 *   - no stuck state, and (with -DNP, without LOST) no cycle.
 *
 * A batch is one record: what is appended in one call is all or nothing. Left out: keys of a wrong
 * type, refusals of Redis, trimming by consumers, rebuilding, more than one loss or takeover.
 */
#ifndef PRE
#define PRE 2
#endif
#ifndef POST
#define POST 1
#endif
#ifndef LOST
#define LOST 0
#endif
#define MAX (PRE + POST)

/* An id is epoch and number within the sale, as in Redis; 0 is 0-0. */
#define ID(epoch, seq) ((epoch) * 8 + (seq))
#define EPOCH(id)      ((id) / 8)
#define SEQ(id)        ((id) % 8)

#define SEEKING     0
#define LIVE        1
#define FOREIGN     2
#define LOST_BEYOND 3

mtype = { OK, GAP, FENCED, NOTHING };

/* The log of each engine, as far as it is durable. */
typedef Log {
    byte n, first;          /* records; the first that retention left */
    byte sale[MAX], id[MAX];
    byte count[2];          /* records of each sale */
    byte base[2];           /* the last id of each sale before `first` */
}
Log log[2];
byte epoch[2];
bool up[2];                 /* the engine runs */
bit charge;                 /* whose log counts */

/* Redis */
typedef Stream {
    byte n, id[MAX];
    byte last;              /* last-generated-id */
    byte fence;             /* the holder's epoch; engines differ in it */
    byte fence_before;
}
Stream redis[2];

/* A command of a dropped connection. */
bool late;
bit late_sale;
byte late_epoch, late_expected, late_id;

/* Delivery, for each engine and sale. */
typedef Place {
    byte state;
    byte last, passed;
}
typedef Delivery {
    Place at[2];
    byte pos;               /* next record of the log */
}
Delivery delivery[2];

/* What only the checks look at. */
bool in_order = true, complete = true, true_alarm = true;

byte faults_left = LOST;
#ifdef LOSS
bool loses = true;
#endif
#ifdef DEL
bool deletes = true;
#endif
#ifdef RESTART
bool restarts = true;
#ifdef TAKEOVER
#define RESTART_OF 1
#else
#define RESTART_OF 0
#endif
#endif
#ifdef TAKEOVER
bool takes_over = true;
#endif

/* Without a look at the fence there is none to keep up. */
#if defined(NOFENCE) || defined(MARKFENCE)
#define HOLDER(mine) 0
#else
#define HOLDER(mine) (mine)
#endif

#if defined(ZOMBIE) && defined(LOSS) && !defined(KEEPFENCE)
#define FENCE_CAN_BE_LOST true
#else
#define FENCE_CAN_BE_LOST false
#endif

/* The entry that has just been appended to stream s is the log's. */
inline check_order(s)
{
#if !defined(ZOMBIE) || !defined(LOSS) || defined(KEEPFENCE)
    k = 0; seen = 0;
    do
    :: k < log[charge].n && seen < redis[s].n ->
        seen = seen + (log[charge].sale[k] == s -> 1 : 0);
        k++
    :: else -> break
    od;
    in_order = seen == redis[s].n && log[charge].id[k - 1] == redis[s].last;
    assert(in_order);
    k = 0; seen = 0
#else
    skip
#endif
}

/* Redis carries out one call: append if id is not 0, else only claim and read. */
inline carry_out(mine, s, expected, wanted)
{
    got = redis[s].last;
    if
#ifndef NOFENCE
    :: EPOCH(got) > mine -> answer = FENCED         /* [fcall.1] last_epoch > my_epoch */
#ifndef MARKFENCE
    :: EPOCH(got) <= mine && redis[s].fence > mine ->
        answer = FENCED                             /* [fence.1] holder and epoch >= my_epoch */
#endif
#endif
    :: else ->
        if
        :: redis[s].fence != HOLDER(mine) ->               /* [fcall.2] claim(fence, mine, my_epoch) */
            redis[s].fence_before = redis[s].fence;
            redis[s].fence = HOLDER(mine)           /* [fence.2] 'SET', fence, mine */
        :: else
        fi;
        if
        :: wanted == 0 -> answer = OK               /* [fcall.3] 'OK', last */
#ifdef PLAIN
        :: wanted != 0 && wanted <= got -> answer = OK /* "equal or smaller": taken for a duplicate */
#else
        :: wanted != 0 && got != expected ->        /* [fcall.4] last ~= expected */
            answer = GAP
#endif
        :: else ->
            redis[s].id[redis[s].n] = wanted;       /* [fcall.5] append_entries */
            redis[s].n++;
            redis[s].last = wanted;
            check_order(s);
            answer = OK
        fi
    fi
}

/* One call of engine e. NOTHING: its answer is lost. */
inline call(s, expected, wanted)
{
    if
    :: atomic { up[e] -> d_step { carry_out(epoch[e], s, expected, wanted) } }
#if LOST
    :: atomic { up[e] && faults_left > 0 -> faults_left--;
                d_step { carry_out(epoch[e], s, expected, wanted); answer = NOTHING } }
    :: atomic { up[e] && faults_left > 0 && !late -> faults_left--; answer = NOTHING;
                late = true; late_sale = s; late_epoch = epoch[e]; late_expected = expected;
                late_id = wanted }
#endif
    :: atomic { !up[e] -> goto dead }
    fi
}

#define AT delivery[e].at

inline settle(s)
{
    if
#ifdef ADOPT
    :: true -> AT[s].state = LIVE
#else
    :: AT[s].last == AT[s].passed -> AT[s].state = LIVE /* [settle.1] fg_stream_id_equal(last, passed) */
    :: AT[s].last != AT[s].passed ->
        AT[s].state = (SEQ(AT[s].last) < SEQ(AT[s].passed) && EPOCH(AT[s].last) <= EPOCH(AT[s].passed)
                           -> LOST_BEYOND : FOREIGN); /* [settle.2] last.sale_seq < passed.sale_seq && last.epoch <= passed.epoch...LOST_BEYOND_LOG...FOREIGN */
        true_alarm = (AT[s].state == FOREIGN -> FENCE_CAN_BE_LOST
                                             : SEQ(AT[s].last) < SEQ(log[e].base[s]));
        assert(true_alarm)
#endif
    fi
}

/* Is stream s another than this engine believes? */
#define MOVED(s)                                                                                   \
    (AT[s].state >= FOREIGN -> redis[s].last == 0 && AT[s].last != 0                               \
                            : redis[s].last != AT[s].last)
#define TO_POLL(s) (MOVED(s) || redis[s].fence != HOLDER(epoch[e]))

proctype engine(bit e)
{
    byte got, k, seen, id, want;
    bit s;
    bool taken, gap;
    mtype answer;
#ifdef FOLLOW
    byte behind;            /* the record that was sent behind `want` */
    mtype first;            /* what was answered to that */
#endif

connect:
    atomic {
        s = 0; gap = 0; id = 0; taken = 0
    }
claim:
    call(s, 0, 0);                                  /* [ask.1] ask(delivery, stream */
    atomic {
        if
        :: answer == FENCED -> goto dead
        :: answer == NOTHING -> got = 0; answer = 0; goto connect
        :: answer == OK ->
            AT[s].last = got;                       /* [ask.2] fg_stream_claimed */
            AT[s].state = SEEKING;
            got = 0; answer = 0
        fi;
        if
        :: s == 0 -> s = 1; goto claim
        :: else -> s = 0
        fi
    }
    d_step { /* A new pass begins where the log does. */
#ifdef NOTABLE
        AT[0].passed = 0;
        AT[1].passed = 0;
#else
        AT[0].passed = log[e].base[0];
        AT[1].passed = log[e].base[1];
#endif
        delivery[e].pos = log[e].first;
#ifdef GLOBALCUR
        k = log[e].n;
        do
        :: k > log[e].first && log[e].id[k - 1] != AT[log[e].sale[k - 1]].last -> k--
        :: else -> break
        od;
        delivery[e].pos = k; k = 0;
        AT[0].state = LIVE; AT[1].state = LIVE;
        AT[0].passed = AT[0].last; AT[1].passed = AT[1].last;
#endif
    }
end_read:
    do
    :: atomic { up[e] && delivery[e].pos < log[e].n ->
        d_step {
            s = log[e].sale[delivery[e].pos]; id = log[e].id[delivery[e].pos];
            delivery[e].pos++;
#if !defined(GLOBALCUR) && !defined(NOTABLE)
            assert(SEQ(id) == SEQ(AT[s].passed) + 1); /* [pass.1] id.sale_seq != stream->passed.sale_seq + 1 */
#endif
            if
            :: AT[s].state == SEEKING && SEQ(id) > SEQ(AT[s].last) -> settle(s) /* [pass.2] id.sale_seq > stream->last.sale_seq...settle */
            :: else
            fi;
            AT[s].passed = id;                      /* [pass.3] passed = id */
            if
            :: AT[s].state == LIVE -> taken = SEQ(id) > SEQ(AT[s].last) /* [pass.4] return FG_STREAM_TAKE */
            :: AT[s].state == SEEKING && SEQ(id) == SEQ(AT[s].last) -> settle(s) /* [pass.5] id.sale_seq == stream->last.sale_seq...settle */
            :: else
            fi
        }
        if
        :: taken -> taken = 0; goto send            /* [order.1] fg_batches_gather */
        :: else -> id = 0; s = 0
        fi
       }
    :: atomic { up[e] && delivery[e].pos == log[e].n && (AT[0].state == SEEKING || AT[1].state == SEEKING) ->
        if
        :: AT[0].state == SEEKING -> settle(0)      /* [over.1] settle */
        :: else
        fi;
        if
        :: AT[1].state == SEEKING -> settle(1)
        :: else
        fi
       }
#ifndef NOPOLL
    :: atomic { up[e] && delivery[e].pos == log[e].n && TO_POLL(0) -> s = 0; goto poll }
    :: atomic { up[e] && delivery[e].pos == log[e].n && TO_POLL(1) -> s = 1; goto poll }
#endif
#ifdef TRIM
    :: d_step { up[e] && e == charge && log[e].first < delivery[e].pos &&
                SEQ(log[e].id[log[e].first]) <= SEQ(AT[log[e].sale[log[e].first]].last) &&
                AT[log[e].sale[log[e].first]].state == LIVE ->
                log[e].base[log[e].sale[log[e].first]] = log[e].id[log[e].first];
                log[e].first++ }
#endif
#ifdef RESTART
    :: atomic { up[e] && restarts && e == RESTART_OF -> restarts = false; epoch[e]++;
                AT[0].last = 0; AT[0].passed = 0; AT[0].state = SEEKING;
                AT[1].last = 0; AT[1].passed = 0; AT[1].state = SEEKING;
                delivery[e].pos = log[e].first; goto connect }
#endif
    :: atomic { !up[e] -> goto dead }
    od;

send:
#ifdef IDNOW
    want = ID(epoch[e], SEQ(id));
#else
    want = id;
#endif
#if defined(ADOPT) || defined(GLOBALCUR)
    call(s, redis[s].last, want);
#else
    call(s, AT[s].last, want);                      /* [append.1] link->append */
#endif
#ifdef FOLLOW
    if
    :: atomic { up[e] && delivery[e].pos < log[e].n && log[e].sale[delivery[e].pos] == s ->
                behind = log[e].id[delivery[e].pos]; first = answer; answer = 0; got = 0 };
#ifdef FOLLOWBLIND
       call(s, redis[s].last, behind)
#else
       call(s, want, behind)                        /* [follow.1] link->follow */
#endif
    :: true
    fi;
    atomic {
        if
        :: behind != 0 && first == OK ->            /* its own answer is looked at now */
            AT[s].last = want; AT[s].passed = behind;
            delivery[e].pos++;
            want = behind
        :: behind != 0 && first != OK -> answer = first /* that of the follower is thrown away */
        :: else
        fi;
        behind = 0; first = 0
    }
#endif
    atomic {
        if
        :: answer == FENCED -> goto dead
        :: answer == OK -> AT[s].last = want        /* [append.2] fg_stream_appended */
        :: else -> gap = 1
        fi;
        want = 0; got = 0; id = 0; s = 0; answer = 0;
        if
        :: gap -> goto connect
        :: else -> goto end_read
        fi
    }

poll:
    call(s, AT[s].last, 0);
    atomic {
        if
        :: answer == FENCED -> goto dead
        :: answer == NOTHING -> gap = 1
        :: answer == OK ->                          /* [moved.1] stream->last */
            gap = (AT[s].state >= FOREIGN -> got == 0 && AT[s].last != 0 : got != AT[s].last)
        fi;
        got = 0; s = 0; answer = 0;
        if
        :: gap -> goto connect
        :: else -> goto end_read
        fi
    }

dead:
    atomic {
        up[e] = false;
        s = 0; id = 0; want = 0; got = 0; answer = 0; gap = 0; taken = 0;
#ifdef FOLLOW
        behind = 0; first = 0
#endif
    }
}

/* Logs records, each of either sale, and flushes them at once: delivery reads what is durable. */
proctype journal(bit e; byte records)
{
    bit s;
    do
    :: atomic { records > 0 && up[e] ->
           if
           :: s = 0
           :: s = 1
           fi;
           log[e].count[s]++;
           log[e].sale[log[e].n] = s;
           log[e].id[log[e].n] = ID(epoch[e], log[e].count[s]);
           log[e].n++;
           records--; s = 0
       }
    :: records == 0 || !up[e] -> break
    od
}

#ifdef TAKEOVER
inline copy_log()
{
    d_step {
        log[1].n = log[0].n;
        log[1].first = log[0].first;
        k = 0;
        do
        :: k < log[0].n ->
            log[1].sale[k] = log[0].sale[k];
            log[1].id[k] = log[0].id[k];
            k++
        :: else -> break
        od;
        k = 0;
        log[1].count[0] = log[0].count[0];
        log[1].count[1] = log[0].count[1];
        log[1].base[0] = log[0].base[0];
        log[1].base[1] = log[0].base[1];
        charge = 1
    }
}

/* Fence every stream, then take the final copy, recover, serve. */
proctype takeover()
{
    byte k, got, seen;
    mtype answer;

    atomic { takes_over -> takes_over = false;
#ifndef ZOMBIE
             up[0] = false
#endif
    }
#ifdef COPYFIRST
    copy_log();
#endif
    d_step { carry_out(2, 0, 0, 0); got = 0; answer = 0 } /* [takeover.1] fence */
    d_step { carry_out(2, 1, 0, 0); got = 0; answer = 0 }
#ifndef COPYFIRST
    copy_log();                                     /* [takeover.2] copy_log */
#endif
    /* The fence's epoch is used up: the engine has the next one. */
    atomic { epoch[1] = 3; up[1] = true; run engine(1); run journal(1, POST) } /* [serve.1] raise_epoch */
}
#endif

#if LOST
proctype late_commands()
{
    byte k, got, seen;
    mtype answer;
end:
    do
    :: d_step { late -> carry_out(late_epoch, late_sale, late_expected, late_id);
                late = false; late_sale = 0; late_epoch = 0; late_expected = 0; late_id = 0;
                got = 0; answer = 0 }
    :: d_step { late -> late = false; late_sale = 0; late_epoch = 0; late_expected = 0; late_id = 0 }
    od
}
#endif

#define empty_stream(s)                                                                            \
    redis[s].n = 0; redis[s].last = 0; redis[s].id[0] = 0; redis[s].id[1] = 0;                     \
    redis[s].id[MAX - 1] = 0

#ifdef LOSS
inline lose(s)
{
    do
    :: redis[s].n > 0 -> redis[s].n--; redis[s].id[redis[s].n] = 0
    :: break
    od;
    redis[s].last = (redis[s].n > 0 -> redis[s].id[redis[s].n - 1] : 0);
#ifndef KEEPFENCE
    if
    :: redis[s].fence = redis[s].fence_before
    :: skip
    fi
#endif
}
#endif

/* Redis comes back from an older state, or somebody deletes a key. */
proctype faults()
{
end:
    do
#ifdef LOSS
    :: atomic { loses -> loses = false; lose(0); lose(1) }
#endif
#ifdef DEL
    :: atomic { deletes -> deletes = false;
           if
           :: empty_stream(0)
           :: empty_stream(1)
           fi
       }
#endif
    :: false
    od
}

/* When nothing can happen any more. */
inline check(s)
{
    k = 0; seen = 0;
    do
    :: k < log[charge].n ->
        if
        :: log[charge].sale[k] == s ->
            complete = complete && redis[s].id[seen] == log[charge].id[k];
            seen++
        :: else
        fi;
        k++
    :: else -> break
    od;
    complete = complete && redis[s].n == seen;
    if
    :: delivery[charge].at[s].state >= FOREIGN      /* an alarm: judged when it was raised */
    :: else -> assert(complete)
    fi;
    complete = true
}

init
{
    byte k, seen;

    atomic {
        epoch[0] = 1; up[0] = true;
        run engine(0);
        run journal(0, PRE);
#ifdef TAKEOVER
        run takeover();
#endif
#if LOST
        run late_commands();
#endif
#if defined(LOSS) || defined(DEL)
        run faults()
#endif
    }
    timeout;
    d_step {
        assert(up[charge]);
        check(0);
        check(1)
    }
}
