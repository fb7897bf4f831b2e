#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "list/list.h"
#include "list/pattern.h"

static cfsplit_status size_of(const char *name, uint64_t *size, struct cfsplit_error *err)
{
    struct stat st;
    if (stat(name, &st) != 0) {
        int number = errno;
        if (csi_extended_stat(name, &st) != 0)
            return csi_fail_errno(err, csi_status_of_errno(number, CFSPLIT_USAGE), number, "cannot weigh %s",
                                  csi_quote(name).text);
    }
    if (!S_ISREG(st.st_mode))
        return csi_fail(err, CFSPLIT_USAGE, "cannot weigh %s: it is not a file", csi_quote(name).text);
    *size = (uint64_t)st.st_size;
    return CFSPLIT_OK;
}

cfsplit_status cfsplit_list_weigh(struct cfsplit_list *list, struct cfsplit_error *err)
{
    uint64_t *weights = calloc((size_t)list->room + 1, sizeof *weights);
    uint64_t sum = 0;
    if (!weights)
        return csi_fail_memory(err);
    cfsplit_status status = CFSPLIT_OK;
    for (uint64_t i = 0; status == CFSPLIT_OK && i < list->count; i++) {
        const char *name = cfsplit_list_at(list, i).name;
        status = size_of(name, &weights[i], err);
        if (status == CFSPLIT_OK && weights[i] > CSI_WEIGHT_MAX - sum)
            status =
                csi_fail(err, CFSPLIT_USAGE, "the weights up to item %s add up to 2^63 or more", csi_quote(name).text);
        if (status == CFSPLIT_OK)
            sum += weights[i];
    }
    if (status != CFSPLIT_OK) {
        free(weights);
        return status;
    }
    free(list->weights);
    list->weights = weights;
    list->weight = sum;
    return CFSPLIT_OK;
}
