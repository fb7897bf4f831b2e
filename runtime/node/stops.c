#include "node/stops.h"

#include "rundir/order.h"

enum { look_every_ms = 1000 };

cfsplit_status csi_stops_init(struct csi_stops *stops, const struct cfsplit_run *run, struct cfsplit_error *err)
{
    bool now;
    *stops = (struct csi_stops){0};
    return csi_order_last_stop(run, 0, &stops->last, &now, err);
}

cfsplit_status csi_stops_look(struct csi_stops *stops, const struct csi_incarnation *life, uint64_t now_ms,
                              enum cfsplit_order *order, struct cfsplit_error *err)
{
    uint32_t last;
    bool now = false;
    *order = CFSPLIT_GO_ON;
    if (now_ms < stops->next_look_ms)
        return CFSPLIT_OK;
    stops->next_look_ms = now_ms + look_every_ms;
    cfsplit_status status = csi_order_last_stop(life->run, stops->last, &last, &now, err);
    if (status != CFSPLIT_OK || last == stops->last)
        return status;
    stops->last = last;
    *order = now ? CFSPLIT_DRAIN : CFSPLIT_FINISH;
    csi_incarnation_say(life, now ? "told to stop at once" : "told to stop: finishing what runs");
    return CFSPLIT_OK;
}
