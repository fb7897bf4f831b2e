/* A disk that fails, storage that is slow and stale, and another host, for LD_PRELOAD. It meets the process that it is loaded
 * into and none of its children, touches only what is in one folder, and prints nothing. What it does is told by environment
 * variables; without them it does nothing:
 *
 *   SHIM_ROOT=/abs/folder          what is in this folder is met
 *   SHIM_FAIL=KIND:N:ERROR         the N-th call of a kind fails and does nothing; "N+": all from the N-th on. KIND is write,
 *                                  sync, link, rename, close or create; a close does close. "ERROR:torn": half is written
 *   SHIM_ONLY=TEXT                 only calls on paths that hold this text are counted, logged and failed
 *   SHIM_LIE=ERROR                 link and rename do what they should and answer with this error
 *   SHIM_LOG=FILE                  a line for each call of these kinds: KIND N ERROR-or-ok PATH
 *   SHIM_HIDE_MS=2000              names that other processes made stay unseen for half of this to all of it, each name its own
 *                                  time, as with an NFS client that remembers that they were not there
 *   SHIM_REFRESH=1                 ... unless the folder has been opened, or first looked into, since they came, as with NFS
 *   SHIM_STALE=1                   every other open of a file or folder answers ESTALE
 *   SHIM_SYNC_MS=50                how long a sync takes at least
 *   SHIM_CLOCK_S=-3600             the wall clock is wrong by this
 *   SHIM_HOST=NAME                 the name of this host, and a boot id of its own
 *   SHIM_NO_PACK=N                 from its N-th call on LZ4 has no memory to pack anything
 *
 * The calls go straight to the kernel, so that a sanitizer's interceptors may stand before or behind. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lz4frame.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum kind { WRITE, SYNC, LINK, RENAME, CLOSE, CREATE, KINDS };
static const char *const kind_words[KINDS] = {"write", "sync", "link", "rename", "close", "create"};

static const struct {
    const char *word;
    int number;
} errors[] = {{"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EIO", EIO}, {"EEXIST", EEXIST}, {"ENOENT", ENOENT}};

static struct {
    char root[PATH_MAX];
    size_t root_length;
    int fail_kind; /* -1: none */
    unsigned fail_at;
    bool fail_on, fail_torn; /* all from there on; half is written */
    int fail_error, lie_error;
    int log;
    uint64_t hide_ms, sync_ms;
    bool refresh, stale;
    unsigned no_pack;
    time_t clock_s;
    const char *host, *only;
} told = {.fail_kind = -1, .log = -1};

static atomic_uint counts[KINDS];

/* ---- what it is told */

static int error_of(const char *word)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (strncmp(word, errors[i].word, strlen(errors[i].word)) == 0)
            return errors[i].number;
    abort();
}

static const char *word_of(int number)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].number == number)
            return errors[i].word;
    return "ok";
}

static void read_fail(const char *text)
{
    char *rest;
    for (int kind = 0; kind < KINDS; kind++) {
        size_t length = strlen(kind_words[kind]);
        if (strncmp(text, kind_words[kind], length) != 0 || text[length] != ':')
            continue;
        told.fail_kind = kind;
        told.fail_at = (unsigned)strtoul(text + length + 1, &rest, 10);
        told.fail_on = *rest == '+';
        told.fail_error = error_of(rest + told.fail_on + 1);
        told.fail_torn = strstr(rest, ":torn") != NULL;
        return;
    }
    abort(); /* a test that asks for what is not there must not pass */
}

static uint64_t number_of(const char *name)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *root = getenv("SHIM_ROOT"), *text;
    unsetenv("LD_PRELOAD"); /* not for children */
    snprintf(told.root, sizeof told.root, "%s", root ? root : "/nowhere");
    told.root_length = strlen(told.root);
    if ((text = getenv("SHIM_FAIL")))
        read_fail(text);
    if ((text = getenv("SHIM_LIE")))
        told.lie_error = error_of(text);
    if ((text = getenv("SHIM_LOG")))
        told.log = (int)syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    told.hide_ms = number_of("SHIM_HIDE_MS");
    told.refresh = number_of("SHIM_REFRESH");
    told.stale = number_of("SHIM_STALE");
    told.sync_ms = number_of("SHIM_SYNC_MS");
    told.clock_s = (time_t)(int64_t)number_of("SHIM_CLOCK_S");
    told.no_pack = (unsigned)number_of("SHIM_NO_PACK");
    told.host = getenv("SHIM_HOST");
    told.only = getenv("SHIM_ONLY");
}

/* ---- which file it is */

/* The whole path of `name` in an open folder, or of the open file itself without a name. */
static void path_of(int dir, const char *name, char out[2 * PATH_MAX])
{
    char link[32];
    ssize_t n = 0;
    out[0] = '\0';
    if (!name || name[0] != '/') {
        snprintf(link, sizeof link, dir == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", dir);
        n = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
        n = n > 0 ? n : 0;
        out[n] = '\0';
    }
    if (name)
        snprintf(out + n, PATH_MAX, "%s%s", n ? "/" : "", name);
}

static bool is_inside(const char *path)
{
    return strncmp(path, told.root, told.root_length) == 0 &&
           (path[told.root_length] == '/' || path[told.root_length] == '\0');
}

/* ---- failing */

static void note(enum kind kind, unsigned n, int number, const char *path)
{
    char line[2 * PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s %u %s %s\n", kind_words[kind], n, word_of(number), path);
    if (told.log >= 0 && syscall(SYS_write, told.log, line, (size_t)length) != length)
        abort();
}

/* The error that a call of this kind on this file is to fail with; 0: none. */
static int failure(enum kind kind, int dir, const char *name)
{
    char path[2 * PATH_MAX];
    if (told.fail_kind < 0 && told.log < 0)
        return 0;
    path_of(dir, name, path);
    if (!is_inside(path) || (told.only && !strstr(path, told.only)))
        return 0;
    unsigned n = atomic_fetch_add(&counts[kind], 1) + 1;
    bool fails = (int)kind == told.fail_kind && (n == told.fail_at || (told.fail_on && n > told.fail_at));
    note(kind, n, fails ? told.fail_error : 0, path);
    return fails ? told.fail_error : 0;
}

static int fail_with(int number)
{
    errno = number;
    return -1;
}

ssize_t write(int fd, const void *data, size_t length)
{
    int number = failure(WRITE, fd, NULL);
    if (number == 0)
        return syscall(SYS_write, fd, data, length);
    if (told.fail_torn)
        (void)syscall(SYS_write, fd, data, length / 2);
    return fail_with(number);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
    int number = failure(WRITE, fd, NULL);
    if (number == 0)
        return syscall(SYS_pwrite64, fd, data, length, offset);
    if (told.fail_torn)
        (void)syscall(SYS_pwrite64, fd, data, length / 2, offset);
    return fail_with(number);
}

static int sync_by(long call, int fd)
{
    struct timespec wait = {.tv_nsec = (long)told.sync_ms * 1000000};
    int number = failure(SYNC, fd, NULL);
    if (told.sync_ms)
        nanosleep(&wait, NULL);
    return number ? fail_with(number) : (int)syscall(call, fd);
}

int fsync(int fd)
{
    return sync_by(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return sync_by(SYS_fdatasync, fd);
}

int close(int fd)
{
    int number = failure(CLOSE, fd, NULL), closed = (int)syscall(SYS_close, fd);
    return number ? fail_with(number) : closed;
}

int ftruncate(int fd, off_t length)
{
    int number = failure(WRITE, fd, NULL);
    return number ? fail_with(number) : (int)syscall(SYS_ftruncate, fd, length);
}

/* ---- hiding what is new */

struct name {
    struct name *next;
    char path[];
};
static struct name *own, *renamed, *answered_stale;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct name **find(struct name **list, const char *path)
{
    while (*list && strcmp((*list)->path, path) != 0)
        list = &(*list)->next;
    return list;
}

static void add(struct name **list, const char *path)
{
    size_t length = strlen(path) + 1;
    struct name *n = malloc(sizeof *n + length);
    if (!n)
        abort();
    memcpy(n->path, path, length);
    n->next = *list;
    *list = n;
}

/* Notes that this process made a name. */
static void made(struct name **list, int dir, const char *name)
{
    char path[2 * PATH_MAX];
    if (told.hide_ms == 0)
        return;
    path_of(dir, name, path);
    pthread_mutex_lock(&lock);
    if (!*find(list, path))
        add(list, path);
    pthread_mutex_unlock(&lock);
}

static int64_t real_ms(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t ms_of(struct statx_timestamp t)
{
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* When a name came: links have no time of their own, but a link changes the ctime of what is linked. */
static int64_t came_ms(const char *path)
{
    struct statx st;
    if (syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &st) != 0)
        return INT64_MIN; /* there is none: nothing to hide */
    bool born = (st.stx_mask & STATX_BTIME) && (st.stx_nlink == 1 || S_ISDIR(st.stx_mode));
    return ms_of(born ? st.stx_btime : st.stx_ctime);
}

/* Folders, each with the time when it was last opened, or when a name in it was first asked for. */
struct folder {
    struct folder *next;
    int64_t fresh_ms;
    char path[];
};
static struct folder *folders;

/* Finds or adds the folder of that path; under the lock. */
static struct folder *folder_of(const char *path, size_t length)
{
    struct folder *f = folders;
    while (f && (strncmp(f->path, path, length) != 0 || f->path[length] != '\0'))
        f = f->next;
    if (f)
        return f;
    if (!(f = calloc(1, sizeof *f + length + 1)))
        abort();
    memcpy(f->path, path, length);
    f->fresh_ms = real_ms();
    f->next = folders;
    return folders = f;
}

static void refresh(const char *path)
{
    pthread_mutex_lock(&lock);
    folder_of(path, strlen(path))->fresh_ms = real_ms();
    pthread_mutex_unlock(&lock);
}

/* Until when what is known of the folder of that file is fresh. */
static int64_t fresh_ms(const char *path)
{
    pthread_mutex_lock(&lock);
    int64_t fresh = folder_of(path, (size_t)(strrchr(path, '/') - path))->fresh_ms;
    pthread_mutex_unlock(&lock);
    return fresh;
}

/* Did this process make it, or the folder that it is in? */
static bool is_own(const char *path)
{
    pthread_mutex_lock(&lock);
    const struct name *n = *find(&own, path);
    for (const struct name *f = renamed; f && !n; f = f->next)
        if (strncmp(path, f->path, strlen(f->path)) == 0 && path[strlen(f->path)] == '/')
            n = f;
    pthread_mutex_unlock(&lock);
    return n != NULL;
}

static bool is_hidden(const char *path)
{
    uint64_t spread = 5381;
    if (told.hide_ms == 0 || !is_inside(path) || strlen(path) <= told.root_length + 1)
        return false;
    bool mine = is_own(path);
    int64_t fresh = told.refresh ? fresh_ms(path) : INT64_MIN; /* also of a name that is not there yet */
    int64_t came = came_ms(path);
    for (const char *c = path; *c; c++)
        spread = spread * 33 + (unsigned char)*c;
    int64_t until = came + (int64_t)(told.hide_ms / 2 + spread % (told.hide_ms / 2 + 1));
    return !mine && came > fresh && real_ms() < until;
}

static bool is_hidden_at(int dir, const char *name)
{
    char path[2 * PATH_MAX];
    if (told.hide_ms == 0)
        return false;
    path_of(dir, name, path);
    return is_hidden(path);
}

/* Every other open of what is there. */
static bool is_stale(const char *path)
{
    if (!told.stale || !is_inside(path) || syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0)
        return false;
    pthread_mutex_lock(&lock);
    struct name **at = find(&answered_stale, path), *n = *at;
    if (n) {
        *at = n->next;
        free(n);
    } else {
        add(&answered_stale, path);
    }
    pthread_mutex_unlock(&lock);
    return !n;
}

static int open_boot_id(void)
{
    char text[40];
    int n = snprintf(text, sizeof text, "%08x-0000-4000-8000-000000000000\n",
                     (unsigned)strlen(told.host) << 8 | (unsigned char)*told.host);
    int fd = memfd_create("boot_id", MFD_CLOEXEC);
    if (fd < 0 || syscall(SYS_pwrite64, fd, text, (size_t)n, (off_t)0) != n)
        abort();
    return fd;
}

static int open_new(int dir, const char *name, int flags, mode_t mode)
{
    int number = failure(CREATE, dir, name);
    int fd = number ? fail_with(number) : (int)syscall(SYS_openat, dir, name, flags, mode);
    if (fd >= 0)
        made(&own, dir, name);
    return fd;
}

static int open_any(int dir, const char *name, int flags, mode_t mode)
{
    char path[2 * PATH_MAX];
    if (told.host && strcmp(name, "/proc/sys/kernel/random/boot_id") == 0)
        return open_boot_id();
    if (flags & O_CREAT)
        return open_new(dir, name, flags, mode);
    if (told.hide_ms == 0 && !told.stale)
        return (int)syscall(SYS_openat, dir, name, flags, mode);
    path_of(dir, name, path);
    if (is_hidden(path))
        return fail_with(ENOENT);
    if (is_stale(path))
        return fail_with(ESTALE);
    int fd = (int)syscall(SYS_openat, dir, name, flags, mode);
    if (fd >= 0 && (flags & O_DIRECTORY) && told.refresh)
        refresh(path);
    return fd;
}

int openat(int dir, const char *name, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_any(dir, name, flags, mode);
}

int open(const char *name, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_any(AT_FDCWD, name, flags, mode);
}

int mkdirat(int dir, const char *name, mode_t mode)
{
    int number = failure(CREATE, dir, name),
        done = number ? fail_with(number) : (int)syscall(SYS_mkdirat, dir, name, mode);
    if (done == 0)
        made(&own, dir, name);
    return done;
}

int faccessat(int dir, const char *name, int mode, int flags)
{
    (void)flags;
    return is_hidden_at(dir, name) ? fail_with(ENOENT) : (int)syscall(SYS_faccessat, dir, name, mode);
}

int fstatat(int dir, const char *name, struct stat *st, int flags)
{
    return is_hidden_at(dir, name) ? fail_with(ENOENT) : (int)syscall(SYS_newfstatat, dir, name, st, flags);
}

int stat(const char *name, struct stat *st)
{
    return fstatat(AT_FDCWD, name, st, 0);
}

/* The function of that name that would be called without the shim. */
static void find_next(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    memcpy(function, &found, sizeof found);
}

struct dirent *readdir(DIR *dir)
{
    static struct dirent *(*next)(DIR *);
    if (!next)
        find_next(&next, "readdir");
    struct dirent *entry;
    do
        entry = next(dir);
    while (entry && is_hidden_at(dirfd(dir), entry->d_name));
    return entry;
}

/* ---- packing */

size_t LZ4F_compressUpdate(LZ4F_cctx *context, void *to, size_t room, const void *from, size_t length,
                           const LZ4F_compressOptions_t *options)
{
    static size_t (*next)(LZ4F_cctx *, void *, size_t, const void *, size_t, const LZ4F_compressOptions_t *);
    static unsigned calls;
    const size_t no_memory = (size_t)-9; /* LZ4F_ERROR_allocation_failed */
    if (told.no_pack && ++calls >= told.no_pack)
        return no_memory;
    if (!next)
        find_next(&next, "LZ4F_compressUpdate");
    return next(context, to, room, from, length, options);
}

/* ---- links and renames */

static int answer(int done, int dir, const char *name)
{
    char path[2 * PATH_MAX];
    if (done != 0)
        return done;
    made(&own, dir, name);
    path_of(dir, name, path);
    return told.lie_error && is_inside(path) ? fail_with(told.lie_error) : done;
}

int linkat(int from_dir, const char *from, int dir, const char *name, int flags)
{
    int number = failure(LINK, dir, name);
    return number ? fail_with(number) : answer((int)syscall(SYS_linkat, from_dir, from, dir, name, flags), dir, name);
}

int renameat(int from_dir, const char *from, int dir, const char *name)
{
    int number = failure(RENAME, dir, name);
    int done = number ? fail_with(number) : (int)syscall(SYS_renameat2, from_dir, from, dir, name, 0);
    if (done == 0)
        made(&renamed, dir, name); /* what is in a folder comes with it */
    return answer(done, dir, name);
}

/* ---- another host */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int done = (int)syscall(SYS_clock_gettime, clock, now);
    if (done == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += told.clock_s;
    return done;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

int gethostname(char *out, size_t room)
{
    struct utsname names;
    const char *name = told.host ? told.host : uname(&names) == 0 ? names.nodename : "-";
    return snprintf(out, room, "%s", name) < (int)room ? 0 : fail_with(ENAMETOOLONG);
}
