/* SPDX-License-Identifier: Apache-2.0 */
/* weir_store_*: objects by their URLs, with the policy's rules for URLs. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/session.h"

struct target {
    bool is_written;
    struct wr_location location;
    struct wr_opened *store;
    struct wr_objects *objects;
};

static const struct wr_stores *stores_of(struct weir_session *session) {
    return wr_store_pool_stores(session->workspace->stores);
}

static void target_reset(struct weir_session *session, struct target *target) {
    if (target->store && target->is_written) wr_opened_forget(target->store);
    stores_of(session)->release(target->store);
    wr_location_reset(&target->location);
    *target = (struct target){0};
}

static int check_key(const struct target *target, bool whole, struct weir_error *error) {
    size_t length = strlen(target->location.key);
    bool is_object = length > 0 && target->location.key[length - 1] != '/';
    if (whole || is_object) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "\"%s%s\" names no object",
                        target->location.root, target->location.key);
}

/* `whole`: a prefix may be meant, too. */
static int open_target(struct weir_session *session, const char *url, bool write, bool whole,
                       struct target *ret_target, struct weir_error *error) {
    struct target target = {.is_written = write};
    WR_TRY(wr_access_refresh(session->access, NULL, error));
    WR_TRY(wr_access_path(session->access, url, write, error));
    WR_TRY(wr_location_parse(url, &target.location, error));
    const struct wr_stores *stores = stores_of(session);
    int code = stores->open(stores->context, &target.location, &target.store, error);
    if (code == WEIR_OK) {
        target.objects = wr_opened_objects(target.store);
        code = check_key(&target, whole, error);
    }
    if (code) {
        target_reset(session, &target);
        return code;
    }
    *ret_target = target;
    return WEIR_OK;
}

/* ---- One object ---- */

struct taking {
    const struct target *target;
    weir_store_object_fn take;
    void *context;
    bool failed;
    bool stopped;
};

/* With its URL. */
static int give(struct taking *taking, const struct wr_object *object) {
    const struct wr_location location = {
        .type = taking->target->location.type,
        .root = taking->target->location.root,
        .key = (char *)object->key,
    };
    char *url = wr_location_url(&location);
    if (!url) {
        taking->failed = true;
        return 1;
    }
    const struct weir_store_object given = {
        .size = sizeof given,
        .url = url,
        .key = object->key,
        .n_bytes = object->n_bytes,
        .modified_ns = object->modified_ns,
        .etag = object->etag,
        .version = object->version,
    };
    int answer = taking->take(taking->context, &given);
    wr_free(url);
    return answer;
}

static void give_one(void *sink, const struct wr_object *object) {
    struct taking *taking = sink;
    if (taking->take) (void)give(taking, object);
}

int weir_store_head(struct weir_session *session, const char *url, weir_store_object_fn take,
                    void *context, struct weir_error *error) {
    struct target target;
    WR_TRY(open_target(session, url, false, false, &target, error));
    struct taking taking = {&target, take, context, false, false};
    int code = wr_objects_head(target.objects, target.location.key, give_one, &taking, error);
    target_reset(session, &target);
    return code == WEIR_OK && taking.failed ? wr_error_memory(error) : code;
}

int weir_store_get(struct weir_session *session, const char *url, int64_t offset, void *data,
                   size_t length, const char *if_match, size_t *ret_length,
                   weir_store_object_fn take, void *context, struct weir_error *error) {
    struct target target;
    if (offset < 0)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "the offset is negative");
    WR_TRY(open_target(session, url, false, false, &target, error));
    struct taking taking = {&target, take, context, false, false};
    int code = wr_objects_get(target.objects, target.location.key, offset, length, if_match, data,
                              ret_length, take ? give_one : NULL, &taking, error);
    target_reset(session, &target);
    return code == WEIR_OK && taking.failed ? wr_error_memory(error) : code;
}

static int check_mode(int mode, const char *if_match, struct weir_error *error) {
    bool known = mode == WEIR_PUT_OVERWRITE || mode == WEIR_PUT_CREATE || mode == WEIR_PUT_IF_MATCH;
    if (known && (mode == WEIR_PUT_IF_MATCH) == (if_match != NULL)) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "an etag belongs to the mode WEIR_PUT_IF_MATCH, and to no other");
}

/* The engine's text as one that weir_free takes. */
static int own_text(int code, char *text, char **ret_text, struct weir_error *error) {
    char *copy = NULL;
    if (code) return code;
    if (ret_text) copy = wr_strdup(text);
    bool failed = ret_text && text && !copy;
    wr_engine_free(text);
    if (failed) return wr_error_memory(error);
    if (ret_text) *ret_text = copy;
    return WEIR_OK;
}

int weir_store_put(struct weir_session *session, const char *url, const void *data, size_t length,
                   int mode, const char *if_match, char **ret_etag, struct weir_error *error) {
    struct target target;
    char *etag = NULL;
    WR_TRY(check_mode(mode, if_match, error));
    WR_TRY(open_target(session, url, true, false, &target, error));
    int code = wr_objects_put(target.objects, target.location.key, data, length, mode, if_match,
                              &etag, error);
    target_reset(session, &target);
    return own_text(code, etag, ret_etag, error);
}

/* ---- Streaming ---- */

struct weir_store_upload {
    struct weir_session *session;
    struct target target;
    struct wr_upload *upload;
};

int weir_store_upload_open(struct weir_session *session, const char *url, int mode,
                           const char *if_match, struct weir_store_upload **ret_upload,
                           struct weir_error *error) {
    WR_TRY(check_mode(mode, if_match, error));
    struct weir_store_upload *upload = wr_calloc(1, sizeof *upload);
    if (!upload) return wr_error_memory(error);
    upload->session = session;
    struct target *target = &upload->target;
    int code = open_target(session, url, true, false, target, error);
    if (code == WEIR_OK)
        code = wr_upload_open(target->objects, target->location.key, mode, if_match,
                              &upload->upload, error);
    if (code) {
        weir_store_upload_close(upload);
        return code;
    }
    *ret_upload = upload;
    return WEIR_OK;
}

int weir_store_upload_write(struct weir_store_upload *upload, const void *data, size_t length,
                            struct weir_error *error) {
    return wr_upload_write(upload->upload, data, length, error);
}

int weir_store_upload_commit(struct weir_store_upload *upload, char **ret_etag,
                             struct weir_error *error) {
    char *etag = NULL;
    int code = wr_upload_commit(upload->upload, &etag, error);
    wr_opened_forget(upload->target.store);
    return own_text(code, etag, ret_etag, error);
}

void weir_store_upload_close(struct weir_store_upload *upload) {
    if (!upload) return;
    wr_upload_free(upload->upload);
    target_reset(upload->session, &upload->target);
    wr_free(upload);
}

/* ---- Many ---- */

static int give_each(void *sink, const struct wr_object *object) {
    struct taking *taking = sink;
    if (give(taking, object) == 0) return 0;
    taking->stopped = true;
    return 1;
}

/* A prefix ends where a component does. */
static int add_slash(struct wr_location *location, struct weir_error *error) {
    size_t length = strlen(location->key);
    if (length == 0 || location->key[length - 1] == '/') return WEIR_OK;
    char *key = wr_realloc(location->key, length + 2);
    if (!key) return wr_error_memory(error);
    memcpy(key + length, "/", 2);
    location->key = key;
    return WEIR_OK;
}

int weir_store_list(struct weir_session *session, const char *url, int recursive,
                    const char *start_after, weir_store_object_fn take, void *context,
                    struct weir_error *error) {
    struct target target;
    WR_TRY(open_target(session, url, false, true, &target, error));
    struct taking taking = {&target, take, context, false, false};
    int code = add_slash(&target.location, error);
    if (code == WEIR_OK)
        code = wr_objects_list(target.objects, target.location.key, recursive != 0, start_after,
                               give_each, &taking, error);
    target_reset(session, &target);
    return code == WEIR_OK && taking.failed ? wr_error_memory(error) : code;
}

static int between(struct weir_session *session, const char *from, const char *to, bool move,
                   int overwrite, struct weir_error *error) {
    struct target source, target;
    WR_TRY(open_target(session, from, move, false, &source, error));
    int code = open_target(session, to, true, false, &target, error);
    if (code == WEIR_OK) {
        int32_t replace = overwrite != 0;
        if (source.store != target.store)
            code = wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                                "\"%s\" and \"%s\" are two stores; weir_copy goes from one to "
                                "another",
                                source.location.root, target.location.root);
        else if (move)
            code = wr_objects_rename(source.objects, source.location.key, target.location.key,
                                     replace, error);
        else
            code = wr_objects_copy(source.objects, source.location.key, target.location.key,
                                   replace, error);
        target_reset(session, &target);
    }
    target_reset(session, &source);
    return code;
}

int weir_store_copy(struct weir_session *session, const char *from, const char *to, int overwrite,
                    struct weir_error *error) {
    return between(session, from, to, false, overwrite, error);
}

int weir_store_rename(struct weir_session *session, const char *from, const char *to, int overwrite,
                      struct weir_error *error) {
    return between(session, from, to, true, overwrite, error);
}

int weir_store_delete(struct weir_session *session, const char *url, struct weir_error *error) {
    struct target target;
    WR_TRY(open_target(session, url, true, false, &target, error));
    const char *key = target.location.key;
    int code = wr_objects_delete(target.objects, &key, 1, error);
    target_reset(session, &target);
    return code;
}

int weir_store_presign(struct weir_session *session, const char *method, const char *url,
                       int64_t seconds, char **ret_url, struct weir_error *error) {
    struct target target;
    char *text = NULL;
    bool put = strcmp(method, "PUT") == 0;
    if (!put && strcmp(method, "GET") != 0)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" cannot be presigned; GET and PUT can", method);
    if (seconds < 1 || seconds > INT64_C(7) * 24 * 3600)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "a presigned URL holds for 1 second to 7 days");
    WR_TRY(open_target(session, url, put, false, &target, error));
    int code =
        wr_objects_presign(target.objects, method, target.location.key, seconds, &text, error);
    target_reset(session, &target);
    return own_text(code, text, ret_url, error);
}
