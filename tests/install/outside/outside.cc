/* Splits three items, then is a replica of a run: outside RUN */
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include <cfsplit/cfsplit.h>

namespace {

using list_ptr = std::unique_ptr<cfsplit_list, decltype(&cfsplit_list_free)>;
using shares_ptr = std::unique_ptr<cfsplit_shares, decltype(&cfsplit_shares_free)>;

/* Calls throw what they fail with. */
struct checked {
    cfsplit_error err = {};
    void operator()(cfsplit_status status) const
    {
        if (status != CFSPLIT_OK)
            throw std::runtime_error(err.message);
    }
};

void print_share()
{
    checked check;
    cfsplit_list *made;
    check(cfsplit_list_new(&made, &check.err));
    list_ptr list(made, cfsplit_list_free);
    for (const std::string name : {"a", "b", "c"})
        check(cfsplit_list_add(list.get(), name.data(), name.size(), 1, &check.err));
    cfsplit_shares *split;
    check(cfsplit_shares_new(list.get(), CFSPLIT_STRIPE, 2, &split, &check.err));
    shares_ptr shares(split, cfsplit_shares_free);
    uint64_t count;
    const uint64_t *mine = cfsplit_shares_of(shares.get(), 1, &count);
    for (uint64_t i = 0; i < count; i++)
        std::cout << (i ? " " : "") << cfsplit_list_at(list.get(), mine[i]).name;
    std::cout << "\n";
}

void work(const char *run)
{
    checked check;
    cfsplit_worker_options options = {};
    options.size = sizeof options;
    cfsplit_worker *worker;
    check(cfsplit_worker_open(run, &options, &worker, &check.err));
    cfsplit_work *item;
    cfsplit_status status;
    while ((status = cfsplit_item_next(worker, &item, &check.err)) == CFSPLIT_OK)
        check(cfsplit_item_done(worker, item, &check.err));
    if (status != CFSPLIT_END)
        check(status);
    check(cfsplit_worker_close(worker, nullptr, &check.err));
}

} // namespace

int main(int argc, char **argv)
{
    try {
        if (argc != 2)
            throw std::runtime_error("usage: outside RUN");
        print_share();
        work(argv[1]);
    } catch (const std::exception &e) {
        std::cerr << e.what() << "\n";
        return 1;
    }
}
