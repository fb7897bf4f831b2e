/* Staying: when nothing is left to take, one replica stays for what the others may yet leave, and the rest leave. */
#ifndef CSI_NODE_STAYING_H
#define CSI_NODE_STAYING_H

#include "node/feed.h"

/* Notes in feed->something if a piece that somebody has may yet come to us, as of the last look. */
CFSPLIT_MUST_USE cfsplit_status csi_stay_for(struct csi_feed *feed, uint32_t piece, struct cfsplit_error *err);

/* Have we something of our own to do yet? */
bool csi_stay_is_busy(const struct csi_feed *feed, uint64_t running);
/* Notes since when not, for csi_stay_decide: before each look at others. */
void csi_stay_note_busy(struct csi_feed *feed, uint64_t now_ms, uint64_t running);

/* Nothing of what was looked at is to be had now: sets feed->waiting and feed->next_look_ms. *look_on: that cannot be decided
 * before more of what others have was looked at. */
CFSPLIT_MUST_USE cfsplit_status csi_stay_decide(struct csi_feed *feed, uint64_t now_ms, uint64_t running, bool *look_on,
                                                struct cfsplit_error *err);

/* There is work again: who is caretaker is so no more, and another one may stay. */
CFSPLIT_MUST_USE cfsplit_status csi_stay_lay_down(struct csi_feed *feed, struct cfsplit_error *err);

#endif
