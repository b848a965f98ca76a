/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of sd_notify(3): a service manager hears of a server's state by datagrams to the
 * socket in NOTIFY_SOCKET. Without one these do nothing, and no failure is told. */
#ifndef WR_CLI_NOTIFY_H
#define WR_CLI_NOTIFY_H

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
