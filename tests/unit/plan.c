/* Planning: one plan in one place, whoever comes at the same moment. */
#include <dirent.h>

#include "lib/rundir.h"

enum { planners = 8 };

static int names_in(const char *folder)
{
    DIR *dir = opendir(folder);
    int count = 0;
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (dir)
        closedir(dir);
    return dir ? count : -1;
}

static cfsplit_status plan(const char *path, uint64_t items, const struct cfsplit_plan_request *request, bool *created)
{
    struct cfsplit_list *list = rundir_list(items);
    cfsplit_status status = cfsplit_plan(path, list, request, created, &err);
    cfsplit_list_free(list);
    return status;
}

static int plan_at_once(unsigned self)
{
    struct cfsplit_plan_request request = rundir_request(3);
    bool created;
    (void)self;
    if (plan("race/run", 50, &request, &created) != CFSPLIT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    int fd = created ? open("created", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    return created && (write(fd, "x", 1) != 1 || close(fd) != 0);
}

/* Eight plan in folder `race`, which holds nothing but perhaps an empty `run`. */
static void check_race(void)
{
    struct cfsplit_run *run;
    CHECK_EQUAL(rundir_race(planners, plan_at_once), 0);
    struct csi_buf created = rundir_read("created");
    CHECK_EQUAL(created.length, 1);
    csi_buf_release(&created);
    CHECK_EQUAL(names_in("race"), 1);
    CHECK_EQUAL(names_in("race/run"), 12);
    CHECK_OK(cfsplit_run_open("race/run", &run, &err));
    CHECK_OK(cfsplit_run_check(run, &err));
    CHECK_EQUAL(cfsplit_run_facts(run)->items, 50);
    cfsplit_run_close(run);
    CHECK(system("rm -r race created") == 0);
}

static void many_plan_at_once(void)
{
    for (int round = 0; round < 5; round++) {
        CHECK(mkdir("race", 0700) == 0);
        check_race();
    }
}

static void many_plan_at_once_in_an_empty_folder(void)
{
    for (int round = 0; round < 5; round++) {
        CHECK(mkdir("race", 0700) == 0 && mkdir("race/run", 0700) == 0);
        check_race();
    }
}

static void differs(uint64_t items, const struct cfsplit_plan_request *request, const char *sentence)
{
    bool created = true;
    CHECK_EQUAL(plan("r", items, request, &created), CFSPLIT_USAGE);
    CHECK(!created);
    CHECK_TEXT(err.message, sentence);
}

static void difference_is_named(void)
{
    static const char *const other[] = {"./two.sh", "{}"}, *const longer[] = {"./one.sh", "{}", "x"},
                             *const argument[] = {"./one.sh", "{/}"};
    const struct cfsplit_plan_request same = rundir_request(3);
    struct cfsplit_plan_request request = same;
    bool created;
    CHECK_OK(plan("r", 10, &same, &created));
    CHECK(created);
    CHECK_OK(plan("r", 10, &same, &created));
    CHECK(!created);
    request.replicas = 4;
    differs(10, &request, "'r' was planned for 3 replicas, not 4");
    request = same;
    request.strategy = CFSPLIT_CHUNK;
    differs(10, &request, "'r' was planned with strategy even, not chunk");
    request = same;
    request.command = other;
    differs(10, &request, "'r' was planned with command './one.sh', not './two.sh'");
    request.command = argument;
    differs(10, &request, "'r' was planned with argument '{}', not '{/}'");
    request.command = longer;
    request.command_count = 3;
    differs(10, &request, "'r' was planned with a command of 2 words, not 3");
    differs(11, &same, "'r' was planned with 10 items, not 11");
    request = same;
    request.options.later_exit.is_set = 1;
    differs(10, &request, "'r' was planned with another --later-exit");
    request = same;
    request.weights = "column";
    differs(10, &request, "'r' was planned without --weights column");
#define OTHER(field, otherwise, what)                                                                                  \
    request = same;                                                                                                    \
    request.options.field = 1;                                                                                         \
    differs(10, &request, "'r' was planned with another value of option '" #field "'");
    CFSPLIT_RUN_OPTION_LIST(OTHER)
#undef OTHER
    struct cfsplit_list *list = rundir_list(9);
    CHECK_OK(cfsplit_list_add(list, "another", 7, 1, &err));
    CHECK_EQUAL(cfsplit_plan("r", list, &same, &created, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "'r' was planned with other items, or with them in another order");
    cfsplit_list_free(list);
    CHECK(system("rm -r r") == 0);
}

static void folder_with_something_in_it_is_refused(void)
{
    struct cfsplit_plan_request request = rundir_request(2);
    bool created;
    CHECK(mkdir("full", 0700) == 0);
    scratch_write("full/mine", "precious", 8);
    CHECK_EQUAL(plan("full", 5, &request, &created), CFSPLIT_USAGE);
    CHECK(!created);
    CHECK_TEXT(err.message, "'full' is not a run directory: it has no run.json");
    struct csi_buf mine = rundir_read("full/mine");
    CHECK_TEXT(mine.data, "precious");
    csi_buf_release(&mine);
    CHECK_EQUAL(names_in("full"), 1);
    scratch_write("file", "precious", 8);
    CHECK_EQUAL(plan("file", 5, &request, &created), CFSPLIT_USAGE);
    mine = rundir_read("file");
    CHECK_TEXT(mine.data, "precious");
    csi_buf_release(&mine);
    CHECK(system("rm -r full file") == 0);
    CHECK_EQUAL(names_in("."), 0);
}

static void empty_folder_is_used(void)
{
    struct cfsplit_plan_request request = rundir_request(2);
    bool created;
    CHECK(mkdir("empty", 0700) == 0);
    CHECK_OK(plan("empty/", 5, &request, &created));
    CHECK(created);
    CHECK_EQUAL(names_in("empty"), 12);
    CHECK(system("rm -r empty") == 0);
}

static void what_fails_leaves_nothing_behind(void)
{
    struct cfsplit_plan_request request = rundir_request(2);
    bool created;
    CHECK(mkdir("empty", 0700) == 0);
    request.cwd = "/nonexistent";
    CHECK_EQUAL(plan("r", 5, &request, &created), CFSPLIT_USAGE);
    CHECK_EQUAL(plan("empty", 5, &request, &created), CFSPLIT_USAGE);
    CHECK_EQUAL(names_in("empty"), 0);
    request = rundir_request(0);
    CHECK_EQUAL(plan("r", 5, &request, &created), CFSPLIT_USAGE);
    request = rundir_request(2);
    request.size--;
    CHECK_EQUAL(plan("r", 5, &request, &created), CFSPLIT_USAGE);
    request.size++;
    request.options.size--;
    CHECK_EQUAL(plan("r", 5, &request, &created), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "cfsplit_run_options of another version of the library");
    request.options.size++;
    CHECK_EQUAL(plan("missing/r", 5, &request, &created), CFSPLIT_USAGE);
    CHECK_EQUAL(plan("", 5, &request, &created), CFSPLIT_USAGE);
    CHECK_EQUAL(plan("..", 5, &request, &created), CFSPLIT_USAGE);
    CHECK_EQUAL(names_in("."), 1);
    CHECK(rmdir("empty") == 0);
}

static unsigned mode_of(const char *name)
{
    struct stat st;
    return stat(name, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void modes_are_those_of_the_manual(void)
{
    struct cfsplit_plan_request request = rundir_request(2);
    bool created;
    mode_t before = umask(077);
    CHECK_OK(plan("mine", 5, &request, &created));
    request.group = 1;
    CHECK_OK(plan("ours", 5, &request, &created));
    umask(before);
    CHECK_EQUAL(mode_of("mine"), 0700);
    CHECK_EQUAL(mode_of("mine/claims/0.0"), 0700);
    CHECK_EQUAL(mode_of("mine/run.json"), 0600);
    CHECK_EQUAL(mode_of("ours"), 0750);
    CHECK_EQUAL(mode_of("ours/journal"), 0750);
    CHECK_EQUAL(mode_of("ours/claims/0.0"), 0750);
    CHECK_EQUAL(mode_of("ours/items.idx"), 0640);
    CHECK(system("rm -r mine ours") == 0);
}

static void empty_list_is_a_run(void)
{
    struct cfsplit_run *run = rundir_new("none", 0, 3);
    struct cfsplit_survey *survey;
    CHECK_OK(cfsplit_run_check(run, &err));
    CHECK_OK(cfsplit_survey_new(run, true, &survey, &err));
    CHECK(cfsplit_survey_counts(survey)->complete);
    cfsplit_survey_free(survey);
    cfsplit_run_close(run);
    CHECK(system("rm -r none") == 0);
}

static void many_pieces_have_many_folders(void)
{
    struct cfsplit_run *run = rundir_new("many", 2100, 300);
    struct csi_inc inc = rundir_inc(run, 1);
    uint32_t *highest = calloc(run->frozen.piece_count, sizeof *highest), last = (uint32_t)run->frozen.piece_count - 1;
    bool mine;
    CHECK_EQUAL(run->frozen.piece_count, 2100);
    CHECK_EQUAL(names_in("many/claims"), 9);
    CHECK_OK(csi_claim_take(run, &inc, last, 1, &mine, &err));
    CHECK(mine);
    CHECK_OK(csi_claim_list(run, highest, &err));
    CHECK_EQUAL(highest[last], 1);
    CHECK_EQUAL(highest[last - 1], 0);
    free(highest);
    cfsplit_run_close(run);
    CHECK(system("rm -r many") == 0);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"many that plan at once end with one plan", many_plan_at_once},
        {"many that plan at once in an empty folder end with one plan", many_plan_at_once_in_an_empty_folder},
        {"what differs from the plan that is there is named", difference_is_named},
        {"a folder that holds something is refused and left alone", folder_with_something_in_it_is_refused},
        {"an empty folder is used", empty_folder_is_used},
        {"what fails leaves nothing behind, and an empty folder where it was", what_fails_leaves_nothing_behind},
        {"modes are those of the manual, whatever the umask", modes_are_those_of_the_manual},
        {"an empty list is a run, and complete", empty_list_is_a_run},
        {"claims of many pieces are spread over folders", many_pieces_have_many_folders},
    };
    scratch_enter();
    return check_main("plans", cases, sizeof cases / sizeof *cases);
}
