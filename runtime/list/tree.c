#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/thread.h"
#include "list/names.h"
#include "list/pattern.h"

enum { readers_max = 4 };

/* A folder that is still to be read. */
struct folder {
    struct folder *next;
    size_t length; /* of path, with the slash at its end */
    char path[];
};

/* A walk of several threads: each reads one of the folders that are left, and adds what it finds there. What follows `lock` is
 * guarded by it. */
struct walk {
    const char *match;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    struct folder *left;
    size_t reading; /* threads */
    size_t readers; /* sets of files that are taken */
    struct csi_names files[readers_max];
    cfsplit_status status;
    struct cfsplit_error err; /* of the folder that is first by its bytes: the same in every walk */
    char *failed;
};

/* The folders and files that one thread has found. */
struct reader {
    struct walk *walk;
    struct csi_names *files;
    struct folder *found;
    struct csi_bytes bytes;
};

/* DIR_UNKNOWN file systems, and links (which count if they lead to a file), are asked by stat(2). */
static unsigned char type_of(int dir, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type == DT_REG || entry->d_type == DT_DIR)
        return entry->d_type;
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return DT_FIFO;
    if (entry->d_type == DT_UNKNOWN && fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        !S_ISLNK(st.st_mode))
        return S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : DT_FIFO;
    return fstatat(dir, entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) ? DT_REG : DT_FIFO;
}

static struct folder *folder_new(const char *parent, size_t parent_length, const char *name, size_t length)
{
    bool slash = length == 0 || name[length - 1] != '/';
    struct folder *folder = malloc(sizeof *folder + parent_length + length + slash + 1);
    if (!folder)
        return NULL;
    memcpy(folder->path, parent, parent_length);
    memcpy(folder->path + parent_length, name, length);
    folder->length = parent_length + length + slash;
    if (slash)
        folder->path[folder->length - 1] = '/';
    folder->path[folder->length] = '\0';
    folder->next = NULL;
    return folder;
}

static void folders_free(struct folder *folder)
{
    while (folder) {
        struct folder *next = folder->next;
        free(folder);
        folder = next;
    }
}

static bool visit(struct reader *r, const struct folder *folder, int dir, const struct dirent *entry)
{
    const char *name = entry->d_name, *match = r->walk->match;
    if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0')))
        return true;
    unsigned char type = type_of(dir, entry);
    size_t length = strlen(name);
    if (type == DT_REG && (!match || fnmatch(match, name, 0) == 0))
        return csi_names_add(r->files, folder->path, folder->length, name, length);
    if (type != DT_DIR)
        return true;
    struct folder *found = folder_new(folder->path, folder->length, name, length);
    if (!found)
        return false;
    found->next = r->found;
    r->found = found;
    return true;
}

/* The folder as messages have it: without a slash at its end, unless that is all it is. */
static char *plain_path(const struct folder *folder)
{
    return strndup(folder->path, folder->length > 1 ? folder->length - 1 : folder->length);
}

static cfsplit_status fail_folder(const struct folder *folder, int number, struct cfsplit_error *err)
{
    char *path = plain_path(folder);
    if (!path)
        return csi_fail_memory(err);
    cfsplit_status status = csi_fail_errno(err, csi_status_of_errno(number, CFSPLIT_USAGE), number,
                                           "cannot read folder %s", csi_quote(path).text);
    free(path);
    return status;
}

static cfsplit_status read_folder(struct reader *r, const struct folder *folder, struct cfsplit_error *err)
{
    DIR *dir = opendir(folder->path);
    if (!dir)
        return fail_folder(folder, errno, err);
    cfsplit_status status = CFSPLIT_OK;
    struct dirent *entry;
    while (status == CFSPLIT_OK && (errno = 0, entry = readdir(dir)) != NULL)
        if (!visit(r, folder, dirfd(dir), entry))
            status = csi_fail_memory(err);
    if (status == CFSPLIT_OK && errno != 0)
        status = fail_folder(folder, errno, err);
    closedir(dir);
    return status;
}

/* ---- the lock is held */

/* Of several failures the one of the first folder by its bytes counts. */
static void note_failure(struct walk *walk, const struct folder *folder, cfsplit_status status,
                         const struct cfsplit_error *err)
{
    if (walk->status != CFSPLIT_OK && walk->failed && strcmp(walk->failed, folder->path) < 0)
        return;
    free(walk->failed);
    walk->failed = strdup(folder->path);
    walk->status = status;
    walk->err = *err;
}

static void put_found(struct walk *walk, struct reader *r)
{
    while (r->found) {
        struct folder *folder = r->found;
        r->found = folder->next;
        folder->next = walk->left;
        walk->left = folder;
    }
}

/* The next folder, when there is one; NULL when all are read. */
static struct folder *take_folder(struct walk *walk)
{
    while (!walk->left && walk->reading > 0)
        pthread_cond_wait(&walk->moved, &walk->lock);
    struct folder *folder = walk->left;
    if (folder) {
        walk->left = folder->next;
        walk->reading++;
    }
    return folder;
}

/* ---- what each thread does */

static void *work(void *argument)
{
    struct walk *walk = argument;
    struct reader r = {.walk = walk};
    struct folder *folder;
    if (csi_bytes_begin(&r.bytes) != 0) /* the caller's has been made: another one can do without this thread */
        return NULL;
    pthread_mutex_lock(&walk->lock);
    r.files = &walk->files[walk->readers++];
    while ((folder = take_folder(walk)) != NULL) {
        struct cfsplit_error err = {0};
        pthread_mutex_unlock(&walk->lock);
        cfsplit_status status = read_folder(&r, folder, &err);
        pthread_mutex_lock(&walk->lock);
        if (status != CFSPLIT_OK)
            note_failure(walk, folder, status, &err);
        put_found(walk, &r);
        walk->reading--;
        pthread_cond_broadcast(&walk->moved);
        free(folder);
    }
    pthread_mutex_unlock(&walk->lock);
    csi_bytes_end(&r.bytes);
    return NULL;
}

static cfsplit_status walk_below(struct walk *walk, const char *dir, struct cfsplit_error *err)
{
    walk->left = folder_new("", 0, dir, strlen(dir));
    if (!walk->left)
        return csi_fail_memory(err);
    pthread_mutex_init(&walk->lock, NULL);
    csi_thread_condition(&walk->moved);
    csi_thread_team(readers_max, work, walk);
    pthread_cond_destroy(&walk->moved);
    pthread_mutex_destroy(&walk->lock);
    if (walk->left) /* nobody could read */
        walk->status = csi_fail_memory(&walk->err);
    if (walk->status != CFSPLIT_OK && err)
        *err = walk->err;
    return walk->status;
}

cfsplit_status cfsplit_list_add_tree(struct cfsplit_list *list, const char *dir, const char *match,
                                     struct cfsplit_error *err)
{
    struct walk walk = {.match = match};
    size_t count = 0;
    if (!*dir) /* with the slash that comes behind it, it would be the root */
        return csi_fail_errno(err, CFSPLIT_USAGE, ENOENT, "cannot read folder ''");
    cfsplit_status status = walk_below(&walk, dir, err);
    for (size_t i = 0; i < readers_max; i++)
        count += walk.files[i].count;
    if (status == CFSPLIT_OK && count == 0)
        status = match ? csi_fail(err, CFSPLIT_USAGE, "no file below %s matches %s", csi_quote(dir).text,
                                  csi_quote(match).text)
                       : csi_fail(err, CFSPLIT_USAGE, "there is no file below %s", csi_quote(dir).text);
    if (status == CFSPLIT_OK)
        status = csi_list_add_names(list, "", walk.files, readers_max, err);
    for (size_t i = 0; i < readers_max; i++)
        csi_names_release(&walk.files[i]);
    folders_free(walk.left);
    free(walk.failed);
    return status;
}
