#include "exec/limits.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"
#include "base/thread.h"

/* Where a version keeps its quota: below root/<controller>/<our path>. */
static const struct layout {
    const char *controller; /* in /proc/self/cgroup; "" is version 2 */
    const char *mount;      /* folder below the root */
    const char *quota;      /* file with the quota, and after a space the period if there is no file for it */
    const char *period;
} layouts[] = {
    {"", "", "cpu.max", NULL},
    {"cpu", "cpu", "cpu.cfs_quota_us", "cpu.cfs_period_us"},
    {"cpu", "cpu,cpuacct", "cpu.cfs_quota_us", "cpu.cfs_period_us"},
};

/* Takes a decimal number off the text; 0 if there is none, as in "max" and "-1". */
static uint64_t take_number(const char **text)
{
    uint64_t number = 0;
    *text += strspn(*text, " ");
    size_t length = strspn(*text, "0123456789");
    if (!csi_text_u64(*text, length, &number))
        number = 0;
    *text += length;
    return number;
}

static bool read_small(const char *path, struct csi_buf *buf)
{
    csi_buf_clear(buf);
    return csi_io_read(AT_FDCWD, path, 1u << 20, buf, NULL) == CFSPLIT_OK && buf->data != NULL;
}

/* The quota that one folder's files give, rounded up to whole processors; 0: none. */
static unsigned quota_of(const char *folder, const struct layout *layout, struct csi_buf *buf)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder, layout->quota);
    if (!read_small(path, buf))
        return 0;
    const char *text = buf->data;
    uint64_t quota = take_number(&text), period = 0;
    if (!layout->period)
        period = take_number(&text);
    else if (snprintf(path, sizeof path, "%s/%s", folder, layout->period) > 0 && read_small(path, buf)) {
        text = buf->data;
        period = take_number(&text);
    }
    if (quota == 0 || period == 0)
        return 0;
    uint64_t processors = quota / period + (quota % period != 0);
    return processors > UINT_MAX ? 0 : (unsigned)processors;
}

static unsigned least(unsigned a, unsigned b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The least quota on the way from our folder up to the mount. */
static unsigned quota_upward(const char *root, const struct layout *layout, const char *ours, struct csi_buf *buf)
{
    char folder[PATH_MAX];
    int mount = snprintf(folder, sizeof folder, "%s%s%s", root, layout->mount[0] ? "/" : "", layout->mount);
    if (mount < 0 || (size_t)mount >= sizeof folder)
        return 0;
    /* a path with ".." is above what we may see */
    if (!strstr(ours, "/.."))
        snprintf(folder + mount, sizeof folder - (size_t)mount, "%s", ours);
    unsigned found = 0;
    for (;;) {
        found = least(found, quota_of(folder, layout, buf));
        char *slash = strrchr(folder + mount, '/');
        if (!slash)
            return found;
        *slash = '\0';
    }
}

/* Does the comma-separated list hold the word? "" is held by the empty list only. */
static bool lists_controller(const char *list, size_t length, const char *word)
{
    size_t want = strlen(word);
    if (want == 0 || length == 0)
        return want == length;
    for (const char *end = list + length; list < end;) {
        const char *comma = memchr(list, ',', (size_t)(end - list));
        size_t step = (size_t)((comma ? comma : end) - list);
        if (step == want && memcmp(list, word, want) == 0)
            return true;
        list += step + 1;
    }
    return false;
}

/* One line of /proc/self/cgroup, "7:cpu,cpuacct:/path", without its newline. */
static unsigned quota_of_line(const char *root, const char *line, struct csi_buf *buf)
{
    const char *controllers = strchr(line, ':');
    const char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    unsigned found = 0;
    if (!path)
        return 0;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (lists_controller(controllers + 1, (size_t)(path - controllers - 1), layouts[i].controller))
            found = least(found, quota_upward(root, &layouts[i], path + 1, buf));
    return found;
}

unsigned csi_processors_quota(const char *cgroup_root, const char *self)
{
    struct csi_buf lines = CSI_BUF_INIT, buf = CSI_BUF_INIT;
    unsigned found = 0;
    if (read_small(self ? self : "/proc/self/cgroup", &lines)) {
        char *line = lines.data;
        for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
            *end = '\0';
            found = least(found, quota_of_line(cgroup_root ? cgroup_root : "/sys/fs/cgroup", line, &buf));
        }
    }
    csi_buf_release(&buf);
    csi_buf_release(&lines);
    return found;
}

unsigned csi_processors(const char *cgroup_root, const char *self)
{
    unsigned found = least(csi_thread_processors(), csi_processors_quota(cgroup_root, self));
    return found ? found : 1;
}
