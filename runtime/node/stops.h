/* Orders to stop (`canfar-split stop RUN`), as whoever runs items hears of them: looked for once a second. */
#ifndef CSI_NODE_STOPS_H
#define CSI_NODE_STOPS_H

#include "node/incarnation.h"

struct csi_stops {
    uint32_t last; /* the number of the last one that was seen */
    uint64_t next_look_ms;
};

/* Those that are there already are not meant for who begins now. */
CFSPLIT_MUST_USE cfsplit_status csi_stops_init(struct csi_stops *stops, const struct cfsplit_run *run,
                                               struct cfsplit_error *err);

/* What a new order says; CFSPLIT_GO_ON: there is none, or it is too early to look again. It has been said. */
CFSPLIT_MUST_USE cfsplit_status csi_stops_look(struct csi_stops *stops, const struct csi_incarnation *life,
                                               uint64_t now_ms, enum cfsplit_order *order, struct cfsplit_error *err);

#endif
