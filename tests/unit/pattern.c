#include <cfsplit/list.h>

#include "lib/check.h"
#include "lib/locale.h"
#include "lib/scratch.h"

static struct cfsplit_error err;

/* What an argument (or, with `match` or a '/' at its end, a folder) gives, joined by '|', or the error. */
static const char *joined(struct cfsplit_list *list, cfsplit_status status)
{
    static char all[4096];
    all[0] = '\0';
    if (status != CFSPLIT_OK)
        snprintf(all, sizeof all, "%s", err.message);
    for (uint64_t i = 0; status == CFSPLIT_OK && i < cfsplit_list_count(list); i++) {
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? "|" : "", cfsplit_list_at(list, i).name);
    }
    cfsplit_list_free(list);
    return all;
}

static const char *argument(const char *text)
{
    struct cfsplit_list *list;
    CHECK_OK(cfsplit_list_new(&list, &err));
    return joined(list, cfsplit_list_add_argument(list, text, &err));
}

static const char *tree(const char *dir, const char *match)
{
    struct cfsplit_list *list;
    CHECK_OK(cfsplit_list_new(&list, &err));
    return joined(list, cfsplit_list_add_tree(list, dir, match, &err));
}

static void test_arguments(void)
{
    CHECK_TEXT(argument("not there.fits"), "not there.fits");
    CHECK_TEXT(argument("*.fits"), "B.fits|a.fits|b.fits|list[1].fits|t.fits|z.fits|\xc3\xa4.fits");
    CHECK_TEXT(argument("?.fits"), "B.fits|a.fits|b.fits|t.fits|z.fits"); /* bytes: a-umlaut has two */
    CHECK_TEXT(argument("[a-t].fits"), "a.fits|b.fits|t.fits");           /* no z, which Estonian has before t */
    CHECK_TEXT(argument("[a-z].fits"), "a.fits|b.fits|t.fits|z.fits");
    CHECK_TEXT(argument("no*where"), "no file matches 'no*where'");
    CHECK_TEXT(argument("nowhere/*"), "no file matches 'nowhere/*'");
    CHECK_TEXT(argument("a.fits/*"), "no file matches 'a.fits/*'");
    CHECK_TEXT(argument(""), "item 1 is empty");
}

static void test_names_that_look_like_patterns(void)
{
    CHECK_TEXT(argument("what?"), "what?");
    CHECK_TEXT(argument("a.fits[1]"), "a.fits[1]");
    CHECK_TEXT(argument("a.fits[events][pha > 4]"), "a.fits[events][pha > 4]");
    CHECK_TEXT(argument("list[1].fits[2]"), "list[1].fits[2]");
    CHECK_TEXT(argument("q.fits[1]"), "no file matches 'q.fits[1]'");
    CHECK_TEXT(argument("sub[12]"), "sub1"); /* `sub` is a folder, not a file part */
}

static void test_trees(void)
{
    CHECK_TEXT(tree("sub", NULL), "sub/deep.fits|sub/deep/c.fits|sub/deep/d.txt|sub/link.fits");
    CHECK_TEXT(tree("sub/", "*.fits"), "sub/deep.fits|sub/deep/c.fits|sub/link.fits");
    CHECK_TEXT(tree("sub", "*.none"), "no file below 'sub' matches '*.none'");
    CHECK_TEXT(tree("sub1", NULL), "there is no file below 'sub1'");
    CHECK_TEXT(tree("nowhere", NULL), "cannot read folder 'nowhere': No such file or directory");
    CHECK_TEXT(tree("a.fits", NULL), "cannot read folder 'a.fits': Not a directory");
}

static void test_locked_folder(void)
{
    if (geteuid() == 0)
        return; /* root may read everything: the command line's tests do this as nobody */
    CHECK_EQUAL(mkdir("locked", 0), 0);
    CHECK_TEXT(argument("locked/*"), "cannot read folder 'locked' for 'locked/*': Permission denied");
    CHECK_TEXT(tree("locked", NULL), "cannot read folder 'locked': Permission denied");
    CHECK_EQUAL(rmdir("locked"), 0);
}

static void make_files(void)
{
    static const char *const files[] = {"a.fits",         "b.fits", "B.fits",         "t.fits",       "z.fits",
                                        "\xc3\xa4.fits",  "what?",  "whatx",          "list[1].fits", "sub/deep.fits",
                                        "sub/deep/d.txt", "q.fits", "sub/deep/c.fits"};
    if (mkdir("sub", 0700) != 0 || mkdir("sub/deep", 0700) != 0 || mkdir("sub1", 0700) != 0 ||
        mkdir("other", 0700) != 0)
        exit(2);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        scratch_write(files[i], "", 0);
    scratch_write("other/e.fits", "", 0);
    unlink("q.fits");
    if (symlink("../a.fits", "sub/link.fits") != 0 || symlink("../other", "sub/linked") != 0 ||
        symlink("nothing", "sub/broken.fits") != 0)
        exit(2);
}

static const struct check_case cases[] = {
    {"an argument is an item, or a pattern sorted by bytes; no match is an error", test_arguments},
    {"a name that exists, or whose file part does, is no pattern", test_names_that_look_like_patterns},
    {"a folder gives its files and links to files, and follows no linked folder", test_trees},
    {"a folder that cannot be read is an error, not less to do", test_locked_folder},
};

int main(void)
{
    test_locale_choose();
    scratch_enter();
    make_files();
    return check_main("patterns and folders", cases, sizeof cases / sizeof cases[0]);
}
