/* The command template: a user's command with GNU parallel's words in it, and the argv it becomes for one item.
 *
 *     {}    the item                          a/b.fits.gz
 *     {/}   its basename                      b.fits.gz
 *     {//}  its folder, "." if it has none    a
 *     {.}   without extension                 a/b
 *     {/.}  basename without extension        b
 *     {#}   the item's number, from 1         17
 *
 * The extension: .gz, .fz, .bz2 or .Z is dropped first, once, then one more ".something". A basename that begins with a dot
 * has none of its own (".fits" stays), a dot in a folder's name is not one, and "a." has none. Slashes at the end count as
 * for basename(1): "d/x/" is x in d. What else stands in braces is left alone. If no word occurs anywhere in the command,
 * the item is added as its last argument.
 *
 * No shell is asked: the argv goes to exec as it is, whatever bytes the item has. An item that begins with '-' is passed
 * as it is too: a command that could take it for an option wants "--" or "./{}". With `shell`, the command's words joined
 * by spaces are one line for `/bin/sh -c`, and every value is put in single quotes: write {} bare there, not "{}". */
#ifndef CSI_EXEC_TEMPLATE_H
#define CSI_EXEC_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* An argv and the bytes behind it: used again for item after item, so that nothing is allocated once it has grown. */
struct csi_argv {
    char **argv; /* NULL-terminated; valid until the next use */
    size_t count;
    size_t room;          /* pointers that argv has room for */
    struct csi_buf bytes; /* the strings, one after the other */
};

#define CSI_ARGV_INIT                                                                                                  \
    {                                                                                                                  \
        0                                                                                                              \
    }

void csi_argv_release(struct csi_argv *argv); /* frees; it is empty and usable again */

struct csi_template;

/* A template of `count` words, copied. Errors: CFSPLIT_USAGE for no words or an empty program, CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_template_new(char *const *argv, size_t count, bool shell, struct csi_template **out,
                                                 struct cfsplit_error *err);
void csi_template_free(struct csi_template *t); /* NULL is fine */

/* The same of a command that is kept: items come on its stdin, so that none of the words above may be in it, and no item is
 * added. Errors: CFSPLIT_USAGE too for a word. */
CFSPLIT_MUST_USE cfsplit_status csi_template_new_kept(char *const *argv, size_t count, bool shell,
                                                      struct csi_template **out, struct cfsplit_error *err);

/* The program to be found once for all items (csi_child_find): "/bin/sh" with `shell`, else the first word; NULL if it has
 * one of the words above in it, so that it must be found for each item. The template's. */
const char *csi_template_program(const struct csi_template *t);

/* The argv of one item. `number` is printed as it is given. Errors: CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_template_expand(const struct csi_template *t, const char *item, uint64_t number,
                                                    struct csi_argv *out, struct cfsplit_error *err);

#endif
