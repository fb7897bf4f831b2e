#include "list/pattern.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "list/names.h"

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

static bool is_no_folder(int number)
{
    return number == ENOENT || number == ENOTDIR || number == ELOOP; /* nothing there to match */
}

static cfsplit_status fail_unreadable(const char *folder, int number, const char *pattern, struct cfsplit_error *err)
{
    return csi_fail_errno(err, csi_status_of_errno(number, CFSPLIT_USAGE), number, "cannot read folder %s for %s",
                          folder, csi_quote(pattern).text);
}

/* ---- one folder: only the last part of the pattern has wildcards, as nearly all have */

/* The pattern of one folder's names; `a*b`, the usual ones, need no fnmatch(3). */
struct matcher {
    const char *pattern;
    const char *star; /* the only wildcard, or NULL */
    size_t before, behind;
};

static struct matcher matcher_of(const char *pattern)
{
    struct matcher m = {.pattern = pattern};
    const char *star = strchr(pattern, '*');
    if (star && !strpbrk(pattern, "?[\\") && !strchr(star + 1, '*'))
        m = (struct matcher){pattern, star, (size_t)(star - pattern), strlen(star + 1)};
    return m;
}

static bool matches(const struct matcher *m, const char *name, size_t length)
{
    if (!m->star)
        return fnmatch(m->pattern, name, FNM_PERIOD) == 0;
    if (name[0] == '.' && m->before == 0) /* is not matched by a wildcard */
        return false;
    return length >= m->before + m->behind && memcmp(name, m->pattern, m->before) == 0 &&
           memcmp(name + length - m->behind, m->star + 1, m->behind) == 0;
}

static cfsplit_status read_folder(const char *folder, const char *pattern, const char *last, struct csi_names *found,
                                  struct cfsplit_error *err)
{
    const struct matcher matcher = matcher_of(last);
    DIR *dir = opendir(*folder ? folder : ".");
    if (!dir)
        return is_no_folder(errno) ? CFSPLIT_OK
                                   : fail_unreadable(csi_quote(*folder ? folder : ".").text, errno, pattern, err);
    cfsplit_status status = CFSPLIT_OK;
    struct dirent *entry;
    while (status == CFSPLIT_OK && (errno = 0, entry = readdir(dir)) != NULL) {
        size_t length = strlen(entry->d_name);
        if (matches(&matcher, entry->d_name, length) && !csi_names_add(found, "", 0, entry->d_name, length))
            status = csi_fail_memory(err);
    }
    if (status == CFSPLIT_OK && errno != 0)
        status = fail_unreadable(csi_quote(*folder ? folder : ".").text, errno, pattern, err);
    closedir(dir);
    return status;
}

/* Where the last part begins, if wildcards and backslashes are in it alone and it is not empty; else NULL. */
static const char *last_part(const char *pattern)
{
    const char *slash = strrchr(pattern, '/'), *last = slash ? slash + 1 : pattern;
    size_t plain = strcspn(pattern, "*?[\\");
    return *last && plain >= (size_t)(last - pattern) && !strchr(last, '\\') ? last : NULL;
}

static cfsplit_status add_one_folder(struct cfsplit_list *list, const char *pattern, const char *last,
                                     struct cfsplit_error *err)
{
    struct csi_names found = {0};
    char *prefix = strndup(pattern, (size_t)(last - pattern)); /* with its slash */
    char *folder = prefix ? strdup(prefix) : NULL;             /* without, as messages have it */
    if (folder && last - pattern > 1)
        folder[last - pattern - 1] = '\0';
    cfsplit_status status = folder ? read_folder(folder, pattern, last, &found, err) : csi_fail_memory(err);
    if (status == CFSPLIT_OK && found.count == 0)
        status = csi_fail(err, CFSPLIT_USAGE, "no file matches %s", csi_quote(pattern).text);
    if (status == CFSPLIT_OK)
        status = csi_list_add_names(list, prefix, &found, 1, err);
    csi_names_release(&found);
    free(folder);
    free(prefix);
    return status;
}

/* ---- any pattern */

/* glob(3) has no argument for its error function to find the caller by. */
struct unreadable {
    int number; /* errno of the folder that could not be read, or 0 */
    struct cfsplit_quoted folder;
};
static _Thread_local struct unreadable unreadable;

static int note_unreadable(const char *folder, int number)
{
    if (is_no_folder(number))
        return 0;
    unreadable.number = number;
    unreadable.folder = csi_quote(folder);
    return 1;
}

static cfsplit_status add_glob(struct cfsplit_list *list, const char *pattern, struct cfsplit_error *err)
{
    glob_t found = {0};
    struct csi_names names = {0};
    cfsplit_status status = CFSPLIT_OK;
    unreadable.number = 0;
    switch (glob(pattern, GLOB_NOSORT, note_unreadable, &found)) {
    case 0: break;
    case GLOB_NOMATCH: status = csi_fail(err, CFSPLIT_USAGE, "no file matches %s", csi_quote(pattern).text); break;
    case GLOB_NOSPACE: status = csi_fail_memory(err); break;
    default: status = fail_unreadable(unreadable.folder.text, unreadable.number, pattern, err);
    }
    for (size_t i = 0; status == CFSPLIT_OK && i < found.gl_pathc; i++)
        if (!csi_names_add(&names, "", 0, found.gl_pathv[i], strlen(found.gl_pathv[i])))
            status = csi_fail_memory(err);
    globfree(&found);
    if (status == CFSPLIT_OK)
        status = csi_list_add_names(list, "", &names, 1, err);
    csi_names_release(&names);
    return status;
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
    const char *last = last_part(argument);
    struct csi_bytes bytes;
    if (csi_bytes_begin(&bytes) != 0)
        return csi_fail_memory(err);
    cfsplit_status status = last ? add_one_folder(list, argument, last, err) : add_glob(list, argument, err);
    csi_bytes_end(&bytes);
    return status;
}
