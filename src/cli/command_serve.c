/* SPDX-License-Identifier: Apache-2.0 */
/* weir serve: both doors on one workspace, until a signal. */
#include <signal.h>
#include <stdio.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/units.h"
#include "cli.h"
#include "flight/flight.h"
#include "http/http.h"
#include "notify.h"
#include "text.h"
#include "watch.h"

struct doors {
    struct wr_http *http;
    struct wr_flight_door *flight;
};

/* ---- Opening ---- */

/* Where a door listens; NULL: it is off. Free with weir_free. */
static int read_address(struct weir_workspace *workspace, const char *key, char **ret_address,
                        struct weir_error *error) {
    char *address = NULL;
    WR_TRY(weir_workspace_setting(workspace, key, &address, error));
    if (address != NULL && (address[0] == '\0' || strcasecmp(address, "off") == 0)) {
        weir_free(address);
        address = NULL;
    }
    *ret_address = address;
    return WEIR_OK;
}

static int open_http(struct cli *cli, struct doors *doors, struct weir_error *error) {
    char *address = NULL;
    WR_TRY(read_address(cli->workspace, "http.listen", &address, error));
    int code =
        address == NULL ? WEIR_OK : wr_http_open(cli->workspace, address, &doors->http, error);
    weir_free(address);
    return code;
}

static int open_flight(struct cli *cli, struct doors *doors, struct weir_error *error) {
    char *address = NULL;
    WR_TRY(read_address(cli->workspace, "flight.listen", &address, error));
    int code = WEIR_OK;
    if (address != NULL) code = wr_flight_door_open(cli->workspace, address, &doors->flight, error);
    weir_free(address);
    return code;
}

static int open_doors(struct cli *cli, struct doors *doors, struct weir_error *error) {
    WR_TRY(open_http(cli, doors, error));
    WR_TRY(open_flight(cli, doors, error));
    if (doors->http != NULL || doors->flight != NULL) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "",
                        "there is nothing to serve: http.listen and flight.listen are off");
}

/* The addresses as a client gives them. */
static void announce(struct cli *cli, const struct doors *doors) {
    char *certificate = NULL;
    bool has_tls =
        weir_workspace_setting(cli->workspace, "tls.certificate", &certificate, NULL) == WEIR_OK &&
        certificate != NULL;
    weir_free(certificate);
    if (doors->http != NULL)
        fprintf(stderr, "weir serve: HTTP at %s://%s/\n", has_tls ? "https" : "http",
                wr_http_address(doors->http));
    if (doors->flight != NULL)
        fprintf(stderr, "weir serve: Flight SQL at %s://%s\n", has_tls ? "grpc+tls" : "grpc",
                wr_flight_door_address(doors->flight));
    fflush(stderr);
}

/* ---- Signals ---- */

static void reload(struct cli *cli, const struct doors *doors) {
    struct weir_error error = {0};
    notify_reloading();
    int code = doors->http == NULL ? WEIR_OK : wr_http_reload(doors->http, &error);
    if (code == WEIR_OK && doors->flight != NULL)
        code = wr_flight_door_reload(doors->flight, &error);
    if (code != WEIR_OK) {
        (void)wr_error_prefix(&error, code, "the certificates of before stay");
        complain(cli, &error, NULL, 0);
    } else {
        fprintf(stderr, "weir serve: the certificates were read again\n");
    }
    notify_ready();
}

/* Until SIGTERM or SIGINT, which it gives. */
static int wait_for_end(struct cli *cli, const struct doors *doors) {
    sigset_t signals;
    int number;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    for (;;) {
        if (sigwait(&signals, &number) != 0) continue;
        if (number != SIGHUP) return number;
        reload(cli, doors);
    }
}

static void end_at_once(int number) {
    _exit(128 + number);
}

static void let_a_second_signal_end(void) {
    struct sigaction action = {.sa_handler = end_at_once};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGHUP, &action, NULL);
    watch_block(false);
}

static void drain(struct cli *cli, const struct doors *doors) {
    char *text = NULL;
    int64_t limit = 0, start = text_now();
    if (weir_workspace_setting(cli->workspace, "drain_timeout", &text, NULL) == WEIR_OK)
        (void)wr_parse_int(text, &limit);
    weir_free(text);
    fprintf(stderr,
            "weir serve: ending; requests that run have %lld s, a second signal ends them "
            "at once\n",
            (long long)(limit / 1000));
    notify_stopping();
    if (doors->http != NULL) wr_http_drain(doors->http, 0); /* both refuse from now on */
    if (doors->flight != NULL) wr_flight_door_drain(doors->flight, limit);
    int64_t left = limit - (text_now() - start);
    if (doors->http != NULL) wr_http_drain(doors->http, left > 0 ? left : 0);
}

static void close_doors(struct doors *doors) {
    wr_http_close(doors->http);
    if (doors->flight != NULL) wr_flight_door_close(doors->flight);
}

/* Each connection takes a descriptor, and the usual limit is that of an interactive program. */
static void allow_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- The command ---- */

int command_serve(struct cli *cli) {
    struct weir_error error = {0};
    struct doors doors = {0};
    allow_descriptors();
    watch_block(true); /* for the doors' threads too; this one waits for signals */
    int number = watch_interrupted();
    int code = number != 0 ? WEIR_OK : open_doors(cli, &doors, &error);
    if (code != WEIR_OK) {
        if (code == WEIR_INVALID_ARGUMENT) error.sqlstate[0] = '\0';
        complain(cli, &error, NULL, 0);
        close_doors(&doors);
        return code == WEIR_INVALID_ARGUMENT ? CLI_USAGE : CLI_FAILED;
    }
    if (number == 0) {
        announce(cli, &doors);
        notify_ready();
        number = wait_for_end(cli, &doors);
        let_a_second_signal_end();
        drain(cli, &doors);
    }
    close_doors(&doors);
    return number == SIGTERM ? CLI_DONE : 128 + number;
}
