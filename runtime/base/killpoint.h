/* Kill points: steps of the code at which a test can let the process die, as by kill -9. Only builds with CFSPLIT_KILL_POINTS
 * (a CMake option; the presets for tests set it) have them; in others nothing of them is left (lint.kill-points).
 *
 *   CFSPLIT_KILL_AT=name[:n]    the process dies at its n-th passing of that point (default: the first)
 *
 * A point is named "area.step" after what has just happened, or is about to; a name stands at one place only. Every name in
 * the sources is tried by tests/crash/kill-points.sh. */
#ifndef CSI_BASE_KILLPOINT_H
#define CSI_BASE_KILLPOINT_H

#ifdef CFSPLIT_KILL_POINTS

#include <stddef.h>
#include <stdint.h>

/* Kills the process if this passing of `name` is the one that CFSPLIT_KILL_AT tells. Any thread. */
void csi_kill_point(const char *name);

/* The same, but half of what is about to be written reaches the file first: what a write leaves that is cut in two. */
void csi_kill_point_half(const char *name, int fd, const void *data, size_t length, uint64_t offset);

#define CSI_KILL_POINT(name)                                csi_kill_point(name)
#define CSI_KILL_POINT_HALF(name, fd, data, length, offset) csi_kill_point_half(name, fd, data, length, offset)

#else

#define CSI_KILL_POINT(name)                                ((void)0)
#define CSI_KILL_POINT_HALF(name, fd, data, length, offset) ((void)0)

#endif
#endif
