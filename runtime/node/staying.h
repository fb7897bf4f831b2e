/* Staying: when nothing is left to take, one replica stays for what the others may yet leave, and the rest leave. */
#ifndef CSI_NODE_STAYING_H
#define CSI_NODE_STAYING_H

#include "node/feed.h"

/* Nothing is to be had now: sets feed->waiting and feed->next_look_ms. */
CFSPLIT_MUST_USE cfsplit_status csi_stay_decide(struct csi_feed *feed, uint64_t now_ms, uint64_t running,
                                                struct cfsplit_error *err);

/* There is work again: who is caretaker is so no more, and another one may stay. */
CFSPLIT_MUST_USE cfsplit_status csi_stay_lay_down(struct csi_feed *feed, struct cfsplit_error *err);

#endif
