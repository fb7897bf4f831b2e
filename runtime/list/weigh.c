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

static void use_weights(struct cfsplit_list *list, uint64_t *weights, uint64_t sum)
{
    free(list->weights);
    list->weights = weights;
    list->weight = sum;
}

static cfsplit_status too_heavy(const char *name, struct cfsplit_error *err)
{
    return csi_fail(err, CFSPLIT_USAGE, "the weights up to item %s add up to 2^63 or more", csi_quote(name).text);
}

cfsplit_status cfsplit_list_set_weights(struct cfsplit_list *list, const uint64_t *weights, struct cfsplit_error *err)
{
    uint64_t *copy = calloc((size_t)list->room + 1, sizeof *copy);
    uint64_t sum = 0;
    if (!copy)
        return csi_fail_memory(err);
    for (uint64_t i = 0; i < list->count; i++) {
        if (weights[i] > CSI_WEIGHT_MAX - sum) {
            free(copy);
            return too_heavy(cfsplit_list_at(list, i).name, err);
        }
        sum += copy[i] = weights[i];
    }
    use_weights(list, copy, sum);
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
            status = too_heavy(name, err);
        if (status == CFSPLIT_OK)
            sum += weights[i];
    }
    if (status != CFSPLIT_OK) {
        free(weights);
        return status;
    }
    use_weights(list, weights, sum);
    return CFSPLIT_OK;
}
