/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of the internet: as texts, and those that no other machine reaches. */
#ifndef WR_ADDRESS_H
#define WR_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

enum { WR_HOST_SIZE = 256, WR_PORT_SIZE = 6, WR_ADDRESS_SIZE = 72 };

/* Of "localhost:80", "[::1]:80" and "*:80", whose host is empty: any address. False: the text has
 * another form. */
bool wr_address_split(const char *text, char ret_host[WR_HOST_SIZE], char ret_port[WR_PORT_SIZE]);

/* "127.0.0.1:80", "[::1]:80"; "" when it is no address of the internet. */
void wr_address_show(const struct sockaddr *address, char ret_text[WR_ADDRESS_SIZE]);

bool wr_address_is_loopback(const struct sockaddr *address);

/* "localhost", or a loopback address as text. Only what is known to be one, whatever a name server
 * says. */
bool wr_host_is_loopback(const char *host);

#endif
