/* canfar-split run: one replica of a run, in its three forms. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "plan.h"
#include "signals.h"
#include "times.h"

struct running {
    struct signals signals;
    struct cfsplit_run *run;
    bool pass_on; /* one-shot: what items print goes to stdout */
};

static cfsplit_status pass(void *context, const void *data, size_t length, struct cfsplit_error *err)
{
    (void)context;
    (void)err;
    fwrite(data, 1, length, stdout);
    return CFSPLIT_OK;
}

static void pass_output(struct running *running, const struct cfsplit_attempt *attempt)
{
    bool torn;
    struct cfsplit_error err;
    if (cfsplit_output_read(running->run, attempt, pass, NULL, &torn, &err) != CFSPLIT_OK)
        tool_say("%s", err.message);
    if (fflush(stdout) == 0)
        return;
    if (errno != EPIPE) /* a reader that went away has seen what it wanted */
        tool_say("cannot pass on what the items print: %s; it is kept, see: canfar-split log %s", strerror(errno),
                 tool_word(cfsplit_run_facts(running->run)->path).text);
    else
        clearerr(stdout);
    running->pass_on = false;
}

/* A failure always prints item, code, attempt and its last line. */
static void on_end(void *context, const struct cfsplit_attempt *attempt)
{
    struct running *running = context;
    if (running->pass_on)
        pass_output(running, attempt);
    if (strcmp(attempt->class_word, "failed") == 0 || strcmp(attempt->class_word, "retry") == 0)
        tool_say("%s failed (exit %" PRIu64 ", attempt %" PRIu32 " of %" PRIu32 ")%s%s",
                 cfsplit_quote(attempt->name).text, attempt->exit_status, attempt->number,
                 attempt->number + attempt->retries_left, attempt->text[0] ? ": " : "", attempt->text);
    if (strcmp(attempt->class_word, "crashed") == 0)
        tool_say("%s ended its command (attempt %" PRIu32 "; tried again last and alone, up to --crash-limit): %s",
                 cfsplit_quote(attempt->name).text, attempt->number, attempt->text);
    if (strcmp(attempt->class_word, "set-aside") == 0)
        tool_say("%s is set aside: it %s", cfsplit_quote(attempt->name).text, attempt->text);
}

static void on_say(void *context, const char *sentence)
{
    (void)context;
    tool_say("%s", sentence);
}

static enum cfsplit_order on_wake(void *context)
{
    struct running *running = context;
    return signals_read(&running->signals);
}

static void summarise(const struct cfsplit_run *run, const struct cfsplit_replica_result *result, uint32_t id)
{
    char who[32], aside[64] = "", left[64] = "";
    snprintf(who, sizeof who, id ? "replica %" PRIu32 : "spare replica", id);
    if (result->set_aside)
        snprintf(aside, sizeof aside, ", %" PRIu64 " set aside", result->set_aside);
    if (result->not_started)
        snprintf(left, sizeof left, ", %" PRIu64 " left", result->not_started);
    tool_say("%s of %s: %" PRIu64 " done, %" PRIu64 " rejected, %" PRIu64 " failed%s%s", who,
             cfsplit_run_facts(run)->path, result->done, result->rejected, result->failed, aside, left);
}

/* Where to see the items that did not end well. */
static void tell_failures(const struct cfsplit_run *run, const struct cfsplit_replica_result *result,
                          const struct cfsplit_error *err)
{
    struct tool_word path = tool_word(cfsplit_run_facts(run)->path);
    if (result->failed && result->set_aside)
        tool_say("%s; see: canfar-split items %s --state failed --why; canfar-split items %s --state set-aside --why",
                 err->message, path.text, path.text);
    else
        tool_say("%s; see: canfar-split items %s --state %s --why", err->message, path.text,
                 cfsplit_state_word(result->set_aside ? CFSPLIT_SET_ASIDE : CFSPLIT_FAILED));
}

/* What the storage refused, and what to do about it. */
static void tell_storage(const struct cfsplit_run *run, const struct cfsplit_replica_result *result,
                         const struct cfsplit_error *err)
{
    bool full = err->system_errno == ENOSPC || err->system_errno == EDQUOT;
    tool_say("%s; %" PRIu64 " %s of %s not started, nothing lost: %s", err->message, result->not_started,
             tool_items(result->not_started), cfsplit_run_facts(run)->path,
             full ? "make room and run again" : "run again when the storage is well");
}

static int exit_code_of(cfsplit_status status, const struct running *running,
                        const struct cfsplit_replica_result *result, const struct cfsplit_error *err)
{
    if (status == CFSPLIT_STORAGE && result->name[0])
        tell_storage(running->run, result, err);
    else if (status == CFSPLIT_INCOMPLETE)
        tell_failures(running->run, result, err);
    else if (status != CFSPLIT_OK)
        tool_say("%s", err->message);
    if (running->signals.order == CFSPLIT_ABORT)
        return 128 + running->signals.last_signal;
    return cfsplit_status_exit_code(status);
}

/* Who this process is in a run that is planned; what an error leaves to do is said with it. */
static cfsplit_status identify(const struct settings *s, const struct cfsplit_run *run, struct cfsplit_identity *me,
                               struct cfsplit_error *err)
{
    const struct cfsplit_facts *facts = cfsplit_run_facts(run);
    *me = (struct cfsplit_identity){.count = facts->replicas, .source = "--spare"};
    if (s->spare)
        return CFSPLIT_OK;
    struct cfsplit_error failure = {0};
    cfsplit_status status = tool_identity(s, run, me, &failure);
    bool nothing_set = strncmp(failure.message, "no replica number here", 22) == 0;
    if (status == CFSPLIT_OK)
        return status;
    if (me->count != 0)
        return tool_fail(err, status, "%s; to help finish it: canfar-split run %s --spare", failure.message,
                         tool_word(facts->path).text);
    if (nothing_set)
        return tool_fail(err, status, "%s: canfar-split launch %s --on local", failure.message,
                         tool_word(facts->path).text);
    *err = failure;
    return status;
}

/* Who hands out the items of a queue has a connection to each replica, and strangers may try: the limit of open files is raised where
 * it is too low, as far as it may be. Commands inherit it. */
static void make_room_for(uint32_t replicas)
{
    struct rlimit limit;
    rlim_t wanted = 2 * (rlim_t)replicas + 4096;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* where it is not enough, connections are refused and shown */
}

static int be_replica(struct settings *s, const char *path, bool one_shot)
{
    struct running running = {.pass_on = one_shot};
    struct cfsplit_error err = {0};
    struct cfsplit_identity me = {.id = 1, .count = 1, .source = "one-shot"};
    struct cfsplit_replica_result result = {0};
    cfsplit_status status = cfsplit_run_open(path, &running.run, &err);
    if (status == CFSPLIT_OK && !one_shot)
        status = identify(s, running.run, &me, &err);
    if (status == CFSPLIT_OK)
        status = signals_open(&running.signals, &err);
    if (status != CFSPLIT_OK) {
        cfsplit_run_close(running.run);
        return tool_exit(&err);
    }
    if (s->null && s->run.keep == CFSPLIT_UNSET && cfsplit_run_facts(running.run)->options.keep == CFSPLIT_KEEP_LINES)
        s->run.keep = CFSPLIT_KEEP_NUL;
    if (!one_shot && s->run.slots == CFSPLIT_UNSET && cfsplit_run_facts(running.run)->options.slots == CFSPLIT_UNSET &&
        cfsplit_processors() > 1)
        tool_say("1 of %" PRIu32 " processors; -j auto for more", cfsplit_processors());
    struct cfsplit_replica_options options = {.size = sizeof options,
                                              .id = me.id,
                                              .reap_orphans = getpid() == 1,
                                              .source = me.source,
                                              .environment = (const char *const *)environ,
                                              .run = s->run,
                                              .wake_fd = running.signals.fd,
                                              .wake = on_wake,
                                              .ended = on_end,
                                              .say = on_say,
                                              .context = &running,
                                              .bind = s->bind};
    if (cfsplit_run_facts(running.run)->strategy == CFSPLIT_QUEUE)
        make_room_for(cfsplit_run_facts(running.run)->replicas);
    status = cfsplit_replica_run(running.run, &options, &result, &err);
    if (result.name[0])
        summarise(running.run, &result, me.id);
    int code = exit_code_of(status, &running, &result, &err);
    close(running.signals.fd);
    cfsplit_run_close(running.run);
    return code;
}

/* run --in RUN ITEM... -- COMMAND: whoever comes first plans, all join. */
static int plan_and_run(struct settings *s)
{
    struct cfsplit_error err = {0};
    struct cfsplit_identity me = {0};
    struct cfsplit_run *run = NULL;
    struct cfsplit_plan_request request;
    bool created = false;
    struct stat st;
    cfsplit_status status = CFSPLIT_OK;
    if (s->command_count == 0)
        status = tool_fail(&err, CFSPLIT_USAGE, "what is to be done with each item? put it last: ... -- COMMAND {}");
    else if (stat(s->in, &st) == 0) { /* frozen: the list is not read again, the command must be the same */
        status = cfsplit_run_open(s->in, &run, &err);
        if (status == CFSPLIT_OK)
            status = times_anchor(s, &err);
        if (status == CFSPLIT_OK)
            status = plan_request(s, cfsplit_run_facts(run)->replicas, &request, &err);
        if (status == CFSPLIT_OK)
            status = cfsplit_plan_compare(run, NULL, &request, &err);
        if (status == CFSPLIT_OK)
            tool_say("joining %s, planned before: the list is not read again", s->in);
        cfsplit_run_close(run);
    } else {
        if (!s->spare)
            status = tool_identity(s, NULL, &me, &err);
        else if (s->replicas == CFSPLIT_UNSET)
            status = tool_fail(&err, CFSPLIT_USAGE, "a spare replica does not know how many there are: --replicas N");
        if (status == CFSPLIT_OK)
            status = plan_make(s, s->in, 0, s->spare ? s->replicas : me.count, false, &created, &err);
    }
    if (status != CFSPLIT_OK)
        return tool_exit(&err);
    if (created)
        tool_say("planned %s", s->in);
    return be_replica(s, s->in, false);
}

/* run ITEM... -- COMMAND: on this machine, in a run directory of its own. */
static int run_here(struct settings *s)
{
    struct cfsplit_error err = {0};
    struct cfsplit_identity me;
    char path[96], stamp[32];
    bool created;
    struct tm tm;
    time_t now = time(NULL);
    cfsplit_status status = tool_identity(s, NULL, &me, &err);
    if (status == CFSPLIT_OK && me.count > 1)
        status = tool_fail(&err, CFSPLIT_USAGE,
                           "this is replica %" PRIu32 " of %" PRIu32
                           ", and every one would do all the items: canfar-split run --in RUN ITEM... -- COMMAND",
                           me.id, me.count);
    if (status == CFSPLIT_OK && mkdir(".canfar-split", 0700) != 0 && errno != EEXIST)
        status = tool_fail(&err, CFSPLIT_USAGE, "cannot make folder '.canfar-split' here: %s", strerror(errno));
    if (status != CFSPLIT_OK)
        return tool_exit(&err);
    if (s->run.slots == CFSPLIT_UNSET)
        s->run.slots = 0;
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
    snprintf(path, sizeof path, ".canfar-split/%s-%ld", stamp, (long)getpid());
    status = plan_make(s, path, 0, 1, true, &created, &err);
    if (status != CFSPLIT_OK)
        return tool_exit(&err);
    tool_say("in %s", path);
    return be_replica(s, path, true);
}

static int run_run(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    const char *path;
    if (s->in)
        return plan_and_run(s);
    if (s->command_count > 0)
        return run_here(s);
    if (tool_run_path(command, s, &path, &err) != CFSPLIT_OK)
        return tool_exit(&err);
    if (s->source_count > 1) {
        tool_fail(&err, CFSPLIT_USAGE, "run: one RUN, or items and then -- COMMAND; what is %s?",
                  cfsplit_quote(s->sources[1].text).text);
        return tool_exit(&err);
    }
    return be_replica(s, path, false);
}

const struct command command_run = {
    .name = "run",
    .bit = RUN,
    .usage = "RUN | --in RUN ITEM... -- COMMAND... | ITEM... -- COMMAND...",
    .summary = "Is one replica of RUN; or plans it first; or does all items here and now",
    .text = "Which replica comes from --replica, REPLICA_ID and REPLICA_COUNT, or the launcher. Only what is not done "
            "yet is started.\n"
            "Exit codes: 0 all that this replica took has ended well, 1 some failed, 2 usage, 3 damaged, 5 storage, 75 "
            "stopped before\n"
            "the end: run it again to go on. Only `verify` speaks for the whole run.",
    .run = run_run,
};
