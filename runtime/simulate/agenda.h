/* The agenda of a simulation: what happens next. A heap of events; of those at one time the lower kind comes first, then the lower
 * number. */
#ifndef CSI_SIMULATE_AGENDA_H
#define CSI_SIMULATE_AGENDA_H

#include <stddef.h>
#include <stdint.h>

#include <cfsplit/error.h>

struct csi_event {
    uint64_t at;
    uint32_t kind, who;
};

struct csi_agenda {
    struct csi_event *events;
    size_t count, room;
};

/* Room for so many events at a time; more must never be added. Errors: CFSPLIT_MEMORY. Safe to end after a failure. */
CFSPLIT_MUST_USE cfsplit_status csi_agenda_init(struct csi_agenda *agenda, size_t room, struct cfsplit_error *err);
void csi_agenda_fini(struct csi_agenda *agenda);

void csi_agenda_add(struct csi_agenda *agenda, uint64_t at, uint32_t kind, uint32_t who);

/* The next event; there must be one. */
struct csi_event csi_agenda_take(struct csi_agenda *agenda);

#endif
