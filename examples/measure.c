/* Measuring FITS images as a replica of a run: takes items through the library, beside any number of others of its kind and of
 * `canfar-split run`.
 *
 *   canfar-split plan stars.run --replicas 4 -r data --match '*.fits' [-- COMMAND...]
 *   REPLICA_ID=1 REPLICA_COUNT=4 example_measure stars.run RESULTS      (--spare at the end: a helper without a share)
 *   cc measure.c -o measure $(pkg-config --cflags --libs cfsplit cfitsio) -lm
 *
 * For item 17, RESULTS/17.txt holds a line for each image: HDU, pixels, mean, sigma, min, max. RESULTS is found from where the run was
 * planned, like the items. Exit codes are those of canfar-split: 75 after SIGTERM, run it again to go on. */
#include <fitsio.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cfsplit/cfsplit.h>

enum { pixels_at_once = 65536, dimensions_max = 99 };

struct moments {
    long long count;
    double mean, squares, min, max; /* squares: the sum of squared distances from the mean */
};

static void add(struct moments *m, double value)
{
    if (!isfinite(value)) /* a blank */
        return;
    double distance = value - m->mean;
    m->mean += distance / (double)++m->count;
    m->squares += distance * (value - m->mean);
    m->min = fmin(m->min, value);
    m->max = fmax(m->max, value);
}

/* How many pixels the current HDU has; 0 if it is no image. */
static LONGLONG count_pixels(fitsfile *file, int *status)
{
    LONGLONG sizes[dimensions_max], pixels = 1;
    int type = 0, dimensions = 0;
    fits_get_hdu_type(file, &type, status);
    if (*status || (type != IMAGE_HDU && !fits_is_compressed_image(file, status)))
        return 0;
    fits_get_img_dim(file, &dimensions, status);
    fits_get_img_sizell(file, dimensions_max, sizes, status);
    for (int i = 0; i < dimensions && !*status; i++)
        pixels *= sizes[i];
    return *status || dimensions == 0 ? 0 : pixels;
}

static struct moments measure(fitsfile *file, LONGLONG pixels, int *status)
{
    static double values[pixels_at_once];
    struct moments m = {.min = INFINITY, .max = -INFINITY};
    double blank = NAN;
    int any_blank;
    for (LONGLONG from = 0; from < pixels && !*status; from += pixels_at_once) {
        LONGLONG count = pixels - from < pixels_at_once ? pixels - from : pixels_at_once;
        if (fits_read_img(file, TDOUBLE, from + 1, count, &blank, values, &any_blank, status))
            break;
        for (LONGLONG i = 0; i < count; i++)
            add(&m, values[i]);
    }
    return m;
}

/* Writes a line for each image of a file; how many there are. */
static int measure_file(const char *name, FILE *to, int *status)
{
    fitsfile *file = NULL;
    int hdus = 0, images = 0;
    if (fits_open_file(&file, name, READONLY, status))
        return 0;
    fits_get_num_hdus(file, &hdus, status);
    for (int hdu = 1; hdu <= hdus && !*status; hdu++) {
        fits_movabs_hdu(file, hdu, NULL, status);
        LONGLONG pixels = count_pixels(file, status);
        if (pixels == 0)
            continue;
        struct moments m = measure(file, pixels, status);
        fprintf(to, "%d %lld %.10g %.10g %.10g %.10g\n", hdu, m.count, m.mean,
                m.count ? sqrt(m.squares / (double)m.count) : 0.0, m.min, m.max);
        images++;
    }
    int ignored = 0; /* a file that was read closes, or has told its error before */
    fits_close_file(file, &ignored);
    return images;
}

static cfsplit_status refuse(struct cfsplit_worker *worker, struct cfsplit_work *work, int status,
                             struct cfsplit_error *err)
{
    char text[FLEN_ERRMSG] = "";
    fits_get_errstatus(status, text);
    fits_clear_errmsg();
    /* what is no FITS file has nothing in it for us; everything else may be better the next time, or tells a fault */
    return status == END_OF_FILE || status == UNKNOWN_REC || status == NO_SIMPLE
               ? cfsplit_item_rejected(worker, work, text, err)
               : cfsplit_item_failed(worker, work, text, err);
}

/* One item: results go to a name with the attempt in it, and get their own name when they are whole. */
static cfsplit_status handle(struct cfsplit_worker *worker, struct cfsplit_work *work, const char *results,
                             struct cfsplit_error *err)
{
    char part[4096], whole[4096];
    snprintf(whole, sizeof whole, "%s/%" PRIu64 ".txt", results, work->index + 1);
    snprintf(part, sizeof part, "%s/%" PRIu64 ".txt.%" PRIu32, results, work->index + 1, work->attempt);
    FILE *to = fopen(part, "w");
    if (!to)
        return cfsplit_item_failed(worker, work, "cannot write the results", err);
    int status = 0, images = measure_file(work->name, to, &status);
    bool written = !ferror(to);
    written &= fclose(to) == 0;
    if (status == 0 && images > 0 && written && rename(part, whole) == 0)
        return cfsplit_item_done(worker, work, err);
    unlink(part);
    if (status)
        return refuse(worker, work, status, err);
    return images == 0 ? cfsplit_item_rejected(worker, work, "no image in it", err)
                       : cfsplit_item_failed(worker, work, "cannot write the results", err);
}

/* SIGTERM: the item in hand is ended, and no other begun. A program that dies of it leaves that item under suspicion. */
static volatile sig_atomic_t told_to_stop;

static void on_term(int number)
{
    told_to_stop = number;
}

static cfsplit_status handle_all(struct cfsplit_worker *worker, const char *results, struct cfsplit_error *err)
{
    struct cfsplit_work *work = NULL;
    cfsplit_status status = CFSPLIT_OK;
    while (status == CFSPLIT_OK && !told_to_stop && (status = cfsplit_item_next(worker, &work, err)) == CFSPLIT_OK)
        status = handle(worker, work, results, err);
    if (status != CFSPLIT_OK)
        return status;
    snprintf(err->message, sizeof err->message, "told to stop before the end; to go on, run it again");
    return CFSPLIT_STOPPED;
}

static void say(void *context, const char *sentence)
{
    (void)context;
    fprintf(stderr, "%s\n", sentence);
}

int main(int argc, char **argv)
{
    struct cfsplit_worker_options options = {.size = sizeof options, .say = say};
    struct cfsplit_worker_result result = {0};
    struct cfsplit_worker *worker = NULL;
    struct cfsplit_error err = {0}, last;
    struct sigaction action = {.sa_handler = on_term, .sa_flags = SA_RESTART};
    if (argc < 3) {
        fprintf(stderr, "usage: %s RUN RESULTS [--spare]\n", argv[0]);
        return 2;
    }
    sigaction(SIGTERM, &action, NULL);
    options.spare = argc > 3 && strcmp(argv[3], "--spare") == 0;
    cfsplit_status status = cfsplit_worker_open(argv[1], &options, &worker, &err);
    if (status == CFSPLIT_OK && chdir(cfsplit_worker_cwd(worker)) != 0) {
        perror(cfsplit_worker_cwd(worker));
        status = CFSPLIT_USAGE;
    }
    mkdir(argv[2], 0777); /* it may be there; if it cannot be made, the first item says so */
    if (status == CFSPLIT_OK)
        status = handle_all(worker, argv[2], &err);
    if (status != CFSPLIT_OK && status != CFSPLIT_END)
        fprintf(stderr, "%s\n", err.message);
    /* From here on what was noted is accepted, and inputs might be deleted; or it is late. */
    cfsplit_status closed = cfsplit_worker_close(worker, &result, &last);
    if (closed != CFSPLIT_OK && closed != status)
        fprintf(stderr, "%s\n", last.message);
    fprintf(stderr, "%" PRIu64 " done, %" PRIu64 " rejected, %" PRIu64 " failed, %" PRIu64 " left\n", result.done,
            result.rejected, result.failed, result.not_started);
    if (status == CFSPLIT_OK || status == CFSPLIT_END)
        status = closed;
    return status == CFSPLIT_OK && result.failed ? 1 : cfsplit_status_exit_code(status);
}
