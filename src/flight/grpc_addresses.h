/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections each address has. Of IPv6 the first 64 bits count, since whoever has one
 * address there has all that begin so.
 *
 *     uint64_t key = wr_address_key(address);
 *     if (wr_addresses_enter(&addresses, key)) ... wr_addresses_leave(&addresses, key);
 *
 * Any thread may call both. Zeros and a bound are a table without entries.
 */
#ifndef WR_GRPC_ADDRESSES_H
#define WR_GRPC_ADDRESSES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { WR_ADDRESS_BUCKETS = 1024 };

struct wr_address_count;

struct wr_addresses {
    pthread_mutex_t mutex; /* guards what follows; made and destroyed by its owner */
    struct wr_address_count *buckets[WR_ADDRESS_BUCKETS];
    int32_t most; /* connections of one */
};

uint64_t wr_address_key(const struct sockaddr *address);
/* False: it has as many as it may, or there is no memory. */
bool wr_addresses_enter(struct wr_addresses *addresses, uint64_t key);
/* Once for each time that it entered. */
void wr_addresses_leave(struct wr_addresses *addresses, uint64_t key);

#endif
