/* addresses.h - where this machine can be reached, for `invite`. */
#ifndef CS_IO_ADDRESSES_H
#define CS_IO_ADDRESSES_H

#include "base/err.h"
#include "io/strings.h"

/* Adds the endpoints that others can dial to reach the socket that is bound to `bound` ("tcp://
 * 0.0.0.0:24242", as cs_net_endpoint tells): itself if it names one address, else the addresses
 * of this machine's interfaces with its port, IPv4 first, loopback only if there is nothing
 * else. At most CS_ENDPOINTS_MAX in the list. CS_ERR_USAGE: bound is not tcp://ADDRESS:PORT. */
CS_MUST_USE cs_err_t cs_addresses_of(const char *bound, cs_strings_t *endpoints);

#endif
