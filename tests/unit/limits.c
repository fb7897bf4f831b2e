/* Processors: the affinity mask, and the quotas of control groups in trees made here. */
#include "base/thread.h"
#include "exec/limits.h"

#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/check.h"

static char root[] = "/tmp/cfsplit-limits-XXXXXX";
static char self[PATH_MAX];

/* Writes root/path, making the folders on the way. */
static void put(const char *path, const char *text)
{
    char full[PATH_MAX];
    snprintf(full, sizeof full, "%s/%s", root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = '\0';
        mkdir(full, 0700);
    }
    FILE *file = fopen(full, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CHECK(fputs(text, file) >= 0);
    CHECK(fclose(file) == 0);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    return at->level > 0 ? remove(path) : 0;
}

static void start_over(const char *self_text)
{
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    put("self", self_text);
    snprintf(self, sizeof self, "%s/self", root);
}

static void no_quota_is_no_limit(void)
{
    start_over("0::/a/b\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 0);
    put("a/b/cpu.max", "max 100000\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 0);
    CHECK_EQUAL(csi_processors(root, self), csi_thread_processors());
    CHECK_EQUAL(csi_processors_quota(root, "/nonexistent"), 0);
}

static void version_2_is_rounded_up(void)
{
    static const struct {
        const char *text;
        unsigned processors;
    } rows[] = {
        {"100000 100000\n", 1}, {"100001 100000\n", 2},
        {"150000 100000\n", 2}, {"1000 100000\n", 1},
        {"800000 100000\n", 8}, {"20000 10000\n", 2},
        {"max 100000\n", 0},    {"", 0},
        {"nonsense\n", 0},      {"5\n", 0},
        {"5 0\n", 0},           {"99999999999999999999999 1\n", 0},
    };
    start_over("0::/a\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put("a/cpu.max", rows[i].text);
        CHECK_EQUAL(csi_processors_quota(root, self), rows[i].processors);
    }
}

static void least_on_the_way_up_counts(void)
{
    start_over("0::/a/b/c\n");
    put("a/b/c/cpu.max", "max 100000\n");
    put("a/b/cpu.max", "700000 100000\n");
    put("a/cpu.max", "300000 100000\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 3);
    put("cpu.max", "200000 100000\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 2);
    put("a/b/c/cpu.max", "100000 100000\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 1);
}

static void version_1_has_two_files(void)
{
    start_over("12:memory:/x\n4:cpu,cpuacct:/a/b\n1:name=systemd:/a\n");
    put("cpu/a/b/cpu.cfs_quota_us", "250000\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 0);
    put("cpu/a/b/cpu.cfs_period_us", "100000\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 3);
    put("cpu/a/b/cpu.cfs_quota_us", "-1\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 0);
    put("cpu,cpuacct/a/cpu.cfs_quota_us", "400000\n");
    put("cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 4);
}

static void other_controllers_do_not_count(void)
{
    start_over("4:cpuset,cpuacct:/a\n5:xcpu:/a\n");
    put("cpu/a/cpu.cfs_quota_us", "100000\n");
    put("cpu/a/cpu.cfs_period_us", "100000\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 0);
}

static void container_sees_its_own_root(void)
{
    start_over("4:cpu,cpuacct:/kubepods/burstable/pod1/abc\n");
    put("cpu/cpu.cfs_quota_us", "200000\n");
    put("cpu/cpu.cfs_period_us", "100000\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 2);
    start_over("0::/../../pod2\n");
    put("cpu.max", "500000 100000\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 5);
}

static void both_versions_at_once(void)
{
    start_over("3:cpu:/a\n0::/b\n");
    put("cpu/a/cpu.cfs_quota_us", "600000\n");
    put("cpu/a/cpu.cfs_period_us", "100000\n");
    put("b/cpu.max", "500000 100000\n");
    CHECK_EQUAL(csi_processors_quota(root, self), 5);
}

static void mask_counts(void)
{
    cpu_set_t before, one;
    CU_ASSERT_FATAL(sched_getaffinity(0, sizeof before, &before) == 0);
    CHECK_EQUAL(csi_thread_processors(), CPU_COUNT(&before));
    CPU_ZERO(&one);
    for (int i = 0; CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &before))
            CPU_SET(i, &one);
    start_over("0::/\n");
    put("cpu.max", "9900000 100000\n");
    CHECK_EQUAL(csi_processors(root, self), CPU_COUNT(&before));
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
    CHECK_EQUAL(csi_processors(root, self), 1);
    CHECK(sched_setaffinity(0, sizeof before, &before) == 0);
}

static void never_less_than_one(void)
{
    CHECK(csi_processors(NULL, NULL) >= 1);
    start_over("no colons here\n:\n0::\n0::/a");
    CHECK(csi_processors(root, self) >= 1);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"without a quota the affinity mask is the only limit", no_quota_is_no_limit},
        {"a version 2 quota is rounded up to whole processors", version_2_is_rounded_up},
        {"the least quota on the way up to the root counts", least_on_the_way_up_counts},
        {"a version 1 quota takes its period from a second file", version_1_has_two_files},
        {"controllers that merely sound like cpu do not count", other_controllers_do_not_count},
        {"a path of the host that is not there leaves the container's root", container_sees_its_own_root},
        {"where both versions are in use the smaller quota counts", both_versions_at_once},
        {"the affinity mask counts, and is the limit where it is smaller", mask_counts},
        {"there is always one processor", never_less_than_one},
    };
    if (!mkdtemp(root))
        return 2;
    int failed = check_main("processors this process may use", cases, sizeof cases / sizeof *cases);
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    rmdir(root);
    return failed;
}
