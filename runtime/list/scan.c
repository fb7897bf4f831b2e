#include "list/scan.h"

#include <string.h>

#include <cfsplit/list.h>

enum {
    wide = CSI_SCAN_MARK, /* bytes at a time */
    /* Of a line that is too long and lies in two texts, one holds half: that is odd. */
    long_line = CFSPLIT_ITEM_BYTES_MAX / 2 - 4 * wide
};

static bool ends_item(char c, enum csi_scan_mode mode)
{
    return c == (mode == CSI_SCAN_NUL ? '\0' : '\n');
}

/* Does an item begin at `at`, where a line does? */
static bool is_item(const struct csi_scan *scan, enum csi_scan_mode mode, size_t at)
{
    const char *text = scan->text;
    if (ends_item(text[at], mode))
        return false;
    return mode == CSI_SCAN_NUL || text[at] != '\r' || text[at + 1] != '\n';
}

/* Byte by byte up to `end`; true and *at if the item is there. */
static bool find_slowly(struct csi_scan *scan, enum csi_scan_mode mode, size_t *at, size_t end)
{
    const char *text = scan->text;
    for (; *at < end; ++*at) {
        bool begins = ends_item(text[(ptrdiff_t)*at - 1], mode), empty = begins && ends_item(text[*at], mode);
        scan->odd = scan->odd || (mode == CSI_SCAN_NUL ? empty : text[*at] == '\0');
        if (!begins || !is_item(scan, mode, *at))
            continue;
        if (scan->skip == 0)
            return true;
        scan->skip--;
    }
    return false;
}

size_t csi_scan_find_plain(struct csi_scan *scan, enum csi_scan_mode mode, size_t at)
{
    const char *text = scan->text;
    const char end = mode == CSI_SCAN_NUL ? '\0' : '\n';
    scan->odd = false;
    scan->marked = 0;
    while (at < scan->length) {
        size_t here = at + 1;
        if (find_slowly(scan, mode, &at, here))
            return at;
        at--; /* the end of the line that `at` is in */
        const char *stop = memchr(text + at, end, scan->length - at);
        size_t length = (stop ? (size_t)(stop - text) : scan->length) - at;
        if (length > long_line || (mode == CSI_SCAN_LINES && memchr(text + at, '\0', length)))
            scan->odd = true;
        at += length + (stop != NULL);
    }
    return scan->length;
}

#if defined(__x86_64__)
#include <immintrin.h>

struct masks {
    uint64_t ends[wide / 64]; /* a bit for each byte that ends an item */
    bool odd;                 /* a NUL or CR among them, in lines */
};

__attribute__((target("avx2"))) static inline struct masks look(const char *text, bool lines)
{
    const __m256i end = _mm256_set1_epi8(lines ? '\n' : '\0'), cr = _mm256_set1_epi8('\r');
    const __m256i zero = _mm256_setzero_si256();
    __m256i odd = zero;
    struct masks m;
    for (size_t i = 0; i < wide / 64; i++) {
        __m256i a = _mm256_loadu_si256((const void *)(text + 64 * i));
        __m256i b = _mm256_loadu_si256((const void *)(text + 64 * i + 32));
        uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, end));
        uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, end));
        m.ends[i] = low | (uint64_t)high << 32;
        if (lines) {
            __m256i smaller = _mm256_or_si256(_mm256_cmpeq_epi8(_mm256_min_epu8(a, b), zero),
                                              _mm256_or_si256(_mm256_cmpeq_epi8(a, cr), _mm256_cmpeq_epi8(b, cr)));
            odd = _mm256_or_si256(odd, smaller);
        }
    }
    m.odd = lines && !_mm256_testz_si256(odd, odd);
    return m;
}

/* The place of the bit behind `skip` others. */
__attribute__((target("bmi,popcnt"))) static inline size_t place_of(uint64_t bits, uint64_t skip)
{
    for (; skip; skip--)
        bits &= bits - 1;
    return (size_t)__builtin_ctzll(bits);
}

__attribute__((target("avx2,bmi,popcnt"))) static inline size_t find_wide(struct csi_scan *scan, bool lines, size_t at)
{
    const char *text = scan->text;
    const enum csi_scan_mode mode = lines ? CSI_SCAN_LINES : CSI_SCAN_NUL;
    uint64_t before = ends_item(text[(ptrdiff_t)at - 1], mode), skip = scan->skip, empty = 0;
    const uint64_t all = skip;
    size_t without_end = 0;
    scan->odd = false;
    scan->marked = 0;
    for (; at + wide <= scan->length; at += wide) {
        const struct masks m = look(text + at, lines);
        uint64_t any = 0;
        if (m.odd) { /* CR or NUL: byte by byte */
            scan->skip = skip;
            size_t stop = at;
            if (find_slowly(scan, mode, &stop, at + wide))
                return stop;
            skip = scan->skip;
            before = m.ends[wide / 64 - 1] >> 63;
            if (scan->marks)
                scan->marks[scan->marked++] = (uint32_t)(all - skip);
            without_end = m.ends[0] | m.ends[1] | m.ends[2] | m.ends[3] ? 0 : without_end + wide;
            if (scan->odd || without_end > long_line) {
                scan->odd = true;
                break;
            }
            continue;
        }
        for (size_t i = 0; i < wide / 64; i++) {
            uint64_t begins = m.ends[i] << 1 | before, items = begins & ~m.ends[i];
            uint64_t count = (uint64_t)__builtin_popcountll(items);
            if (skip < count) {
                scan->skip = 0;
                scan->odd = scan->odd || (!lines && empty);
                return at + 64 * i + place_of(items, skip);
            }
            skip -= count;
            before = m.ends[i] >> 63;
            any |= m.ends[i];
            empty |= begins & m.ends[i];
        }
        if (scan->marks)
            scan->marks[scan->marked++] = (uint32_t)(all - skip);
        without_end = any ? 0 : without_end + wide;
        if (without_end > long_line || (!lines && empty)) {
            scan->odd = true;
            break;
        }
    }
    scan->skip = skip;
    if (!scan->odd)
        find_slowly(scan, mode, &at, scan->length);
    return at;
}

__attribute__((target("avx2,bmi,popcnt"))) size_t csi_scan_find_wide(struct csi_scan *scan, enum csi_scan_mode mode,
                                                                     size_t at)
{
    return mode == CSI_SCAN_LINES ? find_wide(scan, true, at) : find_wide(scan, false, at);
}

bool csi_scan_is_wide(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
}
#else
size_t csi_scan_find_wide(struct csi_scan *scan, enum csi_scan_mode mode, size_t at)
{
    return csi_scan_find_plain(scan, mode, at);
}

bool csi_scan_is_wide(void)
{
    return false;
}
#endif

size_t csi_scan_find(struct csi_scan *scan, enum csi_scan_mode mode, size_t at)
{
    return csi_scan_is_wide() ? csi_scan_find_wide(scan, mode, at) : csi_scan_find_plain(scan, mode, at);
}
