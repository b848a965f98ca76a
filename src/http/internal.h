/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share: the door, its connections and its requests. The rules are in
 * docs/internals/http.md. */
#ifndef WR_HTTP_INTERNAL_H
#define WR_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/address.h"
#include "base/buffer.h"
#include "base/options.h"
#include "base/pool.h"
#include "http/http.h"

struct http_tls;
struct http_request;

struct http_limits {
    int64_t max_body, max_header;
    int64_t max_connections, max_per_address, max_requests;
    int64_t header_ms, body_ms, idle_ms, write_ms;
};

/* What libmicrohttpd has as one connection. */
struct http_connection {
    struct http_connection *next, *previous;
    int fd;
    int64_t deadline_ms; /* when it is shut down; 0: it may stay */
    char peer[WR_ADDRESS_SIZE];
};

struct http_counters {
    atomic_llong connections, requests, failed, bytes_in, bytes_out, unauthenticated, refused;
};

struct wr_http {
    struct weir_workspace *workspace;
    struct MHD_Daemon *daemon;
    struct wr_pool *pool;
    struct http_tls *tls; /* NULL: without */
    char address[WR_ADDRESS_SIZE];
    struct http_limits limits;
    char *origins; /* NULL: no CORS */
    struct http_counters counters;
    atomic_bool draining;
    /* connections.c and running.c */
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t quiet;  /* a request ended */
    struct http_connection *connections;
    struct http_request *requests;
    int64_t n_connections, n_requests, n_busy; /* busy: tasks */
    bool closing;
    uint64_t serial;
    /* connections.c: the watcher */
    int epoll_fd, wake_fd;
    pthread_t watcher;
    bool has_watcher;
};

/* ---- Answers ---- */

/* Bytes that are made while they are sent. `next` runs on a thread of the pool. */
struct http_body {
    /* Adds some to `buffer`, and sets *ret_end with the last ones. */
    int (*next)(void *context, struct wr_buffer *buffer, bool *ret_end, struct weir_error *error);
    void (*release)(void *context);
    void *context;
    int64_t n_bytes; /* -1: not known */
};

struct http_answer {
    int status; /* 0: there is none yet */
    const char *type;
    struct wr_options headers;
    struct wr_buffer content; /* or a body */
    struct http_body body;
    bool is_page; /* with the page's policy */
};

/* ---- Requests ---- */

enum http_stage { HTTP_RECEIVING, HTTP_WORKING, HTTP_ANSWERED };

enum { HTTP_GET = 1, HTTP_HEAD = 2, HTTP_POST = 4, HTTP_DELETE = 8, HTTP_OPTIONS = 16 };

struct http_route {
    const char *path;
    bool has_rest; /* and what is below of it */
    int methods;   /* HEAD where GET is */
    bool is_open;  /* without a credential */
    bool while_draining;
    bool is_quick; /* answered on libmicrohttpd's thread */
    /* Of the query, ended by NULL; all others are refused. NULL: it takes none. */
    const char *const *parameters;
    /* Fills request->answer; an error becomes an answer. */
    int (*run)(struct http_request *request, struct weir_error *error);
};

struct http_request {
    struct wr_task task;
    struct wr_http *door;
    struct http_request *next, *previous; /* the door's list */
    uint64_t serial;
    atomic_int references; /* libmicrohttpd's, and one for a task that runs */
    /* libmicrohttpd's. Its headers may be read while it is suspended. */
    struct MHD_Connection *connection;
    struct http_connection *socket;
    const struct http_route *route;
    int method;
    bool is_http10;
    char *path; /* as it came, without the query */
    struct wr_buffer received;
    int64_t n_received; /* bytes, those that were thrown away too */
    bool is_too_large;
    enum http_stage stage;
    struct http_answer answer;
    /* who asks */
    struct weir_principal *principal;
    struct weir_session *session;
    char id[WEIR_ID_SIZE]; /* guarded by the door's mutex, as `owner` is */
    char *owner;

    /* Guards what follows. The door's mutex may be taken with it held, never the other way. */
    pthread_mutex_t mutex;
    atomic_bool is_working; /* a task was submitted, or runs; read without the mutex too */
    bool is_waiting;        /* suspended until it ends */
    atomic_bool is_gone;    /* the client, or the door closes; read without the mutex too */
    struct weir_statement *statement; /* that may be cancelled now */
    bool has_session_work;            /* the session may be interrupted now */
    struct wr_buffer front, back;     /* of the body: what is sent, what was made */
    size_t sent;                      /* of `front` */
    bool is_ended, is_failed;         /* with `back`; in the middle */
};

/* ---- request.c ---- */

enum MHD_Result http_handle(void *context, struct MHD_Connection *connection, const char *url,
                            const char *method, const char *version, const char *data,
                            size_t *data_length, void **ret_request);
void http_completed(void *context, struct MHD_Connection *connection, void **request,
                    enum MHD_RequestTerminationCode why);
const char *http_header(const struct http_request *request, const char *name);
/* A parameter of the query, decoded into `buffer`; false: it is not there. */
bool http_parameter(const struct http_request *request, const char *name, struct wr_buffer *buffer);
/* Work of the session, or of a statement, that a vanished client ends. The first two answer
 * WEIR_CANCELLED when it is gone already. */
int http_begin_work(struct http_request *request, struct weir_error *error);
int http_begin_statement(struct http_request *request, struct weir_statement *statement,
                         struct weir_error *error);
void http_end_work(struct http_request *request);
/* With its mutex held: hands a task to the pool, which ends with http_end_task. `waits`: nothing is
 * sent until then. False: the door closes. */
bool http_begin_task(struct http_request *request, void (*run_task)(struct wr_task *task),
                     bool waits);
void http_end_task(struct http_request *request);
/* Its work ends soon, and nothing more is sent. */
void http_abandon(struct http_request *request);
/* Its statement ends soon, and it answers that. */
void http_cancel(struct http_request *request);
void http_retain(struct http_request *request);
void http_release(struct http_request *request);

/* ---- check.c ---- */

/* Fills the answer of a request that must not come through, and of one for OPTIONS. */
void http_check(struct http_request *request, const char *version);

/* ---- body.c ---- */

/* Makes the first bytes, so that an early failure has its status. */
int http_body_begin(struct http_request *request, struct weir_error *error);
struct MHD_Response *http_body_response(struct http_request *request);

/* ---- running.c: which requests there are ---- */

void http_running_add(struct http_request *request);
void http_running_remove(struct http_request *request);
/* A request with a reference, NULL: there is none. */
struct http_request *http_running_by_serial(struct wr_http *door, uint64_t serial);
/* Gives a running request the id of its statement. */
int http_running_name(struct http_request *request, struct weir_error *error);
struct http_request *http_running_by_id(struct wr_http *door, const char *owner, const char *id);
/* Abandons all, or once more those whose work goes on: what had not begun yet could not be ended.
 */
void http_running_abandon(struct wr_http *door, bool all);
/* Around each task; false: the door closes. */
bool http_running_begin_task(struct wr_http *door);
void http_running_end_task(struct wr_http *door);
/* Waits until there is no request; false: there are some after so long. */
bool http_running_wait(struct wr_http *door, int64_t deadline_ms);
/* Ends all tasks. No new one begins. */
void http_running_close(struct wr_http *door);

/* ---- connections.c ---- */

int http_watcher_open(struct wr_http *door, struct weir_error *error);
void http_watcher_close(struct wr_http *door);
void http_connected(void *context, struct MHD_Connection *connection, void **ret_socket,
                    enum MHD_ConnectionNotificationCode what);
void *http_began(void *context, const char *uri, struct MHD_Connection *connection);
struct http_connection *http_connection_of(struct MHD_Connection *connection);
/* Gives it so long for what it does now; 0: any time. */
void http_deadline(struct wr_http *door, struct http_connection *socket, int64_t ms);
/* While its connection is suspended, a client that goes away is noticed here. */
void http_watch(struct http_request *request);
void http_unwatch(struct http_request *request);

/* ---- answer.c ---- */

void http_answer_init(struct http_answer *answer);
void http_answer_reset(struct http_answer *answer);
/* Replaces what is there by {"error": ...}. */
void http_answer_error(struct http_answer *answer, int status, const struct weir_error *error);
int http_answer_header(struct http_answer *answer, const char *name, const char *value,
                       struct weir_error *error);
/* Adds to the content, after an answer was begun. */
void http_answer_begin(struct http_answer *answer, int status, const char *type);
int http_answer_end(struct http_answer *answer, struct weir_error *error);
/* The status that an error is. `is_sql`: of a statement, which is never what the URL names. */
int http_status_of(const struct weir_error *error, bool is_sql);
enum MHD_Result http_answer_queue(struct http_request *request);

/* ---- auth.c ---- */

/* Finds out who asks, and opens a session. */
int http_authenticate(struct http_request *request, struct weir_error *error);
/* The status of a request that must not be worked on at all, with `error` filled; 0: it may. */
int http_check_origin(const struct http_request *request, struct weir_error *error);

/* ---- tls.c ---- */

int http_tls_open(struct weir_workspace *workspace, struct http_tls **ret_tls,
                  struct weir_error *error);
int http_tls_reload(struct http_tls *tls, struct weir_error *error);
void http_tls_close(struct http_tls *tls);
/* Options for the daemon; `room` has space for four. */
size_t http_tls_options(struct http_tls *tls, struct MHD_OptionItem *room);
/* The subject of the client's certificate, verified; "" without one. Free with wr_free. */
int http_tls_subject(struct MHD_Connection *connection, char **ret_subject,
                     struct weir_error *error);

/* ---- settings.c ---- */

int http_settings(struct wr_http *door, struct weir_error *error);
/* A key's text; NULL: it has none. Free with weir_free. */
int http_setting(struct weir_workspace *workspace, const char *key, char **ret_value,
                 struct weir_error *error);
/* Listens at "address:port"; `is_loopback`: nobody else can reach it. */
int http_listen(const char *text, int *ret_fd, bool *ret_is_loopback,
                char ret_address[WR_ADDRESS_SIZE], struct weir_error *error);

/* ---- files.c ---- */

/* WEIR_NOT_FOUND for what does not begin with a name at the top of the tree: it would be a path of
 * this machine. */
int http_check_in_tree(struct weir_session *session, const char *path, struct weir_error *error);

/* ---- Routes ---- */

const struct http_route *http_find_route(const char *path);
int http_run_sql(struct http_request *request, struct weir_error *error);
int http_run_tables(struct http_request *request, struct weir_error *error);
int http_run_table(struct http_request *request, struct weir_error *error);
int http_run_files(struct http_request *request, struct weir_error *error);
int http_run_cancel(struct http_request *request, struct weir_error *error);
int http_run_health(struct http_request *request, struct weir_error *error);
int http_run_ready(struct http_request *request, struct weir_error *error);
int http_run_metrics(struct http_request *request, struct weir_error *error);
int http_run_openapi(struct http_request *request, struct weir_error *error);
int http_run_page(struct http_request *request, struct weir_error *error);

/* Made of the files at build time. */
extern const char http_page[], http_page_policy[], http_openapi[];
extern const size_t http_page_length, http_openapi_length;

#endif
