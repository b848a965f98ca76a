/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/grpc_addresses.h"

#include <netinet/in.h>
#include <string.h>

#include "base/alloc.h"

/* In the table while it has connections. */
struct wr_address_count {
    struct wr_address_count *next;
    uint64_t key;
    int32_t n;
};

/* No address of IPv6 that is used begins with what stands before IPv4's 32 bits. */
uint64_t wr_address_key(const struct sockaddr *address) {
    uint64_t key = 0;
    if (address->sa_family == AF_INET6) {
        memcpy(&key, &((const struct sockaddr_in6 *)address)->sin6_addr, sizeof key);
    } else if (address->sa_family == AF_INET) {
        uint32_t four = ((const struct sockaddr_in *)address)->sin_addr.s_addr;
        key = UINT64_C(1) << 32 | four;
    }
    return key;
}

static struct wr_address_count **find(struct wr_addresses *addresses, uint64_t key) {
    uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15);
    struct wr_address_count **at = &addresses->buckets[mixed >> 54];
    while (*at && (*at)->key != key)
        at = &(*at)->next;
    return at;
}

bool wr_addresses_enter(struct wr_addresses *addresses, uint64_t key) {
    bool may = false;
    pthread_mutex_lock(&addresses->mutex);
    struct wr_address_count **at = find(addresses, key);
    if (!*at) {
        *at = wr_calloc(1, sizeof **at);
        if (*at) (*at)->key = key;
    }
    if (*at && (*at)->n < addresses->most) {
        (*at)->n++;
        may = true;
    }
    pthread_mutex_unlock(&addresses->mutex);
    return may;
}

void wr_addresses_leave(struct wr_addresses *addresses, uint64_t key) {
    pthread_mutex_lock(&addresses->mutex);
    struct wr_address_count **at = find(addresses, key), *count = *at;
    if (count && --count->n == 0) {
        *at = count->next;
        wr_free(count);
    }
    pthread_mutex_unlock(&addresses->mutex);
}
