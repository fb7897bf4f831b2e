/* Claiming one piece: whose it is, whether it may be had, and having it. */
#ifndef CSI_NODE_CLAIMING_H
#define CSI_NODE_CLAIMING_H

#include "node/feed.h"

/* Is it of our share? */
bool csi_piece_is_own(const struct csi_feed *feed, uint32_t piece);

/* May we take what is not of our own share? */
bool csi_may_adopt(const struct csi_feed *feed);

/* Looks up who has claimed the piece and those beside it. */
CFSPLIT_MUST_USE cfsplit_status csi_piece_list_near(struct csi_feed *feed, uint32_t piece, struct cfsplit_error *err);

/* The place in feed->others of the owner of a claimed piece. */
CFSPLIT_MUST_USE cfsplit_status csi_piece_owner(struct csi_feed *feed, uint32_t piece, size_t *owner_at,
                                                struct cfsplit_error *err);

/* Did a coordinator have it, as far as its owner was looked up? Then only coordinators may take it: anybody may have its items. */
bool csi_piece_was_handed_out(const struct csi_feed *feed, uint32_t piece);

/* Is there anything to be had in a piece, as of the last look? */
CFSPLIT_MUST_USE cfsplit_status csi_piece_is_candidate(struct csi_feed *feed, uint32_t piece, bool *is,
                                                       struct cfsplit_error *err);

/* Claims a piece if it is free and something is open in it. *mine tells; it is settled if nothing is to be done. */
CFSPLIT_MUST_USE cfsplit_status csi_piece_try(struct csi_feed *feed, uint32_t piece, uint64_t now_ms, bool *mine,
                                              struct cfsplit_error *err);

#endif
