/* SPDX-License-Identifier: Apache-2.0 */
/* The Flight SQL door: a service of src/flight/grpc.h on a workspace. */
#ifndef WR_FLIGHT_H
#define WR_FLIGHT_H

#include "weir.h"

struct wr_flight_door;

/* Opens it as the workspace's configuration says (flight.*, tls.*). `listen` (may be NULL) wins
 * over flight.listen. */
int wr_flight_door_open(struct weir_workspace *workspace, const char *listen,
                        struct wr_flight_door **ret_door, struct weir_error *error);
const char *wr_flight_door_address(const struct wr_flight_door *door); /* "127.0.0.1:31337" */
int wr_flight_door_reload(struct wr_flight_door *door, struct weir_error *error); /* certificates */
void wr_flight_door_drain(struct wr_flight_door *door, int64_t deadline_ms);
void wr_flight_door_close(struct wr_flight_door *door);

#endif
