#include "node/child_env.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"

enum { ITEM, INDEX, ATTEMPT, SEED, BY, REPLICA, COUNT };

static bool is_ours(const char *variable)
{
    static const char *const names[] = {"CANFAR_SPLIT_", "REPLICA_ID=", "REPLICA_COUNT="};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

cfsplit_status csi_child_env_init(struct csi_child_env *env, const char *const *environment, uint32_t replica,
                                  uint32_t count, const char *by, uint64_t seed, struct cfsplit_error *err)
{
    size_t n = 0;
    *env = (struct csi_child_env){.seed = seed};
    while (environment && environment[n])
        n++;
    env->envp = calloc(n + CSI_CHILD_ENV_OWN + 1, sizeof *env->envp);
    if (!env->envp)
        return csi_fail_memory(err);
    char **at = env->envp + CSI_CHILD_ENV_OWN;
    for (size_t i = 0; i < n; i++)
        if (!is_ours(environment[i]))
            memcpy(at++, &environment[i], sizeof *at); /* exec takes char *const *, and does not write to it */
    csi_buf_addf(&env->own[BY], "CANFAR_SPLIT_BY=%s", by);
    csi_buf_addf(&env->own[REPLICA], "REPLICA_ID=%" PRIu32, replica);
    csi_buf_addf(&env->own[COUNT], "REPLICA_COUNT=%" PRIu32, count);
    return csi_buf_check(&env->own[COUNT], err);
}

void csi_child_env_fini(struct csi_child_env *env)
{
    for (size_t i = 0; i < CSI_CHILD_ENV_OWN; i++)
        csi_buf_release(&env->own[i]);
    free(env->envp);
    env->envp = NULL;
}

uint32_t csi_child_env_seed(const struct cfsplit_item *item, uint64_t seed)
{
    return (uint32_t)XXH64(item->name, item->length, seed);
}

static cfsplit_status point_at_own(struct csi_child_env *env, size_t first, struct cfsplit_error *err)
{
    for (size_t i = first; i < CSI_CHILD_ENV_OWN; i++) {
        if (env->own[i].failed)
            return csi_fail_memory(err);
        env->envp[i] = env->own[i].data;
    }
    return CFSPLIT_OK;
}

cfsplit_status csi_child_env_keep(struct csi_child_env *env, char *const **envp, struct cfsplit_error *err)
{
    csi_buf_clear(&env->own[SEED]); /* the last of those that are an item's */
    csi_buf_add_text(&env->own[SEED], "CANFAR_SPLIT_KEEP=1");
    *envp = env->envp + SEED;
    return point_at_own(env, SEED, err);
}

cfsplit_status csi_child_env_set(struct csi_child_env *env, const struct cfsplit_item *item, uint64_t number,
                                 uint32_t attempt, struct cfsplit_error *err)
{
    for (size_t i = ITEM; i <= SEED; i++)
        csi_buf_clear(&env->own[i]);
    csi_buf_addf(&env->own[ITEM], "CANFAR_SPLIT_ITEM=%s", item->name);
    csi_buf_addf(&env->own[INDEX], "CANFAR_SPLIT_INDEX=%" PRIu64, number);
    csi_buf_addf(&env->own[ATTEMPT], "CANFAR_SPLIT_ATTEMPT=%" PRIu32, attempt);
    csi_buf_addf(&env->own[SEED], "CANFAR_SPLIT_SEED=%" PRIu32, csi_child_env_seed(item, env->seed));
    return point_at_own(env, ITEM, err);
}
