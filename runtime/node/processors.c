#include <cfsplit/unstable.h>

#include "exec/limits.h"

uint32_t cfsplit_processors(void)
{
    return csi_processors(NULL, NULL);
}
