/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses requests of the engine may go to, and which answers may send them on. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "session/policy_internal.h"

/* Not of the public network (RFC 6890): of this machine, of a private one, of a group. */
static bool is_private4(uint32_t ip) {
    static const struct {
        uint32_t network;
        int length;
    } networks[] = {
        {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16},
        {0xAC100000, 12}, {0xC0000000, 24}, {0xC0A80000, 16}, {0xC6120000, 15}, {0xE0000000, 3},
    };
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        if ((ip ^ networks[i].network) >> (32 - networks[i].length) == 0) return true;
    }
    return false;
}

static uint32_t four_at(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* RFC 6052. */
static bool is_translated(const unsigned char *ip) {
    static const unsigned char prefix[12] = {0x00, 0x64, 0xff, 0x9b};
    return memcmp(ip, prefix, sizeof prefix) == 0;
}

/* Global unicast is 2000::/3, and what stands for an address of four bytes is judged by that. */
static bool is_private6(const struct in6_addr *address) {
    const unsigned char *ip = address->s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(address) || is_translated(ip)) return is_private4(four_at(ip + 12));
    if (ip[0] == 0x20 && ip[1] == 0x02) return is_private4(four_at(ip + 2));
    if (ip[0] == 0x20 && ip[1] == 0x01 && ip[2] == 0 && ip[3] == 0) return true; /* Teredo */
    return ip[0] >> 5 != 1;
}

/*
 * Addresses that give away what a machine is trusted with (RFC 3927, RFC 4291 2.5.6, and the
 * metadata services of the clouds).
 */
static bool is_metadata4(uint32_t ip) {
    return (ip >> 16) == 0xA9FE || ip == 0x646464C8 || (ip >> 24) == 0;
}

static bool is_metadata6(const struct in6_addr *address) {
    static const unsigned char service[16] = {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54};
    const unsigned char *ip = address->s6_addr;
    if (IN6_IS_ADDR_LOOPBACK(address)) return false;
    if (IN6_IS_ADDR_V4MAPPED(address) || IN6_IS_ADDR_V4COMPAT(address))
        return is_metadata4(four_at(ip + 12));
    if (is_translated(ip)) return is_metadata4(four_at(ip + 12));
    return IN6_IS_ADDR_LINKLOCAL(address) || memcmp(ip, service, sizeof service) == 0;
}

bool wr_is_metadata_address(const struct sockaddr *address) {
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    if (address->sa_family == AF_INET) {
        memcpy(&four, address, sizeof four);
        return is_metadata4(ntohl(four.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6) return true;
    memcpy(&six, address, sizeof six);
    return is_metadata6(&six.sin6_addr);
}

static bool is_private(const char *address) {
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, address, &four) == 1) return is_private4(ntohl(four.s_addr));
    if (inet_pton(AF_INET6, address, &six) == 1) return is_private6(&six);
    return true;
}

/* An entry without a port: with one it says more than an address alone. */
static bool is_listed(const struct wr_texts *hosts, const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i < hosts->n_items; i++) {
        const char *host = hosts->items[i];
        if (strcasecmp(host, text) == 0) return true;
        if (*host == '[' && strncmp(host + 1, text, length) == 0 &&
            strcmp(host + 1 + length, "]") == 0)
            return true;
    }
    return false;
}

static bool is_metadata(const char *address) {
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, address, &four) == 1) return is_metadata4(ntohl(four.s_addr));
    if (inet_pton(AF_INET6, address, &six) == 1) return is_metadata6(&six);
    return true;
}

static int may_reach_as_trusted(void *context, const char *host, const char *address) {
    (void)context;
    (void)host;
    return !is_metadata(address);
}

static int may_reach(void *context, const char *host, const char *address) {
    const struct wr_policy *policy = context;
    if (is_metadata(address)) return 0;
    if (!is_private(address)) return 1;
    /* This name has one meaning. */
    if (strcasecmp(host, "localhost") == 0 && is_listed(&policy->hosts, host)) return 1;
    return is_listed(&policy->hosts, address);
}

static int may_follow(void *context, const char *url) {
    return wr_policy_may_follow(context, url);
}

bool wr_policy_guard(struct wr_policy *policy, bool trusted, struct wr_guard *ret_guard) {
    if (!policy->limits_read && !policy->limits_hosts) return false;
    *ret_guard = (struct wr_guard){
        .context = policy,
        .address = !policy->is_closed ? NULL
                   : trusted          ? may_reach_as_trusted
                                      : may_reach,
        .redirect = may_follow,
    };
    return true;
}
