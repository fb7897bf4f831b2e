#include "node/ended.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "node/kept.h"

enum { timeout_status = 124 };

const char *csi_environment_find(const char *const *environment, const char *name)
{
    size_t length = strlen(name);
    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    return NULL;
}

/* Of an item that has failed: is it started again? */
static enum csi_class classify(struct csi_replica *r, const struct csi_exec_end *end, uint64_t *exit_status)
{
    bool exited = WIFEXITED(end->wait_status);
    int code = exited ? WEXITSTATUS(end->wait_status) : 128 + WTERMSIG(end->wait_status);
    *exit_status = (uint64_t)code;
    if (code == 0)
        return CSI_DONE;
    if (end->killed_by_us && !end->timed_out)
        return CSI_STOPPED;
    if (end->timed_out)
        *exit_status = timeout_status;
    else if (exited && csi_exit_codes_has(&r->life.options.reject_exit, code))
        return CSI_REJECTED;
    else if (exited && csi_exit_codes_has(&r->life.options.later_exit, code))
        return CSI_LATER;
    return csi_incarnation_failure(&r->life, r->at_work[end->tag].index);
}

static enum csi_class classify_kept(struct csi_replica *r, const struct csi_exec_end *end, uint64_t *exit_status)
{
    enum csi_class class = csi_kept_class(r, end, csi_incarnation_failure(&r->life, r->at_work[end->tag].index));
    int status = end->wait_status;
    *exit_status = end->timed_out && class != CSI_DONE ? timeout_status
                   : WIFEXITED(status)                 ? (uint64_t)WEXITSTATUS(status)
                                                       : 128u + (unsigned)WTERMSIG(status);
    return class;
}

/* The reason in words: a timeout, a signal, or the last line that was printed. */
static void explain(const struct csi_replica *r, const struct csi_exec_end *end, enum csi_class class, char text[208])
{
    text[0] = '\0';
    if (class == CSI_DONE)
        return;
    if (end->timed_out)
        snprintf(text, 208, "took longer than %" PRIu64 " s: %.150s", r->life.options.timeout_ms / 1000,
                 end->last_line);
    else if (WIFSIGNALED(end->wait_status))
        snprintf(text, 208, "ended by signal %d (%s)%s%.140s", WTERMSIG(end->wait_status),
                 sigabbrev_np(WTERMSIG(end->wait_status)), end->last_line[0] ? ": " : "", end->last_line);
    else if (r->life.options.keep != CFSPLIT_KEEP_NOT && end->answer == CSI_ANSWER_NONE)
        csi_kept_explain(end, text);
    else
        snprintf(text, 208, "%.207s", end->last_line);
}

cfsplit_status csi_ended_collect(struct csi_replica *r, struct cfsplit_error *err)
{
    struct csi_exec_end end;
    cfsplit_status status = CFSPLIT_OK;
    while (status == CFSPLIT_OK && csi_exec_take_end(r->exec, &end)) {
        struct csi_at_work *w = &r->at_work[end.tag];
        char text[208];
        struct csi_record record = {.index = w->index,
                                    .attempt = w->attempt,
                                    .took_ms = end.ended_ms - end.started_ms,
                                    .cpu_ms = end.user_ms + end.system_ms,
                                    .rss_kib = end.max_rss_bytes / 1024,
                                    .output_from = w->output_from,
                                    .output_to = r->output.length};
        record.class = (r->life.options.keep ? classify_kept : classify)(r, &end, &record.exit_status);
        explain(r, &end, record.class, text);
        record.text = text;
        record.text_length = strlen(text);
        w->busy = false;
        r->dry = false; /* this may have opened something: the feed is asked again before the replica leaves */
        status = csi_incarnation_end(&r->life, &record, r->now, err);
    }
    csi_kept_tell_losses(r);
    return status;
}
