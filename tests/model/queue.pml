/*
 * The queue's protocol (docs/protocol.md, "What makes it safe") for spin: two coordinators, two workers, two pieces.
 *
 * Coordinator 1 leads and has piece 0; nobody ever had piece 1. Worker 1 is there, worker 2 may come at any time. TROUBLES times, at any
 * step, one of the four is killed, or is taken for lost although it lives (fenced, sealed: it goes on until it looks), or leaves; or a
 * worker begins its session anew (all that a lost message comes to) or falls back. Then, or earlier, all goes well, to the end.
 *
 * What is checked:
 *   (a) no item is accepted twice: of all ends of an item one at most is within what counts of its journal;
 *   (b) no worker that is not sealed starts an item that has been accepted, or that another one runs who is not sealed; the
 *       coordinator that leads hands out none that has been accepted;
 *   (c) nothing is lost: when nothing can happen any more, every item is accepted, unless nobody leads any more, or no
 *       worker is left who may follow the one that leads. Every run ends: each step writes, learns or spends something.
 *
 * What is assumed: links are atomic; a file that was synced is read as it was written, and so are the starts behind its last sync; a name
 * that was linked is seen by who looks later. Each item runs once to an end that is final: no retry. At most two epochs.
 *
 * How it is kept small, without leaving out what matters:
 *   - A process that is stopped is one that is not scheduled. Clocks do not occur.
 *   - A message that was sent stays there while its session lasts and is heard then, or never: delay, loss and reordering. One that came
 *     is heard once: `seq` drops the second. A gap in `seq` is a session begun anew; what belongs to an older one is dropped.
 *   - WANT, PING, PONG, WELCOME, HOME and REVOKE change nothing that is checked: a coordinator may hand out at any time, and a worker
 *     may begin a new session at any time. A worker that looked long ago may call any epoch since the one that it saw then.
 *   - Of a journal only its sums are kept, and when it is read by the one whose seal wins, what it said then: that is the length that counts.
 *     Who fences and seals is of no account: anyone does it.
 *   - Reading a journal and then finding no fence is one step: a fence that is not there afterwards was not there before. So are
 *     reading what is over, which never changes again, and linking a claim and then looking for a higher epoch, which stays when it is there.
 *
 * The switches that take a rule away (WITHOUT_...) are for tests/model/queue.sh: with any of them spin must find an error.
 */

#ifndef ITEMS
#define ITEMS 2
#endif
#ifndef FIRST_OF_PIECE_1
#define FIRST_OF_PIECE_1 1 /* piece 0 has the items before it, piece 1 the others */
#endif
#ifndef CHECKS
#define CHECKS (A + B + C) /* which of (a), (b), (c) */
#endif
#define A 1
#define B 2
#define C 4
#define CHECKED(which) ((CHECKS & (which)) != 0)
#ifndef TROUBLES
#define TROUBLES 3
#endif

#define PIECE(i) ((i) / FIRST_OF_PIECE_1 > 0)
#define BIT(n) (1 << (n))
#define HAS(mask, n) (((mask) >> (n)) & 1)

/* A worker's journal, as what it says: items with a `start`, items with an `end`, the last `bound`. */
byte started[2], ended[2];
byte bound[2];
bool closed[2];

/* Fences and seals of workers. What counts is what the journal said when the one whose seal won had read it. */
mtype:fence = { NO_FENCE, FENCED, READ, SEALED };
mtype:fence fence[2];
byte ended_below_seal[2];
#define HAS_FENCE(w) (fence[w] != NO_FENCE)
#define OVER(w) (closed[w] || fence[w] == SEALED)
#define COUNTED(w) ((fence[w] == SEALED -> ended_below_seal[w] : ended[w]))
#define RUNNING(w) (started[w] & ~ended[w])

/* Workers. */
mtype:worker = { ABSENT, NEW, AT_WORK, ALONE, GONE, DEAD };
mtype:worker is[2];
byte identities;      /* published */
byte saw[2];          /* the highest epoch when it looked first; 0 when it has bound itself */
byte follows[2];      /* the epoch of its session, 0: none */
byte unsaid[2];       /* ended, its fence not looked for yet */
bool fell_back[2];

/* Messages of a worker's session: HELLO is out since it follows an epoch; BATCH; ENDS. */
byte batch[2], ends[2];

/* Coordinators: 0 is that of epoch 1, 1 that of epoch 2. */
mtype:coordinator = { NONE, LINKED, LEADS, STOPPED, KILLED };
mtype:coordinator does[2];
byte epoch = 1; /* the highest that was linked */
bool c_over[2];
byte listed[2], settled[2], lost[2]; /* workers; lost: those that it knows to be over */
byte heard[2];                       /* workers: the HELLO of the session that they are in */
byte out[4];                         /* [2 * coordinator + worker]: items that it holds to be in the worker's hands */
byte done[2];                        /* items that it knows to have ended */
byte has[2];                         /* pieces that it may hand out of */
#define AT(c, w) (2 * (c) + (w))
#define EPOCH(c) ((c) + 1)

/* Claims. Owners: 1, 2: workers; 3, 4: coordinators. */
byte owner[2];
byte workers_had[2], coordinators_had[2];

byte troubles = TROUBLES;

#define ACCEPTED(i) (HAS(COUNTED(0), i) + HAS(COUNTED(1), i))
#define OWNER_OVER(p)                                                                                                                              \
    ((owner[p] == 1 && OVER(0)) || (owner[p] == 2 && OVER(1)) || (owner[p] == 3 && c_over[0]) || (owner[p] == 4 && c_over[1]))

inline write_bound(w, k) {
    bound[w] = k;
    saw[w] = 0;
#ifndef WITHOUT_GIVING_BACK
    batch[w] = 0;
#endif
    ends[w] = 0;
    heard[0] = heard[0] & ~BIT(w);
    heard[1] = heard[1] & ~BIT(w)
}

inline write_start(w, i) {
    assert(!CHECKED(B) || fence[w] == SEALED || (ACCEPTED(i) == 0 && (fence[1 - w] == SEALED || !HAS(RUNNING(1 - w), i))));
    started[w] = started[w] | BIT(i)
}

inline write_end(w, i) {
    ended[w] = ended[w] | BIT(i);
    unsaid[w] = unsaid[w] | BIT(i);
    assert(!CHECKED(A) || ACCEPTED(i) <= 1)
}

/* What only the one who is gone knew is not kept: fewer states. */
inline forget_worker(w) {
    batch[w] = 0;
    unsaid[w] = 0;
    saw[w] = 0;
    fell_back[w] = false
}

inline forget_coordinator(c) {
    listed[c] = 0;
    settled[c] = 0;
    lost[c] = 0;
    done[c] = 0;
    has[c] = 0;
    heard[c] = 0;
    out[AT(c, 0)] = 0;
    out[AT(c, 1)] = 0
}

/* Of one that is gone and over, all that matters is what counts. */
inline bury(w) {
    if
    :: (is[w] == GONE || is[w] == DEAD) && OVER(w) ->
        follows[w] = 0;
        ends[w] = 0;
        bound[w] = 0;
        started[w] = COUNTED(w);
        ended[w] = COUNTED(w);
        ended_below_seal[w] = 0;
        fence[w] = NO_FENCE;
        closed[w] = true;
        heard[0] = heard[0] & ~BIT(w);
        heard[1] = heard[1] & ~BIT(w)
    :: else
    fi
}

inline stop_coordinator(c) {
    does[c] = STOPPED;
    c_over[c] = true;
    forget_coordinator(c)
}

inline claim(p, who) {
    owner[p] = who;
    if
    :: who <= 2 -> workers_had[p] = workers_had[p] | BIT(who - 1)
    :: else -> coordinators_had[p] = coordinators_had[p] | BIT(who - 3)
    fi
}

/* What worker w has left to run of a piece of its own: former owners are over, their journals final. */
#define OPEN_TO(w, i)                                                                                                                              \
    (owner[PIECE(i)] == (w) + 1 && !HAS(started[w], i) && !(HAS(workers_had[PIECE(i)], 1 - (w)) && HAS(COUNTED(1 - (w)), i)))

#if ITEMS == 2
#define EACH_ITEM(step) step(0) step(1)
#define NO_ITEM(is_so) (!(is_so(w, 0)) && !(is_so(w, 1)))
#else
#define EACH_ITEM(step) step(0) step(1) step(2)
#define NO_ITEM(is_so) (!(is_so(w, 0)) && !(is_so(w, 1)) && !(is_so(w, 2)))
#endif
#define EACH_PIECE(step) step(0) step(1)
#define EACH_WORKER(step) step(0) step(1)

#define UP(w) (is[w] == AT_WORK || is[w] == ALONE)
#ifdef WITHOUT_OWN_FENCE
#define SEES_NO_FENCE(w) true
#else
#define SEES_NO_FENCE(w) (!HAS_FENCE(w))
#endif

#define RUN_GIVEN(i)                                                                                                                               \
    :: d_step { is[w] == AT_WORK && HAS(batch[w], i) -> batch[w] = batch[w] & ~BIT(i); write_start(w, i) }
#define RUN_OWN(i)                                                                                                                                 \
    :: d_step { is[w] == ALONE && OPEN_TO(w, i) -> write_start(w, i) }
#define RUN_OUT(i)                                                                                                                                 \
    :: d_step { UP(w) && HAS(RUNNING(w), i) -> write_end(w, i) }
#define CLAIM_ALONE(p)                                                                                                                             \
    :: d_step { is[w] == ALONE && MAY_CLAIM_ALONE(w, p) -> claim(p, w + 1) }
#define MAY_CLAIM_ALONE(w, p) (owner[p] == 0 || (owner[p] == 2 - (w) && OVER(1 - (w)) && coordinators_had[p] == 0))

#define LOWEST(w) (bound[w] > saw[w] -> bound[w] : saw[w])
/* Binds itself to an epoch that it saw, and says HELLO; or begins its session anew. */
#define CALL(k)                                                                                                                                    \
    :: d_step { is[w] == AT_WORK && k <= epoch && k >= LOWEST(w) && k > follows[w] -> write_bound(w, k); follows[w] = k }                          \
    :: d_step { is[w] == AT_WORK && k >= LOWEST(w) && k == follows[w] && troubles > 0 ->                                                           \
           troubles--;                                                                                                                             \
           write_bound(w, k) }
/* Gives epoch k up. */
#define FALL_BACK(k)                                                                                                                               \
    :: d_step { is[w] == AT_WORK && k <= epoch && k >= LOWEST(w) && !fell_back[w] && troubles > 0 ->                                               \
           troubles--;                                                                                                                             \
           write_bound(w, k + 1);                                                                                                                  \
           follows[w] = 0;                                                                                                                         \
           fell_back[w] = true;                                                                                                                    \
           is[w] = ALONE }

proctype worker(byte w) {
end:
    do
    /* Rule 4: the identity first, then the look. */
#ifdef WITHOUT_IDENTITY_FIRST
    :: d_step { is[w] == ABSENT -> saw[w] = epoch; is[w] = NEW }
    :: d_step { is[w] == NEW -> identities = identities | BIT(w); is[w] = AT_WORK }
#else
    :: d_step { is[w] == ABSENT -> identities = identities | BIT(w); is[w] = NEW }
    :: d_step { is[w] == NEW -> saw[w] = epoch; is[w] = AT_WORK }
#endif
    :: d_step { is[w] == ABSENT && troubles == 0 -> is[w] = GONE } /* never comes */

    CALL(1)
    CALL(2)
    EACH_ITEM(RUN_GIVEN)
    EACH_ITEM(RUN_OWN)
    EACH_ITEM(RUN_OUT)

    /* Rule 5: looks for its fence, then says what ended. Who is fenced stops when it sees it. */
    :: d_step { UP(w) && unsaid[w] != 0 && SEES_NO_FENCE(w) ->
           if
           :: follows[w] != 0 -> ends[w] = ends[w] | unsaid[w]
           :: else
           fi;
           unsaid[w] = 0 }
    :: d_step { UP(w) && HAS_FENCE(w) -> is[w] = GONE; forget_worker(w); bury(w) }

    /* Goes on alone: claims what nobody ever had, and what is left of those of other workers; comes back, once. */
    FALL_BACK(1)
    FALL_BACK(2)
    EACH_PIECE(CLAIM_ALONE)
    :: d_step { is[w] == ALONE && RUNNING(w) == 0 && NO_ITEM(OPEN_TO) && !MAY_CLAIM_ALONE(w, 0) && !MAY_CLAIM_ALONE(w, 1) ->
           is[w] = AT_WORK }

    /* Leaves. */
    :: d_step { UP(w) && troubles > 0 && RUNNING(w) == 0 && unsaid[w] == 0 ->
           troubles--;
           if
           :: fence[w] == SEALED /* too late to count */
           :: else -> closed[w] = true; fence[w] = NO_FENCE
           fi;
           is[w] = GONE;
           forget_worker(w);
           bury(w) }
    od
}

/* What coordinator c may hand out: of a piece that it has, not ended, in nobody's hands. */
#define FREE(c, i) (HAS(has[c], PIECE(i)) && !HAS(done[c] | out[AT(c, 0)] | out[AT(c, 1)], i))

/* Reads the journal of w, who is neither over nor fenced: what it started is in its hands. */
inline read_journal(c, w) {
    done[c] = done[c] | ended[w];
    out[AT(c, w)] = RUNNING(w)
}

#define IN_SESSION(c, w) (follows[w] == EPOCH(c) && HAS(heard[c], w))

#define HEAR_HELLO(w)                                                                                                                              \
    :: d_step { does[c] == LEADS && is[w] == AT_WORK && follows[w] == EPOCH(c) && !HAS(heard[c] | lost[c], w) && !HAS_FENCE(w) ->                  \
           read_journal(c, w);                                                                                                                     \
           heard[c] = heard[c] | BIT(w);                                                                                                           \
           settled[c] = settled[c] | BIT(w) }

#define HAND_OUT(w, i)                                                                                                                             \
    :: d_step { does[c] == LEADS && is[w] == AT_WORK && IN_SESSION(c, w) && FREE(c, i) ->                                                          \
           assert(!CHECKED(B) || c_over[c] || EPOCH(c) < epoch || ACCEPTED(i) == 0);                                                               \
           out[AT(c, w)] = out[AT(c, w)] | BIT(i);                                                                                                 \
           batch[w] = batch[w] | BIT(i) }

#define HEAR_ENDS(w)                                                                                                                               \
    :: d_step { does[c] == LEADS && IN_SESSION(c, w) && (ends[w] & out[AT(c, w)]) != 0 ->                                                          \
           done[c] = done[c] | (ends[w] & out[AT(c, w)]);                                                                                          \
           out[AT(c, w)] = out[AT(c, w)] & ~ends[w] }

/* Reads `bound K` or more in the journal of one who was there when it came to lead. */
#define SETTLE(w)                                                                                                                                  \
    :: d_step { does[c] == LEADS && HAS(listed[c] & ~settled[c], w) && bound[w] >= EPOCH(c) && !HAS_FENCE(w) && !closed[w] ->                      \
           read_journal(c, w);                                                                                                                     \
           settled[c] = settled[c] | BIT(w) }

/* Reads on in the journal of one who holds items and does not talk to it (any more): what ended; and what was given back by a `bound` above. */
#define READ_ON(w)                                                                                                                                 \
    :: d_step { does[c] == LEADS && follows[w] != EPOCH(c) && !HAS_FENCE(w) && !closed[w] &&                                                       \
                out[AT(c, w)] != 0 && out[AT(c, w)] != RUNNING(w) ->                                                                               \
           read_journal(c, w) }

/* Sees that a worker is over, and reads its journal up to there: what it did not end is free again. */
#define SEE_OVER(w)                                                                                                                                \
    :: d_step { does[c] == LEADS && HAS(identities & ~lost[c], w) && OVER(w) ->                                                                    \
           done[c] = done[c] | COUNTED(w);                                                                                                         \
           out[AT(c, w)] = 0;                                                                                                                      \
           heard[c] = heard[c] & ~BIT(w);                                                                                                          \
           settled[c] = settled[c] | BIT(w);                                                                                                       \
           lost[c] = lost[c] | BIT(w) }

#define CLAIM_NEW(p)                                                                                                                               \
    :: d_step { does[c] == LEADS && owner[p] == 0 -> claim(p, 3 + c); has[c] = has[c] | BIT(p) }

#ifdef WITHOUT_BARRIER
#define ALL_SETTLED(c) true
#else
#define ALL_SETTLED(c) ((listed[c] & ~settled[c]) == 0)
#endif
#ifdef WITHOUT_LOOK_AFTER_CLAIM
#define NOT_FOLLOWED(c) true
#else
#define NOT_FOLLOWED(c) (EPOCH(c) == epoch)
#endif

/* Rule 3, with the look for a higher epoch behind the link. The workers that had it are over: their journals were read to the end. */
#define CLAIM_HAD(p)                                                                                                                               \
    :: d_step { does[c] == LEADS && !HAS(coordinators_had[p], c) && OWNER_OVER(p) && ALL_SETTLED(c) && (workers_had[p] & ~lost[c]) == 0 ->         \
           claim(p, 3 + c);                                                                                                                        \
           if                                                                                                                                      \
           :: NOT_FOLLOWED(c) -> has[c] = has[c] | BIT(p)                                                                                          \
           :: else                                                                                                                                 \
           fi }

proctype coordinator(byte c) {
end:
    do
    /* Becomes one, when the one before is over: the epoch first, then the list of who is there. */
    :: d_step { c == 1 && does[1] == NONE && c_over[0] -> epoch = 2; does[1] = LINKED }
    :: d_step { does[c] == LINKED -> listed[c] = identities; does[c] = LEADS }

    EACH_PIECE(CLAIM_NEW)
    EACH_PIECE(CLAIM_HAD)

    EACH_WORKER(HEAR_HELLO)
    EACH_WORKER(HEAR_ENDS)
    EACH_WORKER(SETTLE)
    EACH_WORKER(READ_ON)
    EACH_WORKER(SEE_OVER)
#define HAND_TO_BOTH(i) HAND_OUT(0, i) HAND_OUT(1, i)
    EACH_ITEM(HAND_TO_BOTH)

#ifdef WITHOUT_FENCE
    /* Takes a worker for lost and hands on what it held, as its journal tells. */
#define GIVE_UP(w)                                                                                                                                 \
    :: d_step { does[c] == LEADS && troubles > 0 && HAS(heard[c], w) ->                                                                            \
           troubles--;                                                                                                                             \
           done[c] = done[c] | ended[w];                                                                                                           \
           out[AT(c, w)] = 0;                                                                                                                      \
           settled[c] = settled[c] | BIT(w);                                                                                                       \
           lost[c] = lost[c] | BIT(w) }
    EACH_WORKER(GIVE_UP)
#endif
#ifdef WITHOUT_SEAL
    /* Hands on what a fenced worker held, as its journal tells, without waiting for the seal. */
#define GIVE_UP(w)                                                                                                                                 \
    :: d_step { does[c] == LEADS && HAS_FENCE(w) && !HAS(lost[c], w) ->                                                                            \
           done[c] = done[c] | ended[w];                                                                                                           \
           out[AT(c, w)] = 0;                                                                                                                      \
           settled[c] = settled[c] | BIT(w);                                                                                                       \
           lost[c] = lost[c] | BIT(w) }
    EACH_WORKER(GIVE_UP)
#endif

    /* Sees its own fence, or a higher epoch; or its replica leaves. */
    :: d_step { does[c] == LEADS && (c_over[c] || epoch > EPOCH(c)) -> stop_coordinator(c) }
    :: d_step { does[c] == LEADS && troubles > 0 -> troubles--; stop_coordinator(c) }
    od
}

/* Fences and seals. A worker that is dead writes no more: all of it is one step; so is it of a coordinator, whose journal says nothing. */
#define END_WORKER(w)                                                                                                                              \
    :: d_step { is[w] == DEAD && HAS(identities, w) && !OVER(w) && fence[w] != READ -> ended_below_seal[w] = ended[w]; fence[w] = SEALED; bury(w) } \
    :: d_step { UP(w) && !HAS_FENCE(w) && troubles > 0 -> troubles--; fence[w] = FENCED }                                                          \
    :: d_step { fence[w] == FENCED -> ended_below_seal[w] = ended[w]; fence[w] = READ }                                                            \
    :: d_step { fence[w] == READ -> fence[w] = SEALED; bury(w) }
#define END_COORDINATOR(c)                                                                                                                         \
    :: d_step { does[c] == KILLED && !c_over[c] -> c_over[c] = true }                                                                              \
    :: d_step { (does[c] == LINKED || does[c] == LEADS) && !c_over[c] && troubles > 0 -> troubles--; c_over[c] = true }

#define KILL(n)                                                                                                                                    \
    :: d_step { troubles > 0 && (is[n] == NEW || UP(n)) -> troubles--; is[n] = DEAD; forget_worker(n) }                                            \
    :: d_step { troubles > 0 && (does[n] == LINKED || does[n] == LEADS) -> troubles--; does[n] = KILLED; forget_coordinator(n) }

/* (c) Nothing can happen any more. */
#if ITEMS == 2
#define ALL_ACCEPTED (ACCEPTED(0) == 1 && ACCEPTED(1) == 1)
#else
#define ALL_ACCEPTED (ACCEPTED(0) == 1 && ACCEPTED(1) == 1 && ACCEPTED(2) == 1)
#endif
#define LEADER (epoch - 1)
#define SERVES(w) ((is[w] == AT_WORK || is[w] == ALONE) && !HAS_FENCE(w) && bound[w] <= epoch)

init {
    d_step {
        is[0] = AT_WORK;
        is[1] = ABSENT;
        identities = BIT(0);
        saw[0] = 1;
        fence[0] = NO_FENCE;
        fence[1] = NO_FENCE;
        does[0] = LEADS;
        does[1] = NONE;
        listed[0] = BIT(0);
        claim(0, 3);
        has[0] = BIT(0)
    }
    atomic {
        run worker(0);
        run worker(1);
        run coordinator(0);
        run coordinator(1)
    }
    /* From here on: the world. */
end:
    do
    EACH_WORKER(END_WORKER)
    EACH_WORKER(END_COORDINATOR)
    EACH_WORKER(KILL)
    :: d_step { troubles > 0 -> troubles = 0 } /* from here on all goes well */
    :: timeout -> break
    od;
    assert(!CHECKED(C) || ALL_ACCEPTED || does[LEADER] != LEADS || c_over[LEADER] || !(SERVES(0) || SERVES(1)))
}
