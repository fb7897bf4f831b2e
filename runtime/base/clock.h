/* The clocks. Only loops read them; logic is handed `now`. */
#ifndef CSI_BASE_CLOCK_H
#define CSI_BASE_CLOCK_H

#include <stdint.h>

uint64_t csi_clock_mono_ms(void); /* CLOCK_MONOTONIC: for durations and patience */
uint64_t csi_clock_boot_ms(void); /* CLOCK_BOOTTIME: goes on while the machine sleeps */
uint64_t csi_clock_wall_ms(void); /* since 1970: shown to people, never compared between hosts */

#endif
