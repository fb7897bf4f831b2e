/* run.json: what is read is what was written, and any damage is found. */
#include "rundir/spec.h"

#include <stdlib.h>
#include <xxhash.h>

#include "base/buf.h"
#include "lib/check.h"

static struct cfsplit_error err;
static char *no_command[] = {NULL}, column[] = "column";

/* A spec of which every field is told from every other one. */
static struct csi_spec spec_of(char **command, size_t count, char *cwd)
{
    struct csi_spec spec = {.run_id = "0123456789abcdef0123456789abcdef",
                            .created_ms = 1234567890123,
                            .strategy = CFSPLIT_SIZE,
                            .replicas = 17,
                            .items = 123456,
                            .weight = INT64_MAX,
                            .list_digest = "fedcba9876543210fedcba9876543210",
                            .items_digest = UINT64_MAX,
                            .index_digest = 1,
                            .seed = UINT64_C(0x8000000000000000),
                            .group = 1,
                            .cwd = cwd,
                            .weights = column,
                            .command = command,
                            .command_count = count,
                            .options = CFSPLIT_RUN_OPTIONS_INIT};
    return spec;
}

static void same_options(const struct cfsplit_run_options *a, const struct cfsplit_run_options *b)
{
#define SAME(field, otherwise, what) CHECK_EQUAL(a->field, b->field);
    CFSPLIT_RUN_OPTION_LIST(SAME)
#undef SAME
    CHECK(memcmp(&a->reject_exit, &b->reject_exit, sizeof a->reject_exit) == 0);
    CHECK(memcmp(&a->later_exit, &b->later_exit, sizeof a->later_exit) == 0);
}

static void same_specs(const struct csi_spec *a, const struct csi_spec *b)
{
    CHECK_TEXT(a->run_id, b->run_id);
    CHECK_EQUAL(a->created_ms, b->created_ms);
    CHECK_EQUAL(a->strategy, b->strategy);
    CHECK_EQUAL(a->replicas, b->replicas);
    CHECK_EQUAL(a->items, b->items);
    CHECK_EQUAL(a->weight, b->weight);
    CHECK_TEXT(a->list_digest, b->list_digest);
    CHECK_EQUAL(a->items_digest, b->items_digest);
    CHECK_EQUAL(a->index_digest, b->index_digest);
    CHECK_EQUAL(a->seed, b->seed);
    CHECK_EQUAL(a->group, b->group);
    CHECK_TEXT(a->cwd, b->cwd);
    CHECK_TEXT(a->weights, b->weights);
    CHECK_EQUAL(a->command_count, b->command_count);
    for (size_t i = 0; i < a->command_count && i < b->command_count; i++)
        CHECK_TEXT(a->command[i], b->command[i]);
    CHECK(a->command[a->command_count] == NULL);
    same_options(&a->options, &b->options);
}

static void goes_round(const struct csi_spec *spec)
{
    struct csi_buf text = CSI_BUF_INIT, again = CSI_BUF_INIT;
    struct csi_spec got;
    CHECK_OK(csi_spec_encode(spec, &text, &err));
    CHECK_OK(csi_spec_decode(&got, text.data, text.length, "run.json", &err));
    same_specs(&got, spec);
    CHECK_OK(csi_spec_encode(&got, &again, &err));
    CHECK_TEXT(again.data, text.data);
    csi_spec_release(&got);
    csi_buf_release(&text);
    csi_buf_release(&again);
}

static void every_field_goes_round(void)
{
    static char program[] = "./one.sh", item[] = "{}", cwd[] = "/a/b";
    char *command[] = {program, item, NULL};
    struct csi_spec spec = spec_of(command, 2, cwd);
    goes_round(&spec);
    spec.group = 0;
    static char none[] = "";
    spec.weights = none;
    for (int s = CFSPLIT_CHUNK; s <= CFSPLIT_HASH; s++) {
        spec.strategy = (enum cfsplit_strategy)s;
        goes_round(&spec);
    }
    spec.items = spec.weight = spec.created_ms = 0;
    spec.replicas = CFSPLIT_REPLICAS_MAX;
    spec.command = no_command;
    spec.command_count = 0;
    goes_round(&spec);
}

static void every_option_goes_round(void)
{
    static char cwd[] = "/";
    struct csi_spec spec = spec_of(no_command, 0, cwd);
#define EACH(field, otherwise, what)                                                                                   \
    spec.options.field = 0;                                                                                            \
    goes_round(&spec);                                                                                                 \
    spec.options.field = INT64_MAX;                                                                                    \
    goes_round(&spec);
    CFSPLIT_RUN_OPTION_LIST(EACH)
#undef EACH
}

static void exit_codes_go_round(void)
{
    static char cwd[] = "/";
    struct csi_spec spec = spec_of(no_command, 0, cwd);
    spec.options.reject_exit.is_set = 1; /* given, and empty: wins over a plan's */
    goes_round(&spec);
    for (int code = 1; code < 256; code++) {
        spec.options.later_exit = (struct cfsplit_exit_codes){.is_set = 1};
        spec.options.later_exit.bits[code / 64] = UINT64_C(1) << code % 64;
        CHECK(csi_exit_codes_has(&spec.options.later_exit, code));
        CHECK(!csi_exit_codes_has(&spec.options.later_exit, code % 255 + 1));
        goes_round(&spec);
    }
    spec.options.reject_exit =
        (struct cfsplit_exit_codes){{UINT64_MAX - 1, UINT64_MAX, UINT64_MAX, UINT64_MAX}, .is_set = 1};
    goes_round(&spec);
}

static void any_bytes_go_round(void)
{
    static char all[256], cwd[] = "/\xff\xfe/\xc3\xa9/\\x41\\/\xed\xa0\x80", empty[] = "", escape[] = "\\xff\\t\\\\",
                          short_escape[] = "\\", cut[] = "\xc3", wide[] = "\xf0\x9f\x94\xad", json[] = "\"},{\x7f\x01/";
    for (int i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    char *command[] = {all, empty, escape, short_escape, cut, wide, json, NULL};
    struct csi_spec spec = spec_of(command, 7, cwd);
    goes_round(&spec);
}

static struct csi_buf small_text(void)
{
    static char program[] = "a\\\xff", cwd[] = "/";
    char *command[] = {program, NULL};
    struct csi_spec spec = spec_of(command, 1, cwd);
    struct csi_buf text = CSI_BUF_INIT;
    spec.options.retries = 3;
    spec.options.reject_exit = (struct cfsplit_exit_codes){{4}, .is_set = 1};
    CHECK_OK(csi_spec_encode(&spec, &text, &err));
    return text;
}

static cfsplit_status decode(const char *text, size_t length)
{
    struct csi_spec spec;
    cfsplit_status status = csi_spec_decode(&spec, text, length, "run.json", &err);
    csi_spec_release(&spec);
    return status;
}

static void every_flipped_bit_is_found(void)
{
    struct csi_buf text = small_text();
    for (size_t bit = 0; bit < 8 * text.length; bit++) {
        text.data[bit / 8] = (char)(text.data[bit / 8] ^ 1 << bit % 8);
        if (decode(text.data, text.length) != CFSPLIT_DAMAGED)
            CHECK_EQUAL(bit, -1);
        text.data[bit / 8] = (char)(text.data[bit / 8] ^ 1 << bit % 8);
    }
    CHECK_TEXT(err.message, "'run.json' is damaged at byte 0: its last line, the check, does not fit the rest");
    CHECK_OK(decode(text.data, text.length));
    csi_buf_release(&text);
}

static void every_other_length_is_found(void)
{
    struct csi_buf text = small_text();
    for (size_t length = 0; length < text.length; length++) {
        char *cut = malloc(length ? length : 1); /* its own, so that reading beyond is seen */
        memcpy(cut, text.data, length);
        if (decode(cut, length) != CFSPLIT_DAMAGED)
            CHECK_EQUAL(length, -1);
        free(cut);
    }
    csi_buf_add_char(&text, '\n');
    CHECK_EQUAL(decode(text.data, text.length), CFSPLIT_DAMAGED);
    csi_buf_release(&text);
}

/* The small text with `from` replaced by `to` (which is as long) and a check that fits. */
static struct csi_buf changed_text(const char *from, const char *to)
{
    struct csi_buf text = small_text();
    char *at = strstr(text.data, from), *check = strstr(text.data, ",\n \"check\""), digits[17];
    if (!at || !check) {
        CHECK_TEXT("not in the text", from);
        return text;
    }
    memcpy(at, to, strlen(to));
    snprintf(digits, sizeof digits, "%016" PRIx64, (uint64_t)XXH64(text.data, (size_t)(check - text.data), 0));
    memcpy(strchr(check + 10, ':') + 3, digits, 16);
    return text;
}

static cfsplit_status decode_changed(const char *from, const char *to)
{
    struct csi_buf text = changed_text(from, to);
    cfsplit_status status = decode(text.data, text.length);
    csi_buf_release(&text);
    return status;
}

static void newer_version_is_told(void)
{
    CHECK_OK(decode_changed("\"version\": 1", "\"version\": 1"));
    CHECK_EQUAL(decode_changed("\"version\": 1", "\"version\": 2"), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "'run.json' has format version 2, and this canfar-split reads version 1: use a newer one");
    CHECK_EQUAL(decode_changed("\"version\": 1", "\"version\": 0"), CFSPLIT_DAMAGED);
}

static void plan_need_not_say_how_it_weighed(void)
{
    struct csi_spec spec;
    struct csi_buf text = changed_text("\"weights\"", "\"weightz\"");
    CHECK_OK(csi_spec_decode(&spec, text.data, text.length, "run.json", &err));
    CHECK_TEXT(spec.weights, "");
    csi_spec_release(&spec);
    csi_buf_release(&text);
}

static void wrong_values_are_found(void)
{
    static const char *const changes[][2] = {{"\"size\"", "\"sIze\""},
                                             {"\"replicas\": 17", "\"replicas\": -7"},
                                             {"\"replicas\": 17", "\"replicas\": 00"},
                                             {"\"items\"", "\"itemz\""},
                                             {"123456,", "1234.6,"},
                                             {"\"fedc", "\"\\u41"},
                                             {"ffffffffffffffff", "fffffffffffffffg"},
                                             {"\"cwd\"", "\"cwD\""},
                                             {"\"column\"", "12345678"},
                                             {"\"seed\"", "\"items\""},
                                             {"\"command\"", "\"commane\""},
                                             {"\"retries\": 3", "\"retries\": t"},
                                             {"\"options\"", "\"optionz\""}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (decode_changed(changes[i][0], changes[i][1]) != CFSPLIT_DAMAGED)
            CHECK_TEXT(changes[i][1], changes[i][0]);
}

static void what_is_told_wins_over_the_plan(void)
{
    struct cfsplit_run_options told = CFSPLIT_RUN_OPTIONS_INIT, planned = CFSPLIT_RUN_OPTIONS_INIT;
    told.slots = 4;
    planned.slots = 5;
    planned.retries = 6;
    planned.reject_exit = (struct cfsplit_exit_codes){{2}, .is_set = 1};
    planned.later_exit = (struct cfsplit_exit_codes){{4}, .is_set = 1};
    told.later_exit = (struct cfsplit_exit_codes){.is_set = 1};
    csi_options_settle(&told, &planned);
    CHECK_EQUAL(told.slots, 4);
    CHECK_EQUAL(told.retries, 6);
    CHECK_EQUAL(told.grace_ms, 25000);
    CHECK_EQUAL(told.max_fails, CFSPLIT_UNSET);
    CHECK(csi_exit_codes_has(&told.reject_exit, 1));
    CHECK(!csi_exit_codes_has(&told.later_exit, 2));
}

int main(void)
{
    static const struct check_case cases[] = {
        {"every field goes round", every_field_goes_round},
        {"every option goes round", every_option_goes_round},
        {"sets of exit codes go round", exit_codes_go_round},
        {"a command and a folder of any bytes go round", any_bytes_go_round},
        {"every flipped bit is found", every_flipped_bit_is_found},
        {"a cut or longer text is found, whatever the length", every_other_length_is_found},
        {"a newer version is told by its number", newer_version_is_told},
        {"a plan need not say how its list was weighed", plan_need_not_say_how_it_weighed},
        {"a missing key and a wrong value are found", wrong_values_are_found},
        {"what a replica is told wins over the plan, the plan over the defaults", what_is_told_wins_over_the_plan},
    };
    return check_main("run.json", cases, sizeof cases / sizeof *cases);
}
