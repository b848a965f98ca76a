/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "internal.h"

static size_t hash(const char *path, const char *version) {
    uint64_t value = 14695981039346656037u; /* FNV-1a */

    for (const char *at = path; *at != '\0'; at++)
        value = (value ^ (unsigned char)*at) * 1099511628211u;
    for (const char *at = version == NULL ? "" : version; *at != '\0'; at++)
        value = (value ^ (unsigned char)*at) * 1099511628211u;
    return (size_t)(value ^ (value >> 32));
}

static struct node **bucket_of(const struct nodes *nodes, const char *path, const char *version) {
    return &nodes->buckets[hash(path, version) & (nodes->n_buckets - 1)];
}

/* Does without when there is no memory: the buckets only become longer. */
static void grow(struct nodes *nodes) {
    size_t n_buckets = nodes->n_buckets == 0 ? 256 : nodes->n_buckets * 2;
    struct node **buckets = wr_calloc(n_buckets, sizeof *buckets);

    if (buckets == NULL) return;
    for (size_t i = 0; i < nodes->n_buckets; i++) {
        for (struct node *node = nodes->buckets[i], *next; node != NULL; node = next) {
            struct node **bucket = &buckets[hash(node->path, node->version) & (n_buckets - 1)];
            next = node->next;
            node->next = *bucket;
            *bucket = node;
        }
    }
    wr_free(nodes->buckets);
    nodes->buckets = buckets;
    nodes->n_buckets = n_buckets;
}

static void node_free(struct node *node) {
    wr_free(node->path);
    wr_free(node->version);
    wr_free(node->kind);
    wr_free(node);
}

bool node_has_version(const struct node *node, const char *version) {
    if (node->version == NULL || version == NULL) return node->version == NULL && version == NULL;
    return strcmp(node->version, version) == 0;
}

static bool same(const struct node *node, const struct found *found) {
    return node->directory == found->directory && strcmp(node->path, found->path) == 0 &&
           node_has_version(node, found->version);
}

/* A file without version is another one each time, but not between a stat, the open that follows it
 * and the reads after that. One that was encoded anew may have become another. */
static bool still_good(const struct node *node, const struct found *found) {
    if (node->directory || node->n_bytes < 0) return true;
    if (node->version == NULL) return node->bytes != NULL && mount_now() < node->fresh_until;
    return found->n_bytes < 0 || found->n_bytes == node->n_bytes;
}

static struct node *node_new(const struct found *found) {
    struct node *node = wr_calloc(1, sizeof *node);

    if (node == NULL) return NULL;
    node->path = wr_strdup(found->path);
    node->version = wr_strdup(found->version);
    node->kind = wr_strdup(found->kind);
    node->directory = found->directory;
    if (node->path != NULL && (node->version != NULL) == (found->version != NULL) &&
        (node->kind != NULL) == (found->kind != NULL))
        return node;
    node_free(node);
    return NULL;
}

struct node *nodes_enter(struct nodes *nodes, const struct found *found) {
    if (nodes->n_nodes >= nodes->n_buckets) grow(nodes);
    if (nodes->n_buckets == 0) return NULL;
    struct node **bucket = bucket_of(nodes, found->path, found->version);
    struct node *node = *bucket;

    while (node != NULL && !same(node, found))
        node = node->next;
    if (node != NULL && !still_good(node, found)) {
        nodes_retire(nodes, node);
        node = NULL;
    }
    if (node == NULL) {
        if ((node = node_new(found)) == NULL) return NULL;
        node->number = ++nodes->last_number;
        node->n_bytes = found->directory ? 0 : -1;
        node->modified_ns = found->modified_ns;
        node->current = true;
        node->next = *bucket;
        *bucket = node;
        nodes->n_nodes++;
        node->next_all = nodes->all;
        if (nodes->all != NULL) nodes->all->previous_all = node;
        nodes->all = node;
    }
    if (node->directory) node->modified_ns = found->modified_ns;
    if (node->n_bytes < 0) node->n_bytes = found->n_bytes;
    /* For the open that probably follows. */
    if (node->held_until < mount_now() + HOLD_MS / 2) node->held_until = mount_now() + HOLD_MS / 2;
    node->refs++;
    return node;
}

void nodes_retire(struct nodes *nodes, struct node *node) {
    if (!node->current) return;
    struct node **at = bucket_of(nodes, node->path, node->version);
    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    node->next = NULL;
    node->current = false;
    nodes->n_nodes--;
}

bool nodes_rename(struct nodes *nodes, struct node *node, const char *version) {
    if (node_has_version(node, version)) return true;
    char *copy = wr_strdup(version);
    if (copy == NULL && version != NULL) return false;
    nodes_retire(nodes, node);
    wr_free(node->version);
    node->version = copy;
    struct node **bucket = bucket_of(nodes, node->path, copy), *other = *bucket;
    while (other != NULL &&
           !(strcmp(other->path, node->path) == 0 && node_has_version(other, copy)))
        other = other->next;
    if (other != NULL) return true; /* lookups have that one already */
    node->current = true;
    node->next = *bucket;
    *bucket = node;
    nodes->n_nodes++;
    return true;
}

void nodes_release(struct nodes *nodes, struct node *node, int64_t refs) {
    node->refs -= refs;
    if (node->refs > 0) return;
    nodes_retire(nodes, node);
    if (node->next_all != NULL) node->next_all->previous_all = node->previous_all;
    *(node->previous_all != NULL ? &node->previous_all->next_all : &nodes->all) = node->next_all;
    node_free(node);
}

struct bytes *bytes_new(struct nodes *nodes, struct weir_file *file, int64_t n_bytes) {
    struct bytes *bytes = wr_calloc(1, sizeof *bytes);

    if (bytes == NULL) return NULL;
    bytes->file = file;
    bytes->n_bytes = n_bytes;
    bytes->refs = 1;
    bytes->next = nodes->all_bytes;
    if (bytes->next != NULL) bytes->next->previous = bytes;
    nodes->all_bytes = bytes;
    return bytes;
}

struct weir_file *bytes_release(struct nodes *nodes, struct bytes *bytes) {
    if (--bytes->refs > 0) return NULL;
    struct weir_file *file = bytes->file;
    if (bytes->next != NULL) bytes->next->previous = bytes->previous;
    *(bytes->previous != NULL ? &bytes->previous->next : &nodes->all_bytes) = bytes->next;
    wr_free(bytes);
    return file;
}

void nodes_hold(struct nodes *nodes, struct node *node, struct bytes *bytes) {
    node->bytes = bytes;
    node->held_until = mount_now() + HOLD_MS;
    node->next_held = nodes->held;
    nodes->held = node;
    node->refs++;
}

struct weir_file *nodes_let_go(struct nodes *nodes, int64_t now) {
    for (struct node **at = &nodes->held; *at != NULL;) {
        struct node *node = *at;
        if (now < node->held_until) {
            at = &node->next_held;
            continue;
        }
        *at = node->next_held;
        if (node->version == NULL)
            nodes_retire(nodes, node); /* nobody can have these bytes again */
        struct weir_file *file = bytes_release(nodes, node->bytes);
        node->bytes = NULL;
        nodes_release(nodes, node, 1);
        if (file != NULL) return file;
    }
    return NULL;
}

void nodes_reset(struct nodes *nodes) {
    for (struct node *node = nodes->all, *next; node != NULL; node = next) {
        next = node->next_all;
        node_free(node);
    }
    for (struct bytes *bytes = nodes->all_bytes, *next; bytes != NULL; bytes = next) {
        next = bytes->next;
        weir_file_close(bytes->file);
        wr_free(bytes);
    }
    wr_free(nodes->buckets);
    *nodes = (struct nodes){0};
}
