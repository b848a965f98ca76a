/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that no other machine reaches. */
#ifndef WR_LOOPBACK_H
#define WR_LOOPBACK_H

#include <stdbool.h>
#include <sys/socket.h>

bool wr_address_is_loopback(const struct sockaddr *address);

/* "localhost", or a loopback address as text. Only what is known to be one, whatever a name server
 * says. */
bool wr_host_is_loopback(const char *host);

#endif
