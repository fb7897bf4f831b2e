#include "list/pattern.h"

#include <errno.h>
#include <glob.h>
#include <string.h>

#include "base/error.h"
#include "list/list.h"

int csi_extended_stat(const char *name, struct stat *st)
{
    char part[CFSPLIT_ITEM_BYTES_MAX + 1];
    size_t length = strlen(name);
    if (length == 0 || length >= sizeof part || name[length - 1] != ']')
        return -1;
    for (const char *bracket = strchr(name, '['); bracket; bracket = strchr(bracket + 1, '[')) {
        size_t before = (size_t)(bracket - name);
        memcpy(part, name, before);
        part[before] = '\0';
        if (stat(part, st) == 0 && !S_ISDIR(st->st_mode))
            return 0;
    }
    return -1;
}

int csi_bytes_begin(struct csi_bytes *b)
{
    b->bytes = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (b->bytes == (locale_t)0)
        return -1;
    b->before = uselocale(b->bytes);
    return 0;
}

void csi_bytes_end(struct csi_bytes *b)
{
    uselocale(b->before);
    freelocale(b->bytes);
}

/* glob(3) has no argument for its error function to find the caller by. */
struct unreadable {
    int number; /* errno of the folder that could not be read, or 0 */
    struct cfsplit_quoted folder;
};
static _Thread_local struct unreadable unreadable;

static int note_unreadable(const char *folder, int number)
{
    if (number == ENOENT || number == ENOTDIR || number == ELOOP)
        return 0; /* no such folder: nothing there to match */
    unreadable.number = number;
    unreadable.folder = csi_quote(folder);
    return 1;
}

static cfsplit_status expand(const char *pattern, glob_t *found, struct cfsplit_error *err)
{
    struct csi_bytes bytes;
    if (csi_bytes_begin(&bytes) != 0)
        return csi_fail_memory(err);
    unreadable.number = 0;
    int failed = glob(pattern, GLOB_NOSORT, note_unreadable, found);
    csi_bytes_end(&bytes);
    switch (failed) {
    case 0: return CFSPLIT_OK;
    case GLOB_NOMATCH: return csi_fail(err, CFSPLIT_USAGE, "no file matches %s", csi_quote(pattern).text);
    case GLOB_NOSPACE: return csi_fail_memory(err);
    default:
        return csi_fail_errno(err, csi_status_of_errno(unreadable.number, CFSPLIT_USAGE), unreadable.number,
                              "cannot read folder %s for %s", unreadable.folder.text, csi_quote(pattern).text);
    }
}

static bool is_pattern(const char *argument)
{
    struct stat st;
    return strpbrk(argument, "*?[") && lstat(argument, &st) != 0 && csi_extended_stat(argument, &st) != 0;
}

cfsplit_status cfsplit_list_add_argument(struct cfsplit_list *list, const char *argument, struct cfsplit_error *err)
{
    if (!is_pattern(argument))
        return cfsplit_list_add(list, argument, strlen(argument), 1, err);
    glob_t found = {0};
    cfsplit_status status = expand(argument, &found, err);
    if (status == CFSPLIT_OK)
        status = csi_list_add_sorted(list, found.gl_pathv, found.gl_pathc, err);
    globfree(&found);
    return status;
}
