/* Ending what a killed predecessor left running.
 *
 * Children die with us (child.h), but what they started may not: a pod's restart in the same process namespace would run an
 * item beside the leftovers of its last attempt. Process numbers are used again, so a group's number alone is never enough:
 * its processes must also have a mark of ours in their environment. */
#ifndef CSI_EXEC_GROUP_H
#define CSI_EXEC_GROUP_H

#include <sys/types.h>

/* Ends (SIGKILL) every process whose group is pgid (0: any group) and whose environment, as it was at exec, holds tag_name=tag_value, and
 * waits until they are gone, half a second at most. Returns how many there were. Processes whose environment we may not
 * read are left alone, and so are we. */
unsigned csi_exec_end_group(pid_t pgid, const char *tag_name, const char *tag_value);

#endif
