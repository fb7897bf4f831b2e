/* Taking: which piece is claimed next. The own share first, then what others left, then from the back of the shares of those
 * at work. */
#ifndef CSI_NODE_TAKING_H
#define CSI_NODE_TAKING_H

#include "node/feed.h"

/* Claims one more piece, if there is one to be had; else decides whether to stay (feed->waiting, feed->next_look_ms).
 * `running` items run in this replica. */
CFSPLIT_MUST_USE cfsplit_status csi_take_more(struct csi_feed *feed, uint64_t now_ms, uint64_t running, bool *mine,
                                              struct cfsplit_error *err);

#endif
