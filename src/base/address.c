/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"

bool wr_address_split(const char *text, char ret_host[WR_HOST_SIZE], char ret_port[WR_PORT_SIZE]) {
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0, n_digits = colon ? strlen(colon + 1) : 0;
    int64_t port;
    /* getaddrinfo would take the lowest 16 bits of it. */
    if (length == 0 || n_digits == 0 || n_digits >= WR_PORT_SIZE ||
        strspn(colon + 1, "0123456789") != n_digits || !wr_parse_int(colon + 1, &port) ||
        port > UINT16_MAX)
        return false;
    if (text[0] == '[') {
        if (length < 3 || text[length - 1] != ']') return false;
        text++;
        length -= 2;
    } else if (memchr(text, ':', length)) {
        return false;
    } else if (length == 1 && text[0] == '*') {
        length = 0;
    }
    if (length >= WR_HOST_SIZE) return false;
    memcpy(ret_host, text, length);
    ret_host[length] = '\0';
    memcpy(ret_port, colon + 1, n_digits + 1);
    return true;
}

void wr_address_show(const struct sockaddr *address, char ret_text[WR_ADDRESS_SIZE]) {
    bool six = address->sa_family == AF_INET6;
    socklen_t length = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    char host[WR_ADDRESS_SIZE - WR_PORT_SIZE - 2], port[WR_PORT_SIZE];
    ret_text[0] = '\0';
    if ((six || address->sa_family == AF_INET) &&
        getnameinfo(address, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(ret_text, WR_ADDRESS_SIZE, six ? "[%s]:%s" : "%s:%s", host, port);
}

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
