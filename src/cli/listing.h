/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `weir ls` lists: the names of directories, and what their nodes say of themselves. A node
 * that cannot be read is complained about where that is found out, and listed with what is known of
 * it; `failed` tells that there was one. The functions return a code only when all has to end.
 */
#ifndef WR_CLI_LISTING_H
#define WR_CLI_LISTING_H

#include "cli.h"

struct listing_entry {
    char *name; /* below the section's path; of a single node the path that was given */
    char *path; /* opens it */
    int type;   /* as the directory tells; 0 of a single node */
    bool is_directory;
    char *kind; /* NULL: unknown, as are -1, 0, "" below */
    int64_t n_rows;
    int64_t n_bytes;
    int64_t modified_ns;
    char *version;
    char digest[NODE_DIGEST_SIZE];
};

struct listing_section {
    const char *path; /* of the directory; NULL: nodes that were named one by one */
    size_t end;       /* the first entry behind it */
};

struct listing {
    struct cli *cli;
    struct listing_entry *entries;
    size_t n_entries;
    struct listing_section *sections;
    size_t n_sections;
    bool failed;
};

/* Adds a section for a directory, with `recursive` all that is in it; else an entry to the present
 * section, or to a first one. */
int listing_add(struct listing *listing, const char *path, bool recursive,
                struct weir_error *error);
/* Finds out the kinds and, with `all`, the rest too. Reads no data. */
int listing_fill(struct listing *listing, bool all, struct weir_error *error);
void listing_reset(struct listing *listing);

/* listing_add and listing_fill in one, of what a server's SQL tells (listing_there.c). */
int listing_add_there(struct listing *listing, const char *path, bool recursive,
                      struct weir_error *error);

/* ---- Where names are found ---- */

/* Says what is wrong with one node and goes on, unless all has to end. */
int listing_pass(struct listing *listing, const char *path, int code, struct weir_error *error);
int listing_push_section(struct listing *listing, const char *path, struct weir_error *error);
/* Into the last section; copies the texts. */
int listing_push(struct listing *listing, const char *name, const char *path, int type,
                 struct weir_error *error);
/* Takes the last entry out again. */
void listing_drop_last(struct listing *listing);

#endif
