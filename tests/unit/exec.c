/* The slots: ends, timeouts, output, and what is left behind. */
#include "exec/exec.h"

#include <signal.h>

#include "exec/group.h"
#include "exec/slot.h"
#include "lib/runner.h"

static const struct csi_exec_options two_slots = {.slots = 2, .output_limit = 100000};

static void ends_are_told(void)
{
    for (int no_pidfd = 0; no_pidfd < 2; no_pidfd++) {
        struct runner r;
        runner_open(&r, (struct csi_exec_options){.slots = 1, .no_pidfd = no_pidfd});
        static const int codes[] = {0, 1, 2, 126, 127, 128, 255};
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
            char script[32];
            snprintf(script, sizeof script, "exit %d", codes[i]);
            struct csi_exec_end end = runner_run(&r, script);
            CHECK(WIFEXITED(end.wait_status));
            CHECK_EQUAL(WEXITSTATUS(end.wait_status), codes[i]);
            CHECK(!end.timed_out && !end.killed_by_us);
            CHECK(end.ended_ms >= end.started_ms);
        }
        struct csi_exec_end end = runner_run(&r, "kill -SEGV $$");
        CHECK(WIFSIGNALED(end.wait_status));
        CHECK_EQUAL(WTERMSIG(end.wait_status), SIGSEGV);
        CHECK_EQUAL(csi_exec_free_slots(r.exec), 1);
        runner_close(&r);
    }
}

static void slots_are_counted(void)
{
    struct runner r;
    struct csi_exec_end end;
    static char name[] = "/bin/true";
    char *argv[] = {name, NULL};
    runner_open(&r, two_slots);
    runner_fifo(&r, "go");
    CHECK_EQUAL(csi_exec_free_slots(r.exec), 2);
    runner_start(&r, "read x <go", 1);
    runner_start(&r, "exit 3", 2);
    CHECK_EQUAL(csi_exec_running(r.exec), 2);
    CHECK_EQUAL(csi_exec_free_slots(r.exec), 0);
    CHECK_EQUAL(csi_exec_start(r.exec, argv, name, NULL, 3, 0, NULL, &err), CFSPLIT_USAGE);
    while (csi_exec_running(r.exec) == 2)
        CHECK_OK(csi_exec_poll(r.exec, NULL, 0, -1, &err));
    CHECK_EQUAL(csi_exec_free_slots(r.exec), 0);
    CHECK_OK(csi_exec_poll(r.exec, NULL, 0, -1, &err)); /* does not wait: there is an end to be taken */
    CHECK(csi_exec_take_end(r.exec, &end));
    CHECK_EQUAL(end.tag, 2);
    CHECK_EQUAL(csi_exec_free_slots(r.exec), 1);
    CHECK(!csi_exec_take_end(r.exec, &end));
    runner_release(&r, "go");
    CHECK_EQUAL(runner_await_end(&r).tag, 1);
    runner_close(&r);
}

static void used_time_and_memory_are_told(void)
{
    struct runner r;
    runner_open(&r, two_slots);
    struct csi_exec_end end = runner_run(&r, "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done");
    CHECK(end.user_ms + end.system_ms > 0);
    CHECK(end.max_rss_bytes > 100000);
    runner_close(&r);
}

static void too_long_is_terminated(void)
{
    struct runner r;
    runner_open(&r, (struct csi_exec_options){.slots = 1, .timeout_ms = 30});
    struct csi_exec_end end = runner_run(&r, "exec sleep 1000");
    CHECK(WIFSIGNALED(end.wait_status) && end.timed_out && !end.killed_by_us);
    CHECK_EQUAL(WTERMSIG(end.wait_status), SIGTERM);
    CHECK(end.ended_ms - end.started_ms >= 30);
    end = runner_run(&r, "kill -STOP $$; exit 0"); /* a stopped one hears it too */
    CHECK_EQUAL(WTERMSIG(end.wait_status), SIGTERM);
    runner_close(&r);
    runner_open(&r, (struct csi_exec_options){.slots = 1, .timeout_ms = 3600000});
    end = runner_run(&r, "exit 0");
    CHECK(!end.timed_out);
    runner_close(&r);
}

static void deaf_one_is_killed(void)
{
    struct runner r;
    runner_open(&r, (struct csi_exec_options){.slots = 1, .timeout_ms = 10, .kill_after_ms = 20});
    runner_fifo(&r, "up");
    runner_start(&r, "trap '' TERM; echo >up; while :; do sleep 1000; done", 0);
    runner_await(&r, "up"); /* signals are sent in poll only */
    struct csi_exec_end end = runner_await_end(&r);
    CHECK(WIFSIGNALED(end.wait_status) && end.timed_out);
    CHECK_EQUAL(WTERMSIG(end.wait_status), SIGKILL);
    CHECK(end.ended_ms - end.started_ms >= 30);
    runner_close(&r);
}

static void clean_up_after_term_is_possible(void)
{
    struct runner r;
    runner_open(&r, (struct csi_exec_options){.slots = 1, .timeout_ms = 10, .output_limit = 100});
    runner_fifo(&r, "up");
    runner_start(&r, "trap 'echo bye; exit 9' TERM; echo >up; sleep 1000 & wait", 0);
    runner_await(&r, "up");
    struct csi_exec_end end = runner_await_end(&r);
    CHECK(end.timed_out && WIFEXITED(end.wait_status));
    CHECK_EQUAL(WEXITSTATUS(end.wait_status), 9);
    CHECK_TEXT(end.last_line, "bye");
    runner_close(&r);
}

static void signals_reach_all_groups(void)
{
    struct runner r;
    char text[16];
    runner_open(&r, two_slots);
    runner_fifo(&r, "up");
    runner_start(&r, "sleep 1000", 1);
    runner_start(&r, "exec 9>up; echo up >&9; sleep 1000; exit 0", 2);
    int fd = runner_hear(&r, "up", text, sizeof text);
    csi_exec_signal_all(r.exec, SIGTERM);
    for (int i = 0; i < 2; i++) {
        struct csi_exec_end end = runner_await_end(&r);
        CHECK(WIFSIGNALED(end.wait_status) && end.killed_by_us && !end.timed_out);
        CHECK_EQUAL(WTERMSIG(end.wait_status), SIGTERM);
    }
    runner_await_close(fd);
    runner_close(&r);
}

static void leftovers_are_killed(void)
{
    for (int no_pidfd = 0; no_pidfd < 2; no_pidfd++) {
        struct runner r;
        runner_open(&r, (struct csi_exec_options){.slots = 1, .output_limit = 100, .no_pidfd = no_pidfd});
        runner_fifo(&r, "up");
        runner_start(&r, "exec 9>up; echo up >&9; (trap '' TERM HUP; sleep 1000) & echo started; exit 3", 0);
        char text[16];
        int fd = runner_hear(&r, "up", text, sizeof text);
        struct csi_exec_end end = runner_await_end(&r);
        CHECK_EQUAL(WEXITSTATUS(end.wait_status), 3);
        CHECK_TEXT(runner_output(&r, 0), "started\n");
        runner_await_close(fd);
        runner_close(&r);
    }
}

static void escaped_leftover_does_not_hang_us(void)
{
    struct runner r;
    runner_open(&r, two_slots);
    runner_fifo(&r, "up");
    runner_fifo(&r, "go");
    runner_fifo(&r, "stop");
    runner_start(&r, "setsid sh -c 'echo >up; read x <stop' & read x <go; echo end", 0);
    runner_await(&r, "up");
    runner_release(&r, "go");
    struct csi_exec_end end = runner_await_end(&r); /* its output pipe is still open elsewhere */
    CHECK_EQUAL(end.wait_status, 0);
    CHECK_TEXT(runner_output(&r, 0), "end\n");
    runner_release(&r, "stop");
    runner_close(&r);
}

static void outputs_stay_apart(void)
{
    struct runner r;
    runner_open(&r, two_slots);
    runner_fifo(&r, "a");
    runner_fifo(&r, "b");
    runner_start(&r, "echo one; echo >a; read x <b; echo three; echo err >&2", 1);
    runner_start(&r, "read x <a; echo two; echo >b; echo four", 2);
    runner_await_end(&r);
    runner_await_end(&r);
    CHECK_TEXT(runner_output(&r, 1), "one\nthree\nerr\n");
    CHECK_TEXT(runner_output(&r, 2), "two\nfour\n");
    runner_close(&r);
}

static void chatty_child_is_capped(void)
{
    struct runner r;
    runner_open(&r, two_slots);
    runner_start(&r, "yes 0123456 | head -c 10000000; echo; echo last", 0);
    runner_start(&r, "echo quiet", 1);
    for (int i = 0; i < 2; i++) {
        struct csi_exec_end end = runner_await_end(&r);
        CHECK_EQUAL(end.wait_status, 0);
        CHECK_EQUAL(end.output_bytes, end.tag == 0 ? 10000006 : 6);
        CHECK_EQUAL(end.dropped_bytes, end.tag == 0 ? 10000006 - 100000 : 0);
        CHECK_TEXT(end.last_line, end.tag == 0 ? "last" : "quiet");
    }
    const char *notice = "\n[... 9900006 bytes left out ...]\n";
    CHECK_EQUAL(r.output[0].length, 100000 + strlen(notice));
    CHECK(memcmp(runner_output(&r, 0) + 50000, notice, strlen(notice)) == 0);
    CHECK_TEXT(runner_output(&r, 0) + r.output[0].length - 6, "\nlast\n");
    CHECK(r.largest_piece <= 65536);
    runner_close(&r);
}

static void large_output_is_whole(void)
{
    struct runner r;
    runner_open(&r, (struct csi_exec_options){.slots = 1, .output_limit = 4000000});
    struct csi_exec_end end = runner_run(&r, "yes 0123456 | head -c 3000000");
    CHECK_EQUAL(end.dropped_bytes, 0);
    CHECK_EQUAL(r.output[0].length, 3000000);
    bool same = true;
    for (size_t i = 0; i < r.output[0].length; i++)
        same &= r.output[0].data[i] == "0123456\n"[i % 8];
    CHECK(same);
    CHECK(r.pieces >= 3000000 / 65536 && r.largest_piece <= 65536);
    runner_close(&r);
}

static void limit_0_keeps_nothing(void)
{
    struct runner r;
    runner_open(&r, (struct csi_exec_options){.slots = 1});
    struct csi_exec_end end = runner_run(&r, "echo some words; exit 1");
    CHECK_EQUAL(r.pieces, 0);
    CHECK_EQUAL(end.output_bytes, 11);
    CHECK_EQUAL(end.dropped_bytes, 11);
    CHECK_TEXT(end.last_line, "some words");
    runner_close(&r);
}

static void closed_output_is_no_end(void)
{
    for (int no_pidfd = 0; no_pidfd < 2; no_pidfd++) {
        struct runner r;
        runner_open(&r, (struct csi_exec_options){.slots = 1, .output_limit = 100, .no_pidfd = no_pidfd});
        runner_fifo(&r, "up");
        runner_fifo(&r, "go");
        runner_start(&r, "echo said; exec >&- 2>&-; echo >up; read x <go; exit 4", 0);
        runner_await(&r, "up");
        for (int i = 0; i < 3; i++)
            CHECK_OK(csi_exec_poll(r.exec, NULL, 0, 0, &err));
        CHECK_EQUAL(csi_exec_running(r.exec), 1);
        runner_release(&r, "go");
        CHECK_EQUAL(WEXITSTATUS(runner_await_end(&r).wait_status), 4);
        CHECK_TEXT(runner_output(&r, 0), "said\n");
        runner_close(&r);
    }
}

/* Times here are invented: only the child is real. */
static void output_waits_a_second_at_most(void)
{
    struct runner r;
    struct csi_slot slot;
    struct csi_child_maker maker;
    static char space[100], echo[] = "/bin/echo", word[] = "hello";
    char *argv[] = {echo, word, NULL};
    runner_open(&r, two_slots);
    struct csi_exec_sink sink = {&r, runner_sink};
    struct csi_child_request request = {.path = echo, .argv = argv, .cwd_fd = -1};
    CHECK_OK(csi_child_maker_open(&maker, &err));
    csi_slot_init(&slot, 1000);
    CHECK_OK(csi_slot_start(&slot, &maker, &request, 0, 5000, &err));
    CHECK(csi_slot_due_at(&slot) == CSI_SLOT_NEVER);
    struct pollfd pipe = {.fd = slot.pipe, .events = POLLIN};
    CHECK_EQUAL(poll(&pipe, 1, -1), 1);
    CHECK_OK(csi_slot_read(&slot, space, sizeof space, 6000, &err));
    CHECK_EQUAL(csi_slot_due_at(&slot), 7000);
    CHECK_OK(csi_slot_tick(&slot, &sink, 10, 6999, &err));
    CHECK_EQUAL(r.pieces, 0);
    CHECK_OK(csi_slot_tick(&slot, &sink, 10, 7000, &err));
    CHECK_EQUAL(r.pieces, 1);
    CHECK_TEXT(runner_output(&r, 0), "hello\n");
    CHECK(csi_slot_due_at(&slot) == CSI_SLOT_NEVER);
    CHECK_OK(csi_slot_finish(&slot, &sink, space, sizeof space, 8000, &err));
    CHECK_EQUAL(slot.end.ended_ms - slot.end.started_ms, 3000);
    csi_slot_fini(&slot);
    csi_child_maker_close(&maker);
    runner_close(&r);
}

static void failing_sink_is_told(void)
{
    struct runner r;
    struct csi_exec_end end;
    runner_open(&r, two_slots);
    r.answer = CFSPLIT_STORAGE;
    runner_start(&r, "echo lost; exit 6", 0);
    cfsplit_status status = CFSPLIT_OK;
    while (!csi_exec_take_end(r.exec, &end))
        status = csi_exec_poll(r.exec, NULL, 0, -1, &err);
    CHECK_EQUAL(status, CFSPLIT_STORAGE);
    CHECK_TEXT(err.message, "the sink is full");
    CHECK_EQUAL(WEXITSTATUS(end.wait_status), 6);
    runner_close(&r);
}

static void stolen_end_is_told(void)
{
    for (int no_pidfd = 0; no_pidfd < 2; no_pidfd++) {
        struct runner r;
        struct csi_exec_end end;
        runner_open(&r, (struct csi_exec_options){.slots = 1, .no_pidfd = no_pidfd});
        pid_t pid = runner_start(&r, "exit 0", 0);
        CHECK_EQUAL(waitpid(pid, NULL, 0), pid);
        cfsplit_status status = CFSPLIT_OK;
        while (!csi_exec_take_end(r.exec, &end))
            status = csi_exec_poll(r.exec, NULL, 0, -1, &err);
        CHECK_EQUAL(status, CFSPLIT_USAGE);
        CHECK(end.wait_status != 0);
        runner_close(&r);
    }
}

static void callers_descriptors_are_watched(void)
{
    struct runner r;
    int fds[2];
    runner_open(&r, two_slots);
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    struct pollfd extra[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = -1}};
    runner_start(&r, "exec sleep 1000", 0);
    CHECK_OK(csi_exec_poll(r.exec, extra, 2, 0, &err));
    CHECK_EQUAL(extra[0].revents, 0);
    CHECK(write(fds[1], "x", 1) == 1);
    CHECK_OK(csi_exec_poll(r.exec, extra, 2, -1, &err));
    CHECK_EQUAL(extra[0].revents, POLLIN);
    CHECK_EQUAL(csi_exec_running(r.exec), 1);
    close(fds[0]);
    close(fds[1]);
    runner_close(&r); /* kills what runs */
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
    struct runner r;
    static char name[] = "./missing";
    char *argv[] = {name, NULL};
    runner_open(&r, two_slots);
    runner_run(&r, "exit 0");
    unsigned opened = count_descriptors();
    for (int i = 0; i < 20; i++) {
        runner_run(&r, "echo x");
        CHECK_EQUAL(csi_exec_start(r.exec, argv, name, NULL, 0, 0, NULL, &err), CFSPLIT_USAGE);
    }
    CHECK(count_descriptors() <= opened + 2);
    runner_close(&r);
    CHECK_EQUAL(count_descriptors(), before);
}

static void other_children_stay_the_callers(void)
{
    struct runner r;
    runner_open(&r, two_slots);
    pid_t other = fork();
    if (other == 0)
        _exit(7);
    siginfo_t info;
    CHECK_EQUAL(waitid(P_PID, (id_t)other, &info, WEXITED | WNOWAIT), 0);
    runner_run(&r, "exit 0");
    runner_close(&r);
    int status = 0;
    CHECK_EQUAL(waitpid(other, &status, 0), other);
    CHECK_EQUAL(WEXITSTATUS(status), 7);
}

static void only_marked_processes_of_the_group_are_ended(void)
{
    struct runner r;
    char text[16];
    static char path[] = "PATH=/usr/bin:/bin", mark[] = "CFSPLIT_MARK=run 1";
    char *envp[] = {path, mark, NULL};
    runner_open(&r, two_slots);
    runner_fifo(&r, "up");
    runner_fifo(&r, "marked");
    runner_fifo(&r, "never"); /* it waits for that without an exec: in the middle of one a process has no environment */
    pid_t pgid = runner_start_env(&r,
                                  "env -i sh -c 'exec >up; echo up; exec sleep 1000' &"
                                  "sh -c 'echo up >marked; read x <never' & wait",
                                  envp, 0);
    int fd = runner_hear(&r, "up", text, sizeof text);
    runner_await(&r, "marked");
    CHECK_EQUAL(csi_exec_end_group(pgid, "CFSPLIT_MARK", "run"), 0);
    CHECK_EQUAL(csi_exec_end_group(pgid, "CFSPLIT_MARK", "run 12"), 0);
    CHECK_EQUAL(csi_exec_end_group(pgid, "MARK", "run 1"), 0);
    CHECK_EQUAL(csi_exec_end_group(getpgrp(), "CFSPLIT_MARK", "run 1"), 0);
    CHECK_EQUAL(csi_exec_end_group(0, "CFSPLIT_MARK", "run 12"), 0); /* any group, and still not without the mark */
    CHECK_EQUAL(csi_exec_end_group(-1, "CFSPLIT_MARK", "run 1"), 0);
    CHECK_EQUAL(csi_exec_end_group(pgid, "CFSPLIT_MARK", "run 1"), 2);
    struct pollfd unmarked = {.fd = fd};
    CHECK_EQUAL(poll(&unmarked, 1, 0), 0); /* it still holds the fifo */
    struct csi_exec_end end = runner_await_end(&r);
    CHECK_EQUAL(WTERMSIG(end.wait_status), SIGKILL);
    runner_await_close(fd); /* it was a leftover of the group */
    runner_close(&r);
}

static void many_short_ones_run(void)
{
    struct runner r;
    struct csi_exec_end end;
    bool seen[500] = {0};
    static char name[] = "/bin/true";
    char *argv[] = {name, NULL};
    runner_open(&r, two_slots);
    for (unsigned started = 0, ended = 0; ended < 500;) {
        while (started < 500 && csi_exec_free_slots(r.exec) > 0)
            CHECK_OK(csi_exec_start(r.exec, argv, name, NULL, started++, csi_clock_mono_ms(), NULL, &err));
        CHECK_OK(csi_exec_poll(r.exec, NULL, 0, -1, &err));
        for (; csi_exec_take_end(r.exec, &end); ended++) {
            CHECK(end.wait_status == 0 && !seen[end.tag]);
            seen[end.tag] = true;
        }
    }
    runner_close(&r);
}

static void no_slots_are_refused(void)
{
    struct csi_exec *exec;
    CHECK_EQUAL(csi_exec_new(&(struct csi_exec_options){.cwd_fd = -1}, NULL, &exec, &err), CFSPLIT_USAGE);
    CHECK(exec == NULL);
    csi_exec_free(NULL);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"exit codes and signals are told as they are", ends_are_told},
        {"slots are counted, and one is free again when its end is taken", slots_are_counted},
        {"processor time and memory are told", used_time_and_memory_are_told},
        {"what takes too long gets SIGTERM, even if it is stopped", too_long_is_terminated},
        {"what is deaf to SIGTERM is killed", deaf_one_is_killed},
        {"what takes too long may still clean up", clean_up_after_term_is_possible},
        {"a signal reaches the groups of all that run", signals_reach_all_groups},
        {"what a command leaves in its group is killed when it ends", leftovers_are_killed},
        {"a leftover in another session that holds the output open does not hang us",
         escaped_leftover_does_not_hang_us},
        {"the outputs of two slots stay apart, stdout and stderr in order", outputs_stay_apart},
        {"a child that prints 10 MB is capped and holds nobody up", chatty_child_is_capped},
        {"output below the limit is whole, in pieces of 64 KiB at most", large_output_is_whole},
        {"a limit of 0 keeps nothing but the last line", limit_0_keeps_nothing},
        {"a child that closes its output runs on", closed_output_is_no_end},
        {"output waits a second at most", output_waits_a_second_at_most},
        {"a failing sink is told, and the attempt ends all the same", failing_sink_is_told},
        {"a child that somebody else reaped is told, and no success", stolen_end_is_told},
        {"the caller's descriptors are watched too", callers_descriptors_are_watched},
        {"descriptors do not leak", descriptors_do_not_leak},
        {"other children stay the caller's", other_children_stay_the_callers},
        {"a predecessor's group: only processes with the mark are ended", only_marked_processes_of_the_group_are_ended},
        {"500 short ones all end, each once", many_short_ones_run},
        {"no slots are refused", no_slots_are_refused},
    };
    return check_main("the slots", cases, sizeof cases / sizeof *cases);
}
