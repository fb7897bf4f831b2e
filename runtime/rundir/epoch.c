#include "rundir/epoch.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/io.h"
#include "base/text.h"

enum {
    name_bytes = 48, /* "coordinator/epoch-" + 20 digits */
    file_bytes_max = 16384,
    seen_bytes_max = 1 << 20,
    seen_tries = 3,
    key_file_bytes = 2 * CSI_EPOCH_KEY_BYTES,
    nfs_unseen_ms = 60000
};
static const char folder[] = "coordinator", key_file[] = "keys/client.key";

/* ---- what may stand in a file */

/* Five digits stand for four bytes: 85^5 is above 2^32. */
static bool is_key(const char *text, size_t length)
{
    static const char digits[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    uint64_t value = 0;
    if (length != CSI_EPOCH_KEY_BYTES - 1)
        return false;
    for (size_t i = 0; i < length; i++) {
        const char *digit = memchr(digits, text[i], sizeof digits - 1);
        if (!digit)
            return false;
        value = (i % 5 ? value * 85 : 0) + (uint64_t)(digit - digits);
        if (value > UINT32_MAX)
            return false;
    }
    return true;
}

/* "192.0.2.7:40123" or "[2001:db8::7]:40123": nothing that would have to be looked up. */
static bool is_host_and_port(const char *text)
{
    char host[CSI_EPOCH_ADDRESS_BYTES];
    unsigned char bytes[sizeof(struct in6_addr)];
    uint64_t port;
    const char *colon = strrchr(text, ':');
    if (!colon || !csi_text_u64(colon + 1, strlen(colon + 1), &port) || colon[1] == '0' || port > UINT16_MAX)
        return false;
    size_t length = (size_t)(colon - text);
    bool is_v6 = length > 2 && text[0] == '[' && colon[-1] == ']';
    memcpy(host, text + is_v6, length - 2 * (size_t)is_v6);
    host[length - 2 * (size_t)is_v6] = '\0';
    return inet_pton(is_v6 ? AF_INET6 : AF_INET, host, bytes) == 1;
}

static bool is_address(const char *text)
{
    if (strncmp(text, "tcp://", 6) == 0)
        return is_host_and_port(text + 6);
    if (strncmp(text, "ipc://@", 7) != 0 || text[7] == '\0')
        return false;
    for (text += 7; *text; text++)
        if (!isgraph((unsigned char)*text))
            return false;
    return true;
}

/* ---- text of an epoch */

static void add_field(struct csi_buf *out, const char *word, const char *text)
{
    csi_buf_addf(out, "%s\t", word);
    csi_text_escape(out, text, strlen(text));
    csi_buf_add_char(out, '\n');
}

static void encode(const struct cfsplit_run *run, const struct csi_epoch *epoch, struct csi_buf *out)
{
    csi_buf_addf(out, "cfsplit-epoch\t1\t%s\t%" PRIu64 "\n", run->spec.run_id, epoch->K);
    csi_inc_encode(run, &epoch->coordinator, out);
    add_field(out, "key", epoch->key);
    add_field(out, "place", epoch->place);
    for (size_t i = 0; i < epoch->address_count; i++)
        add_field(out, "address", epoch->addresses[i]);
    csi_buf_add_text(out, "end\t");
    csi_buf_addf(out, "%016" PRIx64 "\n", out->failed ? 0 : (uint64_t)XXH64(out->data, out->length, 0));
}

/* What is left of a text. */
struct lines {
    const char *at, *end;
};

/* The next line, newline included. */
static bool take_line(struct lines *l, const char **line, size_t *length)
{
    const char *stop = l->at < l->end ? memchr(l->at, '\n', (size_t)(l->end - l->at)) : NULL;
    if (!stop)
        return false;
    *line = l->at;
    *length = (size_t)(stop + 1 - l->at);
    l->at = stop + 1;
    return true;
}

/* The one field of the next line, if that begins with `word`; its escapes are undone. False leaves the line there. */
static bool take_field(struct lines *l, const char *word, char *out, size_t room)
{
    struct lines ahead = *l;
    char plain[4 * CSI_EPOCH_ADDRESS_BYTES]; /* an escape is up to four bytes */
    const char *line, *field;
    size_t length, field_length;
    if (!take_line(&ahead, &line, &length))
        return false;
    struct csi_fields f = csi_fields_of(line, length - 1);
    if (!csi_fields_is(&f, word) || !csi_fields_next(&f, &field, &field_length) || !csi_fields_done(&f) ||
        field_length > sizeof plain)
        return false;
    memcpy(plain, field, field_length);
    size_t kept = csi_text_unescape(plain, field_length);
    if (kept >= room || memchr(plain, '\0', kept)) /* a NUL would hide the rest */
        return false;
    memcpy(out, plain, kept);
    out[kept] = '\0';
    *l = ahead;
    return true;
}

static bool take_head(struct lines *l, const struct cfsplit_run *run, uint64_t K)
{
    const char *line;
    size_t length;
    uint64_t number;
    if (!take_line(l, &line, &length))
        return false;
    struct csi_fields f = csi_fields_of(line, length - 1);
    return csi_fields_is(&f, "cfsplit-epoch") && csi_fields_is(&f, "1") && csi_fields_is(&f, run->spec.run_id) &&
           csi_fields_u64(&f, &number) && csi_fields_done(&f) && number == K;
}

static bool take_coordinator(struct lines *l, const struct cfsplit_run *run, struct csi_inc *out)
{
    const char *line;
    size_t length;
    return take_line(l, &line, &length) && csi_inc_decode(run, line, length, out) && out->coordinator;
}

static bool take_addresses(struct lines *l, struct csi_epoch *out)
{
    while (out->address_count < CSI_EPOCH_ADDRESSES_MAX &&
           take_field(l, "address", out->addresses[out->address_count], CSI_EPOCH_ADDRESS_BYTES))
        if (!is_address(out->addresses[out->address_count++]))
            return false;
    return true;
}

static bool take_end(struct lines *l, const char *text)
{
    const char *line;
    size_t length;
    uint64_t check;
    size_t before = (size_t)(l->at - text) + 4; /* "end" and the TAB */
    if (!take_line(l, &line, &length) || length < 5 || l->at != l->end)
        return false;
    struct csi_fields f = csi_fields_of(line, length - 1);
    return csi_fields_is(&f, "end") && csi_fields_hex(&f, &check) && csi_fields_done(&f) &&
           check == XXH64(text, before, 0);
}

static bool decode(const struct cfsplit_run *run, uint64_t K, const char *text, size_t length, struct csi_epoch *out)
{
    struct lines l = {text, text + length};
    *out = (struct csi_epoch){.K = K};
    return take_head(&l, run, K) && take_coordinator(&l, run, &out->coordinator) &&
           take_field(&l, "key", out->key, sizeof out->key) && is_key(out->key, strlen(out->key)) &&
           take_field(&l, "place", out->place, sizeof out->place) && take_addresses(&l, out) && take_end(&l, text);
}

/* ---- files of an epoch */

static void name_of(uint64_t K, char out[name_bytes])
{
    snprintf(out, name_bytes, "%s/epoch-%" PRIu64, folder, K);
}

/* Opens the folder: an NFS client then asks the server again for names that it remembers as missing. */
static cfsplit_status look_into(const struct cfsplit_run *run, const char *name, struct cfsplit_error *err)
{
    int fd = csi_io_open(run->fd, name, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == ENOENT && run->spec.strategy != CFSPLIT_QUEUE)
        return CFSPLIT_END;
    if (fd < 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, errno == ENOENT ? CFSPLIT_DAMAGED : CFSPLIT_USAGE), errno,
                              "cannot open folder '%s' in %s", name, csi_quote(run->path).text);
    close(fd);
    return CFSPLIT_OK;
}

/* What is written can be read: the text, or CFSPLIT_USAGE. */
static cfsplit_status encode_checked(const struct cfsplit_run *run, const struct csi_epoch *epoch, const char *name,
                                     struct csi_buf *text, struct cfsplit_error *err)
{
    struct csi_epoch readable;
    bool good = epoch->K > 0 && epoch->address_count <= CSI_EPOCH_ADDRESSES_MAX;
    if (good) {
        encode(run, epoch, text);
        if (text->failed)
            return csi_fail_memory(err);
        good = decode(run, epoch->K, text->data, text->length, &readable);
    }
    return good ? CFSPLIT_OK
                : csi_fail(err, CFSPLIT_USAGE, "'%s' is not written: nobody could read this identity, key or address",
                           name);
}

cfsplit_status csi_epoch_put(const struct cfsplit_run *run, const struct csi_epoch *epoch, bool *won,
                             struct cfsplit_error *err)
{
    struct csi_buf text = CSI_BUF_INIT;
    char name[name_bytes], nonce[17];
    int is_ours = 0;
    *won = false;
    name_of(epoch->K, name);
    cfsplit_status status = encode_checked(run, epoch, name, &text, err);
    if (status == CFSPLIT_OK)
        status = csi_io_nonce(nonce, err);
    if (status == CFSPLIT_OK)
        status = csi_io_publish_first(run->fd, folder, name + sizeof folder, csi_run_mode(run), nonce, text.data,
                                      text.length, &is_ours, err);
    *won = status == CFSPLIT_OK && is_ours;
    csi_buf_release(&text);
    return status;
}

static cfsplit_status read_epoch(const struct cfsplit_run *run, uint64_t K, struct csi_epoch *out,
                                 struct cfsplit_error *err)
{
    char name[name_bytes];
    struct csi_buf text = CSI_BUF_INIT;
    name_of(K, name);
    cfsplit_status status = csi_io_read(run->fd, name, file_bytes_max, &text, err);
    if (status == CFSPLIT_OK && !decode(run, K, text.data ? text.data : "", text.length, out))
        status = csi_fail(err, CFSPLIT_DAMAGED, "'%s' in %s is damaged at byte 0: not the coordinator of this run",
                          name, csi_quote(run->path).text);
    csi_buf_release(&text);
    return status;
}

cfsplit_status csi_epoch_read(const struct cfsplit_run *run, uint64_t K, struct csi_epoch *out,
                              struct cfsplit_error *err)
{
    *out = (struct csi_epoch){.K = K};
    cfsplit_status status = look_into(run, folder, err);
    return status == CFSPLIT_OK ? read_epoch(run, K, out, err) : status;
}

cfsplit_status csi_epoch_last(const struct cfsplit_run *run, uint64_t from, struct csi_epoch *out,
                              struct cfsplit_error *err)
{
    struct csi_epoch next;
    *out = (struct csi_epoch){.K = from};
    cfsplit_status status = look_into(run, folder, err);
    while (status == CFSPLIT_OK && out->K < UINT64_MAX)
        if ((status = read_epoch(run, out->K + 1, &next, err)) == CFSPLIT_OK)
            *out = next;
    if (status != CFSPLIT_OK && status != CFSPLIT_END)
        return status;
    return out->K > from ? CFSPLIT_OK : CFSPLIT_END;
}

/* ---- what is seen of it */

/* Writes a file that need not outlive a crash; -1 and errno. */
static int write_unsynced(int dir, const char *name, mode_t mode, const void *data, size_t length)
{
    int fd = csi_io_create(dir, name, mode);
    if (fd < 0)
        return -1;
    int failed = csi_io_write_all(fd, data, length) != 0 ? errno : 0;
    if (close(fd) != 0 && !failed)
        failed = errno;
    errno = failed;
    return failed ? -1 : 0;
}

cfsplit_status csi_epoch_tell_seen(const struct cfsplit_run *run, const struct csi_epoch *epoch, const void *text,
                                   size_t length, struct cfsplit_error *err)
{
    char name[name_bytes], temp[32], nonce[17];
    cfsplit_status status = csi_io_nonce(nonce, err);
    if (status != CFSPLIT_OK)
        return status;
    snprintf(name, sizeof name, "seen-%" PRIu64, epoch->K);
    snprintf(temp, sizeof temp, ".tmp-%s", nonce);
    int at = csi_io_open(run->fd, folder, O_RDONLY | O_DIRECTORY);
    int failed = at < 0 ? errno : 0;
    if (!failed &&
        (write_unsynced(at, temp, csi_run_mode(run), text, length) != 0 || renameat(at, temp, at, name) != 0))
        failed = errno;
    if (failed && at >= 0)
        unlinkat(at, temp, 0);
    if (at >= 0)
        close(at);
    if (!failed)
        return CFSPLIT_OK;
    return csi_fail_errno(err, csi_status_of_errno(failed, CFSPLIT_STORAGE), failed, "cannot write '%s/%s' in %s",
                          folder, name, csi_quote(run->path).text);
}

cfsplit_status csi_epoch_seen(const struct cfsplit_run *run, uint64_t K, struct csi_buf *text,
                              struct cfsplit_error *err)
{
    char name[name_bytes];
    size_t before = text->length;
    snprintf(name, sizeof name, "%s/seen-%" PRIu64, folder, K);
    cfsplit_status status = look_into(run, folder, err);
    if (status != CFSPLIT_OK)
        return status;
    for (int tries = 0; tries < seen_tries; tries++) { /* over NFS it may be replaced, and gone, while it is read */
        text->length = before;
        status = csi_io_read(run->fd, name, seen_bytes_max, text, err);
        if (status != CFSPLIT_STORAGE)
            break;
    }
    return status;
}

/* ---- keys of the clients */

cfsplit_status csi_epoch_put_keys(const struct cfsplit_run *run, const char *open, const char *secret,
                                  struct cfsplit_error *err)
{
    char text[key_file_bytes + 1], nonce[17];
    int won = 0;
    if (!is_key(open, strlen(open)) || !is_key(secret, strlen(secret)))
        return csi_fail(err, CFSPLIT_USAGE, "'%s' is not written: not a pair of keys", key_file);
    cfsplit_status status = csi_io_nonce(nonce, err);
    if (status != CFSPLIT_OK)
        return status;
    snprintf(text, sizeof text, "%s\n%s\n", open, secret);
    status =
        csi_io_publish_first(run->fd, "keys", strchr(key_file, '/') + 1, 0600, nonce, text, key_file_bytes, &won, err);
    explicit_bzero(text, sizeof text);
    return status;
}

/* The file is ours, and nobody else's to read. */
static cfsplit_status check_key_file(const struct cfsplit_run *run, int fd, struct cfsplit_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot look at '%s'", key_file);
    if (!S_ISREG(st.st_mode) || st.st_size != key_file_bytes)
        return csi_fail(err, CFSPLIT_DAMAGED, "'%s' in %s is damaged at byte 0: not a pair of keys", key_file,
                        csi_quote(run->path).text);
    if (st.st_uid != geteuid())
        return csi_fail(err, CFSPLIT_USAGE, "'%s' in %s belongs to user %ju: only who planned a queue can take part",
                        key_file, csi_quote(run->path).text, (uintmax_t)st.st_uid);
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return csi_fail(err, CFSPLIT_USAGE, "'%s' in %s may be read by others (mode %03o): to take part, chmod 600 it",
                        key_file, csi_quote(run->path).text, (unsigned)(st.st_mode & 0777));
    return CFSPLIT_OK;
}

static bool decode_keys(const char *text, size_t length, char *open, char *secret)
{
    enum { digits = CSI_EPOCH_KEY_BYTES - 1 };
    if (length != key_file_bytes || text[digits] != '\n' || text[length - 1] != '\n' || !is_key(text, digits) ||
        !is_key(text + CSI_EPOCH_KEY_BYTES, digits))
        return false;
    memcpy(open, text, digits);
    memcpy(secret, text + CSI_EPOCH_KEY_BYTES, digits);
    open[digits] = secret[digits] = '\0';
    return true;
}

cfsplit_status csi_epoch_read_keys(const struct cfsplit_run *run, char open[CSI_EPOCH_KEY_BYTES],
                                   char secret[CSI_EPOCH_KEY_BYTES], struct cfsplit_error *err)
{
    struct csi_buf text = CSI_BUF_INIT;
    *open = *secret = '\0';
    cfsplit_status status = look_into(run, "keys", err);
    if (status != CFSPLIT_OK)
        return status;
    int fd = csi_io_open(run->fd, key_file, O_RDONLY | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? CFSPLIT_END
                               : csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno,
                                                "cannot open '%s' in %s", key_file, csi_quote(run->path).text);
    status = check_key_file(run, fd, err);
    if (status == CFSPLIT_OK)
        status = csi_io_read_from(fd, key_file, 0, &text, err);
    if (status == CFSPLIT_OK && !decode_keys(text.data, text.length, open, secret))
        status = csi_fail(err, CFSPLIT_DAMAGED, "'%s' in %s is damaged at byte 0: not a pair of keys", key_file,
                          csi_quote(run->path).text);
    if (text.data)
        explicit_bzero(text.data, text.room);
    csi_buf_release(&text);
    close(fd);
    return status;
}

uint64_t csi_epoch_unseen_ms(const struct cfsplit_run *run)
{
    struct statfs fs;
    return fstatfs(run->fd, &fs) != 0 || fs.f_type == NFS_SUPER_MAGIC ? nfs_unseen_ms : 0;
}
