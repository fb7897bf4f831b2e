/* The ledger: the state of a range of items, made from retry files and journals in any order (docs/run-directory.md, last
 * section). Pure: it is handed records and answers with states. */
#ifndef CSI_RUNDIR_LEDGER_H
#define CSI_RUNDIR_LEDGER_H

#include "rundir/fence.h"
#include "rundir/order.h"

struct csi_entry {
    uint64_t end_at;   /* where the last attempt's end stands in its journal; 0: no end */
    uint64_t end_ms;   /* ... and when */
    uint32_t attempts; /* highest attempt that was started */
    uint32_t owner;    /* who made it: a number the caller gave */
    uint32_t reopened; /* attempts so far when it was last opened again */
    uint16_t failures; /* failed attempts after that */
    uint16_t laters;   /* attempts put off */
    uint16_t
        deaths; /* of replicas while it ran alone, after that; known when journals were taken in the order of claims */
    uint8_t done;     /* accepted ends done, 2: twice or more */
    uint8_t rejected; /* an accepted end says rejected */
    uint8_t class;    /* enum csi_class of the last attempt's end */
    uint8_t ended;    /* the last attempt has an accepted end */
    uint8_t alone;    /* the last attempt ran alone */
    uint8_t suspect;  /* its replica, or its command that is kept, died while it ran: it runs last and alone */
};

struct csi_ledger {
    uint64_t first, count;
    struct csi_entry *at;
    uint32_t retry_seen; /* retry files taken in */
};

CFSPLIT_MUST_USE cfsplit_status csi_ledger_init(struct csi_ledger *ledger, uint64_t first, uint64_t count,
                                                struct cfsplit_error *err);
void csi_ledger_fini(struct csi_ledger *ledger);

static inline struct csi_entry *csi_ledger_at(const struct csi_ledger *ledger, uint64_t index)
{
    return index >= ledger->first && index - ledger->first < ledger->count ? &ledger->at[index - ledger->first] : NULL;
}

/* Takes in the retry files that are not in yet. Before any journal, or the failures it forgives are counted. */
CFSPLIT_MUST_USE cfsplit_status csi_ledger_take_retries(struct csi_ledger *ledger, const struct cfsplit_run *run,
                                                        struct cfsplit_error *err);

/* An item was opened again after so many attempts: failures up to there are forgiven. */
void csi_entry_reopen(struct csi_entry *entry, uint32_t attempts);

/* The owner of the last attempt has ended without an end of it: the item is suspect. */
void csi_entry_died(struct csi_entry *entry);

/* Takes in one record of `owner`'s journal; only starts and ends in range matter. `accepted`: false for an end that is
 * unsettled (its journal is fenced and not sealed). */
void csi_ledger_take(struct csi_ledger *ledger, uint32_t owner, const struct csi_record *record, bool accepted);

/* The state of an item; `open` is whether the owner of its last attempt may still be at work. */
enum cfsplit_state csi_entry_state(const struct csi_entry *entry, bool open);

/* Is there something to do in an item of a piece that nobody else has? */
static inline bool csi_entry_is_open(const struct csi_entry *entry)
{
    return csi_entry_state(entry, false) == CFSPLIT_PENDING;
}

/* What became of a claim, as its owner's journal tells. */
struct csi_holding {
    struct csi_seal seal;
    uint64_t length; /* bytes of the journal that count, as far as it goes now */
    bool given_back; /* sealed; or not fenced, and closed or this piece released */
};

/* Looks whether the owner by claim number K of piece `piece` has given it back. A fence without a seal must be completed
 * first, whatever the journal says. */
CFSPLIT_MUST_USE cfsplit_status csi_holding_look(const struct cfsplit_run *run, const struct csi_inc *inc,
                                                 uint32_t piece, uint32_t K, struct csi_holding *holding,
                                                 struct cfsplit_error *err);

/* Looks, and reads all of the journal that counts (up to its seal) into the ledger: once for each owner, or its failures are
 * counted again. Final if and only if *holding says given_back: then nothing can be added any more. */
CFSPLIT_MUST_USE cfsplit_status csi_ledger_read(struct csi_ledger *ledger, const struct cfsplit_run *run,
                                                const struct csi_inc *inc, uint32_t piece, uint32_t K,
                                                struct csi_holding *holding, struct cfsplit_error *err);

#endif
