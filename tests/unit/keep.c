/* Commands that are kept: items in, answers out, and what becomes of an item whose command dies. */
#include "exec/keep.h"

#include <signal.h>

#include "lib/runner.h"

#define ECHO "while read -r x; do "

/* A runner whose slots keep /bin/sh with that script; both borrowed. */
struct keeper {
    struct runner r;
    char script[512];
    char *argv[4];
};

static void keeper_open(struct keeper *k, struct csi_exec_options options, const char *script, char end)
{
    static char sh[] = "/bin/sh", c[] = "-c";
    options.output_limit = options.output_limit ? options.output_limit : 100000;
    runner_open(&k->r, options);
    snprintf(k->script, sizeof k->script, "%s", script);
    k->argv[0] = sh;
    k->argv[1] = c;
    k->argv[2] = k->script;
    k->argv[3] = NULL;
    csi_exec_keep(k->r.exec, &(struct csi_exec_kept){.argv = k->argv, .path = sh, .end = end});
}

static void keeper_give(struct keeper *k, const char *item, uint64_t tag)
{
    CHECK_OK(csi_exec_give(k->r.exec, item, strlen(item), tag, csi_clock_mono_ms(), &err));
}

static struct csi_exec_end keeper_run(struct keeper *k, const char *item, uint64_t tag)
{
    while (csi_exec_free_slots(k->r.exec) == 0)
        CHECK_OK(csi_exec_poll(k->r.exec, NULL, 0, -1, &err));
    keeper_give(k, item, tag);
    return runner_await_end(&k->r);
}

static void keeper_await_none(struct keeper *k)
{
    while (csi_exec_living(k->r.exec) > 0)
        CHECK_OK(csi_exec_poll(k->r.exec, NULL, 0, -1, &err));
}

static void command_is_started_once(void)
{
    for (int no_pidfd = 0; no_pidfd < 2; no_pidfd++) {
        struct keeper k;
        keeper_open(&k, (struct csi_exec_options){.slots = 1, .no_pidfd = no_pidfd},
                    "echo started >>lives; " ECHO "echo \"$x\"; echo done; done", '\n');
        for (uint64_t i = 0; i < 5; i++) {
            char item[16], printed[24];
            snprintf(item, sizeof item, "item %d", (int)i);
            snprintf(printed, sizeof printed, "%s\n", item);
            struct csi_exec_end end = keeper_run(&k, item, i);
            CHECK_EQUAL(end.tag, i);
            CHECK_EQUAL(end.answer, CSI_ANSWER_DONE);
            CHECK_EQUAL(end.wait_status, 0);
            CHECK_TEXT(runner_output(&k.r, i), printed);
            CHECK_EQUAL(csi_exec_free_slots(k.r.exec), 1);
            CHECK_EQUAL(csi_exec_living(k.r.exec), 1);
        }
        char path[96];
        snprintf(path, sizeof path, "%s/lives", k.r.dir);
        struct stat st;
        CHECK(stat(path, &st) == 0 && st.st_size == (off_t)strlen("started\n"));
        runner_close(&k.r);
    }
}

static void answers_have_texts(void)
{
    struct keeper k;
    keeper_open(&k, (struct csi_exec_options){.slots = 1}, ECHO "echo said; echo \"$x\"; done", '\n');
    struct csi_exec_end end = keeper_run(&k, "failed no WCS", 0);
    CHECK_EQUAL(end.answer, CSI_ANSWER_FAILED);
    CHECK_EQUAL(WEXITSTATUS(end.wait_status), 1);
    CHECK_TEXT(end.last_line, "no WCS");
    end = keeper_run(&k, "rejected", 1);
    CHECK_EQUAL(end.answer, CSI_ANSWER_REJECTED);
    CHECK_TEXT(end.last_line, "said"); /* no text: the last line is all there is */
    end = keeper_run(&k, "done", 2);
    CHECK_EQUAL(end.answer, CSI_ANSWER_DONE);
    runner_close(&k.r);
}

static void output_is_its_items(void)
{
    struct keeper k;
    keeper_open(&k, (struct csi_exec_options){.slots = 1},
                "echo up; " ECHO "echo out $x; echo err $x >&2; echo done; echo after $x; done", '\n');
    keeper_run(&k, "a", 0);
    keeper_run(&k, "b", 1);
    CHECK(strstr(runner_output(&k.r, 0), "up\n") && strstr(runner_output(&k.r, 0), "out a\n"));
    CHECK(strstr(runner_output(&k.r, 0), "err a\n") != NULL);
    CHECK(strstr(runner_output(&k.r, 0), "after a\n") == NULL);
    CHECK(strstr(runner_output(&k.r, 1), "after a\n") && strstr(runner_output(&k.r, 1), "err b\n"));
    runner_close(&k.r);
}

static void items_may_end_with_nul(void)
{
    struct keeper k;
    keeper_open(&k, (struct csi_exec_options){.slots = 1}, "head -c 4 | tr '\\0\\n' 0n; echo; echo done", '\0');
    CHECK_EQUAL(keeper_run(&k, "a\nb", 0).answer, CSI_ANSWER_DONE);
    CHECK_TEXT(runner_output(&k.r, 0), "anb0\n");
    runner_close(&k.r);
}

static void death_with_an_item_is_told(void)
{
    for (int no_pidfd = 0; no_pidfd < 2; no_pidfd++) {
        struct keeper k;
        keeper_open(&k, (struct csi_exec_options){.slots = 1, .no_pidfd = no_pidfd},
                    ECHO "case $x in kill) kill -9 $$;; exit*) echo bye; ${x};; *) echo done;; esac; done", '\n');
        CHECK_EQUAL(keeper_run(&k, "a", 0).answer, CSI_ANSWER_DONE);
        struct csi_exec_end end = keeper_run(&k, "kill", 1);
        CHECK(end.answer == CSI_ANSWER_NONE && !end.untaken && !end.killed_by_us);
        CHECK(WIFSIGNALED(end.wait_status) && WTERMSIG(end.wait_status) == SIGKILL);
        CHECK_TEXT(end.last_line, ""); /* it closed its stdout, but not against the rules */
        CHECK_EQUAL(csi_exec_living(k.r.exec), 0);
        CHECK_EQUAL(keeper_run(&k, "b", 2).answer, CSI_ANSWER_DONE);
        end = keeper_run(&k, "exit 7", 3);
        CHECK(end.answer == CSI_ANSWER_NONE && WEXITSTATUS(end.wait_status) == 7);
        CHECK_TEXT(end.last_line, "bye");
        end = keeper_run(&k, "exit 0", 4);
        CHECK(end.answer == CSI_ANSWER_NONE && end.wait_status == 0 && !end.untaken);
        runner_close(&k.r);
    }
}

static void last_words_are_an_answer(void)
{
    struct keeper k;
    keeper_open(&k, (struct csi_exec_options){.slots = 1}, "read -r x; echo done; exit 5", '\n');
    CHECK_EQUAL(keeper_run(&k, "a", 0).answer, CSI_ANSWER_DONE);
    runner_close(&k.r);
    keeper_open(&k, (struct csi_exec_options){.slots = 1}, "read -r x; printf done; exit 0", '\n');
    struct csi_exec_end end = keeper_run(&k, "a", 0);
    CHECK_EQUAL(end.answer, CSI_ANSWER_NONE); /* not a whole line */
    CHECK_TEXT(runner_output(&k.r, 0), "done");
    runner_close(&k.r);
}

static void exit_between_items_is_no_matter(void)
{
    for (int no_pidfd = 0; no_pidfd < 2; no_pidfd++) {
        struct keeper k;
        struct csi_exec_loss loss;
        keeper_open(&k, (struct csi_exec_options){.slots = 1, .no_pidfd = no_pidfd}, "read -r x; echo done", '\n');
        for (int i = 0; i < 30; i++) { /* at once, so that some items meet a command that is about to end */
            struct csi_exec_end end = keeper_run(&k, "a", 0);
            CHECK(end.answer == CSI_ANSWER_DONE && !end.untaken);
        }
        keeper_await_none(&k);
        CHECK(!csi_exec_take_loss(k.r.exec, &loss));
        runner_close(&k.r);
        keeper_open(&k, (struct csi_exec_options){.slots = 1, .no_pidfd = no_pidfd}, "read -r x; echo done; exit 3",
                    '\n');
        keeper_run(&k, "a", 0);
        keeper_await_none(&k);
        CHECK(csi_exec_take_loss(k.r.exec, &loss));
        CHECK(WEXITSTATUS(loss.wait_status) == 3 && !loss.fault);
        CHECK(!csi_exec_take_loss(k.r.exec, &loss));
        runner_close(&k.r);
    }
}

static void what_takes_no_item_is_given_up(void)
{
    struct keeper k;
    keeper_open(&k, (struct csi_exec_options){.slots = 1}, "echo x >>lives; echo ImportError >&2; exit 1", '\n');
    struct csi_exec_end end = keeper_run(&k, "a", 0);
    CHECK(end.answer == CSI_ANSWER_NONE && end.untaken);
    CHECK_EQUAL(WEXITSTATUS(end.wait_status), 1);
    CHECK_TEXT(end.last_line, "ImportError");
    CHECK_TEXT(runner_output(&k.r, 0), "ImportError\nImportError\nImportError\n");
    end = keeper_run(&k, "b", 1); /* in a row with those */
    CHECK(end.untaken);
    CHECK_TEXT(runner_output(&k.r, 1), "ImportError\n");
    runner_close(&k.r);
}

static void unread_item_is_larger_than_the_pipe(void)
{
    struct keeper k;
    size_t length = 300000;
    char *item = calloc(length + 1, 1);
    CU_ASSERT_FATAL(item != NULL);
    memset(item, 'x', length);
    keeper_open(&k, (struct csi_exec_options){.slots = 1}, "exit 1", '\n');
    CHECK(keeper_run(&k, item, 0).untaken); /* and no SIGPIPE */
    runner_close(&k.r);
    free(item);
}

static void item_read_in_part_is_taken(void)
{
    struct keeper k;
    keeper_open(&k, (struct csi_exec_options){.slots = 1}, "head -c 1 >first; exit 1", '\n');
    struct csi_exec_end end = keeper_run(&k, "abc", 0);
    CHECK(end.answer == CSI_ANSWER_NONE && !end.untaken);
    runner_close(&k.r);
}

static void answers_out_of_turn_are_a_fault(void)
{
    struct keeper k;
    struct csi_exec_loss loss;
    keeper_open(&k, (struct csi_exec_options){.slots = 1}, "exec yes done", '\n');
    struct csi_exec_end end = keeper_run(&k, "a", 0);
    CHECK(end.answer == CSI_ANSWER_NONE && end.untaken);
    CHECK_TEXT(end.last_line, "it answered before it had read its item");
    runner_close(&k.r);
    keeper_open(&k, (struct csi_exec_options){.slots = 1}, ECHO "printf 'done\\ndone\\n'; done", '\n');
    for (int i = 0; i < 5; i++)
        CHECK_EQUAL(keeper_run(&k, "a", 0).answer, CSI_ANSWER_DONE);
    keeper_await_none(&k);
    CHECK(csi_exec_take_loss(k.r.exec, &loss));
    CHECK_TEXT(loss.fault, "it answered without having an item");
    runner_close(&k.r);
}

static void closed_stdout_is_the_end(void)
{
    for (int no_pidfd = 0; no_pidfd < 2; no_pidfd++) {
        struct keeper k;
        keeper_open(&k, (struct csi_exec_options){.slots = 1, .no_pidfd = no_pidfd}, ECHO "exec >&-; sleep 1000; done",
                    '\n');
        struct csi_exec_end end = keeper_run(&k, "a", 0);
        CHECK(end.answer == CSI_ANSWER_NONE && !end.untaken && !end.killed_by_us && !end.timed_out);
        CHECK_TEXT(end.last_line, "it closed its stdout");
        runner_close(&k.r);
    }
}

/* Gives an item whose time is over when exec is polled next, when the command has said that it is up. */
static struct csi_exec_end run_too_long(struct keeper *k, const char *item, uint64_t timeout_ms)
{
    CHECK_OK(csi_exec_give(k->r.exec, item, strlen(item), 0, csi_clock_mono_ms() - timeout_ms, &err));
    runner_await(&k->r, "up");
    struct csi_exec_end end = runner_await_end(&k->r);
    CHECK(end.timed_out);
    return end;
}

static void too_long_ends_the_command(void)
{
    struct keeper k;
    const uint64_t timeout_ms = 1000000;
    keeper_open(&k, (struct csi_exec_options){.slots = 1, .timeout_ms = timeout_ms, .kill_after_ms = 20},
                ECHO "case $x in "
                     "slow) echo >up; sleep 1000;; "
                     "deaf) trap '' TERM; echo >up; while :; do sleep 1000; done;; "
                     "*) echo done;; "
                     "esac; done",
                '\n');
    runner_fifo(&k.r, "up");
    CHECK_EQUAL(keeper_run(&k, "a", 0).answer, CSI_ANSWER_DONE);
    struct csi_exec_end end = run_too_long(&k, "slow", timeout_ms);
    CHECK(WTERMSIG(end.wait_status) == SIGTERM && end.answer == CSI_ANSWER_NONE);
    end = run_too_long(&k, "deaf", timeout_ms);
    CHECK(WTERMSIG(end.wait_status) == SIGKILL && end.answer == CSI_ANSWER_NONE);
    end = keeper_run(&k, "b", 1); /* of a new command */
    CHECK(!end.timed_out && end.answer == CSI_ANSWER_DONE);
    runner_close(&k.r);
}

static void late_answer_is_one_and_the_last(void)
{
    struct keeper k;
    const uint64_t timeout_ms = 1000000;
    keeper_open(&k, (struct csi_exec_options){.slots = 1, .timeout_ms = timeout_ms, .kill_after_ms = timeout_ms},
                "read -r x; trap 'echo done' TERM; echo >up; while :; do sleep 0.01; done", '\n');
    runner_fifo(&k.r, "up");
    CHECK_EQUAL(run_too_long(&k, "a", timeout_ms).answer, CSI_ANSWER_DONE);
    CHECK_EQUAL(csi_exec_living(k.r.exec), 1);
    CHECK_EQUAL(csi_exec_free_slots(k.r.exec), 0); /* it gets no more items */
    csi_exec_kill_all(k.r.exec);
    keeper_await_none(&k);
    CHECK_EQUAL(csi_exec_free_slots(k.r.exec), 1);
    runner_close(&k.r);
}

static void signal_reaches_idle_ones_too(void)
{
    struct keeper k;
    keeper_open(&k, (struct csi_exec_options){.slots = 2}, ECHO "[ $x = a ] || sleep 1000; echo done; done", '\n');
    keeper_give(&k, "a", 0);
    keeper_give(&k, "b", 1);
    CHECK_EQUAL(runner_await_end(&k.r).tag, 0);
    CHECK_EQUAL(csi_exec_free_slots(k.r.exec), 1);
    csi_exec_signal_all(k.r.exec, SIGTERM);
    CHECK_EQUAL(csi_exec_free_slots(k.r.exec), 0); /* until it has ended */
    struct csi_exec_end end = runner_await_end(&k.r);
    CHECK(end.tag == 1 && end.killed_by_us && end.answer == CSI_ANSWER_NONE && !end.untaken);
    keeper_await_none(&k);
    CHECK_EQUAL(csi_exec_free_slots(k.r.exec), 2);
    struct csi_exec_loss loss;
    CHECK(!csi_exec_take_loss(k.r.exec, &loss)); /* we told it to */
    runner_close(&k.r);
}

static void idle_command_is_taken_before_a_new_one(void)
{
    struct keeper k;
    keeper_open(&k, (struct csi_exec_options){.slots = 2}, ECHO "[ $x != b ] || read -r y <go; echo done; done", '\n');
    runner_fifo(&k.r, "go");
    keeper_give(&k, "b", 0);
    keeper_give(&k, "a", 1);
    CHECK_EQUAL(runner_await_end(&k.r).tag, 1);
    runner_release(&k.r, "go");
    CHECK_EQUAL(runner_await_end(&k.r).tag, 0);
    csi_exec_close_kept(k.r.exec, 100000, csi_clock_mono_ms());
    keeper_await_none(&k);
    CHECK_EQUAL(keeper_run(&k, "c", 2).answer, CSI_ANSWER_DONE);
    CHECK_EQUAL(keeper_run(&k, "d", 3).answer, CSI_ANSWER_DONE);
    CHECK_EQUAL(csi_exec_living(k.r.exec), 1);
    runner_close(&k.r);
}

static void large_item_and_line_pass(void)
{
    struct keeper k;
    size_t length = 1000000;
    char *item = malloc(length + 1);
    CU_ASSERT_FATAL(item != NULL);
    memset(item, 'x', length);
    item[length] = '\0';
    keeper_open(&k, (struct csi_exec_options){.slots = 1, .output_limit = 1000}, "head -n 1 | wc -c; echo done", '\n');
    struct csi_exec_end end = keeper_run(&k, item, 0);
    CHECK_EQUAL(end.answer, CSI_ANSWER_DONE);
    CHECK_TEXT(runner_output(&k.r, 0), "1000001\n");
    runner_close(&k.r);
    keeper_open(&k, (struct csi_exec_options){.slots = 1, .output_limit = 1000},
                "read -r x; yes xxxxxxx | head -c 20000000 | tr '\\n' x; echo; echo done", '\n');
    end = keeper_run(&k, "a", 0);
    CHECK_EQUAL(end.answer, CSI_ANSWER_DONE);
    CHECK_EQUAL(end.output_bytes, 20000001);
    CHECK(k.r.output[0].length < 1100);
    runner_close(&k.r);
    free(item);
}

static void end_of_items_is_the_end(void)
{
    struct keeper k;
    struct csi_exec_loss loss;
    keeper_open(&k, (struct csi_exec_options){.slots = 2, .kill_after_ms = 20},
                ECHO
                "case $x in deaf) trap '' TERM; echo done; while :; do sleep 1000; done;; *) echo done;; esac; done",
                '\n');
    keeper_give(&k, "a", 0);
    keeper_give(&k, "b", 1);
    runner_await_end(&k.r);
    runner_await_end(&k.r);
    csi_exec_close_kept(k.r.exec, 100000, csi_clock_mono_ms());
    keeper_await_none(&k);
    CHECK(!csi_exec_take_loss(k.r.exec, &loss));
    CHECK_EQUAL(keeper_run(&k, "deaf", 0).answer, CSI_ANSWER_DONE);
    csi_exec_close_kept(k.r.exec, 20, csi_clock_mono_ms());
    CHECK_EQUAL(csi_exec_free_slots(k.r.exec), 1);
    keeper_await_none(&k); /* TERM, then KILL */
    runner_close(&k.r);
}

static void processor_time_is_the_items(void)
{
    struct keeper k;
    keeper_open(&k, (struct csi_exec_options){.slots = 1},
                ECHO "i=0; while [ $i -lt $x ]; do i=$((i+1)); done; echo done; done", '\n');
    uint64_t much = keeper_run(&k, "300000", 0).user_ms;
    CHECK(much > 0);
    CHECK(keeper_run(&k, "1", 1).user_ms < much);
    runner_close(&k.r);
}

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void descriptors_do_not_leak(void)
{
    unsigned before = count_descriptors();
    struct keeper k;
    static char missing[] = "./missing";
    keeper_open(&k, (struct csi_exec_options){.slots = 2}, "read -r x; [ $x = a ] && echo done", '\n');
    for (int i = 0; i < 20; i++) {
        keeper_run(&k, "a", 0);
        keeper_run(&k, "b", 1);
    }
    keeper_await_none(&k);
    k.argv[0] = missing;
    csi_exec_keep(k.r.exec, &(struct csi_exec_kept){.argv = k.argv, .path = missing, .end = '\n'});
    CHECK_EQUAL(csi_exec_give(k.r.exec, "a", 1, 0, 0, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(csi_exec_free_slots(k.r.exec), 2);
    runner_close(&k.r);
    CHECK_EQUAL(count_descriptors(), before);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"a command is started once and answers item after item", command_is_started_once},
        {"answers have texts, or else the last line", answers_have_texts},
        {"what a command prints belongs to its item, or to the next", output_is_its_items},
        {"items may end with NUL", items_may_end_with_nul},
        {"a death with an item is told, and the next item has a new command", death_with_an_item_is_told},
        {"last words are an answer if they are a whole line", last_words_are_an_answer},
        {"an exit between items costs no item; one that is not 0 is told", exit_between_items_is_no_matter},
        {"what ends three times without taking an item is given up", what_takes_no_item_is_given_up},
        {"an item that is not read, and larger than a pipe, harms nobody", unread_item_is_larger_than_the_pipe},
        {"an item that was read in part was taken", item_read_in_part_is_taken},
        {"answers out of turn are a fault", answers_out_of_turn_are_a_fault},
        {"a command that closes its stdout is killed", closed_stdout_is_the_end},
        {"an item that takes too long ends its command", too_long_ends_the_command},
        {"an answer after the time is one, and the command's last", late_answer_is_one_and_the_last},
        {"a signal reaches commands without an item too", signal_reaches_idle_ones_too},
        {"an idle command is taken before a new one is started", idle_command_is_taken_before_a_new_one},
        {"an item of 1 MB and a line of 20 MB pass", large_item_and_line_pass},
        {"when no more items come, commands end or are ended", end_of_items_is_the_end},
        {"processor time is told item by item", processor_time_is_the_items},
        {"descriptors do not leak", descriptors_do_not_leak},
    };
    return check_main("commands that are kept", cases, sizeof cases / sizeof *cases);
}
