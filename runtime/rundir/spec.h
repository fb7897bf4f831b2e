/* run.json: what was planned, frozen (docs/run-directory.md). */
#ifndef CSI_RUNDIR_SPEC_H
#define CSI_RUNDIR_SPEC_H

#include "base/buf.h"

#include <cfsplit/unstable.h>

enum { CSI_FORMAT_VERSION = 1 };

struct csi_spec {
    char run_id[33];
    uint64_t created_ms;
    enum cfsplit_strategy strategy;
    uint32_t replicas;
    uint64_t items, weight;
    char list_digest[33];
    uint64_t items_digest, index_digest; /* XXH64 of items.lz4 and items.idx */
    uint64_t seed;
    uint64_t group; /* 1: colleagues may read */
    char *cwd;
    char *weights;  /* how the list was weighed: the word of --weights, "" for the default */
    char **command; /* NULL-terminated */
    size_t command_count;
    struct cfsplit_run_options options; /* what was not given is CFSPLIT_UNSET */
};

/* Adds the text of run.json to `out`. Errors: CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_spec_encode(const struct csi_spec *spec, struct csi_buf *out,
                                                struct cfsplit_error *err);

/* Reads such a text; `name` is for messages. Errors: CFSPLIT_DAMAGED, CFSPLIT_USAGE for a newer format. Release with
 * csi_spec_release, also after a failure. */
CFSPLIT_MUST_USE cfsplit_status csi_spec_decode(struct csi_spec *spec, const char *text, size_t length,
                                                const char *name, struct cfsplit_error *err);
void csi_spec_release(struct csi_spec *spec);

/* Errors: CFSPLIT_USAGE if the options are of another version of the library. */
CFSPLIT_MUST_USE cfsplit_status csi_options_check(const struct cfsplit_run_options *options, struct cfsplit_error *err);

/* What `told` leaves open is taken from `planned`, and then from the defaults. */
void csi_options_settle(struct cfsplit_run_options *told, const struct cfsplit_run_options *planned);

static inline int csi_exit_codes_has(const struct cfsplit_exit_codes *codes, int code)
{
    return code > 0 && code < 256 && (codes->bits[code / 64] >> code % 64 & 1);
}

#endif
