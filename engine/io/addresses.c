/* addresses.c - the interfaces' addresses, by getifaddrs. */
#include "io/addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "io/os_err.h"

#define SCHEME "tcp://"

typedef struct wanted {
    int family;
    bool loopback;
    const char *port;
} wanted_t;

static void add(cs_strings_t *endpoints, const char *endpoint)
{
    if (endpoints->count < CS_ENDPOINTS_MAX && !cs_strings_has(endpoints, endpoint)) {
        cs_strings_add(endpoints, endpoint);
    }
}

static void add_address(const struct ifaddrs *item, const wanted_t *wanted,
                        cs_strings_t *endpoints)
{
    char text[INET6_ADDRSTRLEN], endpoint[CS_ENDPOINT_BYTES_MAX + 1];
    bool loopback = (item->ifa_flags & IFF_LOOPBACK) != 0;
    if (item->ifa_addr == NULL || item->ifa_addr->sa_family != wanted->family ||
        (item->ifa_flags & IFF_UP) == 0 || loopback != wanted->loopback) {
        return;
    }
    const void *address;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (wanted->family == AF_INET) {
        memcpy(&v4, item->ifa_addr, sizeof v4);
        address = &v4.sin_addr;
    } else {
        memcpy(&v6, item->ifa_addr, sizeof v6);
        if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) return; /* means nothing on another machine */
        address = &v6.sin6_addr;
    }
    if (inet_ntop(wanted->family, address, text, sizeof text) == NULL) return;
    snprintf(endpoint, sizeof endpoint,
             wanted->family == AF_INET ? SCHEME "%s:%s" : SCHEME "[%s]:%s", text, wanted->port);
    add(endpoints, endpoint);
}

static cs_err_t add_interfaces(const char *port, bool with_ipv6, cs_strings_t *endpoints)
{
    struct ifaddrs *list;
    size_t before = endpoints->count;
    if (getifaddrs(&list) != 0) return cs_os_err(errno);
    for (int loopback = 0; loopback <= 1 && endpoints->count == before; loopback++) {
        for (int v6 = 0; v6 <= (with_ipv6 ? 1 : 0); v6++) {
            wanted_t wanted = {v6 ? AF_INET6 : AF_INET, loopback != 0, port};
            for (struct ifaddrs *item = list; item != NULL; item = item->ifa_next) {
                add_address(item, &wanted, endpoints);
            }
        }
    }
    freeifaddrs(list);
    return CS_OK;
}

cs_err_t cs_addresses_of(const char *bound, cs_strings_t *endpoints)
{
    const char *port = strrchr(bound, ':');
    if (strncmp(bound, SCHEME, strlen(SCHEME)) != 0 || port == NULL ||
        port < bound + strlen(SCHEME) || strlen(bound) > CS_ENDPOINT_BYTES_MAX) {
        return CS_ERR_USAGE;
    }
    const char *host = bound + strlen(SCHEME);
    size_t host_len = (size_t)(port - host);
    bool any_v4 = (host_len == 7 && memcmp(host, "0.0.0.0", 7) == 0);
    bool any =
        (host_len == 4 && memcmp(host, "[::]", 4) == 0) || (host_len == 1 && *host == '*');
    if (any || any_v4) return add_interfaces(port + 1, any, endpoints);
    add(endpoints, bound);
    return CS_OK;
}
