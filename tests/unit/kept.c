/* A command that is kept and never answers: when that is said, and when not. */
#include "node/kept.h"

#include "lib/check.h"

static struct cfsplit_error err;
static unsigned said;
static char last[512];

static void note(void *context, const char *sentence)
{
    (void)context;
    said++;
    snprintf(last, sizeof last, "%s", sentence);
}

/* A replica with two slots, whose commands got items 5 and 6 at 1,000 and 2,000 ms. */
struct scene {
    struct csi_replica r;
    struct csi_at_work at_work[2];
    struct cfsplit_item items[2];
    struct csi_held held;
};

static void scene_init(struct scene *s, enum cfsplit_keep keep)
{
    *s = (struct scene){.at_work = {{.busy = true, .index = 5, .given_ms = 1000, .attempt = 1},
                                    {.busy = true, .index = 6, .given_ms = 2000, .attempt = 1}},
                        .items = {{.name = "c d", .length = 3}, {.name = "e", .length = 1}}};
    s->held.items = (struct csi_items){.first = 5, .count = 2, .at = s->items};
    CHECK_OK(csi_ledger_init(&s->held.ledger, 5, 2, &err));
    s->r.at_work = s->at_work;
    s->r.life.options.slots = 2;
    s->r.life.options.keep = keep;
    s->r.life.voice.say = note;
    s->r.life.feed.held = &s->held;
    s->r.life.feed.held_count = 1;
    said = 0;
}

static unsigned said_at(struct scene *s, uint64_t now_ms)
{
    s->r.now = now_ms;
    csi_kept_tell_mute(&s->r);
    return said;
}

static void silence_is_told_once(void)
{
    struct scene s;
    scene_init(&s, CFSPLIT_KEEP_LINES);
    CHECK_EQUAL(said_at(&s, 1000), 0);
    CHECK_EQUAL(said_at(&s, 60999), 0);
    CHECK_EQUAL(said_at(&s, 61000), 1);
    CHECK_TEXT(
        last, "the command has had 'c d' for 60 s and has answered nothing yet: does it read an item a line, and flush "
              "its answers?");
    CHECK_EQUAL(said_at(&s, 62000), 1);
    CHECK_EQUAL(said_at(&s, 600000), 1);
    csi_ledger_fini(&s.held.ledger);
}

static void nul_is_told(void)
{
    struct scene s;
    scene_init(&s, CFSPLIT_KEEP_NUL);
    CHECK_EQUAL(said_at(&s, 61000), 1);
    CHECK(strstr(last, "does it read items that end with NUL (-0), and flush its answers?") != NULL);
    csi_ledger_fini(&s.held.ledger);
}

static void what_has_ended_is_not_waited_for(void)
{
    struct scene s;
    scene_init(&s, CFSPLIT_KEEP_LINES);
    s.at_work[0].busy = false;
    CHECK_EQUAL(said_at(&s, 61999), 0);
    CHECK_EQUAL(said_at(&s, 62000), 1);
    CHECK(strstr(last, "has had 'e' for 60 s") != NULL);
    csi_ledger_fini(&s.held.ledger);
}

static void who_answers_may_be_slow(void)
{
    struct scene s;
    const struct csi_exec_end end = {.tag = 0, .answer = CSI_ANSWER_DONE};
    scene_init(&s, CFSPLIT_KEEP_LINES);
    CHECK_EQUAL(csi_kept_class(&s.r, &end, CSI_FAILED), CSI_DONE);
    s.at_work[0].busy = false;
    CHECK_EQUAL(said_at(&s, 3600000), 0);
    csi_ledger_fini(&s.held.ledger);
}

static void other_commands_do_not_answer(void)
{
    struct scene s;
    scene_init(&s, CFSPLIT_KEEP_NOT);
    CHECK_EQUAL(said_at(&s, 3600000), 0);
    csi_ledger_fini(&s.held.ledger);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"that a command answers nothing is told once, after a minute", silence_is_told_once},
        {"with -0 it is asked for that", nul_is_told},
        {"an item that has ended is not waited for", what_has_ended_is_not_waited_for},
        {"once one has answered, an item may take long", who_answers_may_be_slow},
        {"commands that are not kept answer nothing", other_commands_do_not_answer},
    };
    return check_main("a command that is kept and does not answer", cases, sizeof cases / sizeof *cases);
}
