/* Where each item of the queue is: in which order those wait that are to be handed out, who holds the others. Part of the queue
 * (queue/queue.h). */
#ifndef CSI_QUEUE_WAITING_H
#define CSI_QUEUE_WAITING_H

#include "queue/set.h"
#include "rundir/ledger.h"

enum csi_where {
    CSI_AT_REST,  /* its piece is not opened here, or nothing is left to do */
    CSI_RETURNED, /* came back: the smallest index first */
    CSI_FRESH,    /* then these, by index, too */
    CSI_AGAIN,    /* then who came first */
    CSI_ASIDE,    /* ended too many replicas: to be set aside, at once */
    CSI_SUSPECT,  /* when nothing else is left, alone */
    CSI_PUT_OFF,  /* too often: not handed out any more */
    CSI_HELD,     /* by a worker */
    CSI_DELAYED,  /* until it is due; one more for each length of a delay */
    CSI_DELAYS = 7,
    CSI_WHERE_COUNT = CSI_DELAYED + CSI_DELAYS
};

struct csi_place {
    uint32_t before, behind; /* neighbours in its chain */
    union {
        uint32_t worker;  /* held: by whom */
        uint32_t due_low; /* delayed: 48 bits of ms */
    };
    uint16_t due_high;
    uint8_t where; /* enum csi_where */
    bool opened : 1;
    bool started : 1, alone : 1, aside : 1; /* held */
};
_Static_assert(sizeof(struct csi_place) == 16, "ten million items must fit");

/* Items in the order in which they were added; zeros are an empty one. */
struct csi_chain {
    uint32_t first, last;
    uint64_t count;
};

struct csi_waiting {
    struct csi_ledger *ledger; /* borrowed */
    uint64_t crash_limit;
    struct csi_place *at;
    uint64_t count, delayed;
    struct csi_set returned, fresh;
    struct csi_chain chains[CSI_WHERE_COUNT]; /* of those that wait in no set */
};

/* Follows the ledger's growth. Errors: CFSPLIT_MEMORY, also for more than 4,294,967,295 items. */
CFSPLIT_MUST_USE cfsplit_status csi_waiting_grow(struct csi_waiting *w, struct cfsplit_error *err);
void csi_waiting_fini(struct csi_waiting *w);

void csi_chain_add(struct csi_place *at, struct csi_chain *chain, uint32_t index);
void csi_chain_remove(struct csi_place *at, struct csi_chain *chain, uint32_t index);

/* Puts an item that is at rest where it belongs: as what came back (CSI_RETURNED), CSI_FRESH, or after its last attempt's end
 * (CSI_AGAIN), unless the ledger says that it is closed, put off too often or suspect. */
void csi_waiting_put(struct csi_waiting *w, uint64_t index, enum csi_where as, uint64_t now_ms);

/* An item that waits is at rest then. */
void csi_waiting_remove(struct csi_waiting *w, uint64_t index);

/* What is due by now waits for anybody. */
void csi_waiting_tick(struct csi_waiting *w, uint64_t now_ms);

/* When the next delayed one is due, UINT64_MAX: none is. */
uint64_t csi_waiting_due_ms(const struct csi_waiting *w);

/* How many may go to anybody now. The next one of them, at rest then; there must be one. */
static inline uint64_t csi_waiting_ready(const struct csi_waiting *w)
{
    return w->returned.count + w->fresh.count + w->chains[CSI_AGAIN].count;
}
uint64_t csi_waiting_take(struct csi_waiting *w);

/* May a suspect be started? Only when nothing else is left to start. */
static inline bool csi_waiting_only_suspects(const struct csi_waiting *w)
{
    return w->chains[CSI_SUSPECT].count > 0 && csi_waiting_ready(w) + w->chains[CSI_ASIDE].count + w->delayed == 0;
}

/* All that is to be handed out, now or later. */
static inline uint64_t csi_waiting_all(const struct csi_waiting *w)
{
    return csi_waiting_ready(w) + w->chains[CSI_ASIDE].count + w->delayed + w->chains[CSI_SUSPECT].count;
}

#endif
