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
#include "base/killpoint.h"
#include "base/text.h"

struct claim_name {
    char folder[32];
    char text[64];
};

static struct claim_name name_of(const struct cfsplit_run *run, uint32_t piece, uint32_t K)
{
    struct claim_name name;
    if (piece == CSI_CARETAKER) {
        snprintf(name.folder, sizeof name.folder, "claims");
        snprintf(name.text, sizeof name.text, "claims/caretaker.e%" PRIu32, K);
        return name;
    }
    uint32_t generation = csi_frozen_generation_of_piece(&run->frozen, piece);
    uint32_t first = run->frozen.generations[generation].first_piece;
    snprintf(name.folder, sizeof name.folder, "claims/%" PRIu32 ".%" PRIu32, generation,
             (piece - first) / CSI_PIECES_PER_FOLDER);
    snprintf(name.text, sizeof name.text, "%s/%" PRIu32 ".e%" PRIu32, name.folder, piece, K);
    return name;
}

cfsplit_status csi_claim_link(const struct cfsplit_run *run, const struct csi_inc *inc, uint32_t piece, uint32_t K,
                              bool *mine, struct cfsplit_error *err)
{
    char identity[16 + CSI_INC_BYTES];
    struct claim_name name = name_of(run, piece, K);
    struct csi_inc owner;
    *mine = false;
    snprintf(identity, sizeof identity, "replicas/%s", inc->name);
    CSI_KILL_POINT("claim.before-link");
    int number = linkat(run->fd, identity, run->fd, name.text, 0) == 0 ? 0 : errno;
    CSI_KILL_POINT("claim.linked");
    if (number == EEXIST)
        (void)csi_io_await(run->fd, name.text);
    cfsplit_status status = csi_inc_read(run, name.text, &owner, err);
    if (status == CFSPLIT_END)
        return csi_fail_errno(err, csi_status_of_errno(number, CFSPLIT_STORAGE), number ? number : ENOENT,
                              "cannot claim '%s'", name.text);
    *mine = status == CFSPLIT_OK && strcmp(owner.name, inc->name) == 0;
    return status;
}

cfsplit_status csi_claim_sync(const struct cfsplit_run *run, const uint32_t *pieces, size_t count,
                              struct cfsplit_error *err)
{
    struct claim_name name, before = {.folder = ""};
    cfsplit_status status = CFSPLIT_OK;
    for (size_t i = 0; status == CFSPLIT_OK && i < count; i++) {
        name = name_of(run, pieces[i], 1);
        if (strcmp(name.folder, before.folder) != 0)
            status = csi_io_sync_folder(run->fd, name.folder, err);
        before = name;
    }
    CSI_KILL_POINT("claim.folder-synced");
    return status;
}

cfsplit_status csi_claim_take(const struct cfsplit_run *run, const struct csi_inc *inc, uint32_t piece, uint32_t K,
                              bool *mine, struct cfsplit_error *err)
{
    cfsplit_status status = csi_claim_link(run, inc, piece, K, mine, err);
    if (status != CFSPLIT_OK || !*mine)
        return status;
    status = csi_claim_sync(run, &piece, 1, err);
    if (K > 1)
        CSI_KILL_POINT("adopt.claimed");
    return status;
}

cfsplit_status csi_claim_owner(const struct cfsplit_run *run, uint32_t piece, uint32_t K, struct csi_inc *out,
                               struct cfsplit_error *err)
{
    struct claim_name name = name_of(run, piece, K);
    cfsplit_status status = csi_inc_read(run, name.text, out, err);
    return status == CFSPLIT_END && csi_io_await(run->fd, name.text) ? csi_inc_read(run, name.text, out, err) : status;
}

static void name_of_laid_down(uint32_t K, char name[48])
{
    snprintf(name, 48, "claims/caretaker.e%" PRIu32 ".down", K);
}

cfsplit_status csi_claim_lay_down(const struct cfsplit_run *run, const struct csi_inc *inc, uint32_t K,
                                  struct cfsplit_error *err)
{
    char identity[16 + CSI_INC_BYTES], name[48];
    snprintf(identity, sizeof identity, "replicas/%s", inc->name);
    name_of_laid_down(K, name);
    int number = linkat(run->fd, identity, run->fd, name, 0) == 0 ? 0 : errno;
    if (number != 0 && !csi_claim_is_laid_down(run, K)) /* what is there counts, not what link returned */
        return csi_fail_errno(err, csi_status_of_errno(number, CFSPLIT_STORAGE), number, "cannot create '%s'", name);
    return CFSPLIT_OK; /* who does not see it yet only leaves where it could have stayed */
}

bool csi_claim_is_laid_down(const struct cfsplit_run *run, uint32_t K)
{
    char name[48];
    name_of_laid_down(K, name);
    return faccessat(run->fd, name, F_OK, 0) == 0;
}

cfsplit_status csi_claim_peek(const struct cfsplit_run *run, uint32_t piece, uint32_t K, struct csi_inc *out,
                              struct cfsplit_error *err)
{
    return csi_inc_read(run, name_of(run, piece, K).text, out, err);
}

static cfsplit_status note_claim(const struct cfsplit_run *run, const char *folder, const char *name, uint32_t *highest,
                                 struct cfsplit_error *err)
{
    const char *dot = strchr(name, '.');
    uint64_t piece, K;
    if (name[0] == '.')
        return CFSPLIT_OK;
    bool good = dot && dot[1] == 'e' && csi_text_u64(name, (size_t)(dot - name), &piece) &&
                csi_text_u64(dot + 2, strlen(dot + 2), &K) && K > 0 && K < UINT32_MAX &&
                piece < run->frozen.piece_count;
    if (good) { /* the one way to write it, in the one folder where it is looked for */
        struct claim_name only = name_of(run, (uint32_t)piece, (uint32_t)K);
        good = strcmp(only.folder, folder) == 0 && strcmp(only.text + strlen(folder) + 1, name) == 0;
    }
    if (!good)
        return csi_fail(err, CFSPLIT_DAMAGED, "%s in '%s' is not the name of a claim", csi_quote(name).text, folder);
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

cfsplit_status csi_claim_list_near(const struct cfsplit_run *run, uint32_t piece, uint32_t *highest, uint32_t *from,
                                   uint32_t *end, struct cfsplit_error *err)
{
    const struct csi_frozen *f = &run->frozen;
    uint32_t g = csi_frozen_generation_of_piece(f, piece), first = f->generations[g].first_piece;
    size_t last = g + 1 < f->generation_count ? f->generations[g + 1].first_piece : f->piece_count;
    *from = piece - (piece - first) % CSI_PIECES_PER_FOLDER;
    *end = last - *from < CSI_PIECES_PER_FOLDER ? (uint32_t)last : *from + CSI_PIECES_PER_FOLDER;
    return list_folder(run, name_of(run, piece, 1).folder, highest, err);
}

cfsplit_status csi_claim_list(const struct cfsplit_run *run, uint32_t *highest, struct cfsplit_error *err)
{
    uint32_t from, end = 0;
    cfsplit_status status = CFSPLIT_OK;
    memset(highest, 0, run->frozen.piece_count * sizeof *highest);
    while (status == CFSPLIT_OK && end < run->frozen.piece_count)
        status = csi_claim_list_near(run, end, highest, &from, &end, err);
    return status;
}
