#include "node/names.h"

void csi_names_init(struct csi_names *names, const struct cfsplit_run *run)
{
    *names = (struct csi_names){.run = run};
}

void csi_names_fini(struct csi_names *names)
{
    for (size_t i = 0; i < CSI_NAMES_CHUNKS; i++)
        csi_items_release(&names->chunks[i]);
}

cfsplit_status csi_names_at(struct csi_names *names, uint64_t index, const struct cfsplit_item **item,
                            struct cfsplit_error *err)
{
    uint64_t first = index - index % CSI_NAMES_CHUNK;
    struct csi_items *chunk = &names->chunks[index / CSI_NAMES_CHUNK % CSI_NAMES_CHUNKS];
    if (chunk->count == 0 || chunk->first != first || index - first >= chunk->count) {
        uint64_t left = names->run->frozen.items - first;
        cfsplit_status status =
            csi_frozen_load(&names->run->frozen, first, left < CSI_NAMES_CHUNK ? left : CSI_NAMES_CHUNK, chunk, err);
        if (status != CFSPLIT_OK) {
            csi_items_release(chunk);
            return status;
        }
    }
    *item = csi_items_at(chunk, index);
    return CFSPLIT_OK;
}
