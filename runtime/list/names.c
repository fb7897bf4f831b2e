#include "list/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { key_bytes = 8, few = 12 };

bool csi_names_add(struct csi_names *names, const char *folder, size_t folder_length, const char *name, size_t length)
{
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 1024;
        size_t *at = realloc(names->at, room * sizeof *at);
        if (!at)
            return false;
        names->at = at;
        names->room = room;
    }
    if (!csi_buf_reserve(&names->text, folder_length + length + 1 + key_bytes))
        return false;
    names->at[names->count++] = names->text.length;
    csi_buf_add(&names->text, folder, folder_length);
    csi_buf_add(&names->text, name, length);
    csi_buf_add_char(&names->text, '\0');
    memset(names->text.data + names->text.length, 0, key_bytes);
    return true;
}

void csi_names_release(struct csi_names *names)
{
    csi_buf_release(&names->text);
    free(names->at);
    *names = (struct csi_names){0};
}

/* ---- multikey quicksort, 8 bytes at a time (Bentley and Sedgewick 1997) */

/* The bytes as a number that is ordered as they are, with nothing from behind the NUL. */
static uint64_t key_of(const char *text)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    unsigned char bytes[key_bytes];
    uint64_t key = 0;
    memcpy(bytes, text, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        key = key << 8 | bytes[i];
    uint64_t zeros = ~(((key & low) + low) | key | low); /* 0x80 in each byte that is 0 */
    if (!zeros)
        return key;
    int before = __builtin_clzll(zeros);
    return before ? key & ~(~UINT64_C(0) >> before) : 0;
}

static bool has_ended(uint64_t key)
{
    return (key & 0xff) == 0;
}

static int compare(const struct csi_name *a, const struct csi_name *b, size_t depth)
{
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return has_ended(a->key) ? 0 : strcmp(a->text + depth + key_bytes, b->text + depth + key_bytes);
}

static void sort_few(struct csi_name *names, size_t count, size_t depth)
{
    for (size_t i = 1; i < count; i++) {
        struct csi_name name = names[i];
        size_t to = i;
        for (; to > 0 && compare(&name, &names[to - 1], depth) < 0; to--)
            names[to] = names[to - 1];
        names[to] = name;
    }
}

static uint64_t middle_of(uint64_t a, uint64_t b, uint64_t c)
{
    if (a < b)
        return b < c ? b : a < c ? c : a;
    return a < c ? a : b < c ? c : b;
}

static uint64_t choose_pivot(const struct csi_name *names, size_t count)
{
    const size_t step = count / 9;
    uint64_t middles[3];
    for (size_t i = 0; i < 3; i++)
        middles[i] = middle_of(names[3 * i * step].key, names[(3 * i + 1) * step].key, names[(3 * i + 2) * step].key);
    return middle_of(middles[0], middles[1], middles[2]);
}

/* Names from first to end; their keys are those at `depth`. */
struct range {
    struct csi_name *first;
    size_t count, depth;
};

/* Into those with a smaller key, the same, a larger one. */
static void partition(struct range all, struct range parts[3])
{
    uint64_t pivot = choose_pivot(all.first, all.count);
    struct csi_name *low = all.first, *at = all.first, *high = all.first + all.count;
    while (at < high) {
        struct csi_name name = *at;
        if (name.key < pivot) {
            *at++ = *low;
            *low++ = name;
        } else if (name.key > pivot) {
            *at = *--high;
            *high = name;
        } else {
            at++;
        }
    }
    parts[0] = (struct range){all.first, (size_t)(low - all.first), all.depth};
    parts[1] = (struct range){low, has_ended(pivot) ? 0 : (size_t)(high - low), all.depth + key_bytes};
    parts[2] = (struct range){high, (size_t)(all.first + all.count - high), all.depth};
    for (size_t i = 0; i < parts[1].count; i++)
        low[i].key = key_of(low[i].text + parts[1].depth);
}

/* Goes on with the largest part and calls itself for the others, each at most half as large. */
static void sort_range(struct range range)
{
    while (range.count > few) {
        struct range parts[3];
        partition(range, parts);
        size_t largest = parts[1].count > parts[0].count;
        if (parts[2].count > parts[largest].count)
            largest = 2;
        for (size_t i = 0; i < 3; i++)
            if (i != largest)
                sort_range(parts[i]);
        range = parts[largest];
    }
    sort_few(range.first, range.count, range.depth);
}

void csi_names_sort(struct csi_name *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        names[i].key = key_of(names[i].text);
    sort_range((struct range){names, count, 0});
}

static cfsplit_status add_name(struct cfsplit_list *list, struct csi_buf *whole, size_t prefix, const char *name,
                               struct cfsplit_error *err)
{
    if (prefix == 0)
        return cfsplit_list_add(list, name, strlen(name), 1, err);
    whole->length = prefix;
    csi_buf_add_text(whole, name);
    return whole->failed ? csi_fail_memory(err) : cfsplit_list_add(list, whole->data, whole->length, 1, err);
}

cfsplit_status csi_list_add_names(struct cfsplit_list *list, const char *prefix, struct csi_names *sets,
                                  size_t set_count, struct cfsplit_error *err)
{
    size_t count = 0, length = strlen(prefix);
    struct csi_buf whole = CSI_BUF_INIT;
    for (size_t s = 0; s < set_count; s++)
        count += sets[s].count;
    struct csi_name *names = malloc((count + 1) * sizeof *names), *name = names;
    if (!names)
        return csi_fail_memory(err);
    for (size_t s = 0; s < set_count; s++)
        for (size_t i = 0; i < sets[s].count; i++)
            (name++)->text = sets[s].text.data + sets[s].at[i];
    csi_names_sort(names, count);
    csi_buf_add(&whole, prefix, length);
    cfsplit_status status = CFSPLIT_OK;
    for (size_t i = 0; status == CFSPLIT_OK && i < count; i++)
        status = add_name(list, &whole, length, names[i].text, err);
    csi_buf_release(&whole);
    free(names);
    return status;
}
