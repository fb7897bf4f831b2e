#include "upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A whole number, with a sign perhaps; `length` bytes of `text`. */
static bool parse_whole(const char *text, size_t length, int64_t *out)
{
    char copy[24], *end;
    if (length == 0 || length >= sizeof copy || !strchr("+-0123456789", text[0]))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    errno = 0;
    *out = strtoll(copy, &end, 10);
    return *end == '\0' && end != copy && errno == 0;
}

static cfsplit_status read_variable(const char *name, int64_t *out, struct cfsplit_error *err)
{
    const char *value = getenv(name);
    *out = 1;
    if (value && !parse_whole(value, strlen(value), out))
        return tool_fail(err, CFSPLIT_USAGE, "%s is '%s': not a number", name, value);
    return CFSPLIT_OK;
}

cfsplit_status upstream_identity(const struct settings *s, struct upstream *out, struct cfsplit_error *err)
{
    const char *text = s->identity.text, *slash = text ? strchr(text, '/') : NULL;
    cfsplit_status status = CFSPLIT_OK;
    if (text ? !parse_whole(text, slash ? (size_t)(slash - text) : strlen(text), &out->id) ||
                   (slash && !parse_whole(slash + 1, strlen(slash + 1), &out->count))
             : false)
        return tool_fail(err, CFSPLIT_USAGE, "--replica needs a number, such as 3 or 3/100, not '%s'", text);
    if (!text)
        status = read_variable("REPLICA_ID", &out->id, err);
    if (s->replicas != CFSPLIT_UNSET)
        out->count = (int64_t)s->replicas;
    else if (status == CFSPLIT_OK && !slash)
        status = read_variable("REPLICA_COUNT", &out->count, err);
    return status;
}
