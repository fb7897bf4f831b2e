/* Who has a piece, who ended whom, and how much of a journal counts. */
#include "rundir/claim.h"

#include "lib/rundir.h"
#include "node/feed.h"
#include "rundir/fence.h"
#include "view/survey.h"

enum { racers = 8, pieces = 104 }; /* 13 shares of 8 */

static struct cfsplit_run *run;

static struct cfsplit_run *again(const char *path)
{
    struct cfsplit_run *other;
    rundir_need(cfsplit_run_open(path, &other, &err));
    return other;
}

/* The identity of a process that is gone: a child that published one and ended. */
static struct csi_inc dead_inc(const struct cfsplit_run *of, uint32_t replica)
{
    struct csi_inc_list list = {0}, before = {0};
    struct csi_inc found = {0};
    CHECK_OK(csi_inc_list_refresh(&before, of, &err));
    pid_t child = fork();
    if (child == 0) {
        struct csi_inc inc;
        _exit(csi_inc_publish(of, replica, "a child", &inc, &err) != CFSPLIT_OK);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_OK(csi_inc_list_refresh(&list, of, &err));
    CHECK_EQUAL(list.count, before.count + 1);
    for (size_t i = 0; i < list.count; i++) {
        bool known = false;
        for (size_t k = 0; k < before.count; k++)
            known |= strcmp(list.at[i].name, before.at[k].name) == 0;
        if (!known)
            found = list.at[i];
    }
    free(list.at);
    free(before.at);
    return found;
}

/* ---- identity */

static void identity_goes_round(void)
{
    struct csi_inc inc = rundir_inc(run, 3), got;
    CHECK_OK(csi_inc_read(run, rundir_name(run, "replicas", inc.name) + strlen(run->path) + 1, &got, &err));
    CHECK_TEXT(got.name, inc.name);
    CHECK_EQUAL(got.replica, 3);
    CHECK_TEXT(got.boot_id, inc.boot_id);
    CHECK_TEXT(got.pid_namespace, inc.pid_namespace);
    CHECK_EQUAL(got.pid, getpid());
    CHECK_EQUAL(got.start_ticks, inc.start_ticks);
    CHECK_TEXT(got.host, inc.host);
    CHECK_EQUAL(got.created_ms, inc.created_ms);
    CHECK_TEXT(got.source, "a test");
    CHECK(!got.coordinator);
    CHECK_EQUAL(csi_inc_read(run, "replicas/1-0000000000000000", &got, &err), CFSPLIT_END);
}

static struct csi_inc coordinator_inc(const struct cfsplit_run *of, uint32_t replica)
{
    struct csi_inc inc;
    CHECK_OK(csi_inc_make(of, replica, true, "a test\twith a TAB", &inc, &err));
    return inc;
}

static void coordinator_goes_round(void)
{
    struct csi_inc inc = coordinator_inc(run, 3), got;
    char name[64];
    snprintf(name, sizeof name, "replicas/%s", inc.name);
    CHECK(inc.coordinator);
    CHECK_EQUAL(csi_inc_read(run, name, &got, &err), CFSPLIT_END);
    CHECK_OK(csi_inc_put(run, &inc, &err));
    CHECK_OK(csi_inc_read(run, name, &got, &err));
    CHECK_TEXT(got.name, inc.name);
    CHECK(strncmp(got.name, "c3-", 3) == 0);
    CHECK(got.coordinator);
    CHECK_EQUAL(got.replica, 3);
    CHECK_EQUAL(got.start_ticks, inc.start_ticks);
    CHECK_TEXT(got.source, "a test\twith a TAB");
    CHECK_EQUAL(csi_inc_life(&got), CSI_LIFE_ALIVE);
    CHECK(unlink(rundir_name(run, "replicas", inc.name)) == 0);
}

static void long_source_is_cut(void)
{
    struct csi_inc inc, got;
    struct csi_buf line = CSI_BUF_INIT;
    CHECK_OK(csi_inc_make(run, 1, false, "a test", &inc, &err));
    memset(inc.source, '\t', sizeof inc.source - 1); /* two bytes each in the file */
    csi_inc_encode(run, &inc, &line);
    CHECK(csi_inc_decode(run, line.data, line.length, &got));
    CHECK_EQUAL(strlen(got.source), 48);
    CHECK_EQUAL(got.created_ms, inc.created_ms);
    csi_buf_release(&line);
}

static void names_of_incarnations(void)
{
    static const char *const wrong[] = {"",
                                        "1",
                                        "-0123456789abcdef",
                                        "1-0123456789abcde",
                                        "1-0123456789abcdefa",
                                        "1-0123456789abcdeG",
                                        "x-0123456789abcdef",
                                        "1-2-3456789abcdef0",
                                        "1000001-0123456789abcdef",
                                        ".tmp-0123456789abcdef",
                                        "c-0123456789abcdef",
                                        "cc1-0123456789abcdef",
                                        "C1-0123456789abcdef",
                                        "c1000001-0123456789abcdef"};
    uint32_t replica;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (csi_inc_is_name(wrong[i], &replica))
            CHECK_TEXT(wrong[i], "no name");
    CHECK(csi_inc_is_name("1000000-0123456789abcdef", &replica));
    CHECK_EQUAL(replica, 1000000);
    CHECK(csi_inc_is_name("0-0123456789abcdef", &replica));
    CHECK(csi_inc_is_name("c1000000-0123456789abcdef", &replica));
    CHECK_EQUAL(replica, 1000000);
    CHECK(strlen("c1000000-0123456789abcdef") < CSI_INC_BYTES);
}

static void damaged_identity_is_found(void)
{
    struct cfsplit_run *own = rundir_new("damaged", 8, 1);
    struct csi_inc inc = rundir_inc(own, 1), got;
    char name[64];
    const char *file = rundir_name(own, "replicas", inc.name);
    struct csi_buf bytes = rundir_read(file);
    snprintf(name, sizeof name, "replicas/%s", inc.name);
    for (uint64_t bit = 0; bit < 8 * bytes.length; bit++) {
        rundir_flip(file, bit / 8, (int)(bit % 8));
        if (csi_inc_read(own, name, &got, &err) != CFSPLIT_DAMAGED)
            CHECK_EQUAL(bit, -1);
        rundir_flip(file, bit / 8, (int)(bit % 8));
    }
    for (size_t length = 0; length < bytes.length; length++) {
        scratch_write(file, bytes.data, length);
        if (csi_inc_read(own, name, &got, &err) != CFSPLIT_DAMAGED)
            CHECK_EQUAL(length, -1);
    }
    scratch_write(file, bytes.data, bytes.length);
    CHECK_EQUAL(csi_inc_read(run, name, &got, &err), CFSPLIT_END);
    scratch_write(rundir_name(run, "fence", "stranger"), bytes.data, bytes.length);
    CHECK_EQUAL(csi_inc_read(run, "fence/stranger", &got, &err), CFSPLIT_DAMAGED); /* of another run */
    CHECK(unlink(rundir_name(run, "fence", "stranger")) == 0);
    csi_buf_release(&bytes);
    cfsplit_run_close(own);
}

static void life_is_seen_on_this_machine_only(void)
{
    struct csi_inc self = rundir_inc(run, 1), child = dead_inc(run, 2), other = self;
    CHECK_EQUAL(csi_inc_life(&self), CSI_LIFE_ALIVE);
    CHECK_EQUAL(csi_inc_life(&child), CSI_LIFE_DEAD);
    other.start_ticks++; /* the pid was given to another process */
    CHECK_EQUAL(csi_inc_life(&other), CSI_LIFE_DEAD);
    other.start_ticks = 0;
    CHECK_EQUAL(csi_inc_life(&other), CSI_LIFE_UNKNOWN);
    other = child;
    other.boot_id[0] = other.boot_id[0] == '0' ? '1' : '0';
    CHECK_EQUAL(csi_inc_life(&other), CSI_LIFE_UNKNOWN);
    other = child;
    other.pid_namespace[0] = 'x';
    CHECK_EQUAL(csi_inc_life(&other), CSI_LIFE_UNKNOWN);
}

static void stopped_child_is_no_sign_of_life(void)
{
    int ready[2];
    CHECK(pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct csi_inc own;
        cfsplit_status status = csi_inc_publish(run, 8, "a child", &own, &err);
        if (status != CFSPLIT_OK || write(ready[1], &own, sizeof own) != (ssize_t)sizeof own)
            _exit(1);
        pause();
        _exit(0);
    }
    struct csi_inc inc;
    siginfo_t info;
    close(ready[1]);
    CHECK_EQUAL(read(ready[0], &inc, sizeof inc), sizeof inc);
    CHECK_EQUAL(csi_inc_life(&inc), CSI_LIFE_ALIVE);
    CHECK(kill(child, SIGSTOP) == 0);
    CHECK(waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOWAIT) == 0);
    CHECK_EQUAL(csi_inc_life(&inc), CSI_LIFE_STOPPED);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK_EQUAL(csi_inc_life(&inc), CSI_LIFE_DEAD);
    close(ready[0]);
}

static void child_that_nobody_reaped_is_dead(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    siginfo_t info;
    pid_t child = fork();
    if (child == 0) {
        struct csi_inc own;
        _exit(csi_inc_publish(run, 9, "a child", &own, &err) != CFSPLIT_OK);
    }
    CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    struct csi_inc_list list = {0};
    CHECK_OK(csi_inc_list_refresh(&list, run, &err));
    for (size_t i = 0; i < list.count; i++)
        if (list.at[i].pid == (uint64_t)child)
            inc = list.at[i];
    CHECK_EQUAL(inc.replica, 9);
    CHECK_EQUAL(csi_inc_life(&inc), CSI_LIFE_DEAD);
    waitpid(child, NULL, 0);
    CHECK_EQUAL(csi_inc_life(&inc), CSI_LIFE_DEAD);
    free(list.at);
}

static void list_takes_in_what_is_new(void)
{
    struct cfsplit_run *own = rundir_new("list", 8, 1);
    struct csi_inc_list list = {0};
    CHECK_OK(csi_inc_list_refresh(&list, own, &err));
    CHECK_EQUAL(list.count, 0);
    struct csi_inc first = rundir_inc(own, 1);
    scratch_write("list/replicas/.tmp-0123456789abcdef", "half", 4);
    CHECK_OK(csi_inc_list_refresh(&list, own, &err));
    CHECK_OK(csi_inc_list_refresh(&list, own, &err));
    CHECK_EQUAL(list.count, 1);
    struct csi_inc second = rundir_inc(own, 0);
    CHECK_OK(csi_inc_list_refresh(&list, own, &err));
    CHECK_EQUAL(list.count, 2);
    CHECK_TEXT(list.at[0].name, first.name);
    CHECK_TEXT(list.at[1].name, second.name);
    free(list.at);
    cfsplit_run_close(own);
}

static void count_sentence(void *context, const char *sentence)
{
    (void)sentence;
    ++*(unsigned *)context;
}

/* Replica 2 has a coordinator beside it that has a piece; replica 3 has only a coordinator. */
static void coordinator_is_no_replica(void)
{
    struct cfsplit_run *own = rundir_new("coordinators", 8, 3);
    struct cfsplit_run_options options = CFSPLIT_RUN_OPTIONS_INIT;
    struct csi_inc replica = rundir_inc(own, 2), beside = coordinator_inc(own, 2), alone = coordinator_inc(own, 3);
    struct csi_inc_list list = {0};
    struct csi_others others;
    enum csi_presence presence;
    enum csi_whereabouts where;
    unsigned said = 0;
    size_t at;
    bool mine;
    csi_options_settle(&options, &own->spec.options);
    CHECK_OK(csi_inc_put(own, &beside, &err));
    CHECK_OK(csi_inc_put(own, &alone, &err));
    CHECK_OK(csi_claim_take(own, &beside, 0, 1, &mine, &err));
    CHECK(mine);
    CHECK_OK(csi_inc_list_refresh(&list, own, &err));
    CHECK_EQUAL(list.count, 1);
    CHECK_TEXT(list.at[0].name, replica.name);
    free(list.at);
    CHECK_OK(csi_others_init(&others, own, &replica, &options, count_sentence, &said, &err));
    CHECK_OK(csi_others_add(&others, &beside, &at, &err));
    CHECK_OK(csi_others_add(&others, &alone, &at, &err));
    CHECK_OK(csi_others_look(&others, 1000, &err));
    CHECK_OK(csi_others_presence(&others, 1, &presence, &err));
    CHECK_EQUAL(presence, CSI_NEVER_CAME);
    CHECK_OK(csi_others_presence(&others, 2, &presence, &err));
    CHECK_EQUAL(presence, CSI_PRESENT);
    CHECK_OK(csi_others_presence(&others, 3, &presence, &err));
    CHECK_EQUAL(presence, CSI_NEVER_CAME);
    CHECK_OK(csi_others_where(&others, at, &where, &err));
    CHECK_EQUAL(where, CSI_AT_WORK); /* which it is */
    CHECK_EQUAL(said, 0);            /* that replica 2 is there twice */
    csi_others_fini(&others);
    cfsplit_run_close(own);
}

static void coordinator_is_not_seen_among_lives(void)
{
    struct cfsplit_run *own = again("coordinators");
    struct cfsplit_survey *survey = NULL;
    const struct cfsplit_roll *roll;
    const struct cfsplit_life_view *holder;
    size_t count;
    CHECK_OK(cfsplit_survey_new(own, false, &survey, &err));
    CHECK_EQUAL(cfsplit_survey_lives(survey, &count)[0].replica, 2);
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(cfsplit_survey_missing(survey, &count)[1], 3);
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(cfsplit_survey_counts(survey)->working, 1);
    CHECK_EQUAL(cfsplit_survey_counts(survey)->lost, 0);
    CHECK_EQUAL(cfsplit_survey_counts(survey)->replicas_seen, 1);
    CHECK_OK(cfsplit_survey_roll(survey, &roll, &count, &err));
    CHECK_EQUAL(count, 3);
    CHECK_OK(cfsplit_survey_holder(survey, 0, &holder, &err));
    CHECK(holder == NULL);
    cfsplit_survey_free(survey);
    cfsplit_run_close(own);
}

static void list_holds_each_once(void)
{
    struct cfsplit_run *own = rundir_new("many", 8, 1);
    struct csi_inc_list list = {0};
    for (uint32_t round = 1; round <= 3; round++) {
        for (uint32_t i = 0; i < 20; i++)
            (void)rundir_inc(own, i % 4);
        CHECK_OK(csi_inc_list_refresh(&list, own, &err));
        CHECK_EQUAL(list.count, 20 * round);
        for (size_t i = 0; i < list.count; i++)
            for (size_t k = 0; k < i; k++)
                CHECK(strcmp(list.at[i].name, list.at[k].name) != 0);
    }
    free(list.at);
    cfsplit_run_close(own);
}

static void identity_under_another_name_is_damage(void)
{
    struct cfsplit_run *own = rundir_new("renamed", 8, 1);
    struct csi_inc_list list = {0};
    struct csi_inc inc = rundir_inc(own, 1);
    char from[64], to[64] = "renamed/replicas/2-0123456789abcdef";
    snprintf(from, sizeof from, "renamed/replicas/%s", inc.name);
    CHECK(rename(from, to) == 0);
    CHECK_EQUAL(csi_inc_list_refresh(&list, own, &err), CFSPLIT_DAMAGED);
    CHECK_EQUAL(list.count, 0);
    CHECK(strstr(err.message, "'replicas/2-0123456789abcdef' in 'renamed' is damaged") != NULL);
    free(list.at);
    cfsplit_run_close(own);
}

/* ---- claims */

static void one_of_two_has_a_piece(void)
{
    struct csi_inc a = rundir_inc(run, 1), b = rundir_inc(run, 1), owner;
    uint32_t highest[pieces];
    bool mine;
    CHECK_EQUAL(csi_claim_owner(run, 0, 1, &owner, &err), CFSPLIT_END);
    CHECK_OK(csi_claim_take(run, &a, 0, 1, &mine, &err));
    CHECK(mine);
    CHECK_OK(csi_claim_take(run, &b, 0, 1, &mine, &err));
    CHECK(!mine);
    CHECK_OK(csi_claim_take(run, &a, 0, 1, &mine, &err)); /* asked again, it has it still */
    CHECK(mine);
    CHECK_OK(csi_claim_owner(run, 0, 1, &owner, &err));
    CHECK_TEXT(owner.name, a.name);
    CHECK_OK(csi_claim_take(run, &b, 0, 2, &mine, &err));
    CHECK(mine);
    CHECK_OK(csi_claim_list(run, highest, &err));
    CHECK_EQUAL(highest[0], 2);
    for (uint32_t p = 1; p < pieces; p++)
        CHECK_EQUAL(highest[p], 0);
}

static void names_that_are_no_claims_are_found(void)
{
    static const char *const wrong[] = {"1", "1.e", "1.e0", "1.f1", "x.e1", "1.e1x", "104.e1", "1.e4294967296"};
    uint32_t highest[pieces];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *name = rundir_name(run, "claims/0.0", wrong[i]);
        scratch_write(name, "", 0);
        if (csi_claim_list(run, highest, &err) != CFSPLIT_DAMAGED)
            CHECK_TEXT(wrong[i], "no claim");
        CHECK(unlink(name) == 0);
    }
    scratch_write(rundir_name(run, "claims/0.0", ".nfs0001"), "", 0);
    CHECK_OK(csi_claim_list(run, highest, &err));
}

static void claim_in_another_folder_is_found(void)
{
    struct cfsplit_run *large = rundir_new("large", 272, 34); /* 272 pieces: two folders */
    struct csi_inc inc = rundir_inc(large, 1);
    uint32_t highest[272];
    bool mine;
    CHECK_OK(csi_claim_take(large, &inc, 0, 1, &mine, &err));
    CHECK_OK(csi_claim_take(large, &inc, 256, 1, &mine, &err));
    CHECK_OK(csi_claim_list(large, highest, &err));
    CHECK(highest[0] == 1 && highest[256] == 1 && highest[1] == 0);
    CHECK(link("large/claims/0.0/0.e1", "large/claims/0.1/0.e2") == 0);
    CHECK_EQUAL(csi_claim_list(large, highest, &err), CFSPLIT_DAMAGED);
    CHECK_TEXT(err.message, "'0.e2' in 'claims/0.1' is not the name of a claim");
    cfsplit_run_close(large);
}

static int claim_all(unsigned self)
{
    struct cfsplit_run *own = again("race");
    struct csi_inc inc;
    char won[2 * pieces], file[32];
    size_t count = 0;
    if (csi_inc_publish(own, self + 1, "a racer", &inc, &err) != CFSPLIT_OK)
        return 1;
    for (uint32_t i = 0; i < pieces; i++) {
        uint32_t piece = self % 2 ? pieces - 1 - i : i;
        bool mine;
        if (csi_claim_take(own, &inc, piece, 1, &mine, &err) != CFSPLIT_OK)
            return 2;
        if (mine)
            won[count++] = (char)piece;
    }
    memcpy(won + count, inc.name, sizeof inc.name);
    snprintf(file, sizeof file, "won.%u", self);
    scratch_write(file, won, count + sizeof inc.name);
    return 0;
}

/* What a racer says that it won, against the links. */
static void check_won(const struct cfsplit_run *of, unsigned racer, int owners[pieces])
{
    char file[32];
    snprintf(file, sizeof file, "won.%u", racer);
    struct csi_buf won = rundir_read(file);
    size_t count = won.length - CSI_INC_BYTES;
    for (size_t i = 0; i < count; i++) {
        uint32_t piece = (unsigned char)won.data[i];
        struct csi_inc owner;
        owners[piece]++;
        CHECK_OK(csi_claim_owner(of, piece, 1, &owner, &err));
        CHECK_TEXT(owner.name, won.data + count);
    }
    csi_buf_release(&won);
}

static void every_piece_has_one_owner(void)
{
    static struct cfsplit_run *own; /* not on the stack, where the racers would lose it */
    own = rundir_new("race", pieces, 13);
    int owners[pieces] = {0};
    CHECK_EQUAL(own->frozen.piece_count, pieces);
    CHECK_EQUAL(rundir_race(racers, claim_all), 0);
    for (unsigned i = 0; i < racers; i++)
        check_won(own, i, owners);
    for (size_t p = 0; p < pieces; p++)
        CHECK_EQUAL(owners[p], 1);
    cfsplit_run_close(own);
}

/* ---- fences and seals */

static struct csi_journal journal_of(const struct csi_inc *inc)
{
    struct csi_journal j;
    CHECK_OK(csi_journal_open(&j, run, inc, &err));
    return j;
}

static void sealing_twice_keeps_the_first_length(void)
{
    struct csi_inc victim = rundir_inc(run, 1), a = rundir_inc(run, 2), b = rundir_inc(run, 3);
    struct csi_journal j = journal_of(&victim);
    struct csi_seal seal;
    CHECK_OK(csi_fence_look(run, victim.name, &seal, &err));
    CHECK_EQUAL(seal.state, CSI_FENCE_NONE);
    rundir_put(&j, rundir_start(0, 1));
    uint64_t length = j.length;
    CHECK_OK(csi_fence_end(run, &a, &victim, &seal, &err));
    CHECK_EQUAL(seal.state, CSI_FENCE_SEALED);
    CHECK_EQUAL(seal.length, length);
    CHECK_TEXT(seal.by, a.name);
    rundir_put(&j, rundir_end(0, 1, CSI_DONE));
    CHECK_OK(csi_fence_end(run, &b, &victim, &seal, &err));
    CHECK_EQUAL(seal.length, length);
    CHECK_TEXT(seal.by, a.name);
    CHECK_OK(csi_journal_close(&j, &err));
}

static void fence_without_seal_is_completed(void)
{
    struct csi_inc victim = rundir_inc(run, 1), a = rundir_inc(run, 2), b = rundir_inc(run, 3);
    struct csi_journal j = journal_of(&victim);
    struct csi_seal seal;
    CHECK(link(rundir_name(run, "replicas", a.name), rundir_name(run, "fence", victim.name)) == 0);
    rundir_put(&j, rundir_start(0, 1));
    CHECK_OK(csi_fence_look(run, victim.name, &seal, &err));
    CHECK_EQUAL(seal.state, CSI_FENCE_UNSEALED);
    CHECK_OK(csi_fence_end(run, &b, &victim, &seal, &err));
    CHECK_EQUAL(seal.state, CSI_FENCE_SEALED);
    CHECK_EQUAL(seal.length, j.length);
    CHECK_TEXT(seal.by, b.name);
    CHECK_OK(csi_journal_close(&j, &err));
}

static void one_without_a_journal_can_be_ended(void)
{
    struct csi_inc victim = rundir_inc(run, 1), by = rundir_inc(run, 2);
    struct csi_seal seal;
    CHECK_OK(csi_fence_end(run, &by, &victim, &seal, &err));
    CHECK_EQUAL(seal.state, CSI_FENCE_SEALED);
    CHECK_EQUAL(seal.length, 0);
}

static void damaged_seal_is_found(void)
{
    struct csi_inc victim = rundir_inc(run, 1), by = rundir_inc(run, 2);
    struct csi_seal seal;
    char name[64];
    CHECK_OK(csi_fence_end(run, &by, &victim, &seal, &err));
    snprintf(name, sizeof name, "%s.seal", victim.name);
    const char *file = rundir_name(run, "fence", name);
    struct csi_buf bytes = rundir_read(file);
    for (uint64_t bit = 0; bit < 8 * bytes.length; bit++) {
        rundir_flip(file, bit / 8, (int)(bit % 8));
        if (csi_fence_look(run, victim.name, &seal, &err) != CFSPLIT_DAMAGED)
            CHECK_EQUAL(bit, -1);
        rundir_flip(file, bit / 8, (int)(bit % 8));
    }
    CHECK_OK(csi_fence_look(run, victim.name, &seal, &err));
    csi_buf_release(&bytes);
}

static struct csi_inc race_victim;

static int fence_at_once(unsigned self)
{
    struct cfsplit_run *own = again(run->path);
    struct csi_inc inc;
    struct csi_seal seal;
    struct csi_journal j;
    if (csi_inc_publish(own, self + 2, "a racer", &inc, &err) != CFSPLIT_OK)
        return 1;
    if (self == 0) { /* the victim goes on writing */
        if (csi_journal_open(&j, own, &race_victim, &err) != CFSPLIT_OK)
            return 2;
        for (uint64_t i = 1; i < 50; i++)
            rundir_put(&j, rundir_start(0, i));
        return 0;
    }
    if (csi_fence_end(own, &inc, &race_victim, &seal, &err) != CFSPLIT_OK)
        return 3;
    char file[32];
    snprintf(file, sizeof file, "seal.%u", self);
    scratch_write(file, &seal.length, sizeof seal.length);
    return 0;
}

static void all_see_one_seal(void)
{
    struct csi_seal seal;
    race_victim = rundir_inc(run, 1);
    CHECK_EQUAL(rundir_race(racers, fence_at_once), 0);
    CHECK_OK(csi_fence_look(run, race_victim.name, &seal, &err));
    for (unsigned i = 1; i < racers; i++) {
        char file[32];
        snprintf(file, sizeof file, "seal.%u", i);
        struct csi_buf bytes = rundir_read(file);
        uint64_t length;
        memcpy(&length, bytes.data, sizeof length);
        CHECK_EQUAL(length, seal.length);
        csi_buf_release(&bytes);
    }
}

/* ---- what a survey makes of it */

static enum cfsplit_state state_of(struct cfsplit_survey *survey, uint64_t index)
{
    CHECK_OK(cfsplit_survey_refresh(survey, &err));
    uint64_t sum = 0;
    for (int i = 0; i < 6; i++)
        sum += cfsplit_survey_counts(survey)->by_state[i];
    CHECK_EQUAL(sum, cfsplit_survey_counts(survey)->total);
    return cfsplit_survey_state(survey, index);
}

static void late_end_is_never_accepted(void)
{
    struct cfsplit_run *kept = run, *own = run = rundir_new("late", 8, 1);
    struct csi_inc victim = rundir_inc(own, 1), by = rundir_inc(own, 1);
    struct csi_journal j = journal_of(&victim), second = journal_of(&by);
    struct cfsplit_survey *watching, *fresh;
    struct csi_seal seal;
    CHECK_OK(cfsplit_survey_new(own, false, &watching, &err));
    rundir_put(&j, rundir_start(0, 1));
    rundir_put(&j, rundir_start(1, 1));
    rundir_put(&j, rundir_end(1, 1, CSI_DONE));
    CHECK_EQUAL(state_of(watching, 0), CFSPLIT_RUNNING);
    CHECK_EQUAL(state_of(watching, 1), CFSPLIT_DONE);
    CHECK(link(rundir_name(own, "replicas", by.name), rundir_name(own, "fence", victim.name)) == 0);
    CHECK_EQUAL(state_of(watching, 1), CFSPLIT_RUNNING); /* unsettled: the fence has no seal */
    CHECK_OK(csi_fence_end(own, &by, &victim, &seal, &err));
    rundir_put(&j, rundir_end(0, 1, CSI_DONE)); /* late */
    CHECK_EQUAL(state_of(watching, 0), CFSPLIT_PENDING);
    CHECK_EQUAL(state_of(watching, 1), CFSPLIT_DONE);
    rundir_put(&second, rundir_start(0, 2));
    rundir_put(&second, rundir_end(0, 2, CSI_DONE));
    rundir_put(&j, rundir_end(0, 1, CSI_DONE));
    CHECK_OK(csi_journal_close(&j, &err));
    CHECK_OK(csi_journal_close(&second, &err));
    CHECK_EQUAL(state_of(watching, 0), CFSPLIT_DONE);
    CHECK_OK(cfsplit_survey_new(own, true, &fresh, &err));
    CHECK_EQUAL(state_of(fresh, 0), CFSPLIT_DONE);
    CHECK_EQUAL(cfsplit_survey_counts(fresh)->by_state[CFSPLIT_DONE], 2);
    CHECK_EQUAL(cfsplit_survey_counts(fresh)->duplicates, 0);
    CHECK_EQUAL(cfsplit_survey_counts(watching)->duplicates, 0);
    CHECK_EQUAL(cfsplit_survey_counts(fresh)->torn_bytes, 0);
    cfsplit_survey_free(watching);
    cfsplit_survey_free(fresh);
    cfsplit_run_close(own);
    run = kept;
}

/* ---- taking over */

static void ignore_sentence(void *context, const char *sentence)
{
    (void)context;
    (void)sentence;
}

/* The next item that a new replica 1 of a run is handed, and which attempt at it; 0: none. */
static uint64_t failures_seen; /* of the item that next_attempt found */

static uint32_t next_attempt(struct cfsplit_run *of, uint64_t *index)
{
    struct cfsplit_run_options options = CFSPLIT_RUN_OPTIONS_INIT;
    struct csi_inc self = rundir_inc(of, 1);
    struct csi_feed feed;
    struct csi_next next;
    csi_options_settle(&options, &of->spec.options);
    options.retries = 1;
    CHECK_OK(csi_feed_init(&feed, of, &self, &options, ignore_sentence, NULL, &err));
    cfsplit_status status = csi_feed_next(&feed, 1000000, 0, &next, &err);
    *index = next.index;
    CHECK(status == CFSPLIT_OK || status == CFSPLIT_END);
    if (status == CFSPLIT_OK)
        failures_seen = csi_feed_failures(&feed, *index);
    csi_feed_fini(&feed);
    return status == CFSPLIT_OK ? next.attempt : 0;
}

static void failure_of_a_dead_owner_counts_once(void)
{
    struct cfsplit_run *kept = run, *own = run = rundir_new("failed", 1, 1);
    struct csi_inc victim = dead_inc(own, 1);
    struct csi_journal j = journal_of(&victim);
    uint64_t index;
    bool mine;
    CHECK_OK(csi_claim_take(own, &victim, 0, 1, &mine, &err));
    rundir_put(&j, rundir_start(0, 1));
    rundir_put(&j, rundir_end(0, 1, CSI_RETRY));
    CHECK_EQUAL(next_attempt(own, &index), 2);
    CHECK_EQUAL(failures_seen, 1);
    CHECK_OK(csi_journal_close(&j, &err));
    cfsplit_run_close(own);
    run = kept;
}

static void done_under_a_fence_is_not_started_again(void)
{
    struct cfsplit_run *kept = run, *own = run = rundir_new("fenced", 2, 1);
    struct csi_inc victim = rundir_inc(own, 1), by = rundir_inc(own, 1);
    struct csi_journal j = journal_of(&victim);
    uint64_t index;
    bool mine;
    for (uint32_t piece = 0; piece < 2; piece++)
        CHECK_OK(csi_claim_take(own, &victim, piece, 1, &mine, &err));
    rundir_put(&j, rundir_end(0, 1, CSI_DONE));
    rundir_put(&j, (struct csi_record){.kind = CSI_RECORD_CLOSED, .text = "finished", .text_length = 8});
    CHECK(link(rundir_name(own, "replicas", by.name), rundir_name(own, "fence", victim.name)) == 0);
    CHECK_EQUAL(next_attempt(own, &index), 1);
    CHECK_EQUAL(index, 1);
    CHECK_OK(csi_journal_close(&j, &err));
    cfsplit_run_close(own);
    run = kept;
}

int main(void)
{
    static const struct check_case cases[] = {
        {"an identity goes round", identity_goes_round},
        {"the identity of a coordinator goes round, and is not there before it is put", coordinator_goes_round},
        {"as much is known of what gave the number as there is room for", long_source_is_cut},
        {"only names of incarnations are taken for such", names_of_incarnations},
        {"a damaged identity and one of another run are found", damaged_identity_is_found},
        {"whether a process lives is seen on this machine only", life_is_seen_on_this_machine_only},
        {"a process that ended and was not waited for is dead", child_that_nobody_reaped_is_dead},
        {"a process that is stopped is there, and is no sign of life", stopped_child_is_no_sign_of_life},
        {"a list of incarnations takes in what is new", list_takes_in_what_is_new},
        {"a coordinator is no replica, no other start of one, and comes for none", coordinator_is_no_replica},
        {"who looks at a run does not see a coordinator among the replicas", coordinator_is_not_seen_among_lives},
        {"a list of incarnations holds each of them once", list_holds_each_once},
        {"an identity file under the name of another is damage", identity_under_another_name_is_damage},
        {"one of two has a piece", one_of_two_has_a_piece},
        {"names that are no claims are found", names_that_are_no_claims_are_found},
        {"a claim in the folder of other pieces is found", claim_in_another_folder_is_found},
        {"of many that claim everything at once, each piece has one owner", every_piece_has_one_owner},
        {"sealing twice keeps the first length", sealing_twice_keeps_the_first_length},
        {"a fence without a seal is completed by whoever meets it", fence_without_seal_is_completed},
        {"one that has no journal can be ended", one_without_a_journal_can_be_ended},
        {"a damaged seal is found", damaged_seal_is_found},
        {"of many that end one at once, all see one seal", all_see_one_seal},
        {"an end beyond a seal is never accepted", late_end_is_never_accepted},
        {"a failure of an owner that is found dead counts once", failure_of_a_dead_owner_counts_once},
        {"what is done under a fence without a seal is not started again", done_under_a_fence_is_not_started_again},
    };
    scratch_enter();
    run = rundir_new("run", pieces, 13);
    int failed = check_main("claims and fences", cases, sizeof cases / sizeof *cases);
    cfsplit_run_close(run);
    return failed;
}
