/* Who coordinates a queue, what is seen of it, and the keys of who takes part. */
#include "rundir/epoch.h"

#include <signal.h>
#include <xxhash.h>

#include "lib/rundir.h"

enum { racers = 8 };

#define KEY    "abcdefghijABCDEFGHIJ0123456789.-:+=^!/*?"
#define SECRET "0000000000111111111122222222223333333333"

static struct cfsplit_run *run;

static struct cfsplit_run *queue_run(const char *path, bool group)
{
    struct cfsplit_plan_request request = rundir_request(3);
    request.strategy = CFSPLIT_QUEUE;
    request.group = group;
    return rundir_plan(path, 8, &request);
}

static struct csi_epoch epoch_of(uint64_t K)
{
    struct csi_epoch epoch = {
        .K = K,
        .key = KEY,
        .place = "0123 net:[4026531840]",
        .address_count = 3,
        .addresses = {"ipc://@cfsplit-0123-1-abcdef", "tcp://192.0.2.7:40123", "tcp://[2001:db8::7]:1"}};
    CHECK_OK(csi_inc_make(run, 2, true, "a test", &epoch.coordinator, &err));
    return epoch;
}

static bool put(const struct csi_epoch *epoch)
{
    bool won = false;
    CHECK_OK(csi_epoch_put(run, epoch, &won, &err));
    return won;
}

static void same_epoch(const struct csi_epoch *a, const struct csi_epoch *b)
{
    CHECK_EQUAL(a->K, b->K);
    CHECK_TEXT(a->coordinator.name, b->coordinator.name);
    CHECK(a->coordinator.coordinator && a->coordinator.replica == b->coordinator.replica);
    CHECK_EQUAL(a->coordinator.pid, b->coordinator.pid);
    CHECK_EQUAL(a->coordinator.start_ticks, b->coordinator.start_ticks);
    CHECK_TEXT(a->coordinator.boot_id, b->coordinator.boot_id);
    CHECK_TEXT(a->coordinator.host, b->coordinator.host);
    CHECK_TEXT(a->key, b->key);
    CHECK_TEXT(a->place, b->place);
    CHECK_EQUAL(a->address_count, b->address_count);
    for (size_t i = 0; i < a->address_count; i++)
        CHECK_TEXT(a->addresses[i], b->addresses[i]);
}

/* A run of its own for one case. */
static struct cfsplit_run *begin(const char *path)
{
    struct cfsplit_run *kept = run;
    run = queue_run(path, false);
    return kept;
}

static void finish(struct cfsplit_run *kept)
{
    cfsplit_run_close(run);
    run = kept;
}

static void epoch_goes_round(void)
{
    struct cfsplit_run *kept = begin("round");
    struct csi_epoch epoch = epoch_of(1), got;
    struct csi_inc inc;
    char name[64];
    CHECK_EQUAL(csi_epoch_read(run, 1, &got, &err), CFSPLIT_END);
    CHECK(put(&epoch));
    CHECK_OK(csi_epoch_read(run, 1, &got, &err));
    same_epoch(&got, &epoch);
    snprintf(name, sizeof name, "replicas/%s", epoch.coordinator.name);
    CHECK_EQUAL(csi_inc_read(run, name, &inc, &err), CFSPLIT_END);
    CHECK_OK(csi_inc_put(run, &got.coordinator, &err)); /* as it was read */
    CHECK_OK(csi_inc_read(run, name, &inc, &err));
    CHECK_TEXT(inc.source, "a test");
    finish(kept);
}

static void epoch_may_have_no_place_and_no_address(void)
{
    struct cfsplit_run *kept = begin("bare");
    struct csi_epoch epoch = epoch_of(UINT64_MAX), got;
    epoch.place[0] = '\0';
    epoch.address_count = 0;
    CHECK(put(&epoch));
    CHECK_OK(csi_epoch_read(run, UINT64_MAX, &got, &err));
    same_epoch(&got, &epoch);
    finish(kept);
}

static void place_may_hold_anything(void)
{
    struct cfsplit_run *kept = begin("odd");
    struct csi_epoch epoch = epoch_of(1), got;
    memset(epoch.place, 1, sizeof epoch.place - 1); /* four bytes each in the file */
    CHECK(put(&epoch));
    CHECK_OK(csi_epoch_read(run, 1, &got, &err));
    same_epoch(&got, &epoch);
    finish(kept);
}

static void first_one_wins(void)
{
    struct cfsplit_run *kept = begin("first");
    struct csi_epoch first = epoch_of(1), second = epoch_of(1), got;
    CHECK(put(&first));
    CHECK(!put(&second));
    CHECK_OK(csi_epoch_read(run, 1, &got, &err));
    CHECK_TEXT(got.coordinator.name, first.coordinator.name);
    finish(kept);
}

static int race(unsigned self)
{
    struct cfsplit_run *own;
    struct csi_epoch epoch = epoch_of(1), got;
    bool won;
    (void)self;
    if (cfsplit_run_open("race", &own, &err) != CFSPLIT_OK || csi_epoch_put(own, &epoch, &won, &err) != CFSPLIT_OK ||
        csi_epoch_last(own, 0, &got, &err) != CFSPLIT_OK || got.K != 1)
        return 1;
    return won != (strcmp(got.coordinator.name, epoch.coordinator.name) == 0) ? 2 : 0;
}

static void of_many_one_wins(void)
{
    struct cfsplit_run *kept = begin("race");
    CHECK_EQUAL(rundir_race(racers, race), 0);
    finish(kept);
}

static void last_goes_on_from_what_is_known(void)
{
    struct cfsplit_run *kept = begin("last");
    struct csi_epoch got;
    CHECK_EQUAL(csi_epoch_last(run, 0, &got, &err), CFSPLIT_END);
    CHECK_EQUAL(got.K, 0);
    for (uint64_t K = 1; K <= 3; K++) {
        struct csi_epoch epoch = epoch_of(K);
        CHECK(put(&epoch));
        for (uint64_t from = 0; from < K; from++) {
            CHECK_OK(csi_epoch_last(run, from, &got, &err));
            same_epoch(&got, &epoch);
        }
        CHECK_EQUAL(csi_epoch_last(run, K, &got, &err), CFSPLIT_END);
        CHECK_EQUAL(got.K, K);
    }
    CHECK_EQUAL(csi_epoch_last(run, UINT64_MAX, &got, &err), CFSPLIT_END);
    finish(kept);
}

static void run_without_a_queue_has_none(void)
{
    struct cfsplit_run *other = rundir_new("other", 8, 3);
    struct csi_epoch epoch = epoch_of(1), got;
    char open[CSI_EPOCH_KEY_BYTES], secret[CSI_EPOCH_KEY_BYTES];
    bool won;
    CHECK_EQUAL(csi_epoch_last(other, 0, &got, &err), CFSPLIT_END);
    CHECK_EQUAL(csi_epoch_read(other, 1, &got, &err), CFSPLIT_END);
    CHECK_EQUAL(csi_epoch_read_keys(other, open, secret, &err), CFSPLIT_END);
    CHECK_EQUAL(csi_epoch_put(other, &epoch, &won, &err), CFSPLIT_DAMAGED);
    CHECK(!won);
    cfsplit_run_close(other);
}

static void folder_that_is_gone_is_damage(void)
{
    struct cfsplit_run *kept = begin("gone");
    struct csi_epoch got;
    CHECK(rmdir("gone/coordinator") == 0);
    CHECK_EQUAL(csi_epoch_last(run, 0, &got, &err), CFSPLIT_DAMAGED);
    CHECK(strstr(err.message, "'coordinator'") != NULL);
    finish(kept);
}

/* ---- damage */

static bool is_damage(void)
{
    struct csi_epoch got;
    return csi_epoch_read(run, 1, &got, &err) == CFSPLIT_DAMAGED && strstr(err.message, "'coordinator/epoch-1'") &&
           csi_epoch_last(run, 0, &got, &err) == CFSPLIT_DAMAGED;
}

static void damaged_epoch_is_found(void)
{
    struct cfsplit_run *kept = begin("damaged");
    static const char file[] = "damaged/coordinator/epoch-1";
    struct csi_epoch epoch = epoch_of(1);
    CHECK(put(&epoch));
    struct csi_buf bytes = rundir_read(file);
    for (uint64_t bit = 0; bit < 8 * bytes.length; bit++) {
        rundir_flip(file, bit / 8, (int)(bit % 8));
        if (!is_damage())
            CHECK_EQUAL(bit, -1);
        rundir_flip(file, bit / 8, (int)(bit % 8));
    }
    for (size_t length = 0; length < bytes.length; length++) {
        scratch_write(file, bytes.data, length);
        if (!is_damage())
            CHECK_EQUAL(length, -1);
    }
    csi_buf_add_text(&bytes, "end\t0000000000000000\n");
    scratch_write(file, bytes.data, bytes.length);
    CHECK(is_damage());
    csi_buf_release(&bytes);
    CHECK(unlink(file) == 0 && mkdir(file, 0700) == 0);
    CHECK(is_damage());
    finish(kept);
}

/* Whose epoch it is, and of which run, is in the file. */
static void epoch_elsewhere_is_damage(void)
{
    struct cfsplit_run *kept = begin("elsewhere"), *other = queue_run("third", false);
    struct csi_epoch epoch = epoch_of(2), got;
    CHECK(put(&epoch));
    CHECK(link("elsewhere/coordinator/epoch-2", "elsewhere/coordinator/epoch-1") == 0);
    CHECK(is_damage());
    CHECK(link("elsewhere/coordinator/epoch-2", "third/coordinator/epoch-2") == 0);
    CHECK_EQUAL(csi_epoch_read(other, 2, &got, &err), CFSPLIT_DAMAGED);
    cfsplit_run_close(other);
    finish(kept);
}

/* Puts a file of these lines behind its head and its identity, with a digest that fits. */
static void put_lines(const struct csi_inc *inc, const char *lines)
{
    struct csi_buf text = CSI_BUF_INIT;
    csi_buf_addf(&text, "cfsplit-epoch\t1\t%s\t1\n", run->spec.run_id);
    csi_inc_encode(run, inc, &text);
    csi_buf_addf(&text, "%send\t", lines);
    csi_buf_addf(&text, "%016" PRIx64 "\n", (uint64_t)XXH64(text.data, text.length, 0));
    scratch_write("hostile/coordinator/epoch-1", text.data, text.length);
    csi_buf_release(&text);
}

static void hostile_lines_are_damage(void)
{
    static const char *const wrong[] = {"",
                                        "key\t" KEY "\n",
                                        "place\t\nkey\t" KEY "\n",
                                        "key\t" KEY "\nplace\t\naddress\n",
                                        "key\t" KEY "\nplace\t\naddress\ttcp://192.0.2.7:1\tx\n",
                                        "key\t" KEY "\nplace\t\nmore\ttcp://192.0.2.7:1\n",
                                        "key\t" KEY "\nplace\t\nplace\t\n",
                                        "key\t" KEY "0\nplace\t\n",
                                        "key\t0" KEY "\nplace\t\n",
                                        "key\t\nplace\t\n",
                                        "key\t\\x00bcdefghijABCDEFGHIJ0123456789.-:+=^!/*?\nplace\t\n",
                                        "key\t~bcdefghijABCDEFGHIJ0123456789.-:+=^!/*?\nplace\t\n",
                                        "key\t#####fghijABCDEFGHIJ0123456789.-:+=^!/*?\nplace\t\n", /* above 2^32 */
                                        "key\t" KEY "\nplace\ta\\x00b\n",
                                        "key\t" KEY "\nplace\t\nend\t0000000000000000\n"};
    struct cfsplit_run *kept = begin("hostile");
    struct csi_epoch got, epoch = epoch_of(1);
    struct csi_buf many = CSI_BUF_INIT;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put_lines(&epoch.coordinator, wrong[i]);
        if (!is_damage())
            CHECK_TEXT(wrong[i], "damage");
    }
    put_lines(&epoch.coordinator, "key\t" KEY "\nplace\t\\t\n");
    CHECK_OK(csi_epoch_read(run, 1, &got, &err));
    CHECK_TEXT(got.place, "\t");
    struct csi_inc replica = rundir_inc(run, 1);
    put_lines(&replica, "key\t" KEY "\nplace\t\n"); /* no coordinator */
    CHECK(is_damage());
    csi_buf_addf(&many, "key\t%s\nplace\t\n", KEY);
    for (int i = 0; i < CSI_EPOCH_ADDRESSES_MAX; i++)
        csi_buf_addf(&many, "address\ttcp://192.0.2.7:%d\n", i + 1);
    put_lines(&epoch.coordinator, many.data);
    CHECK_OK(csi_epoch_read(run, 1, &got, &err));
    CHECK_EQUAL(got.address_count, CSI_EPOCH_ADDRESSES_MAX);
    csi_buf_addf(&many, "address\ttcp://192.0.2.7:99\n");
    put_lines(&epoch.coordinator, many.data);
    CHECK(is_damage());
    csi_buf_release(&many);
    finish(kept);
}

/* What nobody could read is not written. */
static bool may_put(const struct csi_epoch *epoch)
{
    bool won = false;
    cfsplit_status status = csi_epoch_put(run, epoch, &won, &err);
    CHECK(status == CFSPLIT_OK || status == CFSPLIT_USAGE);
    CHECK_EQUAL(won, status == CFSPLIT_OK);
    return status == CFSPLIT_OK;
}

static void only_addresses_that_need_no_look_up(void)
{
    static const char *const wrong[] = {"",
                                        "tcp://",
                                        "tcp://:1",
                                        "tcp://*:1",
                                        "tcp://localhost:1",
                                        "tcp://192.0.2.7",
                                        "tcp://192.0.2.7:",
                                        "tcp://192.0.2.7:0",
                                        "tcp://192.0.2.7:01",
                                        "tcp://192.0.2.7:65536",
                                        "tcp://192.0.2.7:1x",
                                        "tcp://192.0.2:1",
                                        "tcp://192.0.2.7;10.0.0.1:1",
                                        "tcp://[192.0.2.7]:1",
                                        "tcp://2001:db8::7:1",
                                        "tcp://[2001:db8::7]",
                                        "tcp://[]:1",
                                        "tcp://[fe80::1%eth0]:1",
                                        "ipc://@",
                                        "ipc:///tmp/socket",
                                        "ipc://@a b",
                                        "ipc://@a\nb",
                                        "inproc://a",
                                        "192.0.2.7:1"};
    static const char *const right[] = {"tcp://192.0.2.7:65535", "tcp://[::1]:1", "tcp://127.0.0.1:7", "ipc://@x\\t"};
    struct cfsplit_run *kept = begin("addresses");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct csi_epoch epoch = epoch_of(1);
        snprintf(epoch.addresses[1], sizeof epoch.addresses[1], "%s", wrong[i]);
        if (may_put(&epoch))
            CHECK_TEXT(wrong[i], "no address");
    }
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        struct csi_epoch epoch = epoch_of(i + 1);
        snprintf(epoch.addresses[1], sizeof epoch.addresses[1], "%s", right[i]);
        struct csi_epoch got;
        if (!may_put(&epoch))
            CHECK_TEXT(right[i], "an address");
        CHECK_OK(csi_epoch_read(run, i + 1, &got, &err));
        same_epoch(&got, &epoch);
    }
    struct csi_epoch longest = epoch_of(9);
    memset(longest.addresses[0] + 7, 'x', CSI_EPOCH_ADDRESS_BYTES - 8);
    longest.addresses[0][CSI_EPOCH_ADDRESS_BYTES - 1] = '\0';
    CHECK(may_put(&longest));
    finish(kept);
}

static void what_nobody_could_read_is_not_written(void)
{
    struct cfsplit_run *kept = begin("unreadable");
    struct csi_epoch none = epoch_of(0), many = epoch_of(1), no_key = epoch_of(1), replica = epoch_of(1);
    many.address_count = CSI_EPOCH_ADDRESSES_MAX + 1;
    no_key.key[39] = '\0';
    replica.coordinator = rundir_inc(run, 1);
    CHECK(!may_put(&none));
    CHECK(!may_put(&many));
    CHECK(!may_put(&no_key));
    CHECK(!may_put(&replica));
    CHECK(strstr(err.message, "'coordinator/epoch-1' is not written") != NULL);
    finish(kept);
}

/* Wherever the one who writes it dies: the epoch is there whole, or it is free. */
static void death_leaves_it_whole_or_free(void)
{
    static const char *const points[] = {"file.created",         "file.half-written",    "file.written",
                                         "file.synced",          "publish.temp-written", "publish.linked",
                                         "publish.temp-removed", "publish.folder-synced"};
    struct cfsplit_run *kept = begin("deaths");
    for (uint64_t K = 1; K <= sizeof points / sizeof *points; K++) {
        struct csi_epoch dead = epoch_of(K), next = epoch_of(K), got;
        int how = 0;
        pid_t child = fork();
        if (child == 0) {
            setenv("CFSPLIT_KILL_AT", points[K - 1], 1);
            _exit(!put(&dead));
        }
        CHECK(waitpid(child, &how, 0) == child);
        CHECK((WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL) || (WIFEXITED(how) && WEXITSTATUS(how) == 0));
        bool is_there = csi_epoch_read(run, K, &got, &err) == CFSPLIT_OK;
        if (is_there)
            same_epoch(&got, &dead);
        CHECK_EQUAL(put(&next), !is_there);
        CHECK_OK(csi_epoch_read(run, K, &got, &err));
        same_epoch(&got, is_there ? &dead : &next);
    }
    finish(kept);
}

/* ---- what is seen of it */

static mode_t mode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void seen_is_replaced(void)
{
    struct cfsplit_run *kept = run;
    struct csi_buf text = CSI_BUF_INIT;
    run = queue_run("seen", true);
    struct csi_epoch epoch = epoch_of(4);
    CHECK_EQUAL(csi_epoch_seen(run, 4, &text, &err), CFSPLIT_END);
    CHECK_OK(csi_epoch_tell_seen(run, &epoch, "first\n", 6, &err));
    CHECK_OK(csi_epoch_tell_seen(run, &epoch, "second\n", 7, &err));
    CHECK_OK(csi_epoch_seen(run, 4, &text, &err));
    CHECK_TEXT(text.data, "second\n");
    CHECK_EQUAL(csi_epoch_seen(run, 5, &text, &err), CFSPLIT_END);
    CHECK_EQUAL(mode_of("seen/coordinator/seen-4"), 0640);
    CHECK_EQUAL(system("[ \"$(ls -A seen/coordinator)\" = seen-4 ]"), 0);
    CHECK(mkdir("seen/coordinator/seen-5", 0700) == 0);
    epoch.K = 5;
    CHECK_EQUAL(csi_epoch_tell_seen(run, &epoch, "x", 1, &err), CFSPLIT_STORAGE);
    CHECK(strstr(err.message, "'coordinator/seen-5'") != NULL);
    CHECK_EQUAL(csi_epoch_seen(run, 5, &text, &err), CFSPLIT_DAMAGED);
    CHECK_EQUAL(system("[ \"$(ls -A seen/coordinator | wc -l)\" = 2 ]"), 0);
    csi_buf_release(&text);
    finish(kept);
}

/* ---- keys */

static cfsplit_status read_keys(void)
{
    char open[CSI_EPOCH_KEY_BYTES], secret[CSI_EPOCH_KEY_BYTES];
    cfsplit_status status = csi_epoch_read_keys(run, open, secret, &err);
    CHECK_TEXT(open, status == CFSPLIT_OK ? KEY : "");
    CHECK_TEXT(secret, status == CFSPLIT_OK ? SECRET : "");
    return status;
}

static void first_pair_of_keys_is_the_one(void)
{
    struct cfsplit_run *kept = run;
    run = queue_run("keys", true);
    CHECK_EQUAL(read_keys(), CFSPLIT_END);
    CHECK_OK(csi_epoch_put_keys(run, KEY, SECRET, &err));
    CHECK_OK(csi_epoch_put_keys(run, SECRET, KEY, &err));
    CHECK_OK(read_keys());
    CHECK_EQUAL(mode_of("keys/keys"), 0700);
    CHECK_EQUAL(mode_of("keys/keys/client.key"), 0600); /* whatever the group may read */
    CHECK_EQUAL(csi_epoch_put_keys(run, KEY "0", SECRET, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(csi_epoch_put_keys(run, KEY, "", &err), CFSPLIT_USAGE);
    finish(kept);
}

static void keys_that_others_may_read_are_refused(void)
{
    static const mode_t wrong[] = {0640, 0620, 0610, 0604, 0602, 0601, 0777};
    struct cfsplit_run *kept = begin("open");
    CHECK_OK(csi_epoch_put_keys(run, KEY, SECRET, &err));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(chmod("open/keys/client.key", wrong[i]) == 0);
        CHECK_EQUAL(read_keys(), CFSPLIT_USAGE);
    }
    CHECK_TEXT(err.message, "'keys/client.key' in 'open' may be read by others (mode 777): to take part, chmod 600 it");
    CHECK(chmod("open/keys/client.key", 0400) == 0);
    CHECK_OK(read_keys());
    if (geteuid() == 0) { /* who else could give a file away */
        CHECK(chown("open/keys/client.key", 12345, (gid_t)-1) == 0);
        CHECK_EQUAL(read_keys(), CFSPLIT_USAGE);
        CHECK_TEXT(err.message,
                   "'keys/client.key' in 'open' belongs to user 12345: only who planned a queue can take part");
    }
    finish(kept);
}

static void damaged_keys_are_found(void)
{
    static const char *const wrong[] = {"",
                                        KEY "\n",
                                        KEY "\n" SECRET,
                                        KEY "\n" SECRET "0",
                                        KEY "\n" SECRET "\n\n",
                                        KEY "0" SECRET "\n",
                                        KEY "\n#####00000111111111122222222223333333333\n",
                                        "\\bcdefghijABCDEFGHIJ0123456789.-:+=^!/*?\n" SECRET "\n"};
    struct cfsplit_run *kept = begin("spoiled");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        scratch_write("spoiled/keys/client.key", wrong[i], strlen(wrong[i]));
        CHECK_EQUAL(read_keys(), CFSPLIT_DAMAGED);
        CHECK(strstr(err.message, "'keys/client.key'") != NULL);
    }
    CHECK(unlink("spoiled/keys/client.key") == 0 && symlink("/etc/hostname", "spoiled/keys/client.key") == 0);
    CHECK_EQUAL(read_keys(), CFSPLIT_USAGE);
    CHECK(unlink("spoiled/keys/client.key") == 0 && mkdir("spoiled/keys/client.key", 0700) == 0);
    CHECK_EQUAL(read_keys(), CFSPLIT_DAMAGED);
    finish(kept);
}

/* A kind of file system that cannot be told may be any. */
static void unknown_storage_is_waited_for(void)
{
    struct cfsplit_run nowhere = {.fd = -1};
    CHECK_EQUAL(csi_epoch_unseen_ms(&nowhere), 60000);
    nowhere.fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_EQUAL(csi_epoch_unseen_ms(&nowhere), 0);
    close(nowhere.fd);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"who coordinates goes round, before its identity is published", epoch_goes_round},
        {"it may have no place and no address", epoch_may_have_no_place_and_no_address},
        {"its place may hold anything", place_may_hold_anything},
        {"the first one wins", first_one_wins},
        {"of many at once one wins, and all see which", of_many_one_wins},
        {"the last one is found from any that is known", last_goes_on_from_what_is_known},
        {"a run of another strategy has none", run_without_a_queue_has_none},
        {"a folder that is gone is damage", folder_that_is_gone_is_damage},
        {"every flipped bit, every shorter file and every longer one is found", damaged_epoch_is_found},
        {"one under another number or of another run is damage", epoch_elsewhere_is_damage},
        {"lines that nobody wrote are damage, whatever the digest", hostile_lines_are_damage},
        {"only addresses that need no look-up are written", only_addresses_that_need_no_look_up},
        {"what nobody could read is not written", what_nobody_could_read_is_not_written},
        {"whoever writes it may die anywhere: it is there whole, or free", death_leaves_it_whole_or_free},
        {"what is seen of it is replaced", seen_is_replaced},
        {"the first pair of keys is the one", first_pair_of_keys_is_the_one},
        {"keys that others may read are refused", keys_that_others_may_read_are_refused},
        {"damaged keys are found", damaged_keys_are_found},
        {"storage of unknown kind is waited for", unknown_storage_is_waited_for},
    };
    scratch_enter();
    run = queue_run("run", false);
    int failed = check_main("who coordinates a queue", cases, sizeof cases / sizeof *cases);
    cfsplit_run_close(run);
    return failed;
}
