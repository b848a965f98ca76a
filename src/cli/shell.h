/* SPDX-License-Identifier: Apache-2.0 */
/* The interactive shell: its commands and its completion. */
#ifndef WR_CLI_SHELL_H
#define WR_CLI_SHELL_H

#include <histedit.h>

#include "cli.h"

/* shell_commands.c: runs a line that begins with a dot or a backslash. `line` is taken apart.
 * Returns an exit code. */
int shell_command(struct cli *cli, char *line);
size_t shell_command_names(const char **ret_names, size_t most);

/* complete.c */
struct completer;
struct completer *completer_new(struct cli *cli);
void completer_free(struct completer *completer);
/*
 * All ways to go on at the end of line[0 .. cursor): each a text that replaces the last
 * `*ret_typed` bytes. Sorted; borrowed until the next call. Returns how many.
 */
size_t completer_find(struct completer *completer, const char *line, size_t cursor,
                      char *const **ret_words, size_t *ret_typed);

/* pager.c: what PAGER says, else less if there is one; NULL: none. Free with wr_free. */
char *pager_choose(void);

#endif
