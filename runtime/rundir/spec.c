#include "rundir/spec.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/text.h"

static const char check_key[] = ",\n \"check\": \"";

/* argv and paths are bytes, JSON is UTF-8: what is not UTF-8 is written \xNN, a backslash doubled. */
static json_t *json_of_bytes(const char *bytes)
{
    struct csi_buf text = CSI_BUF_INIT;
    for (size_t left = strlen(bytes); left > 0;) {
        size_t n = csi_text_utf8((const unsigned char *)bytes, left);
        if (n > 1)
            csi_buf_add(&text, bytes, n);
        else if (n == 1)
            csi_buf_add(&text, *bytes == '\\' ? "\\\\" : bytes, *bytes == '\\' ? 2 : 1);
        else
            csi_buf_addf(&text, "\\x%02x", (unsigned char)*bytes);
        n = n ? n : 1;
        bytes += n;
        left -= n;
    }
    json_t *value = text.failed ? NULL : json_stringn(text.data ? text.data : "", text.length);
    csi_buf_release(&text);
    return value;
}

static char *bytes_of_json(const json_t *value)
{
    const char *text = json_string_value(value);
    char *bytes = text ? strdup(text) : NULL;
    if (bytes)
        bytes[csi_text_unescape(bytes, strlen(bytes))] = '\0';
    return bytes;
}

static json_t *json_of_hex(uint64_t value)
{
    return json_sprintf("%016" PRIx64, value);
}

static json_t *json_of_codes(const struct cfsplit_exit_codes *codes)
{
    json_t *array = json_array();
    for (int code = 1; code < 256; code++)
        if (csi_exit_codes_has(codes, code))
            json_array_append_new(array, json_integer(code));
    return array;
}

static json_t *json_of_options(const struct cfsplit_run_options *options)
{
    json_t *object = json_object();
#define PUT(field, otherwise, what)                                                                                    \
    if (options->field != CFSPLIT_UNSET)                                                                               \
        json_object_set_new(object, #field, json_integer((json_int_t)options->field));
    CFSPLIT_RUN_OPTION_LIST(PUT)
#undef PUT
    if (options->reject_exit.is_set)
        json_object_set_new(object, "reject_exit", json_of_codes(&options->reject_exit));
    if (options->later_exit.is_set)
        json_object_set_new(object, "later_exit", json_of_codes(&options->later_exit));
    return object;
}

static json_t *json_of_spec(const struct csi_spec *spec)
{
    json_t *root = json_object(), *command = json_array();
    for (size_t i = 0; i < spec->command_count; i++)
        json_array_append_new(command, json_of_bytes(spec->command[i]));
    json_object_set_new(root, "format", json_string("canfar-split run"));
    json_object_set_new(root, "version", json_integer(CSI_FORMAT_VERSION));
    json_object_set_new(root, "run_id", json_string(spec->run_id));
    json_object_set_new(root, "created_ms", json_integer((json_int_t)spec->created_ms));
    json_object_set_new(root, "strategy", json_string(cfsplit_strategy_word(spec->strategy)));
    json_object_set_new(root, "replicas", json_integer(spec->replicas));
    json_object_set_new(root, "items", json_integer((json_int_t)spec->items));
    json_object_set_new(root, "weight", json_integer((json_int_t)spec->weight));
    json_object_set_new(root, "list_digest", json_string(spec->list_digest));
    json_object_set_new(root, "items_digest", json_of_hex(spec->items_digest));
    json_object_set_new(root, "index_digest", json_of_hex(spec->index_digest));
    json_object_set_new(root, "cwd", json_of_bytes(spec->cwd));
    json_object_set_new(root, "weights", json_of_bytes(spec->weights));
    json_object_set_new(root, "command", command);
    json_object_set_new(root, "group", json_boolean(spec->group));
    json_object_set_new(root, "seed", json_of_hex(spec->seed));
    json_object_set_new(root, "options", json_of_options(&spec->options));
    return root;
}

cfsplit_status csi_spec_encode(const struct csi_spec *spec, struct csi_buf *out, struct cfsplit_error *err)
{
    json_t *root = json_of_spec(spec);
    char *text = json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    size_t count = json_object_size(root), length = text ? strlen(text) : 0;
    json_decref(root);
    if (!text || count != 17 || length < 2) {
        free(text);
        return csi_fail_memory(err);
    }
    length -= 2; /* "\n}" */
    csi_buf_add(out, text, length);
    csi_buf_addf(out, "%s%016" PRIx64 "\"\n}\n", check_key, (uint64_t)XXH64(text, length, 0));
    free(text);
    return csi_buf_check(out, err);
}

static cfsplit_status damaged(const char *name, int offset, const char *what, struct cfsplit_error *err)
{
    return csi_fail(err, CFSPLIT_DAMAGED, "%s is damaged at byte %d: %s", csi_quote(name).text, offset, what);
}

static bool check_fits(const char *text, size_t length)
{
    const size_t key = sizeof check_key - 1, tail = key + 16 + 4;
    uint64_t wanted;
    if (length <= tail)
        return false;
    const char *at = text + length - tail;
    return memcmp(at, check_key, key) == 0 && memcmp(at + key + 16, "\"\n}\n", 4) == 0 &&
           csi_text_hex(at + key, 16, &wanted) && wanted == XXH64(text, length - tail, 0);
}

static bool get_u64(const json_t *root, const char *key, uint64_t *out)
{
    const json_t *value = json_object_get(root, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static bool get_hex(const json_t *root, const char *key, uint64_t *out)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text && csi_text_hex(text, strlen(text), out);
}

static bool get_digest(const json_t *root, const char *key, char out[33])
{
    const char *text = json_string_value(json_object_get(root, key));
    uint64_t half;
    if (!text || strlen(text) != 32 || !csi_text_hex(text, 16, &half) || !csi_text_hex(text + 16, 16, &half))
        return false;
    memcpy(out, text, 33);
    return true;
}

static bool get_codes(const json_t *root, const char *key, struct cfsplit_exit_codes *codes)
{
    const json_t *array = json_object_get(root, key);
    if (!array)
        return true;
    codes->is_set = 1;
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_int_t code = json_integer_value(json_array_get(array, i));
        if (code < 1 || code > 255)
            return false;
        codes->bits[code / 64] |= UINT64_C(1) << code % 64;
    }
    return json_is_array(array);
}

static bool get_options(const json_t *root, struct cfsplit_run_options *options)
{
    const json_t *object = json_object_get(root, "options");
    *options = (struct cfsplit_run_options)CFSPLIT_RUN_OPTIONS_INIT;
#define GET(field, otherwise, what)                                                                                    \
    if (json_object_get(object, #field) && !get_u64(object, #field, &options->field))                                  \
        return false;
    CFSPLIT_RUN_OPTION_LIST(GET)
#undef GET
    return json_is_object(object) && get_codes(object, "reject_exit", &options->reject_exit) &&
           get_codes(object, "later_exit", &options->later_exit);
}

static bool get_command(const json_t *root, struct csi_spec *spec)
{
    const json_t *array = json_object_get(root, "command");
    size_t count = json_array_size(array);
    spec->command = calloc(count + 1, sizeof *spec->command);
    if (!spec->command || !json_is_array(array))
        return false;
    for (size_t i = 0; i < count; i++, spec->command_count++)
        if (!(spec->command[i] = bytes_of_json(json_array_get(array, i))))
            return false;
    return true;
}

/* Not every plan says it. */
static bool get_weights(const json_t *root, struct csi_spec *spec)
{
    const json_t *value = json_object_get(root, "weights");
    spec->weights = value ? bytes_of_json(value) : strdup("");
    return spec->weights != NULL;
}

static bool get_spec(const json_t *root, struct csi_spec *spec)
{
    const char *strategy = json_string_value(json_object_get(root, "strategy"));
    uint64_t replicas = 0;
    spec->cwd = bytes_of_json(json_object_get(root, "cwd"));
    spec->group = json_is_true(json_object_get(root, "group"));
    bool good = get_digest(root, "run_id", spec->run_id) && get_u64(root, "created_ms", &spec->created_ms) &&
                strategy && cfsplit_strategy_find(strategy, &spec->strategy, NULL) == CFSPLIT_OK &&
                get_u64(root, "replicas", &replicas) && replicas > 0 && replicas <= CFSPLIT_REPLICAS_MAX &&
                get_u64(root, "items", &spec->items) && get_u64(root, "weight", &spec->weight) &&
                get_digest(root, "list_digest", spec->list_digest) &&
                get_hex(root, "items_digest", &spec->items_digest) &&
                get_hex(root, "index_digest", &spec->index_digest) && get_hex(root, "seed", &spec->seed) && spec->cwd &&
                get_weights(root, spec) && get_command(root, spec) && get_options(root, &spec->options);
    spec->replicas = (uint32_t)replicas;
    return good;
}

cfsplit_status csi_spec_decode(struct csi_spec *spec, const char *text, size_t length, const char *name,
                               struct cfsplit_error *err)
{
    *spec = (struct csi_spec){0};
    if (!check_fits(text, length))
        return damaged(name, 0, "its last line, the check, does not fit the rest", err);
    json_error_t why;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        return damaged(name, why.position, why.text, err);
    uint64_t version = 0;
    cfsplit_status status = CFSPLIT_OK;
    if (!get_u64(root, "version", &version) || version == 0)
        status = damaged(name, 0, "it has no version", err);
    else if (version > CSI_FORMAT_VERSION)
        status = csi_fail(err, CFSPLIT_USAGE,
                          "%s has format version %" PRIu64 ", and this canfar-split reads version %d: use a newer one",
                          csi_quote(name).text, version, CSI_FORMAT_VERSION);
    else if (!get_spec(root, spec))
        status = damaged(name, 0, "a key is missing or has a wrong value", err);
    json_decref(root);
    return status;
}

void csi_spec_release(struct csi_spec *spec)
{
    for (size_t i = 0; i < spec->command_count; i++)
        free(spec->command[i]);
    free(spec->command);
    free(spec->cwd);
    free(spec->weights);
    *spec = (struct csi_spec){0};
}

cfsplit_status csi_options_check(const struct cfsplit_run_options *options, struct cfsplit_error *err)
{
    return options->size == sizeof *options
               ? CFSPLIT_OK
               : csi_fail(err, CFSPLIT_USAGE, "cfsplit_run_options of another version of the library");
}

void csi_options_settle(struct cfsplit_run_options *told, const struct cfsplit_run_options *planned)
{
#define SETTLE(field, otherwise, what)                                                                                 \
    if (told->field == CFSPLIT_UNSET)                                                                                  \
        told->field = planned->field != CFSPLIT_UNSET ? planned->field : (otherwise);
    CFSPLIT_RUN_OPTION_LIST(SETTLE)
#undef SETTLE
    if (!told->reject_exit.is_set)
        told->reject_exit = planned->reject_exit;
    if (!told->later_exit.is_set)
        told->later_exit = planned->later_exit;
}
