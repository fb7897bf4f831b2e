#include "rundir/claim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/text.h"

struct claim_name {
    char folder[32];
    char text[64];
};

static struct claim_name name_of(uint32_t piece, uint32_t K)
{
    struct claim_name name;
    snprintf(name.folder, sizeof name.folder, "claims/0.%" PRIu32, piece / CSI_PIECES_PER_FOLDER);
    snprintf(name.text, sizeof name.text, "%s/%" PRIu32 ".e%" PRIu32, name.folder, piece, K);
    return name;
}

cfsplit_status csi_claim_take(const struct cfsplit_run *run, const struct csi_inc *inc, uint32_t piece, uint32_t K,
                              bool *mine, struct cfsplit_error *err)
{
    char identity[16 + CSI_INC_BYTES];
    struct claim_name name = name_of(piece, K);
    struct csi_inc owner;
    *mine = false;
    snprintf(identity, sizeof identity, "replicas/%s", inc->name);
    int number = linkat(run->fd, identity, run->fd, name.text, 0) == 0 ? 0 : errno;
    if (number == EEXIST)
        (void)csi_io_await(run->fd, name.text);
    cfsplit_status status = csi_inc_read(run, name.text, &owner, err);
    if (status == CFSPLIT_END)
        return csi_fail_errno(err, csi_status_of_errno(number, CFSPLIT_STORAGE), number ? number : ENOENT,
                              "cannot claim '%s'", name.text);
    if (status != CFSPLIT_OK || strcmp(owner.name, inc->name) != 0)
        return status;
    *mine = true;
    return csi_io_sync_folder(run->fd, name.folder, err);
}

cfsplit_status csi_claim_owner(const struct cfsplit_run *run, uint32_t piece, uint32_t K, struct csi_inc *out,
                               struct cfsplit_error *err)
{
    struct claim_name name = name_of(piece, K);
    cfsplit_status status = csi_inc_read(run, name.text, out, err);
    return status == CFSPLIT_END && csi_io_await(run->fd, name.text) ? csi_inc_read(run, name.text, out, err) : status;
}

static cfsplit_status note_claim(const struct cfsplit_run *run, const char *folder, const char *name, uint32_t *highest,
                                 struct cfsplit_error *err)
{
    const char *dot = strchr(name, '.');
    uint64_t piece, K;
    if (name[0] == '.')
        return CFSPLIT_OK;
    if (!dot || dot[1] != 'e' || !csi_text_u64(name, (size_t)(dot - name), &piece) ||
        !csi_text_u64(dot + 2, strlen(dot + 2), &K) || K == 0 || K > UINT32_MAX || piece >= run->frozen.piece_count)
        return csi_fail(err, CFSPLIT_DAMAGED, "%s in '%s' is not the name of a claim", csi_quote(name).text, folder);
    if (strcmp(name_of((uint32_t)piece, 1).folder, folder) != 0)
        return csi_fail(err, CFSPLIT_DAMAGED, "claim %s is in '%s', which is not its folder", csi_quote(name).text,
                        folder);
    if (highest[piece] < K)
        highest[piece] = (uint32_t)K;
    return CFSPLIT_OK;
}

static cfsplit_status list_folder(const struct cfsplit_run *run, const char *folder, uint32_t *highest,
                                  struct cfsplit_error *err)
{
    int fd = csi_io_open(run->fd, folder, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        int number = errno;
        if (fd >= 0)
            close(fd);
        return csi_fail_errno(err, csi_status_of_errno(number, CFSPLIT_DAMAGED), number, "cannot read '%s'", folder);
    }
    cfsplit_status status = CFSPLIT_OK;
    const struct dirent *entry;
    while (status == CFSPLIT_OK && (errno = 0, entry = readdir(dir)) != NULL)
        status = note_claim(run, folder, entry->d_name, highest, err);
    if (status == CFSPLIT_OK && errno != 0)
        status = csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot read '%s'", folder);
    closedir(dir);
    return status;
}

cfsplit_status csi_claim_list(const struct cfsplit_run *run, uint32_t *highest, struct cfsplit_error *err)
{
    size_t pieces = run->frozen.piece_count;
    cfsplit_status status = CFSPLIT_OK;
    memset(highest, 0, pieces * sizeof *highest);
    for (uint32_t first = 0; status == CFSPLIT_OK && first < pieces; first += CSI_PIECES_PER_FOLDER)
        status = list_folder(run, name_of(first, 1).folder, highest, err);
    return status;
}
