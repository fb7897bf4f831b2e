/* What a C program without canfar-split would do: glob(3), with its own sort, and the matches a line each.
 * usage: bench_glob PATTERN */
#include <glob.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    glob_t found = {0};
    if (argc != 2 || glob(argv[1], 0, NULL, &found) != 0) {
        fprintf(stderr, "usage: bench_glob PATTERN, which something matches\n");
        return 2;
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        puts(found.gl_pathv[i]);
    globfree(&found);
    return fclose(stdout) == 0 ? 0 : 1;
}
