/* Addresses: numeric ones only, nobody is asked for names. */
#ifndef CSI_NET_ADDRESS_H
#define CSI_NET_ADDRESS_H

#include "net/net.h"

enum { CSI_NET_ADDRESSES_MAX = 15 };

struct csi_net_addresses {
    size_t count;
    char text[CSI_NET_ADDRESSES_MAX][CSI_NET_ADDRESS_BYTES];
};

/* Whether libzmq can connect to it: "tcp://192.0.2.7:40123", "tcp://[2001:db8::7]:40123", "ipc://@name". */
bool csi_net_is_address(const char *address);

/* "tcp://192.0.2.7:*" of "192.0.2.7", "tcp://[::1]:*" of "::1", for a port that the kernel chooses; *is_v6 tells of which kind
 * it is. False if it is no number. */
bool csi_net_bind_address(const char *number, char out[CSI_NET_ADDRESS_BYTES], bool *is_v6);

/* The addresses behind `endpoint`, as libzmq names what it has bound: itself, or those of all interfaces if it is "tcp://0.0.0.0:P"
 * or "tcp://[::]:P": IPv4 first, loopback last, link-local ones not at all. Errors: CFSPLIT_UNREACHABLE. */
CFSPLIT_MUST_USE cfsplit_status csi_net_list_addresses(const char *endpoint, struct csi_net_addresses *out,
                                                       struct cfsplit_error *err);

#endif
