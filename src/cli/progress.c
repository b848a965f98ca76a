/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "text.h"
#include "watch.h"

enum { BAR_WIDTH = 24 };

/* One write, so that a line is never seen half-drawn. */
static void put(const char *text, int length) {
    ssize_t ignored = write(STDERR_FILENO, text, (size_t)length);
    (void)ignored;
}

void progress_erase(void) {
    put("\r\033[K", 4);
}

void progress_draw(const struct weir_progress *progress, int64_t elapsed_ms, bool unicode) {
    char line[512], rows[64], rate[80] = "", spilled[96] = "", bar[160] = "";
    double seconds = (double)elapsed_ms / 1000;

    text_plural(progress->rows_read, "row", rows);
    if (progress->bytes_read > 0) {
        char bytes[64];
        text_bytes((int64_t)((double)progress->bytes_read / seconds), bytes);
        snprintf(rate, sizeof rate, "  %s/s", bytes);
    }
    if (progress->bytes_spilled > 0) {
        char bytes[64];
        snprintf(spilled, sizeof spilled, "  %s spilled",
                 text_bytes(progress->bytes_spilled, bytes));
    }
    if (progress->bytes_total > 0) {
        /* The total is an upper bound, and reading is not the end of the work: never 100 %. */
        double part = (double)progress->bytes_read / (double)progress->bytes_total;
        if (part > 0.99) part = 0.99;
        size_t at = 0;
        for (int i = 0; i < BAR_WIDTH; i++) {
            const char *piece = i < (int)(part * BAR_WIDTH) ? (unicode ? "\u2588" : "#")
                                                            : (unicode ? "\u2591" : ".");
            at += (size_t)snprintf(bar + at, sizeof bar - at, "%s", piece);
        }
        snprintf(bar + at, sizeof bar - at, " %2.0f%%  ", part * 100);
    }
    int length = snprintf(line, sizeof line, "\r\033[K%s%s read%s  %.1f s%s", bar, rows, rate,
                          seconds, spilled);
    put(line, length);
}
