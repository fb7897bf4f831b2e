#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/thread.h"
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

enum { batch = 128, enough = 4 * batch, readers_max = 4 };

/* Several threads, each taking the next items. What follows `lock` is guarded by it. */
struct weighing {
    const struct cfsplit_list *list;
    uint64_t *weights;
    pthread_mutex_t lock;
    uint64_t next;
    uint64_t failed; /* the first item that cannot be weighed, or the count of all */
    cfsplit_status status;
    struct cfsplit_error err;
};

static bool take_batch(struct weighing *w, uint64_t *from, uint64_t *to)
{
    pthread_mutex_lock(&w->lock);
    *from = w->next;
    *to = w->failed - w->next < batch ? w->failed : w->next + batch;
    bool some = w->next < w->failed;
    if (some)
        w->next = *to;
    pthread_mutex_unlock(&w->lock);
    return some;
}

static void note_failure(struct weighing *w, uint64_t item, cfsplit_status status, const struct cfsplit_error *err)
{
    pthread_mutex_lock(&w->lock);
    if (item < w->failed) {
        w->failed = item;
        w->status = status;
        w->err = *err;
    }
    pthread_mutex_unlock(&w->lock);
}

static void *work(void *argument)
{
    struct weighing *w = argument;
    uint64_t from, to;
    while (take_batch(w, &from, &to)) {
        struct cfsplit_error err = {0};
        cfsplit_status status = CFSPLIT_OK;
        for (; status == CFSPLIT_OK && from < to; from++)
            status = size_of(cfsplit_list_at(w->list, from).name, &w->weights[from], &err);
        if (status != CFSPLIT_OK)
            note_failure(w, from - 1, status, &err);
    }
    return NULL;
}

static cfsplit_status add_up(const struct cfsplit_list *list, const uint64_t *weights, uint64_t *sum,
                             struct cfsplit_error *err)
{
    *sum = 0;
    for (uint64_t i = 0; i < list->count; i++) {
        if (weights[i] > CSI_WEIGHT_MAX - *sum)
            return csi_fail(err, CFSPLIT_USAGE, "the weights up to item %s add up to 2^63 or more",
                            csi_quote(cfsplit_list_at(list, i).name).text);
        *sum += weights[i];
    }
    return CFSPLIT_OK;
}

cfsplit_status cfsplit_list_set_weights(struct cfsplit_list *list, const uint64_t *weights, struct cfsplit_error *err)
{
    uint64_t sum;
    cfsplit_status status = add_up(list, weights, &sum, err);
    if (status != CFSPLIT_OK)
        return status;
    uint64_t *copy = calloc((size_t)list->room + 1, sizeof *copy);
    if (!copy)
        return csi_fail_memory(err);
    for (uint64_t i = 0; i < list->count; i++)
        copy[i] = weights[i];
    use_weights(list, copy, sum);
    return CFSPLIT_OK;
}

cfsplit_status cfsplit_list_weigh(struct cfsplit_list *list, struct cfsplit_error *err)
{
    struct weighing w = {.list = list, .failed = list->count};
    uint64_t sum;
    w.weights = calloc((size_t)list->room + 1, sizeof *w.weights);
    if (!w.weights)
        return csi_fail_memory(err);
    pthread_mutex_init(&w.lock, NULL);
    csi_thread_team(list->count > enough ? readers_max : 1, work, &w);
    pthread_mutex_destroy(&w.lock);
    if (w.status != CFSPLIT_OK && err)
        *err = w.err;
    cfsplit_status status = w.status == CFSPLIT_OK ? add_up(list, w.weights, &sum, err) : w.status;
    if (status != CFSPLIT_OK) {
        free(w.weights);
        return status;
    }
    use_weights(list, w.weights, sum);
    return CFSPLIT_OK;
}
