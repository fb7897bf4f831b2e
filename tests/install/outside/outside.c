/* Splits three items, then is a replica of a run: outside RUN */
#include <stdio.h>
#include <string.h>

#include <cfsplit/cfsplit.h>

static cfsplit_status print_share(struct cfsplit_error *err)
{
    struct cfsplit_list *list;
    struct cfsplit_shares *shares;
    cfsplit_status status = cfsplit_list_new(&list, err);
    for (const char *name = "abc"; status == CFSPLIT_OK && *name; name++)
        status = cfsplit_list_add(list, name, 1, 1, err);
    if (status == CFSPLIT_OK && (status = cfsplit_shares_new(list, CFSPLIT_STRIPE, 2, &shares, err)) == CFSPLIT_OK) {
        uint64_t count;
        const uint64_t *mine = cfsplit_shares_of(shares, 1, &count);
        for (uint64_t i = 0; i < count; i++)
            printf("%s%s", i ? " " : "", cfsplit_list_at(list, mine[i]).name);
        printf("\n");
        cfsplit_shares_free(shares);
    }
    cfsplit_list_free(list);
    return status;
}

static cfsplit_status work(const char *run, struct cfsplit_error *err)
{
    struct cfsplit_worker *worker;
    struct cfsplit_work *item;
    cfsplit_status status = cfsplit_worker_open(run, NULL, &worker, err);
    while (status == CFSPLIT_OK && (status = cfsplit_item_next(worker, &item, err)) == CFSPLIT_OK)
        status = cfsplit_item_done(worker, item, err);
    return status == CFSPLIT_END ? cfsplit_worker_close(worker, NULL, err) : status;
}

int main(int argc, char **argv)
{
    struct cfsplit_error err = {.message = "usage: outside RUN"};
    cfsplit_status status = argc == 2 ? print_share(&err) : CFSPLIT_USAGE;
    if (status == CFSPLIT_OK)
        status = work(argv[1], &err);
    if (status != CFSPLIT_OK)
        fprintf(stderr, "%s\n", err.message);
    return cfsplit_status_exit_code(status);
}
