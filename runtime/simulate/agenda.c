#include "simulate/agenda.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"

cfsplit_status csi_agenda_init(struct csi_agenda *agenda, size_t room, struct cfsplit_error *err)
{
    *agenda = (struct csi_agenda){.events = malloc((room + 1) * sizeof *agenda->events), .room = room};
    return agenda->events ? CFSPLIT_OK : csi_fail_memory(err);
}

void csi_agenda_fini(struct csi_agenda *agenda)
{
    free(agenda->events);
    *agenda = (struct csi_agenda){0};
}

static bool is_before(const struct csi_event *a, const struct csi_event *b)
{
    if (a->at != b->at)
        return a->at < b->at;
    return a->kind != b->kind ? a->kind < b->kind : a->who < b->who;
}

void csi_agenda_add(struct csi_agenda *agenda, uint64_t at, uint32_t kind, uint32_t who)
{
    struct csi_event *events = agenda->events, added = {at, kind, who};
    size_t place = agenda->count++;
    while (place > 0 && is_before(&added, &events[(place - 1) / 2])) {
        events[place] = events[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    events[place] = added;
}

struct csi_event csi_agenda_take(struct csi_agenda *agenda)
{
    struct csi_event *events = agenda->events, first = events[0], moved = events[--agenda->count];
    size_t place = 0;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child + 1 < agenda->count && is_before(&events[child + 1], &events[child]))
            child++;
        if (child >= agenda->count || !is_before(&events[child], &moved))
            break;
        events[place] = events[child];
        place = child;
    }
    events[place] = moved;
    return first;
}
