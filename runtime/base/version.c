#include <cfsplit/cfsplit.h>

const char *cfsplit_version(void)
{
    return CFSPLIT_VERSION_TEXT;
}
