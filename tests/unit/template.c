/* The command template: GNU parallel's words, and the argv they become. */
#include "exec/template.h"

#include <stdlib.h>

#include "lib/check.h"

static struct cfsplit_error err;

/* The argv of a command for one item, joined by '|'. The caller's until the next call. */
static const char *expand_with(char *const *words, size_t count, bool shell, const char *item, uint64_t number)
{
    static char joined[4096];
    struct csi_template *t;
    struct csi_argv out = CSI_ARGV_INIT;
    size_t length = 0;
    joined[0] = '\0';
    CHECK_OK(csi_template_new(words, count, shell, &t, &err));
    CHECK_OK(csi_template_expand(t, item, number, &out, &err));
    CHECK(out.argv[out.count] == NULL);
    for (size_t i = 0; i < out.count; i++)
        length += (size_t)snprintf(joined + length, sizeof joined - length, "%s%s", i ? "|" : "", out.argv[i]);
    csi_argv_release(&out);
    csi_template_free(t);
    return joined;
}

static const char *expand(const char *text, const char *item)
{
    char copy[256], *words[] = {copy};
    snprintf(copy, sizeof copy, "%s", text);
    return expand_with(words, 1, false, item, 17);
}

static const char *expand_line(const char *text, const char *item)
{
    char copy[256], *words[] = {copy};
    snprintf(copy, sizeof copy, "%s", text);
    return expand_with(words, 1, true, item, 17);
}

static void every_word_of_many_names(void)
{
    /* item, {/}, {//}, {.}, {/.} */
    static const char *const rows[][5] = {
        {"a/b.fits.gz", "b.fits.gz", "a", "a/b", "b"},
        {"b.fits", "b.fits", ".", "b", "b"},
        {"b.fits.fz", "b.fits.fz", ".", "b", "b"},
        {"b.fits.bz2", "b.fits.bz2", ".", "b", "b"},
        {"b.fits.Z", "b.fits.Z", ".", "b", "b"},
        {"b.fits.GZ", "b.fits.GZ", ".", "b.fits", "b.fits"},
        {"b.gz", "b.gz", ".", "b", "b"},
        {"b.fits.gz.gz", "b.fits.gz.gz", ".", "b.fits", "b.fits"},
        {"b.gz.fits", "b.gz.fits", ".", "b.gz", "b.gz"},
        {"b", "b", ".", "b", "b"},
        {"v1.2/b", "b", "v1.2", "v1.2/b", "b"},
        {"./b", "b", ".", "./b", "b"},
        {"../b", "b", "..", "../b", "b"},
        {"/b.c", "b.c", "/", "/b", "b"},
        {"/x/y/b.c", "b.c", "/x/y", "/x/y/b", "b"},
        {"a//b.c", "b.c", "a", "a//b", "b"},
        {"//b.c", "b.c", "/", "//b", "b"},
        {".fits", ".fits", ".", ".fits", ".fits"},
        {".gz", ".gz", ".", ".gz", ".gz"},
        {"a/.fits.gz", ".fits.gz", "a", "a/.fits", ".fits"},
        {".a.fits", ".a.fits", ".", ".a", ".a"},
        {"a.", "a.", ".", "a.", "a."},
        {"a..gz", "a..gz", ".", "a.", "a."},
        {".", ".", ".", ".", "."},
        {"..", "..", ".", "..", ".."},
        {"/", "/", "/", "/", "/"},
        {"///", "/", "/", "/", "/"},
        {"d.x/", "d.x", ".", "d", "d"},
        {"a/d/", "d", "a", "a/d", "d"},
        {"", "", ".", "", ""},
        {"-rf", "-rf", ".", "-rf", "-rf"},
        {"a b'\"$(x).fits", "a b'\"$(x).fits", ".", "a b'\"$(x)", "a b'\"$(x)"},
        {"\xff\n\x01.fits", "\xff\n\x01.fits", ".", "\xff\n\x01", "\xff\n\x01"},
        {"img.fits[1]", "img.fits[1]", ".", "img", "img"},
        {"{/}.x", "}.x", "{", "{/}", "}"}, /* a word in an item is no word */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_TEXT(expand("{}", rows[i][0]), rows[i][0]);
        CHECK_TEXT(expand("{/}", rows[i][0]), rows[i][1]);
        CHECK_TEXT(expand("{//}", rows[i][0]), rows[i][2]);
        CHECK_TEXT(expand("{.}", rows[i][0]), rows[i][3]);
        CHECK_TEXT(expand("{/.}", rows[i][0]), rows[i][4]);
    }
}

static void words_stand_anywhere(void)
{
    CHECK_TEXT(expand("x{}y{#}z{/.}", "a/b.c"), "xa/b.cy17zb");
    CHECK_TEXT(expand("{{}}", "i"), "{i}");
    CHECK_TEXT(expand("{}{}{}", "i"), "iii");
    CHECK_TEXT(expand("{//}/{/}", "a/b"), "a/b");
}

static void number_is_the_callers(void)
{
    static char word[] = "{#}";
    char *words[] = {word};
    CHECK_TEXT(expand_with(words, 1, false, "i", 1), "1");
    CHECK_TEXT(expand_with(words, 1, false, "i", UINT64_MAX), "18446744073709551615");
}

static void item_is_appended(void)
{
    CHECK_TEXT(expand("cat", "a.fits"), "cat|a.fits");
    CHECK_TEXT(expand("cat", "-n"), "cat|-n");
    CHECK_TEXT(expand("{x} { } {/", "i"), "{x} { } {/|i");
    static char cat[] = "cat", number[] = "{#}";
    char *words[] = {cat, number};
    CHECK_TEXT(expand_with(words, 2, false, "i", 3), "cat|3");
}

static void words_stay_apart(void)
{
    static char a[] = "a b", empty[] = "", c[] = "{}";
    char *words[] = {a, empty, c};
    CHECK_TEXT(expand_with(words, 3, false, "x y", 1), "a b||x y");
}

static void shell_line_is_one_argument(void)
{
    static char a[] = "cat", b[] = "{}", c[] = ">", d[] = "out/{/.}.txt";
    char *words[] = {a, b, c, d};
    CHECK_TEXT(expand_with(words, 4, true, "x/a b.fits", 1), "/bin/sh|-c|cat 'x/a b.fits' > out/'a b'.txt");
    CHECK_TEXT(expand_line("echo", "a"), "/bin/sh|-c|echo 'a'");
    CHECK_TEXT(expand_line("echo {#}", "a"), "/bin/sh|-c|echo '17'");
    CHECK_TEXT(expand_line("echo {}", "it's; rm -rf $HOME"), "/bin/sh|-c|echo 'it'\\''s; rm -rf $HOME'");
    CHECK_TEXT(expand_line("echo {}", "''"), "/bin/sh|-c|echo ''\\'''\\'''");
    CHECK_TEXT(expand_line("echo {}", ""), "/bin/sh|-c|echo ''");
}

static void program_is_known_unless_it_depends(void)
{
    static char cat[] = "cat", item[] = "{}", tool[] = "./{/.}/run";
    char *const commands[] = {cat, item, tool};
    static const char *const programs[] = {"cat", NULL, NULL};
    for (size_t i = 0; i < 3; i++) {
        struct csi_template *t;
        CHECK_OK(csi_template_new(&commands[i], 1, false, &t, &err));
        const char *got = csi_template_program(t);
        CHECK_TEXT(got ? got : "(depends)", programs[i] ? programs[i] : "(depends)");
        csi_template_free(t);
        CHECK_OK(csi_template_new(&commands[i], 1, true, &t, &err));
        CHECK_TEXT(csi_template_program(t), "/bin/sh");
        csi_template_free(t);
    }
}

static void nothing_is_no_command(void)
{
    static char empty[] = "";
    char *words[] = {empty};
    struct csi_template *t;
    CHECK_EQUAL(csi_template_new(words, 0, false, &t, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(csi_template_new(words, 1, false, &t, &err), CFSPLIT_USAGE);
    CHECK(t == NULL);
    CHECK_TEXT(err.message, "no command");
    csi_template_free(NULL);
}

static void argv_is_used_again(void)
{
    static char cat[] = "cat", item[] = "{}";
    char *words[] = {cat, item};
    struct csi_template *t;
    struct csi_argv out = CSI_ARGV_INIT;
    CHECK_OK(csi_template_new(words, 2, false, &t, &err));
    CHECK_OK(csi_template_expand(t, "a rather long item", 1, &out, &err));
    char **argv = out.argv;
    const char *bytes = out.bytes.data;
    for (int i = 0; i < 100; i++)
        CHECK_OK(csi_template_expand(t, "short", 2, &out, &err));
    CHECK(out.argv == argv && out.bytes.data == bytes);
    CHECK_EQUAL(out.count, 2);
    CHECK_TEXT(out.argv[1], "short");
    csi_argv_release(&out);
    csi_template_free(t);
}

static void longest_item_fits(void)
{
    char *item = calloc(1, 60001);
    memset(item, '\'', 60000);
    static char echo[] = "echo";
    char *words[] = {echo};
    struct csi_template *t;
    struct csi_argv out = CSI_ARGV_INIT;
    CHECK_OK(csi_template_new(words, 1, true, &t, &err));
    CHECK_OK(csi_template_expand(t, item, 1, &out, &err));
    CHECK_EQUAL(strlen(out.argv[2]), strlen("echo ''") + 240000);
    csi_argv_release(&out);
    csi_template_free(t);
    free(item);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"every word is right for every kind of name", every_word_of_many_names},
        {"words stand anywhere in an argument, and more than once", words_stand_anywhere},
        {"the number is the one that the caller gives", number_is_the_callers},
        {"the item is appended if no word occurs, however it begins", item_is_appended},
        {"arguments stay apart, whatever they hold", words_stay_apart},
        {"with a shell the command is one line, and every value is quoted", shell_line_is_one_argument},
        {"the program is known before the items are, unless it depends on them", program_is_known_unless_it_depends},
        {"no words and an empty program are no command", nothing_is_no_command},
        {"an argv that has grown is used again without allocating", argv_is_used_again},
        {"an item of the greatest length is expanded and quoted", longest_item_fits},
    };
    return check_main("the command template", cases, sizeof cases / sizeof *cases);
}
