/* How many processors this process may use: what `-j auto` means.
 *
 * The least of the affinity mask (taskset, Slurm, cpusets) and the quotas of the control groups it is in, its own and every
 * one above: cpu.max of version 2, cpu.cfs_quota_us and cpu.cfs_period_us of version 1. A quota of 1.5 processors is 2: the
 * second one idles half of the time, one alone would leave a third of what is paid for unused. */
#ifndef CSI_EXEC_LIMITS_H
#define CSI_EXEC_LIMITS_H

/* At least 1. `cgroup_root` is where the control groups are mounted, NULL: /sys/fs/cgroup; `self` says which are ours, NULL:
 * /proc/self/cgroup. In a container `self` may name a path of the host that is not there: then only the root counts, which
 * is the container's own. What cannot be read is no limit. */
unsigned csi_processors(const char *cgroup_root, const char *self);

/* One part of it; csi_thread_processors is the other. No quota: 0. */
unsigned csi_processors_quota(const char *cgroup_root, const char *self);

#endif
