#include "rundir/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "rundir/extend.h"

static cfsplit_status open_dir(struct cfsplit_run *run, struct cfsplit_error *err)
{
    run->fd = csi_io_open(AT_FDCWD, run->path, O_RDONLY | O_DIRECTORY);
    if (run->fd >= 0)
        return CFSPLIT_OK;
    if (errno == ENOENT)
        return csi_fail(err, CFSPLIT_USAGE, "there is no run %s; to make it: canfar-split plan",
                        csi_quote(run->path).text);
    return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot open run %s",
                          csi_quote(run->path).text);
}

static cfsplit_status read_spec(struct cfsplit_run *run, struct cfsplit_error *err)
{
    struct csi_buf text = CSI_BUF_INIT;
    cfsplit_status status = csi_io_read(run->fd, "run.json", 64 << 20, &text, err);
    if (status == CFSPLIT_END)
        status =
            csi_fail(err, CFSPLIT_USAGE, "%s is not a run directory: it has no run.json", csi_quote(run->path).text);
    else if (status == CFSPLIT_OK)
        status = csi_spec_decode(&run->spec, text.data, text.length, "run.json", err);
    csi_buf_release(&text);
    return status;
}

static void fill_facts(struct cfsplit_run *run)
{
    const struct csi_spec *spec = &run->spec;
    run->facts = (struct cfsplit_facts){
        .run_id = spec->run_id,
        .path = run->path,
        .cwd = spec->cwd,
        .weights = spec->weights,
        .command = (const char *const *)spec->command,
        .command_count = spec->command_count,
        .created_ms = spec->created_ms,
        .strategy = spec->strategy,
        .replicas = spec->replicas,
        .items = run->frozen.items,
        .weight = spec->weight + run->weight_added,
        .options = spec->options,
    };
}

cfsplit_status csi_run_refresh(struct cfsplit_run *run, struct cfsplit_error *err)
{
    struct csi_extension extension;
    cfsplit_status status;
    while ((status = csi_extension_read(run, run->frozen.generation_count, &extension, err)) == CFSPLIT_OK) {
        status = csi_frozen_add(&run->frozen, run->fd, run->spec.run_id, extension.items_digest, extension.index_digest,
                                extension.items, err);
        if (status != CFSPLIT_OK)
            return status;
        run->weight_added += extension.weight;
    }
    fill_facts(run);
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}

cfsplit_status cfsplit_run_open(const char *path, struct cfsplit_run **out, struct cfsplit_error *err)
{
    *out = NULL;
    struct cfsplit_run *run = calloc(1, sizeof *run);
    if (!run)
        return csi_fail_memory(err);
    run->fd = -1;
    run->path = strdup(path);
    cfsplit_status status = run->path ? open_dir(run, err) : csi_fail_memory(err);
    if (status == CFSPLIT_OK)
        status = read_spec(run, err);
    if (status == CFSPLIT_OK)
        status = csi_frozen_add(&run->frozen, run->fd, run->spec.run_id, run->spec.items_digest, run->spec.index_digest,
                                run->spec.items, err);
    if (status == CFSPLIT_OK)
        status = csi_run_refresh(run, err);
    if (status != CFSPLIT_OK) {
        cfsplit_run_close(run);
        return status;
    }
    *out = run;
    return CFSPLIT_OK;
}

void cfsplit_run_close(struct cfsplit_run *run)
{
    if (!run)
        return;
    csi_frozen_close(&run->frozen);
    csi_spec_release(&run->spec);
    if (run->fd >= 0)
        close(run->fd);
    free(run->path);
    free(run);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(((const struct cfsplit_item *)a)->name, ((const struct cfsplit_item *)b)->name);
}

/* These keep the list in the order in which it was given. */
static bool keeps_order(const struct cfsplit_run *run)
{
    return run->frozen.generation_count == 1 &&
           (run->spec.strategy == CFSPLIT_CHUNK || run->spec.strategy == CFSPLIT_EVEN ||
            run->spec.strategy == CFSPLIT_BLOCKS);
}

cfsplit_status cfsplit_run_list(const struct cfsplit_run *run, struct cfsplit_list *list, bool *as_given,
                                struct cfsplit_error *err)
{
    struct csi_items items = {0};
    *as_given = keeps_order(run);
    cfsplit_status status = csi_frozen_load(&run->frozen, 0, run->frozen.items, &items, err);
    if (status == CFSPLIT_OK && !*as_given && items.count > 1)
        qsort(items.at, (size_t)items.count, sizeof *items.at, by_bytes);
    for (uint64_t i = 0; status == CFSPLIT_OK && i < items.count; i++)
        status = cfsplit_list_add(list, items.at[i].name, items.at[i].length, items.at[i].weight, err);
    csi_items_release(&items);
    return status;
}

const struct cfsplit_facts *cfsplit_run_facts(const struct cfsplit_run *run)
{
    return &run->facts;
}

cfsplit_status cfsplit_run_identity(const struct cfsplit_run *run, const struct cfsplit_identity_options *options,
                                    char *(*lookup)(const char *name), struct cfsplit_identity *out,
                                    struct cfsplit_error *err)
{
    struct cfsplit_identity_options pinned;
    struct cfsplit_error failure;
    *out = (struct cfsplit_identity){0};
    if (options->size != sizeof *options) /* and then it may end before what would be copied */
        return cfsplit_identity_find(options, lookup, out, err);
    pinned = *options;
    pinned.pinned = run->spec.replicas;
    cfsplit_status status = cfsplit_identity_find(&pinned, lookup, out, &failure);
    if (status != CFSPLIT_OK && strcmp(failure.message, "no replica number here") == 0)
        return csi_fail(err, status, "%s, and %s has %" PRIu32, failure.message, run->path, run->spec.replicas);
    if (status != CFSPLIT_OK && err)
        *err = failure;
    if (status == CFSPLIT_OK && out->count != run->spec.replicas)
        return csi_fail(err, CFSPLIT_USAGE, "replica %" PRIu32 " of %" PRIu32 ", but %s was planned for %" PRIu32,
                        out->id, out->count, run->path, run->spec.replicas);
    return status;
}
