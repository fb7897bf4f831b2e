#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/error.h"
#include "list/list.h"
#include "list/pattern.h"

/* Names found so far, each with its own memory. */
struct names {
    char **all;
    size_t count, room;
};

static void names_release(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->all[i]);
    free(names->all);
}

static bool names_add(struct names *names, const char *name)
{
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 64;
        char **all = realloc(names->all, room * sizeof *all);
        if (!all)
            return false;
        names->all = all;
        names->room = room;
    }
    names->all[names->count] = strdup(name);
    return names->all[names->count] && ++names->count;
}

/* A walk: folders still to read, and the files that were found. */
struct walk {
    struct names folders, files;
    const char *match;
    struct csi_buf path;
};

/* DIR_UNKNOWN file systems, and links (which count if they lead to a file), are asked by stat(2). */
static unsigned char type_of(const struct dirent *entry, const char *path)
{
    struct stat st;
    if (entry->d_type == DT_REG || entry->d_type == DT_DIR)
        return entry->d_type;
    if (entry->d_type == DT_UNKNOWN && lstat(path, &st) == 0 && !S_ISLNK(st.st_mode))
        return S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : DT_FIFO;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? DT_REG : DT_FIFO;
}

static cfsplit_status visit(struct walk *walk, const char *folder, const struct dirent *entry,
                            struct cfsplit_error *err)
{
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return CFSPLIT_OK;
    size_t length = strlen(folder);
    csi_buf_clear(&walk->path);
    csi_buf_addf(&walk->path, "%s%s%s", folder, length && folder[length - 1] == '/' ? "" : "/", entry->d_name);
    if (walk->path.failed)
        return csi_fail_memory(err);
    unsigned char type = type_of(entry, walk->path.data);
    bool wanted = type == DT_REG && (!walk->match || fnmatch(walk->match, entry->d_name, 0) == 0);
    if ((type == DT_DIR && !names_add(&walk->folders, walk->path.data)) ||
        (wanted && !names_add(&walk->files, walk->path.data)))
        return csi_fail_memory(err);
    return CFSPLIT_OK;
}

static cfsplit_status read_folder(struct walk *walk, const char *folder, struct cfsplit_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot read folder %s",
                              csi_quote(folder).text);
    cfsplit_status status = CFSPLIT_OK;
    struct dirent *entry;
    while (status == CFSPLIT_OK && (errno = 0, entry = readdir(dir)) != NULL)
        status = visit(walk, folder, entry, err);
    if (status == CFSPLIT_OK && errno != 0)
        status = csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot read folder %s",
                                csi_quote(folder).text);
    closedir(dir);
    return status;
}

static cfsplit_status walk_below(struct walk *walk, const char *dir, struct cfsplit_error *err)
{
    cfsplit_status status = read_folder(walk, dir, err);
    while (status == CFSPLIT_OK && walk->folders.count > 0) {
        char *folder = walk->folders.all[--walk->folders.count];
        status = read_folder(walk, folder, err);
        free(folder);
    }
    return status;
}

cfsplit_status cfsplit_list_add_tree(struct cfsplit_list *list, const char *dir, const char *match,
                                     struct cfsplit_error *err)
{
    struct walk walk = {.match = match};
    struct csi_bytes bytes;
    if (csi_bytes_begin(&bytes) != 0)
        return csi_fail_memory(err);
    cfsplit_status status = walk_below(&walk, dir, err);
    csi_bytes_end(&bytes);
    if (status == CFSPLIT_OK && walk.files.count == 0)
        status = match ? csi_fail(err, CFSPLIT_USAGE, "no file below %s matches %s", csi_quote(dir).text,
                                  csi_quote(match).text)
                       : csi_fail(err, CFSPLIT_USAGE, "there is no file below %s", csi_quote(dir).text);
    if (status == CFSPLIT_OK)
        status = csi_list_add_sorted(list, walk.files.all, walk.files.count, err);
    names_release(&walk.folders);
    names_release(&walk.files);
    csi_buf_release(&walk.path);
    return status;
}
