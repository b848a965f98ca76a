/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server for tests: the Flight SQL door alone, on a workspace.
 *
 *     flight_serve [--path DIRECTORY] [--listen ADDRESS] [KEY=VALUE]...
 *
 * Prints the address when it is open, and ends when its standard input does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flight/flight.h"

enum { MOST_SETTINGS = 32 };

static int fail(const struct weir_error *error) {
    fprintf(stderr, "flight_serve: %s\n", error->message);
    return 1;
}

static int serve(struct weir_workspace *workspace, const char *listen) {
    struct weir_error error = {0};
    struct wr_flight_door *door;
    char byte;
    if (wr_flight_door_open(workspace, listen, &door, &error)) return fail(&error);
    printf("%s\n", wr_flight_door_address(door));
    fflush(stdout);
    while (fread(&byte, 1, 1, stdin) == 1)
        ;
    wr_flight_door_drain(door, 0);
    wr_flight_door_close(door);
    return 0;
}

int main(int argc, char **argv) {
    struct weir_error error = {0};
    struct weir_workspace *workspace;
    struct weir_option settings[MOST_SETTINGS];
    struct weir_workspace_options options = {.size = sizeof options, .settings = settings};
    const char *listen = "127.0.0.1:0";
    for (int i = 1; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (strcmp(argv[i], "--path") == 0 && i + 1 < argc) {
            options.path = argv[++i];
        } else if (strcmp(argv[i], "--listen") == 0 && i + 1 < argc) {
            listen = argv[++i];
        } else if (equals && options.n_settings < MOST_SETTINGS) {
            *equals = '\0';
            settings[options.n_settings++] = (struct weir_option){argv[i], equals + 1};
        } else {
            fprintf(stderr, "flight_serve: what is \"%s\"?\n", argv[i]);
            return 2;
        }
    }
    if (weir_workspace_open(&options, &workspace, &error)) return fail(&error);
    int status = serve(workspace, listen);
    weir_workspace_close(workspace);
    return status;
}
