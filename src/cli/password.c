/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"

#include <string.h>
#include <termios.h>

#include "base/error.h"

int password_read_line(FILE *file, char *line, size_t size, struct weir_error *error) {
    if (fgets(line, (int)size, file) == NULL)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "no password was given");
    size_t length = strcspn(line, "\r\n");
    if (line[length] == '\0' && length + 1 == size)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "the password is longer than %zu bytes", size - 2);
    line[length] = '\0';
    return WEIR_OK;
}

int password_ask(FILE *terminal, const char *prompt, char *line, size_t size,
                 struct weir_error *error) {
    struct termios shown;
    struct termios hidden;
    int fd = fileno(terminal);
    if (tcgetattr(fd, &shown) != 0)
        return wr_error_set(error, WEIR_IO, NULL, "the terminal cannot be asked for a password");
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(stderr, "%s: ", prompt);
    tcsetattr(fd, TCSAFLUSH, &hidden);
    int code = password_read_line(terminal, line, size, error);
    tcsetattr(fd, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return code;
}
