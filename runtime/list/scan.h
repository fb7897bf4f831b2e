/* Where items begin in a text of lines, or of items that end with NUL: counted without looking at each of them. */
#ifndef CSI_LIST_SCAN_H
#define CSI_LIST_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How items end. Lines: '\n'; empty ones, and those of one CR, are no items. NUL: every item counts. */
enum csi_scan_mode { CSI_SCAN_LINES, CSI_SCAN_NUL };

/* One look at a text. What is odd is for somebody else to look at closely: a NUL in a line, an item of no bytes that ends with
 * NUL, a line that is too long or nearly so. */
struct csi_scan {
    const char
        *text; /* text[-1], the byte before it, may be read, and text[length], the one behind it: where the file begins
                         or ends, both hold what ends an item */
    size_t length;
    uint64_t skip;   /* in: items to go past; out: how many of them were not there */
    bool odd;        /* out */
    uint32_t *marks; /* NULL or: out, while counting from text[0]: how many items begin before text[256 * (i + 1)] */
    size_t marked;   /* out: so many marks */
};

#define CSI_SCAN_MARK 256 /* bytes from one mark to the next */

/* From text[at] on: the place of the item that begins behind `skip` others, or `length` if there are not as many. It is at or
 * before `length`, too, where something odd is, and means nothing then. */
size_t csi_scan_find(struct csi_scan *scan, enum csi_scan_mode mode, size_t at);

/* The two ways to do that, for their test. The second one needs csi_scan_is_wide. */
size_t csi_scan_find_plain(struct csi_scan *scan, enum csi_scan_mode mode, size_t at);
size_t csi_scan_find_wide(struct csi_scan *scan, enum csi_scan_mode mode, size_t at);
bool csi_scan_is_wide(void); /* has this machine AVX2 */

#endif
