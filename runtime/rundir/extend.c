/* cfsplit_extend: a generation is built whole beside its place and renamed to it, as a plan is. */
#include "rundir/extend.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/io.h"
#include "base/killpoint.h"
#include "base/text.h"
#include "rundir/known.h"

static bool parse_extension(const struct cfsplit_run *run, uint32_t generation, const char *text, size_t length,
                            struct csi_extension *out)
{
    const char *tab = length ? memrchr(text, '\t', length) : NULL;
    uint64_t check, number, created;
    if (!tab || text[length - 1] != '\n' || !csi_text_hex(tab + 1, (size_t)(text + length - 1 - tab - 1), &check) ||
        check != XXH64(text, (size_t)(tab + 1 - text), 0))
        return false;
    struct csi_fields f = csi_fields_of(text, length - 1);
    return csi_fields_is(&f, "cfsplit-extension") && csi_fields_is(&f, "1") && csi_fields_is(&f, run->spec.run_id) &&
           csi_fields_u64(&f, &number) && number == generation && csi_fields_u64(&f, &out->items) &&
           csi_fields_u64(&f, &out->weight) && csi_fields_hex(&f, &out->items_digest) &&
           csi_fields_hex(&f, &out->index_digest) && csi_fields_u64(&f, &created) && csi_fields_hex(&f, &check) &&
           csi_fields_done(&f) && out->items > 0;
}

cfsplit_status csi_extension_read(const struct cfsplit_run *run, uint32_t generation, struct csi_extension *out,
                                  struct cfsplit_error *err)
{
    char name[40];
    struct csi_buf text = CSI_BUF_INIT;
    snprintf(name, sizeof name, "extend/%" PRIu32 "/extension", generation);
    cfsplit_status status = csi_io_read(run->fd, name, 4096, &text, err);
    if (status == CFSPLIT_OK && !parse_extension(run, generation, text.data ? text.data : "", text.length, out))
        status = csi_fail(err, CFSPLIT_DAMAGED, "'%s' is damaged at byte 0: not an extension of this run", name);
    csi_buf_release(&text);
    return status;
}

/* ---- which items are new */

/* The items of `list` that the run does not have; bytes are compared. */
static cfsplit_status find_new(const struct cfsplit_run *run, const struct cfsplit_list *list,
                               struct cfsplit_list **fresh, struct cfsplit_error *err)
{
    struct csi_items items = {0};
    struct csi_known known = {0};
    cfsplit_status status = cfsplit_list_new(fresh, err);
    if (status == CFSPLIT_OK)
        status = csi_frozen_load(&run->frozen, 0, run->frozen.items, &items, err);
    if (status == CFSPLIT_OK)
        status = csi_known_init(&known, &items, err);
    for (uint64_t i = 0; status == CFSPLIT_OK && i < cfsplit_list_count(list); i++) {
        struct cfsplit_item item = cfsplit_list_at(list, i);
        if (csi_known_find(&known, &item) == UINT64_MAX)
            status = cfsplit_list_add(*fresh, item.name, item.length, item.weight, err);
    }
    csi_known_fini(&known);
    csi_items_release(&items);
    return status;
}

/* ---- building a generation */

struct site { /* extend/.tmp-<nonce> */
    const struct cfsplit_run *run;
    char name[40];
    int parent, fd;
    uint32_t generation;
};

static cfsplit_status open_site(struct site *site, struct cfsplit_error *err)
{
    char nonce[17];
    mode_t mode = site->run->spec.group ? 0750 : 0700;
    cfsplit_status status = csi_io_nonce(nonce, err);
    if (status != CFSPLIT_OK)
        return status;
    snprintf(site->name, sizeof site->name, ".tmp-%s", nonce);
    site->parent = csi_io_open(site->run->fd, "extend", O_RDONLY | O_DIRECTORY);
    if (site->parent < 0 || mkdirat(site->parent, site->name, mode) != 0 ||
        fchmodat(site->parent, site->name, mode, 0) != 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot extend %s",
                              csi_quote(site->run->path).text);
    CSI_KILL_POINT("extend.folder-made");
    site->fd = csi_io_open(site->parent, site->name, O_RDONLY | O_DIRECTORY);
    if (site->fd < 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot open 'extend/%s'", site->name);
    return CFSPLIT_OK;
}

static cfsplit_status write_extension(const struct site *site, const struct csi_extension *e, struct cfsplit_error *err)
{
    struct csi_buf line = CSI_BUF_INIT;
    csi_buf_addf(&line,
                 "cfsplit-extension\t1\t%s\t%" PRIu32 "\t%" PRIu64 "\t%" PRIu64 "\t%016" PRIx64 "\t%016" PRIx64
                 "\t%" PRIu64 "\t",
                 site->run->spec.run_id, site->generation, e->items, e->weight, e->items_digest, e->index_digest,
                 csi_clock_wall_ms());
    csi_buf_addf(&line, "%016" PRIx64 "\n", line.failed ? 0 : (uint64_t)XXH64(line.data, line.length, 0));
    cfsplit_status status = csi_buf_check(&line, err);
    if (status == CFSPLIT_OK)
        status = csi_io_write_new(site->fd, "extension", csi_run_mode(site->run), line.data, line.length, err);
    csi_buf_release(&line);
    return status;
}

/* The folders of its claims are there before anybody can look for them. */
static cfsplit_status make_claim_folders(const struct site *site, size_t pieces, struct cfsplit_error *err)
{
    mode_t mode = site->run->spec.group ? 0750 : 0700;
    for (size_t n = 0; n * CSI_PIECES_PER_FOLDER < pieces; n++) {
        char name[48];
        snprintf(name, sizeof name, "claims/%" PRIu32 ".%zu", site->generation, n);
        if ((mkdirat(site->run->fd, name, mode) != 0 && errno != EEXIST) || fchmodat(site->run->fd, name, mode, 0) != 0)
            return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot make folder '%s'",
                                  name);
    }
    return csi_io_sync_folder(site->run->fd, "claims", err);
}

static cfsplit_status write_generation(const struct site *site, const struct cfsplit_list *list,
                                       struct cfsplit_error *err)
{
    static const char *const files[] = {"items.lz4", "items.idx"};
    const struct csi_spec *spec = &site->run->spec;
    struct csi_extension e = {.items = cfsplit_list_count(list), .weight = cfsplit_list_weight(list)};
    struct csi_layout layout;
    cfsplit_status status = csi_layout_new(&layout, list, spec->strategy, spec->replicas, err);
    if (status == CFSPLIT_OK)
        status = csi_frozen_write(site->fd, spec->run_id, site->generation, site->run->frozen.items, list, &layout,
                                  &e.items_digest, &e.index_digest, err);
    CSI_KILL_POINT("extend.items-written");
    for (size_t i = 0; status == CFSPLIT_OK && i < 2; i++)
        if (fchmodat(site->fd, files[i], csi_run_mode(site->run), 0) != 0)
            status = csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot set the mode of '%s'", files[i]);
    if (status == CFSPLIT_OK)
        status = write_extension(site, &e, err);
    if (status == CFSPLIT_OK)
        status = csi_io_sync_dir(site->fd, site->name, err);
    if (status == CFSPLIT_OK)
        status = make_claim_folders(site, layout.cut_count, err);
    CSI_KILL_POINT("extend.before-rename");
    csi_layout_free(&layout);
    return status;
}

static void remove_site(const struct site *site)
{
    unlinkat(site->fd, "extension", 0);
    unlinkat(site->fd, "items.lz4", 0);
    unlinkat(site->fd, "items.idx", 0);
    unlinkat(site->parent, site->name, AT_REMOVEDIR);
}

/* Makes the next generation. *won is false if somebody else made one of that number meanwhile. */
static cfsplit_status add_generation(const struct cfsplit_run *run, const struct cfsplit_list *list, bool *won,
                                     struct cfsplit_error *err)
{
    struct site site = {.run = run, .parent = -1, .fd = -1, .generation = run->frozen.generation_count};
    char number[16];
    *won = false;
    snprintf(number, sizeof number, "%" PRIu32, site.generation);
    cfsplit_status status = open_site(&site, err);
    if (status == CFSPLIT_OK)
        status = write_generation(&site, list, err);
    if (status == CFSPLIT_OK) {
        int failed = renameat(site.parent, site.name, site.parent, number) == 0 ? 0 : errno;
        CSI_KILL_POINT("extend.renamed");
        *won = failed == 0 || csi_io_is_at(site.parent, number, site.fd);
        if (*won)
            status = csi_io_sync_dir(site.parent, "extend", err);
        else if (failed != EEXIST && failed != ENOTEMPTY)
            status = csi_fail_errno(err, csi_status_of_errno(failed, CFSPLIT_USAGE), failed, "cannot extend %s",
                                    csi_quote(run->path).text);
    }
    if (!*won && site.fd >= 0)
        remove_site(&site);
    if (site.fd >= 0)
        close(site.fd);
    if (site.parent >= 0)
        close(site.parent);
    return status;
}

cfsplit_status cfsplit_extend(struct cfsplit_run *run, const struct cfsplit_list *list, uint64_t *added,
                              struct cfsplit_error *err)
{
    bool won = false;
    cfsplit_status status = CFSPLIT_OK;
    for (*added = 0; status == CFSPLIT_OK && !won;) {
        struct cfsplit_list *fresh = NULL;
        status = csi_run_refresh(run, err); /* others may extend it, too */
        if (status == CFSPLIT_OK)
            status = find_new(run, list, &fresh, err);
        uint64_t count = status == CFSPLIT_OK ? cfsplit_list_count(fresh) : 0;
        if (count > 0)
            status = add_generation(run, fresh, &won, err);
        cfsplit_list_free(fresh);
        if (count == 0)
            return status;
        *added = won ? count : 0;
    }
    return status == CFSPLIT_OK ? csi_run_refresh(run, err) : status;
}
