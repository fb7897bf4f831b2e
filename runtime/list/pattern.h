/* Patterns, and the names that only look like one. */
#ifndef CSI_LIST_PATTERN_H
#define CSI_LIST_PATTERN_H

#include <locale.h>
#include <stddef.h>
#include <sys/stat.h>

/* `img.fits[1]`: looks at the file part of a CFITSIO extended name, which is all before some `[` in a name that ends with
 * `]`. 0 and *st if there is such a file (not a folder), else -1. */
int csi_extended_stat(const char *name, struct stat *st);

/* Makes this thread match bytes as in the C locale, whatever locale the program has chosen, until csi_bytes_end: `[a-z]`
 * means the same on every replica. -1: no memory for it, nothing has changed. */
struct csi_bytes {
    locale_t bytes, before;
};
int csi_bytes_begin(struct csi_bytes *b);
void csi_bytes_end(struct csi_bytes *b);

#endif
