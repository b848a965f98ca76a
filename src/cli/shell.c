/* SPDX-License-Identifier: Apache-2.0 */
/* The shell's loop: lines from libedit, statements out of lines, history. */
#include "shell.h"
#include "sql/statement.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "text.h"
#include "watch.h"

enum { HISTORY_ENTRIES = 2000, HISTORY_BYTES = 4 * 1024 * 1024, MOST_LISTED = 200 };

struct shell {
    struct cli *cli;
    EditLine *editor;
    History *history;
    struct completer *completer;
    struct wr_buffer pending; /* of a statement that goes over several lines */
    bool interrupted;         /* Ctrl-C while typing */
    char history_path[PATH_MAX];
};

static struct shell *shell_of(EditLine *editor) {
    void *data = NULL;
    el_get(editor, EL_CLIENTDATA, &data);
    return data;
}

static char *prompt(EditLine *editor) {
    static char first[] = "weir> ", next[] = "   ..> ";
    return shell_of(editor)->pending.length == 0 ? first : next;
}

/* ---- Keys ---- */

static unsigned char on_interrupt(EditLine *editor, int key) {
    (void)key;
    shell_of(editor)->interrupted = true;
    fputs("^C\n", stdout);
    fflush(stdout);
    return CC_NEWLINE;
}

/* libedit's own handler of the signal sets the terminal back first. */
static unsigned char on_suspend(EditLine *editor, int key) {
    (void)editor;
    (void)key;
    raise(SIGTSTP);
    return CC_REDISPLAY;
}

/* Lists the ways to go on, in columns, below the line. */
static void list_words(char *const *words, size_t n_words, size_t typed_head, int columns) {
    int widest = 0;

    for (size_t i = 0; i < n_words; i++) {
        int width = text_width(words[i] + typed_head, strlen(words[i] + typed_head));
        if (width > widest) widest = width;
    }
    size_t per_line = (size_t)(columns / (widest + 2)) + (columns < widest + 2);
    size_t lines = (n_words + per_line - 1) / per_line;
    for (size_t line = 0; line < lines; line++) {
        putchar('\n');
        for (size_t i = line; i < n_words; i += lines) {
            const char *word = words[i] + typed_head;
            printf("%s%*s", word, widest + 2 - text_width(word, strlen(word)), "");
        }
    }
    putchar('\n');
}

static size_t common_length(char *const *words, size_t n_words) {
    size_t n = strlen(words[0]);
    for (size_t i = 1; i < n_words; i++) {
        size_t k = 0;
        while (k < n && words[0][k] == words[i][k])
            k++;
        n = k;
    }
    while (n > 0 && ((unsigned char)words[0][n] & 0xC0) == 0x80)
        n--;
    return n;
}

static unsigned char on_tab(EditLine *editor, int key) {
    struct shell *shell = shell_of(editor);
    const LineInfo *info = el_line(editor);
    char *const *words;
    size_t typed;
    char text[4096];

    (void)key;
    size_t cursor = (size_t)(info->cursor - info->buffer);
    char *line = wr_strndup(info->buffer, cursor);
    if (line == NULL) return CC_ERROR;
    size_t n = completer_find(shell->completer, line, cursor, &words, &typed);
    size_t common = n == 0 ? 0 : common_length(words, n);
    unsigned char result = CC_ERROR;
    if (n > 0 && (n == 1 || common > typed) && common < sizeof text) {
        snprintf(text, sizeof text, "%.*s", (int)common, words[0]);
        el_deletestr(editor, (int)typed);
        el_insertstr(editor, text);
        result = CC_REFRESH;
    } else if (n > 1 && n <= MOST_LISTED) {
        int lines;
        size_t head = typed; /* of a path only the last part is listed */
        while (head > 0 && words[0][head - 1] != '/')
            head--;
        cli_measure_terminal(shell->cli, &lines);
        list_words(words, n, head, shell->cli->output.width);
        result = CC_REDISPLAY;
    } else if (n > 1) {
        printf("\n%zu ways to go on: type more of it\n", n);
        result = CC_REDISPLAY;
    }
    fflush(stdout);
    wr_free(line);
    return result;
}

/* ---- History ---- */

static bool make_directories(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool good = mkdir(path, 0700) == 0 || errno == EEXIST;
        *slash = '/';
        if (!good) return false;
    }
    return true;
}

static void load_history(struct shell *shell) {
    HistEvent event;
    struct stat status;
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = shell->history_path;

    if (state != NULL && state[0] == '/')
        snprintf(path, PATH_MAX, "%s/weir/history", state);
    else if (home != NULL)
        snprintf(path, PATH_MAX, "%s/.local/state/weir/history", home);
    if (path[0] == '\0' || !make_directories(path)) {
        path[0] = '\0';
        return;
    }
    if (stat(path, &status) != 0) return;
    history(shell->history, &event, H_LOAD, path);
    if (status.st_size > HISTORY_BYTES) history(shell->history, &event, H_SAVE, path);
}

/* Appends one entry, so that shells running side by side keep each other's. */
static void remember(struct shell *shell, const char *text) {
    HistEvent event;

    if (text[strspn(text, " \t\n")] == '\0' || wr_sql_has_secret(text)) return;
    history(shell->history, &event, H_ENTER, text);
    if (shell->history_path[0] == '\0') return;
    mode_t mask = umask(077);
    FILE *file = fopen(shell->history_path, "ae");
    umask(mask);
    /* H_NSAVE_FP of 1 writes two entries in some versions of libedit, so a history of one it is. */
    History *one = history_init();
    if (file != NULL && one != NULL) {
        fseek(file, 0, SEEK_END); /* libedit heads an empty file with its mark */
        history(one, &event, H_SETSIZE, 1);
        history(one, &event, H_ENTER, text);
        history(one, &event, H_SAVE_FP, file);
    }
    if (one != NULL) history_end(one);
    if (file != NULL) fclose(file);
}

/* ---- Statements ---- */

static bool is_word(const char *line, const char *word) {
    size_t n = strlen(word);
    return strncmp(line, word, n) == 0 && line[n + strspn(line + n, " ;\t\n")] == '\0';
}

/* Whether the text so far ends a statement, and nothing is left open. */
static bool is_complete(const struct wr_buffer *text) {
    const char *statement;
    size_t offset = 0, length;
    int complete = 1;

    while (weir_script_next(text->data, text->length, &offset, &statement, &length, &complete)) {
        if (!complete) return false;
    }
    return complete || text->data[strspn(text->data, " \t\n")] == '\0';
}

static void run_line(struct shell *shell, const char *line) {
    struct wr_buffer *pending = &shell->pending;
    bool fresh = pending->length == 0;

    if (fresh && (is_word(line, "quit") || is_word(line, "exit") || is_word(line, "help"))) {
        wr_buffer_format(pending, ".%.4s", line);
    } else {
        if (fresh) line += strspn(line, " \t\n");
        wr_buffer_text(pending, line);
    }
    if (pending->failed) {
        fprintf(stderr, "error: out of memory\n");
        wr_buffer_reset(pending);
        return;
    }
    bool command = pending->length > 0 && (pending->data[0] == '.' || pending->data[0] == '\\');
    if (pending->length > 0 && !command && !is_complete(pending)) return;
    if (pending->length > 0) {
        size_t n = pending->length;
        while (n > 0 && pending->data[n - 1] == '\n')
            n--;
        char *entry = wr_strndup(pending->data, n);
        if (entry != NULL) remember(shell, entry);
        wr_free(entry);
        struct source source = {.text = pending->data, .length = pending->length};
        (void)script_run(shell->cli, &source);
    }
    wr_buffer_clear(pending);
}

static void run_rc(struct cli *cli) {
    char path[PATH_MAX];
    const char *home = getenv("HOME");

    if (cli->arguments->no_rc || home == NULL) return;
    snprintf(path, sizeof path, "%s/.weirrc", home);
    if (access(path, R_OK) == 0) (void)script_run_file(cli, path);
}

static void loop(struct shell *shell) {
    while (!shell->cli->quit) {
        int length = 0;

        shell->interrupted = false;
        el_set(shell->editor, EL_PREP_TERM,
               1); /* before the prompt, so that no key comes too early */
        const char *line = el_gets(shell->editor, &length);
        if (shell->interrupted) {
            wr_buffer_clear(&shell->pending);
            continue;
        }
        if (line == NULL || length <= 0) {
            if (line == NULL && errno == EINTR) continue;
            putchar('\n');
            break;
        }
        run_line(shell, line);
    }
}

static bool start_editor(struct shell *shell) {
    HistEvent event;

    shell->history = history_init();
    shell->editor = el_init("weir", stdin, stdout, stderr);
    if (shell->history == NULL || shell->editor == NULL) return false;
    history(shell->history, &event, H_SETSIZE, HISTORY_ENTRIES);
    history(shell->history, &event, H_SETUNIQUE, 1);
    load_history(shell);
    el_set(shell->editor, EL_CLIENTDATA, shell);
    el_set(shell->editor, EL_PROMPT, prompt);
    el_set(shell->editor, EL_EDITOR, "emacs");
    el_set(shell->editor, EL_SIGNAL, 1);
    el_set(shell->editor, EL_HIST, history, shell->history);
    /* Wide, as el_set would copy these and never free the copies. */
    el_wset(shell->editor, EL_ADDFN, L"weir-complete", L"complete the word", on_tab);
    el_wset(shell->editor, EL_ADDFN, L"weir-interrupt", L"drop the line", on_interrupt);
    el_wset(shell->editor, EL_ADDFN, L"weir-suspend", L"stop the shell", on_suspend);
    el_set(shell->editor, EL_BIND, "^I", "weir-complete", NULL);
    el_set(shell->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(shell->editor, NULL); /* ~/.editrc */
    /* While a line is typed Ctrl-C and Ctrl-Z are keys like any other: one drops the line, the
     * other suspends. */
    el_set(shell->editor, EL_SETTY, "-d", "-isig", NULL);
    el_set(shell->editor, EL_BIND, "^C", "weir-interrupt", NULL);
    el_set(shell->editor, EL_BIND, "^Z", "weir-suspend", NULL);
    return true;
}

int command_shell(struct cli *cli) {
    struct shell shell = {.cli = cli, .completer = completer_new(cli)};

    cli->interactive = true;
    cli->pager = pager_choose();
    wr_buffer_init(&shell.pending, 64 * 1024 * 1024);
    if (shell.completer == NULL || !start_editor(&shell)) {
        struct weir_error error = {0};
        wr_error_memory(&error);
        complain(cli, &error, NULL, 0);
        cli->quit = true;
    } else {
        bool is_local = cli_is_local(cli);
        fprintf(stderr, "weir %s (%s%s). Statements end with \";\"; .help lists the commands.\n",
                weir_version(), is_local ? "" : "connected to ",
                is_local ? weir_engine_version() : cli->arguments->connect);
        run_rc(cli);
        loop(&shell);
    }
    wr_buffer_reset(&shell.pending);
    if (shell.editor != NULL) el_end(shell.editor);
    if (shell.history != NULL) history_end(shell.history);
    completer_free(shell.completer);
    return CLI_DONE;
}
