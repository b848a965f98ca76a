/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of src/mount share. One mutex guards the nodes and the work; nothing of weir.h but
 * weir_session_interrupt is called, and no request of the kernel is answered, while it is held.
 */
#ifndef WR_MOUNT_INTERNAL_H
#define WR_MOUNT_INTERNAL_H

#define FUSE_USE_VERSION 35
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdint.h>

#include "mount.h"

enum {
    HOLD_MS = 2000,  /* bytes stay open that long after their last use */
    GRACE_MS = 1000, /* work goes on that long after the last one who waits for it went away */
    TICK_MS = 200
};

int64_t mount_now(void); /* milliseconds of a clock that only goes forward */

/* ---- node.c: what the kernel knows by a number ---- */

/* An open file of weir's, shared by the node and by all handles on it. */
struct bytes {
    struct bytes *next, *previous; /* among all */
    struct weir_file *file;
    int64_t n_bytes;
    int refs;
};

/*
 * A directory, or the bytes that stood under a path at one version. Once a file's bytes were seen
 * they and its size never change; what stands there later is another node.
 */
struct node {
    struct node *next; /* in the table's bucket */
    struct node *next_all, *previous_all;
    struct node *next_held; /* among those that hold bytes */
    char *path;             /* of the tree */
    char *version;          /* NULL: a directory, or a file that has none */
    char *kind;             /* of the table; NULL: it is none */
    uint64_t number;        /* st_ino: never used twice */
    int64_t refs;           /* the kernel's lookups, tasks, being held, being the root */
    int64_t n_bytes;        /* -1: not known before the bytes are made */
    int64_t made_ns;        /* of the bytes when they were opened first; 0: they were not */
    int64_t modified_ns;
    int64_t held_until;  /* in milliseconds */
    int64_t fresh_until; /* of a file without version: until then a lookup gives this node */
    struct bytes *bytes; /* NULL: none are held */
    struct task *fetch;  /* that opens the bytes; NULL: none does */
    bool directory;
    bool current; /* in the table: the next lookup of path and version gives this one */
    bool told;    /* the kernel was told the size */
};

struct nodes {
    struct node **buckets;
    size_t n_buckets; /* a power of two */
    size_t n_nodes;
    struct node *held;
    struct node *all;
    struct bytes *all_bytes;
    uint64_t last_number;
};

/* What a lookup found. Texts are copied. */
struct found {
    bool directory;
    bool own; /* the bytes lie there, and are not made of rows */
    const char *path;
    const char *version;
    const char *kind;
    int64_t n_bytes;
    int64_t modified_ns;
};

/* All with the mutex held. */
/* Frees all, whoever refers to them, and closes their files. */
void nodes_reset(struct nodes *nodes);
/* The node of what was found, with one reference more. NULL: no memory. */
struct node *nodes_enter(struct nodes *nodes, const struct found *found);
void nodes_release(struct nodes *nodes, struct node *node, int64_t refs);
/* The next lookup gives another node. */
void nodes_retire(struct nodes *nodes, struct node *node);
bool node_has_version(const struct node *node, const char *version);
/* The node stands for another version. False: no memory. */
bool nodes_rename(struct nodes *nodes, struct node *node, const char *version);
/* Holds the bytes for a while; takes over the caller's reference to them. */
void nodes_hold(struct nodes *nodes, struct node *node, struct bytes *bytes);
/* The file of the next node whose time is over, for the caller to close; NULL: there is none. */
struct weir_file *nodes_let_go(struct nodes *nodes, int64_t now);
/* Takes over the file, with one reference. NULL: no memory. */
struct bytes *bytes_new(struct nodes *nodes, struct weir_file *file, int64_t n_bytes);
/* One reference less. The file to close if it was the last one, else NULL. */
struct weir_file *bytes_release(struct nodes *nodes, struct bytes *bytes);

/* ---- listing.c: names of a directory ---- */

struct listing_name {
    size_t offset; /* in the text */
    bool directory;
    bool encoded; /* of a table, not of something that lies there */
};
struct listing {
    char *text;
    struct listing_name *names; /* sorted, no two the same */
    size_t n_names;
};
int listing_read(const struct mount_options *options, const struct weir_node *node,
                 struct listing **ret_listing, struct weir_error *error);
void listing_free(struct listing *listing);
/* The name's extension if it is an encoding's, else NULL. */
const char *encoding_of_name(const char *name);

/* ---- resolve.c ---- */

/* The node at a path as the file system shows it; *ret_found's texts are the caller's and the
 * node's. WEIR_NOT_FOUND for a table's bare name. */
int resolve(struct weir_session *session, const char *path, struct weir_node **ret_node,
            struct found *ret_found, struct weir_error *error);
/* The columns as lines "name: type", for people. Free with wr_free. */
int schema_text(const struct ArrowSchema *schema, char **ret_text, struct weir_error *error);

/* ---- complain.c ---- */

enum stage { STAGE_FIND, STAGE_BYTES };

/* The errno of an error, after a line on standard error that says which path it was. */
int mount_complain(const char *path, enum stage stage, const struct weir_error *error);
/* libfuse's own messages are kept here; the last one, "" for none. */
void mount_take_messages(void);
const char *mount_last_message(void);

/* ---- work.c: what takes time, away from the threads that talk to the kernel ---- */

enum task_kind { TASK_LOOKUP, TASK_LIST, TASK_FETCH, TASK_SCHEMA };
enum lane {
    LANE_QUICK, /* names, plans, bytes that are there */
    LANE_SLOW,  /* bytes that have to be made */
    N_LANES
};

/* A request of the kernel that is answered when the task is done. */
struct waiter {
    struct waiter *next;
    fuse_req_t request;
    struct fuse_file_info info; /* of an open */
    bool open;                  /* for a handle: of a fetch, else it is for the size */
};

struct task {
    struct task *next; /* in its lane */
    struct task *next_live, *previous_live;
    enum task_kind kind;
    enum lane lane;
    struct node *node; /* with a reference */
    char *name;        /* of a lookup */
    size_t room;       /* of an xattr: bytes that the caller has room for; 0: it asks how many */
    struct waiter *waiters;
    struct worker *worker; /* NULL: waits for one */
    int64_t abandoned_at;  /* nobody waits since then */
    int retries;
    bool cancelled;
};

struct worker {
    struct mount *mount;
    pthread_t thread;
    enum lane lane;
    struct weir_session *session; /* NULL: before its first task */
    struct task *task;
    bool started;
};

enum { N_QUICK = 8, N_SLOW = 4, N_WORKERS = N_QUICK + N_SLOW, N_TALKERS = 8 };

struct mount {
    const struct mount_options *options;
    struct weir_workspace *workspace;
    struct fuse_session *fuse;
    pthread_mutex_t mutex;
    pthread_cond_t more[N_LANES];
    struct nodes nodes;
    struct node *root;
    struct task *first[N_LANES], *last[N_LANES];
    struct task *live;
    struct worker workers[N_WORKERS];
    bool stopping;
    /* run.c */
    struct talker {
        struct mount *mount;
        pthread_t thread;
        struct fuse_buf request;
    } talkers[N_TALKERS];
    int n_talkers;
    int n_ended; /* of the talkers: the kernel has no more requests */
    int64_t started_ns;
};

int work_start(struct mount *mount, struct weir_error *error);
/* From now on every request is answered with `errnum`, and who waits is so at once. */
void work_refuse(struct mount *mount, int errnum);
/* Ends the workers. After work_refuse. */
void work_stop(struct mount *mount);
/* Cancels what nobody waits for any more. */
void work_tick(struct mount *mount);

/* Makes a task of a request, or joins it to the one that does the same. Answers at once when it
 * cannot. `name` is copied. */
void work_submit(struct mount *mount, enum task_kind kind, struct node *node, const char *name,
                 size_t room, fuse_req_t request, const struct fuse_file_info *info);
/* Of the task that the worker does: nobody can join or interrupt it any more. Gives who waits.
 * With the mutex held. */
struct waiter *work_finish(struct task *task);
/* Puts the task back for the workers of another lane. With the mutex held. */
void work_again(struct mount *mount, struct task *task, enum lane lane);

/* ---- tasks.c: what a worker does ---- */

/* False when it was handed on to the workers of another lane, or to be done again. */
bool task_run(struct worker *worker, struct task *task);
/* The attributes that stat shows. With the mutex held, which `told` needs. */
void node_attributes(struct node *node, struct stat *ret_status);
/* Gives the handle of the bytes to an open. Takes over a reference to them. */
void answer_open(struct mount *mount, fuse_req_t request, struct fuse_file_info *info,
                 struct bytes *bytes);

/* ---- check.c ---- */

/* The absolute path (PATH_MAX) of a directory that can be mounted on. */
int mount_place(const char *directory, char *ret_absolute, struct weir_error *error);

/* ---- operations.c ---- */

extern const struct fuse_lowlevel_ops mount_operations;
/* An extended attribute. `room` 0: its length is asked for. */
void answer_attribute(fuse_req_t request, const char *text, size_t room);
struct node *mount_node(struct mount *mount, fuse_ino_t number);

#endif
