#include "plot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* One colour a strategy that people with any eyes tell apart (Okabe and Ito 2008). */
static const char *const colours[STRATEGIES] = {
    [CFSPLIT_CHUNK] = "#e69f00", [CFSPLIT_STRIPE] = "#56b4e9", [CFSPLIT_EVEN] = "#f0e442", [CFSPLIT_SIZE] = "#0072b2",
    [CFSPLIT_HASH] = "#cc79a7",  [CFSPLIT_BLOCKS] = "#009e73", [CFSPLIT_QUEUE] = "#d55e00"};

/* ---- what gnuplot is told */

static const char *terminal_of(const char *path)
{
    static const struct {
        const char *end, *terminal;
    } kinds[] = {{".svg", "svg size 1100,520 dynamic background rgb 'white' font 'sans-serif,13'"},
                 {".png", "pngcairo size 1100,520 background rgb 'white' font 'sans,11'"}};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t end = strlen(kinds[i].end);
        if (length > end && strcmp(path + length - end, kinds[i].end) == 0)
            return kinds[i].terminal;
    }
    return NULL;
}

static void put_value(FILE *to, const struct study *study, const struct cfsplit_makespan *m)
{
    double unit = study->unit == UNIT_IS_TIME ? 1e6 : 1;
    if (m->makespan == CFSPLIT_NEVER)
        fputs(" NaN NaN", to);
    else
        fprintf(to, " %.6g %.6g", (double)m->makespan / unit, m->over);
}

/* A line a number of replicas: it, the lower bound, then of each strategy the makespan and it over the bound, alone and as run. */
static void put_data(FILE *to, const struct study *study)
{
    fputs("$data << END\n", to);
    for (size_t i = 0; i < study->replicas.count; i++) {
        double unit = study->unit == UNIT_IS_TIME ? 1e6 : 1;
        fprintf(to, "%" PRIu32 " %.6g", study->replicas.at[i], study_at(study, 0, i)->bound / unit);
        for (unsigned s = 0; s < STRATEGIES; s++) {
            put_value(to, study, &study_at(study, s, i)->alone);
            put_value(to, study, &study_at(study, s, i)->run);
        }
        fputc('\n', to);
    }
    fputs("END\n", to);
}

/* The curves of one picture: column 0 is the makespan, 1 is it over the bound. */
static void put_curves(FILE *to, unsigned column)
{
    for (unsigned s = 0; s < STRATEGIES; s++)
        if (study_is_static(s))
            fprintf(to, "$data using 1:%u with lines lw 1.5 dt 2 lc rgb '%s' title '%s, own share only', ",
                    3 + 4 * s + column, colours[s], cfsplit_strategy_word((enum cfsplit_strategy)s));
    for (unsigned s = 0; s < STRATEGIES; s++)
        fprintf(to, "$data using 1:%u with linespoints lw 2 pt %u ps 0.6 lc rgb '%s' title '%s'%s", 5 + 4 * s + column,
                4 + s, colours[s], cfsplit_strategy_word((enum cfsplit_strategy)s), s + 1 < STRATEGIES ? ", " : "\n");
}

/* What both pictures reach from and to. Nothing is left of those that never end. */
struct extent {
    double least, most, over; /* makespans and bounds; the largest over its bound */
};

static struct extent extent_of(const struct study *study)
{
    double unit = study->unit == UNIT_IS_TIME ? 1e6 : 1;
    struct extent e = {.least = study_at(study, 0, 0)->bound / unit, .over = 1};
    for (size_t i = 0; i < study->replicas.count; i++) {
        double bound = study_at(study, 0, i)->bound / unit;
        e.least = bound < e.least ? bound : e.least;
        e.most = bound > e.most ? bound : e.most;
        for (unsigned s = 0; s < STRATEGIES; s++) {
            const struct cfsplit_outcome *o = study_at(study, s, i);
            double over = o->alone.over > o->run.over ? o->alone.over : o->run.over; /* 0 for never */
            e.over = over > e.over ? over : e.over;
            e.most = over * bound > e.most ? over * bound : e.most;
        }
    }
    return e;
}

/* Numbers of replicas at this ratio do not overlap: ten of them in a picture. */
static double apart(const struct study *study)
{
    double range = (double)study->replicas.at[study->replicas.count - 1] / study->replicas.at[0], ratio = 1, tenth = 1;
    while (tenth < range) {
        ratio *= 1.05;
        tenth = ratio;
        for (int i = 1; i < 10; i++)
            tenth *= ratio;
    }
    return ratio;
}

/* The numbers of replicas themselves, but for those that would overlap. */
static void put_replicas(FILE *to, const struct study *study)
{
    const struct counts *r = &study->replicas;
    double next = 0, ratio = apart(study);
    fputs("set xtics (", to);
    for (size_t i = 0; i < r->count; i++)
        if (r->at[i] >= next) {
            fprintf(to, "%s%" PRIu32, i == 0 ? "" : ", ", r->at[i]);
            next = r->at[i] * ratio;
        }
    fprintf(to, ")\nset format x '%%.0f'\nset xrange [%g:%g]\n", r->at[0] / 1.1, r->at[r->count - 1] * 1.1);
}

/* Powers of ten and, of few of them, what is between. */
static void put_makespans(FILE *to, const struct extent *extent)
{
    static const int between[] = {1, 2, 5};
    size_t count = extent->most < 100 * extent->least ? 3 : 1, put = 0;
    fputs("set ytics (", to);
    for (int power = -7; power < 20; power++)
        for (size_t i = 0; i < count; i++)
            fprintf(to, "%s%de%d", put++ == 0 ? "" : ", ", between[i], power);
    fputs(")\n", to);
}

static void put_script(FILE *to, const struct study *study, const char *terminal)
{
    static const char *const units[] = {[UNIT_IS_ITEMS] = "items of equal length",
                                        [UNIT_IS_BYTES] = "bytes that one replica works through",
                                        [UNIT_IS_WEIGHT] = "unit of the weights",
                                        [UNIT_IS_TIME] = "s"};
    struct extent extent = extent_of(study);
    put_data(to, study);
    fprintf(to,
            "set terminal %s\nset multiplot title '%" PRIu64 " %s by %s'\n"
            "set logscale xy\nset grid lt 1 lw 1 lc rgb '#dddddd'\nset xlabel 'replicas'\nset key off\n",
            terminal, study->items, tool_items(study->items), study->weights);
    put_replicas(to, study);
    put_makespans(to, &extent);
    fprintf(to,
            "set yrange [%g:%g]\n"
            "set bmargin at screen 0.12\nset tmargin at screen 0.92\n"
            "set lmargin at screen 0.07\nset rmargin at screen 0.38\n"
            "set ylabel 'makespan (%s)'\nset format y '%s'\n"
            "plot $data using 1:2 with lines lw 4 lc rgb '#bbbbbb' title 'at least', ",
            extent.least / 1.2, extent.most * 1.2, units[study->unit], study->unit == UNIT_IS_TIME ? "%g" : "%.0s%c");
    put_curves(to, 0);
    fprintf(to,
            "set lmargin at screen 0.45\nset rmargin at screen 0.78\nset key at screen 0.99, 0.92 right top samplen 2\n"
            "set ylabel 'makespan over the least possible'\nset format y '%%g'\nset yrange [0.99:%g]\n"
            "set ytics (1, %s2, 5, 10, 20, 50, 100, 200, 500, 1000, 10000, 100000, 1000000)\n"
            "plot 1 with lines lw 4 lc rgb '#bbbbbb' title 'at least', ",
            extent.over > 1.1 ? extent.over * 1.05 : 1.15, extent.over > 5 ? "" : "1.05, 1.1, 1.2, 1.5, ");
    put_curves(to, 1);
    fputs("unset multiplot\n", to);
}

/* ---- gnuplot */

/* Runs it with files as its standard input and output. */
static cfsplit_status run_gnuplot(int from, int to, struct cfsplit_error *err)
{
    char program[] = "gnuplot", standard_input[] = "-";
    char *const arguments[] = {program, standard_input, NULL};
    posix_spawn_file_actions_t files;
    pid_t pid;
    int told;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, from, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, to, STDOUT_FILENO);
    int failed = posix_spawnp(&pid, program, &files, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    if (failed)
        return tool_fail(err, CFSPLIT_USAGE, "simulate: --plot draws with gnuplot, and it cannot be started: %s",
                         strerror(failed));
    while (waitpid(pid, &told, 0) < 0)
        if (errno != EINTR)
            return tool_fail(err, CFSPLIT_STORAGE, "simulate: gnuplot is lost: %s", strerror(errno));
    if (told != 0)
        return tool_fail(err, CFSPLIT_STORAGE, "simulate: gnuplot could not draw it (%s %d)",
                         WIFSIGNALED(told) ? "signal" : "exit", WIFSIGNALED(told) ? WTERMSIG(told) : WEXITSTATUS(told));
    return CFSPLIT_OK;
}

cfsplit_status plot_check(const char *path, struct cfsplit_error *err)
{
    if (!terminal_of(path))
        return tool_fail(err, CFSPLIT_USAGE, "simulate: --plot needs a name that ends in .svg or .png, not %s",
                         cfsplit_quote(path).text);
    FILE *nothing = tmpfile();
    if (!nothing)
        return tool_fail(err, CFSPLIT_STORAGE, "cannot make a temporary file: %s", strerror(errno));
    cfsplit_status status = run_gnuplot(fileno(nothing), fileno(nothing), err);
    fclose(nothing);
    return status;
}

static cfsplit_status cannot_write(const char *path, struct cfsplit_error *err)
{
    return tool_fail(err, CFSPLIT_STORAGE, "cannot write %s: %s", cfsplit_quote(path).text, strerror(errno));
}

static cfsplit_status draw_into(const struct study *study, const char *path, int picture, struct cfsplit_error *err)
{
    FILE *script = tmpfile();
    if (!script)
        return tool_fail(err, CFSPLIT_STORAGE, "cannot make a temporary file: %s", strerror(errno));
    put_script(script, study, terminal_of(path));
    bool written = fflush(script) == 0 && fseek(script, 0, SEEK_SET) == 0;
    cfsplit_status status = written
                                ? run_gnuplot(fileno(script), picture, err)
                                : tool_fail(err, CFSPLIT_STORAGE, "cannot write a temporary file: %s", strerror(errno));
    fclose(script);
    return status;
}

cfsplit_status plot_draw(const struct study *study, const char *path, struct cfsplit_error *err)
{
    char *new = NULL;
    if (asprintf(&new, "%s.%ld.new", path, (long)getpid()) < 0)
        return tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    int picture = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (picture < 0) {
        free(new);
        return cannot_write(path, err);
    }
    cfsplit_status status = draw_into(study, path, picture, err);
    if (close(picture) != 0 && status == CFSPLIT_OK)
        status = cannot_write(path, err);
    if (status == CFSPLIT_OK && rename(new, path) != 0)
        status = cannot_write(path, err);
    if (status != CFSPLIT_OK)
        unlink(new);
    free(new);
    return status;
}
