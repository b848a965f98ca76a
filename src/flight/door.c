/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/units.h"
#include "flight/service.h"

#define PATH(name) "/arrow.flight.protocol.FlightService/" name

static const struct wr_grpc_method methods[] = {
    {.path = PATH("Handshake"), .exchange = wr_flight_handshake},
    {.path = PATH("ListFlights"), .call = wr_flight_list_flights},
    {.path = PATH("GetFlightInfo"), .call = wr_flight_get_info},
    {.path = PATH("PollFlightInfo"), .call = wr_flight_poll_info},
    {.path = PATH("GetSchema"), .call = wr_flight_get_schema},
    {.path = PATH("DoGet"), .call = wr_flight_do_get},
    {.path = PATH("DoPut"), .exchange = wr_flight_do_put},
    {.path = PATH("DoExchange"), .exchange = wr_flight_do_exchange},
    {.path = PATH("DoAction"), .call = wr_flight_do_action},
    {.path = PATH("ListActions"), .call = wr_flight_list_actions},
};

int wr_flight_error(int code, struct weir_error *error) {
    if (!code || !error) return code;
    if (!error->sqlstate[0]) return code;
    if (error->position > 0) {
        wr_error_append(error, " (SQLSTATE %s, position %lld)", error->sqlstate,
                        (long long)error->position);
    } else {
        wr_error_append(error, " (SQLSTATE %s)", error->sqlstate);
    }
    return code;
}

/* ---- Opening ---- */

static int setting(struct weir_workspace *workspace, const char *key, char **ret_value,
                   struct weir_error *error) {
    char *value = NULL;
    WR_TRY(weir_workspace_setting(workspace, key, &value, error));
    if (value && !*value) {
        weir_free(value);
        value = NULL;
    }
    *ret_value = value;
    return WEIR_OK;
}

static int read_settings(struct wr_flight_door *door, const char *listen, char **ret_listen,
                         struct weir_error *error) {
    WR_TRY(setting(door->workspace, "tls.certificate", &door->certificate, error));
    WR_TRY(setting(door->workspace, "tls.key", &door->key, error));
    WR_TRY(setting(door->workspace, "tls.client_ca", &door->client_ca, error));
    if (!door->certificate != !door->key) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "F0000",
                            "tls.certificate and tls.key are given together or not at all");
    }
    if (door->client_ca && !door->certificate) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "F0000",
                            "tls.client_ca needs tls.certificate and tls.key");
    }
    if (!listen) return setting(door->workspace, "flight.listen", ret_listen, error);
    *ret_listen = wr_strdup(listen);
    return *ret_listen ? WEIR_OK : wr_error_memory(error);
}

static int open_handles(struct wr_flight_door *door, struct weir_error *error) {
    WR_TRY(wr_handles_new(&door->logins, error));
    WR_TRY(wr_handles_new(&door->sessions, error));
    WR_TRY(wr_handles_new(&door->prepared, error));
    return wr_handles_new(&door->tickets, error);
}

/* NULL: nothing that the door lacks. */
static const char *public_takes(const struct wr_flight_door *door) {
    bool authenticates = weir_workspace_authenticates(door->workspace) == 1;
    if (authenticates && door->certificate) return NULL;
    return authenticates       ? "TLS (tls.certificate and tls.key)"
           : door->certificate ? "users (weir user add)"
                               : "users (weir user add) and TLS (tls.certificate and tls.key)";
}

/* 0: as the server has it. */
static int most_per_address(struct wr_flight_door *door, int32_t *ret_most,
                            struct weir_error *error) {
    char *text = NULL;
    int64_t most = 0;
    WR_TRY(setting(door->workspace, "flight.max_connections_per_address", &text, error));
    if (text) (void)wr_parse_int(text, &most);
    weir_free(text);
    *ret_most = (int32_t)most;
    return WEIR_OK;
}

static int open_server(struct wr_flight_door *door, const char *listen, struct weir_error *error) {
    struct wr_grpc_tls tls = {
        .certificate = door->certificate, .key = door->key, .client_ca = door->client_ca};
    struct wr_grpc_options options = {
        .listen = listen,
        .public_takes = public_takes(door),
        .tls = door->certificate ? &tls : NULL,
        .methods = methods,
        .n_methods = sizeof methods / sizeof *methods,
        .context = door,
    };
    WR_TRY(most_per_address(door, &options.max_per_address, error));
    return wr_grpc_open(&options, &door->server, error);
}

int wr_flight_door_open(struct weir_workspace *workspace, const char *listen,
                        struct wr_flight_door **ret_door, struct weir_error *error) {
    struct wr_flight_door *door = wr_calloc(1, sizeof *door);
    char *address = NULL;
    if (!door) return wr_error_memory(error);
    door->workspace = workspace;
    int code = read_settings(door, listen, &address, error);
    if (!code && !address)
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, "F0000", "flight.listen is empty");
    if (!code) code = open_handles(door, error);
    if (!code) code = open_server(door, address, error);
    weir_free(address);
    if (code) {
        wr_flight_door_close(door);
        return code;
    }
    *ret_door = door;
    return WEIR_OK;
}

const char *wr_flight_door_address(const struct wr_flight_door *door) {
    return wr_grpc_address(door->server);
}

int wr_flight_door_reload(struct wr_flight_door *door, struct weir_error *error) {
    return wr_grpc_reload(door->server, error);
}

void wr_flight_door_drain(struct wr_flight_door *door, int64_t deadline_ms) {
    wr_grpc_drain(door->server, deadline_ms);
}

void wr_flight_door_close(struct wr_flight_door *door) {
    if (!door) return;
    wr_grpc_close(door->server);
    wr_handles_free(door->tickets);
    wr_handles_free(door->prepared);
    wr_handles_free(door->sessions);
    wr_handles_free(door->logins);
    weir_free(door->certificate);
    weir_free(door->key);
    weir_free(door->client_ca);
    wr_free(door);
}
