#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

static const char tcp[] = "tcp://", abstract[] = "ipc://@";
enum { abstract_name_max = 100 };

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* "tcp://HOST:PORT" cut in two; false if it is nothing like it. The host loses its brackets. */
static bool split(const char *address, char host[CSI_NET_ADDRESS_BYTES], uint64_t *port)
{
    if (!starts_with(address, tcp))
        return false;
    address += strlen(tcp);
    const char *colon = strrchr(address, ':');
    if (colon == NULL || !csi_text_u64(colon + 1, strlen(colon + 1), port) || *port == 0 || *port > UINT16_MAX)
        return false;
    size_t length = (size_t)(colon - address);
    bool bracketed = length >= 2 && address[0] == '[' && colon[-1] == ']';
    if (length >= CSI_NET_ADDRESS_BYTES || (memchr(address, ':', length) && !bracketed))
        return false;
    snprintf(host, CSI_NET_ADDRESS_BYTES, "%.*s", (int)(bracketed ? length - 2 : length), address + bracketed);
    return !bracketed || strchr(host, ':') != NULL;
}

/* AF_INET, AF_INET6, or AF_UNSPEC for what is no number. */
static int family_of(const char *host)
{
    struct in6_addr ignored;
    if (inet_pton(AF_INET, host, &ignored) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, host, &ignored) == 1 ? AF_INET6 : AF_UNSPEC;
}

bool csi_net_is_address(const char *address)
{
    if (starts_with(address, abstract)) {
        size_t name = strlen(address) - strlen(abstract);
        return name > 0 && name <= abstract_name_max;
    }
    char host[CSI_NET_ADDRESS_BYTES];
    uint64_t port;
    return split(address, host, &port) && family_of(host) != AF_UNSPEC;
}

bool csi_net_bind_address(const char *number, char out[CSI_NET_ADDRESS_BYTES], bool *is_v6)
{
    int family = family_of(number);
    *is_v6 = family == AF_INET6;
    snprintf(out, CSI_NET_ADDRESS_BYTES, *is_v6 ? "tcp://[%s]:*" : "tcp://%s:*", number);
    return family != AF_UNSPEC;
}

/* In which of four groups an interface's address is listed; -1: in none. */
static int group_of(const struct ifaddrs *at, char host[INET6_ADDRSTRLEN])
{
    if (at->ifa_addr == NULL || !(at->ifa_flags & IFF_UP))
        return -1;
    if (at->ifa_addr->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, at->ifa_addr, sizeof v4);
        uint32_t number = ntohl(v4.sin_addr.s_addr);
        bool link_local = number >> 16 == 0xA9FE, loopback = number >> 24 == 127;
        return link_local || !inet_ntop(AF_INET, &v4.sin_addr, host, INET6_ADDRSTRLEN) ? -1 : loopback ? 2 : 0;
    }
    if (at->ifa_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, at->ifa_addr, sizeof v6);
        bool loopback = IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
        if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) || !inet_ntop(AF_INET6, &v6.sin6_addr, host, INET6_ADDRSTRLEN))
            return -1;
        return loopback ? 3 : 1;
    }
    return -1;
}

static void add_address(struct csi_net_addresses *out, const char *host, uint64_t port)
{
    const char *format = strchr(host, ':') ? "tcp://[%s]:%u" : "tcp://%s:%u";
    snprintf(out->text[out->count++], CSI_NET_ADDRESS_BYTES, format, host, (unsigned)port);
}

/* Those of one group; two places are kept for the loopbacks. */
static void add_group(const struct ifaddrs *all, int group, uint64_t port, struct csi_net_addresses *out)
{
    char host[INET6_ADDRSTRLEN];
    size_t most = group < 2 ? CSI_NET_ADDRESSES_MAX - 2 : CSI_NET_ADDRESSES_MAX;
    for (const struct ifaddrs *at = all; at && out->count < most; at = at->ifa_next)
        if (group_of(at, host) == group)
            add_address(out, host, port);
}

cfsplit_status csi_net_list_addresses(const char *endpoint, struct csi_net_addresses *out, struct cfsplit_error *err)
{
    char host[CSI_NET_ADDRESS_BYTES];
    uint64_t port;
    out->count = 0;
    if (!split(endpoint, host, &port))
        return csi_fail(err, CFSPLIT_UNREACHABLE, "cannot read where the queue listens from '%s'", endpoint);
    bool v6_too = strcmp(host, "::") == 0;
    if (!v6_too && strcmp(host, "0.0.0.0") != 0) {
        add_address(out, host, port);
        return CFSPLIT_OK;
    }
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return csi_fail_errno(err, CFSPLIT_UNREACHABLE, errno, "cannot list the network interfaces");
    for (int group = 0; group < 4; group++)
        if (v6_too || group % 2 == 0)
            add_group(all, group, port, out);
    freeifaddrs(all);
    return CFSPLIT_OK;
}
