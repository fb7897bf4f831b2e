/* Stands in for libFuzzer in ordinary builds: hands every file of a corpus to the target as it is, and then changed at random,
 * digests mended, the same way in every run.
 * usage: fuzz_TARGET FOLDER [SEED [CHANGES]] */
#include <dirent.h>

#include "lib/fuzz.h"
#include "lib/random.h"

enum { room = 1 << 18 };

static struct random dice;

/* One to four small changes. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most)
{
    for (uint64_t i = random_below(&dice, 4) + 1; i > 0; i--) {
        size_t at = size ? (size_t)random_below(&dice, size) : 0, length = (size_t)random_below(&dice, 16) + 1;
        switch (random_below(&dice, 5)) {
        case 0: /* flip a bit */
            if (size)
                data[at] ^= (uint8_t)(1 << random_below(&dice, 8));
            break;
        case 1: /* another digit */
            if (size)
                data[at] = (uint8_t)('0' + random_below(&dice, 10));
            break;
        case 2: /* cut a piece out */
            length = length < size - at ? length : size - at;
            memmove(data + at, data + at + length, size - at - length);
            size -= length;
            break;
        case 3: /* copy a piece to another place */
            length = length < size - at ? length : size - at;
            if (size)
                memmove(data + random_below(&dice, size - length + 1), data + at, length);
            break;
        default: /* put one byte in */
            if (size < most) {
                memmove(data + at + 1, data + at, size - at);
                data[at] = (uint8_t)random_next(&dice);
                size++;
            }
        }
    }
    return size;
}

/* An exact copy, so that a sanitizer sees a read behind its end. */
static void hand_over(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    FUZZ_MUST(copy);
    memcpy(copy, data, size);
    FUZZ_MUST(LLVMFuzzerTestOneInput(copy, size) == 0);
    free(copy);
}

static void replay(const char *name, unsigned long changes)
{
    static uint8_t whole[room], changed[room];
    FILE *file = fopen(name, "rbe");
    FUZZ_MUST(file);
    size_t size = fread(whole, 1, room, file);
    FUZZ_MUST(feof(file) && fclose(file) == 0);
    hand_over(whole, size);
    memcpy(changed, whole, size);
    for (size_t now = size, i = 0; i < changes; i++) {
        if (i % 8 == 0) { /* up to eight changes on top of each other */
            memcpy(changed, whole, size);
            now = size;
        }
        now = LLVMFuzzerCustomMutator(changed, now, room, (unsigned)random_next(&dice));
        hand_over(changed, now);
    }
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    unsigned long changes = argc > 3 ? strtoul(argv[3], NULL, 10) : 64;
    dice.state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    int files = 0, count = argc > 1 ? scandir(argv[1], &entries, NULL, alphasort) : -1;
    for (int i = 0; i < count; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", argv[1], entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            printf("%s\n", name);
            fflush(stdout);
            replay(name, changes);
            files++;
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    if (files == 0) {
        fprintf(stderr, "usage: %s FOLDER [SEED [CHANGES]]; the folder holds files to hand over\n", argv[0]);
        return 2;
    }
    printf("%d files, each as it is and changed %lu times\n", files, changes);
    return 0;
}
