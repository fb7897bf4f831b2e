#include "rundir/identity.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/io.h"
#include "base/killpoint.h"
#include "base/text.h"

/* /proc can be that of another pid namespace, or not be there. */
static bool proc_is_ours(void)
{
    char link[24], mine[24];
    ssize_t n = readlink("/proc/self", link, sizeof link - 1);
    if (n <= 0)
        return false;
    link[n] = '\0';
    snprintf(mine, sizeof mine, "%ld", (long)getpid());
    return strcmp(link, mine) == 0;
}

enum { fields_before_start = 18 }; /* between the state and the start time, proc(5) */

/* Start time and state of a process. CFSPLIT_END: there is no such process; CFSPLIT_STORAGE: cannot be read. */
static cfsplit_status read_stat(uint64_t pid, uint64_t *start_ticks, char *state)
{
    char name[40];
    struct csi_buf text = CSI_BUF_INIT;
    snprintf(name, sizeof name, "/proc/%" PRIu64 "/stat", pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? CFSPLIT_END : CFSPLIT_STORAGE;
    cfsplit_status status = csi_io_read_from(fd, name, 0, &text, NULL);
    close(fd);
    if (status != CFSPLIT_OK) { /* ESRCH: it ended while we looked */
        csi_buf_release(&text);
        return CFSPLIT_STORAGE;
    }
    const char *at = text.length ? strrchr(text.data, ')') : NULL; /* the name may hold anything */
    bool good = at && at[1] == ' ' && at[2] != '\0';
    if (good) {
        *state = at[2];
        at += 3;
        for (int i = 0; i <= fields_before_start && at; i++)
            at = strchr(at + (i > 0), ' ');
        good = at && csi_text_u64(at + 1, strcspn(at + 1, " "), start_ticks);
    }
    csi_buf_release(&text);
    return good ? CFSPLIT_OK : CFSPLIT_STORAGE;
}

static void read_word(const char *name, char *out, size_t room)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, room - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        n = snprintf(out, room, "-");
    out[n] = '\0';
    out[strcspn(out, " \t\n")] = '\0';
}

static void read_namespace(char *out, size_t room)
{
    ssize_t n = readlink("/proc/self/ns/pid", out, room - 1);
    if (n <= 0)
        n = snprintf(out, room, "-");
    out[n] = '\0';
}

static void look_at_self(struct csi_inc *inc)
{
    char state;
    inc->pid = (uint64_t)getpid();
    inc->created_ms = csi_clock_wall_ms();
    read_word("/proc/sys/kernel/random/boot_id", inc->boot_id, sizeof inc->boot_id);
    read_namespace(inc->pid_namespace, sizeof inc->pid_namespace);
    if (!proc_is_ours() || read_stat(inc->pid, &inc->start_ticks, &state) != CFSPLIT_OK)
        inc->start_ticks = 0;
    if (gethostname(inc->host, sizeof inc->host - 1) != 0)
        snprintf(inc->host, sizeof inc->host, "-");
    for (char *c = inc->host; *c; c++)
        if (!isgraph((unsigned char)*c))
            *c = '?';
}

cfsplit_status csi_inc_make(const struct cfsplit_run *run, uint32_t replica, bool coordinator, const char *source,
                            struct csi_inc *out, struct cfsplit_error *err)
{
    char nonce[17];
    (void)run; /* a name is drawn at random, whatever the run */
    *out = (struct csi_inc){.replica = replica, .coordinator = coordinator};
    cfsplit_status status = csi_io_nonce(nonce, err);
    if (status != CFSPLIT_OK)
        return status;
    look_at_self(out);
    snprintf(out->source, sizeof out->source, "%s", source);
    snprintf(out->name, sizeof out->name, "%s%" PRIu32 "-%s", coordinator ? "c" : "", replica, nonce);
    return CFSPLIT_OK;
}

void csi_inc_encode(const struct cfsplit_run *run, const struct csi_inc *inc, struct csi_buf *out)
{
    size_t from = out->length;
    csi_buf_addf(out, "cfsplit-replica\t1\t%s\t%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%s\t", run->spec.run_id, inc->name,
                 inc->boot_id, inc->pid_namespace, inc->pid, inc->start_ticks, inc->host);
    csi_text_escape(out, inc->source, strlen(inc->source));
    csi_buf_addf(out, "\t%" PRIu64 "\t", inc->created_ms);
    csi_buf_addf(out, "%016" PRIx64 "\n", out->failed ? 0 : (uint64_t)XXH64(out->data + from, out->length - from, 0));
}

cfsplit_status csi_inc_put(const struct cfsplit_run *run, const struct csi_inc *inc, struct cfsplit_error *err)
{
    struct csi_buf line = CSI_BUF_INIT;
    int won = 0;
    csi_inc_encode(run, inc, &line);
    cfsplit_status status = csi_buf_check(&line, err);
    if (status == CFSPLIT_OK)
        status = csi_io_publish_first(run->fd, "replicas", inc->name, csi_run_mode(run), strchr(inc->name, '-') + 1,
                                      line.data, line.length, &won, err);
    if (status == CFSPLIT_OK && !won)
        status = csi_fail(err, CFSPLIT_STORAGE, "two replicas drew the same random number: run again");
    CSI_KILL_POINT("identity.published");
    csi_buf_release(&line);
    return status;
}

cfsplit_status csi_inc_publish(const struct cfsplit_run *run, uint32_t replica, const char *source, struct csi_inc *out,
                               struct cfsplit_error *err)
{
    cfsplit_status status = csi_inc_make(run, replica, false, source, out, err);
    return status == CFSPLIT_OK ? csi_inc_put(run, out, err) : status;
}

static bool take_text(struct csi_fields *f, char *out, size_t room)
{
    const char *field;
    size_t length;
    if (!csi_fields_next(f, &field, &length) || length >= room)
        return false;
    memcpy(out, field, length);
    out[length] = '\0';
    return true;
}

/* What gave the id is there to be shown: as much of it as there is room for. */
static bool take_source(struct csi_fields *f, struct csi_inc *out)
{
    const char *field;
    size_t length;
    if (!csi_fields_next(f, &field, &length))
        return false;
    size_t kept = length < sizeof out->source ? length : sizeof out->source - 1;
    memcpy(out->source, field, kept);
    out->source[csi_text_unescape(out->source, kept)] = '\0';
    return true;
}

static bool take_name(struct csi_fields *f, struct csi_inc *out)
{
    if (!take_text(f, out->name, sizeof out->name) || !csi_inc_is_name(out->name, &out->replica))
        return false;
    out->coordinator = out->name[0] == 'c';
    return true;
}

bool csi_inc_decode(const struct cfsplit_run *run, const char *text, size_t length, struct csi_inc *out)
{
    const char *tab = length ? memrchr(text, '\t', length) : NULL;
    uint64_t check;
    *out = (struct csi_inc){0};
    if (!tab || text[length - 1] != '\n' || !csi_text_hex(tab + 1, (size_t)(text + length - 1 - tab - 1), &check) ||
        check != XXH64(text, (size_t)(tab + 1 - text), 0))
        return false;
    struct csi_fields f = csi_fields_of(text, length - 1);
    return csi_fields_is(&f, "cfsplit-replica") && csi_fields_is(&f, "1") && csi_fields_is(&f, run->spec.run_id) &&
           take_name(&f, out) && take_text(&f, out->boot_id, sizeof out->boot_id) &&
           take_text(&f, out->pid_namespace, sizeof out->pid_namespace) && csi_fields_u64(&f, &out->pid) &&
           csi_fields_u64(&f, &out->start_ticks) && take_text(&f, out->host, sizeof out->host) &&
           take_source(&f, out) && csi_fields_u64(&f, &out->created_ms) && csi_fields_hex(&f, &check) &&
           csi_fields_done(&f);
}

cfsplit_status csi_inc_read(const struct cfsplit_run *run, const char *name, struct csi_inc *out,
                            struct cfsplit_error *err)
{
    struct csi_buf text = CSI_BUF_INIT;
    *out = (struct csi_inc){0};
    cfsplit_status status = csi_io_read(run->fd, name, 4096, &text, err);
    if (status == CFSPLIT_OK && !csi_inc_decode(run, text.data ? text.data : "", text.length, out))
        status =
            csi_fail(err, CFSPLIT_DAMAGED, "%s in %s is damaged at byte 0: not the identity of a replica of this run",
                     csi_quote(name).text, csi_quote(run->path).text);
    csi_buf_release(&text);
    return status;
}

bool csi_inc_is_name(const char *name, uint32_t *replica)
{
    name += name[0] == 'c';
    const char *dash = strchr(name, '-');
    uint64_t id, nonce;
    if (!dash || strlen(dash + 1) != 16 || !csi_text_u64(name, (size_t)(dash - name), &id) ||
        !csi_text_hex(dash + 1, 16, &nonce) || id > CFSPLIT_REPLICAS_MAX)
        return false;
    *replica = (uint32_t)id;
    return true;
}

enum csi_life csi_inc_life(const struct csi_inc *inc)
{
    static _Thread_local struct csi_inc self; /* what does not change while this process lives */
    if (self.start_ticks == 0 || self.pid != (uint64_t)getpid())
        look_at_self(&self);
    if (self.start_ticks == 0 || inc->start_ticks == 0 || strcmp(self.boot_id, "-") == 0 ||
        strcmp(self.pid_namespace, "-") == 0 || strcmp(self.boot_id, inc->boot_id) != 0 ||
        strcmp(self.pid_namespace, inc->pid_namespace) != 0)
        return CSI_LIFE_UNKNOWN;
    uint64_t ticks;
    char state = '?';
    switch (read_stat(inc->pid, &ticks, &state)) {
    case CFSPLIT_END: return CSI_LIFE_DEAD;
    case CFSPLIT_OK:
        if (ticks != inc->start_ticks || state == 'Z' || state == 'X')
            return CSI_LIFE_DEAD;
        return state == 'T' || state == 't' ? CSI_LIFE_STOPPED : CSI_LIFE_ALIVE;
    default: return CSI_LIFE_UNKNOWN;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Appends the well-formed names of replicas in a folder. */
static cfsplit_status find_names(const struct cfsplit_run *run, const char *folder, struct csi_buf *names,
                                 struct cfsplit_error *err)
{
    int fd = csi_io_open(run->fd, folder, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        int number = errno;
        if (fd >= 0)
            close(fd);
        return csi_fail_errno(err, csi_status_of_errno(number, CFSPLIT_DAMAGED), number, "cannot read '%s' in %s",
                              folder, csi_quote(run->path).text);
    }
    cfsplit_status status = CFSPLIT_OK;
    const struct dirent *entry;
    while ((errno = 0, entry = readdir(dir)) != NULL) {
        char name[CSI_INC_BYTES] = "";
        uint32_t replica;
        if (strlen(entry->d_name) >= sizeof name || !csi_inc_is_name(entry->d_name, &replica) ||
            entry->d_name[0] == 'c')
            continue;
        memcpy(name, entry->d_name, strlen(entry->d_name));
        csi_buf_add(names, name, sizeof name);
    }
    if (errno != 0)
        status =
            csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot read '%s' in %s", folder, csi_quote(run->path).text);
    closedir(dir);
    return status == CFSPLIT_OK ? csi_buf_check(names, err) : status;
}

cfsplit_status csi_inc_names(const struct cfsplit_run *run, const char *folder, struct csi_buf *names,
                             struct cfsplit_error *err)
{
    cfsplit_status status = find_names(run, folder, names, err);
    size_t kept = 0;
    if (names->length)
        qsort(names->data, names->length / CSI_INC_BYTES, CSI_INC_BYTES, by_name);
    for (size_t at = 0; at < names->length; at += CSI_INC_BYTES) {
        if (kept > 0 && strcmp(names->data + kept - CSI_INC_BYTES, names->data + at) == 0) /* readdir may */
            continue;
        memmove(names->data + kept, names->data + at, CSI_INC_BYTES);
        kept += CSI_INC_BYTES;
    }
    names->length = kept;
    return status;
}

bool csi_inc_is_among(const char *name, const struct csi_buf *names)
{
    return names->length && bsearch(name, names->data, names->length / CSI_INC_BYTES, CSI_INC_BYTES, by_name);
}

cfsplit_status csi_inc_read_named(const struct cfsplit_run *run, const char *name, struct csi_inc *out,
                                  struct cfsplit_error *err)
{
    char path[16 + CSI_INC_BYTES];
    snprintf(path, sizeof path, "replicas/%.27s", name);
    cfsplit_status status = csi_inc_read(run, path, out, err);
    if (status == CFSPLIT_OK && strcmp(out->name, name) != 0)
        return csi_fail(err, CFSPLIT_DAMAGED, "'%s' in %s is damaged at byte 0: the identity of another replica", path,
                        csi_quote(run->path).text);
    return status;
}

/* Reads the identity of that name and adds it; one that has gone is none. */
static cfsplit_status add_listed(struct csi_inc_list *list, const struct cfsplit_run *run, const char *name,
                                 struct cfsplit_error *err)
{
    struct csi_inc *more = realloc(list->at, (list->count + 1) * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    list->at = more;
    cfsplit_status status = csi_inc_read_named(run, name, &more[list->count], err);
    list->count += status == CFSPLIT_OK;
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}

cfsplit_status csi_inc_list_refresh(struct csi_inc_list *list, const struct cfsplit_run *run, struct cfsplit_error *err)
{
    struct csi_buf found = CSI_BUF_INIT, known = CSI_BUF_INIT;
    for (size_t i = 0; i < list->count; i++)
        csi_buf_add(&known, list->at[i].name, CSI_INC_BYTES);
    cfsplit_status status = csi_buf_check(&known, err);
    if (status == CFSPLIT_OK)
        status = csi_inc_names(run, "replicas", &found, err);
    if (status == CFSPLIT_OK && known.length)
        qsort(known.data, known.length / CSI_INC_BYTES, CSI_INC_BYTES, by_name);
    for (size_t at = 0; status == CFSPLIT_OK && at < found.length; at += CSI_INC_BYTES)
        if (!csi_inc_is_among(found.data + at, &known))
            status = add_listed(list, run, found.data + at, err);
    csi_buf_release(&found);
    csi_buf_release(&known);
    return status;
}
