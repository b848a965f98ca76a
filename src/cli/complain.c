/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "text.h"

enum { LINE_WINDOW = 100 }; /* bytes of a long line shown around the place */

/* The line that `at` is in, cut around it when long, and a caret below. */
static void point_at(const struct source *source, size_t at) {
    const char *text = source->text;
    size_t start = at, end = at, line = 1;
    char head[256];
    struct wr_buffer shown;

    while (start > 0 && text[start - 1] != '\n')
        start--;
    while (end < source->length && text[end] != '\n')
        end++;
    for (size_t i = 0; i < start; i++)
        line += text[i] == '\n';
    bool cut_head = at - start > LINE_WINDOW;
    if (cut_head) start = at - LINE_WINDOW / 2;
    while (cut_head && start < at && ((unsigned char)text[start] & 0xC0) == 0x80)
        start++;
    if (end - at > LINE_WINDOW) end = at + LINE_WINDOW / 2;

    if (source->name != NULL)
        snprintf(head, sizeof head, "%s:%zu: ", source->name, line);
    else
        snprintf(head, sizeof head, "LINE %zu: ", line);
    wr_buffer_init(&shown, 1 << 16);
    wr_buffer_text(&shown, head);
    if (cut_head) wr_buffer_text(&shown, "...");
    size_t place = 0;
    for (size_t i = start; i <= end; i++) {
        if (i == at) place = shown.length;
        if (i < end) wr_buffer_char(&shown, (unsigned char)text[i] < 0x20 ? ' ' : text[i]);
    }
    if (!shown.failed) fprintf(stderr, "%s\n%*s^\n", shown.data, text_width(shown.data, place), "");
    wr_buffer_reset(&shown);
}

void complain(const struct cli *cli, const struct weir_error *error, const struct source *source,
              size_t from) {
    bool colour = cli != NULL && cli->colour_errors;

    fflush(stdout);
    fprintf(stderr, "%serror:%s %s", colour ? "\033[1;31m" : "", colour ? "\033[0m" : "",
            error->message);
    if (error->sqlstate[0] != '\0') fprintf(stderr, " (%s)", error->sqlstate);
    fputc('\n', stderr);
    if (source == NULL || source->ours || error->position <= 0) return;
    size_t at = from + (size_t)error->position - 1;
    if (at <= source->length) point_at(source, at);
}

void complain_usage(const char *hint, const struct weir_error *error) {
    fprintf(stderr, "error: %s\nTry: %s --help\n", error->message, hint);
}
