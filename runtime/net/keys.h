/* Keys as bytes. */
#ifndef CSI_NET_KEYS_H
#define CSI_NET_KEYS_H

#include "net/net.h"

enum { CSI_NET_RAW_KEY_BYTES = 32 };

/* False if `key` (NULL is fine) is no key in Z85. */
bool csi_net_key_bytes(const char *key, unsigned char out[CSI_NET_RAW_KEY_BYTES]);

/* In a time that does not depend on where they differ. */
bool csi_net_same_key(const unsigned char a[CSI_NET_RAW_KEY_BYTES], const unsigned char b[CSI_NET_RAW_KEY_BYTES]);

#endif
