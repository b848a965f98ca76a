/* SPDX-License-Identifier: Apache-2.0 */
#include "store/access.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

const struct wr_stores *wr_definition_stores(const struct weir_definition *definition) {
    if (definition->size < sizeof(struct wr_definition)) return NULL;
    return ((const struct wr_definition *)(const void *)definition)->stores;
}

const struct wr_encodings *wr_definition_encodings(const struct weir_definition *definition) {
    if (definition->size < sizeof(struct wr_definition)) return NULL;
    return ((const struct wr_definition *)(const void *)definition)->encodings;
}

int wr_stores_open_url(const struct wr_stores *stores, const char *url,
                       struct wr_opened **ret_store, char **ret_root, char **ret_key,
                       struct weir_error *error) {
    struct wr_location location = {0};
    if (!stores)
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "stores cannot be read here, without a workspace");
    WR_TRY(wr_location_parse(url, &location, error));
    int code = stores->open(stores->context, &location, ret_store, error);
    if (code == WEIR_OK) {
        *ret_root = location.root;
        *ret_key = location.key;
        location.root = location.key = NULL;
    }
    wr_location_reset(&location);
    return code;
}

void wr_object_take(void *sink, const struct wr_object *object) {
    struct wr_object_facts *facts = sink;
    char *etag = wr_strdup(object->etag);
    facts->found = true;
    facts->n_bytes = object->n_bytes;
    facts->modified_ns = object->modified_ns;
    if (object->etag && !etag) facts->failed = true;
    wr_free(facts->etag);
    facts->etag = etag;
}

void wr_object_facts_reset(struct wr_object_facts *facts) {
    wr_free(facts->etag);
    *facts = (struct wr_object_facts){0};
}

/* FNV-1a. */
static uint64_t hash(const char *text) {
    uint64_t value = 14695981039346656037u;
    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * 1099511628211u;
    return value;
}

void wr_object_version(const char *etag, int64_t n_bytes, char ret_version[WEIR_VERSION_SIZE]) {
    ret_version[0] = '\0';
    if (!etag) return;
    /* An etag may be as long as a store likes. */
    if (strlen(etag) < 48)
        snprintf(ret_version, WEIR_VERSION_SIZE, "%" PRId64 "-%s", n_bytes, etag);
    else
        snprintf(ret_version, WEIR_VERSION_SIZE, "%" PRId64 "-%.16s-%016" PRIx64, n_bytes, etag,
                 hash(etag));
}
