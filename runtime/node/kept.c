#include "node/kept.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/error.h"

enum { mute_deaths_max = 3, mute_ms = 60000 };

cfsplit_status csi_kept_begin(struct csi_replica *r, struct cfsplit_error *err)
{
    struct csi_exec_kept command = {.end = r->life.options.keep == CFSPLIT_KEEP_NUL ? '\0' : '\n'};
    cfsplit_status status = csi_template_expand(r->command, "", 0, &r->argv, err);
    if (status == CFSPLIT_OK)
        status = csi_child_env_keep(&r->env, &command.envp, err);
    command.argv = r->argv.argv;
    command.path = r->program;
    if (status == CFSPLIT_OK)
        csi_exec_keep(r->exec, &command);
    return status;
}

/* An item that would be two on the command's stdin. */
static cfsplit_status refuse(struct csi_replica *r, const struct csi_at_work *w, struct cfsplit_error *err)
{
    static const char why[] =
        "not started: there is a newline in its name, and --keep without -0 gives one line an item";
    struct csi_record record = {.index = w->index,
                                .attempt = w->attempt,
                                .class = CSI_FAILED,
                                .exit_status = 1,
                                .output_from = w->output_from,
                                .output_to = w->output_from,
                                .text = why,
                                .text_length = sizeof why - 1};
    return csi_incarnation_end(&r->life, &record, r->now, err);
}

cfsplit_status csi_kept_start(struct csi_replica *r, const struct csi_next *next, uint64_t tag,
                              struct cfsplit_error *err)
{
    const struct cfsplit_item *item = next->item;
    r->at_work[tag].given_ms = r->now;
    if (r->life.options.keep == CFSPLIT_KEEP_NUL || !memchr(item->name, '\n', item->length))
        return csi_exec_give(r->exec, item->name, item->length, tag, r->now, err);
    r->at_work[tag].busy = false;
    return refuse(r, &r->at_work[tag], err);
}

/* ---- ends */

/* "exit 3" or "signal 9 (KILL)" */
static const char *how_it_ended(int wait_status, char text[40])
{
    if (WIFSIGNALED(wait_status))
        snprintf(text, 40, "signal %d (%s)", WTERMSIG(wait_status), sigabbrev_np(WTERMSIG(wait_status)));
    else
        snprintf(text, 40, "exit %d", WEXITSTATUS(wait_status));
    return text;
}

static void cannot_run(struct csi_replica *r, const struct csi_exec_end *end, const char *what)
{
    struct cfsplit_error err;
    char how[40];
    csi_fail(&err, CFSPLIT_USAGE, "%s (%s)%s%s; nothing more is started", what, how_it_ended(end->wait_status, how),
             end->last_line[0] ? ": " : "", end->last_line);
    csi_replica_start_no_more(r, CFSPLIT_USAGE, &err);
}

/* A command died of an item. One that runs alone again and again is one death here: --crash-limit is for that. */
static void count_death(struct csi_replica *r, const struct csi_exec_end *end)
{
    uint64_t index = r->at_work[end->tag].index;
    if (r->kept.answered || (r->kept.deaths > 0 && r->kept.last_index == index))
        return;
    r->kept.last_index = index;
    if (++r->kept.deaths == mute_deaths_max)
        cannot_run(r, end, "the command died of its first 3 items and has not answered any");
}

enum csi_class csi_kept_class(struct csi_replica *r, const struct csi_exec_end *end, enum csi_class failed)
{
    r->kept.answered |= end->answer != CSI_ANSWER_NONE;
    if (end->answer == CSI_ANSWER_DONE)
        return CSI_DONE;
    if (end->timed_out)
        return failed;
    if (end->killed_by_us)
        return CSI_STOPPED;
    if (end->answer != CSI_ANSWER_NONE)
        return end->answer == CSI_ANSWER_REJECTED ? CSI_REJECTED : failed;
    if (end->untaken)
        cannot_run(r, end, "the command ends before it takes an item");
    else
        count_death(r, end);
    return end->untaken ? CSI_STOPPED : CSI_CRASHED;
}

void csi_kept_explain(const struct csi_exec_end *end, char text[208])
{
    snprintf(text, 208, "the command ended without %s (exit %d)%s%.140s",
             end->untaken ? "having read its name" : "an answer", WEXITSTATUS(end->wait_status),
             end->last_line[0] ? ": " : "", end->last_line);
}

void csi_kept_tell_mute(struct csi_replica *r)
{
    char sentence[480];
    if (r->life.options.keep == CFSPLIT_KEEP_NOT || r->kept.answered || r->kept.told_mute)
        return;
    const struct csi_at_work *w = r->at_work, *end = w + r->life.options.slots;
    while (w < end && !(w->busy && r->now >= w->given_ms + mute_ms))
        w++;
    if (w == end)
        return;
    snprintf(sentence, sizeof sentence,
             "the command has had %s for %d s and has answered nothing yet: does it read %s, and flush its answers?",
             csi_quote(csi_feed_item(&r->life.feed, w->index)->name).text, mute_ms / 1000,
             r->life.options.keep == CFSPLIT_KEEP_NUL ? "items that end with NUL (-0)" : "an item a line");
    csi_incarnation_say(&r->life, sentence);
    r->kept.told_mute = true;
}

void csi_kept_tell_losses(struct csi_replica *r)
{
    struct csi_exec_loss loss;
    char sentence[160], how[40];
    csi_kept_tell_mute(r);
    if (!csi_exec_take_loss(r->exec, &loss))
        return;
    snprintf(sentence, sizeof sentence, "a command without an item ended (%s)%s%s", how_it_ended(loss.wait_status, how),
             loss.fault ? ": " : "", loss.fault ? loss.fault : "");
    csi_incarnation_say(&r->life, sentence);
}
