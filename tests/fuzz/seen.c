/* coordinator/seen-<K> */
#include "lib/fuzz.h"
#include "view/survey.h"

#define NAME "c3-0123456789abcdef"

static size_t mend(uint8_t *data, size_t size, size_t room)
{
    (void)data;
    (void)room;
    return size; /* it has no digest */
}

FUZZ_MENDS(mend)

static void add(void *context, const char *name, const struct cfsplit_queue_worker *worker)
{
    size_t *count = context;
    uint32_t replica;
    FUZZ_MUST(strlen(name) < CSI_INC_BYTES && csi_inc_is_name(name, &replica));
    FUZZ_MUST(worker->connected == 1 && worker->running == NULL && worker->running_count == 0);
    FUZZ_MUST(worker->slots <= INT64_MAX && worker->held <= INT64_MAX && worker->heard_ms <= INT64_MAX);
    ++*count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cfsplit_queue_view view = {.name = NAME};
    size_t count = 0;
    bool known = csi_survey_queue_parse((const char *)data, size, &view, add, &count);
    FUZZ_MUST(known == (view.told == 1) && (known || count == 0));
    FUZZ_MUST(view.connected <= INT64_MAX && view.refused <= INT64_MAX && view.held <= INT64_MAX);
    FUZZ_MUST(!known || memchr(data, '\n', size));
    return 0;
}
