#include "exec/group.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#define ROUNDS   50
#define ROUND_MS 10
/* A process in the middle of an exec shows no environment for a moment: one look that finds nothing is not enough. */
#define QUIET_ROUNDS 2

struct search {
    int proc;
    pid_t pgid;
    struct csi_buf tag;     /* NAME=VALUE and its NUL */
    struct csi_buf environ; /* of the process looked at */
};

/* The environment of a process is its strings, each ended by NUL. */
static bool has_tag(struct search *s, const char *pid_name)
{
    char name[64];
    snprintf(name, sizeof name, "%s/environ", pid_name);
    csi_buf_clear(&s->environ);
    if (csi_io_read(s->proc, name, 1u << 26, &s->environ, NULL) != CFSPLIT_OK)
        return false;
    const char *at = s->environ.data, *end = at + s->environ.length;
    for (const char *nul; at < end && (nul = memchr(at, '\0', (size_t)(end - at))) != NULL; at = nul + 1)
        if ((size_t)(nul + 1 - at) == s->tag.length && memcmp(at, s->tag.data, s->tag.length) == 0)
            return true;
    return false;
}

static bool is_ours(struct search *s, const char *pid_name, pid_t pid)
{
    return (s->pgid == 0 || getpgid(pid) == s->pgid) && has_tag(s, pid_name);
}

/* Takes hold of the process first and looks at it then: what is killed is what was looked at. */
static bool end_process(struct search *s, const char *pid_name, pid_t pid)
{
    if (!is_ours(s, pid_name, pid))
        return false;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return kill(pid, SIGKILL) == 0; /* a kernel without pidfds */
    bool ended = is_ours(s, pid_name, pid) && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
    close(fd);
    return ended;
}

static unsigned end_all(struct search *s, DIR *proc)
{
    unsigned ended = 0;
    rewinddir(proc);
    for (const struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        uint64_t pid;
        if (csi_text_u64(entry->d_name, strlen(entry->d_name), &pid) && (pid_t)pid != getpid())
            ended += end_process(s, entry->d_name, (pid_t)pid);
    }
    return ended;
}

unsigned csi_exec_end_group(pid_t pgid, const char *tag_name, const char *tag_value)
{
    DIR *proc = pgid == 0 || pgid > 1 ? opendir("/proc") : NULL;
    if (!proc)
        return 0;
    struct search s = {.proc = dirfd(proc), .pgid = pgid};
    csi_buf_addf(&s.tag, "%s=%s", tag_name, tag_value);
    csi_buf_add_char(&s.tag, '\0');
    unsigned most = 0, quiet = 0;
    for (int round = 0; !s.tag.failed && quiet < QUIET_ROUNDS && round < ROUNDS; round++) {
        if (round > 0)
            poll(NULL, 0, ROUND_MS); /* the dying are met again, and what they started meanwhile */
        unsigned now = end_all(&s, proc);
        most = now > most ? now : most;
        quiet = now == 0 ? quiet + 1 : 0;
    }
    csi_buf_release(&s.environ);
    csi_buf_release(&s.tag);
    closedir(proc);
    return most;
}
