/* Splitting with the library: prints which of the files are this replica's.
 *
 *   REPLICA_ID=2 REPLICA_COUNT=4 example_split FILE|PATTERN...
 *   cc split.c -o split $(pkg-config --cflags --libs cfsplit) */
#include <stdio.h>
#include <stdlib.h>

#include <cfsplit/cfsplit.h>

static cfsplit_status list_of_arguments(int count, char **arguments, struct cfsplit_list **out,
                                        struct cfsplit_error *err)
{
    cfsplit_status status = cfsplit_list_new(out, err);
    for (int i = 0; status == CFSPLIT_OK && i < count; i++)
        status = cfsplit_list_add_argument(*out, arguments[i], err);
    if (status == CFSPLIT_OK) /* a file that is named twice would be handled twice */
        status = cfsplit_list_resolve_duplicates(*out, CFSPLIT_DUPLICATES_REFUSE, err);
    return status;
}

static void print_share(const struct cfsplit_list *list, const struct cfsplit_shares *shares, uint32_t id)
{
    uint64_t count;
    const uint64_t *positions = cfsplit_shares_of(shares, id, &count);
    for (uint64_t i = 0; i < count; i++)
        puts(cfsplit_list_at(list, positions[i]).name);
}

int main(int argc, char **argv)
{
    struct cfsplit_identity_options options = {.size = sizeof options};
    struct cfsplit_identity me = {0};
    struct cfsplit_list *list = NULL;
    struct cfsplit_shares *shares = NULL;
    struct cfsplit_error err = {0};

    cfsplit_status status = cfsplit_identity_find(&options, getenv, &me, &err);
    if (status == CFSPLIT_OK && me.note[0])
        fprintf(stderr, "%s\n", me.note);
    if (status == CFSPLIT_OK)
        status = list_of_arguments(argc - 1, argv + 1, &list, &err);
    if (status == CFSPLIT_OK)
        status = cfsplit_list_weigh(list, &err); /* by the files' sizes */
    if (status == CFSPLIT_OK)
        status = cfsplit_shares_new(list, CFSPLIT_SIZE, me.count, &shares, &err);
    if (status == CFSPLIT_OK)
        print_share(list, shares, me.id);
    else
        fprintf(stderr, "%s\n", err.message);
    cfsplit_shares_free(shares);
    cfsplit_list_free(list);
    return cfsplit_status_exit_code(status);
}
