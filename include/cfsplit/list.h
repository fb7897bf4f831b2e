/* The list: the ordered items of a run, and where they come from.
 *
 * An item is a string, usually a path; any byte but NUL is legal in it, up to CFSPLIT_ITEM_BYTES_MAX. Items are not
 * files: nobody checks that they exist unless weights need it (cfsplit_list_weigh). Sources may be mixed and are kept in
 * the order they are added; what a pattern or a folder yields is sorted by bytes, never by locale, so that every replica
 * sees one order. A list is used by one thread at a time. */
#ifndef CFSPLIT_LIST_H
#define CFSPLIT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cfsplit/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CFSPLIT_ITEM_BYTES_MAX 60000u /* of one item; a plan stores lists in blocks of 64 KiB */

struct cfsplit_item {
    const char *name; /* NUL-terminated; the list's, until it is changed or freed */
    size_t length;    /* bytes, without the NUL */
    uint64_t weight;  /* unit of the caller's choice (bytes for cfsplit_list_weigh); 1 if never weighed */
};

struct cfsplit_list;

/* An empty list. Errors: CFSPLIT_MEMORY. Free with cfsplit_list_free. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_list_new(struct cfsplit_list **out, struct cfsplit_error *err);
CFSPLIT_API void cfsplit_list_free(struct cfsplit_list *list); /* NULL is fine */

/* Appends one item, copied. Errors: CFSPLIT_USAGE for an empty or overlong one or one that holds a NUL. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_list_add(struct cfsplit_list *list, const char *name, size_t length,
                                                             uint64_t weight, struct cfsplit_error *err);

/* Appends what a command-line argument means: itself, or, if it holds `*`, `?` or `[` and no file has that very name, the
 * matches of the pattern (glob(3) of libc). `img.fits[1]` whose file part exists is a CFITSIO extended name: an item.
 * Errors: CFSPLIT_USAGE if a pattern matches nothing or a folder in it cannot be read. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_list_add_argument(struct cfsplit_list *list, const char *argument,
                                                                      struct cfsplit_error *err);

/* How a file of items is written. */
#define CFSPLIT_LINES_NUL    1u /* items end with NUL, not with a newline; then CR is kept and an empty item is an error */
#define CFSPLIT_LINES_COLUMN 2u /* WEIGHT TAB ITEM; the weight is a decimal number below 2^63 */

/* Appends the items of a file, one a line; "-" is standard input. The last line need not end; empty lines are skipped;
 * CR LF is a line end. An LZ4 frame is recognised and read through. Reads to the end, so it blocks as the file does.
 * Errors: CFSPLIT_USAGE naming the file and line. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_list_add_file(struct cfsplit_list *list, const char *path,
                                                                  unsigned flags, struct cfsplit_error *err);

/* The items of such a file one by one, in memory that does not grow with it; blocks as the file does. */
struct cfsplit_lines;

/* Opens a file ("-": standard input, which close leaves open) before its first item. Errors: CFSPLIT_USAGE,
 * CFSPLIT_STORAGE, CFSPLIT_MEMORY. Close with cfsplit_lines_close; NULL is fine there. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_lines_open(const char *path, unsigned flags,
                                                               struct cfsplit_lines **out, struct cfsplit_error *err);
CFSPLIT_API void cfsplit_lines_close(struct cfsplit_lines *lines);

/* The next item; its name is the reader's until the next call. CFSPLIT_END behind the last one, err untouched.
 * Errors: as cfsplit_list_add_file, of a regular file also CFSPLIT_USAGE at its end if it has changed since it was opened; then
 * only close is left to do. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_lines_next(struct cfsplit_lines *lines, struct cfsplit_item *out,
                                                               struct cfsplit_error *err);

/* Whether the file can be read again (a regular file, not a pipe); and going back to where it was opened. */
CFSPLIT_API bool cfsplit_lines_can_rewind(const struct cfsplit_lines *lines);
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_lines_rewind(struct cfsplit_lines *lines,
                                                                 struct cfsplit_error *err);

/* How many items are left from here on; reads them all. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_lines_count(struct cfsplit_lines *lines, uint64_t *out,
                                                                struct cfsplit_error *err);

/* Appends what is left of a file that is being read. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_list_add_lines(struct cfsplit_list *list,
                                                                   struct cfsplit_lines *lines,
                                                                   struct cfsplit_error *err);

/* Appends the files below a folder whose basename matches (fnmatch(3); NULL: all), as DIR/sub/name, sorted by bytes.
 * Symbolic links to files count, to folders are not followed. Errors: CFSPLIT_USAGE if a folder cannot be read or nothing
 * matches. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_list_add_tree(struct cfsplit_list *list, const char *dir,
                                                                  const char *match, struct cfsplit_error *err);

/* Gives every item its size in bytes as weight (stat(2); of an extended name `f.fits[1]`, the file part's). A file of 0
 * bytes weighs 0. Errors: CFSPLIT_USAGE naming the first item that is not a file, weights unchanged. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_list_weigh(struct cfsplit_list *list, struct cfsplit_error *err);

enum cfsplit_duplicates { CFSPLIT_DUPLICATES_REFUSE, CFSPLIT_DUPLICATES_KEEP, CFSPLIT_DUPLICATES_DROP };

/* What to do with items that occur more than once: refuse (CFSPLIT_USAGE naming the first one), keep, or drop all but the
 * first. Time O(n), memory 12 bytes an item while it runs. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_list_resolve_duplicates(struct cfsplit_list *list,
                                                                            enum cfsplit_duplicates what,
                                                                            struct cfsplit_error *err);

CFSPLIT_API uint64_t cfsplit_list_count(const struct cfsplit_list *list);

/* Item i, 0 <= i < count. */
CFSPLIT_API struct cfsplit_item cfsplit_list_at(const struct cfsplit_list *list, uint64_t i);

/* The sum of all weights. Adding stops with CFSPLIT_USAGE before it could overflow 2^63. */
CFSPLIT_API uint64_t cfsplit_list_weight(const struct cfsplit_list *list);

/* A digest of the list: XXH3-128, seed 0, of every item's bytes and its NUL, in order; 32 hexadecimal digits. */
CFSPLIT_API void cfsplit_list_digest(const struct cfsplit_list *list, char out[33]);

#ifdef __cplusplus
}
#endif
#endif
