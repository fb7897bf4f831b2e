/* cfsplit_plan: a run directory is built whole beside its place and renamed to it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
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
#include "rundir/run.h"

static const char *const folders[] = {"replicas", "claims", "journal", "beat",  "output",
                                      "fence",    "retry",  "stop",    "extend"};
enum { folder_count = sizeof folders / sizeof folders[0] };
static const char coordinators_folder[] = "coordinator", keys_folder[] = "keys"; /* of strategy queue */

/* Where a plan is built: a hidden folder beside RUN. */
struct site {
    char parent[PATH_MAX]; /* folder of RUN */
    char base[NAME_MAX];   /* its name there */
    char temp[NAME_MAX + 1];
    int parent_fd, fd;
};

/* Splits a path into folder and name. */
static cfsplit_status name_site(struct site *site, const char *path, struct cfsplit_error *err)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    const char *slash = memrchr(path, '/', length), *base = slash ? slash + 1 : path;
    size_t parent = slash == NULL || slash == path ? 1 : (size_t)(slash - path), rest = length - (size_t)(base - path);
    if (parent >= sizeof site->parent || rest >= sizeof site->base)
        return csi_fail_errno(err, CFSPLIT_USAGE, ENAMETOOLONG, "cannot plan %s", csi_quote(path).text);
    memcpy(site->parent, slash ? path : ".", parent);
    site->parent[parent] = '\0';
    memcpy(site->base, base, rest);
    site->base[rest] = '\0';
    return CFSPLIT_OK;
}

static cfsplit_status open_site(struct site *site, const char *path, struct cfsplit_error *err)
{
    char nonce[17];
    cfsplit_status status = name_site(site, path, err);
    if (status == CFSPLIT_OK)
        status = csi_io_nonce(nonce, err);
    if (status != CFSPLIT_OK)
        return status;
    if (!*site->base || strcmp(site->base, ".") == 0 || strcmp(site->base, "..") == 0)
        return csi_fail(err, CFSPLIT_USAGE, "%s cannot be the name of a run", csi_quote(path).text);
    snprintf(site->temp, sizeof site->temp, ".%.200s.plan-%s", site->base, nonce);
    site->parent_fd = csi_io_open(AT_FDCWD, site->parent, O_RDONLY | O_DIRECTORY);
    if (site->parent_fd < 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot plan %s: folder %s",
                              csi_quote(path).text, csi_quote(site->parent).text);
    if (mkdirat(site->parent_fd, site->temp, 0700) != 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot plan %s: folder %s",
                              csi_quote(path).text, csi_quote(site->parent).text);
    CSI_KILL_POINT("plan.folder-made");
    site->fd = csi_io_open(site->parent_fd, site->temp, O_RDONLY | O_DIRECTORY);
    if (site->fd < 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot open %s", csi_quote(site->temp).text);
    return CFSPLIT_OK;
}

static cfsplit_status make_folder(int dir, const char *name, bool group, struct cfsplit_error *err)
{
    mode_t mode = group ? 0750 : 0700; /* set again behind the umask */
    if (mkdirat(dir, name, mode) != 0 || fchmodat(dir, name, mode, 0) != 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot make folder '%s'", name);
    return CFSPLIT_OK;
}

static cfsplit_status make_folders(const struct site *site, uint64_t pieces, const struct csi_spec *spec,
                                   struct cfsplit_error *err)
{
    bool group = spec->group, is_queue = spec->strategy == CFSPLIT_QUEUE;
    cfsplit_status status = CFSPLIT_OK;
    for (size_t i = 0; status == CFSPLIT_OK && i < folder_count; i++)
        status = make_folder(site->fd, folders[i], group, err);
    if (status == CFSPLIT_OK && is_queue)
        status = make_folder(site->fd, coordinators_folder, group, err);
    if (status == CFSPLIT_OK && is_queue)
        status = make_folder(site->fd, keys_folder, false, err); /* colleagues read, they do not take part */
    for (uint64_t n = 0; status == CFSPLIT_OK && n * CSI_PIECES_PER_FOLDER < pieces; n++) {
        char name[40];
        snprintf(name, sizeof name, "claims/0.%" PRIu64, n);
        status = make_folder(site->fd, name, group, err);
    }
    return status == CFSPLIT_OK ? csi_io_sync_folder(site->fd, "claims", err) : status;
}

/* Removes what write_run made, and nothing else. */
static void remove_site(const struct site *site)
{
    static const char *const files[] = {"run.json", "items.lz4", "items.idx"};
    char name[40];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlinkat(site->fd, files[i], 0);
    for (uint64_t n = 0; snprintf(name, sizeof name, "claims/0.%" PRIu64, n) > 0; n++)
        if (unlinkat(site->fd, name, AT_REMOVEDIR) != 0)
            break;
    for (size_t i = 0; i < folder_count; i++)
        unlinkat(site->fd, folders[i], AT_REMOVEDIR);
    unlinkat(site->fd, coordinators_folder, AT_REMOVEDIR);
    unlinkat(site->fd, keys_folder, AT_REMOVEDIR);
    unlinkat(site->parent_fd, site->temp, AT_REMOVEDIR);
}

static cfsplit_status fill_spec(struct csi_spec *spec, const struct cfsplit_list *list,
                                const struct cfsplit_plan_request *request, struct cfsplit_error *err)
{
    char a[17], b[17], seed[17];
    cfsplit_status status = csi_io_nonce(a, err);
    if (status == CFSPLIT_OK)
        status = csi_io_nonce(b, err);
    if (status == CFSPLIT_OK)
        status = csi_io_nonce(seed, err);
    if (status != CFSPLIT_OK)
        return status;
    snprintf(spec->run_id, sizeof spec->run_id, "%s%s", a, b);
    csi_text_hex(seed, 16, &spec->seed);
    spec->created_ms = csi_clock_wall_ms();
    spec->strategy = request->strategy;
    spec->replicas = (uint32_t)request->replicas;
    spec->items = cfsplit_list_count(list);
    spec->weight = cfsplit_list_weight(list);
    cfsplit_list_digest(list, spec->list_digest);
    spec->group = request->group;
    spec->options = request->options;
    spec->cwd = realpath(request->cwd ? request->cwd : ".", NULL);
    if (!spec->cwd)
        return csi_fail_errno(err, CFSPLIT_USAGE, errno, "cannot use %s as the working directory",
                              csi_quote(request->cwd ? request->cwd : ".").text);
    spec->weights = strdup(request->weights ? request->weights : "");
    spec->command = calloc(request->command_count + 1, sizeof *spec->command);
    if (!spec->weights || !spec->command)
        return csi_fail_memory(err);
    for (; spec->command_count < request->command_count; spec->command_count++)
        if (!(spec->command[spec->command_count] = strdup(request->command[spec->command_count])))
            return csi_fail_memory(err);
    return CFSPLIT_OK;
}

static cfsplit_status write_run(const struct site *site, struct csi_spec *spec, const struct cfsplit_list *list,
                                struct cfsplit_error *err)
{
    struct csi_layout layout;
    struct csi_buf text = CSI_BUF_INIT;
    cfsplit_status status = csi_layout_new(&layout, list, spec->strategy, spec->replicas, err);
    if (status == CFSPLIT_OK)
        status = make_folders(site, layout.cut_count, spec, err);
    CSI_KILL_POINT("plan.folders-filled");
    if (status == CFSPLIT_OK)
        status = csi_frozen_write(site->fd, spec->run_id, 0, 0, list, &layout, &spec->items_digest, &spec->index_digest,
                                  err);
    if (status == CFSPLIT_OK)
        status = csi_spec_encode(spec, &text, err);
    CSI_KILL_POINT("plan.index-written");
    if (status == CFSPLIT_OK)
        status = csi_io_write_new(site->fd, "run.json", 0600, text.data, text.length, err);
    CSI_KILL_POINT("plan.run-written");
    static const char *const files[] = {"run.json", "items.lz4", "items.idx"};
    for (size_t i = 0; status == CFSPLIT_OK && spec->group && i < sizeof files / sizeof files[0]; i++)
        if (fchmodat(site->fd, files[i], 0640, 0) != 0)
            status = csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot set the mode of '%s'", files[i]);
    if (status == CFSPLIT_OK && spec->group && fchmod(site->fd, 0750) != 0)
        status = csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot set the mode of the run directory");
    if (status == CFSPLIT_OK)
        status = csi_io_sync_dir(site->fd, site->temp, err);
    csi_buf_release(&text);
    csi_layout_free(&layout);
    return status;
}

/* Renames the finished folder to its place. *created is false if a plan (or anything else) stands there already. */
static cfsplit_status settle(const struct site *site, const char *path, bool *created, struct cfsplit_error *err)
{
    CSI_KILL_POINT("plan.before-rename");
    int number = renameat(site->parent_fd, site->temp, site->parent_fd, site->base) == 0 ? 0 : errno;
    CSI_KILL_POINT("plan.renamed");
    *created = number == 0 || csi_io_is_at(site->parent_fd, site->base, site->fd);
    if (*created)
        return csi_io_sync_dir(site->parent_fd, site->parent, err);
    if (number == EEXIST || number == ENOTEMPTY) {
        (void)csi_io_await(site->parent_fd, site->base);
        return CFSPLIT_OK;
    }
    return csi_fail_errno(err, csi_status_of_errno(number, CFSPLIT_USAGE), number, "cannot make run %s",
                          csi_quote(path).text);
}

static cfsplit_status differs(const char *path, const char *what, const char *was, const char *is,
                              struct cfsplit_error *err)
{
    return csi_fail(err, CFSPLIT_USAGE, "%s was planned with %s %s, not %s", csi_quote(path).text, what, was, is);
}

/* Names one item that only one of two lists of equal strategy has. */
static cfsplit_status compare_lists(const struct cfsplit_run *run, const struct cfsplit_list *list,
                                    struct cfsplit_error *err)
{
    char digest[33];
    cfsplit_list_digest(list, digest);
    if (strcmp(digest, run->spec.list_digest) == 0)
        return CFSPLIT_OK;
    uint64_t mine = cfsplit_list_count(list), theirs = run->spec.items, now = run->frozen.items;
    char these[24] = "these";
    if (mine != theirs)
        snprintf(these, sizeof these, "%" PRIu64, mine);
    if (now != theirs)
        return csi_fail(err, CFSPLIT_USAGE,
                        "%s was planned with %" PRIu64 " item%s (%" PRIu64 " by now, some added by plan --extend), not "
                        "%s; to add what is new: canfar-split plan %s --extend ...",
                        csi_quote(run->path).text, theirs, theirs == 1 ? "" : "s", now, these,
                        csi_quote(run->path).text);
    if (mine != theirs)
        return csi_fail(err, CFSPLIT_USAGE, "%s was planned with %" PRIu64 " items, not %" PRIu64,
                        csi_quote(run->path).text, theirs, mine);
    return csi_fail(err, CFSPLIT_USAGE, "%s was planned with other items, or with them in another order",
                    csi_quote(run->path).text);
}

static cfsplit_status compare_options(const struct cfsplit_run *run, const struct cfsplit_run_options *mine,
                                      struct cfsplit_error *err)
{
    const struct cfsplit_run_options *theirs = &run->spec.options;
#define COMPARE(field, otherwise, what)                                                                                \
    if (mine->field != theirs->field)                                                                                  \
        return csi_fail(err, CFSPLIT_USAGE, "%s was planned with another value of option '%s'",                        \
                        csi_quote(run->path).text, #field);
    CFSPLIT_RUN_OPTION_LIST(COMPARE)
#undef COMPARE
    if (memcmp(&mine->reject_exit, &theirs->reject_exit, sizeof mine->reject_exit) != 0)
        return csi_fail(err, CFSPLIT_USAGE, "%s was planned with another --reject-exit", csi_quote(run->path).text);
    if (memcmp(&mine->later_exit, &theirs->later_exit, sizeof mine->later_exit) != 0)
        return csi_fail(err, CFSPLIT_USAGE, "%s was planned with another --later-exit", csi_quote(run->path).text);
    return CFSPLIT_OK;
}

static cfsplit_status compare_weights(const struct cfsplit_run *run, const char *mine, struct cfsplit_error *err)
{
    const char *theirs = run->spec.weights;
    if (strcmp(theirs, mine ? mine : "") == 0)
        return CFSPLIT_OK;
    return csi_fail(err, CFSPLIT_USAGE, "%s was planned %s %.200s", csi_quote(run->path).text,
                    *theirs ? "with --weights" : "without --weights", *theirs ? theirs : mine);
}

static cfsplit_status compare_commands(const struct cfsplit_run *run, const char *const *command, size_t count,
                                       struct cfsplit_error *err)
{
    const struct csi_spec *spec = &run->spec;
    for (size_t i = 0; i < count && i < spec->command_count; i++)
        if (strcmp(command[i], spec->command[i]) != 0)
            return differs(run->path, i ? "argument" : "command", csi_quote(spec->command[i]).text,
                           csi_quote(command[i]).text, err);
    if (count != spec->command_count)
        return csi_fail(err, CFSPLIT_USAGE, "%s was planned with a command of %zu words, not %zu",
                        csi_quote(run->path).text, spec->command_count, count);
    return CFSPLIT_OK;
}

static cfsplit_status check_sizes(const struct cfsplit_plan_request *request, struct cfsplit_error *err)
{
    if (request->size != sizeof *request)
        return csi_fail(err, CFSPLIT_USAGE, "cfsplit_plan_request of another version of the library");
    return csi_options_check(&request->options, err);
}

cfsplit_status cfsplit_plan_compare(const struct cfsplit_run *run, const struct cfsplit_list *list,
                                    const struct cfsplit_plan_request *request, struct cfsplit_error *err)
{
    const struct csi_spec *spec = &run->spec;
    cfsplit_status status = check_sizes(request, err);
    if (status != CFSPLIT_OK)
        return status;
    if (request->strategy != spec->strategy)
        return differs(run->path, "strategy", cfsplit_strategy_word(spec->strategy),
                       cfsplit_strategy_word(request->strategy), err);
    if (request->replicas != spec->replicas)
        return csi_fail(err, CFSPLIT_USAGE, "%s was planned for %" PRIu32 " replicas, not %" PRIu64,
                        csi_quote(run->path).text, spec->replicas, request->replicas);
    char *cwd = list ? realpath(request->cwd ? request->cwd : ".", NULL) : NULL; /* who only joins may be anywhere */
    if (cwd && strcmp(cwd, spec->cwd) != 0)
        status = differs(run->path, "working directory", csi_quote(spec->cwd).text, csi_quote(cwd).text, err);
    free(cwd);
    if (status == CFSPLIT_OK)
        status = compare_commands(run, request->command, request->command_count, err);
    if (status == CFSPLIT_OK)
        status = compare_weights(run, request->weights, err);
    if (status == CFSPLIT_OK)
        status = compare_options(run, &request->options, err);
    if (status == CFSPLIT_OK && list)
        status = compare_lists(run, list, err);
    return status;
}

static cfsplit_status check_request(const struct cfsplit_plan_request *request, struct cfsplit_error *err)
{
    cfsplit_status status = check_sizes(request, err);
    if (status != CFSPLIT_OK)
        return status;
    if (request->replicas < 1 || request->replicas > CFSPLIT_REPLICAS_MAX)
        return csi_fail(err, CFSPLIT_USAGE, "a run has 1 to %u replicas, not %" PRIu64, CFSPLIT_REPLICAS_MAX,
                        request->replicas);
    return CFSPLIT_OK;
}

/* Is `path` a folder with nothing in it? */
static bool is_empty_folder(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry = NULL;
    if (!dir)
        return false;
    do
        entry = readdir(dir);
    while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    closedir(dir);
    return entry == NULL;
}

/* Compares what stands at `path` with the request. *taken: there is something; an empty folder is none, a rename replaces it. */
static cfsplit_status look_at_place(const char *path, const struct cfsplit_list *list,
                                    const struct cfsplit_plan_request *request, bool *taken, struct cfsplit_error *err)
{
    struct cfsplit_run *run;
    *taken = faccessat(AT_FDCWD, path, F_OK, 0) == 0 && !is_empty_folder(path);
    if (!*taken)
        return CFSPLIT_OK;
    cfsplit_status status = cfsplit_run_open(path, &run, err);
    if (status != CFSPLIT_OK)
        return status;
    status = cfsplit_plan_compare(run, list, request, err);
    cfsplit_run_close(run);
    return status;
}

static cfsplit_status build_run(const char *path, const struct cfsplit_list *list,
                                const struct cfsplit_plan_request *request, bool *created, struct cfsplit_error *err)
{
    struct site site = {.parent_fd = -1, .fd = -1};
    struct csi_spec spec = {0};
    cfsplit_status status = fill_spec(&spec, list, request, err);
    if (status == CFSPLIT_OK)
        status = open_site(&site, path, err);
    if (status == CFSPLIT_OK)
        status = write_run(&site, &spec, list, err);
    if (status == CFSPLIT_OK)
        status = settle(&site, path, created, err);
    if (!*created && site.fd >= 0)
        remove_site(&site);
    CSI_KILL_POINT("plan.synced");
    csi_spec_release(&spec);
    if (site.fd >= 0)
        close(site.fd);
    if (site.parent_fd >= 0)
        close(site.parent_fd);
    return status;
}

cfsplit_status cfsplit_plan(const char *path, const struct cfsplit_list *list,
                            const struct cfsplit_plan_request *request, bool *created, struct cfsplit_error *err)
{
    *created = false;
    cfsplit_status status = check_request(request, err);
    while (status == CFSPLIT_OK && !*created) {
        bool taken; /* another planner may take the place between a look and the rename: then there is more to see */
        status = look_at_place(path, list, request, &taken, err);
        if (status != CFSPLIT_OK || taken)
            return status;
        status = build_run(path, list, request, created, err);
    }
    return status;
}
