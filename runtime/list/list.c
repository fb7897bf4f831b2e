#include "list/list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"

cfsplit_status cfsplit_list_new(struct cfsplit_list **out, struct cfsplit_error *err)
{
    *out = calloc(1, sizeof **out);
    return *out ? CFSPLIT_OK : csi_fail_memory(err);
}

void cfsplit_list_free(struct cfsplit_list *list)
{
    if (!list)
        return;
    csi_buf_release(&list->names);
    free(list->offsets);
    free(list->weights);
    free(list);
}

static bool resize(uint64_t **array, uint64_t room)
{
    uint64_t *more = realloc(*array, (size_t)room * sizeof *more);
    if (more)
        *array = more;
    return more != NULL;
}

static bool make_room(struct cfsplit_list *list)
{
    if (list->count < list->room)
        return true;
    uint64_t room = list->room ? 2 * list->room : 64;
    if (!resize(&list->offsets, room) || (list->weights && !resize(&list->weights, room)))
        return false;
    list->room = room;
    return true;
}

/* The weights come into being with the first one that is not 1. */
static bool set_weight(struct cfsplit_list *list, uint64_t weight)
{
    if (!list->weights) {
        if (weight == 1)
            return true;
        if (!resize(&list->weights, list->room))
            return false;
        for (uint64_t i = 0; i < list->count; i++)
            list->weights[i] = 1;
    }
    list->weights[list->count] = weight;
    return true;
}

static cfsplit_status check_item(const struct cfsplit_list *list, const char *name, size_t length, uint64_t weight,
                                 struct cfsplit_error *err)
{
    if (length == 0)
        return csi_fail(err, CFSPLIT_USAGE, "item %" PRIu64 " is empty", list->count + 1);
    if (length > CFSPLIT_ITEM_BYTES_MAX)
        return csi_fail(err, CFSPLIT_USAGE, "item %s has %zu bytes, above the limit of %u",
                        csi_quote_bytes(name, length).text, length, CFSPLIT_ITEM_BYTES_MAX);
    if (memchr(name, '\0', length))
        return csi_fail(err, CFSPLIT_USAGE, "item %s holds a NUL", csi_quote_bytes(name, length).text);
    if (weight > CSI_WEIGHT_MAX - list->weight)
        return csi_fail(err, CFSPLIT_USAGE, "the weights up to item %s add up to 2^63 or more",
                        csi_quote_bytes(name, length).text);
    return CFSPLIT_OK;
}

cfsplit_status cfsplit_list_add(struct cfsplit_list *list, const char *name, size_t length, uint64_t weight,
                                struct cfsplit_error *err)
{
    cfsplit_status status = check_item(list, name, length, weight, err);
    if (status != CFSPLIT_OK)
        return status;
    uint64_t offset = list->names.length;
    if (!make_room(list) || !csi_buf_reserve(&list->names, length + 1) || !set_weight(list, weight))
        return csi_fail_memory(err);
    csi_buf_add(&list->names, name, length);
    csi_buf_add_char(&list->names, '\0');
    list->offsets[list->count++] = offset;
    list->weight += weight;
    return CFSPLIT_OK;
}

uint64_t cfsplit_list_count(const struct cfsplit_list *list)
{
    return list->count;
}

struct cfsplit_item cfsplit_list_at(const struct cfsplit_list *list, uint64_t i)
{
    uint64_t end = i + 1 < list->count ? list->offsets[i + 1] : list->names.length;
    return (struct cfsplit_item){
        .name = list->names.data + list->offsets[i],
        .length = (size_t)(end - list->offsets[i] - 1),
        .weight = list->weights ? list->weights[i] : 1,
    };
}

uint64_t cfsplit_list_weight(const struct cfsplit_list *list)
{
    return list->weight;
}

void cfsplit_list_digest(const struct cfsplit_list *list, char out[33])
{
    static const char digits[] = "0123456789abcdef";
    XXH128_canonical_t bytes; /* big endian: the same text on every machine */
    XXH128_canonicalFromHash(&bytes, XXH3_128bits(list->names.data, list->names.length));
    for (size_t i = 0; i < sizeof bytes.digest; i++) {
        out[2 * i] = digits[bytes.digest[i] >> 4];
        out[2 * i + 1] = digits[bytes.digest[i] & 15];
    }
    out[32] = '\0';
}
