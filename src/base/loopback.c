/* SPDX-License-Identifier: Apache-2.0 */
#include "base/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

static bool is_four(struct in_addr address) {
    return ntohl(address.s_addr) >> 24 == 127;
}

bool wr_address_is_loopback(const struct sockaddr *address) {
    if (address->sa_family == AF_INET)
        return is_four(((const struct sockaddr_in *)address)->sin_addr);
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

bool wr_host_is_loopback(const char *host) {
    struct in_addr four;
    struct in6_addr six;
    if (strcasecmp(host, "localhost") == 0) return true;
    if (inet_pton(AF_INET, host, &four) == 1) return is_four(four);
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}
