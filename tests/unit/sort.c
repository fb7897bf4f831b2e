/* Names in the order of their bytes, against strcmp and qsort. */
#include <stdlib.h>

#include "lib/check.h"
#include "lib/random.h"
#include "list/names.h"

static struct cfsplit_error err;
static struct random seed = {11};

static uint64_t below(uint64_t bound)
{
    return random_below(&seed, bound);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A name out of few letters, so that many begin the same or are the same; bytes above 127 among them. */
static size_t make_name(char *name, size_t longest, unsigned letters)
{
    static const unsigned char some[] = {'a', 'b', '/', 0xff, 1, '.', 0x80, 'z'};
    size_t length = 1 + below(longest);
    for (size_t i = 0; i < length; i++)
        name[i] = (char)some[below(letters)];
    name[length] = '\0';
    return length;
}

static void check_order(size_t count, size_t longest, unsigned letters)
{
    struct csi_names sets[2] = {{.count = 0}, {.count = 0}};
    struct cfsplit_list *list;
    char **wanted = calloc(count + 1, sizeof *wanted), name[256];
    for (size_t i = 0; i < count; i++) {
        size_t length = make_name(name, longest, letters), folder = below(length);
        CHECK(csi_names_add(&sets[below(2)], name, folder, name + folder, length - folder));
        wanted[i] = strdup(name);
    }
    qsort(wanted, count, sizeof *wanted, by_bytes);
    CHECK_OK(cfsplit_list_new(&list, &err));
    CHECK_OK(csi_list_add_names(list, "p/", sets, 2, &err));
    CHECK_EQUAL(cfsplit_list_count(list), count);
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const char *got = cfsplit_list_at(list, i).name;
        wrong += strncmp(got, "p/", 2) != 0 || strcmp(got + 2, wanted[i]) != 0;
        free(wanted[i]);
    }
    CHECK_EQUAL(wrong, 0);
    free(wanted);
    cfsplit_list_free(list);
    csi_names_release(&sets[0]);
    csi_names_release(&sets[1]);
}

static void test_order(void)
{
    static const size_t longest[] = {1, 3, 8, 9, 40, 200};
    for (size_t i = 0; i < 120; i++)
        check_order(below(i % 10 ? 300 : 20000), longest[i % 6], 1 + (unsigned)below(8));
}

static const struct check_case cases[] = {
    {"names are in the order of their bytes, however alike they are", test_order},
};

int main(void)
{
    return check_main("sorting names", cases, sizeof cases / sizeof cases[0]);
}
