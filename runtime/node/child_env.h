/* The environment of an item's command: that of the replica and the CANFAR_SPLIT_ variables. */
#ifndef CSI_NODE_CHILD_ENV_H
#define CSI_NODE_CHILD_ENV_H

#include "base/buf.h"

#include <cfsplit/unstable.h>

enum { CSI_CHILD_ENV_OWN = 7 };

struct csi_child_env {
    char **envp; /* NULL-terminated; the first CSI_CHILD_ENV_OWN are ours */
    struct csi_buf own[CSI_CHILD_ENV_OWN];
    uint64_t seed;
};

/* `environment` is copied by reference: its strings must outlive the struct. `by` is the name of this life of the replica. */
CFSPLIT_MUST_USE cfsplit_status csi_child_env_init(struct csi_child_env *env, const char *const *environment,
                                                   uint32_t replica, uint32_t count, const char *by, uint64_t seed,
                                                   struct cfsplit_error *err);
void csi_child_env_fini(struct csi_child_env *env);

/* Sets what changes from item to item; env->envp is for exec until the next call. */
CFSPLIT_MUST_USE cfsplit_status csi_child_env_set(struct csi_child_env *env, const struct cfsplit_item *item,
                                                  uint64_t number, uint32_t attempt, struct cfsplit_error *err);

/* CANFAR_SPLIT_SEED of an item; `seed` is the run's. */
uint32_t csi_child_env_seed(const struct cfsplit_item *item, uint64_t seed);

/* The environment of a command that is kept: without what is an item's, and CANFAR_SPLIT_KEEP=1. Until the next call. */
CFSPLIT_MUST_USE cfsplit_status csi_child_env_keep(struct csi_child_env *env, char *const **envp,
                                                   struct cfsplit_error *err);

#endif
