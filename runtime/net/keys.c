#include "net/keys.h"

#include <string.h>
#include <zmq.h>

#include "net/socket.h"

cfsplit_status csi_net_new_keys(struct csi_net_keys *out, struct cfsplit_error *err)
{
    memset(out, 0, sizeof *out);
    if (zmq_curve_keypair(out->open, out->secret) != 0)
        return csi_net_fail(err, "cannot draw a key pair");
    return CFSPLIT_OK;
}

bool csi_net_key_bytes(const char *key, unsigned char out[CSI_NET_RAW_KEY_BYTES])
{
    memset(out, 0, CSI_NET_RAW_KEY_BYTES);
    return key && strnlen(key, CSI_NET_KEY_BYTES) == CSI_NET_KEY_BYTES - 1 && zmq_z85_decode(out, key) != NULL;
}

bool csi_net_same_key(const unsigned char a[CSI_NET_RAW_KEY_BYTES], const unsigned char b[CSI_NET_RAW_KEY_BYTES])
{
    unsigned difference = 0;
    for (size_t i = 0; i < CSI_NET_RAW_KEY_BYTES; i++)
        difference |= (unsigned)a[i] ^ b[i];
    return difference == 0;
}
