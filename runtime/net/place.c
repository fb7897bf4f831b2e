#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "net/net.h"

void csi_net_place(char out[CSI_NET_PLACE_BYTES])
{
    struct csi_buf boot = CSI_BUF_INIT;
    struct stat st;
    out[0] = '\0';
    if (csi_io_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &boot, NULL) == CFSPLIT_OK && boot.length >= 36 &&
        stat("/proc/self/ns/net", &st) == 0)
        snprintf(out, CSI_NET_PLACE_BYTES, "%.36s %llu", boot.data, (unsigned long long)st.st_ino);
    csi_buf_release(&boot);
}
