/* SPDX-License-Identifier: Apache-2.0 */
#include "file_test.h"

#include <dirent.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

char directory[64];

int in_new_directory(void **state) {
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/weir-file-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

int remove_directory(void **state) {
    (void)state;
    char *paths[] = {directory, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOSTAT, NULL);
    for (FTSENT *entry = fts_read(walk); entry; entry = fts_read(walk)) {
        if (entry->fts_info != FTS_D) remove(entry->fts_accpath);
    }
    return fts_close(walk);
}

const char *at(const char *name) {
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

void put_text(const char *path, const char *text) {
    FILE *file = fopen(path, "we");
    if (!file) fail_msg("cannot write %s", path);
    fputs(text, file);
    fclose(file);
}

const char *get_text(const char *path) {
    static char text[1 << 16];
    FILE *file = fopen(path, "re");
    if (!file) return NULL;
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

int count_names(const char *path) {
    DIR *listing = opendir(path);
    if (!listing) return -1;
    int count = 0;
    for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(listing);
    return count;
}

int start_child(child_fn run, void *context) {
    int pid = fork();
    if (pid == 0) _exit(run(context));
    if (pid < 0) fail_msg("cannot fork");
    return pid;
}

int wait_child(int pid) {
    int status = 0;
    if (waitpid(pid, &status, 0) != pid) fail_msg("cannot wait for a child");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
