/* launch --on canfar: the platform's own command line, in words that its interface passes on unchanged. */
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"

/* The limits of `canfar create` and of the platform behind it; a session's host is called NAME-512. */
enum { most_replicas = 512, most_cpus = 256, most_memory_gb = 512, longest_name = 59 };

/* The interface splits arguments at spaces, fails at a dollar, and puts the rest between double quotes as it is. */
static cfsplit_status check_word(const char *what, const char *word, struct cfsplit_error *err)
{
    char shown[32];
    for (; *word; word++) {
        unsigned char c = (unsigned char)*word;
        bool visible = c > ' ' && c < 0x7f;
        if (visible && c != '$' && c != '\\' && c != '"')
            continue;
        if (c == ' ')
            snprintf(shown, sizeof shown, "a space");
        else if (visible)
            snprintf(shown, sizeof shown, "the character %c", c);
        else
            snprintf(shown, sizeof shown, "the byte \\x%02x", c);
        return tool_fail(err, CFSPLIT_USAGE, "%s holds %s, which CANFAR does not pass on", what, shown);
    }
    return CFSPLIT_OK;
}

static cfsplit_status check_path(const char *path, struct cfsplit_error *err)
{
    struct cfsplit_error bad;
    if (check_word("the path", path, &bad) != CFSPLIT_OK)
        return tool_fail(err, CFSPLIT_USAGE, "%s: %s; launch it through a link with a plain name: ln -s %s plain.run",
                         cfsplit_quote(path).text, bad.message, tool_word(path).text);
    if (strncmp(path, "/arc/", 5) != 0)
        tool_say("%s is not below /arc: do the replicas see it there?", cfsplit_quote(path).text);
    return CFSPLIT_OK;
}

static cfsplit_status check_image(const char *image, struct cfsplit_error *err)
{
    size_t slashes = 0;
    if (!image)
        return tool_fail(err, CFSPLIT_USAGE,
                         "launch: in which container image? --image IMAGE, one with canfar-split in it");
    for (const char *at = image; *at; at++)
        slashes += *at == '/';
    if (slashes < 1 || slashes > 2 || image[0] == '-')
        return tool_fail(err, CFSPLIT_USAGE, "--image needs [REGISTRY/]PROJECT/IMAGE[:TAG], not %s",
                         cfsplit_quote(image).text);
    return check_word("--image", image, err);
}

static cfsplit_status check_name(const char *name, struct cfsplit_error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    size_t length = strlen(name);
    if (length > 0 && length <= longest_name && strspn(name, letters) == length && name[0] != '-' &&
        name[length - 1] != '-')
        return CFSPLIT_OK;
    return tool_fail(err, CFSPLIT_USAGE, "--name needs at most %d letters, digits and, inside, '-', not %s",
                     longest_name, cfsplit_quote(name).text);
}

static cfsplit_status check_count(const struct launching *what, struct cfsplit_error *err)
{
    const char *path = cfsplit_run_facts(what->run)->path;
    if (what->count <= most_replicas)
        return CFSPLIT_OK;
    return tool_fail(err, CFSPLIT_USAGE,
                     "%s has %" PRIu32 " replicas, and CANFAR starts at most %d at a time: plan it for fewer, or start "
                     "spares, which share all of it: canfar-split launch %s --missing --on canfar",
                     path, what->count, most_replicas, tool_word(path).text);
}

static cfsplit_status add_resources(const struct settings *s, struct words *w, struct cfsplit_error *err)
{
    const uint64_t gb = UINT64_C(1) << 30;
    if (s->cpus != CFSPLIT_UNSET) {
        if (s->cpus < 1 || s->cpus > most_cpus)
            return tool_fail(err, CFSPLIT_USAGE, "--cpus on CANFAR is from 1 to %d", most_cpus);
        words_add(w, "--cpu");
        words_add(w, "%" PRIu64, s->cpus);
    }
    if (s->memory_bytes != CFSPLIT_UNSET) {
        if (s->memory_bytes % gb || s->memory_bytes < gb || s->memory_bytes / gb > most_memory_gb)
            return tool_fail(err, CFSPLIT_USAGE, "--memory on CANFAR is in whole G, from 1G to %dG", most_memory_gb);
        words_add(w, "--memory");
        words_add(w, "%" PRIu64, s->memory_bytes / gb);
    }
    return CFSPLIT_OK;
}

static cfsplit_status make_line(const struct launching *what, struct words *w, struct cfsplit_error *err)
{
    const struct settings *s = what->s;
    uint32_t count = what->count;
    if (what->spares && count > most_replicas) {
        tool_say("%" PRIu32 " have not come, and CANFAR starts at most %d at a time; so many spares will do", count,
                 most_replicas);
        count = most_replicas;
    }
    cfsplit_status status = what->spares ? CFSPLIT_OK : check_count(what, err);
    if (status == CFSPLIT_OK)
        status = check_image(s->image, err);
    if (status == CFSPLIT_OK && s->name)
        status = check_name(s->name, err);
    if (status != CFSPLIT_OK)
        return status;
    words_add(w, "canfar");
    words_add(w, "create");
    if (s->name) {
        words_add(w, "--name");
        words_add(w, "%s", s->name);
    }
    status = add_resources(s, w, err);
    words_add(w, "--replicas");
    words_add(w, "%" PRIu32, count);
    words_add(w, "headless");
    words_add(w, "%s", s->image);
    words_add(w, "--");
    size_t path = w->count + 2; /* behind: canfar-split run */
    if (status == CFSPLIT_OK)
        status = launch_add_run(what, w, err);
    return status == CFSPLIT_OK ? check_path(w->at[path], err) : status;
}

/* The platform's program says that all is well when it has created one of them at least. */
static void tell(const struct launching *what, int code)
{
    struct tool_word path = tool_word(cfsplit_run_facts(what->run)->path);
    if (code)
        tool_say("canfar create exits with %d; who came nevertheless: canfar-split status %s", code, path.text);
    else
        tool_say("canfar create exits with 0, which it does too if some of the %" PRIu32
                 " failed to start. Who came: canfar-split status %s; spares for who did not: canfar-split launch %s "
                 "--missing --on canfar --image %s",
                 what->count, path.text, path.text, tool_word(what->s->image).text);
}

static cfsplit_status run_line(const struct launching *what, const struct words *w, int *code,
                               struct cfsplit_error *err)
{
    pid_t pid;
    int status = 0;
    int failed = posix_spawnp(&pid, w->at[0], NULL, NULL, w->at, environ);
    if (failed == ENOENT) {
        words_print(w, stdout);
        return tool_fail(err, CFSPLIT_USAGE, "there is no program 'canfar' here; type the line above where there is");
    }
    if (failed)
        return tool_fail(err, CFSPLIT_USAGE, "cannot run 'canfar': %s", strerror(failed));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return tool_fail(err, CFSPLIT_USAGE, "cannot wait for 'canfar': %s", strerror(errno));
    *code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    tell(what, *code);
    return CFSPLIT_OK;
}

/* The same replicas a second time do no harm, and little good. */
static cfsplit_status note_who_came(const struct launching *what, struct cfsplit_error *err)
{
    struct cfsplit_survey *survey;
    cfsplit_status status = cfsplit_survey_new(what->run, false, &survey, err);
    if (status != CFSPLIT_OK)
        return status;
    const struct cfsplit_counts *c = cfsplit_survey_counts(survey);
    if (c->replicas_seen)
        tool_say("%" PRIu32 " of these %" PRIu32 " replicas came already; --missing starts spares for the others alone",
                 c->replicas_seen, c->replicas_expected);
    cfsplit_survey_free(survey);
    return CFSPLIT_OK;
}

static cfsplit_status start(const struct launching *what, int *code, struct cfsplit_error *err)
{
    struct words w = {0};
    *code = 0;
    cfsplit_status status = make_line(what, &w, err);
    if (status == CFSPLIT_OK && !what->spares)
        status = note_who_came(what, err);
    if (status == CFSPLIT_OK && w.failed)
        status = tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    if (status == CFSPLIT_OK && what->s->check)
        words_print(&w, stdout);
    else if (status == CFSPLIT_OK)
        status = run_line(what, &w, code, err);
    words_release(&w);
    return status;
}

const struct engine engine_canfar = {.word = "canfar", .takes = TAKES_IMAGE | TAKES_NAME | TAKES_SIZE, .start = start};
