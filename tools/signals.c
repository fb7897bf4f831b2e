#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tool.h"

/* What nohup or a script's `&` ignores stays ignored; TERM, USR1 and CHLD are always meant for us. */
static bool is_ignored(int number)
{
    struct sigaction action;
    return (number == SIGHUP || number == SIGINT) && sigaction(number, NULL, &action) == 0 &&
           action.sa_handler == SIG_IGN;
}

cfsplit_status signals_open(struct signals *signals, struct cfsplit_error *err)
{
    static const int ours[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};
    sigset_t set;
    *signals = (struct signals){.fd = -1, .order = CFSPLIT_GO_ON};
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (!is_ignored(ours[i]))
            sigaddset(&set, ours[i]);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* too large a file is an error of the write, not our end */
    signal(SIGCHLD, SIG_DFL);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || (signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return tool_fail(err, CFSPLIT_MEMORY, "cannot wait for signals: %s", strerror(errno));
    return CFSPLIT_OK;
}

static void take(struct signals *signals, int number)
{
    if (number == SIGCHLD)
        return; /* an orphan may be there to reap: being woken is enough */
    if (number == SIGUSR1) {
        if (signals->order < CFSPLIT_FINISH)
            signals->order = CFSPLIT_FINISH;
        return;
    }
    bool again = number == SIGINT && signals->order >= CFSPLIT_DRAIN;
    signals->last_signal = number;
    signals->order = again || signals->order == CFSPLIT_ABORT ? CFSPLIT_ABORT : CFSPLIT_DRAIN;
}

enum cfsplit_order signals_read(struct signals *signals)
{
    struct signalfd_siginfo info;
    while (read(signals->fd, &info, sizeof info) == (ssize_t)sizeof info)
        take(signals, (int)info.ssi_signo);
    return signals->order;
}
