/* What can be heard of a life whose process cannot be seen. */
#include "view/survey.h"

#include "lib/check.h"

enum { stall_ms = 60000 };

static void one_look_knows_nothing(void)
{
    struct csi_heard heard = {0};
    CHECK_EQUAL(csi_heard_take(&heard, 7, 1000, true, stall_ms), CSI_HEARD_NOTHING);
    CHECK_EQUAL(csi_heard_take(&heard, 7, 1000 + stall_ms - 1, false, stall_ms), CSI_HEARD_NOTHING);
}

static void a_beat_between_two_looks_is_heard(void)
{
    struct csi_heard heard = {0};
    CHECK_EQUAL(csi_heard_take(&heard, 7, 1000, false, stall_ms), CSI_HEARD_NOTHING);
    CHECK_EQUAL(csi_heard_take(&heard, 8, 3000, false, stall_ms), CSI_HEARD_BEATS);
    CHECK_EQUAL(csi_heard_take(&heard, 8, 3000 + stall_ms - 1, false, stall_ms), CSI_HEARD_BEATS);
}

static void no_beat_for_long_enough_is_silence(void)
{
    struct csi_heard heard = {0};
    CHECK_EQUAL(csi_heard_take(&heard, 7, 1000, false, stall_ms), CSI_HEARD_NOTHING);
    CHECK_EQUAL(csi_heard_take(&heard, 7, 1000 + stall_ms, false, stall_ms), CSI_HEARD_SILENCE);
    CHECK_EQUAL(csi_heard_take(&heard, 8, 2000 + stall_ms, false, stall_ms), CSI_HEARD_BEATS);
    CHECK_EQUAL(csi_heard_take(&heard, 8, 1999 + 2 * stall_ms, false, stall_ms), CSI_HEARD_BEATS);
    CHECK_EQUAL(csi_heard_take(&heard, 8, 2000 + 2 * stall_ms, false, stall_ms), CSI_HEARD_SILENCE);
}

static void who_was_away_knows_nothing(void)
{
    struct csi_heard heard = {0};
    CHECK_EQUAL(csi_heard_take(&heard, 7, 1000, false, stall_ms), CSI_HEARD_NOTHING);
    CHECK_EQUAL(csi_heard_take(&heard, 7, 1000 + 5 * stall_ms, true, stall_ms), CSI_HEARD_NOTHING);
    CHECK_EQUAL(csi_heard_take(&heard, 7, 999 + 6 * stall_ms, false, stall_ms), CSI_HEARD_NOTHING);
    CHECK_EQUAL(csi_heard_take(&heard, 7, 1000 + 6 * stall_ms, false, stall_ms), CSI_HEARD_SILENCE);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"one look knows nothing", one_look_knows_nothing},
        {"a beat between two looks is heard", a_beat_between_two_looks_is_heard},
        {"no beat for long enough is silence", no_beat_for_long_enough_is_silence},
        {"who was away knows nothing", who_was_away_knows_nothing},
    };
    return check_main("what is heard of a life", cases, sizeof cases / sizeof *cases);
}
